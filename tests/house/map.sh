#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every folder of the tree is on CONTRIBUTING's map, and every folder on the map exists.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
sed -nE '/^## Where things live/,/^## House/s/^\| `([^`]+)\/` .*/\1/p' CONTRIBUTING.md | LC_ALL=C sort >"$T/map"
expect_eq 'the map has rows' "$(($(wc -l <"$T/map") > 30))" 1
if git -c safe.directory="$root" rev-parse --git-dir >/dev/null 2>&1; then
    git -c safe.directory="$root" ls-files -co --exclude-standard
else
    find . -path ./build -prune -o -type f -printf '%P\n'
fi | grep / | grep -v '^\.' | sed 's|/[^/]*$||' | LC_ALL=C sort -u >"$T/folders"
expect_same 'the folders of the tree are those of the map' "$T/folders" "$T/map"
finish
