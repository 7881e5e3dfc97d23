#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# version.sh PLUGIN: --version -v, what a report of a bug needs.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=$1

expect_exit 0 '--version' xr --version
cp "$out" "$T/short"
expect_exit 0 '--version -v' xr --version -v --plugin "$plugin"
expect_eq 'begins with the version' "$(head -n 1 "$out")" "$(cat "$T/short")"
expect_eq 'and has the same labels in the same order' \
    "$(tail -n +2 "$out" | cut -c 1-18 | sed 's/ *$//' | uniq | paste -sd,)" \
    "commit,build,system,library,plugin directory,backend,helper program,state directory,system's store"
expect_grep 'names the kernel' "^system +$(uname -s) $(uname -r) $(uname -m)" "$out"
expect_grep 'names the libcrypto that runs' '^library +OpenSSL 3\.' "$out"
for library in jansson NSS softoken p11-kit GnuTLS hivex SQLite; do
    expect_grep "says of $library whether it is there" "^library +$library: .+" "$out"
done
expect_grep 'names a plugin with its file' "^backend +[a-z0-9-]+: .*/${plugin##*/}\$" "$out"
expect_grep 'and what is built in' '^backend +openssl: built in$' "$out"
expect_grep 'finds the helper program' "^helper program +$XR_WORKER\$" "$out"
expect_grep 'and the state directory' "^state directory +$state\$" "$out"
expect_eq 'says nothing else' "$(cat "$err")" ''
cp "$out" "$T/first"
run xr version -v --plugin "$plugin"
expect_same 'version -v is the same' "$T/first" "$out"

printf 'no library' >"$T/$(printf 'bad\x1b.so')"
expect_exit 0 'a file that is no plugin' xr --version -v --plugin "$T/$(printf 'bad\x1b.so')" --worker "$T/none"
expect_grep 'is named with the reason' '^backend +not loaded: plugin .*bad\\u\{001B\}\.so refused: it cannot be loaded: ' "$out"
expect_grep 'a helper that is not there too' "^helper program +$T/none: not there, or not executable\$" "$out"

if command -v cc >/dev/null && [[ $XR_SLOW -eq 0 ]]; then
    chmod 755 "$T"
    for kind in trap sleep hostile; do
        mkdir "$T/$kind"
    done
    echo '__attribute__((constructor)) static void end(void) { __builtin_trap(); }' >"$T/trap.c"
    echo 'int pause(void); __attribute__((constructor)) static void end(void) { for (;;) pause(); }' >"$T/sleep.c"
    echo 'const char *sqlite3_libversion(void); const char *sqlite3_libversion(void) { return "\xff\x1b[31m\xc2\x9b\xe2\x80\xae" "9"; }' >"$T/hostile.c"
    for kind in trap sleep hostile; do
        cc -shared -fPIC -o "$T/$kind/libsqlite3.so.0" "$T/$kind.c"
    done
    if can_drop && unprivileged test -x "$XR_BIN"; then
        with() { # KIND: as an ordinary user, who may set what libraries are loaded
            unprivileged env HOME=/nonexistent LD_LIBRARY_PATH="$T/$1" timeout 60 "$XR_BIN" --version -v
        }
        expect_exit 0 'a library that ends whoever loads it' with trap
        expect_grep 'is what the report says' '^library +SQLite: libsqlite3.so.0 ends the program that loads it' "$out"
        expect_exit 0 'a library that never comes back' with sleep
        expect_grep 'is given up' '^library +SQLite: libsqlite3.so.0 did not answer in 5 seconds$' "$out"
        expect_exit 0 'a version that acts on terminals' with hostile
        expect_grep 'is shown harmlessly' '^library +SQLite: \\xFF\\u\{001B\}\[31m\\u\{009B\}\\u\{202E\}9, ' "$out"
        expect_eq 'byte for byte' "$(LC_ALL=C tr -d '\n -~' <"$out" | wc -c)" 0
    else
        skip 'no ordinary user can run the program here'
    fi
    if [[ $(id -u) -eq 0 ]]; then
        expect_exit 0 'root' env LD_LIBRARY_PATH="$T/trap" "$XR_BIN" --version -v --state "$state"
        expect_grep 'loads nothing that a variable names' '^library +SQLite: not looked for as root while LD_LIBRARY_PATH is set$' "$out"
        sqlite=$(sed -n 's/^library  *SQLite: .*, //p' "$T/first")
        chown 65534 "$T/trap/libsqlite3.so.0"
        if [[ $sqlite == /* ]] && unshare -m mount --bind "$T/trap/libsqlite3.so.0" "$sqlite" 2>/dev/null; then
            # Single quotes: the shell that unshare starts expands them.
            # shellcheck disable=SC2016
            expect_exit 0 'and as root a library of another user' unshare -m bash -c \
                'mount --bind "$1" "$2" && exec "$3" --version -v --state "$4"' - \
                "$T/trap/libsqlite3.so.0" "$sqlite" "$XR_BIN" "$state"
            expect_grep 'is not loaded' "^library +SQLite: $sqlite is not root's alone: it is not loaded as root\$" "$out"
        else
            skip 'no mount over a library here'
        fi
    fi
fi
mkdir -p "$T/image/etc/ssl/certs" "$T"/image/usr/{,local/}share/ca-certificates
: >"$T/image/etc/ca-certificates.conf"
expect_exit 0 'of an image' xr --version -v --root "$T/image"
expect_grep 'the layout is recognised' "^system's store +ca-certificates:/: .*Debian" "$out"
finish
