# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A corpus of certificate chains, and crossroot's opinion of what Firefox and Chromium say of every row of
# it. Sourced.
nss=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/cli/lib.sh
. "$nss/../cli/lib.sh"
python=/usr/bin/python3
[[ -x $python ]] || skip_all "no $python here"
for program in certutil crlutil openssl; do
    command -v "$program" >/dev/null || skip_all "no $program here"
done
export PYTHONDONTWRITEBYTECODE=1
corpus=$T/corpus

# make_corpus [PATTERN]...: and an empty database in $T/empty
make_corpus() {
    expect_exit 0 'a corpus' "$python" "$nss/corpus.py" "$corpus" "$@"
    mkdir "$T/empty" "$T/homes"
    certutil -N -d "sql:$T/empty" --empty-password
}

# ask: crossroot's opinions, to $T/opinions
ask() {
    expect_exit 0 'crossroot answers' "$python" "$nss/opinions.py" ask "$corpus" "$T/empty" "$T/homes"
    cp "$out" "$T/opinions"
}

# compare TABLE PERCENT LEAST: with what the browsers say. Of so many rows at least that they answer yes
# to, and no to, it must tell so many percent.
compare() {
    local by truth same count all told percent=$2 least=$3
    expect_exit 0 'compared' "$python" "$nss/opinions.py" compare "$1" "$T/opinions"
    cp "$out" "$T/compared"
    expect_no_grep 'nowhere is it the opposite' '^opposite' "$T/compared"
    expect_no_grep 'every row was measured' '^unknown' "$T/compared"
    grep -E '^(opposite|unknown)' "$T/compared" | cat -v || true
    for by in Firefox Chromium; do
        for truth in yes no; do
            all=0 told=0
            while IFS=$'\t' read -r _ _ _ same count; do
                all=$((all + count))
                [[ $same != same ]] || told=$count
            done < <(grep "^count	$by	$truth	" "$T/compared")
            printf 'note  %s says %s in %d rows, crossroot in %d of them\n' "$by" "$truth" "$all" "$told"
            at_least "$by, $truth: there are enough" "$all" "$least"
            at_least "$by, $truth: crossroot tells enough" $((told * 100)) $((all * percent))
        done
    done
}
# at_least WHAT NUMBER LEAST
at_least() {
    if (($2 >= $3)); then
        ok "$1"
    else
        bad "$1: $2, less than $3"
    fi
}
