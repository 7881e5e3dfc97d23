#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many certificates of one key in a token, to which p11-kit attaches what limits them all: a batch says and
# does what one change after the other would, and trust(1) sees it so.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
for module in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ ! -e $module ]] || break
done
[[ -e $module ]] && command -v trust >/dev/null || skip_all 'no trust (p11-kit)'
chmod 755 "$T"
"$XR_MKCERTS" 40 "$T/certs" key
cat "$T"/certs/*.pem >"$T/all.pem"
cat "$T"/certs/00000*.pem >"$T/ten.pem"
cat "$T"/certs/00003[0-9].pem >"$T/last.pem"
mkdir -p "$T/etc" "$HOME/.config/pkcs11/modules"
echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
printf 'module: %s\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "$module" "$T/etc" \
    >"$HOME/.config/pkcs11/modules/x.module"
as_other=()
[[ $(id -u) -ne 0 ]] || as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
t() { xr --store "p11-kit:$T/etc" "$@"; }
# anchors PURPOSE: how many there are for trust(1)
anchors() {
    rm -rf "$T/real"
    mkdir -m 777 "$T/real"
    chmod -R a+rX "$T/etc" "$HOME"
    "${as_other[@]}" env -i PATH="$PATH" HOME="$HOME" XDG_CONFIG_HOME="$HOME/.config" trust extract --overwrite \
        --format=pem-bundle --filter=ca-anchors --purpose="$1" "$T/real/out" 2>/dev/null || true
    cat "$T/real/out" 2>/dev/null | grep -c BEGIN || true
}
steps() { # ACTION: how many the last report has
    json "stores[0].steps[action=$1].sha256" "$out" | grep -c . || true
}
snap "$T/etc" >"$T/empty"

expect_exit 0 'install all' t --json install --yes "$T/all.pem"
expect_eq 'each is added' "$(steps add)" 40
expect_eq 'trust has them for servers' "$(anchors server-auth)" 40
expect_eq 'and for nothing else' "$(anchors email)" 0
snap "$T/etc" >"$T/full"
expect_exit 0 'again' t --json install --yes "$T/all.pem"
expect_eq 'nothing is to be done' "$(steps none)" 40
run t --json install --yes --for email "$T/ten.pem"
expect_eq 'other purposes for some would change the limits of the others' "$rc" 1
expect_json 'the store refuses' 'stores[0].state' refused
expect_grep 'and says why' 'of the same key, and this would change its limits|attach other purposes to its key' "$out"
snap "$T/etc" >"$T/now"
expect_same 'nothing was changed' "$T/full" "$T/now"

expect_exit 0 'remove some' t --json remove --yes "$T/ten.pem"
expect_eq 'trust has the others' "$(anchors server-auth)" 30
expect_exit 0 'put back' t undo --yes
snap "$T/etc" >"$T/now"
expect_same 'to the byte' "$T/full" "$T/now"
expect_exit 0 'remove all' t --json remove --yes "$T/all.pem"
expect_eq 'trust has none' "$(anchors server-auth)" 0
expect_exit 0 'undo' t undo --yes
expect_eq 'trust has all again' "$(anchors server-auth)" 40
expect_exit 0 'remove all' t remove --yes "$T/all.pem"

# Once nobody else has it, a key may get other limits, in the same batch too.
expect_exit 0 'for email now' t install --yes --for email "$T/ten.pem"
expect_eq 'trust has these' "$(anchors email)" 10
expect_eq 'for no server' "$(anchors server-auth)" 0
run t --json install --yes "$T/last.pem"
expect_eq 'servers are refused for the others' "$rc" 1
expect_grep 'as the key has other purposes' 'attach other purposes to its key|would change its limits|limits its key' "$out"
expect_eq 'trust still has these' "$(anchors email)" 10
expect_exit 0 'and none of them is stuck' t remove --yes "$T/ten.pem"
snap "$T/etc" >"$T/now"
expect_same 'nothing is left' "$T/empty" "$T/now"

expect_exit 0 'neither trusted nor distrusted' t install --yes --as intermediate "$T/all.pem"
expect_eq 'is no anchor' "$(anchors server-auth)" 0
expect_exit 0 'distrust one, and with it the key' t distrust --key --yes "$T/certs/000007.pem"
expect_eq 'trust has none' "$(anchors server-auth)" 0
expect_exit 7 'an anchor of that key is asked about' t install "$T/certs/000008.pem"
finish
