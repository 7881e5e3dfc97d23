#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# power.sh PLUGIN MKHIVE: the power fails at each moment of a change. What the disk may hold then is built
# from a trace of the change, see powercut.py and powerdisk.py, and `recover` and the real readers look at
# each such disk. PLUGIN and MKHIVE are of the windows store; "" where it is not built.
# p11-kit takes root's configuration from the system alone, which a mount namespace exchanges.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_P11:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_P11=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=${1:-${XR_HIVE_PLUGIN-}} mkhive=${2:-${XR_MKHIVE-}}
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
can_trace || skip_all 'strace is missing or may not trace'
command -v python3 >/dev/null || skip_all 'no python3'
make_pki "$T/pki"

# Thousands of small trees are laid, for which a disk is slow.
fast=$T
if [[ -w /dev/shm && $(stat -f -c %a /dev/shm) -gt 20000 ]]; then
    fast=$(mktemp -d /dev/shm/xr-power.XXXXXX)
    trap 'rm -rf "$fast"; cleanup' EXIT
fi

disk=$fast/disk
declare -A tried=([ext4]=0 [own]=0 [order]=0 [all]=0) wrong=([ext4]=0 [own]=0 [order]=0 [all]=0)
program=() store='' kind='' records=''

# scene STATE STORE KIND OPTION...: an empty disk, and the program for a store on it
scene() {
    rm -rf "$disk"
    mkdir -p "$disk"
    records=$disk/$1 store=$disk/$2 kind=$3
    shift 3
    program=("$XR_BIN" --worker "$XR_WORKER" --state "$records" "$@")
}
must() {
    run "${program[@]}" "$@"
    [[ $rc -eq 0 ]] && return
    bad "preparing: exit $rc: $*"
    show_output
    finish
    exit 1
}
# cut WHAT ARGUMENT...: the power fails in this change
cut_power() {
    local what=$1 name count violations
    shift
    rc=0
    python3 -B "$here/powercut.py" "$disk" "$records" "$store" "$kind" "${program[@]}" -- "$@" >"$out" 2>"$err" || rc=$?
    if [[ $rc -ne 0 ]]; then
        bad "$what: it cannot be tried: $(tail -n 3 "$err")"
        return
    fi
    while read -r name count violations; do
        tried[$name]=$((tried[$name] + count))
        wrong[$name]=$((wrong[$name] + violations))
        [[ $name != all || $violations -eq 0 ]] || {
            printf '      %s: %d violations\n' "$what" "$violations"
            sed 's/^/        /' "$err" | cat -v
        }
        [[ $name != all ]] || printf '      %s: %d states\n' "$what" "$count"
    done <"$out"
}

# --- openssl

openssl_scene() {
    scene "$1" srv/trust tree --store "openssl:$disk/srv/trust"
    mkdir "$disk/srv"
}
foreign() {
    mkdir -p "$store/anchors"
    cp "$P/old-root.pem" "$store/anchors/old root.pem"
    openssl rehash "$store/anchors" 2>/dev/null
    cat "$P/loop-a.pem" "$P/old-root.pem" >"$store/anchors.pem"
    echo "a file of somebody else's" >"$store/NOTES"
}
openssl_scene home/.local/state/crossroot
cut_power 'openssl, the first use' install --yes "$P/old-root.pem" "$P/cross.pem"
openssl_scene state
mkdir "$store"
cut_power 'openssl, an empty directory' install --yes "$P/old-root.pem"
openssl_scene state
foreign
cut_power "openssl, somebody's directory" install --yes "$P/rsa-root.pem" "$P/cross.pem"
openssl_scene state
foreign
must install --yes "$P/rsa-root.pem"
cut_power "openssl, undo in somebody's directory" undo
openssl_scene state
foreign
cut_power "openssl, somebody's file" remove --yes "$P/old-root.pem"
openssl_scene state
must install --yes "$P/old-root.pem"
cut_power 'openssl, one more' install "$P/cross.pem" "$P/old-root.crl.pem"
openssl_scene state
must install --yes "$P/old-root.pem" "$P/cross.pem"
cut_power 'openssl, remove' remove --yes "$P/old-root.pem"
openssl_scene state
must install --yes "$P/old-root.pem"
cut_power 'openssl, remove the last' remove --yes "$P/old-root.pem"
openssl_scene state
must install --yes "$P/old-root.pem" "$P/cross.pem"
cut_power 'openssl, distrust' distrust --yes --best-effort "$P/old-root.pem"
openssl_scene state
must install --yes "$P/old-root.pem"
must distrust --yes --best-effort "$P/old-root.pem"
cut_power 'openssl, undo of a distrust' undo --yes

# --- openssl, when the power fails again

openssl_scene state
must install --yes "$P/old-root.pem"
rc=0
traced -f -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=3 "${program[@]}" install \
    "$P/cross.pem" "$P/old-root.crl.pem" >"$out" 2>"$err" </dev/null || rc=$?
expect_eq 'a change that is killed' "$rc" 137
cut_power 'openssl, recover' recover

# --- two stores, all or nothing

two_stores() {
    scene state srv tree --store "openssl:$disk/srv/trust" --store "p11-kit:$disk/srv/token" --all-or-nothing
    mkdir -p "$disk/srv/token"
    cp "$P/rsa-root.pem" "$disk/srv/token/own.pem"
}
two_stores
cut_power 'two stores, all or nothing' install --yes "$P/old-root.pem"
two_stores
must install --yes "$P/old-root.pem" "$P/new-root.pem"
cut_power 'two stores, all or nothing, remove' remove --yes "$P/old-root.pem"

