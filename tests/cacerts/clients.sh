#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real programs against a server on loopback: no before, yes after install, no after undo.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
need_live

# Run again without a network but loopback.
if [[ -z ${XR_LOOPBACK:-} ]]; then
    unshare -n ip link set lo up 2>/dev/null || skip_all "no network namespaces here"
    rm -rf "$T"
    XR_LOOPBACK=1 exec unshare -n bash -c 'ip link set lo up; exec bash "$0"' "$0"
fi

# --- a CA, another name for its key, and a server's certificate

cd "$T"
authority() { # NAME SUBJECT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj "$2" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
authority root '/O=Crossroot Test/CN=Loopback Root'
authority older '/O=Crossroot Test/CN=Older Root'
openssl x509 -x509toreq -in root.pem -signkey root.key -out root.csr 2>/dev/null
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >ca.ext
openssl x509 -req -in root.csr -CA older.pem -CAkey older.key -days 30 -extfile ca.ext -out cross.pem \
    -set_serial 7 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -keyout leaf.key -out leaf.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >leaf.ext
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -days 30 -extfile leaf.ext -out leaf.pem \
    -set_serial 8 2>/dev/null
chmod 644 ./*.pem leaf.key
openssl s_server -accept 4433 -cert leaf.pem -key leaf.key -www -quiet >server.log 2>&1 &
for _ in $(seq 100); do
    ! (: </dev/tcp/127.0.0.1/4433) 2>/dev/null || break
    sleep 0.1
done

# A Java program without a compiler: main opens the URL it is given, as class file version 49.
mkdir java
/usr/bin/python3 - java/Get.class <<'END'
import struct, sys
pool = []
def add(tag, body):
    pool.append(struct.pack('>B', tag) + body)
    return len(pool)
def text(s): return add(1, struct.pack('>H', len(s)) + s.encode())
def klass(s): return add(7, struct.pack('>H', text(s)))
def method(c, name, kind):
    return add(10, struct.pack('>HH', c, add(12, struct.pack('>HH', text(name), text(kind)))))
this, parent, url = klass('Get'), klass('java/lang/Object'), klass('java/net/URL')
init = method(url, '<init>', '(Ljava/lang/String;)V')
open_ = method(url, 'openStream', '()Ljava/io/InputStream;')
main, kind, code = text('main'), text('([Ljava/lang/String;)V'), text('Code')
body = struct.pack('>BHBBBBBHBHBB', 0xbb, url, 0x59, 0x2a, 0x03, 0x32, 0xb7, init, 0xb6, open_, 0x57, 0xb1)
attribute = struct.pack('>HHI', 4, 1, len(body)) + body + struct.pack('>HH', 0, 0)
with open(sys.argv[1], 'wb') as f:
    f.write(struct.pack('>IHHH', 0xcafebabe, 0, 49, len(pool) + 1) + b''.join(pool))
    f.write(struct.pack('>HHHHHH', 0x21, this, parent, 0, 0, 1))
    f.write(struct.pack('>HHHH', 9, main, kind, 1))
    f.write(struct.pack('>HI', code, len(attribute)) + attribute + struct.pack('>H', 0))
END

# --- clients

box=$T/box
stage "$box"
live "$box" update-ca-certificates --fresh >/dev/null 2>&1
clients=(curl openssl python)
! command -v gnutls-cli >/dev/null || clients+=(gnutls)
if [[ -x /etc/ca-certificates/update.d/jks-keystore ]] && command -v java >/dev/null; then
    clients+=(java)
    cp /etc/ca-certificates/update.d/jks-keystore "$box/etc/ca-certificates/update.d"
    cp -a /var/lib/dpkg "$box/dpkg"
    mkdir -p "$box/ca-certificates-java"
    [[ ! -d /var/lib/ca-certificates-java ]] || cp -a /var/lib/ca-certificates-java/. "$box/ca-certificates-java"
else
    skip "Java"
fi
url=https://localhost:4433/
connect() { # CLIENT
    case $1 in
    curl) live "$box" curl -sS -o /dev/null "$url" ;;
    openssl) live "$box" openssl s_client -connect localhost:4433 -verify_return_error -verify_hostname localhost ;;
    gnutls) live "$box" gnutls-cli -p 4433 localhost ;;
    python) live "$box" /usr/bin/python3 -c "import urllib.request; urllib.request.urlopen('$url').read()" ;;
    java) live "$box" java -cp "$T/java" Get "$url" ;;
    esac
}
# all WHEN yes|no [CLIENT]...: says the same of each
all() {
    local when=$1 wanted=$2 client names=("${clients[@]}")
    shift 2
    (($# == 0)) || names=("$@")
    for client in "${names[@]}"; do
        run connect "$client"
        if [[ ($rc -eq 0 && $wanted == yes) || ($rc -ne 0 && $wanted == no) ]]; then
            ok "$when: $client says $wanted"
        else
            bad "$when: $client, exit $rc, $wanted expected"
            show_output
        fi
    done
}

all before no
expect_exit 0 "install the root" live_xr "$box" install --yes root.pem
all "after install" yes
expect_exit 0 "undo" live_xr "$box" undo
all "after undo" no

expect_exit 1 "the cross certificate is refused" live_xr "$box" install --yes cross.pem
all "after a refusal" no
expect_exit 0 "the cross certificate as anchor" live_xr "$box" install --yes --as anchor cross.pem
expect_grep "one answer is no" '^  verified: no' "$out"
expect_grep "another is yes" 'with partial chains.*: yes' "$out"
all "with the cross certificate alone" yes curl gnutls
all "with the cross certificate alone" no openssl python
expect_exit 0 "and undo" live_xr "$box" undo
all "after undo" no curl gnutls

finish
