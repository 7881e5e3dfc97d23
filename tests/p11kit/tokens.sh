#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tokens.sh BADMODULE SIZED: what is beside the files of p11-kit's own module: SoftHSM's tokens, modules that
# misbehave, images, what is attached to keys or blocked without a certificate, and GnuTLS, which asks
# p11-kit itself.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_P11:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_P11=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
badmodule=${1:?} sized=${2:?}
command -v trust >/dev/null || skip_all 'no trust (p11-kit)'
chmod 755 "$T"
make_pki "$T/pki"
cd "$P"

# --- a configuration of the test's own

if [[ $(id -u) -eq 0 ]]; then
    conf=$T/modules
    mkdir "$conf"
    mount --bind "$conf" /usr/share/p11-kit/modules
else
    conf=$HOME/.config/pkcs11/modules
    mkdir -p "$conf"
    echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
fi
module() { # NAME FILE [ARGUMENTS]
    printf 'module: %s\ntrust-policy: yes\n%s\n' "$2" "${3:+x-init-reserved: $3}" >"$conf/$1.module"
}
only() { # NAME...: modules
    rm -f "$conf"/*
    while (($#)); do
        case $1 in
        trust) module trust p11-kit-trust.so "paths='$T/token'" ;;
        softhsm) module softhsm "$softhsm" ;;
        bad) module bad "$T/badmodule.so" ;;
        esac
        shift
    done
}
mkdir "$T/token"
softhsm=$(find /usr/lib /usr/lib64 -name libsofthsm2.so -print -quit 2>/dev/null || true)
token=p11-kit:pkcs11:token=token
t() {
    xr --store "$token" "$@"
}
listed() { # "PLACE PURPOSES SUBJECT" lines
    run t list --json
    json 'stores[0].entries[].{place,purposes,subject}' "$out" | sed 's/CN=//; s/,O=.*//; s/\t/ /g' | LC_ALL=C sort
}

# --- GnuTLS: our question to it and its own client agree. It sees what the module was built to read,
# here Debian's bundle, and nothing else that configuration tells the module (x-init-reserved).

