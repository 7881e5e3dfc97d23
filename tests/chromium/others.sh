# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Other programs that use the database in $file. Sourced after cli/lib.sh.
: "${file:?}"

# hold SQL...: a program, $holder, that has it as these statements leave it, until let_go
hold() {
    rm -f "$T/ready"
    exec {held}> >(exec /usr/bin/python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for sql in sys.argv[3:]:
    db.execute(sql).fetchall()
open(sys.argv[2], "w").close()
sys.stdin.read()' "$file" "$T/ready" "$@")
    holder=$!
    until [[ -e $T/ready ]]; do
        sleep 0.05
    done
}
let_go() {
    exec {held}>&-
    wait "$holder" || true
}

# One that is killed in the middle of a write, with its journal.
killed_writer() {
    /usr/bin/python3 - "$file" <<'END' || true
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for sql in ("PRAGMA cache_size=1", "PRAGMA cache_spill=1", "BEGIN IMMEDIATE", "DELETE FROM certificates"):
    db.execute(sql)
for number in range(2000):
    db.execute("INSERT INTO certificates VALUES(?, zeroblob(300), '')", (str(number),))
os.kill(os.getpid(), 9)
END
} 2>/dev/null
