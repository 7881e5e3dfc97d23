#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9-all.sh: --all-or-nothing over two stores, killed at each mutating system call of the program.
# Once recover exits 0, all stores are as before or all are as wanted, however it was killed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

can_trace || skip_all "strace is missing or may not trace"
make_pki "$T/pki"

base=$T/base
work=$T/work
state=$work/state
names=(a b)
s=()
for name in "${names[@]}"; do
    s+=(--store "openssl:$work/$name")
done

# The stores in one word: which of them hold the old root as an anchor.
holders() {
    local name
    for name in "${names[@]}"; do
        openssl_verify "$work/$name" "$P/old-root.pem" >/dev/null 2>&1 && printf '%s' "$name"
    done
    echo .
}

fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
}

# under_strace OPTION... -- COMMAND...
under_strace() {
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    rc=0
    traced -f -y -o "$T/trace" "${options[@]}" "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
        "${s[@]}" --yes --all-or-nothing "$@" >"$out" 2>"$err" </dev/null || rc=$?
}

# each WHAT OLD NEW COMMAND...: OLD and NEW are holders
each() {
    local what=$1 old=$2 new=$3 count=0 now='' wrong='' halves=0 name='' number='' point=''
    shift 3
    fresh
    under_strace -e "trace=$MUTATING" -- "$@"
    expect_eq "$what: in every store" "$rc $(holders)" "0 $new"
    kill_points "$T/trace" >"$T/points"
    while read -r name number; do
        point="$name $number"
        count=$((count + 1))
        fresh
        under_strace -e "trace=$name" -e "inject=$name:signal=KILL:when=$number" -- "$@"
        [[ $rc -eq 137 ]] || wrong+=" [$point: exit $rc]"
        now=$(holders)
        [[ $now == "$old" || $now == "$new" ]] || halves=$((halves + 1))
        if ((count % 3 == 0)); then
            # What is asked of one store next says what still waits in the others.
            run xr --store "openssl:$work/b" install --yes "$P/rsa-root.pem"
            [[ $rc -eq 0 ]] || wrong+=" [$point: next install: exit $rc]"
        fi
        run xr recover
        now=$(holders)
        [[ $rc -eq 0 ]] || wrong+=" [$point: recover: exit $rc]"
        [[ $now == "$old" || $now == "$new" ]] || wrong+=" [$point: $now]"
        run xr recover
        [[ $rc -eq 0 && $(cat "$out") == 'Nothing to recover.' ]] ||
            wrong+=" [$point: recover again: $(head -n 1 "$out")]"
    done <"$T/points"
    expect_eq "$what, killed at each of $count calls" "$wrong" ''
    [[ $count -gt 20 && $halves -gt 5 ]] || bad "$what: $count kills, $halves half-way"
}

prepare() { # COMMAND...: what each starts from
    fresh
    expect_exit 0 "prepared: $*" xr "${s[@]}" -q --yes "$@"
    rm -rf "$base"
    cp -a "$work" "$base"
}

mkdir -p "$base"
each 'install' . ab. install "$P/old-root.pem"
prepare install "$P/old-root.pem"
each 'remove' ab. . remove "$P/old-root.pem"
each 'undo of an install' ab. . undo
prepare remove "$P/old-root.pem"

each 'undo of a remove' . ab. undo
finish
