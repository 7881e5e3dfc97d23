#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# only-named.sh PLUGIN: a store that is changed only by its name is read like any other, and every
# command that changes leaves it alone until --store names it, or its backend.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=${1:?plugin}
make_pki "$T/pki"
mkdir "$HOME/.stores"
: >"$HOME/.stores/plain"
: >"$HOME/.stores/other.named"
plain=homes:$HOME/.stores/plain other=homes:$HOME/.stores/other.named
# Chromium, if it is here, has a database that an install would make.
user=(--plugin "$plugin" --scope user --exclude-store nss)
pem=$P/old-root.pem
id=$(sha "$pem")
# Discovery of this backend names one store more, whose name says who asked.
forget() { rm -f "$HOME"/.stores/uid=*; }
empty() { expect_eq "$1" "$(stat -c %s "$HOME/.stores/other.named")" 0; }
rows() { json "stores[store=$other].$1" "$out" | xargs; }

expect_exit 0 'stores' xr "${user[@]}" --json stores
expect_eq 'say that it is changed by its name alone' "$(rows only_named) $(rows writable)" 'true true'
expect_eq 'and that others are not' "$(json "stores[store=$plain].only_named" "$out")" false
expect_exit 0 'in words' xr "${user[@]}" stores
expect_grep 'too' '^  writable +yes, if --store names it$' "$out"

expect_exit 0 'a dry run' xr "${user[@]}" --json --dry-run install --yes "$pem"
expect_eq 'is about the others' "$(json 'stores[].store' "$out" | grep -c other.named)" 0
forget
expect_exit 0 'install' xr "${user[@]}" --json install --yes "$pem"
empty 'leaves it alone'
expect_eq 'and goes on elsewhere' "$(json "stores[store=$plain].state" "$out")" 'done'
expect_eq 'with a note' "$(json 'messages[level=info].text' "$out" | grep -c "left alone, because --store does not name it: $other")" 1
forget
expect_exit 0 'install, to people' xr "${user[@]}" install --yes "$pem"
expect_no_grep 'says nothing of it' 'left alone' "$err"
expect_exit 0 'undo' xr "${user[@]}" undo
forget
xr "${user[@]}" undo >/dev/null 2>&1 || true

expect_exit 0 'by its address' xr --plugin "$plugin" --store "$other" install --yes "$pem"
expect_exit 0 'it is changed, and list' xr "${user[@]}" --json list
expect_eq 'shows it' "$(rows 'entries[].sha256')" "$id"
forget
expect_exit 1 'remove' xr "${user[@]}" remove --yes "$id"
expect_grep 'says that it was left alone' "left alone, because --store does not name it: $other" "$err"
expect_exit 0 'and list' xr "${user[@]}" --json list
expect_eq 'still shows it' "$(rows 'entries[].sha256')" "$id"
forget
run xr "${user[@]}" distrust --yes "$pem"
expect_grep 'distrust says it too' 'left alone, because --store does not name it' "$err"
expect_exit 0 'after it, list' xr "${user[@]}" --json list
expect_eq 'shows it as it was' "$(rows 'entries[].place')" anchor
forget
expect_exit 0 'recover' xr "${user[@]}" --json recover
expect_eq 'is not about it' "$(json 'stores[].store' "$out" | grep -c other.named)" 0
forget
expect_exit 0 'by the name of its backend' xr --plugin "$plugin" --scope user --store homes remove --yes "$id"
empty 'it is changed too'
forget
run xr "${user[@]}" remove --yes "$id"
expect_no_grep 'one without certificates is not worth a note' 'left alone' "$err"
forget
rm "$HOME/.stores/plain"
expect_exit 1 'where there is no other' xr "${user[@]}" --exclude-store "homes:$HOME/.stores/$(
    xr "${user[@]}" --json stores | json 'stores[].store' /dev/stdin | sed -n 's|.*/\(uid=.*\)|\1|p'
)" install --yes "$pem"
expect_grep 'that is said' 'every store found here is changed only if --store names it' "$err"
finish
