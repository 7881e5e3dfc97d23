#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What programs make of an openssl: directory, beside what crossroot says of it: s_client, curl and
# Python against servers on loopback, and openssl verify.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
page=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)/docs/openssl.md
cd "$T"
python=$(command -v /usr/bin/python3 python3 | head -n 1 || true)
if [[ -z $python ]] || ! command -v curl >/dev/null; then
    skip_all 'not here: curl or python3'
fi

# make NAME SUBJECT ISSUER DIGEST EXTENSIONS: with the key of SUBJECT; ISSUER - signs itself
make() {
    local name=$1 subject=$2 issuer=$3 digest=$4
    [[ -e $subject.key ]] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$subject.key"
    printf '%b' "$5" >"$name.ext"
    openssl req -new -key "$subject.key" -subj "/CN=$subject" -out "$name.csr"
    if [[ $issuer == - ]]; then
        openssl x509 -req -in "$name.csr" -signkey "$subject.key" "-$digest" -days 365 -extfile "$name.ext" -out "$name.pem"
    else
        openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial "0x$(openssl rand -hex 8)" \
            "-$digest" -days 365 -extfile "$name.ext" -out "$name.pem"
    fi 2>/dev/null
}
ca='basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
make old old - sha256 "$ca"
make new new - sha256 "$ca"
make other other - sha256 "$ca"
make cross new old sha256 "$ca"
make limited new old sha256 "${ca}nameConstraints=critical,excluded;DNS:localhost\n"
make local new old sha256 "${ca}nameConstraints=critical,permitted;DNS:localhost\n"
make weak new old sha1 "$ca"
make foreign new other sha256 "$ca"
make sub sub new sha256 "$ca"
make leaf localhost sub sha256 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n'
cp localhost.key leaf.key
cat leaf.pem sub.pem >chain-a.pem
cat leaf.pem sub.pem cross.pem >chain-b.pem
cat sub.pem cross.pem >sub-cross.pem

# serve LOG CHAIN: a server with what it sends beside its certificate; its port to $port
serve() {
    : >"$1" # there before the server in the background opens it
    openssl s_server -accept 127.0.0.1:0 -www -cert leaf.pem -key leaf.key -cert_chain "$2" >"$1" 2>&1 </dev/null &
    for ((i = 0; i < 300; i++)); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$1")
        [[ -z $port ]] || return 0
        sleep 0.1
    done
    bad "no server: $(head -n 3 "$1")"
}
serve a.log sub.pem
a=$port
serve b.log sub-cross.pem
b=$port

dir=$T/trust
s=(--store "openssl:$dir")
clean() { rm -rf "$dir" "$state"; }
using() { env SSL_CERT_FILE="$dir/anchors.pem" SSL_CERT_DIR="$dir/anchors" "$@"; }
openssl_asks() { using openssl s_client -connect "127.0.0.1:$1" -servername localhost -verify_hostname localhost -verify_return_error; }
curl_asks() {
    curl -sS -o "$T/page" --cacert "$dir/anchors.pem" --capath "$dir/anchors" --resolve "localhost:$1:127.0.0.1" "https://localhost:$1/"
}
# Python as it is, and as Python 3.13 asks for chains, but for X509_V_FLAG_X509_STRICT
python_asks() { python_with 'c.verify_flags &= ~0x80000' "$1"; }
partial_asks() { python_with 'c.verify_flags |= 0x80000' "$1"; }
python_with() {
    using "$python" -c 'import socket, ssl, sys
c = ssl.create_default_context()
exec(sys.argv[2])
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    c.wrap_socket(s, server_hostname="localhost")' "$2" "$1"
}
trusting() {
    local client names=()
    for client in openssl curl python partial; do
        run "${client}_asks" "$1"
        [[ $rc -ne 0 ]] || names+=("$client")
    done
    echo "${names[*]}"
}
all='openssl curl python partial'
# verify as a program that is given intermediates.pem
given() {
    local untrusted=()
    [[ ! -e $dir/intermediates.pem ]] || untrusted=(-untrusted "$dir/intermediates.pem")
    openssl verify -auth_level 2 -purpose sslserver -verify_hostname localhost -no-CAfile -no-CAstore \
        -CApath "$dir/anchors" -untrusted sub.pem "${untrusted[@]}" leaf.pem
}

echo "# the lines of docs/openssl.md"
run xr "${s[@]}" install --yes old.pem
expect_exit 0 'a root and a cross certificate' xr "${s[@]}" install cross.pem
expect_grep 'the install says who reads it' 'programs do not read intermediates/ by themselves' "$out"
awk '/^So:$/ { on = 1 } on && /^```/ { if (on++ == 2) exit; next } on == 2' "$page" >lines
expect_eq 'the page has them' "$(grep -cE 'SSL_CERT_(FILE|DIR)=|curl|python3|openssl s_client|openssl verify' lines)" 5
sed -i "s#/tmp/trust#$dir#g; s#server\.example:443#localhost:$b#g; s#server\.example/#localhost:$b/#g; s#server\.example#localhost#g; s#nii-[a-z0-9-]*.pem#sub.pem#" lines
set_them=$(grep '^export' lines)
while IFS= read -r line; do
    expect_exit 0 "works as printed: ${line%% *} ${line#* }" bash -c "$set_them"$'\n'"$line"
    if [[ $line != *intermediates.pem* ]]; then
        expect_exit "$([[ $line == curl* ]] && echo 60 || echo 1)" 'and refuses the server that does not send the cross certificate' \
            bash -c "$set_them"$'\n'"${line//localhost:$b/localhost:$a}"
    fi
