#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# authors.sh SOURCE-DIR BUILD-DIR CC: who writes a backend has an installed crossroot and no more. The
# toy is built from that by CMake and by hand, and crossroot-contract tells a good one from bad ones;
# the other examples are built and run likewise.
set -euo pipefail
source=$1 build=$2 cc=$3
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
chmod 755 "$tmp"
cmake --install "$build" --prefix "$tmp/p" >"$tmp/log"
cp -R "$source/examples" "$tmp/examples"
lib=$(dirname "$(find "$tmp/p" -name libcrossroot-kit.a)")
read -ra extra <<<"${XR_EXTRA_FLAGS:-}"

must() { # WHAT COMMAND...
    "${@:2}" >"$tmp/log" 2>&1 || { printf 'not ok: %s\n' "$1"; cat "$tmp/log"; exit 1; }
    printf 'ok: %s\n' "$1"
}
must 'the toy is short' test "$(wc -l <"$tmp/examples/toy/toy.c")" -lt 200
must 'CMake configures it' cmake -S "$tmp/examples/toy" -B "$tmp/b" -DCMAKE_PREFIX_PATH="$tmp/p" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="-Wall -Werror ${XR_EXTRA_FLAGS:-}"
must 'CMake builds it' cmake --build "$tmp/b"
exported=$(nm -D --defined-only "$tmp/b/toy.so" | awk '$3 !~ /^_/ { print $3 }' | grep -vE '^(asan|ubsan)_' || true)
must 'it exports its table alone' test "$exported" = xr_backend_entry

# by_hand OUT FILE: the line in toy.c
by_hand() {
    "$cc" -std=gnu11 -fPIC -shared "${extra[@]}" -o "$1" "$2" "-I$tmp/p/include" "-L$lib" -lcrossroot-kit
}
grep -q 'cc -std=gnu11 -fPIC -shared -o toy.so toy.c' "$tmp/examples/toy/toy.c"
must 'cc builds it' by_hand "$tmp/toy.so" "$tmp/examples/toy/toy.c"

# What the page adds to the toy works too.
block() { # PATTERN: the first block of C that has it
    awk -v want="$1" '/^```/ { if (on && hit) { printf "%s", text; exit } on = ($0 == "```c"); text = ""; hit = 0; next }
        on { text = text $0 "\n"; if ($0 ~ want) hit = 1 }' "$source/docs/writing-a-backend.md"
}
block 'xr_probe ' >"$tmp/probe.c"
block 'caps->verifier' >"$tmp/verifier.c"
awk -v probe="$tmp/probe.c" -v verifier="$tmp/verifier.c" '
    function put(file, line) { while ((getline line < file) > 0) print line }
    /^static const struct xr_backend table/ { put(probe); print "" }
    { print }
    /caps->atomic = true/ { put(verifier) }
    /\.flush = flush,/ { print "    .probe = probe," }' "$tmp/examples/toy/toy.c" >"$tmp/probing.c"
must 'the page has a verifier' by_hand "$tmp/probing.so" "$tmp/probing.c"

mkdir "$tmp/stores"
contract() { # PLUGIN [OPTION]...
    env -u LD_LIBRARY_PATH "$tmp/p/bin/crossroot-contract" --plugin "$1" --store "toy:$tmp/stores" "${@:2}"
}
must 'crossroot-contract passes it' contract "$tmp/b/toy.so"
cat "$tmp/log"
must 'all that applies' test "$(grep -c '^ok' "$tmp/log")" -ge 36
must 'nothing is left' test -z "$(ls -A "$tmp/stores")"
must 'in the helper too' contract "$tmp/toy.so" --helper \
    --worker "$(find "$tmp/p" -name worker -path '*/crossroot/*')"
