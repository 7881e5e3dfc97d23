#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is published and comes from no source is not lost unasked: images that have only the bundle,
# stripped packages, a list with CR at its line ends; and what crossroot itself took out still goes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
# shellcheck source=tests/cacerts/roots.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/roots.sh"

make_pki "$T/pki"
some=("$P"/{old-root,new-root,rsa-root,utf8,far-future}.pem)
cat "${some[@]}" >"$T/bundle"
count() { grep -c BEGIN "$1" || true; }

alpine() { # what the package ca-certificates-bundle ships
    mkdir -p "$1/etc/ssl/certs"
    echo 3.20.3 >"$1/etc/alpine-release"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
}
flatcar() { # sources that are not in the layout's form
    mkdir -p "$1/etc/ssl/certs" "$1/usr/share/ca-certificates" "$1/usr/sbin"
    : >"$1/usr/sbin/update-ca-certificates"
    cp "${some[@]}" "$1/usr/share/ca-certificates/"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
}
distroless() {
    mkdir -p "$1/etc/ssl/certs"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
}
stripped() { # listed files that are missing
    mkdir -p "$1/etc/ssl/certs" "$1/usr/share/ca-certificates/mozilla"
    printf 'mozilla/%s.crt\n' 1 2 3 >"$1/etc/ca-certificates.conf"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
}
fedora_bundle() {
    mkdir -p "$1"/etc/pki/ca-trust/{source/anchors,extracted/{pem,openssl,java,edk2}}
    bundle=$1/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
}
suse_bundle() {
    mkdir -p "$1/etc/pki/trust/anchors" "$1/var/lib/ca-certificates"
    bundle=$1/var/lib/ca-certificates/ca-bundle.pem
}

# --- a bundle that is its own source is changed in place

image() { xr --root "$R" "${more[@]}" --store ca-certificates:/ "$@"; }
follow() { # DIR: its hash links, as they lead inside the image
    local link name
    rm -rf "$T/followed"
    mkdir "$T/followed"
    for link in "$1"/*.[0-9]; do
        [[ -L $link ]] || continue
        name=$1/$(readlink "$link")
        [[ ! -L $name ]] || name=$R$(readlink "$name")
        cp "$name" "$T/followed/${link##*/}"
    done
}
leaf_ok() { # WHAT CODE: what OpenSSL says of the new root's server, by the bundle and by its links
    expect_exit "$2" "$1: OpenSSL, by the bundle" openssl verify -no-CApath -no-CAstore -CAfile "$bundle" "$P/t61.pem"
    follow "$R/etc/ssl/certs"
    expect_exit "$2" "$1: OpenSSL, by the links" openssl verify -no-CAfile -no-CAstore -CApath "$T/followed" "$P/t61.pem"
}

for kind in alpine flatcar flatcar-own distroless stripped no-line-end; do
    more=()
    R=$T/$kind state=$T/state-$kind
    case $kind in
    flatcar-own)
        flatcar "$R"
        mkdir "$R/etc/flatcar"
        ;;
    no-line-end) distroless "$R" ;;
    *) "$kind" "$R" ;;
    esac
    cp "$T/bundle" "$bundle"
    [[ $kind != no-line-end ]] || printf '%s' "$(cat "$T/bundle")" >"$bundle"
    [[ $kind == flatcar-own ]] || mkdir -p "$R/usr/local/share/ca-certificates"
    cp "$bundle" "$T/bundle.was"
    snap "$R" >"$T/before"
    image stores >"$T/stores"
    expect_grep "$kind: stores says what it is" 'bundle without sources' "$T/stores"
    expect_exit 1 "$kind: an intermediate is refused" image install "$P/sub.pem"
    expect_exit 1 "$kind: what the bundle holds is not removed" image remove --yes "$P/old-root.pem"
    expect_exit 1 "$kind: nor distrusted" image distrust --yes "$P/old-root.pem"
    expect_exit 0 "$kind: a dry run" image --dry-run install --yes "$P/t61.pem"
    expect_exit 0 "$kind: recover" image recover
    snap "$R" >"$T/after"
    expect_same "$kind: none of that changes anything" "$T/before" "$T/after"
    leaf_ok "$kind: before" 2
    expect_exit 0 "$kind: install" image install --yes "$P/t61.pem"
    expect_eq "$kind: nothing is lost" "$(count "$bundle")" 6
    expect_exit 0 "$kind: what was there is there still" cmp -n "$(stat -c %s "$T/bundle.was")" "$T/bundle.was" "$bundle"
    leaf_ok "$kind: after" 0
    expect_exit 0 "$kind: again" image install --yes "$P/t61.pem"
    expect_grep "$kind: that is no change" unchanged "$out"
    expect_exit 0 "$kind: a second one" image install --yes "$P/bmp.pem"
    expect_exit 0 "$kind: the first one goes" image remove "$P/t61.pem"
    expect_eq "$kind: and no other" "$(count "$bundle")" 6
    leaf_ok "$kind: removed" 2
    expect_exit 0 "$kind: undo" image undo --yes
    leaf_ok "$kind: undone" 0
    expect_exit 0 "$kind: both go" image remove "$P/t61.pem" "$P/bmp.pem"
    snap "$R" >"$T/after"
    expect_same "$kind: byte for byte what it was" "$T/before" "$T/after"