done < <(grep -v '^export' lines)
# Only a mount can show that what the system trusts is not read: it would make that server trusted.
system=/etc/ssl/certs
private=(unshare --mount --propagation private)
[[ $(id -u) -eq 0 ]] || private+=(--map-root-user)
mkdir system
cp new.pem system
openssl rehash system
cp new.pem system/ca-certificates.crt
beside() { "${private[@]}" bash -c "mount --bind '$T/system' $system && $1"; }
if [[ -d $system ]] && beside true 2>/dev/null; then
    while IFS= read -r line; do
        [[ $line != *intermediates.pem* ]] || continue
        expect_exit "$([[ $line == curl* ]] && echo 60 || echo 1)" "what the system trusts does not count: ${line%% *}" \
            beside "$set_them; ${line//localhost:$b/localhost:$a}"
    done < <(grep -v '^export' lines)
    expect_exit 2 "what the system trusts does not count: openssl verify" beside "$set_them; openssl verify sub.pem"
    expect_exit 0 'with one of the two variables it does: Python' \
        beside "SSL_CERT_DIR=$dir/anchors $python -c 'import urllib.request as u; u.urlopen(\"https://localhost:$a/\")'"
    expect_exit 0 'with one of the two options, too: curl' \
        beside "curl -sS -o /dev/null --cacert $dir/anchors.pem https://localhost:$a/"
else
    skip 'not here: mounts, or /etc/ssl/certs'
fi

echo '# what programs do not read'
caveat='^openssl:.*: yes: programs do not read intermediates/ by themselves: the server must send'
expect_eq 'no client trusts a server that does not send the cross certificate' "$(trusting "$a")" ''
expect_exit 0 'with the store alone there is a path' xr "${s[@]}" verify --host localhost chain-a.pem
expect_grep 'and the answer says what it takes' "$caveat" "$out"
run given
expect_eq 'openssl verify takes it, when it is given intermediates.pem' "$rc" 0
expect_eq 'all trust a server that sends it' "$(trusting "$b")" "$all"
expect_exit 0 'so do we' xr "${s[@]}" verify --host localhost chain-b.pem
expect_no_grep 'and nothing is missing' 'do not read' "$out"
expect_exit 0 'the cross certificate itself' xr "${s[@]}" verify cross.pem
expect_no_grep 'needs nothing of intermediates/' 'do not read' "$out"

echo '# two answers'
clean
partial='OpenSSL with partial chains'
expect_exit 0 'a cross certificate as anchor' xr "${s[@]}" install --yes --as anchor cross.pem
expect_grep 'is verified as programs differ' "$partial: yes" "$out"
expect_eq 'curl and Python with partial chains trust it' "$(trusting "$a")" 'curl partial'
expect_exit 6 'the answer of the others is no' xr "${s[@]}" verify --host localhost chain-a.pem
expect_grep 'theirs is yes' "^  $partial: yes\$" "$out"
run xr "${s[@]}" --json verify --host localhost chain-a.pem
expect_json 'as JSON' 'stores[].ok' false
expect_json 'with both' 'stores[].also[].{by,ok}' "$partial"$'\t''true'
expect_no_grep 'nobody is named who was not asked' 'GnuTLS|Go |Python' "$out"
run xr "${s[@]}" remove cross.pem
run xr "${s[@]}" install --yes --as anchor foreign.pem
run xr "${s[@]}" install --yes cross.pem sub.pem
expect_exit 6 'a path that needs intermediates/ and partial chains' xr "${s[@]}" verify --host localhost leaf.pem
expect_grep 'says so too' "^  $partial: yes: programs do not read intermediates/" "$out"

