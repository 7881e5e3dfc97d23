#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is published and comes from no source is not lost unasked: images that have only the bundle,
# stripped packages, a list with CR at its line ends; and what crossroot itself took out still goes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

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
    more=(--layout debian)
}
stripped() { # listed files that are missing
    mkdir -p "$1/etc/ssl/certs" "$1/usr/share/ca-certificates/mozilla"
    printf 'mozilla/%s.crt\n' 1 2 3 >"$1/etc/ca-certificates.conf"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
}
fedora() {
    mkdir -p "$1"/etc/pki/ca-trust/{source/anchors,extracted/{pem,openssl,java,edk2}}
    bundle=$1/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
}
suse() {
    mkdir -p "$1/etc/pki/trust/anchors" "$1/var/lib/ca-certificates"
    bundle=$1/var/lib/ca-certificates/ca-bundle.pem
}

for kind in alpine flatcar distroless stripped fedora suse; do
    more=()
    R=$T/$kind state=$T/state-$kind
    "$kind" "$R"
    cp "$T/bundle" "$bundle"
    snap "$R" >"$T/before"
    image() { xr --root "$R" "${more[@]}" --store ca-certificates:/ "$@"; }
    lost="$kind: of 5 certificates"
    for what in 'install --yes' 'install' 'install --as anchor --yes' 'remove --yes' '--dry-run install --yes'; do
        file=$P/t61.pem
        [[ $what != install ]] || file=$P/sub.pem
        [[ $what != remove* ]] || file=$P/old-root.pem
        # shellcheck disable=SC2086 # words
        run image $what "$file"
        expect_eq "$kind: after $what: exit $rc, the bundle has" "$(count "$bundle")" 5
        if [[ $what == *'install --yes' ]]; then
            expect_eq "$kind: exit code" "$rc" 1
            expect_grep "$lost it says how many and which" \
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

debian() { # DIR: five packaged certificates
    mkdir -p "$1"/etc/ssl/certs "$1"/usr/local/share/ca-certificates "$1"/usr/share/ca-certificates/mozilla
    local file
    for file in "${some[@]}"; do
        cp "$file" "$1/usr/share/ca-certificates/mozilla/$(basename "$file" .pem).crt"
        echo "mozilla/$(basename "$file" .pem).crt"
    done >"$1/etc/ca-certificates.conf"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
    R=$1 state=$1.state more=()
}
debian "$T/crlf"
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
        debian "$T/kill"
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
