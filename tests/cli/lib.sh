# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts here: a temporary directory $T, the program as xr, and checks that print
# one line each. Source it, then call the checks, then finish.
set -euo pipefail

: "${XR_BIN:?set by ctest}" "${XR_WORKER:?}" "${XR_MKPKI:?}" "${XR_JSON:?}"
XR_SHARED=${XR_SHARED:-/nonexistent}
XR_SLOW=${XR_SLOW:-0}

# Nothing of the developer's own comes near.
for name in $(compgen -e | grep -E '^(SSL_|OPENSSL_|XDG_|SUDO_|CURL_|NO_COLOR$|CLICOLOR|LC_|LANG|POSIXLY_CORRECT$|http|HTTP)' || true); do
    unset "$name"
done
export LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
# Nor do thousands of changes go into the log of the machine.
export CROSSROOT_LOG=none
# A sanitizer's exit code is one that the program never has.
export ASAN_OPTIONS=detect_leaks=1:exitcode=99:abort_on_error=0 LSAN_OPTIONS=exitcode=99
umask 022

T=$(mktemp -d "${TMPDIR:-/tmp}/xr-cli.XXXXXX")
T=$(cd -- "$T" && pwd -P)
export HOME=$T/home
mkdir "$HOME"
cleanup() {
    local pid
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || true
    done
    chmod -R u+rwX "$T" 2>/dev/null || true
    # A browser's processes may write for a moment after it ended.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$T" 2>/dev/null && return
        sleep 0.3
    done
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

state=$T/state
out=$T/out
err=$T/err
rc=0
passed=0
failed=0

# What was printed may hold anything; here it is shown harmlessly.
show_output() {
    local file
    for file in "$out" "$err"; do
        [[ -s $file ]] && head -c 2000 "$file" | head -n 12 | cat -v | sed "s/^/    ${file##*/}: /"
    done
    return 0
}

ok() {
    passed=$((passed + 1))
    printf 'ok    %s\n' "$*"
}

bad() {
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$*"
}

skip() {
    printf 'skip  %s\n' "$*"
}

skip_all() {
    printf 'skip  %s\n0 passed, 0 failed\n' "$*"
    exit 77
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [[ $failed -eq 0 ]]
}

# run COMMAND...: output to $out and $err, exit code to $rc; standard input is not a terminal.
run() {
    rc=0
    "$@" >"$out" 2>"$err" </dev/null || rc=$?
    if grep -aqE 'Sanitizer|runtime error' "$err"; then
        grep -aE -A 12 'Sanitizer|runtime error' "$err" | head -n 40 | cat -v
        bad "sanitizer report of: $*"
    fi
}

xr() {
    "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@"
}

# expect_exit CODE WHAT COMMAND...
expect_exit() {
    local code=$1 what=$2
    shift 2
    run "$@"
    if [[ $rc -eq $code ]]; then
        ok "$what"
    else
        bad "$what: exit $rc, expected $code: $*"
        show_output
    fi
}

# expect_same WHAT FILE FILE
expect_same() {
    local what=$1
    if diff -u "$2" "$3" >"$T/diff" 2>&1; then
        ok "$what"
    else
        bad "$what"
        head -n 40 "$T/diff" | cat -v | sed 's/^/    /'
    fi
}

# expect_eq WHAT ACTUAL EXPECTED
expect_eq() {
    if [[ $2 == "$3" ]]; then
        ok "$1"
    else
        bad "$1: \"$2\", expected \"$3\""
        show_output
    fi
}

# expect_grep WHAT EXTENDED-REGEX FILE
expect_grep() {
    if grep -aqE -- "$2" "$3"; then
        ok "$1"
    else
        bad "$1: no /$2/ in ${3##*/}"
        show_output
    fi
}

expect_no_grep() {
    if grep -aqE -- "$2" "$3"; then
        bad "$1: /$2/ in ${3##*/}"
        show_output
    else
        ok "$1"
    fi
}

expect_absent() {
    if [[ -e $2 || -L $2 ]]; then
        bad "$1: $2 is there"
    else
        ok "$1"
    fi
}

# expect_json WHAT PATH VALUE: of the JSON document in $out; several values are joined by blanks.
expect_json() {
    local have
    if ! have=$("$XR_JSON" "$2" "$out" 2>&1); then
        bad "$1: $have"
        show_output
        return
    fi
    expect_eq "$1" "${have//$'\n'/ }" "$3"
}

json() {
    "$XR_JSON" "$@"
}

# snap DIR: names, types, modes, owners, link targets and contents of everything below DIR.
snap() {
    [[ -d $1 ]] || {
        echo absent
        return
    }
    (
        cd -- "$1"
        find . -printf '%P %y %m %U:%G %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
    )
}

# sha FILE: of the first certificate in it, as 64 digits.
sha() {
    openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f
}

# openssl_verify DIR FILE [OPTION]...: what OpenSSL itself says, with DIR as its only trust.
openssl_verify() {
    local dir=$1 file=$2 untrusted=()
    shift 2
    [[ -e $dir/intermediates.pem ]] && untrusted=(-untrusted "$dir/intermediates.pem")
    openssl verify -no-CAstore -no-CAfile -CApath "$dir/anchors" "${untrusted[@]}" "$@" "$file"
}

# make_pki DIR [OPTION]...
make_pki() {
    P=$1
    shift
    "$XR_MKPKI" "$@" "$P"
}

# As an ordinary user when the test runs as root: unprivileged COMMAND...
can_drop() {
    [[ $(id -u) -ne 0 ]] || setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null
}
unprivileged() {
    if [[ $(id -u) -eq 0 ]]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

# The directory of the browser that brings NSS with it, where there is one.
browser_libs() {
    local dir
    for dir in /usr/lib/firefox-esr /usr/lib/firefox /usr/lib64/firefox /usr/lib/thunderbird; do
        [[ -e $dir/libsoftokn3.so ]] && echo "$dir" && return
    done
    return 1
}

# with_nss system|browser: the options for NSS libraries of the system or of a browser, to $use
with_nss() {
    local libs
    use=()
    [[ $1 == browser ]] || return 0
    libs=$(browser_libs) || skip_all 'no browser that brings NSS'
    use=(--nss "$libs")
}

# begin PROGRAM ARG...: beside what follows, until all_succeed WHAT waits for all that were begun.
pids=()
begin() {
    (exec "$@" >"$T/log.$BASHPID" 2>&1 </dev/null) &
    pids+=($!)
}
all_succeed() {
    local pid code codes=()
    for pid in "${pids[@]}"; do
        code=0
        wait "$pid" || code=$?
        codes+=("$code")
        [[ $code -eq 0 ]] || head -n 5 "$T/log.$pid" | cat -v | sed "s/^/    /"
    done
    expect_eq "$1" "$(printf '%s\n' "${codes[@]}" | sort | uniq -c | xargs)" "${#pids[@]} 0"
    rm -f "$T"/log.*
    pids=()
}

# strace cannot look for leaks, and may be forbidden.
can_trace() {
    strace -o /dev/null true 2>/dev/null
}
traced() {
    ASAN_OPTIONS=detect_leaks=0:exitcode=99 strace "$@"
}
MUTATING=openat,open,creat,write,pwrite64,writev,rename,renameat,renameat2,unlink,unlinkat,rmdir
MUTATING+=,mkdir,mkdirat,symlink,symlinkat,link,linkat,chmod,fchmod,fchmodat,chown,fchown,lchown
MUTATING+=,fchownat,truncate,ftruncate,fallocate,utimensat,mknod,mknodat,setxattr,fsetxattr
MUTATING+=,copy_file_range,sendfile,fsync,fdatasync,flock

# The calls of one run as "NAME NUMBER" lines: NUMBER counts calls of that name; openat only where
# it creates. Argument: the strace log.
kill_points() {
    awk '
        { sub(/^[0-9]+ +/, "") }
        /^[a-z0-9]+\(/ {
            name = $0; sub(/\(.*/, "", name); n[name]++
            if (name == "openat" && $0 !~ /O_CREAT|O_TRUNC/) next
            if (name == "write" && $0 ~ /^write\([12]</) next
            print name, n[name]
        }' "$1"
}
