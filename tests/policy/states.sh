# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A table of states of Chromium's policies: files in managed/ (or recommended/), and what a browser
# makes of three servers that send the leaf, the leaf and its CA, or these and the cross certificate.
# Sourced by the script that asks the reader and by the one that asks the browser: each has its own
# function check FILES ANSWERS WHAT, which finds the files in $policies.
# OLD, CROSS and SUB in a content stand for the base64 of these certificates.

: "${policies:?}" # where they are
# place DIRECTORY NAME CONTENT
place() {
    local content=$3 name
    for name in OLD CROSS SUB; do
        content=${content//$name/${base64[$name]}}
    done
    mkdir -p "$policies/$1"
    printf '%s' "$content" >"$policies/$1/$2"
}
declare -A base64=()
for pair in OLD=old-root CROSS=cross SUB=sub; do
    base64[${pair%=*}]=$(openssl x509 -in "$P/${pair#*=}.pem" -outform DER | base64 -w 0)
done
fresh() {
    rm -rf "$policies"
    mkdir -p "$policies/managed"
}

none='no no no' root='no no yes' both='no yes yes'
A='"CACertificates":["OLD"]' E='"CACertificates":[]' H='"CAHintCertificates":["CROSS"]'
M='"PolicyListMultipleSourceMergeList":["*"]'
limited() { # CONSTRAINTS
    printf '{"CACertificatesWithConstraints":[{"certificate":"OLD","constraints":%s}]}' "$1"
}

# files ANSWERS WHAT [NAME CONTENT]...: NAME may be recommended/NAME
files() {
    local answers=$1 what=$2
    shift 2
    fresh
    while (($#)); do
        case $1 in
        recommended/*) place recommended "${1#*/}" "$2" ;;
        *) place managed "$1" "$2" ;;
        esac
        shift 2
    done
    check "$answers" "$what"
}
# text ANSWERS WHAT CONTENT: of one file
text() {
    files "$1" "$2" a.json "$3"
}

all_states() {
    text "$none" 'nothing is set' '{}'
    text "$root" 'an anchor' "{$A}"
    text "$both" 'an anchor and a hint' "{$A,$H}"
    text "$none" 'a hint alone' "{$H}"
    text "$none" 'the key of the root is distrusted' "{$A,$H,\"CADistrustedCertificates\":[\"OLD\"]}"
    text 'yes yes yes' 'an intermediate as an anchor' '{"CACertificates":["SUB"]}'

    # Which file counts.
    files "$none" 'the last name counts, no list is merged' a "{$A}" z "{$E}"
    files "$root" 'and the other way round' a "{$E}" z "{$A}"
    files "$both" 'different policies add up' a "{$A}" z "{$H}"
    files "$root" 'names are sorted by bytes: B before a' B "{$E}" a "{$A}"
    files "$none" 'and a-b.json before a.json' a-b.json "{$A}" a.json "{$E}"
    files "$root" 'and 10 before 9' 9 "{$A}" 10 "{$E}"
    files "$none" 'and bytes over 127 last' $'\xff' "{$E}" z "{$A}"
    files "$root" 'any name will do' a.json.bak~ "{$A}"
    files "$root" 'a hidden one too' .a.json "{$A}"
    files "$root" 'recommended/ is read' recommended/a "{$A}"
    files "$both" 'and adds up' a "{$A}" recommended/a "{$H}"
    files "$none" 'but managed/ counts first' a "{$E}" recommended/z "{$A}"
    files "$none" 'even with a value of another kind' a '{"CACertificates":"x"}' recommended/z "{$A}"
    files "$none" 'as the last file does with null' a "{$A}" z '{"CACertificates":null}'
    files "$root" 'a file that is no JSON is ignored' a "{$A}" z '{"CACertificates":[]'
    files "$root" 'a list of lists to merge, all' a "{$A}" z "{$E,$M}"
    files "$root" 'by name, in another file' a "{$A}" b '{"PolicyListMultipleSourceMergeList":["CACertificates"]}' z "{$E}"
    files "$none" 'which does not name it' a "{$A}" b '{"PolicyListMultipleSourceMergeList":["CA*"]}' z "{$E}"
    files "$none" 'the last such list alone' a "{$A,$M}" z "{$E,\"PolicyListMultipleSourceMergeList\":[]}"
    files "$root" 'from recommended/ for managed/' a "{$A}" z "{$E}" recommended/a "{$M}"
    files "$none" 'never lists of both' a "{$E,$M}" recommended/a "{$A}"
    files "$none" 'nothing if the last is no list' a "{$A,$M}" z '{"CACertificates":"x"}'

    # Entries.
    text "$none" 'a text is no list' '{"CACertificates":"OLD"}'
    text "$root" 'a number among anchors is ignored' '{"CACertificates":[1,"OLD"]}'
    text "$root" 'and what is no base64' '{"CACertificates":["!!!","","OLD"]}'
    text "$both" 'among hints too' "{$A,\"CAHintCertificates\":[\"!!!\",\"CROSS\"]}"
    text "$none" 'base64 has no line ends' '{"CACertificates":["OLD\n"]}'
    text "$none" 'and no blanks' '{"CACertificates":[" OLD"]}'
    text "$root" 'and has whole quartets' "{$A,\"CAHintCertificates\":[\"${base64[CROSS]%?}\"]}"
    text "$none" 'PEM is none' "{\"CACertificates\":[\"$(sed 's/$/\\n/' "$P/old-root.pem" | tr -d '\n')\"]}"
    text "$none" 'one byte after the certificate' \
        "{\"CACertificates\":[\"$(printf '%s' "${base64[OLD]}" | base64 -d | cat - <(printf '\0') | base64 -w 0)\"]}"
    text "$none" 'another case of the name' '{"cacertificates":["OLD"]}'

    # Limits.
    text "$root" 'limited to localhost' "$(limited '{"permitted_dns_names":["localhost"]}')"
    text "$none" 'limited to another name' "$(limited '{"permitted_dns_names":["example.com"]}')"
    text "$root" 'to the address' "$(limited '{"permitted_cidrs":["127.0.0.0/8"]}')"
    text "$none" 'to another address' "$(limited '{"permitted_dns_names":["localhost"],"permitted_cidrs":["10.0.0.0/8"]}')"
    text "$none" 'to nothing is ignored' "$(limited '{}')"
    text "$none" 'to empty lists too' "$(limited '{"permitted_dns_names":[],"permitted_cidrs":[]}')"
    text "$none" 'so is one with a bad range' "$(limited '{"permitted_dns_names":["localhost"],"permitted_cidrs":["x"]}')"
    text "$none" 'or one too long' "$(limited '{"permitted_dns_names":["localhost"],"permitted_cidrs":["127.0.0.0/33"]}')"
    text "$none" 'or a number' "$(limited '{"permitted_dns_names":["localhost",1]}')"
    text "$none" 'or a name that is not ASCII' "$(limited '{"permitted_dns_names":["localhost","ü"]}')"
    text "$root" 'a limit that is no list is none' "$(limited '{"permitted_dns_names":["localhost"],"permitted_cidrs":"10.0.0.0/8"}')"
    local localhost='{"permitted_dns_names":["localhost"]}' other='{"permitted_dns_names":["example.com"]}'
    text "$none" 'an anchor without limits and with' "$(limited "$other" | sed "s/^{/{$A,/")"
    text "$root" 'the first limits of a certificate count' \
        "$(limited "$localhost" | sed "s/]}\$/,{\"certificate\":\"OLD\",\"constraints\":$other}]}/")"
    text "$none" 'and only these' \
        "$(limited "$other" | sed "s/]}\$/,{\"certificate\":\"OLD\",\"constraints\":$localhost}]}/")"
    text "$root" 'a bad entry before it' "$(limited "$localhost" | sed 's/:\[/:[1,{"certificate":"OLD"},/')"

    # JSON as Chromium reads it: what it takes beyond the standard, and what it does not.
    local q=\" what
    text "$both" 'a comma before }' "{$A,$H,}"
    text "$root" 'a comma before ]' '{"CACertificates":["OLD", /* x */ ]}'
    text "$none" 'two commas' '{"CACertificates":["OLD",,]}'
    text "$none" 'a comma alone' '{"CACertificates":["OLD"],"x":[,]}'
    text "$both" 'comments' "// x"$'\n'"/* y */{$A,$H}// z"
    text "$both" 'a comment that one star opens and closes' "/*/{$A,$H}"
    text "$none" 'an open comment' "{$A}/*"
    text "$none" 'a comment that ends with CR' "// x"$'\r'"{$A}"
    text "$none" 'another kind of comment' "# x"$'\n'"{$A}"
    text "$both" 'a byte order mark' $'\xef\xbb\xbf'"{$A,$H}"
    text "$none" 'two of them' $'\xef\xbb\xbf\xef\xbb\xbf'"{$A,$H}"
    text "$both" 'line ends in text' "{$A,$H,\"x\":\"a"$'\r\n'"b\"}"
    text "$none" 'a tab in text' "{$A,\"x\":\"a"$'\t'"b\"}"
    for what in '\x41' '\u0000' '\x00' '\/' '\ud83d\ude00' '\uffff' $'\x7f' '//' '/*'; do
        text "$both" "${what@Q} in text" "{$A,$H,\"x\":\"$what\"}"
    done
    for what in '\v' '\q' '\X41' '\x4' '\ud800' '\udc00' $'\xff' $'\xed\xa0\x80' $'\xc0\x80' $'\x01'; do
        text "$none" "${what@Q} in text" "{$A,\"x\":\"$what\"}"
    done
    text "$both" 'a name by \x' "{\"\\x43${A#\"C},$H}"
    for what in 123456789012345678901234567890 1e-999 -0 1E+5; do
        text "$both" "the number $what" "{$A,$H,\"x\":$what}"
    done
    for what in 1e999 01 1. .5 +1 0x10 NaN True; do
        text "$none" "no number: $what" "{$A,\"x\":$what}"
    done
    what=$(printf '[%.0s' {1..198})
    text "$both" '199 levels' "{$A,$H,\"x\":$what${what//\[/]}}"
    text "$none" '200 levels' "{$A,\"x\":[$what${what//\[/]}]}"
    text "$none" 'the last of two equal names' "{$A,$E}"
    for what in '' '[]' '"x"' null "[{$A}]" "{$A}{}" "{$A}x" "${q}x"; do
        text "$none" "no object: ${what:0:8}" "$what"
    done
    text "$none" 'UTF-16' "$(printf '{%s}' "$A" | sed 's/./&\x01/g')"
}
