#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is read from Mozilla's certdata.txt: all that it says, and never less. certdata.sh CUTS-PROGRAM
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
cuts=$1
cd "$T"
"$XR_MKPKI" pki >/dev/null

# An entry of our .p11-kit output, by its label: the lines of its object.
entry() { awk -v label="label: \"$1\"" 'BEGIN { RS = "" } index($0, label "\n")' made.p11-kit; }
list() { python3 "$here/mkcertdata.py" >"$1"; }

list made.txt <<EOF
pki/old-root.pem	CC-	Old Root
pki/new-root.pem	C--	Dated	server=241130235959Z
pki/rsa-root.pem	CC-	Dated in trust	trust-server=260415235959Z	email=250101000000Z
pki/ed25519-root.pem	---	Neutral
pki/rsapss-root.pem	nnn	Distrusted
pki/email-root.pem	nC-	Half
pki/sub.pem	nnn	Not there	bare
EOF
expect_exit 0 'a list is read' xr extract --from made.txt --to p11-kit=made.p11-kit --to pem=made.pem --for server
expect_exit 0 'and again, for all' xr extract --from made.txt --to p11-kit=made.p11-kit --json
expect_eq 'anchors for servers' "$(grep -c BEGIN made.pem)" 3
expect_eq 'all entries' "$(grep -c '^class: certificate' made.p11-kit)" 7
expect_eq 'a date of the certificate' "$(entry Dated | grep after)" 'nss-server-distrust-after: "%32%34%31%31%33%30%32%33%35%39%35%39%5a"'
expect_eq 'a date of the trust, and one for e-mail' "$(entry 'Dated in trust' | grep -c after)" 2
expect_eq 'neither' "$(entry Neutral | grep -c trusted)" 0
expect_eq 'distrusted' "$(entry Distrusted | grep trusted:)" 'x-distrusted: true'
expect_eq 'distrusted for servers alone' "$(entry Half | grep trusted:)" 'trusted: true'
expect_eq 'and what that is' "$(grep -c 3319.6.10.1 made.p11-kit)" 1
expect_eq 'a certificate that is not there' "$(entry 'Not there' | grep -c '^issuer:\|^serial-number:\|^x-distrusted: true')" 3

# What is wrong is an error that says where. wrong WHAT SED-EXPRESSION MESSAGE
wrong() {
    sed -E "$2" made.txt >bad.txt
    cmp -s made.txt bad.txt && bad "$1: the test changes nothing"
    expect_exit 1 "$1" xr extract --from bad.txt --to pem=bad.pem
    expect_grep "$1, and why" "$3" "$err"
    expect_eq "$1: nothing is written" "$([[ -e bad.pem ]] || echo no)" no
}
wrong 'an unknown word of trust' 's/CKT_NSS_TRUSTED_DELEGATOR/CKT_NSS_TRUSTED_DELEGATE/' 'CKA_TRUST_SERVER_AUTH has an unknown value'
wrong 'another hash' '/CKA_CERT_SHA1_HASH/{n;s/^\\.../\\377/}' 'not that of the certificate'
wrong 'no octal' '/CKA_VALUE/{n;s/^\\060/\\080/}' 'no octal value'
wrong 'another serial number' '0,/CKA_SERIAL_NUMBER/{/CKA_SERIAL_NUMBER/{n;s/7$/0/;t;s/.$/7/}}' 'serial number|two trust|trust object'
wrong 'a date that is none' 's/^\\062\\064\\061\\061/\\062\\064\\071\\071/' 'is no date'
wrong 'an attribute twice' 's/^(CKA_TRUST_CODE_SIGNING.*)/\1\n\1/' 'twice'
wrong 'an empty word of trust' 's/^(CKA_TRUST_SERVER_AUTH) .*/\1 MULTILINE_OCTAL\nEND/' 'unknown value'
wrong 'an empty class' 's/^CKA_CLASS .*NSS_TRUST/CKA_CLASS MULTILINE_OCTAL\nEND/' 'no class of objects'
wrong 'a list that did not begin' '/BEGINDATA/d' 'BEGINDATA'
wrong 'trust that is missing' '/^# Trust for "Dated"/,/STEP_UP/d' 'no trust object'
wrong 'a certificate that is trusted and missing' '/^# Certificate "Old Root"/,/# Trust/d' 'its certificate is missing'

# A list that was cut is never a shorter one. It has no end mark: only where an object ends nothing shows.
step=1
[[ $XR_SLOW != 1 ]] || step=37
expect_exit 0 "cut after each $step bytes" "$cuts" made.txt "$step"
# After the last line of a trust object, and after the blank line that follows it.
[[ $XR_SLOW == 1 ]] || expect_grep 'whole only where one of the first six objects ends' ' 12 taken for whole' "$out"
expect_eq 'which the last words show' "$(grep after "$out" | grep -vc 'CK_BBOOL CK_FALSE~~*"$')" 0
found=no
for at in "$XR_SHARED"/data/certdata/certdata-*.txt; do
    [[ -e $at ]] || break
    found=yes
    step=1000
    [[ $XR_SLOW != 1 ]] || step=200000
    expect_exit 0 "${at##*/} cut after each $step bytes" "$cuts" "$at" "$step"
    expect_grep 'no cut is taken for whole' ' 0 taken for whole' "$out"
done
[[ $found == yes ]] || skip "not here: Mozilla's certdata.txt"

# Numbers of the real ones: server, e-mail, all, dates, without certificate.
numbers() { # FILE SERVER EMAIL ALL DATES SERIALS
    expect_exit 0 "${1##*/}: for servers" xr extract --from "$1" --to pem=n.server
    expect_exit 0 "${1##*/}: for e-mail" xr extract --from "$1" --to pem=n.email --for email
    expect_exit 0 "${1##*/}: all" xr extract --from "$1" --to p11-kit=n.all
    expect_eq 'how many' "$(grep -c BEGIN n.server) $(grep -c BEGIN n.email) $(grep -c 'BEGIN CERT' n.all) $(grep -c 'nss-server' n.all) $(grep -c '^issuer:' n.all)" "$2 $3 $4 $5 $6"
}
if [[ $found == yes ]]; then
    numbers "$XR_SHARED"/data/certdata/certdata-mozilla-nss-faad5d615a8b.txt 119 89 166 5 0
    numbers "$XR_SHARED"/data/certdata/certdata-nss-2020-06-12-9e941947a.txt 136 95 148 15 4
    expect_exit 0 'the date in the trust object' xr extract --from "$XR_SHARED"/data/certdata/certdata-mozilla-nss-faad5d615a8b.txt --to p11-kit=n.all
    expect_eq 'is there' "$(awk 'BEGIN { RS = "" } /label: "Izenpe.com"/' n.all | grep -c nss-server)" 1
fi
finish
