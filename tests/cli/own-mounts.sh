# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# To be sourced before anything else: runs the script again in a mount namespace of its own, as root or
# as the root of a user namespace, or skips it.
if [[ -z ${XR_IN_NAMESPACE:-} ]]; then
    as=(unshare --mount --propagation private)
    [[ $(id -u) -eq 0 ]] || as+=(--map-root-user)
    "${as[@]}" true 2>/dev/null || {
        echo 'skip  neither root nor user namespaces here'
        exit 77
    }
    XR_IN_NAMESPACE=1 exec "${as[@]}" bash "$0" "$@"
fi
