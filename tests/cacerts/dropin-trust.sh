#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Our update-ca-trust, and what Fedora's makes by `trust extract`, from the same sources.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
private_root "$@"
command -v trust >/dev/null || skip_all 'no p11-kit here'
make_pki "$T/pki"
ours=${XR_BIN%/*}/update-ca-trust
store=/etc/pki/ca-trust
source=$store/source
mkdir -p "$source"/{anchors,blocklist} "$store"/extracted/{openssl,pem/directory-hash,java,edk2} /etc/pkcs11/modules
printf 'module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "$source" \
    >/etc/pkcs11/modules/p11-kit-trust.module

# theirs DIRECTORY: the commands of Fedora's script
theirs() {
    local to=$1 anchors='--filter=ca-anchors --overwrite'
    mkdir -p "$to"/{openssl,pem,java,edk2}
    trust extract --format=openssl-bundle --filter=certificates --overwrite --comment "$to/openssl/ca-bundle.trust.crt"
    # shellcheck disable=SC2086
    {
        trust extract --format=pem-bundle $anchors --comment --purpose=server-auth "$to/pem/tls-ca-bundle.pem"
        trust extract --format=pem-bundle $anchors --comment --purpose=email "$to/pem/email-ca-bundle.pem"
        trust extract --format=pem-bundle $anchors --comment --purpose=code-signing "$to/pem/objsign-ca-bundle.pem"
        trust extract --format=java-cacerts $anchors --purpose=server-auth "$to/java/cacerts"
        trust extract --format=edk2-cacerts $anchors --purpose=server-auth "$to/edk2/cacerts.bin"
        trust extract --format=pem-directory-hash $anchors --purpose=server-auth "$to/pem/directory-hash"
    }
    chmod u+w "$to/pem/directory-hash"
    ln -s ../tls-ca-bundle.pem "$to/pem/directory-hash/ca-certificates.crt"
    ln -s ../tls-ca-bundle.pem "$to/pem/directory-hash/ca-bundle.crt"
    chmod u-w "$to/pem/directory-hash"
}

tree() { # DIRECTORY: but for the times in the keystore
    find "$1" -mindepth 1 -printf '%P %y %m %l\n' | LC_ALL=C sort
    find "$1" -type f ! -path '*/java/*' -printf '%P\n' | LC_ALL=C sort | (cd "$1" && xargs sha256sum)
    stat -c %s "$1/java/cacerts"
}

compare() { # WHAT
    rm -rf /tmp/theirs /tmp/ours
    theirs /tmp/theirs
    expect_exit 0 "$1" "$ours" extract -o /tmp/ours
    tree /tmp/theirs >"$T/theirs"
    tree /tmp/ours >"$T/ours"
    expect_same "$1: the same as trust extract makes" "$T/theirs" "$T/ours"
}
compare 'no source'
cp "$P/old-root.pem" "$source/anchors"
compare 'an anchor'
cp "$P/rsa-root.pem" "$source/blocklist"
compare 'and a blocklisted one'
cp "$P/old-root.pem" "$source/blocklist/again.pem"
compare 'the anchor is blocklisted too'
rm "$source"/blocklist/*
echo garbage >"$source/blocklist/garbage.pem"
ln -s nowhere "$source/blocklist/link.pem"
compare 'garbage in the blocklist'
expect_grep 'which is named' "$source/blocklist/garbage.pem counts for nothing: there is no certificate in it\$" "$err"
expect_grep 'and so is a link to nothing' "$source/blocklist/link.pem counts for nothing: it is a link that leads nowhere\$" "$err"
rm "$source"/blocklist/*

# --- a distrust that cannot be read

cp "$P/old-root.pem" "$source/blocklist"
expect_exit 0 'an anchor is blocklisted' "$ours"
# refuses WHAT PATTERN: and the distrust of before stays in what programs read
refuses() {
    tree "$store/extracted" >"$T/before"
    expect_exit 1 "$1" "$ours"
    expect_grep 'is said' "$2" "$err"
    expect_exit 1 'to crossroot too' cr --yes --layout fedora --store ca-certificates install "$P/utf8.pem"
    expect_grep 'which says it' "${2#cannot read }" "$out"
    tree "$store/extracted" >"$T/after"
    expect_same 'nothing is changed' "$T/before" "$T/after"
    expect_exit 0 'who only reads is told' cr --layout fedora --store ca-certificates list -v
}
truncate -s 70M "$source/blocklist/old-root.pem"
refuses 'a file that is too large' "cannot read $source/blocklist/old-root.pem: File too large"
rm "$source/blocklist/old-root.pem"
ln -s old-root.pem "$source/blocklist/old-root.pem"
refuses 'a link to itself' "cannot read $source/blocklist/old-root.pem: Too many levels of symbolic links"
rm -r "$source/blocklist"
ln -s blocklist "$source/blocklist"
refuses 'a directory that is a link to itself' "cannot read $source/blocklist: Too many levels of symbolic links"
rm "$source/blocklist"
cp "$P/old-root.pem" "$source/blocklist"
expect_exit 0 'a file in the place of the directory' "$ours"
expect_grep 'is named' "$source/blocklist counts for nothing: it is not a directory\$" "$err"
rm "$source/blocklist"
mkdir "$source/blocklist"

# --- other users' links

touch "$T/owned"
if chown 65534 "$T/owned" 2>/dev/null; then
    mkdir -p /tmp/others /tmp/elsewhere
    ln -s /tmp/elsewhere /tmp/others/link
    chown -R -h 65534 /tmp/others
    for at in link link/below link/../link/x; do
        expect_exit 1 "-o by another user's link: $at" "$ours" -o "/tmp/others/$at"
        expect_grep 'is refused' "another user's link" "$err"
    done
    expect_exit 1 'also by a relative path' sh -c "cd /tmp/others && exec '$ours' -o link/below"
    expect_eq 'nothing is made where it leads' "$(ls -A /tmp/elsewhere)" ''
else
    skip 'not here: no other user'
fi
expect_exit 0 'a relative path' sh -c "cd /tmp && exec '$ours' -o fourth/deep"
expect_exit 0 'once more' "$ours" -o /tmp/fourth/deep
expect_exit 0 'is below the current directory' test -s /tmp/fourth/deep/pem/directory-hash/ca-bundle.crt

expect_exit 0 'without a command' "$ours"
(cd "$store/extracted" && find . -type f ! -path '*/java/*' | LC_ALL=C sort | xargs sha256sum) >"$T/live"
compare 'what is live'
(cd /tmp/ours && find . -type f ! -path '*/java/*' | LC_ALL=C sort | xargs sha256sum) >"$T/out"
expect_same 'is what -o gives' "$T/live" "$T/out"
expect_exit 0 'extract' "$ours" extract
expect_eq 'says nothing' "$(cat "$out" "$err")" ''
expect_exit 0 '--output=DIR' "$ours" extract --output=/tmp/third
expect_exit 0 'is the same' diff -r /tmp/ours /tmp/third
expect_exit 1 'a command that does not exist' "$ours" check
expect_grep 'is named' '^Error: Unknown command: check$' "$err"
expect_grep 'before the usage' '^Usage: .*update-ca-trust \[extract\] \[-o DIR|--output=DIR\]$' "$err"
expect_exit 1 'an option that does not exist' "$ours" extract --force
expect_exit 1 '-o without a directory' "$ours" -o
mkdir -p /etc/pki/tls/certs
expect_exit 0 'the links of old releases' "$ours" extract --rhbz2387674
expect_exit 0 'lead to the bundles' cmp /etc/pki/tls/cert.pem "$store/extracted/pem/tls-ca-bundle.pem"
rm -rf "$store"
expect_exit 1 'no such system' "$ours"
expect_absent 'and it does not become one' "$store"
finish
