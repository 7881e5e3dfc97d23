#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nss.sh PROBE: NSS databases that extract writes: softoken, libnss3 and SQLite read them, and certutil
# and crossroot change them.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
probe=${1:?}
command -v certutil >/dev/null || skip_all 'not here: no certutil'
python3 -c 'import sqlite3' 2>/dev/null || skip_all 'not here: no sqlite3 for Python'
cd "$T"
make_pki pki

# SQLite on both files of a database: what integrity_check says.
integrity() {
    python3 - "$1" <<'PY'
import sqlite3, sys
for name in ("cert9.db", "key4.db"):
    print(*[row[0] for row in sqlite3.connect(f"file:{sys.argv[1]}/{name}?mode=ro", uri=True).execute("PRAGMA integrity_check")])
PY
}
trusts() { # DATABASE: "NICKNAME TRUST" of each, as certutil has it
    certutil -L -d "sql:$1" | sed -n '5,$s/ *\([a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*\) *$/ \1/p' | LC_ALL=C sort
}
listed() { # STORE: "PLACE PURPOSES SHA256" of each
    run xr --store "nss:$T/$1" list --json
    [[ $rc -eq 0 ]] || bad "list: exit $rc"
    json 'stores[0].entries[].{place,purposes,sha256}' "$out" | LC_ALL=C sort
}
rows() { # DATABASE: its objects without their handles
    python3 - "$1" <<'PY'
import sqlite3, sys
rows = sqlite3.connect(f"file:{sys.argv[1]}/cert9.db?mode=ro", uri=True).execute("SELECT * FROM nssPublic")
names = [column[0] for column in rows.description]
for row in sorted(str([(name, value) for name, value in zip(names, row) if value is not None][1:]) for row in rows):
    print(row)
PY
}

# ---- trust, as certutil and crossroot have it

{
    printf 'pki/old-root.pem\tC--\tOld Root\n'
    printf 'pki/new-root.pem\tCCC\tRoot\n'
    printf 'pki/email-root.pem\t-C-\tRoot\n'
    printf 'pki/rsa-root.pem\t--C\tFor code: főtanúsítvány\n'
    printf 'pki/ed25519-root.pem\tCn-\tHalf\n'
    printf 'pki/rsapss-root.pem\tnnn\tDistrusted\n'
    printf 'pki/constrained-root.pem\t---\tNeutral\n'
} >table
python3 "$here/mkcertdata.py" <table >list.txt
expect_exit 0 'a database' xr extract --from list.txt --to nss=db
expect_eq 'has two files' "$(cd db && echo *)" 'cert9.db key4.db'
expect_eq 'which are whole' "$(integrity db)" $'ok\nok'
expect_eq 'certutil lists all' "$(trusts db)" 'Distrusted p,p,p
For code  főtanúsítvány ,,C
Half C,p,
Neutral ,,
Old Root C,,
Root #2 ,C,
Root C,C,C'
# libnss3 of the system makes a file by itself.
rm -f db/pkcs11.txt
expect_exit 0 'nothing differs' xr extract --from list.txt --to nss=db --check
expect_exit 0 'written again' xr extract --from list.txt --to nss=again
expect_exit 0 'it has the same bytes' diff -r db again

# ---- the same as an install

expect_exit 0 'one root' xr extract --from pki/old-root.pem --to nss=one
mkdir installed
expect_exit 0 'installed' xr --store "nss:$T/installed" install --yes --for server pki/old-root.pem
expect_same 'the objects are the same' <(rows installed) <(rows one)
expect_eq 'and so is what crossroot lists' "$(listed one)" "$(listed installed)"

# ---- what verifiers say

# says DATABASE CHAIN...: libnss3's answer
says() {
    local db=$1 libs=()
    shift
    [[ $whose == system ]] || libs=(-l "$(browser_libs)")
    "$probe" "${libs[@]}" "$db" "$@" 2>&1 | sed -n '1s/ .*//p'
}
# verdicts DATABASE: for the leaf, with its CA, and with the cross certificate
verdicts() { echo "$(says "$1" pki/leaf.pem) $(says "$1" pki/leaf.pem pki/sub.pem) $(says "$1" pki/leaf.pem pki/sub.pem pki/cross.pem)"; }
# make NAME LINE...: a database from lines of a table
make() {
    local name=$1
    shift
    printf '%b\n' "$@" | python3 "$here/mkcertdata.py" >"$name.txt"
    run xr extract --from "$name.txt" --to "nss=$name"
    [[ $rc -eq 0 ]] || bad "extract: exit $rc"
}
make root 'pki/old-root.pem\tC--\tOld'
make cross 'pki/old-root.pem\tC--\tOld' 'pki/cross.pem\t---\tCross'
make email 'pki/old-root.pem\t-C-\tOld' 'pki/cross.pem\t---\tCross'
make refused 'pki/old-root.pem\tC--\tOld' 'pki/cross.pem\tnnn\tCross'
make serial 'pki/old-root.pem\tC--\tOld' 'pki/cross.pem\tnnn\tCross\tbare'
make subserial 'pki/old-root.pem\tC--\tOld' 'pki/cross.pem\t---\tCross' 'pki/sub.pem\tnnn\tSub\tbare'
make badroot 'pki/old-root.pem\tnnn\tOld' 'pki/cross.pem\t---\tCross'
for whose in system browser; do
    [[ $whose == system ]] || browser_libs >/dev/null || { skip 'not here: no browser that brings NSS'; continue; }
    expect_eq "$whose: the old root" "$(verdicts root)" 'no no yes'
    expect_eq "$whose: and the cross certificate" "$(verdicts cross)" 'no yes yes'
    expect_eq "$whose: a root for e-mail" "$(verdicts email)" 'no no no'
    expect_eq "$whose: a cross certificate that is distrusted" "$(verdicts refused)" 'no no no'
    expect_eq "$whose: one that is distrusted and not there" "$(verdicts serial)" 'no no no'
    expect_eq "$whose: a sub that is distrusted and not there" "$(verdicts subserial)" 'no no no'
    expect_eq "$whose: a root that is distrusted" "$(verdicts badroot)" 'no no no'
