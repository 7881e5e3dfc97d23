#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bytes.sh SOURCE BUILD TARGET...: hostile bytes for each target of tests/fuzz. XR_FULL=1: libFuzzer,
# XR_FUZZ_SECONDS each (15), from seeds made by code; else variants of these seeds, as its own test of
# each target tries them.
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source=$(realpath -- "${1:?}") build=$(realpath -- "${2:?}")
shift 2
seconds=${XR_FUZZ_SECONDS:-15}
fuzz=$source/build/fuzz
export XR_CRASHES=$T/crashes
mkdir "$XR_CRASHES"

# The input is kept where the next one who looks finds it.
keep_crashes() {
    local file
    for file in "$XR_CRASHES"/*; do
        [[ -e $file ]] || continue
        cp "$file" "$build/tests/fuzz/"
        printf '      %s: %s\n' "$build/tests/fuzz/${file##*/}" "$(head -c 48 "$file" | base64 -w 0)"
    done
    find "$XR_CRASHES" -type f -delete
}

replay() { # TARGET
    run "$build/tests/fuzz/replay-$1" 600
    tried=$(sed -nE 's/^([0-9]+) inputs.*/\1/p' "$out")
    [[ $rc -eq 0 && -n $tried ]] || violations=1
}

# Until the time is over, for a crash ends a run of libFuzzer; findings of one kind count once a crash.
hunt() { # TARGET
    local corpus=$T/corpus-$1 dict=$source/tests/fuzz/fuzz_${1//-/_}.dict
    mkdir "$corpus"
    "$build/tests/fuzz/replay-$1" --write "$corpus" || bad "$1: no seeds"
    [[ -e $dict ]] && dict=(-dict="$dict") || dict=()
    run env ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1 \
        "$fuzz/tests/fuzz/fuzz-$1" "${dict[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=16384 -print_final_stats=1 -artifact_prefix="$XR_CRASHES/$1-" "$corpus"
    tried=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)$/\1/p' "$err")
    [[ $rc -eq 0 && -n $tried ]] || violations=1
}

how=replay
if [[ $XR_FULL == 1 ]]; then
    if clang=$(command -v clang) && "$clang" -fsanitize=fuzzer -x c -o "$T/try" - 2>/dev/null \
        <<<'int LLVMFuzzerTestOneInput(const unsigned char *d, long n); int LLVMFuzzerTestOneInput(const unsigned char *d, long n) { return !d * (n < 0); }'; then
        how=hunt
        if ! { cmake -S "$source" -B "$fuzz" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang \
            -DXR_FUZZ=ON -DXR_MAN=OFF && cmake --build "$fuzz" --target fuzz; } >"$T/built" 2>&1; then
            tail -n 20 "$T/built"
            bad 'the targets cannot be built'
            finish
            exit 1
        fi
    else
        skip 'libFuzzer: no clang that has it; variants of seeds alone'
    fi
fi
for target in "$@"; do
    tried=0 violations=0
    "$how" "$target"
    [[ $violations -eq 0 ]] || show_output
    keep_crashes
    row "bytes: $target" "${tried:-0} inputs" "$violations"
done
finish
