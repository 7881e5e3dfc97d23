#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each write, sync and change of a name that a command makes fails once, as on a full or broken disk:
# that is never a success, the reason is told, and afterwards the store is in its old or its new state.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

can_trace || skip_all "strace is missing or may not trace"
make_pki "$T/pki"

base=$T/base
work=$T/work
state=$work/state
store=openssl:$work/trust
log=$T/strace.log

held() {
    xr --store "$store" --json list | json 'stores[0].entries[].sha256' /dev/stdin
    xr --store "$store" --json list | json 'stores[0].entries[].place' /dev/stdin
}

# faulty CALLS ERROR N COMMAND...: the N-th of these calls fails. False once there are fewer.
faulty() {
    local calls=$1 error=$2 n=$3
    shift 3
    run traced -f -qq -o "$log" -e "trace=$calls" -e "inject=$calls:error=$error:when=$n" \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "$store" -q --yes "$@"
    grep -q INJECTED "$log"
}

# each WHAT CALLS ERROR REASON COMMAND...
each() {
    local what=$1 calls=$2 error=$3 reason=$4 old='' new='' now='' wrong='' n=0
    shift 4
    rm -rf "$work"
    cp -a "$base" "$work"
    old=$(held)
    xr --store "$store" -q --yes "$@" >/dev/null 2>&1 || bad "$what: it works without a fault"
    new=$(held)
    for ((n = 1; n < 100; n++)); do
        rm -rf "$work"
        cp -a "$base" "$work"
        faulty "$calls" "$error" "$n" "$@" || break
        # What cannot be told on a terminal is no matter here.
        [[ ! $(grep INJECTED "$log") =~ \ write\([12], ]] || continue
        [[ $rc -ne 0 && $rc -lt 124 ]] || wrong+=" [$n: exit $rc: $(grep -m1 INJECTED "$log")]"
        grep -aq "$reason" "$out" "$err" || wrong+=" [$n: no reason: $(grep -m1 INJECTED "$log")]"
        xr --store "$store" recover >/dev/null 2>&1 || wrong+=" [$n: recover fails]"
        now=$(held)
        [[ $now == "$old" || $now == "$new" ]] || wrong+=" [$n: neither old nor new: $now]"
    done
    expect_eq "$what, each of $((n - 1)) calls that fail with $error" "$wrong" ''
    [[ $n -gt 2 && $n -lt 100 ]] || bad "$what: $((n - 1)) calls with $calls"
}

syncs=fsync,fdatasync
writes=write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,symlink,symlinkat,mkdir,mkdirat,ftruncate
both() { # WHAT COMMAND...
    local what=$1
    shift
    each "$what" "$syncs" EIO 'Input/output error' "$@"
    each "$what" "$writes" ENOSPC 'No space left on device' "$@"
}

prepare() { # COMMAND...: one more into the state from which each starts
    rm -rf "$work"
    if [[ -d $base ]]; then
        cp -a "$base" "$work"
    else
        mkdir -p "$work/trust"
    fi
    expect_exit 0 "prepared: $*" xr --store "$store" -q --yes "$@"
    rm -rf "$base"
    cp -a "$work" "$base"
}

mkdir -p "$base/trust"
both 'the first install' install "$P/old-root.pem"
prepare install "$P/old-root.pem"
both 'install of a cross certificate' install "$P/cross.pem"
both 'distrust' distrust --best-effort "$P/old-root.pem"
both 'remove' remove "$P/old-root.pem"
prepare remove "$P/old-root.pem"
both 'undo' undo
both 'an install in every store or none' install --all-or-nothing "$P/old-root.pem"
finish
