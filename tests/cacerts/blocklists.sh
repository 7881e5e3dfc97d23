#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A token of p11-kit with blocklist/ and blacklist/, of which its module reads one: what the root's own
# module distrusts is distrusted, and where there is none, what either would.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"
root=$T/root
source=$root/etc/pki/ca-trust/source
bundle=$root/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
image() { xr --root "$root" --store ca-certificates:/ "$@"; }
# A root in which OLD is distrusted by the given directory, and the other is there too.
fresh() { # DIRECTORY
    rm -rf "$root" "$state"
    mkdir -p "$source"/{anchors,blocklist,blacklist} "$root"/etc/pki/ca-trust/extracted/{openssl,pem,java} \
        "$root/usr/share/pki/ca-trust-source/anchors"
    cp "$P/old-root.pem" "$P/rsa-root.pem" "$root/usr/share/pki/ca-trust-source/anchors"
    cp "$P/old-root.pem" "$source/$1"
}
# Of an old release there is only what it is known by.
old_module() {
    mkdir -p "$root/usr/lib64/pkcs11"
    printf 'ELF\0anchors\0blacklist\0overriding trust for anchor in blacklist: %%s\0' >"$root/usr/lib64/pkcs11/p11-kit-trust.so"
}
published() { grep -c BEGIN "$bundle"; }

for dir in blocklist blacklist; do
    other=blocklist
    [[ $dir != blocklist ]] || other=blacklist
    fresh "$dir"
    expect_exit 0 "no module, $dir: a first build" image recover
    expect_grep "no module, $dir: this is said" "$dir holds is distrusted here, but .* read only $other" "$out"
    expect_eq "no module, $dir: what it holds is not published" "$(published)" 1
    expect_exit 2 "no module, $dir: nor does OpenSSL take it" openssl verify -no-CApath -no-CAstore -CAfile "$bundle" \
        "$P/old-root.pem"
    expect_exit 0 "no module, $dir: list" image list
    expect_grep "no module, $dir: and listed" 'distrust .*Crossroot Test Old Root' "$out"
    expect_exit 0 "no module, $dir: another change" image install --yes "$P/new-root.pem"
    expect_eq "no module, $dir: publishes the others" "$(published)" 2
    expect_grep "no module, $dir: and says it again" "$dir holds is distrusted here" "$err"
    expect_exit 7 "no module, $dir: trust is not given back unasked" image install "$P/old-root.pem"
    expect_exit 0 "no module, $dir: distrust" image distrust --yes "$P/rsa-root.pem"
    expect_eq "no module, $dir: is published" "$(published)" 1
    expect_exit 0 "no module, $dir: asked" image remove --from distrust --yes "$P/old-root.pem"
    expect_absent "no module, $dir: it is taken out of there" "$source/$dir/old-root.pem"
    expect_exit 0 "no module, $dir: undo" image undo --yes
    expect_exit 0 "no module, $dir: puts it back" cmp "$P/old-root.pem" "$source/$dir/old-root.pem"
    expect_eq "no module, $dir: distrusted" "$(published)" 1
done

fresh blacklist
rmdir "$source/blocklist"
ln -s blacklist "$source/blocklist"
expect_exit 0 'one directory by two names' image recover
expect_no_grep 'is no reason to say anything' 'read only' "$out"
expect_eq 'and distrusts' "$(published)" 1

fresh blacklist
old_module
expect_exit 0 'an old module: a first build' image recover
expect_eq 'an old module: reads blacklist' "$(published)" 1
expect_no_grep 'an old module: that is all' 'blocklist' "$out"
expect_exit 0 'an old module: distrust' image distrust --yes "$P/rsa-root.pem"
expect_eq 'an old module: goes where it is read' "$(ls "$source/blocklist")" ''
fresh blocklist
old_module
expect_exit 0 'an old module, blocklist: a first build' image recover
expect_eq 'an old module, blocklist: does not count' "$(published)" 2
expect_grep 'an old module, blocklist: and this is said' 'nothing is distrusted by /etc/pki/ca-trust/source/blocklist' "$out"

# The real one: what trust extract gives.
for module in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ ! -e $module ]] || break
done
if [[ -e $module ]] && command -v trust >/dev/null && grep -qaP 'blocklist\x00' "$module"; then
    as_nobody=()
    [[ $(id -u) -ne 0 ]] || as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    chmod 755 "$T"
    for dir in blocklist blacklist; do
        for at in usr/lib64 usr/lib usr/lib/x86_64-linux-gnu; do
            fresh "$dir"
            mkdir -p "$root/$at/pkcs11"
            cp "$module" "$root/$at/pkcs11/p11-kit-trust.so"
            expect_exit 0 "the real module in $at, $dir: a first build" image recover
            mkdir -p "$T/config/pkcs11/modules" "$T/real"
            chmod 777 "$T/real"
            rm -f "$T/real/bundle"
            echo 'user-config: only' >"$T/config/pkcs11/pkcs11.conf"
            printf 'module: %s\ntrust-policy: yes\nx-init-reserved: paths=%s:%s\n' "$module" "$source" \
                "$root/usr/share/pki/ca-trust-source" >"$T/config/pkcs11/modules/x.module"
            chmod -R a+rX "$root" "$T/config"
            "${as_nobody[@]}" env -i PATH="$PATH" HOME="$T" XDG_CONFIG_HOME="$T/config" trust extract --overwrite \
                --format=pem-bundle --filter=ca-anchors --purpose=server-auth "$T/real/bundle"
            expect_eq "the real module in $at, $dir: as trust extract has it" \
                "$(grep -v '^#' "$bundle" | grep -c BEGIN)" "$(grep -c BEGIN "$T/real/bundle")"
        done
    done
    expect_grep 'the real module, blacklist: what does not count is said' \
        'nothing is distrusted by /etc/pki/ca-trust/source/blacklist.*reads only directories named blocklist' "$out"
    expect_exit 0 'the real module, blacklist: distrust' image distrust --yes "$P/old-root.pem"
    expect_eq 'the real module, blacklist: goes into blocklist' \
        "$(ls "$source/blocklist")" "crossroot-$(sha "$P/old-root.pem").pem"
else
    skip 'no trust module that reads blocklist'
fi
finish
