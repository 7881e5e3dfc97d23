#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What TLS programs refuse is not "yes": short keys and weak digests, as `openssl verify -auth_level 2`
# says (the level that Debian, Ubuntu and Fedora set), and wildcards of a part of a name.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$T"

# make NAME ISSUER KEY DIGEST EXTENSIONS: a certificate with a key of that kind; ISSUER - signs itself
make() {
    local name=$1 issuer=$2 key=$3 digest=$4 ext=$5
    # shellcheck disable=SC2086 # two words
    openssl genpkey -algorithm ${key%%:*} $([[ $key != *:* ]] || echo -pkeyopt "${key#*:}") -out "$name.key" 2>/dev/null
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    printf '%b' "$ext" >"$name.ext"
    if [[ $issuer == - ]]; then
        openssl x509 -req -in "$name.csr" -signkey "$name.key" "-$digest" -days 365 -extfile "$name.ext" -out "$name.pem"
    else
        openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial "-$digest" -days 365 \
            -extfile "$name.ext" -out "$name.pem"
    fi 2>/dev/null
}
ca='basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n'
leaf='subjectAltName=DNS:www.example.com,DNS:ba*.example.com,DNS:*.wild.example.com\nextendedKeyUsage=serverAuth\n'
make root - rsa:rsa_keygen_bits:2048 sha256 "$ca"
make root-1024 - rsa:rsa_keygen_bits:1024 sha256 "$ca"
make root-sha1 - rsa:rsa_keygen_bits:2048 sha1 "$ca"
make sub-1024 root rsa:rsa_keygen_bits:1024 sha256 "$ca"
make sub-sha1 root rsa:rsa_keygen_bits:2048 sha1 "$ca"
make sub-p192 root EC:ec_paramgen_curve:P-192 sha256 "$ca"
make leaf root rsa:rsa_keygen_bits:2048 sha256 "$leaf"
make leaf-1024 root rsa:rsa_keygen_bits:1024 sha256 "$leaf"
make leaf-sha1 root rsa:rsa_keygen_bits:2048 sha1 "$leaf"
make leaf-of-1024 root-1024 rsa:rsa_keygen_bits:2048 sha256 "$leaf"
make leaf-of-sha1 root-sha1 rsa:rsa_keygen_bits:2048 sha256 "$leaf"
for sub in 1024 sha1 p192; do
    make leaf-below-$sub sub-$sub rsa:rsa_keygen_bits:2048 sha256 "$leaf"
    cat leaf-below-$sub.pem sub-$sub.pem >chain-$sub.pem
done

store=(--store "openssl:$T/trust")
expect_exit 0 'three roots, one with a short key, one with a weak signature of its own' \
    xr "${store[@]}" install --yes root.pem root-1024.pem root-sha1.pem
agrees() { # FILE WANTED
    local theirs=no ours=true
    [[ $2 == yes ]] || ours=false
    if openssl verify -auth_level 2 -purpose sslserver -no-CAfile -no-CAstore -CApath trust/anchors -untrusted "$1" "$1" \
        >/dev/null 2>&1; then
        theirs=yes
    fi
    expect_eq "$1: openssl verify says $2" "$theirs" "$2"
    run xr "${store[@]}" verify --json "$1"
    expect_json "$1: so do we" 'stores[0].ok' "$ours"
}
agrees leaf.pem yes
agrees leaf-1024.pem no
agrees leaf-sha1.pem no
agrees leaf-of-1024.pem no
agrees leaf-of-sha1.pem yes
agrees chain-1024.pem no
agrees chain-sha1.pem no
agrees chain-p192.pem no
expect_exit 0 'other programs than those of TLS set no level' \
    xr "${store[@]}" verify --for email sub-sha1.pem

for asked in www.example.com:0 a.wild.example.com:0 bar.example.com:6 a.b.wild.example.com:6; do
    expect_exit "${asked#*:}" "as a server named ${asked%:*}" xr "${store[@]}" verify --host "${asked%:*}" leaf.pem
done

run xr inspect --only-files --json root.pem root-1024.pem root-sha1.pem sub-1024.pem sub-sha1.pem sub-p192.pem
short='its public key is too short: TLS programs refuse it'
weak='its signature uses a weak digest such as SHA-1: TLS programs refuse it'
expect_json 'inspect warns' 'certificates[].warnings' \
    "[] [\"$short\"] [] [\"$short\"] [\"$weak\"] [\"$short\"]"
run xr --store "openssl:$T/other" install --yes root-1024.pem
expect_grep 'an install of such a root says that nobody takes it' 'verified: no: .*key too weak' "$out"
finish
