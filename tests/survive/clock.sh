#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clock.sh LIBRARY: at the very second where a certificate ends, where 32 bits end, where UTCTime ends and
# where time begins. What crossroot says is what OpenSSL and libnss3 say at that clock.
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
library=$(realpath -- "${1:?}")
day=86400
tried=0 wrong=0

# when SECONDS COMMAND...: with a clock that stands there
when() {
    local at=$1
    shift
    XR_CLOCK=$at LD_PRELOAD=$library "$@"
}
utc() {
    date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ
}
expect_eq 'the clock can be set' "$(when -1 date -u +%s)" -1

cat >"$T/config" <<'CONFIG'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
CONFIG
for key in old new leaf; do
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$T/$key.key"
done
# issue NAME KEY CN SECTION CLOCK DAYS [ISSUER]: its days begin at that clock
issue() {
    local signed=()
    [[ $# -lt 7 ]] || signed=(-CA "$C/$7.pem" -CAkey "$T/$7.key")
    when "$5" openssl req -x509 -new -config "$T/config" -extensions "$4" -days "$6" -key "$T/$2.key" -subj "/CN=$3" \
        "${signed[@]}" -out "$C/$1.pem"
}
check() { # WHAT ACTUAL EXPECTED
    tried=$((tried + 1))
    if [[ $2 != "$3" ]]; then
        wrong=$((wrong + 1))
        bad "$1: \"$2\", expected \"$3\""
        show_output
    fi
}
# yes COMMAND...: "yes" or "no"; of crossroot anything but its exit codes 0 and 6 shows as that
yes() {
    local code=0
    "$@" >"$out" 2>"$err" </dev/null || code=$?
    case $code in
    0) echo yes ;;
    2 | 6) echo no ;; # OpenSSL's and ours
    *) echo "exit $code" ;;
    esac
}
ours() { # CLOCK STORE ARGUMENT...
    when "$1" "$XR_BIN" --worker "$XR_WORKER" --state "$C/state" --store "$2" "${@:3}"
}
theirs() { # ARGUMENT...: of openssl verify, what crossroot's own directory gives
    openssl verify -no-CAstore -no-CAfile -CApath "$C/trust/anchors" -untrusted "$C/cross.pem" -auth_level 2 \
        -purpose sslserver "$@" "$C/leaf.pem"
}

# Of the certificate in the middle: the second where it ends.
declare -A ends=([first]=0 [cross]=1874725239 [int32]=2147483647 [past-int32]=2147483648
    [last-of-2049]=2524607999 [first-of-2050]=2524608000 [uint32]=4294967295)
