#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# exe-policies.sh, inside "wine in": browsers' policies in the registry, written by crossroot.exe and
# read by Wine's reg.exe.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
: "${WINE:?}" "${WINEPREFIX:?}"
make_pki "$T/pki"
cp -R "$P" "$WINEPREFIX/drive_c/lab"
cd "$WINEPREFIX/drive_c/lab" || exit 1
xr() { "$WINE" "$XR_BIN" "$@"; }
reg() { "$WINE" reg "$@" 2>&1 | tr -d '\r'; }
chrome='HKLM\SOFTWARE\Policies\Google\Chrome'
base64_of() { openssl x509 -in "$1" -outform DER | base64 -w0; }
value() { # KEY NAME: what reg.exe reads there, with its type
    reg query "$chrome\\$1" /v "$2" | sed -n "s/^ *$2 *REG_/REG_/p" | sed 's/  */ /g'
}
policies() { reg query 'HKLM\SOFTWARE\Policies' /s; }
listed() { # "PLACE PURPOSES VENDOR SUBJECT" lines
    run xr --store "${1:-policy:chrome}" list --json
    json 'stores[0].entries[].{place,purposes,vendor,subject}' "$out" | sed 's/CN=//; s/,O=.*//; s/\t/ /g' | LC_ALL=C sort
}

reg add 'HKLM\SOFTWARE\Policies\Example' /f >/dev/null # so that there is such a key
policies >"$T/before"
expect_exit 0 'stores' xr stores
expect_no_grep 'without a browser there is none of these' 'policy:' "$out"
reg add 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\chrome.exe' /f >/dev/null
expect_exit 0 'stores' xr stores
expect_grep 'a browser that is installed is found' '^policy:chrome' "$out"
expect_grep 'and written only when named' 'yes, if --store names it' "$out"
expect_exit 0 'a root' xr --store policy:chrome install --yes old-root.pem
expect_grep 'what is verified is said' 'cannot tell: Windows. own stores count too; by the policies alone: yes' "$out"
expect_exit 0 'what it signed' xr --store policy:chrome install cross.pem
expect_exit 0 'a root for some names' xr --store policy:chrome install --yes rsa-root.pem --permit-dns example.com --permit-cidr 2001:DB8::1/32
expect_exit 0 'a distrust' xr --store policy:chrome distrust --yes ed25519-root.pem
expect_eq 'reg.exe reads the anchor' "$(value CACertificates 1)" "REG_SZ $(base64_of old-root.pem)"
expect_eq 'the hint' "$(value CAHintCertificates 1)" "REG_SZ $(base64_of cross.pem)"
expect_eq 'the distrust' "$(value CADistrustedCertificates 1)" "REG_SZ $(base64_of ed25519-root.pem)"
value CACertificatesWithConstraints 1 | sed 's/^REG_SZ //' >"$T/limited.json"
expect_eq 'and the limits, as JSON' "$(json certificate "$T/limited.json") $(json constraints.permitted_dns_names[0] "$T/limited.json") $(json constraints.permitted_cidrs[0] "$T/limited.json")" \
    "$(base64_of rsa-root.pem) example.com 2001:db8::/32"
expect_eq 'listed as what they are' "$(listed)" 'anchor ["server"] false Crossroot Test Old Root
anchor ["server"] false Crossroot Test RSA Root
distrust [] false Crossroot Test Ed25519 Root
intermediate [] false Crossroot Test New Root'
"$WINESERVER" -k || true
"$WINESERVER" -p600 </dev/null >/dev/null 2>&1
expect_eq 'all of it is there after a restart' "$(listed | grep -c .)" 4
expect_exit 0 'again' xr --store policy:chrome install cross.pem
expect_grep 'changes nothing' ': unchanged' "$out"
expect_exit 6 'a question that the policies decide' xr --store policy:chrome verify ed25519-root.pem
for _ in 1 2 3 4; do
    expect_exit 0 'undo' xr undo --yes
done
policies >"$T/after"
expect_same 'the registry is as it was, without the keys that were made' "$T/before" "$T/after"

# ---- beside what an administrator wrote ----

