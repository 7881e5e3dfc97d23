#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files of extract that browsers, devices, clusters and Python read: what others find in them.
# shellcheck source=tests/cli/lib.sh
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
peers=$("$here/fetch-peers.sh" --cached 2>&1) || fetched=$?
real_home=$HOME
. "$here/../cli/lib.sh"
make_pki "$T/pki"
python=/usr/bin/python3
[[ -x $python ]] || skip_all 'not here: no Python'
look() { "$python" "$here/look.py" "$@"; }
der() { openssl x509 -in "$P/$1.pem" -outform DER | base64 -w 0; }
cd "$T"

# --- certifi: every block that its own files have of a certificate

certifis=()
for at in /usr/lib/python3/dist-packages/{,pip/_vendor/}certifi/cacert.pem \
    "$real_home"/.pyenv/versions/*/lib/python*/site-packages/{,pip/_vendor/}certifi/cacert.pem \
    "$XR_SHARED"/data/certifi/*.pem; do
    [[ ! -r $at ]] || certifis+=("$at")
done
lists=("$XR_SHARED"/data/certdata/certdata-*.txt)
[[ -n ${fetched-} ]] || lists+=("$peers/ca-certificates/mozilla/certdata.txt")
compared=0
for list in "${lists[@]}"; do
    [[ -r $list && -n ${certifis[*]} ]] || continue
    expect_exit 0 "certifi of ${list##*/}" xr extract --from "$list" --to certifi=cacert.pem
    run look certifi cacert.pem "${certifis[@]}"
    expect_no_grep 'each block is as certifi has it' '[#a-z]' "$out"
    compared=$((compared + $(awk '{ n += $1 } END { print n + 0 }' "$out")))
done
if ((compared > 0)); then
    ok "$compared blocks compared"
else
    skip 'not here: a cacert.pem of certifi, and a certdata.txt'
fi
for at in "${certifis[@]}"; do
    look labels "$at" >theirs.pem
    expect_exit 0 "from ${at%/certifi/*}" xr extract --from theirs.pem --to certifi=again.pem
    expect_same 'each block but its label' <(grep -v '^# Label' theirs.pem) <(grep -v '^# Label' again.pem)
done

# --- Chromium: the bytes of the policy file that crossroot itself keeps for it

image=$T/image
own=$image/etc/chromium/policies/managed/crossroot.json
mkdir -p "$image/etc" "$image/usr/lib/chromium"
chromium() { xr --root "$image" --store policy:chromium --yes "$@"; }
expect_exit 0 'roots in the policy' chromium install "$P/old-root.pem" "$P/rsa-root.pem"
expect_exit 0 'a limited one' chromium install "$P/new-root.pem" --permit-dns example.com --permit-cidr 192.0.2.0/24
expect_exit 0 'hints' chromium install "$P/cross.pem" "$P/sub.pem"
expect_exit 0 'a distrust' chromium distrust "$P/ed25519-root.pem"
expect_exit 0 'extract from the store' xr --root "$image" extract --from policy:chromium --to chromium-policy=policy.json
expect_exit 0 'the same bytes' cmp "$own" policy.json
expect_exit 0 'again from the store, alone' xr --root "$image" extract --from policy:chromium --check --to chromium-policy="$own"

# --- Firefox: policies.json and its files, as the reader takes them that was measured with Firefox

expect_exit 0 'firefox-policy' xr extract --from "$P/old-root.pem" --from "$P/rsa-root.pem" --merge --to firefox-policy=distribution
mkdir -p "$image/usr/lib/firefox-esr"
cp -r distribution "$image/usr/lib/firefox-esr/"
expect_exit 0 'list' xr --root "$image" --store policy:/usr/lib/firefox-esr/distribution/policies.json list --json
expect_eq 'both are anchors' "$(grep -o '"place": "anchor", "purposes": \["any"\]' "$out" | wc -l)" 2
expect_grep 'for e-mail too' 'for servers, clients and email' "$out"
expect_exit 0 'stores' xr --root "$image" --store policy:/usr/lib/firefox-esr/distribution/policies.json stores
expect_no_grep 'nothing is in no place' 'none of the directories|is not installed' "$out"

# --- Apple: a property list with roots; what another CA signed is no root

expect_exit 0 'mobileconfig' xr extract --from "$P/old-root.pem" --from "$P/utf8.pem" --merge --to mobileconfig=roots.mobileconfig
look profile roots.mobileconfig >found || bad 'Python reads the property list'
expect_eq 'the certificates' "$(cut -d ' ' -f 1,2 found | sort)" \
    "$(for one in old-root utf8; do echo "com.apple.security.root $(sha "$P/$one.pem")"; done | sort)"
expect_exit 0 'the same file again' xr extract --from "$P/old-root.pem" --from "$P/utf8.pem" --merge --check --to mobileconfig=roots.mobileconfig

# --- Kubernetes

expect_exit 0 'cluster-trust-bundle' xr extract --from "$P/old-root.pem" --from "$P/rsa-root.pem" --merge --to cluster-trust-bundle=two.yaml
bundles=("two.yaml 2 server")
[[ -n ${fetched-} ]] || bundles+=("many.yaml - email")
for one in "${bundles[@]}"; do
    read -r file count purpose <<<"$one"
    [[ $file != many.yaml ]] || {
        xr extract --from "$peers/ca-certificates/mozilla/certdata.txt" --for email --to cluster-trust-bundle=many.yaml >"$out" 2>"$err" </dev/null
        count=$(sed -nE 's/^cluster-trust-bundle=.*: ([0-9]+) certificates.*/\1/p' "$out")
    }
    if "$python" -c 'import yaml' 2>/dev/null; then
        look bundle "$file" >found || bad "$file is YAML, and what Kubernetes wants"
        expect_eq "$file: its name" "$(head -n 1 found)" "crossroot-$purpose"
        sed 1d found >"$file.pem"
        expect_eq "$file: OpenSSL finds all of it" \
            "$(openssl storeutl -noout -certs "$file.pem" | sed -n 's/^Total found: //p')" "$count"
        if command -v go >/dev/null; then
            expect_eq "$file: and Go, as Kubernetes' server" \
                "$(GO111MODULE=off GOCACHE=$T/gocache go run "$here/bundle.go" <"$file.pem" 2>&1)" "$count"
        else
            skip 'not here: no Go'
        fi
    else
        skip 'not here: no python3-yaml'
    fi
done
expect_exit 0 'version 1' xr extract --from "$P/v1-root.pem" --from "$P/old-root.pem" --merge --to cluster-trust-bundle=v1.yaml
expect_grep 'is told' 'Kubernetes refuses it: its basicConstraints' "$out"
expect_eq 'and left out' "$(grep -c BEGIN v1.yaml)" 1
expect_exit 1 'nothing but version 1' xr extract --from "$P/v1-root.pem" --to cluster-trust-bundle=none.yaml
expect_absent 'is no bundle' none.yaml
finish
