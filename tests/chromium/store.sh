#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# store.sh [PLUGIN]: the certificate database of Chromium's profiles as stores: what is found and shown,
# that reading writes nothing, and every state that such a file may be in. changes.sh changes them.
# shellcheck source=tests/chromium/profile.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/profile.sh"
user=("${plugin[@]}" --scope user --exclude-store nss)
stores() { json 'stores[].store' "$out" | sed -n "s|^chromium:$HOME/||p" | paste -sd ' '; }
fails() { # WHAT EXTENDED-REGEX: list fails with that reason, whatever is there
    expect_exit 1 "list of $1" timeout 60 "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${plugin[@]}" --store "$store" list
    expect_grep 'says why' "$2" "$err"
}

# --- what is found

expect_exit 0 'stores without a browser' xr "${user[@]}" --json stores
expect_eq 'there is none' "$(stores)" ''
mkdir -p "$config/Profile 2" "$config/System Profile"
touch "$config/Profile 2/Preferences" "$config/Local State"
ln -s "$HOSTNAME-1" "$config/SingletonLock"
expect_exit 0 'stores with a profile that has no database' xr "${user[@]}" --json stores
expect_eq 'that is none either' "$(stores)" ''
usual "$profile"
usual "$config/Profile 1"
usual "$HOME/.config/BraveSoftware/Brave-Browser/Default"
usual "$HOME/.config/opera"
usual "$HOME/snap/chromium/common/chromium/Default"
usual "$HOME/.var/app/org.chromium.Chromium/config/chromium/Default"
usual "$HOME/elsewhere"
ln -s ../chromium "$HOME/.config/google-chrome"
ln -s nowhere "$HOME/.config/vivaldi"
expect_exit 0 'stores' xr "${user[@]}" --json stores
expect_eq 'every profile with a database, once' "$(json 'stores[].summary' "$out" | paste -sd ,)" \
    'Chromium profile "Default",Chromium profile "Profile 1",Brave profile "Default",Opera,Chromium profile "Default" (snap),Chromium profile "Default" (flatpak)'
expect_json 'what one can hold' "stores[store=$store].places[]" 'anchor intermediate peer distrust'
expect_json 'for whom' "stores[store=$store].purposes[]" server
expect_json 'to be written, but only by its name' "stores[store=$store].{writable,only_named}" "true	true"
mkdir -p "$T/config/chromium"
mv "$config/Profile 1" "$T/config/chromium"
expect_exit 0 'stores with another directory of settings' env XDG_CONFIG_HOME="$T/config" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${user[@]}" --json stores
expect_eq 'which is searched instead' "$(json 'stores[].store' "$out" | grep -c "^chromium:$T/config/chromium/Profile 1$") $(stores)" \
    '1 snap/chromium/common/chromium/Default .var/app/org.chromium.Chromium/config/chromium/Default'
rm -rf "$HOME/.config/opera" "$HOME/.config/BraveSoftware" "$HOME/snap" "$HOME/.var" "$HOME/.config/google-chrome" "$HOME/.config/vivaldi"

# --- what is shown

before=$(snap "$HOME/.config")
expect_exit 0 'list' xr "${user[@]}" --json list
expect_json 'each row is an entry' "stores[store=$store].entries[].{place,sha256}" \
    "anchor	$old intermediate	$(sha "$P/cross.pem") peer	$(sha "$P/leaf.pem") distrust	$(sha "$P/rsa-root.pem")"
expect_json "the user's own, not crossroot's" "stores[store=$store].entries[place=anchor].{vendor,managed}" 'false	false'
expect_exit 0 'by its address' one list
expect_grep 'with its limits' '^ +limited to names below example.com, and addresses in 10.0.0.0/8$' "$out"
expect_exit 1 'list of the file' xr "${plugin[@]}" --store "$store/ServerCertificate" list
expect_grep 'names the address' "that is a file; the address is $store\$" "$err"
expect_exit 1 'list of a directory that is no profile' xr "${plugin[@]}" --store "chromium:$config" list
expect_grep 'says what is missing' 'it has no ServerCertificate' "$err"
expect_exit 0 'list of a profile without a database' xr "${plugin[@]}" --store "chromium:$config/Profile 2" --json list
expect_json 'is empty' 'stores[].entries' '[]'
usual "$HOME/elsewhere"
expect_exit 0 'a profile that is elsewhere' xr "${plugin[@]}" --store "chromium:$HOME/elsewhere" list

# --- what commands make of it that do not name it

