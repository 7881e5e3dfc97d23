#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot verify says for each browser what that browser will say. Here real ones are asked, headless,
# about a corpus of chains: its opinion is theirs or "cannot tell", never the opposite.
# opinions.sh [PATTERN]...    other cases than the selected ones
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/nss/corpus.sh
. "$here/corpus.sh"
# shellcheck source=tests/nss/needs.sh
. "$here/needs.sh"

make_corpus "$@"
ask
ff=$T/profile
mkdir -p "$HOME/.pki"
cp -r "$T/empty" "$ff"
cat "$corpus"/*/certutil >"$T/certutil"
certutil -B -d "sql:$ff" -i "$T/certutil" 2>"$err"
for crl in "$corpus"/*/*.crl; do
    [[ ! -e $crl ]] || crlutil -I -t 1 -d "sql:$ff" -i "$crl"
done
cp -r "$ff" "$HOME/.pki/nssdb"
# shellcheck disable=SC2016 # the inner shell's
expect_exit 0 'the browsers answer' "${alone[@]}" sh -c 'ip link set lo up && exec "$@"' sh \
    "$python" "$here/measure.py" "$corpus" "$ff" "$T/chromium"
cp "$out" "$T/table"
compare "$T/table" 80
# What opinions-measured.sh takes for true.
cut -f 1,2,3,5 "$T/table" | sort >"$T/now"
sed '/^#/d' "$here/opinions.tsv" | cut -f 1,2,3,5 | sort >"$T/then"
printf 'note  %d rows are not what was measured before\n' "$(comm -23 "$T/now" "$T/then" | wc -l)"
comm -23 "$T/now" "$T/then" | sed 's/^/note  now /'
[[ -z ${XR_KEEP:-} ]] || cp "$T/table" "$T/opinions" "$XR_KEEP"
finish
