#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Java's keystores, as keytool and Java itself read them: written whole, and updated where others have
# entries in them.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
command -v keytool >/dev/null || skip_all 'not here: no keytool'
command -v javac >/dev/null || skip_all 'not here: no javac'
for name in $(compgen -e | grep -E '^(JAVA|_JAVA|JDK)' || true); do
    unset "$name"
done
cd "$T"
quick=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData)
kt() { "${keytool:-keytool}" "${quick[@]/#/-J}" "$@" </dev/null 2>&1; }
javac -d classes "$here/Keystores.java"
java_reads() { java "${quick[@]}" -cp classes Keystores list "$@" >"$T/read"; }
# part FILE PASSWORD: what Java read of it
part() { awk -v "name=$1 ${2:-geheim}" '/^== /{on = ($2 " " $3 == name); next} on' "$T/read"; }
keytool_count() { kt -list -keystore "$@" | grep -ac 'trustedCertEntry' || true; }

# --- a list with hostile labels

"$XR_MKPKI" pki >/dev/null
certs=(old-root new-root rsa-root utf8 t61 bmp sibling-root in-2051 last-of-2049)
long=$(printf 'x%.0s' $(seq 40000))
labels=('Plain Root' 'Plain Root' "$long" "$long" '%20' 'a%0a%01%1b[31m%7f' 'Főtanúsítvány' '日本' 'crossroot:x')
list() { # INDEX...
    for i in "$@"; do
        printf '[p11-kit-object-v1]\nlabel: "%s"\ntrusted: true\n' "${labels[i]}"
        cat "pki/${certs[i]}.pem"
    done
}
list 0 1 2 3 4 5 6 7 8 >all.p11-kit
list 0 6 >few.p11-kit
ex() { xr extract --from "$@"; }

expect_exit 0 'both kinds' ex all.p11-kit --to java=all.jks --to java-p12=all.p12
expect_exit 0 'with a password' ex all.p11-kit --to java=pw.jks --to java-p12=pw.p12 --password-fd 3 3<<<'geheim'
strange='pä日😀'
expect_exit 0 'with a strange one' ex few.p11-kit --to java=strange.jks --to java-p12=strange.p12 --password-fd 3 3<<<"$strange"
expect_exit 0 'the same again' ex all.p11-kit --to java=again.jks --to java-p12=again.p12
expect_exit 0 'and with a password' ex all.p11-kit --to java-p12=pw2.p12 --password-fd 3 3<<<'geheim'
for pair in 'all.jks again.jks' 'all.p12 again.p12' 'pw.p12 pw2.p12'; do
    # shellcheck disable=SC2086
    cmp $pair && ok "$pair: the same bytes" || bad "$pair differ"
done
for pass in '-' changeit wrong; do
    option=(-storepass "$pass")
    [[ $pass != - ]] || option=()
    expect_eq "keytool lists PKCS#12 without a password, given $pass" "$(keytool_count all.p12 "${option[@]}")" 9
