#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What crossroot writes as policies reaches the real Chromium: each place, limits, profiles and users made
# later, a browser that runs; and undo takes it back.
set -euo pipefail
beside=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
if [[ ${1:-} != inside ]]; then
    inside=(unshare --mount --net)
    [[ $(id -u) -eq 0 ]] || inside+=(--map-root-user)
    if [[ ! -d /etc/chromium ]] || ! "${inside[@]}" true 2>/dev/null; then
        printf 'skip  neither root nor user namespaces here, or no /etc/chromium\n0 passed, 0 failed\n'
        exit 77
    fi
    exec "${inside[@]}" bash "${BASH_SOURCE[0]}" inside
fi
# shellcheck source=tests/nss/browsing.sh
. "$beside/../nss/browsing.sh"
mkdir -p "$T/etc" "$HOME/.pki/nssdb"
certutil -N -d "sql:$HOME/.pki/nssdb" --empty-password
mount --make-rprivate /
mount --bind "$T/etc" /etc/chromium
managed=$T/etc/policies/managed
none='no no no' root='no no yes' both='no yes yes'

# policy COMMAND...
policy() {
    expect_exit 0 "crossroot $*" xr --store policy:chromium --yes "$@"
}
starts=0
# browser ANSWERS WHAT: of a profile that was never used
browser() {
    starts=$((starts + 1))
    tell start chromium "$T/data-$starts"
    tell ask chromium "${ports[@]}"
    # Where a limit is violated, there is another name for it.
    expect_eq "Chromium, $2" "${REPLY//net::ERR_CERT_INVALID/no}" "$1"
    tell stop chromium
    rm -rf "$T/data-$starts"
}
undo() {
    expect_exit 0 'undo' xr --yes undo
}

browser "$none" 'nothing'
policy install old-root.pem
browser "$root" 'the old root as an anchor'
policy install cross.pem
browser "$both" 'and the cross certificate as a hint'
policy distrust old-root.pem
browser "$none" 'the old root blocked'
undo
browser "$both" 'no longer blocked'
policy distrust cross.pem
browser "$none" 'the key of the cross certificate blocked'
undo
undo
undo
browser "$none" 'all taken back'
expect_eq 'nothing is left' "$(ls -A "$managed")" ''
policy install old-root.pem --permit-dns example.com
browser "$none" 'limited to example.com'
policy install old-root.pem --permit-dns localhost
browser "$root" 'and to localhost'
policy install old-root.pem --only --permit-cidr 10.0.0.0/8 --permit-dns localhost
browser "$none" 'and to addresses that are others'
undo
undo
undo

# --- with what a user has already

expect_exit 0 'the user trusts the old root' xr --store "nss:$HOME/.pki/nssdb" --yes install old-root.pem
policy install cross.pem
browser "$both" 'the hint helps the anchor of a user'
policy distrust old-root.pem
browser "$none" 'and a policy blocks it'
undo

# --- a browser that runs

undo
tell start chromium "$T/data"
tell ask chromium "${ports[@]}"
expect_eq 'Chromium runs without the hint' "$REPLY" "$root"
# Measured were 5 to 8 seconds. A browser does not watch the directory yet for some time after its start:
# such a change it sees only when there is another.
sees() { # ANSWERS
    for _ in {1..15}; do
        tell ask chromium "${ports[@]}"
        [[ $REPLY != "$1" ]] || return 0
        sleep 2
    done
    return 1
}
for _ in {1..6}; do
    policy install cross.pem
    ! sees "$both" || break
    undo
done
expect_eq 'a browser that runs takes up the hint' "$REPLY" "$both"
undo
sees "$root" || true
expect_eq 'and gives it up' "$REPLY" "$root"
tell stop chromium
undo # of the user's anchor

# --- every user, also those to come; with the whole command line

if [[ $(id -u) -eq 0 ]]; then
    people=$T/people
    mkdir -p "$people/root" "$people/old"
    chmod 755 "$T" "$people"
    chown 1234:1234 "$people/old"
    printf 'root:x:0:0::%s/root:/bin/sh\nold:x:1234:1234::%s/old:/bin/sh\n' "$people" "$people" >"$T/passwd"
    mount --bind "$T/passwd" /etc/passwd
    all=(--scope all --exclude-store ca-certificates --exclude-store p11-kit --exclude-store openssl)
    fresh_user=(setpriv --reuid=1234 --regid=1234 --clear-groups env HOME="$people/old")
    "${fresh_user[@]}" mkdir -p "$people/old/.pki/nssdb"
    "${fresh_user[@]}" certutil -N -d "sql:$people/old/.pki/nssdb" --empty-password
    export HOME=$people/root
    expect_exit 0 'install for all' xr "${all[@]}" install cross.pem --pin "$(sha cross.pem)"
    expect_grep "leaves what it does to no user's database" \
        'policy:chromium serves every user of the browsers that read this' "$out"
    expect_exit 0 'the old root' xr "${all[@]}" install old-root.pem --yes
    expect_grep "and says what the user's browser says" 'verified: yes .Chromium with nss:' "$out"
    browser "$both" 'a user who did not exist'
    expect_exit 0 'undo' xr --yes undo
    expect_exit 0 'undo' xr --yes undo
    browser "$none" 'who is back where they were'
else
    skip 'users of the machine: not root'
fi
finish
