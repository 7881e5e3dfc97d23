#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares xr-pkextract with the real `trust extract`, byte for byte, on directories made here.
#
#   extract.sh BUILD-DIR [TRUST-PROGRAM MODULE]
#
# XR_P11FILES_FLAGS: as the real one's version needs them; by default those of p11-kit 0.24.1.
# p11-kit ignores a user's configuration for root, so root becomes nobody. Exit 77: no p11-kit.
set -euo pipefail

build=$1
trust=${2:-$(command -v trust || true)}
module=${3:-}
read -ra flags <<<"${XR_P11FILES_FLAGS---readdir --first-rdn}"
for at in /usr/lib/*/pkcs11/p11-kit-trust.so /usr/lib*/pkcs11/p11-kit-trust.so; do
    [[ -n $module || ! -e $at ]] || module=$at
done
[[ -n $trust && -n $module ]] || {
    echo "skip  no p11-kit here"
    exit 77
}
pkextract=$build/tests/cacerts/xr-pkextract
tmp=$(mktemp -d "${TMPDIR:-/tmp}/xr-p11files.XXXXXX")
trap 'chmod -R u+w "$tmp"; rm -rf -- "$tmp"' EXIT
chmod 755 "$tmp"
cd "$tmp"
export LC_ALL=C.UTF-8
failures=0 compared=0

as_user=()
((EUID != 0)) || as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# --- the real one

# real TOKENS DESTINATION ARGS...
real() {
    local tokens=$1 to=$2
    shift 2
    mkdir -p home/.config/pkcs11/modules out
    chmod 777 out
    echo 'user-config: only' >home/.config/pkcs11/pkcs11.conf
    printf 'module: %s\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "$module" "$tokens" \
        >home/.config/pkcs11/modules/x.module
    "${as_user[@]}" env -i PATH="$PATH" HOME="$tmp/home" XDG_CONFIG_HOME="$tmp/home/.config" \
        SOURCE_DATE_EPOCH=1 "$trust" extract "$@" "$to" 2>>real.log ||
        echo "trust extract $* failed" >>real.log
}

# --- comparing

tree() { # of a directory: names, what links point to, what files hold
    (cd "$1" && find . -type l -printf '%P -> %l\n' -o -type f -printf '%P ' -exec sh -c 'sha256sum <"$1"' - {} \; |
        sort)
}

# one_line_labels BUNDLE: ours have spaces where p11-kit writes control characters
one_line_labels() {
    LC_ALL=C awk '
        /^-----BEGIN/ && label != "" { print label; label = "" }
        label != "" || /^# / {
            gsub(/[\001-\037\177]/, " ")
            label = label == "" ? $0 : label " " $0
            next
        }
        { print }' "$1" >rewritten
    chmod u+w "$1"
    cat rewritten >"$1"
}

# check NAME FORMAT FILTER PURPOSE COMMENT TOKEN...
check() {
    local name=$1 format=$2 filter=$3 purpose=$4 comment=$5 tokens ours theirs options
    shift 5
    options=(--format="$format" --filter="$filter")
    [[ $purpose == - ]] || options+=(--purpose="$purpose")
    [[ $comment == - ]] || options+=("$comment")
    tokens=$(IFS=:; echo "$*")
    ours=$tmp/ours.$compared theirs=$tmp/out/theirs.$compared
    compared=$((compared + 1))
    real "$tokens" "$theirs" "${options[@]}"
    "$pkextract" "${flags[@]}" "$format" "$filter" "$purpose" "$comment" "$ours" "$@"
    [[ $comment == - ]] || one_line_labels "$theirs"
    # neither makes a directory of nothing the same way
    [[ ! -d $theirs ]] || { chmod u+rwx "$theirs" && mkdir -p "$ours"; }
    local differ=0
    if [[ -d $theirs ]]; then
        diff <(tree "$theirs") <(tree "$ours") >difference || differ=1
    elif [[ $format == java-cacerts ]]; then
        cmp "$theirs" "$ours" >difference 2>&1 || "$pkextract" --same "$theirs" "$ours" || differ=1
    else
        cmp "$theirs" "$ours" >difference 2>&1 || differ=1
    fi
    if ((differ)); then
        failures=$((failures + 1))
        echo "not ok - $name: $format $filter $purpose $comment"
        sed 's/^/    /' difference | head -n 20
        if [[ -n ${XR_KEEP:-} ]]; then
            rm -rf "$XR_KEEP"
            cp -r "$tmp" "$XR_KEEP"
            exit 1
        fi
    else
        echo "ok - $name: $format $filter $purpose $comment ($(stat -c %s "$ours"))"
    fi
    rm -rf "$ours" "$theirs"
}

