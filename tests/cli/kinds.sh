#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Certificates that are no ordinary roots, intermediates or leaves: what install makes of them is what
# inspect promised.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$T"
"${XR_MKODD:?}" odd
store=(--store "openssl:$T/trust")
pin() { awk -v file="$1" '$1 == file { print $2 }' odd/pins.txt; }

# place FILE: where it is in the store, or nothing.
place() {
    run xr "${store[@]}" --json list
    "$XR_JSON" "stores[].entries[sha256=$(pin "$1")].place" "$out"
}

# A root whose signature nobody can check is one, by confirmation, with a warning.
run xr "${store[@]}" install odd/md2.pem </dev/null
expect_eq 'a root of MD2 asks' "$rc" 7
run xr "${store[@]}" install odd/md2.pem --pin "$(pin md2.pem)"
expect_eq 'a typed pin answers' "$rc" 0
expect_grep 'the result says what could not be checked' \
    'its signature could not be checked: .* md2WithRSAEncryption' "$out"
expect_eq 'it is an anchor' "$(place md2.pem)" anchor
run xr "${store[@]}" --json list
expect_json 'list calls it a root' "stores[].entries[sha256=$(pin md2.pem)].kind" root
expect_no_grep 'and no widened trust' 'widened' "$out"
expect_exit 0 'so does a key of tomorrow' xr "${store[@]}" install --yes odd/unknown-key.pem
expect_eq 'which is an anchor too' "$(place unknown-key.pem)" anchor

# What does not say whether it is a CA is placed only where it is asked to.
run xr "${store[@]}" install --yes odd/self-signed.pem
expect_eq 'silent about being a CA: refused' "$rc" 1
expect_grep 'with --as anchor' 'refuse.*' "$out"
expect_grep 'but not --as peer, which this store has no place for' '\-\-as anchor trusts it as a CA$' "$out"
run xr "${store[@]}" --json install --yes --as anchor odd/self-signed.pem
expect_eq 'as an anchor it is taken' "$rc" 0
expect_json 'and OpenSSL says that it is no CA for it' 'stores[0].verified.ok' false
expect_grep 'with the reason' 'it has no basicConstraints' "$out"
run xr "${store[@]}" --json install --yes --as peer odd/self-signed-server.pem
expect_json 'peers are not for this store' 'stores[0].steps[0].action' refuse
run xr "${store[@]}" --yes --json install --require-verified --as anchor odd/self-signed-server.pem
expect_json 'a key usage for servers is no CA' 'stores[0].steps[0].why' \
    'its key usage does not allow it to sign certificates: it cannot be an anchor'

# What OpenSSL does not accept goes nowhere, in inspect and in install, in the same words.
for file in malformed malformed-names padded-serial no-seconds undecodable-name; do
    run xr --json inspect "odd/$file.pem"
    words=$("$XR_JSON" 'certificates[0].warnings[0]' "$out")
    expect_grep "$file: inspect warns" 'OpenSSL does not accept' "$out"
    for how in '' '--as anchor' '--as peer' '--as intermediate'; do
        # shellcheck disable=SC2086 # two words
        run xr "${store[@]}" --json install --yes $how "odd/$file.pem"
        expect_eq "$file: install $how refuses it" "$rc" 1
        expect_json 'in the same words' 'stores[0].steps[0].why' "$words"
    done
done

# NSS takes one that is silent.
if command -v certutil >/dev/null; then
    mkdir db theirs
    certutil -N -d sql:db --empty-password
    certutil -N -d sql:theirs --empty-password
    run xr --store "nss:$T/db" --json install --yes --as anchor odd/self-signed.pem
    expect_json 'libnss3 takes an anchor that is silent' 'stores[0].verified.ok' true
    certutil -A -d sql:theirs -n silent -t C,, -i odd/self-signed.pem
    expect_exit 0 'as certutil says' certutil -V -d sql:theirs -n silent -u L
else
    skip 'certutil is missing'
fi
finish
