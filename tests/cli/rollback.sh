#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rollback.sh NAUGHTY: what a rollback or a recovery says is what the store then holds, and neither
# gives trust back that nobody was asked about.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
naughty=${1:?}
make_pki "$T/pki"
root=$P/old-root.pem

echo '# a store that keeps what it was told to give back'
s=(--plugin "$naughty" --store "naughty:stuck:$T/entry")
held() { xr "${s[@]}" list --json | json 'stores[0].entries[].place' 2>/dev/null || true; }
: >"$T/entry.stuck"
expect_exit 1 'install' xr "${s[@]}" install --yes "$root"
expect_grep 'is not called rolled back' "$(sha "$root") is anchor, and was absent" "$out"
expect_no_grep 'by no word' 'rolled.back' "$out"
expect_eq 'for it is there' "$(held)" anchor
run xr history
expect_grep 'history says so' 'not rolled back' "$out"
expect_exit 1 'recover tries again' xr "${s[@]}" recover
expect_grep 'and says what is left' 'is anchor, and was absent' "$out"
rm "$T/entry.stuck"
expect_exit 0 'once the store can, recover takes it back' xr "${s[@]}" recover
expect_eq 'and it is gone' "$(held)" ''
run xr history
expect_grep 'which history says' '1 change, rolled back' "$out"

: >"$T/entry.stuck"
expect_exit 1 'the same again' xr "${s[@]}" install --yes "$root"
rm "$T/entry.stuck"
expect_exit 0 'undo takes it back too' xr "${s[@]}" undo
expect_eq 'and it is gone' "$(held)" ''
expect_exit 1 'once' xr "${s[@]}" undo

echo '# a store that makes something else of a wish'
s=(--plugin "$naughty" --store "naughty:anchor-instead:$T/other")
expect_exit 1 'an intermediate that becomes an anchor' xr "${s[@]}" install "$P/cross.pem"
expect_grep 'is told' 'is anchor, and was absent;' "$out"
expect_grep 'with the way back' 'crossroot undo [0-9a-f]{16}' "$out"
expect_exit 0 'which works' xr "${s[@]}" undo
expect_eq 'nothing is left' "$(held)" ''

echo '# of all stores or none, one that cannot be taken back'
if can_trace; then
    s=(--plugin "$naughty" --store "openssl:$T/first" --store "naughty:fail-flush:$T/second")
    run traced -f -o /dev/null -e inject=unlinkat:error=EIO "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
        "${s[@]}" install --all-or-nothing --yes "$root"
    expect_eq 'is a failure' "$rc" 1
    expect_grep 'that says what to do' 'rolling back failed too: .*; run crossroot recover' "$out"
    expect_eq 'it still trusts' "$(openssl_verify "$T/first" "$root" 2>/dev/null)" "$root: OK"
    expect_exit 0 'recover takes it back, once it can' xr --plugin "$naughty" recover
    expect_eq 'and it trusts no more' "$(openssl_verify "$T/first" "$root" 2>/dev/null)" ''
    expect_exit 0 'then there is nothing to do' xr recover
    expect_eq 'which is said' "$(cat "$out")" 'Nothing to recover.'
fi

echo "# another command's --yes gives nothing back"
if can_trace; then
    dir=$T/trust s=(--store "openssl:$T/trust")
    three=("$root" "$P/rsa-root.pem" "$P/utf8.pem")
    anchors() { xr "${s[@]}" list --json | json 'stores[0].entries[place=anchor].sha256' 2>/dev/null | sort; }
    # A link may be gone while its file is there.
    openssl_reads() {
        local file
        for file in "${three[@]}"; do
            ! openssl_verify "$dir" "$file" >/dev/null 2>&1 || echo "$file"
        done | sort
    }
    finished=0 kills=0
    for ((n = 1; n < 40 && !finished; n++)); do
        rm -rf "$dir" "$state"
        run xr "${s[@]}" install --yes "${three[@]}"
        traced -f -o /dev/null -e inject=unlinkat:signal=KILL:when="$n" "$XR_BIN" --worker "$XR_WORKER" \
            --state "$state" "${s[@]}" remove --yes "${three[@]}" >/dev/null 2>&1 </dev/null && finished=1
        ((finished)) && break
        kills=$((kills + 1))
        anchors >"$T/killed"
        openssl_reads >"$T/killed.openssl"
        run xr "${s[@]}" install --yes "$P/new-root.pem"
        anchors | grep -v "$(sha "$P/new-root.pem")" >"$T/next" || true
        back=$(comm -13 "$T/killed" "$T/next" | wc -l)
        [[ $back -eq 0 && $rc -eq 0 ]] ||
            bad "killed at unlinkat $n: install --yes gave $back anchors back, exit $rc"
        back=$(comm -13 "$T/killed.openssl" <(openssl_reads) | wc -l)
        [[ $back -eq 0 ]] || bad "killed at unlinkat $n: OpenSSL reads $back again"
    done
    expect_eq 'remove was killed at every file it takes away' "$((kills >= 3)) $finished" '1 1'
    ok "$kills kills, and what was gone stays gone"
fi
echo '# twins among the sources, one of them deselected, in a change that must be rolled back'
image=$T/image
vendor=$image/usr/share/ca-certificates/mozilla
mkdir -p "$vendor" "$image"/{etc/ssl/certs,usr/sbin,usr/local/share/ca-certificates}
echo 'ID=debian' >"$image/etc/os-release"
printf '#!/bin/sh\n' >"$image/usr/sbin/update-ca-certificates"
chmod 755 "$image/usr/sbin/update-ca-certificates"
cp "$root" "$vendor/a.crt"
cp "$root" "$vendor/b.crt"
printf 'mozilla/a.crt\n!mozilla/b.crt\n' >"$image/etc/ca-certificates.conf"
cat "$P/new-root.pem" "$P/rsa-root.pem" >"$image/usr/local/share/ca-certificates/two.crt"
s=(--root "$image" --store ca-certificates)
run xr "${s[@]}" recover --yes
expect_exit 1 'it cannot be done' xr "${s[@]}" remove --yes "$root" "$P/new-root.pem"
expect_grep 'and what was distrusted still is' '^!mozilla/b.crt' "$image/etc/ca-certificates.conf"
finish
