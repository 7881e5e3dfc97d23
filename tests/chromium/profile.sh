# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who source it
# A profile of Chromium's in a home of its own. Sourced, with the plugin's path or nothing as $1.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
plugin=(${1:+--plugin "$1"})
/usr/bin/python3 -c 'import sqlite3' 2>/dev/null || skip_all 'no sqlite3 in /usr/bin/python3'
make_pki "$T/pki"
config=$HOME/.config/chromium
profile=$config/Default
file=$profile/ServerCertificate
store=chromium:$profile
old=$(sha "$P/old-root.pem")

mkdb() { /usr/bin/python3 "$here/mkdb.py" "$@"; }
usual() { # DIR: an anchor, a hint, a server's own, a block
    mkdir -p "$1"
    rm -rf "$1"/ServerCertificate*
    mkdb "$1/ServerCertificate" "$P/old-root.pem" trust+example.com+10.0.0.0/8 "$P/cross.pem" hint \
        "$P/leaf.pem" trust "$P/rsa-root.pem" block
}
one() { xr "${plugin[@]}" --store "$store" "$@"; }
