#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fingerprints: typed ones, printed ones, wrong ones and nearly right ones.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
dir=$T/trust
s=(--store "openssl:$dir")
cross=$P/cross.pem
pin=$(sha "$cross")
root=$P/old-root.pem
root_pin=$(sha "$root")
sha1() {
    openssl x509 -in "$1" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f
}

# refused CODE WHAT ARG...: exits CODE and neither store nor journal exists after it.
refused() {
    local code=$1 what=$2
    shift 2
    rm -rf "$dir" "$state"
    expect_exit "$code" "$what" xr "${s[@]}" install "$@"
    expect_absent "$what: no store was made" "$dir"
    [[ ! -s $state/journal ]] || bad "$what: the journal was written"
}

# taken WHAT ARG...: installs, then all is removed again.
taken() {
    local what=$1
    shift
    rm -rf "$dir" "$state"
    expect_exit 0 "$what" xr "${s[@]}" install "$@"
}

upper=$(tr a-f A-F <<<"$pin")
colons=$(sed 's/../&:/g; s/:$//' <<<"$upper")
spaces=$(sed 's/..../& /g; s/ $//' <<<"$pin")
taken 'the right pin' "$cross" --pin "sha256:$pin"
taken 'with colons and capitals' "$cross" --pin "sha256:$colons"
taken "openssl's own line" "$cross" --pin "$(openssl x509 -in "$cross" -noout -fingerprint -sha256)"
openssl x509 -in "$cross" -outform DER -out "$T/cross.der"
taken 'a line of sha256sum' "$cross" --pin "$(sha256sum "$T/cross.der")"
taken "a line of openssl dgst" "$cross" --pin "$(openssl dgst -sha256 "$T/cross.der")"
taken "with the mark that Windows' dialog hides before it" "$cross" --pin $'\u200e'"$spaces"
key=$(openssl x509 -in "$cross" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum)
refused 6 'the hash of the key' "$cross" --pin "${key%% *}"
expect_grep 'is called that, with the right one' "is the SHA-256 of this certificate's key, not of the certificate, which is $pin" "$err"
refused 6 'a cut one that is as long as a SHA-1' "$cross" --pin "${pin:0:40}"
expect_grep 'is called that' "is only the beginning of this certificate's SHA-256, which is $pin" "$err"
refused 2 "curl's pin" "$cross" --pin "sha256//$(openssl dgst -sha256 -binary "$T/cross.der" | base64)"
expect_grep 'is called that' 'that is the hash of a key, as curl and HPKP take it' "$err"
refused 2 'another digest' "$cross" --pin "$(openssl x509 -in "$cross" -noout -fingerprint -sha512)"
expect_grep 'is named' 'that is a SHA-512 fingerprint' "$err"
taken 'with spaces' "$cross" --pin "sha256:$spaces"
taken 'without sha256:' "$cross" --pin "$pin"
taken 'with SHA256: in capitals' "$cross" --pin "SHA256:$upper"
taken 'after an equals sign' "$cross" "--pin=sha256:$pin"
taken 'a SHA-1 pin of a cross certificate' "$cross" --pin "$(sha1 "$cross")"
taken 'a pin for each of two' "$cross" "$P/sub.pem" --pin "$pin" --pin "sha256:$(sha "$P/sub.pem")"
taken 'two pins of one certificate' "$cross" --pin "$pin" --pin "$(sha1 "$cross")"
taken 'the pin of a root answers its confirmation' "$root" --pin "$root_pin"
run xr "${s[@]}" list --json
expect_json 'and it is an anchor' 'stores[0].entries[].place' anchor

other=$(sha "$P/sub.pem")
refused 6 'a wrong pin' "$cross" --pin "$other"
expect_grep 'the right SHA-256 is shown' "$pin" "$err"
refused 6 'a wrong pin, though --yes' --yes "$cross" --pin "$other"
refused 6 'a wrong SHA-1' "$cross" --pin "$(sha1 "$P/sub.pem")"
refused 6 'two certificates, one pin' "$cross" "$P/sub.pem" --pin "$pin"
refused 6 'one certificate, two pins: one is unused' "$cross" --pin "$pin" --pin "$other"
expect_grep 'the unused pin is named' "$other" "$err"
refused 6 'the pin of the key is not the pin of the certificate' "$cross" --pin "$(
    openssl x509 -in "$cross" -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256 -r | cut -c1-64)"
