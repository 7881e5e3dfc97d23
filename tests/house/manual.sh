#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Japanese manual page says as much as the English one: paragraph for paragraph the same commands,
# options, words and exit codes. groff takes both without a warning.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
man=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../cli/man" && pwd)
command -v python3 >/dev/null || skip_all 'no python3 here'

# outline FILE: a line for each paragraph: its first line if that is a term, and what is bold or a
# placeholder in it.
outline() {
    python3 - "$1" <<'PY'
import re, sys
with open(sys.argv[1], encoding="utf-8") as file:
    paragraphs = re.split(r"\n\n+", file.read().strip("\n"))
for paragraph in paragraphs:
    first, _, rest = paragraph.partition("\n")
    term = first if rest.startswith("\t") and first.startswith("*") else ""
    words = re.findall(r"\*([^*\s][^*]*)\*|\b_([A-Z:]+)_\b", paragraph)
    level = "section" if first.startswith("# ") else "text"
    print(level, term, *sorted({"".join(word) for word in words}), sep=" | ")
PY
}
outline "$man/crossroot.1.scd" >"$T/english"
outline "$man/crossroot.1.ja.scd" >"$T/japanese"
expect_eq 'the page has paragraphs' "$(($(wc -l <"$T/english") > 80))" 1
expect_eq 'and options in them' "$(($(grep -o -- ' | --' "$T/english" | wc -l) > 40))" 1
expect_same 'the Japanese page has the same ones' "$T/english" "$T/japanese"

for program in scdoc groff; do
    command -v "$program" >/dev/null || {
        skip "what groff says: no $program here"
        finish
        exit
    }
done
scdoc <"$man/crossroot.1.scd" >"$T/en.1"
{
    cat "$man/ja.roff"
    scdoc <"$man/crossroot.1.ja.scd"
} >"$T/ja.1"
for page in en ja; do
    groff -ww -man -Tutf8 -K utf8 "$T/$page.1" >"$T/$page.txt" 2>"$err"
    expect_eq "groff takes the page without a warning: $page" "$(cat "$err")" ''
    expect_eq "and it has text: $page" "$(($(wc -l <"$T/$page.txt") > 300))" 1
done
expect_eq 'no line of Japanese is wider than 80 cells' \
    "$(($(sed 's/.\x08//g; s/\x1b\[[0-9;]*m//g' "$T/ja.txt" | wc -L) <= 80))" 1
finish
