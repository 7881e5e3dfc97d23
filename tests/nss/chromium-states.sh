#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Chromium has three sources of trust: the NSS database, managed policies, and a database of its own in
# each profile. crossroot writes each state of these; the real browser is started and asked about three
# servers, which send the leaf, the leaf and its CA, or these and the cross certificate; and what crossroot
# verify says that Chromium says must be the same. The policies are where a mount namespace has them.
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
if [[ ! -d /etc/chromium ]]; then
    printf 'skip  no /etc/chromium here\n0 passed, 0 failed\n'
    exit 77
fi
# shellcheck disable=SC2016 # another shell's
beforehand='mkdir -p "$T/etc" && mount --make-rprivate / && mount --bind "$T/etc" /etc/chromium'
# shellcheck source=tests/nss/browsing.sh
. "$here/browsing.sh"
mkdir -p "$T/empty"
certutil -N -d "sql:$T/empty" --empty-password
data=$HOME/.config/chromium
db=$HOME/.pki/nssdb

# --- states

# fresh [DATABASE]: nothing is trusted; the NSS database lies there
fresh() {
    db=${1:-$HOME/.pki/nssdb}
    rm -rf "$T/etc/policies" "$HOME/.pki" "$HOME/.local" "$HOME/.config"
    mkdir -p "$T/etc/policies/managed" "$(dirname "$db")"
    cp -r "$T/empty" "$db"
    chmod 700 "$db"
}
# does COMMAND...: crossroot does that
does() {
    local rc=0
    "$@" >"$T/said" 2>&1 || rc=$?
    [[ $rc -eq 0 ]] || bad "exit $rc: $*"$'\n'"$(<"$T/said")"
}
# In a user's own namespace crossroot trusts no helper program, because there root's directories are
# nobody's; what is written by the user's own rights needs none.
writes() {
    local at=$1
    shift
    does xr --store "$at" --yes "$@"
}
# nss CERTIFICATE TRUST
nss() {
    case $2 in
    C,,) writes "nss:$db" install "$1.pem" --as anchor --drop-constraints ;;
    ,,) writes "nss:$db" install "$1.pem" ;;
    p,p,p) writes "nss:$db" distrust "$1.pem" ;;
    esac
}
# manager [PROFILE/] CERTIFICATE TRUST [LIMIT]...: what the browser's own certificate manager does too
manager() {
    local profile=Default/ limits
    if [[ $1 == */ ]]; then
        profile=$1
        shift
    fi
    mkdir -p "$data/$profile"
    [[ -e $data/${profile}Preferences ]] || echo '{}' >"$data/${profile}Preferences"
    while (($#)); do
        limits=()
        while [[ ${3:-} == dns:* || ${3:-} == cidr:* ]]; do
            limits+=("--permit-${3%%:*}" "${3#*:}")
            set -- "$1" "$2" "${@:4}"
        done
        case $2 in
        trusted) writes "chromium:$data/${profile%/}" install "$1" --as anchor "${limits[@]}" ;;
        unspecified) writes "chromium:$data/${profile%/}" install "$1" ;;
        distrusted) writes "chromium:$data/${profile%/}" distrust "$1" ;;
        esac
        shift 2
    done
}
# policy NAME VALUE: OLD and CROSS in it stand for certificates
policy() {
    local value=$2 names=()
    [[ $value != *localhost* ]] || names=(--only --permit-dns localhost)
    [[ $value != *example.com* ]] || names=(--permit-dns example.com)
    value=$(grep -o 'OLD\|CROSS' <<<"$2" || true)
    value=${value//OLD/old-root.pem}
    value=${value//CROSS/cross.pem}
    case $1 in
    CACertificates*) policies install "$value" "${names[@]}" ;;
    CAHintCertificates) policies install "$value" ;;
    CADistrustedCertificates) policies distrust "$value" ;;
    *) printf '{"%s": %s}\n' "$1" "$2" >"$T/etc/policies/managed/$1.json" ;;
    esac
}
# policies COMMAND...: where the state's are the machine's
policies() {
    local command=("$XR_BIN" --worker "$XR_WORKER" --state "$state" --store policy:chromium --yes "$@")
    local as=()
    [[ $(id -u) -eq 0 ]] || as=(--map-root-user)
    does env T="$T" unshare "${as[@]}" --mount sh -c "$beforehand"' && exec "$@"' sh "${command[@]}"
}

