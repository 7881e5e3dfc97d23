#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# image.sh CAPI: what is written into a hive from here, CryptoAPI reads as it was meant, and the
# other way round. First the hive is made; then this runs again, "image.sh CAPI DIR" inside
# "wine in", which for a user is a namespace where no plugin is trusted: root's files are nobody's.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
[[ $# -eq 2 ]] || prefix=$("$here/wine" prefix) || exit
# shellcheck source=tests/cli/lib.sh
source "$here/../cli/lib.sh"
capi=${1:?}
: "${XR_NATIVE:?}" "${XR_MKHIVE:?}"
listed() { # COMMAND...
    run "$@" list --json
    json 'stores[0].entries[].{place,purposes,label,sha256}' "$out" | LC_ALL=C sort
}

if [[ $# -eq 1 ]]; then
    plugin=$XR_NATIVE/backends/windows.so
    [[ -f $plugin ]] || skip_all "no plugin for hives in $XR_NATIVE"
    command -v hivexsh >/dev/null || skip_all "hivexsh is not there"
    offline() {
        "$XR_NATIVE/cli/crossroot" --worker "$XR_NATIVE/core/worker" --state "$state" \
            --plugin "$plugin" --store "windows:hive=$T/SOFTWARE" "$@"
    }
    make_pki "$T/pki"
    "$XR_MKHIVE" "$T" SOFTWARE
    cd "$P"
    expect_exit 0 "offline: roots" offline install old-root.pem rsa-root.pem --yes
    expect_exit 0 "offline: a root for mail" offline install email-root.pem --for email --yes
    expect_exit 0 "offline: the cross certificate" offline install cross.pem
    expect_exit 0 "offline: a leaf" offline install leaf.pem --as peer --yes
    expect_exit 0 "offline: a distrust" offline distrust ed25519-root.pem --yes
    expect_exit 0 "offline: a CRL" offline install old-root.crl.pem
    listed offline >"$T/offline"
    rc=0
    XR_WINE_PREFIX=$prefix "$here/wine" in bash "$here/${0##*/}" "$capi" "$T" || rc=$?
    [[ $rc -ne 77 ]] || skip_all "Wine cannot be had"
    expect_eq "and Wine's side agrees" "$rc" 0
    finish
    exit
fi

: "${WINE:?}" "${WINEPREFIX:?}"
made=$2
cp -R "$made/pki" "$WINEPREFIX/drive_c/pki"
cd "$WINEPREFIX/drive_c/pki"
live() { "$WINE" "$XR_BIN" "$@"; }

# Each value goes into Wine's registry as it is.
moved=0
for store in ROOT CA TrustedPeople Disallowed; do
    for kind in Certificates CRLs; do
        for key in $(printf 'cd \\Microsoft\\SystemCertificates\\%s\\%s\nls\n' "$store" "$kind" | hivexsh "$made/SOFTWARE" 2>/dev/null); do
            hivexget "$made/SOFTWARE" "\\Microsoft\\SystemCertificates\\$store\\$kind\\$key" Blob >"$WINEPREFIX/drive_c/blob"
            (cd "$WINEPREFIX/drive_c" && "$WINE" "$capi" load machine "Software\\Microsoft\\SystemCertificates\\$store\\$kind\\$key" blob) ||
                bad "load $store $kind $key"
            moved=$((moved + 1))
        done
    done
done
expect_eq "all seven are moved" "$moved" 7
listed live | grep -vF null >"$T/live" || true # roots of Wine have no name
grep -F 'crl' <(listed live) >>"$T/live" || true
LC_ALL=C sort -u -o "$T/live" "$T/live"
expect_same "CryptoAPI holds the same, in the same places, for the same purposes" "$made/offline" "$T/live"
expect_exit 0 "and finds the path" live verify 'sub.pem'
expect_grep "over the cross certificate" 'Sub CA → Crossroot Test New Root → Crossroot Test Old Root' "$out"

# The other way round: records that CryptoAPI wrote are those that the hive has.
records() { # hex of a blob on stdin: "ID LENGTH" of each record that is not computed
    perl -e 'local $/; $_ = pack "H*", <STDIN>; while (length >= 12) { my ($id, $one, $len) = unpack "VVV", $_;
        print "$id $len ", unpack("H*", substr $_, 12, $len), "\n" unless grep { $_ == $id } 3, 4, 15, 20, 25, 27; $_ = substr $_, 12 + $len }' | LC_ALL=C sort
}
sha1=$(openssl x509 -in email-root.pem -outform DER | sha1sum | cut -c1-40 | tr a-f A-F)
expect_exit 0 "live: the root for mail is removed" live remove email-root.pem
expect_exit 0 "and installed anew" live install email-root.pem --for email --yes
"$WINE" reg query "HKLM\\Software\\Microsoft\\SystemCertificates\\Root\\Certificates\\$sha1" /v Blob | tr -d '\r' |
    sed -n 's/.*REG_BINARY *//p' | records >"$T/wrote-live"
hivexget "$made/SOFTWARE" "\\Microsoft\\SystemCertificates\\ROOT\\Certificates\\$sha1" Blob | xxd -p | tr -d '\n' |
    records >"$T/wrote-offline"
expect_same "record by record" "$T/wrote-offline" "$T/wrote-live"
expect_eq "of which there are three" "$(wc -l <"$T/wrote-live")" 3
finish
