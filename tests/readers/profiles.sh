#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot readers of browsers: a row a profile, with the opinion of the store that it reads.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"
command -v certutil >/dev/null || skip_all 'not here: no certutil'
cat "$P/leaf.pem" "$P/sub.pem" >"$T/short.pem"
profile=$HOME/.mozilla/firefox/a.default
chromium=$HOME/.pki/nssdb
mkdir -p "$profile" "$chromium"
certutil -N -d "sql:$profile" --empty-password
certutil -N -d "sql:$chromium" --empty-password
printf '[Profile0]\nName=work\nIsRelative=1\nPath=a.default\n' >"$HOME/.mozilla/firefox/profiles.ini"
rows() { # PROGRAM KEY...: values of each of its rows
    /usr/bin/env python3 -c 'import json, sys
for r in json.load(open(sys.argv[1]))["readers"]:
    if r["program"] == sys.argv[2]: print(*[json.dumps(r.get(k)) for k in sys.argv[3:]])' "$out" "$@"
}
readers() {
    run xr --scope user readers "$@"
}
readers --json
expect_eq 'one row for the profile of Firefox' "$(rows Firefox user | wc -l)" 1
expect_grep 'which names its store' "\"store\": \"nss:$profile\"" "$out"
for browser in Firefox Chromium; do
    store=nss:$profile
    [[ $browser == Firefox ]] || store=nss:$chromium
    path=$(rows $browser path)
    measured=$(rows $browser measured)
    if [[ $path == null || -z $path ]]; then
        skip "not here: no $browser"
        continue
    fi
    expect_eq "$browser reads its database first" "$(rows $browser reads | grep -o '"store": "[^"]*"' | head -n 1)" "\"store\": \"$store\""
    [[ $measured == true ]] || {
        skip "not here: $browser is not the version that was measured"
        continue
    }
    readers "$T/short.pem" --host localhost --json
    expect_eq "$browser refuses a chain that ends nowhere" "$(rows $browser ok)" false
    run xr --store "$store" install --yes "$P/old-root.pem"
    readers "$T/short.pem" --host localhost --json
    expect_eq "$browser with the old root alone" "$(rows $browser ok)" false
    run xr --store "$store" install --yes "$P/cross.pem"
    readers "$T/short.pem" --host localhost --json
    expect_eq "$browser with the cross certificate too" "$(rows $browser ok by)" "true \"$store\""
    run xr --store "$store" distrust --yes "$P/old-root.pem"
    readers "$T/short.pem" --host localhost --json
    expect_eq "$browser after the root was distrusted" "$(rows $browser ok)" false
done
run xr --store "nss:$profile" readers --json
expect_eq 'the readers of one store are those that read it' "$(rows curl ok | wc -l) $(rows Firefox user | wc -l)" '0 1'
run xr --store "nss:$profile" readers
expect_grep 'for people' "nss:$profile" "$out"
finish
