# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests with the distribution's own programs: those of ../cli/lib.sh, and a private mount
# namespace in which the machine's CA certificates are a copy of them. Source it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

# A user becomes root of a namespace of its own, where that is allowed.
if [[ $(id -u) -ne 0 && -z ${XR_UNSHARED:-} ]] && unshare -rm true 2>/dev/null; then
    rm -rf "$T"
    XR_UNSHARED=1 exec unshare -rm bash "$0" "$@"
fi

need_live() {
    unshare -m true 2>/dev/null || skip_all "no mount namespaces here"
    [[ -x /usr/sbin/update-ca-certificates ]] || skip_all "not a Debian machine"
}

# stage DIR: what live DIR shows in place of the machine's own. No secrets are copied.
stage() {
    mkdir -p "$1"/local "$1/state"
    chmod 755 "$T" "$1" "$1/local"
    cp -a --no-preserve=ownership /etc "$1/etc" 2>/dev/null || true
    rm -rf "$1"/etc/shadow* "$1"/etc/gshadow* "$1"/etc/ssl/private "$1"/etc/ca-certificates/update.d
    mkdir -p "$1/etc/ca-certificates/update.d"
    cp -a /usr/share/ca-certificates "$1/share"
    (cd "$1/share" && find . -name '*.crt' -printf '%P\n' | sort) >"$1/etc/ca-certificates.conf"
    chmod 644 "$1/etc/ca-certificates.conf"
}

# live DIR COMMAND...: in a namespace of its own. $live_flags: more for unshare. The repository, the
# program and $T stay where they are.
live_flags=()
live() {
    local dir=$1
    shift
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m "${live_flags[@]}" bash -c '
        dir=$1
        shift
        mount --bind "$dir/etc" /etc
        mount --bind "$dir/share" /usr/share/ca-certificates
        mkdir -p /usr/local/share/ca-certificates
        mount --bind "$dir/local" /usr/local/share/ca-certificates
        for place in dpkg ca-certificates-java; do
            [[ ! -d $dir/$place ]] || mount --bind "$dir/$place" "/var/lib/$place"
        done
        exec "$@"' live "$dir" "$@"
}

# live_xr DIR ARGS...: crossroot on that machine
live_xr() {
    local dir=$1
    shift
    live "$dir" "$XR_BIN" --worker "$XR_WORKER" --state "$dir/state" --store ca-certificates "$@"
}

# published DIR: what the machine publishes, and where that comes from
published() {
    echo "== etc/ssl"
    snap "$1/etc/ssl"
    echo "== local"
    snap "$1/local"
    echo "== conf"
    cat "$1/etc/ca-certificates.conf"
}

# settled WHAT DIR: the real update-ca-certificates finds nothing to do, and does nothing
settled() {
    published "$2" >"$T/settled.before"
    run live "$2" update-ca-certificates
    expect_grep "$1: update-ca-certificates has nothing to do" '^0 added, 0 removed; done' "$out"
    published "$2" >"$T/settled.after"
    expect_same "$1: and changes nothing" "$T/settled.before" "$T/settled.after"
}
