#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the operating system refuses to softoken's SQLite: softoken says OK of a deletion that failed, and
# "general error" of a full disk. crossroot says what failed, and why.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
can_trace || skip_all "strace is missing or may not trace"
command -v certutil >/dev/null || skip_all "no certutil"
make_pki "$T/pki"
mkdir "$T/db"
n=(--store "nss:$T/db")
expect_exit 0 'a root' xr "${n[@]}" install --yes "$P/old-root.pem"

# refused FILE CALL ERROR COMMAND...: the first such call on a file of the database fails
refused() {
    local file=$1 call=$2 error=$3
    shift 3
    run traced -f -o "$T/trace" -P "$T/db/$file" -e "trace=$call" -e "inject=$call:error=$error:when=1" \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${n[@]}" "$@"
    expect_eq "$file: $call fails with $error: $1" "$rc $(grep -c INJECTED "$T/trace")" '1 1'
}
trust() {
    certutil -L -d "sql:$T/db" | sed -n 's/^Crossroot Test Old Root  *//p' | tr -d ' '
}

for change in 'remove --yes' 'distrust --yes'; do
    # shellcheck disable=SC2086 # words
    refused cert9.db-journal pwrite64 ENOSPC $change "$P/old-root.pem"
    expect_grep 'a full disk is called that' 'cannot write cert9.db-journal: No space left on device' "$out"
    expect_eq 'and nothing is changed' "$(trust)" 'C,,'
    # shellcheck disable=SC2086 # words
    refused cert9.db fdatasync EIO $change "$P/old-root.pem"
    expect_grep 'a sync that fails is told' 'cannot sync cert9.db: Input/output error' "$out"
    expect_eq 'and nothing is changed' "$(trust)" 'C,,'
    # shellcheck disable=SC2086 # words
    refused cert9.db-journal openat EMFILE $change "$P/old-root.pem"
    expect_grep 'so is a journal that cannot be made' 'cannot open cert9.db-journal: Too many open files' "$out"
    expect_eq 'and nothing is changed' "$(trust)" 'C,,'
done
run xr "${n[@]}" list
expect_no_grep 'no trust is left without its certificate' 'no certificate' "$out"

# A sync that failed while a database is made is not tried again, as if it had not.
mkdir "$T/fresh"
run traced -f -o "$T/trace" -P "$T/fresh/cert9.db" -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 \
    "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/fresh" install --yes "$P/old-root.pem"
expect_eq 'the first sync of a new database fails' "$rc $(grep -c INJECTED "$T/trace")" '1 1'
expect_grep 'which is told' 'cannot sync cert9.db: Input/output error' "$out"

# What SQLite could not finish is rolled back at once: who opens it only to read could not do that.
for name in key4 cert9; do
    dir=$T/unfinished-$name
    mkdir "$dir"
    run traced -f -o "$T/trace" -P "$dir/$name.db-journal" -e trace=unlink -e inject=unlink:error=EIO:when=1 \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$dir" install --yes "$P/old-root.pem"
    expect_eq "the journal of $name.db cannot be removed" "$rc $(grep -c INJECTED "$T/trace")" '1 1'
    expect_grep 'which is told' "cannot remove $name.db-journal: Input/output error" "$out"
    expect_exit 0 'certutil opens the database, or there is none' \
        bash -c '[[ ! -e $1/cert9.db ]] || certutil -L -d "sql:$1"' - "$dir"
done
expect_exit 0 'afterwards it works' xr "${n[@]}" remove --yes "$P/old-root.pem"
expect_eq 'and the root is gone' "$(trust)" ''
finish