expect_eq 'the cross certificate'\''s own end' "$(utc "${ends[cross]}")" 2029-05-29T05:00:39Z
for name in first cross int32 past-int32 last-of-2049 first-of-2050 uint32; do
    end=${ends[$name]} C=$T/$name
    mkdir "$C"
    before=$wrong
    issue old old "Old $name" ca $((end - 2000 * day)) 4000
    issue cross new "New $name" ca $((end - 1000 * day)) 1000 old
    issue new new "New $name" ca $((end - 1000 * day)) 1000
    cp "$C/old.pem" "$C/issuer.pem"
    when $((end - 900 * day)) openssl req -x509 -new -config "$T/config" -extensions leaf -days 1800 -key "$T/leaf.key" \
        -subj '/CN=localhost' -CA "$C/cross.pem" -CAkey "$T/new.key" -out "$C/leaf.pem"
    issue leaf-of-old leaf 'localhost' leaf $((end - 900 * day)) 1800 old
    store=openssl:$C/trust
    check "$name: installed on the day before" "$(yes ours $((end - day)) "$store" install --yes "$C/old.pem" "$C/cross.pem")" yes
    run ours $((end - day)) "$store" --json list
    run ours $((end - day)) "$store" --json inspect "$C/cross.pem"
    check "$name: its end, as JSON" "$(json 'certificates[0].not_after' "$out")" "$(utc "$end")"
    check "$name: no warning before" "$(json 'certificates[0].warnings[]' "$out" | grep -c expired || true)" 0
    nss=
    if command -v vfychain >/dev/null; then
        mkdir "$C/db"
        certutil -N -d "sql:$C/db" --empty-password
        when $((end - day)) certutil -A -d "sql:$C/db" -n old -t C,, -a -i "$C/old.pem"
        when $((end - day)) certutil -A -d "sql:$C/db" -n cross -t ,, -a -i "$C/cross.pem"
        nss=1
    fi
    for at in $((end - day)) $((end - 1)) "$end" $((end + 1)) $((end + day)) $((end - 1000 * day)) $((end - 1000 * day - 1)) \
        $((end - 90 * day)); do
        clock=$(yes when "$at" openssl verify -no-CAstore -no-CAfile -CApath "$C/trust/anchors" -untrusted "$C/cross.pem" \
            -auth_level 2 -purpose sslserver "$C/leaf.pem")
        check "$name, $(utc "$at"): as OpenSSL says" "$(yes ours "$at" "$store" verify --untrusted "$C/cross.pem" "$C/leaf.pem")" "$clock"
        # By a date, whatever the clock: 1970 too, and before it.
        for now in $((end - day)) $((end + 3000 * day)); do
            check "$name: --at $(utc "$at"), at $(utc "$now")" "$(yes ours "$now" "$store" verify --at "$(utc "$at")" \
                --untrusted "$C/cross.pem" "$C/leaf.pem")" "$clock"
        done
        # To NSS itself, the first second of 1970 means not to look at dates.
        if [[ -n $nss && $at -ne 0 ]]; then
            when "$at" vfychain -d "sql:$C/db" -u 1 -a "$C/leaf.pem" >"$T/vfychain" 2>&1 || true
            clock=$(sed -n 's/^Chain is good.*/yes/p; s/^Chain is bad.*/no/p' "$T/vfychain")
            check "$name, $(utc "$at"): as libnss3 says" "$(yes ours "$at" "nss:$C/db" verify "$C/leaf.pem")" "$clock"
            check "$name: nss, --at $(utc "$at")" "$(yes ours $((end + 3000 * day)) "nss:$C/db" verify --at "$(utc "$at")" "$C/leaf.pem")" "$clock"
        fi
        run ours "$at" "$store" --json inspect "$C/cross.pem"
        check "$name, $(utc "$at"): inspect warns" "$(json 'certificates[0].warnings[]' "$out" | grep -c expired || true)" $((at > end))
        run ours "$at" "$store" list
        check "$name, $(utc "$at"): list marks it" "$(grep -c '\bexpired\b' "$out" || true)" $((at > end))
    done

    # 90 days ahead, to the second.
    for at in $((end - 90 * day - 1)) $((end - 90 * day)) $((end - 90 * day + 1)) "$end" $((end + 1)); do
        run ours "$at" "$store" --json list --expires-within 90d
        check "$name, $(utc "$at"): listed as what ends within 90 days" \
            "$(json 'stores[].entries[].sha256' "$out" | grep -c "$(sha "$C/cross.pem")" || true)" $((at >= end - 90 * day))
        check "$name, $(utc "$at"): and the root is not" "$(json 'stores[].entries[].sha256' "$out" | grep -c "$(sha "$C/old.pem")" || true)" 0
    done

    # What is installed too late or too early is told; so is a twin that would hide a path.
    for at in "$end" $((end + 1)) $((end - 1000 * day)) $((end - 1000 * day - 1)); do
        says=0
        ((at > end || at < end - 1000 * day)) && says=1
        rm -rf "$C/late"
        run ours "$at" "openssl:$C/late" install --yes "$C/new.pem"
        check "$name, $(utc "$at"): install tells that it has ended or not begun" \
            "$(cat "$out" "$err" | grep -cE 'expired on|not valid before' || true)" $says
        check "$name, $(utc "$at"): history has the time" "$(run ours "$at" "openssl:$C/late" --json history; \
            json 'transactions[0].at' "$out")" "$(utc "$at")"
        # A clock that was set back between is no obstacle.
        check "$name: undo at an earlier clock" "$(yes ours $((at - 5000 * day)) "openssl:$C/late" undo --yes)" yes
    done

    # Revocation lists are current to the second too.
    printf '01\n' >"$C/number"
    : >"$C/index"
    printf '[crl]\ndatabase = %s/index\ncrlnumber = %s/number\ndefault_md = sha256\n' "$C" "$C" >"$C/ca"
    when $((end - 30 * day)) openssl ca -config "$C/ca" -name crl -cert "$C/old.pem" -keyfile "$T/old.key" -gencrl -crldays 30 \
        -out "$C/old.crl" 2>"$err" || show_output
    for at in $((end - 30 * day)) $((end - 1)) $((end + 1)) $((end + day)); do
        run ours "$at" "$store" --dry-run install "$C/old.crl"
        check "$name, $(utc "$at"): a CRL is taken while it is current" "$rc" $((at > end))
    done
    [[ $wrong -eq $before ]] && ok "$name: as it should be"
done
expect_exit 2 'a date that is none' xr --store "openssl:$T/cross/trust" verify --at 1970-02-30 "$T/cross/leaf.pem"

row 'clock: 1970, 2029-05-29T05:00:39Z, 2038, 2049/2050, 2106; a second before, at and after; 90 days ahead' \
    "$tried answers" "$wrong"
finish
