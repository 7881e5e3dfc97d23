#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's source packages whose scripts the tests here compare with: ca-certificates in the version that
# is installed, and curl. Prints the directory that has them as ca-certificates/ and curl/; exits 77 with
# a reason on standard error if they cannot be had; and, as newer/, the newest release of ca-certificates, with
# the changelog that says what came and went. Fetched once for each version, outside the source
# tree: $XDG_CACHE_HOME/crossroot, or ~/.cache/crossroot. No root is needed, and nothing is installed.
# With --cached nothing is fetched: tests use what ./dev test fetched before them.
set -euo pipefail

none() {
    printf 'not here: %s\n' "$*" >&2
    exit 77
}
for tool in apt-get apt-cache dpkg-query tar flock; do
    command -v "$tool" >/dev/null || none "no $tool to fetch Debian's sources with"
done
version_of() { # PACKAGE: what is installed, else what could be
    dpkg-query -W -f '${source:Version}\n' "$1" 2>/dev/null ||
        apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'
}
certificates=$(version_of ca-certificates)
curl=$(version_of curl)
[[ -n $certificates && -n $curl ]] || none 'apt knows neither ca-certificates nor curl'

cache=${XDG_CACHE_HOME:-$HOME/.cache}/crossroot
peers=$cache/peers-$certificates-$curl-2
if [[ -d $peers ]]; then
    printf '%s\n' "$peers"
    exit
fi
[[ ${1-} != --cached ]] || none "no sources of ca-certificates $certificates and curl; ./dev test fetches them"
mkdir -p "$cache" 2>/dev/null || none "$cache cannot be made"
exec 9>"$cache/peers-lock"
flock 9
if [[ -d $peers ]]; then # another test was first
    printf '%s\n' "$peers"
    exit
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/xr-peers.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
mkdir -p "$work"/apt/{lists/partial,archives/partial,parts} "$work"/{files,new/ca-certificates,new/curl}
# Lists of sources of our own, from the archives that this machine uses, as in packaging/windows/deps.
sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}/deb-src \1/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    >"$work/apt/sources.list" 2>/dev/null || true
for file in /etc/apt/sources.list.d/*.sources; do
    [[ ! -f $file ]] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/apt/parts/${file##*/}"
done
apt=(-q -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts="$work/apt/parts"
     -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt" -o APT::Sandbox::User=root
     -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=2)
((EUID == 0)) || apt+=(-o Debug::NoLocking=1)
apt-get "${apt[@]}" update >"$work/log" 2>&1 || none "no list of Debian's sources"

# What apt fetches it has checked. A version that is no longer in the lists is still in the pool.
cd "$work/files"
apt-get "${apt[@]}" source --download-only --tar-only "ca-certificates=$certificates" >>"$work/log" 2>&1 ||
    curl --proto =https --max-time 60 -sfO \
        "https://deb.debian.org/debian/pool/main/c/ca-certificates/ca-certificates_$certificates.tar.xz" ||
    none "no sources of ca-certificates $certificates"
mkdir newest
(cd newest && { apt-get "${apt[@]}" source --download-only --tar-only ca-certificates ||
    curl --proto =https --max-time 60 -sfO \
        https://deb.debian.org/debian/pool/main/c/ca-certificates/ca-certificates_20250419.tar.xz; }) >>"$work/log" 2>&1 || true
apt-get "${apt[@]}" source --download-only --tar-only "curl=$curl" >>"$work/log" 2>&1 ||
    apt-get "${apt[@]}" source --download-only --tar-only curl >>"$work/log" 2>&1 ||
    none 'no sources of curl'
unpack() { # PATTERN DIR MEMBER...
    local file
    file=$(compgen -G "$1" | grep -v '\.asc$' | head -n 1) || none "apt fetched no $1"
    tar -xf "$file" -C "$work/new/$2" --strip-components=1 --no-same-owner --wildcards "${@:3}"
}
unpack 'ca-certificates_*.tar.*' ca-certificates '*/mozilla/*'
if compgen -G 'newest/ca-certificates_*.tar.*' >/dev/null; then
    mkdir "$work/new/newer"
    unpack 'newest/ca-certificates_*.tar.*' newer '*/mozilla/certdata.txt' '*/debian/changelog'
fi
unpack 'curl_*.orig.tar.*' curl '*/scripts/mk-ca-bundle.pl'
# The directory appears when all of it is there.
chmod -R u=rwX,go=rX "$work/new"
rm -rf "$peers.new"
mv "$work/new" "$peers.new"
mv -T "$peers.new" "$peers"
printf '%s\n' "$peers"
