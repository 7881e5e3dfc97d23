#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is called done is on the disk: SQLite commits by unlinking its journal, so the directory is
# synced after the last of these and before the journal says done.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
can_trace || skip_all "strace is missing or may not trace"
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
    expect_grep "$change: intent, commits, the directory, then the end" '^R?US+R$' <(order)
done
finish
