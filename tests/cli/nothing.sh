#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nothing.sh PLUGIN: where there is no store to work on, every command says why and fails; and a
# backend's name alone finds what an ordinary user can reach.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=${1:?plugin}
chmod 755 "$T"
make_pki "$T/pki"
pem=$P/old-root.pem

# says_why WHAT REGEX EXIT OPTION...: each command that needs a store
says_why() {
    local what=$1 why=$2 code=$3 verb
    shift 3
    for verb in "verify $pem" "install --yes $pem" list "remove --yes $pem" "distrust --yes $pem" \
        "inspect $pem"; do
        # Words of the command are apart.
        # shellcheck disable=SC2086
        run "$@" $verb
        [[ $verb == inspect* && $* != *--store* ]] && continue
        expect_eq "${verb%% *}, $what: exit" "$rc" "$code"
        expect_grep "${verb%% *}, $what: why" "^crossroot: error: $why" "$err"
    done
}

# Chromium, if it is here, has a database that an install would make.
says_why 'in an empty home' '(no trust store of this user found|every store found here is left out by --exclude-store)' 1 \
    xr --scope user --exclude-store nss --exclude-store p11-kit
says_why 'without a home' 'no trust store of this user found, because HOME is not set' 1 \
    env -u HOME "$XR_BIN" --worker "$XR_WORKER" --state "$state" --scope user --exclude-store nss --exclude-store p11-kit
mkdir "$T/openssl"
says_why 'named and left out' 'every store found here is left out by --exclude-store' 1 \
    xr --store "openssl:$T/openssl" --exclude-store openssl
says_why 'of a backend that has none here' 'openssl: no such store was found; name one as openssl:LOCATION' 1 \
    xr --scope user --store openssl
mkdir -p "$T/image/etc"
says_why 'in an empty image' '(no trust store found|.*left out)' 1 \
    xr --root "$T/image" --exclude-store ca-certificates --exclude-store p11-kit
run xr --scope user --exclude-store nss --exclude-store p11-kit stores
expect_eq 'stores is no failure' "$rc" 0
expect_grep 'and says that there is none' '^No trust store found' "$out"

# --scope all leaves out policies, which only their name changes, and does not fail for it.
I=$T/image
mkdir -p "$I"/etc/chromium/policies/managed "$I"/etc/ssl/certs "$I"/usr/share/ca-certificates/vendor \
    "$I"/usr/local/share/ca-certificates
cp "$pem" "$I/usr/share/ca-certificates/vendor/Old_Root.crt"
echo vendor/Old_Root.crt >"$I/etc/ca-certificates.conf"
printf '{"CACertificates":[]}' >"$I/etc/chromium/policies/managed/site.json"
echo "me:x:$(id -u):$(id -g)::/home/me:/bin/sh" >"$I/etc/passwd"
expect_exit 0 'a machine with policies' xr --root "$I" --scope all --json stores
expect_eq 'has them' "$(json 'stores[].store' "$out" | xargs)" 'ca-certificates:/ policy:chromium'
expect_exit 0 'a root for the whole machine' xr --root "$I" --scope system --json install --yes "$P/new-root.pem"
expect_eq 'goes elsewhere' "$(json 'stores[].{store,state}' "$out" | xargs)" 'ca-certificates:/ done'
expect_grep 'and the policy is named' 'name the policy with --store, or use --scope all: policy:chromium' "$out"
expect_exit 1 'a policy that somebody else sets' xr --root "$I" --store policy install --yes "$P/old-root.pem"
expect_grep 'is not hidden' 'site.json sets CACertificates, and of two files that set a policy only one counts' "$out"

# A verifier that knows one of several sources, and none.
mkdir -p "$HOME/.config/chromium/Default"
printf '{"profile":{"info_cache":{"Default":{}}}}' >"$HOME/.config/chromium/Local State"
: >"$HOME/.config/chromium/Default/ServerCertificate"
run xr --scope user --exclude-store nss --exclude-store p11-kit verify "$pem"
expect_eq 'verify with one that cannot know: exit' "$rc" 1
expect_grep 'is told' "cannot tell: the user's NSS database and managed policies count too" "$out"
run xr --scope user --exclude-store nss --exclude-store p11-kit --exclude-store chromium verify "$pem"
expect_eq 'verify with nobody to ask: exit' "$rc" 1
expect_grep 'is said' '^crossroot: error: (no store here could be asked|no trust store|every store)' "$err"
rm -r "$HOME/.config"

