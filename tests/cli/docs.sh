#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# README and docs say what is true: what they tell people to type is run, on throwaway stores, and its
# output compared; what cannot be run here is read. XR_UPDATE_GOLDEN=1 writes the outputs anew.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)

for program in python3 script stty; do
    command -v "$program" >/dev/null || skip_all "no $program here"
done
can_drop || skip_all 'cannot become an ordinary user'
cd "$root"
documents=(README.md docs/*.md)
# In Japanese, if the program speaks it here.
if LANGUAGE=ja xr --help | grep -q '使い方'; then
    documents+=(README.ja.md)
else
    skip 'README.ja.md: the program was built without gettext, or with XR_NLS=OFF'
fi
update=()
[[ -z ${XR_UPDATE_GOLDEN:-} ]] || update=(--update)
export XR_CERTS=$root/tests/data/company XR_SECOM=$XR_SHARED/data/secom

# The real certificates are not for ever, and libnss3 must have its list of public roots.
if [[ ! -r $XR_SECOM/nii-open-domain-ca-g8-rsa.pem ]]; then
    export XR_NO_BROWSERS='not here: no certificates of the real case' XR_NO_OPENSSL='not here: the same'
elif [[ $(date +%Y%m%d) -ge 20290501 ]]; then
    export XR_NO_BROWSERS='the certificates of this case have expired' XR_NO_OPENSSL='they have expired'
elif [[ $(ldconfig -p 2>/dev/null) != *libnss3.so* ]]; then
    export XR_NO_BROWSERS='not here: no libnss3'
fi

# all_ok WHAT COMMAND...: each line of it is a check of its own
all_ok() {
    local what=$1 code=0
    shift
    "$@" >"$out" 2>"$err" </dev/null || code=$?
    cat "$out"
    passed=$((passed + $(grep -c '^ok ' "$out" || true)))
    failed=$((failed + $(grep -c '^FAIL ' "$out" || true)))
    if [[ $code -gt 1 || -s $err ]]; then
        bad "$what: exit $code"
        cat -v "$err"
    fi
}

expect_eq 'README has at most 140 lines' "$(($(wc -l <README.md) <= 140))" 1
expect_eq 'and in Japanese, too' "$(($(wc -l <README.ja.md) <= 140))" 1
all_ok 'blocks that are only read' python3 "$here/documents.py" checked "$XR_BIN" "${documents[@]}"
all_ok 'blocks that are run' python3 "$here/documents.py" "${update[@]}" run "$here/scenes.sh" "${documents[@]}"
if [[ -n ${XR_NO_BROWSERS:-} ]]; then
    skip "the picture: $XR_NO_BROWSERS"
else
    all_ok 'the picture' python3 "$here/documents.py" "${update[@]}" picture "$here/scenes.sh" docs/picture.svg
fi

# Every key of every document that the golden files have.
grep -ohE '"[a-z0-9_]+":' tests/cli/golden/*-json.txt | tr -d '":' | LC_ALL=C sort -u >"$T/keys"
# shellcheck disable=SC2016 # Markdown
grep -oE '[`][a-z0-9_]+[`]' docs/json.md | tr -d '`' | LC_ALL=C sort -u >"$T/described"
expect_eq 'docs/json.md describes every key' "$(LC_ALL=C comm -23 "$T/keys" "$T/described" | xargs)" ''
expect_eq 'there are keys' "$(($(wc -l <"$T/keys") > 40))" 1
sed -nE 's/^ *set(_owned)?\([a-z]+, "([a-z0-9_]+)".*/\2/p; s/^ *(member|begin_rows)\([^"]*"([a-z0-9_]+)".*/\2/p' \
    core/report/json*.c | LC_ALL=C sort -u >"$T/keys"
expect_eq 'and every one that the program can print' \
    "$(LC_ALL=C comm -23 "$T/keys" "$T/described" | xargs)" ''
finish
