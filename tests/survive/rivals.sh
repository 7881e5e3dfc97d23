#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many writers at once on one store of each kind, beside readers of all that is published and beside the
# tools that write there too: nothing is lost, nothing is there twice, no reader sees half of anything.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_P11:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_P11=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
export PYTHONDONTWRITEBYTECODE=1
chmod 755 "$T"
writers=4 rounds=5
[[ $XR_FULL != 1 ]] || writers=16 rounds=25

# Roots that a family of one has: self-signed. The last two are everybody's base, and the rivals' own.
"$XR_MKCERTS" $((writers * rounds + 12)) "$T/certs" 1 >/dev/null
certs=("$T/certs"/*.pem)
base=${certs[-1]}
rivals=("${certs[@]:writers * rounds:10}")
lost=0 doubled=0 torn=0 reads=0 operations=0 tolerant=

# With 4 it was done, and something beside it was not.
is_done() {
    [[ $1 -eq 0 || $1 -eq 4 ]]
}
# write NUMBER STATE ARGUMENT...: its own certificates; of each five rounds one removes what the one before
# last put there, and the last is undone. What must stay: a line a certificate in $T/stays.NUMBER.
write() {
    local n=$1 at=$2 i stays=() file code made
    shift 2
    for ((i = 0; i < rounds; i++)); do
        code=0
        file=${certs[n * rounds + i]}
        if ((i % 5 == 3)); then
            file=${certs[n * rounds + i - 2]}
            "$XR_BIN" --worker "$XR_WORKER" --state "$at" "$@" remove --yes "$file" >"$T/log.$n" 2>&1 </dev/null || code=$?
            is_done "$code" && unset "stays[i - 2]"
        elif ((i % 5 == 4)); then
            "$XR_BIN" --worker "$XR_WORKER" --state "$at" --json "$@" install --yes "$file" >"$T/log.$n" 2>&1 </dev/null || code=$?
            if is_done "$code"; then
                made=$(json transaction "$T/log.$n" 2>&1) || true
                "$XR_BIN" --worker "$XR_WORKER" --state "$at" "$@" undo --yes "$made" >"$T/log.$n" 2>&1 </dev/null || code=$?
                is_done "$code" || stays[i]=$file
            fi
        else
            "$XR_BIN" --worker "$XR_WORKER" --state "$at" "$@" install --yes "$file" >"$T/log.$n" 2>&1 </dev/null || code=$?
            is_done "$code" && stays[i]=$file
        fi
        if [[ $code -ne 0 ]]; then
            echo "writer $n, round $i: exit $code: $(head -c 300 "$T/log.$n" | cat -v | xargs -d '\n')" >>"$T/refused"
        fi
    done
    for file in "${stays[@]}"; do
        sha "$file"
    done >"$T/stays.$n"
}
reader() { # KIND PATH [BASE]
    python3 "$here/rival_reads.py" "$T/stop" "$@" >"$T/reads.${#readers[@]}" 2>&1 &
    readers+=($!)
}
rival() { # COMMAND...: a function, beside the writers
    "$@" >"$T/rival" 2>&1 &
    others+=($!)
}
start() {
    rm -f "$T"/stop "$T"/stays.* "$T"/reads.* "$T"/refused
    : >"$T/shipped"
    readers=() others=()
}
# together STATE ARGUMENT...: waits for all, and puts what must be there to $T/want. An empty STATE: each
# writer has its own.
together() {
    local at=$1 n pids=() line
    shift
    for ((n = 0; n < writers; n++)); do
        write "$n" "${at:-$T/state-$n}" "$@" &
        pids+=($!)
    done
    wait "${pids[@]}"
    [[ ${#others[@]} -eq 0 ]] || wait "${others[@]}"
    : >"$T/stop"
    [[ ${#readers[@]} -eq 0 ]] || wait "${readers[@]}"
    operations=$((operations + writers * rounds))
    sha "$base" | cat - "$T"/stays.* "$T/shipped" | LC_ALL=C sort >"$T/want"
    for line in "$T"/reads.*; do
        [[ -e $line ]] || continue
        read -r _ r _ t _ first <<<"$(grep '^READS' "$line" || echo 'READS 0 TORN 1 FIRST no reader')"
        printf '      %s readings, %s torn\n' "$r" "$t"
        [[ $t -eq 0 ]] || bad "$*: $first"
        reads=$((reads + r)) torn=$((torn + t))
    done
    if [[ -e $T/refused ]]; then
        head -n 3 "$T/refused" | sed 's/^/    /'
        if [[ -n $tolerant ]]; then
            printf '      %s commands said that another program was at the same names\n' "$(wc -l <"$T/refused")"
        else
            bad "$*: $(wc -l <"$T/refused") commands failed"
            lost=$((lost + $(wc -l <"$T/refused")))
        fi
    fi
}
# What the rivals put into the store must be there too.
want_rivals() {
    local file
    for file in "${rivals[@]}"; do
        sha "$file"
    done | cat - "$T/want" | LC_ALL=C sort >"$T/more"
    mv "$T/more" "$T/want"
}
# holds WHAT FILE: the lines of FILE are what must be there, each once
holds() {
    local gone twice more
    LC_ALL=C sort "$2" >"$T/sorted"
    gone=$(LC_ALL=C comm -23 "$T/want" <(uniq "$T/sorted") | wc -l)
    twice=$(uniq -d "$T/sorted" | wc -l)
    more=$(LC_ALL=C comm -13 "$T/want" <(uniq "$T/sorted") | wc -l)
    expect_eq "$1: lost, double, and more than was asked for" "$gone $twice $more" '0 0 0'
    lost=$((lost + gone + more)) doubled=$((doubled + twice))
}
prints() { # FILE: the SHA-256 of each certificate in it
    python3 -c 'import base64, hashlib, re, sys
for block in re.findall(b"-----BEGIN (?:TRUSTED )?CERTIFICATE-----\n(.*?)-----END", open(sys.argv[1], "rb").read(), re.S):
    print(hashlib.sha256(base64.b64decode(block)).hexdigest())' "$1"
}
listed() { # ARGUMENT...: what crossroot lists, of all or of NSS without its modules' own
    "$XR_BIN" --worker "$XR_WORKER" --state "$T/state-list" "$@" list --json >"$out" 2>"$err" </dev/null
    json 'stores[].entries[].sha256' "$out"
}

echo '# a directory for OpenSSL, one state for all writers, then each its own'
for at in "$T/state" ''; do
    D=$T/trust${at:+-one}
    run xr --store "openssl:$D" install --yes "$base"
    start
    XR_BASE_LINK=$(openssl x509 -in "$base" -noout -hash).0
    export XR_BASE_LINK
    reader pem "$D/anchors.pem" "$base"
    reader hashed "$D/anchors"
    together "$at" --store "openssl:$D"
    holds 'its list' <(listed --store "openssl:$D")
    holds 'its bundle' <(prints "$D/anchors.pem")
    holds 'its files' <(find "$D/anchors" -name '*.pem' -type f -printf '%f\n' | sed 's/\.pem$//')
    expect_eq 'links dangle' "$(find "$D/anchors" -xtype l)" ''
    expect_eq 'a link a file' "$(find "$D/anchors" -type l | wc -l)" "$(wc -l <"$T/want")"
done
unset XR_BASE_LINK

echo '# images of Debian and Fedora'
# shellcheck disable=SC2034 # for roots.sh
some=("${certs[-2]}")
# shellcheck source=tests/cacerts/roots.sh
. "$here/../cacerts/roots.sh"
R=$T/debian
debian "$R"
run xr --root "$R" --store ca-certificates:/ install --yes "$base"
start
sha "${some[0]}" >"$T/shipped"
reader pem "$bundle" "$base"
reader hashed "$R/etc/ssl/certs"
together '' --root "$R" --store ca-certificates:/
holds 'its list' <(listed --root "$R" --store ca-certificates:/)
holds 'its bundle' <(prints "$bundle")

R=$T/fedora
fedora "$R"
run xr --root "$R" --store ca-certificates:/ install --yes "$base"
start
sha "${some[0]}" >"$T/shipped"
published=$R/etc/pki/ca-trust/extracted
reader pem "$bundle" "$base"
reader jks "$published/java/cacerts" "$base"
reader edk2 "$published/edk2/cacerts.bin" "$base"
together '' --root "$R" --store ca-certificates:/
holds 'its list' <(listed --root "$R" --store ca-certificates:/)
holds 'its bundle' <(prints "$bundle")
for ((count = 0; count < 2; count++)); do # the bundle is the same after another look
    run xr --root "$R" --store ca-certificates:/ recover --yes
done
holds 'its bundle, once more' <(prints "$bundle")

echo '# an NSS database, and certutil'
if command -v certutil >/dev/null; then
    D=$T/db
    mkdir "$D"
    certutil -N -d "sql:$D" --empty-password
    certutil -A -d "sql:$D" -n base -t C,, -a -i "$base"
    export XR_BASE_NAME=base
    # It gives up when the database is busy; people call it again.
    again() {
        local i
        for ((i = 0; i < 400; i++)); do
            "$@" && return
            sleep 0.05
        done
        echo "gave up: $*" >>"$T/refused"
    }
    certutils() {
        local file i
        for ((i = 0; i < (XR_FULL ? 5 : 1); i++)); do
            for file in "${rivals[@]}"; do
                again certutil -A -d "sql:$D" -n "rival ${file##*/}" -t C,, -a -i "$file"
            done
            ((i == (XR_FULL ? 4 : 0))) && break
            for file in "${rivals[@]}"; do
                again certutil -D -d "sql:$D" -n "rival ${file##*/}"
            done
        done
    }
    start
    reader nss "$D" "$base"
    rival certutils
    together '' --store "nss:$D"
    want_rivals
    holds 'its list' <(listed --store "nss:$D")
    certutil -L -d "sql:$D" | sed -nE 's/^(.*[^ ]) +([^ ]*,[^ ]*,[^ ]*) *$/\2/p' | LC_ALL=C sort | uniq -c >"$T/trusts"
    expect_eq 'certutil finds as many, each trusted for servers' "$(xargs <"$T/trusts")" "$(wc -l <"$T/want") C,,"
