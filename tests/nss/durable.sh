#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is called done is on the disk: SQLite commits by unlinking its journal, so the directory is
# synced after the last of these and before the journal says done.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
can_trace || skip_all "strace is missing or may not trace"
command -v certutil >/dev/null || skip_all "no certutil"
make_pki "$T/pki"
mkdir "$T/db"

# order WHAT: of unlinks of SQLite journals, syncs of the directory and records, the last ones
order() {
    sed -nE -e "s#^[0-9]+ +unlink(at)?\(.*cert9\.db-journal.*#U#p" -e "s#^[0-9]+ +unlink(at)?\(.*key4\.db-journal.*#U#p" \
        -e "s#^[0-9]+ +fsync\([0-9]+<$T/db>[) ].*#S#p" -e "s#^[0-9]+ +write\([0-9]+<$state/journal>.*#R#p" "$T/trace" |
        tr -d '\n' | sed -E 's/U+/U/g; s/R+/R/g'
}
for change in 'install --yes old-root' 'install cross' 'remove --yes old-root' 'undo --yes'; do
    read -ra words <<<"$change"
    [[ ${words[-1]} == --yes ]] || words[-1]=$P/${words[-1]}.pem
    rc=0
    traced -f -y -o "$T/trace" "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/db" \
        "${words[@]}" >"$out" 2>"$err" </dev/null || rc=$?
    expect_eq "$change: exit code" "$rc" 0
    expect_grep "$change: intent, commits, the directory, then the end" '^R?(US+)+R$' <(order)
done

# Killed before it records the end: what recover calls finished must be on the disk as well.
rc=0
traced -f -o /dev/null -P "$state/journal" -e inject=write:signal=KILL:when=3 "$XR_BIN" \
    --worker "$XR_WORKER" --state "$state" --store "nss:$T/db" install --yes "$P/rsa-root.pem" \
    >"$out" 2>"$err" </dev/null || rc=$?
expect_eq 'killed before the end' "$rc" 137
expect_grep 'with the certificate there' 'Crossroot Test RSA Root .*C,,' <(certutil -L -d "sql:$T/db")
rc=0
traced -f -y -o "$T/trace" "$XR_BIN" --worker "$XR_WORKER" --state "$state" recover --yes \
    >"$out" 2>"$err" </dev/null || rc=$?
expect_eq 'recover: exit code' "$rc" 0
expect_grep 'it finishes the change' '^nss:.*: done$' "$out"
expect_grep 'recover: the directory, then the end' '^R?U?SR$' <(order)

# softoken makes a database in many writes.
mkdir "$T/new"
failures=0 left=''
for ((n = 1; n < 200; n += 3)); do
    rc=0
    traced -f -qq -o "$T/trace" -e trace=pwrite64 -e "inject=pwrite64:error=ENOSPC:when=$n+" "$XR_BIN" --worker "$XR_WORKER" \
        --state "$state" --store "nss:$T/new" install --yes "$P/old-root.pem" >"$out" 2>"$err" </dev/null || rc=$?
    [[ $rc -ne 0 ]] || break
    failures=$((failures + 1))
    # What SQLite left of a later write, the next writer takes back.
    run "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/new" recover
    [[ $rc -eq 0 ]] || left+=" $n: recover: $rc"
    now=$(ls -A "$T/new")
    [[ -z $now ]] || certutil -L -d "sql:$T/new" >"$out" 2>&1 || left+=" $n: $now"
    [[ $now != *.crossroot* ]] || left+=" $n: hidden"
    rm -rf "$T/new"
    mkdir "$T/new"
done
expect_eq "A first use that fails leaves no half-made database ($failures failures)." "$left" ''
[[ $failures -gt 2 ]] || bad "only $failures failures"
finish
