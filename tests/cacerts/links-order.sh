#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No hash link dangles at any moment: it is made after what it leads to, and removed before it.
# OpenSSL does not look at the next number after one that leads nowhere.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
# shellcheck source=tests/cacerts/roots.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/roots.sh"
can_trace || skip_all 'strace is missing or may not trace'
make_pki "$T/pki"
# shellcheck disable=SC2034 # for roots.sh
some=("$P/rsa-root.pem")
hash=$(openssl x509 -in "$P/old-root.pem" -noout -hash).0

# at FROM|TO NAME: the line of the trace that renames or makes it
at() {
    case $1 in
    gone) grep -n "rename[a-z0-9]*([0-9]*, \"$2\", " "$T/trace" ;;
    made) grep -nE "(symlinkat|rename[a-z0-9]*)\(.*, \"$2\"(, [A-Z_0]*)?\) *= 0" "$T/trace" ;;
    esac | head -n 1 | cut -d: -f1
}
for kind in debian fedora; do
    R=$T/$kind state=$T/state-$kind
    "$kind" "$R"
    traced_command() {
        run traced -f -o "$T/trace" -e trace=renameat,renameat2,rename,symlinkat,symlink "${@:2}" "$XR_BIN" --worker \
            "$XR_WORKER" --state "$state" --root "$R" --store ca-certificates:/ "$1" --yes "$P/old-root.pem"
    }
    [[ $kind == debian ]] || mkdir -p "$R/etc/pki/ca-trust/extracted/pem/directory-hash"
    traced_command install
    expect_eq "$kind: installed" "$rc" 0
    directory=$(dirname -- "$(find "$R/etc" -name "$hash" | head -n 1)")
    name=$(readlink "$directory/$hash")
    made_name=$(at made "$name") made_hash=$(at made "$hash")
    expect_eq "$kind: the name is made before the link to it" "$((made_name < made_hash))" 1
    traced_command remove
    expect_eq "$kind: removed" "$rc" 0
    gone_name=$(at gone "$name") gone_hash=$(at gone "$hash")
    expect_eq "$kind: the link goes before the name that it leads to" "$((gone_hash < gone_name))" 1
done
finish
