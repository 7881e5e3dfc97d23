#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh KILLAT SCENARIO FIRST STEP: kills a change of NSS databases at its FIRST system call and
# every STEP-th after that, its own and its helpers', one run each: by turns the process that makes
# the call and all of them. Then recover, and each database has its old contents or its new ones, for
# certutil and for Firefox's NSS.
# shellcheck source=tests/cli/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
killat=${1:?} scenario=${2:?} first=${3:?} step=${4:?}
command -v certutil >/dev/null || skip_all 'no certutil'
browser=$(browser_libs) || skip_all 'no Firefox'
"$killat" 0 all true 2>/dev/null || skip_all 'processes may not be traced'
make_pki "$T/pki"

base=$T/base
work=$T/work
where=$work/stores
state=$work/state
names=(a b c)
# A database more than helpers are started one by one for.
[[ $scenario != copies ]] || names+=(d e)
# What Chromium would make, directories and all, in a home.
if [[ $scenario == fresh ]]; then
    HOME=$where
    where=$HOME/.local/share/pki names=(nssdb)
fi
stores=() dirs=()
for name in "${names[@]}"; do
    stores+=(--store "nss:$where/$name")
    dirs+=("$where/$name")
done
program=("$XR_BIN" --worker "$XR_WORKER" --state "$state" "${stores[@]}")

must() {
    run "$@"
    [[ $rc -eq 0 ]] && return
    bad "preparing: exit $rc: $*"
    show_output
    finish
    exit 1
}

fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
}

openssl x509 -in "$P/sibling-root.pem" -outform DER -out "$T/own.der"
openssl x509 -in "$P/rsa-root.pem" -outform DER -out "$T/more.der"
if [[ $scenario == fresh ]]; then
    mkdir -p "$HOME/.config/chromium"
else
    # One without a database, one that is empty, one of a user's own.
    mkdir -p "${dirs[@]}"
    for name in "${names[@]:1}"; do
        certutil -N -d "sql:$where/$name" --empty-password
    done
    certutil -A -d "sql:$where/c" -n 'the user'\''s own' -t CT,C, -i "$T/own.der"
fi
both=("$P/old-root.pem" "$P/cross.pem")
case $scenario in
install | copies | fresh)
    change=("${program[@]}" install --yes --json "${both[@]}")
    ;;
distrust)
    change=("${program[@]}" distrust --yes --json "$P/sibling-root.pem")
    ;;
remove)
    must "${program[@]}" install --yes "${both[@]}"
    change=("${program[@]}" remove --yes --json "${both[@]}")
    ;;
undo)
    must "${program[@]}" install --yes "${both[@]}"
    change=("${program[@]}" undo --yes --json)
    ;;
certutil)
    change=(certutil -A -d "sql:$where/c" -n more -t C,, -i "$T/more.der")
    ;;
*)
    echo "no scenario $scenario" >&2
    exit 2
    ;;
esac
mv "$work" "$base"

# contents NAME FILE: of one database, as certutil has them; nothing where there is none, or an empty
# file, which NSS takes for none.
contents() {
    : >"$2"
    [[ -s $where/$1/cert9.db ]] || return 0
    certutil -L -d "sql:$where/$1" >"$T/nicks" 2>&1 || {
        wrong "certutil cannot open $1: $(head -n 1 "$T/nicks")"
        return 0
    }
    # Before the first entry softoken sets no password, and then certutil says "needs user init".
    sed -n '5,$ { /^Database needs user init$/d; s/ *$//; /./p }' "$T/nicks" | LC_ALL=C sort >"$2"
}
# believed FILE: of all of them, as Firefox's NSS has them, by store.
believed() {
    run "${program[@]}" --nss "$browser" list --json
    [[ $rc -eq 0 ]] || wrong "Firefox's NSS cannot list: exit $rc"
    json 'stores[].entries[].{store,place,purposes,sha256}' "$out" 2>/dev/null | LC_ALL=C sort >"$1" || true
}
everything() { # PREFIX
    local name
    for name in "${names[@]}"; do
        contents "$name" "$1.$name"
    done
    believed "$1.all"
}
wrongs=0 point='not at all'
wrong() {
    bad "$scenario, killed at $point: $*"
    show_output
    wrongs=$((wrongs + 1))
    [[ $wrongs -lt 8 ]] && return
    echo '      and so on'
    finish
    exit 1
}
of_store() { # NAME FILE
    grep -aF "\"nss:$where/$1\"" "$2" || true
}

