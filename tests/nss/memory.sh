#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small certificate that makes libnss3 want more memory than the machine has: its helper has a
# limit, and what it says there is no answer.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
[[ $XR_SLOW -eq 0 ]] || skip_all "a sanitizer has no limit of memory"
names=3000
{
    printf '%s\n' '[req]' 'distinguished_name=dn' '[dn]' '[ca]' 'basicConstraints=critical,CA:TRUE' \
        'keyUsage=critical,keyCertSign,cRLSign' 'nameConstraints=critical,@permitted' '[permitted]'
    for ((i = 0; i < names; i++)); do echo "permitted;DNS.$i=a$i.example.org"; done
    printf '%s\n' '[leaf]' 'extendedKeyUsage=serverAuth' 'subjectAltName=@names' '[names]'
    for ((i = 0; i < names; i++)); do echo "DNS.$i=a$i.example.org"; done
} >"$T/conf"
key() { printf '%s\n' -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/$1.key"; }
mapfile -t args < <(key root)
openssl req -x509 "${args[@]}" -subj '/CN=Memory Root' -days 30 -out "$T/root.pem" 2>/dev/null
issue() { # NAME ISSUER SECTION
    mapfile -t args < <(key "$1")
    openssl req -new "${args[@]}" -subj "/CN=Memory $1" -config "$T/conf" -out "$T/$1.csr" 2>/dev/null
    openssl x509 -req -in "$T/$1.csr" -CA "$T/$2.pem" -CAkey "$T/$2.key" -days 20 -set_serial 7 \
        -extfile "$T/conf" -extensions "$3" -out "$T/$1.pem" 2>/dev/null
}
issue sub root ca
issue leaf sub leaf
mkdir "$T/db"
expect_eq 'a certificate of less than 100 KB' "$(($(stat -c %s "$T/sub.pem") < 100000))" 1
expect_exit 0 'the root' xr --store "nss:$T/db" install --yes "$T/root.pem"
expect_exit 4 'a question that takes all memory, and another one' \
    xr --store "nss:$T/db" verify "$T/leaf.pem" "$T/root.pem" --untrusted "$T/sub.pem"
expect_grep 'the first: cannot tell' 'cannot tell: the verifier needed more memory' "$out"
expect_eq 'the second has its answer' "$(grep -c ': yes (libnss3' "$out")" 1
expect_eq 'and nobody said no' "$(grep -c ': no' "$out")" 0
finish
