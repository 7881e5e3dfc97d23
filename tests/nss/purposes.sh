#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installing adds: what an anchor is trusted for stays, and only --only takes it away. certutil is the
# judge, and every preview says what it is trusted for before and after.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
make_pki "$T/pki"
root=$P/old-root.pem
s=(--store "nss:$T/db")

holds() { # TRUST: a database in which certutil made the root an anchor
    rm -rf "$T/db" "$state"
    mkdir "$T/db"
    certutil -N -d "sql:$T/db" --empty-password
    certutil -A -d "sql:$T/db" -n root -t "$1" -a -i "$root"
}
trust() {
    certutil -L -d "sql:$T/db" | sed -nE 's/^root +([^ ]*,[^ ]*,[^ ]*) *$/\1/p'
}

# TRUST ARGUMENTS TRUST-AFTER TEXT: what the preview and the result say
while IFS='|' read -r before args after text; do
    holds "$before"
    read -ra args <<<"$args"
    run xr "${s[@]}" install --dry-run "${args[@]}" "$root"
    expect_eq "$before, install ${args[*]}: the dry run says it" \
        "$(sed -nE 's/^ +trusted for: //p' "$out")" "$text"
    run xr "${s[@]}" install "${args[@]}" "$root"
    expect_eq 'and asks' "$rc" "$([[ -n $text ]] && echo 7 || echo 0)"
    [[ -z $text ]] || expect_grep 'with the same words' "trusted for: $text" "$err"
    expect_exit 0 'done' xr "${s[@]}" install --yes "${args[@]}" "$root"
    expect_eq 'and says so' "$(sed -nE 's/^ +trusted for: //p' "$out")" "$text"
    expect_eq 'as certutil reads it' "$(trust)" "$after"
    [[ -z $text ]] && continue
    expect_exit 0 'undo' xr "${s[@]}" undo --yes
    expect_eq 'puts the trust back' "$(trust)" "$before"
done <<'TABLE'
C,,|--for email|C,C,|server → server, email
T,C,C||CT,C,C|client, email, code → server, client, email, code
CT,C,C||CT,C,C|
CT,C,C|--for email|CT,C,C|
CT,C,C|--only|C,,|server, client, email, code → server
CT,C,C|--only --for email --for code|,C,C|server, client, email, code → email, code
C,,|--only --for email|,C,|server → email
C,,|--only|C,,|
C,,|--for any|CT,C,C|server → server, client, email, code
TABLE

holds CT,C,C
run xr "${s[@]}" install --yes --only "$root"
run xr "${s[@]}" undo
expect_grep 'an undo that gives purposes back asks, and says which' \
    'taken away; trusted for: server → server, client, email, code' "$err"

holds C,,
run xr "${s[@]}" --json --dry-run install --for email "$root"
expect_json 'as JSON' 'stores[0].steps[].{before,after}' $'["server"]\t["server","email"]'
run xr "${s[@]}" --json --dry-run install "$P/rsa-root.pem"
expect_json 'a new one was trusted for nothing' 'stores[0].steps[].{before,after}' $'[]\t["server"]'
run xr "${s[@]}" --json remove --yes "$root"
expect_json 'and one that is removed is trusted for nothing more' 'stores[0].steps[].{before,after}' $'["server"]\t[]'

echo '# peers: what the browser makes of them follows from where the database lies'
peers() { # DIR TEXT
    local dir=$HOME/$1
    mkdir -p "$dir"
    run xr --store "nss:$dir" install --yes --as peer "$P/leaf.pem"
    expect_eq "$1: a peer is installed" "$rc" 0
    expect_grep 'and certutil reads it' 'P,,' <(certutil -L -d "sql:$dir")
    [[ -z $2 ]] || expect_grep 'with what the browser makes of it' "$2" "$out"
    run xr --store "nss:$dir" verify "$P/leaf.pem"
    expect_eq 'libnss3 says yes' "$rc" 0
    if [[ -n $2 ]]; then expect_grep 'and this beside it' "$2" "$out"; else expect_no_grep 'and nothing is added' 'peer' "$out"; fi
}
peers .mozilla/firefox/a.default 'Firefox and its relatives ignore the trust of a peer'
peers .pki/nssdb ''
expect_grep 'which Chromium takes' '^  Chromium: yes$' "$out"
peers elsewhere ''
expect_no_grep 'and no browser is guessed' 'Chromium\|Firefox' "$out"

echo '# a store that cannot restrict'
o=(--store "openssl:$T/trust")
expect_exit 0 'takes --only' xr "${o[@]}" install --yes --only "$root"
expect_exit 0 'and has it already' xr "${o[@]}" install --only "$root"
expect_exit 2 'only install has it' xr "${o[@]}" remove --only "$root"
finish
