#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What real browsers make of it: headless Firefox and Chromium against servers on loopback, in a
# network namespace that has nothing else; crossroot itself runs outside of it. A question is put to
# three servers, which send the leaf, the leaf and its CA, or these and the cross certificate; the
# answer to "who trusts" is one word each. Before it a browser is started, unless it says "running".
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/nss/browsing.sh
. "$here/browsing.sh"

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
    expect_eq 'crossroot verify says the same' "$(verify "$ff") / $(verify "$cr")" "$1 / $1"
}
# verify DATABASE: the same question to crossroot
verify() {
    local chain answers=()
    for chain in leaf leaf-sub leaf-sub-cross; do
        run xr --store "nss:$1" verify "$chain.pem" --host localhost
        case $rc in
        0) answers+=(yes) ;;
        6) answers+=(no) ;;
        *) answers+=("exit $rc") ;;
        esac
    done
    echo "${answers[*]}"
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
for browser in firefox chromium; do
    tell visit $browser "${ports[2]}"
    expect_eq "$browser shows no page" "$REPLY" no
done
does install old-root.pem
expect_grep 'says that Firefox runs' 'profile: Firefox .* is running' "$err"
still firefox 'no no yes' 'old root, running'
answers chromium 'no no yes' 'old root'
for browser in firefox chromium; do
    tell visit $browser "${ports[2]}"
    expect_eq "$browser shows the page" "$REPLY" yes
done
does install cross.pem
still firefox 'no yes yes' 'old root and cross, running'
answers chromium 'no yes yes' 'old root and cross'
does install sub.pem
still firefox 'yes yes yes' 'old root, cross and sub, running'
answers chromium 'yes yes yes' 'old root, cross and sub'
does remove sub.pem
does remove cross.pem
everybody 'no no yes' 'sub and cross removed'
does undo
still firefox 'no yes yes' 'cross back by undo, running'
answers chromium 'no yes yes' 'cross back by undo'
does distrust cross.pem
expect_grep 'says that Firefox must be restarted' 'profile: Firefox .* restart it; until then' "$err"
note firefox 'cross distrusted while it ran'
note chromium 'cross distrusted while it ran'
everybody 'no no no' 'cross distrusted'
does undo
everybody 'no yes yes' 'distrust of cross undone'
does distrust old-root.pem
everybody 'no no no' 'old root distrusted'
does remove old-root.pem
everybody 'no no no' 'cross alone'
does remove cross.pem
does install cross.pem --as anchor
everybody 'no yes yes' 'cross wrongly an anchor'
does undo
does install old-root.pem
everybody 'no no yes' 'old root, cross no anchor any more'

part 'somebody else wrote it'
nothing
both certutil -A -n old -t C,, -i old-root.pem
both certutil -A -n cross -t ,, -i cross.pem
does distrust cross.pem
expect_no_grep 'nothing runs, and nothing else is said' 'running' "$err"
everybody 'no no no' "certutil's cross distrusted"
does undo
everybody 'no yes yes' "undone, it is certutil's again"
does remove old-root.pem
everybody 'no no no' "certutil's old root removed"

# new-root.pem is of the cross certificate's name and key, and nobody sends it: distrust of one of
# them leaves the way by the other, which must be said. Distrust of the key leaves none.
part 'twins'
# twin FILE WHAT
twin() {
    expect_exit 6 "crossroot distrust $1 says what is left, $2" xr "${stores[@]}" distrust "$1" --yes
    expect_grep 'and by way of what' 'still trusted by way of' "$err"
    everybody 'no yes yes' "$2, $1 distrusted"
    does undo
    does distrust "$1" --key
    everybody 'no no no' "$2, key of $1 distrusted"
}
nothing
does install old-root.pem cross.pem
twin new-root.pem 'old root and cross'
nothing
does install new-root.pem cross.pem
twin cross.pem 'new root and cross'

# Trust as a new NSS writes it, which Debian's does not see; see the notes.
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
stop
mkdir "$T/by-firefox"
cp "$ff"/{cert9,key4}.db "$T/by-firefox"
nothing "$T/by-firefox"
certutil -M -d "sql:$ff" -n 'Crossroot Test Old Root - Crossroot' -t p,p,p
for browser in firefox chromium; do
    start $browser
done
note firefox "its own old root, then distrusted by certutil"
note chromium "Firefox's old root"
for how in distrust remove; do
    nothing "$T/by-firefox"
    does $how old-root.pem
    everybody 'no no no' "Firefox's old root: $how"
    does undo
    answers firefox 'no no yes' "Firefox's old root: $how undone"
    stop
    does $how old-root.pem
    [[ $how = remove ]] || does remove old-root.pem
    both certutil -A -n old -t ,, -i old-root.pem
    everybody 'no no no' "Firefox's old root: $how, removed, added again without trust"
