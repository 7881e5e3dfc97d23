#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What lies among the sources and was never published does not become trusted unasked, whatever the
# command; and what lies there and counts for nothing is named.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
# shellcheck source=tests/cacerts/roots.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/roots.sh"

make_pki "$T/pki"
some=("$P"/{old-root,rsa-root,utf8,far-future}.pem)
image() { xr --root "$R" --store ca-certificates:/ "$@"; }

alpine() {
    debian "$1"
    echo 3.20.3 >"$1/etc/alpine-release"
}
trusts() { # FILE: does OpenSSL, by the published bundle?
    openssl verify -no-CApath -no-CAstore -CAfile "$bundle" "$1" >/dev/null 2>&1 && echo yes || echo no
}

for kind in debian alpine fedora suse arch; do
    R=$T/$kind state=$T/state-$kind
    "$kind" "$R"
    expect_exit 0 "$kind: what packages ship is published the first time, unasked" image recover
    expect_eq "$kind: all of it" "$(grep -c BEGIN "$bundle")" 4
    expect_exit 0 "$kind: install" image install --yes "$P/bmp.pem"
    cp "$P/new-root.pem" "$anchors/rogue.$ext"
    snap "$R" >"$T/before"
    rogue="1 certificate among the sources is not published yet, or with other limits, and any change makes programs trust it: .*$(sha "$P/new-root.pem" | cut -c 1-8) in /.*/anchors/rogue|1 certificate among the sources is not published yet.*in /usr/local/share/ca-certificates/rogue"
    expect_exit 7 "$kind: another is removed" image remove "$P/bmp.pem"
    expect_grep "$kind: the question names it" "$rogue" "$err"
    expect_exit 7 "$kind: another is installed by its pin" image install --pin "$(sha "$P/t61.pem")" "$P/t61.pem"
    expect_grep "$kind: the pin does not answer for it" "$rogue" "$err"
    expect_exit 7 "$kind: nothing would change" image install "$P/bmp.pem"
    expect_exit 7 "$kind: undo" image undo
    expect_exit 1 "$kind: recover" image recover
    expect_grep "$kind: names it too" "$rogue" "$out"
    expect_exit 1 "$kind: a dry run of recover" image --dry-run recover
    expect_grep "$kind: as recover would" "$rogue" "$out"
    run image --dry-run --json install --yes "$P/t61.pem"
    expect_json "$kind: a dry run says what would be" 'stores[0].state' would-change
    expect_exit 1 "$kind: an install that is refused" image install --yes "$P/sub.pem" --dry-run
    expect_grep "$kind: a dry run names it" "$rogue" "$err"
    expect_eq "$kind: nobody trusts it" "$(trusts "$P/new-root.pem")" no
    snap "$R" >"$T/after"
    expect_same "$kind: nothing has changed" "$T/before" "$T/after"
    run image --dry-run --json remove "$P/bmp.pem"
    expect_json "$kind: JSON says it in a message" 'messages[0].store' ca-certificates:/
    expect_exit 0 "$kind: a yes" image remove --yes "$P/bmp.pem"
    expect_grep "$kind: is told what it answered" "$rogue" "$err"
    expect_eq "$kind: now it is trusted" "$(trusts "$P/new-root.pem")" yes
    expect_exit 0 "$kind: and no question is left" image undo --yes
    rm "$anchors/rogue.$ext"
    expect_exit 0 "$kind: a deleted source goes when that is said" image --rebuild recover
    expect_eq "$kind: not trusted" "$(trusts "$P/new-root.pem")" no
    cp "$P/new-root.pem" "$anchors/rogue.$ext"
    expect_exit 0 "$kind: and publishes it with one" image recover --yes
    expect_eq "$kind: trusted again" "$(trusts "$P/new-root.pem")" yes

    # A killed install was agreed to; what came meanwhile was not.
    if can_trace; then
        for at in 1 2 3; do
            run image --rebuild recover
            traced -f -o /dev/null -e inject=renameat,renameat2:signal=KILL:when="$at" \
                "$XR_BIN" --worker "$XR_WORKER" --state "$state" --root "$R" --store ca-certificates:/ \
                install --yes "$P/constrained-root.pem" >/dev/null 2>&1 </dev/null || true
            cp "$P/t61.pem" "$anchors/late.$ext"
            run image recover
            expect_eq "$kind: killed at $at: what came meanwhile waits for a yes" "$(trusts "$P/t61.pem")" no
            rm "$anchors/late.$ext"
            expect_exit 0 "$kind: killed at $at: without it recover needs none" image recover
            held=$(image list --json | json 'stores[0].entries[].sha256' | grep -c "$(sha "$P/constrained-root.pem")" || true)
            expect_eq "$kind: killed at $at: the store and its readers agree" \
                "$(trusts "$P/constrained-root.pem")" "$([[ $held -gt 0 ]] && echo yes || echo no)"
            run image remove --yes "$P/constrained-root.pem"
        done
    fi
