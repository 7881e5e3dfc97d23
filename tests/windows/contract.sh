#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# contract.sh PROGRAM LOCATION MINIMUM: the contract's cases on a live store of Wine, each in a process
# and a prefix of its own; MINIMUM must pass.
set -uo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
program=$1 location=$2 minimum=$3
cases=$("$here/wine" in bash -c '"$WINE" "$@"' - "$program" "$location" list | tr -d '\r' | wc -l)
((cases > 0)) || {
    echo "no cases: is Wine there?"
    exit 1
}
said=$(mktemp -d)
trap 'rm -rf -- "$said"' EXIT
one() {
    timeout 600 "$here/wine" in bash -c '"$WINE" "$@"' - "$program" "$location" "$1" >"$said/$1" 2>&1
    echo "$?" >"$said/$1.code"
}
export -f one
export here program location said
seq 0 $((cases - 1)) | xargs -P "$(nproc)" -I{} bash -c 'one {}'
passed=0 skipped=0 failed=0
for ((i = 0; i < cases; i++)); do
    tr -d '\r' <"$said/$i"
    case $(cat "$said/$i.code") in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *)
        failed=$((failed + 1))
        echo "case $i: exit $(cat "$said/$i.code")"
        ;;
    esac
done
echo "$passed passed, $skipped skipped, $failed failed"
((failed == 0 && passed >= minimum))
