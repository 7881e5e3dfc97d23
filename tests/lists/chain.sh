#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The file that a server must send: what it holds, in which order, and that clients which know only the old
# or only the new root accept a server that sends it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
make_pki "$T/pki"
cd "$T"

# pems FILE: SHA-256 of each certificate in it, in order, short.
pems() {
    awk -v dir="$T/split" 'BEGIN { system("rm -rf " dir "; mkdir " dir) }
        /BEGIN/ { n++ } { print > (dir "/" sprintf("%03d", n) ".pem") }' "$1"
    local file
    for file in "$T/split"/*.pem; do
        [[ ! -s $file ]] || sha "$file" | head -c 12
        echo
    done | xargs
}
short() {
    local file
    for file; do
        sha "$file" | head -c 12
        echo
    done | xargs
}
# chain_is WHAT FILE...: the last output is exactly these.
chain_is() {
    local what=$1
    shift
    expect_eq "$what" "$(pems "$out")" "$(short "$@")"
}

mkdir cas
cp "$P"/{sub,cross,expired-cross,new-root,old-root,sibling-root,loop-a,loop-b}.pem cas/
echo 'not a certificate' >cas/README
old=openssl:$T/old new=openssl:$T/new both=openssl:$T/both hints=openssl:$T/hints
none=(--store "openssl:$T/none")
for store in old new both hints; do
    mkdir "$store"
done
run xr --store "$old" --store "$both" --store "$hints" install --yes "$P/old-root.pem"
run xr --store "$new" --store "$both" install --yes "$P/new-root.pem"
run xr --store "$hints" install "$P/cross.pem"
expect_eq 'stores are made' "$rc" 0
stores=(--store "$old" --store "$new" --store "$both" --store "$hints")

# ---- what the file holds ----

expect_exit 0 'leaf, subordinate and cross' xr "${none[@]}" chain "$P/leaf.pem" --from cas
chain_is 'in this order' "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem"
expect_eq 'and nothing else' "$(sed '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/d' "$out")" ''
cp "$out" plain.pem
for name in leaf sub cross; do
    openssl x509 -in "$P/$name.pem"
done >by-openssl.pem
expect_same 'it is PEM as openssl writes it' by-openssl.pem plain.pem
expect_grep 'the order is said' '^  3 Crossroot Test New Root \(cross, signed by Crossroot Test Old Root\), ends' "$err"
expect_grep 'the expired twin is named' "$(sha "$P/expired-cross.pem" | head -c 16)…): expired on" "$err"
expect_grep 'the roots are named' 'because clients have the roots: .*Crossroot Test Old Root' "$err"
expect_exit 0 'a quiet run' xr -q "${none[@]}" chain "$P/leaf.pem" --from cas
expect_same 'prints the same file' plain.pem "$out"
expect_eq 'and says nothing' "$(cat "$err")" ''

for order in 'sub cross new-root old-root expired-cross sibling-root' \
    'sibling-root expired-cross old-root new-root cross sub' 'old-root sub expired-cross cross sibling-root new-root'; do
    from=()
    for name in $order; do
        from+=(--from "$P/$name.pem")
    done
    run xr "${none[@]}" chain "$P/leaf.pem" "${from[@]}" --json
    grep -v '"text": .*README' "$out" >"json-${order%% *}"
    run xr "${none[@]}" chain "$P/leaf.pem" "${from[@]}"
    expect_same "the same bytes, ${order%% *} first" plain.pem "$out"
done
expect_same 'and the same document' json-sub json-sibling-root
expect_same 'whatever the order' json-sub json-old-root

expect_exit 0 'certificates in the first file count' xr "${none[@]}" chain "$P/leaf-chain.pem" --from "$P/cross.pem" \
    --from "$P/new-root.pem" --from "$P/old-root.pem"
expect_same 'for the same file' plain.pem "$out"
expect_exit 0 'so do further files' xr "${none[@]}" chain "$P/leaf.pem" "$P"/{cross,new-root,old-root,sub}.pem
expect_same 'for the same file again' plain.pem "$out"
openssl crl2pkcs7 -nocrl -certfile "$P/sub.pem" -certfile "$P/leaf.pem" -outform DER -out both.p7b
expect_exit 0 'a PKCS#7 has no order' xr "${none[@]}" chain both.p7b --from cas
expect_same 'so the first that is no CA is the leaf' plain.pem "$out"
expect_exit 0 'a CA' xr "${none[@]}" chain "$P/sub.pem" --from cas
chain_is 'gives what stands above it' "$P/sub.pem" "$P/cross.pem"
expect_exit 0 'a root' xr "${none[@]}" chain "$P/new-root.pem" --from cas
chain_is 'stands alone' "$P/new-root.pem"
expect_exit 0 'standard input' bash -c "\"\$0\" --worker \"\$1\" --state '$state' ${none[*]} chain - --from cas <'$P/leaf.pem'" "$XR_BIN" "$XR_WORKER"
expect_same 'is a file too' plain.pem "$out"

cat "$P/leaf.key" "$P/leaf.pem" >with-key.pem
expect_exit 0 'a private key in the file' xr "${none[@]}" chain with-key.pem --from cas
expect_same 'is not printed' plain.pem "$out"
expect_grep 'but mentioned' 'private key' "$err"
expect_exit 0 'nor in JSON' xr "${none[@]}" chain with-key.pem --from cas --json
expect_eq 'not a line of it' "$(grep -cF "$(sed -n 2p "$P/leaf.key")" "$out")" 0

expect_exit 0 'from a store' xr "${none[@]}" chain "$P/leaf-chain.pem" --from "$hints" --from "$new"
expect_same 'with anchors and intermediates' plain.pem "$out"
expect_exit 0 'without --from, stores are in view' xr --store "$hints" --store "$new" chain "$P/leaf-chain.pem"
expect_same 'for the same file' plain.pem "$out"

# ---- what is missing ----

expect_exit 4 'an issuer that is not in view' xr "${none[@]}" chain "$P/leaf.pem" --from "$P/cross.pem"
chain_is 'leaves the file short' "$P/leaf.pem"
expect_grep 'and is named' 'warning: Crossroot Test Sub CA, which signed localhost, is not in view \(key identifier [0-9a-f]{40}\)' "$err"
expect_exit 0 'a root that only a store has ends the chain' xr --store "$old" chain "$P/leaf.pem" --from "$P/sub.pem" --from "$P/cross.pem"
expect_same 'and the file does not depend on it' plain.pem "$out"
expect_exit 4 'else that is said' xr "${none[@]}" chain "$P/leaf.pem" --from "$P/sub.pem" --from "$P/cross.pem"
expect_same 'of the same file' plain.pem "$out"
expect_exit 4 'only an expired cross certificate' xr "${none[@]}" chain "$P/leaf.pem" --from "$P/sub.pem" --from "$P/expired-cross.pem"
chain_is 'is not sent' "$P/leaf.pem" "$P/sub.pem"
expect_exit 1 'a source that is not there' xr "${none[@]}" chain "$P/leaf.pem" --from nowhere
expect_eq 'prints nothing' "$(cat "$out")" ''
expect_exit 1 'a first file without a certificate' xr "${none[@]}" chain "$P/only-key.pem" --from cas
expect_eq 'prints nothing' "$(cat "$out")" ''
expect_exit 4 'a time after all of it' xr "${none[@]}" chain "$P/leaf.pem" --from cas --at 2100-01-01
expect_grep 'warns of the leaf' 'warning: localhost expired on' "$err"
chain_is 'and has no CA that is valid' "$P/leaf.pem"
run xr "${none[@]}" chain "$P/leaf.pem" --from cas --at 2000-01-01
expect_grep 'likewise before' 'warning: localhost is not valid before' "$err"
expect_exit 2 'no leaf' xr chain --from cas

# ---- root lists say what may end a chain ----

table() { python3 "$here/mkcertdata.py"; }
old() { printf '%s\t%s\t%s\n' "$P/old-root.pem" "$1" 'Old Root' | table; }
below=("$P/leaf.pem" "$P/sub.pem" "$P/cross.pem")
old C-- >ta.txt
python3 "$here/certdata.py" csv ta.txt >ta.csv
run xr extract --from ta.txt --for server --to p11-kit=ta.p11-kit --to java=ta.jks
for list in ta.txt ta.csv ta.p11-kit ta.jks; do
    expect_exit 0 "$list" xr "${none[@]}" chain "${below[@]}" --from "$list"
    expect_same "$list: the same file" plain.pem "$out"
    expect_grep "$list: its root ends the chain" 'because clients have the roots: Crossroot Test Old Root$' "$err"
    rm -rf with-list
    mkdir with-list
    cp "$P"/{sub,cross}.pem "$list" cas/README with-list/
    echo '{"a": 1}' >with-list/settings.json
    expect_exit 0 "$list in a directory" xr "${none[@]}" chain "$P/leaf.pem" --from with-list
    expect_same "$list in a directory: the same file" plain.pem "$out"
done
expect_grep 'what else is there is noted' 'note: with-list/settings.json: ' "$err"
head -c 900 ta.txt >with-list/cut.txt
expect_exit 1 'but not a list that was cut' xr "${none[@]}" chain "$P/leaf.pem" --from with-list
expect_eq 'nothing is printed' "$(cat "$out")" ''

for trust in -C- --- n-- nC-; do
    why='is not trusted for servers'
    [[ $trust != n* ]] || why='is distrusted'
    old "$trust" >refused.txt
    expect_exit 4 "$trust ends no chain" xr "${none[@]}" chain "${below[@]}" --from refused.txt
    expect_grep "$trust: why" "warning: Crossroot Test Old Root, which signed Crossroot Test New Root, $why\$" "$err"
done
rm -rf with-list
mkdir with-list
cp "$P"/{sub,cross,old-root}.pem with-list/
run xr extract --from refused.txt --to p11-kit=with-list/refused.p11-kit
expect_exit 4 'a list in the directory distrusts a root beside it' xr "${none[@]}" chain "$P/leaf.pem" --from with-list
expect_grep 'so it ends no chain' 'Old Root, which signed Crossroot Test New Root, is distrusted$' "$err"
openssl x509 -in "$P/old-root.pem" -addreject serverAuth -trustout -out with-list/old-root.pem
rm with-list/refused.p11-kit
expect_exit 4 'so does a trusted certificate of OpenSSL' xr "${none[@]}" chain "$P/leaf.pem" --from with-list
openssl x509 -in "$P/old-root.pem" -addtrust emailProtection -trustout -out with-list/old-root.pem
expect_exit 4 'or one for e-mail' xr "${none[@]}" chain "$P/leaf.pem" --from with-list
openssl x509 -in "$P/old-root.pem" -addtrust serverAuth -trustout -out with-list/old-root.pem
expect_exit 0 'but not one for servers' xr "${none[@]}" chain "$P/leaf.pem" --from with-list

{ old n-- && printf '%s\tC--\tNew Root\n' "$P/new-root.pem" | table | sed '1,2d'; } >one.txt
expect_exit 0 'where another root is trusted' xr "${none[@]}" chain "${below[@]}" --from one.txt
chain_is 'a cross certificate of the distrusted one is not sent' "$P/leaf.pem" "$P/sub.pem"
expect_grep 'and named' "$(sha "$P/cross.pem" | head -c 16)…\): signed by Crossroot Test Old Root, which is distrusted\$" "$err"
for more in '' $'\tbare'; do
    { old C-- && printf '%s\tnnn\tSub%s\n' "$P/sub.pem" "$more" | table | sed '1,2d'; } >sub.txt
    expect_exit 4 "a distrusted CA among the files${more:+, known by its number}" xr "${none[@]}" chain "${below[@]}" --from sub.txt
    chain_is 'is not in the file' "$P/leaf.pem"
done
printf '%s\tnnn\tLeaf\n' "$P/leaf.pem" | table >leaf.txt
expect_exit 1 "a distrusted server's certificate" xr "${none[@]}" chain "$P/leaf.pem" --from cas --from leaf.txt
expect_eq 'is not printed' "$(cat "$out")" ''
expect_exit 0 'a root alone' xr "${none[@]}" chain "$P/new-root.pem"
expect_grep 'is said to be one' 'note: Crossroot Test New Root is a root: nothing stands above it$' "$err"
expect_exit 0 'a pipe' bash -c "\"\$0\" --worker \"\$1\" --state '$state' ${none[*]} chain '$P/leaf.pem' --from <(cat '$P/sub.pem' '$P/cross.pem' '$P/old-root.pem')" "$XR_BIN" "$XR_WORKER"
expect_same 'is read once' plain.pem "$out"

# ---- which stores need the cross certificate ----

expect_exit 0 'asking stores' xr "${stores[@]}" chain "$P/leaf.pem" --from cas --json
cross=$(sha "$P/cross.pem")
for store in old new both hints; do
    needs='[]'
    [[ $store != old ]] || needs="[\"$cross\"]"
    expect_json "$store: needs" "stores[store=openssl:$T/$store].{needs,validates,why}" "$needs"$'\ttrue\tnull'
done
expect_json 'of use until it ends' useful_until \
    "$(date -u -d "$(openssl x509 -in "$P/cross.pem" -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)"
expect_json 'rows of the file' 'chain[].{sha256,kind}' \
    "$(sha "$P/leaf.pem")"$'\tleaf '"$(sha "$P/sub.pem")"$'\tintermediate '"$cross"$'\tcross'
json 'chain[].pem' "$out" | sed '/^$/d' >from-json.pem
expect_same 'and their PEM' plain.pem from-json.pem
expect_json 'what was left out' "left_out[sha256=$(sha "$P/expired-cross.pem")].why" \
    "expired on $(date -u -d "$(openssl x509 -in "$P/expired-cross.pem" -noout -enddate | cut -d= -f2)" +%Y-%m-%d)"
run xr "${stores[@]}" chain "$P/leaf.pem" --from cas
day() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%Y-%m-%d; }
cat >expected <<END
crossroot: note: cas/README: neither PEM nor DER: no certificate in it
crossroot: note: the file holds, in this order:
  1 localhost (leaf), ends $(day "$P/leaf.pem")
  2 Crossroot Test Sub CA (intermediate), ends $(day "$P/sub.pem")
  3 Crossroot Test New Root (cross, signed by Crossroot Test Old Root), ends $(day "$P/cross.pem")
crossroot: note: left out, because clients have the roots: Crossroot Test New Root,
  Crossroot Test Old Root
crossroot: note: left out:
  Crossroot Test New Root (cross, $(sha "$P/expired-cross.pem" | head -c 16)…): expired on $(day "$P/expired-cross.pem")
crossroot: note: certificate 3 is for clients that have Crossroot Test Old Root, but not
  Crossroot Test New Root.
  Of use until $(day "$P/cross.pem"), when it ends.
  Needed by: openssl:$T/old.
  Not needed by: openssl:$T/new, openssl:$T/both, openssl:$T/hints.
END
xargs_words() { tr -s '\n ' '  ' <"$1"; } # lines are broken on terminals only
expect_eq 'the text, word for word' "$(xargs_words "$err")" "$(xargs_words expected)"

mkdir others
run xr --store "openssl:$T/others" install --yes "$P/rsa-root.pem"
run xr --store "openssl:$T/others" chain "$P/leaf.pem" --from cas
expect_grep 'a store with other roots' "note: openssl:$T/others: has none of these roots\$" "$err"
run xr --store "openssl:$T/others" chain "$P/leaf.pem" --from cas --json
expect_json 'in JSON the words of its verifier' 'stores[].{validates,why}' \
    "$(printf 'false\tunable to get local issuer certificate, at Crossroot Test New Root')"

# The same questions to openssl and to GnuTLS.
sed -n '/BEGIN/,$p' "$P/sub.pem" >short.pem
cat "$P/leaf.pem" short.pem >without.pem
openssl_says() { openssl verify -no-CApath -no-CAstore -CAfile "$1" -untrusted "$2" "$P/leaf.pem" >/dev/null 2>&1 && echo yes || echo no; }
expect_eq 'openssl: old root, with it' "$(openssl_says "$P/old-root.pem" plain.pem)" yes
expect_eq 'openssl: new root, with it' "$(openssl_says "$P/new-root.pem" plain.pem)" yes
expect_eq 'openssl: old root, without it' "$(openssl_says "$P/old-root.pem" without.pem)" no
expect_eq 'openssl: new root, without it' "$(openssl_says "$P/new-root.pem" without.pem)" yes
if command -v certtool >/dev/null; then
    certtool_says() { certtool --verify --load-ca-certificate "$1" --infile "$2" >/dev/null 2>&1 && echo yes || echo no; }
    expect_eq 'GnuTLS: old root, with it' "$(certtool_says "$P/old-root.pem" plain.pem)" yes
    expect_eq 'GnuTLS: new root, with it' "$(certtool_says "$P/new-root.pem" plain.pem)" yes
    expect_eq 'GnuTLS: old root, without it' "$(certtool_says "$P/old-root.pem" without.pem)" no
else
    skip 'not here: no certtool'
fi

# NSS: its own database and verifier.
if command -v certutil >/dev/null && command -v vfychain >/dev/null; then
    for db in old new; do
        mkdir "db-$db"
        certutil -N -d "sql:$T/db-$db" --empty-password
        certutil -A -d "sql:$T/db-$db" -n root -t C,, -a -i "$P/$db-root.pem"
    done
    nss_says() {
        local db=$1
        shift
        vfychain -d "sql:$T/db-$db" -u 1 -p -p -a "$@" 2>&1 | sed -n 's/^Chain is good.*/yes/p; s/^Chain is bad.*/no/p'
    }
    expect_eq 'NSS: old root, with it' "$(nss_says old "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem")" yes
    expect_eq 'NSS: new root, with it' "$(nss_says new "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem")" yes
    expect_eq 'NSS: old root, without it' "$(nss_says old "$P/leaf.pem" "$P/sub.pem")" no
    expect_eq 'NSS: new root, without it' "$(nss_says new "$P/leaf.pem" "$P/sub.pem")" yes
    if "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$T/db-old" stores >/dev/null 2>&1; then
        expect_exit 0 'NSS: the command' xr --store "nss:$T/db-old" --store "nss:$T/db-new" chain "$P/leaf.pem" --from cas --json
        expect_json 'agrees: needed by the old root alone' 'stores[].{needs,validates}' \
            "[\"$cross\"]"$'\ttrue []\ttrue'
        expect_exit 0 'NSS: a root in it' xr --store "nss:$T/db-old" chain "${below[@]}"
        certutil -M -d "sql:$T/db-old" -n root -t ,C,
        expect_exit 4 'NSS: for e-mail alone, it ends no chain' xr --store "nss:$T/db-old" chain "${below[@]}"
        certutil -M -d "sql:$T/db-old" -n root -t C,,
    else
        skip 'not here: no backend for NSS in this build'
    fi
