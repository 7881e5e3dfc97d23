#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# abi.sh PROGRAM PLUGIN: what was compiled against the headers of a release still works, and a member
# in the middle of a struct does not compile.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
program=${1:?} plugin=${2:?}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
make_pki "$T/pki"
mkdir "$T/store"

expect_exit 0 'an old program and an old backend' \
    "$program" "$plugin" "$state" "quirky:$T/store" "$P/old-root.pem" "$XR_WORKER"
expect_json 'do what they did' 'stores[0].entries[].{place,sha256}' "anchor	$(sha "$P/old-root.pem")"
expect_exit 0 "today's command with the old backend" xr --plugin "$plugin" --store "quirky:$T/store" verify "$P/old-root.pem"
expect_exit 0 'undoes what the old program did' xr --plugin "$plugin" --store "quirky:$T/store" undo

compiles() { # DIR with crossroot/*.h
    cc -std=c11 -fsyntax-only -I "$1" "$root/core/stores/abi.c" 2>"$err"
}
if [[ $(getconf LONG_BIT) -eq 64 ]] && command -v cc >/dev/null; then
    cp -r "$root/core/include" "$T/include"
    expect_exit 0 "today's headers compile" compiles "$T/include"
    while read -r file struct member; do
        rm -rf "$T/moved"
        cp -r "$root/core/include" "$T/moved"
        sed -i "/^struct $struct {/,/^};/ s/^.*\b$member\b.*;/    void *between;\n&/" "$T/moved/crossroot/$file"
        if cmp -s "$T/moved/crossroot/$file" "$root/core/include/crossroot/$file"; then
            bad "$struct.$member was not found"
        elif compiles "$T/moved"; then
            bad "a member before $struct.$member compiles"
        else
            ok "a member before $struct.$member does not compile"
        fi
    done <<END
backend.h xr_caps writable
backend.h xr_entry native
backend.h xr_site uid
backend.h xr_host sha256
backend.h xr_backend summary
crossroot.h xr_request scope
END
fi
finish
