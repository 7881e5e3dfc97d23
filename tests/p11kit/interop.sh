#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tokens of p11-kit's own trust module, in a configuration of the test's own: what crossroot writes,
# trust reads as it was meant, and what `trust anchor` writes, crossroot does.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_P11:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_P11=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v trust >/dev/null || skip_all 'no trust (p11-kit)'
modules=/usr/share/p11-kit/modules
[[ -e $modules/p11-kit-trust.module ]] || skip_all 'no trust module'
chmod 755 "$T"
make_pki "$T/pki"
mkdir "$T/etc" "$T/vendor" "$T/vendor/anchors"
# A token to write, and one of what packages ship, as on Fedora.
config() { # DIR: of modules
    printf 'module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths=%s\n' \
        "'$T/etc:$T/vendor'" >"$1/p11-kit-trust.module"
}
if [[ $(id -u) -eq 0 ]]; then
    mkdir "$T/modules"
    config "$T/modules"
    mount --bind "$T/modules" "$modules"
else
    mkdir -p "$HOME/.config/pkcs11/modules"
    config "$HOME/.config/pkcs11/modules"
    echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
fi
cp "$P/rsa-root.pem" "$T/vendor/anchors"
chmod a-w "$T/vendor" "$T/vendor/anchors"
if [[ $(id -u) -eq 0 ]]; then
    trap 'umount "$T/vendor"; cleanup' EXIT
    mount --bind "$T/vendor" "$T/vendor"
    mount -o remount,bind,ro "$T/vendor"
fi

token=p11-kit:pkcs11:token=etc
t() { # ARGS...
    xr --store "$token" "$@"
}
listed() { # what the module makes of it: "LABEL: TRUST" lines
    trust list --filter=certificates 2>/dev/null | awk '
        /^ +label: / { sub(/^ +label: /, ""); label = $0 }
        /^ +trust: / { print label ": " $2 }' | LC_ALL=C sort
}
extracted() { # PURPOSE
    rm -f "$T/extract"
    trust extract --format=pem-bundle --filter=ca-anchors --purpose="$1" "$T/extract" 2>/dev/null || true
    [[ ! -e $T/extract ]] || openssl storeutl -noout -text -certs "$T/extract" |
        sed -n 's/^ *Subject: .*CN *= *//p' | LC_ALL=C sort | xargs -d '\n'
}
ours() { # "PLACE PURPOSES SUBJECT" lines
    run t list --json
    json 'stores[0].entries[].{place,purposes,subject}' "$out" | sed 's/CN=//; s/,O=.*//' | LC_ALL=C sort
}
cross=$(sha "$P/cross.pem")

run xr --store p11-kit --scope system stores
expect_grep 'the token to write' '^p11-kit:pkcs11:token=etc$' "$out"
expect_grep 'the other one' '^p11-kit:pkcs11:token=vendor$' "$out"

# ---- ours, read by others
expect_exit 0 'install a root and what it signed' t install --yes "$P/old-root.pem" "$P/cross.pem"
expect_eq 'trust list has both as they were meant' "$(listed)" \
    $'Crossroot Test New Root: unspecified\nCrossroot Test Old Root: anchor\nCrossroot Test RSA Root: anchor'
expect_eq 'an anchor for servers' "$(extracted server-auth)" 'Crossroot Test Old Root Crossroot Test RSA Root'
expect_eq 'and for nothing else' "$(extracted email)" 'Crossroot Test RSA Root'
expect_exit 0 'its chain is good' t verify --untrusted "$P/sub.pem" "$P/leaf.pem"
run t verify --for email "$P/sub.pem"
expect_eq 'not for mail' "$rc" 6
expect_exit 0 'distrust the cross certificate' t distrust --yes "$P/cross.pem"
expect_grep 'the module says so' '^Crossroot Test New Root: distrusted' <(listed)
expect_exit 0 'undo' t undo --yes
expect_grep 'it is neutral again' '^Crossroot Test New Root: unspecified' <(listed)
snap "$T/etc" >"$T/before"
expect_exit 0 'another purpose' t install --yes --for server --for email "$P/old-root.pem"
expect_eq 'counts for the module' "$(extracted email)" 'Crossroot Test Old Root Crossroot Test RSA Root'
expect_exit 0 'undo' t undo --yes
snap "$T/etc" >"$T/after"
expect_same 'leaves what was there, byte for byte' "$T/before" "$T/after"
trust anchor --remove "pkcs11:id=$(openssl x509 -in "$P/old-root.pem" -noout -ext subjectKeyIdentifier |
    sed -n '2s/ //g; 2s/^/%/; 2s/:/%/gp');type=cert" >"$out" 2>&1 || true
expect_eq 'trust anchor --remove takes ours away' "$(listed | grep -c Old)" 0
expect_exit 0 'what that leaves of its file is no obstacle' t install --yes "$P/old-root.pem"
expect_exit 0 'and we our own' t remove "$P/old-root.pem" "$P/cross.pem"
expect_eq 'nothing is left' "$(ls -A "$T/etc")" ''

