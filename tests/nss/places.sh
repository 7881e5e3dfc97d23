#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where NSS databases are: one that Chromium has not made yet, profiles that their browser does not
# read, root's own. What discovery finds in which place is a unit test.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil'
make_pki "$T/pki"
new=$HOME/.local/share/pki/nssdb
mine() { xr --scope user "$@"; }
stores_of() { json 'stores[].store' "$out" | sed "s|$HOME|~|" | xargs; }
modes() { (cd "$HOME" && find .local -type d -printf '%P %m\n' && find .local -type f -printf '%f %m\n') | sort | xargs; }
nicks() { certutil -L -d "sql:$1" | sed -n '5,$ { /needs user init/d; s/ *$//; s/  */ /g; /./p }'; }

# ---- a Chromium that was started and never connected
mkdir -p "$HOME/.config/chromium"
for verb in stores list "verify $P/old-root.pem" "remove $P/old-root.pem" "install --dry-run $P/old-root.pem"; do
    # shellcheck disable=SC2086 # words
    run mine --json $verb
    expect_eq "$verb: exit" "$rc" "$([[ $verb == verify* ]] && echo 6 || echo 0)"
    expect_eq "$verb: the store is there" "$(stores_of)" 'nss:~/.local/share/pki/nssdb'
done
expect_absent 'and none of these made it' "$HOME/.local"
expect_exit 0 'by its address' xr --store "nss:$new" stores
expect_exit 1 'nothing else is made' xr --store "nss:$HOME/.local/share/pki/other" install --yes "$P/old-root.pem"
expect_grep 'but is missing' 'no such directory' "$out"
expect_exit 1 'nor by an address with ..' xr --store "nss:$HOME/.local/share/../share/pki/nssdb" list
for mask in 022 077 000; do
    rm -rf "$HOME/.local"
    umask $mask
    expect_exit 0 "install, umask $mask" mine install --yes "$P/old-root.pem"
    umask 022
    expect_eq 'as Chromium makes it' "$(modes)" \
        '700 cert9.db 600 key4.db 600 share 700 share/pki 700 share/pki/nssdb 700'
done
expect_eq 'with the root' "$(nicks "$new")" 'Crossroot Test Old Root C,,'
expect_exit 0 'verified there' mine verify "$P/old-root.pem"
expect_exit 0 'undone' mine undo --yes
expect_eq 'an empty database is left' "$(nicks "$new")" ''
rm -rf "$HOME/.local"
expect_exit 0 'by its address, all of which is missing' xr --store "nss:$new" install --yes "$P/old-root.pem"
expect_eq 'it is there' "$(nicks "$new")" 'Crossroot Test Old Root C,,'
rm -rf "$HOME/.local"
mkdir -p "$HOME/.pki/nssdb"
expect_exit 1 'where the old place counts, the new one is not made' \
    xr --store "nss:$new" install --yes "$P/old-root.pem"
expect_exit 0 'the old one is used' mine install --yes "$P/old-root.pem"
expect_eq 'and filled' "$(nicks "$HOME/.pki/nssdb")" 'Crossroot Test Old Root C,,'
rm -rf "$HOME/.pki"
ln -s "$T/elsewhere" "$HOME/.local"
mine install --yes "$P/old-root.pem" >"$out" 2>"$err" && rc=0 || rc=$?
expect_absent 'through a link to nowhere nothing is made' "$T/elsewhere"
rm "$HOME/.local"
mkdir "$HOME/.local"
chmod 500 "$HOME/.local"
if [[ $(id -u) -ne 0 ]]; then
    run mine --json stores
    expect_json 'where it cannot be made it says why' 'stores[0].why_not' 'Permission denied'
fi
chmod 700 "$HOME/.local"
rmdir "$HOME/.local"
: >"$HOME/.local"
run mine install --yes "$P/old-root.pem"
expect_eq 'a file in the way: exit' "$rc" 1
rm "$HOME/.local"
export XDG_DATA_HOME=$HOME/data
expect_exit 0 'where XDG_DATA_HOME says' mine install --yes "$P/old-root.pem"
unset XDG_DATA_HOME
expect_eq 'it is made' "$(nicks "$HOME/data/pki/nssdb")" 'Crossroot Test Old Root C,,'
rm -rf "$HOME/.config" "$HOME/data"

# ---- programs in boxes
box=$HOME/.var/app/com.brave.Browser/.pki/nssdb
mkdir -p "$box"
run mine --json stores
expect_json 'a flatpak' "stores[store=nss:$box].summary" 'Brave (flatpak)'
expect_exit 0 'is a store' xr --store "nss:$box" install --yes "$P/old-root.pem"
expect_eq 'that holds' "$(nicks "$box")" 'Crossroot Test Old Root C,,'
rm -rf "$HOME/.var"

