#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh SCENARIO: kills a change at each of its mutating system calls, one run each, and looks
# at what the next command makes of it: the old state or the new one, and nothing left behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

can_trace || skip_all "strace is missing or may not trace"
scenario=${1:?scenario}
make_pki "$T/pki"

# before: prepared once; each run works on a copy of $base (both the store's parent and the state).
base=$T/base
work=$T/work
where=$work/stores
store=openssl:$where/trust
state=$work/state
proof=$P/cross.pem # what openssl verify is asked about
change=()
undone='' # the transaction that change undoes

fresh() {
    rm -rf "$work"
    cp -a "$base" "$work"
}

must() {
    run "$@"
    [[ $rc -eq 0 ]] || {
        bad "preparing: exit $rc: $*"
        show_output
        finish
        exit 1
    }
}

hand_made() {
    mkdir -p "$where/trust/anchors"
    cp "$P/old-root.pem" "$where/trust/anchors/old root.pem"
    openssl rehash "$where/trust/anchors"
    cp "$P/utf8.pem" "$where/trust/anchors/without a link.pem"
    cat "$P/loop-a.pem" "$P/old-root.pem" >"$where/trust/anchors.pem"
    echo "a file of somebody else's" >"$where/trust/NOTES"
    chmod 0640 "$where/trust/NOTES"
}

prepare() {
    mkdir -p "$where"
    case $scenario in
    root-absent)
        change=(install --yes "$P/old-root.pem")
        proof=$P/old-root.pem
        ;;
    root-made)
        mkdir "$where/trust"
        change=(install --yes "$P/old-root.pem")
        proof=$P/old-root.pem
        ;;
    cross)
        must xr --store "$store" install --yes "$P/old-root.pem"
        change=(install "$P/cross.pem" "$P/sub.pem")
        ;;
    cross-beside-foreign)
        hand_made
        change=(install "$P/cross.pem")
        ;;
    crl-replaced)
        must xr --store "$store" install --yes "$P/old-root.pem" "$P/cross.pem" "$P/old-root.crl.pem"
        change=(install "$P/old-root-revokes-cross.crl.pem")
        ;;
    remove)
        must xr --store "$store" install --yes "$P/old-root.pem" "$P/cross.pem"
        change=(remove "$P/cross.pem")
        ;;
    remove-last)
        must xr --store "$store" install --yes "$P/old-root.pem"
        change=(remove "$P/old-root.pem")
        proof=$P/old-root.pem
        ;;
    undo)
        hand_made
        must xr --store "$store" install --json "$P/cross.pem"
        undone=$(json transaction "$out")
        change=(undo)
        ;;
    undo-all)
        must xr --store "$store" install --json --yes "$P/old-root.pem" "$P/cross.pem"
        undone=$(json transaction "$out")
        change=(undo)
        ;;
    recover)
        # A change that died half way, in the middle of its swaps: see crash_half_way.
        must xr --store "$store" install --yes "$P/old-root.pem"
        change=(recover)
        ;;
    *)
        echo "no scenario $scenario" >&2
        exit 2
        ;;
    esac
}

trace_change() {
    rc=0
    traced -f -y -o "$T/trace" "$@" "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
        --store "$store" "${change[@]}" >"$out" 2>"$err" </dev/null || rc=$?
}

# The undo of a transaction that was not itself undone.
undo_of() {
    xr history --json | json 'transactions[command=undo].{transaction,undoes,undone_by,stores}' |
        awk -F '\t' -v of="$1" '$2 == of && $3 == "null" && $4 ~ /"done"/ { print $1; exit }'
}

crash_half_way() {
    local saved=("${change[@]}")
    cp -a "$where" "$T/half-old"
    change=(install "$P/cross.pem" "$P/sub.pem")
    trace_change -e trace=mkdirat,renameat -e inject=renameat:signal=KILL:when=3
    change=("${saved[@]}")
    [[ $rc -eq 137 ]] || bad "the change that recover finds was not killed: $rc"
}

