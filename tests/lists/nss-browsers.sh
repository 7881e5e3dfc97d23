#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real browsers with databases that extract wrote: headless Firefox and Chromium against three servers on
# loopback, which send the leaf, the leaf and its CA, or these and the cross certificate.
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/nss/browsing.sh
. "$here/../nss/browsing.sh"
lists=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
ff=$T/profile
cr=$HOME/.pki/nssdb
mkdir -p "$ff" "$cr"

# both ANSWERS WHAT LINE...: of browsers that start with a database from these lines of a list
both() {
    local answers=$1 what=$2 name
    shift 2
    printf '%b\n' "$@" | python3 "$lists/mkcertdata.py" >"$T/list.txt"
    rm -rf "$T/db"
    run xr extract --from "$T/list.txt" --to "nss=$T/db"
    [[ $rc -eq 0 ]] || bad "extract: exit $rc"
    for name in "$ff" "$cr"; do
        rm -f "$name"/{cert9,key4}.db* "$name/pkcs11.txt"
        cp "$T/db"/{cert9,key4}.db "$name"
    done
    tell fresh "$ff" "$T/chromium" "${ports[@]}"
    expect_eq "Firefox and Chromium: $what" "$REPLY" "${firefox-$answers} / $answers"
    # What Firefox did to it, such as new columns, left the trust as it was.
    tell stop firefox
    tell stop chromium
    expect_eq 'which left it whole' "$(python3 -c 'import sqlite3, sys
for name in ("cert9.db", "key4.db"):
    print(*[row[0] for row in sqlite3.connect(f"{sys.argv[1]}/{name}").execute("PRAGMA integrity_check")])' "$ff" | xargs)" 'ok ok'
    expect_eq 'and its trust as it was' "$(certutil -L -d "sql:$ff" | tail -n +5)" "$(certutil -L -d "sql:$T/db" | tail -n +5)"
}
both 'no no no' 'a root for e-mail' 'old-root.pem\t-C-\tOld' 'cross.pem\t---\tCross'
both 'no no yes' 'the old root' 'old-root.pem\tC--\tOld'
both 'no yes yes' 'and the cross certificate' 'old-root.pem\tC--\tOld' 'cross.pem\t---\tCross'
both 'no no no' 'the cross certificate distrusted' 'old-root.pem\tC--\tOld' 'cross.pem\tnnn\tCross'
# Chromium heeds the trust only of certificates that the database has.
firefox='no no no' both 'no no yes' 'distrusted by issuer and serial number alone' 'old-root.pem\tC--\tOld' 'cross.pem\tnnn\tCross\tbare'
finish