bundle=/etc/ssl/certs/ca-certificates.crt
only trust
expect_exit 0 'a root' t install --yes old-root.pem
run t verify old-root.pem
expect_grep 'GnuTLS does not see this token' 'GnuTLS .*: cannot tell: GnuTLS does not see this token' "$out"
expect_exit 0 'undo' t undo --yes
server() { # PORT CHAIN
    openssl s_server -quiet -www -cert leaf.pem -key leaf.key -cert_chain "$2" -accept "$1" >"$T/server.$1" 2>&1 &
    for ((i = 0; i < 100; i++)); do
        ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
        sleep 0.05
    done
    bad "no server at $1"
}
gnutls() { # WHAT ANSWER-TO-LEAF+SUB ANSWER-TO-LEAF+SUB+CROSS: by what is in a bundle
    local i chain=(sub.pem sub-cross.pem) want=("$2" "$3") says ours
    for i in 0 1; do
        run gnutls-cli --x509cafile "pkcs11:token=System%20Trust" --verify-hostname localhost \
            --port $((base + i)) 127.0.0.1
        says=$([[ $rc -eq 0 ]] && echo yes || echo no)
        run xr --store p11-kit:pkcs11:token=System%20Trust verify --untrusted "${chain[i]}" leaf.pem --host localhost
        ours=$(sed -n 's/^ *GnuTLS [0-9.]*: \(yes\|no\).*/\1/p' "$out")
        expect_eq "$1, ${chain[i]}: gnutls-cli and what we are told" "$says $ours" "${want[i]} ${want[i]}"
    done
}
if command -v gnutls-cli >/dev/null && [[ $(id -u) -eq 0 && -e $bundle ]]; then
    module built-in p11-kit-trust.so
    cat sub.pem cross.pem >sub-cross.pem
    base=$((20000 + $$ % 20000))
    server $base sub.pem
    server $((base + 1)) sub-cross.pem
    : >"$T/bundle"
    mount --bind "$T/bundle" "$bundle"
    gnutls nothing no no
    cat old-root.pem >"$T/bundle"
    gnutls 'old root' no yes
    run p11tool --list-all-trusted 'pkcs11:token=System%20Trust'
    expect_grep 'p11tool sees it' 'Label: Crossroot Test Old Root' "$out"
    cat old-root.pem cross.pem >"$T/bundle"
    gnutls 'cross an anchor too' yes yes
    run xr --store p11-kit:pkcs11:token=System%20Trust install cross.pem
    expect_eq 'no cross certificate in a bundle' "$rc" 1
    expect_grep 'with the reason' 'one file in which every certificate is an anchor' "$out"
    run xr --store p11-kit:pkcs11:token=System%20Trust install --yes new-root.pem
    expect_eq 'nor a root' "$rc" 1
    expect_grep 'but where it is made of' 'one file; change the store ca-certificates' "$out"
    # Limits are attached to the key, and GnuTLS keeps to them.
    for want in localhost:yes example.com:no; do
        rm -rf "$T/limited"
        mkdir "$T/limited"
        expect_exit 0 "a root limited to ${want%:*}" xr --store "p11-kit:$T/limited" install --yes \
            old-root.pem --permit-dns "${want%:*}"
        cat "$T"/limited/*.p11-kit >"$T/bundle"
        gnutls "limited to ${want%:*}" no "${want#*:}"
    done
    run xr --store "p11-kit:$T/limited" install old-root.pem --only --permit-dns localhost
    expect_eq 'somebody is asked' "$rc" 7
    expect_grep 'and told who ignores limits' 'others, such as those that use NSS, may trust it' "$err"
    expect_exit 0 'list' xr --store "p11-kit:$T/limited" list
    expect_grep 'says the limits' 'limited to names below example.com' "$out"
    umount "$bundle"
    only trust
else
    skip 'no gnutls-cli, or no system that may be exchanged'
fi

# --- blocks without a certificate

escaped() { # the last DER field of that tag in a file: for certificates in a fixed order
    od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'
}
block() { # FILE: issuer and serial number of a certificate
    local fields
    openssl x509 -in "$1" -outform DER -out "$T/der"
    # The fields of tbsCertificate: offset, header and length of the serial and of the issuer.
    mapfile -t fields < <(openssl asn1parse -inform DER -in "$T/der" | awk -F'[:= ]+' '
        { sub(/^ +/, ""); split($0, a, /[:= ]+/); depth = a[3]; hl = a[5]; len = a[7] }
        depth == 2 { print a[1], hl + len }' | sed -n '2p;4p')
    printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\n'
    for i in 1 0; do
        printf '%s: "%s"\n' "$([[ $i -eq 0 ]] && echo serial-number || echo issuer)" \
            "$(tail -c "+$((${fields[i]% *} + 1))" "$T/der" | head -c "${fields[i]#* }" | escaped)"
    done
    printf 'x-distrusted: true\n'
}
expect_exit 0 'a root and what it signed' t install --yes old-root.pem cross.pem
expect_exit 0 'its chain is good' t verify --untrusted sub.pem leaf.pem
block cross.pem >"$T/token/block.p11-kit"
expect_grep 'a block by issuer and serial is listed' '^distrust \[\] $' <(listed | sed 's/null//')
run t list
expect_grep 'with its names' 'issued by Crossroot Test Old Root, serial number ' "$out"
run t verify --untrusted sub.pem leaf.pem
expect_eq 'and counts' "$rc" 6
id=$(json 'stores[0].entries[place=distrust].id' <(xr --store "$token" list --json))
expect_exit 0 'it is removed by what is listed' t remove --yes "${id:0:12}"
expect_exit 0 'the chain is good again' t verify --untrusted sub.pem leaf.pem
expect_exit 0 'undo' t undo --yes
cmp -s <(block cross.pem) "$T/token/block.p11-kit" && ok 'puts its file back' || bad 'its file is another one'
rm "$T/token/block.p11-kit"
{
    printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\nx-distrusted: true\n'
    openssl x509 -in cross.pem -noout -pubkey
} >"$T/token/key.p11-kit"
run t list
expect_grep 'a block of a key is listed' '(of the key)' "$out"
run t verify --untrusted sub.pem leaf.pem
expect_eq 'and counts' "$rc" 6
rm "$T/token/key.p11-kit"

# --- what is attached to a key

constraints='%30%1a%06%03%55%1d%1e%04%13%30%11%a0%0f%30%0d%82%0b%65%78%61%6d%70%6c%65%2e%6f%72%67' # example.org
constrain() {
    printf '[p11-kit-object-v1]\nclass: x-certificate-extension\nobject-id: 2.5.29.30\nvalue: "%s"\n' "$constraints"
    openssl x509 -in old-root.pem -noout -pubkey
}
rm "$T/token"/*old* "$T/token"/crossroot-"$(sha old-root.pem)"* 2>/dev/null || true
{
    constrain
    printf '\n[p11-kit-object-v1]\nclass: certificate\ntrusted: true\n'
    openssl x509 -in old-root.pem
} >"$T/token/theirs.p11-kit"
run t list
expect_grep 'attached constraints are listed' 'limited to names below example.org' "$out"
run t verify --untrusted sub.pem leaf.pem
expect_eq 'OpenSSL cannot answer for them' "$rc" 1
expect_grep 'and says so' 'does not apply the constraints' "$out"
snap "$T/token" >"$T/before"
expect_exit 0 'make it narrower' t install --yes --only --for server old-root.pem
run t list
expect_grep 'they stay attached' 'limited to names below example.org' "$out"
run trust dump
expect_grep 'for the module too' 'object-id: 2.5.29.30' "$out"
expect_exit 0 'undo' t undo --yes
snap "$T/token" >"$T/after"
expect_same 'puts theirs back' "$T/before" "$T/after"
constrain >"$T/token/apart.p11-kit"
{
    printf '[p11-kit-object-v1]\nclass: certificate\ntrusted: true\n'
    openssl x509 -in old-root.pem
} >"$T/token/theirs.p11-kit"
expect_exit 0 'narrower, constraints in a file of their own' t install --yes --only --for server old-root.pem
expect_eq 'are not said twice' "$(grep -lr 'object-id: 2.5.29.30' "$T/token" | xargs -n 1 basename)" apart.p11-kit
expect_exit 0 'undo' t undo --yes
printf 'nss-server-distrust-after: "260101000000Z"\n' >>"$T/token/theirs.p11-kit"
run t list
expect_grep 'a date after which NSS trusts it no more is listed' 'NSS trusts only what it issued before a date' "$out"
run t install --yes --only --for server old-root.pem
expect_eq 'and not lost by a change' "$rc" 1
expect_grep 'which is refused' 'would be lost' "$out"
expect_exit 0 'it can be removed' t remove --yes old-root.pem
expect_exit 0 'and put back' t undo --yes
expect_grep 'with its date' 'distrust-after' "$T/token/theirs.p11-kit"
rm -f "$T/token"/*

# --- SoftHSM

if [[ -n $softhsm ]] && command -v softhsm2-util >/dev/null; then
    only softhsm
    mkdir -p "$T/hsm" "$HOME/.config/softhsm2"
    printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$T/hsm" >"$HOME/.config/softhsm2/softhsm2.conf"
    softhsm2-util --init-token --free --label lab --so-pin officer --pin secret >"$out" 2>&1 || show_output
    token=p11-kit:pkcs11:token=lab
    run xr --scope system --store p11-kit stores
    expect_eq 'one token' "$(grep -c '^p11-kit:' "$out")" 1
    expect_grep 'with its password' "security officer's PIN" "$out"
    library=$(find /usr/lib /usr/lib64 -name 'libp11-kit.so.0' -print -quit 2>/dev/null || true)
    if [[ -n $library ]]; then
        flock -x "$library" sleep 100 & # any local user can
        holder=$!
    fi
    expect_exit 0 'what is no anchor needs none, and waits for no lock of others' timeout 25 \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "$token" install cross.pem
    [[ -z $library ]] || kill "$holder"
    for file in sub utf8 rsa-root sibling-root; do
        begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/state-$file" --store "$token" install \
            --as intermediate "$file.pem"
    done
    codes=
    for pid in "${pids[@]}"; do
        code=0
        wait "$pid" || code=$?
        codes+=$code
    done
    pids=()
    expect_eq 'several at once come to an end' "$(tr -d 01 <<<"$codes")" ''
    # SoftHSM 2.6.1 may keep a new object without its value if another process reads the token meanwhile
    # (docs/p11-kit.md). Alone it does not.
    for file in sub utf8 rsa-root sibling-root; do
        expect_exit 0 "or in turn: $file" xr --state "$T/state-$file" --store "$token" install \
            --as intermediate "$file.pem"
    done
    expect_eq 'and all are there' "$(listed | grep -c '^intermediate')" 5
    for file in sub utf8 rsa-root sibling-root; do
        run xr --state "$T/state-$file" --store "$token" undo
    done
    expect_eq 'the locks are nobody else'\''s' \
        "$(find /run/crossroot "/run/user/$(id -u)/crossroot" "$HOME/.local/state/crossroot-locks" \
            -maxdepth 0 ! -perm 0700 2>/dev/null | wc -l)" 0
    run t install --yes old-root.pem
    expect_eq 'an anchor does' "$rc" 1
    run t install --yes --password-fd 3 old-root.pem 3<<<'secret'
    expect_eq 'not that of a user' "$rc" 1
    expect_exit 0 'the officer sets it' t install --yes --password-fd 3 old-root.pem 3<<<'officer'
    expect_eq 'both are there' "$(listed)" $'anchor ["any"] Crossroot Test Old Root\nintermediate [] Crossroot Test New Root'
    run p11tool --list-all-trusted pkcs11:token=lab
    expect_eq 'for others too' "$(grep -c '^Object' "$out")" 1
    expect_exit 0 'its chain is good' t verify --untrusted sub.pem leaf.pem
    run t install --yes --for server --password-fd 3 old-root.pem 3<<<'officer'
    expect_grep 'no purposes' 'cannot restrict an anchor' "$out"
    run t distrust --yes cross.pem
    expect_grep 'no distrust' 'PKCS#11 has no distrust' "$out"
    expect_exit 0 'undo' t undo --yes --password-fd 3 3<<<'officer'
    expect_exit 0 'undo' t undo --yes
    expect_eq 'nothing is left' "$(listed)" ''
    mkdir "$T/sized"
    "$sized" "$T/sized" 2047 2048 2049 4096 65536 1048576
    for file in "$T"/sized/root-*.der; do
        name=${file##*/} # the first try to read a value has room for 2048 bytes
        expect_exit 0 "$name: an intermediate" t install --as intermediate "$file"
        expect_eq 'is one' "$(listed)" "intermediate [] Sized $(tr -dc 0-9 <<<"$name")"
        expect_exit 0 'an anchor' t install --yes --password-fd 3 "$file" 3<<<'officer'
        expect_grep 'is one' '^anchor' <(listed)
        expect_exit 0 'removed' t remove --yes --password-fd 3 "$file" 3<<<'officer'
        expect_eq 'and gone' "$(listed)" ''
    done
    token=p11-kit:pkcs11:token=token
