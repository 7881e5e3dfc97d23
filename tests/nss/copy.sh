#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# copy.sh COPIED LIBS: softoken works on a copy in memory (docs/decisions/0029). No key is in it, each file is
# written once however much changes, a kill between the files leaves the old objects or the new ones, and
# where there can be no copy all works as before.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
copied=${1:?} libs=system
can_trace || skip_all 'strace is missing or may not trace'
command -v certutil >/dev/null || skip_all 'no certutil'
if [[ ${2:?} == browser ]]; then
    libs=$(browser_libs) || skip_all 'no Firefox'
fi
make_pki "$T/pki"
"$XR_MKCERTS" 6 "$T/roots" 1 >/dev/null
"$XR_MKCERTS" 2 "$T/family" 2 >/dev/null # the second is signed by the first
own=(--nss "$libs")
[[ $libs != system ]] || own=()

db() { # NAME: an empty database
    mkdir "$T/$1"
    certutil -N -d "sql:$T/$1" --empty-password
}
ours() { # NAME ARGUMENT...
    xr "${own[@]}" --store "nss:$T/$1" "${@:2}"
}
trust() {
    certutil -L -d "sql:$T/$1" | sed -n 's/^Crossroot Test Old Root  *//p' | tr -d ' '
}

# --- what is copied
db keys
head -c 64 /dev/zero >"$T/noise"
certutil -S -d "sql:$T/keys" -n mine -s CN=mine -x -t ,, -k rsa -g 2048 -m 7 -z "$T/noise" >/dev/null 2>&1
certutil -K -d "sql:$T/keys" >"$T/before"
expect_grep 'a database with a private key' 'rsa' "$T/before"
expect_exit 0 'an anchor beside it' ours keys install --yes "$P/old-root.pem"
run "$copied" "$libs" "$T/keys"
expect_eq 'a copy has the objects, the password and the proofs of trust' \
    "$rc $(awk '{ print ($1 > 2), ($4 > 0), $5 }' "$out")" '0 1 1 1'
expect_eq 'no private key, and no proof of one' "$(awk '{ print $2, $3 }' "$out")" '0 0'
expect_exit 0 'and back' ours keys undo --yes
certutil -K -d "sql:$T/keys" >"$T/after"
expect_same 'the private key is where it was' "$T/before" "$T/after"
expect_eq 'nothing lies beside the database' "$(cd "$T/keys" && printf '%s ' *)" 'cert9.db key4.db pkcs11.txt '

# --- how often each file is written
syncs() { # NAME ARGUMENT...: synced files of the database
    traced -f -o "$T/trace" -e trace=fdatasync,fsync -y "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${own[@]}" \
        --store "nss:$T/$1" "${@:2}" >"$out" 2>"$err" || bad "$*: exit $?"
    grep -cE 'f(data)?sync\([0-9]+<[^>]*/(cert9|key4)\.db' "$T/trace" || true
}
for name in one six; do db "$name"; done
one=$(syncs one install --yes "$T/roots/000000.pem")
expect_eq 'six anchors are as many syncs as one' "$(syncs six install --yes "$T/roots") $((one > 0))" "$one 1"
one=$(syncs one undo --yes)
expect_eq 'so is taking them away' "$(syncs six undo --yes) $((one > 0))" "$one 1"
expect_eq 'and no trust is left' "$(certutil -L -d "sql:$T/six" | grep -c 'C,,')" 0

# --- without trust
for name in bare bares; do db "$name"; done
one=$(syncs bare install --yes --as intermediate "$T/roots/000000.pem")
six=$(syncs bares install --yes --as intermediate "$T/roots")
expect_eq 'six without trust are one and a copy of five' "$((one > 0 && six <= 2 * one))" 1
expect_eq 'all are there' "$(certutil -L -d "sql:$T/bares" | grep -c ',,')" 6
expect_exit 0 'one more, beside an anchor' ours bares install --yes "$P/old-root.pem" "$T/family/000001.pem"
expect_eq 'the anchor is one' "$(trust bares)" 'C,,'
expect_eq 'and the other is there' "$(certutil -L -d "sql:$T/bares" | grep -c ',,')" 8
for change in 1 2; do expect_exit 0 "back, $change" ours bares undo --yes; done
expect_eq 'and all go again' "$(certutil -L -d "sql:$T/bares" | grep -c ',,')" 0

# --- somebody who writes for long
db held
for file in cert9 key4; do
    for what in "$P/old-root.pem" "$T/family/000001.pem"; do
        : >"$out"
        sqlite3 "$T/held/$file.db" 'BEGIN IMMEDIATE' \
            ".shell '$XR_BIN' --worker '$XR_WORKER' --state '$state' ${own[*]} --store 'nss:$T/held' install --yes '$what' >'$out' 2>&1; echo exit \$? >>'$out'" ROLLBACK
        expect_eq "$file.db is locked: ${what##*/}" \
            "$(grep -c 'failed: another program keeps the database locked$' "$out") $(tail -n 1 "$out")" '1 exit 1'
    done
done
expect_exit 0 'nothing is left to recover' ours held recover
expect_eq 'nothing was left to roll back' "$(grep -cE 'rolled|interrupted' "$out")" 0
expect_eq 'nothing was written' "$(certutil -L -d "sql:$T/held" | grep -cE ' [CTu]*,[CTu]*,[CTu]* *$')" 0

# --- killed between the files
killed() { # NAME FILE CALL ARGUMENT...: at the first such call
    run traced -f -o "$T/trace" -P "$T/$1/$2" -e "trace=$3" -e "inject=$3:signal=KILL:when=1" \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${own[@]}" --store "nss:$T/$1" "${@:4}"
    expect_eq "killed at $3 of $2: $4" "$(grep -c 'killed by SIGKILL' "$T/trace" | sed 's/^[1-9].*/some/')" some
}
proofs() {
    sqlite3 "$T/$1/key4.db" "SELECT count(*) FROM metaData WHERE id LIKE 'sig#_cert#_%' ESCAPE '#'"
}
expect_exit 0 'what an interrupted change left is settled' ours one recover
db new
killed new cert9.db-journal openat install --yes "$P/old-root.pem"
expect_eq 'proofs alone say nothing' "$(trust new)" ''
expect_exit 0 'recover' ours new recover
expect_exit 0 'the same again' ours new install --yes "$P/old-root.pem"
expect_eq 'and it is an anchor' "$(trust new)" 'C,,'
killed new key4.db-journal openat remove --yes "$P/old-root.pem"
expect_eq 'the objects are gone, and their proofs say nothing' "$(trust new)" ''
expect_exit 0 'recover' ours new recover
db narrower
expect_exit 0 'an anchor' ours narrower install --yes "$P/old-root.pem"
killed narrower cert9.db-journal openat distrust --yes "$P/old-root.pem"
expect_exit 0 'recover' ours narrower recover
expect_eq 'an anchor that was to be distrusted is one thing or the other, never neither' \
    "$(trust narrower | grep -cE '^(C,,|p,p,p)$')" 1

# --- where there is no copy
db other
sqlite3 "$T/other/cert9.db" 'CREATE TABLE somebodys (a)'
expect_exit 1 'a table that softoken does not make is not copied' "$copied" "$libs" "$T/other"
expect_exit 0 'and crossroot writes all the same' ours other install --yes "$P/old-root.pem"
expect_eq 'the anchor is there' "$(trust other)" 'C,,'
expect_exit 0 'and goes' ours other undo --yes
expect_eq 'it is gone' "$(trust other)" ''
finish
