#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "done" means that readers see it: outputs that cannot be replaced (a mount point, an immutable file, a
# full disk) are found before anything is changed, or everything is what it was, and nothing is stuck.
set -euo pipefail
# shellcheck source=tests/cli/own-mounts.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/own-mounts.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
# shellcheck source=tests/cacerts/roots.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/roots.sh"
mounted=()
trap 'for at in "${mounted[@]}"; do umount "$at" 2>/dev/null || true; done; cleanup' EXIT

make_pki "$T/pki"
some=("$P"/{old-root,rsa-root,utf8,far-future}.pem)
image() { xr --root "$R" --store ca-certificates:/ "$@"; }
trusts() {
    openssl verify -no-CApath -no-CAstore -CAfile "$bundle" "$1" >/dev/null 2>&1 && echo yes || echo no
}

alpine() { # only the bundle
    mkdir -p "$1/etc/ssl/certs" "$1/usr/local/share/ca-certificates"
    echo 3.20.3 >"$1/etc/alpine-release"
    bundle=$1/etc/ssl/certs/ca-certificates.crt
    cat "${some[@]}" >"$bundle"
}
stripped() { # files that are listed and missing
    alpine "$1"
    rm "$1/etc/alpine-release"
    printf 'mozilla/%s.crt\n' 1 2 3 >"$1/etc/ca-certificates.conf"
}
distroless() {
    alpine "$1"
    rm "$1/etc/alpine-release"
}
flatcar() {
    distroless "$1"
    mkdir "$1/etc/flatcar"
}
crlf() {
    debian "$1"
    sed -i 's/$/\r/' "$1/etc/ca-certificates.conf"
}

for kind in debian crlf stripped alpine distroless flatcar fedora suse arch; do
    R=$T/$kind state=$T/state-$kind
    "$kind" "$R"
    expect_exit 0 "$kind: before" image install --yes "$P/new-root.pem"
    cp "$bundle" "$T/host-$kind"
    mount --bind "$T/host-$kind" "$bundle"
    mounted+=("$bundle")
    snap "$R" >"$T/before"
    why="${bundle#"$R"}: it is a mount point; unmount it, or change the file that is mounted there"
    for what in "install --yes $P/t61.pem" "remove --yes $P/new-root.pem" 'undo --yes' recover \
        "install --require-verified --yes $P/t61.pem"; do
        # shellcheck disable=SC2086 # words
        expect_exit 1 "$kind: a mounted bundle: ${what%% *}" image $what
        expect_grep "$kind: says that it is one" "$why" "$out"
        expect_no_grep "$kind: and nothing is called done" ': done|verified: yes' "$out"
    done
    run image stores
    expect_grep "$kind: stores says it too" "$why" "$out"
    snap "$R" >"$T/after"
    expect_same "$kind: nothing has changed" "$T/before" "$T/after"
    umount "$bundle"
    expect_exit 0 "$kind: after the unmount it goes on" image remove --yes "$P/new-root.pem"
    expect_eq "$kind: and is seen" "$(trusts "$P/new-root.pem")" no

    run image install --yes "$P/new-root.pem"
    if chattr +i "$bundle" 2>/dev/null; then
        snap "$R" >"$T/before"
        expect_exit 1 "$kind: an immutable bundle" image remove --yes "$P/new-root.pem"
        expect_grep "$kind: says so" "${bundle#"$R"}: it is immutable; chattr -i ends that" "$out"
        snap "$R" >"$T/after"
        expect_same "$kind: nothing has changed" "$T/before" "$T/after"
        chattr -i "$bundle"
        expect_exit 0 "$kind: and then it goes on" image remove --yes "$P/new-root.pem"
    else
        skip 'no immutable files on this file system'
        run image remove --yes "$P/new-root.pem"
    fi
done

# What somebody put where an output is: it is neither replaced nor removed.
R=$T/fedora state=$T/state-fedora
java=$R/etc/pki/ca-trust/extracted/java/cacerts
mv "$java" "$T/cacerts"
for what in mkdir mkfifo; do
    $what "$java"
    snap "$R" >"$T/before"
    expect_exit 1 "fedora: $what in the place of java/cacerts" image install --yes "$P/t61.pem"
    expect_grep 'says so' 'java/cacerts: it is not a regular file' "$out"
    snap "$R" >"$T/after"
    expect_same 'and leaves it there' "$T/before" "$T/after"
    rm -r "$java"
done
mv "$T/cacerts" "$java"

# What cannot be looked at for want of descriptors is not called absent.
for ((n = 4, found = 0; n < 20 && found == 0; n++)); do
    run bash -c 'ulimit -n "$1"; shift; exec "$@"' - "$n" "$XR_BIN" --worker "$XR_WORKER" --state "$state" --root "$R" \
        --store ca-certificates:/ list
    [[ $rc -ne 0 ]] || found=1
    expect_no_grep "fedora: $n descriptors" "no distribution's CA certificates" "$err"
done

