#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# exe.sh CAPI, inside "wine in": crossroot.exe end to end, each step a process of its own, in a
# directory whose name is not ASCII. What it says is compared with another program on CryptoAPI.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
capi=${1:?}
: "${WINE:?}" "${WINEPREFIX:?}"
make_pki "$T/pki"
lab="$WINEPREFIX/drive_c/証明書 lab"
mkdir -p "$lab"
cp "$P"/* "$lab"
cd "$lab" || exit 1
for pem in *.pem; do
    openssl x509 -in "$pem" -outform DER -out "${pem%.pem}.der" 2>/dev/null || true
done

xr() { "$WINE" "$XR_BIN" "$@"; }
# wine COMMAND...: another program of Windows; its lines end as ours do.
wine() { "$WINE" "$@" | tr -d '\r'; }
sha1() { sha1sum "$1" | cut -c1-40; }
listed() { # [STORE]: "PLACE PURPOSES VENDOR LABEL SUBJECT" of the fixtures
    run xr "$@" list --json
    [[ $rc -eq 0 ]] || bad "list: exit $rc"
    json 'stores[0].entries[].{place,purposes,vendor,label,subject}' "$out" |
        grep -v 'Microsoft' | sed 's/CN=//; s/,O=.*//; s/\t/ /g' | LC_ALL=C sort
}
# Everything below both keys of system stores: a line for each element. A key that a killed CryptoAPI
# had no time to give a value holds none.
registry() {
    local root
    for root in HKLM HKCU; do
        wine reg query "$root\\Software\\Microsoft\\SystemCertificates" /s 2>/dev/null |
            awk '/\\(Certificates|CRLs)\\/ { key = $0 } / Blob / { print key, $0 }'
    done | perl -MDigest::MD5=md5_hex -pe 's/(REG_BINARY\s+)(\w+)/$1 . md5_hex($2)/e'
}
reads() { wine "$capi" list machine "$1" | LC_ALL=C sort; } # STORE: "SHA1 [eku=…] name=…" or "crl SHA1"
has() { reads "$1" | grep "$(sha1 "$2")" | sed 's/ name=.*//' || true; } # STORE FILE
asks() { wine "$capi" chain machine "$1"; }

# ---- the program itself ----

expect_exit 0 "it says its version" xr --version
expect_eq "which is ours" "$(<"$out")" "crossroot 0.1.0"
expect_exit 0 "help" xr --help
cp "$out" "$T/help"
expect_eq "fits a screen" "$(($(wc -l <"$out") <= 24 && $(wc -L <"$out") <= 80))" 1
for word in /? -? /help /HELP; do
    expect_exit 0 "$word" xr "$word"
    expect_same "is the same" "$T/help" "$out"
done
expect_exit 0 "help for a command" xr install --help
cp "$out" "$T/help"
expect_no_grep "without options that Windows does not have" '--rebuild' "$out"
expect_exit 0 "/? after it" xr install /?
expect_same "is the same" "$T/help" "$out"
expect_exit 1 "/help after it" xr inspect /help
expect_grep "is a file" '/help' "$err"
for word in licences licenses; do
    expect_exit 0 "help $word" xr help $word
    expect_same "is the notices of what is linked" "${XR_BIN%/*}/THIRD-PARTY-NOTICES.txt" "$out"
