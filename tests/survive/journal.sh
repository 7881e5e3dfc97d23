#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# journal.sh FAULTAT: history --prune, and changes that write the journal's index and the cache of checked
# certificates, are killed, lose power, meet faults and rivals. See journal.py.

# In memory: what is synced is looked at in traces.
[[ ! -d /dev/shm || ! -w /dev/shm ]] || export TMPDIR=/dev/shm
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
export XR_FAULTAT=${1:?}
code=0
"$XR_FAULTAT" "$T/log" 0 none true || code=$?
[[ $code -eq 0 ]] || skip_all 'this kernel, or its policy, does not let a process answer for system calls'
command -v python3 >/dev/null || skip_all 'no python3'
"$XR_MKCERTS" 100 "$T/certs" 1 >/dev/null
export P=$T T PYTHONDONTWRITEBYTECODE=1
share=8
[[ $XR_FULL != 1 ]] || share=1

# part MODE WHAT UNIT
part() {
    local line tried=0 wrong=1
    mkdir "$T/$1"
    python3 "${BASH_SOURCE[0]%/*}/journal.py" "$1" "$share" >"$T/said.$1" 2>&1 || printf 'FAULTS\t-\t0\t1\n' >>"$T/said.$1"
    grep -v '^FAULTS' "$T/said.$1" | cat -v || true
    line=$(grep '^FAULTS' "$T/said.$1" | tail -n 1)
    IFS=$'\t' read -r _ _ tried wrong <<<"$line"
    row "$2" "$tried $3" "$wrong"
}
part kill 'SIGKILL: history --prune, and what is written beside the journal' kills
part fault 'I/O faults: history --prune, and what is written beside the journal' faults
part rivals 'rivals: writers, pruners and readers of one journal' commands
if can_trace; then
    part cut 'power cut: history --prune, and what is written beside the journal' states
else
    skip 'not here: power cuts, strace is missing or may not trace'
fi
finish
