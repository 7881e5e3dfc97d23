#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What programs make of it: real clients against loopback servers, with nothing but the system's
# trust. "curl" is libcurl with OpenSSL, "git" libcurl with GnuTLS, "java" keytool as it fetches a
# CRL: a client with the default truststore, and no compiler is needed.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
XR_NEEDS_DPKG=1
private_root "$@"
make_pki "$T/pki"
echo '127.0.0.1 localhost' >/etc/hosts

# --- servers: what a client asks of them is what it finds there

mkdir -p "$T/www/repo/info"
cd "$T/www"
cp "$P/old-root.crl.pem" crl
printf '0123456789012345678901234567890123456789\tHEAD\n' >'repo/info/refs?service=git-upload-pack'

# server PORT COMMAND...
server() {
    local port=$1 i
    shift
    "$@" >/dev/null 2>&1 </dev/null &
    for ((i = 0; i < 300; i++)); do
        ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
        sleep 0.1
    done
    bad "no server at $port: $*"
}
cat "$P/sub.pem" "$P/cross.pem" >"$T/sub-cross.pem"
openssl_server=(openssl s_server -WWW -quiet -cert "$P/leaf.pem" -key "$P/leaf.key")
server 4001 "${openssl_server[@]}" -accept 4001 -cert_chain "$P/sub.pem"
server 4002 "${openssl_server[@]}" -accept 4002 -cert_chain "$T/sub-cross.pem"
server 4003 gnutls-serv --quiet --http --port 4003 --x509certfile "$P/leaf-chain.pem" --x509keyfile "$P/leaf.key"

# --- clients: each succeeds if it trusts the server at a port

curl_asks() { curl -sS -o /dev/null "https://localhost:$1/crl"; }
git_asks() { git ls-remote "https://localhost:$1/repo"; }
gnutls_asks() { gnutls-cli --port "$1" localhost; }
openssl_asks() {
    openssl s_client -connect "localhost:$1" -verify_hostname localhost -verify_return_error
}
python_asks() {
    /usr/bin/python3 -c 'import socket, ssl, sys
with socket.create_connection(("localhost", int(sys.argv[1]))) as s:
    ssl.create_default_context().wrap_socket(s, server_hostname="localhost")' "$1"
}
java_asks() { keytool -printcrl -file "https://localhost:$1/crl"; }

clients=(curl git gnutls openssl python java)
for client in "${clients[@]}"; do
    program=$client
    case $client in
    gnutls) program=gnutls-cli ;;
    python) program=/usr/bin/python3 ;;
    java) program=keytool ;;
    esac
    command -v "$program" >/dev/null || bad "no $program here"
done

# trusting PORT: the clients that do
trusting() {
    local client names=()
    for client in "${clients[@]}"; do
        run "${client}_asks" "$1"
        [[ $rc -ne 0 ]] || names+=("$client")
    done
    echo "${names[*]}"
}
everybody='curl git gnutls openssl python java'

# The keystore is written anew by its own program.
snap_but_java() {
    snap_trust | grep -v ' /etc/ssl/certs/java/cacerts$'
}

# --- a root

run native_update
snap_but_java >"$T/base"
expect_eq 'at first nobody trusts the server' "$(trusting 4001)" ''
mv /etc/ca-certificates/update.d/jks-keystore "$T"
started=${EPOCHREALTIME/[.,]/}
expect_exit 0 'install with a pin' cr install "$P/new-root.pem" --yes --pin "sha256:$(sha "$P/new-root.pem")"
printf '      in %d ms, without hooks\n' $(((${EPOCHREALTIME/[.,]/} - started) / 1000))
expect_eq 'all trust it, but Java' "$(trusting 4001)" "${everybody% java}"
run cr undo
expect_eq 'after undo nobody does' "$(trusting 4001)" ''
mv "$T/jks-keystore" /etc/ca-certificates/update.d
run cr install "$P/new-root.pem" --yes --pin "sha256:$(sha "$P/new-root.pem")"
expect_eq "with its hook, Java too" "$(trusting 4001)" "$everybody"
run curl_asks 4003
expect_eq "and so it is with GnuTLS's server" "$rc" 0
expect_exit 0 'undo' cr undo
expect_eq 'after undo nobody trusts the server' "$(trusting 4001)" ''
snap_but_java >"$T/now"
expect_same 'and all is as it was' "$T/base" "$T/now"

# --- a cross certificate: its key is trusted if the old root is

expect_exit 0 'the old root' cr install "$P/old-root.pem" --yes
expect_eq 'with it alone the chain has no end' "$(trusting 4001)" ''
expect_eq 'unless the server sends the cross certificate' "$(trusting 4002)" "$everybody"
expect_exit 1 'the cross certificate has no place here' cr install "$P/cross.pem"
expect_grep 'since it would be an anchor' 'trust anchor for curl, GnuTLS and Go' "$out"
expect_grep 'and servers can send it' 'have servers send it' "$out"
expect_exit 0 'undo of the old root' cr undo

expect_exit 7 'as an anchor it needs consent' cr install --as anchor "$P/cross.pem"
expect_grep 'which says what it means' 'not self-signed, and as an anchor it is trusted .* without the CA that signed it' "$err"
expect_exit 0 'with consent' cr install --as anchor --yes "$P/cross.pem"
expect_grep 'the report: not by OpenSSL' 'verified: no: unable to get local issuer certificate' "$out"
expect_grep 'but with partial chains' 'OpenSSL with partial chains: yes' "$out"
expect_eq 'as it is' "$(trusting 4001)" 'curl git gnutls java'
expect_exit 0 'undo of it' cr undo
expect_eq 'nobody again' "$(trusting 4001)" ''
snap_but_java >"$T/now"
expect_same 'and all is as it was, again' "$T/base" "$T/now"

# --- a packaged root

mkdir /usr/share/ca-certificates/made
cp "$P/new-root.pem" /usr/share/ca-certificates/made/new-root.crt
echo made/new-root.crt >>/etc/ca-certificates.conf
run update-ca-certificates
expect_eq 'a packaged root is trusted' "$(trusting 4001)" "$everybody"
expect_exit 0 'distrusted' cr distrust --best-effort --yes "$P/new-root.pem"
expect_eq 'it is not' "$(trusting 4001)" ''
expect_exit 0 'and back' cr undo --yes
expect_eq 'it is again' "$(trusting 4001)" "$everybody"
finish