else
    skip 'not here: no certutil or vfychain'
fi

# p11-kit: a token of files.
mkdir -p token-old token-new
if run xr --store "p11-kit:$T/token-old" install --yes "$P/old-root.pem" && [[ $rc -eq 0 ]] &&
    run xr --store "p11-kit:$T/token-new" install --yes "$P/new-root.pem" && [[ $rc -eq 0 ]]; then
    expect_exit 0 'p11-kit: the command' xr --store "p11-kit:$T/token-old" --store "p11-kit:$T/token-new" chain "$P/leaf.pem" --from cas --json
    expect_json 'needed by the old root alone' 'stores[].{needs,validates}' "[\"$cross\"]"$'\ttrue []\ttrue'
else
    skip 'not here: no backend for p11-kit that takes a directory'
fi

# ---- two old roots: one path, all paths ----

printf '%s\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign subjectKeyIdentifier=hash \
    authorityKeyIdentifier=keyid >extensions
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -subj '/CN=Other Old Root' \
    -days 3650 -out other-root.pem 2>/dev/null
openssl x509 -in "$P/new-root.pem" -clrext -CA other-root.pem -CAkey other.key -set_serial 77 -days 400 \
    -extfile extensions -out other-cross.pem
others=(--from cas --from other-cross.pem --from other-root.pem)
expect_exit 0 'two cross certificates' xr "${none[@]}" chain "$P/leaf.pem" "${others[@]}"
expect_same 'the one that is of use longer is sent' plain.pem "$out"
expect_grep 'the other is named, and how to have it' "$(sha other-cross.pem | head -c 16)…\): on another path: --all-paths adds it" "$err"
expect_exit 0 'all paths' xr "${none[@]}" chain "$P/leaf.pem" "${others[@]}" --all-paths
cat plain.pem other-cross.pem >all.pem
expect_same 'the other comes after the chosen path' all.pem "$out"
expect_grep 'and whom it serves is said' 'OpenSSL and GnuTLS follow the first certificate of a CA alone; NSS tries all' "$err"
expect_eq 'openssl: the old root still' "$(openssl_says "$P/old-root.pem" all.pem)" yes
expect_eq 'openssl: the new root still' "$(openssl_says "$P/new-root.pem" all.pem)" yes
expect_eq 'openssl: the other root is not found' "$(openssl_says other-root.pem all.pem)" no
if command -v certtool >/dev/null; then
    expect_eq 'GnuTLS: the old root still' "$(certtool_says "$P/old-root.pem" all.pem)" yes
    expect_eq 'GnuTLS: the other root is not found' "$(certtool_says other-root.pem all.pem)" no
