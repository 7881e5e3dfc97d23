#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real Firefox with what extract wrote in the place of its distribution directory.
set -euo pipefail
beside=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
theirs=/usr/lib/firefox-esr/distribution
if [[ ${1:-} != inside ]]; then
    inside=(unshare --mount --net)
    [[ $(id -u) -eq 0 ]] || inside+=(--map-root-user)
    if [[ ! -d $theirs || -e /etc/firefox/policies/policies.json ]] || ! "${inside[@]}" true 2>/dev/null; then
        printf 'skip  not here: Firefox ESR without policies, and namespaces\n0 passed, 0 failed\n'
        exit 77
    fi
    exec "${inside[@]}" bash "${BASH_SOURCE[0]}" inside
fi
# shellcheck source=tests/nss/browsing.sh
. "$beside/../nss/browsing.sh"
profile=$HOME/.mozilla/firefox/test.default
mkdir -p "$profile"
expect_exit 0 'extract' xr extract --from old-root.pem --from rsa-root.pem --merge --to firefox-policy="$T/distribution"
mount --make-rprivate /
mount --bind "$T/distribution" "$theirs"
tell start firefox "$profile"
for ((i = 0; i < 60; i++)); do
    run xr --nss /usr/lib/firefox-esr --store "nss:$profile" --json list
    [[ $(json 'stores[].entries[].place' "$out" | xargs) != 'anchor anchor' ]] || break
    sleep 0.5
done
expect_eq 'both are anchors of the profile' "$(json 'stores[].entries[].sha256' "$out" | sort | xargs)" \
    "$(for one in old-root rsa-root; do sha "$P/$one.pem"; done | sort | xargs)"
tell ask firefox "${ports[2]}"
expect_eq 'a server below one of them is trusted' "$REPLY" yes
tell stop firefox
finish
