#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many at once on one store: nothing lost, nothing double, and readers never see half a file.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
roots=()
for name in old-root new-root v1-root serial-zero serial-negative t61 bmp utf8 far-future pre-1970 \
    last-of-2049 first-of-2050 in-2051 withkey rsa-root sibling-root; do
    roots+=("$P/$name.pem")
done
for file in "${roots[@]}"; do
    sha "$file"
done | sort >"$T/want"

# Copies FILE over and over; judged by check_readings.
reader() {
    local times=0
    while [[ ! -e $T/stop ]]; do
        cat "$1" >"$2/$times" 2>/dev/null && times=$((times + 1))
    done
}

# No reading may end within a certificate or hold fewer than the one before.
check_readings() {
    local i ends most=0 torn=0 times
    times=$(find "$1" -type f -size +0 | wc -l)
    for ((i = 0; i < times; i++)); do
        ends=$(grep -c '^-----END CERTIFICATE-----$' "$1/$i" || true)
        if [[ $ends -lt $most || $ends -eq 0 || $(tail -c 26 "$1/$i") != '-----END CERTIFICATE-----' ]]; then
            torn=$((torn + 1))
        fi
        most=$ends
    done
    printf '      read %d times\n' "$times"
    expect_eq "$2: a reader never saw half of it" "$torn" 0
}

# many NAME: every root at once, each by an own process; $state_of NUMBER names its state.
many() {
    local name=$1 dir=$T/$1 i files
    rm -f "$T/stop"
    mkdir "$T/$name.readings"
    reader "$dir/anchors.pem" "$T/$name.readings" &
    local reading=$!
    for ((i = 0; i < ${#roots[@]}; i++)); do
        begin "$XR_BIN" --state "$(state_of "$i")" --store "openssl:$dir" install --yes "${roots[i]}"
    done
    all_succeed "$name: all succeed"
    : >"$T/stop"
    wait "$reading"
    run xr --store "openssl:$dir" list --json
    json 'stores[0].entries[].sha256' "$out" | sort >"$T/have"
    expect_same "$name: nothing is lost and nothing double" "$T/want" "$T/have"
    files=$(find "$dir/anchors" -name '*.pem' -type f -printf '%f\n' | sed 's/\.pem$//' | sort)
    expect_same "$name: so say the files" "$T/want" <(echo "$files")
    expect_eq "$name: every file has one link" \
        "$(find "$dir/anchors" -type l -printf '%l\n' | sort -u | wc -l) $(find "$dir/anchors" -type l | wc -l)" '16 16'
    expect_eq "$name: no link dangles" "$(find "$dir/anchors" -xtype l)" ''
    awk '/BEGIN/ { n++ } { print > (dir "/bundle." n) }' dir="$T" "$dir/anchors.pem"
    for i in "$T"/bundle.*; do
        sha "$i"
    done | sort >"$T/have"
    rm -f "$T"/bundle.*
    expect_same "$name: anchors.pem is complete" "$T/want" "$T/have"
    expect_eq "$name: no temporary file is left" \
        "$(find "$dir" -name '*tmp*'; find "$T" -maxdepth 1 -name ".*$name*")" ''
    check_readings "$T/$name.readings" "$name"
}

state_of() {
    echo "$T/state"
}
many one-state
run xr history --json
expect_json 'one state: sixteen transactions, all done' 'transactions#' 16
expect_eq 'one state: none pending' "$(json 'transactions[].stores[].state' "$out" | sort -u)" 'done'

state_of() {
    echo "$T/state-$1"
}
many own-states

# All of them away again, at once; the last one takes what the first one made.
for ((i = 0; i < 16; i++)); do
    begin "$XR_BIN" --state "$(state_of "$i")" undo
done
all_succeed 'sixteen undos at once'
expect_absent 'and the directory that the first of them made is gone' "$T/own-states"

# Install and remove of the same certificate against each other: one of the two states, always whole.
for ((i = 0; i < 8; i++)); do
    verb=install
    ((i % 2)) && verb=remove
    "$XR_BIN" --state "$T/state-race-$i" --store "openssl:$T/one-state" "$verb" --yes "${roots[0]}" \
        >"$T/race.$i" 2>&1 </dev/null &
done
wait
run xr --store "openssl:$T/one-state" list --json
json 'stores[0].entries[].sha256' "$out" | sort >"$T/have"
expect_eq 'a race of install and remove leaves the others alone' \
    "$(comm -23 <(grep -v "$(sha "${roots[0]}")" "$T/want") "$T/have")" ''
expect_eq 'and the bundle says what the list says' \
    "$(grep -c BEGIN "$T/one-state/anchors.pem")" "$(wc -l <"$T/have")"
finish
