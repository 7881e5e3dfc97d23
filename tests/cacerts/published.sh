#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# verify says of a published bundle what its readers say, whatever somebody wrote into it: no where
# OpenSSL takes nothing from it, and why.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

make_pki "$T/pki"
root=$P/new-root.pem # of leaf.pem, by way of sub.pem
R=$T/image
mkdir -p "$R"/etc/ssl/certs "$R"/usr/share/ca-certificates "$R"/usr/local/share/ca-certificates
: >"$R/etc/ca-certificates.conf"
bundle=$R/etc/ssl/certs/ca-certificates.crt

body() { grep -v -e ----- "$1"; }
der() { openssl x509 -in "$1" -outform DER; }
labelled() { printf -- '-----BEGIN %s-----\n%s\n-----END %s-----\n' "$1" "$(body "$root")" "$1"; }
trusted() { openssl x509 -in "$root" -trustout "$@"; }

written() {
    case $1 in
    'as it should be') cat "$P/old-root.pem" "$root" ;;
    'text between') echo '# one'; cat "$P/old-root.pem"; echo '# two'; cat "$root"; echo '# three' ;;
    'CR at line ends') sed 's/$/\r/' "$root" ;;
    'only CR') tr '\n' '\r' <"$root" ;;
    'a mark of UTF-8') printf '\xef\xbb\xbf'; cat "$root" ;;
    'a mark of UTF-8 inside') cat "$P/old-root.pem"; printf '#\n\xef\xbb\xbf'; cat "$root" ;;
    'UTF-16') iconv -t UTF-16 "$root" ;;
    'one line') printf -- '-----BEGIN CERTIFICATE-----%s-----END CERTIFICATE-----\n' "$(body "$root" | tr -d '\n')" ;;
    'base64 in one line') labelled CERTIFICATE | awk '/-----/ { print (n++ ? "\n" : "") $0; next } { printf "%s", $0 }' ;;
    'indented') sed 's/^/    /' "$root" ;;
    'blank lines inside') sed 's/$/\n/' "$root" ;;
    'glued') printf %s "$(cat "$P/old-root.pem")"; cat "$root" ;;
    'PKCS7 as label') labelled PKCS7 ;;
    'X509 CERTIFICATE as label') labelled 'X509 CERTIFICATE' ;;
    'junk after the base64') sed 's/^-----END/!!!!\n&/' "$root" ;;
    'bytes after the certificate') (der "$root"; echo more) | openssl enc -base64 | sed '1i -----BEGIN CERTIFICATE-----' | sed '$a -----END CERTIFICATE-----' ;;
    'a damaged block after it') cat "$root"; sed '3s/./!/' "$P/old-root.pem" ;;
    'a damaged key after it') cat "$root"; printf -- '-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n' ;;
    'a block cut off after it') cat "$root"; head -n 4 "$P/old-root.pem" ;;
    'no end of line at its end') printf %s "$(cat "$root")" ;;
    'NUL before it') printf '\0\n'; cat "$root" ;;
    'NUL after it') cat "$root"; printf '\0' ;;
    'a long line before it') printf '%0300d\n' 0; cat "$root" ;;
    'trusted') trusted -addtrust serverAuth ;;
    'trusted for email') trusted -addtrust emailProtection ;;
    'rejected for servers') trusted -addreject serverAuth ;;
    'trusted by its alias alone') trusted -setalias name ;;
    'rejected, and again without') trusted -addreject serverAuth; cat "$root" ;;
    'without, and again rejected') cat "$root"; trusted -addreject serverAuth ;;
    'a CRL beside') cat "$P/old-root.crl.pem" "$root" ;;
    'only a CRL') cat "$P/old-root.crl.pem" ;;
    'DER') der "$root" ;;
    'nothing') ;;
    esac
}

says() { # yes or no: COMMAND...
    run "$@"
    case $rc in
    0) echo yes ;;
    2 | 6) echo no ;;
    *) grep -q '^Error loading file' "$err" && echo no || echo "exit $rc" ;;
    esac
}
python_reads() {
    /usr/bin/python3 - "$bundle" 2>/dev/null <<'END'
import ssl, sys
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=sys.argv[1])
except (ssl.SSLError, OSError):
    sys.exit(2)
END
}

yes=0 no=0
while IFS= read -r case; do
    written "$case" >"$bundle" 2>/dev/null
    ours=$(says xr --root "$R" --store ca-certificates:/ verify "$P/leaf-chain.pem")
    cp "$out" "$T/said"
    theirs=$(says openssl verify -auth_level 2 -purpose sslserver -no-CAstore -no-CApath \
        -CAfile "$bundle" -untrusted "$P/sub.pem" "$P/leaf.pem")
    expect_eq "$case: as openssl verify" "$ours" "$theirs"
    if [[ $theirs == yes ]]; then yes=$((yes + 1)); else no=$((no + 1)); fi
    if ! python_reads; then
        expect_grep "$case: it says that OpenSSL cannot read it" \
            'OpenSSL cannot read /etc/ssl/certs/ca-certificates\.crt: [a-z].*, so it trusts nothing' "$T/said"
    fi
done < <(declare -f written | sed -n "s/^ *'\?\\([A-Za-z][^']*\\)'\?)\$/\\1/p")
expect_eq 'there are cases of both kinds' "$((yes > 10 && no > 10))" 1
finish
