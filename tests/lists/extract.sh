#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command extract: what is chosen, what is refused, what is written, and what stays.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
cd "$T"
"$XR_MKPKI" pki >/dev/null
python3 "$here/mkcertdata.py" >list.txt <<EOF
pki/old-root.pem	CC-	Old Root
pki/new-root.pem	C--	Dated	server=241130235959Z
pki/rsa-root.pem	-C-	Mail
pki/ed25519-root.pem	---	Neutral
pki/rsapss-root.pem	nnn	Distrusted
EOF
sha() { openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1; }
# Hashes of the certificates in a PEM file.
in_pem() {
    python3 - "$1" <<'EOF'
import base64, hashlib, re, sys
for block in re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END", open(sys.argv[1]).read(), re.S):
    print(hashlib.sha256(base64.b64decode(block)).hexdigest())
EOF
}
has() { in_pem "$1" | grep -c "$(sha "pki/$2.pem")" || true; }
count() { in_pem "$1" | wc -l; }

# --- what is chosen
expect_exit 0 'for servers' xr extract --from list.txt --to pem=server.pem
expect_eq 'has what is trusted for servers' "$(count server.pem)" 2
expect_grep 'a date that PEM cannot hold is told' 'Dated: kept without its date: no trust for server certificates issued after 2024-11-30' "$out"
expect_grep 'what is left out is counted' 'without 1 not trusted for server, 1 trusted for nothing, 1 distrusted' "$out"
expect_exit 0 'for e-mail' xr extract --from list.txt --for email --to pem=email.pem
expect_eq 'has two others' "$(has email.pem old-root)$(has email.pem rsa-root)" 11
expect_exit 0 'dates that are past' xr extract --from list.txt --distrust-after drop-past --to pem=past.pem
expect_eq 'drop their root' "$(count past.pem)" 1
expect_exit 0 'dates at all' xr extract --from list.txt --distrust-after drop-all --to pem=all.pem --to p11-kit=all.p11
expect_eq 'do so too, in every format' "$(count all.pem)$(grep -c '^trusted: true' all.p11)" 12
expect_exit 2 'another word is none' xr extract --from list.txt --distrust-after never --to pem=x.pem
expect_exit 0 'standard output' xr extract --from list.txt --to pem=-
expect_same 'has the same, and nothing else' "$out" server.pem
expect_exit 0 'standard input' bash -c "'$XR_BIN' --state '$state' extract --from - --to pem=stdin.pem <list.txt"
expect_same 'is read' stdin.pem server.pem
expect_exit 2 'an unknown format' xr extract --from list.txt --to pen=x
expect_grep 'is answered with those that are known' 'pem, pem-dir' "$err"
expect_exit 2 'no format' xr extract --from list.txt
expect_exit 2 'no source' xr extract --to pem=x.pem
expect_exit 1 'a source that is missing' xr extract --from nowhere.txt --to pem=x.pem
expect_eq 'nothing of that is written' "$([[ -e x.pem ]] || echo no)" no

# --- files of certificates say nothing of trust
mkdir files
cp pki/old-root.pem pki/sub.pem pki/cross.pem files/
expect_exit 4 'an intermediate and a cross certificate' xr extract --from files --to pem=files.pem
expect_grep 'are refused where they would be anchors' 'refused: this format would make an anchor of it, and it is a' "$out"
expect_eq 'the root is there' "$(count files.pem)" 1
expect_exit 0 'a format that holds them' xr extract --from files --to p11-kit=files.p11
expect_eq 'holds them without trust' "$(grep -c '^class: certificate' files.p11)$(grep -c '^trusted: true' files.p11)" 31
expect_exit 1 'a cross certificate alone' xr extract --from pki/cross.pem --to pem=cross.pem
expect_eq 'leaves no empty list behind' "$([[ -e cross.pem ]] || echo no)" no
openssl x509 -in pki/new-root.pem -addtrust emailProtection -addreject serverAuth -trustout -out trusted.pem
expect_exit 0 "OpenSSL's trust settings" xr extract --from trusted.pem --to p11-kit=trusted.p11 --to pem=mail.pem --for email
expect_eq 'count' "$(count mail.pem)" 1
expect_exit 1 'both' xr extract --from trusted.pem --to pem=nothing.pem

# --- several sources
python3 "$here/mkcertdata.py" >more.txt <<EOF
pki/old-root.pem	nnn	Old Root
pki/rsa-root.pem	C--	Mail
EOF
expect_exit 0 'several' xr extract --from list.txt --from more.txt --to pem=two.pem
expect_eq 'distrust counts' "$(has two.pem old-root)" 0
expect_grep 'and is said' 'Old Root: one source trusts it for .* and another distrusts it: it is distrusted' "$err"
expect_eq 'the first that names one decides' "$(has two.pem rsa-root)" 0
expect_exit 0 'merged' xr extract --from list.txt --from more.txt --merge --to pem=merged.pem
expect_eq 'later ones add purposes' "$(has merged.pem rsa-root)$(has merged.pem old-root)" 10

