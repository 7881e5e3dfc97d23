#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What extract must not replace, and what a directory that it replaces keeps: its mode and its owner.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
cd "$T"
"$XR_MKPKI" pki >/dev/null
printf '%s\n' 'pki/old-root.pem	C--	Old Root' 'pki/new-root.pem	C--	New Root' | python3 "$here/mkcertdata.py" >list.txt
printf '%s\n' 'pki/old-root.pem	C--	Old Root' | python3 "$here/mkcertdata.py" >one.txt
key='-----BEGIN EC PRIVATE KEY-----'
extract() { xr extract --from list.txt "$@"; }
leftovers() { find "$T" -name '.crossroot*' | wc -l; }

# directory NAME: one that extract made, in which a name differs from what it makes next.
directory() {
    rm -rf "$1"
    xr extract --from one.txt --to "${2:-pem-dir}=$1" >/dev/null
}
# stays WHAT REGEX [FORMAT]: neither --overwrite nor its dry run touches d, and both say why.
stays() {
    snap d >before
    expect_exit 1 "$1" extract --overwrite --to "${3:-pem-dir}=d"
    expect_grep 'is told' "$2" "$err"
    expect_same 'and stays, with all beside it' before <(snap d)
    expect_exit 1 'a dry run refuses it too' extract --overwrite --dry-run --to "${3:-pem-dir}=d"
    expect_grep 'and says so' "$2" "$err"
    expect_exit 1 'and before another output is written' extract --overwrite --to pem=other.pem --to "${3:-pem-dir}=d"
    expect_absent 'which it is not' other.pem
    expect_same 'nothing changed' before <(snap d)
    expect_eq 'nothing is left over' "$(leftovers)" 0
}

# --- directories: what others keep in them
directory d
mkdir d/private
echo "$key" >d/private/server.key
stays 'a directory of others' 'private is a directory that the new content has not'
directory d
mkdir d/empty
stays 'even an empty one' 'empty is a directory'
for name in server.key .hidden .pem README notes.1 0a1b2c3d.0; do
    directory d
    echo text >"d/$name"
    stays "a file of another kind, $name" "$name is not of the kind of the new files"
done
directory d
echo "$key" >d/server.pem
stays 'a key with the ending of certificates' 'server.pem is not replaced: it holds a private key'
directory d
cat pki/old-root.pem >>d/server.pem
echo "$key" >>d/server.pem
stays 'a key behind a certificate' 'server.pem is not replaced: it holds a private key'
directory d
echo "$key" >>d/Old_Root.pem
stays 'a key in a file that would be replaced' 'it holds a private key'
directory d
openssl ecparam -name prime256v1 -genkey -noout -outform DER -out d/der.pem
stays 'a key without PEM' 'der.pem is not replaced: it is a private key'
directory d
openssl pkcs12 -export -nokeys -in pki/old-root.pem -passout pass:x -out d/store.pem
stays 'a keystore' 'store.pem is not replaced: it is a keystore'
directory d
truncate -s 1048577 d/large.pem
stays 'a file that is too large to look through' 'large.pem may hold a private key .larger than 1 MiB'
directory d
truncate -s 1048576 d/large.pem
expect_exit 0 'one that is not' extract --overwrite --to pem-dir=d
directory d
mkfifo d/pipe.pem
stays 'a pipe' 'pipe.pem is not a regular file'
for name in key3.db key4.db; do
    directory d
    : >"d/$name"
    stays "$name of NSS" "$name may hold private keys"
done
directory d nss
echo >>d/cert9.db
stays 'a directory of NSS' 'key4.db that is there may hold private keys' nss
directory d debian
echo "$key" >d/mozilla/b.key
stays 'a file of another kind below' 'mozilla/b.key is not of the kind' debian
directory d debian
echo "$key" >d/mozilla/b.crt
stays 'a key below' 'mozilla/b.crt is not replaced: it holds a private key' debian
directory d debian
mkdir d/mozilla/sub
echo "$key" >d/mozilla/sub/b.crt
stays 'a directory in a directory' 'mozilla/sub is a directory' debian

