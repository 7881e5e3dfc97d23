#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The distribution's hooks and its own command: on the live system, after a change, and told of it.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
need_live
make_pki "$T/pki"

box=$T/box
stage "$box"
run live "$box" update-ca-certificates --fresh
dir=$box/etc/ca-certificates/update.d
log=$box/state/log
hook() { # NAME MODE: a hook that writes down what it is told
    { printf '#!/bin/sh\n{ echo "%s in $PWD with $# arguments"; cat; } >>%q\n' "$1" "$log"; cat; } >"$dir/$1"
    chmod "$2" "$dir/$1"
}
hook one 755 </dev/null
hook two.sh 755 </dev/null
hook not-executable 644 </dev/null
mkdir "$dir/directory"

expect_exit 0 "install" live_xr "$box" install --yes "$P/new-root.pem"
name=crossroot-$(sha "$P/new-root.pem").pem
printf 'one in /etc/ssl/certs with 0 arguments\n+/etc/ssl/certs/%s\n' "$name" >"$T/want"
expect_same "the hook that run-parts would choose is told" "$T/want" "$log"
rm -f "$log"
expect_exit 0 "nothing to do" live_xr "$box" install --yes "$P/new-root.pem"
expect_absent "nobody is told" "$log"
expect_exit 0 "undo" live_xr "$box" undo
printf 'one in /etc/ssl/certs with 0 arguments\n-/etc/ssl/certs/%s\n' "$name" >"$T/want"
expect_same "of what goes, too" "$T/want" "$log"
rm -f "$log"

# --- a hook that fails

hook two 755 <<<'echo this is why >&2; exit 3'
expect_exit 4 "a failing hook" live_xr "$box" install --yes "$P/new-root.pem"
expect_grep "is reported" 'the hook failed: /etc/ca-certificates/update.d/two exited with 3: this is why' "$err"
expect_grep "and the change is there" 'added' "$out"
expect_grep "the others ran" '^one in' "$log"
settled "after a failing hook" "$box"
rm "$dir/two"
expect_exit 0 "undo" live_xr "$box" undo
rm -f "$log"

# --- killed between outputs and hooks

hook two 755 <<<'[ -e /etc/kill-us ] && rm /etc/kill-us && kill -9 $PPID; exit 0'
touch "$box/etc/kill-us"
run live_xr "$box" install --yes "$P/new-root.pem"
[[ $rc -gt 128 ]] && ok "killed by a hook" || bad "killed by a hook: exit $rc"
[[ -e $box/etc/ssl/certs/.crossroot-hooks ]] && ok "what hooks are owed is written down" ||
    bad "what hooks are owed is not written down"
rm -f "$log"
expect_exit 0 "the next change" live_xr "$box" install --yes "$P/rsa-root.pem"
expect_grep "tells them of both" "^\+/etc/ssl/certs/$name\$" "$log"
expect_grep "tells them of both" "^\+/etc/ssl/certs/crossroot-$(sha "$P/rsa-root.pem").pem\$" "$log"
expect_absent "and nothing is owed" "$box/etc/ssl/certs/.crossroot-hooks"
settled "after that" "$box"
rm "$dir/two"

# --- nothing of an image is executed

rm -f "$log"
expect_exit 0 "the same as an image" xr --root "$box" --layout debian install --yes "$P/utf8.pem"
expect_absent "runs no hook" "$log"

# --- their own command

expect_exit 0 "--updater distro" live_xr "$box" --updater distro install --yes "$P/bmp.pem"
expect_grep "is verified" '^  verified: yes' "$out"
expect_grep "runs the hooks itself" "^\+/etc/ssl/certs/crossroot-$(sha "$P/bmp.pem").pem\$" "$log"
expect_exit 0 "undo" live_xr "$box" --updater distro undo
settled "after --updater distro" "$box"
expect_exit 1 "not for an image" xr --root "$box" --layout debian --updater distro install --yes "$P/t61.pem"
expect_grep "because" "nothing of an image is executed" "$out"

# --- Java, by the real hook

if [[ -x /etc/ca-certificates/update.d/jks-keystore ]] && command -v keytool java >/dev/null; then
    cp /etc/ca-certificates/update.d/jks-keystore "$dir"
    cp -a /var/lib/dpkg "$box/dpkg"
    mkdir -p "$box/ca-certificates-java"
    [[ ! -d /var/lib/ca-certificates-java ]] || cp -a /var/lib/ca-certificates-java/. "$box/ca-certificates-java"
    java_knows() {
        live "$box" keytool -list -keystore /etc/ssl/certs/java/cacerts -storepass changeit 2>/dev/null |
            grep -ac "debian:crossroot-$(sha "$P/ed25519-root.pem")" || true
    }
    expect_eq "Java does not know it" "$(java_knows)" 0
    expect_exit 0 "install with Java's hook" live_xr "$box" install --yes "$P/ed25519-root.pem"
    expect_eq "Java knows it" "$(java_knows)" 1
    expect_exit 0 "undo" live_xr "$box" undo
    expect_eq "Java has forgotten it" "$(java_knows)" 0
else
    skip "no ca-certificates-java"
fi

finish
