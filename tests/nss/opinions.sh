#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot verify says for each browser what that browser will say. Here real ones are asked, headless,
# about a corpus of chains: its opinion is theirs or "cannot tell", never the opposite.
# opinions.sh [PATTERN]...    other cases than the selected ones; with XR_KEEP=DIR the answers are kept
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
# The whole corpus has more that nobody can tell.
if (($#)); then
    compare "$T/table" 60 0
else
    compare "$T/table" 80 200
fi
# What opinions-measured.sh takes for true.
join -t $'\t' <(sed '/^#/d' "$here/opinions.tsv" | awk -F '\t' '{ print $1 "," $2 "\t" $3 "\t" $5 }' | sort) \
    <(awk -F '\t' '{ print $1 "," $2 "\t" $3 "\t" $5 }' "$T/table" | sort) |
    awk -F '\t' '$2 $3 != $4 $5 { print "note  " $1 ": measured " $2 " " $3 ", now " $4 " " $5 }'
[[ -z ${XR_KEEP:-} ]] || cp "$T/table" "$T/opinions" "$XR_KEEP"
finish
