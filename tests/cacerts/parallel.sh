#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several at once, and killed at any moment: readers of the bundle see the old or the new one.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

make_pki "$T/pki"
roots=("$P"/{old-root,new-root,rsa-root,utf8}.pem)
base=40

# A Debian root with as many vendor certificates.
box=$T/box
mkdir -p "$box"/etc/ssl/certs "$box"/usr/share/ca-certificates "$box"/usr/local/share/ca-certificates
for ((i = 0; i < base; i++)); do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj "/CN=Vendor $i" -keyout /dev/null -out "$box/usr/share/ca-certificates/v$i.crt" 2>/dev/null
    echo "v$i.crt"
done >"$box/etc/ca-certificates.conf"
bundle=$box/etc/ssl/certs/ca-certificates.crt
box_args=(--worker "$XR_WORKER" --root "$box" --store ca-certificates)
image() { "$XR_BIN" "${box_args[@]}" --state "$1" "${@:2}"; }
expect_exit 0 "the first bundle" image "$state" recover

# reads FILE: copies it until $T/stop is there; then says how often it was missing, torn, or wrong.
# A whole one has as many ends as beginnings, ends with a line, and $base certificates or some more.
reads() {
    local times=0 missing=0 torn=0 text ends begins
    while [[ ! -e $T/stop ]]; do
        times=$((times + 1))
        if ! text=$(cat "$1" 2>/dev/null && echo .); then
            missing=$((missing + 1))
            continue
        fi
        ends=$(grep -c '^-----END CERTIFICATE-----$' <<<"$text") || true
        begins=$(grep -c '^-----BEGIN CERTIFICATE-----$' <<<"$text") || true
        if [[ $text != *$'-----END CERTIFICATE-----\n.' || $begins -ne $ends || $ends -lt $base ||
            $ends -gt $((base + ${#roots[@]})) ]]; then
            torn=$((torn + 1))
        fi
    done
    echo "$times readings, $missing missing, $torn torn"
}

# writes NUMBER: installs and removes its root; exit codes to a file
writes() {
    local i rounds=$((XR_SLOW ? 3 : 12))
    for ((i = 0; i < rounds; i++)); do
        image "$T/state-$1" install --yes "${roots[$1]}" >"$T/log-$1" 2>&1 </dev/null
        echo $?
        image "$T/state-$1" remove --yes "${roots[$1]}" >"$T/log-$1" 2>&1 </dev/null
        echo $?
    done >"$T/codes-$1"
}

together() { # COUNT
    local i pids=()
    rm -f "$T"/stop "$T"/codes-*
    reads "$bundle" >"$T/readings" &
    local reader=$!
    for ((i = 0; i < $1; i++)); do
        writes "$i" &
        pids+=($!)
    done
    wait "${pids[@]}"
    : >"$T/stop"
    wait "$reader"
    printf '      %s\n' "$(cat "$T/readings")"
    expect_grep "$1 at once: no bundle torn or missing" ' 0 missing, 0 torn' "$T/readings"
    expect_eq "$1 at once: all succeed" "$(cat "$T"/codes-* | sort -u | xargs)" 0
    expect_eq "$1 at once: all is as before" "$(grep -c BEGIN "$bundle")" "$base"
}
together 1
together 4

# --- somebody who is asked may take long

cat >"$T/asks.py" <<'END'
# asks.py DIRECTORY COMMAND...: is the directory locked while the command asks? Then says yes.
import os, pty, subprocess, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
while not shown.endswith(b"[y/N] "):
    shown += os.read(terminal, 4096)
print("free" if subprocess.run(["flock", "-n", sys.argv[1], "true"]).returncode == 0 else "locked")
os.write(terminal, b"y\n")
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
run python3 "$T/asks.py" "$box/etc/ssl/certs" "$XR_BIN" "${box_args[@]}" --state "$state" install "${roots[0]}"
expect_eq 'asked: exit' "$rc" 0
expect_eq 'asked: others can go on meanwhile' "$(head -n 1 "$out")" free
expect_eq 'asked: and it is done' "$(grep -c BEGIN "$bundle")" "$((base + 1))"
run image "$state" remove --yes "${roots[0]}"
expect_eq 'asked: and taken back' "$(grep -c BEGIN "$bundle")" "$base"

# --- killed at any moment

snap "$box/etc/ssl/certs" >"$T/before"
rm -f "$T/stop"
reads "$bundle" >"$T/readings" &
reader=$!
broken=0
breaks() {
    broken=$((broken + 1))
    printf '    round %d: %s %s\n' "$i" "$1" "${2:-}"
    show_output
}
for ((i = 0; i < (XR_SLOW ? 8 : 40); i++)); do
    # Not by the function: the shell would be killed, and its child go on.
    "$XR_BIN" "${box_args[@]}" --state "$state" install --yes "${roots[i % 4]}" >/dev/null 2>&1 </dev/null &
    victim=$!
    sleep "0.0$((RANDOM % 2))$((RANDOM % 10))$((RANDOM % 10))"
    kill -9 "$victim" 2>/dev/null || true
    wait "$victim" 2>/dev/null || true
    image "$state" recover >"$out" 2>"$err" </dev/null || breaks recover
    image "$state" remove --yes "${roots[i % 4]}" >"$out" 2>"$err" </dev/null || breaks remove
    snap "$box/etc/ssl/certs" >"$T/after"
    cmp -s "$T/before" "$T/after" || breaks "what is left" "$(diff "$T/before" "$T/after" | head -n 4)"
done
: >"$T/stop"
wait "$reader"
printf '      %s\n' "$(cat "$T/readings")"
expect_grep "killed: no bundle torn or missing" ' 0 missing, 0 torn' "$T/readings"
expect_eq "killed: the next command mends all" "$broken" 0

# --- for comparison, without a judgement: two of the distribution's own

if [[ -x /usr/sbin/update-ca-certificates ]]; then
    theirs() {
        local i
        for ((i = 0; i < (XR_SLOW ? 2 : 6); i++)); do
            /usr/sbin/update-ca-certificates --fresh --certsconf "$box/etc/ca-certificates.conf" \
                --certsdir "$box/usr/share/ca-certificates" \
                --localcertsdir "$box/usr/local/share/ca-certificates" \
                --etccertsdir "$box/etc/ssl/certs" --hooksdir "" >/dev/null 2>&1 || true
        done
    }
    rm -f "$T/stop"
    reads "$bundle" >"$T/readings" &
    reader=$!
    theirs &
    first=$!
    theirs &
    wait "$first" $!
    : >"$T/stop"
    wait "$reader"
    printf '      two update-ca-certificates: %s\n' "$(cat "$T/readings")"
fi

finish
