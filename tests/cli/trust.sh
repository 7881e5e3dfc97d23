#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What may be trusted and what must be asked: confirmations, refusals, exit codes, CRLs, undo.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
dir=$T/trust
s=(--store "openssl:$dir")
root=$P/old-root.pem
new=$P/new-root.pem
cross=$P/cross.pem
sub=$P/sub.pem

clean() {
    rm -rf "$dir" "$state"
}
# with FILE...: a new store that holds these.
with() {
    clean
    run xr "${s[@]}" install --yes "$@"
    [[ $rc -eq 0 ]] || {
        bad "preparing a store: exit $rc"
        show_output
    }
}
# places: "PLACE SHA-256-of-8" of all entries, sorted
places() {
    xr "${s[@]}" list --json | json 'stores[0].entries[].{place,sha256}' |
        awk '{ printf "%s %s,", $1, substr($2, 1, 8) }'
}
id_of() {
    sha "$1" | head -c "${2:-8}"
}
# same CODE WHAT COMMAND...: exits CODE and leaves the store as it was.
same() {
    snap "$dir" >"$T/before"
    expect_exit "$@"
    snap "$dir" >"$T/after"
    cmp -s "$T/before" "$T/after" || bad "$2: but the store was changed"
}

echo '# confirmation'
clean
same 7 'a root' xr "${s[@]}" install "$root"
expect_grep 'the whole SHA-256 is shown' "$(sha "$root")" "$err"
run xr --json "${s[@]}" install "$root"
expect_json 'as JSON' '{command,exit}' $'install\t7'
expect_exit 0 'a root with --yes' xr "${s[@]}" install --yes "$root"
same 0 'a root that is there' xr "${s[@]}" install "$root"
same 0 'a dry run asks nothing' xr "${s[@]}" --dry-run install "$new"
expect_exit 0 'an intermediate' xr "${s[@]}" install "$sub"
expect_exit 0 'a cross' xr "${s[@]}" install "$cross"
same 7 'a root and a cross in one go' xr "${s[@]}" install "$new" "$P/expired-cross.pem"
if command -v script >/dev/null; then
    # On a terminal: the question, and both answers.
    answer() {
        # Single quotes: the shell that script starts expands them.
        # shellcheck disable=SC2016
        printf '%s\n' "$1" | B=$XR_BIN W=$XR_WORKER S=$state D=$dir F=$new \
            script -qec '"$B" --worker "$W" --state "$S" --store "openssl:$D" install "$F"' /dev/null
    }
    same 1 'a root on a terminal, answered n' answer n
    expect_grep 'the question' 'Continue\? \[y/N\]' "$out"
    same 1 'a root on a terminal, answered with nothing' answer ''
    for no in yamete yesterday 'y no' ｙ はい; do
        same 1 "a root on a terminal, answered $no" answer "$no"
    done
    expect_exit 0 'a root on a terminal, answered y' answer y
else
    skip 'script is missing: no terminal'
fi

