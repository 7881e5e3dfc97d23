#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# interop.sh TRUST TWINS: what crossroot writes into NSS databases, certutil reads, and the reverse;
# databases that are broken, in use, somebody else's; both kinds of trust object; many at once.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
trust=${1:?} twins=${2:?}
command -v certutil >/dev/null || skip_all "no certutil"
browser=$(browser_libs || true)
make_pki "$T/pki"
mkdir "$T/tw"
"$twins" "$T/tw"

der() { # FILE.pem: the path of it as DER
    local made=$T/${1##*/}.der
    [[ -e $made ]] || openssl x509 -in "$1" -outform DER -out "$made"
    printf '%s\n' "$made"
}

new() { # NAME: an empty database
    mkdir "$T/$1"
    certutil -N -d "sql:$T/$1" --empty-password
}

add() { # DB NAME TRUST FILE.pem
    certutil -A -d "sql:$T/$1" -n "$2" -t "$3" -i "$(der "$4")"
}

nicks() { # DB: "NICKNAME TRUST" lines as certutil has them
    certutil -L -d "sql:$T/$1" | sed -n '5,$ { s/ *$//; s/  */ /g; /./p }' | LC_ALL=C sort
}

ours() { # DB: "PLACE PURPOSES SUBJECT" lines
    run xr --store "nss:$T/$1" list --json
    json 'stores[0].entries[].{place,purposes,subject}' "$out" | LC_ALL=C sort
}

in_db() { # DB ARGS...
    local db=$1
    shift
    xr --store "nss:$T/$db" "$@"
}

# ---- ours, read by certutil
mkdir "$T/a"
expect_exit 0 'install into a profile without a database' \
    in_db a install --yes "$P/old-root.pem" "$P/cross.pem"
expect_exit 0 'a leaf as a peer' in_db a install --yes --as peer "$P/leaf.pem"
expect_exit 0 'distrust what is not there' in_db a distrust --yes "$P/rsa-root.pem"
expect_eq 'certutil reads all four' "$(nicks a)" \
    'Crossroot Test New Root ,,
Crossroot Test Old Root C,,
Crossroot Test RSA Root p,p,p
localhost P,,'
expect_eq 'and believes the chain' \
    "$(certutil -V -u L -n 'Crossroot Test New Root' -d "sql:$T/a" 2>&1)" 'certutil: certificate is valid'
expect_eq 'the files are the owner'\''s alone' "$(stat -c %a "$T/a/cert9.db" "$T/a/key4.db" | xargs)" '600 600'
expect_exit 0 'purposes' in_db a install --yes --for email --for client "$P/sibling-root.pem"
expect_grep 'as columns' 'T,C,' <(nicks a)
for i in 1 2 3 4; do
    expect_exit 0 "undo $i" in_db a undo --yes
done
expect_eq 'and nothing is left' "$(nicks a)" ''

if [[ -n $browser ]]; then
    expect_exit 0 'programs and libraries by relative paths' env -C / "$XR_BIN" --worker ".$XR_WORKER" \
        --state "$state" --store "nss:$T/a" --nss ".$browser" list
fi

# ---- certutil's, read by us
new b
add b root C,, "$P/old-root.pem"
add b many CT,C,C "$P/rsa-root.pem"
add b cross ,, "$P/cross.pem"
add b bad p,p,p "$P/sibling-root.pem"
add b half p,, "$P/utf8.pem"
add b leaf P,, "$P/leaf.pem"
expect_eq 'certutil'\''s entries' "$(ours b | sed 's/CN=//; s/,O=.*//')" \
    "$(printf '%s\t%s\t%s\n' anchor '["server","client","email","code"]' 'Crossroot Test RSA Root' \
        anchor '["server"]' 'Crossroot Test Old Root' \
        distrust '["server","client"]' クロスルート試験認証局 \
        distrust '[]' 'Crossroot Test New Root' \
        intermediate '[]' 'Crossroot Test New Root' \
        peer '[]' localhost | LC_ALL=C sort)"
before=$(nicks b)
for file in old-root rsa-root cross sibling-root utf8 leaf; do
    expect_exit 0 "remove $file" in_db b remove --yes "$P/$file.pem"
done
expect_eq 'all gone for certutil' "$(nicks b)" ''
for i in 1 2 3 4 5 6; do
    in_db b undo --yes >/dev/null 2>&1 || bad "undo $i"
done
expect_eq 'and back, nicknames and trust' "$(nicks b)" "$before"
certutil -D -d "sql:$T/b" -n root
expect_exit 1 'undo of what certutil deleted since' in_db b undo --yes
expect_no_grep 'what certutil deleted is not listed' 'Old Root' <(ours b)

# ---- names
mkdir "$T/names"
expect_exit 0 'hostile names' in_db names install --yes "$P/hostile-name.pem"
expect_eq 'one line for certutil' "$(nicks names | wc -l)" 1
expect_no_grep 'no colon in a nickname' ':.*C,,' <(nicks names)
expect_exit 0 'two roots of one name' in_db names install --yes "$T/tw/r.der" "$T/tw/r-again.der"
expect_eq 'share a nickname, as NSS wants it' "$(nicks names | grep -c '^Twins R C,,$')" 2

# ---- clashes
sum() { sha256sum <"$1" | cut -d' ' -f 1; }
expect_exit 1 'another certificate of the same issuer and serial number' \
    in_db names install --yes "$T/tw/evil.der"
expect_grep 'is refused, and the one that is there named' \
    "has $(sum "$T/tw/r.der"); remove that first" "$out"
expect_eq 'and changes nothing' "$(nicks names | grep -c '^Twins R C,,$')" 2
mkdir "$T/pair"
expect_exit 4 'two of them at once take nobody else down' \
    in_db pair install --yes "$T/tw/r.der" "$T/tw/evil.der" "$T/tw/other.der"
expect_grep 'the second is refused' "^  refused .*$(sum "$T/tw/evil.der")" "$out"
expect_grep 'because of the first' "also brings $(sum "$T/tw/r.der")" "$out"
expect_eq 'which is there, as are the others' "$(nicks pair)" 'Twins Other C,,
Twins R C,,'
expect_exit 4 'a dry run knows it' in_db pair install --dry-run "$T/tw/evil.der" "$T/tw/new.der"
expect_exit 0 'the way that was named' in_db pair remove "$(sum "$T/tw/r.der")"
expect_exit 0 'leads there' in_db pair install --yes "$T/tw/evil.der"
run xr history --json
removal=$(json 'transactions[command=remove].transaction' "$out" | head -n 1)
expect_exit 1 'undo of that removal' in_db pair undo --yes "$removal"
expect_grep 'names what is in its way' "remove $(sum "$T/tw/evil.der") first" "$out"
mkdir "$T/stray"
expect_exit 0 'a database' in_db stray install "$P/sub.pem"
"$trust" system "$T/stray" nss "$T/tw/evil.der" distrust
expect_exit 4 'trust of another certificate of the same issuer and serial number' \
    in_db stray install --yes "$T/tw/r.der" "$T/tw/other.der"
way=$(sed -n 's/.*trust settings for another.*; remove \([0-9a-f]\{64\}\) first$/\1/p' "$out")
expect_exit 0 'is removed by its own ID' in_db stray remove --yes "$way"
expect_exit 0 'and then in nobody'\''s way' in_db stray install --yes "$T/tw/r.der"

mkdir "$T/orphan"
expect_exit 0 'a database with trust alone' in_db orphan install "$P/sub.pem"
"$trust" system "$T/orphan" nss "$(der "$P/old-root.pem")" anchor
expect_exit 0 'into which the certificate comes' in_db orphan install --yes "$P/old-root.pem"
expect_eq 'as the anchor it is now' "$(nicks orphan)" 'Crossroot Test Old Root C,,
Crossroot Test Sub CA ,,'
expect_exit 0 'undo' in_db orphan undo --yes
expect_eq 'leaves the trust that was there' "$(ours orphan | cut -f 1 | xargs)" 'anchor intermediate'

# ---- by ID or by FILE: what is left of trust in another database goes too
id=$(sha "$P/old-root.pem")
for form in ID FILE; do
    what=$id
    [[ $form == ID ]] || what=$P/old-root.pem
    for verb in remove distrust; do
        a=$verb-$form-a b=$verb-$form-b
        new "$a"
        add "$a" root C,, "$P/old-root.pem"
        mkdir "$T/$b"
        run in_db "$b" install "$P/sub.pem"
        "$trust" system "$T/$b" nss "$(der "$P/old-root.pem")" anchor
        expect_grep "$verb $form: one has its trust alone" '^anchor.*null|^anchor' <(ours "$b")
        expect_exit 0 "$verb $form" xr --store "nss:$T/$a" --store "nss:$T/$b" "$verb" --yes "$what"
        expect_no_grep "$verb $form: no anchor in either" '^anchor' <(ours "$a"; ours "$b")
    done
done
new keys-a
add keys-a root C,, "$P/new-root.pem"
add keys-a twin C,, "$P/sibling-root.pem"
new keys-b
add keys-b twin C,, "$P/sibling-root.pem"
expect_exit 0 'distrust --key of an ID takes twins that come from the stores' \
    xr --store "nss:$T/keys-a" --store "nss:$T/keys-b" distrust --yes --key "$(sha "$P/new-root.pem")"
expect_no_grep 'in every store' '^anchor' <(ours keys-a; ours keys-b)

# ---- both kinds of trust object
if [[ -n $browser ]]; then
    for libs in system "$browser"; do
        name=two-${libs##*/} use=()
        [[ $libs == system ]] || use=(--nss "$libs")
        mkdir "$T/$name"
        expect_exit 0 "$name: an anchor of ours" in_db "$name" "${use[@]}" install --yes "$P/old-root.pem"
        "$trust" "$browser" "$T/$name" std "$(der "$P/old-root.pem")" distrust
        expect_exit 0 "$name: list" in_db "$name" "${use[@]}" list
        expect_grep "$name: says who believes what" \
            'NSS 3.114 and later read: distrusted.*older versions read: anchor for server' "$out"
        expect_exit 0 "$name: distrust" in_db "$name" "${use[@]}" distrust --yes "$P/old-root.pem"
        expect_eq "$name: one answer for all" "$(ours "$name" | cut -f 1)" distrust
        expect_exit 0 "$name: the browser's own kind again" in_db "$name" "${use[@]}" remove --yes "$P/old-root.pem"
        "$trust" "$browser" "$T/$name" std "$(der "$P/old-root.pem")" anchor
        expect_exit 0 "$name: trust without its certificate" in_db "$name" "${use[@]}" list
        expect_grep "$name: is listed" 'anchor .*\(no certificate\).*of issuer and serial number' "$out"
        expect_exit 0 "$name: and cannot speak for what is installed" \
            in_db "$name" "${use[@]}" install --as intermediate "$P/old-root.pem"
        expect_eq "$name: which is what was asked for" "$(ours "$name" | cut -f 1)" intermediate
        expect_exit 0 "$name: nor come back" in_db "$name" "${use[@]}" remove "$P/old-root.pem"
        expect_eq "$name: nothing is left" "$(ours "$name")" ''
        expect_eq "$name: no object" \
            "$(sqlite3 "$T/$name/cert9.db" 'select count(*) from nssPublic' 2>/dev/null || echo 0)" 0
    done
fi

# ---- databases that cannot be used: one clear line each, and the others go on
new good
mkdir "$T/link" "$T/old" "$T/broken" "$T/fifo" "$T/profiles" "$T/readonly"
new elsewhere
ln -s "$T/elsewhere/cert9.db" "$T/link/cert9.db"
ln -s "$T/elsewhere/key4.db" "$T/link/key4.db"
printf 'old' >"$T/old/cert8.db"
head -c 40000 /dev/urandom >"$T/broken/cert9.db"
mkfifo "$T/fifo/cert9.db"
printf '[General]\n' >"$T/profiles/profiles.ini"
ln -s "$T/good" "$T/linked"
stores=()
for name in link old broken fifo profiles missing linked/sub good; do
    stores+=(--store "nss:$T/$name")
done
snap "$T/elsewhere" >"$T/elsewhere.before"
run xr "${stores[@]}" install --yes --json "$P/old-root.pem"
expect_eq 'one good among bad ones: exit 4' "$rc" 4
why() { # NAME REGEX
    local text
    text=$("$XR_JSON" "stores[store=nss:$T/$1].why" "$out")
    if grep -qE -- "$2" <<<"$text" && [[ $text != *$'\n'* ]]; then
        ok "$1: $text"
    else
        bad "$1: $text"
    fi
}
why link 'cert9.db is a link'
why old 'cert8.db'
why broken 'cannot open cert9.db'
why fifo 'cert9.db is not a regular file'
why profiles 'profiles.ini'
why missing 'no such directory'
expect_json 'the good one is done' "stores[store=nss:$T/good].state" 'done'
snap "$T/elsewhere" >"$T/elsewhere.after"
expect_same 'what a link points to is as it was' "$T/elsewhere.before" "$T/elsewhere.after"
expect_eq 'no database is made by looking' "$(ls "$T/old" "$T/profiles" | xargs)" \
    "$T/old: cert8.db $T/profiles: profiles.ini"
mkdir "$T/look"
expect_exit 0 'list of a new profile' in_db look list
expect_exit 0 'remove of what is not there' in_db look remove "$P/old-root.pem"
expect_eq 'makes no database either' "$(ls "$T/look")" ''
if can_drop; then
    cp "$P/old-root.pem" "$T/root.pem"
    chmod 755 "$T" "$T/good"
    run unprivileged "$XR_BIN" --worker "$XR_WORKER" --state "$T/nobody" --store "nss:$T/good" list
    [[ $(id -u) -ne 0 ]] || expect_grep 'somebody else'\''s database' \
        'cert9.db cannot be read: it belongs to root, mode 0600' "$err"
fi
if [[ $(id -u) -eq 0 ]] && can_drop; then
    new theirs
    chown -R 65534 "$T/theirs"
    expect_exit 1 'as root, a directory of another user' in_db theirs install --yes "$P/old-root.pem"
    expect_grep 'is refused' 'another user' "$out"
fi

# ---- addresses that nearly are one
cd "$T"
for address in nss:sql:good "nss:sql:$T/good" nss:good/cert9.db; do
    expect_exit 1 "$address" xr --store "$address" list
    expect_grep 'is told how to say it' "the address is nss:($T/)?good\$" "$err"
done
expect_exit 1 'a ~ that no shell expanded' xr --store 'nss:~/.pki/nssdb' list
expect_grep 'is explained' 'write nss:"\$HOME"/.pki/nssdb$' "$err"
mkdir 'sql:named'
expect_exit 0 'a directory that is really called so' xr --store nss:sql:named list
cd - >/dev/null

# ---- somebody writes, or was killed
if command -v python3 >/dev/null; then
    new busy
    python3 - "$T/busy/cert9.db" "$T/holds" <<'END' &
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('begin exclusive')
open(sys.argv[2], 'w').close()
time.sleep(1.5)
c.execute('commit')
END
    until [[ -e $T/holds ]]; do sleep 0.05; done
    expect_exit 0 'a short lock is waited for' in_db busy install --yes "$P/old-root.pem"
    wait
    new hot
    add hot root C,, "$P/old-root.pem"
    # A writer that was killed: half written pages, and the journal that takes them back.
    python3 - "$T/hot/cert9.db" <<'END' || true
import os, sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('pragma cache_size=1')
c.execute('pragma cache_spill=1')
c.execute('begin immediate')
c.execute('delete from nssPublic')
c.execute('create table junk (x)')
for i in range(200):
    c.execute('insert into junk values (randomblob(3000))')
os._exit(9)
END
    if [[ -s $T/hot/cert9.db-journal ]]; then
        expect_exit 1 'a hot journal stops a reader' in_db hot list
        expect_grep 'which says what to do' 'recover' "$err"
        expect_exit 0 'recover' in_db hot recover
        expect_eq 'brings back what was there' "$(nicks hot)" 'root C,,'
    else
        bad 'no hot journal was made'
    fi
fi

# ---- many at once
mkdir "$T/many"
"$XR_MKCERTS" 32 "$T/certs" >/dev/null
for ((i = 0; i < 32; i++)); do
    begin "$XR_BIN" --worker "$XR_WORKER" --state "$T/many-$((i % 8))" --store "nss:$T/many" install --yes \
        --as anchor --drop-constraints "$T/certs/$(printf '%06d' "$i").pem"
done
all_succeed '32 writers of one database'
expect_eq 'nothing lost, nothing double' "$(nicks many | sort -u | wc -l) $(nicks many | wc -l)" '32 32'
expect_eq 'trust and all' "$(nicks many | grep -c 'C,,$')" 32
finish
