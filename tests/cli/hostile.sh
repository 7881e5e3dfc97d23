#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Input that means harm: the expected verdict, no signal, no hang, and never a raw control
# character on a terminal or in JSON, wherever it came from.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"
limit=1
((XR_SLOW)) && limit=10

# C0 except newline, DEL, C1, and what reorders or hides text: U+00AD, U+034F, U+061C, U+115F,
# U+180B-180F, U+200B-200F, U+2028-202E, U+2060-206F, U+FE00-FE0F, U+FEFF, U+FFF9-FFFB,
# U+E0000-E0FFF; and bytes that are no UTF-8.
raw='[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f\xad]|\xcd\x8f|\xd8\x9c|\xe1\x85[\x9f\xa0]|\xe1\xa0[\x8b-\x8f]'
raw+='|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xb8[\x80-\x8f]|\xef\xbb\xbf'
raw+='|\xef\xbf[\xb9-\xbb]|\xf3\xa0[\x80-\xbf]'

# What is wrong with the last run, if anything; its JSON in $out when $1 is json.
complaint() {
    if ((rc >= 124)); then
        echo "exit $rc: a signal or more than $limit s"
    elif LC_ALL=C grep -aqP "$raw" "$out" "$err"; then
        echo "a raw control character"
    elif ! iconv -f UTF-8 -t UTF-8 <"$out" >/dev/null 2>&1 || ! iconv -f UTF-8 -t UTF-8 <"$err" >/dev/null 2>&1; then
        echo "output that is not UTF-8"
    elif [[ $1 == json ]] && LC_ALL=C grep -aqP '[^\n -~]' "$out"; then
        echo "JSON that is not plain ASCII"
    elif [[ $1 == json ]] && ! json '' "$out" >/dev/null 2>&1; then
        echo "not one JSON document"
    fi
}

# try WHAT FORM COMMAND...: quiet unless something is wrong.
trouble=0
try() {
    local what=$1 form=$2 said
    shift 2
    run timeout -s KILL "$limit" "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@"
    said=$(complaint "$form")
    if [[ -n $said ]]; then
        trouble=$((trouble + 1))
        bad "$what: $said: $*"
        show_output
    fi
}

# every_way WHAT FILE: all that can be done with a file without changing anything.
every_way() {
    try "$1" text inspect --only-files "$2"
    try "$1" json --json inspect --only-files "$2"
    cp "$out" "$T/inspected"
    inspected=$rc
    try "$1" text install --dry-run --yes --store "openssl:$T/none" "$2"
    try "$1" json --json install --dry-run --store "openssl:$T/none" "$2"
    try "$1" json --json verify --store "openssl:$T/none" "$2"
}

expect_absent 'no throwaway store yet' "$T/none"

# Names made to hurt, of files and in certificates; always here.
mkdir "$T/odd"
esc=$(printf 'esc\033[31m.pem')
rtl=$(printf 'bidi\xe2\x80\xaetxt.pem')
nl=$'new\nline.pem'
c1=$(printf 'c1\xc2\x9b31m.pem')
latin=$(printf 'latin\xe9\xff.pem')
i=0
# shellcheck disable=SC2016 # a name, not an expansion
for name in "$esc" "$rtl" "$nl" "$c1" "$latin" '-dash.pem' ' .pem' '$(touch x).pem' '%s%n.pem'; do
    i=$((i + 1))
    cp "$P/hostile-name.pem" "$T/odd/$name"
    before=$trouble
    every_way "odd name $i" "$T/odd/$name"
    [[ $inspected -eq 0 && $trouble -eq $before ]] && ok "odd file name $i"
    : >"$T/odd/empty-$name"
    try "an empty file with odd name $i" text inspect --only-files "$T/odd/empty-$name"
    expect_eq "empty file with odd name $i: exit" "$rc" 1
    [[ -s $err ]] || bad "empty file with odd name $i: no reason"
    try "a missing file with odd name $i" text inspect --only-files "$T/odd/missing-$name"
    expect_eq "missing file with odd name $i: exit" "$rc" 1
    rm "$T/odd/empty-$name"
done
try 'a directory of odd names' text inspect --only-files "$T/odd"
try 'a directory of odd names' json --json inspect --only-files "$T/odd"
expect_json 'a certificate under many names counts once' 'certificates#' 1
store=openssl:$T/odd/$esc.d
try 'a store with an odd name' text --store "$store" install --yes "$P/hostile-name.pem"
expect_eq 'a store with an odd name: exit' "$rc" 0
for verb in list stores history; do
    try "$verb of a store with an odd name" text --store "$store" $verb
    try "$verb of a store with an odd name" json --json --store "$store" $verb
done
# Somebody else's file in a store: its name becomes a label.
cp "$P/utf8.pem" "$T/odd/$esc.d/anchors/$esc"
cp "$P/bmp.pem" "$T/odd/$esc.d/anchors/$nl"
try 'odd names inside a store' text --store "$store" list
try 'odd names inside a store' json --json --store "$store" list
try 'odd names inside a store' text --store "$store" remove --yes "$T/odd/$esc.d/anchors/$esc"
try 'undo of that' text --store "$store" undo
try 'undo of that' json --json --store "$store" undo --yes
for word in "$esc" "$rtl" "$nl" "$c1" "$latin"; do
    try 'an odd word as verb' text "$word"
    expect_eq 'an odd word as verb: exit' "$rc" 2
    try 'an odd word as verb' json --json "$word"
    try 'an odd word as option' text "--$word"
    try 'an odd word as option' text "-$word"
    try 'an odd word as option' json --json "--$word"
    try 'an odd backend' text --store "$word:/x" list
    try 'an odd store' text --store "openssl:/nonexistent/$word/x" list
    try 'an odd date' text verify --at "$word" "$P/sub.pem"
    try 'an odd pin' text install --pin "$word" --store "openssl:$T/none" "$P/sub.pem"
    try 'an odd pin' json --json install --pin "$word" --store "openssl:$T/none" "$P/sub.pem"
    try 'an odd ID' text remove "$word" --store "openssl:$T/none"
    try 'an odd transaction' text undo "$word"
    try 'an odd state directory' text history --state "$T/odd/$word/x/y"
    try 'an odd host' text verify --host "$word" --store "openssl:$T/none" "$P/leaf.pem"
    try 'an odd plugin' text list --plugin "$T/odd/$word"
