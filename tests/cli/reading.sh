#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is read of stores beside list: that inspect has those of the scope in view, whatever state they
# are in, and what show says of one certificate.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
cd "$T"
# The user's own store is the only one of the scope in this home.
own=$HOME/.local/share/crossroot/trust
mine() {
    xr --scope user "$@"
}
kinds() {
    expect_json "$1" 'certificates[].kind' "$2"
}

# inspect
run mine inspect --json pki/cross.pem
kinds 'alone it is an intermediate' intermediate
mkdir -p "$own"
expect_exit 0 'it is told of two roots' xr --store "openssl:$own" --yes install pki/new-root.pem pki/old-root.pem
run mine inspect --json pki/cross.pem
kinds 'a cross certificate is called one if this machine holds the root of its key' cross
expect_json 'which is named' 'certificates[].same_key' "[\"$(sha pki/new-root.pem)\"]"
expect_json 'as is who issued it' 'certificates[].issued_by' "[\"$(sha pki/old-root.pem)\"]"
run mine inspect pki/cross.pem
expect_grep 'and which store holds it' \
    "same key +Crossroot Test New Root \\(root\\) $(sha pki/new-root.pem | head -c 16)… in OpenSSL directory of this user\$" "$out"
run mine inspect --only-files --json pki/cross.pem
kinds '--only-files looks at no store' intermediate
run mine --exclude-store "openssl:$own" inspect --json pki/cross.pem
kinds 'nor at one that is left out' intermediate
expect_exit 2 '--only-files with --store is a mistake' \
    mine --store "openssl:$own" inspect --only-files pki/cross.pem

snap "$T/home" >"$T/before"
exec {lock}<"$own"
flock "$lock"
run timeout 20 "$XR_BIN" --worker "$XR_WORKER" --state "$state" --scope user inspect --json pki/cross.pem
kinds 'a store that somebody is changing is looked at without waiting' cross
exec {lock}<&-
snap "$T/home" >"$T/after"
expect_same 'and nothing is written into it' "$T/before" "$T/after"

mv "$own/anchors" "$own/anchors.away"
: >"$own/anchors"
for options in '' --json; do
    # shellcheck disable=SC2086
    expect_exit 0 "a store that cannot be read is no failure $options" mine inspect $options pki/cross.pem
    expect_eq 'and is not spoken of' "$(cat "$err")" ''
done
kinds 'only left out' intermediate
run mine -v inspect pki/cross.pem
expect_grep 'except with -v' "info: openssl:$own: not in view: " "$err"
run xr --store "openssl:$own" inspect pki/cross.pem
expect_grep 'or if it was named' "warning: openssl:$own: not in view: " "$err"
expect_eq 'which is no failure either' "$rc" 0
rm "$own/anchors"
mv "$own/anchors.away" "$own/anchors"

# show
other=openssl:$T/other
xr --store "$other" --yes install pki/old-root.pem pki/sub.pem >/dev/null 2>&1 || true
both=(--store "openssl:$own" --store "$other")
old=$(sha pki/old-root.pem)
run xr "${both[@]}" show "${old:0:8}" --json
expect_json 'show: the certificate whose SHA-256 begins like that' 'certificates[].{sha256,kind}' "$old"$'\troot'
expect_json 'with its key' 'certificates[].spki_sha256' "$(openssl x509 -in pki/old-root.pem -noout -pubkey |
    openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)"
expect_json 'in every store that holds it' 'certificates[].stores[].{store}' "openssl:$own $other"
expect_json 'with what each has of it' 'certificates[].stores[].entries[].{place,managed}' \
    $'anchor\ttrue anchor\ttrue'
run xr "${both[@]}" show "${old^^}"
expect_grep 'as text, in capitals too' "^  in +openssl:$own: anchor for any purpose, put there by crossroot\$" "$out"
expect_grep 'and in the other store' "^ +$other: anchor for any purpose, put there by crossroot\$" "$out"
run xr "${both[@]}" show pki/sub.pem --json
expect_json 'show FILE: who holds it' 'certificates[].stores[].{store}' "$other"
run xr "${both[@]}" show "${old:0:16}" --pem
expect_same '--pem is the certificate, and nothing else' <(openssl x509 -in pki/old-root.pem) "$out"
run xr -q "${both[@]}" show "${old:0:16}" --pem
expect_same 'with -q too' <(openssl x509 -in pki/old-root.pem) "$out"
expect_exit 1 'show of what no store holds' xr "${both[@]}" show 0000000000
expect_eq 'is one error line' "$(wc -l <"$err") $(grep -c 'none of the stores asked holds 0000000000' "$err")" '1 1'
expect_exit 1 'of a file that no store holds' xr "${both[@]}" show pki/leaf.pem
expect_grep 'which is shown all the same' 'in +none of the stores asked' "$out"
expect_exit 2 'show of nothing' xr "${both[@]}" show
finish