must 'with the verifier too' contract "$tmp/probing.so"
must 'which is asked' test "$(grep -c '^ok    .*verifier' "$tmp/log")" = 6
must 'by name' contract "$tmp/toy.so" --case 'A swap is undone by the opposite swap.'
must 'that case alone' test "$(cat "$tmp/log")" = 'ok    A swap is undone by the opposite swap.
1 ok, 0 skipped, 0 failed'

# fails STATUS WHAT PATTERN COMMAND...
fails() {
    local rc=0
    "${@:4}" >"$tmp/log" 2>&1 || rc=$?
    if [ "$rc" != "$1" ] || ! grep -qE "$3" "$tmp/log"; then
        printf 'not ok: %s: exit %s\n' "$2" "$rc"
        cat "$tmp/log"
        exit 1
    fi
    printf 'ok: %s\n' "$2"
}
# broken NAME SED-SCRIPT: a toy that breaks a promise
broken() {
    sed "$2" "$tmp/examples/toy/toy.c" >"$tmp/$1.c"
    ! cmp -s "$tmp/$1.c" "$tmp/examples/toy/toy.c" || exit 1
    by_hand "$tmp/$1.so" "$tmp/$1.c"
}
broken blind 's/!s->host->state_equal(&now.state, expect)/false/'
fails 1 'one that does not compare' '^FAIL  A swap that expects anything else is a conflict' \
    contract "$tmp/blind.so"
broken crash 's/    return fsync(s->dir) == 0/    abort();\n&/'
fails 1 'one that crashes' '^FAIL  A flush without changes writes nothing. -- it crashed: ' \
    contract "$tmp/crash.so" --case 'A flush without changes writes nothing.'
broken hang 's/    return fsync(s->dir) == 0/    for (;;)\n        (void)pause();\n&/'
fails 1 'one that hangs' '^FAIL  A flush without changes writes nothing. -- not finished after 2 s' \
    contract "$tmp/hang.so" --case 'A flush without changes writes nothing.' --limit 2
must 'nothing is left of those' test -z "$(ls -A "$tmp/stores")"
fails 2 'a case that is not there' 'no such case' contract "$tmp/toy.so" --case 'x'
fails 2 'a plugin that is not there' 'refused' contract "$tmp/none.so"
fails 2 'a directory that is not there' 'No such file' "$tmp/p/bin/crossroot-contract" --store openssl:/nonexistent

# The command, and a program of somebody else, on throwaway stores.
"$build/tests/pki/xr-mkpki" "$tmp/pki" >/dev/null
export HOME=$tmp/home
mkdir "$HOME" "$tmp/toy"
must 'the command uses the plugin' "$tmp/p/bin/crossroot" --plugin "$tmp/toy.so" --store "toy:$tmp/toy" \
    --state "$tmp/state" install --yes "$tmp/pki/old-root.pem" "$tmp/pki/cross.pem"
must 'two files' test "$(find "$tmp/toy" -type f | wc -l)" = 2
must 'and undoes it' "$tmp/p/bin/crossroot" --plugin "$tmp/toy.so" --state "$tmp/state" undo
must 'no file' test -z "$(ls -A "$tmp/toy")"
must 'a store' "$tmp/p/bin/crossroot" --store "openssl:$tmp/trust" --state "$HOME/.local/state/crossroot" \
    install --yes "$tmp/pki/old-root.pem"
must 'stores.c is built' "$cc" -std=gnu11 -Wall -Wextra -Werror "${extra[@]}" -o "$tmp/stores-c" \
    "$tmp/examples/stores.c" "-I$tmp/p/include" "-L$lib" -lcrossroot "-Wl,-rpath,$lib"
must 'stores.c lists' "$tmp/stores-c" "openssl:$tmp/trust"
must 'what is there' test "$(cat "$tmp/log")" = "openssl:$tmp/trust
  anchor: CN=Crossroot Test Old Root,O=Crossroot, by crossroot"
fails 1 'stores.c says what failed' 'nonexistent' "$tmp/stores-c" openssl:/nonexistent/trust
must 'the cases have names' "$tmp/p/bin/crossroot-contract" --list
