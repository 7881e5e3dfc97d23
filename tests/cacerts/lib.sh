# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts here, beside tests/cli/lib.sh: a root directory of their own in which /usr is
# this machine's and /etc and /var are copies, so that the real programs of the distribution run on
# the paths that are built into them, and nothing of the machine itself is in reach.
#
#   . lib.sh; private_root "$@"; from here on "/" is that root, and this process is root in it.
#
# An ordinary user gets it by a user namespace. Exit 77 where neither is to be had.
set -euo pipefail

# Reads /etc and, with XR_NEEDS_DPKG, dpkg's database; runs in the new namespaces.
build_root() {
    local root=$1 at
    mount -t tmpfs -o mode=755 none "$root"
    mkdir -p "$root"/{tmp,run,root,home,proc,dev,sys,usr,var/{tmp,log,cache/ldconfig,lib}}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    : >"$root/run/crossroot-test"
    for at in /bin /sbin /lib*; do
        if [[ -L $at ]]; then
            cp -P "$at" "$root$at"
        else
            mkdir "$root$at"
            mount --rbind "$at" "$root$at"
        fi
    done
    mount --rbind /usr "$root/usr"
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    cp -r --preserve=mode,timestamps,links /etc "$root/etc" 2>/dev/null || true # but what is secret
    cp -r --preserve=mode,timestamps,links /var/lib/ca-certificates-java "$root/var/lib" 2>/dev/null || true
    for at in /usr/share/ca-certificates /usr/local/share/ca-certificates; do
        mkdir -p "$root/run$at"
        cp -r --preserve=mode,timestamps,links "$at" "$root/run${at%/*}"
        mount --bind "$root/run$at" "$root$at"
    done
    mount -o remount,bind,ro "$root/usr" 2>/dev/null || true # not for a user's namespace
    if [[ -n ${XR_NEEDS_DPKG:-} ]]; then
        cp -r --preserve=mode,timestamps,links /var/lib/dpkg "$root/var/lib" 2>/dev/null || true # but its locks
        echo 'cacerts_updates=yes' >"$root/etc/default/cacerts" # for root's eyes: it may name a password
    fi
    for at in "$XR_SOURCE" "$XR_BUILD" ${XR_ALSO:-}; do
        mkdir -p "$root$at"
        mount --rbind "$at" "$root$at"
    done
}

private_root() {
    local script here at as_root=(unshare --mount --net --propagation private)
    script=$(realpath -- "$0")
    here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
    case ${XR_STAGE:-} in
    '')
        : "${XR_BIN:?set by ctest}"
        XR_SOURCE=$(realpath -- "$here/../..")
        XR_BUILD=$(realpath -- "${XR_BIN%/cli/*}")
        [[ $(id -u) -eq 0 ]] || as_root+=(--map-root-user)
        if ! "${as_root[@]}" true 2>/dev/null; then
            echo 'skip  neither root nor user namespaces here'
            exit 77
        fi
        [[ -d /usr/local/share/ca-certificates && -x /usr/sbin/update-ca-certificates ]] || {
            echo "skip  no Debian's ca-certificates here"
            exit 77
        }
        export XR_SOURCE XR_BUILD XR_STAGE=namespace
        for at in /mnt /media /srv; do # a directory that nothing needed here is below
            [[ ! -d $at || $XR_SOURCE/ == $at/* || $XR_BUILD/ == $at/* ]] || export XR_ROOT=$at
        done
        exec "${as_root[@]}" bash "$script" "$@"
        ;;
    namespace)
        ip link set lo up
        build_root "$XR_ROOT"
        export XR_STAGE=root TMPDIR=/tmp
        exec chroot "$XR_ROOT" bash "$script" "$@"
        ;;
    esac
    [[ -e /run/crossroot-test ]] || {
        echo 'FAIL  this is no root of our own'
        exit 1
    }
    # shellcheck source=tests/cli/lib.sh
    . "$here/../cli/lib.sh"
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    cd /
}

# What programs read, and what an administrator writes; the state of a test is its own.
trust_dirs=(/etc/ssl/certs /usr/local/share/ca-certificates /usr/share/ca-certificates)

# Names, types, modes, owners, targets and contents of all of it.
snap_trust() {
    local dir
    for dir in "${trust_dirs[@]}"; do
        printf '%s:\n' "$dir"
        find "$dir" -mindepth 1 -printf '%P %y %m %U:%G %l\n' | LC_ALL=C sort
        find "$dir" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
    done
    sha256sum /etc/ca-certificates.conf
    stat -c '%a %u:%g' /etc/ca-certificates.conf
}

# What was touched, if only to be made the same again.
snap_times() {
    find "${trust_dirs[@]}" /etc/ca-certificates.conf -printf '%p %i %T@ %C@\n' | LC_ALL=C sort
}

# A stock Debian: these directories, with packaged certificates made here, as its own command leaves it.
# stock COUNT
stock() {
    local count=$1
    rm -rf "$T/stock"
    mkdir -p /etc/ssl/certs
    find /etc/ssl/certs -mindepth 1 -maxdepth 1 ! -name java -delete
    find /usr/share/ca-certificates /usr/local/share/ca-certificates -mindepth 1 -delete
    mkdir /usr/share/ca-certificates/made
    "$XR_MKCERTS" "$count" "$T/stock" >/dev/null
    local file
    for file in "$T/stock"/*.pem; do
        cp "$file" "/usr/share/ca-certificates/made/$(basename "$file" .pem).crt"
    done
    {
        printf '# This file lists certificates that you wish to use or to ignore to be\n#\n'
        cd /usr/share/ca-certificates && find made -name '*.crt' | LC_ALL=C sort
    } >/etc/ca-certificates.conf
    cd /
    native_update --fresh
}

# The distribution's own command, without hooks: they are hooks.sh's. Ours takes files by bytes.
native_update() {
    LC_ALL=C update-ca-certificates --hooksdir '' "$@"
}

# native_agrees WHAT: the distribution's command finds nothing to do, and does nothing.
native_agrees() {
    snap_trust >"$T/ours"
    run native_update
    if ! grep -q '^0 added, 0 removed; done\.$' "$out"; then
        bad "$1: $(grep -a 'added,' "$out" | cat -v)"
    else
        snap_trust >"$T/theirs"
        expect_same "$1: update-ca-certificates finds nothing to do" "$T/ours" "$T/theirs"
    fi
}

# With the state where root's is by default.
cr() {
    "$XR_BIN" --worker "$XR_WORKER" "$@"
}
