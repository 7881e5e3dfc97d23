#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh PLUGIN MKHIVE KILLAT STEP: kills an install into a hive at every STEP-th system call, its own
# and its helper's, by turns the process that makes the call and both. After recover the hive has all of
# it or nothing, hivexsh reads it, and no copy is left.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
plugin=${1:?} mkhive=${2:?} killat=${3:?} step=${4:?}
"$killat" 0 all true 2>/dev/null || skip_all 'processes may not be traced'
make_pki "$T/pki"
base=$T/base work=$T/work
hive=$work/config/SOFTWARE
program=("$XR_BIN" --worker "$XR_WORKER" --plugin "$plugin" --state "$work/state" --store "windows:hive=$hive")
mkdir -p "$work/config"
"$mkhive" "$work/config" SOFTWARE
run "${program[@]}" install --yes "$P/rsa-root.pem"
expect_eq 'a root that is there' "$rc" 0
mv "$work" "$base"

held() { # FILE
    run "${program[@]}" list --json
    [[ $rc -eq 0 ]] || bad "killed at $at: it cannot be listed: exit $rc"
    json 'stores[].entries[].{place,purposes,sha256}' "$out" | LC_ALL=C sort >"$1"
}
fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
}
change=("${program[@]}" install --yes "$P/old-root.pem" "$P/cross.pem")
at=0
fresh
held "$T/old"
run "$killat" 0 all "${change[@]}"
expect_eq 'the whole change exits 0' "$rc" 0
held "$T/new"
expect_eq 'and adds two' "$(($(wc -l <"$T/new") - $(wc -l <"$T/old")))" 2
count=0 olds=0 news=0
export KILLAT=$T/killed
for ((at = step; ; at += step)); do
    whom=caller
    ((count % 2)) || whom=all
    fresh
    run "$killat" "$at" "$whom" "${change[@]}"
    read -r _ who <"$KILLAT"
    [[ $who != - ]] || break
    count=$((count + 1))
    run "${program[@]}" recover
    [[ $rc -eq 0 ]] || bad "killed at $at: recover: exit $rc"
    held "$T/is"
    if cmp -s "$T/is" "$T/old"; then
        olds=$((olds + 1))
    elif cmp -s "$T/is" "$T/new"; then
        news=$((news + 1))
    else
        bad "killed at $at ($whom, $who): neither old nor new"
    fi
    printf 'ls\n' | hivexsh "$hive" >"$out" 2>"$err" || bad "killed at $at: hivexsh cannot read it"
    # A copy that nobody finished is cleared by the next change.
    ((count % 5)) && continue
    run "${change[@]}"
    [[ $rc -eq 0 && -z $(find "$work/config" -name '.*' -type f) ]] || bad "killed at $at: the same again: exit $rc"
done
[[ $count -ge 20 && $olds -gt 0 && $news -gt 0 ]] &&
    ok "killed at $count calls; after it the hive was old $olds times, new $news times" ||
    bad "$count calls, $olds old, $news new"
finish