fi
if [[ -d db-old ]]; then
    mkdir db-other
    certutil -N -d "sql:$T/db-other" --empty-password
    certutil -A -d "sql:$T/db-other" -n root -t C,, -a -i other-root.pem
    expect_eq 'NSS: the other root is found' "$(nss_says other "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem" other-cross.pem)" yes
    expect_eq 'NSS: not by the file of one path' "$(nss_says other "$P/leaf.pem" "$P/sub.pem" "$P/cross.pem")" no
fi

# ---- a server that sends it ----

port() { sed -n "$1p" ports; }
: >ports
python3 "$here/tlsserve.py" "$P/leaf.key" "$T/plain.pem" "$T/without.pem" >ports 2>server.err &
for ((i = 0; i < 400; i++)); do
    [[ $(wc -l <ports) -ge 2 ]] && break
    kill -0 $! 2>/dev/null || break
    sleep 0.05
done
if [[ $(wc -l <ports) -lt 2 ]]; then
    skip "not here: no server could be started on loopback"
else
    s_client() {
        openssl s_client -connect "127.0.0.1:$(port "$2")" -CAfile "$P/$1-root.pem" -no-CApath -no-CAstore \
            -verify_return_error -servername localhost </dev/null >/dev/null 2>&1 && echo yes || echo no
    }
    # What is on the wire is the file.
    openssl s_client -connect "127.0.0.1:$(port 1)" -showcerts </dev/null 2>/dev/null |
        sed -n '/^-----BEGIN/,/^-----END/p' >wire.pem
    expect_same 'the server sends the file' plain.pem wire.pem
    curl_says() {
        curl --noproxy '*' -sS -m 20 -o /dev/null --capath /nonexistent --cacert "$P/$1-root.pem" \
            --resolve "localhost:$(port "$2"):127.0.0.1" "https://localhost:$(port "$2")/" 2>/dev/null && echo yes || echo no
    }
    gnutls_says() {
        gnutls-cli --x509cafile="$P/$1-root.pem" --verify-hostname=localhost -p "$(port "$2")" 127.0.0.1 \
            </dev/null >/dev/null 2>&1 && echo yes || echo no
    }
    for client in s_client curl_says gnutls_says; do
        case $client in
        curl_says) program=curl ;;
        gnutls_says) program=gnutls-cli ;;
        *) program=openssl ;;
        esac
        if ! command -v "$program" >/dev/null; then
            skip "not here: no $program"
            continue
        fi
        expect_eq "$program: old root alone" "$($client old 1)" yes
        expect_eq "$program: new root alone" "$($client new 1)" yes
        expect_eq "$program: old root, and no cross certificate sent" "$($client old 2)" no
        expect_eq "$program: new root, and no cross certificate sent" "$($client new 2)" yes
    done
