#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory.sh FAILALLOC: the k-th allocation of the command, or of its helpers, fails, by turns once and
# from then on. The process ends, by itself or by abort (docs/decisions/0002), never by an invalid access
# of ours; a helper's end is reported by its caller; a change that is said to be done is; and recover gives
# the old state or the new one, as other programs see them.
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
failalloc=$(realpath -- "${1:?}")
make_pki "$T/pki"

# How many allocations of each process of each change are made to fail.
most=4
[[ $XR_FULL != 1 ]] || most=${XR_MEMORY_MOST:-60}
LIMIT=120 # seconds after which a run hangs

base=$T/base work=$T/work log=$T/fail.log

# A helper gets no environment: it is told by a file.
helper=$T/helper
cat >"$helper" <<END
#!/bin/sh
[ ! -e "$T/fail.env" ] || . "$T/fail.env"
exec "$XR_WORKER"
END
chmod 755 "$helper"

# --- stores: make_KIND makes one in $work/store and sets $place; seen_KIND prints what others see

make_openssl() { mkdir -p "$work/store" && cp "$P/rsa-root.pem" "$work/store/own.pem"; }
seen_openssl() {
    snap "$work/store"
    openssl_verify "$work/store/trust" "$P/cross.pem" >/dev/null 2>&1 && echo trusted || echo not
}
make_debian() {
    local image=$work/store
    mkdir -p "$image"/etc/ssl/certs "$image"/usr/share/ca-certificates/vendor "$image"/usr/local/share/ca-certificates
    cp "$P/rsa-root.pem" "$image/usr/share/ca-certificates/vendor/RSA.crt"
    echo vendor/RSA.crt >"$image/etc/ca-certificates.conf"
    run "$XR_BIN" --worker "$XR_WORKER" --state "$work/state" --root "$image" --store ca-certificates install --yes "$P/rsa-root.pem"
}
seen_debian() {
    snap "$work/store"
    openssl crl2pkcs7 -nocrl -certfile "$work/store/etc/ssl/certs/ca-certificates.crt" 2>/dev/null |
        openssl pkcs7 -print_certs -noout 2>/dev/null || true
}
make_p11kit() {
    mkdir -p "$work/store/anchors"
    cp "$P/rsa-root.pem" "$work/store/anchors/own.pem"
}
seen_p11kit() { snap "$work/store"; }
make_nss() {
    mkdir -p "$work/store"
    certutil -N -d "sql:$work/store" --empty-password
    certutil -A -d "sql:$work/store" -n own -t C,, -i "$P/rsa-root.pem"
}
seen_nss() {
    certutil -L -d "sql:$work/store" 2>&1 | sed 's/ *$//; /^Database needs user init$/d' | LC_ALL=C sort
}

# --- one run

options() { # KIND
    case $1 in
    openssl) stores=(--store "openssl:$work/store/trust") ;;
    debian) stores=(--root "$work/store" --store ca-certificates) ;;
    p11kit) stores=(--store "p11-kit:$work/store") ;;
    nss) stores=(--store "nss:$work/store") ;;
    esac
    program=("$XR_BIN" --worker "$helper" --state "$work/state" "${stores[@]}")
}
fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
    rm -f "$log" "$T/fail.env"
}
# changed WHO AT LASTING: the change, with that allocation of the command or of each helper failing
changed() {
    local who=$1 at=$2 lasting=$3
    [[ -z $lasting ]] && format=() || format=(--json)
    local environment=("XR_FAIL_AT=$at" "XR_FAIL_LOG=$log" "LD_PRELOAD=$failalloc")
    [[ -z $lasting ]] || environment+=(XR_FAIL_LASTING=1)
    if [[ $who == command ]]; then
        run timeout -k 1 "$LIMIT" env "${environment[@]}" "${program[@]}" "${change[@]}" "${format[@]}" 2>/dev/null # "Aborted"
    else
        printf 'export %q\n' "${environment[@]}" >"$T/fail.env"
        run timeout -k 1 "$LIMIT" "${program[@]}" "${change[@]}" "${format[@]}"
        rm -f "$T/fail.env"
    fi
}

violations=0
wrong() {
    violations=$((violations + 1))
    [[ $violations -gt 12 ]] || {
        printf 'FAIL  %s: %s\n' "$point" "$*"
        show_output
    }
}

