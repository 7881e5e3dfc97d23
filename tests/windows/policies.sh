#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policies.sh PLUGIN MKHIVE: browsers' policies in the SOFTWARE hive of a Windows that is not running;
# what is written, hivexsh and reglookup read too.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
plugin=${1:?} mkhive=${2:?}
make_pki "$T/pki"
cd "$P"
image=$T/image
config=$image/Windows/System32/config
hive=$config/SOFTWARE
mkdir -p "$config" "$image/Program Files/google/chrome/application" "$image/Program Files/Mozilla Firefox"
"$mkhive" "$config" SOFTWARE
p() { xr --plugin "$plugin" --root "$image" --scope system --store policy:chrome "$@"; }
chrome='\Policies\Google\Chrome'
base64_of() { openssl x509 -in "$1" -outform DER | base64 -w0; }
value() { # KEY NAME: of a list, as another program reads it
    hivexget "$hive" "$chrome\\$1" "$2" 2>/dev/null
}
shell() { # COMMANDS: of hivexsh, written
    printf '%s\ncommit\n' "$1" | hivexsh -w "$hive" >"$out" 2>"$err" || show_output
}
key() { # PATH [VALUES]: makes a key below \Policies with these values
    local part commands='cd \Policies' parts
    IFS='\' read -r -a parts <<<"$1"
    for part in "${parts[@]}"; do
        printf '%s\ncd %s\n' "$commands" "$part" >"$T/commands"
        hivexsh "$hive" <"$T/commands" >"$T/said" 2>&1 || commands+=$'\n'"add $part"
        commands+=$'\n'"cd $part"
    done
    shell "$commands${2:+$'\n'$2}"
}
everything() { # all keys and values, without times
    reglookup "$1" 2>/dev/null | cut -d, -f1-3 | LC_ALL=C sort
}
listed() { # "PLACE PURPOSES VENDOR SUBJECT" lines
    run p list --json
    json 'stores[0].entries[].{place,purposes,vendor,subject}' "$out" | sed 's/CN=//; s/,O=.*//; s/\t/ /g' | LC_ALL=C sort
}
command -v reglookup >/dev/null || skip_all "reglookup is not there"
shell $'cd \\\nadd Policies\ncd Policies\nadd Microsoft'
everything "$hive" >"$T/empty"

# --- the job

run xr --plugin "$plugin" --root "$image" --scope system stores
expect_grep 'a browser that is installed is found' '^policy:chrome$' "$out"
expect_grep 'and is written only when named' 'yes, if --store names it' "$out"
expect_no_grep 'one that is not installed is not' 'policy:brave' "$out"
expect_exit 0 'without its name nothing goes there' xr --plugin "$plugin" --root "$image" --scope system install --yes old-root.pem
expect_eq 'nothing' "$(value CACertificates 1)" ''
expect_exit 0 'but into the system store, of which that is undone' xr --plugin "$plugin" --root "$image" undo --yes
shell $'cd \\\ncd Microsoft\ndel' # the keys of system stores, which stay
everything "$hive" >"$T/now"
expect_same 'the hive is as it was' "$T/empty" "$T/now"
expect_exit 0 'a root' p install --yes old-root.pem
expect_exit 0 'what it signed' p install cross.pem
expect_exit 0 'a root for some names' p install --yes rsa-root.pem --permit-dns Example.com --permit-cidr 192.0.2.1/24
expect_exit 0 'a distrust' p distrust --yes ed25519-root.pem
expect_eq 'another program reads the anchor' "$(value CACertificates 1)" "$(base64_of old-root.pem)"
expect_eq 'the hint' "$(value CAHintCertificates 1)" "$(base64_of cross.pem)"
expect_eq 'the distrust' "$(value CADistrustedCertificates 1)" "$(base64_of ed25519-root.pem)"
value CACertificatesWithConstraints 1 >"$T/limited.json"
expect_eq 'and the limits, as JSON' "$(json certificate "$T/limited.json") $(json constraints.permitted_dns_names[0] "$T/limited.json") $(json constraints.permitted_cidrs[0] "$T/limited.json")" \
    "$(base64_of rsa-root.pem) example.com 192.0.2.0/24"
