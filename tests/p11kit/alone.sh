#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where p11-kit's own module is the only one configured, nobody has to run it to know its tokens: no helper is
# started to look for them, and the answer is the same. With any other configuration one is.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_P11:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_P11=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
[[ $(id -u) -eq 0 && -n ${XR_OWN_P11:-} ]] || skip_all 'not here: needs root and a mount namespace'
command -v trust >/dev/null || skip_all 'no trust (p11-kit)'
[[ -e /etc/ld.so.cache && ! -e /etc/pkcs11/pkcs11.conf ]] || skip_all 'not here: p11-kit is configured'
for module in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ ! -e $module ]] || break
done
[[ -e $module ]] || skip_all 'no p11-kit-trust.so'
chmod 755 "$T"
conf=$T/modules
mkdir "$conf"
mount --bind "$conf" /usr/share/p11-kit/modules

# Who starts is counted. Helpers get no environment, and root runs only what is root's own.
mkdir "$T/run"
mount -t tmpfs -o mode=755 tmpfs "$T/run" && printf '#!/bin/sh\necho >>%q\nexec %q\n' "$T/run/started" \
    "$XR_WORKER" >"$T/run/worker" && chmod 755 "$T/run/worker"
as=()
ask() { # [OPTION...]
    "${as[@]}" "$XR_BIN" --worker "$T/run/worker" --state "$T/none" --scope system --store p11-kit "$@" stores --json
}
stores() { # the answer in $out, and in $started how many helpers looked: none has to open what is left out
    : >"$T/run/started"
    chmod 666 "$T/run/started"
    ask --exclude-store p11-kit >"$out" 2>"$err" || true
    started=$(wc -l <"$T/run/started")
    rc=0
    ask >"$out" 2>"$err" || rc=$?
}
usual() {
    rm -rf "${conf:?}"/* "$conf"/.[!.]*
    printf '# usual\nmodule: p11-kit-trust.so\npriority: 1\ntrust-policy: yes\n%s\nx-init-reserved:\n' \
        'disable-in: p11-kit-proxy' >"$conf/p11-kit-trust.module"
}
usual
echo 'critical: no' >>"$conf/p11-kit-trust.module" # says nothing new, but is not usual
stores
expect_eq 'asked for, the module has a token' "$rc $started $(json 'stores[].store' "$out" | grep -c .)" '0 1 1'
cp "$out" "$T/asked"
usual
stores
expect_eq 'the module alone: no helper' "$rc $started" '0 0'
expect_same 'and the same answer' "$T/asked" "$out"
as=(setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$T/home" XDG_CONFIG_HOME="$T/home/.config")
mkdir -p "$T/home"
chmod 755 "$T/home"
stores
expect_eq 'also for a user' "$rc $started" '0 0'
mkdir -p "$T/home/.config/pkcs11"
stores
expect_eq 'but not with a configuration' "$rc $started" '0 1'
rm -rf "$T/home/.config"
as=()

rm "$conf/p11-kit-trust.module"
stores
expect_eq 'no module: no helper, and no token' "$rc $started" '1 0'
expect_grep 'which is said' 'no such store was found' "$out"

is_asked() { # WHY
    stores
    expect_eq "asked: $1" "$started" 1
}
softhsm=$(find /usr/lib /usr/lib64 -name libsofthsm2.so -print -quit 2>/dev/null || true)
for name in softhsm.module softhsm .softhsm.module; do
    usual
    printf 'module: %s\n' "${softhsm:-/nowhere/other.so}" >"$conf/$name"
    is_asked "another module, $name"
done
usual
printf 'remote: |/bin/false\n' >"$conf/remote.module"
is_asked 'a module elsewhere'
usual
ln -s /nowhere "$conf/p11-kit-trust2.module"
is_asked 'a file that is missing'
mkdir -p "$T/paths"
for line in "x-init-reserved: paths='$T/paths'" 'enable-in: other' 'disable-in: worker, crossroot' 'module: /x/p11-kit-trust.so' \
    'trust-policy: no' '[section]' 'no colon' 'managed: no' 'module : p11-kit-trust.so x'; do
    usual
    printf '%s\n' "$line" >>"$conf/p11-kit-trust.module"
    is_asked "$line"
done
usual
mv "$conf/p11-kit-trust.module" "$conf/other.module"
is_asked 'another name'
usual
chmod 666 "$conf/p11-kit-trust.module"
is_asked 'a file that others can write'
umount "$T/run"
finish