# The module reads files that are still being written, whatever their name.
mkdir "$T/part" "$T/whole"
run xr --store "p11-kit:$T/whole" install --yes "$P/old-root.pem"
whole=$(find "$T/whole" -type f)
more=''
for ((n = 1; n < $(wc -l <"$whole"); n++)); do
    head -n "$n" "$whole" >"$T/part/.part.p11-kit"
    run xr --store "p11-kit:$T/part" list --json
    case $(json 'stores[0].entries[].{place,purposes}' "$out") in
    '' | $'anchor\t["server"]') ;;
    *) more+=" $n" ;;
    esac
done
expect_eq 'no part of a file gives more than the whole' "$more" ''

# ---- what others ship
expect_exit 4 'a vendor token is not written' xr --store p11-kit:pkcs11:token=vendor --store "$token" \
    install --yes "$P/old-root.pem"
expect_exit 0 'distrust what it ships, here' t distrust --yes "$P/rsa-root.pem"
expect_eq 'its extract is empty of it' "$(extracted email)" ''
expect_exit 0 'undo' t undo --yes
expect_eq 'and it is back' "$(extracted email)" 'Crossroot Test RSA Root'
serial=$(openssl x509 -in "$P/rsa-root.pem" -noout -serial)
expect_exit 0 'by its issuer and serial number' t distrust --yes --serial "0x${serial#*=}" "$P/rsa-root.pem"
expect_eq 'its extract is empty of it' "$(extracted email)" ''
expect_exit 0 'undo' t undo --yes
expect_eq 'and it is back' "$(extracted email)" 'Crossroot Test RSA Root'
expect_exit 0 'undo' t undo --yes

# ---- theirs, read by us
trust anchor --store "$P/old-root.pem" >"$out" 2>&1 || show_output
file=$(find "$T/etc" -type f)
expect_eq 'trust anchor writes a file' "$(wc -l <<<"$file")" 1
expect_eq 'which we list' "$(ours)" \
    $'anchor\t["server","client","email","code","time"]\tCrossroot Test Old Root'
snap "$T/etc" >"$T/before"
expect_exit 0 'and remove' t remove "$P/old-root.pem"
expect_eq 'for the module too' "$(listed | grep -c Old)" 0
expect_exit 0 'undo' t undo --yes
snap "$T/etc" >"$T/after"
expect_same 'puts its file back' "$T/before" "$T/after"
expect_exit 0 'make it narrower' t install --yes --only --for server "$P/old-root.pem"
expect_eq 'the module knows' "$(extracted email)" 'Crossroot Test RSA Root'
expect_exit 0 'take both away' t remove "$P/old-root.pem"

# ---- several in one file, and limits of a key
cat "$P/old-root.pem" "$P/sibling-root.pem" >"$T/etc/two.pem"
run t remove "$P/old-root.pem"
expect_eq 'one of two in a file stays' "$rc" 1
expect_grep 'with the reason' 'two.pem holds several certificates' "$out"
rm -f "$T/etc/two.pem"
expect_exit 0 'two certificates of a key: the root for servers' t install --yes "$P/new-root.pem"
run t install --yes --as anchor --drop-constraints --for email "$P/cross.pem"
expect_eq 'the cross certificate as an anchor for mail would limit it: refused' "$rc" 1
expect_grep 'with the reason' 'attach other purposes to its key' "$out"
expect_exit 0 'as a neutral one it is taken' t install "$P/cross.pem"
expect_eq 'both are what they were to be' "$(ours)" \
    $'anchor\t["server"]\tCrossroot Test New Root\nintermediate\t[]\tCrossroot Test New Root'
expect_exit 0 'away' t remove "$P/new-root.pem" "$P/cross.pem"

