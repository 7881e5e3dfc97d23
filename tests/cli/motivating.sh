#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job that started it: a cross certificate makes a subordinate CA of a new root validate where
# only the old root is known. Once on a generated PKI and, where they are in reach, on the real
# certificates and the real page.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

make_pki "$T/pki"

# writes_below DIR LOG: the lines of an strace log that change something below DIR.
writes_below() {
    grep -F -- "$1" "$2" | grep -vE '^[0-9]+ +write\([12]<' |
        awk '!/(^|[0-9] +)(open|openat)\(/ || /O_CREAT|O_WRONLY|O_RDWR|O_TRUNC|O_TMPFILE/'
}

# flow NAME DIR OLD-ROOT CROSS SUB PATH-PATTERN: DIR holds OLD-ROOT as anchor already.
flow() {
    local name=$1 dir=$2 old=$3 cross=$4 sub=$5 path=$6
    local s=(--store "openssl:$dir")

    snap "$dir" >"$T/before"
    expect_exit 6 "$name: verify says no before" xr "${s[@]}" verify "$sub"
    run openssl_verify "$dir" "$sub"
    expect_eq "$name: so does openssl verify" "$([[ $rc -ne 0 ]] && echo no)" no
    snap "$dir" >"$T/after"
    expect_same "$name: verify writes nothing" "$T/before" "$T/after"

    expect_exit 0 "$name: install of the cross certificate needs no --yes, only its pin" \
        xr "${s[@]}" install "$cross" --pin "sha256:$(sha "$cross")"
    expect_grep "$name: it is done" ': done$' "$out"
    expect_exit 0 "$name: verify says yes" xr "${s[@]}" verify "$sub"
    expect_grep "$name: and prints the path" "$path" "$out"
    expect_exit 0 "$name: openssl verify agrees" openssl_verify "$dir" "$sub"
    run xr "${s[@]}" list --json
    expect_json "$name: the cross certificate is an intermediate" \
        "stores[0].entries[sha256=$(sha "$cross")].{place,managed,vendor}" \
        $'intermediate\ttrue\tfalse'
    expect_eq "$name: there is one anchor" \
        "$(json 'stores[0].entries[place=anchor].sha256' "$out" | sort -u)" "$(sha "$old")"
    expect_exit 0 "$name: the anchors directory trusts no more than before" \
        cmp <(openssl x509 -in "$dir/anchors.pem") <(openssl x509 -in "$old")

    snap "$dir" >"$T/installed"
    if can_trace; then
        run traced -f -y -s 4096 -e "trace=$MUTATING" -o "$T/trace" \
            "$XR_BIN" --worker "$XR_WORKER" --state "$state" "${s[@]}" install "$cross" \
            --pin "sha256:$(sha "$cross")"
        expect_eq "$name: a second install exits 0" "$rc" 0
        expect_grep "$name: and says unchanged" ': unchanged$' "$out"
        writes_below "$dir" "$T/trace" | grep -vE '^[0-9]+ +(flock|fsync|fdatasync)\(' >"$T/writes" || true
        : >"$T/none"
        expect_same "$name: and makes no mutating call below the store" "$T/none" "$T/writes"
        writes_below "$(dirname "$dir")" "$T/trace" | grep -vF "$state" |
            grep -vE '^[0-9]+ +(flock|fsync|fdatasync)\(' >"$T/writes" || true
        expect_same "$name: nor beside it" "$T/none" "$T/writes"
    else
        skip "$name: the second install under strace"
        expect_exit 0 "$name: a second install" xr "${s[@]}" install "$cross"
        expect_grep "$name: and says unchanged" ': unchanged$' "$out"
    fi
    snap "$dir" >"$T/after"
    expect_same "$name: the second install changed nothing" "$T/installed" "$T/after"

    expect_exit 0 "$name: undo" xr undo
    snap "$dir" >"$T/after"
    expect_same "$name: undo brings the directory back byte for byte" "$T/before" "$T/after"
    expect_exit 6 "$name: verify says no again" xr "${s[@]}" verify "$sub"
}

