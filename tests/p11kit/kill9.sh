#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh KILLAT SCENARIO STEP: kills a change of a token's directory at every STEP-th system call,
# its own and its helper's, one run each: by turns the process that makes the call and both. At that
# moment the token trusts nothing that neither the old nor the new state does; after recover it is the
# old or the new, byte for byte.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
killat=${1:?} scenario=${2:?} step=${3:?}
"$killat" 0 all true 2>/dev/null || skip_all 'processes may not be traced'
make_pki "$T/pki"

base=$T/base work=$T/work
token=$work/token state=$work/state
program=("$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "p11-kit:$token")
fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
}
must() {
    run "${program[@]}" "$@" --yes
    [[ $rc -eq 0 ]] && return
    bad "preparing: exit $rc: $*"
    show_output
    finish
    exit 1
}

# One of a user's own, and what p11-kit's module leaves of an anchor of ours.
mkdir -p "$token/anchors"
cp "$P/rsa-root.pem" "$token/anchors/own.pem"
both=("$P/old-root.pem" "$P/cross.pem")
case $scenario in
install) change=(install --json "${both[@]}") ;;
narrow)
    must install --for server --for email "$P/old-root.pem"
    change=(install --json --only --for server "$P/old-root.pem")
    ;;
distrust)
    must install "${both[@]}"
    change=(distrust --json "${both[@]}")
    ;;
remove)
    must install "${both[@]}"
    change=(remove --json "${both[@]}" "$P/rsa-root.pem")
    ;;
undo)
    must install "${both[@]}"
    must remove "${both[@]}" "$P/rsa-root.pem"
    change=(undo --json)
    ;;
*)
    echo "no scenario $scenario" >&2
    exit 2
    ;;
esac
mv "$work" "$base"

trusted() { # FILE: what is trusted, one line each
    run "${program[@]}" list --json
    [[ $rc -eq 0 ]] || wrong "it cannot be listed: exit $rc"
    json 'stores[].entries[place=anchor].{sha256,purposes}' "$out" 2>/dev/null | LC_ALL=C sort >"$1" || true
}
wrongs=0 point='not at all'
wrong() {
    bad "$scenario, killed at $point: $*"
    show_output
    wrongs=$((wrongs + 1))
    [[ $wrongs -lt 8 ]] && return
    echo '      and so on'
    finish
    exit 1
}

fresh
snap "$token" >"$T/old"
trusted "$T/old.trusted"
run "$killat" 0 all "${program[@]}" "${change[@]}" --yes
expect_eq "$scenario: the whole change exits 0" "$rc" 0
snap "$token" >"$T/new"
trusted "$T/new.trusted"
[[ -s $T/old.trusted || -s $T/new.trusted ]] || bad "$scenario: nothing is trusted, before or after"
cmp -s "$T/old" "$T/new" && bad "$scenario changes nothing"
LC_ALL=C sort -u "$T/old.trusted" "$T/new.trusted" >"$T/either.trusted"

count=0 olds=0 news=0
export KILLAT=$T/killed
for ((at = step; ; at += step)); do
    whom=caller
    ((count % 2)) || whom=all
    fresh
    run "$killat" "$at" "$whom" "${program[@]}" "${change[@]}" --yes
    read -r _ who <"$KILLAT"
    [[ $who != - ]] || break
    point="$at ($whom, $who)"
    count=$((count + 1))
    case $rc:$whom in
    137:* | [0146]:caller) ;;
    *) wrong "exit $rc" ;;
    esac
    done=''
    [[ $rc -eq 137 ]] || done=$(json 'stores[state=done].store' "$out")
    trusted "$T/is.trusted"
    [[ -z $(LC_ALL=C comm -23 "$T/is.trusted" "$T/either.trusted") ]] || wrong 'it trusts more than before and after'
    run "${program[@]}" recover
    [[ $rc -eq 0 ]] || wrong "recover: exit $rc"
    snap "$token" >"$T/is"
    if cmp -s "$T/is" "$T/new"; then
        news=$((news + 1))
    elif cmp -s "$T/is" "$T/old"; then
        olds=$((olds + 1))
        [[ -z $done ]] || wrong 'it says that it is done, and is not'
    else
        wrong 'neither old nor new'
        diff "$T/old" "$T/is" | sed 's/^/      against old: /' || true
    fi
    run "${program[@]}" history --json
    [[ $rc -eq 0 && -z $(json 'transactions[].stores[state=pending].state' "$out") ]] ||
        wrong 'the journal still says pending'
done
[[ $wrongs -gt 0 ]] ||
    ok "$scenario: killed at $count calls; after it the token was old $olds times, new $news times"
[[ $count -ge 20 && $olds -gt 0 && $news -gt 0 ]] || bad "$scenario: $count calls, $olds old, $news new"
finish
