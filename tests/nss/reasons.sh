#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# reasons.sh system|browser: a "no" says why: a name that a constraint does not allow, a CA of the right
# name with another key, whose file cannot be read or written.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
with_nss "${1:?}"
cd "$T"
# root FILE NAME [OPTION]... and leaf FILE ISSUER [OPTION]...
root() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
        -days 300 -subj "/O=Reasons/CN=$2" -addext keyUsage=critical,keyCertSign "${@:3}" 2>/dev/null
}
leaf() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" \
        -subj "/CN=$1" -addext "subjectAltName=DNS:localhost" 2>/dev/null
    openssl x509 -req -in "$1.csr" -copy_extensions copy -CA "$2.pem" -CAkey "$2.key" -days 100 \
        -out "$1.pem" "${@:3}" 2>/dev/null
}
root corp 'Corp CA'
root other 'Corp CA'
root narrow 'Narrow CA' -addext nameConstraints=critical,permitted\;DNS:corp.example
root unknown 'Unknown CA'
leaf corp-leaf corp
leaf other-leaf other
leaf narrow-leaf narrow
leaf unknown-leaf unknown
cat other-leaf.pem other.pem >other-chain.pem
openssl x509 -in corp.pem -signkey corp.key -days 400 -out renewed.pem 2>/dev/null

mkdir db
certutil -N -d sql:db --empty-password </dev/null
for name in corp narrow; do
    certutil -A -a -d sql:db -n $name -t C,, -i $name.pem
done
expect_exit 0 'an openssl: directory with the same' xr --store "openssl:$T/o" install --yes corp.pem narrow.pem
corp=$(sha corp.pem)

for store in nss:db openssl:o; do
    xrs() { xr "${use[@]}" --store "${store%%:*}:$T/${store#*:}" "$@"; }
    expect_exit 0 "$store: below the right key" xrs verify corp-leaf.pem
    for file in other-leaf other-chain other; do
        expect_exit 6 "$store: $file" xrs verify $file.pem
        expect_grep 'the namesake is named' \
            "the store has a CA of that name with another key .SHA-256 $corp." "$out"
    done
    expect_exit 6 "$store: below a CA that nobody has" xrs verify unknown-leaf.pem
    expect_no_grep 'has no namesake' 'another key' "$out"
    expect_exit 6 "$store: outside of the constraint" xrs verify narrow-leaf.pem
    expect_grep 'it is the constraint' 'NOT_IN_NAME_SPACE|permitted subtree violation' "$out"
    expect_no_grep 'and no namesake' 'another key' "$out"
    run xrs verify renewed.pem
    expect_no_grep "$store: the same key again is no other" 'another key' "$out"
done
certutil -A -a -d sql:db -n leaf -t ,, -i narrow-leaf.pem
run certutil -V -d sql:db -n leaf -u V
expect_grep 'certutil says the constraint too' 'not permitted to issue a certificate with this name' <(cat "$out" "$err")
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -days 300 -subj '/O=Reasons/CN=Unknown CA' 2>/dev/null
certutil -A -a -d sql:db -n rsa -t C,, -i rsa.pem
mkdir kind
certutil -N -d sql:kind --empty-password </dev/null
certutil -A -a -d sql:kind -n rsa -t C,, -i rsa.pem
expect_exit 6 'only a namesake of another kind' xr "${use[@]}" --store "nss:$T/kind" verify unknown-leaf.pem
expect_grep 'says nothing of insecure algorithms' 'no trusted issuer was found .*another key' "$out"
expect_exit 0 'a key of another kind' xr --store "openssl:$T/o" install --yes rsa.pem
for store in nss:db openssl:o; do
    expect_exit 6 "$store: a namesake whose key is of another kind" xrs verify unknown-leaf.pem
    expect_grep 'is named too' "another key .SHA-256 $(sha rsa.pem)." "$out"
done
long=$(printf '%060d' 0 | tr 0 x)
root long "$long"
root long2 "$long"
expect_exit 0 'a long name' xr --store "openssl:$T/o" install --yes long.pem
expect_exit 6 'gives way' xr --store "openssl:$T/o" verify long2.pem
expect_grep 'to the whole SHA-256' "another key .SHA-256 $(sha long.pem)." "$out"

# ---- two with one issuer and serial number
openssl x509 -in corp.pem -noout -serial | sed 's/serial=/0x/' >serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout dup.key -out dup.pem -days 300 \
    -subj '/O=Reasons/CN=Corp CA' -set_serial "$(cat serial)" 2>/dev/null
expect_exit 1 'the same issuer and serial number' xr "${use[@]}" --store "nss:$T/db" install --yes dup.pem
expect_grep 'the other is named, and what to do' "has $corp; remove that first if this one is right" "$out"

# ---- whose file it is
chmod 755 "$T" db
chmod 400 db/key4.db
if [[ $(id -u) -eq 0 ]]; then
    whose=root
    chmod 444 db/cert9.db db/key4.db
    can_drop || {
        finish
        exit
    }
else
    whose="user ID $(id -u)"
fi
run unprivileged "$XR_BIN" --worker "$XR_WORKER" --state "$T/nobody" "${use[@]}" --store "nss:$T/db" stores
[[ $whose == root ]] && what='the directory' mode=0755 || what=key4.db mode=0400
expect_grep 'what cannot be written, and whose it is' "$what cannot be written: it belongs to $whose, mode $mode" "$out"
chmod 000 db/key4.db
run unprivileged "$XR_BIN" --worker "$XR_WORKER" --state "$T/nobody" "${use[@]}" --store "nss:$T/db" list
expect_grep 'what cannot be read, and whose it is' "key4.db cannot be read: it belongs to $whose, mode 0000" "$err"
finish
