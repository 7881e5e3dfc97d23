#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# verifier.sh PROBE TWINS system|browser: what libnss3 says of databases that certutil made, with the
# system's libraries or those that come with a browser.
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
probe=$1
twins=$2
libs=()
if [[ ${3:?} == browser ]]; then
    dir=$(browser_libs) || skip_all 'no browser with libraries of NSS'
    libs=(-l "$dir")
fi
command -v certutil >/dev/null || skip_all 'no certutil'
full=0 # libpkix, which tries every path
((${#libs[@]} > 0)) || full=1

cd "$T"
"$XR_MKPKI" pki
mkdir tw
"$twins" tw
printf 'a-password\n' >pw

# db NAME [FILE TRUST]…: a database with certificates of pki or tw
db() {
    local name=$1 file form
    shift
    mkdir "$name"
    certutil -N -d "sql:$name" "${password[@]}"
    while (($# > 0)); do
        file=tw/$1.der form=()
        [[ -e $file ]] || file=pki/$1.pem form=(-a)
        certutil -A -d "sql:$name" -n "$1" -t "$2" -i "$file" -f pw "${form[@]}"
        shift 2
    done
}
password=(--empty-password)

# says WHAT EXPECTED [OPTION]… DATABASE FILE…: EXPECTED is a pattern for the line
says() {
    local what=$1 expected=$2 line code=0
    shift 2
    [[ $expected == failed* ]] && code=1
    "$probe" "${libs[@]}" "$@" >"$out" 2>"$err" && rc=0 || rc=$?
    line=$(head -n 1 "$out")
    # shellcheck disable=SC2053 # a pattern
    if [[ $line == $expected && $(tail -n 1 "$out") == ended && $rc -eq $code && ! -s $err ]]; then
        ok "$what"
    else
        bad "$what: wanted '$expected'"
        show_output
    fi
}

leaf=(pki/leaf.pem)
sub=(pki/leaf.pem pki/sub.pem)
cross=(pki/leaf.pem pki/sub.pem pki/cross.pem)

# ---- what real browsers say, for leaf, leaf + sub, leaf + sub + cross; then the cross as issuer
db nothing
db old old-root C,,
db old-cross old-root C,, cross ,,
db all old-root C,, cross ,, sub ,,
db cross cross ,,
db cross-anchor cross C,,
db cross-distrusted old-root C,, cross p,p,p
db old-distrusted old-root p,p,p cross ,,
db email old-root ,C, cross ,,
while read -r name one two three four; do
    says "$name, leaf" "$one |*" "$name" "${leaf[@]}"
    says "$name, leaf and sub" "$two |*" "$name" "${sub[@]}"
    says "$name, leaf, sub and cross" "$three |*" "$name" "${cross[@]}"
    says "$name, the cross as an issuer" "$four |*" "$name" pki/cross.pem
done <<'TABLE'
nothing no no no no
old no no yes yes
old-cross no yes yes yes
all yes yes yes yes
cross no no no no
cross-anchor no yes yes yes
cross-distrusted no no no no
old-distrusted no no no no
email no no no no
TABLE

says "the path, leaf first" "yes | leaf.pem sub.pem cross.pem old-root.pem | libnss3 3.*" \
    old-cross "${cross[@]}" pki/old-root.pem
says "an anchor's own path" "yes | old-root.pem | *" old pki/old-root.pem
says "a cross that is an anchor ends the path" "yes | cross.pem | *" cross-anchor pki/cross.pem
says "a no has no path and a reason" "no | | libnss3 3.* | ?*SEC_ERROR_UNKNOWN_ISSUER*" nothing "${leaf[@]}"
says "an email anchor serves email" "yes | *" -p email email pki/cross.pem
says "and not code" "no | *" -p code email pki/cross.pem
if ((full)); then
    "$probe" old "${leaf[@]}" >"$out"
    grep -q 'built-in' "$out" && bad "the built-in roots were not loaded" || ok "built-in roots loaded"
else
    says "it says that the built-in roots were not asked" "*built-in roots were not asked" old "${leaf[@]}"
fi

# A built-in root, and the user's own word about it, which must outrank the module's.
builtin=/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt
if ((full)) && [[ -e $builtin ]]; then
    cp "$builtin" pki/builtin.pem
    db distrusts-builtin builtin p,p,p
    says "a built-in root" "yes | builtin.pem | *" nothing pki/builtin.pem
    says "distrusted by the user" "no | *" distrusts-builtin pki/builtin.pem
fi

# ---- purposes, hosts, times
db r r CT,C,C
says "a server" "yes | *" r tw/r-leaf.der
says "a client's certificate is no server's" "no | *" r tw/r-client.der
says "client" "yes | *" -p client r tw/r-client.der
says "email" "yes | *" -p email r tw/r-email.der
says "code" "yes | *" -p code r tw/r-code.der
says "NSS knows no time stamping" "unknown | *" -p time r tw/r-leaf.der
says "its host" "yes | *" -n localhost r tw/r-leaf.der
says "its address" "yes | *" -n 127.0.0.1 r tw/r-leaf.der
says "another host" "no *BAD_CERT_DOMAIN*" -n other.example r tw/r-leaf.der
says "a CA needs no host" "yes | *" r tw/r.der
# A server's certificate that says it is a CA, below a root and signed by itself.
ca_server() { # NAME OPTION…
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'subjectAltName=DNS:good.example' \
        -addext 'keyUsage=critical,digitalSignature,keyCertSign' "${@:2}" 2>/dev/null
}
ca_server ca-root -x509 -days 30 -out pki/ca-root.pem
ca_server ca-leaf -out ca-leaf.csr
openssl x509 -req -in ca-leaf.csr -copy_extensions copy -CA pki/ca-root.pem -CAkey ca-root.key -days 20 \
    -set_serial 7 -out pki/ca-leaf.pem 2>/dev/null
db ca-server ca-root C,,
for file in pki/ca-leaf.pem pki/ca-root.pem; do
    says "$file is a CA: its host" "yes | *" -n good.example ca-server $file
    says "another host" "no *BAD_CERT_DOMAIN*" -n other.example ca-server $file
    says "no host: an issuer" "yes | *" ca-server $file
done
ca_server ca-eku -addext extendedKeyUsage=serverAuth -out ca-eku.csr
openssl x509 -req -in ca-eku.csr -copy_extensions copy -CA pki/ca-root.pem -CAkey ca-root.key -days 20 \
    -set_serial 8 -out pki/ca-eku.pem 2>/dev/null
says "with an EKU libnss3 takes it for no server" "no *CERT_TYPE*" -n good.example ca-server pki/ca-eku.pem
says "nor for another host" "no *" -n other.example ca-server pki/ca-eku.pem
says "it is no issuer of whom it does not know" "no | *" -n good.example r pki/ca-leaf.pem
says "an expired leaf" "no *EXPIRED*" r tw/r-old-leaf.der
says "when it was valid" "yes | *" -t $(($(date +%s) - 30 * 86400)) r tw/r-old-leaf.der
says "an issuer before its time" "no | *" -t 1000 r tw/r.der
for at in 0 -1 253402300800 9223372036854; do
    says "at $at" "no | *" -t $at r tw/r-leaf.der
done
for at in 9223372036854775807 -9223372036854775808 9223372036855; do
    says "at $at, past what NSS can say" "unknown | *" -t $at r tw/r-leaf.der
done
says "a name outside the constraints" "no *CERT_NOT_IN_NAME_SPACE*" r tw/narrow-leaf.der tw/narrow.der
says "an issuer for email" "yes | sub.pem cross.pem old-root.pem | *" \
    -p email email pki/{sub,cross,old-root}.pem
says "an issuer under nothing" "no | *" -p email nothing pki/{sub,cross,old-root}.pem

# ---- twins
named=$(sha256sum tw/r.der)
says "somebody else's key under the root's name" "no *another key (SHA-256 ${named%% *})*" r tw/evil-leaf.der
says "the same with the false root" "no *another key (SHA-256 ${named%% *})*" r tw/evil-leaf.der tw/evil.der
says "the false root with the root's own number" "unknown *REUSED*: SHA-256 ${named%% *}*" r tw/evil.der
says "beside a false root a good leaf stays good" "yes | *" r tw/r-leaf.der tw/evil.der
db again r-again C,, r p,p,p
says "a root's distrust leaves its twin" "yes | *" again tw/r-leaf.der
says "and holds for itself" "no | *" again tw/r.der
db expired r-expired C,,
says "an expired anchor" "no | *" expired tw/r-leaf.der
says "nor does a twin without trust help" "no | *" expired tw/r-leaf.der tw/r-again.der
db with-expired r C,, r-expired ,,
says "an expired twin is in nobody's way" "yes | *" with-expired tw/r-leaf.der
db peer r-leaf P,,
says "a peer is trusted as itself" "yes | r-leaf.der | *" peer tw/r-leaf.der
db leaf-distrusted r C,, r-leaf p,p,p
says "a distrusted leaf" "no | *" leaf-distrusted tw/r-leaf.der
db two r C,, cross-r ,, cross-other ,,
if ((full)); then two=yes; else two=unknown; fi
says "two crosses, the newer leads nowhere: never a no" "$two | *" two tw/new-leaf.der

# One chain must not help the next: libpkix remembers.
"$probe" "${libs[@]}" r tw/new-leaf.der tw/cross-r.der + tw/new-leaf.der tw/new.der >"$out" || true
[[ $(cut -c1-4 "$out" | tr '\n' ' ') == 'yes  no | ende ' ]] && ok "questions are apart" ||
    { bad "questions are apart"; show_output; }

# ---- hostile bytes
says "a spoilt signature" "no | *" r tw/spoilt.der
for file in cut empty noise nested mib; do
    says "$file" "unknown | *" r "tw/$file.der"
done
says "rubbish beside a good leaf" "yes *5 of the cert*" r tw/r-leaf.der tw/{cut,empty,noise,nested,mib}.der

# ---- a password
password=(-f pw)
db locked r C,, r-code p,p,p
says "no password is needed" "yes *asked without the password" locked tw/r-leaf.der
password=(--empty-password)

# ---- without a key4.db
for name in old-cross cross-distrusted old-distrusted; do
    cp -r "$name" "keyless-$name"
    rm "keyless-$name/key4.db"
done
says "no key4.db" "yes | leaf.pem sub.pem cross.pem old-root.pem | *" keyless-old-cross "${cross[@]}" pki/old-root.pem
says "a distrusted cross" "no | *" keyless-cross-distrusted "${cross[@]}"
says "a distrusted root" "no | *" keyless-old-distrusted "${cross[@]}"
if [[ -e distrusts-builtin ]]; then
    rm distrusts-builtin/key4.db
    says "a built-in root, distrusted by the user" "no | *" distrusts-builtin pki/builtin.pem
fi
[[ -z $(find . -path '*keyless*' -name key4.db) ]] && ok "and none is made" || bad "key4.db was made"

# ---- databases that are none
mkdir missing broken
says "a new profile has no database yet" "no \| \| *" missing tw/r-leaf.der
[[ -z $(ls missing) ]] && ok "and none made" || bad "it made $(ls missing)"
printf 'rubbish' | tee broken/cert9.db >broken/key4.db
says "a broken one" "failed*SEC_ERROR*" broken tw/r-leaf.der

says "no libraries there" "failed*cannot load*" -l "$T/missing" r tw/r-leaf.der

# ---- no module of the user's, no network, nothing written
if command -v strace >/dev/null && ((!XR_SLOW)); then
    cp -r r hostile
    printf 'library=%s\nname=evil\n\n' "$T/evil.so" >hostile/pkcs11.txt
    before=$(cd hostile && sha256sum ./*)
    strace -f -o trace "$probe" "${libs[@]}" hostile tw/r-leaf.der >"$out"
    grep -q '^yes' "$out" && ok "a hostile pkcs11.txt changes nothing" || bad "hostile pkcs11.txt"
    grep -qE 'cert9\.db' trace && ! grep -qE 'evil\.so|pkcs11\.txt' trace && ok "nor is it read" ||
        bad "it is read: $(grep -E 'evil\.so|pkcs11\.txt' trace | head -n 1)"
    ! grep -E 'socket\(|connect\(' trace && ok "no network" || bad "network"
    [[ $before == "$(cd hostile && sha256sum ./*)" ]] && ok "nothing written" || bad "written"
fi
finish
