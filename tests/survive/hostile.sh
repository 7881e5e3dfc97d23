#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hostile.sh EVIL FLIP [PLUGIN MKHIVE]: homes, images, environments and hives that mean harm. Whatever is in
# them, nothing outside is read for others, written or loaded, and the stores of others go on.
if [[ $(id -u) -eq 0 && -z ${XR_OWN_ETC:-} ]] && unshare --mount --propagation private true 2>/dev/null; then
    XR_OWN_ETC=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
evil=$(realpath -- "${1:?}") flip=$(realpath -- "${2:?}") plugin=${3:-} mkhive=${4:-}
make_pki "$T/pki"
chmod 755 "$T"
# What a breach would reach is a copy, in this namespace.
if [[ -n ${XR_OWN_ETC:-} ]]; then
    for at in /etc/ssl /usr/local/share/ca-certificates /etc/pki /root; do
        [[ -d $at && $XR_BIN != "$at"/* ]] || continue
        mkdir -p "$T/own$at"
        [[ $at == /root ]] || cp -a "$at/." "$T/own$at"
        mount --bind "$T/own$at" "$at"
    done
fi
flipping=
cleanup_all() {
    [[ -z $flipping ]] || kill "$flipping" 2>/dev/null || true
    cleanup
}
trap cleanup_all EXIT

# The world outside: what may not change, whoever leads there.
O=$T/outside
mkdir -m 755 "$O"
outside() {
    mkdir -p "$O/dir" "$O/certs" "$O/trust/anchors"
    cp "$P/new-root.pem" "$O/certs/secret.crt"
    cp "$P/new-root.pem" "$O/bundle.crt"
    echo 'outside/secret.crt' >"$O/conf"
    echo 'mallory:x:0:0::/:/bin/sh' >"$O/passwd"
    echo secret >"$O/secret"
    chmod 600 "$O/secret"
}
outside
machine() {
    snap "$O"
    snap /etc/ssl/certs 2>/dev/null | sha256sum
    snap /usr/local/share/ca-certificates 2>/dev/null | sha256sum
    sha256sum /etc/ca-certificates.conf 2>/dev/null || true
    find /etc -maxdepth 1 | LC_ALL=C sort
}
machine >"$T/machine" 2>/dev/null
breaches=0
breach() {
    breaches=$((breaches + 1))
    bad "$*"
    show_output
}
# calm WHAT: the last run ended by itself, outside is what it was, and nothing was loaded
calm() {
    ((rc < 124)) || breach "$1: exit $rc: a signal, or no end"
    if ! machine 2>/dev/null | cmp -s - "$T/machine"; then
        machine 2>/dev/null | diff "$T/machine" - | head -n 5 | cat -v
        breach "$1: what is outside has changed"
        machine >"$T/machine" 2>/dev/null
    fi
    if [[ -e $T/executed || -e $evil.loaded ]]; then
        breach "$1: something was executed"
        rm -f "$T/executed" "$evil.loaded"
    fi
    if LC_ALL=C grep -aqP '[\x00-\x08\x0b-\x1f\x7f]' "$out" "$err"; then
        breach "$1: a raw control character"
    fi
}
timed() {
    run timeout -s KILL 120 "$XR_BIN" --worker "$XR_WORKER" --state "$state" "$@"
}
# flip UID PATH TARGET: PATH is, in turn, what it was, and a link to TARGET
flip() {
    "$flip" "$@" &
    flipping=$!
}
still() {
    kill "$flipping" 2>/dev/null || true
    wait "$flipping" 2>/dev/null || true
    flipping=
}

# --- homes

homes=0
readonly alice=71001 mallory=71007 bob=71002
as() { # UID COMMAND...
    setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}
profile() { # UID HOME: a Firefox profile and Chromium's database, as its browsers leave them
    mkdir -p "$2/.mozilla/firefox/a.default" "$2/.pki/nssdb" "$2/.local/share/crossroot"
    printf '[Profile0]\nName=default\nIsRelative=1\nPath=a.default\n' >"$2/.mozilla/firefox/profiles.ini"
    cp "$T/empty-db"/* "$2/.mozilla/firefox/a.default"
    cp "$T/empty-db"/* "$2/.pki/nssdb"
    cp -r "$T/empty-trust" "$2/.local/share/crossroot/trust"
    chown -R "$1:$1" "$2"
    chmod 700 "$2"
}
ini() { # IS-RELATIVE PATH
    printf '[Profile0]\nName=x\nIsRelative=%s\nPath=%s\n' "$1" "$2" >"$M/.mozilla/firefox/profiles.ini"
}
# Each makes one home of mallory's, in $M, out of a good one; $B is of bob, who is in no password database.
home_kinds=(home_is_link home_is_bobs mozilla_is_link firefox_is_bobs ini_is_link ini_is_fifo ini_is_device ini_is_directory
    ini_is_giant ini_is_binary ini_leads_up ini_leads_to_bob ini_leads_to_root ini_has_escapes ini_has_many profile_is_bobs
    db_is_link db_is_bobs_file db_is_fifo db_is_device db_is_closed profile_is_closed nssdb_is_loop nssdb_is_fifo
    nssdb_is_root home_of_bob home_of_all trust_is_link anchors_are_link manifest_is_fifo manifest_leads_out bundle_is_link
    crossroot_is_bobs db_is_damaged names_have_newlines flip_nssdb flip_mozilla flip_trust flip_anchors)
home() {
    local at=$M/.mozilla/firefox trust=$M/.local/share/crossroot/trust i
    case $1 in
    home_is_link) rm -rf "$M"; ln -s "$O" "$M" ;;
    home_is_bobs) rm -rf "$M"; ln -s "$B" "$M" ;;
    mozilla_is_link) rm -rf "$M/.mozilla"; ln -s "$O/dir" "$M/.mozilla" ;;
    firefox_is_bobs) rm -rf "$at"; ln -s "$B/.mozilla/firefox" "$at" ;;
    ini_is_link) ln -sf "$O/secret" "$at/profiles.ini" ;;
    ini_is_fifo) rm "$at/profiles.ini"; mkfifo "$at/profiles.ini" ;;
    ini_is_device) rm "$at/profiles.ini"; mknod "$at/profiles.ini" c 1 5 || : ;;
    ini_is_directory) rm "$at/profiles.ini"; mkdir "$at/profiles.ini" ;;
    ini_is_giant) truncate -s 3G "$at/profiles.ini" ;;
    ini_is_binary) head -c 300000 /dev/urandom >"$at/profiles.ini" ;;
    ini_leads_up) ini 1 "../../../bob/.mozilla/firefox/a.default" ;;
    ini_leads_to_bob) ini 0 "$B/.mozilla/firefox/a.default" ;;
    ini_leads_to_root) ini 0 "$O/dir" ;;
    ini_has_escapes) ini 1 $'a\033[31m.default'; mv "$at/a.default" "$at/"$'a\033[31m.default' ;;
    ini_has_many) for ((i = 0; i < 3000; i++)); do printf '[Profile%d]\nIsRelative=1\nPath=p%d\n' $i $i; done >"$at/profiles.ini" ;;
    profile_is_bobs) rm -rf "$at/a.default"; ln -s "$B/.mozilla/firefox/a.default" "$at/a.default" ;;
    db_is_link) ln -sf "$O/secret" "$at/a.default/cert9.db" ;;
    db_is_bobs_file) ln -f "$B/.mozilla/firefox/a.default/cert9.db" "$at/a.default/cert9.db" ;;
    db_is_fifo) rm "$at/a.default/cert9.db"; mkfifo "$at/a.default/cert9.db" ;;
    db_is_device) rm "$at/a.default/key4.db"; mknod "$at/a.default/key4.db" c 1 5 || : ;;
    db_is_closed) chmod 000 "$at/a.default"/* ;;
    profile_is_closed) chmod 000 "$at/a.default" ;;
    nssdb_is_loop) rm -rf "$M/.pki/nssdb"; ln -s nssdb "$M/.pki/nssdb" ;;
    nssdb_is_fifo) rm -rf "$M/.pki/nssdb"; mkfifo "$M/.pki/nssdb" ;;
    nssdb_is_root) rm -rf "$M/.pki/nssdb"; ln -s "$O/dir" "$M/.pki/nssdb" ;;
    home_of_bob) ;;
    home_of_all) ;;
    trust_is_link) rm -rf "$trust"; ln -s "$O/trust" "$trust" ;;
    anchors_are_link) rm -rf "$trust/anchors"; ln -s "$O/trust/anchors" "$trust/anchors" ;;
    manifest_is_fifo) rm -f "$trust/.crossroot"; mkfifo "$trust/.crossroot" ;;
    manifest_leads_out) printf '%s\n' ../../../../../outside/secret "$O/secret" /etc/passwd >>"$trust/.crossroot" ;;
    bundle_is_link) rm -f "$trust/anchors.pem"; ln -s "$O/bundle.crt" "$trust/anchors.pem" ;;
    crossroot_is_bobs) rm -rf "$M/.local/share/crossroot"; ln -s "$B/.local/share/crossroot" "$M/.local/share/crossroot" ;;
    db_is_damaged) head -c 30000 /dev/urandom | dd of="$at/a.default/cert9.db" bs=1k seek=1 conv=notrunc status=none ;;
    names_have_newlines) ini 1 'x'; printf '[Profile1]\nIsRelative=1\nPath=a\\nb\n' >>"$at/profiles.ini"; mv "$at/a.default" "$at/"$'a\nb' ;;
    flip_*) ;;
    esac
    chown -hR $mallory:$mallory "$M" 2>/dev/null || true
    # What a hard link shares stays bob's.
    chown $bob:$bob "$B/.mozilla/firefox/a.default"/*
    case $1 in
    home_of_bob) chown $bob "$M" ;;
    home_of_all) chmod 777 "$M" ;;
    flip_nssdb) flip $mallory "$M/.pki/nssdb" "$B/.pki/nssdb" ;;
    flip_mozilla) flip $mallory "$M/.mozilla" "$B/.mozilla" ;;
    flip_trust) flip $mallory "$trust" "$O/trust" ;;
    flip_anchors) flip $mallory "$trust/anchors" "$O/trust/anchors" ;;
    esac
}
try_home() {
    local kind=$1 times=1 i what
    H=$T/homes M=$H/mallory B=$H/bob
    rm -rf "$H" "$state"
    mkdir "$H"
    profile $alice "$H/alice"
    profile $bob "$B"
    profile $mallory "$M"
    home "$kind"
    snap "$B" >"$T/bob"
    [[ $kind != flip_* ]] || times=$((XR_FULL ? 25 : 2))
    for ((i = 0; i < times; i++)); do
        for what in "install --yes $P/old-root.pem" list 'undo --yes' 'recover --yes'; do
            # shellcheck disable=SC2086 # words
            timed --scope all-users $what
            calm "$kind: ${what%% *}"
            if [[ $what == install* ]]; then
                [[ $(certutil -L -d "sql:$H/alice/.mozilla/firefox/a.default" 2>/dev/null | grep -c ' C,,') -eq 1 ]] ||
                    breach "$kind: alice has no root"
            fi
            snap "$B" | cmp -s - "$T/bob" || {
                breach "$kind: ${what%% *}: bob's home has changed"
                snap "$B" >"$T/bob"
            }
            if [[ -d $M && ! -L $M ]] && find "$M" ! -user $mallory ! -path "$M" ! -links +1 -print 2>/dev/null | grep -q .; then
                [[ $kind == home_of_bob ]] || breach "$kind: ${what%% *}: somebody else's file in mallory's home"
            fi
        done
    done
    [[ -z $flipping ]] || still
    homes=$((homes + 1))
}
if [[ -n ${XR_OWN_ETC:-} ]] && command -v certutil >/dev/null; then
    mkdir "$T/empty-db"
    certutil -N -d "sql:$T/empty-db" --empty-password
    run xr --store "openssl:$T/empty-trust" install --yes "$P/utf8.pem"
    # Where everybody can read them.
    mkdir "$T/lib"
    {
        echo 'root:x:0:0:root:/root:/bin/bash'
        echo "alice:x:$alice:$alice::$T/homes/alice:/bin/sh"
        echo "mallory:x:$mallory:$mallory::$T/homes/mallory:/bin/sh"
    } >"$T/passwd"
    if as $mallory test -x "$XR_WORKER" && mount --bind "$T/passwd" /etc/passwd; then
        machine >"$T/machine" 2>/dev/null
        for ((i = 0; i < ${#home_kinds[@]}; i++)); do
            if sampled $((i + 1)) 8; then try_home "${home_kinds[i]}"; fi
        done
        umount /etc/passwd
        machine >"$T/machine" 2>/dev/null
        row 'hostile: homes: links, FIFOs, devices, owners, profiles.ini, exchanged while at work' "$homes homes" $breaches
    else
        skip 'homes: the helper cannot be run by others where it is'
    fi
else
    skip 'homes of others: only root, with certutil'
fi

# --- images

images=0 breaches=0
# shellcheck source=tests/cacerts/roots.sh
. "$here/../cacerts/roots.sh"
# shellcheck disable=SC2034 # for roots.sh
some=("$P/rsa-root.pem")
image_kinds=(etc_is_etc etc_leads_up ssl_leads_out certs_lead_up bundle_leads_out bundle_leads_up usr_local_leads_out
    local_leads_up local_file_leads_out conf_leads_out conf_is_fifo conf_is_device conf_leads_up conf_is_giant hooks certs_are_file
    certs_are_loop bundle_is_fifo bundle_is_device bundle_is_directory long_names odd_names case bundle_is_hard_link
    local_is_fifo fedora_out_leads_out fedora_anchors_lead_up fedora_links fedora_p11_rules passwd_leads_out p11_modules
    nss_leads_out flip_certs flip_local)
image() {
    local kind=$1 up=../../../../../../../../../.. i
    R=$T/image
    rm -rf "$R"
    case $kind in
    fedora*) fedora "$R" ;;
    *) debian "$R" ;;
    esac
    case $kind in
    etc_is_etc) rm -rf "${R:?}/etc"; ln -s /etc "$R/etc" ;;
    etc_leads_up) rm -rf "${R:?}/etc"; ln -s $up/etc "$R/etc" ;;
    ssl_leads_out) rm -rf "$R/etc/ssl"; ln -s "$O" "$R/etc/ssl" ;;
    certs_lead_up) rm -rf "$R/etc/ssl/certs"; ln -s "$up$O/certs" "$R/etc/ssl/certs" ;;
    bundle_leads_out) ln -sf "$O/bundle.crt" "$bundle" ;;
    bundle_leads_up) ln -sf "$up$O/bundle.crt" "$bundle" ;;
    usr_local_leads_out) rm -rf "${R:?}/usr/local"; ln -s "$O" "$R/usr/local" ;;
    local_leads_up) rm -rf "$anchors"; ln -s "$up$O/certs" "$anchors" ;;
    local_file_leads_out) ln -s "$O/certs/secret.crt" "$anchors/a.crt"; ln -s "$up$O/certs/secret.crt" "$anchors/b.crt" ;;
    conf_leads_out) ln -sf "$O/conf" "$R/etc/ca-certificates.conf" ;;
    conf_is_fifo) rm "$R/etc/ca-certificates.conf"; mkfifo "$R/etc/ca-certificates.conf" ;;
    conf_is_device) rm "$R/etc/ca-certificates.conf"; mknod "$R/etc/ca-certificates.conf" c 1 5 2>/dev/null || : ;;
    conf_leads_up) printf '%s\n' "$up$O/certs/secret.crt" ../../../../etc/ssl/certs/x.crt "$O/certs/secret.crt" >>"$R/etc/ca-certificates.conf" ;;
    conf_is_giant) truncate -s 2G "$R/etc/ca-certificates.conf" ;;
    hooks)
        mkdir -p "$R/etc/ca-certificates/update.d" "$R/usr/sbin" "$R/usr/bin"
        for i in etc/ca-certificates/update.d/x usr/sbin/update-ca-certificates usr/bin/openssl usr/bin/run-parts; do
            printf '#!/bin/sh\ntouch %s\n' "$T/executed" >"$R/$i"
            chmod 755 "$R/$i"
        done
        ;;
    certs_are_file) rm -rf "$R/etc/ssl/certs"; echo x >"$R/etc/ssl/certs" ;;
    certs_are_loop) rm -rf "$R/etc/ssl/certs"; ln -s certs "$R/etc/ssl/certs" ;;
    bundle_is_fifo) mkfifo "$bundle" ;;
    bundle_is_device) mknod "$bundle" c 1 3 2>/dev/null || : ;;
    bundle_is_directory) mkdir "$bundle" ;;
    long_names) cp "$P/utf8.pem" "$anchors/$(printf 'x%.0s' {1..251}).crt" ;;
    odd_names)
        cp "$P/utf8.pem" "$anchors/"$'a\033[31m\n.crt'
        cp "$P/t61.pem" "$anchors/-rf.crt"
        # shellcheck disable=SC2016 # a name, not an expansion
        cp "$P/bmp.pem" "$anchors/"'$(touch executed).crt'
        ;;
    case) cp "$P/utf8.pem" "$anchors/a.CRT"; cp "$P/t61.pem" "$anchors/A.crt"; cp "$P/bmp.pem" "$anchors/a.crt" ;;
    bundle_is_hard_link) ln "$O/bundle.crt" "$bundle"; machine >"$T/machine" 2>/dev/null ;;
    local_is_fifo) mkfifo "$anchors/x.crt" ;;
    fedora_out_leads_out) rm -rf "$R/etc/pki/ca-trust/extracted"; ln -s "$O/dir" "$R/etc/pki/ca-trust/extracted" ;;
    fedora_anchors_lead_up) rm -rf "$anchors"; ln -s "$up$O/certs" "$anchors" ;;
    fedora_links) mkdir -p "$R/etc/pki/tls/certs"; ln -s "$O/bundle.crt" "$R/etc/pki/tls/certs/ca-bundle.crt" ;;
    fedora_p11_rules) head -c 20000 /dev/urandom >"$anchors/x.p11-kit"; printf '[p11-kit-object-v1]\n' >"$anchors/y.p11-kit" ;;
    passwd_leads_out) ln -s "$up$O/passwd" "$R/etc/passwd" ;;
    p11_modules)
        mkdir -p "$R/usr/share/p11-kit/modules" "$R/etc/pkcs11/modules"
        printf 'module: %s\ntrust-policy: yes\n' "$evil" | tee "$R/etc/pkcs11/modules/e.module" >"$R/usr/share/p11-kit/modules/e.module"
        printf "module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths='%s'\n" "$up$O/certs" >"$R/usr/share/p11-kit/modules/p.module"
        ;;
    nss_leads_out) mkdir -p "$R/etc/pki"; ln -s "$O/dir" "$R/etc/pki/nssdb" ;;
    flip_certs) flip 0 "$R/etc/ssl/certs" "$O/certs" ;;
    flip_local) flip 0 "$anchors" "$O/certs" ;;
    esac
}
try_image() {
    local kind=$1 times=1 i what
    rm -rf "$state"
    image "$kind"
    [[ $kind != flip_* ]] || times=$((XR_FULL ? 40 : 2))
    for ((i = 0; i < times; i++)); do
        for what in "--store ca-certificates install --yes $P/old-root.pem" stores list \
            "install --scope all --yes $P/far-future.pem" 'undo --yes' "--store ca-certificates --rebuild recover --yes"; do
            # shellcheck disable=SC2086 # words
            timed --root "$R" $what
            calm "$kind: $what"
            [[ $what != list ]] || ! grep -aq 'secret' "$out" || breach "$kind: what is outside is listed"
        done
    done
    [[ -z $flipping ]] || still
    if [[ $kind == bundle_is_hard_link ]]; then
        rm -f "$bundle"
        machine >"$T/machine" 2>/dev/null
    fi
    images=$((images + 1))
}
for ((i = 0; i < ${#image_kinds[@]}; i++)); do
    if sampled $((i + 1)) 8; then try_image "${image_kinds[i]}"; fi
done
row 'hostile: images: links out, FIFOs, devices, hooks, names, exchanged while at work' "$images images" $breaches

# --- environment

variables=0 breaches=0
E=$T/env
mkdir -p "$E/decoy/anchors" "$E/bin" "$E/home/.config/pkcs11/modules" "$E/lib"
cp "$evil" "$E/lib/evil.so"
evil=$E/lib/evil.so
for name in libcrypto.so.3 libsoftokn3.so libnss3.so p11-kit-trust.so legacy.so; do
    ln -s evil.so "$E/lib/$name"
done
for name in openssl update-ca-certificates trust certutil run-parts sh; do
    printf '#!/bin/bash\ntouch %s\n' "$T/executed" >"$E/bin/$name"
    chmod 755 "$E/bin/$name"
done
cp "$P/new-root.pem" "$E/decoy/cert.pem"
cat >"$E/openssl.cnf" <<CNF
openssl_conf = conf
[conf]
providers = providers
engines = engines
ssl_conf = ssl
[providers]
evil = provider
default = provider
[provider]
module = $evil
activate = 1
[engines]
evil = engine
[engine]
dynamic_path = $evil
init = 1
[ssl]
system_default = weak
[weak]
CipherString = ALL:@SECLEVEL=0
CNF
printf 'module ISO-10646// INTERNAL %s 1\nmodule INTERNAL ISO-10646// %s 1\n' "$evil" "$evil" >"$E/lib/gconv-modules"
printf 'module: %s\ntrust-policy: yes\n' "$evil" >"$E/home/.config/pkcs11/modules/e.module"
echo 'user-config: only' >"$E/home/.config/pkcs11/pkcs11.conf"
settings=("SSL_CERT_FILE=$E/decoy/cert.pem" "SSL_CERT_DIR=$E/decoy" "OPENSSL_CONF=$E/openssl.cnf" "OPENSSL_MODULES=$E/lib"
    "OPENSSL_ENGINES=$E/lib" "OPENSSL_CONF_INCLUDE=$E" "OPENSSL_ia32cap=0" "RANDFILE=$E/decoy/rand" "LD_LIBRARY_PATH=$E/none"
    "LD_DEBUG_OUTPUT=$E/decoy/ld" "LD_PROFILE_OUTPUT=$E/decoy" "P11_KIT_STRICT=1" "P11_KIT_DEBUG=all" "P11_KIT_NO_USER_CONFIG=0"
    "P11_KIT_URI_LOWERCASE=1" "NSS_DEFAULT_DB_TYPE=dbm" "NSS_SDB_USE_CACHE=yes" "NSS_DEBUG_PKCS11_MODULE=NSS Internal PKCS #11 Module"
    "NSS_IGNORE_SYSTEM_POLICY=1" "NSS_ALLOW_WEAK_SIGNATURE_ALG=1" "NSS_STRICT_SHUTDOWN=1" "NSPR_LOG_MODULES=all:5"
    "NSPR_LOG_FILE=$E/decoy/nspr" "SSLKEYLOGFILE=$E/decoy/keys" "SQLITE_TMPDIR=$E/decoy" "TMPDIR=$E/decoy" "TMP=$E/decoy"
    "HOME=$E/home" "HOME=relative" "HOME=" "XDG_DATA_HOME=$E/decoy" "XDG_STATE_HOME=$E/decoy" "XDG_CONFIG_HOME=$E/home/.config"
    "XDG_RUNTIME_DIR=$E/decoy" "LANG=ja_JP.eucJP" "LC_ALL=tr_TR.UTF-8" "LANGUAGE=../../decoy" "LOCPATH=$E/decoy" "NLSPATH=$E/decoy/%N"
    "GCONV_PATH=$E/lib" "CHARSET=X" "OUTPUT_CHARSET=X" "MALLOC_PERTURB_=165" "MALLOC_ARENA_MAX=1" "MALLOC_TRACE=$E/decoy/trace"
    "MALLOC_CHECK_=3" "GLIBC_TUNABLES=glibc.malloc.perturb=165" "TZ=$E/decoy/cert.pem" "TZ=:../../../../etc/passwd" "TZDIR=$E/decoy"
    "PATH=$E/bin:$PATH" "PATH=" "BASH_ENV=$E/bin/sh" "ENV=$E/bin/sh" "IFS=/" "SUDO_UID=71001" "SUDO_USER=mallory" "SUDO_COMMAND=x"
    "SUDO_UID=0x0" "PKEXEC_UID=4294967295" "DOAS_USER=../root" "LOGNAME=mallory" "USER=mallory" "GNUTLS_SYSTEM_PRIORITY_FILE=$E/openssl.cnf"
    "GNUTLS_DEBUG_LEVEL=9" "GNUTLS_FORCE_FIPS_MODE=1" "RES_OPTIONS=x" "HOSTALIASES=$E/decoy/cert.pem" "SOFTHSM2_CONF=$E/openssl.cnf"
    "NO_COLOR=1" "TERM=../../x" "COLUMNS=-1" "COLUMNS=99999999999" "XR_WORKER=$E/bin/sh" "CROSSROOT_PLUGINS=$E/lib")
stores=(--store "openssl:$E/trust" --store "p11-kit:$E/p11")
command -v certutil >/dev/null && stores+=(--store "nss:$E/db")
# effects NAME=VALUE...: what an install and its undo make of stores of each kind, told without what is random
effects() {
    rm -rf "$E/trust" "$E/p11" "$E/db" "$E/state"
    mkdir "$E/p11"
    [[ ! -d $T/plain-db ]] || cp -r "$T/plain-db" "$E/db"
    local what
    for what in "install --yes $P/old-root.pem $P/cross.pem" "distrust --best-effort --yes $P/rsa-root.pem" list \
        "verify --untrusted $P/sub.pem $P/leaf.pem" "verify $P/new-root.pem" 'undo --yes'; do
        # shellcheck disable=SC2086 # words
        run timeout -s KILL 60 env "$@" "$XR_BIN" --worker "$XR_WORKER" --state "$E/state" --json "${stores[@]}" $what
        cp "$out" "$T/said"
        echo "$what: $rc"
        json 'stores[].{store,state,ok}' "$T/said" 2>/dev/null || true
        json 'stores[].entries[].{sha256,place,purposes}' "$T/said" 2>/dev/null || true
        calm "$1: ${what%% *}" >&2
    done
    find "$E/trust" -printf '%P %y %m %l\n' | LC_ALL=C sort
    find "$E/p11" -printf '%y %m\n' | LC_ALL=C sort
    cat "$E/trust"/*.pem | sha256sum
    [[ ! -d $E/db ]] || certutil -L -d "sql:$E/db" | LC_ALL=C sort
}
if command -v certutil >/dev/null; then
    mkdir "$T/plain-db"
    certutil -N -d "sql:$T/plain-db" --empty-password
fi
effects A=b >"$T/plain"
grep -q '^install.*: 0$' "$T/plain" || bad "without a hostile variable: $(cat "$T/plain")"
snap "$E/decoy" >"$T/decoy"
for ((i = 0; i < ${#settings[@]}; i++)); do
    sampled $((i + 1)) 25 || [[ $i == 2 ]] || continue
    variables=$((variables + 1))
    effects "${settings[i]}" >"$T/other" 2>"$T/complaints"
    if [[ -s $T/complaints ]]; then
        cat -v "$T/complaints"
        breaches=$((breaches + 1))
    fi
    cmp -s "$T/plain" "$T/other" || {
        diff "$T/plain" "$T/other" | head -n 6 | cat -v
        breach "${settings[i]}: another outcome"
    }
    snap "$E/decoy" | cmp -s - "$T/decoy" || {
        snap "$E/decoy" | diff "$T/decoy" - | head -n 3
        breach "${settings[i]}: it is written where that says"
        snap "$E/decoy" >"$T/decoy"
    }
done
# What the loader itself takes for the command stays with the command.
rm -f "$evil.loaded"
run env LD_PRELOAD="$evil" "$XR_BIN" --worker "$XR_WORKER" --state "$E/state" "${stores[@]}" list
if [[ -e $evil.loaded ]]; then
    [[ $(sort -u "$evil.loaded") == "$(realpath "$XR_BIN")" ]] || breach "LD_PRELOAD reaches helpers: $(sort -u "$evil.loaded" | xargs)"
fi
rm -f "$evil.loaded"
row 'hostile: environment: variables that change where is written, what is loaded, or what is trusted' \
    "$((variables + 1)) variables" $breaches

# --- hives

if [[ -z $plugin || ! -e $plugin ]] || ! command -v hivexsh >/dev/null || ! command -v reglookup >/dev/null; then
    skip 'hives: no libhivex, hivexsh or reglookup'
    finish
    exit
fi
hives=0 breaches=0 written=0
W=$T/windows
config=$W/Windows/System32/config
mkdir -p "$config"
"$mkhive" "$config" SOFTWARE
w() {
    timed --plugin "$plugin" --root "$W" --scope system --store windows "$@"
}
w install --yes "$P/rsa-root.pem" "$P/utf8.pem" "$P/t61.pem" "$P/cross.pem"
[[ $rc -eq 0 ]] || bad "a good hive: exit $rc"
cp "$config/SOFTWARE" "$T/good"
contents() { # what reglookup finds, without times
    { reglookup "$1" 2>/dev/null || true; } | cut -d, -f1-3 | LC_ALL=C sort
}
for ((n = 0; n < 240; n++)); do
    sampled "$n" 12 || continue
    hives=$((hives + 1))
    rm -rf "$state"
    python3 - "$T/good" "$config/SOFTWARE" "$n" <<'DAMAGE'
import random, sys
data, r = bytearray(open(sys.argv[1], 'rb').read()), random.Random(int(sys.argv[3]))
kind = r.randrange(6)
if kind == 0: # some bytes
    for _ in range(r.randint(1, 12)):
        data[r.randrange(len(data))] = r.randrange(256)
elif kind == 1: # a length or an offset, in a cell
    at = r.randrange(4096, len(data) - 4) & ~3
    data[at:at + 4] = r.choice((b'\xff\xff\xff\xff', b'\0\0\0\0', b'\xff\xff\xff\x7f', b'\0\0\0\x80', r.randbytes(4)))
elif kind == 2: # it ends too early
    del data[r.randrange(len(data)):]
elif kind == 3: # a page that was not written
    at = r.randrange(len(data)) & ~511
    data[at:at + 512] = bytes(512)
elif kind == 4: # its head
    data[r.randrange(512)] = r.randrange(256)
else: # a page twice
    to, at = r.randrange(len(data)) & ~511, r.randrange(len(data)) & ~511
    data[to:to + 512] = data[at:at + 512]
open(sys.argv[2], 'wb').write(data)
DAMAGE
    cp "$config/SOFTWARE" "$T/damaged"
    contents "$T/damaged" >"$T/before"
    w list
    ((rc < 124)) || breach "hive $n: list: exit $rc"
    w install --yes "$P/old-root.pem"
    ((rc < 124)) || breach "hive $n: install: exit $rc"
    if ! cmp -s "$T/damaged" "$config/SOFTWARE"; then
        written=$((written + 1))
        hivexsh "$config/SOFTWARE" </dev/null >/dev/null 2>&1 || breach "hive $n: hivexsh does not open what was written"
        contents "$config/SOFTWARE" >"$T/after"
        if [[ $(LC_ALL=C comm -23 "$T/before" "$T/after" | wc -l) -gt 0 ]]; then
            LC_ALL=C comm -23 "$T/before" "$T/after" | cut -c1-150 | head -n 3
            breach "hive $n: what was in it is no more"
        elif [[ $rc -ne 0 ]] && ! cmp -s "$T/before" "$T/after"; then
            LC_ALL=C comm -13 "$T/before" "$T/after" | cut -c1-150 | head -n 3
            breach "hive $n: exit $rc, and something was added"
        fi
    elif [[ $rc -eq 0 ]]; then
        breach "hive $n: done, and not written"
    fi
    [[ -z $(find "$config" -mindepth 1 ! -name SOFTWARE) ]] || breach "hive $n: something is left behind"
done
printf '      %d of them were good enough to be changed\n' "$written"
row 'hostile: hives: damaged by seed; never a crash, never less in them' "$hives hives" $breaches
finish
