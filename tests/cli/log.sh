#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The system's log gets one line for each store that is changed. The script starts itself again: with a
# /dev of its own, then with a socket there, whose datagrams wait for "drain" on descriptor 9.
# shellcheck source=tests/cli/lib.sh
here=${BASH_SOURCE[0]}
case ${XR_LOG_STAGE:-start} in
start)
    . "$(dirname -- "$here")/lib.sh"
    unshare -rm mount -t tmpfs none /mnt 2>/dev/null || skip_all 'no user and mount namespaces here'
    command -v python3 >/dev/null || skip_all 'no python3'
    mkdir "$T/dev"
    rc=0
    XR_LOG_STAGE=mounts XR_OLD_DEV=$T/dev unshare -rm bash "$here" || rc=$?
    exit $rc
    ;;
mounts)
    set -e
    mount --rbind /dev "$XR_OLD_DEV"
    mount -t tmpfs -o mode=755 none /dev
    for name in null zero random urandom tty; do
        : >"/dev/$name"
        mount --bind "$XR_OLD_DEV/$name" "/dev/$name"
    done
    ln -s /proc/self/fd /dev/fd
    XR_LOG_STAGE=tests exec python3 -c '
import os, socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
os.dup2(log.fileno(), 9)
os.execvp("bash", ["bash", sys.argv[1]])' "$here"
    ;;
esac
. "$(dirname -- "$here")/lib.sh"
unset CROSSROOT_LOG

lines=$T/lines
# Each datagram as one line, as repr() writes it: a line break inside is seen.
drain() {
    python3 -c '
import socket
log = socket.socket(fileno=9)
log.setblocking(False)
while True:
    try:
        print(repr(log.recv(9999).decode())[1:-1])
    except BlockingIOError:
        break' >"$lines"
}
# said WHAT LINE: the one line of the log since the last time, without time and process, was that.
said() {
    drain
    expect_eq "$1" "$(sed -E 's/^<85>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} crossroot\[[0-9]+\]: //' "$lines")" "$2"
}
make_pki "$T/pki"
old=$(sha "$P/old-root.pem")
cross=$(sha "$P/cross.pem")
store=openssl:$T/store
who="uid=0 by=\"$(id -un)\""

expect_exit 0 'an installation' xr --store "$store" install --yes "$P/old-root.pem"
run xr history --json
id=$(json 'transactions[0].transaction' "$out")
said 'is one line' "install result=done transaction=$id $who store=\"$store\" add=1 change=0 remove=0 place=anchor sha256=$old"
expect_exit 0 'reading' xr --store "$store" list
expect_exit 0 'a dry run' xr --store "$store" -n remove "$P/old-root.pem"
expect_exit 0 'and what is there already' xr --store "$store" install --yes "$P/old-root.pem"
said 'are none' ''
expect_exit 0 'to take it back' xr --store "$store" undo
run xr history --json
undo=$(json 'transactions[].transaction' "$out" | grep -v "$id")
said 'is one that names what is undone' "undo result=done transaction=$undo undoes=$id $who store=\"$store\" add=0 change=0 remove=1 place=anchor sha256=$old"

expect_exit 6 'a store that is rolled back' xr --store "$store" install --require-verified "$P/cross.pem"
drain
expect_eq 'is one' "$(wc -l <"$lines")" 1
expect_grep 'with the reason' ": install result=rolled-back transaction=[0-9a-f]{16} .* add=1 .* place=intermediate sha256=$cross why=\"the verifier said no: " "$lines"

if can_trace; then
    run traced -f -o "$T/trace" -e trace=sendto -e inject=sendto:signal=KILL "$XR_BIN" --worker "$XR_WORKER" \
        --state "$state" --store "$store" install --yes "$P/old-root.pem"
    said 'a kill in the moment of the line loses it' ''
    expect_exit 0 'to recover' xr --store "$store" recover --yes
    drain
    expect_eq 'tells it' "$(wc -l <"$lines")" 1
    expect_grep 'as recovered' ": install result=(done|rolled-back) transaction=[0-9a-f]{16} recovered=yes .* sha256=$old" "$lines"
    xr --store "$store" remove "$P/old-root.pem" >/dev/null 2>&1 || true
    drain
else
    skip 'strace is missing or may not trace'
fi

