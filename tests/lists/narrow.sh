#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No output trusts what its source does not: certificates of one key, of one issuer and serial number,
# distrust of one source and trust of another, limits, dates, blocklists, whole directories of p11-kit.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
command -v openssl >/dev/null || skip_all 'not here: no openssl'
cd "$T"

root() { # NAME KEY SUBJECT SERIAL
    openssl req -x509 -new -key "$2.key" -subj "/CN=$3" -set_serial "$4" -days 3650 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE 2>/dev/null
}
for key in a b c d; do
    openssl ecparam -name prime256v1 -genkey -noout -out $key.key 2>/dev/null
done
root a a 'Root A' 1
root a2 a 'Root A' 2
root b b 'Root B' 1
root c c 'Root C' 1
root t1 c Twin 7
root t2 d Twin 7
list() { python3 "$here/mkcertdata.py"; }
subjects() { grep -v '^-----\|^[A-Za-z0-9+/=]*$' "$1" | sed 's/^# //' | grep . | sort | xargs; }
# pem SOURCE...: the names that a bundle for servers has, in $got
pem() {
    local words=()
    for word; do words+=(--from "$word"); done
    rm -f o.pem
    run xr extract "${words[@]}" "${more[@]}" --comments --to pem=o.pem
    got=$([[ -e o.pem ]] && grep '^# ' o.pem | cut -c3- | sort | xargs || true)
}
more=()

# --- certificates of one key: p11-kit knows keys alone
printf 'a.pem\tC--\tRoot A\na2.pem\tnC-\tRoot A2\nb.pem\tC--\tRoot B\n' | list >twins.txt
expect_exit 0 'two certificates of one key' xr extract --from twins.txt --to p11-kit=k.p11-kit
expect_grep 'what is lost is said' 'trusted for less: the format tells of keys' "$out"
pem k.p11-kit
expect_eq 'read again, none is trusted for more' "$got" 'Root B'
pem twins.txt
expect_eq 'which other formats need not' "$got" 'Root A Root B'

# --- distrust by issuer and serial number is of all certificates that have them
printf 't1.pem\tnnn\tBad\tbare\n' | list >bare.txt
mkdir both
cp t1.pem t2.pem b.pem both/
for order in 'bare.txt both' 'both bare.txt'; do
    # shellcheck disable=SC2086 # words
    pem $order
    expect_eq "distrust reaches both twins: $order" "$got" 'Root B'
done
expect_exit 3 'and diff sees it' xr diff bare.txt both
printf '{"schema": 1, "command": "list", "stores": [{"store": "nss:x", "entries": [{"sha256": "%s", "place": "anchor", "purposes": ["server"], "subject": "CN=Twin"}]}]}' \
    "$(openssl x509 -in t1.pem -outform DER | sha256sum | cut -d' ' -f1)" >list.json
pem list.json bare.txt t1.pem b.pem
expect_eq 'also if it was first known by its hash' "$got" 'Root B'
expect_exit 1 'a document has no certificates to write' xr extract --from list.json --to p11-kit=none.p11-kit
expect_grep 'which is said' 'no source has the certificate itself' "$out"

# --- a directory of p11-kit's files is one source
printf 'a.pem\tnC-\tRoot A\nb.pem\tC--\tRoot B\n' | list >part.txt
expect_exit 0 'partly distrusted' xr extract --from part.txt --to p11-kit=part.p11-kit
mkdir split
awk 'BEGIN { RS = ""; ORS = "\n\n" } /x-certificate-extension/' part.p11-kit >split/z-extensions.p11-kit
awk 'BEGIN { RS = ""; ORS = "\n\n" } !/x-certificate-extension/' part.p11-kit >split/a-certificates.p11-kit
pem split
expect_eq 'what stands in another file counts' "$got" 'Root B'
mkdir -p source/anchors source/blocklist
cp a.pem b.pem source/anchors/
cp a.pem source/blocklist/
pem source
expect_eq 'a blocklist makes no anchors' "$rc$got" 1
expect_grep 'and it is said what to do' 'name the store' "$err"
mkdir keyed
cp b.pem keyed/b.pem
{
    printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\nx-distrusted: true\n'
    openssl x509 -in a.pem -noout -pubkey
} >keyed/key.p11-kit
pem keyed a.pem a2.pem
expect_eq 'distrust of a key reaches its certificates' "$got" 'Root B'

# --- several sources
printf 'a.pem\t---\tRoot A\nb.pem\tC--\tRoot B\n' | list >neutral.txt
pem neutral.txt a.pem
expect_eq 'a list that trusts it for nothing has decided' "$got" 'Root B'
more=(--merge)
pem neutral.txt a.pem
expect_eq 'unless sources are to be merged' "$got" 'Root A Root B'
more=()

mkdir said
printf 'a.pem\t-C-\tRoot A\nb.pem\tC--\tRoot B\n' | list >said/m.txt
for name in a z; do # before the list, and after it
    cp a.pem "said/$name.pem"
    pem said
    expect_eq "a file that says nothing gives way to a list: $name" "$got" 'Root B'
    rm "said/$name.pem"
done

# --- a blocklist takes no distrust away
printf 'a.pem\tnnn\tRoot A\nb.pem\tC--\tRoot B\n' | list >bad.txt
openssl x509 -in a.pem -outform DER | sha256sum | cut -d' ' -f1 >block
expect_exit 0 'a blocklist' xr extract --from bad.txt --blocklist block --to p11-kit=blocked.p11-kit
expect_eq 'keeps distrust' "$(grep -c '^x-distrusted: true' blocked.p11-kit)" 1

# --- Firefox trusts for e-mail, too
printf 'a.pem\tCn-\tRoot A\nb.pem\tC--\tRoot B\nc.pem\t-C-\tRoot C\n' | list >mail.txt
expect_exit 0 "Firefox's policy" xr extract --from mail.txt --to firefox-policy=firefox
expect_eq 'has what is distrusted for nothing it grants' "$(ls firefox/certificates | xargs)" Root_B.pem
expect_grep 'and says what it grants' 'Root B: its readers trust it for email too' "$out"

# --- limits
{
    printf 'Common Name or Certificate Name,SHA-256 Fingerprint,Trust Bits,Distrust for TLS After Date,Distrust for S/MIME After Date,Mozilla Applied Constraints,PEM Info\n'
    printf '"Root C",%s,Websites,,,*.tr,"%s"\n' "$(openssl x509 -in c.pem -outform DER | sha256sum | cut -d' ' -f1)" "'$(cat c.pem)'"
} >ccadb.csv
pem ccadb.csv b.pem
expect_eq 'what is limited is in no bundle' "$got" 'Root B'
printf 'c.pem\t-C-\tRoot C\nb.pem\tC--\tRoot B\n' | list >emailc.txt
more=(--merge)
pem emailc.txt ccadb.csv
expect_eq 'also if another source knew it' "$got" 'Root B'
more=()
finish
