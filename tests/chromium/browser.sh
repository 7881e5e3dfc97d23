#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# browser.sh [PLUGIN]: what the real Chromium makes of its database as crossroot writes it and as others
# do, and that crossroot reads it as the browser does, also while it runs. A question is put to three
# servers, which send the leaf, the leaf and its CA, or these and the cross certificate.
mine=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
chromium_plugin=${1:+$(realpath -- "$1")}
# shellcheck source=tests/nss/browsing.sh
. "$mine/../nss/browsing.sh"
plugin=(${chromium_plugin:+--plugin "$chromium_plugin"})
data=$HOME/.config/chromium
file=$data/Default/ServerCertificate
store=chromium:$data/Default
# shellcheck source=tests/chromium/others.sh
. "$mine/others.sh"
mkdir -p "$data/Default"

mkdb() { /usr/bin/python3 "$mine/mkdb.py" "$@"; }
one() { xr "${plugin[@]}" --store "$store" "$@"; }
show() { mkdb "$file" --show; }
entries() { # what crossroot lists: PLACE SUBJECT…
    xr "${plugin[@]}" --store "$store" --json list >"$out" 2>"$err" || true
    json 'stores[].entries[].{place,sha256}' "$out" 2>/dev/null | sort | xargs
}
# state WHAT ANSWERS [MKDB-ARG...]: a database, unless it is there already, and what the browser says
# when it starts with it
state() {
    local what=$1 answers=$2
    shift 2
    [[ $# -eq 0 ]] || { rm -f "$file"*; mkdb "$file" "$@"; }
    tell start chromium "$data"
    tell ask chromium "${ports[@]}"
    expect_eq "Chromium, $what" "$REPLY" "$answers"
}
stop() { tell stop chromium; }
old=$(sha old-root.pem) cross=$(sha cross.pem) new=$(sha new-root.pem) rsa=$(sha rsa-root.pem)

# --- a profile that was never started: the database is crossroot's

echo '{}' >"$data/Default/Preferences"
expect_exit 0 'install into a profile without a database' one install --yes old-root.pem cross.pem
ours=$(show)
state 'with the database that crossroot made' 'no yes yes'
expect_eq 'and listed while it runs' "$(entries)" "anchor $old intermediate $cross"
manager=chrome://certificate-manager/localcerts/usercerts
shows() { # WHAT LISTS [HASH]: in its certificate manager, where that one is deleted first
    tell page "$manager" "$mine/manager.js" "${@:2}"
    expect_eq "$1" "$REPLY" "$2"
}
shows 'its certificate manager shows them' "trusted $old intermediate $cross distrusted"
expect_exit 1 'install while it runs' one install --yes new-root.pem
expect_grep 'names it and what to do' \
    'cannot be written: Chromium \(process [0-9]+\) is running with this profile and keeps the file locked: close it first' "$out"
expect_exit 1 'undo while it runs' one undo --yes
stop
expect_eq 'it has kept every row, and what is in meta' "$(show)" "$ours"
expect_exit 0 'undo' one undo --yes
state 'after undo' 'no no no'
stop

# --- each kind of change that crossroot makes, and its undo, beside what the user has

# changes WHAT ANSWERS COMMAND...: in a database with rows of the user's
changes() {
    local what=$1 answers=$2 before
    shift 2
    before=$(show)
    expect_exit 0 "$what" one "$@"
    ours=$(show)
    state "$what" "$answers"
    stop
    expect_eq 'kept as it is' "$(show)" "$ours"
    expect_exit 0 'undo' one undo --yes
    expect_eq 'gives back the rows' "$(show)" "$before"
}
mkdb "$file" rsa-root.pem block
changes 'old root' 'no no yes' install --yes old-root.pem
changes 'cross certificate as an anchor, wrongly' 'no yes yes' install --yes --as anchor cross.pem
changes "a server's own certificate" 'yes yes yes' install --yes --as peer leaf.pem
changes 'old root for another name' 'no no net::ERR_CERT_INVALID' install --yes --permit-dns example.com old-root.pem
changes 'old root for this name, and for its address' 'no no yes' install --yes --permit-dns localhost --permit-cidr 127.0.0.0/8 old-root.pem
mkdb "$file" old-root.pem trust cross.pem hint
changes 'distrust of the cross certificate' 'no no no' distrust --yes --key cross.pem
# Not the certificate that was sent: another one of its key.
changes 'distrust of the new root, whose key is that of the cross certificate' 'no no no' distrust --yes --key new-root.pem
state 'and as it was before all that' 'no yes yes'
# What is deleted in the certificate manager is the user's doing.
stop
expect_exit 0 'install of the new root' one install --yes new-root.pem
state 'with it' 'no yes yes'
shows 'the user deletes it in the certificate manager' "trusted $old intermediate $cross distrusted $rsa" "$new"
stop
expect_eq 'and it is gone' "$(entries)" "anchor $old distrust $rsa intermediate $cross"
expect_exit 0 'undo of that install' one undo --yes
expect_grep 'finds nothing to do' 'unchanged' "$out"

# --- with the NSS database, written by crossroot too

nss=(xr --store "nss:$HOME/.pki/nssdb")
mkdir -p "$HOME/.pki/nssdb"
rm -f "$file"
mkdb "$file" rsa-root.pem block
expect_exit 0 'old root in NSS' "${nss[@]}" install --yes old-root.pem
changes 'cross certificate as a hint, old root in NSS' 'no yes yes' install --yes cross.pem
changes 'distrust of the old root, which NSS trusts' 'no no no' distrust --yes --key old-root.pem
expect_exit 0 'cross certificate in NSS too' "${nss[@]}" install --yes cross.pem
changes 'distrust of the cross certificate, which is in NSS' 'no no no' distrust --yes --key cross.pem
expect_exit 0 'old root distrusted in NSS' "${nss[@]}" distrust --yes old-root.pem
changes 'old root and cross certificate, against NSS' 'no no no' install --yes old-root.pem cross.pem
rm -r "$HOME/.pki"
mkdir -p "$data/Profile 1"
echo '{}' >"$data/Profile 1/Preferences"
expect_exit 0 'another profile' xr "${plugin[@]}" --store "chromium:$data/Profile 1" install --yes old-root.pem cross.pem
state 'which is a world of its own' 'no no no'
stop

# --- the browser makes it, and holds it

rm -f "$file"*
state 'in a profile without a database' 'no no no'
expect_eq 'it has made the file' "$(stat -c '%a %F' "$file")" '600 regular file'
expect_eq 'which crossroot finds while it runs' \
    "$(xr "${plugin[@]}" --scope user --exclude-store nss --json stores | json 'stores[].summary' /dev/stdin | head -n 1)" 'Chromium profile "Default"'
expect_exit 0 'list' one --json list
expect_json 'has nothing' 'stores[].entries' '[]'
expect_exit 1 'an install' one install --yes old-root.pem
expect_grep 'has to wait' 'Chromium \(process [0-9]+\) is running' "$out"
stop
made=$(/usr/bin/python3 -c 'import sqlite3,sys; print(*sqlite3.connect(sys.argv[1]).iterdump(), sep="\n")' "$file")
expect_exit 0 'install into what the browser made' one install --yes old-root.pem
state 'with it' 'no no yes'
stop
rm -f "$file"*
one install --yes old-root.pem >/dev/null 2>&1
one remove --yes "$old" >/dev/null 2>&1
expect_eq 'what crossroot makes is the same' \
    "$(/usr/bin/python3 -c 'import sqlite3,sys; print(*sqlite3.connect(sys.argv[1]).iterdump(), sep="\n")' "$file")" "$made"
: >"$file"
state 'with an empty file' 'no no no'
stop
expect_exit 0 'which it has filled' one list

# --- while somebody else writes

# Chromium goes on without the database if it is locked when it starts, and loses nothing.
rm -f "$file"*
mkdb "$file" old-root.pem trust
before=$(show)
hold 'BEGIN EXCLUSIVE'
state 'while the file is locked for writing' 'no no no'
let_go
stop
expect_eq 'has lost nothing' "$(show)" "$before"
state 'and has it after the next start' 'no no yes'
stop
# As crossroot holds it until it commits.
hold 'BEGIN IMMEDIATE'
state 'while somebody only compares' 'no no yes'
let_go
stop
# The journal of a writer that was killed.
killed_writer
state 'after a writer was killed' 'no no yes'
stop
expect_eq 'has what was there before' "$(show)" "$before"

# --- rows that others wrote

state 'under a wrong hash' 'no no yes' old-root.pem trust@0000
expect_eq 'and listed' "$(entries)" "anchor $old"
stop
state 'limited to other addresses' 'no no net::ERR_CERT_INVALID' old-root.pem trust+10.0.0.0/8
stop
state 'limited to its address, and to no name' 'no no yes' old-root.pem trust+127.0.0.0/8
stop
state 'limited to a name in capitals with a dot behind it' 'no no yes' old-root.pem trust+LocalHost.
expect_exit 0 'list' one --json list
expect_json 'reads it so' 'stores[].entries[].limits.dns_names[]' localhost
stop
state 'limited to the empty name' 'no no yes' old-root.pem hex:0a02080312020a00
stop
state 'limited to a name with a dot before it' 'no no net::ERR_CERT_INVALID' old-root.pem trust+.localhost
expect_exit 0 'list' one --json list
expect_json 'shows it' 'stores[].entries[].remark' \
    'of DNS names only .localhost; it cannot be changed here: it is limited to names of a form that is not known'
stop

# --- what crossroot does not know is never shown as known, and stays

state 'with a kind of trust that nobody knows' 'no no no' old-root.pem hex:0a020804
expect_eq 'which is not listed' "$(entries)" ''
expect_exit 0 'stores' one --json stores
expect_grep 'but said' 'its trust is of an unknown kind' "$out"
stop
rm -f "$file"
mkdb "$file" old-root.pem hex:0a0208031801
before=$(show)
expect_exit 0 'install beside an unknown field' one install --yes cross.pem
state 'which takes both' 'no yes yes'
stop
expect_eq 'leaves it' "$(show | grep "^$old")" "$(grep "^$old" <<<"$before")"
rm -f "$file"
mkdb "$file" --version 2 old-root.pem trust
before=$(show)
expect_exit 1 'install into a later version' one install --yes cross.pem
state 'of a later version that it may read' 'no no yes'
stop
expect_eq 'stays as it is' "$(show)" "$before"
state 'of a version that it may not read' 'no no no' --version 2 --compatible 2 old-root.pem trust
expect_eq 'has been emptied by the browser' "$(entries)" ''
expect_exit 0 'which then lists as the new one it is' one list
stop
finish
