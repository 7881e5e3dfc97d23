#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot readers in an image: programs are found by their files and not run, links stay inside, and
# names from there are shown harmlessly.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
make_pki "$T/pki"
[[ -x /usr/bin/curl ]] || skip_all 'not here: no curl'

# --- an image with this machine's curl and what it loads, and a bundle

root=$T/image
mkdir -p "$root"/{usr/bin,etc/ssl/certs,var/lib/dpkg,usr/local/share/ca-certificates,usr/lib}
ln -s usr/lib "$root/lib"
ln -s usr/bin "$root/bin"
cp /usr/bin/curl "$root/usr/bin/curl"
ldd /usr/bin/curl | sed -nE 's/.* => (\/[^ ]+) .*/\1/p' | while read -r library; do
    case $library in */libcurl* | */libssl* | */libcrypto*) cp -L "$library" "$root/usr/lib/" ;; esac
done
cat "$P/old-root.pem" >"$root/etc/ssl/certs/ca-certificates.crt"
cat "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem" >"$T/whole.pem"
cat "$P/leaf.pem" "$P/sub.pem" >"$T/short.pem"
in_image() {
    CURL_CA_BUNDLE=$P/new-root.pem xr --root "$root" --scope system readers "$@"
}
curl_row() {
    /usr/bin/env python3 -c 'import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["readers"] if r["program"] == "curl"]
print(*[json.dumps(r.get(k)) for r in rows for k in sys.argv[2:]])' "$out" "$@"
}
expect_exit 0 'what an image has' in_image --json
expect_eq 'its curl' "$(curl_row path)" '"/usr/bin/curl"'
expect_grep 'reads its bundle, not what a variable here names' '"path": "/etc/ssl/certs/ca-certificates.crt"' "$out"
expect_no_grep 'of this machine there is nothing' "$T/pki" "$out"
measured=$(curl_row measured)
run in_image "$T/whole.pem" --host localhost --json
if [[ $measured == true ]]; then
    expect_eq 'a chain to its root' "$rc $(curl_row ok)" '0 true'
    expect_exit 6 'a chain without the cross certificate' in_image "$T/short.pem" --host localhost --json
    expect_eq 'is refused' "$(curl_row ok)" 'false'
    expect_exit 6 'another host' in_image "$T/whole.pem" --host other.example --json
    expect_exit 6 'another time' in_image "$T/whole.pem" --host localhost --at 2120-01-01
    expect_grep 'is refused as expired' 'expired' "$out"
else
    skip "not here: curl is not the version that was measured"
fi
expect_exit 1 'of another purpose nobody knows' in_image "$T/whole.pem" --for email --json
expect_eq 'which is said' "$(curl_row ok why)" 'null "programs were measured as clients of servers alone"'

# --- a version that was not measured

sed 's|libcurl/7\.|libcurl/9.|' <"$root/usr/bin/curl" >"$T/same"
for library in "$root"/usr/lib/libcurl.so*; do
    sed 's|libcurl/[0-9]*\.|libcurl/9.|g' <"$library" >"$T/changed"
    cat "$T/changed" >"$library"
done
expect_exit 1 'a version that nobody measured' in_image "$T/whole.pem" --host localhost --json
expect_eq 'is not vouched for' "$(curl_row ok measured)" 'null false'
expect_grep 'but its store is asked' 'yes, if it is as the one measured' "$out"
run in_image
expect_grep 'and the list names it' 'measured with 7\.88\.1' "$out"

# --- links and names

rm "$root/etc/ssl/certs/ca-certificates.crt"
ln -s /../../../../etc/passwd "$root/etc/ssl/certs/ca-certificates.crt"
run in_image "$T/whole.pem" --host localhost --json
expect_eq 'a link out of the image leads to nothing' "$(curl_row ok)" "$([[ $measured == true ]] && echo null || echo null)"
expect_no_grep 'and shows nothing' 'root:x:' "$out"
evil=$(printf 'bin\033[31m\342\200\256evil')
mkdir "$T/$evil"
cp /usr/bin/curl "$T/$evil/curl"
PATH=$T/$evil:$PATH run xr --scope system readers -v
expect_no_grep 'no escape sequence in what is shown' "$(printf '\033')" "$out"
expect_grep 'the name is there, harmless' 'bin\\u\{001B\}\[31m' "$out"
PATH=$T/$evil:$PATH run xr --scope system readers --json
expect_no_grep 'nor in the document' "$(printf '\033')" "$out"
mkfifo "$T/$evil/wget"
mkdir "$T/$evil/git"
ln -s openssl "$T/$evil/openssl"
printf '#!/bin/sh\ntouch %s/ran\n' "$T" >"$T/$evil/node"
chmod +x "$T/$evil/node"
head -c 4 /usr/bin/curl >"$T/$evil/gnutls-cli"
chmod +x "$T/$evil/gnutls-cli"
for cut in 64 200 1000 5000; do
    head -c $cut /usr/bin/curl >"$T/$evil/curl"
    PATH=$T/$evil:$PATH run xr --scope system readers
    expect_eq "curl cut off after $cut bytes, a FIFO, a directory, a loop" "$rc" 0
done
expect_absent 'nothing was run' "$T/ran"
expect_grep 'what a script would start is not claimed' 'it is a script that starts another program' "$out"

# --- usage

expect_exit 2 'two files' xr readers "$P/leaf.pem" "$P/sub.pem"
expect_exit 2 'two purposes' xr readers "$P/leaf.pem" --for server --for client
expect_exit 2 'a host that is none' xr readers "$P/leaf.pem" --host '*.example'
expect_exit 1 'no such file' xr --scope system readers "$T/nothing"
mkdir "$T/empty"
expect_exit 0 'an image without programs' xr --root "$T/empty" --scope system readers
expect_grep 'says so' 'none of the programs' "$err"
finish
