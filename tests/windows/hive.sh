#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hive.sh PLUGIN MKHIVE: system stores of a Windows that is not running, in its SOFTWARE hive; what is
# written, hivexsh and reglookup read too.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
plugin=${1:?} mkhive=${2:?}
make_pki "$T/pki"
cd "$P"

# On a file system that minds case, as an image of somebody's is spelt.
image=$T/image
config=$image/WINDOWS/system32/config
hive=$config/software
mkdir -p "$config"
"$mkhive" "$config" software
w() {
    xr --plugin "$plugin" --root "$image" --scope system --store windows "$@"
}
keys() { # STORE [ROOT]: SHA-1 of what hivexsh finds there
    printf 'cd \\%s\\%s\\Certificates\nls\n' "${2:-Microsoft\\SystemCertificates}" "$1" |
        hivexsh "$hive" 2>/dev/null | tr 'A-F' 'a-f' | LC_ALL=C sort | xargs
}
sha1() {
    openssl x509 -in "$1" -outform DER | sha1sum | cut -c1-40
}
listed() { # "PLACE PURPOSES VENDOR SUBJECT" lines
    run w list --json
    json 'stores[0].entries[].{place,purposes,vendor,subject}' "$out" | sed 's/CN=//; s/,O=.*//; s/\t/ /g' | LC_ALL=C sort
}
record() { # ID FILE: of a blob, in hex
    printf '%08x%08x%08x' "$1" 1 "$(stat -c %s "$2")" | sed -E 's/(..)(..)(..)(..)/\4\3\2\1/g'
    od -An -v -tx1 "$2" | tr -d ' \n'
}
put() { # PATH NAME HEX: a blob below keys that are made
    local part commands='cd \'$'\n' parts
    IFS='\' read -r -a parts <<<"$1\\$2"
    for part in "${parts[@]}"; do
        printf '%scd %s\n' "$commands" "$part" >"$T/commands"
        hivexsh "$hive" <"$T/commands" >"$T/said" 2>&1 || commands+="add $part"$'\n'
        commands+="cd $part"$'\n'
    done
    printf '%ssetval 1\nBlob\nhex:3:%s\ncommit\n' "$commands" "$(sed 's/../&,/g; s/,$//' <<<"$3")" |
        hivexsh -w "$hive" >"$out" 2>"$err" || show_output
}

# --- the job

run w stores
expect_grep 'an image of Windows is found' '^windows:LocalMachine$' "$out"
expect_exit 0 'a root, for servers' w install --yes --for server old-root.pem
expect_exit 0 'what it signed' w install cross.pem
expect_eq 'where they belong' "$(listed)" \
    $'anchor ["server"] false Crossroot Test Old Root\nintermediate [] false Crossroot Test New Root'
expect_eq 'another reader: ROOT' "$(keys ROOT)" "$(sha1 old-root.pem)"
expect_eq 'and CA' "$(keys CA)" "$(sha1 cross.pem)"
if command -v reglookup >/dev/null; then
    reglookup -t BINARY "$hive" >"$out" 2>"$err"
    expect_eq 'a third one sees two blobs' "$(grep -c '/Blob,BINARY,%03%00%00%00%01%00%00%00%14' "$out")" 2
fi
expect_exit 0 'the chain is good' w verify --untrusted sub.pem leaf.pem --host localhost
run w verify --untrusted sub.pem leaf.pem --for email
expect_eq 'for servers alone' "$rc" 6
expect_exit 0 'again' w install cross.pem
expect_grep 'changes nothing' ': unchanged' "$out"
expect_exit 0 'distrust' w distrust --yes cross.pem
expect_eq 'is in Disallowed, and no more in CA' "$(keys Disallowed) $(keys CA)" "$(sha1 cross.pem) "
run w verify --untrusted sub.pem leaf.pem
expect_eq 'the chain is not good' "$rc" 6
expect_exit 0 'a CRL' w install old-root.crl.pem
expect_grep 'lies in CA' '^[0-9A-F]{40}$' <(printf 'cd \\Microsoft\\SystemCertificates\\CA\\CRLs\nls\n' | hivexsh "$hive")
expect_exit 0 'a leaf that is to be trusted as itself' w install --yes --as peer leaf.pem
expect_eq 'lies in TrustedPeople' "$(keys TrustedPeople)" "$(sha1 leaf.pem)"
for _ in 1 2 3 4 5; do
    expect_exit 0 'undo' w undo --yes
