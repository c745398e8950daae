#!/usr/bin/env bash
# Installs the named Debian/Ubuntu packages that are missing; on other systems says which libraries to look for.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: make sure that these libraries or their equivalents are installed: $*" >&2
    exit 0
fi
missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [[ $status == "install ok installed" ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

run=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || { echo "Please install as root: apt-get install ${missing[*]}" >&2; exit 1; }
    run=(sudo)
fi
echo "Installing system packages: ${missing[*]}"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
