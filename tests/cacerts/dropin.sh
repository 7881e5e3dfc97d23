#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# update-ca-certificates and ours in its place, on the same files one after the other: the same words,
# exit code, links and bytes, and hooks are told the same.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
private_root "$@"
make_pki "$T/pki"
ours=${XR_BIN%/*}/update-ca-certificates
certs=/etc/ssl/certs
packaged=/usr/share/ca-certificates
local=/usr/local/share/ca-certificates
hooks=/etc/ca-certificates/update.d
run stock 6
rm -rf "${hooks:?}"/*

snap() { # DIRECTORY
    find "$1" -mindepth 1 -printf '%P %y %m %U:%G %l\n' | LC_ALL=C sort
    find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
}

# one NAME COMMAND...: runs it, and keeps all that it did
one() {
    local name=$1
    shift
    rm -f /run/told
    run env LC_ALL=C "$@"
    cp "$out" "$T/$name.out"
    cp "$err" "$T/$name.err"
    echo "$rc" >"$T/$name.rc"
    snap "${at:-$certs}" >"$T/$name.snap"
    touch /run/told
    cp /run/told "$T/$name.told"
}

# pair WHAT [OPTION...]: what theirs does, and from the same beginning ours; which stays
pair() {
    local what=$1
    shift
    rm -rf "$T/begin"
    cp -a "${at:-$certs}" "$T/begin"
    one theirs update-ca-certificates "$@"
    find "${at:-$certs}" -mindepth 1 -delete
    cp -a "$T/begin/." "${at:-$certs}"
    one ours "$ours" "$@"
    if [[ $what == *verbose* ]]; then # in the order of a hash table, and of a directory
        sort -o "$T/theirs.out" "$T/theirs.out"
        sort -o "$T/ours.out" "$T/ours.out"
    fi
    expect_same "$what: the same words ($(grep -a 'added, ' "$T/ours.out"))" "$T/theirs.out" "$T/ours.out"
    expect_same "$what: the same exit code" "$T/theirs.rc" "$T/ours.rc"
    expect_same "$what: the same files and links" "$T/theirs.snap" "$T/ours.snap"
    expect_same "$what: hooks are told the same" "$T/theirs.told" "$T/ours.told"
}

hook() { # NAME
    printf '#!/bin/sh\n{ echo "$0 $# $PWD"; cat; } >>/run/told\n' >"$hooks/$1"
    chmod 755 "$hooks/$1"
}
for name in 20-b 10-a Zed zed under_score not.this; do
    hook "$name"
done
hook not-executable
chmod 644 "$hooks/not-executable"

# --- what an administrator does

pair 'nothing to do'
find "$certs" -mindepth 1 -delete
pair 'an empty directory'
pair 'all of it anew' --fresh
cp "$P/old-root.pem" "$local/An admin's, own (file).crt"
mkdir -p "$local/below/it"
cp "$P/rsa-root.pem" "$local/below/it/rsa.crt"
ln -s "$P/utf8.pem" "$local/link.crt"
cp "$P/new-root.pem" "$local/not-ending-so.pem"
pair 'local files: odd names, below, a link'
cat "$P/t61.pem" "$P/bmp.pem" >"$local/two.crt"
printf '%s' "$(cat "$P/far-future.pem")" >"$local/no-line-end.crt"
pair 'two certificates in one file, and no line end'
expect_same 'what cannot have a hash link is named alike' \
    <(sort "$T/theirs.err") <(sort "$T/ours.err")
first=$(grep -v '^[#!]' /etc/ca-certificates.conf | head -n 1)
sed -i "s|^$first\$|!$first|" /etc/ca-certificates.conf
pair 'deselected'
sed -i "s|^!$first\$|$first|" /etc/ca-certificates.conf
pair 'selected again, verbose' --verbose
echo 'made/gone.crt' >>/etc/ca-certificates.conf
pair 'listed, and missing'
expect_grep 'which is said' '^W: /usr/share/ca-certificates/made/gone.crt not found, but listed in /etc/ca-certificates.conf\.$' "$T/ours.err"
sed -i '/gone.crt/d' /etc/ca-certificates.conf
mkdir "$local/other"
cp "$P/constrained-root.pem" "$local/other/rsa.crt"
pair 'the same name in two directories'
pair 'and once more'
rm -r "$local/other"
cp "$P/bmp.pem" "$local/again.crt"
cp "$P/bmp.pem" "$local/twice.crt"
pair 'the same certificate in two files'

# --- what others have in the directory

cp "$P/last-of-2049.pem" "$certs/foreign.pem"
echo 'read me' >"$certs/README"
ln -s /etc/hostname "$certs/elsewhere"
mkdir "$certs/dir"
pair 'files of others' --fresh
rm "$local/two.crt" "$local/twice.crt"
ln -s /nowhere "$certs/dangling"
pair 'dangling links are cleared' -f
cp "$P/new-root.pem" "$local/one-more.crt"
ln -s /nowhere "$certs/dangling"
ln -s dangling "$certs/12345678.0"
run "$ours" # which removes such links at once
pair 'and more are added, verbose' -v
cp /etc/ca-certificates.conf "$T/conf"
: >/etc/ca-certificates.conf
pair 'an empty list'
cp "$T/conf" /etc/ca-certificates.conf
pair 'and a full one again'

# --- options

mkdir -p /tmp/my/{certs,out,local,hooks}
cp "$packaged"/made/*.crt /tmp/my/certs
cp "$P/old-root.pem" /tmp/my/local/mine.crt
(cd /tmp/my/certs && ls) >/tmp/my/list
mine=(--certsconf /tmp/my/list --certsdir /tmp/my/certs --localcertsdir /tmp/my/local --certbundle all.pem
    --etccertsdir /tmp/my/out --hooksdir /tmp/my/hooks)
at=/tmp/my/out pair 'everything in other places' "${mine[@]}"
expect_exit 0 'which is where it should be' test -s /tmp/my/out/all.pem
pair 'no hooks' --hooksdir ''
expect_same 'help' <(update-ca-certificates --help | sed 's/.*: \[/[/') <("$ours" --help | sed 's/.*: \[/[/')
expect_same 'an option that does not exist' <(update-ca-certificates -x | sed 's/.*: \[/[/') <("$ours" -x | sed 's/.*: \[/[/')
for option in --hooksdir '--etccertsdir /nonexistent' --wrong; do
    # shellcheck disable=SC2086
    one theirs update-ca-certificates $option
    # shellcheck disable=SC2086
    one ours "$ours" $option
    expect_same "$option: the same exit code" "$T/theirs.rc" "$T/ours.rc"
done
LC_ALL=C update-ca-certificates --default >"$T/theirs.out" 2>"$T/theirs.err"
run "$ours" --default
expect_same '--default: the same words' "$T/theirs.out" "$out"

if setpriv --reuid 65534 --regid 65534 --clear-groups "$ours" --help >/dev/null 2>&1; then
    as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    one theirs "${as_other[@]}" update-ca-certificates
    one ours "${as_other[@]}" "$ours"
    expect_same 'an ordinary user: the same words' "$T/theirs.out" "$T/ours.out"
    expect_same 'an ordinary user: the same exit code' "$T/theirs.rc" "$T/ours.rc"
    expect_same 'an ordinary user: nothing is changed' "$T/theirs.snap" "$T/ours.snap"
else
    skip 'not here: no other user'
fi

# --- other users' links, and places that are not there

touch "$T/owned"
if chown 65534 "$T/owned" 2>/dev/null; then
    mkdir -p /tmp/others/{good,back} /tmp/elsewhere/certs
    ln -s /tmp/elsewhere /tmp/others/link
    ln -s /tmp/others/link /tmp/others/back/through # ours, and leads through theirs
    ln -s /tmp/others/good /tmp/others/rights
    cp "$P/old-root.pem" /tmp/elsewhere/certs/theirs.crt
    echo theirs.crt >/tmp/elsewhere/list
    chown -R -h 65534 /tmp/others /tmp/elsewhere
    chown -h 0 /tmp/others/back/through /tmp/others/rights
    snap "$certs" >"$T/before"
    snap /tmp/elsewhere >"$T/elsewhere"
    for option in '--certbundle /tmp/others/link/bundle.crt' '--certbundle /tmp/others/link/certs/bundle.crt' \
        '--certbundle ../../../tmp/others/link/bundle.crt' '--certbundle /tmp/others/back/through/bundle.crt' \
        '--etccertsdir /tmp/others/link/certs' '--localcertsdir /tmp/others/link/certs' \
        '--localcertsdir /tmp/others/back/through/certs' '--certsdir /tmp/others/link/certs' \
        '--certsconf /tmp/others/link/list'; do
        # shellcheck disable=SC2086
        expect_exit 1 "another user's link: $option" "$ours" $option
        expect_grep 'is refused' "another user's link" "$err"
    done
    snap "$certs" >"$T/after"
    expect_same 'nothing is changed' "$T/before" "$T/after"
    snap /tmp/elsewhere >"$T/after"
    expect_same 'nor where the links lead' "$T/elsewhere" "$T/after"
    expect_exit 0 "root's own link" "$ours" --certbundle /tmp/others/rights/bundle.crt
    expect_exit 0 'is followed' test -s /tmp/others/good/bundle.crt
else
    skip 'not here: no other user'
fi
for bundle in ../nonexist/x.crt nonexist/x.crt; do
    one theirs update-ca-certificates --certbundle "$bundle"
    one ours "$ours" --certbundle "$bundle"
    expect_same "no directory for the bundle, $bundle: the same exit code" "$T/theirs.rc" "$T/ours.rc"
done
expect_exit 2 'nor for one elsewhere' "$ours" --certbundle /tmp/nonexist/x.crt
expect_absent 'none is made' /etc/ssl/nonexist "$certs/nonexist" /tmp/nonexist

# --- hooks

printf '#!/bin/sh\ncat >/dev/null\nexit 3\n' >"$hooks/15-fails"
printf '#!/bin/sh\nkill -9 $$\n' >"$hooks/16-dies"
printf 'echo "I am told $(wc -l) lines"\n' >"$hooks/17-script"
chmod 755 "$hooks"/1*
rm -f "$local/again.crt"
run "$ours"
cp "$P/t61.pem" "$local/again.crt"
pair 'hooks that fail, and one without #!'
expect_grep 'which is said' '^E: /etc/ca-certificates/update.d/15-fails exited with code 3\.$' "$T/ours.out"
rm -f "$hooks"/1[567]*

# --- where ours differs, and means to

rm "$local/again.crt"
run "$ours"
expect_grep 'a local file that is gone is counted' '^0 added, 1 removed; done\.$' "$out"
expect_absent 'its link is gone' "$certs/again.pem"
expect_grep 'and hooks are told' "^-$certs/again.pem\$" /run/told
openssl x509 -in "$P/bmp.pem" -outform DER -out "$local/der.crt"
cat "$P/leaf.key" "$P/bmp.pem" >"$local/with-key.crt"
printf -- '-----BEGIN CERTIFICATE-----\nMIIB\n' >"$local/cut.crt"
expect_exit 0 'DER, a key and half a block among the sources' "$ours"
expect_no_grep 'no private key is published' 'PRIVATE KEY' "$certs/ca-certificates.crt"
expect_grep 'each is named: DER' "$local/der.crt counts for nothing: it is DER, and only PEM counts\$" "$err"
expect_grep 'and half a block' "$local/cut.crt counts for nothing: no certificate in it can be read\$" "$err"
expect_exit 0 'and OpenSSL reads the bundle' openssl crl2pkcs7 -nocrl -certfile "$certs/ca-certificates.crt"
rm "$local"/{der,with-key,cut}.crt
run "$ours"
rm -f "$certs/link.pem"
echo 'an administrator wrote this' >"$certs/link.pem"
expect_exit 0 'a file has the name of a link' "$ours"
expect_grep 'and stays' 'an administrator' "$certs/link.pem"
expect_grep 'which is said' 'link.pem is not a link' "$err"
rm "$certs/link.pem"
run "$ours"
expect_exit 0 'crossroot finds nothing to do after it' cr --dry-run --store ca-certificates recover
mkdir -p "$T/image/etc/ssl/certs" "$T/image/usr/share" "$T/image/usr/local/share" "$T/image/$hooks"
cp -a "$packaged" "$T/image/usr/share"
cp /etc/ca-certificates.conf "$T/image/etc"
cp "$hooks/10-a" "$T/image/$hooks"
rm -f /run/told
expect_exit 0 'an image' "$ours" --sysroot "$T/image"
expect_absent 'runs none of its hooks' /run/told
expect_grep 'is named as by Debian' "^Updating certificates in $T/image//etc/ssl/certs\.\.\.\$" "$out"
expect_eq 'has links that are right in it' "$(readlink "$T/image$certs/000000.pem")" "$packaged/made/000000.crt"
expect_eq 'and has its bundle' "$(grep -c BEGIN "$T/image$certs/ca-certificates.crt")" 6

# --- killed

old=$(sha256sum <"$certs/ca-certificates.crt")
cp "$P/bmp.pem" "$local/killed.crt"
cp -a "$certs" "$T/begin2"
run "$ours" --hooksdir ''
new=$(sha256sum <"$certs/ca-certificates.crt")
snap "$certs" >"$T/whole"
halves=0
for moment in $(seq 1 12); do
    find "$certs" -mindepth 1 -delete
    cp -a "$T/begin2/." "$certs"
    run bash -c "timeout -s KILL 0.00$((moment % 10))$moment '$ours' --hooksdir ''; true"
    now=$(sha256sum <"$certs/ca-certificates.crt")
    [[ $now == "$old" || $now == "$new" ]] || halves=$((halves + 1))
done
expect_eq 'killed at any moment: the bundle is the old or the new one' "$halves" 0
run "$ours" --hooksdir ''
snap "$certs" >"$T/after"
expect_same 'and the next run leaves nothing behind' "$T/whole" "$T/after"
finish
