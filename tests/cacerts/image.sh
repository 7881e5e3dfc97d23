#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Images of each distribution, of another architecture: changed as their own commands would, undone,
# and nothing in them executed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"

# --- roots

# trap FILE: a program that leaves a trace if anybody runs it
set_trap() {
    mkdir -p "$(dirname -- "$1")"
    printf '#!/bin/sh\ntouch %q\n' "$T/executed" >"$1"
    chmod 755 "$1"
}
list_family() { # ROOT
    mkdir -p "$1"/etc/ssl/certs "$1"/usr/share/ca-certificates/vendor "$1"/usr/local/share/ca-certificates
    cp "$P/old-root.pem" "$1/usr/share/ca-certificates/vendor/Old_Root.crt"
    cp "$P/rsa-root.pem" "$1/usr/share/ca-certificates/vendor/RSA.crt"
    printf 'vendor/%s.crt\n' Old_Root RSA >"$1/etc/ca-certificates.conf"
    set_trap "$1/usr/sbin/update-ca-certificates"
    set_trap "$1/etc/ca-certificates/update.d/hook"
    set_trap "$1/usr/bin/openssl"
}
make_debian() { list_family "$1"; }
make_alpine() {
    list_family "$1"
    echo 3.20.3 >"$1/etc/alpine-release"
    set_trap "$1/etc/ca-certificates/update.d/certhash"
}
p11_family() { # ROOT VENDOR-DIRECTORY
    mkdir -p "$1/$2/anchors"
    cp "$P/old-root.pem" "$P/rsa-root.pem" "$1/$2/anchors"
    set_trap "$1/usr/bin/update-ca-trust"
    set_trap "$1/usr/bin/trust"
}
make_fedora() {
    mkdir -p "$1"/etc/pki/ca-trust/{source/anchors,source/blocklist} \
        "$1"/etc/pki/ca-trust/extracted/{openssl,pem/directory-hash,java,edk2} "$1"/etc/pki/tls/certs "$1"/etc/ssl
    ln -s /etc/pki/tls/certs "$1/etc/ssl/certs"
    ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$1/etc/pki/tls/certs/ca-bundle.crt"
    p11_family "$1" usr/share/pki/ca-trust-source
}
make_arch() {
    mkdir -p "$1"/etc/ca-certificates/{extracted/cadir,trust-source/anchors,trust-source/blocklist} \
        "$1"/etc/ssl/certs/java
    p11_family "$1" usr/share/ca-certificates/trust-source
}
make_suse() {
    mkdir -p "$1"/etc/pki/trust/{anchors,blocklist} "$1"/var/lib/ca-certificates/{pem,openssl} "$1"/etc/ssl
    p11_family "$1" usr/share/pki/trust
    set_trap "$1/usr/lib/ca-certificates/update.d/99certbundle.run"
    set_trap "$1/etc/ca-certificates/update.d/60local.run"
}
bundle_of() {
    case $1 in
    debian | alpine) echo etc/ssl/certs/ca-certificates.crt ;;
    fedora) echo etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem ;;
    arch) echo etc/ca-certificates/extracted/tls-ca-bundle.pem ;;
    suse) echo var/lib/ca-certificates/ca-bundle.pem ;;
    esac
}
hashed_of() {
    case $1 in
    debian | alpine) echo etc/ssl/certs ;;
    fedora) echo etc/pki/ca-trust/extracted/pem/directory-hash ;;
    arch) echo etc/ca-certificates/extracted/cadir ;;
    suse) echo var/lib/ca-certificates/pem ;;
    esac
}

# --- each