fi

# ---- the real certificates ----

real=$XR_SHARED/data/secom
if [[ ! -d $real ]]; then
    skip 'not here: the real certificates'
    finish
    exit
fi
nii=$real/nii-open-domain-ca-g8-rsa.pem secom=$real/secom-tls-rsa-root-ca-2024-cross-by-scrootca2.pem
sc2=$real/security-communication-rootca2.pem self=$real/secom-tls-rsa-root-ca-2024-selfsigned.pem
mkdir sc2 self
run xr --store "openssl:$T/sc2" install --yes "$sc2"
run xr --store "openssl:$T/self" install --yes "$self"
expect_exit 0 'SECOM: subordinate and cross' \
    xr --store "openssl:$T/sc2" --store "openssl:$T/self" chain "$nii" --from "$real" --at 2026-11-30 --json
expect_json 'SECOM: as the page says' 'chain[].sha256' "$(sha "$nii") $(sha "$secom")"
expect_json 'SECOM: until both the cross and its root end' useful_until 2029-05-29T05:00:39Z
expect_json 'SECOM: needed where only the old root is' "stores[store=openssl:$T/sc2].{needs,validates}" "[\"$(sha "$secom")\"]"$'\ttrue'
expect_json 'SECOM: and only there' "stores[store=openssl:$T/self].{needs,validates}" $'[]\ttrue'