# What is left out is not recovered either.
xr --store "openssl:$T/openssl" install --yes "$pem" >/dev/null
rm "$T/openssl/anchors.pem"
expect_exit 0 'recover without a store' xr --store "openssl:$T/openssl" --exclude-store "openssl:$T/openssl" recover
expect_absent 'leaves alone what it may not touch' "$T/openssl/anchors.pem"
expect_exit 0 'recover with it' xr --store "openssl:$T/openssl" recover
expect_grep 'mends it' 'BEGIN CERTIFICATE' "$T/openssl/anchors.pem"

# The journal.
expect_exit 1 'install without a state directory' env -u HOME "$XR_BIN" --worker "$XR_WORKER" \
    --state '' --store "openssl:$T/openssl" install --yes "$pem"
expect_grep 'says which option names one' 'no directory for the journal is known .*--state' "$err"
expect_exit 1 'history without one' env -u HOME "$XR_BIN" --worker "$XR_WORKER" --state '' history
expect_grep 'says it too' 'no directory for the journal is known .*--state' "$err"
expect_no_grep 'and not that nothing was changed' 'Nothing' "$out"
touch "$T/file"
expect_exit 1 'install with a state directory that is none' "$XR_BIN" --worker "$XR_WORKER" \
    --state "$T/file/state" --store "openssl:$T/openssl" install --yes "$P/new-root.pem"
expect_grep 'says it too' "^crossroot: error: no journal: .*$T/file.*--state names another directory" "$err"
expect_exit 1 'undo with one' "$XR_BIN" --worker "$XR_WORKER" --state "$T/file/state" --dry-run undo
expect_grep 'says it too' '^crossroot: error: .*(--state|nothing to undo)' "$err"

# An ordinary user.
if can_drop && unprivileged test -x "$XR_BIN" && unprivileged test -r "$P/old-root.pem"; then
    user=(unprivileged env "HOME=$T/user" "$XR_BIN" --worker "$XR_WORKER")
    mkdir -p "$T/user/.stores"
    : >"$T/user/.stores/mine"
    if [[ $(id -u) -eq 0 ]]; then
        mkdir -m 700 "$T/roots"
        mkdir "$T/roots/store"
        says_why 'of what only root may read' 'openssl:.*Permission denied' 5 "${user[@]}" --store "openssl:$T/roots/store"
        says_why 'of a database that only root may read' 'nss:.*Permission denied' 5 "${user[@]}" --store "nss:$T/roots/store"
        run "${user[@]}" --store "openssl:$T/openssl" install --yes "$P/new-root.pem"
        expect_grep 'a home where no journal can be made: which option names another' \
            '^crossroot: error: no journal: .*--state names another directory' "$err"
        chown -R 65534:65534 "$T/user"
    fi
    if [[ -r /etc/ssl/certs/ca-certificates.crt || -r /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem ]]; then
        run "${user[@]}" --store ca-certificates --json list
        expect_json 'the store of the machine, by its backend' 'stores[].store' 'ca-certificates:/'
        run "${user[@]}" --store ca-certificates --dry-run install --yes "$pem"
        expect_eq 'which an ordinary user cannot change' "$rc" 5
        expect_grep 'as is said' ': failed: cannot be written' "$out"
    else
        skip 'no ca-certificates here'
    fi
    run "${user[@]}" --plugin "$plugin" --store homes --json list
    expect_grep 'and what is in the own home' "^homes:$T/user/.stores/mine$" <(json 'stores[].store' "$out")
    run "${user[@]}" --scope all --exclude-store nss --exclude-store p11-kit --json list
    expect_eq 'all users are for root' "$rc" 5
    expect_json 'as is said' 'messages[level=error].text' \
        'the stores of other users are left out: only root may open them'
else
    skip 'no other user here'
fi
finish
