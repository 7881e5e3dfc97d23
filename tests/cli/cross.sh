#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kinds of real cross-signed families, loops of them, and of the generated oddities.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
limit=10
((XR_SLOW)) && limit=60

# kind_of FILE...: the first file's, all in view
kind_of() {
    run xr inspect --only-files --json "$@"
    json 'certificates[0].kind' "$out"
}
for file in old-root new-root sibling-root v1-root serial-zero serial-negative t61 bmp utf8 \
    far-future pre-1950 pre-1970 last-of-2049 first-of-2050 in-2051 withkey constrained-root \
    email-root rsa-root ed25519-root rsapss-root hostile-name; do
    expect_eq "$file is a root" "$(kind_of "$P/$file.pem")" root
done
for file in cross sub loop-a loop-b loop-leafca; do
    expect_eq "$file alone is an intermediate" "$(kind_of "$P/$file.pem")" intermediate
done
expect_eq 'leaf is a leaf' "$(kind_of "$P/leaf.pem")" leaf
expect_eq 'cross beside the root of its key is a cross' \
    "$(kind_of "$P/cross.pem" "$P/new-root.pem")" cross
expect_eq 'cross beside its issuer is still an intermediate' \
    "$(kind_of "$P/cross.pem" "$P/old-root.pem")" intermediate
expect_eq 'two roots of one key stay roots' \
    "$(kind_of "$P/sibling-root.pem" "$P/new-root.pem")" root
run xr inspect --only-files --json "$P/new-root.pem" "$P/sibling-root.pem" "$P/cross.pem" "$P/expired-cross.pem"
expect_json 'a family of four' 'certificates[].kind' 'root root cross cross'
expect_json 'all of one key' 'certificates[].same_key#' '3 3 3 3'
run xr inspect --only-files --json "$P/all.pem"
expect_json 'a bundle' 'certificates[].kind' 'root root cross intermediate leaf'
expect_json 'who signed whom' 'certificates[].issued_by#' '0 0 1 2 1'
expect_json 'indexes count within the file' 'certificates[].index' '0 1 2 3 4'
run xr inspect --only-files --json "$P/loop-a.pem" "$P/loop-b.pem" "$P/loop-leafca.pem"
expect_eq 'a loop of cross-signatures terminates' "$rc" 0
expect_json 'and is made of issuers' 'certificates[].issued_by#' '1 1 1'
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" --store "openssl:$T/loop" install \
    "$P/loop-a.pem" "$P/loop-b.pem"
expect_eq 'a loop can be installed' "$rc" 0
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" --store "openssl:$T/loop" verify \
    "$P/loop-leafca.pem"
expect_eq 'and leads nowhere' "$rc" 6
run xr inspect --only-files --json "$P/pre-1950.pem" "$P/pre-1970.pem" "$P/last-of-2049.pem" \
    "$P/first-of-2050.pem" "$P/in-2051.pem" "$P/far-future.pem"
expect_json 'dates before 1950 and 1970' 'certificates[].not_before' \
    "1949-12-31T23:59:59Z 1969-12-31T23:59:59Z $(json 'certificates[2].not_before' "$out") $(
        json 'certificates[3].not_before' "$out") $(json 'certificates[4].not_before' "$out") $(
        json 'certificates[5].not_before' "$out")"
for pair in '2 2049-12-31T23:59:59Z' '3 2050-01-01T00:00:00Z' '4 2051-01-01T00:00:00Z' \
    '5 9999-12-31T23:59:59Z'; do
    expect_json "date ${pair#* }" "certificates[${pair% *}].not_after" "${pair#* }"
done
run xr inspect --only-files --json "$P/serial-zero.pem" "$P/serial-negative.pem" "$P/cross.pem"
expect_json 'serials' 'certificates[].serial' '0 -4660 4097'
run xr inspect --only-files --json "$P/t61.pem" "$P/bmp.pem" "$P/utf8.pem"
expect_json 'names in T61, BMP and UTF-8' 'certificates[].subject' \
    'CN=Crossroot Test T61 Åñü,O=Crossroot CN=Crossroot 認証局 BMP,O=Crossroot CN=クロスルート試験認証局,O=Crossroot'
for file in chain.p7b chain-pem.p7b; do
    run xr inspect --only-files --json "$P/$file"
    expect_json "$file" 'certificates[].kind' 'root intermediate intermediate'
done
run xr inspect --only-files --json "$P/chain-crl.p7b"
expect_json 'chain-crl.p7b has a CRL too' 'crls#' 1
run xr inspect --only-files --json "$P/old-root.pem" "$P/old-root.der" "$P/old-root-trusted.pem"
expect_json 'one certificate in three shapes counts once' 'certificates#' 1
run xr inspect --only-files "$P/withkey.pem"
expect_eq 'a private key beside a certificate: exit' "$rc" 0
expect_grep 'it is reported' 'private key' "$err"
key=$(sed -n '/PRIVATE KEY/,/PRIVATE KEY/p' "$P/withkey.pem" | sed -n 2p)
expect_no_grep 'and never shown' "${key:0:20}" "$out"
run xr inspect --only-files "$P/only-key.pem"
expect_eq 'only a private key: exit' "$rc" 1
expect_exit 0 'installing beside a private key' xr --store "openssl:$T/withkey" install --yes "$P/withkey.pem"
expect_eq 'the key is nowhere in store or state' \
    "$(grep -rlF -- "${key:0:20}" "$T/withkey" "$state" || true)" ''
