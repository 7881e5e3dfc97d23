#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Root follows no link of another user to an image, to a plugin or to the helper program, and runs no
# helper program that another user can change. links.sh PLUGIN
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=$1
if [[ $(id -u) -ne 0 ]]; then
    skip 'links of another user: only root can make them here'
    exit 77
fi
make_pki "$T/pki"
chmod 755 "$T"
mkdir -m 1777 "$T/shared"
mkdir -p "$T/image/etc/ssl/certs" "$T/image/usr/share/ca-certificates" "$T/image/usr/local/share/ca-certificates"
: >"$T/image/etc/ca-certificates.conf"
cp "$plugin" "$T/plugin.so"
cp "$XR_WORKER" "$T/worker"
theirs() { # NAME TARGET
    ln -s "$2" "$T/shared/theirs-$1"
    chown -h 65534:65534 "$T/shared/theirs-$1"
    ln -s "$2" "$T/shared/ours-$1"
}
theirs image "$T/image"
theirs plugin.so "$T/plugin.so"
theirs worker "$T/worker"
snap "$T/image" >"$T/before"

for at in "$T/shared/" ''; do
    cd "$T/shared"
    expect_exit 1 "an image by another user's link: ${at:-relative}" \
        xr --root "${at}theirs-image" install --yes "$P/old-root.pem"
    expect_grep 'is refused' "another user's link" "$err"
    expect_exit 1 "a plugin by another user's link: ${at:-relative}" \
        xr --plugin "${at}theirs-plugin.so" --store "openssl:$T/trust" list
    expect_grep 'is refused' "plugin .*another user's link" "$err"
    expect_exit 1 "the helper program by another user's link: ${at:-relative}" \
        "$XR_BIN" --worker "${at}theirs-worker" --state "$T/state" --store "nss:$T" list
    expect_grep 'is refused' "helper program is refused: .*another user's link" "$err"
done
snap "$T/image" >"$T/after"
expect_same 'nothing was changed' "$T/before" "$T/after"

chown 65534 "$T/worker"
expect_exit 1 "another user's helper program" \
    "$XR_BIN" --worker "$T/worker" --state "$T/state" --store "nss:$T" list
expect_grep 'is refused' 'helper program is refused: .*belongs to another user' "$err"
chown 0 "$T/worker"
chmod 775 "$T/worker"
expect_exit 1 'a helper program that others can write to' \
    "$XR_BIN" --worker "$T/worker" --state "$T/state" --store "nss:$T" list
expect_grep 'is refused' 'helper program is refused: other users can write' "$err"
chmod 755 "$T/worker"

cd "$T/shared"
expect_exit 0 "root's own links are followed: an image" xr --root ours-image install --yes "$P/old-root.pem"
expect_exit 0 'a plugin' xr --plugin ours-plugin.so --store "openssl:$T/trust" list
expect_exit 0 'and the helper program' \
    "$XR_BIN" --worker ours-worker --state "$T/state" --store "nss:$T" list
finish