# A full disk: there is room for one bundle, and not for two.
R=$T/full state=$T/state-full
debian "$R"
run image recover
# Nor does a source count as absent: a certificate that is published would seem to come from none.
wrong=''
for ((n = 5, found = 0; n < 20 && found == 0; n++)); do
    run bash -c 'ulimit -n "$1"; shift; exec "$@"' - "$n" "$XR_BIN" --worker "$XR_WORKER" --state "$state" --root "$R" \
        --store ca-certificates:/ install --yes "$P/new-root.pem"
    [[ $rc -ne 0 ]] || found=1
    [[ $rc -eq 0 ]] || grep -qs 'Too many open files' "$out" "$err" || wrong+=" $n: $(head -n 1 "$out" "$err")"
done
expect_eq 'without descriptors, that is the reason' "$wrong" ''
run image undo
mv "$R/etc/ssl/certs" "$T/certs"
mkdir "$R/etc/ssl/certs"
mount -t tmpfs -o mode=755,size=$((($(stat -c %s "$T/certs/ca-certificates.crt") + 4095) / 4096 * 4))k none "$R/etc/ssl/certs"
mounted+=("$R/etc/ssl/certs")
cp -a "$T/certs/." "$R/etc/ssl/certs"
snap "$R" >"$T/before"
expect_exit 1 'is full' image install --yes "$P/new-root.pem"
expect_grep 'which is said' 'failed: .*No space left on device' "$out"
expect_no_grep 'and nothing is called verified' 'verified: yes' "$out"
snap "$R" >"$T/after"
expect_same 'everything is what it was' "$T/before" "$T/after"
umount "$R/etc/ssl/certs"
cp -a "$T/certs/." "$R/etc/ssl/certs"
expect_exit 0 'with more room it goes on' image install --yes "$P/new-root.pem"

# What cannot be seen before: each rename of the outputs fails once, and every time.
if can_trace; then
    for kind in debian fedora alpine; do
        R=$T/$kind state=$T/state-$kind bundle=$R/etc/ssl/certs/ca-certificates.crt
        [[ $kind != fedora ]] || bundle=$R/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
        run image recover --yes
        snap "$R" >"$T/before"
        for ((n = 1, reached = 0; n <= 12 && !reached; n++)); do
            run traced -f -o "$T/trace" -e trace=renameat2 -e inject=renameat2:error=EBUSY:when="$n" "$XR_BIN" --worker \
                "$XR_WORKER" --state "$state" --root "$R" --store ca-certificates:/ install --yes "$P/t61.pem"
            if ! grep -q INJECTED "$T/trace"; then
                expect_eq "$kind: without a fault it is done" "$rc $(trusts "$P/t61.pem")" '0 yes'
                reached=1
                continue
            fi
            expect_eq "$kind: rename $n fails: exit code, and what readers see" "$rc $(trusts "$P/t61.pem")" '1 no'
            expect_grep "$kind: rename $n fails: and why" 'cannot (put|remove) /.*: Device or resource busy' "$out"
            snap "$R" >"$T/after"
            expect_same "$kind: rename $n fails: everything is what it was" "$T/before" "$T/after"
            expect_exit 0 "$kind: rename $n fails: nothing is stuck" image recover
            expect_no_grep "$kind: rename $n fails: nothing is pending" 'pending' "$err"
        done
        expect_eq "$kind: every rename was made to fail" "$reached" 1
    done
fi

# --- the same of a directory for OpenSSL

D=$T/trust state=$T/state-openssl
dir() { xr --store "openssl:$D" "$@"; }
expect_exit 0 'a directory' dir install --yes "$P/old-root.pem" "$P/cross.pem"
cp "$D/intermediates.pem" "$T/host-openssl"
mount --bind "$T/host-openssl" "$D/intermediates.pem"
mounted+=("$D/intermediates.pem")
snap "$D" >"$T/before"
for what in "remove --yes $P/cross.pem" 'undo --yes' recover "install --yes $P/sub.pem"; do
    # shellcheck disable=SC2086 # words
    expect_exit 1 "a mounted intermediates.pem: ${what%% *}" dir $what
    expect_grep 'says that it is one' 'intermediates.pem: it is a mount point' "$out"
done
snap "$D" >"$T/after"
expect_same 'nothing has changed' "$T/before" "$T/after"
umount "$D/intermediates.pem"
expect_exit 0 'and then it goes on' dir remove --yes "$P/cross.pem"
for what in 'ln -s /dev/null' mkfifo; do
    mv "$D/anchors.pem" "$T/anchors.pem"
    $what "$D/anchors.pem"
    snap "$D" >"$T/before"
    expect_exit 1 "$what in the place of anchors.pem" dir install --yes "$P/rsa-root.pem"
    expect_grep 'says what it is' 'anchors.pem: it is (a link|no regular file)' "$out"
    snap "$D" >"$T/after"
    expect_same 'and leaves it there' "$T/before" "$T/after"
    mv -f "$T/anchors.pem" "$D/anchors.pem"
done
if chattr +i "$D" 2>/dev/null; then
    expect_exit 1 'an immutable directory' dir undo --yes
    expect_grep 'says so' 'its directory is immutable' "$out"
    chattr -i "$D"
fi
finish
