#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Managed policies as stores, in an image: which are found, and what they hold.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"
image=$T/image
policies=$image/etc/chromium/policies
der() {
    openssl x509 -in "$P/$1.pem" -outform DER | base64 -w 0
}
old=$(sha "$P/old-root.pem")
cross=$(sha "$P/cross.pem")
rsa=$(sha "$P/rsa-root.pem")
mkdir -p "$image/etc"

# found: the addresses
found() {
    run xr --root "$image" --scope system --json stores
    json 'stores[].store' "$out" | grep '^policy:' | xargs
}
expect_eq 'nothing is found where nothing is' "$(found)" ''
mkdir -p "$policies" "$image/etc/firefox/policies"
expect_eq 'nor where only the directories above are' "$(found)" ''
mkdir -p "$policies/managed" "$image/etc/brave/policies/recommended" \
    "$image/etc/opt/chrome/policies/managed" "$image/etc/opt/edge/policies/managed" \
    "$image/etc/thunderbird/policies" "$image/opt/firefox/distribution"
echo '{}' >"$image/etc/thunderbird/policies/policies.json"
echo '{}' >"$image/opt/firefox/distribution/policies.json"
expect_eq 'products with policies are found, in one order' "$(found)" \
    'policy:chromium policy:chrome policy:edge policy:brave policy:/opt/firefox/distribution/policies.json policy:thunderbird'

# --- Chromium's family

cat >"$policies/managed/a.json" <<END
{"CACertificatesWithConstraints": [{"certificate": "$(der old-root)",
  "constraints": {"permitted_dns_names": ["example.com"], "permitted_cidrs": ["10.0.0.0/8"]}}],
 "CAHintCertificates": ["$(der cross)"], // a comment, as Chromium allows
 "CADistrustedCertificates": ["$(der rsa-root)"],}
END
list() {
    expect_exit 0 "list: $*" xr --root "$image" --store "policy:$1" --json list
}
list chromium
expect_json 'all certificates' 'stores[].entries[].sha256' "$old $cross $rsa"
expect_json 'each in its place' 'stores[].entries[].place' 'anchor intermediate distrust'
expect_json 'anchors are for servers' 'stores[].entries[].purposes[]' server
expect_json "they are the administrator's" 'stores[].entries[].vendor' 'true true true'
expect_json 'named by file' 'stores[].entries[].label' \
    '/etc/chromium/policies/managed/a.json /etc/chromium/policies/managed/a.json /etc/chromium/policies/managed/a.json'
expect_json 'with their names' 'stores[].entries[].limits.dns_names[]' example.com
expect_json 'and addresses' 'stores[].entries[].limits.cidrs[]' 10.0.0.0/8
expect_grep 'which count everywhere' '"remark": "limited also where another store trusts it' "$out"
for address in /etc/chromium/policies /etc/chromium/policies/managed /etc/chromium/policies/managed/; do
    list "$address"
    expect_json 'the same by its path' 'stores[].entries[].sha256' "$old $cross $rsa"
done
echo '{"CAPlatformIntegrationEnabled": false, "CAHintCertificates": []}' >"$policies/managed/b.json"
list chromium
expect_json 'another file takes a list away' 'stores[].entries[].sha256' "$old $rsa"
expect_json 'which is said' 'messages[].text' \
    "/etc/chromium/policies/managed/b.json: CAPlatformIntegrationEnabled is false, so users' NSS databases count for nothing; CAHintCertificates in /etc/chromium/policies/managed/a.json is not used: /etc/chromium/policies/managed/b.json sets it too, and counts first"
for i in {1..40}; do
    echo '{' >"$policies/managed/broken-$i"
done
list chromium
expect_grep 'a long list of problems is cut' '; (…|.u2026)"' "$out"
rm "$policies/managed"/broken-*
expect_exit 0 'stores' xr --root "$image" --store policy:chromium stores
expect_grep 'says what it holds: no place that another file takes' 'holds +anchor$' "$out"

# --- Firefox's family

firefox=$image/etc/firefox/policies/policies.json
mkdir -p "$image/srv" "$image/usr/lib/mozilla/certificates" "$image/usr/lib64/mozilla/certificates" \
    "$image/opt/firefox/distribution/certificates"
cp "$P/old-root.der" "$image/srv/old.der"
cp "$P/rsa-root.pem" "$image/usr/lib/mozilla/certificates/rsa.pem"
cp "$P/rsapss-root.pem" "$image/usr/lib64/mozilla/certificates/other.pem"
cp "$P/cross.pem" "$image/opt/firefox/distribution/certificates/cross.pem"
install_these() { # FILE NAME...
    local names
    names=$(printf ',"%s"' "${@:2}")
    printf '{"policies":{"Certificates":{"Install":[%s]}}}\n' "${names:1}" >"$1"
}
install_these "$firefox" /srv/old.der rsa.pem other.pem cross.pem /srv/missing.pem
expect_eq 'the file has the name of the browser' "$(found | grep -o 'policy:firefox')" policy:firefox
list firefox
expect_json 'files by path and by name' 'stores[].entries[].sha256' "$old $rsa $cross"
expect_json 'all as anchors' 'stores[].entries[].place' 'anchor anchor anchor'
expect_json 'named by file' 'stores[].entries[].label' \
    '/srv/old.der /usr/lib/mozilla/certificates/rsa.pem /opt/firefox/distribution/certificates/cross.pem'
