#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# changes.sh [PLUGIN]: changes of a profile's certificate database, what they leave as it is, and when
# there are none.
# shellcheck source=tests/chromium/profile.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/profile.sh"
# shellcheck source=tests/chromium/others.sh
. "$here/others.sh"
cross=$(sha "$P/cross.pem") new=$(sha "$P/new-root.pem") rsa=$(sha "$P/rsa-root.pem")
head='600 last_compatible_version=1 mmap_status=-1 version=1'

show() { mkdb "$file" --show; }
rows() { printf '%s\n' "$@" | LC_ALL=C sort; } # SHA256 MESSAGE: as show prints them after its first line
expect_rows() { # WHAT ROW...: under their own hashes
    local what=$1 row all=()
    shift
    for row in "$@"; do
        all+=("${row%% *} $row")
    done
    expect_eq "$what" "$(show)" "$head"$'\n'"$(rows "${all[@]}")"
}
place() { json "stores[].entries[sha256=$1].place" "$out" 2>/dev/null | paste -sd ' '; }
listed() { run one --json list; place "$1"; }
refused() { # WHAT EXTENDED-REGEX COMMAND...: exit 1, the reason, and nothing changes
    local what=$1 text=$2 before
    before=$(snap "$profile")
    shift 2
    expect_exit 1 "$what" one "$@"
    expect_grep 'says why' "$text" <(cat "$out" "$err")
    expect_eq 'and changes nothing' "$(snap "$profile")" "$before"
}

# --- a profile without a database

mkdir -p "$profile"
refused 'install into a directory that is no profile' 'it has no ServerCertificate' install --yes "$P/old-root.pem"
echo '{}' >"$profile/Preferences"
expect_exit 0 'a dry run of an install into a profile without a database' one -n install --yes "$P/old-root.pem"
expect_absent 'makes none' "$file"
refused 'an install that is refused' 'not a CA certificate' install --yes --as anchor "$P/leaf.pem"
expect_absent 'makes none either' "$file"
umask 077
expect_exit 0 'install into a profile without a database' one install --yes "$P/old-root.pem" "$P/cross.pem"
umask 022
expect_eq 'makes one as the browser does' "$(stat -c '%a %s' "$file") $(echo "$profile"/* | sed "s|$profile/||g")" '600 20480 Preferences ServerCertificate'
expect_eq 'table for table' "$(/usr/bin/python3 - "$file" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(*[sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")], sep="|")
print(*[db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "auto_vacuum", "encoding", "journal_mode", "user_version")])
END
)" 'CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)|CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL,trust_settings BLOB NOT NULL)
4096 0 UTF-8 delete 0'
expect_rows 'with both' "$old 0a020803" "$cross 0a020801"
expect_exit 0 'list' one --json list
expect_json 'as crossroot put them there' "stores[].entries[].{place,managed}" 'anchor	true intermediate	true'
expect_exit 0 'undo' one undo --yes
expect_eq 'takes them out again' "$(show)" ''
expect_eq 'and leaves an empty database, as a browser has one' "$(listed "$old")" ''

# --- every kind of change, and back

usual "$profile"
before=$(show)
expect_exit 0 'install of another' one install --yes "$P/new-root.pem"
expect_eq 'which is there' "$(listed "$new")" anchor
expect_eq 'beside what was there' "$(show | grep -cF "$before")" "$(grep -c . <<<"$before")"
expect_exit 0 'undo' one undo --yes
expect_eq 'as it was' "$(show)" "$before"
expect_exit 0 'remove of what the user put there, by its name' one remove --yes "$old"
expect_eq 'is gone' "$(listed "$old")" ''
expect_exit 0 'undo' one undo --yes
expect_eq 'limits and all are back' "$(show)" "$before"
expect_exit 0 'distrust of what was a hint' one distrust --yes --key "$P/cross.pem"
expect_eq 'is a block' "$(show | grep "^$cross")" "$cross $cross 0a020802"
expect_exit 0 'undo' one undo --yes
expect_eq 'as it was' "$(show)" "$before"
expect_exit 0 'a limited anchor' one install --yes --permit-dns Localhost --permit-dns example.com. --permit-cidr 127.1.2.3/8 --permit-cidr 2001:db8::/32 "$P/new-root.pem"
expect_eq 'is written as Chromium writes it' "$(show | grep "^$new")" \
    "$new $new 0a02080312380a096c6f63616c686f73740a0b6578616d706c652e636f6d1a080a047f00000010081a140a1020010db80000000000000000000000001020"
