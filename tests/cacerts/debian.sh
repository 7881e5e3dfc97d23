#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Against the real update-ca-certificates: after each of our changes it has nothing to do and changes
# no byte, an undo brings everything back, and what we make of nothing is what it makes of nothing.
#
#   XR_SEED=N: the random part again
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
private_root "$@"
make_pki "$T/pki"
packaged=/usr/share/ca-certificates
local=/usr/local/share/ca-certificates

# back WHAT FILE: everything is as it was when FILE was written.
back() {
    snap_trust >"$T/now"
    expect_same "$1" "$2" "$T/now"
}

# --- one of each

# journey NAME PACKAGED: PACKAGED is a line of the list
journey() {
    local name=$1 vendor=$packaged/$2
    snap_trust >"$T/base"
    expect_exit 0 "$name: install" cr install "$P/old-root.pem" --yes
    native_agrees "$name: install"
    snap_times >"$T/before"
    expect_exit 0 "$name: install once more" cr install "$P/old-root.pem" --yes
    snap_times >"$T/after"
    expect_same "$name: which touches nothing" "$T/before" "$T/after"

    snap_trust >"$T/installed"
    expect_exit 4 "$name: a packaged one cannot be removed" cr --store ca-certificates:/ remove --yes \
        "$vendor" "$P/old-root.pem"
    expect_exit 0 "$name: undo of what could be" cr undo --yes
    back "$name: undo of a removal" "$T/installed"

    expect_exit 1 "$name: a distrust that only deselects is not made unasked" cr distrust --yes "$vendor"
    back "$name: nothing changed" "$T/installed"
    expect_exit 0 "$name: distrust" cr distrust --best-effort --yes "$vendor"
    expect_grep "$name: the list says so" "^!$2\$" /etc/ca-certificates.conf
    native_agrees "$name: distrust"
    snap_trust >"$T/distrusted"
    expect_exit 0 "$name: undo of the distrust" cr undo --yes
    back "$name: the distrust is undone" "$T/installed"
    expect_exit 0 "$name: and undo of that undo" cr undo --yes "$(sed -n 's/.*crossroot undo //p' "$out")"
    back "$name: distrusted again" "$T/distrusted"
    expect_exit 0 "$name: remove of the distrust" cr remove --from distrust --yes "$vendor"
    back "$name: the distrust is removed" "$T/installed"
    native_agrees "$name: undone distrust"

    cp "$P/rsa-root.pem" "$local/An admin's, own (file).crt"
    run native_update
    snap_trust >"$T/admins"
    expect_exit 0 "$name: remove of an administrator's file" cr remove --yes "$P/rsa-root.pem"
    back "$name: which was all of it" "$T/installed"
    native_agrees "$name: remove of an administrator's file"
    expect_exit 0 "$name: undo of that" cr undo --yes
    back "$name: the administrator's file is back" "$T/admins"
    rm "$local/An admin's, own (file).crt"

    expect_exit 1 "$name: what is published without a source is not lost unasked" cr remove --yes "$P/old-root.pem"
    expect_grep "$name: and is named" 'has 1 certificate that comes from no source and would be lost \(' "$out"
    expect_exit 0 "$name: remove" cr --rebuild remove --yes "$P/old-root.pem"
    back "$name: as if nothing had been" "$T/base"
    native_agrees "$name: remove"
}

run native_update # the machine may have been left between two states
journey 'this machine' "$(grep -m 1 '^[^#!]' /etc/ca-certificates.conf)"
run stock 24
journey 'a stock Debian' made/000008.crt

# --- files of every form

odd_file() { # NAME FORM CERTIFICATE
    local at=$local/$1
    mkdir -p "${at%/*}"
    case $2 in
    plain) cat "$3" ;;
    dos) sed 's/$/\r/' "$3" ;;
    bare) printf %s "$(<"$3")" ;;
    several) cat "$3" "$P/t61.pem" "$P/bmp.pem" ;;
    twice) cat "$3" "$3" ;;
    text) openssl x509 -in "$3" -text ;;
    trusted) openssl x509 -in "$3" -trustout -addtrust serverAuth ;;
    with-crl) cat "$3" "$P/old-root.crl.pem" ;;
    empty) : ;;
    esac >"$at"
}
forms=(plain dos bare several twice text trusted with-crl empty)
# No two become one name of a link: there update-ca-certificates goes to and fro at every run.
names=('plain.crt' 'with space.crt' 'brackets (1).crt' 'a,comma.crt' 'sub/deep/er.crt' '.hidden.crt'
    $'latin-\xe9.crt' 'kanji-証明書.crt' 'not-by-its-name.pem' "quote'\".crt" '.crt' 'star*?.crt'
    '-dash.crt' 'x.crt.crt' 'UPPER.CRT' 'sub/with space/too.crt')