mkdir -p "$T/image/etc/ssl/certs" "$T"/image/usr/{,local/}share/ca-certificates
: >"$T/image/etc/ca-certificates.conf"
expect_exit 0 'an image' xr --root "$T/image" install --yes "$P/old-root.pem"
drain
expect_grep 'is named' " store=\"ca-certificates:/\" root=\"$T/image\" add=1 " "$lines"

hostile=$T/$'a"b\\c\nd result=done'
expect_exit 0 'a hostile path' xr --store "openssl:$hostile" install --yes "$P/old-root.pem"
drain
expect_eq 'is one line' "$(wc -l <"$lines")" 1
python3 - "$lines" >"$T/fields" <<'END'
import ast, re, sys
line = ast.literal_eval("'" + open(sys.argv[1]).read().rstrip("\n").replace("'", "\\'") + "'")
for name, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line):
    print(name, value)
END
expect_eq 'with the same fields' "$(cut -d' ' -f1 "$T/fields" | xargs)" \
    'result transaction uid by store add change remove place sha256'
expect_eq 'and the path in one of them' "$(sed -n 's/^store //p' "$T/fields")" \
    "\"openssl:$T/a\\\"b\\\\c\\\\u{000A}d result=done\""

quotes=$T/$(printf '"%.0s' {1..200})
expect_exit 0 'a path of quotes' xr --store "openssl:$quotes" install --yes "$P/old-root.pem"
drain
expect_grep 'is cut between its characters, and stays in its quotes' \
    ' store=\\?"openssl:[^" ]*/(\\+"){90,120}[.]{3}" add=1 change=0 remove=0 place=anchor sha256=[0-9a-f]{64}$' "$lines"

xr --store "openssl:$T/good" install --yes "$P/old-root.pem" >"$out" 2>&1
drain
expect_exit 6 'all or nothing' xr --store "openssl:$T/good" --store "openssl:$T/none" --all-or-nothing \
    install --require-verified "$P/cross.pem"
drain
expect_eq 'tells what was done, and what was rolled back' \
    "$(sed -E 's/.* result=([a-z-]+) .* store="([^"]*)".*/\1 \2/' "$lines" | paste -sd,)" \
    "done openssl:$T/good,rolled-back openssl:$T/none,rolled-back openssl:$T/good"
expect_eq 'in one transaction' "$(grep -o 'transaction=[0-9a-f]*' "$lines" | sort -u | wc -l)" 1

"$XR_MKCERTS" 20 "$T/many" >"$out"
expect_exit 0 'twenty certificates' xr --store "$store" install --yes "$T/many"
drain
expect_eq 'are one line' "$(wc -l <"$lines")" 1
expect_grep 'with their number and as many as fit' ' add=20 .* more=[0-9]+$' "$lines"
expect_eq 'of at most 1000 bytes' "$(sed 's/.*\]: //' "$lines" | awk '{ print (length($0) > 700 && length($0) <= 1000) }')" 1

expect_exit 0 'for another user' env SUDO_UID=65534 "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
    --store "$store" install "$P/cross.pem"
drain
expect_grep 'that user is named' ' uid=0 invoker=65534 by="nobody" ' "$lines"
expect_exit 0 'CROSSROOT_LOG=none' env CROSSROOT_LOG=none "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
    --store "$store" remove "$P/cross.pem"
said 'tells nothing' ''

# Nobody reads it, as where its daemon is stopped.
python3 - <<'END'
import socket
full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
full.connect("/dev/log")
full.setblocking(False)
try:
    while True:
        full.send(b"x")
except BlockingIOError:
    pass
END
expect_exit 0 'a log that is full holds nothing up' timeout -s KILL 60 "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
    --store "$store" install --yes "$P/old-root.pem"
expect_eq 'it is said once' "$(grep -c "the system's log takes no messages" "$err")" 1
drain
expect_no_grep 'the line is lost' crossroot "$lines"
expect_exit 0 'a log that is read again' xr --store "$store" remove "$P/old-root.pem"
drain
expect_eq 'gets its lines' "$(grep -c ': remove result=done ' "$lines")" 1
expect_eq 'and nothing is said of it' "$(grep -c 'takes no messages' "$err" || true)" 0

rm /dev/log
expect_exit 0 'without a log' xr --store "$store" install "$P/cross.pem"
expect_eq 'nothing is said of that' "$(grep -c log "$err" || true)" 0
finish