# --- blocklists
{
    echo '# comment'
    echo "$(sha pki/new-root.pem)  the new root # name=x"
    echo "$(sha pki/leaf.pem | sed 's/../&:/g; s/:$//') # not there"
} >block
expect_exit 0 'a blocklist' xr extract --from list.txt --blocklist block --to pem=blocked.pem
expect_eq 'leaves out' "$(count blocked.pem)" 1
expect_grep 'what no source has is a warning' 'warning: .*block, line 3: no source has' "$err"
openssl x509 -in pki/new-root.pem -noout -fingerprint -sha256 >block
expect_exit 0 'a fingerprint of openssl' xr extract --from list.txt --blocklist block --to pem=blocked.pem
expect_eq 'counts' "$(count blocked.pem)" 1
echo 12345 >block
expect_exit 2 'what is no hash' xr extract --from list.txt --blocklist block --to pem=x.pem

# --- expired
expect_exit 0 'expired ones are kept' xr extract --from pki/expired-cross.pem --from list.txt --to p11-kit=kept.p11
expect_exit 0 'and dropped if asked' xr extract --from pki/expired-cross.pem --from list.txt --expired drop --to p11-kit=dropped.p11
expect_eq 'one less' "$(($(grep -c '^class: certificate' kept.p11) - $(grep -c '^class: certificate' dropped.p11)))" 1

SOURCE_DATE_EPOCH=4102444800 expect_exit 1 'SOURCE_DATE_EPOCH is the time of that' xr extract --from list.txt --expired drop --to pem=x.pem
expect_exit 0 'and so is --at' xr extract --from list.txt --expired drop --at 2027-01-01 --to pem=at.pem

# --- what is written
tree() { (cd "$1" && find . -type l -printf '%P -> %l\n' -o -type f -printf '%P ' -exec sha256sum {} \; | sort); }
formats=(pem pem-dir pem-dir-hash openssl-trusted openssl-dir edk2 java java-p12 p11-kit debian curl-pem certifi nss
    chromium-policy firefox-policy windows-reg mobileconfig cluster-trust-bundle)