# Of one subject, of one key, and others.
certs=("$P"/{old-root,new-root,sibling-root,cross,utf8,in-2051,sub,v1-root}.pem)

clear_outputs() {
    find /etc/ssl/certs -mindepth 1 -maxdepth 1 \( -type l -o -name ca-certificates.crt \) -delete
}

n=0
for name in "${names[@]}"; do
    odd_file "$name" "${forms[n % ${#forms[@]}]}" "${certs[n % ${#certs[@]}]}"
    n=$((n + 1))
done
ln -s /nowhere "$local/dangling.crt"
ln -s "$P/v1-root.pem" "$local/link.crt"
ln -s "$packaged/made/000005.crt" "$local/to-packaged.crt"
ln -s . "$local/loop"
ln -s .. "$local/sub/up"
expect_exit 0 'install among odd files' cr install --yes "$P/far-future.pem"
native_agrees 'odd files'
clear_outputs
expect_exit 0 'an install of what is there makes all outputs' cr install --yes "$P/far-future.pem"
snap_trust >"$T/rebuilt"
clear_outputs
run native_update --fresh
back 'which are those of update-ca-certificates --fresh' "$T/rebuilt"

# --- any order of anything

# After a --fresh, numbers of links of one hash may be others.
unnumbered() {
    sed -E 's/^([0-9a-f]{8})\.[0-9]+ /\1. /' "$1" | LC_ALL=C sort
}

pick() { # one of the arguments, to $picked
    shift $((RANDOM % $#))
    picked=$1
}

edit_list() {
    local line list=/etc/ca-certificates.conf
    line=made/$(printf '%06d' $((RANDOM % 24))).crt
    case $((RANDOM % 6)) in
    0) echo '# a comment, !not a distrust' >>$list ;;
    1) echo '' >>$list ;;
    2) echo 'made/is not there.crt' >>$list ;;
    3) echo '!made/is not there.crt' >>$list ;;
    4) printf '%s\r\n' "$line" >>$list ;;
    5) sed -i -e "s#^$line\$#?$line#" -e "s#^!$line\$#$line#" -e 's#^?#!#' $list ;;
    esac
}