done
expect_eq 'nothing is left' "$(listed)" ''

# --- what Windows and its administrators put there

openssl x509 -in rsa-root.pem -outform DER -out "$T/rsa.der"
openssl x509 -in sibling-root.pem -outform DER -out "$T/sibling.der"
printf 'Z\0u\0e\0r\0i\0c\0h\0 \0=\330\0\336\0\0' >"$T/name"
printf '\0\200\076\325\336\261\235\001' >"$T/date"
put 'Policies\Microsoft\SystemCertificates\ROOT\Certificates' "$(sha1 rsa-root.pem | tr a-f A-F)" "$(record 32 "$T/rsa.der")"
put 'Microsoft\SystemCertificates\ROOT\Certificates' "$(sha1 sibling-root.pem | tr a-f A-F)" \
    "$(record 11 "$T/name")$(record 126 "$T/date")$(record 32 "$T/sibling.der")"
put 'Microsoft\SystemCertificates\CA\Certificates' 0000000000000000000000000000000000000000 00112233
expect_eq 'both roots are listed' "$(listed)" \
    'anchor ["any"] false Crossroot Test New Root
anchor ["any"] true Crossroot Test RSA Root'
run w list --json
expect_eq 'by its own name' "$(json 'stores[0].entries[].label' "$out" | grep -v null)" 'Zuerich 😀'
run w list
expect_grep 'with its date' 'before a date' "$out"
expect_grep 'what has no limit is trusted for any purpose' '^ *anchor .*\bany\b.* Crossroot Test New Root' "$out"
run w remove --yes rsa-root.pem
expect_eq "group policy's stays" "$rc" 1
expect_exit 0 'it can be distrusted' w distrust --yes rsa-root.pem
expect_exit 0 'undo' w undo --yes
cp "$hive" "$T/before"
expect_exit 0 'narrow the other' w install --yes --only --for server sibling-root.pem
run w list --json
expect_eq 'it keeps its name' "$(json 'stores[0].entries[].label' "$out" | grep -v null)" 'Zuerich 😀'
run w list
expect_grep 'and its date' 'before a date' "$out"
expect_exit 0 'undo' w undo --yes
expect_exit 0 'remove it' w remove sibling-root.pem
expect_exit 0 'undo' w undo --yes
blobs() {
    reglookup -t BINARY "$1" 2>/dev/null | cut -d, -f1-3 | LC_ALL=C sort
}
expect_same 'all is what it was' <(blobs "$T/before") <(blobs "$hive")
openssl x509 -in ed25519-root.pem -outform DER -out "$T/archived.der"
put 'Microsoft\SystemCertificates\ROOT\Certificates' "$(sha1 ed25519-root.pem | tr a-f A-F)" \
    "130000000100000000000000$(record 32 "$T/archived.der")"
run w list
expect_grep 'what is archived is listed, and said to be' 'archived: the lists of Windows' "$out"
expect_exit 0 'remove it' w remove ed25519-root.pem
expect_exit 0 'undo' w undo --yes
run w list
expect_grep 'brings it back as it was' 'archived: the lists of Windows' "$out"

# --- keys whose names are not as Windows spells them

cp "$hive" "$T/spelt"
for cert in old-root t61; do
    openssl x509 -in $cert.pem -outform DER -out "$T/lower.der"
    put 'Microsoft\SystemCertificates\ROOT\Certificates' "$(sha1 $cert.pem)" "$(record 32 "$T/lower.der")"
