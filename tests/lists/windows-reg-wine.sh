#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Wine takes a .reg file that extract writes, crypt32 reads what is in it, and regedit exports it with the
# same bytes. Wine heeds neither the property of purposes nor Disallowed when it checks a path: what they
# do is seen here as far as they are there.
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
if [[ -z ${WINEPREFIX-} || -z ${WINE-} ]]; then
    if ! command -v wine64 >/dev/null && [[ ! -x /usr/lib/wine/wine64 ]]; then
        echo 'skip  not here: no wine64'
        exit 77
    elif ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
        echo 'skip  not here: no compiler for Windows'
        exit 77
    fi
    exec "$here/../windows/wine" in bash "$0"
fi
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"
lab=$WINEPREFIX/drive_c/lab
mkdir "$lab"
cd "$lab"
x86_64-w64-mingw32-gcc -municode -O1 -o capi.exe "$here/../windows/capi.c" -lcrypt32 -ladvapi32
make_pki pki
sha1() { openssl x509 -in "$1" -outform DER | sha1sum | cut -c1-40; }
wine() { "$WINE" "$@" 2>/dev/null | tr -d '\r'; }
reads() { wine capi.exe list machine "$1" | grep ' name=' | LC_ALL=C sort; } # STORE; of Wine's own none has a name
asks() {                                                                    # PEM: error status and length
    openssl x509 -in "$1" -outform DER -out asked.der
    wine capi.exe chain machine asked.der
}
{
    printf 'pki/old-root.pem\tC--\t日本 "Root" 😀\n'
    printf 'pki/email-root.pem\tCCC\tE-mail\n'
    printf 'pki/cross.pem\t---\tCross\n'
    printf 'pki/rsa-root.pem\tnnn\tRefused\n'
} >table
python3 "$here/mkcertdata.py" <table | sed 's/"Root" /\\"Root\\" /' >list.txt
expect_exit 0 'a .reg file' xr extract --from list.txt --comments --to windows-reg=list.reg
expect_eq 'before it, nothing is trusted' "$(asks pki/cross.pem)" '00010000 1'
expect_exit 0 'reg imports it' "$WINE" reg import list.reg
expect_eq 'crypt32 reads ROOT' "$(reads ROOT)" "$(printf '%s\n' \
    "$(sha1 pki/old-root.pem) eku=1.3.6.1.5.5.7.3.1,1 name=日本 \"Root\" 😀" \
    "$(sha1 pki/email-root.pem) eku=1.3.6.1.5.5.7.3.1,3 name=E-mail" | LC_ALL=C sort)"
expect_eq 'and CA' "$(reads CA)" "$(sha1 pki/cross.pem) name=Cross"
expect_eq 'and Disallowed' "$(reads Disallowed)" "$(sha1 pki/rsa-root.pem) name=Refused"
expect_eq 'a path to the root is good' "$(asks pki/cross.pem)" '00000000 2'
expect_eq 'and one by the cross certificate that was imported' "$(asks pki/sub.pem)" '00000000 3'
"$WINE" regedit /E export.reg 'HKEY_LOCAL_MACHINE\Software\Microsoft\SystemCertificates' >/dev/null 2>&1
python3 - >missing <<'PY'
import re
def values(name):
    text = open(name, "rb").read().decode("utf-16")
    return {key.upper(): value for key, value in re.findall(r"\[(.*)\]\r\n(\"Blob\"=hex:[^\[;]*?)\r\n\r\n", text)}
ours, theirs = values("list.reg"), values("export.reg")
assert len(ours) == 4
print(*[key for key in ours if theirs.get(key) != ours[key]])
PY
expect_eq "an export of regedit's has the same bytes" "$(<missing)" ''
expect_exit 0 'regedit imports it again' "$WINE" regedit /S list.reg
expect_eq 'and changes nothing' "$(reads ROOT | wc -l) $(reads CA | wc -l) $(reads Disallowed | wc -l)" '2 1 1'
finish