else
    skip 'no SoftHSM'
fi

# --- modules that misbehave

cp "$badmodule" "$T/badmodule.so"
only bad
misbehaves() { # HOW EXIT WHAT-IS-SAID
    printf %s "$1" >"$T/badmodule.how"
    run timeout 200 "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store p11-kit --scope system list
    expect_eq "a module that will $1" "$rc" "$2"
    expect_grep 'what is said' "$3" "$err"
    expect_no_grep 'nothing raw' $'\033' "$err"
}
misbehaves die 1 'discovery failed: the helper .* crashed'
misbehaves crash 1 'p11-kit token "bad.*the helper .* crashed'
misbehaves lie 1 'no such store was found'
misbehaves 'find without end' 1 'general error of the module'

# --- images: what their configuration names, without loading anything

image=$T/image
mkdir -p "$image/usr/share/p11-kit/modules" "$image/etc/pkcs11/modules" "$image/srv/a/anchors" "$image/srv/b" "$image/usr/lib"
printf 'module: p11-kit-trust.so\ntrust-policy: yes\npriority: 1\n' >"$image/usr/share/p11-kit/modules/p11-kit-trust.module"
printf "x-init-reserved: paths='/srv/a:/srv/b:relative'\n" >"$image/etc/pkcs11/modules/p11-kit-trust.module"
printf 'module: /srv/evil.so\ntrust-policy: yes\n' >"$image/etc/pkcs11/modules/evil.module"
ln -s /etc "$image/srv/out"
run xr --root "$image" --store p11-kit --scope system stores --json
expect_eq 'two directories' "$(json 'stores[].store' "$out" | xargs)" 'p11-kit:/srv/a p11-kit:/srv/b'
expect_exit 0 'work in one' xr --root "$image" --store p11-kit:/srv/a install --yes old-root.pem cross.pem
expect_eq 'is done in the image' "$(find "$image/srv/a" -type f | wc -l)" 2
run xr --root "$image" --store p11-kit:/srv/out install --yes old-root.pem
expect_eq 'a link does not lead out of it' "$rc $(find "$image/etc" -name 'crossroot-*' | wc -l) $(find /etc -maxdepth 1 -name 'crossroot-*' | wc -l)" '0 1 0'
rm "$image/etc/pkcs11/modules/p11-kit-trust.module"
run xr --root "$image" --scope system --store p11-kit stores
expect_grep 'nothing it was built to read: nothing' 'no such store was found' "$err"
mkdir -p "$image/etc/pki/ca-trust/source/anchors" "$image/etc/pki/ca-trust/extracted/pem"
run xr --root "$image" --scope system --store p11-kit stores --json
expect_eq 'else what its distribution publishes from' "$(json 'stores[].store' "$out" | xargs)" \
    'p11-kit:/etc/pki/ca-trust/source p11-kit:/usr/share/pki/ca-trust-source'