echo '# placement'
with "$root"
same 1 'a leaf' xr "${s[@]}" install "$P/leaf.pem"
same 1 'a leaf, though --yes' xr "${s[@]}" install --yes "$P/leaf.pem"
expect_grep 'it says why' 'this store holds only those of CAs' "$out"
same 1 'a leaf as peer: no place for it here' xr "${s[@]}" install --yes --as peer "$P/leaf.pem"
same 1 'a leaf as anchor' xr "${s[@]}" install --yes --as anchor "$P/leaf.pem"
same 1 'a leaf as intermediate' xr "${s[@]}" install --yes --as intermediate "$P/leaf.pem"
same 1 'a CA as peer' xr "${s[@]}" install --yes --as peer "$sub"
same 1 'a certificate as crl' xr "${s[@]}" install --yes --as crl "$sub"
same 2 'to distrust is another command' xr "${s[@]}" install --yes --as distrust "$sub"
same 2 'an unknown place' xr "${s[@]}" install --yes --as root "$sub"
same 7 'a cross as anchor asks' xr "${s[@]}" install --as anchor "$cross"
expect_exit 0 'and with its pin it is one' xr "${s[@]}" install --as anchor "$cross" --pin "$(sha "$cross")"
expect_grep 'in anchors' "anchor $(id_of "$cross")" <(places)
same 0 'install without --as narrows nothing' xr "${s[@]}" install "$cross"
same 7 'an intermediate as anchor asks' xr "${s[@]}" install --as anchor "$sub"
expect_exit 0 'a root as intermediate asks nothing' xr "${s[@]}" install --as intermediate "$new"
same 7 'from intermediate to anchor asks' xr "${s[@]}" install "$new"
expect_exit 0 'a root with constraints, confirmed' xr "${s[@]}" install --yes "$P/constrained-root.pem"
# An intermediate that its issuer constrained.
make_constrained() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/c.key" \
        -subj '/CN=Crossroot Test Constrained Sub' -out "$T/c.csr" 2>/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/ca.key" \
        -subj '/CN=Crossroot Test Of OpenSSL' -days 30 -out "$T/ca.pem" 2>/dev/null
    printf '%s\n' 'basicConstraints=critical,CA:TRUE,pathlen:0' 'keyUsage=critical,keyCertSign,cRLSign' \
        'nameConstraints=critical,permitted;DNS:example.org' >"$T/c.ext"
    openssl x509 -req -in "$T/c.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -days 20 -set_serial 7 \
        -extfile "$T/c.ext" -out "$T/constrained.pem" 2>/dev/null
}
make_constrained
same 1 'a constrained intermediate as anchor' xr "${s[@]}" install --yes --as anchor "$T/constrained.pem"
expect_grep 'names --drop-constraints' '--drop-constraints' "$out"
same 1 'not even with its pin' xr "${s[@]}" install --as anchor "$T/constrained.pem" --pin "$(sha "$T/constrained.pem")"
same 7 'with --drop-constraints it asks' xr "${s[@]}" install --as anchor --drop-constraints "$T/constrained.pem"
expect_exit 0 'and can be confirmed' xr "${s[@]}" install --yes --as anchor --drop-constraints "$T/constrained.pem"
same 1 '--for: this store cannot restrict' xr "${s[@]}" install --yes --for server "$P/rsa-root.pem"
expect_grep 'it says so' 'cannot restrict' "$out"
same 2 '--for nonsense' xr "${s[@]}" install --yes --for everything "$P/rsa-root.pem"

clean
same 1 'trust settings of the input: it cannot restrict' \
    xr "${s[@]}" install --yes "$P/old-root-trusted.pem"
expect_grep 'it names the way' '--as anchor' "$out"
expect_exit 7 'which asks' xr "${s[@]}" install --as anchor "$P/old-root-trusted.pem"

echo '# files that were joined without a line end between them'
three=("$root" "$new" "$P/rsa-root.pem")
glued=$T/glued.pem
for file in "${three[@]}"; do
    printf %s "$(<"$file")"
done >"$glued"
expect_grep 'END and BEGIN are on one line' 'END CERTIFICATE-+BEGIN' "$glued"
clean
run xr inspect --only-files --json "$glued"
expect_json 'inspect sees all three' 'certificates[].sha256' \
    "$(sha "$root") $(sha "$new") $(sha "$P/rsa-root.pem")"
with "${three[@]}"
expect_exit 0 'a distrust of the file' xr "${s[@]}" distrust --best-effort --yes "$glued"
expect_eq 'distrusts all three' "$(places | tr ',' '\n' | grep -c '^distrust')" 3
{ printf %s "$(<"$root")"; printf ' and more '; cat "$new"; } >"$glued"
run xr inspect --only-files --json "$glued"
expect_json 'nor is what follows other text on that line lost' 'certificates[].sha256' "$(sha "$root") $(sha "$new")"
{ cat "$root"; printf 'subject: -----BEGIN CERTIFICATE----- of somebody\n'; cat "$new"; } >"$glued"
run xr inspect --only-files --json "$glued"
expect_json 'a BEGIN within a line of text is still none' 'certificates[].sha256' "$(sha "$root") $(sha "$new")"

echo '# distrust'
with "$root" "$new" "$cross" "$sub"
same 1 'without --best-effort' xr "${s[@]}" distrust "$cross"
expect_grep 'it says why' 'best-effort' "$out"
expect_exit 6 'a cross: its key is still trusted by way of the root of the same key' \
    xr "${s[@]}" distrust --best-effort "$cross"
