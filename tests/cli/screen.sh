#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What reading commands print on a terminal of 80 columns, word for word, against screen/; and that no
# line is wider, there and on narrower terminals. XR_UPDATE_GOLDEN=1 writes screen/ anew.
# Where a line is broken depends on the length of the paths in it.
export TMPDIR=/tmp
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

command -v script >/dev/null || skip_all 'no script(1), so no terminal'
golden=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/screen" && pwd -P)
make_pki "$T/pki"
cd "$T"
export TZ=Asia/Tokyo
dir=$T/trust
s=(--store openssl:trust)

# What differs from run to run becomes a word of the same width.
{
    awk '!seen[$2]++ {
        id = $1; sub(/\.pem$/, "", id)
        dashes = "----------------------------------------------------------------"
        printf "s/%s/%s/g\n", $2, substr(id dashes, 1, 64)
        printf "s/%s/%s/g\n", $3, substr(id dashes, 1, 40)
        printf "s/%s/%s/g\n", substr($2, 1, 16), substr(id dashes, 1, 16)
    }' "$P/pins.txt"
    cat <<'END'
s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} \+0900/LOCAL TIME WITH ZONE  /g
s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \+0900/YYYY-MM-DD hh:mm:ss +0900/g
s/[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)/YYYY-MM-DD\1/g
s/T[0-9]{2}:[0-9]{2}:[0-9]{2}Z/Thh:mm:ssZ/g
s/\b(20[23])[0-9]-[0-9]{2}-[0-9]{2}\b/YYYY-MM-DD/g
s/\b[0-9a-f]{16}\b/transaction-----/g
s/key SHA-256 [0-9a-f]{64}/key SHA-256 ----------------------------------------------------------------/
s/(serial +)[0-9]{12,}/\1<serial>/
END
    printf 's#%s#TMP#g\n' "$T"
    printf 's/ZONE    %s: /ZONE    USER: /\n' "$(id -un)"
} >"$T/normal.sed"

# on_terminal COLUMNS ARGUMENT...: what the program prints there, to $out.
on_terminal() {
    local columns=$1 line
    shift
    printf -v line ' %q' "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@"
    rc=0
    script -qec "stty cols $columns; exec$line" /dev/null >"$T/typed" 2>&1 </dev/null || rc=$?
    tr -d '\r' <"$T/typed" >"$out"
    : >"$err"
}
fits() {
    expect_eq "$1: no line is wider than $2 cells" "$([[ $(wc -L <"$out") -le $2 ]] && echo yes)" yes
}
# shows NAME CODE ARGUMENT...: on 80 columns it is screen/NAME.txt; it fits there and elsewhere.
asked=''
shows() {
    local name=$1 code=$2 columns
    shift 2
    asked+=" $name "
    on_terminal 80 "$@"
    fits "$name" 80
    [[ $rc -eq $code ]] || bad "$name: exit $rc, expected $code"
    {
        printf '$ crossroot %s\n' "$*"
        sed -E -f "$T/normal.sed" "$out"
    } >"$T/said"
    if [[ -n ${XR_UPDATE_GOLDEN:-} ]]; then
        cp "$T/said" "$golden/$name.txt"
    fi
    expect_same "$name" "$golden/$name.txt" "$T/said"
    for columns in 60 72 100 132; do
        on_terminal "$columns" "$@"
        fits "$name" "$columns"
    done
}

xr "${s[@]}" --yes install pki/new-root.pem >/dev/null 2>&1
xr --yes undo >/dev/null 2>&1
xr "${s[@]}" --yes install pki/old-root.pem pki/cross.pem pki/utf8.pem pki/hostile-name.pem \
    pki/sub.pem >/dev/null 2>&1
xr "${s[@]}" --yes install --as intermediate pki/expired-cross.pem >/dev/null 2>&1 || true

shows list 0 "${s[@]}" list --sort subject
shows list-verbose 0 "${s[@]}" -v list --sort subject
shows list-expiring 0 "${s[@]}" list --expires-within 90d
shows inspect 0 inspect --only-files pki/cross.pem pki/new-root.pem pki/hostile-name.pem
shows show 0 "${s[@]}" show pki/cross.pem pki/utf8.pem
shows history 0 "${s[@]}" history
shows history-verbose 0 "${s[@]}" -v history
shows stores 0 "${s[@]}" stores

for file in "$golden"/*.txt; do
    name=${file##*/}
    [[ $asked == *" ${name%.txt} "* ]] || bad "screen/$name is not used"
done

# Not a terminal: everything is whole.
run xr "${s[@]}" list
expect_grep 'in a pipe, IDs are whole' "  $(sha pki/cross.pem)\$" "$out"
on_terminal 80 "${s[@]}" -v list
expect_grep 'and with -v' "$(sha pki/cross.pem)" "$out"
COLUMNS=64 on_terminal 0 "${s[@]}" list
fits 'a terminal that does not know its size, with COLUMNS' 64
on_terminal 0 "${s[@]}" list
fits 'and without' 80
expect_eq 'which is taken for one of 80' "$(wc -L <"$out")" 79

# Columns stay columns where a line has room for them.
on_terminal 80 "${s[@]}" install pki/cross.pem --published pki/published-misprint.html
expect_grep 'digits of a misprint stand above each other' '^  given        [0-9A-F]{64}$' "$out"
expect_grep 'and are marked below' '^ +\^( +\^)*$' "$out"
fits 'a misprint' 80

# What was done, by whom, and in one store alone.
xr --store openssl:other --yes install pki/old-root.pem >/dev/null 2>&1
run xr history
expect_grep 'history says when, in local time with its zone, and who' \
    "^[0-9a-f]{16}  20[0-9-]{8} [0-9:]{5} \\+0900  $(id -un): install\$" "$out"
run xr --store openssl:other history
expect_eq 'history of a store: its transactions alone' "$(grep -c 'install$' "$out")" 1
expect_no_grep 'and not the other store' 'openssl:.*trust: ' "$out"
expect_grep 'with what was changed' 'added +anchor +Crossroot Test Old Root' "$out"
run xr --exclude-store openssl:other --json history
expect_json 'without a store' 'transactions[command=undo].stores[].changes[].{subject,action,place}' \
    $'CN=Crossroot Test New Root,O=Crossroot\tremove\tanchor'
expect_no_grep 'which is left out' 'trust/other|openssl:[^"]*other' "$out"
run xr --store openssl:neither history
expect_eq 'a store that was never changed' "$(cat "$out")" 'Nothing was changed in these stores yet.'
finish
