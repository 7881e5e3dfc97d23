#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stores with a password: from a descriptor, from a terminal, and from nobody.
# password.sh PLUGIN
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

ulimit -c 0
make_pki "$T/pki"
cp "$1" "$T/quirky.so"
mkdir "$T/locked" "$T/open"
printf 'open sesame' >"$T/locked/password"
s=(--plugin "$T/quirky.so" --store "quirky:$T/locked")
root=$P/old-root.pem
id=$(sha "$root")

# A daemon's life: no terminal anywhere.
no_tty() {
    setsid -w "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" "$@"
}

expect_exit 1 'nobody can answer' no_tty --yes install "$root"
expect_grep 'and what to do is said' 'refused: this store has a password: give it with --password-fd' "$out"
expect_exit 1 'a wrong password' no_tty --yes install "$root" --password-fd 5 5<<<'open barley'
expect_grep 'is told from none' 'wrong password: give the right one' "$out"
expect_no_grep 'and never shown' 'barley' "$out"
expect_absent 'nothing is written' "$T/locked/$id-0"
expect_exit 0 'a password in a file' no_tty --yes install "$root" --password-fd 5 5<<<'open sesame'
[[ -e $T/locked/$id-0 ]] && ok 'opens the store' || bad 'opens the store'
expect_exit 0 'without a newline' no_tty remove "$root" --password-fd 5 5< <(printf 'open sesame')
expect_absent 'all the same' "$T/locked/$id-0"
expect_exit 0 'with the line end of Windows' no_tty --yes install "$root" --password-fd 5 5<<<$'open sesame\r'
expect_exit 0 'and at the end of the file' no_tty remove "$root" --password-fd 5 5< <(printf 'open sesame\r')
expect_no_grep 'the journal does not know it' 'sesame' "$state/journal"

# What follows the line is somebody else's: here, a certificate on the same standard input.
run bash -c '{ echo "open sesame"; cat "$1"; } | "${@:2}"' - "$root" \
    setsid -w "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" \
    --yes install --password-fd 0 -
expect_eq 'a line of standard input, and a certificate behind it' "$rc" 0
expect_exit 0 'undo takes one too' no_tty --yes undo --password-fd 5 5<<<'open sesame'

expect_exit 2 'a descriptor that is not open' no_tty remove "$root" --password-fd 77
expect_grep 'says why' '--password-fd 77: Bad file descriptor' "$err"
for odd in x -1 '' 1e1 99999999; do
    expect_exit 2 "no descriptor: \"$odd\"" no_tty remove "$root" "--password-fd=$odd"
done
expect_exit 2 'only commands that read files or change take one' no_tty list --password-fd 5
expect_exit 2 '4097 bytes are too many' no_tty remove "$root" --password-fd 5 \
    5< <(head -c 4097 /dev/zero | tr '\0' x)
head -c 4096 /dev/zero | tr '\0' x >"$T/locked/password"
expect_exit 0 '4096 are not' no_tty --yes install "$root" --password-fd 5 5<"$T/locked/password"
printf 'open sesame' >"$T/locked/password"
expect_exit 4 'a locked store does not stop another' no_tty --store "quirky:$T/open" remove "$root"
expect_grep 'one line each' '^quirky:.*/locked: .*refused' "$out"

# ---- PKCS#12 files ----

openssl pkcs12 -export -in "$P/leaf.pem" -inkey "$P/leaf.key" -certfile "$root" -passout 'pass:open sesame' -out "$T/two.p12"
openssl pkcs12 -export -in "$P/leaf.pem" -inkey "$P/leaf.key" -certfile "$root" -passout pass: -out "$T/empty.p12"
openssl pkcs12 -export -nokeys -in "$root" -passout 'pass:open sesame' -out "$T/root.p12"
both=$(printf '%s\n' "$(sha "$P/leaf.pem")" "$id" | sort | xargs)
expect_exit 1 'a .p12 file without its password' no_tty --json inspect "$T/two.p12"
expect_json 'names the option' 'rejected[].reason' \
    'PKCS#12 with a password: give it with --password-fd, such as --password-fd 3 3<FILE'