done

# --- what was interrupted is over only when programs read it

if can_trace; then
    R=$T/later state=$T/state-later
    debian "$R"
    run image recover
    killed_at() { # CALL WHEN COMMAND...
        run traced -f -o /dev/null -e inject="$1":signal=KILL:when="$2" "$XR_BIN" --worker "$XR_WORKER" \
            --state "$state" --root "$R" "${@:3}"
        expect_eq "killed at $1 $2" "$rc" 137
    }
    killed_at renameat2 1 --store ca-certificates:/ install --yes "$P/bmp.pem"
    mv "$bundle" "$bundle.theirs"
    ln -s ca-certificates.crt.theirs "$bundle"
    expect_exit 1 'a bundle that cannot be replaced now' image recover
    expect_grep 'leaves it interrupted' 'ca-certificates.crt is a link' "$out"
    rm "$bundle"
    mv "$bundle.theirs" "$bundle"
    expect_exit 0 'until it can be' image recover
    expect_eq 'and programs read it' "$(trusts "$P/bmp.pem")" yes

    R=$T/together state=$T/state-together
    fedora "$R"
    mkdir "$R/srv"
    run image recover
    killed_at symlinkat 1 --store ca-certificates:/ --store openssl:/srv/trust install --all-or-nothing --yes "$P/bmp.pem"
    expect_eq 'of two stores, the first was done' "$(trusts "$P/bmp.pem")" yes
    killed_at renameat2 1 recover
    expect_eq 'its source is gone, and programs still read it' \
        "$(find "$R/etc/pki/ca-trust/source" -name '*.pem' | wc -l) $(trusts "$P/bmp.pem")" '0 yes'
    expect_exit 0 'recover goes on' xr --root "$R" recover
    expect_eq 'until they do not' "$(trusts "$P/bmp.pem")" no
fi

# --- what is published with other limits, and nothing at all

R=$T/limits state=$T/state-limits
debian "$R"
run image recover
openssl x509 -in "$P/new-root.pem" -trustout -addreject serverAuth -out "$anchors/limited.crt"
expect_exit 0 'a source that rejects servers is published' image recover --yes
cp "$P/new-root.pem" "$anchors/limited.crt"
expect_exit 7 'without its limits it is other trust' image install --pin "$(sha "$P/bmp.pem")" "$P/bmp.pem"
expect_grep 'which is asked about' 'or with other limits.*in /usr/local/share/ca-certificates/limited.crt' "$err"
R=$T/empty state=$T/state-empty
debian "$R"
echo '# nothing is trusted here' >"$bundle"
expect_exit 1 'an empty bundle publishes nothing' image recover
expect_grep 'so all of it is asked about' '4 certificates among the sources are not published yet' "$out"
rm "$bundle"
expect_exit 0 'before there is any, packages decide' image recover
rm "$bundle"
expect_exit 1 'a bundle that was deleted beside its links' image recover
R=$T/trusted state=$T/state-trusted
fedora "$R"
run image recover
openssl x509 -in "$P/new-root.pem" -trustout -addtrust clientAuth -out "${anchors%/anchors}/client.pem"
expect_exit 1 'trust for clients alone, in one bundle alone' image recover
expect_grep 'is asked about too' '1 certificate among the sources is not published yet' "$out"