done
run xr --store "nss:$T/serial" list
expect_grep 'crossroot lists a distrust without certificate' 'distrust .*\(no certificate\)' "$out"

# ---- others go on with it

pem=pki/pre-1970.pem
expect_exit 0 'certutil adds' certutil -A -d sql:db -n added -t C,, -i "$pem" -a
expect_exit 0 'certutil changes trust' certutil -M -d sql:db -n 'Root #2' -t C,C,
expect_exit 0 'and takes it' certutil -M -d sql:db -n 'Old Root' -t p,p,p
expect_exit 0 'certutil deletes' certutil -D -d sql:db -n Half
expect_eq 'certutil lists what is left' "$(trusts db)" 'Distrusted p,p,p
For code  főtanúsítvány ,,C
Neutral ,,
Old Root p,p,p
Root #2 C,C,
Root C,C,C
added C,,'
echo >none
echo a-password >password
expect_exit 0 'certutil sets a password' certutil -W -d sql:db -f none -@ password
expect_eq 'with which all of it is as before' "$(certutil -K -d sql:db -f password 2>&1 | grep -c 'no keys'; trusts db | grep -c C)" $'1\n4'
expect_eq 'the files are whole' "$(integrity db)" $'ok\nok'
expect_exit 0 'crossroot installs into another' xr --store "nss:$T/again" install --yes pki/cross.pem
expect_exit 0 'distrusts what it has' xr --store "nss:$T/again" distrust --yes pki/old-root.pem
expect_exit 0 'and takes it back' xr --store "nss:$T/again" undo --yes
expect_exit 0 'and that too' xr --store "nss:$T/again" undo --yes
run xr extract --from list.txt --to nss=third
expect_same 'the objects are the old ones' <(rows third) <(rows again)
if newer=$(browser_libs); then
    # A newer softoken adds the columns that it knows.
    run xr extract --from list.txt --to nss=newer
    expect_exit 0 "a browser's softoken changes it" xr --nss "$newer" --store "nss:$T/newer" install --yes pki/cross.pem
    expect_eq 'it is whole' "$(integrity newer)" $'ok\nok'
    expect_eq 'and has all trust' "$(trusts newer | grep -vx "Root ,,")" "$(trusts third)"
fi

# ---- sizes

many=5000
((XR_SLOW == 0)) || many=1000
python3 "$here/mkcerts.py" $many 200 2000 >many.pem
python3 "$here/mkcerts.py" 60 300 100000 >large.pem
for size in many large; do
    expect_exit 0 "$size" xr extract --from $size.pem --to nss=$size
    expect_eq "$size: the files are whole" "$(integrity $size)" $'ok\nok'
    expect_eq "$size: softoken lists all" "$(listed $size | grep -c '^anchor.\["server"\]')" "$(grep -c BEGIN $size.pem)"
done

# ---- Mozilla's

for at in "$XR_SHARED"/data/certdata/certdata-*.txt; do
    [[ -e $at ]] || { skip "not here: Mozilla's certdata.txt"; break; }
    name=$(basename "$at" .txt)
    expect_exit 0 "$name" xr extract --from "$at" --to "nss=$name"
    expect_eq 'is whole' "$(integrity "$name")" $'ok\nok'
    python3 - "$at" >"$T/want" <<'PY'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
certs, trust = {}, {}
for part in re.split(r"(?=^CKA_CLASS )", text, flags=re.M)[1:]:
    key = re.search(r"CKA_ISSUER MULTILINE_OCTAL\n(.*?)END.*?CKA_SERIAL_NUMBER MULTILINE_OCTAL\n(.*?)END", part, re.S)
    if "CKO_CERTIFICATE" in part[:60]:
        certs[key.groups()] = 1
    elif "CKO_NSS_TRUST" in part[:60]:
        trust[key.groups()] = [re.search(rf"CKA_TRUST_{name} CK_TRUST CKT_NSS_(\w+)", part).group(1)
                               for name in ("SERVER_AUTH", "EMAIL_PROTECTION", "CODE_SIGNING")]
letters = {"TRUSTED_DELEGATOR": "C", "NOT_TRUSTED": "p", "MUST_VERIFY_TRUST": ""}
for line in sorted(",".join(letters[word] for word in trust.get(key, ["MUST_VERIFY_TRUST"] * 3)) for key in certs):
    print(line)
PY
    expect_same 'certutil has the trust that the list gives' "$T/want" <(trusts "$name" | sed 's/.* //' | LC_ALL=C sort)
done
finish
