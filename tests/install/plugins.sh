#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# plugins.sh SOURCE CC: every backend as a plugin: each links by itself, exports its entry alone, loads and
# works.
set -euo pipefail
source=$1 cc=$2
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
cmake -S "$source" -B "$tmp/b" -G Ninja -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Debug \
    -DXR_BUILTIN_BACKENDS= -DXR_BUILD_TESTS=OFF -DXR_BUILD_FIXTURES=ON -DXR_MAN=OFF >"$tmp/log"
cmake --build "$tmp/b" >>"$tmp/log" 2>&1 || { tail -n 40 "$tmp/log"; exit 1; }
plugins=0
for plugin in "$tmp/b/backends/"*.so; do
    names=$(nm -D --defined-only -- "$plugin" | awk '{ print $NF }')
    [[ $names = xr_backend_entry ]] || { echo "${plugin##*/} exports: ${names//$'\n'/ }"; exit 1; }
    plugins=$((plugins + 1))
done
[[ $plugins -ge 3 ]] || { echo "only $plugins plugins were built"; exit 1; }
"$tmp/b/tests/pki/xr-mkpki" "$tmp/pki" >/dev/null
xr() {
    "$tmp/b/cli/crossroot" --worker "$tmp/b/core/worker" --state "$tmp/state" \
        --plugin "$tmp/b/backends/openssl.so" --plugin "$tmp/b/backends/cacerts.so" \
        --plugin "$tmp/b/backends/nss.so" "$@"
}
mkdir -p "$tmp/profile" "$tmp/image/etc/ssl/certs" "$tmp/image/usr/sbin" \
    "$tmp/image/usr/local/share/ca-certificates" "$tmp/image/usr/share/ca-certificates"
: >"$tmp/image/etc/ca-certificates.conf"
: >"$tmp/image/usr/sbin/update-ca-certificates"
xr --store "openssl:$tmp/trust" --store "nss:$tmp/profile" install --yes "$tmp/pki/old-root.pem"
xr --root "$tmp/image" --store ca-certificates install --yes "$tmp/pki/old-root.pem"
xr --store "nss:$tmp/profile" list | grep -c 'anchor .*Old Root'
xr --root "$tmp/image" --store ca-certificates list | grep -c 'anchor .*Old Root'
