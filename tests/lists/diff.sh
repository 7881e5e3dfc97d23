#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crossroot diff: lists of every kind against one another, what is printed, and beside a second reader of
# certdata.txt and the changelog of Debian's package.
# shellcheck source=tests/cli/lib.sh
peers=$("$(dirname -- "${BASH_SOURCE[0]}")/fetch-peers.sh" --cached 2>/dev/null) || peers=''
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
make_pki "$T/pki"
cd "$T"
list() { python3 "$here/mkcertdata.py"; }
second() { python3 "$here/certdata.py" "$@"; }
# same WHAT OPTION...: there is no difference
same() {
    local what=$1
    shift
    expect_exit 0 "$what" xr diff "$@"
    expect_grep "$what: which is said" '^No differences: [0-9]+ the same\.$' "$out"
}

# --- what a maintainer reads

printf '%s\t%s\t%s\n' pki/old-root.pem CCn 'Old Root' pki/new-root.pem CC- 'New Root' \
    pki/sub.pem nnn 'Bad CA' pki/leaf.pem --- 'Neutral' | list >before.txt
{
    printf '%s\t%s\t%s\n' pki/new-root.pem C-- 'New Root' pki/cross.pem C-- 'A cross certificate of the new root'
    printf 'pki/old-root.pem\tCC-\tThe old root\tserver=241130235959Z\n'
} >table
list <table >plain.txt
{
    cat table
    printf 'pki/sub.pem\tnnn\tBad CA\tbare\n'
} | list >after.txt
expect_exit 3 'two lists differ' xr diff before.txt after.txt
hash_of() { openssl x509 -in "$1" -outform der | sha256sum | cut -c 1-"${2:-16}"; }
expires() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | sed 's/.*=//')" +%F; }
cat >expected <<END
  * Added:
    - A cross certificate of the new root (server; expires $(expires pki/cross.pem);
      SHA-256 $(hash_of pki/cross.pem))
  * Removed:
    - Neutral (trusted for nothing; expires $(expires pki/leaf.pem);
      SHA-256 $(hash_of pki/leaf.pem))
  * Changed:
    - New Root: email trust removed
    - The old root: no longer distrusted for code;
      server certificates issued after 2024-11-30 not trusted;
      renamed from Old Root
  * 1 added, 1 removed, 2 changed, 1 the same.
END
expect_same 'as in a changelog' expected "$out"
expect_exit 3 'the other way round' xr diff after.txt before.txt
expect_grep 'the distrust is there' '^    - Old Root: distrusted for code;$' "$out"
expect_grep 'the date is gone' '^      server certificates issued after 2024-11-30 trusted again;$' "$out"
expect_exit 3 'for one purpose' xr diff before.txt after.txt --for email
expect_grep 'a root that lost it is removed' '^    - New Root \(email; ' "$out"
expect_no_grep 'dates of others do not count' '2024-11-30' "$out"
expect_grep 'and nothing else is' '^  \* 0 added, 1 removed, 1 changed, 1 the same\.$' "$out"
same 'a list and itself' before.txt before.txt
expect_exit 3 'quiet' xr diff before.txt after.txt -q
expect_eq 'quiet prints nothing' "$(cat "$out" "$err")" ''
expect_exit 3 'verbose' xr diff before.txt after.txt --verbose
expect_grep 'whole hashes' "SHA-256 $(hash_of pki/cross.pem 64)\\)" "$out"
expect_exit 1 'a file that is not there' xr diff before.txt nowhere.txt
expect_exit 2 'one list alone' xr diff before.txt

# --- hostile names

evil=$'| `a` <b>*c*</b> _d_ [e](http://f) ~g~ & $h$ @i #1 www.j \\ \x1b[31m\n- k'
document() {
    python3 -c 'import json, sys
print(json.dumps({"schema": 1, "command": "list", "stores": [{"store": "nss:/x", "entries": [
    {"sha256": sys.argv[1], "place": "anchor", "purposes": ["server"], "label": sys.argv[2]}]}]}))' "$1" "$2"
}
document "$(hash_of pki/new-root.pem 64)" "$evil" >evil.json
document "$(hash_of pki/old-root.pem 64)" x >other.json
expect_exit 3 'a hostile name' xr diff other.json evil.json --markdown
expect_grep 'it is escaped' '^- \*\*\\\| \\`a\\` \\<b\\>\\\*c\\\*\\</b\\> \\_d\\_ \\\[e\\\]\(http:<!-- -->//f\) \\~g\\~ \\& \\\$h\\\$ @<!-- -->i #<!-- -->1 w<!-- -->ww\.j ' "$out"
expect_no_grep 'no escape sequence' $'\x1b' "$out"
expect_eq 'one line each' "$(grep -c '^- ' "$out")" 2
expect_grep 'what moves a cursor is shown' '\\\\u\\\{001B\\\}' "$out"
if command -v cmark-gfm >/dev/null; then
    cmark-gfm -e table -e strikethrough -e autolink -e tagfilter "$out" >html
    expect_no_grep 'nothing of it is markup' '<(b|em|code|a|del|table)[ >]' html
else
    skip 'not here: no cmark-gfm'
fi
expect_exit 3 'in JSON' xr diff other.json evil.json --json
expect_eq 'it is as it was' "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["added"][0]["label"])' "$out")" "$evil"

# --- kinds of lists

