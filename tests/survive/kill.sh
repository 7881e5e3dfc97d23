#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill.sh KILLCALL SCENARIO[-all]...: kills a change of a fleet of stores at once at every call that would
# change a file, its own and its helpers'; with -all it is one with --all-or-nothing. See kill.py.

# In memory: a kill leaves what was written, synced or not, so that syncs only take time.
[[ ! -d /dev/shm || ! -w /dev/shm ]] || export TMPDIR=/dev/shm
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/survive/fleet.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/fleet.sh"
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
killcall=${1:?}
shift
KILLCALL=/dev/null "$killcall" 0 all true 2>/dev/null || skip_all 'not here: processes may not be traced'
command -v python3 >/dev/null || skip_all 'no python3'
make_pki "$T/pki"

work=$T/work base=$T/base first=$T/first
mkdir "$work" "$work/state"
state=$work/state
fleet_make "$work/stores"
printf -v names '%s,' "${fleet_names[@]}"
names=${names%,}
program=("$XR_BIN" --worker "$XR_WORKER" --state "$state" "${fleet[@]}")
# Two where steps after a first one matter; NSS alone makes 200 calls for each.
one=("$P/old-root.pem") two=("$P/old-root.pem" "$P/new-root.pem")
declare -A titles=([install]=install [remove]=remove [distrust]=distrust [undo]='undo of an install'
    [regain]='undo of a removal' [recover]='recover of an install' [finish]='recover of a removal'
    [first]='install at the first use')
chmod 700 "$state"
rm -rf "$first"
mv "$work" "$first"

# begin_from DIR, keep DIR: the world that commands work on
begin_from() {
    rm -rf "$work"
    cp -a "$1" "$work"
}
keep() {
    rm -rf "$1"
    mv "$work" "$1"
}

# half COMMAND...: kills it, and all its helpers, where half of its calls are made; that is the base then,
# and the fleets of before and after are beside it
half() {
    local calls
    keep "$base"
    begin_from "$base"
    KILLCALL=$T/calls fleet_must "$killcall" 0 all "$@"
    keep "$base.new"
    read -r calls _ <"$T/calls"
    begin_from "$base"
    KILLCALL=$T/calls run "$killcall" $((calls / 2)) all "$@"
    [[ $rc -eq 137 ]] || bad "half of $*: exit $rc"
    rm -rf "$base.old"
    mv "$base" "$base.old"
    options=(--old "$base.old" --new "$base.new")
}

# scenario NAME [--all-or-nothing]: the world, and the change that is killed
scenario() {
    local all=("${@:2}") some=("${two[@]}")
    [[ ${#all[@]} -eq 0 ]] || some=("${one[@]}")
    options=() change=()
    begin_from "$first"
    case $1 in
    install) change=(install --json --yes "${all[@]}" "${some[@]}") ;;
    first) # of crossroot, of databases, of a directory
        rm -rf "$work/state" "$work/stores/openssl" "$work/stores"/{firefox,chromium,p11-kit}/*
        change=(install --json --yes "${all[@]}" "${one[@]}")
        ;;
    remove)
        fleet_must "${program[@]}" install --yes "${some[@]}"
        change=(remove --json --yes "${all[@]}" "${some[@]}")
        options=(--narrowing)
        ;;
    undo)
        fleet_must "${program[@]}" install --yes "${one[@]}"
        change=(undo --json --yes "${all[@]}")
        options=(--narrowing)
        ;;
    regain)
        fleet_must "${program[@]}" install --yes "${one[@]}"
        fleet_must "${program[@]}" remove --yes "${one[@]}"
        change=(undo --json --yes "${all[@]}")
        ;;
    distrust)
        change=(distrust --json --yes --best-effort "${all[@]}" "$P/rsa-root.pem")
        options=(--narrowing)
        ;;
    recover)
        half "${program[@]}" install --yes "${all[@]}" "${one[@]}"
        change=(recover --json)
        ;;
    finish)
        fleet_must "${program[@]}" install --yes "${one[@]}"
        half "${program[@]}" remove --yes "${all[@]}" "${one[@]}"
        change=(recover --json)
        options+=(--narrowing)
        ;;
    *)
        echo "no scenario $1" >&2
        exit 2
        ;;
    esac
    options+=("${all[@]}")
    keep "$base"
}

for name; do
    if [[ $name == *-all ]]; then
        scenario "${name%-all}" --all-or-nothing
    else
        scenario "$name"
    fi
    most=()
    [[ $XR_FULL == 1 ]] || most=(--at-most 5)
    rm -f "$T/result"
    python3 -B "$here/kill.py" --name "$name" --base "$base" --work "$work" --pki "$P" --killcall "$killcall" \
        --result "$T/result" --stores "$names" "${most[@]}" "${options[@]}" -- "${program[@]}" -- "${change[@]}" \
        -- install --yes "$P/utf8.pem" || true
    read -r tried wrong <"$T/result" || bad "$name: no result"
    title=${titles[${name%-all}]}
    [[ $name != *-all ]] || title+=' --all-or-nothing'
    row "SIGKILL: $title, ${#fleet_names[@]} stores at once" "${tried:-0} kills" "${wrong:-1}"
    rm -rf "$base.old" "$base.new"
done
finish