expect_eq 'all are texts' "$(reglookup -H -p Policies/Google "$hive" 2>/dev/null | cut -d, -f2 | LC_ALL=C sort | uniq -c | xargs)" '6 KEY 4 SZ'
expect_eq 'listed as what they are' "$(listed)" 'anchor ["server"] false Crossroot Test Old Root
anchor ["server"] false Crossroot Test RSA Root
distrust [] false Crossroot Test Ed25519 Root
intermediate [] false Crossroot Test New Root'
run p list
expect_grep 'with the limits' 'limited to names below example.com, and addresses in 192.0.2.0/24' "$out"
expect_exit 0 'again' p install cross.pem
expect_grep 'changes nothing' ': unchanged' "$out"
run p install --yes --for email email-root.pem
expect_eq 'another purpose than servers' "$rc" 1
run p install --yes --as peer leaf.pem
expect_eq 'a place that policies do not have' "$rc" 1
for _ in 1 2 3 4; do
    expect_exit 0 'undo' p undo --yes
done
everything "$hive" >"$T/now"
expect_same 'the hive is as it was, without the keys that were made' "$T/empty" "$T/now"

# --- beside what an administrator wrote

key 'Google\Chrome' $'setval 2\nHomepageLocation\nstring:http://example.com/\nCAPlatformIntegrationEnabled\ndword:0x0'
key 'Google\Chrome\CACertificates' "setval 7
1
string:$(base64_of sibling-root.pem)
10
string:$(base64_of sibling-root.pem)
3
dword:0x5
note
string:$(base64_of rsapss-root.pem)
007
expandstring:$(base64_of t61.pem)
4
string:no base64
@
string:default"
everything "$hive" >"$T/theirs"
run p stores
expect_grep 'what counts for nothing is told' '4 values of .*CACertificates are none that a browser takes: "", "3", "4", "note"' "$out"
expect_grep 'and what that setting means' 'CAPlatformIntegrationEnabled is 0' "$out"
expect_eq 'what counts is listed, once' "$(listed | grep -c .)" 2
expect_exit 0 'a root beside them' p install --yes old-root.pem
expect_eq 'gets the number after the highest' "$(value CACertificates 11)" "$(base64_of old-root.pem)"
everything "$hive" | grep -v 'CACertificates/11' >"$T/now"
expect_same 'nothing else is touched' "$T/theirs" "$T/now"
expect_exit 0 'remove takes that one' p remove old-root.pem
everything "$hive" >"$T/now"
expect_same 'and nothing else' "$T/theirs" "$T/now"
expect_exit 0 'theirs, when it is named' p remove sibling-root.pem
expect_eq 'all of its numbers' "$(value CACertificates 1)$(value CACertificates 10)" ''
expect_exit 0 'undo' p undo --yes
everything "$hive" >"$T/now"
expect_same 'brings each back under its number' "$T/theirs" "$T/now"
expect_exit 0 'undo' p undo --yes
expect_eq 'of a removal' "$(value CACertificates 11)" "$(base64_of old-root.pem)"
expect_exit 0 'it is removed again' p remove old-root.pem --json
removal=$(json transaction "$out")
expect_exit 0 'and its number is taken' p install --yes rsa-root.pem
expect_exit 0 'undo of the removal' p undo --yes "$removal"
expect_eq 'finds another number' "$(value CACertificates 11) $(value CACertificates 12)" "$(base64_of rsa-root.pem) $(base64_of old-root.pem)"
expect_exit 0 'a certificate with limits that had none' p install --yes --only --permit-dns example.org rsa-root.pem
expect_eq 'moves to the other list' "$(value CACertificates 11)" ''
expect_exit 0 'undo' p undo --yes
expect_eq 'and back' "$(value CACertificates 11)$(value CACertificatesWithConstraints 1)" "$(base64_of rsa-root.pem)"
expect_exit 0 'both go' p remove rsa-root.pem old-root.pem
everything "$hive" >"$T/now"
expect_same 'theirs stay' "$T/theirs" "$T/now"

# --- lists in other forms

