#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# looks.sh LOOKS TRUST system|browser: what crossroot finds in the files of a database is what
# softoken lists of it, entry by entry, or it asks softoken. Never anything else.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
looks=${1:?} trust=${2:?}
for program in certutil crlutil openssl sqlite3; do
    command -v "$program" >/dev/null || skip_all "no $program"
done
with_nss "${3:?}"
libs=${use[1]:-system}

answer() { # DATABASE
    "$looks" "$libs" "$1" 2>&1 | cut -d' ' -f1
}
is_same() { expect_eq "$1: as softoken lists it" "$(answer "$2")" same; }
is_unknown() { expect_eq "$1: softoken is asked" "$(answer "$2")" unknown; }
fresh() { # NAME: an empty database, in $db
    db=$T/$1
    mkdir "$db"
    certutil -N --empty-password -d "sql:$db"
}
add() { # NAME TRUST FILE
    certutil -A -d "sql:$db" -n "$1" -t "$2" -i "$3"
}
head -c 64 /dev/zero >"$T/noise"

# --- what is known

fresh empty
is_same 'an empty database' "$db"
cp -r "$db" "$T/keyless"
rm "$T/keyless/key4.db"
is_same 'one without key4.db' "$T/keyless"

strings=(',,' 'C,,' 'CT,C,C' 'T,,' ',C,' ',,C' 'P,,' 'Pp,P,P' 'p,p,p' 'p,,' ',p,' 'c,c,c' 'w,w,w' 'TCPu,Cu,cw' 'Cp,T,p')
fresh trust
for i in "${!strings[@]}"; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/key" \
        -out "$T/string$i.pem" -subj "/CN=Trust $i" -days 3000 2>"$T/log"
    add "trust ${strings[i]}" "${strings[i]}" "$T/string$i.pem"
done
is_same 'every trust that certutil gives' "$db"
certutil -M -d "sql:$db" -n 'trust C,,' -t 'p,p,p'
certutil -D -d "sql:$db" -n 'trust ,C,'
is_same 'trust that was changed, a certificate that was removed' "$db"
cp -r "$db" "$T/keyless-trust"
rm "$T/keyless-trust/key4.db"
is_same 'trust without key4.db' "$T/keyless-trust"

fresh labels
labels=($'line\nbreak' $'\x01\x7f' $'b\xff\xfed' $'\xe3\x81\x82' 'a:b' ' ' "$(head -c 900 "$T/noise" | tr '\0' x)" "it's" '%s%n')
for i in "${!labels[@]}"; do
    add "${labels[i]}" C,, "$T/string$i.pem" 2>"$T/log" || true
done
is_same 'labels of odd bytes' "$db"

fresh plain
for i in "${!strings[@]}"; do
    add "plain $i" ,, "$T/string$i.pem"
done
is_same 'certificates without trust' "$db"
sqlite3 "$db/cert9.db" "CREATE TEMP TABLE t AS SELECT * FROM nssPublic WHERE a0 = x'00000001' LIMIT 3;
    UPDATE t SET id = 70 + rowid; UPDATE t SET a3 = x'61' WHERE id = 71; INSERT INTO nssPublic SELECT * FROM t"
is_same 'some of them twice' "$db"

fresh user
certutil -S -d "sql:$db" -z "$T/noise" -n own -s 'CN=Own,E=own@example.com' -x -t 'CTu,Cu,Cu' -k ec -q secp256r1 \
    >"$T/log" 2>&1
certutil -S -d "sql:$db" -z "$T/noise" -n leaf -s 'CN=Leaf,E=leaf@example.com' -c own -t ',,' -k ec -q secp256r1 \
    -m 7 >"$T/log" 2>&1
is_same 'certificates with their private keys' "$db"
printf 'update=20260101000000Z\nnextupdate=20300101000000Z\n' >"$T/crl"
crlutil -G -d "sql:$db" -n own -c "$T/crl" >"$T/log" 2>&1
expect_eq 'there is a CRL' "$(sqlite3 "$db/cert9.db" "SELECT count(*) FROM nssPublic WHERE a0 = x'ce534351'")" 1
is_same 'it' "$db"
certutil -L -d "sql:$db" -n leaf -r >"$T/leaf.der"
certutil -E -d "sql:$T/trust" -n 'mail' -t ',,' -i "$T/leaf.der" >"$T/log" 2>&1
is_same 'a certificate for e-mail' "$T/trust"

fresh bulk
"$XR_MKCERTS" 300 "$T/many" >"$T/log"
expect_exit 0 'three hundred anchors' xr --store "nss:$db" "${use[@]}" install --yes "$T/many"
is_same 'trees of several levels' "$db"
expect_exit 0 'some are removed' xr --store "nss:$db" "${use[@]}" remove --yes "$T"/many/00000[1-9].pem
is_same 'and pages that are free' "$db"