done
expect_grep "with OpenSSL's licence" 'Apache License' "$out"
size=$(stat -c %s "$XR_BIN")
expect_eq "it has at most 4 MiB ($size bytes)" "$((size <= 4 << 20))" 1
x86_64-w64-mingw32-objdump -p "$XR_BIN" | sed -n 's/.*DLL Name: //p' | tr A-Z a-z | LC_ALL=C sort >"$T/dlls"
expect_eq "and needs DLLs of the system alone" "$(grep -vxE '(advapi32|bcrypt|crypt32|kernel32|msvcrt|ntdll|user32|userenv|ws2_32)\.dll' "$T/dlls" || true)" ""
# What the loader reads: where the directory says, at the offset of DependentLoadFlags.
loads=$(perl -e 'local $/; $_ = <>; my $o = unpack("x60 V") + 24; my ($rva, $len) = unpack "x" . ($o + 192) . " V V";
    for my $i (0 .. unpack("x" . ($o - 18) . " v") - 1) {
        my ($size, $va, $raw) = unpack "x" . ($o + 240 + 40 * $i) . " x8 V V x4 V";
        printf "%d %04x", $len, unpack "x" . ($raw + $rva - $va + 78) . " v" if $rva >= $va && $rva < $va + $size;
    }' "$XR_BIN")
expect_eq "loaded from System32 alone" "$loads" "112 0800"
expect_eq "it does not say where it was built" "$(grep -ac "$(dirname "$XR_BIN")\|xr-deps" "$XR_BIN" || true)" 0
expect_exit 0 "it has a manifest that says UTF-8" grep -aq 'activeCodePage.*UTF-8' "$XR_BIN"
expect_exit 0 "and a version resource" grep -aqP 'O\0r\0i\0g\0i\0n\0a\0l\0F\0i\0l\0e\0n\0a\0m\0e\0' "$XR_BIN"

# ---- the eight steps of the page, as one command ----

xr list >/dev/null 2>&1 # Wine puts roots of Microsoft's there
registry >"$T/before"
expect_exit 0 "inspect reads from a directory that is not ASCII" xr inspect --only-files 'C:\証明書 lab\cross.pem' --json
expect_json "and names the file as it was typed" 'certificates[0].file' 'C:\証明書 lab\cross.pem'
expect_exit 0 "a name that is not ASCII is shown" xr inspect --only-files utf8.pem
expect_exit 0 "as UTF-8" iconv -f UTF-8 -t UTF-8 "$out"
expect_exit 6 "before, CryptoAPI finds no path" xr verify sub.pem
expect_grep "and says why in words" 'an issuer is missing' "$out"
expect_exit 6 "a page with misprinted fingerprints is refused" xr install cross.pem --published published-misprint.html
expect_exit 7 "a root without a confirmation is refused" xr install old-root.pem
registry >"$T/after"
expect_same "and until here nothing was written" "$T/before" "$T/after"
expect_exit 0 "a root with its pin becomes an anchor" xr install old-root.pem --pin "sha256:$(sha old-root.pem)"
expect_grep "and CryptoAPI says so" 'verified: yes' "$out"
expect_eq "another program reads it, restricted to servers" "$(has ROOT old-root.der)" \
    "$(sha1 old-root.der) eku=1.3.6.1.5.5.7.3.1,1"
expect_exit 0 "the cross certificate needs its pin alone" xr install cross.pem --pin "sha256:$(sha cross.pem)" --published published.html
expect_eq "another program reads it among the intermediates" "$(has CA cross.der)" "$(sha1 cross.der)"
expect_exit 0 "now there is a path" xr verify sub.pem
expect_grep "over the cross certificate" 'Sub CA → Crossroot Test New Root → Crossroot Test Old Root' "$out"
expect_grep "from what is here alone" 'nothing is fetched' "$out"
expect_eq "another program finds it too" "$(asks sub.der)" "00000000 3"
registry >"$T/installed"
expect_exit 0 "a second install" xr install cross.pem
expect_grep "changes nothing" 'every user of this machine: unchanged' "$out"
"$WINESERVER" -k || true
"$WINESERVER" -p600 </dev/null >/dev/null 2>&1
expect_eq "all of it is there after a restart" "$(listed)" \
    "$(printf '%s\n' 'anchor ["server"] false Crossroot Test Old Root Crossroot Test Old Root' \
        'intermediate [] false Crossroot Test New Root Crossroot Test New Root')"
registry >"$T/after"
expect_same "in the registry too" "$T/installed" "$T/after"
expect_exit 0 "--managed knows what is ours" xr list --managed --json
expect_eq "and that alone" "$(json 'stores[0].entries[].place' "$out" | LC_ALL=C sort | xargs)" 'anchor intermediate'
expect_exit 0 "undo takes the cross certificate back" xr undo
expect_exit 6 "so the path is gone" xr verify sub.pem
expect_exit 0 "and the root" xr undo --yes
registry >"$T/after"
expect_same "and all is as it was" "$T/before" "$T/after"

# ---- a console ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -utf8 -days 10 \
    -subj '/O=大学/CN=国立情報学研究所 試験ルート' -addext basicConstraints=critical,CA:TRUE -out 試験.pem 2>/dev/null
console=$T/console
touch "$console"
shows() { sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' "$console" | tr -d '\r'; }
waits() { # TEXT: until the console shows it
    local i
    for ((i = 0; i < 150; i++)); do
        shows | grep -cF "$1" >/dev/null && return
        sleep 0.1
    done
}
{
    waits 'Continue?'
    printf 'y\r'
    waits 'To take this back'
} | timeout 300 script -qfec "'$WINE' '$XR_BIN' install 試験.pem" "$console" >/dev/null || true
shows >"$T/shown"
expect_grep "a console shows Japanese" '^add: 国立情報学研究所 試験ルート' "$T/shown"
expect_grep "asks there, and takes the answer" '^Windows, for every user of this machine: done' "$T/shown"
expect_exit 0 "which undo takes back" xr undo --yes

# ---- the real certificates and the real page, where they are ----

secom=$XR_SHARED/data/secom
if [[ -d $secom ]]; then
    mkdir real
    cp "$secom"/*.pem "$secom/cross-root-procedure.ja.txt" real
    cross=secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem
    pin=sha256:C8FB5BB81193CA9B531E2A0A568F14CC75D20924B98D2724DD243F63D813CF13
    expect_exit 0 "the older root is known" xr install 'real\security-communication-rootca2.pem' --yes
    expect_exit 6 "the university's servers are not" xr verify 'real\nii-open-domain-ca-g8-rsa.pem'
    expect_exit 6 "the page's fingerprints are misprinted, and refused" \
        xr install "real\\$cross" --published 'real\cross-root-procedure.ja.txt'
    expect_exit 0 "with the right one the cross certificate goes in" xr install "real\\$cross" --pin "$pin"
    expect_eq "among the intermediates" "$(listed | grep -c '^intermediate .*SECOM TLS RSA Root CA 2024')" 1
    expect_exit 0 "and the servers are known" xr verify 'real\nii-open-domain-ca-g8-rsa.pem'
    expect_grep "over it" 'G8 RSA → SECOM TLS RSA Root CA 2024 → Security Communication RootCA2' "$out"
    expect_exit 0 "all of which is undone" xr undo
    expect_exit 0 "in two steps" xr undo --yes
else
    skip "the real certificates"
fi

# ---- what Windows' shells leave to programs ----

mkdir -p ../wild/証明書
cp old-root.pem ../wild/a.pem
cp cross.pem ../wild/B.PEM
cp sub.pem ../wild/-y.pem
cp sub.pem ../wild/a.pem_old
cp sub.pem ../wild/証明書/証.pem
cd ../wild
files_of() { # WORD...: files that it stands for, a line each
    run xr inspect --only-files --json "$@"
    json 'certificates[].file' "$out"
}
expect_eq "a star stands for names, whatever their case" "$(files_of '*.pem' | tr '\n' ' ')" '.\-y.pem B.PEM a.pem '
expect_eq "a question mark for one letter" "$(files_of '?.pem' | tr '\n' ' ')" 'B.PEM a.pem '
expect_eq "below a directory, in any language" "$(files_of '証明書\証*')" '証明書\証.pem'
expect_exit 1 "what stands for nothing" xr inspect --only-files 'no*.pem'
expect_grep "is said to be nothing" 'no\*.pem: cannot read: No such file' "$err"
cd "$lab"

# ---- the same answers as on Linux, of fixtures and of whatever is hostile ----

same_answers() { # WHAT FILE...: in the directory that they are relative to
    local what=$1
    shift
    run "${XR_NATIVE:?}/cli/crossroot" inspect --only-files --json "$@"
    cp "$out" "$T/linux"
    run xr inspect --only-files --json "$@"
    expect_same "inspect says of $what ($#) what it says on Linux" "$T/linux" <(tr -d '\r' <"$out")
}
mapfile -t files < <(find . -type f | LC_ALL=C sort)
same_answers fixtures "${files[@]}"
if [[ -d $XR_SHARED/data/hostile ]]; then
    # Without those whose names Windows does not have.
    mapfile -t files < <(cd "$XR_SHARED/data" && find cross hostile -type f ! -name 'CON.pem' ! -name '*[*"]*' | LC_ALL=C sort)
    mkdir ../data
    (cd "$XR_SHARED/data" && cp --parents "${files[@]}" "$WINEPREFIX/drive_c/data")
    cd ../data
    same_answers "shared data" "${files[@]}"
    cd "$lab"
else
    skip "hostile data (no $XR_SHARED)"
fi

# ---- every place ----

expect_exit 0 "a root for mail" xr install email-root.pem --as anchor --for email --yes
expect_eq "has that purpose as its property" "$(has ROOT email-root.der)" \
    "$(sha1 email-root.der) eku=1.3.6.1.5.5.7.3.4,1"
expect_exit 0 "a leaf as itself" xr install leaf.pem --as peer --yes
expect_eq "lies in TrustedPeople" "$(reads TrustedPeople | cut -d' ' -f1)" "$(sha1 leaf.der)"
expect_exit 0 "a distrust, which Wine's verifier does not know" xr distrust sub.pem --yes
expect_eq "lies in Disallowed" "$(reads Disallowed | cut -d' ' -f1)" "$(sha1 sub.der)"
expect_exit 0 "the issuer of a CRL" xr install old-root.pem --yes
expect_exit 0 "a CRL" xr install old-root.crl.pem
openssl crl -in old-root.crl.pem -outform DER -out old-root.crl.der
expect_eq "lies in CA" "$(reads CA)" "crl $(sha1 old-root.crl.der)"
expect_exit 7 "to give trust back asks" xr remove sub.pem --from distrust
expect_exit 0 "or is confirmed" xr remove sub.pem --from distrust --yes
expect_eq "and is done" "$(reads Disallowed)" ""

# ---- the user's own, only when named ----

expect_exit 0 "a user's root" xr --store windows:CurrentUser install rsa-root.pem --yes
expect_eq "is the user's" "$(wine "$capi" list user ROOT | grep -c "$(sha1 rsa-root.der)")" 1
expect_eq "and not the machine's" "$(has ROOT rsa-root.der)" ""
expect_eq "what the machine has is listed as such" \
    "$(listed --store windows:CurrentUser | grep -c '^anchor .* true .*Old Root')" 1
expect_exit 1 "and is not the user's to remove" xr --store windows:CurrentUser remove old-root.pem
expect_exit 0 "stores names the machine's" xr stores
expect_no_grep "and no other" 'CurrentUser' "$out"
expect_exit 0 "the user's when it is named" xr --store windows:CurrentUser stores
expect_grep "with its dialog" 'dialog' "$out"
expect_exit 0 "undo knows where it was" xr undo --yes
expect_eq "and takes it back" "$(wine "$capi" list user ROOT | grep -c "$(sha1 rsa-root.der)" || true)" 0

# ---- group policy's ----

blob() { # SHA1 [STORE]: the registry's bytes
    wine reg query "HKLM\\Software\\Microsoft\\SystemCertificates\\${2:-Root}\\Certificates\\${1^^}" /v Blob |
        sed -n 's/.*REG_BINARY *//p' | tr -d ' \n' | xxd -r -p
}
expect_exit 0 "a root is installed" xr install rsa-root.pem --yes
blob "$(sha1 rsa-root.der)" >gp.blob
expect_exit 0 "group policy gets it as well" \
    "$WINE" "$capi" load machine "Software\\Policies\\Microsoft\\SystemCertificates\\ROOT\\Certificates\\$(sha1 rsa-root.der | tr a-f A-F)" gp.blob
expect_eq "both are listed" "$(listed | grep 'RSA' | cut -d' ' -f1-3 | xargs)" \
    'anchor [server] false anchor [server] true'
expect_exit 0 "installing it again is nothing to do" xr install rsa-root.pem --yes
expect_grep "which is said" 'unchanged' "$out"
expect_exit 1 "a narrower purpose is refused while group policy's says more" xr --store windows:LocalMachine install rsa-root.pem --only --for email --yes
expect_grep "with that reason" 'group policy' "$out"
expect_exit 0 "a removal takes the registry's own" xr remove rsa-root.pem
expect_grep "and says what stays" 'the entry that comes with the system stays' "$out"
expect_eq "group policy's" "$(listed | grep 'RSA' | cut -d' ' -f1-3)" 'anchor ["server"] true'
expect_exit 1 "that is not ours to remove" xr --store windows:LocalMachine remove rsa-root.pem
wine reg delete 'HKLM\Software\Policies\Microsoft\SystemCertificates\ROOT\Certificates' /f >/dev/null
expect_eq "and gone" "$(has ROOT rsa-root.der)" ""

# ---- the same name and number ----

"$XR_TWINS" rsa-root.pem twin-a.pem twin-b.pem
cp rsa-root.pem twin-c.pem
for twin in a b c; do
    openssl x509 -in "twin-$twin.pem" -outform DER -out "twin-$twin.der"
    expect_exit 0 "twin $twin is installed" xr install "twin-$twin.pem" --as intermediate --yes
done
all() { reads CA | grep -v crl | cut -c1-40 | LC_ALL=C sort; }
expect_eq "three of one issuer and number lie there" "$(all)" \
    "$(for twin in a b c; do sha1 twin-$twin.der; done | LC_ALL=C sort)"
expect_exit 0 "one is removed" xr remove twin-b.pem
expect_eq "and only that one" "$(all)" "$(for twin in a c; do sha1 twin-$twin.der; done | LC_ALL=C sort)"
expect_exit 0 "and comes back" xr undo
expect_eq "beside the others" "$(all | wc -l)" 3

# ---- privilege, locks, records ----

registry >"$T/before"
cp "$XR_BIN" "$WINEPREFIX/drive_c/crossroot.exe"
run "$WINE" "$capi" unprivileged 'C:\crossroot.exe' install cross.pem
expect_eq "without privilege: exit 5" "$rc" 5
expect_grep "with the place to go" 'Run as administrator' "$err"
expect_grep "the directory" 'cd /d "C:\\証明書 lab"' "$err"
expect_grep "and the command" 'crossroot.exe" "install" "cross.pem"' "$err"
run "$WINE" "$capi" unprivileged 'C:\crossroot.exe' list
expect_eq "to read needs none" "$rc" 0
registry >"$T/after"
expect_same "and nothing was written" "$T/before" "$T/after"

state_dir="$WINEPREFIX/drive_c/ProgramData/crossroot"
expect_exit 0 "records lie in ProgramData" test -s "$state_dir/journal"
chmod 0777 "$state_dir"
expect_exit 1 "where others may write they are refused" xr install cross.pem
expect_grep "with the reason" 'other users can write to' "$err"
chmod 0700 "$state_dir"
for _ in 1 2; do # the second time it is replaced
    head -c 300 /dev/urandom >"$state_dir/journal"
    expect_exit 0 "a journal that cannot be read ends nothing" xr install cross.pem
    expect_eq "it is kept" "$(stat -c %s "$state_dir/journal.damaged")" 300
    expect_exit 0 "and a new one begun" xr undo
done
deep='C:\tief'
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do deep+='\ein sehr langer Name für ein Verzeichnis'; done
mkdir -p "$WINEPREFIX/drive_c/$(tr '\\' / <<<"${deep#C:\\}")"
cp cross.pem "$WINEPREFIX/drive_c/$(tr '\\' / <<<"${deep#C:\\}")/cross.pem"
expect_exit 0 "a path of ${#deep} characters" xr inspect --only-files "$deep\\cross.pem"
expect_exit 0 "holds records as well" xr --state "$deep\\state" install cross.pem
expect_exit 0 "which are found again" xr --state "$deep\\state" undo
expect_exit 2 "a stream of a file is no plugin" xr --plugin x.dll frobnicate

# ---- two at once, and one that is killed ----

expect_exit 0 "everything is taken out" xr remove twin-a.pem twin-b.pem twin-c.pem
for name in cross sub new-root; do
    xr install "$name.pem" --as intermediate >"$T/$name.out" 2>&1 &
done
wait
expect_eq "three at once are one after the other" "$(all | wc -l)" 3
expect_exit 0 "and each can be removed" xr remove cross.pem sub.pem new-root.pem
registry >"$T/old"
xr install cross.pem sub.pem new-root.pem --as intermediate >/dev/null 2>&1
registry >"$T/new"
xr undo >/dev/null 2>&1
olds=0 news=0
for delay in 0.02 0.04 0.05 0.06 0.07 0.08 0.09 0.1 0.11 0.12 0.14 0.17 0.2; do
    { timeout -s KILL "$delay" "$WINE" "$XR_BIN" install cross.pem sub.pem new-root.pem --as intermediate; } >/dev/null 2>&1 || true
    run xr recover
    [[ $rc -eq 0 ]] || { bad "killed after $delay: recover: exit $rc"; show_output; }
    registry >"$T/is"
    if cmp -s "$T/is" "$T/old"; then
        olds=$((olds + 1))
    elif cmp -s "$T/is" "$T/new"; then
        news=$((news + 1))
        run xr remove cross.pem sub.pem new-root.pem
    else
        bad "killed after $delay: neither old nor new"
        diff "$T/is" "$T/old" | head -5
    fi
done
ok "killed at any time, all is old ($olds) or new ($news) after recover"
finish