key 'Google\Chrome' "setval 1
CAHintCertificates
string:[\"$(base64_of cross.pem)\",]"
everything "$hive" >"$T/theirs"
expect_eq 'a list as one text is listed as theirs' "$(listed | grep '^intermediate')" 'intermediate [] true Crossroot Test New Root'
run p install sub.pem
expect_eq 'a key of that name would hide it' "$rc" 1
expect_grep 'which is the reason' 'CAHintCertificates: it is one text of JSON' "$out"
run p remove --yes cross.pem
expect_eq 'and it is not ours to remove' "$rc" 1
key 'Google\Chrome\Recommended\CADistrustedCertificates' "setval 1
1
string:$(base64_of old-root.pem)"
everything "$hive" >"$T/theirs"
run p distrust --yes cross.pem
expect_eq 'a list below Recommended would be hidden too' "$rc" 1
expect_grep 'which is the reason' 'CADistrustedCertificates: it is set below Recommended' "$out"
expect_eq 'it counts' "$(listed | grep '^distrust')" 'distrust [] true Crossroot Test Old Root'
key 'Google\Chrome\CADistrustedCertificates' "setval 1
1
string:$(base64_of rsa-root.pem)"
expect_eq 'unless there is another' "$(listed | grep '^distrust')" 'distrust [] false Crossroot Test RSA Root'
expect_exit 0 'whose last entry is removed' p remove --yes rsa-root.pem
expect_exit 0 'leaves a key, so that what it hid stays hidden' hivexsh "$hive" < <(printf 'cd %s\\CADistrustedCertificates\n' "$chrome")
expect_eq 'and nothing is listed' "$(listed | grep '^distrust')" ''
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -days 10 -subj /CN=Large \
    -addext basicConstraints=critical,CA:TRUE -addext "nsComment=$(head -c 6000 /dev/zero | tr '\0' x)" -out large.pem 2>/dev/null
run p install --yes large.pem
expect_eq 'a value that is too long for one cell' "$rc" 1
expect_grep 'is refused' 'too long for libhivex' "$out"

# --- with the system stores of the same hive, in one command

cp "$T/image/Windows/System32/config/SOFTWARE" "$T/full"
rm "$hive"
"$mkhive" "$config" SOFTWARE
shell $'cd \\\nadd Policies\ncd Policies\nadd Microsoft'
all() { xr --plugin "$plugin" --root "$image" --scope system --store windows --store policy:chrome --store policy:edge --store policy:brave "$@"; }
places() { # how often the anchor is there, for another program
    reglookup "$hive" 2>/dev/null | grep -cE '(CACertificates/1|Blob),'
}
for how in '' --all-or-nothing; do
    # shellcheck disable=SC2086 # no word, or one
    expect_exit 0 "four stores at once ${how}" all install $how --yes old-root.pem
    expect_eq 'no one loses what another wrote' "$(places)" 4
    expect_exit 0 'undo' all undo --yes
    expect_eq 'in all of them' "$(places)" 0
done
run all install --all-or-nothing --yes email-root.pem --for email
expect_eq 'what one of them cannot hold' "$rc" 1
expect_eq 'goes nowhere' "$(places)" 0
for store in windows policy:chrome policy:edge policy:brave; do
    xr --state "$T/state-$store" --plugin "$plugin" --root "$image" --scope system --store "$store" install --yes old-root.pem >"$T/said-$store" 2>&1 &
done
wait
expect_eq 'four commands at once wait for each other' "$(places)" 4

# --- the others

cp "$T/full" "$hive"
key 'Mozilla\Firefox\Certificates\Install' $'setval 1\n1\nstring:C:\\\\corp\\\\root.pem'
key 'Mozilla\Firefox\Certificates' $'setval 1\nImportEnterpriseRoots\ndword:0x0'
f() { xr --plugin "$plugin" --root "$image" --scope system --store policy:firefox "$@"; }
run f stores
expect_grep "Firefox's is only listed" 'Windows. own stores, so the backend windows serves it' "$out"
expect_grep 'with what it names' 'Install names C:.*root.pem' "$out"
expect_grep 'and what keeps it from these stores' 'ImportEnterpriseRoots is 0' "$out"
run f install --yes old-root.pem
expect_eq 'not written' "$rc" 1
expect_exit 0 'a hive by itself' xr --store "policy:edge,hive=$hive" install --yes old-root.pem
expect_eq 'below its own keys' "$(hivexget "$hive" '\Policies\Microsoft\Edge\CACertificates' 1)" "$(base64_of old-root.pem)"
expect_exit 0 'undo' xr undo --yes
for address in policy:none,hive="$hive" policy:chrome,hive=relative "policy:chrome,hive=$config/" policy:chrome,hive=/nowhere/x; do
    run xr --store "$address" list
    [[ $rc -ne 0 && $(wc -l <"$err") -eq 1 ]] && ok "$address: $(cat "$err")" || bad "$address: exit $rc"
done
cp "$hive" "$T/good"
for ((n = 4096; n < 16384; n += 331)); do
    printf '\377' | dd of="$hive" bs=1 seek="$n" conv=notrunc status=none
    run p list
    [[ $rc -eq 0 || $rc -eq 1 ]] || bad "damaged at $n: exit $rc"
    ((n % 3)) || cp "$T/good" "$hive"
done
ok 'damage is survived'
expect_eq 'no copy is left behind' "$(find "$config" -name '.*' -type f)" ''
finish
