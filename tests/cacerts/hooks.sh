#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The distribution's hooks and its own command: as run-parts would run them, reported when they
# fail, owed until they ran, and never of an image.
# shellcheck source=tests/cacerts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
XR_NEEDS_DPKG=1
private_root "$@"
make_pki "$T/pki"
run stock 4
hooks=/etc/ca-certificates/update.d
mkdir "$T/real"
mv "$hooks"/* "$T/real" # the machine's own: later

hook() { # FILE: a program with the text of standard input
    cat >"$1"
    chmod 755 "$1"
}

# --- the same hooks with the same input as the distribution's command

hook "$T/record" <<'END'
#!/bin/sh
{ echo "$0 $# $PWD"; cat; } >>/run/told
END
for name in A_1 a-b 0 zz UPPER x.sh .hidden '10 sp' 'a~' 'b.dpkg-old' noexec; do
    cp "$T/record" "$hooks/$name"
done
chmod 644 "$hooks/noexec"
mkdir "$hooks/directory"
ln -s "$T/record" "$hooks/link"
ln -s /nowhere "$hooks/dangling"
ln -s "$hooks" "$hooks/to-directory"

# told WHAT COMMAND...: what hooks were told, by ours and then by update-ca-certificates
told() {
    local what=$1
    shift
    cp -r /etc/ssl/certs "$T/certs"
    rm -f /run/told
    expect_exit 0 "$what" "$@"
    mv /run/told "$T/told"
    find /etc/ssl/certs -mindepth 1 -maxdepth 1 ! -name java -delete
    cp -a "$T/certs"/. /etc/ssl/certs
    run env LC_ALL=C update-ca-certificates
    expect_same "$what: hooks are told what update-ca-certificates tells them" /run/told "$T/told"
    rm -rf "$T/certs"
}
told 'install' cr install --yes "$P/old-root.pem"
expect_eq 'six of them' "$(grep -c ' 0 /etc/ssl/certs$' "$T/told")" 6
told 'install of two' cr install --yes "$P/rsa-root.pem" "$P/utf8.pem"
told 'distrust' cr distrust --best-effort --yes /usr/share/ca-certificates/made/000000.crt
told 'distrust undone' cr undo --yes
rm -f /run/told
expect_exit 0 'remove' cr remove --yes "$P/old-root.pem" # of which the other tells nobody
expect_eq 'is told each of them' \
    "$(grep -c "^-/etc/ssl/certs/crossroot-$(sha "$P/old-root.pem").pem\$" /run/told)" 6
rm -f /run/told
expect_exit 0 'nothing changes' cr install --yes "$P/utf8.pem"
expect_absent 'so no hook runs' /run/told
expect_exit 0 'nor in a dry run' cr --dry-run install --yes "$P/bmp.pem"
expect_absent 'which changes nothing' /run/told
rm -rf "${hooks:?}"/* "$hooks/.hidden"

# --- a hook that fails

cp "$T/record" "$hooks/zz-after"
hook "$hooks/fails" <<'END'
#!/bin/sh
printf '\tfirst line\n\tgrün \033[31mred\n' >&2
echo 'last line'
exit 3
END
expect_exit 4 'a hook fails' cr install --yes "$P/old-root.pem"
expect_grep 'and that is said, with what it said, harmlessly' \
    "hook failed: $hooks/fails exited with 3: first line / grün \\\\u\{001B\}\[31mred / last line \(" "$err"
expect_grep 'the hooks after it run' '^\+/etc/ssl/certs/crossroot-' /run/told
expect_grep 'the certificate is there' 'added .*Crossroot Test Old Root' "$out"
native_agrees 'after a hook that failed'
rm /run/told
expect_exit 4 'it is run again without a change' cr install --yes "$P/old-root.pem"
expect_grep 'with what it missed' '^\+/etc/ssl/certs/crossroot-' /run/told
expect_exit 4 'and by recover' cr --store ca-certificates:/ recover
expect_exit 4 'also where no store is named' cr recover
expect_exit 4 'and at the next change' cr --json remove --yes "$P/old-root.pem"
expect_json 'JSON says so too' 'stores[0].state' 'done'
expect_json 'in a warning' 'messages[0].level' warning
hook "$hooks/fails" <<'END'
#!/bin/sh
for i in $(seq 2000); do echo "line $i"; done
kill -9 $$
END
expect_exit 4 'a hook is killed' cr install --yes "$P/old-root.pem"
expect_grep 'and that is said' "$hooks/fails was killed by signal 9" "$err"
echo 'no program' >"$hooks/fails"
expect_exit 4 'a hook that is no program' cr remove --yes "$P/old-root.pem"
expect_grep 'is said' "$hooks/fails exited with 127" "$err"
rm "$hooks/fails"
expect_exit 0 'once none fails, it is over' cr --store ca-certificates:/ recover
expect_eq 'and nothing is left to be told' "$(find /etc/ssl/certs -name '.crossroot*')" ''
hook "$hooks/daemon" <<'END'
#!/bin/sh
sleep 1000 &
echo $! >/run/daemon
END
started=$SECONDS
expect_exit 0 'a hook leaves a daemon behind' cr install --yes "$P/old-root.pem"
((SECONDS - started < 60)) && daemon=goes-on || daemon=waited-for
kill "$(cat /run/daemon)" || daemon=killed
expect_eq 'nobody waits for it, and it goes on' "$daemon" goes-on
rm "$hooks/daemon"

# --- killed between outputs and hooks

hook "$hooks/aa-slow" <<'END'
#!/bin/sh
: >/run/slow
exec sleep 1000 >/dev/null 2>&1
END
rm -f /run/told /run/slow
"$XR_BIN" install --yes "$P/constrained-root.pem" >"$out" 2>"$err" </dev/null &
victim=$!
for ((i = 0; i < 600; i++)); do
    [[ ! -e /run/slow ]] || break
    sleep 0.1
done
kill -9 $victim
wait $victim 2>/dev/null || true
rm "$hooks/aa-slow"
expect_absent 'killed while a hook ran: the others have not run' /run/told
run cr list
expect_grep 'reading commands say that something is pending' 'pending' "$err"
expect_exit 0 'the next change, of something else, runs them' cr install --yes "$P/bmp.pem"
for name in constrained-root bmp; do
    expect_grep "and they are told of $name" "^\+/etc/ssl/certs/crossroot-$(sha "$P/$name.pem").pem\$" /run/told
done
expect_eq 'nothing is left to be told' "$(find /etc/ssl/certs -name '.crossroot*')" ''
rm -f /run/told
expect_exit 0 'and no change after it does' cr install --yes "$P/bmp.pem"
expect_absent 'run them again' /run/told

# --- the distribution's command in our stead

expect_exit 0 '--updater distro' cr --updater distro install --yes "$P/t61.pem"
expect_grep 'runs hooks too' "^\+/etc/ssl/certs/crossroot-$(sha "$P/t61.pem").pem\$" /run/told
native_agrees '--updater distro'
expect_exit 0 '--updater distro, undo' cr --updater distro undo
native_agrees '--updater distro, undo'
hook "$T/fails" <<'END'
#!/bin/sh
echo 'cannot, today' >&2
exit 7
END
mount --bind "$T/fails" /usr/sbin/update-ca-certificates
expect_exit 1 'it fails' cr --updater distro install --yes "$P/t61.pem"
expect_grep 'and says why' 'failed: .*update-ca-certificates exited with 7: cannot, today' "$out"
expect_absent 'nothing was installed' "/usr/local/share/ca-certificates/crossroot-$(sha "$P/t61.pem").crt"
umount /usr/sbin/update-ca-certificates
expect_exit 0 'a later run makes up for it' cr install --yes "$P/t61.pem"
native_agrees 'after a command that failed'

# --- an image

image=$T/image
mkdir -p "$image/etc/ca-certificates" "$image/usr/sbin" "$image/usr/local/share"
cp -r "$hooks" "$image/etc/ca-certificates"
cp -r /etc/ca-certificates.conf "$image/etc"
cp "$T/record" "$image/usr/sbin/update-ca-certificates"
rm -f /run/told
expect_exit 0 'an image' cr --root "$image" install --yes "$P/old-root.pem"
expect_exit 0 'its undo' cr --root "$image" undo
expect_absent 'runs no hooks' /run/told
expect_exit 1 'nor its command' cr --root "$image" --updater distro install --yes "$P/old-root.pem"
expect_grep 'which is said' 'nothing in an image is executed' "$out"
expect_absent 'nothing ran' /run/told
expect_eq 'and nothing was changed' "$(find "$image" -name 'crossroot-*')" ''

# --- Java, by the machine's own hook

rm -rf "${hooks:?}"/*
cp -a "$T/real"/. "$hooks"
in_java() {
    keytool -list -keystore /etc/ssl/certs/java/cacerts -storepass changeit \
        -alias "debian:crossroot-$(sha "$1").pem"
}
if [[ -x $hooks/jks-keystore ]] && command -v keytool >/dev/null; then
    expect_exit 0 "ca-certificates-java's hook" cr install --yes "$P/last-of-2049.pem"
    expect_exit 0 'puts the anchor where Java looks' in_java "$P/last-of-2049.pem"
    expect_exit 0 'and at the undo' cr undo
    expect_exit 1 'takes it away' in_java "$P/last-of-2049.pem"
else
    skip 'no ca-certificates-java here'
fi
finish
