#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cycles.sh BUILD-DIR: no circle of files or folders, nothing points upward; and the check sees both.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
command -v nm >/dev/null || skip_all 'no nm'

expect_exit 0 'this tree' python3 "$here/cycles.py" "$1" "$root" 90
cat "$out"

# made NAME FILE=BODY...: a tree of these sources, compiled
made() {
    local dir=$T/$1 file entry sep='['
    mkdir -p "$dir/build"
    shift
    for entry; do
        file=${entry%%=*}
        mkdir -p "$dir/${file%/*}"
        printf '%s\n' "${entry#*=}" >"$dir/$file"
        cc -c -o "$dir/build/${file//\//-}.o" "$dir/$file"
        printf '%s{"directory":"%s/build","file":"%s/%s","command":"cc -o %s.o -c"}\n' "$sep" "$dir" "$dir" \
            "$file" "${file//\//-}"
        sep=,
    done >"$dir/build/compile_commands.json"
    echo ']' >>"$dir/build/compile_commands.json"
    run python3 "$here/cycles.py" "$dir/build" "$dir" 1
}
made fine 'core/stores/a.c=int b(void); int a(void) { return b(); }' 'core/kit/b.c=int b(void) { return 1; }'
expect_eq 'what is fine' "$rc" 0
made circle 'core/kit/a.c=int b(void); int a(void) { return b(); }' \
    'core/kit/b.c=int a(void); int b(void) { return a(); }'
expect_eq 'a circle of two files' "$rc" 1
expect_grep 'is named' 'a circle of files: core/kit/a.c, core/kit/b.c' "$out"
made upward 'core/kit/a.c=int b(void); int a(void) { return b(); }' 'core/stores/b.c=int b(void) { return 1; }'
expect_eq 'what points upward' "$rc" 1
expect_grep 'is named with its reason' 'core/kit/a.c may not use core/stores/b.c \(b\)' "$out"
made backend 'core/change/a.c=int b(void); int a(void) { return b(); }' 'backends/nss/b.c=int b(void) { return 1; }'
expect_eq 'core that uses a backend' "$rc" 1
made report 'core/report/a.c=int xr_pool_kind(void); int a(void) { return xr_pool_kind(); }' \
    'core/certs/b.c=int xr_pool_kind(void) { return 1; }'
expect_eq 'a report that finds something out' "$rc" 1
expect_grep 'is named' 'core/report/a.c may not use xr_pool_kind' "$out"
expect_exit 1 'a tree without objects' python3 "$here/cycles.py" "$T/fine/build" "$T/fine" 3
finish
