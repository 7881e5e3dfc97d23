#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# iofaults.sh FAULTAT: every call that changes files or names, syncs or locks, made by a command or its
# helpers, fails once in each way in which it can: full, broken, read-only, forbidden, interrupted, out of
# descriptors, or half of it done. That is never a success; store, path and reason are told; and the store
# is as before, or as wanted and that is said.
if [[ $(id -u) -eq 0 && -z ${XR_IN_NAMESPACE:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_IN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
export XR_FAULTAT=${1:?}
code=0
"$XR_FAULTAT" "$T/log" 0 none true || code=$?
[[ $code -eq 0 ]] || skip_all 'this kernel, or its policy, does not let a process answer for system calls'
survey_kinds
# one in so many of a sample
declare -A every=([openssl]=23 [debian]=29 [fedora]=31 [nss]=37 [p11-kit]=31 [windows]=31)
try() { # KIND
    mkdir "$T/$1"
    python3 "${BASH_SOURCE[0]%/*}/iofaults.py" "$1" "$([[ $XR_FULL == 1 ]] && echo 1 || echo "${every[$1]}")" \
        >"$T/said.$1" 2>&1 || echo "FAULTS	it ran	0	1" >>"$T/said.$1"
}
try_all "I/O faults"
