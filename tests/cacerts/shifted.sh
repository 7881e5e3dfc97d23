#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Images whose ids are shifted, as rootless containers keep them: what root makes in them belongs to
# whom it would belong inside, for 0 of this machine is nobody there.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
[[ $(id -u) -eq 0 ]] || skip_all 'only root can give files away'
readonly base=100000
make_pki "$T/pki"
chown $base "$T/home" 2>/dev/null || skip_all 'this namespace does not map that many ids'
chown 0 "$T/home"

debian() {
    mkdir -p "$1"/etc/ssl/certs "$1"/usr/share/ca-certificates/vendor
    cp "$P/old-root.pem" "$1/usr/share/ca-certificates/vendor/Old_Root.crt"
    echo vendor/Old_Root.crt >"$1/etc/ca-certificates.conf"
    ln -s ../usr/share/ca-certificates "$1/etc/vendor"
}
alpine() {
    debian "$1"
    echo 3.20.3 >"$1/etc/alpine-release"
}
fedora() {
    mkdir -p "$1"/etc/pki/ca-trust/{source,extracted/{openssl,pem/directory-hash,java,edk2}} "$1"/etc/pki/tls/certs \
        "$1"/usr/share/pki/ca-trust-source/anchors "$1"/etc/ssl
    cp "$P/old-root.pem" "$1"/usr/share/pki/ca-trust-source/anchors
    ln -s /etc/pki/tls/certs "$1/etc/ssl/certs"
}
suse() {
    mkdir -p "$1"/etc/pki/trust "$1"/var/lib/ca-certificates/{pem,openssl} "$1"/etc/ssl "$1"/usr/share/pki/trust/anchors
    cp "$P/old-root.pem" "$1"/usr/share/pki/trust/anchors
    # a link of the image's own root on the way
    mv "$1/var/lib/ca-certificates" "$1/var/made"
    ln -s ../made "$1/var/lib/ca-certificates"
}
strangers() { # of the image: nothing in it may be this machine's root's, nor have gained a bit
    find "$root" \( -uid -$base -o -gid -$base -o -perm /6000 \) -printf '%P %y %U:%G %m\n' | sort | tr '\n' ' '
}

for layout in debian alpine fedora suse; do
    root=$T/$layout
    mkdir "$root"
    "$layout" "$root"
    image() { xr --root "$root" --store ca-certificates "$@"; }
    case $layout in
    debian | alpine) bundle=$root/etc/ssl/certs/ca-certificates.crt ;;
    fedora) bundle=$root/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem ;;
    suse) bundle=$root/var/made/ca-bundle.pem ;;
    esac
    chown -hR $base:$base "$root"
    expect_exit 0 "$layout: a first build" image recover
    expect_eq "$layout: belongs to the image's root" "$(strangers)" ''
    chown $((base + 33)):$((base + 34)) "$bundle"
    snap "$root" >"$T/before"
    expect_exit 0 "$layout: install" image install --yes "$P/new-root.pem"
    expect_exit 0 "$layout: OpenSSL sees it" openssl verify -no-CApath -no-CAstore -CAfile "$bundle" "$P/new-root.pem"
    expect_eq "$layout: files, links and directories belong to the image's root" "$(strangers)" ''
    expect_eq "$layout: what is replaced keeps its owner" "$(stat -c %u:%g "$bundle")" "$((base + 33)):$((base + 34))"
    case $layout in
    debian | alpine) expect_exit 0 "$layout: deselect" image distrust --yes --best-effort "$P/old-root.pem" ;;
    *) expect_exit 0 "$layout: distrust" image distrust --yes "$P/old-root.pem" ;;
    esac
    expect_eq "$layout: so does a distrust" "$(strangers)" ''
    expect_exit 0 "$layout: undo" image undo --yes
    expect_exit 0 "$layout: undo" image undo --yes
    expect_eq "$layout: and what is put back" "$(strangers)" ''
    snap "$root" | grep -v '^[^ ]* d ' >"$T/after" # a directory that was made may stay
    grep -v '^[^ ]* d ' "$T/before" >"$T/files"
    expect_same "$layout: undone, owners too" "$T/files" "$T/after"
done

root=$T/fedora
expect_exit 0 "p11-kit's own directory" xr --root "$root" --store p11-kit:/etc/pki/ca-trust/source install --yes "$P/new-root.pem"
expect_eq "belongs to the image's root" "$(strangers)" ''

root=$T/directory
mkdir "$root"
chown $base:$base "$root"
expect_exit 0 'a directory for OpenSSL' xr --store "openssl:$root/trust" install --yes "$P/old-root.pem" "$P/cross.pem"
expect_eq 'is of whom it lies with' "$(strangers)" ''
expect_exit 0 'distrust' xr --store "openssl:$root/trust" distrust --yes --best-effort "$P/old-root.pem"
expect_eq 'with all that is in it' "$(strangers)" ''

# Somebody's link in an image that is not theirs is not followed.
root=$T/foreign
debian "$root"
mkdir "$root/elsewhere"
rmdir "$root/etc/ssl/certs"
ln -s /elsewhere "$root/etc/ssl/certs"
chown -hR $base:$base "$root"
chown -h $((base + 1000)) "$root/etc/ssl/certs"
expect_exit 1 "a link of another user of the image" xr --root "$root" install --yes "$P/new-root.pem"
expect_grep 'is refused' "another user's link" "$out"
finish