disturb_outputs() {
    pick /etc/ssl/certs/*
    case $((RANDOM % 4)) in
    0) [[ -d $picked ]] || rm -f "$picked" ;;
    1) ln -s gone "/etc/ssl/certs/dangling-$RANDOM.pem" ;;
    2) [[ ! -L $picked || $picked != *.pem ]] || ln -sfn /usr/share/ca-certificates/made/000001.crt "$picked" ;;
    3) rm -f /etc/ssl/certs/ca-certificates.crt ;;
    esac
}

seed=${XR_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
steps=24
((XR_SLOW)) && steps=12
printf '      XR_SEED=%d\n' "$seed"
done_so_far=()
wrong=0
for ((step = 1; step <= steps && !wrong; step++)); do
    pick "${certs[@]}"
    cert=$picked
    case $((RANDOM % 10)) in
    0 | 1) what=(cr --rebuild install --yes --as anchor "$cert") ;;
    2) what=(cr --rebuild remove --yes "$cert") ;;
    3) what=(cr --rebuild distrust --best-effort --yes "$packaged/made/$(printf '%06d' $((RANDOM % 24))).crt") ;;
    4 | 5) what=(cr --rebuild undo --yes) ;;
    6 | 7)
        pick "${names[@]}"
        name=$picked
        pick "${forms[@]}"
        what=(odd_file "$name" "$picked" "$cert")
        ;;
    8) what=(edit_list) ;;
    9) what=(disturb_outputs) ;;
    esac
    run "${what[@]}"
    done_so_far+=("$rc: ${what[*]}")
    case $rc in
    0 | 1 | 4 | 6) ;; # a refusal, a conflict, still trusted
    *) wrong=1 ;;
    esac
    run cr --rebuild install --yes "$P/far-future.pem"
    [[ $rc -eq 0 ]] || wrong=1
    snap_trust >"$T/ours"
    if ((step % 6)); then
        run native_update
        grep -q '^0 added, 0 removed; done\.$' "$out" || wrong=1
        snap_trust >"$T/theirs"
        diff "$T/ours" "$T/theirs" >"$T/diff" || wrong=1
    else
        run native_update --fresh
        snap_trust >"$T/theirs"
        diff <(unnumbered "$T/ours") <(unnumbered "$T/theirs") >"$T/diff" || wrong=1
    fi
done
if ((wrong)); then
    bad "$((step - 1)) steps in any order"
    printf '    %s\n' "${done_so_far[@]}" | tail -n 12 | cat -v
    show_output
    head -n 20 "$T/diff" | cat -v
else
    ok "$steps steps in any order, and update-ca-certificates agreed with each"
    printf '%s\n' "${done_so_far[@]}" | cut -d: -f1 | sort | uniq -c | sed 's/\( *[0-9]* \)/     \1exit /'
fi

# --- where we differ, and mean to

run stock 8
openssl x509 -in "$P/old-root.pem" -outform DER -out "$local/der.crt"
cp "$P/leaf.key" "$local/key.crt"
cat "$P/leaf.key" "$P/new-root.pem" >"$local/with-key.crt"
echo 'no certificate' >"$local/text.crt"
run cr install --yes "$P/far-future.pem"
expect_exit 0 'DER, keys and text beside certificates' cr install --yes "$P/far-future.pem"
expect_no_grep 'no private key is published' 'PRIVATE KEY' /etc/ssl/certs/ca-certificates.crt
expect_no_grep 'nor what is no certificate' 'no certificate' /etc/ssl/certs/ca-certificates.crt
expect_eq 'but what stands beside a key is' \
    "$(grep -c 'BEGIN CERTIFICATE' /etc/ssl/certs/ca-certificates.crt)" 10
cp -r /etc/ssl/certs "$T/certs"
run native_update
expect_grep 'where update-ca-certificates publishes it' 'PRIVATE KEY' /etc/ssl/certs/ca-certificates.crt
rm -f /etc/ssl/certs/ca-certificates.crt "$local"/{der,key,with-key,text}.crt

run cr install --yes "$P/far-future.pem"
truncate -s 6G "$local/huge.crt"
mkfifo "$local/fifo.crt"
cp /etc/ssl/certs/ca-certificates.crt "$T/bundle"
expect_exit 0 'a source of 6 GB and a FIFO are neither read to their end nor waited for' \
    cr install --yes "$P/far-future.pem" "$P/new-root.pem"
expect_exit 0 'and are left out' cr remove --yes "$P/new-root.pem"
expect_same 'so that the bundle is as before' "$T/bundle" /etc/ssl/certs/ca-certificates.crt
rm "$local/huge.crt" "$local/fifo.crt"

hash=$(openssl x509 -in "$P/old-root.pem" -noout -subject_hash)
ln -s /etc/hostname "/etc/ssl/certs/$hash.0"
for time in first second third; do
    expect_exit 0 "install beside a hash link of somebody else, the $time time" cr install --yes "$P/old-root.pem"
    expect_eq 'which is kept, and ours comes after it' \
        "$(readlink "/etc/ssl/certs/$hash.0") $(readlink "/etc/ssl/certs/$hash.1")" \
        "/etc/hostname crossroot-$(sha "$P/old-root.pem").pem"
done
expect_exit 0 'remove it again' cr remove --yes "$P/old-root.pem"
expect_eq 'and only ours is gone' \
    "$(find /etc/ssl/certs -name "$hash.*" -printf '%f %l\n')" "$hash.0 /etc/hostname"

find "$packaged" "$local" -mindepth 1 -delete
published=$(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)
expect_exit 1 'sources that are gone: the own command would lose all' cr --updater distro install --yes "$P/old-root.pem"
expect_exit 0 'sources that are gone lose nothing' cr install --yes "$P/old-root.pem"
expect_eq 'one certificate is added to the bundle' "$(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)" $((published + 1))
expect_exit 0 'unless that is said: all certificates go but one' cr --rebuild install --yes "$P/old-root.pem"
expect_exit 0 'and that one too' cr remove --yes "$P/old-root.pem"
expect_eq 'then the bundle is empty' "$(stat -c %s /etc/ssl/certs/ca-certificates.crt)" 0
finish