else
    skip 'no certutil'
fi

echo '# a token of p11-kit, and trust'
modules=/usr/share/p11-kit/modules
confined=
if command -v trust >/dev/null && [[ -e $modules/p11-kit-trust.module ]]; then
    mkdir -p "$T/token" "$T/modules" "$HOME/.config/pkcs11/modules"
    printf 'module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths=%s\n' "'$T/token'" \
        >"$T/modules/p11-kit-trust.module"
    if [[ -n ${XR_OWN_P11:-} ]]; then
        mount --bind "$T/modules" "$modules" && confined=1
    elif [[ $(id -u) -ne 0 ]]; then
        cp "$T/modules/p11-kit-trust.module" "$HOME/.config/pkcs11/modules/"
        echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
        confined=1
    fi
fi
if [[ -n $confined ]]; then
    D=$T/token
    run xr --store "p11-kit:$D" install --yes "$base"
    # Its exit code is that of a hook which distributions may not have; what counts is what is there.
    trusts() {
        local file i
        for ((i = 0; i < (XR_FULL ? 5 : 1); i++)); do
            for file in "${rivals[@]}"; do
                trust anchor --store "$file" || true
            done
            ((i == (XR_FULL ? 4 : 0))) && break
            for file in "${rivals[@]}"; do
                trust anchor --remove "$file" || true
            done
        done
    }
    start
    reader p11 "$D" "$base"
    rival trusts
    together '' --store "p11-kit:$D"
    want_rivals
    holds 'its list' <(listed --store "p11-kit:$D")
    rm -f "$T/extract"
    trust extract --format=pem-bundle --filter=ca-anchors --purpose=server-auth "$T/extract"
    holds 'what the module makes of it' <(prints "$T/extract")