expect_grep 'it says by which' 'still trusted by way of' "$err"
expect_grep 'with its SHA-256' "$(sha "$new")" "$err"
expect_grep 'the certificate is in distrusted' "distrust $(id_of "$cross")" <(places)
expect_no_grep 'and nowhere else' "(anchor|intermediate) $(id_of "$cross")" <(places)
expect_exit 1 'openssl verify no longer finds it' grep -q "$(sed -n 3p "$cross")" "$dir/intermediates.pem"
expect_exit 7 'undo of a distrust asks' xr undo
expect_exit 0 'and can be confirmed' xr --yes undo
expect_grep 'back it is' "intermediate $(id_of "$cross")" <(places)
with "$root" "$new" "$cross" "$sub"
run xr "${s[@]}" distrust --best-effort --key "$cross"
expect_grep '--key: the root of the key too' "distrust $(id_of "$new")" <(places)
expect_grep '--key: and the cross' "distrust $(id_of "$cross")" <(places)
expect_eq 'the old root still signs the cross that a server may send: exit' "$rc" 6
expect_exit 6 'what the key signed no longer validates' xr "${s[@]}" verify "$sub"
with "$new"
expect_exit 0 'a root with nothing above: it is over' xr "${s[@]}" distrust --best-effort "$new"
expect_exit 6 'nothing under it validates' xr "${s[@]}" verify "$sub"
same 7 'installing it again asks' xr "${s[@]}" install "$new"
expect_grep 'and says that it is distrusted' 'distrusted in this store' "$err"
same 7 'a pin is no answer to that' xr "${s[@]}" install "$new" --pin "$(sha "$new")"
same 7 'a cross of the distrusted key asks' xr "${s[@]}" install "$cross"
same 7 'removing a distrust asks' xr "${s[@]}" remove "$(id_of "$new")"
same 7 'also by --from' xr "${s[@]}" remove --from distrust "$new"
same 0 'distrusting it again' xr "${s[@]}" distrust --best-effort "$new"
expect_exit 0 'removing it, confirmed' xr "${s[@]}" remove --yes "$(id_of "$new")"
expect_absent 'nothing was left to keep the directory for' "$dir"
clean
expect_exit 0 'what was never there can be distrusted' xr "${s[@]}" distrust --best-effort "$P/rsa-root.pem"
same 1 'a CRL cannot' xr "${s[@]}" distrust --best-effort "$P/old-root.crl.pem"
same 2 '--best-effort is not for install' xr "${s[@]}" install --best-effort "$root"

echo '# remove'
with "$root" "$cross" "$sub"
same 1 'seven digits are no ID' xr "${s[@]}" remove "$(id_of "$root" 7)"
expect_exit 0 'eight are' xr "${s[@]}" remove "$(id_of "$root" 8)"
expect_exit 0 'capitals too' xr "${s[@]}" remove "$(id_of "$cross" 20 | tr a-f A-F)"
expect_exit 0 'all of it too' xr "${s[@]}" remove "$(sha "$sub")"
expect_absent 'and all is gone' "$dir"
with "$root"
same 1 'an ID that no store holds' xr "${s[@]}" remove "$(id_of "$sub")"
same 1 'a name is no ID' xr "${s[@]}" remove 'Crossroot Test Old Root'
same 1 'one ID that is there and one that is not' xr "${s[@]}" remove "$(id_of "$root")" "$(id_of "$sub")"
same 0 'a file that is not in the store' xr "${s[@]}" remove "$sub"
same 0 'not in that place' xr "${s[@]}" remove --from intermediate "$root"
expect_exit 0 'from its place' xr "${s[@]}" remove --from anchor "$root"
expect_exit 7 'undo of removing an anchor gives trust back and asks' xr undo
expect_exit 0 'confirmed' xr --yes undo
expect_grep 'it is back' "anchor $(id_of "$root")" <(places)
if "${XR_TWINS:?}" "$cross" "$T/twin-a.pem" "$T/twin-b.pem"; then
    with "$T/twin-a.pem" "$T/twin-b.pem"
    same 2 'an ID that two have' xr "${s[@]}" remove "$(id_of "$T/twin-a.pem")"
    expect_grep 'it asks for more digits' 'not unique|more digits' "$err"
    for twin in a b; do
        expect_grep "and names twin $twin" ": .*$(id_of "$T/twin-$twin.pem" 16) Crossroot Test" "$err"
    done
    same 2 'show has the same question' xr "${s[@]}" show "$(id_of "$T/twin-a.pem")"
    expect_exit 0 'more digits' xr "${s[@]}" remove "$(id_of "$T/twin-a.pem" 16)"
    expect_grep 'take the right one' "$(sha "$T/twin-b.pem")" <(xr "${s[@]}" list)
    expect_exit 0 'then eight will do' xr "${s[@]}" remove "$(id_of "$T/twin-a.pem")"
    expect_absent 'and nothing is left' "$dir"