expect_exit 0 'list' one list
expect_grep 'and shown' 'limited to names below localhost and example.com, and addresses in 127.0.0.0/8 and 2001:db8::/32' "$out"
expect_exit 0 'the same again' one install --yes --permit-dns localhost --permit-dns example.com --permit-cidr 127.0.0.0/8 --permit-cidr 2001:db8::/32 "$P/new-root.pem"
expect_grep 'is there already' 'unchanged' "$out"
expect_exit 0 'undo' one undo --yes
expect_eq 'as it was' "$(show)" "$before"

# A row under a wrong hash: the browser cannot remove it.
mkdb "$file" "$P/new-root.pem" trust@0000 "$P/new-root.pem" hint+x@0001
before=$(show)
expect_exit 0 'remove of rows under wrong hashes' one remove --yes "$new"
expect_eq 'takes both' "$(show | grep -c "$new")" 0
expect_exit 0 'undo' one undo --yes
expect_eq 'byte for byte' "$(show)" "$before"

# --- what the user blocked stays blocked

usual "$profile"
before=$(show)
expect_exit 7 'install of what the user blocked' one install "$P/rsa-root.pem"
expect_eq 'asks first' "$(show)" "$before"
expect_grep 'saying what it would end' 'it is distrusted in this store, and that would end' <(cat "$out" "$err")
expect_exit 7 'so does remove' one remove "$rsa"
expect_eq 'and waits' "$(show)" "$before"
expect_exit 0 'and yes is an answer' one install --yes "$P/rsa-root.pem"
expect_eq 'then it is trusted' "$(listed "$rsa")" anchor
expect_exit 0 'undo' one undo --yes
expect_eq 'as it was' "$(show)" "$before"
expect_exit 0 'distrust' one distrust --yes "$P/new-root.pem" --key
expect_exit 7 'undo of a distrust' one undo
expect_eq 'asks too' "$(listed "$new")" distrust
expect_exit 0 'undo with an answer' one undo --yes

# --- what it cannot hold

refused 'an anchor for mail' 'no purpose is left' install --yes --for email "$P/new-root.pem"
refused 'a leaf as an anchor' 'not a CA certificate' install --yes --as anchor "$P/leaf.pem"
refused 'a CA as a peer' 'peer' install --yes --as peer "$P/new-root.pem"
refused 'a CRL' 'Chromium uses no CRLs' install --yes "$P/old-root.crl.pem"

# --- what is not known is never lost

usual "$profile"
mkdb "$file" "$P/new-root.pem" hex:0a0208031801 "$P/sibling-root.pem" hex:0a020809
/usr/bin/python3 - "$file" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO certificates VALUES('no key', 'no certificate', 'nothing')")
db.commit()
END
before=$(show)
refused 'install of one of which the browser keeps more than is known' \
    'keeps something about this certificate that crossroot does not know' install --yes "$P/new-root.pem"
refused 'distrust of it' 'keeps something about this certificate' distrust --yes --key "$P/new-root.pem"
expect_exit 0 'a change of another' one remove --yes "$old"
expect_eq 'leaves the rows that are not known' "$(show | grep -E "^($new|$(sha "$P/sibling-root.pem")|no key)")" \
    "$(grep -E "^($new|$(sha "$P/sibling-root.pem")|no key)" <<<"$before")"