for layout in debian alpine fedora suse arch; do
    root=$T/$layout
    "make_$layout" "$root"
    bundle=$root/$(bundle_of "$layout")
    image() { xr --root "$root" "$@"; }

    expect_exit 0 "$layout: stores" image stores
    expect_grep "$layout: recognised" "layout $layout:" "$out"
    expect_exit 0 "$layout: a first build" image --store ca-certificates recover
    snap "$root" >"$T/before"
    expect_eq "$layout: two certificates" "$(grep -c BEGIN "$bundle")" 2

    expect_exit 0 "$layout: install" image install --yes "$P/new-root.pem"
    expect_grep "$layout: verified" '^  verified: yes' "$out"
    expect_exit 0 "$layout: OpenSSL says yes by the bundle" openssl verify -no-CApath -no-CAstore \
        -CAfile "$bundle" "$P/sub.pem"
    # absolute links are for the inside of the image
    if [[ $layout != debian && $layout != alpine ]]; then
        expect_exit 0 "$layout: and by the hashed directory" openssl verify -no-CAfile -no-CAstore \
            -CApath "$root/$(hashed_of "$layout")" "$P/sub.pem"
    fi
    run image list
    expect_grep "$layout: listed" "anchor .*Crossroot Test New Root" "$out"
    expect_grep "$layout: what packages ship is marked" "Crossroot Test Old Root .*vendor" "$out"
    expect_exit 1 "$layout: a cross certificate is refused" image install --yes "$P/cross.pem"
    expect_exit 1 "$layout: what packages ship is not removed" image remove --yes "$P/rsa-root.pem"
    expect_exit 0 "$layout: undo" image undo
    snap "$root" >"$T/after"
    expect_same "$layout: undone to the byte" "$T/before" "$T/after"

    case $layout in
    debian | alpine)
        expect_exit 1 "$layout: no distrust" image distrust --yes "$P/rsa-root.pem"
        expect_exit 0 "$layout: but deselecting" image distrust --yes --best-effort "$P/rsa-root.pem"
        expect_grep "$layout: by its line" '^!vendor/RSA.crt$' "$root/etc/ca-certificates.conf"
        ;;
    *)
        expect_exit 0 "$layout: distrust" image distrust --yes "$P/rsa-root.pem"
        ;;
    esac
    expect_eq "$layout: one certificate" "$(grep -c BEGIN "$bundle")" 1
    expect_exit 6 "$layout: no longer trusted" image verify "$P/rsa-root.pem"
    expect_exit 0 "$layout: undo" image undo --yes
    snap "$root" >"$T/after"
    expect_same "$layout: undone to the byte" "$T/before" "$T/after"
    expect_absent "$layout: nothing of the image was executed" "$T/executed"
    if can_trace; then
        run traced -f -o "$T/trace" -e trace=execve "$XR_BIN" --state "$state" --root "$root" install \
            --yes "$P/new-root.pem"
        expect_eq "$layout: nor anything else" "$(grep -c execve "$T/trace")" 1
        run image undo
    fi
done

# --- links of an image stay inside

root=$T/links
make_debian "$root"
mkdir -p "$T/outside" "$root/outside"
rm -rf "$root/etc/ssl/certs"
ln -s "$T/outside" "$root/etc/ssl/certs"
image() { xr --root "$root" "$@"; }
expect_exit 1 "a link out of the image leads nowhere" image install --yes "$P/new-root.pem"
expect_eq "nothing is written there" "$(ls "$T/outside")" ""
rm "$root/etc/ssl/certs"
ln -s /outside "$root/etc/ssl/certs"
expect_exit 0 "an absolute link is one of the image" image install --yes "$P/new-root.pem"
expect_eq "and leads into it" "$(grep -c BEGIN "$root/outside/ca-certificates.crt")" 3

# --- what lies among the sources need not be a file

root=$T/odd
make_debian "$root"
mkfifo "$root/usr/local/share/ca-certificates/fifo.crt"
ln -s fifo.crt "$root/usr/local/share/ca-certificates/to-fifo.crt"
cp "$P/utf8.pem" "$root/usr/local/share/ca-certificates/$(printf 'two\nlines.crt')"
expect_exit 0 "a pipe, a name of two lines" image install --yes "$P/new-root.pem"
expect_eq "are passed over" "$(grep -c BEGIN "$root/etc/ssl/certs/ca-certificates.crt")" 3

