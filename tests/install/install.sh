#!/usr/bin/env bash
# A packager's view: install below DESTDIR, and build a program against that with pkg-config and
# with CMake. Usage: install.sh SOURCE-DIR BUILD-DIR CC
set -euo pipefail
source=$1 build=$2 cc=$3
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
stage=$tmp/stage
DESTDIR=$stage cmake --install "$build" >"$tmp/log"

pc=$(find "$stage" -name crossroot.pc)
pc_of() { # MODULE OPTION...
    PKG_CONFIG_SYSROOT_DIR=$stage PKG_CONFIG_LIBDIR=$(dirname "$pc") pkg-config "${@:2}" "$1"
}
pc() { pc_of crossroot "$@"; }
plugins=$(pc --variable=plugindir)
case $plugins in
*/crossroot/backends) echo "plugindir $plugins" ;;
*) echo "plugindir is \"$plugins\"" && exit 1 ;;
esac

program=$(find "$stage" -name crossroot -path '*/bin/*')
env -u LD_LIBRARY_PATH "$program" --version
echo "the program finds its library"

# Completion, where each shell looks for it, as the program prints it.
share=$(dirname "$(find "$stage" -name bash-completion)")
for file in bash:bash-completion/completions/crossroot zsh:zsh/site-functions/_crossroot \
    fish:fish/vendor_completions.d/crossroot.fish; do
    env -u LD_LIBRARY_PATH "$program" completion "${file%%:*}" | cmp - "$share/${file#*:}"
done
echo "completion: ok"

"$build/tests/pki/xr-mkpki" "$tmp"
lib=$(dirname "$(find "$stage" -name libcrossroot.so)")
read -ra flags < <(pc --cflags --libs)
# shellcheck disable=SC2086 # extra flags, such as the sanitizers'
"$cc" -std=c11 -Wall -Werror ${XR_EXTRA_FLAGS:-} "$source/tests/install/consumer.c" \
    "${flags[@]}" -o "$tmp/consumer"
LD_LIBRARY_PATH=$lib "$tmp/consumer" "$tmp/cross.pem" | grep -c '"kind": "intermediate"'
echo "pkg-config: ok"

mkdir "$tmp/cmake"
cat >"$tmp/cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(crossroot 0.1 REQUIRED)
add_executable(consumer ${SOURCE})
target_link_libraries(consumer PRIVATE crossroot::crossroot)
END
config=$(dirname "$(find "$stage" -name crossroot-config.cmake)")
cmake -S "$tmp/cmake" -B "$tmp/cmake/b" -DSOURCE="$source/tests/install/consumer.c" \
    -Dcrossroot_DIR="$config" -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${XR_EXTRA_FLAGS:-}" \
    >"$tmp/log" 2>&1 && cmake --build "$tmp/cmake/b" >>"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
LD_LIBRARY_PATH=$lib "$tmp/cmake/b/consumer" "$tmp/cross.pem" | grep -c '"kind": "intermediate"'
echo "CMake package: ok"

# The kit: every header of it compiles alone, and a program links it without libcrossroot.
include=$(dirname "$(find "$stage" -path '*/crossroot/kit')")
for header in "$include"/kit/*.h; do
    echo "#include <crossroot/kit/${header##*/}>" >"$tmp/header.c"
    "$cc" -std=c11 -Wall -Werror -fsyntax-only "-I${include%/crossroot}" "$tmp/header.c"
done
read -ra kit_flags < <(pc_of crossroot-kit --cflags --libs)
# shellcheck disable=SC2086
"$cc" -std=c11 -Wall -Werror ${XR_EXTRA_FLAGS:-} "$source/tests/install/kit.c" "${kit_flags[@]}" \
    -o "$tmp/kit"
[ "$("$tmp/kit")" = '68656c6c6f anchor' ]
echo "kit: ok"

# What crossroot.h declares is exported, by its version, and nothing else; Debian's list is the same.
nm -D --defined-only "$lib/libcrossroot.so" | awk '$2 != "A" && $3 !~ /^_/ { print $3 }' |
    LC_ALL=C sort >"$tmp/exported"
grep -oE '^XR_API [^(]*[ *]xr_[a-z_0-9]+\(' "$include/crossroot.h" | sed 's/.*[ *]\(xr_[a-z_0-9]*\)($/\1@@CROSSROOT_0/' |
    LC_ALL=C sort >"$tmp/declared"
sed -nE 's/^ (xr_[a-z_0-9]+)@CROSSROOT_0 .*/\1@@CROSSROOT_0/p' "$source/packaging/debian/libcrossroot0.symbols" |
    LC_ALL=C sort >"$tmp/listed"
diff "$tmp/declared" "$tmp/exported"
diff "$tmp/declared" "$tmp/listed"
echo "exports: ok"

# A tree that is moved as a whole is found where it is now.
mv "$stage" "$tmp/moved"
for module in crossroot crossroot-kit; do
    read -ra flags < <(PKG_CONFIG_LIBDIR=$(dirname "$tmp/moved/${pc#"$stage"}") pkg-config --cflags --libs "$module")
    for flag in "${flags[@]}"; do
        case $flag in
        -[IL]*) [[ $(realpath -e "${flag#-?}") == "$tmp/moved/"* ]] ;;
        esac
    done
done
echo "moved: ok"