refused 7 'a SHA-1 pin does not answer the confirmation of a root' "$root" --pin "$(sha1 "$root")"
refused 6 'a pin for the twin of a certificate' "$P/new-root.pem" --pin "$pin"

# Malformed: usage, whatever --yes says.
for malformed in '' 'sha256:' "${pin:1}" "${pin}0" "sha256:${pin:0:40}" "sha1:$pin" "md5:${pin:0:32}" \
    "${pin:0:63}g" "$pin $pin" 'hello' "sha256:$(sha1 "$cross")" "${pin:0:62}"; do
    refused 2 "malformed: \"${malformed:0:24}\" (${#malformed})" "$cross" --yes --pin "$malformed"
done
refused 2 'one digit too many is explained' "$cross" --pin "${pin:0:20}7${pin:20}"
expect_grep 'it counts the digits' '65 digits' "$err"
expect_grep 'and shows the one too many' 'digit 2[0-9]|digit 1[0-9]' "$err"
refused 2 'one digit too few is explained' "$cross" --pin "${pin:0:20}${pin:21}"
expect_grep 'it counts the digits' '63 digits' "$err"
refused 2 'malformed and nothing near' "$cross" --pin "0${other}"
expect_no_grep 'is not explained digit by digit' 'digit [0-9]+:' "$err"
rm -rf "$dir" "$state"
run xr --json "${s[@]}" install "$cross" --pin "${pin}0"
expect_json 'JSON of a malformed pin' exit 2

# Near misses. flip N: the pin with N look-alike digits, apart from each other, for then no other
# reading of it (one digit lost here, one too many there) is as near, whatever the pin is.
flip() {
    local text=$pin left=$1 at digit
    for ((at = 0; at < 64 && left > 0; at++)); do
        digit=${text:at:1}
        case $digit in
        8) digit=b ;;
        b) digit=8 ;;
        0) digit=d ;;
        d) digit=0 ;;
        3) digit=8 ;;
        6) digit=8 ;;
        5) digit=9 ;;
        9) digit=5 ;;
        *) continue ;;
        esac
        text=${text:0:at}$digit${text:at+1}
        left=$((left - 1)) at=$((at + 2))
    done
    ((left == 0)) || bad "flip: too few look-alike digits in $pin"
    printf '%s\n' "$text"
}
for n in 1 2 8; do
    refused 6 "$n look-alike digits wrong" "$cross" --pin "$(flip "$n")"
    expect_grep "$n: says how many differ" "differs in $n position" "$err"
    expect_eq "$n: every one is named" "$(grep -E '^  digit ' "$err" | grep -oE '[0-9]+: .→.' | wc -l)" "$n"
    expect_grep "$n: suggests a misprint" 'misprint' "$err"
    expect_grep "$n: another source" 'another source' "$err"
done
far=$(tr '0-9a-f' '5-9a-f0-4' <<<"${pin:0:24}")${pin:24}
refused 6 '24 digits wrong is no near miss' "$cross" --pin "$far"
expect_no_grep 'and not explained' 'digit [0-9]+:' "$err"
changed=${pin:0:63}$([[ ${pin:63} == 1 ]] && echo 2 || echo 1)
refused 6 'the last digit wrong' "$cross" --pin "$changed"
expect_grep 'it is digit 64' 'digit 64:' "$err"
for ((at = 0; at < 63; at++)); do
    [[ ${pin:at:1} == "${pin:at+1:1}" ]] || break # the first two that are not the same digit
done
refused 6 'two digits swapped' "$cross" \
    --pin "${pin:0:at}${pin:at+1:1}${pin:at:1}${pin:at+2}"
refused 6 'one misprint of a root does not become its confirmation' "$root" --yes \
    --pin "$([[ ${root_pin:0:1} == 8 ]] && echo b || echo 8)${root_pin:1}"

