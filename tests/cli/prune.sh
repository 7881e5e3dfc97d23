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

# 1 and 2 have no last word, 3 has, 4 is replaced by 5
change install "$P/old-root.pem"
change undo
change install "$P/rsa-root.pem"
change install "$P/old-root.pem"
change remove "$P/old-root.pem"
ids >"$T/before"
mapfile -t id < <(cut -f1 "$T/before")
expect_eq 'there are so many' "${#id[@]}" 5

run xr history --prune 2100-01-01 --dry-run
expect_eq 'a dry run: exit code' "$rc" 0
expect_grep 'it lists what would go' "${id[0]}" "$out"
expect_grep 'and counts it' '^3 transactions would be pruned' "$out"
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

cp -a "$state" "$T/state.old"
run xr history --prune 2100-01-01 --yes --json
expect_eq 'pruning: exit code' "$rc" 0
expect_eq 'JSON says that it was done' "$(json pruned "$out")" true
expect_eq 'and how many as old stay' "$(json stayed "$out")" 2
ids >"$T/after"
expect_eq 'what has the last word stays' "$(cut -f1 "$T/after" | tr '\n' ' ')" "${id[2]} ${id[4]} "
expect_eq 'nothing else lies in the state directory' "$(ls -A "$state")" journal
run xr --store "$store" list --managed
expect_grep 'what is ours is still known' 'Crossroot Test RSA Root' "$out"
run xr undo "${id[0]}" --yes
expect_eq 'what was pruned cannot be undone' "$rc" 1
expect_grep 'which is said' "${id[0]} was pruned from the history" "$err"
run xr undo "${id[4]}" --yes
expect_eq 'what stays can' "$rc" 0

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
    done <"$T/points"
    [[ $wrong -gt 0 || $old -eq 0 || $new -eq 0 ]] ||
        ok "killed at $((old + new)) calls: $old times the old journal, $new times the new one"
    [[ $old -gt 0 && $new -gt 0 ]] || bad "killed at $old and $new calls before and after it was done"
else
    skip 'not here: kills, strace is missing or may not trace'
fi
finish
