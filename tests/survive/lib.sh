# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the harnesses: each builds many bad states of the world, looks at what crossroot makes of
# them, and prints one row a kind for the table of `./dev survive`.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

# 1: all states, as ./dev survive wants them; 0: a sample of every kind, as ./dev test does
XR_FULL=${XR_FULL:-0}

# sampled N EVERY: is the N-th state tried? All of them in a full run, else one in EVERY.
sampled() {
    [[ $XR_FULL == 1 ]] || (($1 % $2 == 0))
}

# row WHAT TRIED VIOLATIONS: a line of the table. WHAT names the kind and what was done, TRIED counts
# states with their unit ("1928 faults"), VIOLATIONS is a number. More than none fails the harness.
row() {
    local what=$1 tried=$2 violations=$3
    printf 'SURVIVED\t%s\t%s\t%s\n' "$what" "$tried" "$violations"
    if [[ ${tried%% *} -gt 0 && $violations -eq 0 ]]; then
        ok "$what: $tried, no violation"
    else
        bad "$what: $tried, $violations violations"
    fi
}
