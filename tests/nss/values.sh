#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# values.sh SIZED system|browser: certificates and CRLs of every size. softoken gives one status for
# several attributes, so that a value too long for the first try can look as if there were none.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
sized=${1:?}
command -v certutil >/dev/null || skip_all "no certutil"
with_nss "${2:?}"

sizes=(2000 2047 2048 2049 4096 65536 1048576)
"$sized" "$T" "${sizes[@]}"
mkdir "$T/db"
db() { xr --store "nss:$T/db" "${use[@]}" "$@"; }
places() { # of the certificate or CRL in FILE.der
    run db list --json
    json "stores[0].entries[sha256=$(sha256sum <"$1" | cut -d' ' -f1)].place" "$out" 2>/dev/null || true
}
trust() { # SIZE: certutil's word for it
    certutil -L -d "sql:$T/db" | sed -n "s/^Sized $1  *//p" | tr -d ' '
}

for size in "${sizes[@]}"; do
    file=$T/root-$size.der
    expect_eq "a certificate of $size bytes" "$(stat -c %s "$file")" "$size"
    expect_exit 0 'is installed' db install --yes "$file"
    expect_eq 'is listed as an anchor' "$(places "$file")" anchor
    expect_eq 'is one for certutil' "$(trust "$size")" C,,
    expect_exit 0 'is undone' db undo
    expect_eq 'and gone for certutil' "$(trust "$size")" ''
    expect_exit 0 'is an intermediate' db install --as intermediate "$file"
    expect_eq 'without trust' "$(trust "$size")" ,,
    expect_exit 0 'is distrusted' db distrust --yes "$file"
    expect_eq 'by certutil too' "$(trust "$size")" p,p,p
    expect_exit 0 'is removed' db remove --yes "$file"
    expect_eq 'and nothing is left of it' "$(places "$file")$(trust "$size")" ''
done

expect_exit 0 'the CA that signs CRLs' db install --yes "$T/crlroot.der"
for count in 5 60 200 2000 30000; do
    file=$T/crl-$count.der
    expect_exit 0 "before a CRL of $count entries: yes" db verify "$T/crlleaf.der"
    expect_exit 0 'it is installed' db install "$file"
    expect_eq 'and listed' "$(places "$file")" crl
    if command -v crlutil >/dev/null; then
        expect_grep 'crlutil lists it' '^Sized CRL Root' <(crlutil -L -d "sql:$T/db")
    fi
    expect_exit 6 'libnss3 says no' db verify "$T/crlleaf.der"
    expect_grep 'because it is revoked' REVOKED "$out"
    expect_exit 0 'it is undone' db undo --yes
    expect_eq 'and gone' "$(places "$file")" ''
done
finish