reg add "$chrome" /v HomepageLocation /d http://example.com/ /f >/dev/null
reg add "$chrome" /v CAPlatformIntegrationEnabled /t REG_DWORD /d 0 /f >/dev/null
reg add "$chrome\\CACertificates" /v 1 /d "$(base64_of sibling-root.pem)" /f >/dev/null
reg add "$chrome\\CACertificates" /v 10 /t REG_EXPAND_SZ /d "$(base64_of sibling-root.pem)" /f >/dev/null
reg add "$chrome\\CACertificates" /v 2 /t REG_DWORD /d 7 /f >/dev/null
reg add "$chrome\\CACertificates" /v note /d "$(base64_of rsa-root.pem)" /f >/dev/null
policies >"$T/theirs"
expect_exit 0 'stores' xr --store policy:chrome stores
expect_grep 'what counts for nothing is told' '2 values of .*CACertificates are none that a browser takes: "2", "note"' "$out"
expect_grep 'and what that setting means' 'CAPlatformIntegrationEnabled is 0' "$out"
expect_exit 0 'a root beside them' xr --store policy:chrome install --yes old-root.pem
expect_eq 'gets the number after the highest' "$(value CACertificates 11)" "REG_SZ $(base64_of old-root.pem)"
expect_exit 0 'remove takes that one' xr --store policy:chrome remove old-root.pem
policies >"$T/after"
expect_same 'and nothing else' "$T/theirs" "$T/after"
expect_exit 0 'theirs, when it is named' xr --store policy:chrome remove sibling-root.pem
expect_eq 'with all of its numbers' "$(value CACertificates 1)$(value CACertificates 10)" ''
expect_exit 0 'undo' xr undo --yes
policies >"$T/after"
expect_same 'brings each back as it was' <(LC_ALL=C sort "$T/theirs") <(LC_ALL=C sort "$T/after")
reg add "$chrome" /v CAHintCertificates /d "[\"$(base64_of cross.pem)\"]" /f >/dev/null
expect_eq 'a list as one text is listed as theirs' "$(listed | grep '^intermediate')" 'intermediate [] true Crossroot Test New Root'
expect_exit 1 'a key of that name would hide it' xr --store policy:chrome install sub.pem
expect_grep 'which is the reason' 'CAHintCertificates: it is one text of JSON' "$out"

# ---- with Windows' own stores, and Firefox ----

expect_exit 0 'two stores at once, all or nothing' xr --store windows --store policy:edge install --all-or-nothing --yes old-root.pem
expect_eq 'both have it' "$(listed windows:LocalMachine | grep -c 'Test Old Root') $(listed policy:edge | grep -c 'Test Old Root')" '1 1'
expect_exit 0 'undo' xr undo --yes
expect_eq 'and neither' "$(listed windows:LocalMachine | grep -c 'Test Old Root') $(listed policy:edge | grep -c 'Test Old Root')" '0 0'
expect_exit 1 'what one of them cannot hold' xr --store windows --store policy:edge install --all-or-nothing --yes email-root.pem --for email
expect_eq 'goes nowhere' "$(listed windows:LocalMachine | grep -c 'Email')" 0
firefox='HKLM\SOFTWARE\Policies\Mozilla\Firefox\Certificates'
reg add "$firefox\\Install" /v 1 /d 'C:\lab\old-root.pem' /f >/dev/null
reg add "$firefox\\Install" /v 2 /d 'corp.pem' /f >/dev/null
expect_eq "Firefox's files are listed" "$(listed policy:firefox)" 'anchor ["server","client","email"] true Crossroot Test Old Root'
expect_exit 0 'stores' xr --store policy:firefox stores
expect_grep 'with those that are not found' 'Install names corp.pem' "$out"
expect_grep 'and who serves Firefox' 'own stores, so the backend windows serves it' "$out"
expect_exit 1 'not written' xr --store policy:firefox install --yes rsa-root.pem
cp "$XR_BIN" "$WINEPREFIX/drive_c/crossroot.exe"
run "$WINE" "${1:?}" unprivileged 'C:\crossroot.exe' --store policy:chrome install --yes rsa-root.pem
expect_eq 'without privilege: exit 5' "$rc" 5
expect_eq 'and nothing is written' "$(value CACertificates 11)" ''
finish
