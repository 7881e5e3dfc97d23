#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Small certificates that make a verifier want more memory or time than the machine has: its helper has
# limits, and what it says there is no answer.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
[[ $XR_SLOW -eq 0 ]] || skip_all "a sanitizer has no limit of memory"
names=3000 dirs=1200
constraints() { # KIND: the lines of a section
    local i
    for ((i = 0; i < names; i++)); do echo "$1;DNS.$i=a$i.example.$2"; done
    [[ $1 == permitted ]] || for ((i = 0; i < dirs; i++)); do echo "excluded;dirName.$i=x$i"; done
}
{
    printf '%s\n' '[req]' 'distinguished_name=dn' '[dn]'
    for kind in permitted excluded; do
        printf '%s\n' "[$kind-ca]" 'basicConstraints=critical,CA:TRUE' \
            'keyUsage=critical,keyCertSign,cRLSign' "nameConstraints=critical,@$kind"
    done
    echo '[permitted]' && constraints permitted org
    echo '[excluded]' && constraints excluded net
    printf '%s\n' '[leaf]' 'extendedKeyUsage=serverAuth' 'subjectAltName=@names'
    printf '%s\n' '[dirs-leaf]' 'extendedKeyUsage=serverAuth' 'subjectAltName=@dirs'
    echo '[names]' && for ((i = 0; i < names; i++)); do echo "DNS.$i=a$i.example.org"; done
    echo '[dirs]' && for ((i = 0; i < names; i++)); do echo "DNS.$i=a$i.example.org"; done
    for ((i = 0; i < dirs; i++)); do echo "dirName.$i=y$i"; done
    for ((i = 0; i < dirs; i++)); do printf '[x%s]\nCN=x%s\n[y%s]\nCN=y%s\n' $i $i $i $i; done
} >"$T/conf"
key() { printf '%s\n' -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/$1.key"; }
mapfile -t args < <(key root)
openssl req -x509 "${args[@]}" -subj '/CN=Memory Root' -days 30 -out "$T/root.pem" 2>/dev/null
issue() { # NAME ISSUER SECTION
    mapfile -t args < <(key "$1")
    openssl req -new "${args[@]}" -subj "/CN=Memory $1" -config "$T/conf" -out "$T/$1.csr" 2>/dev/null
    openssl x509 -req -in "$T/$1.csr" -CA "$T/$2.pem" -CAkey "$T/$2.key" -days 20 -set_serial 7 \
        -extfile "$T/conf" -extensions "$3" -out "$T/$1.pem" 2>/dev/null
}
issue sub root permitted-ca
issue leaf sub leaf
issue other root excluded-ca
issue other-leaf other dirs-leaf
in_db() { xr --store "nss:$T/db" "$@"; }
mkdir "$T/db"
expect_eq 'certificates of less than 130 KB' "$(($(stat -c %s "$T/sub.pem") < 100000 && $(stat -c %s "$T/other.pem") < 180000))" 1
expect_exit 0 'the root' in_db install --yes "$T/root.pem"
expect_exit 4 'a question that takes all memory, and another one' \
    in_db verify "$T/leaf.pem" "$T/root.pem" --untrusted "$T/sub.pem"
expect_grep 'the first: cannot tell' 'cannot tell: the verifier needed more memory' "$out"
expect_eq 'the second has its answer' "$(grep -c ': yes (libnss3' "$out")" 1
expect_eq 'and nobody said no' "$(grep -c ': no' "$out")" 0
SECONDS=0
expect_exit 1 'one with excluded names of both kinds' in_db verify "$T/other-leaf.pem" --untrusted "$T/other.pem"
expect_grep 'cannot tell either' 'cannot tell: ' "$out"
expect_eq 'and soon' "$((SECONDS < 60))" 1

echo '# OpenSSL, which has a limit of its own and none of the memory'
expect_exit 0 'the root' xr --store "openssl:$T/trust" install --yes "$T/root.pem"
for leaf in leaf:sub other-leaf:other; do
    expect_exit 1 "${leaf%:*}" xr --store "openssl:$T/trust" verify "$T/${leaf%:*}.pem" --untrusted "$T/${leaf#*:}.pem"
    expect_grep 'cannot tell' 'cannot tell.*OpenSSL gave up' "$out"
    expect_no_grep 'and says nothing of the certificate' ': no' "$out"
done

echo '# the limits of a helper'
# limits ULIMIT…: "NAME SOFT HARD" of the helper that answers, once it has set them
limits() {
    local pid worker
    (ulimit "$@" && exec "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/db" verify \
        "$T/leaf.pem" --untrusted "$T/sub.pem" >"$T/answer" 2>&1) &
    pid=$!
    : >"$T/limits"
    while kill -0 $pid 2>/dev/null; do
        for worker in $(cat "/proc/$pid/task"/*/children 2>/dev/null); do
            # The last of its limits is that of the processor time.
            grep -E '^Max cpu time +[0-9]+ ' "/proc/$worker/limits" >/dev/null 2>&1 &&
                cat "/proc/$worker/limits" >"$T/limits" 2>/dev/null && [[ -s $T/limits ]] && break 2
        done
    done
    wait $pid || true
    sed -nE 's/^Max (cpu time|file size|core file size|open files|address space) +([^ ]+) +([^ ]+).*/\1 \2 \3/p' "$T/limits"
}
found=$(limits -c unlimited)
expect_eq 'memory, files, cores' "$(grep -v cpu <<<"$found" | LC_ALL=C sort)" \
    'address space 1073741824 1073741824
core file size 0 0
file size 4294967296 4294967296
open files 256 256'
expect_eq 'processor time' "$(awk '/^cpu/ { print ($3 >= 60 && $3 <= 130) }' <<<"$found")" 1
found=$(limits -S -n 100 -f 2000 -v 600000)
expect_eq 'nothing is raised that the caller limits' "$(grep -vE 'cpu|core' <<<"$found" | LC_ALL=C sort)" \
    'address space 614400000 614400000
file size 2048000 2048000
open files 100 100'
run bash -c 'ulimit -S -t 1 && exec "$@"' - "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/db" \
    verify "$T/leaf.pem" --untrusted "$T/sub.pem"
expect_eq 'the end of its processor time' "$rc" 1
# Which limit it meets first depends on the machine.
expect_grep 'is no answer' 'cannot tell: the (helper of backend nss needed more processor time|verifier needed more memory)' "$out"

# A write past the limit is an error, and no end of the helper.
run bash -c 'ulimit -S -f 30 && exec "$@"' - "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/db" \
    install --yes "$T/sub.pem" "$T/other.pem"
expect_eq 'a database that may not grow' "$rc" 1
expect_no_grep 'is no crash' 'crashed' "$out"
expect_eq 'and nothing is added' "$(certutil -L -d "sql:$T/db" 2>/dev/null | grep -c Memory)" 1
finish
