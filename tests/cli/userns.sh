#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In a user namespace (podman unshare, buildah unshare, unshare -r), where this machine's root and all
# others outside it show as one user: images are changed, and records kept where only we can write.
# userns.sh PLUGIN
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
plugin=$1
readonly uid=71008 sub=710080000
as=()
[[ $(id -u) -ne 0 ]] || as=(setpriv --reuid $uid --regid $uid --clear-groups)
"${as[@]}" unshare --user --map-root-user true 2>/dev/null || skip_all 'no user namespaces here'
"${as[@]}" test -x "$XR_BIN" || skip_all 'an ordinary user cannot run the program where it is'

make_pki "$T/pki"
chmod 755 "$T"
H=$T/person
mkdir -p "$H/image/etc/ssl/certs" "$H/image"/usr/{,local/}share/ca-certificates "$H/plugins"
: >"$H/image/etc/ca-certificates.conf"
ln -s /usr/share "$H/image/etc/share"
cp "$plugin" "$H/plugins/ours.so"
[[ $(id -u) -ne 0 ]] || chown -R $uid:$uid "$T"
bundle=$H/image/etc/ssl/certs/ca-certificates.crt
inside() { # COMMAND...: as unshare -r
    "${as[@]}" env -u XDG_STATE_HOME HOME="$H" unshare --user --map-root-user "$@"
}
cr() { inside "$XR_BIN" --root "$H/image" "$@"; }
not_mapped='belongs to a user who is not mapped into this user namespace'

expect_exit 0 'an image is changed' cr --state "$H/state" install --yes "$P/old-root.pem"
expect_exit 0 'and OpenSSL sees it' openssl verify -CAfile "$bundle" "$P/old-root.pem"
expect_exit 0 'undone' cr --state "$H/state" undo --yes
expect_eq 'and OpenSSL sees that too' "$(grep -c BEGIN "$bundle" || true)" 0
expect_exit 0 'without --state' cr install --yes "$P/old-root.pem"
expect_exit 0 'records are kept in the home' test -d "$H/.local/state/crossroot"
expect_exit 0 'and found there' cr undo --yes

expect_exit 1 'a state directory of somebody outside' cr --state /usr install --yes "$P/old-root.pem"
expect_grep 'is refused for that reason' "$not_mapped" "$err"
expect_exit 0 'a plugin of ours' cr --plugin "$H/plugins/ours.so" --state "$H/state" list
if [[ $(id -u) -eq 0 ]]; then
    mkdir "$H/real"
    ln -s "$H/real" "$T/link"
    expect_exit 1 'a link of somebody outside' cr --state "$T/link/state" install --yes "$P/old-root.pem"
    expect_grep 'is refused for that reason' 'link is a link of a user who is not mapped' "$err"
    expect_absent 'and nothing is made behind it' "$H/real/state"
    cp "$plugin" "$H/plugins/theirs.so"
    expect_exit 1 'a plugin of somebody outside, in a directory of ours' cr --plugin "$H/plugins/theirs.so" \
        --state "$H/state" list
    expect_grep 'is refused for that reason' "plugin .*theirs.so.* $not_mapped" "$err"
    mkdir "$T/lib"
    cp "$plugin" "$T/lib/ours.so"
    chown $uid "$T/lib/ours.so"
    expect_exit 1 'a plugin of ours, in a directory of somebody outside' cr --plugin "$T/lib/ours.so" \
        --state "$H/state" list
    expect_grep 'is refused for that reason' "directory of .*ours.so $not_mapped" "$err"

    mkdir -m 777 "$T/open"
    mkdir -m 700 "$T/open/state"
    chown $uid "$T/open/state"
    expect_exit 1 'a state directory below one that anybody writes to' cr --state "$T/open/state" install \
        --yes "$P/old-root.pem"
    expect_grep 'is refused' 'other users can write to' "$err"
else
    skip "files of others: only root can make them here"
fi

# A namespace with many users, as podman unshare makes it, has one with the number of those outside.
# in_wide COMMAND...
in_wide() {
    setpriv --reuid $uid --regid $uid --clear-groups unshare --user bash -c \
        'echo; read -r; exec setpriv --reuid 0 --regid 0 --clear-groups env HOME="$0" "$@"' "$H" "$@" \
        >"$T/wide.out" 2>"$T/wide.err" <"$T/go" &
    local pid=$!
    exec 9>"$T/go"
    until [[ -s $T/wide.out ]] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
    cat <<<"0 $uid 1"$'\n'"1 $sub 65536" >/proc/$pid/uid_map # in one write
    cat <<<"0 $uid 1"$'\n'"1 $sub 65536" >/proc/$pid/gid_map
    echo >&9
    exec 9>&-
    local code=0
    wait $pid || code=$?
    cat "$T/wide.out"
    cat "$T/wide.err" >&2
    return $code
}
if [[ $(id -u) -eq 0 ]] && mkfifo "$T/go" && in_wide true 2>/dev/null; then
    wide() { in_wide "$XR_BIN" --root "$H/image" "$@"; }
    nobody=$((sub + 65533))
    expect_exit 0 'with many users mapped' wide --state "$H/wide/state" install --yes "$P/old-root.pem"
    mkdir "$T/theirs"
    mkdir -m 700 "$T/theirs/ours"
    chown $uid:$uid "$T/theirs/ours"
    expect_exit 0 'below a directory of somebody outside' wide --state "$T/theirs/ours" install --yes "$P/new-root.pem"
    chown $nobody:$nobody "$T/theirs"
    expect_exit 1 'but not of one inside who has the same number' wide --state "$T/theirs/ours" install \
        --yes "$P/rsa-root.pem"
    expect_grep 'who is another user' '"theirs" belongs to another user' "$err"
    run stat -c %u "$H/wide/state"
    expect_eq 'records are ours' "$(cat "$out")" $uid
else
    skip 'a namespace with many users: only root can make one here'
fi

# Nobody is mapped: everything shows as ours, and only what is ours is.
if [[ $(id -u) -eq 0 ]]; then
    nameless() { "${as[@]}" env HOME="$H" unshare --user "$XR_BIN" --scope system --root "$H/image" "$@"; }
    expect_exit 0 'where nobody is mapped' nameless --state "$H/nameless" list
    mkdir "$T/foreign"
    expect_exit 1 'records of others are refused' nameless --state "$T/foreign" install --yes "$P/new-root.pem"
    expect_grep 'as others' "$not_mapped" "$err"
fi
finish