else
    bad 'no twins were found'
fi
# What somebody else put there is removed only when it is named.
with "$root"
cp "$P/rsa-root.pem" "$dir/anchors/by hand.pem"
openssl rehash "$dir/anchors" 2>/dev/null
expect_exit 0 'a certificate of somebody else, named' xr "${s[@]}" remove "$(id_of "$P/rsa-root.pem")"
expect_absent 'is removed' "$dir/anchors/by hand.pem"
expect_exit 0 'and comes back by undo' xr --yes undo
expect_exit 0 'under its name' cmp "$P/rsa-root.pem" "$dir/anchors/by hand.pem"
with "$new" "$P/sibling-root.pem" "$cross" "$P/expired-cross.pem"
expect_exit 0 'four of one name, removed in one go' \
    xr "${s[@]}" remove "$new" "$P/sibling-root.pem" "$cross" "$P/expired-cross.pem"
expect_exit 0 'and brought back in one go' xr --yes undo
expect_eq 'all four' "$(places | tr ',' '\n' | grep -c .)" 4

echo '# CRLs'
with "$root" "$cross" "$sub"
same 1 'a delta CRL' xr "${s[@]}" install "$P/old-root.delta.crl.pem"
expect_grep 'it says why' 'delta' "$out"
same 1 'an expired CRL' xr "${s[@]}" install "$P/old-root-stale.crl.pem"
expect_grep 'it says why' 'expired' "$out"
same 1 'an unknown critical extension' xr "${s[@]}" install "$P/old-root-critical.crl.pem"
expect_grep 'it says why' 'critical' "$out"
same 1 'a CRL is no anchor' xr "${s[@]}" install --yes --as anchor "$P/old-root.crl.pem"
expect_exit 0 'a good CRL' xr "${s[@]}" install "$P/old-root.crl.pem"
expect_eq 'under the name that OpenSSL looks for' \
    "$(find "$dir/crls" -type l -printf '%f')" "$(openssl x509 -in "$root" -noout -hash).r0"
same 0 'the same CRL again' xr "${s[@]}" install "$P/old-root.crl.pem"
expect_exit 0 'nothing is revoked yet' xr "${s[@]}" verify "$sub"
expect_exit 0 'a newer CRL replaces the older' xr "${s[@]}" install "$P/old-root-revokes-cross.crl.pem"
expect_eq 'one is left' "$(find "$dir/crls" -name '*.pem' | wc -l)" 1
expect_exit 0 'programs are not told of it' xr "${s[@]}" verify "$sub"
expect_grep 'what it revokes is said beside their answer' 'with the CRLs of this store, .*: no: certificate revoked' "$out"
run openssl verify -no-CAstore -no-CAfile -CApath "$dir/anchors" -untrusted "$dir/intermediates.pem" \
    -CRLfile <(cat "$dir/crls/"*.pem) -crl_check_all -partial_chain "$cross"
