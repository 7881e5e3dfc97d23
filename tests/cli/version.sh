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
    mkdir "$T/lib"
    echo '__attribute__((constructor)) static void end(void) { __builtin_trap(); }' >"$T/trap.c"
    cc -shared -fPIC -o "$T/lib/libsqlite3.so.0" "$T/trap.c"
    expect_exit 0 'a library that ends whoever loads it' env LD_LIBRARY_PATH="$T/lib" "$XR_BIN" --version -v
    expect_grep 'is what the report says' '^library +SQLite: libsqlite3.so.0 ends the program that loads it' "$out"
fi
mkdir -p "$T/image/etc/ssl/certs" "$T"/image/usr/{,local/}share/ca-certificates
: >"$T/image/etc/ca-certificates.conf"
expect_exit 0 'of an image' xr --version -v --root "$T/image"
expect_grep 'the layout is recognised' "^system's store +ca-certificates:/: .*Debian" "$out"
finish
