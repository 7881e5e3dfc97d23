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
        rm -f "$db"/{cert9,key4}.db* "$db/pkcs11.txt"
        cp "${1:-$T/empty}"/{cert9.db,key4.db,pkcs11.txt} "$db"
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
    answers firefox "$@"
    answers chromium "$@"
}

# --- until crossroot does it
install() { local f; for f; do both certutil -A -n "$f" -t "$(case $f in *root*) echo C,,;; *) echo ,,;; esac)" -i "$f"; done; }
anchor() { both certutil -A -n "$1" -t C,, -i "$1"; }
distrust() { both certutil -A -n "$1" -t p,p,p -i "$1"; }
remove() { both certutil -D -n "$1"; }

began=$SECONDS
everybody 'no no no' 'nothing'
install old-root.pem
still firefox 'no no yes' 'old root, already running'
answers chromium 'no no yes' 'old root'
install cross.pem
still firefox 'no yes yes' 'old root and cross, already running'
answers chromium 'no yes yes' 'old root and cross'
install sub.pem
still firefox 'yes yes yes' 'old root, cross and sub, already running'
answers chromium 'yes yes yes' 'old root, cross and sub'
remove sub.pem
remove cross.pem
everybody 'no no yes' 'old root, cross and sub removed again'
install cross.pem
everybody 'no yes yes' 'old root and cross'
distrust cross.pem
everybody 'no no no' 'old root, cross distrusted'
nothing
install cross.pem
everybody 'no no no' 'cross only'
nothing
anchor cross.pem
everybody 'no yes yes' 'cross wrongly an anchor'
nothing
install old-root.pem cross.pem
distrust old-root.pem
everybody 'no no no' 'old root distrusted'
echo "$((SECONDS - began)) s"
stop
finish