# --- somebody's hash link is left, and ours comes after it

root=$T/foreign
make_debian "$root"
hash=$(openssl x509 -in "$P/new-root.pem" -noout -hash)
mkdir -p "$root/opt"
cp "$P/new-root.pem" "$root/opt/theirs"
ln -s /opt/theirs "$root/etc/ssl/certs/$hash.0"
expect_exit 0 "install beside somebody's link" image install --yes "$P/new-root.pem"
expect_eq "theirs stays" "$(readlink "$root/etc/ssl/certs/$hash.0")" /opt/theirs
expect_eq "ours is the next" "$(readlink "$root/etc/ssl/certs/$hash.1")" "crossroot-$(sha "$P/new-root.pem").pem"
expect_exit 0 "again" image --store ca-certificates recover
expect_grep "there is nothing to do" 'unchanged$' "$out"
expect_eq "and it stays" "$(readlink "$root/etc/ssl/certs/$hash.1")" "crossroot-$(sha "$P/new-root.pem").pem"

# --- which layout

root=$T/debian
expect_exit 0 "--layout" image --layout alpine stores
expect_grep "overrides" 'layout alpine:' "$out"
expect_exit 1 "a layout that does not exist" image --layout gentoo list
expect_grep "names those that do" 'unknown layout "gentoo"; known layouts: .*debian' "$err"
mkdir "$T/empty"
root=$T/empty
run image --store ca-certificates list
expect_grep "a root without CA certificates" 'ca-certificates: no such store was found' "$err"
make_debian "$T/nixos"
touch "$T/nixos/etc/NIXOS"
root=$T/nixos
run image install --yes "$P/new-root.pem"
expect_eq "NixOS is read only" "$rc" 1
expect_grep "with what to do" 'security.pki.certificateFiles' "$out"

# --- before ostree deploys it, a tree has no /etc, and gets none

for layout in debian fedora suse arch; do
    root=$T/ostree-$layout
    "make_$layout" "$root"
    mv "$root/etc" "$root/usr/etc"
    snap "$root" >"$T/before"
    expect_exit 1 "ostree, $layout: install" image install --yes "$P/new-root.pem"
    expect_grep "ostree, $layout: says where its configuration is" 'keeps its configuration in /usr/etc' "$out"
    run image --rebuild recover
    run image --store p11-kit:/etc/pki/ca-trust/source install --yes "$P/new-root.pem"
    snap "$root" >"$T/after"
    expect_same "ostree, $layout: nothing is made" "$T/before" "$T/after"
    mv "$root/usr/etc" "$root/etc"
    expect_exit 0 "ostree, $layout: deployed, it is changed" image install --yes "$P/new-root.pem"
done

# --- the real trust extract, on what was made of p11-kit's layouts