# --- what is not

fresh std
openssl x509 -in "$T/string0.pem" -outform DER -out "$T/string0.der"
"$trust" "$libs" "$db" nss "$T/string0.der" anchor
is_same 'trust without its certificate' "$db"
newer=$(browser_libs || true)
if [[ -n $newer ]]; then
    "$trust" "$newer" "$db" std "$T/string0.der" anchor
    is_unknown 'trust of the newer kind' "$db"
fi

damaged() { # WHAT FILE SQL
    rm -rf "$T/damaged"
    cp -r "$T/trust" "$T/damaged"
    sqlite3 "$T/damaged/$2" "$3" >"$T/log"
    is_unknown "$1" "$T/damaged"
}
damaged 'a seal that does not hold' key4.db \
    "UPDATE metaData SET item1 = (SELECT item1 FROM metaData WHERE id LIKE 'sig_cert_%_ce536359' LIMIT 1) WHERE id LIKE 'sig_cert_%_ce536358'"
damaged 'a seal that is missing' key4.db "DELETE FROM metaData WHERE id LIKE 'sig_cert_%_ce5363b4'"
damaged 'trust that was written over' cert9.db "UPDATE nssPublic SET ace536358 = x'ce534352' WHERE ace536358 = x'ce53435a'"
damaged 'a number of another size' cert9.db "UPDATE nssPublic SET ace536358 = x'ce5343' WHERE ace536358 NOTNULL"
damaged 'text for bytes' cert9.db "UPDATE nssPublic SET a3 = 'text' WHERE a3 NOTNULL"
damaged 'an index that NSS does not make' cert9.db 'CREATE INDEX mine ON nssPublic (a0)'
damaged 'a trigger' cert9.db 'CREATE TRIGGER mine AFTER INSERT ON nssPublic BEGIN SELECT 1; END'
damaged 'statistics' cert9.db ANALYZE
damaged 'a view for the table' cert9.db 'ALTER TABLE nssPublic RENAME TO other; CREATE VIEW nssPublic AS SELECT * FROM other'
damaged 'a column with a default' cert9.db "ALTER TABLE nssPublic ADD COLUMN a777 DEFAULT 'x'"
damaged 'a password of another form' key4.db "UPDATE metaData SET item2 = substr(item2, 1, 40) WHERE id = 'password'"
damaged 'another salt' key4.db "UPDATE metaData SET item1 = x'0102030405060708090a0b0c0d0e0f1011121314' WHERE id = 'password'"
damaged 'a log of writes' cert9.db 'PRAGMA journal_mode = WAL'
damaged 'a schema in other words' cert9.db "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = sql || ' ' WHERE name = 'nssPublic'"
rm -rf "$T/damaged"
cp -r "$T/trust" "$T/damaged"
sqlite3 "$T/damaged/cert9.db" 'ALTER TABLE nssPublic ADD COLUMN a62c; VACUUM'
sqlite3 "$T/damaged/key4.db" "DELETE FROM metaData WHERE id = 'password'"
is_same 'a column of a newer NSS, and no password' "$T/damaged"

mkdir "$T/locked"
printf 'secret\n' >"$T/password"
certutil -N -d "sql:$T/locked" -f "$T/password"
certutil -A -d "sql:$T/locked" -f "$T/password" -n one -t C,, -i "$T/string0.pem"
is_unknown 'a password' "$T/locked"

rm -rf "$T/damaged"
cp -r "$T/trust" "$T/damaged"
printf '\xd9\xd5\x05\xf9\x20\xa1\x63\xd7' >"$T/damaged/cert9.db-journal"
is_unknown 'an unfinished write' "$T/damaged"

rm -rf "$T/damaged"
cp -r "$T/trust" "$T/damaged"
sqlite3 "$T/damaged/cert9.db" 'BEGIN EXCLUSIVE' ".shell '$looks' '$libs' '$T/damaged'" ROLLBACK >"$out"
expect_grep 'while another program writes, softoken is asked' '^unknown ' "$out"
is_same 'and no more after it' "$T/damaged"

# --- every so many bytes changed, in both files

fresh small
add one C,, "$T/string1.pem"
add two ,, "$T/string2.pem"
mkdir "$T/scratch"
expect_exit 0 'changed bytes make no difference that softoken does not see' \
    "$looks" "$libs" -b "$T/scratch" 151 "$db"
expect_grep 'of which some were accepted' '^[1-9][0-9]* same, [1-9][0-9]* unknown, 0 different' "$out"
finish
