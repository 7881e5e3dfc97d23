#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What policy_load makes of files that were shown to the real browser: the same states, and those that
# a browser does not survive or that need another owner. chromium.sh POLICY-VIEW
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"
view=$1
make_pki "$T/pki"
policies=$T/policies
# shellcheck source=tests/policy/states.sh
. "$here/states.sh"
for name in old-root cross sub; do
    declare "${name//-/_}=$(sha "$P/$name.pem")"
done

# look [ROOT [DIR]]: to $out
look() {
    run "$view" "${1:--}" "${2:-$policies}"
}
# answers: of the three servers, by what the view says
answers() {
    # shellcheck disable=SC2154 # declared above
    if grep -q '^incomplete' "$out"; then
        echo unknown
    elif grep -q '^distrust-key' "$out"; then
        echo "$none"
    elif grep -q "^anchor $sub" "$out"; then
        echo yes yes yes
    elif ! grep -qE "^anchor $old_root( dns=(localhost|example.com,localhost))?( cidrs=127[^ ]*)? /" "$out"; then
        echo "$none"
    elif grep -q "^hint $cross" "$out"; then
        echo "$both"
    else
        echo "$root"
    fi
}
check() {
    look
    expect_eq "$2" "$rc: $(answers)" "0: $1"
}
all_states

# --- what is said

says() { # WHAT LINE: some line begins like that
    expect_grep "$1" "^${2//./\\.}" "$out"
}
fresh
look - "$T/nowhere"
expect_eq 'no directory is an empty view' "$rc $(wc -c <"$out")" '0 0'
look - "$P/old-root.pem"
expect_eq 'nor is a file a directory' "$rc $(wc -c <"$out")" '0 0'
place managed a "{$A,$H,\"CAPlatformIntegrationEnabled\":false}"
place managed z "{$E}"
look
says 'the file that switches NSS off' "platform off $policies/managed/a"
says 'the file that decides' "decides CACertificates $policies/managed/z"
says 'the file that does not' "problem CACertificates in $policies/managed/a is not used: $policies/managed/z sets it"
says 'the source of an entry' "hint $cross $policies/managed/a"
place managed m '{"CAPlatformIntegrationEnabled":"false"}'
look
expect_no_grep 'a text does not switch NSS off' '^platform off' "$out"
says 'and that is said' "problem $policies/managed/m sets CAPlatformIntegrationEnabled to something"
fresh
place recommended a '{"CAPlatformIntegrationEnabled":false}'
look
says 'recommended/ switches NSS off too' "platform off $policies/recommended/a"
place managed a '{"CACertificates":[1,"OLD","x"'
look
says 'a file that is no JSON' "problem $policies/managed/a is ignored by the browser"
place managed a '{"CACertificates":[1,"OLD","x"]}'
look
says 'entries that are ignored' "problem 2 entries of CACertificates in $policies/managed/a, the first is number 1"

# --- what nobody can tell: Chromium ends, or waits for ever, or takes it in its own way

unknown() { # WHAT REASON
    look
    expect_eq "$1: unknown" "$rc $(answers)" '0 unknown'
    expect_grep "$1: why" "^problem .*$2" "$out"
}
for policy in CAHintCertificates CADistrustedCertificates; do
    for value in 1 null '{}' '["x"]' true; do
        fresh
        place managed a "{$A,\"$policy\":[\"OLD\",$value]}"
        unknown "$value in $policy" "entry 2 of $policy .* Chromium ends"
    done
done
for range in '127/8' ' 127.0.0.0/8' '0x7f.0.0.0/8' '127.0.0.0/ 8' '[::1]/128'; do
    fresh
    place managed a "$(limited "{\"permitted_cidrs\":[\"$range\"]}")"
    unknown "the range ${range@Q}" 'is unusual'
done
fresh
place managed a "{$A}"
mkfifo "$policies/managed/fifo"
unknown 'a FIFO' 'fifo: not a regular file'
rm "$policies/managed/fifo"
ln -s /dev/zero "$policies/managed/zero"
unknown 'a device' 'zero: not a regular file'
rm "$policies/managed/zero"
truncate -s 17M "$policies/managed/large"
unknown 'a large file' 'large: larger than 16 MiB'
rm "$policies/managed/large"
(cd "$policies/managed" && touch $(seq 1 4100))
unknown 'too many files' 'more than 4096 files'

# --- what is no file, and links

fresh
place managed a "{$A}"
mkdir "$policies/managed/d"
place managed/d z "{$E}"
ln -s d "$policies/managed/to-d"
ln -s nowhere "$policies/managed/y"
ln -s ../elsewhere "$policies/managed/z"
printf '{%s}' "$H" | sed "s/CROSS/${base64[CROSS]//\//\\/}/" >"$policies/elsewhere"
look
expect_eq 'directories are not entered, links are followed' "$(answers)" "$both"
says 'the link is the source' "hint $cross $policies/managed/z"
mv "$policies/managed" "$policies/real"
ln -s real "$policies/managed"
look
expect_eq 'a directory behind a link' "$(answers)" "$both"
mkdir -p "$T/image/etc/chromium" "$T/image/srv"
mv "$policies" "$T/image/etc/chromium/policies"
ln -sfn /srv/policies "$T/image/etc/chromium/policies/managed"
look "$T/image" /etc/chromium/policies
expect_eq 'a link of an image does not lead out of it' "$rc $(answers)" "0 $none"
mv "$T/image/etc/chromium/policies/real" "$T/image/srv/policies"
ln -sfn /etc/chromium/policies/elsewhere "$T/image/srv/policies/z"
look "$T/image" /etc/chromium/policies
expect_eq 'but inside it' "$rc $(answers)" "0 $both"
says 'with paths of the image' "hint $cross /etc/chromium/policies/managed/z"
look "$T/no-image" /etc/chromium/policies
expect_eq 'no image is an error' "$rc" 1

# --- who may read it

fresh
place managed a "{$A}"
place managed z "{$E}"
chmod 600 "$policies/managed/z"
chmod 711 "$T"
if [[ $(id -u) -eq 0 ]]; then
    look
    says 'a file for root alone' "problem $policies/managed/z cannot be read by everybody"
    expect_eq 'counts for root' "$(answers)" "$none"
fi
if [[ $(id -u) -eq 0 ]] && can_drop && unprivileged test -x "$view"; then
    run unprivileged "$view" - "$policies"
    expect_eq 'a file that the user cannot read is ignored' "$(answers)" "$root"
    says 'which is said' "problem $policies/managed/z cannot be read by this user"
    chmod 600 "$policies/managed"
    run unprivileged "$view" - "$policies"
    expect_eq 'and a directory' "$(answers)" "$none"
    says 'too' "problem $policies/managed cannot be read by this user"
else
    skip 'another user: not root, or the build is not for others'
fi
finish