# --- images of distributions

# The outputs of its distribution, of which nobody has a record.
first_build() {
    run "$XR_BIN" --worker "$XR_WORKER" --state "$T/other" --root "$store" --store ca-certificates recover
    [[ $rc -eq 0 ]] || bad "the outputs cannot be built: exit $rc"
    rm -rf "$T/other"
}
debian() {
    scene "${1:-state}" image tree --root "$disk/image" --store ca-certificates
    mkdir -p "$store"/etc/ssl/certs "$store"/usr/share/ca-certificates/vendor "$store/usr/local/share"
    cp "$P/old-root.pem" "$store/usr/share/ca-certificates/vendor/Old_Root.crt"
    cp "$P/rsa-root.pem" "$store/usr/share/ca-certificates/vendor/RSA.crt"
    printf 'vendor/%s.crt\n' Old_Root RSA >"$store/etc/ca-certificates.conf"
    mkdir -p "$store/usr/sbin"
    : >"$store/usr/sbin/update-ca-certificates"
    first_build
}
fedora() {
    scene "${1:-state}" image tree --root "$disk/image" --store ca-certificates
    mkdir -p "$store"/etc/pki/ca-trust/source \
        "$store"/etc/pki/ca-trust/extracted/{openssl,pem/directory-hash,java,edk2} "$store"/etc/pki/tls/certs "$store"/etc/ssl \
        "$store/usr/share/pki/ca-trust-source/anchors"
    ln -s /etc/pki/tls/certs "$store/etc/ssl/certs"
    ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$store/etc/pki/tls/certs/ca-bundle.crt"
    cp "$P/old-root.pem" "$P/rsa-root.pem" "$store/usr/share/pki/ca-trust-source/anchors"
    first_build
}
for layout in debian fedora; do
    "$layout" var/lib/crossroot
    cut_power "$layout, the first use" install --yes "$P/new-root.pem" "$P/sibling-root.pem"
    "$layout"
    must install --yes "$P/new-root.pem" "$P/sibling-root.pem"
    cut_power "$layout, remove" remove --yes "$P/new-root.pem"
    "$layout"
    cut_power "$layout, distrust" distrust --yes --best-effort "$P/rsa-root.pem"
    "$layout"
    must install --yes "$P/new-root.pem"
    cut_power "$layout, undo" undo
done

# --- p11-kit

modules=/usr/share/p11-kit/modules trusts=tree
can_read_tokens() {
    command -v trust >/dev/null && [[ -e $modules/p11-kit-trust.module ]] || return 1
    local dir=$HOME/.config/pkcs11/modules
    mkdir -p "$dir"
    printf "module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths='%s'\n" "$disk/token" \
        >"$dir/p11-kit-trust.module"
    echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
    [[ $(id -u) -ne 0 ]] || { [[ -n ${XR_OWN_P11:-} ]] && mount --bind "$dir" "$modules"; }
}
if can_read_tokens; then
    trusts=token
else
    skip 'p11-kit itself is not asked: there is none, or it cannot be configured'
fi
p11kit() {
    scene "${1:-state}" token "$trusts" --store "p11-kit:$disk/token"
    mkdir -p "$store"
    cp "$P/rsa-root.pem" "$store/own.pem"
}
p11kit home/state
cut_power 'p11-kit, the first use' install --yes "$P/old-root.pem" "$P/cross.pem"
p11kit
must install --yes "$P/old-root.pem" "$P/cross.pem"
cut_power 'p11-kit, remove' remove --yes "$P/old-root.pem"
p11kit
must install --yes "$P/old-root.pem"
cut_power 'p11-kit, distrust' distrust --yes "$P/old-root.pem"
p11kit
must install --yes "$P/old-root.pem"
cut_power 'p11-kit, undo' undo

# --- a hive of Windows

hive() {
    scene state config/SOFTWARE hive --plugin "$plugin" --store "windows:hive=$disk/config/SOFTWARE"
    mkdir "$disk/config"
    "$mkhive" "$disk/config" SOFTWARE
}
if [[ -n $plugin ]] && command -v hivexsh >/dev/null; then
    hive
    cut_power 'windows, install' install --yes "$P/old-root.pem" "$P/cross.pem"
    hive
    must install --yes "$P/old-root.pem" "$P/cross.pem"
    cut_power 'windows, remove' remove --yes "$P/old-root.pem"
    hive
    must install --yes "$P/old-root.pem"
    cut_power 'windows, undo' undo
else
    skip 'no windows store here, or no hivexsh'
fi

# --- NSS

if command -v certutil >/dev/null; then
    scene state db nss --store "nss:$disk/db"
    mkdir "$disk/db"
    certutil -N -d "sql:$disk/db" --empty-password
    cut_power 'nss, install' install --yes "$P/old-root.pem" "$P/cross.pem"
    scene state db nss --store "nss:$disk/db"
    mkdir "$disk/db"
    cut_power 'nss, the first use' install --yes "$P/old-root.pem"
else
    skip 'no certutil'
fi

row 'power cut: a name is there after any later sync' "${tried[ext4]} states" "${wrong[ext4]}"
row "power cut: a name is there after its directory's sync" "${tried[own]} states" "${wrong[own]}"
row 'power cut: in any order' "${tried[order]} states" "${wrong[order]}"
[[ $XR_FULL != 1 || ${tried[all]} -ge 3000 ]] || bad "only ${tried[all]} states"
finish
