#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Outputs of p11-kit's family: the same bytes as `trust extract` writes from our .p11-kit output, which
# stands in a directory (a token that is a file makes anchors of neutral certificates).
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
trust=$(command -v trust) || skip_all 'not here: no p11-kit'
for module in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ ! -e $module ]] || break
done
[[ -e $module ]] || skip_all "not here: no trust module of p11-kit"
chmod 755 "$T"
cd "$T"

# p11-kit ignores a user's configuration for root, so root becomes nobody.
as_user=()
((EUID != 0)) || as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
mkdir -p theirs p11home/.config/pkcs11/modules
chmod 777 theirs
echo 'user-config: only' >p11home/.config/pkcs11/pkcs11.conf

# real TOKEN TO ARGUMENT...
real() {
    local token=$1 to=$2
    shift 2
    printf 'module: %s\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "$module" "$T/$token" \
        >p11home/.config/pkcs11/modules/x.module
    "${as_user[@]}" env -i PATH="$PATH" HOME="$T/p11home" XDG_CONFIG_HOME="$T/p11home/.config" \
        "$trust" extract "$@" "$T/theirs/$to"
}

tree() { (cd "$1" && find . -type l -printf '%P -> %l\n' -o -type f -printf '%P ' -exec sha256sum {} \; | sed 's/  .*//' | sort); }

# compare NAME: outputs of NAME.txt, ours and theirs
compare() {
    local name=$1 token=$1.token
    mkdir "$token" "$name"
    expect_exit 0 "$name: ours" xr extract --from "$name.txt" --to p11-kit="$token/$name.p11-kit" \
        --to pem="$name/pem" --to pem-dir="$name/pem-dir" --to pem-dir-hash="$name/pem-dir-hash" \
        --to openssl-trusted="$name/trusted" --to edk2="$name/edk2" --to java="$name/java"
    chmod 755 "$token"
    chmod 644 "$token"/*
    real "$token" "$name.pem" --format=pem-bundle --filter=ca-anchors --purpose=server-auth
    real "$token" "$name.pem-dir" --format=pem-directory --filter=ca-anchors --purpose=server-auth
    real "$token" "$name.pem-dir-hash" --format=pem-directory-hash --filter=ca-anchors --purpose=server-auth
    real "$token" "$name.trusted" --format=openssl-bundle --filter=certificates
    real "$token" "$name.edk2" --format=edk2-cacerts --filter=ca-anchors --purpose=server-auth
    SOURCE_DATE_EPOCH=1 real "$token" "$name.java" --format=java-cacerts --filter=ca-anchors --purpose=server-auth
    expect_same "$name: pem" "theirs/$name.pem" "$name/pem"
    expect_same "$name: openssl-trusted" "theirs/$name.trusted" "$name/trusted"
    expect_same "$name: edk2" <(xxd "theirs/$name.edk2") <(xxd "$name/edk2")
    expect_same "$name: pem-dir" <(tree "theirs/$name.pem-dir") <(tree "$name/pem-dir")
    expect_same "$name: pem-dir-hash" <(tree "theirs/$name.pem-dir-hash") <(tree "$name/pem-dir-hash")
    # The time of an entry is another one, see docs.
    expect_exit 0 "$name: java" "$(dirname -- "$XR_BIN")/../tests/cacerts/xr-pkextract" --same "theirs/$name.java" "$name/java"
    mkdir "$name.email"
    expect_exit 0 "$name: ours, for e-mail" xr extract --from "$name.txt" --for email --comments --to pem="$name.email/pem"
    real "$token" "$name.email" --format=pem-bundle --filter=ca-anchors --purpose=email --comment
    expect_same "$name: pem for e-mail, with comments" "theirs/$name.email" "$name.email/pem"
}

"$XR_MKPKI" pki >/dev/null
ls pki/*.pem >/dev/null
{
    printf 'pki/old-root.pem\tCC-\tOld Root\n'
    printf 'pki/new-root.pem\tC--\tNew Root\tserver=241130235959Z\n'
    printf 'pki/rsa-root.pem\tCCC\tRSA "Root" CA 100%%\ttrust-server=491231235959Z\n'
    printf 'pki/email-root.pem\t-C-\tE-mail Főtanúsítvány\temail=250101000000Z\n'
    printf 'pki/ed25519-root.pem\t---\tNeutral (Root), Inc/x\n'
    printf 'pki/rsapss-root.pem\tnnn\tDistrusted Root\n'
    printf 'pki/utf8.pem\tC--\tNew Root\n'
    printf 'pki/constrained-root.pem\tC--\tNew Root\n'
    printf 'pki/sub.pem\tnnn\tA sub that is not there\tbare\n'
} >table
python3 "$here/mkcertdata.py" <table | sed 's/RSA "Root"/RSA \\"Root\\"/' >made.txt
compare made
expect_eq 'made: how many' "$(grep -c BEGIN made/pem)" 5
for at in "$XR_SHARED"/data/certdata/certdata-*.txt; do
    [[ -e $at ]] || { skip "not here: Mozilla's certdata.txt"; break; }
    name=$(basename "$at" .txt)
    cp "$at" "$name.txt"
    compare "$name"
done
finish
