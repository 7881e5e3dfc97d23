#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh KILLCALL [PLUGIN]: kills a change of a profile's database at each call that changes files,
# by turns the process that makes the call and all of them. The database then has its rows of before or
# those of after, for SQLite alone, which is what a browser has that starts next; and recover agrees.
killcall=${1:?}
shift
# shellcheck source=tests/chromium/profile.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/profile.sh"
"$killcall" 0 all true 2>/dev/null || skip_all 'processes may not be traced'
change=("$XR_BIN" --worker "$XR_WORKER" --state "$state" "${plugin[@]}" --store "$store")
export KILLCALL=$T/killed

# As a browser would: whoever opens it plays the journal back.
seen() {
    local copy=$T/seen
    rm -rf "$copy"
    cp -a "$profile" "$copy"
    [[ ! -s $copy/ServerCertificate ]] || /usr/bin/python3 - "$copy/ServerCertificate" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
said = db.execute("PRAGMA integrity_check").fetchone()[0]
if said != "ok":
    print(said)
END
    # The rows are what counts: meta alone is a database without any.
    if [[ -s $copy/ServerCertificate ]]; then
        mkdb "$copy/ServerCertificate" --show | tail -n +2
    fi
}
# kills STEP WHAT COMMAND...: at every STEP-th of its calls, from the state in $T/base
kills() {
    local step=$1 what=$2 at whom old new now count=0 olds=0 news=0
    shift 2
    begin_again() {
        rm -rf "$profile" "$state"
        cp -a "$T/base/profile" "$profile"
        [[ ! -d $T/base/state ]] || cp -a "$T/base/state" "$state"
    }
    begin_again
    old=$(seen)
    run "${change[@]}" "$@"
    expect_eq "$what: exit" "$rc" 0
    new=$(seen)
    expect_eq "$what changes something" "$([[ $old != "$new" ]] && echo yes)" yes
    for ((at = 1; ; at += step)); do
        whom=caller
        ((count % 2)) || whom=all
        begin_again
        run "$killcall" "$at" "$whom" "${change[@]}" "$@"
        read -r _ call _ <"$KILLCALL"
        [[ $call != - ]] || break
        count=$((count + 1))
        now=$(seen)
        case $now in
        "$old") olds=$((olds + 1)) ;;
        "$new") news=$((news + 1)) ;;
        *)
            # Two certificates are two swaps: one may be there and the other not.
            [[ $(printf '%s\n' "$old" "$new" "$now" | sort -u) == "$(printf '%s\n' "$old" "$new" | sort -u)" ]] ||
                bad "$what, killed at $at ($call, $whom): $now"
            ;;
        esac
        run "${change[@]}" recover
        [[ $rc -eq 0 ]] || { bad "$what, killed at $at ($call, $whom): recover: exit $rc" && show_output; }
        now=$(seen)
        [[ $now == "$old" || $now == "$new" ]] || bad "$what, killed at $at ($call, $whom), recovered: $now"
        run "${change[@]}" list
        [[ $rc -eq 0 ]] || bad "$what, killed at $at ($call, $whom): list: exit $rc"
        [[ $failed -lt 5 ]] || break
    done
    expect_eq "$what was killed at $count calls, and is as before or as after" "$((count * step > 20 && olds > 0 && news > 0))" 1
}

mkdir -p "$T/base/profile" "$config"
echo '{}' >"$T/base/profile/Preferences"
kills 1 'install into a profile without a database' install --yes "$P/old-root.pem" "$P/cross.pem"
usual "$T/base/profile"
kills 2 'install' install --yes "$P/new-root.pem"
kills 2 'remove' remove --yes "$old"
finish
