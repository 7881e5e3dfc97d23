#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# history --prune: what it asks, takes and leaves; and at whatever call it is killed, the journal is the old
# one or the new one.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
make_pki "$T/pki"
state=$T/state
mkdir "$T/stores"
store=openssl:$T/stores/trust

change() {
    run xr --store "$store" "$@" --yes
    [[ $rc -eq 0 ]] || bad "preparing: $*: exit $rc"
}
# ids: the transactions of the history, oldest first, and what they are
ids() {
    xr history --json | json 'transactions[].{transaction,command}' | tac
}

# 1 and 2 are replaced by 4 and 5; 3 and 5 have the last word, and 4 was the last to put it there
change install "$P/old-root.pem"
change remove "$P/old-root.pem"
change install "$P/rsa-root.pem"
change install "$P/old-root.pem"
change remove "$P/old-root.pem"
ids >"$T/before"
mapfile -t id < <(cut -f1 "$T/before")
expect_eq 'there are so many' "${#id[@]}" 5

run xr history --prune 2100-01-01 --dry-run
expect_eq 'a dry run: exit code' "$rc" 0
expect_grep 'it lists what would go' "${id[0]}" "$out"
expect_grep 'and counts it' '^2 transactions would be pruned' "$out"
ids >"$T/now"
expect_eq 'and takes nothing' "$(cat "$T/now")" "$(cat "$T/before")"

run xr history --prune 2100-01-01
expect_eq 'it asks' "$rc" 7
run xr history --prune nonsense --yes
expect_eq 'nonsense is not a time' "$rc" 1
run xr history --prune 2100-01-01 --store "$store" --yes
expect_eq 'it is not about single stores' "$rc" 2
run xr history --prune 1990-01-01 --yes
expect_eq 'nothing is that old: exit code' "$rc" 0
ids >"$T/now"
expect_eq 'all of that takes nothing' "$(cat "$T/now")" "$(cat "$T/before")"

run xr history --prune "${id[1]}" --json --dry-run
expect_eq 'by ID, what is older than that' "$(json 'transactions[].transaction' "$out")" "${id[0]}"
expect_eq 'JSON says that it was not done' "$(json pruned "$out")" false

# A date begins at midnight in local time, which is a day off in these zones.
first=$(xr history --json | json 'transactions[].at' | tail -n 1)
last=$(xr history --json | json 'transactions[].at' | head -n 1)
TZ=XXX-24 run xr history --prune "$(date -ud "${first%T*} +1 day" +%F)" --dry-run
expect_grep 'a date that began before all of them, east' 'Nothing was pruned' "$out"
TZ=XXX+24 run xr history --prune "${last%T*}" --dry-run
expect_grep 'and one that begins after them, west' '^2 transactions would be pruned' "$out"
TZ=XXX+24 run xr history --prune "${first%T*}T00:00:00Z" --dry-run
expect_grep 'a time is one in UTC' 'Nothing was pruned' "$out"

cp -a "$state" "$T/state.old"
run xr history --prune 2100-01-01 --yes --json
expect_eq 'pruning: exit code' "$rc" 0
expect_eq 'JSON says that it was done' "$(json pruned "$out")" true
expect_eq 'and how many as old stay' "$(json stayed "$out")" 3
ids >"$T/after"
expect_eq 'what has the last word stays' "$(cut -f1 "$T/after" | tr '\n' ' ')" "${id[2]} ${id[3]} ${id[4]} "
expect_eq 'nothing else lies in the state directory' "$(ls -A "$state")" journal
run xr --store "$store" list --managed
expect_grep 'what is ours is still known' 'Crossroot Test RSA Root' "$out"
run xr undo "${id[0]}" --yes
expect_eq 'what was pruned cannot be undone' "$rc" 1
expect_grep 'which is said' "${id[0]} was pruned from the history" "$err"
run xr undo "${id[4]}" --yes
expect_eq 'what stays can' "$rc" 0

# A journal that is long enough for an index, from which nothing goes: nothing is hidden by the index.
keep=$state state=$T/state.long
"$XR_MKCERTS" 60 "$T/many" 1 >/dev/null
store=openssl:$T/stores/long
change install "$T/many"/*.pem
rm "$state/journal-index"
ids >"$T/now"
run xr history --prune 2100-01-01 --yes
expect_eq 'nothing goes: exit code' "$rc" 0
ids >"$T/still"
expect_same 'all of it is in the history' "$T/now" "$T/still"
run xr --store "$store" undo --dry-run
expect_eq 'and can be undone' "$rc" 0
state=$keep store=openssl:$T/stores/trust

if can_trace; then
    restore() {
        rm -rf "$state"
        cp -a "$T/state.old" "$state"
    }
    prune() {
        rc=0
        traced -f -y -o "$T/trace" "$@" "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
            history --prune 2100-01-01 --yes >"$out" 2>"$err" </dev/null || rc=$?
    }
    restore
    prune -e "trace=$MUTATING"
    expect_eq 'traced: exit code' "$rc" 0
    kill_points "$T/trace" >"$T/points"
    wrong=0 old=0 new=0
    while read -r name number; do
        restore
        prune -e "trace=$name" -e "inject=$name:signal=KILL:when=$number"
        ids >"$T/now"
        if cmp -s "$T/now" "$T/before"; then
            old=$((old + 1))
        elif cmp -s "$T/now" "$T/after"; then
            new=$((new + 1))
        else
            wrong=$((wrong + 1))
            bad "killed at $name $number: neither the old journal nor the new one"
        fi
        run xr history --prune 2100-01-01 --yes
        ids >"$T/now"
        [[ $rc -eq 0 ]] && cmp -s "$T/now" "$T/after" || {
            wrong=$((wrong + 1))
            bad "killed at $name $number: it cannot be done again"
        }
        [[ $(ls -A "$state") == journal ]] || {
            wrong=$((wrong + 1))
            bad "killed at $name $number: a part of a file stays in the state directory"
        }
    done <"$T/points"
    [[ $wrong -gt 0 || $old -eq 0 || $new -eq 0 ]] ||
        ok "killed at $((old + new)) calls: $old times the old journal, $new times the new one"
    restore
    prune -e trace=fsync
    number=$(grep -c 'fsync(' "$T/trace")
    grep 'fsync(' "$T/trace" | tail -n 1 >"$T/last"
    expect_grep 'the last that is synced is the directory' "fsync.[0-9]+<$state>" "$T/last"
    restore
    prune -e trace=fsync -e "inject=fsync:error=EIO:when=$number"
    expect_eq 'done, although the directory cannot be synced: exit code' "$rc" 0
    expect_grep 'which is said' 'is pruned, but a power cut could bring the old one back' "$err"
    ids >"$T/now"
    expect_eq 'and it is done' "$(cat "$T/now")" "$(cat "$T/after")"
    [[ $old -gt 0 && $new -gt 0 ]] || bad "killed at $old and $new calls before and after it was done"
else
    skip 'not here: kills, strace is missing or may not trace'
fi
finish