# What another release of p11-kit wrote differs in labels alone, and that is no trust.
R=$T/labels state=$T/state-labels
fedora "$R"
run image recover
trusted=$R/etc/pki/ca-trust/extracted/openssl/ca-bundle.trust.crt
openssl crl2pkcs7 -nocrl -certfile "$bundle" | openssl pkcs7 -print_certs >"$T/plain"
awk -v dir="$T" '/BEGIN/ {n++} {print > (dir "/label." n)}' "$T/plain"
chmod u+w "$trusted"
for file in "$T"/label.[1-9]*; do
    openssl x509 -in "$file" -trustout -setalias 'another label'
done >"$trusted"
expect_exit 0 'another label is not asked about' image recover

# --- files that count for nothing

R=$T/odd state=$T/state-odd
debian "$R"
run image recover
cp "$P/t61.pem" "$anchors/t61.cer"
openssl x509 -in "$P/t61.pem" -outform DER -out "$anchors/der.crt"
: >"$anchors/empty.crt"
{ printf '\377\376'; sed 's/./&\x00/g' "$P/t61.pem"; } >"$anchors/wide.crt"
mkfifo "$anchors/fifo.crt"
ln -s /nowhere "$anchors/dangling.crt"
truncate -s 5G "$anchors/sparse.crt"
echo 'mozilla/missing.crt' >>"$R/etc/ca-certificates.conf"
echo 'a note' >"$anchors/README"
for what in 'install --yes' 'recover' '-v list'; do
    file=()
    [[ $what != install* ]] || file=("$P/bmp.pem")
    # shellcheck disable=SC2086 # words
    expect_exit 0 "$what: files that do not count do no harm" image $what "${file[@]}"
    expect_grep "$what: they are counted" '8 files among the sources count for nothing: ' "$err"
    expect_no_grep "$what: a README is none of them" README "$err"
done
run image list
expect_no_grep 'a plain list says nothing' 'count for nothing' "$err"
expect_eq 'each is named with its reason, one alone' "$(
    find "$anchors" -mindepth 1 ! -name 'crossroot-*' -exec mv {} "$T/pki" \;
    sed -i '/missing/d' "$R/etc/ca-certificates.conf"
    for name in t61.cer der.crt empty.crt wide.crt fifo.crt dangling.crt sparse.crt; do
        mv "$T/pki/$name" "$anchors"
        image -v list 2>&1 >/dev/null | grep -o "1 file among the sources counts for nothing: .*" | sed 's/.*(\(.*\)).*/\1/'
        mv "$anchors/$name" "$T/pki"
    done
    echo mozilla/missing.crt >>"$R/etc/ca-certificates.conf"
    image -v list 2>&1 >/dev/null | sed -n 's/.*(\(.*\)).*/\1/p'
)" "its name does not end in .crt
it is DER, and only PEM counts
it is empty
it is UTF-16; save it as ASCII or UTF-8
it is not a regular file
it is a link that leads nowhere
it is larger than 64 MiB
it is listed in ca-certificates.conf, and missing"
# --- what programs look for and this system does not have

R=$T/fedora state=$T/state-fedora
run image stores
expect_grep 'stores names the files that Fedora 44 has no more, and who looks there' \
    "missing .*this system does not have /etc/pki/tls/cert.pem \(OpenSSL's default file\), /etc/pki/tls/certs/ca-bundle.crt \(curl of RHEL" "$out"
mkdir -p "$R"/etc/pki/tls/certs "$R/etc/ssl/certs"
ln -s certs/ca-bundle.crt "$R/etc/pki/tls/cert.pem"
ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$R/etc/pki/tls/certs/ca-bundle.crt"
ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$R/etc/ssl/certs/ca-certificates.crt"
run image stores
expect_no_grep 'and nothing where they are there' missing "$out"

R=$T/odd-fedora state=$T/state-odd-fedora
fedora "$R"
run image recover
echo 'no certificate' >"$anchors/text.pem"
ln -s /nowhere "$anchors/dangling.pem"
expect_exit 0 'p11-kit sources' image install --yes "$P/bmp.pem"
expect_grep 'likewise' '2 files among the sources count for nothing: /etc/pki/ca-trust/source/anchors/dangling.pem \(it is a link that leads nowhere\), /etc/pki/ca-trust/source/anchors/text.pem \(there is no certificate in it\)' "$err"
finish
