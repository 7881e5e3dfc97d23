#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scenes.sh NAME HOME: makes HOME the home in which a document's commands are run, and prints the words
# to put before them. Set: XR_BIN, XR_WORKER, XR_CERTS (of this repository), XR_SECOM.
set -euo pipefail
scene=$1
home=$2
cd "$home"
mkdir .bin
image=$home/.image

# The program as installed. "sudo" is the same on an image, which stands for the machine; "ssh" the
# same on an image of each host.
printf '#!/bin/bash\nexec %q --worker %q "$@"\n' "$XR_BIN" "$XR_WORKER" >.bin/crossroot
cat >.bin/sudo <<END
#!/bin/bash
shift
[[ " \$* " == *' --scope '* ]] || set -- --scope system "\$@"
exec crossroot --root $image "\$@"
END
cat >.bin/ssh <<END
#!/bin/bash
host=\${1#root@}
shift 2
[[ -d $home/.hosts/\$host ]] || { echo "ssh: connect to host \$host port 22: No route to host" >&2; exit 255; }
exec crossroot --root $home/.hosts/\$host --scope system "\$@"
END
chmod 755 .bin/*

# debian DIR: the root of a Debian system, as far as CA certificates go
debian() {
    mkdir -p "$1"/etc/ssl/certs "$1"/usr/share/ca-certificates/vendor "$1"/usr/local/share/ca-certificates
    cp "$XR_CERTS/vendor-root.pem" "$1/usr/share/ca-certificates/vendor/Vendor_Root.crt"
    echo vendor/Vendor_Root.crt >"$1/etc/ca-certificates.conf"
    : >"$1/etc/passwd"
    # Its outputs, with the bytes that its own command would write.
    HOME=$home .bin/crossroot --root "$1" --scope system --state "$home/.made" --store ca-certificates \
        --yes -q recover >&2
    rm -rf "$home/.made"
}
# profile NAME DIR: of Firefox, in a home
profile() {
    local firefox=$2/.mozilla/firefox
    mkdir -p "$firefox/k3x2w1.$1"
    printf '[Profile0]\nName=%s\nIsRelative=1\nPath=k3x2w1.%s\nDefault=1\n' "$1" "$1" >"$firefox/profiles.ini"
}

case $scene in
browsers)
    profile default-esr .
    mkdir -p .pki/nssdb
    cp "$XR_SECOM/secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem" tlsrsarootca2024cross-pem.cer
    cp "$XR_SECOM/nii-open-domain-ca-g8-rsa.pem" nii-odca4g8rsa.cer
    cat >page.html <<'END'
<p>tlsrsarootca2024cross-pem.cer (PEM)<br>
86384107CEFB4C39227FEDE629EA7286D23729C52<br>
C3F658B81193CA98531E2A0A568F14CC75020924B86D2724D0243F63D813CF13</p>
END
    ;;
lists)
    # A root list of three, and the one before it.
    made() { python3 "$(dirname -- "${BASH_SOURCE[0]}")/../lists/mkcertdata.py"; }
    {
        printf '%s\tCC-\tExample Company Root CA\tserver=270630235959Z\n' "$XR_CERTS/company-root.pem"
        printf '%s\tC--\tExample Company Root CA 2\n' "$XR_CERTS/company-root-2.pem"
    } | made >certdata.txt
    {
        printf '%s\tCC-\tExample Company Root CA\n' "$XR_CERTS/company-root.pem"
        printf '%s\tC--\tExample Vendor Root\n' "$XR_CERTS/vendor-root.pem"
    } | made >old.txt
    mkdir extra
    cp "$XR_CERTS/vendor-root.pem" extra/vendor-root.crt
    cp "$XR_CERTS"/{www-2,cross,company-root,company-root-2}.pem .
    ;;
openssl)
    cp "$XR_SECOM"/*.pem .
    ;;
machine)
    debian "$image"
    # Users of this machine: in the test all of them are the one user there is.
    [[ $(id -u) -eq 0 ]] && uid=65534 || uid=$(id -u)
    for user in alice bob; do
        profile default-esr "$image/home/$user"
        echo "$user:x:$uid:$uid::/home/$user:/bin/sh" >>"$image/etc/passwd"
    done
    mv "$image/home/bob" .bob # who comes later
    cp "$XR_CERTS"/{company-root,company-root-2,cross,www,www-2}.pem .
    ;;
image)
    debian "$home/image"
    cp "$XR_CERTS"/{company-root,www}.pem .
    for host in web01 web02 web03; do
        debian "$home/.hosts/$host"
        echo $host
    done >hosts
    ;;
*)
    echo "no scene $scene" >&2
    exit 1
    ;;
esac

prefix=()
if [[ $(id -u) -eq 0 ]]; then
    chown -hR 65534:65534 "$home"
    prefix=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
chmod 755 "$home"
echo "${prefix[@]}" env "HOME=$home" "PATH=$home/.bin:$PATH" LC_ALL=C.UTF-8 TZ=Asia/Tokyo
