#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every text for people has a Japanese translation, none is left over, and printf can take each.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
po=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../cli/po" && pwd)
for tool in xgettext msgcat msgattrib msgmerge msgfmt; do
    command -v "$tool" >/dev/null || skip_all "gettext is not here: $tool"
done

# expect_none WHAT FILE: there is no message in it; the first paragraph is the header.
expect_none() {
    local count
    sed -i '1,/^$/d' "$2"
    count=$(grep -c '^msgid ' "$2" || true)
    if [[ $count -eq 0 ]]; then
        ok "$1"
    else
        bad "$1: $count"
        grep -A 2 '^msgid ' "$2" | head -n 60 | sed 's/^/    /'
    fi
}

"$po/extract" "$T/crossroot.pot"
"$po/extract" "$T/again.pot"
expect_same 'the same sources give the same texts' "$T/crossroot.pot" "$T/again.pot"
expect_eq 'texts were found' "$(($(grep -c '^msgid ' "$T/crossroot.pot") > 300))" 1

expect_exit 0 'the translations are one catalogue' msgcat --no-wrap -o "$T/ja.po" "$po/ja.po"
expect_exit 0 'msgfmt takes them' msgfmt --check -o "$T/ja.mo" "$T/ja.po"
expect_eq 'without a warning' "$(cat "$err")" ''
msgattrib --only-fuzzy --no-wrap -o "$T/fuzzy" "$T/ja.po"
touch "$T/fuzzy"
expect_none 'no translation is only a guess' "$T/fuzzy"

# What was not extracted any more is left over; what has no translation is left in the template.
msgattrib --no-obsolete --no-fuzzy --translated --no-wrap -o "$T/translated" "$T/ja.po"
msgmerge --quiet --no-fuzzy-matching --no-wrap -o "$T/merged" "$T/translated" "$T/crossroot.pot"
msgattrib --untranslated --no-wrap -o "$T/missing" "$T/merged"
touch "$T/missing"
expect_none 'every text is translated' "$T/missing"
msgattrib --only-obsolete --clear-obsolete --no-wrap -o "$T/stale" "$T/merged"
touch "$T/stale"
expect_none 'every translation is of a text that is still there' "$T/stale"

# printf outside of Linux knows no %1$s, and a sentence is looked for by its beginning.
rules() {
    python3 - "$1" <<'PY'
import ast, re, sys
entries, field = [], None
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    m = re.match(r'(msgid_plural|msgid|msgstr(?:\[\d+\])?) (".*")$', line)
    if m:
        field = m[1]
        if field == "msgid":
            entries.append({})
        entries[-1][field] = ast.literal_eval(m[2])
    elif line.startswith('"') and field:
        entries[-1][field] += ast.literal_eval(line)
    else:
        field = None
for entry in entries:
    for field, text in entry.items():
        if not field.startswith("msgstr") or not entry["msgid"]:
            continue
        if re.search(r"%\d+\$", text):
            print(f"arguments in another order: {text}")
        if entry["msgid"].startswith("%s") and not text.startswith("%s"):
            print(f"begins with something else than its argument: {text}")
        if re.search(r"<PRI", entry["msgid"]):
            print(f"is not the same format everywhere: {entry['msgid']}")
        if text.endswith("\n") != entry["msgid"].endswith("\n"):
            print(f"ends another line: {text}")
PY
}
expect_eq 'arguments stay in their order, and first where they are first' "$(rules "$T/ja.po")" ''
finish
