#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cert8.sh system|browser: certificates of old programs, in a cert8.db. They are listed if the NSS in use
# can read them (Debian 12's can, a browser's cannot), and no command takes them for trusted, or for
# absent. A file that is damaged is never half read.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
with_nss "${1:?}"
make_pki "$T/pki"
mkdir "$T/old"
certutil -N -d "dbm:$T/old" --empty-password </dev/null >"$out" 2>&1 ||
    skip_all "this certutil makes no cert8.db: $(head -n 1 "$out")"
add() { certutil -A -a -d "dbm:$T/old" -n "$1" -t "$2" -i "$P/$1.pem"; }
add old-root C,,
add sibling-root p,p,p
add cross ,,
db() { xr "${use[@]}" --store "nss:$T/$DB" "$@"; }
DB=old
places() {
    run db list --json
    json 'stores[0].entries[].{place,subject}' "$out" | sed 's/CN=Crossroot Test //; s/,O=.*//' |
        LC_ALL=C sort | tr '\t\n' ' ;'
}

snap "$T/old" >"$T/before"
expect_exit 0 'stores' db stores
expect_grep 'why nothing is written' 'no current program reads the certificates of a cert8.db' "$out"
expect_exit 1 'install' db install --yes "$P/rsa-root.pem"
expect_grep 'is refused' 'cannot be written: no current program reads' "$out"
expect_exit 6 'verify' db verify "$P/old-root.pem"
if ((${#use[@]} > 0)) || ! grep -q . <(find /usr/lib /usr/lib64 -name libnssdbm3.so 2>/dev/null); then
    expect_eq 'nothing is listed' "$(places)" ''
    run db -v list
    expect_grep 'and it says why' 'not listed: this NSS has no libnssdbm3.so' "$err"
    expect_exit 0 'remove' db remove --yes "$P/old-root.pem"
    expect_grep 'says no more than it knows' 'not among what can be listed of this store' "$out"
    snap "$T/old" >"$T/after"
    expect_same 'all is as it was' "$T/before" "$T/after"
    finish
    exit
fi
expect_eq 'all are listed' "$(places)" 'anchor Old Root;distrust New Root;intermediate New Root;'
expect_json 'with a remark' 'stores[0].entries[0].remark' 'no current program reads this cert8.db'
for verb in remove distrust; do
    expect_exit 1 "$verb" db $verb --yes "$P/old-root.pem"
    expect_grep 'is refused with the reason' 'cannot be written: no current program reads' "$out"
    expect_no_grep 'and does not say that it is absent' 'not in this store' "$out"
done
snap "$T/old" >"$T/after"
expect_same 'all is as it was' "$T/before" "$T/after"
rm "$T/old/key3.db" "$T/old/secmod.db"
expect_eq 'cert8.db alone is enough' "$(places)" 'anchor Old Root;distrust New Root;intermediate New Root;'

# ---- beside a cert9.db it is what is left
DB=both
mkdir "$T/both"
certutil -N -d "sql:$T/both" --empty-password </dev/null
cp "$T/old/cert8.db" "$T/both"
expect_eq 'cert9.db counts' "$(places)" ''
run db -v list
expect_eq 'the other is named once' "$(grep -c 'cert8.db: left from before' "$err")" 1
expect_exit 0 'install' db install --yes "$P/rsa-root.pem"
expect_eq 'goes to cert9.db' "$(places)" 'anchor RSA Root;'
ln -sf /etc/passwd "$T/both/cert8.db"
expect_exit 0 'a link in its place hurts nobody' db list

# ---- files that are not what they were
DB=bad
whole='anchor Old Root;distrust New Root;intermediate New Root;'
size=$(stat -c %s "$T/old/cert8.db")
mkdir "$T/bad"
# tried WHAT: it is read whole, or not at all
tried() {
    local listed
    listed=$(places)
    run db list
    case $rc in
    0) expect_eq "$1: read whole" "$listed" "$whole" ;;
    1) expect_grep "$1: not read" 'cert8.db|helper of backend nss' "$err" ;;
    *) bad "$1: exit $rc" ;;
    esac
}
for length in 0 3 4 68 259 260 4096 $((size / 4)) $((size / 2)) $((size - 16384)) $((size - 1)); do
    head -c "$length" "$T/old/cert8.db" >"$T/bad/cert8.db"
    run db list
    expect_eq "cut to $length bytes: exit" "$rc" 1
    expect_grep 'says that it is damaged' 'cert8.db: it is damaged, cut off' "$err"
    run db remove --yes "$P/old-root.pem"
    expect_no_grep 'nothing is said to be absent' 'not in this store' "$out"
done
head -c "$size" /dev/urandom >"$T/bad/cert8.db"
tried 'noise'
{
    head -c 260 "$T/old/cert8.db"
    head -c $((size - 260)) /dev/urandom
} >"$T/bad/cert8.db"
run db list # whatever it finds, in time and without harm
expect_grep 'noise after the header' '^[0146]$' <(echo "$rc")
for ((at = 0; at < 68; at += 4)); do
    cp "$T/old/cert8.db" "$T/bad"
    printf '\377\377\377\377' | dd of="$T/bad/cert8.db" bs=1 seek="$at" conv=notrunc 2>/dev/null
    run db list
    expect_grep "a header with ones at $at: an answer" '^[01]$' <(echo "$rc")
done
rm "$T/bad/cert8.db"
mkfifo "$T/bad/cert8.db"
expect_exit 1 'a FIFO' db list
expect_grep 'is no database' 'not a regular file' "$err"
rm "$T/bad/cert8.db"
ln -s "$T/old/cert8.db" "$T/bad/cert8.db"
expect_exit 1 'a link' db list
expect_grep 'is not followed' 'cert8.db is a link' "$err"
finish