second csv before.txt >before.csv
expect_exit 3 'CCADB against certdata.txt' xr diff before.txt before.csv
expect_grep 'the report has no distrust' '^    - Bad CA \(distrusted for ' "$out"
expect_grep 'and the rest is the same' '^  \* 0 added, 1 removed, 1 changed, 2 the same\.$' "$out"
second csv before.txt 'New Root=*.tr' >limited.csv
expect_exit 3 'a constraint' xr diff before.csv limited.csv
expect_grep 'is said' '^    - New Root: limited to names below tr$' "$out"
sed 's/\*\.tr/C=TR/' <limited.csv >unknown.csv
expect_exit 1 'a constraint that is not understood' xr diff before.csv unknown.csv
expect_grep 'is an error' 'unknown.csv: line [0-9]+: cannot read the constraint' "$err"
head -c -40 <before.csv >cut.csv
expect_exit 1 'a report that was cut' xr diff before.csv cut.csv
expect_grep 'is an error' 'cut.csv: line [0-9]+: ' "$err"
printf '"Microsoft Status","CA Owner","SHA-256 Fingerprint","Microsoft EKUs"\n"a","b","c","d"\n' >other.csv
expect_exit 1 'another report of CCADB' xr diff before.csv other.csv
expect_grep 'is not read' 'other.csv: no column .*: only the report IncludedCACertificateReportPEMCSV is read' "$err"
expect_exit 0 'as files of p11-kit' xr extract --from before.txt --to p11-kit=p11-kit
same 'nothing is lost there' before.txt p11-kit
cat pki/old-root.pem pki/new-root.pem >bundle.pem
printf '%s\t%s\t%s\n' pki/old-root.pem CCn 'Old Root' pki/new-root.pem CC- 'New Root' | list >roots.txt
same 'a bundle, with those of its purpose' roots.txt bundle.pem --for server
expect_grep 'which is said' 'bundle.pem does not say what its roots are trusted for' "$err"
expect_exit 3 'a bundle against all' xr diff before.txt bundle.pem
expect_grep 'what it lacks is a distrust' '^  \* 0 added, 1 removed, 1 changed, 1 the same\.$' "$out"
expect_grep 'also one for code alone' '^    - Crossroot Test Old Root: no longer distrusted$' "$out"
expect_grep 'dates are not compared' 'bundle.pem has no dates' "$err"

# --- machines

mkdir store
expect_exit 0 'a store' xr install --yes --store "openssl:$T/store" pki/old-root.pem
expect_exit 0 'its list as JSON' xr list --store "openssl:$T/store" --json
cp "$out" one.json
same 'a store and its document' "openssl:$T/store" one.json
expect_exit 0 'another machine' xr install --yes --store "openssl:$T/store" pki/new-root.pem
expect_exit 0 'its list' xr list --store "openssl:$T/store" --json
cp "$out" two.json
expect_exit 3 'two machines' xr diff one.json two.json
expect_grep 'what was installed' "SHA-256 $(hash_of pki/new-root.pem)\\)" "$out"
expect_grep 'is the only difference' '^  \* 1 added, 0 removed, 0 changed, 1 the same\.$' "$out"
same 'a machine against a bundle' two.json bundle.pem
expect_exit 0 'a distrust by number' xr distrust --yes --best-effort --store "openssl:$T/store" pki/old-root.pem
expect_exit 3 'a machine against itself before' xr diff two.json "openssl:$T/store"
expect_grep 'trust is gone' ': (trust removed; distrusted|distrusted)$' "$out"
echo '{"schema": 1' >broken.json
expect_exit 1 'a broken document' xr diff one.json broken.json
expect_grep 'is an error' 'broken.json: no JSON' "$err"

# --- real lists, beside a second reader

# beside BEFORE AFTER
beside() {
    run xr diff "$1" "$2" --json
    expect_eq "${2##*/}: differences" "$rc" 3
    second diff "$1" "$2" >expected
    second said "$out" >said
    expect_same "${2##*/}: $(wc -l <expected) differences as the second reader finds them" expected said
}
beside before.txt plain.txt
certdata=("$XR_SHARED"/data/certdata/certdata-nss-2020*.txt "$XR_SHARED"/data/certdata/certdata-mozilla-nss*.txt)
if [[ -e ${certdata[0]} && -e ${certdata[1]} ]]; then
    beside "${certdata[0]}" "${certdata[1]}"
    second csv "${certdata[1]}" >new.csv
    expect_exit 0 'the newest list as CCADB has it' xr diff "${certdata[1]}" new.csv
else
    skip 'not here: no certdata.txt of two years'
fi

# Debian's package that is installed and a newer one: its maintainer wrote what came and went, for servers.
if [[ -n $peers && -e $peers/newer/mozilla/certdata.txt ]] &&
    ! cmp -s "$peers/newer/mozilla/certdata.txt" "$peers/ca-certificates/mozilla/certdata.txt"; then
    old=("$peers/ca-certificates/mozilla/certdata.txt")
    new=("$peers/newer")
    version=$(dpkg-query -W -f '${source:Version}' ca-certificates | sed 's/[+~].*//')
    run xr diff "${old[0]}" "${new[0]}/mozilla/certdata.txt" --for server --json
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
for sign, key in (("+", "added"), ("-", "removed")):
    for row in d[key]:
        print(sign, row["label"])' "$out" | sort >said
    sed -nE "/^ca-certificates \\($version\\)/q; "'s/^    ([-+]) "?([^"(]*[^" (])"?( \(.*)?$/\1 \2/p' \
        "${new[0]}/debian/changelog" | sort >expected
    expect_same "Debian's changelog: $(wc -l <expected) roots" expected said
    expect_eq 'which are many' "$(($(wc -l <expected) > 30))" 1
    beside "${old[0]}" "${new[0]}/mozilla/certdata.txt"
else
    skip "not here: no sources of Debian's packages"
fi
finish
