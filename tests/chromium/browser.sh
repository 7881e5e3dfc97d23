#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# browser.sh [PLUGIN]: what the real Chromium makes of its database, and that crossroot reads it as the
# browser does, also while it runs. A question is put to three servers, which send the leaf, the leaf
# and its CA, or these and the cross certificate.
mine=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
chromium_plugin=${1:+$(realpath -- "$1")}
# shellcheck source=tests/nss/browsing.sh
. "$mine/../nss/browsing.sh"
plugin=(${chromium_plugin:+--plugin "$chromium_plugin"})
data=$HOME/.config/chromium
file=$data/Default/ServerCertificate
store=chromium:$data/Default
mkdir -p "$data/Default"

mkdb() { /usr/bin/python3 "$mine/mkdb.py" "$@"; }
one() { xr "${plugin[@]}" --store "$store" "$@"; }
entries() { # what crossroot lists: PLACE SUBJECT…
    xr "${plugin[@]}" --store "$store" --json list >"$out" 2>"$err" || true
    json 'stores[].entries[].{place,sha256}' "$out" 2>/dev/null | sort | xargs
}
# state WHAT ANSWERS MKDB-ARG...: a database, and what the browser says when it starts with it
state() {
    local what=$1 answers=$2
    shift 2
    rm -f "$file"*
    [[ $# -eq 0 ]] || mkdb "$file" "$@"
    tell start chromium "$data"
    tell ask chromium "${ports[@]}"
    expect_eq "Chromium, $what" "$REPLY" "$answers"
}
stop() { tell stop chromium; }

# --- the browser makes it, and holds it

state 'in a new profile' 'no no no'
expect_eq 'it has made the file' "$(stat -c '%a %F' "$file")" '600 regular file'
expect_eq 'which crossroot finds while it runs' \
    "$(xr "${plugin[@]}" --scope user --exclude-store nss --json stores | json 'stores[].summary' /dev/stdin)" 'Chromium profile "Default"'
if /usr/bin/python3 - "$file" <<'END' 2>/dev/null
import sqlite3, sys
sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=0.1).execute("SELECT * FROM meta")
END
then
    skip 'this Chromium does not lock it'
else
    ok 'and which is locked for others'
fi
expect_exit 0 'list' one --json list
expect_json 'has nothing' 'stores[].entries' '[]'
expect_exit 0 'stores' one --json stores
expect_json 'says of nothing that it was left out' 'stores[].left_out' null
stop
expect_exit 0 'list afterwards' one list

# --- each kind of row, in the browser and in the list

old=$(sha old-root.pem) cross=$(sha cross.pem) new=$(sha new-root.pem) leaf=$(sha leaf.pem)
state 'old root trusted' 'no no yes' old-root.pem trust
expect_eq 'and listed while it runs' "$(entries)" "anchor $old"
stop
state 'under a wrong hash' 'no no yes' old-root.pem trust@0000
expect_eq 'and listed' "$(entries)" "anchor $old"
stop
state 'with the cross certificate as a hint' 'no yes yes' old-root.pem trust cross.pem hint
expect_eq 'and listed' "$(entries)" "anchor $old intermediate $cross"
stop
# Not the certificate that was sent: another one of its key.
state 'new root blocked, whose key is that of the cross certificate' 'no no no' old-root.pem trust new-root.pem block
expect_eq 'and listed' "$(entries)" "anchor $old distrust $new"
expect_exit 0 'stores' one --json stores
expect_grep 'says that a key is meant' 'every certificate of a key' <(one stores)
stop
state "a server's own certificate trusted" 'yes yes yes' leaf.pem trust
expect_eq 'and listed' "$(entries)" "peer $leaf"
stop
state 'limited to another name' 'no no net::ERR_CERT_INVALID' old-root.pem trust+example.com
expect_exit 0 'list' one --json list
expect_json 'says so' 'stores[].entries[].remark' 'of DNS names only example.com'
stop
# The certificate has an address beside its name: both count, whichever was asked for.
state 'limited to other addresses' 'no no net::ERR_CERT_INVALID' old-root.pem trust+10.0.0.0/8
stop
state 'limited to its address, and to no name' 'no no yes' old-root.pem trust+127.0.0.0/8
stop
state 'limited to this name' 'no no yes' old-root.pem trust+localhost
stop

# --- what crossroot does not know is never shown as known

state 'with a kind of trust that nobody knows' 'no no no' old-root.pem hex:0a020804
expect_eq 'which is not listed' "$(entries)" ''
expect_exit 0 'stores' one --json stores
expect_grep 'but said' 'its trust is of an unknown kind' "$out"
stop
state 'of a version that it may not read' 'no no no' --version 2 --compatible 2 old-root.pem trust
expect_eq 'has been emptied by the browser' "$(entries)" ''
expect_exit 0 'which then lists as the new one it is' one list
stop
finish