# three_ways NAME OLD CROSS SUB PATH: the anchor came by crossroot, by hand, by hand in an odd way.
three_ways() {
    local name=$1 old=$2 dir
    shift 2

    state=$T/state-$name
    dir=$T/$name/made-by-us/trust
    mkdir -p "$T/$name/made-by-us"
    snap "$T/$name/made-by-us" >"$T/$name-absent"
    expect_exit 0 "$name: the old root becomes an anchor in a directory that was absent" \
        xr --store "openssl:$dir" install --yes "$old"
    flow "$name, made by us" "$dir" "$old" "$@"
    expect_exit 0 "$name: undo of the old root" xr undo
    snap "$T/$name/made-by-us" >"$T/after"
    expect_same "$name: directories we made are gone" "$T/$name-absent" "$T/after"

    state=$T/state-$name-hand
    dir=$T/$name/by-hand/trust
    mkdir -p "$dir/anchors"
    cp "$old" "$dir/anchors/old.pem"
    openssl rehash "$dir/anchors"
    cp "$old" "$dir/anchors.pem"
    flow "$name, made by hand" "$dir" "$old" "$@"

    state=$T/state-$name-odd
    dir=$T/$name/by-hand/odd
    mkdir -p "$dir/anchors" "$dir/intermediates" "$dir/crls"
    openssl x509 -in "$old" -text >"$dir/anchors/Old Root.crt"
    openssl x509 -in "$old" >"$dir/anchors/$(openssl x509 -in "$old" -noout -hash).0"
    openssl x509 -in "$old" >"$dir/anchors.pem"
    echo hello >"$dir/intermediates/README"
    ln -s ../elsewhere "$dir/a-link"
    chmod 0750 "$dir/intermediates"
    chmod 0700 "$dir"
    flow "$name, made by hand without links" "$dir" "$old" "$@"
}

# root_too NAME OLD CROSS SELF: point 3.
root_too() {
    local name=$1 cross=$3 self=$4 dir=$T/$1/root/trust
    state=$T/state-$name-root
    mkdir -p "$T/$name/root"
    snap "$T/$name/root" >"$T/before"
    expect_exit 7 "$name: a root without --yes and without a terminal" \
        xr --store "openssl:$dir" install "$self"
    expect_grep "$name: shows the SHA-256 to be confirmed" "$(sha "$self")" "$err"
    expect_grep "$name: says that it is for any purpose here" 'any purpose' "$err"
    snap "$T/$name/root" >"$T/after"
    expect_same "$name: nothing was changed" "$T/before" "$T/after"
    expect_exit 0 "$name: with --yes" xr --store "openssl:$dir" install --yes "$self"
    run xr --store "openssl:$dir" list --json
    expect_json "$name: it is an anchor" 'stores[0].entries[].{place,kind,sha256}' \
        $'anchor\troot\t'"$(sha "$self")"
    run xr inspect --only-files --json "$self" "$cross"
    expect_json "$name: inspect says root and cross" 'certificates[].kind' 'root cross'
    expect_json "$name: each other's same-key sibling" 'certificates[].same_key' \
        "[\"$(sha "$cross")\"] [\"$(sha "$self")\"]"
    run xr inspect --only-files --json "$cross" "$self"
    expect_json "$name: whatever comes first" 'certificates[].kind' 'cross root'
    run xr inspect --json --store "openssl:$dir" "$cross"
    expect_json "$name: also when the root is in a store only" 'certificates[].{kind,same_key}' \
        $'cross\t'"[\"$(sha "$self")\"]"
}

three_ways generated "$P/old-root.pem" "$P/cross.pem" "$P/sub.pem" \
    'Crossroot Test Sub CA → Crossroot Test New Root → Crossroot Test Old Root'
root_too generated "$P/old-root.pem" "$P/cross.pem" "$P/new-root.pem"

# A server's chain, as a client sees it.
state=$T/state-chain
dir=$T/chain/trust
mkdir -p "$T/chain"
expect_exit 0 'chain: the old root' xr --store "openssl:$dir" install --yes "$P/old-root.pem"
expect_exit 6 'chain: a leaf with its subordinate CA does not validate' \
    xr --store "openssl:$dir" verify "$P/leaf-chain.pem" --host localhost
cat "$P/leaf-chain.pem" "$P/cross.pem" >"$T/sent.pem"
expect_exit 0 'chain: it does when the server sends the cross certificate too' \
    xr --store "openssl:$dir" verify "$T/sent.pem" --host localhost
expect_exit 0 'chain: or when --untrusted gives it' \
    xr --store "openssl:$dir" verify "$P/leaf-chain.pem" --untrusted "$P/cross.pem" --host 127.0.0.1
expect_exit 0 'chain: install of the cross certificate' \
    xr --store "openssl:$dir" install "$P/cross.pem"
expect_exit 0 'chain: then without being sent' \
    xr --store "openssl:$dir" verify "$P/leaf-chain.pem" --host localhost
expect_exit 6 'chain: but not for another host' \
    xr --store "openssl:$dir" verify "$P/leaf-chain.pem" --host example.org

# curl against a real server, the cross certificate sent by the server.
serve() {
    local try line
    for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        openssl s_server -accept "127.0.0.1:$port" -cert "$P/leaf.pem" -key "$P/leaf.key" \
            -cert_chain "$T/server-chain.pem" -www >"$T/server-$try" 2>&1 </dev/null &
        server=$!
        for ((line = 0; line < 100; line++)); do
            grep -q ACCEPT "$T/server-$try" && return 0
            kill -0 "$server" 2>/dev/null || break
            sleep 0.05
        done
    done
    return 1
}
cat "$P/sub.pem" "$P/cross.pem" >"$T/server-chain.pem"
if ! command -v curl >/dev/null || ! curl -V | grep -ci openssl >/dev/null; then
    skip "curl with OpenSSL is missing"