fresh
snap "$where" >"$T/untouched"
everything "$T/old"
run "$killat" 0 all "${change[@]}"
expect_eq "$scenario: the whole change exits 0" "$rc" 0
everything "$T/new"
for name in "${names[@]}"; do
    [[ $scenario == certutil && $name != c ]] && continue
    [[ $scenario == distrust ]] && continue
    cmp -s "$T/old.$name" "$T/new.$name" && bad "$scenario changes nothing in $name"
done
cmp -s "$T/old.all" "$T/new.all" && bad "$scenario changes nothing"

count=0 untouched=0 were_old=0 were_new=0 were_half=0
export KILLAT=$T/killed
for ((at = first; ; at += step)); do
    whom=caller
    ((count % 2)) || whom=all
    fresh
    run "$killat" "$at" "$whom" "${change[@]}"
    read -r _ who <"$KILLAT"
    [[ $who != - ]] || break
    point="$at ($whom, $who)"
    count=$((count + 1))
    case $rc:$whom in
    137:* | [0146]:caller) ;;
    *) wrong "exit $rc" ;;
    esac
    # What was said, by a program that lost no more than a helper.
    done=''
    [[ $rc -eq 137 || $scenario == certutil ]] || done=$(json 'stores[state=done].store' "$out")
    run "${program[@]}" recover
    [[ $rc -eq 0 ]] || wrong "recover: exit $rc"
    snap "$where" >"$T/is"
    if cmp -s "$T/untouched" "$T/is"; then
        untouched=$((untouched + 1))
        [[ -z $done ]] || wrong "says it is done: $done"
        continue
    fi
    everything "$T/is"
    for name in "${names[@]}"; do
        now=neither
        cmp -s "$T/old.$name" "$T/new.$name" && cmp -s "$T/old.$name" "$T/is.$name" && continue
        for which in old new; do
            cmp -s "$T/is.$name" "$T/$which.$name" &&
                cmp -s <(of_store "$name" "$T/is.all") <(of_store "$name" "$T/$which.all") && now=$which
        done
        [[ $now == new || $'\n'$done$'\n' != *$'\n'"nss:$where/$name"$'\n'* ]] || wrong "$name is not done but $now"
        # certutil writes a certificate and its trust one after the other.
        [[ $scenario$now != certutilneither || $(diff "$T/old.$name" "$T/is.$name") != *'> more '*' ,,' ]] ||
            now=half
        case $now in
        half) were_half=$((were_half + 1)) ;;
        old) were_old=$((were_old + 1)) ;;
        new) were_new=$((were_new + 1)) ;;
        *)
            wrong "$name is neither old nor new"
            diff "$T/old.$name" "$T/is.$name" | sed 's/^/      against old: /' || true
            diff <(of_store "$name" "$T/old.all") <(of_store "$name" "$T/is.all") | sed 's/^/      against old: /' || true
            ;;
        esac
    done
    for left in "$where"/*/*-journal; do
        # SQLite plays back no journal of an empty database, nor one whose header is zeros, which is
        # before it writes the database and after it is done.
        [[ ! -s $left || ! -s ${left%-journal} || $(head -c 8 "$left" | tr -d '\0' | wc -c) -eq 0 ]] || wrong "left behind: $left"
    done
    run "$XR_BIN" --state "$state" history --json
    [[ $rc -eq 0 && -z $(json 'transactions[].stores[state=pending].state' "$out") ]] ||
        wrong 'the journal still says pending'
    # And life goes on.
    [[ $scenario != undo && $scenario != certutil ]] && ((count % 5 == 0)) || continue
    run "${change[@]}"
    [[ $rc -eq 0 ]] || wrong "the same again: exit $rc"
done
half=${were_half#0}
if [[ $wrongs -eq 0 ]]; then
    ok "$scenario: killed at $count calls; $untouched times nothing was touched;" \
        "else $were_old databases were old after it, $were_new new${half:+, $were_half half of each by certutil}"
fi
[[ $count -ge 5 ]] || bad "$scenario: only $count calls to be killed at"
finish