expect_grep 'OpenSSL agrees' 'revoked' "$err"
same 1 'the older CRL again' xr "${s[@]}" install "$P/old-root.crl.pem"
expect_grep 'it says why' 'newer' "$out"
expect_exit 0 'undo brings the older CRL back' xr undo --yes
expect_exit 0 'and it validates again' xr "${s[@]}" verify "$sub"
clean
same 1 'a CRL whose issuer is not in view' xr "${s[@]}" install "$P/old-root.crl.pem"
expect_grep 'it says why' 'signed' "$out"
openssl crl -in "$P/old-root.crl.pem" -outform DER >"$T/crl.der"
size=$(wc -c <"$T/crl.der")
{
    head -c $((size - 1)) "$T/crl.der"
    tail -c 1 "$T/crl.der" | tr '\000-\377' '\001-\377\000'
} >"$T/forged.crl"
with "$root"
same 1 'a CRL whose signature is wrong' xr "${s[@]}" install "$T/forged.crl"
expect_exit 4 'a good CRL and a bad one' xr "${s[@]}" install "$P/old-root.crl.pem" "$T/forged.crl"
same 7 'removing a CRL gives trust back, so it asks' xr "${s[@]}" remove "$P/old-root.crl.pem"
expect_exit 0 'remove a CRL by its file' xr "${s[@]}" remove --yes "$P/old-root.crl.pem"

echo '# verify'
with "$root" "$cross"
expect_exit 0 'a leaf with what a server sends' xr "${s[@]}" verify "$P/leaf-chain.pem"
expect_exit 6 'without' xr "${s[@]}" verify "$P/leaf.pem"
expect_exit 0 'with --untrusted' xr "${s[@]}" verify --untrusted "$sub" "$P/leaf.pem"
expect_exit 0 'the host' xr "${s[@]}" verify --host localhost "$P/leaf-chain.pem"
expect_exit 0 'the address' xr "${s[@]}" verify --host 127.0.0.1 "$P/leaf-chain.pem"
expect_exit 6 'another host' xr "${s[@]}" verify --host example.org "$P/leaf-chain.pem"
expect_exit 6 'another address' xr "${s[@]}" verify --host 127.0.0.2 "$P/leaf-chain.pem"
expect_exit 6 'for email' xr "${s[@]}" verify --for email "$P/leaf-chain.pem"
expect_exit 0 'for server' xr "${s[@]}" verify --for server "$P/leaf-chain.pem"
expect_exit 6 'twenty years from now' xr "${s[@]}" verify --at 2050-01-01 "$P/leaf-chain.pem"
expect_grep 'the reason' 'expired' "$out"
expect_exit 6 'the second where time begins is a date like others' \
    xr "${s[@]}" verify --at 1970-01-01T00:00:00Z "$P/leaf-chain.pem"
expect_exit 6 'ten years ago' xr "${s[@]}" verify --at 2005-01-01T12:00:00Z "$P/leaf-chain.pem"
for date in yesterday 2029-13-01 2029-02-30 2029-1-1 '' 2029-05-30T25:00:00Z; do
    expect_exit 2 "no date: \"$date\"" xr "${s[@]}" verify --at "$date" "$P/leaf-chain.pem"
done
expect_exit 1 'a file that is not there' xr "${s[@]}" verify "$T/none.pem"
expect_exit 6 'two files, one yes and one no' xr "${s[@]}" verify "$cross" "$P/rsa-root.pem"
expect_exit 6 'a store that is empty' xr --store "openssl:$T/nothing" verify "$cross"
run xr --json "${s[@]}" verify "$P/leaf-chain.pem"
expect_json 'JSON' 'stores[].{ok,path}' $'true\t'"[\"$(sha "$P/leaf.pem")\",\"$(sha "$sub")\",\"$(sha "$cross")\",\"$(sha "$root")\"]"

rm -rf "$T/nothing"
run env SSL_CERT_FILE="$new" SSL_CERT_DIR="$P" "$XR_BIN" --state "$state" --store "openssl:$T/nothing" verify "$new"
expect_eq 'SSL_CERT_FILE does not leak in' "$rc" 6