# --- a directory that a distribution publishes from, in its image

source=p11-kit:/etc/pki/ca-trust/source
f() {
    xr --root "$image" --store "$source" "$@"
}
vendor=$image/usr/share/pki/ca-trust-source/anchors
mkdir -p "$vendor" "$image/etc/pki/ca-trust/extracted"/{openssl,java,edk2}
cp rsa-root.pem "$vendor"
run f install cross.pem
expect_eq 'a cross certificate is refused' "$rc" 1
expect_grep 'with the reason' 'OpenSSL reject good chains' "$out"
run xr --root "$image" --scope system install --yes old-root.pem
expect_eq 'an anchor is installed once' "$(find "$image/etc/pki/ca-trust/source" -type f | wc -l)" 1
expect_grep 'and both are named' '^p11-kit token "/etc/pki/ca-trust/source": skipped: the same place as ca-certificates:' "$out"
expect_exit 0 'by the other name' f distrust --yes old-root.pem
expect_grep 'what has to follow is said' 'after its update command' "$err"
expect_exit 0 'undo' xr --root "$image" undo --yes
expect_exit 0 'distrust what a package ships' f distrust --yes rsa-root.pem
run xr --root "$image" --scope system --store ca-certificates list --json
expect_eq 'both stores list both' "$(json 'stores[0].entries[].{place,vendor}' "$out" | sort | xargs)" \
    'anchor false anchor true distrust false'
run xr --root "$image" --store p11-kit:/usr/share/pki/ca-trust-source install --yes old-root.pem
expect_eq "what packages ship is theirs" "$rc" 1
expect_grep 'which is said' 'for what packages ship' "$out"
run flock "$image/etc/pki/ca-trust" timeout 2 "$XR_BIN" --worker "$XR_WORKER" --state "$T/other" --root "$image" \
    --store "$source" install --yes old-root.pem
expect_eq 'whoever has the lock of the distribution is waited for' "$rc" 124
expect_exit 0 'take the distrust away' f remove --yes --from distrust rsa-root.pem
expect_eq 'the package has its file' "$(ls "$vendor")" rsa-root.pem
finish
