#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is published is clean, whatever lies in the local directory: a file that OpenSSL cannot read is
# written anew from what was found in it, and one that nobody can read takes no other down with it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

make_pki "$T/pki"
R=$T/image
local=$R/usr/local/share/ca-certificates
bundle=$R/etc/ssl/certs/ca-certificates.crt
image() { xr --root "$R" --store ca-certificates:/ "$@"; }
fresh() {
    rm -rf "$R" "$state"
    mkdir -p "$R"/etc/ssl/certs "$R"/usr/share/ca-certificates/mozilla "$local"
    cp "$P/utf8.pem" "$R/usr/share/ca-certificates/mozilla/one.crt"
    echo mozilla/one.crt >"$R/etc/ca-certificates.conf"
}
subjects() { # of what OpenSSL loads
    /usr/bin/python3 - "$bundle" <<'END'
import hashlib, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(cafile=sys.argv[1])
print(*sorted(hashlib.sha256(der).hexdigest()[:8] for der in context.get_ca_certs(binary_form=True)))
END
}
short() { local file; for file; do sha "$file" | cut -c1-8; done | sort | xargs; }
remark_of() { # FILE: what list says of its certificate
    image list --json >"$out"
    /usr/bin/python3 - "$out" "$(sha "$1")" <<'END'
import json, sys
for entry in json.load(open(sys.argv[1]))["stores"][0]["entries"]:
    if entry["sha256"] == sys.argv[2]:
        print(entry.get("remark", "none"))
END
}
hash_link() { echo "$R/etc/ssl/certs/$(openssl x509 -in "$1" -noout -hash).0"; }

one=$P/utf8.pem ours=$P/t61.pem odd=$P/new-root.pem
one_line() { printf -- '-----BEGIN CERTIFICATE-----%s-----END CERTIFICATE-----' "$(grep -v -e ----- "$1" | tr -d '\n')"; }
fresh
one_line "$odd" >"$local/line.crt"
expect_exit 0 'beside a certificate in one line, another is installed' image install --yes "$ours"
expect_eq 'the bundle has all three' "$(subjects)" "$(short "$one" "$ours" "$odd")"
expect_exit 0 'verify agrees' image verify "$P/leaf-chain.pem"
expect_absent 'openssl rehash would not link that file, nor do we' "$(hash_link "$odd")"
expect_grep 'list says so' 'the bundle has a clean copy, the hashed directory has none' <(remark_of "$odd")
expect_eq 'and nothing of the others' "$(remark_of "$ours")" none
expect_exit 0 'undo' image undo --yes
expect_eq 'leaves what was there' "$(subjects)" "$(short "$one" "$odd")"

fresh
{ cat "$odd"; head -n 5 "$P/old-root.pem"; } >"$local/cut.crt"
expect_exit 0 'beside a file that was cut off' image install --yes "$ours"
expect_eq 'what is whole in it is published' "$(subjects)" "$(short "$one" "$ours" "$odd")"

fresh
{ printf '\xef\xbb\xbf'; cat "$odd"; } >"$local/bom.crt"
printf '# a comment at the end of the file before' >>"$R/usr/share/ca-certificates/mozilla/one.crt"
expect_exit 0 'beside a file with a byte order mark' image install --yes "$ours"
expect_eq 'it is not lost between its neighbours' "$(subjects)" "$(short "$one" "$ours" "$odd")"
expect_eq 'openssl rehash would link that file, and so do we' "$(readlink "$(hash_link "$odd")")" bom.pem
expect_grep 'list says so' 'so the bundle has a clean copy$' <(remark_of "$odd")

# A value of two bytes a character that has an odd number of them: libcrypto refuses the whole.
fresh
/usr/bin/python3 - "$odd" "$local/undecodable.crt" <<'END'
import base64, ssl, sys
der = ssl.PEM_cert_to_DER_cert(open(sys.argv[1]).read())
at = der.rindex(b"\x06\x03\x55\x04\x03\x0c") + 5
assert der[at + 1] % 2 == 1 or der[at + 1] > 0
der = der[:at] + (b"\x1e" if der[at + 1] % 2 else b"\x1c") + der[at + 1:]
open(sys.argv[2], "w").write(ssl.DER_cert_to_PEM_cert(der))
END
run openssl x509 -in "$local/undecodable.crt" -noout
expect_eq 'OpenSSL cannot decode that certificate' "$((rc != 0))" 1
cat "$P/old-root.pem" >>"$local/undecodable.crt"
expect_exit 0 'beside it' image install --yes "$ours"
expect_eq 'it alone is left out' "$(subjects)" "$(short "$one" "$ours" "$P/old-root.pem")"
image list >"$out"
expect_grep 'list says so' 'OpenSSL cannot decode it, so it is published nowhere' "$out"

undecodable=$local/undecodable.crt
sed '/-----END/q' "$undecodable" >"$T/undecodable.pem"
for family in fedora suse arch; do
    rm -rf "$T/p11" "$T/p11.state"
    case $family in
    fedora)
        anchors=etc/pki/ca-trust/source/anchors published=etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
        mkdir -p "$T"/p11/etc/pki/ca-trust/extracted/{openssl,java,edk2}
        ;;
    suse) anchors=etc/pki/trust/anchors published=var/lib/ca-certificates/ca-bundle.pem ;;
    arch) anchors=etc/ca-certificates/trust-source/anchors published=etc/ca-certificates/extracted/tls-ca-bundle.pem ;;
    esac
    mkdir -p "$T/p11/$anchors" "$T/p11/${published%/*}"
    cp "$T/undecodable.pem" "$one" "$T/p11/$anchors/"
    expect_exit 0 "$family: beside what OpenSSL cannot decode" \
        xr --state "$T/p11.state" --root "$T/p11" --layout "$family" --store ca-certificates:/ install --yes "$ours"
    expect_eq "$family: the bundle has the others" "$(bundle=$T/p11/$published subjects)" "$(short "$one" "$ours")"
done

fresh
{ openssl x509 -in "$odd" -trustout -addreject serverAuth; echo '-----BEGIN CERTIFICATE-----'; } >"$local/limited.crt"
{ openssl x509 -in "$P/old-root.pem" -trustout -addreject serverAuth; cat "$P/only-key.pem"; } >"$local/limited-and-key.crt"
expect_exit 0 'beside certificates with limits' image install --yes "$ours"
expect_exit 6 'whose files are written anew' image verify "$P/leaf-chain.pem"
expect_eq 'they keep their limits' "$(grep -c 'BEGIN TRUSTED' "$bundle")" 2
expect_no_grep 'and keys stay where they are' 'PRIVATE' "$bundle"

fresh
{ echo '# text'; sed 's/$/\r/' "$odd"; cat "$P/old-root.crl.pem"; } >"$local/clean.crt"
run image recover --yes
cat "$one" "$local/clean.crt" >"$T/wanted"
expect_same 'what OpenSSL reads is published byte for byte' "$T/wanted" "$bundle"
finish