# Published pages.
taken 'a page with both fingerprints' "$cross" --published "$P/published.html"
taken 'full-width digits' "$cross" --published "$P/published-fullwidth.txt"
taken 'a page and a pin' "$cross" --published "$P/published.html" --pin "$pin"
refused 6 'a misprinted page' "$cross" --published "$P/published-misprint.html"
expect_grep 'eight positions' 'SHA-256 .*in 8 positions' "$err"
expect_grep 'and 41 digits' 'SHA-1 given has 41 digits' "$err"
expect_eq 'every position is named' "$(grep -E '^  digit ' "$err" | grep -oE '[0-9]+: .→.' | wc -l)" 9
expect_eq 'in twelve lines' "$(wc -l <"$err")" 12
refused 6 'a misprinted page beside the right pin' "$cross" --pin "$pin" \
    --published "$P/published-misprint.html"
refused 6 'a good page and a misprinted one' "$cross" --yes --published "$P/published-misprint.html"
refused 6 'a page without the certificate' "$P/sub.pem" --published "$P/published.html"
refused 6 'a page for one of two' "$cross" "$P/sub.pem" --published "$P/published.html"
printf 'SHA-256: %s\n' "$colons" >"$T/page-1.txt"
printf 'SHA256 %s\n' "$colons" >"$T/page-2.txt"
printf 'SHA-256 %s\n' "$root_pin" >"$T/page-3.txt"
printf 'SHA-1 %s\n' "$(sha1 "$root")" >"$T/page-4.txt"
printf '\xef\xbb\xbfSHA-256:\r\n%s\r\n' "$spaces" >"$T/page-5.txt"
printf 'nothing printed here\n' >"$T/page-6.txt"
: >"$T/page-7.txt"
taken 'a text page' "$cross" --published "$T/page-1.txt"
taken 'two pages for two certificates' "$cross" "$P/sub.pem" --published "$P/published.html" \
    --published <(sha "$P/sub.pem")
taken 'the name of the digest right before it' "$cross" --published "$T/page-2.txt"
taken 'a BOM, CRLF and groups' "$cross" --published "$T/page-5.txt"
taken 'a year and other numbers before it' "$cross" --published <(echo "2025 04 09 fade $pin 12 34")
taken 'the output of sha256sum' "$cross" --published <(openssl x509 -in "$cross" -outform DER | sha256sum)
taken 'the output of openssl' "$cross" --published <(openssl x509 -in "$cross" -noout -fingerprint -sha256)
taken 'a table of Markdown' "$cross" --published <(echo "| cross | 2024 | $colons | yes |")
taken 'HTML without blanks' "$cross" --published <(echo "<td>256</td><td>$pin</td><td>99</td>")
refused 6 'digits inside a longer word are no fingerprint' "$cross" --published <(echo "x${pin}9")
refused 7 'a root with its page still needs a confirmation' "$root" --published "$T/page-3.txt"
refused 7 'also with its SHA-1 on a page' "$root" --published "$T/page-4.txt"
taken 'a root with its page and --yes' --yes "$root" --published "$T/page-3.txt"
taken 'a root with its page and its pin' "$root" --published "$T/page-3.txt" --pin "$root_pin"
refused 6 'a page without any fingerprint' "$cross" --published "$T/page-6.txt"
refused 6 'an empty page' "$cross" --published "$T/page-7.txt"
refused 1 'a missing page' "$cross" --published "$T/page-0.txt"
refused 6 'a page cut in the middle of the fingerprint' "$cross" --published <(printf '%s' "${pin:0:50}")

# Nothing else of the input comes in beside what was pinned.
refused 6 'a bundle, one pin' "$P/all.pem" --pin "$pin"
refused 2 'a pin without a file' --pin "$pin"
expect_exit 2 'a pin for remove' xr "${s[@]}" remove "$cross" --pin "$pin"
run xr --json "${s[@]}" --dry-run install "$cross" --pin "$other"
expect_eq 'a dry run says no to a wrong pin too' "$rc" 6
finish
