#!/bin/sh
# Installs what Hearth needs and is not there yet: npm packages (with the pinned Node.js among them)
# and, on Debian when root or passwordless sudo allows, the tools of the `oci` sandbox driver and
# Python. With --test also what only the tests need. Does nothing, fast, when nothing is missing.
#
# In shell because it runs before the pinned Node.js is there. Only missing npm packages are an
# error; without the Debian packages Hearth goes on with the `process` driver. Under CI=true a
# missing tool is an error too, so that no test is skipped for the lack of it.

set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin

for_tests=no
[ "${1:-}" = --test ] && for_tests=yes

say() { echo "setup: $*"; }
fail() {
  echo "setup: $*" >&2
  exit 1
}

# A copy of the lockfile lies beside the packages that were installed from it.
installed_lock=node_modules/.hearth-lock.json

install_npm_packages() {
  HEARTH_ROOT=.
  . tools/engine.sh
  if cmp -s package-lock.json "$installed_lock" && find_engine; then
    return
  fi
  command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or later, with npm"
  say "installing the npm packages ..."
  rm -f "$installed_lock"
  # No package needs an install script; the engine warning is about the machine's own Node.js.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || fail "npm ci failed"
  find_engine || fail "no Node.js >= $engine_major_min for this machine ($(uname -sm)): install one"
  cp package-lock.json "$installed_lock"
  # Fills the compile cache, so that the first real start is as fast as the next.
  ./hearth --version >/dev/null 2>&1 || true
}

missing_packages=
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || missing_packages="$missing_packages $2"
}

find_missing_packages() {
  missing_packages=
  need nft nftables
  need ip iproute2
  need mkfs.ext4 e2fsprogs
  need unshare util-linux
  need python3 python3
  command -v runc >/dev/null || command -v crun >/dev/null || missing_packages="$missing_packages runc"
  if [ $for_tests = yes ]; then
    need cc build-essential
    need ps procps
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

install_debian_packages() {
  command -v apt-get >/dev/null || {
    reason="there is no apt-get here"
    return 1
  }
  as_root true 2>/dev/null || {
    reason="that needs root or passwordless sudo"
    return 1
  }
  say "installing Debian packages:$missing_packages ..."
  options="-qq -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Dpkg::Use-Pty=0"
  log=$(mktemp)
  # shellcheck disable=SC2086 -- the options and the package list are meant to split
  as_root apt-get $options update >"$log" 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get $options install -y --no-install-recommends \
      $missing_packages >>"$log" 2>&1
  status=$?
  [ $status = 0 ] || {
    tail -n 5 "$log" >&2
    reason="apt-get failed"
  }
  rm -f "$log"
  return $status
}

install_npm_packages
[ "$(uname -s)" = Linux ] || {
  say "not on Linux: the process driver is the only one"
  exit 0
}
find_missing_packages
if [ -n "$missing_packages" ]; then
  reason=
  install_debian_packages
  wanted=$missing_packages
  find_missing_packages
  if [ -n "$missing_packages" ]; then
    [ "${CI:-}" = true ] && fail "missing in CI:$missing_packages (${reason:-still missing after apt-get})"
    say "not installed:$missing_packages (${reason:-still missing after apt-get})"
    say "going on without: what needs them is skipped, sandboxes use the process driver"
  else
    say "installed:$wanted"
  fi
fi
exit 0