# ---- nothing done to one anchor of a key widens or narrows another
mkdir "$T/key"
k() {
    xr --store "p11-kit:$T/key" "$@"
}
object() { # FILE ATTRIBUTES
    printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\n%s\n' "$2"
    openssl x509 -in "$P/$1"
}
extension() { # FILE OID VALUE: attached to its key
    printf '[p11-kit-object-v1]\nclass: x-certificate-extension\nobject-id: %s\nvalue: "%s"\n' "$2" "$3"
    openssl x509 -in "$P/$1" -noout -pubkey
    echo
}
server='%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%01'
email='%30%13%06%03%55%1d%25%04%0c%30%0a%06%08%2b%06%01%05%05%07%03%04'
limits='%30%1a%06%03%55%1d%1e%04%13%30%11%a0%0f%30%0d%82%0b%65%78%61%6d%70%6c%65%2e%6f%72%67'
refused() { # WHAT REASON ARGS...
    snap "$T/key" >"$T/before"
    run k "${@:3}"
    expect_eq "$1" "$rc" 1
    expect_grep 'with the reason' "$2" "$out"
    snap "$T/key" >"$T/after"
    expect_same 'and nothing is changed' "$T/before" "$T/after"
    rm -rf "${T:?}/key"/*
}
object sibling-root.pem 'trusted: true' >"$T/key/b.p11-kit"
refused 'no purposes beside an anchor without any' 'same key' install --yes --for server --for client \
    --for email --for code --for time "$P/new-root.pem"
{ extension new-root.pem 2.5.29.30 "$limits" && object new-root.pem 'trusted: true'; } >"$T/key/a.p11-kit"
{ extension sibling-root.pem 2.5.29.37 "$server" && object sibling-root.pem 'trusted: true'; } >"$T/key/b.p11-kit"
refused 'constraints that limit another stay' 'same key' remove --yes "$P/new-root.pem"
expect_exit 0 'an intermediate' k install --yes --as intermediate "$P/new-root.pem"
expect_exit 0 'made an anchor' k install --yes --as anchor --for server "$P/new-root.pem"
object sibling-root.pem 'trusted: true' >"$T/key/b.p11-kit"
refused 'an undo that would widen another' 'same key' undo --yes
{ extension new-root.pem 2.5.29.37 "$server" && extension new-root.pem 2.5.29.30 "$limits"; } \
    >"$T/key/crossroot-$(sha "$P/new-root.pem").p11-kit"
refused 'constraints in what was left of a file of ours' 'in the way' install --yes --for server "$P/new-root.pem"
extension new-root.pem 2.5.29.37 "$email" >"$T/key/x.p11-kit"
refused 'purposes that contradict others' 'may use any of them' install --yes --for server "$P/new-root.pem"

# ---- what all this is for
secom=$XR_SHARED/data/secom
if [[ -d $secom ]]; then
    real=$secom/secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem
    pin=$(sha "$real")
    nii() {
        run t verify --at 2026-06-01 "$secom/nii-open-domain-ca-g8-rsa.pem"
        echo "$rc"
    }
    expect_exit 0 'the old root' t install --yes "$secom/security-communication-rootca2.pem"
    expect_eq "NII's CA alone" "$(nii)" 6
    expect_exit 6 'a misprinted fingerprint' t install --pin "sha256:${pin/c8fb5bb8/c8fb5b88}" "$real"
    expect_exit 0 'the cross certificate with its own' t install --pin "sha256:$pin" "$real"
    expect_grep 'the module has it' '^SECOM TLS RSA Root CA 2024: unspecified' <(listed)
    expect_eq "NII's CA" "$(nii)" 0
    expect_exit 0 'distrust' t distrust --yes "$real"
    expect_eq "NII's CA" "$(nii)" 6
    for _ in 1 2 3; do
        expect_exit 0 'undo' t undo --yes
    done
    expect_eq 'nothing is left' "$(find "$T/etc" -type f)" ''
else
    skip 'no certificates of the real case'
fi

# ---- a directory by its path; addresses
mkdir "$T/own"
expect_exit 0 'a directory of its own' xr --store "p11-kit:$T/own" install --yes "$P/old-root.pem"
expect_eq 'has one file' "$(find "$T/own" -type f | wc -l)" 1
expect_exit 0 'undo' xr undo --yes
for address in p11-kit:relative p11-kit:pkcs11:token=none p11-kit:; do
    run xr --store "$address" list
    [[ $rc -ne 0 && $(wc -l <"$err") -eq 1 ]] && ok "$address: $(cat "$err")" || bad "$address: exit $rc"
done

if [[ $(id -u) -eq 0 ]] && can_drop; then
    mkdir -p "$T/theirs/token"
    chown -R 65534 "$T/theirs"
    run xr --store "p11-kit:$T/theirs/token" list
    expect_grep 'root does nothing in a directory of somebody else' 'theirs belongs to another user' "$err"
fi

if [[ $(id -u) -eq 0 ]]; then
    mkdir -m 0777 "$T/open" "$T/victim"
    cp "$P/rsa-root.pem" "$T/victim"
    ln -s "$T/victim" "$T/open/anchors"
    run xr --store "p11-kit:$T/open" remove --yes "$P/rsa-root.pem"
    [[ $rc -ne 0 && -e $T/victim/rsa-root.pem ]] && ok 'nor where others may write' || bad 'a link of others was followed'
fi

# ---- many at once, and others' writes between
"$XR_MKCERTS" 32 "$T/certs" >/dev/null
for ((i = 0; i < 32; i++)); do
    cert=$T/certs/$(printf '%06d' "$i").pem
    if ((i % 4 == 3)); then
        # 2: there is no program to extract for others, which is none of ours.
        begin bash -c 'trust anchor --store "$1" || [[ $? -eq 2 ]]' - "$cert"
    else
        begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/many-$((i % 8))" --store "$token" install --yes "$cert"
    fi
done
all_succeed '24 of ours and 8 of theirs at once'
expect_eq 'nothing is lost, nothing double' "$(listed | grep -c Bench)" 32
expect_eq 'and no temporary file is left' "$(find "$T/etc" -name '.*' -type f)" ''
finish