expect_exit 0 'undo' one undo --yes
expect_eq 'as it was' "$(show)" "$before"
# Where another certificate has the place of one's own.
usual "$profile"
mkdb "$file" "$P/sibling-root.pem" "trust@$new"
refused 'install of one under whose hash there is another' 'another certificate is stored under the hash of this one' install --yes "$P/new-root.pem"

frozen() { # WHAT EXTENDED-REGEX: the whole store only reads
    refused "install into $1" "cannot be written: .*$2" install --yes "$P/new-root.pem"
    expect_exit 0 'list' one --json list
    expect_eq 'goes on' "$(place "$old")" anchor
}
rm "$file"
mkdb "$file" --version 2 "$P/old-root.pem" trust
frozen 'a newer version' 'has version 2 of its format, and version 1 is known'
for form in "one with another column|ALTER TABLE certificates ADD COLUMN more TEXT|table certificates of an unknown form" \
    "one with a trigger|CREATE TRIGGER t AFTER INSERT ON certificates BEGIN DELETE FROM certificates; END|has triggers" \
    "one with a log|PRAGMA journal_mode=WAL|is written with a log beside it"; do
    IFS='|' read -r what sql why <<<"$form"
    usual "$profile"
    mkdb "$file" --sql "$sql" 2>/dev/null || /usr/bin/python3 -c 'import sqlite3,sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])' "$file" "$sql"
    frozen "$what" "$why"
done
rm "$file"
/usr/bin/python3 - "$file" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA encoding='UTF-16le'")
db.execute("CREATE TABLE x(y)")
END
mkdb "$file" --sql 'CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)' \
    --sql "INSERT INTO meta VALUES('version',1),('last_compatible_version',1)" \
    --sql 'CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL,trust_settings BLOB NOT NULL)'
mkdb "$file" "$P/old-root.pem" trust
frozen 'one in another encoding' 'is in an encoding that Chromium does not use'
usual "$profile"
mkdb "$file" --sql 'CREATE INDEX i ON certificates(der_cert)' --sql 'CREATE TABLE others(x)'
expect_exit 0 "a database with somebody's index" one install --yes "$P/new-root.pem"
expect_eq 'which goes on being right' "$(/usr/bin/python3 -c 'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])' "$file")" ok
usual "$profile"
dd if=/dev/urandom of="$file" bs=4096 seek=3 count=1 conv=notrunc 2>/dev/null
refused 'a damaged database' 'is damaged' install --yes "$P/new-root.pem"
rm -f "$file"
mkdb "$file" --sql 'DROP TABLE certificates'
expect_exit 0 'a database that has no table yet' one install --yes "$P/old-root.pem"
expect_rows 'gets it' "$old 0a020803"

# --- who else is there

usual "$profile"
for how in 'BEGIN EXCLUSIVE' 'BEGIN IMMEDIATE' 'BEGIN|SELECT * FROM meta'; do
    IFS='|' read -ra how <<<"$how"
    hold "${how[@]}"
    refused "install while another program holds it (${how[0]})" \
        "python3 \(process $holder\) is running with this profile and keeps the file locked: close it first" install --yes "$P/new-root.pem"
    expect_exit 0 'list' one --json list
    expect_eq 'goes on' "$(place "$old")" anchor
    let_go
done
expect_exit 0 'and then it works' one install --yes "$P/new-root.pem"
begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/state.1" "${plugin[@]}" --store "$store" install --yes "$P/sibling-root.pem"
begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/state.2" "${plugin[@]}" --store "$store" install --yes "$P/sub.pem"
begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/state.3" "${plugin[@]}" --store "$store" remove --yes "$new"
all_succeed 'three at once succeed'
expect_eq 'and none of their changes is lost' "$(show | cut -d ' ' -f 2 | grep -cE "^($(sha "$P/sibling-root.pem")|$(sha "$P/sub.pem"))\$") $(listed "$new")" '2 '

