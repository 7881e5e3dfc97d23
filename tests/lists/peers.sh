#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# debian and curl-pem beside the scripts that they replace: certdata2pem.py of Debian's ca-certificates,
# mk-ca-bundle.pl of curl 7.88 (version 1.29), and what Debian's package installed here.
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
peers=$("$here/fetch-peers.sh" --cached 2>&1) || fetched=$?
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"
[[ -z ${fetched-} ]] || skip_all "$peers"
python=/usr/bin/python3
mozilla=$peers/ca-certificates/mozilla

names() { (cd "$1" && LC_ALL=C ls); }

# list NAME CERTDATA [UNDATED]: UNDATED are roots that the script keeps after their date
list() {
    local name=$1 undated=${3-} dir=$T/$1 count
    mkdir -p "$dir/debian"
    cp "$2" "$dir/certdata.txt"
    touch -d @1700000003 "$dir/certdata.txt"
    cd "$dir"

    if "$python" -c 'import cryptography' 2>/dev/null; then
        cp "$mozilla/blacklist.txt" certdata.txt debian/
        expect_exit 0 "$name: Debian's script" env -C debian "$python" "$mozilla/certdata2pem.py"
        rm debian/{blacklist,certdata}.txt
        expect_exit 0 "$name: debian" xr extract --from certdata.txt --to debian=ours
        count=$(names debian | wc -l)
        at_least "$name: files" "$count" 100
        expect_exit 0 "$name: the same $count files" diff -r debian ours/mozilla
        grep -v '^#' ours/ca-certificates.conf >conf || true
        names debian | sed 's|^|mozilla/|' | LC_ALL=C sort >wanted
        expect_same "$name: its ca-certificates.conf" wanted conf
    else
        skip 'not here: no python3-cryptography'
    fi

    # With the script's clock at 1970, it has no reason to leave anything out.
    if command -v perl >/dev/null; then
        # shellcheck disable=SC2016 # Perl's own
        expect_exit 0 "$name: curl's script" perl -e 'BEGIN { *CORE::GLOBAL::time = sub { 0 } }
            $0 = shift; do $0; die $@ if $@' "$peers/curl/scripts/mk-ca-bundle.pl" -n -q -d certdata.txt all.pem
        expect_exit 0 "$name: curl-pem" xr extract --from certdata.txt --to curl-pem=ours.pem
        expect_exit 0 "$name: the same bytes" cmp all.pem ours.pem
        # By the clock, it leaves out what has expired, and what has a date of distrust that is past: if
        # that is where it looks for it, and although the date is about what the root issued.
        expect_exit 0 "$name: curl's script today" perl "$peers/curl/scripts/mk-ca-bundle.pl" -n -q -d certdata.txt today.pem
        expect_exit 0 "$name: curl-pem today" xr extract --from certdata.txt --expired drop \
            --distrust-after drop-past --to curl-pem=our-today.pem
        if [[ -z $undated ]]; then
            expect_exit 0 "$name: the same bytes" cmp today.pem our-today.pem
        else
            expect_eq "$name: the script keeps what has its date elsewhere" \
                "$(diff today.pem our-today.pem | sed -nE '/^< [A-Z].*[^=]$/{N;s/^< (.*)\n< ==+$/\1/p}')" "$undated"
            expect_eq "$name: and there is no other difference" "$(diff today.pem our-today.pem | grep -c '^>' || true)" 0
        fi
    else
        skip 'not here: no Perl'
    fi
    cd "$T"
}
at_least() { # WHAT NUMBER MINIMUM
    if (($2 >= $3)); then
        ok "$1: $2"
    else
        bad "$1: $2, expected $3 at least"
    fi
}

list package "$mozilla/certdata.txt"
newest=$XR_SHARED/data/certdata/certdata-mozilla-nss-faad5d615a8b.txt
oldest=$XR_SHARED/data/certdata/certdata-nss-2020-06-12-9e941947a.txt
[[ ! -r $newest ]] || list newest "$newest" Izenpe.com
[[ ! -r $oldest ]] || list oldest "$oldest"
[[ -r $newest && -r $oldest ]] || skip 'not here: other releases of the list'

# What the package installed is its list and the files in extra/, which its Makefile adds.
cd "$T"
expect_exit 0 'the whole package' xr extract --from "$mozilla/certdata.txt" --from "$mozilla/extra" --merge --to debian=package.d
if [[ ${peers##*/} == "peers-$(dpkg-query -W -f '${source:Version}' ca-certificates 2>/dev/null)-"* ]]; then
    installed=/usr/share/ca-certificates/mozilla
    expect_exit 0 "all $(names "$installed" | wc -l) files that are installed" diff -r "$installed" package.d/mozilla
    grep -v '^#' package.d/ca-certificates.conf >ours || true
    expect_exit 0 'in the order of the C locale' env LC_ALL=C sort -c ours
    if [[ ! -r /etc/ca-certificates.conf ]] || grep -q '^!' /etc/ca-certificates.conf ||
        grep '^[^#]' /etc/ca-certificates.conf | grep -qv '^mozilla/'; then
        skip 'not here: ca-certificates.conf as it was installed'
    else
        grep -v '^#' /etc/ca-certificates.conf | LC_ALL=C sort >theirs
        expect_same 'its configuration' theirs ours
        expect_same 'with its head' <(grep '^#' /etc/ca-certificates.conf) <(grep '^#' package.d/ca-certificates.conf)
    fi
else
    skip 'not here: the ca-certificates whose sources these are'
fi
finish
