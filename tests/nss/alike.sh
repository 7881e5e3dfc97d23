#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Of databases of one user that hold the same, libnss3 is asked about one; whatever could change its
# answer makes them different.
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
cd "$T"
"$XR_MKPKI" pki
mkdir empty
certutil -N -d sql:empty --empty-password
names=(a b c d)
stores=()
for name in "${names[@]}"; do
    cp -r empty "$name"
    stores+=(--store "nss:$T/$name")
done

# each WHAT OK ALIKE: what verify answers for the four, in their order; and what each answers alone
each() {
    local code=0 name i=0
    local -a ok
    read -r -a ok <<<"$2"
    run xr --json verify "${stores[@]}" pki/sub.pem
    expect_json "$1: answers" 'stores[].ok' "$2"
    expect_json "$1: asked once for" 'stores[].alike' "$3"
    for name in "${names[@]}"; do
        run xr --json verify --store "nss:$T/$name" pki/sub.pem
        expect_json "$1: $name alone" 'stores[].ok' "${ok[i++]}"
    done
}

expect_exit 0 'an anchor goes into all' xr --json install "${stores[@]}" --yes pki/new-root.pem
expect_json 'all say yes' 'stores[].verified.ok' 'true true true true'
expect_json 'one was asked' 'stores[].verified.alike' '4 4 4 4'
expect_exit 0 'and people are told' xr verify "${stores[@]}" pki/sub.pem
expect_grep 'how many' 'asked once for 4 stores that hold the same' "$out"
each 'the same' 'true true true true' '4 4 4 4'

nick=$(certutil -L -d sql:d | sed -n 's/ *C,*[A-Za-z]*,*[A-Za-z]* *$//p' | tail -n 1)
certutil -M -d sql:d -n "$nick" -t ,,
each 'trust taken from one' 'true true true false' '3 3 3 1'
certutil -A -d sql:c -n sub -t p,, -a -i pki/sub.pem
each 'another distrusts' 'true true false false' '2 2 1 1'
certutil -A -d sql:b -n leaf -t ,, -a -i pki/leaf.pem
each 'one holds more' 'true true false false' '1 1 1 1'
certutil -A -d sql:a -n leaf -t ,, -a -i pki/leaf.pem
each 'until the other does' 'true true false false' '2 2 1 1'
printf 'a-password\n' >pw
printf '\n' >none
expect_exit 0 'one gets a password' certutil -W -d sql:b -f none -@ pw
each 'a password' 'true true false false' '1 1 1 1'
expect_exit 0 'unchanged stores' xr --json install "${stores[@]}" --yes pki/new-root.pem
finish
