#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What real browsers make of it: headless Firefox and Chromium against servers on loopback, in a
# network namespace that has nothing else. A question is put to three servers, which send the leaf,
# the leaf and its CA, or these and the cross certificate; the answer to "who trusts" is one word
# each. Before each question a browser is started, unless it says "running".
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")

# The namespace of processes takes the browsers along, however this ends.
if [[ -z ${XR_ALONE:-} ]]; then
    alone=(unshare --net --pid --fork --kill-child --mount-proc)
    [[ $(id -u) -eq 0 ]] || alone+=(--map-root-user)
    "${alone[@]}" true 2>/dev/null || {
        echo 'skip  neither root nor user namespaces here'
        exit 77
    }
    XR_ALONE=1 exec "${alone[@]}" bash "$0" "$@"
fi
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"
for name in DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS \
    $(compgen -e | grep -E '^(MOZ_|NSS_|CHROM)' || true); do
    unset "$name"
done
for program in firefox-esr chromium certutil modutil ip; do
    command -v "$program" >/dev/null || skip_all "no $program here"
done
ip link set lo up
make_pki "$T/pki"
cd "$P"

# --- the driver

coproc driver { exec /usr/bin/python3 "$here/browser.py" 2>"$T/driver.log"; }
# tell WORD...: its answer is $REPLY
tell() {
    local IFS=$'\t'
    printf '%s\n' "$*" >&"${driver[1]}"
    IFS= read -r -t 200 REPLY <&"${driver[0]}" || {
        bad "the driver is gone: $*"
        cat "$T/driver.log"
        exit 1
    }
    case $REPLY in
    error:*) bad "$*: $REPLY" ;;
    esac
}

cat leaf.pem sub.pem >leaf-sub.pem
cat leaf.pem sub.pem cross.pem >leaf-sub-cross.pem
ports=()
for chain in leaf leaf-sub leaf-sub-cross; do
    tell serve "$P/leaf.key" "$P/$chain.pem"
    ports+=("$REPLY")
done

# --- two databases, always in the same state

ff=$T/profile
cr=$HOME/.pki/nssdb
mkdir -p "$ff" "$cr" "$T/empty"
certutil -N -d "sql:$T/empty" --empty-password
both() {
    local db
    for db in "$ff" "$cr"; do
        "$@" -d "sql:$db"
    done
}
# nothing [DATABASE]: back to an empty database, or to that one
nothing() {
    local db
    stop
    for db in "$ff" "$cr"; do
        rm -f "$db"/{cert9,key4}.db* "$db/pkcs11.txt" # which names a directory
        cp "${1:-$T/empty}"/{cert9,key4}.db "$db"
    done
    rm -rf "$state"
}