done
expect_exit 0 'several keys in lower case' w remove --yes old-root.pem t61.pem
expect_eq 'are found' "$(keys ROOT | grep -cE "$(sha1 old-root.pem)|$(sha1 t61.pem)")" 0
expect_exit 0 'undo' w undo --yes
expect_eq 'one key for each' "$(keys ROOT | tr ' ' '\n' | grep -cE "$(sha1 old-root.pem)|$(sha1 t61.pem)")" 2
cp "$T/spelt" "$hive"

# --- hives that are not to be written

cp "$hive" "$T/good"
printf '\2' | dd of="$hive" bs=1 seek=4 conv=notrunc status=none
run w list
expect_eq 'a hive with changes in its logs' "$rc" 1
expect_grep 'is refused' 'not shut down properly' "$err"
cp "$T/good" "$hive"
printf 'HIBR' >"$image/HIBERFIL.SYS"
run w install --yes old-root.pem
expect_eq 'Windows that hibernated' "$rc" 1
expect_grep 'is refused' 'hibernated' "$out"
expect_exit 0 'and can be listed' w list
rm "$image/HIBERFIL.SYS"
mv "$hive" "$T/elsewhere"
ln -s "$T/elsewhere" "$hive"
run w list
expect_eq 'a link is not followed' "$rc" 1
rm "$hive"
cp "$T/good" "$hive"
for ((n = 0; n < 8192; n += 97)); do
    printf '\377' | dd of="$hive" bs=1 seek="$n" conv=notrunc status=none
    run w list
    [[ $rc -eq 0 || $rc -eq 1 ]] || bad "damaged at $n: exit $rc"
done
ok 'damage is survived'
cp "$T/good" "$hive"

# --- by its path

expect_exit 0 'a hive by itself' xr --plugin "$plugin" --store "windows:hive=$hive" install --yes old-root.pem
expect_exit 0 'undo' xr --plugin "$plugin" undo --yes
for address in windows:LocalMachine windows:CurrentUser windows:hive=relative "windows:hive=$config/"; do
    run xr --plugin "$plugin" --store "$address" list
    [[ $rc -ne 0 && $(wc -l <"$err") -eq 1 ]] && ok "$address: $(cat "$err")" || bad "$address: exit $rc"
done
# --- a hive that cannot be replaced

was=$(sha256sum <"$hive")
if unshare --mount true 2>/dev/null; then
    for what in 'install --yes t61.pem' 'install --require-verified --yes t61.pem' 'distrust --yes rsa-root.pem'; do
        # shellcheck disable=SC2016,SC2086 # words, and for the shell inside
        expect_exit 1 "a hive that is a mount point: ${what%% *}" unshare --mount --propagation private bash -c '
            cp "$1" "$2" && mount --bind "$2" "$1" && shift 2 && exec "$@"' bash "$hive" "$T/other" \
            "$XR_BIN" --worker "$XR_WORKER" --state "$state" --plugin "$plugin" --root "$image" --scope system \
            --store windows $what
        expect_grep 'says that it is one' 'oftware: it is a mount point' "$out"
        expect_no_grep 'nothing is called done or verified' ': done|verified: yes' "$out"
    done
fi
if can_trace; then
    run traced -f -o /dev/null -e trace=renameat -e inject=renameat:error=EBUSY:when=1+ "$XR_BIN" --worker "$XR_WORKER" \
        --state "$state" --plugin "$plugin" --root "$image" --scope system --store windows install --yes t61.pem
    expect_eq 'a hive that cannot be replaced: exit code' "$rc" 1
    expect_grep 'and why' 'cannot replace /Windows/System32/config/software: Device or resource busy' "$out"
    expect_no_grep 'nothing is called done or verified' ': done|verified: yes' "$out"
fi
expect_eq 'it is what it was' "$(sha256sum <"$hive")" "$was"
expect_exit 0 'and nothing is stuck' w install --yes t61.pem

expect_eq 'no copy is left behind' "$(find "$config" -name '.*' -type f)" ''
finish