else
    skip 'trust cannot be confined to a token of its own here'
fi

echo '# update-ca-certificates'
if [[ -x /usr/sbin/update-ca-certificates ]]; then
    R=$T/beside
    debian "$R"
    run xr --root "$R" --store ca-certificates:/ install --yes "$base"
    # It takes no lock, makes the same links, and may tear its bundle by itself: so nobody reads meanwhile,
    # ours may say that something was in the way, and what counts is what is there in the end.
    updates() {
        local i
        for ((i = 0; i < (XR_FULL ? 15 : 3); i++)); do
            /usr/sbin/update-ca-certificates --fresh --certsconf "$R/etc/ca-certificates.conf" \
                --certsdir "$R/usr/share/ca-certificates" --localcertsdir "$R/usr/local/share/ca-certificates" \
                --etccertsdir "$R/etc/ssl/certs" --hooksdir '' || true
        done
    }
    start
    sha "${some[0]}" >"$T/shipped"
    rival updates
    tolerant=1
    together '' --root "$R" --store ca-certificates:/
    run xr --root "$R" --store ca-certificates:/ recover --yes
    holds 'its list' <(listed --root "$R" --store ca-certificates:/)
    holds 'its bundle' <(prints "$bundle")
else
    skip 'no update-ca-certificates'
fi

printf '      %s commands, %s readings\n' "$operations" "$reads"
row "rivals: $writers writers × $rounds" "$operations commands" "$((lost + doubled))"
row 'rivals: readers of what is published' "$reads readings" "$torn"
finish
