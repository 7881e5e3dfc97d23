#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real Chromium on the states that the reader was tested with: it must answer the same. Each state
# is a start of the browser, in a mount namespace with policies of its own.
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
policies=$T/etc/policies
# shellcheck source=tests/policy/states.sh
. "$beside/states.sh"
starts=0
check() {
    local answers=$1
    starts=$((starts + 1))
    tell start chromium "$T/data-$starts"
    tell ask chromium "${ports[@]}"
    expect_eq "$2" "${REPLY//net::ERR_CERT_INVALID/no}" "$answers"
    tell stop chromium
    rm -rf "$T/data-$starts"
}
all_states
finish
