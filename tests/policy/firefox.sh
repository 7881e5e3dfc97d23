#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real Firefox: what its policy installs comes back after a removal and a distrust, as the profile's
# store says, and stays away when the policy is gone.
set -euo pipefail
beside=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
theirs=/usr/lib/firefox-esr/distribution
if [[ ${1:-} != inside ]]; then
    inside=(unshare --mount --net)
    [[ $(id -u) -eq 0 ]] || inside+=(--map-root-user)
    if [[ ! -d $theirs || -e /etc/firefox/policies/policies.json ]] || ! "${inside[@]}" true 2>/dev/null; then
        printf 'skip  neither root nor user namespaces here, or policies of this machine\n0 passed, 0 failed\n'
        exit 77
    fi
    exec "${inside[@]}" bash "${BASH_SOURCE[0]}" inside
fi
# shellcheck source=tests/nss/browsing.sh
. "$beside/../nss/browsing.sh"
profile=$HOME/.mozilla/firefox/test.default
mkdir -p "$profile" "$T/distribution"
mount --make-rprivate /
mount --bind "$T/distribution" "$theirs"
on() {
    xr --nss /usr/lib/firefox-esr --store "nss:$profile" "$@"
}
# places: of the certificate in the profile
places() {
    run on --json list
    json "stores[].entries[sha256=$old].place" "$out" | xargs
}
# begins PLACES WHAT: what is in the profile when Firefox has started. Nothing cannot be waited for: a
# policy takes a second.
begins() {
    local i
    tell start firefox "$profile"
    tell ask firefox "${ports[2]}"
    for ((i = 0; i < 60; i++)); do
        [[ $(places) != "$1" || (-z $1 && $i -lt 10) ]] || break
        sleep 0.5
    done
    tell ask firefox "${ports[2]}"
    expect_eq "$2: the browser" "$REPLY" "$([[ -n $1 ]] && echo yes || echo no)"
    tell stop firefox
    expect_eq "$2: the profile" "$(places)" "$1"
}
old=$(sha "$P/old-root.pem")
again="$theirs/policies.json makes it an anchor again whenever Firefox starts"

begins '' 'no policy'
printf '{"policies": {"DisableTelemetry": true}}\n' >"$T/distribution/policies.json"
cp "$T/distribution/policies.json" "$T/theirs.json"
expect_exit 0 'crossroot writes it' xr --store "policy:$theirs/policies.json" install --yes old-root.pem
policy=$(sed -n 's/.*crossroot undo //p' "$out")
begins anchor 'a policy'
expect_exit 0 'list' on list
expect_grep 'names the file' "$again" "$out"
expect_exit 0 'remove' on remove --yes "$old"
expect_grep 'warns' "warning: .*$again" "$err"
expect_eq 'it is removed' "$(places)" ''
begins anchor 'after the next start'
expect_exit 0 'distrust' on distrust --yes "$old"
expect_grep 'warns' "warning: .*$again" "$err"
expect_eq 'it is distrusted' "$(places)" distrust
begins 'distrust anchor' 'after the next start, for old NSS and for Firefox'
expect_exit 0 'undo' xr undo --yes "$policy"
expect_grep 'says what stays where' 'profiles in which .* started meanwhile keep it: crossroot --scope all-users' "$err"
expect_same 'the policy is what it was' "$T/theirs.json" "$T/distribution/policies.json"
expect_exit 0 'remove without the policy' on remove --yes "$old"
expect_no_grep 'does not warn' 'warning: .*makes it an anchor' "$err"
begins '' 'after the next start'
finish
