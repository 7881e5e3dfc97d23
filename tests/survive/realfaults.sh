#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a machine really puts in a program's way, in every kind of store and in the state directory: full
# disks, limits, read-only mounts, and where a file is to be written a mount point, an immutable file, a
# link, a directory, a device, a FIFO. Each time: not exit 0, the reason is told with a path, no reader
# sees a change, and what is in the way is neither followed nor replaced. Once it is gone, the same command
# works.
set -euo pipefail
# shellcheck source=tests/cli/own-mounts.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/own-mounts.sh"
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
survey_kinds
chmod 755 "$T"

# --- how it is started, and what is put into its state directory

tried=0 wrong=0
# holds WHAT COMMAND...: one state of this kind
holds() {
    local what=$1
    shift
    tried=$((tried + 1))
    "$@" || {
        wrong=$((wrong + 1))
        printf '      %s\n' "$what"
        show_output
    }
}
counted() { # WHAT
    row "real faults: $1" "$tried faults" "$wrong"
    tried=0 wrong=0
}
dir=$T/plain/trust
s() { xr --store "openssl:$dir" "$@"; }
clean() {
    rm -rf "$T/plain" "$state"
    mkdir "$T/plain"
}
clean
run s install --yes "$P/old-root.pem"
snap "$T/plain" >"$T/new"

# Streams that are closed: what is opened later must not be taken for one.
streams() {
    local journal
    clean
    # shellcheck disable=SC2086 # words
    (
        for fd in $1; do eval "exec $fd>&-"; done
        exec "$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "openssl:$dir" install --yes "$P/old-root.pem"
    ) >"$out" 2>"$err" </dev/null || true
    journal=$(strings -n 12 "$state/journal" | grep -c '^To take this back\|added  *anchor' || true)
    snap "$T/plain" | cmp -s - "$T/new" && [[ $journal -eq 0 ]] && xr history >"$out" 2>"$err"
}
for closed in 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
    holds "closed streams: $closed" streams "$closed"
done

# Rights that a umask takes, even from the owner.
umasks() {
    clean
    (umask "$1" && s install --yes "$P/old-root.pem") >"$out" 2>"$err" &&
        [[ $(stat -c %a "$state" "$state/journal" | xargs) == '700 600' ]] &&
        snap "$T/plain" | cmp -s <(sed 's/^ d .*//' "$T/new") <(sed 's/^ d .*//' -) && (umask "$1" && s undo --yes) >"$out" 2>"$err"
}
for mask in 000 022 027 077 0277 0577 0777; do
    holds "umask $mask" umasks "$mask"
done
counted 'how it is started'

# A journal that somebody else may have written is not believed.
doubted() { # COMMAND that makes it doubtful
    local what
    clean
    s install --yes "$P/old-root.pem" >"$out" 2>"$err"
    "$@" || return 0
    snap "$T/plain" >"$T/before"
    snap "$state" >"$T/state-before"
    for what in 'undo --yes' 'recover --yes' "install --yes $P/rsa-root.pem" history; do
        # shellcheck disable=SC2086 # words
        run s $what
        [[ $rc -ne 0 && $rc -lt 124 ]] && grep -qF "$state" "$err" "$out" || return 1
    done
    snap "$T/plain" | cmp -s - "$T/before" && snap "$state" | cmp -s - "$T/state-before"
}
second_name() { ln "$state/journal" "$T/plain.second-$tried"; }
mode() { chmod "$1" "$2"; }
holds 'a journal with a second name' doubted second_name
for mode in 620 602 666 777; do
    holds "a journal of mode $mode" doubted mode "$mode" "$state/journal"
done
for mode in 770 707 777 1777; do
    holds "a state directory of mode $mode" doubted mode "$mode" "$state"
done
chown 12345 "$T/log" 2>/dev/null && for at in "$state" "$state/journal"; do
    holds "another user's ${at##*/}" doubted chown 12345 "$at"
done
counted 'a journal that others may have written'

# Names that are too long for the system, and a path that is: of that one the first directory is missing.
long=$T/$(printf '%0300d' 0)
deep=$T/$(printf 'directory/%.0s' {1..450})x
refused() { # REASON OPTION...
    local reason=$1
    shift
    run xr "$@" install --yes "$P/old-root.pem"
    [[ $rc -ne 0 && $rc -lt 124 ]] && grep -qE "$reason" "$err" "$out"
}
for at in "$long" "$long/trust"; do
    for kind in openssl nss; do
        holds "$kind:${#at} bytes" refused 'File name too long' --state "$T/s" --store "$kind:$at"
    done
    holds "--state of ${#at} bytes" refused 'File name too long' --state "$at" --store "openssl:$dir"
    holds "--root of ${#at} bytes" refused 'File name too long' --state "$T/s" --root "$at" --store ca-certificates
done
for kind in openssl nss; do
    [[ $kind == openssl || -O $XR_WORKER ]] || continue # a helper of somebody outside is refused
    holds "$kind:${#deep} bytes" refused 'No such file or directory|there is no such directory|File name too long' --state "$T/s" \
        --store "$kind:$deep"
done
counted 'names that are too long'

# --- every kind of store

try() { # KIND
    if [[ ! -O $XR_WORKER && $1 =~ ^(nss|p11-kit|windows)$ ]]; then
        echo "skip  $1: the helper belongs to somebody outside of this user namespace" >"$T/said.$1"
        return
    fi
    mkdir "$T/$1"
    python3 "${BASH_SOURCE[0]%/*}/realfaults.py" "$1" "$XR_FULL" >"$T/said.$1" 2>&1 || echo "FAULTS	it ran	0	1" >>"$T/said.$1"
}
try_all "real faults"
