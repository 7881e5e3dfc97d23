# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Browsers under the driver, and three servers for them to ask: of the leaf alone, of the leaf and its
# CA, and of these and the cross certificate. Sourced; the PKI is in the working directory then.
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"
# shellcheck source=tests/nss/needs.sh
. "$here/needs.sh"
make_pki "$T/pki"
cd "$P"

# --- the driver

# Before it a command may prepare a mount namespace of its own: $beforehand, in which $T is known.
# shellcheck disable=SC2016 # the inner shell's
coproc driver {
    exec env T="$T" "${alone[@]}" ${beforehand:+--mount} \
        sh -c "${beforehand:-true}"' && ip link set lo up && exec /usr/bin/python3 "$1"' sh \
        "$here/browser.py" 2>"$T/driver.log"
}
# tell WORD...: its answer is $REPLY
tell() {
    local IFS=$'\t'
    printf '%s\n' "$*" >&"${driver[1]}"
    IFS= read -r -t 200 REPLY <&"${driver[0]}" || {
        bad "the driver is gone: $*"
        cat "$T/driver.log"
        exit 1
    }
    case $REPLY in
    error:*) bad "$*: $REPLY" ;;
    esac
}

cat leaf.pem sub.pem >leaf-sub.pem
cat leaf.pem sub.pem cross.pem >leaf-sub-cross.pem
ports=()
for chain in leaf leaf-sub leaf-sub-cross; do
    tell serve "$P/leaf.key" "$P/$chain.pem"
    ports+=("$REPLY")
done

