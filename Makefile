# Hearth's commands. Each installs what it needs first, so a fresh clone needs nothing else typed.
#
# Recipes run with the pinned Node.js (see tools/engine.sh), whatever the machine's own version is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup check test demo bench generate setup-test

ENGINE := HEARTH_ROOT=. && . tools/engine.sh && require_engine &&

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what Hearth needs: npm packages, and Debian packages for the oci sandbox
	@sh tools/setup.sh

setup-test:
	@sh tools/setup.sh --test

demo: setup ## Start a throwaway server, deploy the example functions, invoke and check them
	@$(ENGINE) exec "$$engine" tools/demo.ts

check: setup ## Types, lint, formatting and generated files
	@$(ENGINE) exec "$$engine" tools/check.ts

test: setup-test ## Everything in `make check`, then every test (ONLY=part-of-a-path for some)
	@$(ENGINE) if [ -z "$(ONLY)" ]; then "$$engine" tools/check.ts || exit 1; fi; exec "$$engine" tools/run-tests.ts $(ONLY)

bench: setup-test ## Measure against bare Node.js and Python on this machine (ONLY=row for some)
	@$(ENGINE) exec "$$engine" tools/bench.ts $(ONLY)

generate: setup ## Write the generated files again from the service model
	@$(ENGINE) exec "$$engine" tools/generate.ts
