#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A database that crossroot made before Chromium did: the real browser reads it, and would have made
# the same. And one that Firefox does not read.
set -euo pipefail
# shellcheck source=tests/nss/browsing.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/browsing.sh"
made() { # directories, and the database's files
    (cd "$HOME" && find . \( -path './.local*' -o -path './.pki*' \) \( -type d -o -name '*.db' \) -printf '%p %m\n') |
        LC_ALL=C sort
}
answers() { # WHAT ANSWERS BROWSER DIR
    tell start "$3" "$4"
    tell ask "$3" "${ports[@]}"
    expect_eq "$1" "$REPLY" "$2"
    tell stop "$3"
}

mkdir -p "$HOME/.config/chromium"
answers 'Chromium, nothing' 'no no no' chromium "$T/one"
made >"$T/by-chromium"
rm -rf "$HOME/.local" "$HOME/.pki"
expect_exit 0 'crossroot installs' xr --scope user install --yes old-root.pem cross.pem
made >"$T/by-crossroot"
expect_same 'the same directories and files, the same modes' "$T/by-chromium" "$T/by-crossroot"
answers 'Chromium reads it' 'no yes yes' chromium "$T/two"
made >"$T/after"
expect_same 'and makes no other' "$T/by-chromium" "$T/after"
expect_exit 0 'what Chromium had open is good' xr --scope user verify leaf-sub.pem --host localhost
expect_exit 0 'undo' xr --scope user undo --yes
answers 'Chromium sees that too' 'no no no' chromium "$T/three"

ff=$T/forgets
mkdir "$ff"
certutil -N -d "sql:$ff" --empty-password
certutil -A -d "sql:$ff" -n old -t C,, -a -i old-root.pem
for value in false true; do
    printf 'user_pref("security.nocertdb", %s);\n' $value >"$ff/prefs.js"
    reads='no no yes'
    [[ $value == false ]] || reads='no no no'
    run xr -v --store "nss:$ff" list
    if [[ $value == true ]]; then
        expect_grep 'crossroot: not read' 'does not read it' "$err"
    else
        expect_no_grep 'crossroot: read' 'does not read it' "$err"
    fi
    answers "Firefox, security.nocertdb=$value" "$reads" firefox "$ff"
done
finish