# --- interrupted writes

usual "$profile"
before=$(show)
killed_writer
expect_exit 1 'list after a writer was killed' one list
expect_grep 'names the command' "run crossroot recover --store $store\$" "$err"
expect_exit 0 'recover' one recover
expect_grep 'says what it did' 'an interrupted write of another program was rolled back' "$out"
expect_eq 'it is as before that write' "$(show)" "$before"
killed_writer
expect_exit 0 'a change does the same by itself' one install --yes "$P/new-root.pem"
expect_eq 'on what was there before that write' "$(show | grep -v "^$new")" "$before"
usual "$profile"
ln -s "$T/elsewhere" "$file-journal"
expect_exit 1 'a journal that is a link' one install --yes "$P/new-root.pem"
expect_absent 'is not followed' "$T/elsewhere"
rm "$file-journal"

# --- whose file it is

chmod 400 "$file"
expect_exit 0 'list of a file that may be read' one --json list
if [[ $(id -u) -eq 0 ]]; then
    chmod 755 "$T" "$HOME" "$HOME/.config" "$config" "$profile"
    chmod 644 "$file"
    worker=$T/worker so=()
    cp "$XR_WORKER" "$worker"
    [[ -z ${1:-} ]] || { cp "$1" "$T/chromium.so" && so=(--plugin "$T/chromium.so"); }
    cp "$P/new-root.pem" "$T/new.pem"
    chmod 755 "$T/worker" && chmod 644 "$T/new.pem"
    mkdir "$T/theirs" && chown 65534 "$T/theirs"
    expect_exit 5 'install by somebody who may only read' unprivileged "$XR_BIN" --worker "$worker" --state "$T/theirs/state" "${so[@]}" --store "$store" install --yes "$T/new.pem"
    usual "$profile"
    mkdir -p "$T/image/etc"
    echo 'alice:x:71001:71001:Alice:/home/alice:/bin/sh' >"$T/image/etc/passwd"
    for name in used fresh; do
        mkdir -p "$T/image/home/alice/.config/chromium/$name"
        echo '{}' >"$T/image/home/alice/.config/chromium/$name/Preferences"
    done
    usual "$T/image/home/alice/.config/chromium/used"
    chown -R 71001:71001 "$T/image/home/alice"
    in_image=("$XR_BIN" --worker "$worker" --state "$state" "${so[@]}" --root "$T/image" --scope all-users)
    for name in used fresh; do
        expect_exit 0 "install into an image's profile ($name)" "${in_image[@]}" --store "chromium:/home/alice/.config/chromium/$name" install --yes "$P/new-root.pem"
        expect_eq 'leaves the file to its user' "$(stat -c '%u:%g %a' "$T/image/home/alice/.config/chromium/$name/ServerCertificate")" '71001:71001 600'
    done
else
    expect_exit 5 'a change of a file that may only be read' one install --yes "$P/new-root.pem"
    chmod 600 "$file"
fi

# --- how it is written

if can_trace; then
    usual "$profile"
    run traced -f -y -o "$T/trace" -e trace="$MUTATING,openat,fcntl" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${plugin[@]}" --store "$store" install --yes "$P/new-root.pem"
    expect_eq 'a traced install' "$rc" 0
    expect_eq 'opens nothing of it by a path that could lead elsewhere, nor through a link' \
        "$(grep -E 'open.*ServerCertificate' "$T/trace" | grep -vc O_NOFOLLOW) $(grep -cE "open.*\"$profile/ServerCertificate" "$T/trace")" '0 0'
    expect_eq 'and syncs the directory after the journal is gone' \
        "$(grep -oE 'unlink.*ServerCertificate-journal|sync\(.*chromium/Default>' "$T/trace" | tail -n 1 | grep -c sync)" 1
fi
finish