done

# A later run of the package's own command finds our file where it looks for local ones.
R=$T/alpine state=$T/state-alpine bundle=$R/etc/ssl/certs/ca-certificates.crt more=()
run image install --yes "$P/t61.pem"
mkdir -p "$R/usr/share/ca-certificates/mozilla"
for file in "${some[@]}"; do
    cp "$file" "$R/usr/share/ca-certificates/mozilla/$(basename "$file" .pem).crt"
    echo "mozilla/$(basename "$file" .pem).crt"
done >"$R/etc/ca-certificates.conf"
expect_exit 0 'once the package with the sources is there' image install --yes "$P/bmp.pem"
expect_eq 'the bundle is made from them, with ours' "$(count "$bundle")" 7
expect_exit 1 'and has no mark of ours' grep -q crossroot "$bundle"

# A bundle that was copied to another system has marks of ours, and no file in the local directory.
R=$T/copied state=$T/state-copied
distroless "$R"
cp "$T/bundle" "$bundle"
run image install --yes "$P/t61.pem"
cp "$bundle" "$T/marked"
R=$T/copy state=$T/state-copy
distroless "$R"
cp "$T/marked" "$bundle"
expect_exit 0 'a copied bundle' image recover
expect_exit 0 'with another certificate' image install --yes "$P/bmp.pem"
expect_eq 'loses nothing' "$(count "$bundle")" 7
leaf_bundle() { expect_exit "$2" "$1" openssl verify -no-CApath -no-CAstore -CAfile "$bundle" "$P/t61.pem"; }
leaf_bundle 'what was marked there is trusted still' 0
expect_exit 1 'and comes with the system' image remove --yes "$P/t61.pem"
expect_exit 0 'undo' image undo --yes
expect_same 'leaves the copy' "$T/marked" "$bundle"

# What the system's bundle holds stays, also if the local directory has it too.
R=$T/both state=$T/state-both
alpine "$R"
mkdir -p "$R/usr/local/share/ca-certificates"
cp "$T/bundle" "$bundle"
cp "$P/old-root.pem" "$R/usr/local/share/ca-certificates/old.crt"
run image remove --yes "$P/old-root.pem"
expect_same 'a local copy goes, and not the bundle' "$T/bundle" "$bundle"

# A bundle that cannot be read may hold anything.
R=$T/huge state=$T/state-huge
distroless "$R"
truncate -s 70M "$bundle"
expect_exit 1 'a bundle of 70 MiB' image install --yes "$P/t61.pem"
expect_grep 'is left alone' 'what it holds is not known' "$out"

# A foreign link above ours does not get out of OpenSSL's reach when ours goes.
R=$T/gap state=$T/state-gap
distroless "$R"
cp "$T/bundle" "$bundle"
run image install --yes "$P/new-root.pem" "$P/t61.pem"
hash=$(openssl x509 -noout -hash -in "$P/t61.pem")
cp "$P/old-root.pem" "$R/etc/ssl/certs/theirs.pem"
ln -s theirs.pem "$R/etc/ssl/certs/$hash.1"
expect_exit 0 'ours goes from below a foreign link' image remove "$P/t61.pem"
expect_eq 'which takes its number' "$(readlink "$R/etc/ssl/certs/$hash.0")" theirs.pem
expect_absent 'and leaves its own' "$R/etc/ssl/certs/$hash.1"