done

# Limits.
head -c 3000000 /dev/zero >"$T/zeros"
yes 'not a certificate' 2>/dev/null | head -c 3000000 >"$T/junk" || true
ln -s "$T/loop" "$T/loop"
for file in zeros junk loop odd/none; do
    try "$file" text inspect --only-files "$T/$file"
    expect_eq "$file: exit" "$rc" 1
done
try '/dev/zero' text inspect --only-files /dev/zero
expect_eq '/dev/zero: exit' "$rc" 1

mkdir "$T/special"
mkfifo "$T/special/fifo"
ln -s . "$T/special/again"
ln -s /dev/zero "$T/special/endless"
cp "$P/cross.pem" "$T/special/good.pem"
try 'a directory with a FIFO, a loop and a device' json --json inspect --only-files "$T/special"
expect_json 'the good file in it is read' 'certificates[].sha256' "$(sha "$P/cross.pem")"
run xr inspect --only-files --json <(cat "$P/cross.pem")
expect_json 'a pipe of the shell is read' 'certificates[].sha256' "$(sha "$P/cross.pem")"

hostile=$XR_SHARED/data/hostile
if [[ ! -f $hostile/MANIFEST.tsv ]]; then
    skip "shared/data/hostile is not in reach"
    finish
    exit
fi

rows=0
while IFS=$'\t' read -r path expect number sums _; do
    rows=$((rows + 1))
    before=$failed
    every_way "$path" "$hostile/$path"
    have=$(json 'certificates[].sha256' "$T/inspected" | sort)
    case $expect in
    accept)
        want=$(tr ',' '\n' <<<"$sums" | sort)
        [[ $inspected -eq 0 && $have == "$want" ]] ||
            bad "$path: not accepted: exit $inspected, $(wc -w <<<"$have") of $number certificates"
        ;;
    reject)
        [[ $inspected -eq 1 && -z $have && -n $(json 'rejected[].reason' "$T/inspected") ]] ||
            bad "$path: not rejected with a reason: exit $inspected"
        ;;
    either)
        [[ $inspected -eq 0 && -n $have ]] || [[ $inspected -eq 1 && -z $have ]] ||
            bad "$path: neither accepted nor rejected: exit $inspected"
        ;;
    *) bad "$path: the manifest expects \"$expect\"" ;;
    esac
    if [[ $failed -eq $before ]]; then
        ok "$expect $path"
    fi
    [[ $expect == reject ]] && continue
    # Really into a throwaway store, and what list says of it.
    if [[ $inspected -eq 0 ]]; then
        rm -rf "$T/state-hostile" "$T/throwaway"
        state=$T/state-hostile
        s=(--store "openssl:$T/throwaway")
        try "$path" text "${s[@]}" install --yes "$hostile/$path"
        installed=$rc
        try "$path" text "${s[@]}" list
        try "$path" json --json "${s[@]}" list
        if [[ $installed -eq 0 && $(json 'stores[0].entries#' "$out") -lt 1 ]]; then
            bad "$path: installed, but not in the list"
        fi
        # Names come from the SHA-256, never from the certificate.
        if [[ -d $T/throwaway ]] && find "$T/throwaway" -mindepth 1 -printf '%P\n' |
            grep -vqE '^(anchors|intermediates|crls|distrusted|anchors\.pem|intermediates\.pem|\.crossroot|[a-z]+/([0-9a-f]{64}\.pem|[0-9a-f]{8}\.r?[0-9]+))$'; then
            bad "$path: an odd file name in the store"
            find "$T/throwaway" | head -n 20 | cat -v
        fi
        if [[ $installed -eq 0 ]]; then
            try "$path" text history
            try "$path" text undo --yes
            expect_eq "$path: undo" "$rc" 0
            expect_absent "$path: undo leaves nothing" "$T/throwaway"
        elif [[ $expect == accept ]]; then
            # Leaves and what OpenSSL does not take are refused with a reason, and nothing stays.
            run xr --json "${s[@]}" install --yes "$hostile/$path"
            [[ -n $(json 'stores[].steps[action=refuse].why' "$out") ]] ||
                bad "$path: not installed and no reason"
            expect_absent "$path: refused, and nothing stays" "$T/throwaway"
        fi
    fi
done < <(tail -n +2 "$hostile/MANIFEST.tsv")
expect_eq 'rows of the manifest' "$rows" "$(($(wc -l <"$hostile/MANIFEST.tsv") - 1))"
for file in /tmp/pwned-pipe /tmp/pwned-redirect; do
    expect_absent 'no command in a name was run' "$file"
done
expect_absent 'no dry run and no verify made a store' "$T/none"
try 'all of it' text inspect --only-files "$hostile"
try 'all of it' json --json inspect --only-files "$hostile"
finish
