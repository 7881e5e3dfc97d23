# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Roots of systems, as far as CA certificates go, for use with --root. Packages ship the certificates of
# ${some[@]} there, and nothing is published yet. Each sets $anchors, $ext and $bundle.

debian() { # DIR
    mkdir -p "$1"/etc/ssl/certs "$1"/usr/local/share/ca-certificates "$1"/usr/share/ca-certificates/mozilla
    local file
    for file in "${some[@]}"; do
        cp "$file" "$1/usr/share/ca-certificates/mozilla/$(basename "$file" .pem).crt"
        echo "mozilla/$(basename "$file" .pem).crt"
    done >"$1/etc/ca-certificates.conf"
    anchors=$1/usr/local/share/ca-certificates bundle=$1/etc/ssl/certs/ca-certificates.crt ext=crt
}
p11_sources() { # SOURCE VENDOR: p11-kit's directories
    mkdir -p "$1"/{anchors,blocklist} "$2/anchors"
    cp "${some[@]}" "$2/anchors/"
    anchors=$1/anchors ext=pem
}
fedora() {
    p11_sources "$1/etc/pki/ca-trust/source" "$1/usr/share/pki/ca-trust-source"
    mkdir -p "$1"/etc/pki/ca-trust/extracted/{pem,openssl,java,edk2}
    bundle=$1/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
}
suse() {
    p11_sources "$1/etc/pki/trust" "$1/usr/share/pki/trust"
    mkdir -p "$1/var/lib/ca-certificates"
    bundle=$1/var/lib/ca-certificates/ca-bundle.pem
}
arch() {
    p11_sources "$1/etc/ca-certificates/trust-source" "$1/usr/share/ca-certificates/trust-source"
    mkdir -p "$1/etc/ca-certificates/extracted"
    bundle=$1/etc/ca-certificates/extracted/tls-ca-bundle.pem
}