elif ! serve; then
    skip "no server could be started on loopback"
else
    curl_it() {
        env SSL_CERT_DIR="$1" SSL_CERT_FILE=/dev/null curl --noproxy '*' -sS -m 20 -o /dev/null \
            "https://localhost:$port/" --resolve "localhost:$port:127.0.0.1"
    }
    expect_exit 0 'SSL_CERT_DIR=DIR/anchors curl works' curl_it "$dir/anchors"
    mkdir "$T/nothing"
    expect_exit 60 'and not with an empty directory' curl_it "$T/nothing"
    kill "$server" 2>/dev/null || true
fi

real=$XR_SHARED/data/secom
if [[ ! -d $real ]]; then
    skip "the real certificates are not in reach"
    finish
    exit
fi
old=$real/security-communication-rootca2.pem
cross=$real/secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem
self=$real/secom-tls-rsa-root-ca-2024-selfsigned.pem
sub=$real/nii-open-domain-ca-g8-rsa.pem
page=$real/cross-root-procedure.ja.txt

expect_eq 'the real cross certificate is the one of the issue' "$(sha "$cross" | head -c 8)" c8fb5bb8
three_ways secom "$old" "$cross" "$sub" \
    'NII Open Domain CA - G8 RSA → SECOM TLS RSA Root CA 2024 → Security Communication RootCA2'
root_too secom "$old" "$cross" "$self"

# Point 2: the page is misprinted.
state=$T/state-page
dir=$T/page/trust
mkdir -p "$T/page"
expect_exit 0 'page: the old root' xr --store "openssl:$dir" install --yes "$old"
snap "$T/page" >"$T/before"
snap "$state" >"$T/state-before"
expect_exit 6 'page: --published refuses' \
    xr --store "openssl:$dir" install "$cross" --published "$page"
snap "$T/page" >"$T/after"
expect_same 'page: nothing was changed' "$T/before" "$T/after"
snap "$state" >"$T/state-after"
expect_same 'page: not even the journal' "$T/state-before" "$T/state-after"
given=$(awk -F '\t' '/cross by/ && $2 == "sha256" { print tolower($3) }' "$real/PINS.tsv")
given1=$(awk -F '\t' '/cross by/ && $2 == "sha1" { print tolower($3) }' "$real/PINS.tsv")
tr -d ' -' <"$err" | tr A-F a-f >"$T/digits"
expect_grep 'page: the given SHA-256 is shown' "given$given$" "$T/digits"
expect_grep 'page: and the computed one' "certificate$(sha "$cross")$" "$T/digits"
expect_grep 'page: and the given SHA-1 of 41 digits' "given$given1$" "$T/digits"
expect_grep 'page: and the computed SHA-1' certificate863b4107cefb4c9227fede620ea7286d23725c52$ "$T/digits"
expect_grep 'page: eight positions of the SHA-256 differ' '(8|eight).*(position|differ|digit)' "$err"
for at in 2 4 6 16 35 42 43 50; do
    expect_grep "page: digit $at is named" "^  digit (.*  )?$at: .→." "$err"
done
expect_grep 'page: 41 digits are one too many' '41 digits' "$err"
expect_eq 'page: in twelve lines' "$(wc -l <"$err")" 12
expect_eq 'page: of 80 columns where digits are shown' "$(grep -cE '^ .{80}' "$err")" 0
expect_eq 'page: the advice is given once' "$(grep -c 'another source' "$err")" 1
expect_grep 'page: look-alike characters suggest a misprint' '[Ll]ook.alike' "$err"
expect_grep 'page: get it from another source' 'another source' "$err"
run xr --json --store "openssl:$dir" install "$cross" --published "$page"
expect_json 'page: JSON says exit 6' exit 6
run xr --store "openssl:$dir" install "$sub" --published "$page"
expect_eq 'page: the certificate whose SHA-256 is printed right is installed' "$rc" 0
expect_grep 'page: with a warning of its misprinted SHA-1' 'SHA-1.*misprint' "$err"

# The printed 41 digits as a typed pin are usage.
expect_exit 2 'a pin of 41 digits is a usage error' \
    xr --store "openssl:$dir" install "$cross" --pin "$given1"
expect_grep 'and explained where a certificate is near' '41' "$err"
expect_exit 6 'the misprinted SHA-256 as a typed pin is refused' \
    xr --store "openssl:$dir" install "$cross" --pin "sha256:$given"
finish