for module in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ ! -e $module ]] || break
done
as_nobody=()
[[ $(id -u) -ne 0 ]] || as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
# real ROOT PATHS FORMAT FILTER PURPOSE DESTINATION [--comment]
real() {
    local paths=$1
    mkdir -p "$T/home/.config/pkcs11/modules"
    echo 'user-config: only' >"$T/home/.config/pkcs11/pkcs11.conf"
    printf 'module: %s\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "$module" "$paths" \
        >"$T/home/.config/pkcs11/modules/x.module"
    "${as_nobody[@]}" env -i PATH="$PATH" HOME="$T/home" XDG_CONFIG_HOME="$T/home/.config" \
        trust extract --overwrite --format="$2" --filter="$3" ${4:+--purpose="$4"} "${@:6}" "$5"
}
# blocks FILE: what p11-kit before 0.25.6 writes in the order of the file system, sorted; extract.sh
# compares byte by byte.
blocks() {
    case $2 in
    java-cacerts) keytool -list -keystore "$1" -storepass changeit 2>/dev/null | sed 's/^\([^,]*\),.*,/\1/' | sort ;;
    edk2-cacerts) stat -c %s "$1" ;;
    *) awk 'BEGIN { RS = "-----END [A-Z ]*-----" } { gsub("^\n+|\n+$", ""); gsub("\n", "~"); print }' "$1" | sort ;;
    esac
}
compare() { # OURS FORMAT FILTER PURPOSE [--comment]
    local theirs=$T/real/out
    rm -rf "$T/real"
    mkdir -m 777 "$T/real"
    if ! real "$paths" "$2" "$3" "$4" "$theirs" "${@:5}" 2>"$err"; then
        bad "$layout: trust extract --format=$2"
        return
    fi
    if [[ -d $theirs ]]; then
        # the directory itself keeps the mode it has
        snap "$theirs" | sed '1d; s/ [0-9]*:[0-9]* / /' >"$T/b"
        snap "$root/$1" | sed '1d; s/ [0-9]*:[0-9]* / /' >"$T/a"
    elif [[ $2 == java-cacerts ]] && ! command -v keytool >/dev/null; then
        skip "$layout: $1: no keytool"
        return
    else
        blocks "$theirs" "$2" >"$T/b"
        blocks "$root/$1" "$2" >"$T/a"
        stat -c %a "$theirs" >>"$T/b"
        stat -c %a "$root/$1" >>"$T/a"
    fi
    expect_same "$layout: $1 is what trust extract makes" "$T/b" "$T/a"
}
if [[ -e $module ]] && command -v trust >/dev/null; then
    chmod -R a+rX "$T"
    for layout in fedora arch suse; do
        root=$T/$layout
        case $layout in
        fedora) sources=(etc/pki/ca-trust/source usr/share/pki/ca-trust-source) ;;
        arch) sources=(etc/ca-certificates/trust-source usr/share/ca-certificates/trust-source) ;;
        suse) sources=(etc/pki/trust usr/share/pki/trust) ;;
        esac
        paths=$root/${sources[0]}:$root/${sources[1]}
        cp "$P/email-root.pem" "$P/utf8.pem" "$P/constrained-root.pem" "$root/${sources[1]}/anchors"
        cp "$P/old-root-trusted.pem" "$root/${sources[0]}"
        expect_exit 0 "$layout: install" image install --yes "$P/new-root.pem" "$P/t61.pem"
        expect_exit 0 "$layout: distrust" image distrust --yes "$P/utf8.pem"
        e=etc/pki/ca-trust/extracted
        case $layout in
        fedora)
            compare $e/openssl/ca-bundle.trust.crt openssl-bundle certificates "" --comment
            compare $e/pem/tls-ca-bundle.pem pem-bundle ca-anchors server-auth --comment
            compare $e/pem/email-ca-bundle.pem pem-bundle ca-anchors email --comment
            compare $e/pem/objsign-ca-bundle.pem pem-bundle ca-anchors code-signing --comment
            compare $e/java/cacerts java-cacerts ca-anchors server-auth
            compare $e/edk2/cacerts.bin edk2-cacerts ca-anchors server-auth
            compare $e/pem/directory-hash pem-directory-hash ca-anchors server-auth
            ;;
        arch)
            e=etc/ca-certificates/extracted
            compare $e/ca-bundle.trust.crt openssl-bundle certificates "" --comment
            compare $e/tls-ca-bundle.pem pem-bundle ca-anchors server-auth --comment
            compare $e/java-cacerts.jks java-cacerts ca-anchors server-auth
            compare $e/edk2-cacerts.bin edk2-cacerts ca-anchors server-auth
            compare $e/cadir pem-directory-hash ca-anchors server-auth
            ;;
        suse)
            e=var/lib/ca-certificates
            compare $e/pem pem-directory-hash ca-anchors server-auth
            compare $e/openssl openssl-directory ca-anchors ""
            compare $e/java-cacerts java-cacerts ca-anchors server-auth
            ;;
        esac
    done
else
    skip "no p11-kit"
fi

finish