run xr inspect --only-files --json "$P"
expect_eq 'a whole directory with files that are no certificates: exit' "$rc" 1
[[ $(json 'certificates#' "$out") -ge 28 ]] && ok 'but the others are read'
run xr --store "openssl:$T/whole" install --yes "$P"
expect_eq 'install of such a directory changes nothing' "$rc" 1
expect_absent 'really nothing' "$T/whole"
run sh -c '"$0" --state "$1" inspect --only-files --json - <"$2"' "$XR_BIN" "$state" "$P/cross.pem"
expect_json 'standard input' 'certificates[].{file,sha256}' "-"$'\t'"$(sha "$P/cross.pem")"

data=$XR_SHARED/data/cross
if [[ ! -f $data/INDEX.tsv ]]; then
    skip "shared/data/cross is not in reach"
    finish
    exit
fi

# want ROLE: the kinds a certificate of that role may have, its family in view.
want() {
    case $1 in
    selfsigned) echo root ;;
    crosssigned | multiissuer) echo cross ;;
    ca) echo 'root|cross|intermediate' ;;
    esac
}
# compare WHAT: $T/kinds ("sha256 TAB kind") against the rows in $T/rows.
compare() {
    local before=$failed number=0
    while IFS=$'\t' read -r set file role _ _ _ _ _ sum _; do
        number=$((number + 1))
        kind=$(awk -F '\t' -v sum="$sum" '$1 == sum { print $2 }' "$T/kinds")
        [[ -n $kind && $kind =~ ^($(want "$role"))$ ]] || bad "$1: $file of $set is ${kind:-missing}, a $role"
    done <"$T/rows"
    [[ $failed -eq $before ]] && ok "$1: $number certificates as the index says"
}
tail -n +2 "$data/INDEX.tsv" >"$T/index"
cut -f1 "$T/index" | sort -u >"$T/sets"
while read -r set; do
    awk -F '\t' -v set="$set" '$1 == set' "$T/index" >"$T/rows"
    run xr inspect --only-files --json "$data/$set"
    json 'certificates[].{sha256,kind}' "$out" >"$T/kinds"
    expect_eq "$set: exit" "$rc" 0
    compare "$set"
done <"$T/sets"
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" inspect --only-files --json "$data"
json 'certificates[].{sha256,kind,spki_sha256,self_signed}' "$out" >"$T/kinds"
cp "$T/index" "$T/rows"
compare 'all of it at once'
bad_keys=$(awk -F '\t' 'NR == FNR { key[$9] = $8; next } key[$1] != $3' "$T/index" "$T/kinds" | wc -l)
expect_eq 'every SPKI hash is as the index says' "$bad_keys" 0
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" inspect --only-files "$data"
expect_grep 'and as text' '\(cross\)' "$out"
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" --store "openssl:$T/loops" install --yes "$data"
expect_eq 'install refuses the directory for its INDEX.tsv' "$rc" 1
expect_grep 'and names it' 'INDEX.tsv' "$err"
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" --store "openssl:$T/loops" install --yes --json "$data"/*/
expect_eq 'install of every family terminates' "$([[ $rc -lt 124 ]] && echo yes)" yes
cp "$out" "$T/installed"
refused=$(json 'stores[0].steps[action=refuse].why' "$out" | sort | uniq -c)
[[ -z $refused ]] || printf '%s\n' "$refused" | sed 's/^/      refused: /'
run xr --json --store "openssl:$T/loops" list
expect_eq 'what was installed is listed' "$(json 'stores[0].entries#' "$out")" \
    "$(json 'stores[0].steps[action=add].sha256' "$T/installed" | wc -l)"
expect_eq 'anchors.pem holds the anchors' "$(grep -c BEGIN "$T/loops/anchors.pem")" \
    "$(json 'stores[0].entries[place=anchor].sha256' "$out" | wc -l)"
expect_eq 'intermediates.pem the intermediates' "$(grep -c BEGIN "$T/loops/intermediates.pem")" \
    "$(json 'stores[0].entries[place=intermediate].sha256' "$out" | wc -l)"
openssl_hashed=0
for link in "$T/loops/anchors"/*.[0-9]*; do
    name=${link##*/}
    [[ $(openssl x509 -in "$link" -noout -hash) == "${name%.*}" ]] && openssl_hashed=$((openssl_hashed + 1))
done
expect_eq 'every link has the hash that OpenSSL computes' "$openssl_hashed" \
    "$(json 'stores[0].entries[place=anchor].sha256' "$out" | wc -l)"
run timeout -s KILL "$limit" "$XR_BIN" --state "$state" --store "openssl:$T/loops" undo --yes
expect_eq 'and undo' "$rc" 0
expect_absent 'which leaves nothing' "$T/loops"
finish