mkdir "$T/openssl"
expect_exit 1 'install where only these are' xr "${user[@]}" install --yes "$P/new-root.pem"
expect_grep 'says that they are to be named' 'every store found here is changed only if --store names it' "$err"
expect_exit 0 'install of what is there already' one install --yes "$P/cross.pem"
expect_exit 0 'a dry run' one -n install --yes "$P/new-root.pem"
expect_exit 1 'verify, asked of it alone' one verify "$P/cross.pem"
expect_grep 'says what else counts, and what it knows' "cannot tell: the user's NSS database and managed policies count too; this database alone cannot tell: $file limits the anchor" "$out"
expect_exit 6 'verify of what it blocks' one verify "$P/rsa-root.pem"
expect_grep 'is sure' "no: \"Crossroot Test RSA Root\" is distrusted by $file" "$out"
run xr "${user[@]}" verify "$P/old-root.pem"
expect_no_grep 'verify leaves it out otherwise' 'chromium:.*yes' "$out"
expect_eq 'all the while nothing was written' "$(snap "$HOME/.config")" "$before"
if can_trace; then
    run traced -f -o "$T/trace" -e trace="$MUTATING" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${plugin[@]}" --store "$store" list
    expect_eq 'nor tried' "$(grep -cE "ServerCertificate.*O_(WRONLY|RDWR|CREAT)|O_(WRONLY|RDWR|CREAT).*ServerCertificate|$config.*(unlink|rename|mkdir)" "$T/trace")" 0
    expect_grep 'although it was read' 'openat\(.*"ServerCertificate", O_RDONLY' "$T/trace"
fi

# --- states of the file

usual "$profile"
mkdb "$file" "$P/new-root.pem" trust@0000 "$P/new-root.pem" trust@0001
expect_exit 0 'list of rows under wrong hashes' one --json list
expect_json 'is one entry' "stores[].entries[sha256=$(sha "$P/new-root.pem")].remark" \
    'it is stored under a wrong hash, so the browser uses it and cannot remove it'
usual "$profile"
mkdb "$file" "$P/new-root.pem" hex:0a0208031801
expect_exit 0 'list with a row that is not known' one --json list
expect_eq 'has the others' "$(json 'stores[].entries[].sha256' "$out" | wc -l)" 4
expect_grep 'and says so' 'has a row that is not known: its trust settings have an unknown part' "$out"
expect_exit 0 'stores' one --json stores
expect_grep 'says so too' 'has a row that is not known' "$out"
rm "$file"
mkdb "$file" --version 2 "$P/old-root.pem" trust
expect_exit 0 'a newer version that older readers may read' one --json list
expect_json 'is read' 'stores[].entries[].sha256' "$old"
expect_grep 'and said' 'has version 2 of its format' "$out"
rm "$file"
mkdb "$file" --version 2 --compatible 2 "$P/old-root.pem" trust
fails 'one that they may not' 'has version 2 of its format, and version 1 is known'

usual "$profile"
printf '\xd9\xd5\x05\xf9\x20\xa1\x63\xd7%020d' 0 >"$file-journal"
before=$(snap "$profile")
fails 'a database with a hot journal' "an interrupted write of another program must be rolled back first: run crossroot recover --store $store"
expect_eq 'and leaves both as they are' "$(snap "$profile")" "$before"
: >"$file-journal"
expect_exit 0 'an empty journal is none' one list
rm "$file-journal"
echo x >"$file-wal"
fails 'a database with a log' 'changes of it are in a ServerCertificate-wal'
rm "$file-wal"

printf 'nonsense' >"$file"
fails 'no database' 'ServerCertificate is damaged: file is not a database'
usual "$profile"
truncate -s 9000 "$file"
fails 'half a database' 'ServerCertificate is damaged'
: >"$file"
expect_exit 0 'an empty file' one --json list
expect_json 'is one without entries' 'stores[].entries' '[]'
rm "$file"
mkfifo "$file"
fails 'a FIFO' 'ServerCertificate is not a regular file'
rm "$file"
ln -s ../../../elsewhere/ServerCertificate "$file"
fails 'a link' 'ServerCertificate is a link'
rm "$file"
mkdir "$file"
fails 'a directory' 'ServerCertificate is not a regular file'
rmdir "$file"
usual "$profile"
truncate -s 200M "$file"
fails 'a file that is too large' 'is larger than'
usual "$profile"
if [[ $(id -u) -eq 0 ]]; then
    chown 12345 "$file"
    fails "somebody else's file" 'belongs to another user \(ID 12345\)'
    usual "$profile"
else
    chmod 0 "$file"
    expect_exit 5 'a file that may not be read' one list
    usual "$profile"
fi
rm "$file"
mkdb "$file" --count 100000 "$P/old-root.pem" trust
expect_exit 0 'list of a hundred thousand rows' one --json list
expect_json 'with one certificate' 'stores[].entries[].sha256' "$old"
usual "$profile"

# --- in an image

if [[ $(id -u) -eq 0 ]] && can_drop; then
    image=$T/image
    chmod 755 "$T"
    mkdir -p "$image/etc" "$image/home"
    echo 'alice:x:71001:71001:Alice:/home/alice:/bin/sh' >"$image/etc/passwd"
    usual "$image/home/alice/.config/chromium/Default"
    chown -R 71001:71001 "$image/home/alice"
    worker=$T/worker so=()
    cp "$XR_WORKER" "$worker"
    [[ -z ${1:-} ]] || { cp "$1" "$T/chromium.so"; so=(--plugin "$T/chromium.so"); }
    expect_exit 0 'list of an image' "$XR_BIN" --worker "$worker" --state "$state" "${so[@]}" --root "$image" --scope all-users --json list
    expect_eq 'reads it as its user' "$(json 'stores[store=chromium:/home/alice/.config/chromium/Default].entries[].place' "$out" | paste -sd ' ')" \
        'anchor intermediate peer distrust'
fi
finish