# start BROWSER
start() {
    case $1 in
    firefox) tell start firefox "$ff" ;;
    chromium) tell start chromium "$T/chromium" ;;
    esac
    running[$1]=1
}
declare -A running=()
# stop [BROWSER]...
stop() {
    local browser
    (($#)) || set -- "${!running[@]}"
    for browser; do
        [[ -z ${running[$browser]:-} ]] || tell stop "$browser"
        unset "running[$browser]"
    done
}
# answers BROWSER ANSWERS WHAT: of a browser that was just started
answers() {
    stop "$1"
    start "$1"
    still "$@"
}
# still BROWSER ANSWERS WHAT: of one that runs
still() {
    tell ask "$1" "${ports[@]}"
    expect_eq "$1, $3" "$REPLY" "$2"
}
# everybody ANSWERS WHAT
everybody() {
    tell fresh "$ff" "$T/chromium" "${ports[@]}"
    running=([firefox]=1 [chromium]=1)
    expect_eq "both, $2" "$REPLY" "$1 / $1"
}

# --- crossroot

stores=(--store "nss:$ff" --store "nss:$cr")
# does VERB ARGUMENT...: in both, and it must work
does() {
    expect_exit 0 "crossroot $*" xr "${stores[@]}" "$@" --yes
}
# note BROWSER WHAT: what it says is not ours to promise
note() {
    tell ask "$1" "${ports[@]}"
    printf 'note  %s, %s: %s\n' "$1" "$2" "$REPLY"
}

began=$SECONDS
part() {
    printf -- '--- %s (%d s)\n' "$*" $((SECONDS - began))
}

part 'the table'
everybody 'no no no' 'nothing'
does install old-root.pem
still firefox 'no no yes' 'old root, running'
answers chromium 'no no yes' 'old root'
does install cross.pem
still firefox 'no yes yes' 'old root and cross, running'
answers chromium 'no yes yes' 'old root and cross'
does install sub.pem
still firefox 'yes yes yes' 'old root, cross and sub, running'
answers chromium 'yes yes yes' 'old root, cross and sub'
does remove sub.pem
everybody 'no yes yes' 'sub removed'
does remove cross.pem
everybody 'no no yes' 'cross removed'
does undo
still firefox 'no yes yes' 'cross back by undo, running'
answers chromium 'no yes yes' 'cross back by undo'
does distrust cross.pem
note firefox 'cross distrusted while it ran'
note chromium 'cross distrusted while it ran'
everybody 'no no no' 'cross distrusted'
does undo
everybody 'no yes yes' 'distrust of cross undone'
does distrust old-root.pem
everybody 'no no no' 'old root distrusted'
does remove old-root.pem
everybody 'no no no' 'cross alone, old root removed'
nothing
does install cross.pem
everybody 'no no no' 'cross alone'
does install old-root.pem
everybody 'no yes yes' 'old root after cross'
does remove old-root.pem
does remove cross.pem
does install cross.pem --as anchor
everybody 'no yes yes' 'cross wrongly an anchor'
does undo
everybody 'no no no' 'cross no anchor any more'

part 'somebody else wrote it'
nothing
both certutil -A -n old -t C,, -i old-root.pem
both certutil -A -n cross -t ,, -i cross.pem
everybody 'no yes yes' "certutil's old root and cross"
does distrust cross.pem
everybody 'no no no' "certutil's cross distrusted"
does undo
everybody 'no yes yes' "undone, it is certutil's again"
does remove old-root.pem
everybody 'no no no' "certutil's old root removed"

# new-root.pem is of the cross certificate's name and key, and nobody sends it.
part 'twins'
nothing
does install old-root.pem cross.pem
run xr "${stores[@]}" distrust new-root.pem --yes
twin=$rc
printf 'note  crossroot distrust new-root.pem: exit %d\n' "$rc"
show_output
for browser in firefox chromium; do
    start $browser
    note $browser 'old root, cross, twin of cross distrusted'
done
nothing
does install old-root.pem new-root.pem cross.pem
everybody 'no yes yes' 'both roots and cross'
run xr "${stores[@]}" distrust cross.pem --yes
printf 'note  crossroot distrust cross.pem: exit %d\n' "$rc"
show_output
for browser in firefox chromium; do
    stop $browser
    start $browser
    note $browser 'both roots, cross distrusted'
done

part 'Firefox adds an anchor'
js=$here/firefox.js
# b64 FILE
b64() {
    openssl x509 -in "$1" -outform DER | base64 -w 0
}
nothing
start firefox
tell js "$js" add "$(b64 old-root.pem)" C,,
still firefox 'no no yes' 'its own old root, running'
answers firefox 'no no yes' 'its own old root'
stop
mkdir "$T/by-firefox"
cp "$ff"/{cert9,key4}.db "$T/by-firefox"
nothing "$T/by-firefox"
start chromium
note chromium "Firefox's old root"
certutil -M -d "sql:$ff" -n 'Crossroot Test Old Root - Crossroot' -t p,p,p
start firefox
note firefox "its old root distrusted by Debian's certutil"
for first in distrust remove; do
    nothing "$T/by-firefox"
    does $first old-root.pem
    everybody 'no no no' "Firefox's old root: $first"
    does undo
    answers firefox 'no no yes' "Firefox's old root: $first undone"
    stop
    does $first old-root.pem
    [[ $first = remove ]] || does remove old-root.pem
    both certutil -A -n old -t ,, -i old-root.pem
    everybody 'no no no' "Firefox's old root: $first, removed, added again without trust"
done

part 'a root of the browsers themselves'
nothing
start firefox
tell js "$js" builtin 'ISRG Root X1'
isrg=$REPLY
base64 -d <<<"$isrg" | openssl x509 -inform DER -out isrg.pem
tell impostor "$P/isrg.pem"
impostor=$REPLY
roots=$(find /usr/lib -name libnssckbi.so -print -quit)
# builtin FIREFOX CHROMIUM CERTUTIL WHAT: a name that is wrong stands for all that could be wrong.
builtin_is() {
    stop
    start firefox
    tell js "$js" trusts "$isrg"
    expect_eq "firefox, $4" "$REPLY" "$1"
    start chromium
    tell ask chromium "$impostor"
    expect_eq "chromium, $4" "$REPLY" "$2"
    stop
    cp "$cr"/{cert9,key4}.db "$T/system"
    run certutil -V -u L -d "sql:$T/system" -n 'Builtin Object Token:ISRG Root X1'
    expect_grep "certutil, $4" "$3" "$out"
}
mkdir "$T/system"
cp "$T/empty"/*.db "$T/system"
run modutil -force -dbdir "sql:$T/system" -add roots -libfile "$roots"
yes=('true 0' net::ERR_CERT_COMMON_NAME_INVALID 'certificate is valid')
no=('false -8171' no 'marked as not trusted')
builtin_is "${yes[@]}" 'its own root'
does distrust isrg.pem
builtin_is "${no[@]}" 'its own root distrusted'
does undo
builtin_is "${yes[@]}" 'its own root, undone'
does distrust isrg.pem
does remove isrg.pem
builtin_is "${yes[@]}" 'its own root, distrust removed'

part 'a password'
echo secret >"$T/password"
mkdir "$T/locked"
certutil -N -d "sql:$T/locked" -f "$T/password"
nothing "$T/locked"
both certutil -A -n old -t C,, -i old-root.pem -f "$T/password"
everybody 'no no yes' 'old root, with a password'
does install cross.pem
everybody 'no yes yes' 'old root and cross, with a password'
run xr "${stores[@]}" distrust cross.pem --yes
expect_eq 'distrust without the password: refused' "$rc" 4
everybody 'no yes yes' 'so nothing changed'
does remove cross.pem
everybody 'no no yes' 'cross removed without the password'
stop
part 'end'
finish
