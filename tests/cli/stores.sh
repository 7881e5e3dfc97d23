#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --store and --exclude-store limit undo and recover, too.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
a=openssl:$T/a b=openssl:$T/b c=openssl:$T/c
both=(--store "$a" --store "$b")
anchors() { # STORE: SHA-256s of its anchors
    xr --store "$1" list --json | json 'stores[0].entries[place=anchor].sha256' 2>/dev/null | sort | xargs
}
old=$(sha "$P/old-root.pem") rsa=$(sha "$P/rsa-root.pem")

run xr "${both[@]}" install --yes "$P/old-root.pem"
run xr --store "$b" install --yes "$P/rsa-root.pem"
expect_exit 0 'undo in one store takes the newest change of that store' xr --store "$a" undo
expect_eq 'there' "$(anchors "$a")" ''
expect_eq 'and nowhere else' "$(anchors "$b")" "$(printf '%s\n' "$old" "$rsa" | sort | xargs)"
expect_exit 1 'nothing is left to undo there' xr --store "$a" undo
expect_grep 'which is said' 'nothing to undo in the named stores' "$err"
expect_exit 1 'nor where nothing was changed' xr --store "$c" undo
expect_absent 'and no store is made' "$T/c"
expect_exit 2 'a word that is no address' xr --store "nonsense:$T/a" undo
expect_exit 2 'or excludes none' xr --exclude-store "nonsense:$T/a" undo
expect_exit 0 'undo, another store left out' xr --exclude-store "$a" undo
expect_eq 'takes the newest of the others' "$(anchors "$b")" "$old"
expect_exit 0 'what is left of the first transaction' xr undo
expect_eq 'goes with the next' "$(anchors "$b")" ''
expect_exit 1 'then there is nothing' xr undo

run xr "${both[@]}" install --json --yes "$P/old-root.pem"
id=$(json transaction "$out")
expect_exit 1 'a transaction by its name, in a store that it did not touch' xr --store "$c" undo "$id"
expect_grep 'says so' 'left nothing to undo in the named stores' "$err"
expect_exit 0 'by its name, of a whole backend but one' xr --store openssl --exclude-store "$b" undo "$id"
expect_eq 'the one' "$(anchors "$a")" ''
expect_eq 'the other' "$(anchors "$b")" "$old"
(cd "$T" && run xr --store openssl:./b --dry-run undo "$id"; exit "$rc") && ok 'a relative path names it' ||
    bad 'a relative path names it'
expect_exit 0 'its second half' xr --store "$b" undo "$id"
expect_exit 1 'only once' xr undo "$id"
expect_grep 'it was undone' 'already undone' "$err"

if can_trace; then
    # Killed in both stores, one after the other.
    for store in "$a" "$b"; do
        traced -f -o /dev/null -e inject=symlinkat:signal=KILL:when=1 "$XR_BIN" --worker "$XR_WORKER" \
            --state "$state" --store "$store" install --yes "$P/old-root.pem" >/dev/null 2>&1 </dev/null || true
    done
    before=$(xr history | grep -c interrupted || true)
    if [[ $before -eq 2 ]]; then
        expect_exit 0 'recover in one store' xr --store "$a" recover
        expect_eq 'leaves what is pending in the other' "$(xr history | grep -c interrupted)" 1
        expect_exit 0 'recover in all' xr recover
        expect_eq 'clears that up' "$(xr history | grep -c interrupted)" 0
    else
        bad "two interrupted changes were expected, and there are $before"
    fi
fi
finish