echo '# --require-verified, --all-or-nothing, several stores'
clean
same 6 'an intermediate that leads nowhere' xr "${s[@]}" install --require-verified "$sub"
expect_absent 'was taken back' "$dir"
expect_exit 0 'without the option it stays' xr "${s[@]}" install "$sub"
expect_grep 'with a warning' 'does not lead to a trusted anchor' "$err"
run xr history --json
expect_json 'the journal knows both' 'transactions[].stores[0].state' 'done rolled-back'
clean
expect_exit 0 'a root and what it signed, verified' xr "${s[@]}" install --yes --require-verified "$new" "$sub"
clean
echo hello >"$T/a-file"
expect_exit 1 'a store that is a file' xr --store "openssl:$T/a-file" install --yes "$root"
both=("${s[@]}" --store "openssl:$T/a-file")
expect_exit 4 'one store of two is a file: partial failure' xr "${both[@]}" install --yes "$root"
expect_grep 'the good one is done' "$dir: done" "$out"
expect_grep 'the bad one failed' "$T/a-file: failed" "$out"
expect_exit 0 'undo' xr undo
expect_absent 'of the good one' "$dir"
expect_exit 4 'in the other order' xr --store "openssl:$T/a-file" "${s[@]}" install --yes "$root"
clean
run xr "${both[@]}" install --yes --all-or-nothing "$root"
expect_eq '--all-or-nothing with one that fails: exit' "$rc" 1
expect_absent 'the other is not changed' "$dir"
run xr --store "openssl:$T/a-file" "${s[@]}" --json install --yes --all-or-nothing "$root"
expect_eq 'in the other order: exit' "$rc" 1
expect_absent 'the other is not begun' "$dir"
# One that fails only when it is its turn: something is in the way that is not seen before.
mkdir -p "$T/blocked"
run xr --store "openssl:$T/blocked" install --yes "$new"
mkdir "$T/blocked/anchors/$(sha "$root").pem"
snap "$T/blocked" >"$T/blocked-before"
run xr "${s[@]}" --store "openssl:$T/blocked" --json install --yes --all-or-nothing "$root"
expect_eq 'one fails after the other was done: exit' "$rc" 1
expect_json 'one is taken back' 'stores[].state' 'rolled-back conflict'
expect_absent 'really' "$dir"
snap "$T/blocked" >"$T/after"
expect_same 'the other is as it was' "$T/blocked-before" "$T/after"
run xr "${s[@]}" --store "openssl:$T/blocked" --json install --yes "$root"
expect_eq 'without --all-or-nothing: exit' "$rc" 4
expect_json 'one is done' 'stores[].state' 'done conflict'
clean
mkdir "$T/target"
ln -s target "$T/link"
ln -s missing "$T/dangling"
run xr --json --store "openssl:$T/target" --store "openssl:$T/link" install --yes "$root"
expect_json 'a store and a link to it: worked on once' 'stores[].store' "openssl:$T/target"
expect_exit 1 'a link to nothing' xr --store "openssl:$T/dangling" install --yes "$root"
expect_absent 'makes nothing' "$T/missing"
ln -s /nonexistent "$T/target/intermediates"
expect_exit 1 'a place inside a store that is a link' xr --store "openssl:$T/target" install "$sub"
expect_exit 1 'a store whose parent is missing' xr --store "openssl:$T/no/where" install --yes "$root"
expect_exit 2 'an address without a path' xr --store openssl: install --yes "$root"
expect_exit 2 'an unknown backend' xr --store "opnssl:$dir" install --yes "$root"
clean
run xr --json "${s[@]}" --store "openssl:$T/./trust/" --store "openssl:$T/target/../trust" install --yes "$root"
expect_json 'three spellings of one place: worked on once' 'stores[].state' 'done'
mkdir "$T/other"
ln -s "$T" "$T/other/up"
run xr --json "${s[@]}" --store "openssl:$T/other/up/trust" install --yes "$new"
expect_json 'also through a link above it' 'stores[].state' 'done'
if [[ $(id -u) -eq 0 ]] && mkdir "$T/mount" && mount --bind "$dir" "$T/mount" 2>/dev/null; then
    run xr --json "${s[@]}" --store "openssl:$T/mount" install --yes "$P/rsa-root.pem"
    umount "$T/mount"
    expect_json 'two addresses of one inode: worked on once' 'stores[].state' 'done skipped'
    expect_eq 'which is no failure' "$rc" 0
else
    skip 'cannot bind-mount'
