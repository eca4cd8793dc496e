#!/usr/bin/env bash
# Installs what the project's own commands need: a virtual environment, and Debian packages where we may.
# usage: bootstrap.sh venv PYTHON FOLDER | demo-packages | test-packages
set -euo pipefail

say() { printf '\033[1m[radgen]\033[0m %s\n' "$*"; }
fail() { printf '[radgen] error: %s\n' "$*" >&2; exit 1; }

DEMO_PACKAGES=(orthanc orthanc-dicomweb dcmtk fonts-noto-cjk libpython3.11)
TEST_PACKAGES=("${DEMO_PACKAGES[@]}" dicom3tools libpixelmed-java default-jdk-headless postgresql chromium)

missing_packages() {
    local name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || printf '%s\n' "$name"
    done
}

install_packages() {
    local required="$1"; shift
    command -v dpkg-query >/dev/null || { say "not a Debian system: install these yourself: $*"; return 0; }
    local missing; mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "not root, so these Debian packages stay away: ${missing[*]}"
        say "fix: sudo apt-get install ${missing[*]}"
        [ "$required" = required ] && fail "the tests need them"
        return 0
    fi
    say "installing Debian packages: ${missing[*]} (a minute or two)"
    apt-get update -qq || say "apt-get update failed; trying with the lists at hand"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        [ "$required" = required ] && fail "apt-get could not install ${missing[*]}"
        say "apt-get could not install them; going on with what is here"
    fi
}

make_venv() {
    local python="$1" folder="$2"
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
        || fail "Python 3.11 or 3.12 is needed, $python is $("$python" --version 2>&1); set PYTHON=python3.11"
    if [ ! -x "$folder/bin/python" ]; then
        say "creating $folder"
        "$python" -m venv "$folder" || fail "no venv module: apt-get install python3-venv"
    fi
    say "installing radgen and what it needs (the first time takes a few minutes)"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --progress-bar on \
        -c constraints.txt -e '.[engine,cpu,triton,dev]' 2> >(grep -v '^WARNING: Location' >&2)
}

case "${1:-}" in
    venv) make_venv "$2" "$3" ;;
    demo-packages) install_packages optional "${DEMO_PACKAGES[@]}" ;;
    test-packages) install_packages required "${TEST_PACKAGES[@]}" ;;
    *) fail "usage: bootstrap.sh venv PYTHON FOLDER | demo-packages | test-packages" ;;
esac