# --- directories: what goes
directory d
directory new
xr extract --from list.txt --to pem-dir=new --overwrite >/dev/null
cp pki/rsa-root.pem d/
ln -s /etc/passwd d/link
ln -s nowhere d/server.key
expect_exit 0 'files of the kind, and links' extract --overwrite --dry-run --to pem-dir=d
expect_eq 'are there after a dry run' "$(readlink d/link)" /etc/passwd
expect_exit 0 'and can be replaced' extract --overwrite --to pem-dir=d
expect_same 'by the new ones' <(snap d) <(snap new)
directory d openssl-dir
directory new openssl-dir
xr extract --from list.txt --to openssl-dir=new --overwrite >/dev/null
cp pki/old-root.pem d/0a1b2c3d.12
expect_exit 0 'a copy by hash, beside links by hash' extract --overwrite --to openssl-dir=d
expect_same 'goes' <(snap d) <(snap new)
expect_eq 'nothing is left over' "$(leftovers)" 0

# --- directories: mode and owner
for mode in 700 750 2770 1777 500; do
    directory d
    chmod "$mode" d
    expect_exit 0 "a directory of mode $mode" extract --overwrite --to pem-dir=d
    expect_eq 'keeps it' "$(stat -c %a d) $(find d -type f | wc -l)" "$mode 2"
    chmod u+w d && rm -rf d && mkdir d && chmod "$mode" d
    expect_exit 0 'and an empty one' extract --to pem-dir=d
    expect_eq 'does too' "$(stat -c %a d) $(find d -type f | wc -l)" "$mode 2"
    chmod u+w d
done
directory d debian
chmod 700 d/mozilla
expect_exit 0 'a directory in it' extract --overwrite --to debian=d
expect_eq 'keeps its own' "$(stat -c %a d d/mozilla | xargs)" '755 700'
rm -rf d && mkdir -m 2750 d
expect_exit 0 'a new one in it' extract --to debian=d
expect_eq 'has that of the one above' "$(stat -c %a d d/mozilla | xargs)" '2750 2750'
(umask 027 && directory d)
expect_eq 'a new directory has what the umask leaves' "$(stat -c %a d)" 750
if [[ $(id -u) -eq 0 ]]; then
    directory d debian
    chown -R 1234:2345 d
    chmod 750 d
    expect_exit 0 "another user's directory" extract --overwrite --to debian=d
    expect_eq 'stays theirs, with all that is new in it' "$(find d -printf '%U:%G\n' | sort -u)" 1234:2345
    expect_eq 'and its mode' "$(stat -c %a d)" 750
    rm -rf d && mkdir d && chown 1234:2345 d && chmod 2770 d
    expect_exit 0 'an empty one too' extract --to openssl-dir=d
    expect_eq 'with its links' "$(find d -printf '%U:%G\n' | sort -u) $(stat -c %a d)" '1234:2345 2770'
    directory d
    chown 0:2345 d
    chmod 2775 d
    expect_exit 0 "a group's directory of root" extract --overwrite --to pem-dir=d
    expect_eq 'gives its group to what is in it' "$(find d -printf '%U:%G\n' | sort -u)" 0:2345
else
    skip "owners: not here: the test is not root"
fi

# --- an ordinary user
if can_drop; then
    mkdir -m 777 user
    [[ $(id -u) -ne 0 ]] || chown 65534:65534 user
    chmod 755 "$T"
    cp list.txt one.txt user/
    mine() { unprivileged env HOME="$T/user" "$XR_BIN" --worker "$XR_WORKER" --state "$T/user/state" "$@"; }
    if unprivileged test -x "$XR_BIN"; then
        for mode in 700 2770 500; do
            unprivileged rm -rf user/d
            mine extract --from one.txt --to pem-dir=user/d >/dev/null
            unprivileged chmod "$mode" user/d
            expect_exit 0 "a user's directory of mode $mode" mine extract --from list.txt --overwrite --to pem-dir=user/d
            expect_eq 'keeps it' "$(stat -c %a user/d) $(find user/d -type f | wc -l)" "$mode 2"
            unprivileged chmod u+w user/d
        done
        unprivileged bash -c 'umask 777; exec "$@"' bash env HOME="$T/user" "$XR_BIN" --worker "$XR_WORKER" \
            --state "$T/user/state2" extract --from list.txt --to debian=user/none >/dev/null 2>&1 || true
        expect_eq 'a umask that takes all rights leaves nothing over' "$(leftovers)" 0
        unprivileged bash -c 'echo "-----BEGIN PRIVATE KEY-----" >user/d/x.pem; chmod 0 user/d/x.pem'
        expect_exit 1 'a file that cannot be read' mine extract --from one.txt --overwrite --to pem-dir=user/d
        expect_grep 'may be a key' 'x.pem may hold a private key .*Permission denied' "$err"
        if [[ $(id -u) -eq 0 ]]; then
            rm -rf user/d && mine extract --from one.txt --to pem-dir=user/d >/dev/null
            chown root:root user/d
            snap user/d >before
            expect_exit 1 "a directory of root's in one of the user's" mine extract --from list.txt --overwrite --to pem-dir=user/d
            expect_grep 'cannot keep its owner' 'cannot keep its mode and owner' "$err"
            expect_same 'and stays' before <(snap user/d)
        fi
        expect_eq 'nothing is left over' "$(leftovers)" 0
    else
        skip 'an ordinary user: not here: the program is not reachable for one'
    fi