fi
second=(--store "openssl:$T/second")
run xr "${s[@]}" "${second[@]}" --exclude-store "openssl:$T/second" --json install --yes "$P/utf8.pem"
expect_json '--exclude-store' 'stores[].{store,state}' "openssl:$dir"$'\t''done'
expect_absent 'is left alone' "$T/second"
mkdir "$T/here"
(
    cd "$T/here"
    xr --store openssl:relative install --yes "$root"
) >"$out" 2>"$err"
expect_grep 'a relative address is shown absolute' "openssl:$T/here/relative: done" "$out"
(
    cd "$T/here/relative"
    xr --store openssl:. list
) >"$out" 2>"$err"
expect_grep 'and so is a dot' "openssl:$T/here/relative\$" "$out"
clean
rm -rf "$T/second"
expect_exit 0 'two good stores' xr "${s[@]}" "${second[@]}" install --yes "$root"
expect_exit 0 'one undo' xr undo
expect_absent 'takes both back: one' "$dir"
expect_absent 'and the other' "$T/second"

echo '# undo'
with "$root"
run xr "${s[@]}" install --json "$cross"
txn=$(json transaction "$out")
run xr "${s[@]}" install --json "$P/expired-cross.pem"
expect_exit 0 'an older transaction while a newer twin of the name stays' xr undo "$txn"
expect_eq 'the twin stays' "$(places)" "anchor $(id_of "$root"),intermediate $(id_of "$P/expired-cross.pem"),"
expect_eq 'and its link is found by OpenSSL' "$(find "$dir/intermediates" -type l -printf '%f')" \
    "$(openssl x509 -in "$cross" -noout -hash).0"
expect_exit 1 'the same transaction twice' xr undo "$txn"
expect_grep 'says that it was undone' 'already undone' "$err"
expect_exit 0 'undo of an undo' xr undo "$(xr history --json | json 'transactions[0].transaction')"
expect_grep 'is a redo' "intermediate $(id_of "$cross")" <(places)
expect_exit 0 'then undo goes on with what is not undone' xr undo
expect_exit 1 'an unknown transaction' xr undo 0000000000000000
expect_exit 2 'two transactions' xr undo "$txn" "$txn"
with "$root"
run xr "${s[@]}" install "$cross"
rm "$dir/intermediates/$(sha "$cross").pem"
snap "$dir" >"$T/before"
run xr undo
expect_eq 'somebody removed the entry: nothing to take back' "$rc" 0
with "$root"
run xr "${s[@]}" install "$cross"
cp "$cross" "$dir/anchors/somebody.pem"
openssl rehash "$dir/anchors"
same 1 'somebody made it an anchor too: conflict' xr undo
expect_grep 'it says so' 'the entry has changed since' "$out"
run xr --json undo
expect_json 'as JSON' 'stores[].state' conflict
with "$root"
run xr "${s[@]}" install "$cross"
rm -rf "$dir"
run xr undo
expect_eq 'the whole store is gone: nothing to take back' "$rc" 0
expect_absent 'and it is not made again' "$dir"
with "$root"
run xr "${s[@]}" remove "$root"
run xr "${s[@]}" install --yes "$root"
same 0 'undo of a removal that somebody undid' xr --yes undo "$(xr history --json | json 'transactions[1].transaction')"
clean
expect_exit 1 'nothing to undo' xr undo
expect_exit 0 'nothing to recover' xr recover
expect_exit 0 'no history' xr history