families=$XR_SHARED/data/cross
# family WHAT AT OPTIONS LEAF EXPECTED…: by the beginning of SHA-256
by_id() { find "$families" -name "*-$1*.pem" | LC_ALL=C sort | head -n 1; }
family() {
    local what=$1 at=$2 options=$3 expected=("${@:4}")
    # shellcheck disable=SC2086
    run xr "${none[@]}" chain "$(by_id "$4")" --from "$families" --at "$at" --json $options
    expect_json "$what" 'chain[].sha256' "$(for id in "${expected[@]}"; do sha "$(by_id "$id")"; done | xargs)"
}
family 'Amazon: by way of Starfield G2 to Starfield Class 2, one of two twins' 2026-11-30 '' 391220705b75 2d12b619a660
expect_json 'Amazon: the twin is named' "left_out[sha256=$(sha "$(by_id 28689b30e4c3)")].why" \
    '2d12b619a660cefb… has the same key and issuer, and takes its place'
family 'Amazon: all paths need no more' 2026-11-30 --all-paths 391220705b75 2d12b619a660
family 'GTS: its own root alone' 2026-11-30 '' 3ee0278df71f
family 'ISRG X2: DST X3 while it was valid' 2021-06-01 '' 8b05b68cc659 6d99fb265eb1
expect_json 'ISRG X2: of use as long as DST X3' useful_until 2021-09-30T14:01:15Z
family 'ISRG X2: not after that' 2023-01-01 '' 8b05b68cc659
expect_json 'ISRG X2: the root is the reason' "left_out[sha256=$(sha "$(by_id 6d99fb265eb1)")].why" \
    'the root that signed it expired on 2021-09-30'
family 'ePKI: two roots that signed each other' 2026-11-30 '' 979e5ff7dd25
family 'ePKI: from the other side' 2026-11-30 '' 18467c4e64d5
family 'ePKI: all paths end' 2026-11-30 --all-paths 979e5ff7dd25
family 'USERTrust: SHA-1 is not sent' 2019-01-01 '' 1a5174980a29
family 'Buypass: an intermediate below one root' 2026-11-30 '' 7ac99c1e48e7
finish
