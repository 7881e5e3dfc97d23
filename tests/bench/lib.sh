# shellcheck shell=bash
# Shared by the scripts here: a directory $work, measuring by hyperfine, rows of the result.
#
# A ratio is the median over the rounds of the ratio within a round: the clock of a busy or virtual
# machine drifts by more than the differences looked for, but little within one round.
# shellcheck disable=SC2034 # used by those that source it
set -euo pipefail
export LC_ALL=C

if [[ $# -ne 1 ]]; then
    echo "usage: $0 BUILDDIR" >&2
    exit 2
fi

build=$(cd -- "$1" && pwd -P)
crossroot=$build/cli/crossroot
mkcerts=$build/tests/bench/xr-mkcerts
rounds=${XR_BENCH_ROUNDS:-7}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0

# hyperfine -N splits commands as a shell would.
quoted() {
    local word separator=
    for word in "$@"; do
        printf "%s'%s'" "$separator" "${word//\'/\'\\\'\'}"
        separator=' '
    done
}

# time_all COMMANDS OPTION...: sets medians (seconds, in the order of the commands) and commands (how
# many in a round). The column is counted from the right because a command may contain commas.
time_all() {
    local csv=$work/times.csv log=$work/hyperfine.log
    commands=$1
    shift
    if ! hyperfine -N --style basic --export-csv "$csv" "$@" >"$log" 2>&1; then
        cat -- "$log" >&2
        failed=1
        return 1
    fi
    mapfile -t medians < <(awk -F, 'NR > 1 { print $(NF - 4) }' "$csv")
}

# measure WARMUP RUNS COMMAND...: the commands take turns.
measure() {
    local options=(--warmup "$1" --runs "$2") turns=() round
    shift 2
    for ((round = 0; round < rounds; round++)); do
        turns+=("$@")
    done
    time_all $# "${options[@]}" "${turns[@]}"
}

# measure_prepared ROUNDS (PREPARATION COMMAND)...: one run a round, each after its preparation.
measure_prepared() {
    local turns=() round i n=$1
    shift
    for ((round = 0; round < n; round++)); do
        for ((i = 1; i < $#; i += 2)); do
            turns+=(--prepare "${!i}" "${@:i+1:1}")
        done
    done
    time_all $(($# / 2)) --runs 1 "${turns[@]}"
}

# ratio A B: of the times of the A-th and the B-th command of what was measured last.
ratio() {
    printf '%s\n' "${medians[@]}" |
        awk -v a="$1" -v b="$2" -v n="$commands" '
            { time[NR - 1] = $1 }
            END { for (i = 0; i < NR; i += n) print time[i + a] / time[i + b] }' |
        sort -g |
        awk '{ r[NR] = $1 } END { print (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2 }'
}

# row NAME RATIO TARGET, where a target of - is none.
row() {
    awk -v name="$1" -v ratio="$2" -v target="$3" 'BEGIN {
        verdict = target == "-" ? "-" : ratio + 0 <= target + 0 ? "ok" : "over"
        printf "%-46s %8.2f %8s  %s\n", name, ratio, target == "-" ? "-" : "<= " target, verdict
    }'
}

# part_row NAME RATIO LIMIT [BARE MOST]: the same of a ratio that should be at most 1/LIMIT. The peer may be a
# script whose time varies from machine to machine more than ours: BARE is the ratio to a floor, a program that
# reads and writes the same and does nothing else. Up to MOST times it, what is over the target is at the floor.
part_row() {
    awk -v name="$1" -v ratio="$2" -v limit="$3" -v bare="${4:--}" -v most="${5:-0}" 'BEGIN {
        verdict = limit == "-" ? "-" : ratio * limit <= 1 ? "ok" : "over"
        if (verdict == "over" && bare != "-" && bare <= most + 0)
            verdict = sprintf("floor (itself 1/%.0f)", bare / ratio)
        printf "%-46s %8s %8s  %s\n", name, sprintf("1/%.0f", 1 / ratio),
            limit == "-" ? "-" : "1/" limit, verdict
    }'
}

failed_row() {
    printf '%-46s %8s %8s  %s\n' "$1" - - failed
}

# need_programs PROGRAM...
need_programs() {
    local program
    for program in "$@"; do
        if [[ ! -x $program ]]; then
            echo "$0: $program is not built" >&2
            exit 1
        fi
    done
    if ! command -v hyperfine >/dev/null; then
        echo "$0: hyperfine is not installed" >&2
        exit 1
    fi
    if ! grep -Eqs '^CMAKE_BUILD_TYPE:[^=]*=(Release|RelWithDebInfo|MinSizeRel)$' \
        "$build/CMakeCache.txt"; then
        echo "$0: $build is not an optimised build; its ratios say little" >&2
    fi
}