else
    skip 'an ordinary user: not here: no setpriv'
fi

# --- a build that fails midway
if [[ $(id -u) -eq 0 ]] && unshare -m true 2>/dev/null; then
    directory d
    cp pki/rsa-root.pem d/
    snap d >before
    # A directory that is a mount point cannot be exchanged.
    expect_exit 1 'a mount point' unshare -m bash -c 'mount --bind d d && exec "$@"' bash \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" extract --from list.txt --overwrite --to pem-dir=d
    expect_same 'stays' before <(snap d)
    expect_eq 'and nothing is left over' "$(leftovers)" 0
    mkdir small
    # shellcheck disable=SC2016 # for the shell that is started
    expect_exit 1 'a file system that is full' unshare -m bash -c 'mount -t tmpfs -o size=4k,nr_inodes=4 none small && "$@"; code=$?
        find small -mindepth 1 >left; exit $code' bash \
        "$XR_BIN" --worker "$XR_WORKER" --state "$state" extract --from list.txt --to debian=small/d
    expect_eq 'has nothing of it' "$(cat left)" ''
else
    skip 'mount points and full file systems: not here: mounting is not allowed'
fi

# --- files
file_stays() {
    cp -p f before
    expect_exit 1 "$1" extract --overwrite --to "$3=f"
    expect_grep 'is told' "$2" "$err"
    expect_exit 1 'a dry run refuses it' extract --dry-run --to "$3=f"
    expect_exit 1 'and one with --overwrite' extract --dry-run --overwrite --to "$3=f"
    expect_exit 1 'and before another output is written' extract --to pem=other.pem --to "$3=f"
    expect_absent 'which it is not' other.pem
    expect_same 'it stays' f before
    expect_eq 'nothing is left over' "$(leftovers)" 0
}
{
    cat pki/old-root.pem
    openssl ecparam -name prime256v1 -genkey -noout
} >f
for format in pem p11-kit edk2 windows-reg java java-p12; do
    file_stays "a key, and $format" 'it holds a private key|it is no (JKS|PKCS#12) keystore' "$format"
done
expect_exit 3 '--check only looks' extract --check --to pem=f
openssl pkcs12 -export -nokeys -in pki/old-root.pem -passout pass:changeit -out f
file_stays 'PKCS#12' 'it is a keystore' pem
{
    printf '\x30\x80\x02\x01\x03\x30\x80'
    head -c 100 /dev/zero
} >f
file_stays 'PKCS#12 in BER' 'it is a keystore' p11-kit
rm f
extract --to java=f >/dev/null
file_stays 'JKS' 'it is a keystore' edk2
expect_exit 0 'its own format' xr extract --from one.txt --overwrite --to java=f
expect_exit 0 'may update it' extract --update --to java=f
expect_exit 0 'or PKCS#12' xr extract --from one.txt --to java-p12=p12
expect_exit 0 'the same' extract --overwrite --to java-p12=p12
for format in pem edk2 p11-kit curl-pem certifi windows-reg mobileconfig chromium-policy; do
    xr extract --from one.txt --to "$format=plain" >/dev/null
    expect_exit 0 "$format replaces its own" extract --to "$format=plain"
    rm plain
done
cp pki/old-root.pem plain
expect_exit 0 'and any text' extract --to pem=plain
openssl x509 -in pki/old-root.pem -outform DER -out plain
expect_exit 0 'or certificate' extract --to pem=plain
expect_eq 'nothing is left over' "$(leftovers)" 0
finish
