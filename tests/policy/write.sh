#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Managed policies are written in an image: what is somebody else's stays byte for byte, what cannot be
# held is refused, and undo leaves no trace.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"
image=$T/image
policies=$image/etc/chromium/policies
managed=$policies/managed
own=$managed/crossroot.json
old=$(sha "$P/old-root.pem")
cross=$(sha "$P/cross.pem")
der() {
    openssl x509 -in "$P/$1.pem" -outform DER | base64 -w 0
}
# in_store STORE COMMAND...
in_store() {
    local store=$1
    shift
    xr --root "$image" --store "policy:$store" --yes "$@"
}
# holds POLICY CERTIFICATE...: is that what the file of ours sets?
holds() {
    local policy=$1 found
    shift
    found=$(python3 -c 'import json, sys
for entry in json.load(open(sys.argv[1])).get(sys.argv[2], []):
    print(entry if isinstance(entry, str) else entry["certificate"])' "$own" "$policy" | sort)
    expect_eq "$policy has ${*:-nothing}" "$found" "$(for one; do der "$one"; echo; done | sort)"
}
mkdir -p "$image/etc" "$image/usr/lib/chromium"

# --- Chromium: each in its place, in one file

expect_exit 0 'a cross certificate goes among the hints' in_store chromium install "$P/cross.pem"
holds CAHintCertificates cross
expect_eq 'the file is for everybody' "$(stat -c %a "$own")" 644
expect_eq 'and so are the new directories' "$(stat -c %a "$managed" "$policies" "$image/etc/chromium" | xargs)" '755 755 755'
cp "$own" "$T/one.json"
expect_exit 0 'a root among the anchors' in_store chromium install "$P/old-root.pem"
holds CACertificates old-root
expect_exit 0 'a key among those that are blocked' in_store chromium distrust "$P/rsa-root.pem"
holds CADistrustedCertificates rsa-root
expect_grep 'and the browser would say no' 'still trusted: no .Chromium.s rules' "$out"
expect_exit 0 'a limited root among the limited ones' in_store chromium install "$P/new-root.pem" \
    --permit-dns Example.COM. --permit-cidr 192.0.2.7/24
holds CACertificatesWithConstraints new-root
expect_eq 'with its limits' "$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["CACertificatesWithConstraints"][0]["constraints"])' "$own")" \
    "{'permitted_dns_names': ['example.com'], 'permitted_cidrs': ['192.0.2.0/24']}"
expect_exit 0 'list' in_store chromium list
expect_grep 'says them' 'limited to names below example.com, and addresses in 192.0.2.0/24' "$out"
holds CAHintCertificates cross
expect_eq 'one file' "$(ls -A "$managed")" crossroot.json
for _ in 1 2 3; do
    expect_exit 0 'undo' in_store chromium undo
done
expect_same 'undo gives back every byte' "$T/one.json" "$own"
expect_exit 0 'undo of the first' in_store chromium undo
expect_eq 'leaves no file' "$(ls -A "$managed")" ''

# --- Chromium: what it cannot hold

expect_exit 1 'an anchor for mail' in_store chromium install "$P/old-root.pem" --for email
expect_grep 'is refused' 'no purpose is left' "$out"
expect_exit 1 'limits of an intermediate' in_store chromium install "$P/cross.pem" --permit-dns a.example
expect_grep 'are refused' 'only an anchor can be limited' "$out"
expect_exit 1 'a server certificate' in_store chromium install "$P/leaf.pem" --as peer
expect_grep 'is refused' 'policies of this browser are about CA certificates' "$out"
expect_exit 2 'a pattern is no name' in_store chromium install "$P/old-root.pem" --permit-dns '*.a.example'
expect_exit 1 'a store that cannot limit' xr --store "openssl:$T/dir" install --yes "$P/old-root.pem" --permit-dns a.example
expect_grep 'says so' 'this store cannot limit an anchor to names and addresses' "$out"

# --- Chromium: files of others

for name in a.json zz.json .hidden; do
    printf '{"CAHintCertificates": ["%s"]}' "$(der sub)" >"$managed/$name"
    expect_exit 1 "a policy that $name sets" in_store chromium install "$P/cross.pem"
    expect_grep 'is not set twice' "$name sets CAHintCertificates, and of two files that set a policy only one counts" "$out"
    expect_eq 'nothing is written' "$(ls -A "$managed")" "$name"
    expect_exit 0 'another policy is' in_store chromium install "$P/old-root.pem"
    expect_exit 0 'undo' in_store chromium undo
    rm "$managed/$name"
done
mkdir -p "$policies/recommended"
printf '{"CACertificates": []}' >"$policies/recommended/r.json"
expect_exit 1 'nor hidden from recommended/' in_store chromium install "$P/old-root.pem"
expect_exit 0 'which is of anchors without limits' in_store chromium install "$P/old-root.pem" --permit-dns a.example
expect_exit 0 'undo' in_store chromium undo
rm -r "$policies/recommended"
printf '{"PolicyListMultipleSourceMergeList": ["CAHintCertificates"], "CAHintCertificates": ["%s"]}' \
    "$(der sub)" >"$managed/merged.json"
expect_exit 0 'lists that are merged' in_store chromium install "$P/cross.pem"
expect_exit 0 'list' in_store chromium --json list
expect_json 'add up' 'stores[].entries[].vendor' 'true false'
expect_exit 1 'what is in the file of somebody else' in_store chromium remove "$P/sub.pem"
expect_grep 'is removed there' "it is in a file of the administrator's: remove it there, or use distrust" "$out"
expect_exit 0 'and can be blocked' in_store chromium distrust "$P/sub.pem"
expect_exit 0 'undo' in_store chromium undo
expect_exit 0 'undo' in_store chromium undo
rm "$managed/merged.json"

# a file that came later hides ours: said, and still ours to remove
expect_exit 0 'install' in_store chromium install "$P/cross.pem"
printf '{"CAHintCertificates": []}' >"$managed/zz.json"
expect_exit 0 'list' in_store chromium list
expect_grep 'what is hidden says so' 'the browser ignores it: /etc/chromium/policies/managed/zz.json sets the same policy' "$out"
expect_exit 0 'undo' in_store chromium undo
expect_eq 'takes it out' "$(ls -A "$managed")" zz.json
rm "$managed/zz.json"

# limits are not taken away from what somebody else trusts as well
expect_exit 0 'limited' in_store chromium install "$P/old-root.pem" --permit-dns a.example
printf '{"CACertificates": ["%s"]}' "$(der old-root)" >"$managed/a.json"
expect_exit 0 'list' in_store chromium list
expect_grep 'a file that came later is listed too' 'counts for nothing as long as crossroot.json has it too' "$out"
cp "$own" "$T/limited.json"
expect_exit 1 'undo' in_store chromium undo
expect_grep 'finds it changed' 'the entry has changed since' "$out"
expect_exit 1 'remove' in_store chromium remove "$P/old-root.pem"
expect_grep 'would uncover it' 'a.json trusts it too, and only the limits in crossroot.json keep that within bounds' "$out"
expect_same 'and is refused' "$T/limited.json" "$own"
rm "$managed/a.json"
expect_exit 0 'undo without that file' in_store chromium undo
expect_exit 0 'limited again' in_store chromium install "$P/old-root.pem" --permit-dns a.example
printf '{"CACertificatesWithConstraints": []}' >"$managed/zz.json"
expect_exit 1 'what a later file hides is not there' in_store chromium install "$P/old-root.pem"
expect_grep 'as is said' 'zz.json sets CACertificatesWithConstraints' "$out"
rm "$managed/zz.json"
expect_exit 0 'undo' in_store chromium undo

# our file in other hands
printf '{"CAHintCertificates": ["%s"], "HomepageLocation": "x"}' "$(der cross)" >"$own"
cp "$own" "$T/theirs.json"
expect_exit 1 'a file that somebody changed' in_store chromium install "$P/old-root.pem"
expect_grep 'is not written' 'crossroot.json was changed by somebody else: move what is in it' "$out"
expect_same 'and stays' "$T/theirs.json" "$own"
expect_exit 0 'list' in_store chromium --json list
expect_json 'what is in it is listed' 'stores[].entries[].sha256' "$cross"
rm "$own"

# leftovers of an interrupted write
mkdir "$managed/.crossroot-tmp.policy"
echo '{"CACertificates": [' >"$managed/.crossroot-tmp.policy/crossroot.json"
expect_exit 0 'install' in_store chromium install "$P/cross.pem"
expect_eq 'clears what an interruption left' "$(ls -A "$managed")" crossroot.json
expect_exit 0 'undo' in_store chromium undo

# links out of the image
rmdir "$managed"
mkdir "$T/outside"
ln -s "$T/outside" "$managed"
run in_store chromium install "$P/cross.pem"
expect_eq 'nothing is written through a link out of the image' "$(ls -A "$T/outside")" ''
rm "$managed"

# --- Firefox

firefox=$image/etc/firefox/policies/policies.json
mkdir -p "$image/usr/lib/firefox-esr/distribution"
expect_exit 0 'a root in a new file' in_store firefox install "$P/old-root.pem"
expect_grep 'says when' 'Firefox takes it into each profile at its next start' "$err"
file=$(python3 -c 'import json, sys
print(*json.load(open(sys.argv[1]))["policies"]["Certificates"]["Install"])' "$firefox")
expect_eq 'by an absolute path' "$file" "/etc/firefox/policies/crossroot/$old.pem"
expect_eq 'where the certificate is' "$(sha "$image$file")" "$old"
expect_exit 0 'list' in_store firefox --json list
expect_json 'for any purpose' 'stores[].entries[].purposes[]' any
expect_exit 0 'undo' in_store firefox undo
expect_grep 'says who keeps it, and what takes it out' 'profiles in which Firefox started meanwhile keep it: crossroot --scope all-users --store nss remove' "$(cat "$out" "$err" >"$T/both"; echo "$T/both")"
expect_eq 'leaves nothing' "$(ls -A "$image/etc/firefox/policies")" ''
for what in cross:'makes an anchor of each certificate' sub:'makes an anchor of each certificate'; do
    expect_exit 1 "${what%%:*}" in_store firefox install "$P/${what%%:*}.pem"
    expect_grep 'is refused with the reason' "${what#*:}" "$out"
done
expect_exit 1 'a purpose' in_store firefox install "$P/old-root.pem" --for server
expect_exit 1 'a distrust' in_store firefox distrust "$P/old-root.pem"
expect_grep 'is refused' 'cannot distrust' "$out"

# thirty other settings, in the administrator's own way of writing
python3 - "$firefox" <<'END'
import sys
lines = [f'\t\t"Setting{i}" : [ {i}, "ü\\u00e9", {{"a":{i}.50}} ],' for i in range(30)]
lines[14] = '\t\t"Certificates" :\t{ "ImportEnterpriseRoots":true,"Install": [ "theirs.der" ] },'
open(sys.argv[1], "w").write("{\r\n\t\"policies\":{\r\n" + "\r\n".join(lines)[:-1] + "\r\n\t}\r\n}")
END
cp "$firefox" "$T/theirs.json"
chmod 640 "$firefox"
expect_exit 0 'install in a file of thirty settings' in_store firefox install "$P/old-root.pem" "$P/rsa-root.pem"
expect_eq 'changes one line' "$(diff <(tr -d '\r' <"$T/theirs.json") <(tr -d '\r' <"$firefox") | grep -c '^[<>]')" 2
expect_eq 'keeps the mode' "$(stat -c %a "$firefox")" 640
expect_exit 0 'remove one' in_store firefox remove "$P/old-root.pem"
expect_exit 0 'remove the other' in_store firefox remove "$P/rsa-root.pem"
expect_same 'and nothing is left of it' "$T/theirs.json" "$firefox"
expect_eq 'beside it neither' "$(ls -A "$(dirname "$firefox")")" policies.json

# names at which Firefox stops; files of ours that another list names; another file beside it
mkdir -p "$(dirname "$firefox")/crossroot"
cp "$P/cross.pem" "$(dirname "$firefox")/crossroot/$cross.pem"
printf '{"policies":{"Certificates":{"Install":["sub/x.pem","/elsewhere/crossroot/%s.pem"]}}}' "$cross" >"$firefox"
expect_exit 1 'a name at which Firefox stops' in_store firefox install "$P/old-root.pem"
expect_grep 'is to be corrected first' 'in a way at which the browser stops reading' "$out"
run in_store firefox recover
expect_eq 'what the list names in some way stays' "$(ls "$(dirname "$firefox")/crossroot")" "$cross.pem"
rm -r "$(dirname "$firefox")/crossroot"
cp "$firefox" "$(dirname "$firefox")/other.json"
expect_exit 1 'another name' in_store /etc/firefox/policies/other.json install "$P/old-root.pem"
expect_grep 'is not written' 'only a file with the name policies.json' "$out"
rm "$(dirname "$firefox")/other.json"

# what is in the way
for text in '{"policies":' '{"policies":{"Certificates":{"Install":"x"}}}' '{"policies":{},"policies":{}}' '[]'; do
    printf '%s' "$text" >"$firefox"
    cp "$firefox" "$T/theirs.json"
    expect_exit 1 "refused: $text" in_store firefox install "$P/old-root.pem"
    expect_same 'nothing was written' "$T/theirs.json" "$firefox"
done
expect_grep 'the reason' 'the value in it is not an object' "$out"
rm "$firefox"
echo '{"policies":{}}' >"$image/usr/lib/firefox-esr/distribution/policies.json"
expect_exit 1 'a new file that would hide one' in_store firefox install "$P/old-root.pem"
expect_grep 'names the one that counts' 'name policy:/usr/lib/firefox-esr/distribution/policies.json' "$out"
expect_exit 0 'which can be written' in_store /usr/lib/firefox-esr/distribution/policies.json install "$P/old-root.pem"
expect_exit 0 'undo' xr --root "$image" --yes undo
expect_eq 'leaves it as it was' "$(cat "$image/usr/lib/firefox-esr/distribution/policies.json")" '{"policies":{}}'
rm "$image/usr/lib/firefox-esr/distribution/policies.json"
ln -s /srv/policies.json "$firefox"
mkdir -p "$image/srv"
echo '{}' >"$image/srv/policies.json"
expect_exit 1 'a link' in_store firefox install "$P/old-root.pem"
expect_grep 'is not replaced' 'is a link: name the file that it leads to' "$out"
rm "$firefox"

# --- only by name, or in the scope of all

mkdir -p "$image/etc/ssl/certs" "$image/usr/share/ca-certificates" "$image/usr/local/share/ca-certificates"
: >"$image/etc/ca-certificates.conf"
: >"$image/etc/passwd"
expect_exit 0 'the scope system' xr --root "$image" --layout debian --scope system install --yes "$P/old-root.pem"
expect_eq 'leaves policies alone' "$(ls -A "$image/etc/chromium/policies" "$image/etc/firefox/policies" | grep -v :)" ''
expect_exit 0 'undo' xr --root "$image" --layout debian --yes undo
expect_exit 0 'the scope all' xr --root "$image" --layout debian --scope all install --yes "$P/old-root.pem"
expect_json_file() { python3 -m json.tool "$1" >/dev/null; }
holds CACertificates old-root
expect_json_file "$firefox" && ok 'writes both' || bad 'writes both'
expect_exit 0 'verify asks those who can tell' xr --root "$image" --layout debian --scope system verify "$P/old-root.pem"
expect_no_grep 'and nobody else' 'policies' "$out"
expect_exit 1 'a policy alone cannot' in_store chromium verify "$P/old-root.pem"
expect_grep 'but says what it adds' "cannot tell: each user's databases count too; by the policies alone: yes" "$out"
expect_exit 0 'undo' xr --root "$image" --layout debian --yes undo
expect_eq 'takes both back' "$(ls -A "$managed" "$image/etc/firefox/policies" | grep -v :)" ''

# --- privilege

if [[ $(id -u) -eq 0 ]]; then
    chmod 755 "$T" "$image"
    mkdir "$T/home" && chmod 777 "$T/home"
    run setpriv --reuid=1234 --regid=1234 --clear-groups env HOME="$T/home" \
        "$XR_BIN" --worker "$XR_WORKER" --state "$T/home/state" --root "$image" --store policy:chromium install --yes "$P/cross.pem"
    expect_eq 'an ordinary user is told to be root' "$rc" 5
fi
finish