foreign='' # libraries of others that made an invalid access
judge() { # KIND WHO
    local code=$rc object
    case $code in
    0 | 1 | 4 | 5 | 6 | 7) ;;
    134) [[ $2 == command ]] || wrong "the command aborted" ;;
    124 | 137) wrong "it hangs" ;;
    *) wrong "exit $code" ;;
    esac
    while read -r object; do
        case $object in
        *crossroot* | *worker*) wrong "an invalid access in $object" ;;
        *)
            [[ $2 == helpers ]] || wrong "an invalid access of the command, in $object"
            foreign+="${object##*/} "
            ;;
        esac
    done < <(sed -n 's/^fault //p' "$log" 2>/dev/null || true)
    [[ $code -eq 0 || $code -eq 134 || -s $err || -s $out ]] || wrong "exit $code without a word"
    if [[ $code -eq 0 ]]; then
        "seen_$1" >"$T/is"
        cmp -s "$T/is" "$T/new" || wrong 'it says that it is done, and is not'
    fi
    [[ ${#format[@]} -eq 0 || $code -eq 134 || $(json exit "$out" 2>&1) == "$code" ]] ||
        wrong "its document is not whole, exit $code"
    run timeout -k 1 "$LIMIT" "${program[@]}" recover --yes
    [[ $rc -eq 0 ]] || wrong "recover: exit $rc"
    "seen_$1" >"$T/is"
    if cmp -s "$T/is" "$T/new"; then
        news=$((news + 1))
    elif cmp -s "$T/is" "$T/old"; then
        olds=$((olds + 1))
    else
        wrong 'after recover it is neither old nor new'
        diff "$T/old" "$T/is" | grep '^[<>]' | head -n 6 | sed 's/^/      against old: /' || true
    fi
}

# every KIND VERB WHO
every() {
    local kind=$1 who=$3 total step at lasting=''
    point="$kind, $2, $who"
    fresh
    changed "$who" 0 ''
    [[ $rc -eq 0 ]] || wrong "the whole change: exit $rc"
    "seen_$kind" >"$T/new"
    cmp -s "$T/old" "$T/new" && wrong 'it changes nothing'
    total=$(sed -n 's/^count //p' "$log" 2>/dev/null | sort -n | tail -n 1) || true
    [[ -n $total ]] || return 0 # it has no helper
    step=$(((total + most - 1) / most))
    # A step that is a multiple of what recurs would see the same again and again.
    [[ $((step % 2)) -eq 1 ]] || step=$((step + 1))
    for ((at = 1 + total % step; at <= total; at += step)); do
        [[ -n $lasting ]] && lasting='' || lasting=1
        point="$kind, $2, allocation $at of $total of the $who${lasting:+ and all later ones}"
        fresh
        changed "$who" "$at" "$lasting"
        tried=$((tried + 1))
        judge "$kind" "$who"
    done
}

# An answer is the one that there is, or none: libcrypto that cannot get memory says "no".
answers() {
    local total step at lasting='' code
    local verify=(--store "openssl:$T/answers" verify "$P/leaf.pem" --untrusted "$P/sub.pem" --untrusted "$P/cross.pem")
    tried=0 violations=0
    xr --store "openssl:$T/answers" install --yes "$P/old-root.pem" >/dev/null 2>&1 || bad 'answers: preparing'
    for what in inspect verify; do
        change=(inspect "$P/all.pem")
        [[ $what == inspect ]] || change=("${verify[@]}")
        program=("$XR_BIN" --worker "$XR_WORKER" --state "$state")
        rm -f "$log"
        changed command 0 ''
        code=$rc
        cp "$out" "$T/answer"
        changed command 0 1 # as JSON
        cp "$out" "$T/answer.json"
        total=$(sed -n 's/^count //p' "$log" | sort -n | tail -n 1)
        step=$((total / (most * 4) + 1))
        for ((at = 1 + total % step; at <= total; at += step)); do
            [[ -n $lasting ]] && lasting='' || lasting=1
            point="$what, allocation $at of $total${lasting:+ and all later ones}"
            changed command "$at" "$lasting"
            tried=$((tried + 1))
            case $rc in
            134 | 1) ;;
            "$code") cmp -s "$out" "$T/answer${lasting:+.json}" || wrong 'another answer' ;;
            *) wrong "exit $rc" ;;
            esac
        done
    done
    row 'memory: allocations that fail, answers' "$tried allocations" "$violations"
}
answers

for kind in openssl debian p11kit nss; do
    if [[ $kind == nss ]] && ! command -v certutil >/dev/null; then
        skip 'nss: no certutil'
        continue
    fi
    tried=0 olds=0 news=0 violations=0 foreign=''
    for verb in install remove; do
        rm -rf "$work" "$base"
        mkdir "$work"
        "make_$kind"
        options "$kind"
        files=("$P/old-root.pem" "$P/cross.pem")
        [[ $kind != debian ]] || files=("$P/old-root.pem") # it holds no cross certificates
        change=(install --yes "${files[@]}")
        if [[ $verb == remove ]]; then
            run "${program[@]}" "${change[@]}"
            [[ $rc -eq 0 ]] || bad "$kind: preparing: exit $rc"
            change=(remove --yes "${files[@]}")
        fi
        "seen_$kind" >"$T/old"
        mv "$work" "$base"
        for who in command helpers; do
            every "$kind" "$verb" "$who"
        done
    done
    row "memory: allocations that fail, $kind" "$tried allocations" "$violations"
    printf '      %d times the old state after it, %d the new%s\n' "$olds" "$news" \
        "${foreign:+; libraries that did not bear it, in helpers: $(tr ' ' '\n' <<<"$foreign" | sed '/./!d' | sort | uniq -c | xargs)}"
done
finish