done
aliases() { kt -list -keystore "$@" | grep -aE ', trustedCertEntry, ?$' | sed -E 's/, [A-Z][a-z]{2} [0-9]+, [0-9]{4}, trustedCertEntry, ?$//' | sort; }
aliases all.jks -storepass changeit >jks.aliases
aliases all.p12 -storepass changeit >p12.aliases
aliases pw.p12 -storepass geheim >pw.aliases
expect_same 'keytool lists the same aliases in both' jks.aliases p12.aliases
expect_same 'and with a password' jks.aliases pw.aliases
for bin in /usr/lib/jvm/*/bin/keytool; do
    [[ -x $bin ]] || continue
    bin=$(realpath "$bin")
    [[ $bin != "$(realpath "$(command -v keytool)")" && $bin != "${last:-}" ]] || continue
    last=$bin
    keytool=$bin
    expect_eq "another keytool: ${bin%/bin/keytool}" "$(keytool_count all.p12) $(keytool_count pw.p12 -storepass geheim)" '9 9'
    unset keytool
done
java_reads JKS all.jks changeit PKCS12 all.p12 - PKCS12 pw.p12 geheim PKCS12 pw.p12 - JKS pw.jks geheim \
    PKCS12 pw.p12 wrong JKS pw.jks wrong JKS strange.jks "$strange" PKCS12 strange.p12 "$strange"
part all.jks changeit >all.read
expect_eq 'Java reads nine' "$(grep -c ' trusted [0-9a-f]\{64\}$' all.read)" 9
expect_grep 'a label of 40,000 characters is cut' '^x{32700}-1 trusted' all.read
expect_grep 'control characters stay' '^a\\u0001\\u001b\[31m\\u007f trusted' all.read
expect_grep 'what has no ASCII stays an entry' '^-1 trusted' all.read
for name in 'all.p12 -' 'pw.p12 geheim' 'pw.p12 -' 'pw.jks geheim'; do
    # shellcheck disable=SC2086
    expect_same "Java reads the same: $name" all.read <(part $name)
done
expect_eq 'JKS: no ASCII in the password' "$(part strange.jks "$strange" | grep -c ' trusted ')" 2
expect_grep "of PKCS#12 Java can't say it" 'Password is not ASCII' <(part strange.p12 "$strange")
for name in pw.p12 pw.jks; do
    expect_grep "$name: Java sees a wrong password" '^refused: ' <(part "$name" wrong)
done
for i in "${!certs[@]}"; do
    sha "pki/${certs[i]}.pem"
done | sort >want
expect_same 'and these are the certificates' want <(sed 's/.* //' all.read | sort)

# --- keystores of others

foreign() { kt -importcert -noprompt -alias "$1" -file "pki/$2.pem" -keystore "$3" -storepass geheim >/dev/null; }
update() { xr extract --update --from "$1.p11-kit" --to "$2" --password-fd 3 3<<<'geheim'; }
triples=()
for type in JKS PKCS12 old; do
    to=java-p12
    [[ $type != JKS ]] || to=java
    store=(-storetype "${type/old/PKCS12}")
    [[ $type != old ]] || store+=(-J-Dkeystore.pkcs12.legacy)
    kt -genkeypair -alias me -keyalg EC -dname CN=127.0.0.1 -ext bc:c -ext san=ip:127.0.0.1 "${store[@]}" -keystore "$type" -storepass geheim \
        -keypass geheim >/dev/null
    foreign theirs v1-root "$type"
    [[ $type != PKCS12 ]] || kt -genseckey -alias secret -keyalg AES -keysize 256 -keystore "$type" -storepass geheim >/dev/null
    chmod 600 "$type"
    cp "$type" "$type.0"
    expect_exit 1 "$type: is not replaced" ex few.p11-kit --overwrite --to "$to=$type" --password-fd 3 3<<<'geheim'
    expect_grep "$type: and why is said" 'private key' "$err"
    cmp "$type" "$type.0" && ok "$type: nothing changed" || bad "$type changed"
    expect_exit 0 "$type: updated" update all "$to=$type"
    cp "$type" "$type.1"
    expect_exit 0 "$type: a shorter list" update few "$to=$type"
    expect_eq "$type: the mode stays" "$(stat -c %a "$type")" 600
    cp "$type" "$type.2"
    expect_exit 0 "$type: once more" update few "$to=$type"
    cmp "$type" "$type.2" && ok "$type: the same bytes" || bad "$type differs"
    foreign later constrained-root "$type"
    cp "$type" "$type.3"
    expect_exit 0 "$type: after keytool wrote it" update all "$to=$type"
    cp "$type" "$type.4"
    for n in 0 1 2 3 4; do
        triples+=("${type/old/PKCS12}" "$type.$n" geheim)
    done
done
java_reads "${triples[@]}"
prefixed() { sed 's/^/crossroot:/'; }
for type in JKS PKCS12 old; do
    for n in 0 1 2 3 4; do
        part "$type.$n" | grep -v '^crossroot:' >"$type.$n.others" || true
        part "$type.$n" | grep '^crossroot:' >"$type.$n.ours" || true
    done
    expect_grep "$type: the private key is there" '^me signs' "$type.0.others"
    for n in 1 2; do
        expect_same "$type: entries of others stay ($n)" "$type.0.others" "$type.$n.others"
    done
    expect_same "$type: and keytool's later ones" "$type.3.others" "$type.4.others"
    expect_eq "$type: one more than at first" "$(wc -l <"$type.4.others")" $(($(wc -l <"$type.0.others") + 1))
    for n in 1 4; do
        expect_same "$type: ours are there ($n)" <(prefixed <all.read | sort) <(sort "$type.$n.ours")
    done
    for n in 2 3; do
        expect_eq "$type: ours go ($n)" "$(cut -d' ' -f1 "$type.$n.ours" | paste -sd, -)" 'crossroot:ftanstvny,crossroot:plainroot'
    done
done
expect_grep 'the secret key works' '^secret secret AES32$' PKCS12.4.others
expect_eq 'a private key is copied as it is' "$(xxd -p -c 0 JKS.4 | grep -c "$(xxd -p -c 0 -s 12 -l 300 JKS.0)")" 1

# --- a TLS client with javax.net.ssl.trustStore

openssl pkcs12 -in PKCS12.0 -passin pass:geheim -nokeys -clcerts 2>/dev/null | openssl x509 >server.pem
for form in none mac; do
    fd=()
    [[ $form == none ]] || fd=(--password-fd 3)
    expect_exit 0 "for a client: $form" ex server.pem --to "java-p12=$form.p12" "${fd[@]}" 3<<<'geheim'
    for pass in '' geheim wrong; do
        [[ $form/$pass != none/geheim ]] || continue
        option=("-Djavax.net.ssl.trustStorePassword=$pass")
        [[ -n $pass ]] || option=()
        want=accepted
        [[ $form/$pass != mac/wrong ]] || want='refused: '
        got=$(java "${quick[@]}" "-Djavax.net.ssl.trustStore=$form.p12" "${option[@]}" -cp classes Keystores tls PKCS12.0 geheim)
        expect_eq "a client with $form.p12 and password '$pass'" "${got:0:${#want}}" "$want"
    done
done

# --- what must stop an update

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -subj /CN=k -days 30 -out c.pem 2>/dev/null
openssl pkcs12 -export -inkey k.pem -in c.pem -name crossroot:plainroot -passout pass:geheim -out openssl.p12
expect_exit 0 "openssl's file" update few java-p12=openssl.p12
expect_eq 'its key is there' "$(openssl pkcs12 -in openssl.p12 -passin pass:geheim -nocerts -nodes | openssl pkey -pubout)" "$(openssl pkey -in k.pem -pubout)"
java_reads PKCS12 openssl.p12 geheim
expect_eq "an alias of another's key is left alone" "$(part openssl.p12 | grep -o '^crossroot:plainroot[^ ]*' | paste -sd, -)" 'crossroot:plainroot,crossroot:plainroot-1'

kt -genseckey -alias s -keyalg AES -keysize 256 -storetype JCEKS -keystore jceks -storepass geheim -keypass geheim >/dev/null
# unchanged WHAT TO PASSWORD: of the file "one", which is refused
unchanged() {
    cp one one.before
    rc=0
    "$XR_BIN" --worker "$XR_WORKER" --state "$state" extract --update --from few.p11-kit --to "$2=one" \
        --password-fd 3 3<<<"$3" >"$out" 2>"$err" </dev/null || rc=$?
    [[ $rc -ne 1 ]] || cmp -s one one.before || rc=changed
    [[ $rc == 1 ]] && return
    bad "$1: exit $rc"
    show_output
}
refused() { # WHAT FILE TO PASSWORD REASON
    cp "$2" one
    unchanged "$1" "$3" "$4"
    expect_grep "$1: and why is said" "$5" "$err"
}
wrong='the password is wrong, or the file is damaged'
refused 'JKS, a wrong password' JKS java falsch "$wrong"
refused 'PKCS#12, a wrong password' PKCS12 java-p12 falsch "$wrong"
refused 'old PKCS#12, a wrong password' old java-p12 falsch "$wrong"
refused 'JCEKS' jceks java geheim 'JCEKS'
refused 'PKCS#12 as JKS' PKCS12 java geheim 'java-p12'
refused 'JKS as PKCS#12' JKS java-p12 geheim 'JKS'
refused 'a certificate' c.pem java geheim 'no JKS keystore'
expect_exit 0 'none yet' ex few.p11-kit --update --to java=new.jks --to java-p12=new.p12
for pair in JKS.3:java PKCS12.3:java-p12 old.3:java-p12 new.p12:java-p12; do
    file=${pair%:*} to=${pair#*:}
    size=$(stat -c %s "$file")
    count=0
    for ((at = 1; at < size; at += at < 30 ? 7 : 199)); do
        head -c "$at" "$file" >one
        unchanged "$file, $at bytes of it" "$to" geheim
        count=$((count + 1))
    done
    head -c $((size - 1)) "$file" >one
    unchanged "$file, without its last byte" "$to" geheim
    { cat "$file"; printf x; } >one
    unchanged "$file, with one byte more" "$to" geheim
    if [[ $file != new.p12 ]]; then
        for at in 100 $((size / 2)) $((size - 30)); do
            cp "$file" one
            printf '\x5a\xa5\x5a' | dd of=one bs=1 seek="$at" conv=notrunc status=none
            unchanged "$file, damaged at $at" "$to" geheim
        done
    fi
    ok "$file: cut at $count places, never half"
done
expect_exit 0 'a keystore with trusted certificates alone is replaced' ex few.p11-kit --overwrite --to java=all.jks --to java-p12=all.p12
expect_eq 'whole' "$(keytool_count all.jks -storepass changeit) $(keytool_count all.p12)" '2 2'
expect_exit 0 'it is ours' ex all.p11-kit --update --to java=new.jks --to java-p12=new.p12
expect_eq 'and stays so' "$(keytool_count new.jks -storepass changeit) $(keytool_count new.p12)" '9 9'
finish