mkdir "$work"
prepare
[[ $scenario == recover ]] && crash_half_way
rm -rf "$base"
cp -a "$work" "$base"
snap "$where" >"$T/old"
[[ $scenario == recover ]] && snap "$T/half-old" >"$T/old"

fresh
trace_change -e "trace=$MUTATING"
expect_eq "$scenario: the whole change exits 0" "$rc" 0
snap "$where" >"$T/new"
[[ $scenario == recover ]] || expect_eq "$scenario changes something" \
    "$(cmp -s "$T/old" "$T/new" && echo same || echo differs)" differs
kill_points "$T/trace" >"$T/points"

openssl_says() {
    openssl_verify "$where/trust" "$proof" >/dev/null 2>&1 && echo yes || echo no
}
new_says=$(openssl_says)
rm -rf "$work"
cp -a "$base" "$work"
old_says=$(openssl_says)

count=0 were_old=0 were_new=0 before=$failed
wrong() {
    bad "$scenario, killed at $point: $*"
    show_output
    wrongs=$((wrongs + 1))
    [[ $wrongs -lt 8 ]] || {
        echo "      and so on"
        finish
        exit 1
    }
}

wrongs=0
while read -r name number; do
    point="$name $number"
    count=$((count + 1))
    fresh
    trace_change -e "trace=$name" -e "inject=$name:signal=KILL:when=$number"
    if [[ $rc -ne 137 ]]; then
        wrong "it was not killed but ended with $rc"
        continue
    fi
    if ((count % 2)); then
        run xr --store "$store" recover
        [[ $rc -eq 0 ]] || wrong "recover: exit $rc"
    else
        # The next changing command, of something else, and back.
        run xr --store "$store" install --yes "$P/rsa-root.pem"
        [[ $rc -eq 0 ]] || wrong "the next install: exit $rc"
        run xr --store "$store" undo
        [[ $rc -eq 0 ]] || wrong "undo of the next install: exit $rc"
    fi
    snap "$where" >"$T/is"
    if cmp -s "$T/is" "$T/old"; then
        now=old
        were_old=$((were_old + 1))
        says=$old_says
    elif cmp -s "$T/is" "$T/new"; then
        now=new
        were_new=$((were_new + 1))
        says=$new_says
    else
        wrong "neither the old state nor the new one"
        printf '      against the %s\n' \
            "old: $(diff "$T/old" "$T/is" | grep -c '^[<>]') lines" "new:"
        diff "$T/new" "$T/is" | grep '^[<>]' | head -n 10 | sed 's/^/      /' || true
        continue
    fi
    [[ $scenario == recover || $(openssl_says) == "$says" ]] || wrong "openssl verify does not say $says"
    [[ $(ls -A "$state") == journal ]] || wrong "left in the state directory: $(ls -A "$state")"
    run xr history --json
    [[ $rc -eq 0 && -z $(json 'transactions[].stores[state=pending].state' "$out") ]] ||
        wrong "the journal still says pending"
    [[ $scenario == recover ]] && continue
    # And life goes on: the other state can still be reached.
    if [[ $now == old ]]; then
        run xr --store "$store" "${change[@]}"
        snap "$where" >"$T/is"
        cmp -s "$T/is" "$T/new" || wrong "the change does not work any more"
    else
        run xr --yes undo ${undone:+"$(undo_of "$undone")"}
        snap "$where" >"$T/is"
        cmp -s "$T/is" "$T/old" || wrong "undo does not work any more: $(head -n 2 "$err")"
    fi
done <"$T/points"

if [[ $failed -eq $before ]]; then
    ok "$scenario: killed at $count calls; $were_old times the old state after it, $were_new the new"
fi
[[ $count -ge 5 ]] || bad "$scenario: only $count calls to be killed at"
finish
