#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What Firefox's policies install again is named by the profile's store: list says it, remove and
# distrust warn of it. In an image, whose policies count, not this machine's.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
command -v certutil >/dev/null || skip_all 'no certutil here'
make_pki "$T/pki"
chmod 711 "$T"
mkdir "$T/lib"
cp -- "$XR_WORKER" "$T/lib"
XR_WORKER=$T/lib/${XR_WORKER##*/}
old=$(sha "$P/old-root.pem")
image=$T/image
me=$(id -u)
owner=$me
[[ $me -ne 0 ]] || owner=71001 # root's profiles in an image are only read
policy=$image/etc/firefox/policies/policies.json
mkdir -p "$image/etc/firefox/policies" "$image/srv" "$image/home/alice"
echo "alice:x:$owner:$owner::/home/alice:/bin/sh" >"$image/etc/passwd"
cp "$P/old-root.pem" "$image/srv/old.pem"
names() { # NAME...: of certificates in the policy
    local names
    names=$(printf ',"%s"' "$@")
    printf '{"policies":{"Certificates":{"Install":[%s]}}}\n' "${names:1}" >"$policy"
}
# profile DIR: a new one, below alice's home; $address is its store
profile() {
    local dir=$image/home/alice/$1
    rm -rf "$dir"
    mkdir -p "$dir"
    certutil -N -d "sql:$dir" --empty-password
    certutil -A -d "sql:$dir" -n old -t C,, -i "$P/old-root.pem"
    [[ $me -ne 0 ]] || chown -R "$owner:$owner" "$image/home/alice"
    address=nss:/home/alice/$1
}
on() {
    xr --root "$image" --store "$address" "$@"
}
again='/etc/firefox/policies/policies.json makes it an anchor again whenever Firefox starts'

names /srv/old.pem
profile .mozilla/firefox/p
expect_exit 0 'list' on --json list
expect_json 'names the file' 'stores[].entries[].remark' "$again with this profile"
snap "$image" >"$T/before"
expect_exit 0 'remove, tried' on -n remove "$old"
expect_grep 'warns' "warning: .*$old: $again" "$err"
snap "$image" >"$T/after"
expect_same 'and changes nothing' "$T/before" "$T/after"
expect_exit 0 'remove' on remove --yes "$old"
expect_grep 'warns' "warning: .*$old: $again" "$err"
expect_exit 0 'distrust of what is not there' on distrust --yes "$P/old-root.pem"
expect_grep 'warns' "warning: .*$old: $again" "$err"
expect_exit 0 'install' on install --yes "$P/old-root.pem"
expect_no_grep 'does not' 'makes it an anchor' "$err"
expect_exit 0 'distrust of an anchor' on distrust --yes "$old"
expect_grep 'warns' "warning: .*$old: $again" "$err"

profile .mozilla/firefox/p
expect_exit 0 'install of another' on install --yes "$P/rsa-root.pem"
expect_exit 0 'and its removal' on remove --yes "$(sha "$P/rsa-root.pem")"
expect_no_grep 'are no business of the policy' 'makes it an anchor' "$err"

# whose browser it is
profile .config/mozilla/firefox/p
expect_exit 0 'a profile at its new place' on list
expect_grep 'is Firefox'\''s too' "$again" "$out"
for place in .librewolf/p .thunderbird/p .pki/nssdb snap/firefox/common/.mozilla/firefox/p \
    .var/app/org.mozilla.firefox/.mozilla/firefox/p somewhere; do
    profile "$place"
    expect_exit 0 "$place" on list
    expect_no_grep 'is not' 'makes it an anchor' "$out"
done

# names that only its user's Firefox finds
profile .mozilla/firefox/p
mkdir -p "$image/home/alice/.mozilla/certificates"
cp "$P/old-root.pem" "$image/home/alice/.mozilla/certificates/mine.pem"
cp "$P/old-root.pem" "$image/home/alice/mine.pem"
home='~' # for Firefox to expand
for name in mine.pem "$home/mine.pem"; do
    names "$name"
    expect_exit 0 "${name@Q} in the home" on list
    expect_grep 'is found' "$again" "$out"
done
mkfifo "$image/home/alice/fifo"
names "$home/fifo" /srv/old.pem
expect_exit 0 'a FIFO there' timeout 60 "$XR_BIN" --worker "$XR_WORKER" --state "$state" \
    --root "$image" --store "$address" list
expect_grep 'is passed over' "$again" "$out"
names /srv/nothing
expect_exit 0 'a certificate that is not there' on list
expect_no_grep 'is not installed' 'makes it an anchor' "$out"
names "$P/old-root.pem"
expect_exit 0 'a path of this machine' on list
expect_no_grep 'is none of the image' 'makes it an anchor' "$out"

# an installation's file
mv "$policy" "$T/policies.json"
mkdir -p "$image/usr/lib/firefox/distribution"
policy=$image/usr/lib/firefox/distribution/policies.json
names /srv/old.pem
expect_exit 0 'a file in an installation' on list
expect_grep 'is named' '/usr/lib/firefox/distribution/policies.json makes it an anchor again' "$out"
mv "$T/policies.json" "$image/etc/firefox/policies"
expect_exit 0 'which does not count beside the other' on list
expect_no_grep 'is not' 'makes it an anchor' "$out"
finish