echo '# state directory'
clean
(umask 000 && xr "${s[@]}" install --yes "$root") >/dev/null
expect_eq 'it is 0700, whatever the umask' "$(stat -c %a "$state")" 700
expect_eq 'and its journal 0600' "$(stat -c %a "$state/journal")" 600
expect_eq 'the store is readable' "$(stat -c %a "$dir" "$dir/anchors" "$dir/anchors.pem" | xargs)" '755 755 644'
chmod 0777 "$state"
same 1 'others may write it: refused' xr "${s[@]}" install "$cross"
expect_exit 1 'recover refuses it too' xr recover
chmod 0700 "$state"
mv "$state" "$state.real"
ln -s "$state.real" "$state"
same 1 'it is a link: refused' xr "${s[@]}" install "$cross"
rm "$state"
mv "$state.real" "$state"
mkdir -m 0777 "$T/open"
mkdir -m 0700 "$T/open/state"
same 1 'others may replace it: refused' xr --state "$T/open/state" "${s[@]}" install "$cross"
mv "$state/journal" "$state/journal.real"
ln -s journal.real "$state/journal"
same 1 'the journal is a link: refused' xr "${s[@]}" install "$cross"
rm "$state/journal"
mv "$state/journal.real" "$state/journal"
ln "$state/journal" "$T/second-name"
same 1 'the journal has a second name: not believed' xr "${s[@]}" install "$cross"
expect_grep 'which is said, with the path' "$state.*another name too" "$err"
same 1 'nor for an undo' xr undo --yes
rm "$T/second-name"
chmod 0620 "$state/journal"
same 1 'others may write the journal: not believed' xr "${s[@]}" install "$cross"
expect_grep 'which is said, with the path' "$state.*can be written by other users" "$err"
same 1 'nor for an undo' xr undo --yes
run xr history
expect_eq 'nor for history' "$rc" 1
chmod 0600 "$state/journal"
rm -r "$state"
: >"$state"
same 1 'it is a file: refused' xr "${s[@]}" install "$cross"
rm "$state"
expect_exit 0 'parents are made' xr --state "$T/a/b/c" "${s[@]}" install "$cross"
expect_eq 'as private' "$(stat -c %a "$T/a/b/c")" 700
clean
run env XDG_STATE_HOME="$T/xdg" HOME="$T/home" "$XR_BIN" --worker "$XR_WORKER" --dry-run "${s[@]}" install "$root"
expect_absent 'a dry run makes no state' "$T/xdg"
expect_absent 'nor anything else' "$dir"

echo '# an ordinary user'
if can_drop; then
    user=$T/user
    mkdir -m 0755 "$user"
    chmod 0755 "$T" "$P"
    chmod -R go+rX "$P"
    [[ $(id -u) -eq 0 ]] && chown 65534:65534 "$user"
    if unprivileged test -x "$XR_BIN" && unprivileged test -r "$P/cross.pem"; then
        u() {
            unprivileged env HOME="$user" ASAN_OPTIONS="$ASAN_OPTIONS" "$XR_BIN" --worker "$XR_WORKER" "$@"
        }
        expect_exit 0 'an own store' u --store "openssl:$user/trust" install --yes "$root"
        expect_eq 'state is below the home' "$(stat -c %a "$user/.local/state/crossroot")" 700
        expect_exit 0 'undo' u undo
        mkdir -p "$T/locked/trust"
        chmod 0555 "$T/locked/trust" "$T/locked"
        expect_exit 5 'a store that cannot be written' u --store "openssl:$T/locked/trust" install --yes "$root"
        expect_grep 'says so' 'cannot be written|[Pp]ermission denied' "$out"
        expect_exit 5 'a store that cannot be made' u --store "openssl:$T/locked/new" install --yes "$root"
        expect_exit 5 'one that can and one that cannot' \
            u --store "openssl:$T/locked/trust" --store "openssl:$user/trust" install --yes "$root"
        expect_grep 'the one that can is done' "$user/trust: done" "$out"
        run u --json --store "openssl:$T/locked/trust" stores
        expect_json 'stores says that it cannot be written' 'stores[].writable' false
        [[ -n $(json 'stores[].why_not' "$out") ]] || bad 'and why'
        expect_exit 0 'list reads it' u --store "openssl:$T/locked/trust" list
        expect_exit 5 'a state directory that cannot be written' \
            u --state "$T/locked/state" --store "openssl:$user/trust" install "$cross"
        if [[ $(id -u) -eq 0 ]]; then
            expect_exit 1 "root does not believe another user's state" \
                xr --state "$user/.local/state/crossroot" "${s[@]}" install "$cross"
        fi
        mkdir -m 0700 "$T/private"
        if [[ $(id -u) -eq 0 ]]; then
            expect_exit 5 'a store that cannot even be read' u --store "openssl:$T/private/trust" list
        fi
        expect_exit 0 'a dry run of what cannot be written says why' \
            u --dry-run --store "openssl:$user/trust" install "$cross"
    else
        skip 'the program cannot be reached by an ordinary user'
    fi
    chmod 0755 "$T/locked" "$T/locked/trust" 2>/dev/null || true
else
    skip 'cannot become an ordinary user'
fi
finish
