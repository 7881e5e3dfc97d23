# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A fleet: one store of each kind in one directory, each with a root of somebody else's. Source it after
# lib.sh; tests/survive/fleet.py says what other programs read in them.
# shellcheck source=tests/cacerts/roots.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cacerts/roots.sh"

# fleet_make DIR: needs make_pki before. rsa-root.pem is an anchor of every store, packaged where there
# are packages; firefox has a private key too. Sets
#   fleet        options that name the stores
#   fleet_names  directories below DIR, a store each
fleet_make() {
    local dir=$1 state=$T/fleet-state name
    local some=("$P/rsa-root.pem" "$P/in-2051.pem") # what packages ship, for roots.sh
    local plugin=${XR_HIVE_PLUGIN:-}
    for name in certutil pk12util openssl; do
        command -v "$name" >/dev/null || skip_all "no $name"
    done
    mkdir -p "$dir"
    chmod 755 "$T" # for readers that are another user
    fleet_names=(openssl debian fedora firefox chromium p11-kit)
    fleet=(--store "openssl:$dir/openssl" --store "ca-certificates:$dir/debian"
        --store "ca-certificates:$dir/fedora" --store "nss:$dir/firefox" --store "nss:$dir/chromium"
        --store "p11-kit:$dir/p11-kit")

    mkdir -p "$dir/openssl/anchors"
    cp "$P/rsa-root.pem" "$dir/openssl/anchors/somebody's.pem"
    openssl rehash "$dir/openssl/anchors"
    debian "$dir/debian"
    fedora "$dir/fedora"
    mkdir "$dir/fedora/etc/pki/ca-trust/extracted/pem/directory-hash"
    fleet_must xr "${fleet[@]:2:4}" recover # publishes for the first time
    for name in firefox chromium; do
        mkdir "$dir/$name"
        fleet_must certutil -N -d "sql:$dir/$name" --empty-password
        fleet_must certutil -A -a -d "sql:$dir/$name" -n "somebody's" -t C,, -i "$P/rsa-root.pem"
    done
    fleet_must openssl pkcs12 -export -in "$P/withkey.pem" -name own -passout pass:x -out "$T/own.p12"
    fleet_must pk12util -i "$T/own.p12" -d "sql:$dir/firefox" -W x -K ''
    mkdir -p "$dir/p11-kit/anchors"
    cp "$P/rsa-root.pem" "$dir/p11-kit/anchors"
    if [[ -e $plugin ]] && command -v hivexml >/dev/null; then
        mkdir "$dir/hive"
        "${XR_MKHIVE:?}" "$dir/hive" SOFTWARE
        fleet_must xr --plugin "$plugin" --store "windows:hive=$dir/hive/SOFTWARE" install --yes "$P/rsa-root.pem"
        fleet+=(--plugin "$plugin" --store "windows:hive=$dir/hive/SOFTWARE")
        fleet_names+=(hive)
    else
        skip 'not here: a hive of Windows: no libhivex'
    fi
    rm -rf "$state"
}

# fleet_must COMMAND...: while a world is made, not tried
fleet_must() {
    local rc=0
    run "$@"
    [[ $rc -eq 0 ]] && return
    bad "preparing: exit $rc: $*"
    show_output
    finish
    exit 1
}