expect_exit 1 'a wrong one' no_tty --json inspect "$T/two.p12" --password-fd 5 5<<<'open barley'
expect_grep 'is told from none' 'the password is wrong, or the file is damaged' "$out"
expect_exit 0 'the right one' no_tty --json inspect "$T/two.p12" --password-fd 5 5<<<'open sesame'
expect_eq 'gives both certificates' "$(json 'certificates[].sha256' "$out" | sort | xargs)" "$both"
expect_grep 'and names the key' 'a private key: left unread and never copied' "$out"
expect_exit 0 'the empty password needs no option' no_tty --json inspect "$T/empty.p12"
expect_eq 'and gives both' "$(json 'certificates[].sha256' "$out" | sort | xargs)" "$both"
expect_exit 0 'nor does the option harm' no_tty inspect "$T/empty.p12" --password-fd 5 5<<<'open sesame'
expect_exit 0 'verify takes one' no_tty verify "$T/root.p12" --password-fd 5 5<<<'open sesame'
expect_exit 1 'and misses it' no_tty verify "$T/root.p12"
expect_exit 0 'one password is for the file and for the store' \
    no_tty --yes remove "$T/root.p12" --password-fd 5 5<<<'open sesame'
expect_absent 'which holds the root no more' "$T/locked/$id-0"
expect_exit 0 'and so it is for putting it in' \
    no_tty --yes install "$T/root.p12" --password-fd 5 5<<<'open sesame'
[[ -e $T/locked/$id-0 ]] && ok 'which holds it again' || bad 'which holds it again'

# RC2 is in a module of OpenSSL that need not be there.
modules=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')
if [[ -e $modules/legacy.so ]] && unshare -m true 2>/dev/null && openssl pkcs12 -export -legacy -nokeys \
    -in "$root" -certpbe PBE-SHA1-RC2-40 -passout 'pass:open sesame' -out "$T/old.p12" 2>/dev/null; then
    expect_exit 0 'RC2 is read' no_tty inspect "$T/old.p12" --password-fd 5 5<<<'open sesame'
    # shellcheck disable=SC2016
    expect_exit 1 'and without the module' unshare -m sh -c 'mount --bind /dev/null "$1" && shift && exec "$@"' - \
        "$modules/legacy.so" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" inspect "$T/old.p12" \
        --password-fd 5 5<<<'open sesame'
    expect_grep 'it is said why not' 'an old encryption.*"legacy" module, which is not there' "$err"
else
    skip 'no legacy module, or no mount namespace'
fi

# ---- on a terminal ----

if ! command -v script >/dev/null; then
    skip 'script is missing: no terminal'
    finish
    exit
fi

# on_terminal INPUT…: removes the root; each INPUT is typed when a new question is there. What the
# terminal showed is in $out.
on_terminal() {
    local turn=0 i
    rm -f "$T/keys" "$out"
    : >"$out"
    mkfifo "$T/keys"
    # Single quotes: the shell that script starts expands them.
    # shellcheck disable=SC2016
    B="$XR_BIN" W="$XR_WORKER" S="$state" Q="$T/quirky.so" D="$T/locked" R="$root" \
        timeout 30 script -qfec 'trap : INT QUIT; "$B" --worker "$W" --state "$S" --plugin "$Q" --store "quirky:$D" \
            remove "$R"; echo "exit $?"; stty -a' "$out" <"$T/keys" >/dev/null 2>&1 &
    local session=$!
    exec 8>"$T/keys"
    for key in "$@"; do
        turn=$((turn + 1))
        for ((i = 0; i < 200 && $(grep -aco 'Password for' "$out") < turn; i++)); do
            sleep 0.05
        done
        # shellcheck disable=SC2059
        printf "$key" >&8
    done
    wait "$session" || true
    exec 8>&-
}

on_terminal '\003'
expect_grep 'interrupted at the question' '^exit 130' "$out"
expect_grep 'the terminal echoes again' ' echo ' "$out"
on_terminal 'wrong\n' 'open sesame\n'
expect_grep 'a second try' '^exit 0' "$out"
expect_grep 'says that the first was wrong' 'Wrong password' "$out"
expect_grep 'names the store' 'Password for quirky:.*/locked: ' "$out"
expect_no_grep 'and shows nothing of it' 'sesame' "$out"
expect_grep 'the terminal echoes afterwards' ' echo ' "$out"
no_tty --yes install "$root" --password-fd 5 5<<<'open sesame' >/dev/null
on_terminal '\004'
expect_grep 'an end of input is no answer' '^exit 1' "$out"
on_terminal '\034'
expect_grep 'a quit ends it' '^exit 131' "$out"
expect_grep 'and leaves a terminal that echoes' ' echo ' "$out"
on_terminal 'a\n' 'b\n' 'c\n'
expect_grep 'three tries' '^exit 1' "$out"
expect_eq 'and no more' "$(grep -aco 'Password for' "$out")" 3
finish