all() { for f in "${formats[@]}"; do printf -- '--to\n%s=%s\n' "$f" "$1/$f"; done; }
mkdir a b
mapfile -t to_a < <(all a)
mapfile -t to_b < <(all b)
expect_exit 0 'all formats' xr extract --from list.txt --modified 2026-01-01 "${to_a[@]}"
(cd / && TZ=Asia/Tokyo LC_ALL=C "$XR_BIN" --state "$state" extract --from "$T/list.txt" --modified 2026-01-01 $(all "$T/b") >/dev/null)
expect_same 'again, elsewhere: the same bytes' <(tree a) <(tree b)
touch -d 2001-01-01 a/* a/*/*
find a -type f -printf '%p %T@\n' | sort >before
expect_exit 0 'a third time' xr extract --from list.txt --modified 2026-01-01 "${to_a[@]}"
expect_grep 'is told' 'debian=a/debian: 2 certificates in 3 files, unchanged' "$out"
expect_same 'writes nothing' before <(find a -type f -printf '%p %T@\n' | sort)
expect_exit 0 '--check agrees' xr extract --from list.txt --modified 2026-01-01 --check "${to_a[@]}"
echo >>a/debian/mozilla/Dated.crt
touch a/pem-dir/zz.pem
rm "$(find a/openssl-dir -type l | head -n 1)"
truncate -s -1 a/edk2
tree a >before
expect_exit 3 '--check finds four differences' xr extract --from list.txt --modified 2026-01-01 --check "${to_a[@]}"
expect_eq 'and names them' "$(grep -c 'mozilla/Dated.crt differs\|zz.pem is surplus\|[0-9] is missing\|edk2=a/edk2: differs' "$out")" 4
expect_same 'and changes nothing' before <(tree a)
expect_exit 3 '--check of nothing' xr extract --from list.txt --check --to pem=absent.pem
expect_exit 0 '--dry-run writes nothing' xr extract --from list.txt --dry-run --to pem=absent.pem
expect_eq 'nothing' "$([[ -e absent.pem ]] || echo no)" no
expect_exit 1 'a directory that has something else' xr extract --from list.txt --modified 2026-01-01 --to pem=a/new.pem --to pem-dir=a/pem-dir
expect_eq 'stops all of it before the first write' "$([[ -e a/new.pem ]] || echo no)" no
expect_exit 1 'a directory that has something else, alone' xr extract --from list.txt --modified 2026-01-01 --to pem-dir=a/pem-dir
expect_grep 'is left as it is' 'not empty; --overwrite' "$err"
expect_same 'and is' before <(tree a)
expect_exit 0 '--overwrite' xr extract --from list.txt --modified 2026-01-01 --overwrite "${to_a[@]}"
expect_same 'makes it as it was' <(tree a) <(tree b)
expect_eq 'and leaves nothing behind' "$(find . -name '.crossroot*' | wc -l)" 0
cp -r b/nss database
echo >>database/key4.db
expect_exit 1 'a database that may have keys' xr extract --from list.txt --overwrite --to nss=database
expect_grep 'is never replaced' 'key4.db that is there may hold private keys' "$err"
expect_eq 'nor touched' "$(cmp database/cert9.db b/nss/cert9.db && cmp -s database/key4.db b/nss/key4.db || echo kept)" kept
cp list.txt source.txt
expect_exit 2 'a source that is an output' xr extract --from source.txt --to pem=./source.txt
expect_exit 2 'a source in a directory that is an output' xr extract --from files/sub.pem --from list.txt --to pem-dir=files --overwrite
expect_exit 2 'outputs that are one' xr extract --from list.txt --to pem=one --to java=./one
expect_exit 2 'an output below another' xr extract --from list.txt --to pem-dir=files --to pem=files/x.pem
expect_same 'nothing was touched' source.txt list.txt
cp b/java keystore
expect_exit 1 'a keystore that is there' xr extract --from more.txt --to java=keystore --for server
expect_same 'is left as it is' keystore b/java
expect_exit 0 'but with --overwrite' xr extract --from more.txt --to java=keystore --overwrite
expect_exit 2 'two purposes in one bundle' xr extract --from list.txt --for server --for email --to pem=x.pem
expect_exit 0 'but not where purposes are told' xr extract --from list.txt --for server --for email --to p11-kit=x.p11
expect_exit 2 'a purpose that lists do not know' xr extract --from list.txt --for client --to p11-kit=x.p11
expect_exit 2 'a source without --from' xr extract list.txt --to pem=x.pem
expect_grep 'is understood' 'sources need --from: --from list.txt' "$err"
expect_exit 1 'one of one fails' xr extract --from list.txt --to pem=none/x.pem
expect_exit 4 'one of two fails' xr extract --from list.txt --to pem=none/x.pem --to java=fine
mkdir target
ln -s target link
expect_exit 0 'a link of ours is followed' xr extract --from list.txt --to pem-dir=link
expect_eq 'to what it leads to' "$(find target -name '*.pem' | wc -l)$(readlink link)" 2target
chmod 640 server.pem
echo >>server.pem
expect_exit 0 'a file that is replaced' xr extract --from list.txt --to pem=server.pem
expect_eq 'keeps its mode' "$(stat -c %a server.pem)" 640

# --- a hashed directory is what openssl makes of its files
if command -v openssl >/dev/null; then
    cp -r b/pem-dir rehashed
    openssl rehash -compat rehashed
    expect_same 'links by hash are those of openssl rehash' <(cd rehashed && find . -type l -printf '%P %l\n' | sort) \
        <(cd b/pem-dir-hash && find . -type l -printf '%P %l\n' | sort)
fi

# --- stores
install -d store
expect_exit 0 'a store is made' xr install pki/old-root.pem pki/cross.pem --store "openssl:$T/store" --yes
expect_exit 0 'a store is a source' xr extract --from "openssl:$T/store" --to pem=store.pem --to p11-kit=store.p11
expect_eq 'with its anchor' "$(has store.pem old-root)$(count store.pem)" 11
expect_eq 'and its intermediate' "$(grep -c '^class: certificate' store.p11)" 2
expect_exit 1 'a store that is not there' xr extract --from "openssl:$T/no-store" --to pem=x.pem
mkdir -p image/etc/ssl/certs image/usr/local/share/ca-certificates image/usr/share/ca-certificates/mozilla
cp pki/old-root.pem image/usr/share/ca-certificates/mozilla/Old.crt
echo mozilla/Old.crt >image/etc/ca-certificates.conf
expect_exit 0 'an image is a source' xr extract --root image --layout debian --from ca-certificates --to pem=image.pem
expect_eq 'with what it has' "$(has image.pem old-root)$(count image.pem)" 11
expect_exit 0 'also without naming its store' xr extract --root image --layout debian --to pem=image2.pem
expect_same 'the same' image.pem image2.pem
finish