expect_grep 'a name that is nowhere' 'other.pem in /etc/firefox/policies/policies.json is in none' "$out"
expect_grep 'a file that is not there' '/srv/missing.pem is not installed by' "$out"
install_these "$image/opt/firefox/distribution/policies.json" /srv/old.der
list /opt/firefox/distribution/policies.json
expect_json 'a file in an installation does not count beside it' 'stores[].entries[].sha256' ''
expect_grep 'which is said' 'nothing of it counts, because /etc/firefox/policies/policies.json exists' "$out"
mv "$firefox" "$T/policies.json"
list /opt/firefox/distribution/policies.json
expect_json 'but without it' 'stores[].entries[].sha256' "$old"
list firefox
expect_json 'which is then empty' 'stores[].entries[].sha256' ''
mv "$T/policies.json" "$firefox"

# files of other kinds: taken STATUS WHAT CONTENT
taken() {
    printf '%s' "$3" >"$image/srv/x"
    list firefox
    expect_json "$2" 'stores[].entries[].sha256' "$1"
}
install_these "$firefox" /srv/x
pem=$(<"$P/rsa-root.pem")
taken "$rsa" 'PEM' "$pem"
taken "$rsa" 'PEM with CRLF' "${pem//$'\n'/$'\r\n'}"
taken "$rsa" 'base64 alone' "$(der rsa-root)"
taken "$rsa" 'text in the line of the mark' "x $pem"
taken '' 'text in a line before it' "x"$'\n'"$pem"
taken '' 'text in a line after it' "$pem"$'\n'x
taken '' 'two certificates' "$pem"$'\n'"$(<"$P/old-root.pem")"
taken '' 'another mark' "${pem//BEGIN CERT/BEGIN X509 CERT}"
taken '' 'nothing' ''
cat "$P/old-root.der" - >"$image/srv/x" <<<''
list firefox
expect_json 'DER with a byte behind it' 'stores[].entries[].sha256' ''
rm "$image/srv/x"
mkfifo "$image/srv/x"
list firefox
expect_grep 'a FIFO is not waited for' '/srv/x is not installed by .*: not a regular file' "$out"

# names
for name in '../srv/old.der' 'sub/x.pem' .. ; do
    install_these "$firefox" "$name" /srv/old.der
    list firefox
    expect_json "Firefox stops at ${name@Q}" 'stores[].entries[].sha256' ''
done
for name in '' nowhere /nowhere /srv; do
    install_these "$firefox" "$name" /srv/old.der
    list firefox
    expect_json "Firefox goes on after ${name@Q}" 'stores[].entries[].sha256' "$old"
done
printf '{"policies":{"Certificates":{"ImportEnterpriseRoots":true,"Install":[1,null,"/srv/old.der"]}}}' >"$firefox"
list firefox
expect_json 'or what is no text' 'stores[].entries[].sha256' "$old"
expect_grep 'the system has no roots for Firefox' 'ImportEnterpriseRoots imports nothing on Linux' "$out"
for text in '' '[]' '{"policies":[]}' '{"policies":{"Certificates":{"Install":"/srv/old.der"}}}' \
    '{"policies":{"Certificates":{"Install":["/srv/old.der"]}},}' \
    '// x'$'\n''{"policies":{"Certificates":{"Install":["/srv/old.der"]}}}'; do
    printf '%s' "$text" >"$firefox"
    list firefox
    expect_json "no such policy: ${text:0:30}" 'stores[].entries[].sha256' ''
done
truncate -s 17M "$firefox"
list firefox
expect_grep 'a large file' 'larger than 16 MiB' "$out"

# --- links of an image stay in it

ln -sf /etc/passwd "$image/srv/x"
ln -sfn /srv/elsewhere "$firefox"
mkdir -p "$image/srv"
install_these "$image/srv/elsewhere" /srv/old.der
list firefox
expect_json 'a link of the image' 'stores[].entries[].sha256' "$old"
ln -sfn "$T/outside" "$firefox"
install_these "$T/outside" /srv/old.der
expect_no_grep 'a link out of it' policy:firefox <(found)
rm "$firefox"

# --- other commands

mkdir -p "$image/etc/ssl/certs" "$image/usr/share/ca-certificates" "$image/usr/local/share/ca-certificates"
: >"$image/etc/ca-certificates.conf"
snap "$policies" >"$T/before"
expect_exit 0 'install everywhere' xr --root "$image" --layout debian --scope system install --yes "$P/old-root.pem"
expect_no_grep 'does not ask the policies' 'policy:' "$out"
snap "$policies" >"$T/after"
expect_same 'nor change them' "$T/before" "$T/after"

# --- addresses

expect_exit 1 'an unknown browser' xr --root "$image" --store policy:netscape list
expect_grep 'is named' 'netscape is neither the name of a browser' "$err"
expect_exit 1 'no such path' xr --root "$image" --store policy:/nowhere list
expect_grep 'is named' '/nowhere is neither a directory of policies nor a policies.json' "$err"
expect_exit 0 'a browser without policies' xr --root "$image" --store policy:librewolf list
finish