done

# Nobody here has the key of a server with such a certificate, so it is shown to Chromium as the
# server's own: a name that is wrong is all that is wrong.
part 'a root of the browsers themselves'
nothing
start firefox
tell js "$js" builtin 'ISRG Root X1'
isrg=$REPLY
stop
base64 -d <<<"$isrg" | openssl x509 -inform DER -out isrg.pem
tell impostor "$P/isrg.pem"
impostor=$REPLY
mkdir "$T/system"
cp "$T/empty"/*.db "$T/system"
run modutil -force -dbdir "sql:$T/system" -add roots \
    -libfile "$(find /usr/lib /usr/lib64 -name libnssckbi.so -print -quit 2>/dev/null)"
# builtin_is WHAT FIREFOX CHROMIUM CERTUTIL
builtin_is() {
    start firefox
    tell js "$js" trusts "$isrg"
    expect_grep "firefox, $1" "$2" - <<<"$REPLY"
    start chromium
    tell ask chromium "$impostor"
    expect_eq "chromium, $1" "$REPLY" "$3"
    stop
    cp "$cr"/{cert9,key4}.db "$T/system"
    run certutil -V -u L -d "sql:$T/system" -n 'Builtin Object Token:ISRG Root X1'
    expect_grep "certutil, $1" "$4" "$out"
}
yes=('^true 0$' net::ERR_CERT_COMMON_NAME_INVALID 'certificate is valid')
no=('^false -81' no 'marked as not trusted')
builtin_is 'its own root' "${yes[@]}"
does distrust isrg.pem
builtin_is 'its own root distrusted' "${no[@]}"
does undo
builtin_is 'its own root, undone' "${yes[@]}"
does distrust isrg.pem
does remove isrg.pem
builtin_is 'its own root, distrust removed' "${yes[@]}"

# What all this is for. A Chromium that knows the new root needs no help, and shows nothing here.
secom=$XR_SHARED/data/secom
if [[ -d $secom ]]; then
    part 'the real one'
    nothing
    tell impostor "$secom/nii-open-domain-ca-g8-rsa.pem"
    nii=$REPLY
    # nii_is ANSWER WHAT
    nii_is() {
        stop
        start chromium
        tell ask chromium "$nii"
        expect_eq "chromium, NII's CA, $2" "$REPLY" "$1"
    }
    start chromium
    tell ask chromium "$nii"
    if [[ $REPLY != no ]]; then
        skip "chromium, NII's CA: $REPLY without the cross certificate"
    else
        does install "$secom/secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem"
        nii_is net::ERR_CERT_COMMON_NAME_INVALID 'with the cross certificate'
        does undo
        nii_is no 'without it again'
    fi
fi

part 'a password'
echo secret >"$T/password"
mkdir "$T/locked"
certutil -N -d "sql:$T/locked" -f "$T/password"
nothing "$T/locked"
both certutil -A -n old -t C,, -i old-root.pem -f "$T/password"
does install cross.pem
everybody 'no yes yes' 'old root and cross, with a password'
expect_exit 1 'no distrust without the password' xr "${stores[@]}" distrust cross.pem --yes
everybody 'no yes yes' 'so nothing changed'
does distrust cross.pem --password-fd 3 3<"$T/password"
everybody 'no no no' 'cross distrusted with the password'
expect_exit 1 'nor is distrust taken away without it' xr "${stores[@]}" remove cross.pem --yes
does undo --password-fd 3 3<"$T/password"
does remove cross.pem
everybody 'no no yes' 'cross removed without the password'
stop

# Firefox's own profile manager lists them in a database of its own alone.
part 'profile groups'
firefox=$HOME/.mozilla/firefox
mkdir -p "$firefox/first"
printf '[Profile0]\nName=first\nIsRelative=1\nPath=first\n' >"$firefox/profiles.ini"
echo 'user_pref("browser.profiles.enabled", true);' >"$firefox/first/prefs.js"
tell start firefox "$firefox/first"
tell js "$here/firefox.js" group
made=$REPLY
tell stop firefox
expect_eq 'made beside profiles.ini' "$(dirname -- "$made")" "$firefox"
run xr --scope user stores
expect_grep 'its listed profile is found' "^nss:$firefox/first" "$out"
expect_grep 'one of its group is found too' "^nss:$made" "$out"
part 'end'
finish
