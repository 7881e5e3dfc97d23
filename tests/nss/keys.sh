#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# keys.sh system|browser: key4.db seals the trust in cert9.db. What holds when it is missing or empty,
# and with a password.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all "no certutil"
with_nss "${1:?}"
make_pki "$T/pki"
db() { xr --store "nss:$T/db" "${use[@]}" "$@"; }
add() { certutil -A -a -d "sql:$T/db" -n "$1" -t "$2" -i "$P/$1.pem" "${@:3}"; }
nicks() { certutil -L -d "sql:$T/db" | sed -n '5,$ { /needs user init/d; s/ *$//; s/  */ /g; /./p }' | LC_ALL=C sort; }
places() {
    run db list --json
    json 'stores[0].entries[].{place,subject}' "$out" | sed 's/CN=Crossroot Test //; s/,O=.*//' |
        LC_ALL=C sort | tr '\t\n' ' ;'
}
fresh() { # old-root as an anchor, sibling-root distrusted; then key4.db goes
    rm -rf "$T/db"
    mkdir "$T/db"
    certutil -N -d "sql:$T/db" --empty-password
    add old-root C,,
    add sibling-root p,p,p
    rm "$T/db/key4.db"
}

for lost in missing empty; do
    fresh
    [[ $lost == missing ]] || : >"$T/db/key4.db"
    snap "$T/db" >"$T/before"
    expect_eq "key4.db is $lost: list knows all" "$(places)" 'anchor Old Root;distrust New Root;'
    expect_exit 0 'an anchor is verified' db verify "$P/old-root.pem"
    expect_exit 6 'and a distrusted one is not' db verify "$P/sibling-root.pem"
    expect_exit 0 'a change can be tried' db install --dry-run "$P/rsa-root.pem"
    snap "$T/db" >"$T/after"
    expect_same 'and none of these made one' "$T/before" "$T/after"
    expect_exit 0 'a change makes a new one' db install --yes "$P/rsa-root.pem"
    expect_eq 'with which certutil reads what was there' "$(nicks)" \
        'Crossroot Test RSA Root C,,
old-root C,,
sibling-root p,p,p'
    expect_eq 'and so do we' "$(places)" 'anchor Old Root;anchor RSA Root;distrust New Root;'
    expect_exit 0 'undo' db undo
    expect_eq 'takes back only the change' "$(nicks)" 'old-root C,,
sibling-root p,p,p'
done
fresh
expect_exit 0 'without key4.db, a removal' db remove "$P/old-root.pem"
expect_eq 'is one for certutil' "$(nicks)" 'sibling-root p,p,p'
fresh
expect_exit 0 'a distrust' db distrust --yes "$P/old-root.pem"
expect_eq 'too' "$(nicks)" 'old-root p,p,p
sibling-root p,p,p'
if can_drop; then
    fresh
    chmod 755 "$T"
    chmod 500 "$T/db"
    [[ $(id -u) -ne 0 ]] || chown -R 65534 "$T/db"
    run unprivileged "$XR_BIN" --worker "$XR_WORKER" --state "$T/nobody" --store "nss:$T/db" \
        "${use[@]}" list
    expect_grep 'is listed where nothing can be written' 'anchor .*Old Root' "$out"
    chmod 700 "$T/db"
fi

# ---- with a password
rm -rf "$T/db"
mkdir "$T/db"
printf 'open sesame\r\n' >"$T/password"
certutil -N -d "sql:$T/db" -f "$T/password"
add old-root C,, -f "$T/password"
run db --yes install --password-fd 5 "$P/rsa-root.pem" 5<"$T/password"
expect_eq 'a password file with CRLF, as certutil takes it' "$rc" 0
expect_no_grep 'nobody says that it was not given' 'was not given' "$out"
expect_grep 'but what libnss3 could not check' 'asked without the password' "$out"
printf 'open barley\r\n' >"$T/password"
run db --yes distrust --password-fd 5 "$P/rsa-root.pem" 5<"$T/password"
expect_eq 'another password' "$rc" 1
expect_grep 'is a wrong one' 'wrong password' "$out"
expect_eq 'and nothing is changed' "$(nicks)" 'Crossroot Test RSA Root C,,
old-root C,,'
finish
