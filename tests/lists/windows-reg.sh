#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# windows-reg.sh [PLUGIN MKHIVE]: .reg files for Windows that extract writes: what stands where, and that
# values are those that crossroot's backend for Windows writes into a hive.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
command -v python3 >/dev/null || skip_all 'not here: no Python'
cd "$T"
make_pki pki
sha1() { openssl x509 -in "$1" -outform DER | sha1sum | cut -c1-40; }

# reg WHAT FILE: "keys": STORE SHA1 PURPOSES NAME of each; "blobs": their values, one in hex a line
reg() { python3 "$here/readreg.py" "$@"; }
{
    printf 'pki/old-root.pem\tC--\tCrossroot Test Old Root\n'
    printf 'pki/email-root.pem\tCCC\t日本 "Root" \\ 😀\n'
    printf 'pki/constrained-root.pem\tCn-\tHalf\n'
    printf 'pki/cross.pem\t---\tCrossroot Test New Root\n'
    printf 'pki/rsa-root.pem\tnnn\tCrossroot Test RSA Root\n'
    printf 'pki/sub.pem\tnnn\tSub\tbare\n'
} >table
python3 "$here/mkcertdata.py" <table | sed 's/"Root" \\ /\\"Root\\" \\\\ /' >list.txt
expect_exit 0 'a .reg file' xr extract --from list.txt --to windows-reg=list.reg
expect_grep 'a distrust without certificate is named as left out' 'Sub: distrusted by issuer and serial number' "$out"
expect_eq 'each certificate in its store, for its purposes' "$(reg keys list.reg)" "ROOT $(sha1 pki/old-root.pem) server Crossroot Test Old Root
ROOT $(sha1 pki/email-root.pem) server,code,email 日本 \"Root\" \\ 😀
ROOT $(sha1 pki/constrained-root.pem) server Half
CA $(sha1 pki/cross.pem) - Crossroot Test New Root
Disallowed $(sha1 pki/rsa-root.pem) - Crossroot Test RSA Root"
expect_exit 0 'written again' xr extract --from list.txt --to windows-reg=again.reg
expect_exit 0 'it has the same bytes' cmp list.reg again.reg

if [[ -n ${1-} ]]; then
    image=$T/image
    config=$image/WINDOWS/system32/config
    mkdir -p "$config"
    "$2" "$config" software
    w() { xr --plugin "$plugin" --root "$image" --scope system --store windows "$@"; }
    plugin=$1
    expect_exit 0 'the backend installs a root' w install --yes --for server pki/old-root.pem
    expect_exit 0 'and an intermediate' w install --yes pki/cross.pem
    expect_exit 0 'and distrusts another' w distrust --yes pki/rsa-root.pem
    python3 "$here/readreg.py" blobs list.reg | sed -n '1p; 4,5p' >blobs
    expect_eq 'the values are the same, byte for byte' "$(python3 -c 'import sys
hive = open(sys.argv[1], "rb").read()
for line in open("blobs"):
    print(bytes.fromhex(line) in hive)' "$config/software" | xargs)" 'True True True'
else
    skip 'built without libhivex'
fi

for at in "$XR_SHARED"/data/certdata/certdata-*.txt; do
    [[ -e $at ]] || { skip "not here: Mozilla's certdata.txt"; break; }
    run xr extract --from "$at" --to windows-reg=real.reg --to pem=real.pem --for server
    expect_eq "$(basename "$at"): as many roots for servers as in a bundle" "$(reg keys real.reg | grep -c '^ROOT .* server')" "$(grep -c BEGIN real.pem)"
done
finish