# verify CHAIN: where the policies are those of the state
verify() {
    local command=("$XR_BIN" --worker "$XR_WORKER" --state "$state" --store "nss:$db" verify "$1.pem"
        --host localhost --json)
    if [[ $(id -u) -eq 0 ]]; then
        run env T="$T" unshare --mount sh -c "$beforehand"' && exec "$@"' sh "${command[@]}"
    else
        run "${command[@]}"
    fi
}
# opinion: of the three servers, what crossroot says that Chromium says
opinion() {
    local chain words=()
    for chain in leaf leaf-sub leaf-sub-cross; do
        verify "$chain"
        case $(json 'stores[0].also[].by' "$out"),$(json 'stores[0].also[].ok' "$out") in
        Chromium*,true) words+=(yes) ;;
        Chromium*,false) words+=(no) ;;
        *) words+=("$(tr -d '\n' <"$out")") ;;
        esac
    done
    echo "${words[*]}"
}
# state ANSWERS WHAT: Chromium gives these, and crossroot says so before and after
state() {
    local asked=1
    if [[ $(id -u) -ne 0 && -n $(ls "$T/etc/policies/managed") ]]; then
        skip "crossroot, $2: not root"
        asked=0
    fi
    ((!asked)) || expect_eq "crossroot, $2" "$(opinion)" "$1"
    tell start chromium "$data"
    tell ask chromium "${ports[@]}"
    # Where a limit is violated, there is another name for it.
    expect_eq "Chromium, $2" "${REPLY//net::ERR_CERT_INVALID/no}" "$1"
    ((!asked)) || expect_eq "crossroot while it runs, $2" "$(opinion)" "$1"
    tell stop chromium
}

none='no no no' root='no no yes' both='no yes yes'
fresh
state "$none" 'nothing'
for place in "$HOME/.pki/nssdb" "$HOME/.local/share/pki/nssdb"; do
    fresh "$place"
    nss old-root C,,
    state "$root" "NSS: old root in ${place#"$HOME/"}"
done
nss cross ,,
state "$both" 'NSS: old root and cross'
fresh
manager old-root.pem trusted
state "$root" 'manager: old root'
fresh
manager old-root.pem trusted cross.pem unspecified
state "$both" 'manager: old root and cross'
fresh
manager cross.pem trusted
state "$both" 'manager: cross wrongly trusted'
fresh
nss old-root C,,
manager cross.pem unspecified
state "$both" 'NSS: old root, manager: cross'
fresh
nss old-root C,,
nss cross ,,
manager old-root.pem distrusted
state "$none" 'NSS: old root and cross, manager: old root blocked'
fresh
nss old-root p,p,p
manager old-root.pem trusted cross.pem unspecified
state "$none" 'NSS: old root distrusted, manager: old root and cross'
fresh
nss old-root C,,
nss cross ,,
manager cross.pem distrusted
state "$none" 'NSS: old root and cross, manager: cross blocked'
fresh
manager old-root.pem trusted dns:localhost
state "$root" 'manager: old root for localhost'
fresh
manager old-root.pem trusted dns:example.com
nss cross ,,
state "$none" 'manager: old root for example.com'
# The leaf is for localhost and for 127.0.0.1; limits of one kind leave names of the other free.
fresh
manager old-root.pem trusted cidr:127.0.0.0/8
state "$root" 'manager: old root for 127.0.0.0/8'
fresh
manager old-root.pem trusted dns:localhost cidr:10.0.0.0/8
state "$none" 'manager: old root for localhost and 10.0.0.0/8'
fresh
policy CACertificates '["OLD"]'
state "$root" 'policy: old root'
policy CAHintCertificates '["CROSS"]'
state "$both" 'policy: old root and cross'
fresh
nss old-root C,,
policy CAHintCertificates '["CROSS"]'
state "$both" 'NSS: old root, policy: cross'
fresh
nss old-root C,,
nss cross ,,
policy CAPlatformIntegrationEnabled false
state "$none" 'NSS: old root and cross, policy: not read'
policy CACertificates '["OLD"]'
state "$root" 'NSS: the same, policy: not read, old root'
fresh
nss old-root C,,
nss cross ,,
policy CADistrustedCertificates '["OLD"]'
state "$none" 'NSS: old root and cross, policy: old root distrusted'
fresh
policy CACertificatesWithConstraints \
    '[{"certificate": "OLD", "constraints": {"permitted_dns_names": ["example.com"]}}]'
state "$none" 'policy: old root for example.com'
policy CACertificatesWithConstraints \
    '[{"certificate": "OLD", "constraints": {"permitted_dns_names": ["localhost"]}}]'
state "$root" 'policy: old root for localhost'
fresh
manager old-root.pem trusted
policy CAHintCertificates '["CROSS"]'
state "$both" 'manager: old root, policy: cross'
fresh
manager old-root.pem trusted cross.pem unspecified
policy CADistrustedCertificates '["CROSS"]'
state "$none" 'manager: old root and cross, policy: cross distrusted'

# Each profile is a world of its own.
fresh
manager 'Profile 1/' old-root.pem trusted cross.pem unspecified
tell start chromium "$data"
tell ask chromium "${ports[@]}"
expect_eq 'Chromium, another profile trusts them' "$REPLY" "$none"
tell stop chromium
verify leaf-sub-cross
expect_eq 'crossroot has an opinion of each' \
    "$(paste -d = <(json 'stores[0].also[].by' "$out") <(json 'stores[0].also[].ok' "$out") | sort | xargs)" \
    'Chromium, other profiles=false Chromium, profile Profile 1=true'
finish
