# shellcheck shell=bash
# Brings in what is missing from Debian, and says what. Sourced after common.sh.
# Nothing is asked of the network while nothing is missing.
# shellcheck disable=SC2154 # root, build and started are common.sh's

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# need_packages PACKAGE…: installs those that are not there.
need_packages() {
  local missing=() package as_root=() log=$build/setup.log
  command -v dpkg-query >/dev/null || {
    note "   not a Debian: taking for granted that there are $*"
    return 0
  }
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  ((${#missing[@]})) || return 0
  say "   installing from Debian: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    local how="run as root: apt-get install ${missing[*]}"
    command -v sudo >/dev/null || fail "missing Debian packages, and no sudo here; $how"
    [ -t 0 ] || sudo -n true 2>/dev/null ||
      fail "missing Debian packages, and sudo wants a password; $how"
    as_root=(sudo)
  fi
  mkdir -p "$build"
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
  if ! "${as_root[@]}" update >"$log" 2>&1 ||
    ! "${as_root[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    fail "could not install ${missing[*]} from Debian (network? see ${log#"$root"/})"
  fi
}

# The Swift toolchain is the one thing that is asked for.
need_swift() {
  local found
  command -v swift >/dev/null ||
    fail "Weft needs a Swift toolchain, 6.2 or newer, on the PATH (https://www.swift.org/install)"
  found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')
  [ "$(printf '6.2\n%s\n' "$found" | sort -V | head -n 1)" = 6.2 ] ||
    fail "Weft needs Swift 6.2 or newer (https://www.swift.org/install); here is ${found:-none}"
}

need_python() {
  command -v python3 >/dev/null || need_packages python3
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Weft's scripts need Python 3.11 or newer; here is $(python3 --version)"
}

need_java() {
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || true
  [ "${major:-0}" -ge 17 ] || need_packages openjdk-17-jre-headless
}

# The compiler of the small C programs in Scripts/tools; a Swift toolchain brings a clang.
need_compiler() {
  local beside
  beside=$(dirname "$(readlink -f "$(command -v swift)")")/clang
  for compiler in "${CC:-}" cc gcc clang "$beside"; do
    [ -n "$compiler" ] && command -v "$compiler" >/dev/null && return 0
  done
  need_packages gcc libc6-dev
  compiler=gcc
}

# All that building and running Weft takes; what only one broker takes is asked for by it.
setup() {
  need_swift
  need_packages librdkafka-dev libyaml-dev libssl-dev librocksdb-dev libmimalloc-dev pkg-config
  need_python
  need_compiler
}

# need_tool NAME: compiles Scripts/tools/NAME.c into .build/tools, if that is not newer. Written
# beside and moved, so that two scripts at once do not run half a file.
need_tool() {
  local source=$root/Scripts/tools/$1.c binary=$build/tools/$1 fresh flags
  [ "$binary" -nt "$source" ] && return 0
  mkdir -p "$build/tools"
  fresh=$(mktemp "$binary.XXXXXX")
  read -ra flags <<<"$(pkg-config --cflags --libs rdkafka)"
  "$compiler" -std=c17 -O2 -Wall -Wextra -Werror "$source" -o "$fresh" "${flags[@]}" ||
    { rm -f "$fresh"; fail "could not compile Scripts/tools/$1.c"; }
  chmod 755 "$fresh"
  mv "$fresh" "$binary"
}
