#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whoever names a host asks about a server: a server's certificate that says it is a CA must carry that
# name in every store. openssl verify and GnuTLS are the judges.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$T"
request() { # NAME SAN OPTION…
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" -addext "subjectAltName=$2" \
        -addext 'basicConstraints=critical,CA:TRUE' \
        -addext 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign' "${@:3}" 2>/dev/null
}
request root DNS:root.example -x509 -days 30 -out root.pem
request leaf DNS:good.example,IP:127.0.0.1 -out leaf.csr
openssl x509 -req -in leaf.csr -copy_extensions copy -CA root.pem -CAkey root.key -days 20 -set_serial 7 \
    -out leaf.pem 2>/dev/null
expect_exit 0 'openssl verify takes it for its host' \
    openssl verify -CAfile root.pem -no-CApath -purpose sslserver -verify_hostname good.example leaf.pem
expect_exit 2 'and for no other' \
    openssl verify -CAfile root.pem -no-CApath -purpose sslserver -verify_hostname other.example leaf.pem

mkdir nss token
for store in "openssl:$T/trust" "nss:$T/nss" "p11-kit:$T/token"; do
    run xr --store "$store" install --yes root.pem
    [[ $rc -eq 0 || $rc -eq 4 ]] || { skip "${store%%:*} cannot be had here"; continue; }
    s=(--store "$store")
    for host in good.example 127.0.0.1; do
        expect_exit 0 "${store%%:*}: $host" xr "${s[@]}" verify leaf.pem --host "$host"
    done
    for host in other.example 127.0.0.2; do
        expect_exit 6 "$host" xr "${s[@]}" verify leaf.pem --host "$host"
        expect_no_grep 'and nobody who reads the store says yes' ': yes' "$out"
    done
    expect_exit 0 'the root for its own name' xr "${s[@]}" verify root.pem --host root.example
    expect_exit 6 'and for no other' xr "${s[@]}" verify root.pem --host other.example
    expect_exit 0 'without a host, an issuer is asked about' xr "${s[@]}" verify leaf.pem
done
finish
