#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In which order names reach the disk: a name that is not synced is gone after a power cut, and with it
# all that is below it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
can_trace || skip_all "strace is missing or may not trace"
make_pki "$T/pki"

# steps: what the traced run did to names below $T, one line each, without $T
steps() {
    sed -nE -e 's/^[0-9]+ +//' -e '/ = -1 /d' -e "\\#<$T#!d" -e "s#<$T>#<.>#g" -e "s#$T/##g" \
        -e 's/\.crossroot-tmp\.[0-9a-f]+/TEMP/g' \
        -e 's/^mkdirat\([0-9]+<([^>]*)>, "([^"]*)".*/mkdir \1\/\2/p' \
        -e 's/^fchmod\([0-9]+<([^>]*)>, ([0-7]+).*/chmod \1/p' \
        -e 's/^ftruncate\([0-9]+<([^>]*)>.*/truncate \1/p' \
        -e 's/^f(data)?sync\([0-9]+<([^>]*)>.*/sync \2/p' \
        -e 's/^unlinkat\([0-9]+<([^>]*)>, "([^"]*)".*/unlink \1\/\2/p' \
        -e 's/^renameat2?\([0-9]+<([^>]*)>, "([^"]*)", [0-9]+<([^>]*)>, "([^"]*)".*/rename \1\/\2 \3\/\4/p' "$T/trace"
}
# change WHAT COMMAND...: traced; its steps to $T/steps
change() {
    local what=$1
    shift
    rc=0
    traced -f -y -o "$T/trace" -e trace=mkdirat,fchmod,ftruncate,fsync,fdatasync,unlinkat,renameat,renameat2 "$XR_BIN" \
        --worker "$XR_WORKER" "$@" >"$out" 2>"$err" </dev/null || rc=$?
    expect_eq "$what: exit code" "$rc" 0
    steps >"$T/steps"
}
# in_order WHAT LINE...: these lines of $T/steps, one after the other, with others between them
in_order() {
    local what=$1 line at=0 found
    shift
    for line in "$@"; do
        found=$(tail -n +$((at + 1)) "$T/steps" | grep -nxF -m 1 -- "$line" | cut -d: -f1) || true
        if [[ -z $found ]]; then
            bad "$what: no \"$line\" after line $at"
            sed 's/^/    /' "$T/steps"
            return
        fi
        at=$((at + found))
    done
    ok "$what"
}

mkdir "$T/srv"
change 'a first use' --state "$T/a/b/c" --store "openssl:$T/srv/trust" install --yes "$P/old-root.pem"
in_order 'Each new directory above the journal has a durable name before the store is changed.' \
    'sync .' 'sync a' 'sync a/b' 'sync a/b/c' 'sync a/b/c/journal' 'mkdir srv/.trust.crossroot'
in_order "The manifest is durable in a new store before anybody sees it, and the store before it is filled." \
    'rename srv/.trust.crossroot/TEMP srv/.trust.crossroot/.crossroot' 'sync srv/.trust.crossroot' \
    'rename srv/.trust.crossroot srv/trust' 'sync srv' 'mkdir srv/trust/anchors'
in_order 'The manifest is durable before the directory that it lists is made.' \
    'rename srv/trust/TEMP srv/trust/.crossroot' 'sync srv/trust' 'mkdir srv/trust/anchors'
in_order 'All of it is durable before the end is recorded.' \
    'sync srv/trust/anchors' 'sync srv/trust' 'sync srv' 'sync a/b/c/journal'
change 'remove the last' --state "$T/a/b/c" --store "openssl:$T/srv/trust" remove "$P/old-root.pem"
in_order 'What is in a store that goes is durably gone before its name.' \
    'unlink srv/trust/anchors' 'sync srv/trust' 'rename srv/trust srv/.trust.crossroot' 'sync srv'

printf '\1' | dd of="$T/a/b/c/journal" bs=1 seek=10 conv=notrunc status=none
printf '\1' | dd of="$T/a/b/c/journal" bs=1 seek=70 conv=notrunc status=none
change 'a journal whose key is lost' --state "$T/a/b/c" --store "openssl:$T/srv/trust" install --yes "$P/old-root.pem"
in_order 'A journal that cannot be read is kept durably before another one is begun.' \
    'rename a/b/c/TEMP a/b/c/journal.damaged' 'sync a/b/c' 'truncate a/b/c/journal' 'sync a/b/c/journal' \
    'mkdir srv/.trust.crossroot'

mkdir -p "$T/image/usr/share/ca-certificates" "$T/image/etc/ssl/certs" "$T/image/usr/sbin"
: >"$T/image/etc/ca-certificates.conf"
: >"$T/image/usr/sbin/update-ca-certificates"
change 'a source directory that is not there' --state "$T/a/b/c" --root "$T/image" --store ca-certificates \
    install --yes "$P/old-root.pem"
in_order 'A new source directory has its mode and its name durably.' \
    'mkdir image/usr/local' 'chmod image/usr/local' 'sync image/usr/local' 'sync image/usr'
expect_grep 'A new source directory is open to its readers as soon as it has its name.' \
    'mkdirat\([0-9]+<.*/image/usr>, "local", 0755\)' "$T/trace"
finish
