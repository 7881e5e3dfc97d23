#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many stores in helper processes: each told as if it were alone, a last line for all, and how far
# it is on a terminal.
# many.sh PLUGIN
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
cp "$1" "$T/quirky.so"
s=(--plugin "$T/quirky.so")
for i in 0 1 2 3 4 5 6 7; do
    mkdir "$T/s$i"
    printf 150 >"$T/s$i/slow"
    s+=(--store "quirky:$T/s$i")
done
: >"$T/s5/broken"

expect_exit 4 'one of eight fails' xr "${s[@]}" --pin "$(sha "$P/old-root.pem")" install "$P/old-root.pem"
expect_eq 'the others are done' "$(grep -A 1 ': done$' "$out" | grep -c '^  added     anchor        Crossroot Test Old Root')" 7
expect_grep 'one line says why' "^quirky:$T/s5: failed: it is broken" "$out"
expect_eq 'the last line is for all' "$(tail -n 1 "$out")" '8 stores: 7 done, 1 failed'
# three lines of a store that is done, the failed one, how to take it back, the last line
expect_eq 'and nothing else is said' "$(wc -l <"$out"):$(cat "$err")" '24:'
expect_exit 4 'with -v' xr "${s[@]}" -v --yes remove "$P/old-root.pem"
expect_eq 'steps are listed' "$(grep -c '^  removed   anchor' "$out")" 7
rm "$T/s5/broken"
printf no >"$T/s2/verdict"
expect_exit 6 'verify, once all can be asked' xr "${s[@]}" verify "$P/old-root.pem"
expect_eq 'counts answers' "$(tail -n 1 "$out")" '8 stores: 7 yes, 1 no'

# --- what many say is said once
for i in 0 1 2 3 4 5 6 7; do printf no >"$T/s$i/verdict"; done
says='is installed as an anchor, but the verifier says no'
run xr "${s[@]}" --pin "$(sha "$P/old-root.pem")" install "$P/old-root.pem"
expect_eq 'all say no' "$(grep -c "$says" "$err"):$(grep -c "^crossroot: warning: quirky:$T/s0 and 7 more stores: " "$err")" 1:1
run xr "${s[@]}" -v --yes remove "$P/old-root.pem"
run xr "${s[@]}" -v --pin "$(sha "$P/old-root.pem")" install "$P/old-root.pem"
expect_eq 'with -v, each store' "$(grep -c "$says" "$err")" 8
run xr "${s[@]}" --json --yes remove "$P/old-root.pem"
run xr "${s[@]}" --json --pin "$(sha "$P/old-root.pem")" install "$P/old-root.pem"
expect_eq 'and in JSON' "$(grep -o "$says" "$out" | wc -l)" 8
run xr "${s[@]}" --yes remove "$P/old-root.pem"
for i in 0 1 2 3 4; do rm "$T/s$i/verdict"; done
run xr "${s[@]}" --pin "$(sha "$P/old-root.pem")" install "$P/old-root.pem"
expect_eq 'three are named one by one' "$(grep -c "$says" "$err")" 3

if ! command -v script >/dev/null; then
    skip 'script is missing: no terminal'
    finish
    exit
fi
# on_terminal TERM OPTION…: what a terminal gets of a list; the stores' lines go elsewhere.
on_terminal() {
    local term=$1
    shift
    # Single quotes: the shell that script starts expands them.
    # shellcheck disable=SC2016
    TERM=$term B="$XR_BIN" W="$XR_WORKER" script -qec \
        'exec "$B" --worker "$W" '"$(printf '%q ' --state "$state" "$@")"' list >/dev/null' \
        /dev/null >"$out" 2>&1 </dev/null || true
}
on_terminal xterm "${s[@]}"
expect_grep 'how far it is' "[0-9] of 8: quirky:$T/s[0-9]" "$out"
expect_eq 'is wiped at the end' "$(tail -c 4 "$out" | od -An -c | tr -d ' ')" '\r033[K'
on_terminal dumb "${s[@]}"
expect_eq 'not on a terminal that cannot' "$(cat "$out")" ''
on_terminal xterm -q "${s[@]}"
expect_eq 'nor with -q' "$(cat "$out")" ''
on_terminal xterm "${s[@]:0:4}"
expect_eq 'nor for one that is done soon' "$(cat "$out")" ''
run env TERM=xterm "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" list
expect_eq 'nor in a pipe' "$(cat "$err")" ''
finish
