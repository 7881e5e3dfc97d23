# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the harnesses: each builds many bad states of the world, looks at what crossroot makes of
# them, and prints one row a kind for the table of `./dev survive`.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../cli/lib.sh"

# 1: all states, as ./dev survive wants them; 0: a sample of every kind, as ./dev test does
XR_FULL=${XR_FULL:-0}

# sampled N EVERY: is the N-th state tried? All of them in a full run, else one in EVERY.
sampled() {
    [[ $XR_FULL == 1 ]] || (($1 % $2 == 0))
}

# row WHAT TRIED VIOLATIONS: counts for the table. WHAT is "KIND: what was done", with a kind of table.awk;
# TRIED counts states with their unit ("1928 faults"), VIOLATIONS is a number. More than none fails the
# harness.
row() {
    local what=$1 tried=$2 violations=$3
    printf 'SURVIVED\t%s\t%s\t%s\n' "$what" "$tried" "$violations"
    if [[ ${tried%% *} -gt 0 && $violations -eq 0 ]]; then
        ok "$what: $tried, no violation"
    else
        bad "$what: $tried, $violations violations"
    fi
}

# --- every kind of store, for those whose work is done in Python by kinds.py

# survey_kinds: the kinds that can be tried here, to $kinds, and fixtures. Needs a mount namespace where
# p11-kit's configuration is the machine's, as root's is.
survey_kinds() {
    local conf=''
    command -v python3 >/dev/null || skip_all 'no python3'
    make_pki "$T/pki"
    export P T PYTHONDONTWRITEBYTECODE=1
    kinds=(openssl debian fedora)
    if command -v certutil >/dev/null; then kinds+=(nss); else skip 'no certutil: NSS is not tried'; fi
    if ! command -v trust >/dev/null; then
        skip 'no trust: p11-kit is not tried'
    elif [[ $(id -u) -ne 0 ]]; then
        conf=$HOME/.config/pkcs11/modules
        mkdir -p "$conf"
        echo 'user-config: only' >"$HOME/.config/pkcs11/pkcs11.conf"
    elif [[ -n ${XR_IN_NAMESPACE:-} && -d /usr/share/p11-kit/modules ]]; then
        conf=$T/modules
        mkdir "$conf"
        mount --bind "$conf" /usr/share/p11-kit/modules
    else
        skip 'no mount namespace: p11-kit is not tried'
    fi
    if [[ -n $conf ]]; then
        kinds+=(p11-kit)
        printf "module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths='%s'\n" \
            "$T/p11-kit/work/store/token" >"$conf/trust.module"
    fi
    if [[ -n ${XR_HIVE_PLUGIN:-} ]] && command -v hivexsh >/dev/null; then
        kinds+=(windows)
    else
        skip 'no libhivex or no hivexsh: hives of Windows are not tried'
    fi
    [[ -z ${XR_ONLY:-} ]] || read -ra kinds <<<"$XR_ONLY" # for whoever looks into one
}

# try_all WHAT: calls try KIND for each of $kinds, two at a time, NSS beside all others because it takes
# longest. What it leaves in $T/said.KIND is printed, and each of its lines "FAULTS", of what (or -), number,
# violations, with tabs, becomes a row.
try_all() {
    local what=$1 kind pid of tried wrong
    (! [[ " ${kinds[*]} " == *' nss '* ]] || try nss) &
    pid=$!
    for kind in "${kinds[@]}"; do
        [[ $kind == nss ]] || try "$kind"
    done
    wait "$pid" || true
    for kind in "${kinds[@]}"; do
        grep -v '^FAULTS' "$T/said.$kind" | cat -v || true
        while IFS=$'\t' read -r _ of tried wrong; do
            [[ $of == - ]] || of=", $of"
            row "$what: $kind${of#-}" "$tried faults" "$wrong"
        done < <(grep '^FAULTS' "$T/said.$kind")
    done
    finish
}