# --- other layouts have outputs that cannot be made without sources

for kind in fedora suse; do
    more=()
    R=$T/$kind state=$T/state-$kind
    "${kind}_bundle" "$R"
    cp "$T/bundle" "$bundle"
    snap "$R" >"$T/before"
    for what in 'install --yes' 'install' 'install --as anchor --yes' 'remove --yes' '--dry-run install --yes'; do
        file=$P/t61.pem
        [[ $what != install ]] || file=$P/sub.pem
        [[ $what != remove* ]] || file=$P/old-root.pem
        # shellcheck disable=SC2086 # words
        run image $what "$file"
        expect_eq "$kind: after $what: exit $rc, the bundle has" "$(count "$bundle")" 5
        if [[ $what == *'install --yes' ]]; then
            expect_eq "$kind: exit code" "$rc" 1
            expect_grep "$kind: of 5 certificates it says how many and which" \
                'has 5 certificates that come from no source and would be lost \(.*[0-9a-f]{8}' "$out"
        fi
    done
    expect_exit 1 "$kind: recover" image recover
    expect_grep "$kind: says it too" 'has 5 certificates that come from no source' "$out"
    run image --json install --yes "$P/t61.pem"
    expect_json "$kind: JSON calls it refused" 'stores[0].state' refused
    run image undo
    snap "$R" >"$T/after"
    expect_same "$kind: nothing at all has changed" "$T/before" "$T/after"
    expect_exit 0 "$kind: with --rebuild it is as it is said" image --rebuild install --yes "$P/t61.pem"
    expect_eq "$kind: one is left" "$(count "$bundle")" 1
done

# One certificate of the bundle without a source: an administrator deleted its file.
debian_image() { # DIR
    debian "$1"
    R=$1 state=$1.state more=()
}
debian_image "$T/gone"
run image recover
rm "$R/usr/share/ca-certificates/mozilla/utf8.crt"
snap "$R" >"$T/before"
expect_exit 1 'a source is gone' image install --yes "$P/t61.pem"
expect_grep 'and its certificate would be too' 'has 1 certificate that comes from no source' "$out"
snap "$R" >"$T/after"
expect_same 'so nothing has changed' "$T/before" "$T/after"
expect_exit 0 'with --rebuild it goes' image --rebuild install --yes "$P/t61.pem"
expect_eq 'one gone and one come' "$(count "$bundle")" 5

debian_image "$T/crlf"
run image recover
sed -i 's/$/\r/' "$R/etc/ca-certificates.conf"
expect_exit 0 'a list with CR at its line ends' image install --yes "$P/t61.pem"
expect_eq 'is read as it is meant' "$(count "$bundle")" 6
expect_exit 0 'one of it is deselected' image distrust --best-effort --yes "$P/old-root.pem"
expect_eq 'and goes' "$(count "$bundle")" 5
expect_exit 0 'undo' image undo --yes
expect_eq 'brings it back' "$(count "$bundle")" 6
expect_eq 'CR and all' "$(grep -c $'\r' "$R/etc/ca-certificates.conf")" 5

# What crossroot takes out is accounted for, whenever it is killed: the next command finishes it.
if can_trace; then
    n=0 finished=0
    for ((n = 1; n < 60 && !finished; n++)); do
        rm -rf "$T/kill" "$T/kill.state"
        debian_image "$T/kill"
        run image install --yes "$P/t61.pem"
        traced -f -o /dev/null -e inject=unlinkat,renameat,openat:signal=KILL:when="$((n * 7))" \
            "$XR_BIN" --worker "$XR_WORKER" --state "$state" --root "$R" --store ca-certificates:/ \
            remove --yes "$P/t61.pem" >/dev/null 2>&1 </dev/null && finished=1
        run image recover
        [[ $rc -eq 0 ]] || { bad "killed at $n: recover exits $rc"; show_output; }
        held=$(image list --json | json 'stores[0].entries[].sha256' | grep -c "$(sha "$P/t61.pem")" || true)
        [[ $(count "$bundle") -eq $((5 + held)) ]] ||
            bad "killed at $n: the bundle has $(count "$bundle"), the sources $((5 + held))"
    done
    expect_eq 'remove was killed from beginning to end' "$finished" 1
fi
finish
