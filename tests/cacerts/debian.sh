#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On Debian: what crossroot publishes is what the real update-ca-certificates publishes.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
need_live
make_pki "$T/pki"

# --- install, distrust, undo

box=$T/box
stage "$box"
run live "$box" update-ca-certificates --fresh
published "$box" >"$T/first"
vendor=$(find "$box/share" -name '*.crt' | sort | sed -n 7p)
other=$(find "$box/share" -name '*.crt' | sort | sed -n 9p)

expect_exit 0 "an anchor is installed" live_xr "$box" install --yes "$P/new-root.pem"
expect_grep "and verified" '^  verified: yes' "$out"
settled "after install" "$box"
expect_exit 0 "nothing to do" live_xr "$box" install --yes "$P/new-root.pem"
expect_grep "is said" 'unchanged$' "$out"
expect_exit 1 "deselecting is not distrust" live_xr "$box" distrust --yes "$vendor"
expect_exit 0 "but may do" live_xr "$box" distrust --yes --best-effort "$vendor"
settled "after distrust" "$box"
expect_grep "the list says so" "^!${vendor#"$box/share/"}\$" "$box/etc/ca-certificates.conf"
expect_exit 1 "what a package ships is not removed" live_xr "$box" remove --yes "$other"
expect_grep "and why" 'it comes with the system and would come back' "$out"
settled "after a refusal" "$box"
expect_exit 7 "to undo a distrust gives trust: asked" live_xr "$box" undo
expect_exit 0 "undo" live_xr "$box" undo --yes
settled "after undo of the distrust" "$box"
expect_exit 0 "undo" live_xr "$box" undo
settled "after undo of the install" "$box"
published "$box" >"$T/last"
expect_same "all is as it was" "$T/first" "$T/last"

expect_exit 1 "a cross certificate is refused" live_xr "$box" install --yes "$P/cross.pem"
expect_grep "with the reason" 'trust anchor for curl, GnuTLS and Go' "$out"
published "$box" >"$T/last"
expect_same "and nothing happened" "$T/first" "$T/last"
expect_exit 0 "--as anchor does it" live_xr "$box" install --yes --as anchor "$P/cross.pem"
expect_grep "one answer is no" '^  verified: no' "$out"
run live_xr "$box" list
expect_grep "a widened trust" 'widened trust: Crossroot Test New Root' "$err"
settled "after a cross certificate as anchor" "$box"
expect_exit 0 "undo" live_xr "$box" undo

# --- files of every kind, built from nothing by both

ours=$T/ours theirs=$T/theirs
stage "$ours"
rm -rf "$ours"/etc/ssl/certs
mkdir "$ours/etc/ssl/certs"
(
    cd "$ours/local"
    cat "$P/old-root.pem" "$P/new-root.pem" >several.crt
    sed 's/$/\r/' "$P/utf8.pem" >crlf.crt
    printf %s "$(cat "$P/bmp.pem")" >no-newline.crt
    cp "$P/v1-root.pem" one.crt
    cp "$P/v1-root.pem" same-as-one.crt
    cp "$P/t61.pem" 'a (strange), name.crt'
    cp "$P/email-root.pem" "$(printf 'latin1-\xe9.crt')"
    mkdir -p deep/er
    cp "$P/rsa-root.pem" deep/er/deep.crt
    cp "$P/rsapss-root.pem" .hidden.crt
    cp "$P/ed25519-root.pem" other.pem
    cp "$P/sibling-root.pem" ../elsewhere.pem
    ln -s ../elsewhere.pem link.crt
    ln -s nowhere dangling.crt
    : >empty.crt
    { echo "# a comment"; cat "$P/in-2051.pem"; } >comment.crt
)
ln -s "$ours/elsewhere.pem" "$ours/local/absolute.crt"
{
    sed -n 1,20p "$ours/etc/ca-certificates.conf"
    echo '# a comment'
    echo
    echo "!$(sed -n 21p "$ours/etc/ca-certificates.conf")"
    echo 'mozilla/There_Is_None.crt'
    sed -n '22,$p' "$ours/etc/ca-certificates.conf"
} >"$T/conf"
cp "$T/conf" "$ours/etc/ca-certificates.conf"
cp "$P/last-of-2049.pem" "$ours/etc/ssl/certs/regular-file.pem"
cp -a "$ours" "$theirs"
expect_exit 0 "full rebuild" live_xr "$ours" recover
run live "$theirs" update-ca-certificates --fresh
published "$ours" >"$T/a"
published "$theirs" >"$T/b"
expect_same "the same bundle, links and modes" "$T/b" "$T/a"
settled "after a full rebuild" "$ours"

# known to differ: what no reader could use stays out of our bundle
openssl x509 -in "$P/first-of-2050.pem" -outform DER -out "$ours/local/der.crt"
cp "$P/withkey.pem" "$ours/local/withkey.crt"
expect_exit 0 "odd files" live_xr "$ours" install --yes "$P/far-future.pem"
expect_no_grep "no private key in the bundle" 'PRIVATE KEY' "$ours/etc/ssl/certs/ca-certificates.crt"
expect_grep "but its certificate" "$(sed -n '/BEGIN CERT/{n;p}' "$P/withkey.pem" | head -n 1 | sed 's/[+]/[+]/g')" \
    "$ours/etc/ssl/certs/ca-certificates.crt"

# --- any order of things

seed=${XR_SEED:-$RANDOM}
echo "      XR_SEED=$seed"
RANDOM=$seed
stage "$T/random"
box=$T/random
run live "$box" update-ca-certificates --fresh
roots=("$P"/{old-root,new-root,rsa-root,utf8,bmp,t61,email-root,v1-root}.pem)
mapfile -t vendors < <(find "$box/share" -name '*.crt')
for step in $(seq 1 "$((XR_SLOW ? 6 : 14))"); do
    root=${roots[RANDOM % ${#roots[@]}]} vendor=${vendors[RANDOM % ${#vendors[@]}]}
    case $((RANDOM % 8)) in
    0 | 1 | 2) what=(install --yes "$root") ;;
    3) what=(remove "$root") ;;
    4) what=(distrust --yes --best-effort "$vendor") ;;
    5) what=(undo --yes) ;;
    6)
        what=(recover)
        link=$(find "$box/etc/ssl/certs" -type l | sort | sed -n "$((RANDOM % 100 + 1))p")
        rm -f "$link"
        head -c 1000 "$box/etc/ssl/certs/ca-certificates.crt" >"$T/torn"
        cp "$T/torn" "$box/etc/ssl/certs/ca-certificates.crt"
        ;;
    7)
        what=(recover)
        cp "$root" "$box/local/by-hand-$((RANDOM % 3)).crt"
        ;;
    esac
    run live_xr "$box" "${what[@]}"
    [[ $rc -le 1 ]] || bad "step $step: ${what[*]} exits with $rc"
    settled "step $step, ${what[0]}" "$box"
done

finish
