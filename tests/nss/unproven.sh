#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# softoken signs what a trust object says. If one signature does not hold, as softoken itself leaves them
# when it runs out of memory, NSS reads no trust of that object: it is listed so, and made anew.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
python3 -c 'import sqlite3' 2>/dev/null || skip_all 'no sqlite3 for python3'
make_pki "$T/pki"
id=$(sha "$P/old-root.pem")
db() { xr --store "nss:$T/db" "$@"; }
trust() { certutil -L -d "sql:$T/db" | sed -n 's/^own  *//p' | tr -d ' '; }
place() {
    run db list --json
    json "stores[0].entries[sha256=$id].place" "$out" 2>/dev/null || true
}

# Attributes by softoken's numbers: server, client, code, email, step up, SHA-1, MD5, which NSS does
# not read.
for attribute in ce536358 ce536359 ce53635a ce53635b ce536360 ce5363b4 ce5363b5; do
    rm -rf "$T/db" "$state"
    mkdir "$T/db"
    certutil -N -d "sql:$T/db" --empty-password
    certutil -A -d "sql:$T/db" -n own -t C,, -i "$P/old-root.pem"
    python3 - "$T/db/key4.db" "sig_cert_%_$attribute" <<'END'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    cut = db.execute("UPDATE metaData SET item1 = substr(item1, 1, 49) WHERE id LIKE ?", sys.argv[2:]).rowcount
assert cut == 1, cut
END
    [[ $(trust) == C,, ]] && want=anchor || want=intermediate
    [[ $attribute == ce5363b5 ]] || expect_eq "$attribute: certutil reads no trust" "$want" intermediate
    expect_eq "$attribute: it is listed as certutil reads it" "$(place)" "$want"
    expect_exit 0 "$attribute: it is installed" db install --yes "$P/old-root.pem"
    expect_eq "$attribute: and is an anchor for certutil" "$(trust)" C,,
    expect_eq "$attribute: and here" "$(place)" anchor
done
finish
