#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Firefox and Chromium whose profiles have p11-kit's trust module as a module of roots: what they make
# of what crossroot writes into its directory. Both carry the roots they come with inside the program,
# where nothing takes them away; none of those knows this PKI.
set -euo pipefail
# shellcheck source=tests/nss/browsing.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../nss/browsing.sh"
module=$(find /usr/lib /usr/lib64 -name p11-kit-trust.so -print -quit 2>/dev/null || true)
[[ -n $module ]] || skip_all "no trust module of p11-kit here"

ff=$T/profile
cr=$HOME/.pki/nssdb
token=$T/token
mkdir -p "$ff" "$cr" "$token"
for db in "$ff" "$cr"; do
    certutil -N -d "sql:$db" --empty-password
    run modutil -force -dbdir "sql:$db" -add p11-kit -libfile "$module" -string "paths=$token"
    expect_eq 'p11-kit serves the profile' "$rc" 0
done
# everybody ANSWERS WHAT
everybody() {
    tell fresh "$ff" "$T/chromium" "${ports[@]}"
    expect_eq "both, $2" "$REPLY" "$1 / $1"
}
# does VERB ARGUMENT...
does() {
    expect_exit 0 "crossroot $*" xr --store "p11-kit:$token" "$@" --yes
}

everybody 'no no no' 'nothing'
does install old-root.pem
everybody 'no no yes' 'old root'
does install cross.pem
everybody 'no yes yes' 'old root and cross'
does distrust cross.pem
everybody 'no no no' 'cross distrusted'
does undo
everybody 'no yes yes' 'distrust undone'
does undo
everybody 'no no yes' 'cross undone'
does undo
everybody 'no no no' 'all undone'
finish