echo '# which of several cross certificates'
# whatever NAME ANSWER CERTIFICATE...: each order of installation gives the same answer and bundle
whatever() {
    local name=$1 wanted=$2 first='' order
    shift 2
    for order in "$*" "$(printf '%s\n' "$@" | tac | xargs)"; do
        clean
        run xr "${s[@]}" install --yes old.pem
        for file in $order; do
            run xr "${s[@]}" install --yes "$file"
            [[ $rc -eq 0 ]] || bad "$name: install of $file: exit $rc"
        done
        [[ -n $first ]] || first=$(cat "$dir/intermediates.pem")
        expect_eq "$name: the same bundle after $order" "$(cat "$dir/intermediates.pem")" "$first"
        run given
        expect_eq "$name: openssl verify says $wanted with it" "$([[ $rc -eq 0 ]] && echo yes || echo no)" "$wanted"
        run xr "${s[@]}" --json verify --host localhost chain-a.pem
        expect_json "$name: so do we" 'stores[].ok' "$([[ $wanted == yes ]] && echo true || echo false)"
    done
}
whatever 'one is limited to other names' yes limited.pem cross.pem
whatever 'one has a weak signature' yes weak.pem cross.pem
whatever 'one leads to a root that is not here' yes foreign.pem cross.pem
whatever 'three at once' yes foreign.pem limited.pem weak.pem cross.pem
whatever 'one that is limited to our name' yes foreign.pem local.pem
whatever 'none is good' no weak.pem limited.pem
run xr "${s[@]}" verify --host localhost chain-a.pem
expect_grep 'a no has the reason of the first, as OpenSSL gives it' 'no: excluded subtree violation' "$out"
for order in 'local.pem limited.pem' 'limited.pem local.pem'; do
    clean
    run xr "${s[@]}" install --yes old.pem
    for file in $order; do
        run xr "${s[@]}" install --yes "$file"
    done
    run xr "${s[@]}" --json verify --host localhost chain-a.pem
    expect_json "limited to different names: yes after $order" 'stores[].path[]' "$(
        for file in leaf sub local old; do sha "$file.pem"; done | xargs
    )"
    run xr "${s[@]}" remove limited.pem
    run given
    expect_eq 'as openssl verify says with that path' "$rc" 0
done
clean
run xr "${s[@]}" install --yes old.pem
run xr "${s[@]}" install --yes cross.pem
cat leaf.pem sub.pem limited.pem >chain-limited.pem
expect_exit 6 'what the server sends is not passed by: no client would' xr "${s[@]}" verify --host localhost chain-limited.pem

echo '# CRLs are advisory'
clean
make_pki "$T/pki"
revoked=$P/old-root-revokes-cross.crl.pem
run xr "${s[@]}" install --yes "$P/old-root.pem"
cat "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem" >chain.pem
crls='with the CRLs of this store, which programs use only if told to'
run xr "${s[@]}" verify --host localhost chain.pem
expect_no_grep 'without CRLs there is nothing to say' 'CRL' "$out"
expect_exit 0 'a CRL is installed without more ado' xr "${s[@]}" install "$revoked"
expect_grep 'its report says what it does' 'programs use CRLs only if they are told to \(-crl_check' "$out"
run xr "${s[@]}" stores
expect_grep 'so does the list of stores' 'crl \(advisory\)' "$out"
ask_openssl() {
    openssl verify -no-CAfile -no-CAstore -CApath "$dir/anchors" -untrusted chain.pem "$@"
}
expect_exit 0 'openssl verify as it is does not know of it' ask_openssl "$P/leaf.pem"
expect_exit 0 'our answer is that of programs as they are' xr "${s[@]}" verify --host localhost chain.pem
expect_grep 'beside it, what the CRL says' "^  $crls: no: certificate revoked, at Crossroot Test New Root" "$out"
cat "$dir/crls/"*.r0 >crls.pem
run ask_openssl -crl_check -CRLfile crls.pem "$P/cross.pem"
expect_grep 'as openssl verify says, when it is told' 'certificate revoked' "$err"
run xr "${s[@]}" install "$P/sub.crl.pem"
run xr "${s[@]}" --json verify --host localhost chain.pem
expect_json 'as JSON' 'stores[].also[].ok' 'true false'

echo '# a hashed directory'
mkdir -p hashed own/anchors
cp old.pem new.pem hashed
cp old.pem own/anchors
openssl rehash hashed own/anchors
for name in hashed own/anchors; do
    snap "$name" >before
    expect_exit 1 "$name is noticed" xr --store "openssl:$T/$name" install --yes cross.pem other.pem
    expect_grep 'the reason is in words' 'this is a hashed directory itself' "$out"
    run xr --store "openssl:$T/$name" stores
    expect_grep 'stores says it too' 'writable +this is a hashed directory itself' "$out"
    expect_exit 1 'its verifier cannot tell' xr --store "openssl:$T/$name" verify leaf.pem
    expect_grep 'for the same reason' 'cannot tell: this is a hashed directory itself' "$out"
    snap "$name" >after
    expect_same 'nothing is made in it' before after
done
run xr --store "openssl:$T/own/anchors" stores
expect_grep 'whoever names what a store has inside is told to name the store' 'name its parent directory' "$out"
expect_exit 0 'that is a store' xr --store "openssl:$T/own" install --yes new.pem
run xr --store "openssl:$T/own" list
expect_grep 'with what was there' "$(sha old.pem | head -c 16)" "$out"

echo '# a record of a removal that a crash cut off'
mkdir -p torn/anchors
cp old.pem torn/anchors/fi # without a link: it does not count
expect_exit 0 'a store with a file that does not count' xr --store "openssl:$T/torn" install --yes new.pem
printf 'gone anchors/fi' >>torn/.crossroot # as of a name that goes on
run xr --store "openssl:$T/torn" install --yes cross.pem
expect_exit 0 'a cut record removes nothing' test -e torn/anchors/fi
printf 'gone anchors/fi\n' >>torn/.crossroot
run xr --store "openssl:$T/torn" remove --yes cross.pem
expect_exit 1 'a whole one is finished' test -e torn/anchors/fi
finish