# all NAME TOKEN...: Fedora's seven, openSUSE's two, and what shows the most
comment=--comment
all() {
    local name=$1 purpose
    shift
    check "$name" openssl-bundle certificates - $comment "$@"
    for purpose in server-auth email code-signing; do
        check "$name" pem-bundle ca-anchors $purpose $comment "$@"
    done
    check "$name" java-cacerts ca-anchors server-auth - "$@"
    check "$name" edk2-cacerts ca-anchors server-auth - "$@"
    check "$name" pem-directory-hash ca-anchors server-auth - "$@"
    check "$name" pem-bundle ca-anchors - - "$@"
    check "$name" openssl-directory ca-anchors - - "$@"
    check "$name" pem-bundle certificates - $comment "$@"
    check "$name" java-cacerts certificates - - "$@"
    check "$name" openssl-directory certificates - - "$@"
}

# --- sources

"$build/tests/pki/xr-mkpki" .  >/dev/null 2>&1 || true
mkdir pki
"$build/tests/pki/xr-mkpki" pki >/dev/null

token() { mkdir -p "$1/anchors" "$1/blocklist"; }
percent() { od -An -v -tx1 | tr -d '\n' | tr ' ' '%'; }
der() { openssl x509 -in "$1" -outform DER; }
spki() { openssl x509 -in "$1" -noout -pubkey; }
# Extension: OID (DER hex), critical?, value hex
extension() {
    local oid=$1 critical=$2 value=$3 body
    body=$oid$critical$(printf '04%02x' $((${#value} / 2)))$value
    printf '30%02x%s' $((${#body} / 2)) "$body" | sed 's/../%&/g'
}
eku=0603551d25 server=06082b06010505070301 email=06082b06010505070304 any=0604551d2500
purposes() { # DER of an EKU: OIDs in hex
    local all
    all=$(printf '%s' "$@")
    printf '30%02x%s' $((${#all} / 2)) "$all"
}
# attach CERT OID VALUE [LABEL]: an object that attaches an extension to its key
attach() {
    printf '[p11-kit-object-v1]\nclass: x-certificate-extension\nlabel: "%s"\n' "${4:-attached}"
    printf 'value: "%s"\n' "$(extension "$2" '' "$3")"
    spki "$1"
    echo
}
# object CERT LINE...: a certificate with attributes
object() {
    local cert=$1
    shift
    printf '[p11-kit-object-v1]\n'
    printf '%s\n' "$@"
    openssl x509 -in "$cert"
    echo
}
# names CERT issuer|serial: percent-encoded DER of version 3's
names() {
    local at head len which='prim: INTEGER'
    [[ $2 == serial ]] || which='cons: SEQUENCE'
    read -r at head len < <(openssl x509 -in "$1" -outform DER | openssl asn1parse -inform DER |
        sed -n "/d=2 .*$which/s/^ *\\([0-9]*\\):d=2 *hl= *\\([0-9]*\\) *l= *\\([0-9]*\\) .*/\\1 \\2 \\3/p" |
        sed -n "$([[ $2 == serial ]] && echo 1 || echo 2)p")
    der "$1" | tail -c +$((at + 1)) | head -c $((head + len)) | percent
}

# --- cases

mozilla=$(compgen -G '/usr/share/ca-certificates/mozilla/*.crt' || true)
if [[ -n $mozilla ]]; then
    token moz
    cp /usr/share/ca-certificates/mozilla/*.crt moz/anchors
    all "the machine's Mozilla roots" "$tmp/moz"
fi

all "no directory" "$tmp/nowhere"
token empty
all "empty directories" "$tmp/empty"

token every
cp pki/*.pem pki/*.der pki/*.p7b pki/*.key pki/*.html pki/*.txt every/anchors
all "every fixture as an anchor" "$tmp/every"
token base
cp pki/*.pem pki/*.der base
all "every fixture in the base directory" "$tmp/base"
token some
cp pki/*.pem some/anchors
cp pki/cross.pem pki/t61.pem some/blocklist
all "blocklist by certificate, which blocks its key" "$tmp/some"

# open BYTES-OF-HEAD: DER with a length that two zeros tell
open() { printf '\060\200' && tail -c +$(($1 + 1)) && printf '\0\0'; }
token open
der pki/old-root.pem | open 4 >open/anchors/outer.der
der pki/utf8.pem | open 4 >open/base.der
der pki/new-root.pem | open 4 >open/blocklist/new.der
cp pki/new-root.pem pki/bmp.pem open/anchors
all "lengths that are not said" "$tmp/open"

token mixed
token second
for i in 1 2 3; do cp pki/old-root.pem "mixed/anchors/copy-$i.pem"; done
cat pki/old-root.pem pki/new-root.pem pki/rsa-root.pem >mixed/anchors/several.pem
sed 's/$/\r/' pki/utf8.pem >mixed/anchors/crlf.pem
printf %s "$(cat pki/bmp.pem)" >mixed/anchors/no-newline.pem
der pki/t61.pem >mixed/anchors/t61.der
{ der pki/t61.pem; echo; } >mixed/anchors/trailing.der
head -c 700 pki/old-root.pem >mixed/anchors/cut.pem
{ cat pki/v1-root.pem; head -c 300 pki/new-root.pem; cat pki/email-root.pem; } >mixed/anchors/middle.pem
head -c 3000 /dev/urandom >mixed/anchors/junk
: >mixed/anchors/.empty
cp pki/sibling-root.pem mixed/anchors/.hidden
cp pki/sibling-root.pem 'mixed/anchors/a name with spaces~'
mkdir mixed/anchors/deeper mixed/other
cp pki/ed25519-root.pem mixed/anchors/deeper
cp pki/ed25519-root.pem mixed/other
ln -s ../../pki/constrained-root.pem mixed/anchors/link.pem
ln -s nowhere mixed/anchors/dangling.pem
sed 's/ CERTIFICATE/ X509 CERTIFICATE/' pki/rsapss-root.pem >mixed/anchors/x509.pem
{ echo 'Comment: before'; sed '1a Proc-Type: 4\n' pki/rsapss-root.pem; echo after; } >mixed/anchors/headers.pem
cp pki/old-root.pem pki/sub.pem pki/leaf.pem pki/new-root.pem second/anchors
cp pki/loop-a.pem second
all "several files, tokens and formats" "$tmp/mixed" "$tmp/second"
all "the other way round, and a token that is a file" "$tmp/second" "$tmp/pki/email-root.pem" "$tmp/mixed"

token stapled
{ attach pki/old-root.pem $eku "$(purposes $server)"; object pki/old-root.pem 'trusted: true'; } >stapled/a.p11-kit
{ object pki/new-root.pem 'trusted: true' 'label: "New with%20label"'
  attach pki/new-root.pem $eku "$(purposes $email $server)"
  attach pki/new-root.pem $eku "$(purposes $email)"; } >stapled/b.p11-kit
attach pki/rsa-root.pem $eku "$(purposes $any)" >stapled/c.p11-kit
cp pki/rsa-root.pem pki/utf8.pem stapled/anchors
attach pki/utf8.pem $eku 3000 >stapled/d.p11-kit
attach pki/bmp.pem $eku 300406032b >stapled/broken.p11-kit
cp pki/bmp.pem stapled/anchors
attach pki/leaf.pem 0603551d13 30030101ff >stapled/e.p11-kit
cp pki/leaf.pem stapled/anchors/leaf.pem
{ attach pki/t61.pem 0603551d13 3000; attach pki/t61.pem 0603551d13 30030101ff; } >stapled/anchors/f.p11-kit
object pki/t61.pem 'trusted: true' 'certificate-category: authority' >stapled/anchors/g.p11-kit
object pki/v1-root.pem 'trusted: true' 'certificate-category: other-entry' >stapled/h.p11-kit
{ object pki/email-root.pem 'trusted: true' 'nss-server-distrust-after: "%32%30%30%31%30%31%30%30%30%30%30%30%5a"' \
    'nss-email-distrust-after: false' 'nss-mozilla-ca-policy: true' 'modifiable: false'; } >stapled/i.p11-kit
attach pki/sibling-root.pem 060a2b060104019977060a01 "$(purposes $email)" >stapled/j.p11-kit
attach pki/sibling-root.pem 0603551d0e 0403616263 >>stapled/j.p11-kit
attach pki/sibling-root.pem 0603551d1e 3000 >>stapled/j.p11-kit
cp pki/sibling-root.pem stapled/anchors
all "attached extensions" "$tmp/stapled"
token apart
attach pki/old-root.pem $eku "$(purposes $email)" >apart/x.p11-kit
cp pki/old-root.pem pki/new-root.pem apart/anchors
all "attached in one token only" "$tmp/apart" "$tmp/stapled"
all "attached in the other token only" "$tmp/stapled" "$tmp/apart"

token persist
object pki/old-root.pem 'trusted: true' 'unknown-attribute: 1' >persist/unknown.p11-kit
object pki/new-root.pem 'trusted: true' 'key-type: 0' >persist/refused.p11-kit
{ object pki/rsa-root.pem 'trusted: true'; object pki/utf8.pem 'trusted: true' 'key-type: 0'
  object pki/bmp.pem 'trusted: true'; } >persist/half.p11-kit
object pki/sub.pem 'trusted: "yes"' >persist/quoted.p11-kit
object pki/t61.pem 'trusted: 1' >persist/number.p11-kit
object pki/v1-root.pem 'trusted: true' 'label: ""' >persist/empty-label.p11-kit
object pki/email-root.pem 'trusted:true' 'label  :   "spaces # \"and\" %e2%82%ac"' '# comment' '' >persist/spaces.p11-kit
object pki/sibling-root.pem 'trusted: true' 'label: "nul%00after"' 'id: "%01"' 'start-date: "20200101"' >persist/nul.p11-kit
{ printf '[other]\nfoo\n' ; object pki/loop-a.pem 'trusted: true'; } >persist/other.p11-kit
{ printf '[other]\nfoo: bar\n'; object pki/loop-b.pem 'trusted: true'; } >persist/skipped.p11-kit
{ printf 'trusted: true\n'; object pki/far-future.pem 'trusted: true'; } >persist/before.p11-kit
object pki/in-2051.pem 'trusted: true' 'token: false' >persist/token.p11-kit
object pki/last-of-2049.pem 'trusted: true' 'class: certificate' 'certificate-type: x-509' 'private: false' '134: true' >persist/more.p11-kit
object pki/first-of-2050.pem 'trusted: true' 'label: "bad %zz"' >persist/percent.p11-kit
object pki/pre-1950.pem 'x-distrusted: true' >persist/anchors-distrusted.p11-kit
cp persist/anchors-distrusted.p11-kit persist/anchors
object pki/pre-1970.pem 'trusted: true' 'x-distrusted: true' >persist/both.p11-kit
{ printf '[p11-kit-object-v1]\nclass: data\nvalue: "x"\napplication: "y"\nobject-id: 2.5.29.37\n\n'
  object pki/ed25519-root.pem 'trusted: true'; } >persist/data.p11-kit
{ object pki/rsapss-root.pem 'trusted: true'; printf '[p11-kit-object-v1]\nclass: public-key\n\n'
  object pki/constrained-root.pem 'trusted: true'; } >persist/class.p11-kit
{ printf '[p11-kit-object-v1]\nclass: certificate\ntrusted: true\nx-distrusted: false\nlabel: "broken value"\ncertificate-type: x-509\nvalue: "%%30%%03abc"\n'; } >persist/value.p11-kit
sed 's/$/\r/' persist/more.p11-kit >persist/anchors/crlf.p11-kit
all "attributes in p11-kit's own format" "$tmp/persist"

token block
cp pki/*.pem block/anchors
{ printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\nx-distrusted: true\n'
  printf 'issuer: "%s"\nserial-number: "%s"\n' "$(names pki/old-root.pem issuer)" "$(names pki/old-root.pem serial)"; } >block/serial.p11-kit
{ printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\nx-distrusted: true\n'; spki pki/rsa-root.pem; } >block/key.p11-kit
{ printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\nx-distrusted: true\n'
  printf 'issuer: "%s"\n' "$(names pki/utf8.pem issuer)"; } >block/issuer-only.p11-kit
{ printf '[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\n'
  printf 'issuer: "%s"\nserial-number: "%s"\n' "$(names pki/bmp.pem issuer)" "$(names pki/bmp.pem serial)"; } >block/blocklist/serial.p11-kit
all "distrust by issuer and serial, by key, by half" "$tmp/block"
all "distrust in another token" "$tmp/every" "$tmp/block"

token openssl
n=0
for options in '-addtrust serverAuth' '-addtrust serverAuth -addtrust emailProtection -addreject codeSigning' \
    '-addreject serverAuth' '-addtrust emailProtection -addreject emailProtection' '-setalias only-alias' \
    '-setalias Ünïcödé -addtrust anyExtendedKeyUsage' '-trustout' \
    '-addtrust clientAuth -addtrust codeSigning -addtrust timeStamping -addtrust OCSPSigning -addtrust serverAuth -addtrust emailProtection -addtrust 1.2.840.113549.1.9.15.8.1 -addtrust 2.999.1 -addtrust 1.3.6.1.4.1.311.10.3.4 -addtrust 0.1.2 -addtrust 1.2.3.4.5.6.7.8 -addtrust 1.39.128.16384.2097152'; do
    for cert in old-root new-root rsa-root utf8 bmp t61 v1-root email-root sub leaf; do
        n=$((n + 1))
        ((n % 3)) || continue
        # shellcheck disable=SC2086
        openssl x509 -in pki/$cert.pem $options -trustout >"openssl/$n.pem"
    done
done
cp openssl/1*.pem openssl/anchors
cp openssl/2*.pem openssl/blocklist
cp pki/old-root-trusted.pem openssl
all "OpenSSL's trusted certificates" "$tmp/openssl"
token openssl2
cp openssl/*.pem openssl2
all "OpenSSL's trusted certificates, base alone" "$tmp/openssl2"

# Labels and names of every kind; keys are of no matter here. One at most without ASCII: an empty Java
# alias makes p11-kit look at memory that nobody wrote.
token labels
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
subject() { # FILE SUBJECT [OPTIONS...]
    local file=$1 subject=$2
    shift 2
    openssl req -new -x509 -key key.pem -days 3650 -utf8 -subj "$subject" -out "$file" "$@" \
        -set_serial "$((++serial))" 2>/dev/null
}
serial=0
subject labels/anchors/1.pem '/CN=Same'
subject labels/anchors/2.pem '/CN=Same'
subject labels/anchors/3.pem '/CN=same'
subject labels/anchors/4.pem '/CN=Same.1'
subject labels/anchors/5.pem '/CN=S a m e'
subject labels/anchors/6.pem '/CN=same-1'
subject labels/anchors/7.pem '/CN=Same'
subject labels/anchors/8.pem '/C=DE/O=Only an organisation'
subject labels/anchors/9.pem '/C=DE/O=Org/OU=Unit'
subject labels/anchors/10.pem '/C=DE/O=Org/OU=First/OU=Second'
subject labels/anchors/11.pem '/C=DE'
subject labels/anchors/12.pem '/'
subject labels/anchors/13.pem '/CN=First/CN=Second/O=X'
subject labels/anchors/14.pem '/CN=a Ünïcödé ΑΒΓ 中文 😀'
subject labels/anchors/15.pem '/CN=..\/..\/etc\/passwd'
subject labels/anchors/17.pem '/CN=  leading   and trailing  '
subject labels/anchors/19.pem '/O=Z+CN=multi+OU=valued/C=DE' -multivalue-rdn
subject labels/anchors/20.pem '/DC=example/DC=com/emailAddress=A@B.example/CN=Mixed Case'
subject labels/anchors/21.pem '/CN=." $(rm) `x` %41 \\ '
subject labels/anchors/22.pem "/O=$(printf 'o%.0s' {1..64})/OU=$(printf 'u%.0s' {1..64})/CN=$(printf 'n%.0s' {1..64})"
subject labels/anchors/23.pem '/CN=   '
subject labels/anchors/24.pem '/CN=bÄÖÜ'
subject labels/anchors/25.pem '/2.5.4.5=12345/2.5.4.45=unique/CN=serial'
for i in 30 31 32 33; do
    object "labels/anchors/$((i - 29)).pem" 'trusted: true' "label: \"$(printf '%%%02x' $((i * 5)))%ff%c3%28 x\"" >"labels/$i.p11-kit"
done
object pki/old-root.pem 'trusted: true' "label: \"$(printf 'long%.0s' {1..40})\"" >labels/40.p11-kit
all "labels" "$tmp/labels"

# Labels that add a certificate to a bundle with the real one's comments: ours are not the same on
# purpose, all else is.
token hostile
token injecting
subject hostile/anchors/1.pem $'/CN=line\nbreak\tand\x01control'
subject hostile/anchors/2.pem '/CN=-----BEGIN CERTIFICATE-----'
subject injected.pem '/CN=Injected'
body=$(sed '/-----/d' injected.pem | tr -d '\n')
hostile() { # NUMBER LABEL
    object "pki/$1.pem" 'trusted: true' "label: \"$2\"" >"injecting/$1.p11-kit"
}
begin='-----BEGIN CERTIFICATE-----' end='-----END CERTIFICATE-----'
hostile old-root "x%0a$begin%0a$body%0a$end"
hostile new-root "x%0d$begin%0d$body%0d$end"
hostile rsa-root "$begin$body$end"
# OpenSSL takes a line of more than 254 bytes for several
hostile email-root "$(
    printf '%-252s%-254s' x "$begin"
    sed '/-----/d' injected.pem | tr -d '\n' | fold -w 64 | while read -r line || [[ -n $line ]]; do
        printf '%-254s' "$line"
    done
    printf %s "$end"
)"
comment=-
all "hostile labels" "$tmp/hostile"
[[ -z ${XR_P11FILES_LONG:-} ]] || all "long hostile labels" "$tmp/injecting" "$tmp/hostile"
comment=--comment

# readers BUNDLE: how many certificates OpenSSL, GnuTLS and p11-kit see in it
readers() {
    openssl storeutl -noout -certs "$1" 2>&1 | sed -n 's/^Total found: //p'
    certtool -i --infile "$1" 2>&1 | grep -c '^X.509 Certificate Information' || true
    "$pkextract" pem-bundle certificates - - - "$1" | grep -c BEGIN || true
}
mkdir readers
for format in pem-bundle openssl-bundle; do
    real "$tmp/hostile:$tmp/injecting" "$tmp/out/theirs.$format" --format=$format --filter=certificates --comment
    "$pkextract" "${flags[@]}" $format certificates - --comment readers/ours "$tmp"/{hostile,injecting}
    "$pkextract" "${flags[@]}" $format certificates - - readers/plain "$tmp"/{hostile,injecting}
    echo "# $format of the real one, by OpenSSL, GnuTLS, p11-kit: $(readers "$tmp/out/theirs.$format" | xargs)"
    if [[ $(readers readers/ours) == "$(readers readers/plain)" ]] &&
        diff <(grep -v '^#' readers/ours | grep .) readers/plain; then
        echo "ok - hostile labels add nothing to a $format: $(readers readers/ours | xargs)"
    else
        failures=$((failures + 1))
        echo "not ok - hostile labels add to a $format: $(readers readers/ours | xargs)"
    fi
    compared=$((compared + 1))
    rm readers/*
done

if [[ -n ${XR_P11FILES_LONG:-} ]]; then # before 0.25.6 the real one gives up
    token long
    for i in 1 2 3; do
        object pki/old-root.pem 'trusted: true' "label: \"$(printf "long%.0s" {1..70})$i\"" >"long/$i.p11-kit"
        cp pki/new-root.pem long/anchors/$i.pem
        object pki/rsa-root.pem 'trusted: true' "label: \"$(printf "long%.0s" {1..70})$i\"" >"long/r$i.p11-kit"
    done
    all "long labels" "$tmp/long"
    # 0.24 refuses an object that has one
    token templates
    object pki/old-root.pem 'trusted: true' 'wrap-template: 1' 'derive-template: "x"' >templates/a.p11-kit
    object pki/new-root.pem 'x-distrusted: true' '1073742354: 1' >templates/b.p11-kit
    object pki/rsa-root.pem 'trusted: true' 'allowed-mechanisms: 1' >templates/c.p11-kit
    cp pki/utf8.pem templates/anchors
    all "attributes that hold attributes" "$tmp/templates"
fi

# many: order, and numbers of names
token many
for i in $(seq 1 150); do
    subject "many/anchors/$((i * 7919 % 151)).pem" "/CN=CA $((i % 10))/O=Org $((i % 3))"
done
all "many of few names" "$tmp/many" "$tmp/moz"

echo "$compared compared, $failures differ"
exit $((failures > 0))