# ---- browsers that keep their certificates in memory
forgets() { # WHAT DIR
    certutil -N -d "sql:$2" --empty-password
    certutil -A -d "sql:$2" -n old -t C,, -a -i "$P/old-root.pem"
    snap "$2" >"$T/before"
    expect_exit 1 "$1: install" xr --store "nss:$2" install --yes "$P/new-root.pem"
    expect_grep 'is refused' "cannot be written: $1 keeps certificates in memory only.*security.nocertdb" "$out"
    expect_exit 0 'list' xr -v --store "nss:$2" list
    expect_grep 'says that it is not read' "cert9.db: $1 does not read it" "$err"
    expect_exit 0 'verify' xr --store "nss:$2" verify "$P/old-root.pem"
    expect_grep 'says so too' "yes.*$1 does not read this database" "$out"
    snap "$2" >"$T/after"
    expect_same 'it stays as it is' "$T/before" "$T/after"
}
mkdir "$T/plain"
forget='user_pref("security.nocertdb", true);'
printf '%s\n' "$forget" >"$T/plain/prefs.js"
forgets 'its browser' "$T/plain"
printf 'user_pref( "security.nocertdb" , false );\n' >"$T/plain/user.js"
expect_exit 0 'user.js wins' xr --store "nss:$T/plain" install --yes "$P/new-root.pem"
rm "$T/plain/user.js"
for text in "// $forget" 'user_pref("security.nocertdb2", true);' 'user_pref("x", "security.nocertdb, true");'; do
    printf '%s\n' "$text" >"$T/plain/prefs.js"
    expect_exit 0 "not meant: $text" xr -v --store "nss:$T/plain" list
    expect_no_grep 'nothing is said' 'does not read it' "$err"
done
rm "$T/plain/prefs.js"
mkfifo "$T/plain/prefs.js"
expect_exit 0 'a FIFO is no preference' xr --store "nss:$T/plain" list
tor=$HOME/.local/share/torbrowser/tbb/x86_64/tor-browser/Browser/TorBrowser/Data/Browser
mkdir -p "$tor/profile.default"
printf '[Profile0]\nName=default\nIsRelative=1\nPath=profile.default\n' >"$tor/profiles.ini"
run mine --json stores
expect_json 'Tor Browser is found' "stores[store=nss:$tor/profile.default].summary" 'Tor Browser profile "default"'
forgets 'Tor Browser' "$tor/profile.default"
printf 'user_pref("security.nocertdb", false);\n' >"$tor/profile.default/prefs.js"
expect_exit 0 'and used if its user says so' xr --store "nss:$tor/profile.default" install --yes "$P/new-root.pem"
rm -rf "$HOME/.local"

# ---- whose database it is
chromium_reads() { # WHAT COUNT DIR
    run xr --store "nss:$3" verify "$P/old-root.pem"
    expect_eq "$1" "$(grep -c '^  Chromium: ' "$out" || true)" "$2"
}
new=$HOME/.local/share/pki/nssdb
mkdir -p "$new"
chromium_reads 'Chromium reads the newer place' 1 "$new"
mkdir -p "$HOME/.pki/nssdb"
chromium_reads 'but not where the older one is there' 0 "$new"
chromium_reads 'which it reads then' 1 "$HOME/.pki/nssdb"
rm -rf "$HOME/.pki" "$HOME/.local"

# ---- root's own
if [[ $(id -u) -eq 0 ]]; then
    mkdir -p "$HOME/.pki/nssdb" "$HOME/.mozilla/firefox/p"
    printf '[Profile0]\nPath=p\n' >"$HOME/.mozilla/firefox/profiles.ini"
    left="nss: 2 stores of root's own are left out .$HOME/.mozilla/firefox/p….: --scope all-users includes them"
    expect_exit 0 'the system alone' xr --exclude-store p11-kit --exclude-store ca-certificates --scope system stores
    expect_grep 'names what is left out' "$left" "$err"
    SUDO_UID=4242 xr stores >"$out" 2>"$err" || true
    expect_grep 'so under sudo' "$left" "$err"
    expect_eq 'once' "$(grep -c 'left out .*includes them' "$err")" 1
    run mine stores
    expect_no_grep 'not where they are included' 'left out' "$err"
    run xr --scope all-users stores
    expect_no_grep 'nor here' 'left out' "$err"
    rm -rf "$HOME/.pki" "$HOME/.mozilla"
    mkdir -p "$HOME/.config/chromium"
    run xr --scope system stores
    expect_no_grep 'what nobody made yet is not counted' 'left out' "$err"
fi
finish
