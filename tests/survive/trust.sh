#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Orders of install, remove, distrust, undo, recover and kills over stores of every kind: no real reader
# trusts what nobody asked for, and all trust what was reported done. trust_orders.py has the model.
# shellcheck source=tests/survive/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
chmod 755 "$T"
scenarios=8 steps=8
[[ $XR_FULL != 1 ]] || scenarios=160 steps=14

export PYTHONDONTWRITEBYTECODE=1 XR_BIN XR_WORKER
orders() { # FIRST EVERY
    timeout -k 5 3000 python3 "$here/trust_orders.py" "$T" "$scenarios" "$steps" "$1" "$2"
}
# The first makes the certificates.
python3 "$here/trust_orders.py" "$T" 0 0 0 1 >"$T/none"
for first in 0 1; do
    orders $first 2 >"$T/orders.$first" 2>&1 &
done
wait
tried=0 violations=0
for first in 0 1; do
    grep -v '^TRIED' "$T/orders.$first" | cat -v | head -n 60 || true
    read -r _ n commands answers wrong <<<"$(grep '^TRIED' "$T/orders.$first" || echo 'TRIED 0 0 0 1')"
    printf '      %s scenarios, %s commands, %s answers of readers\n' "$n" "$commands" "$answers"
    tried=$((tried + n)) violations=$((violations + wrong))
done
row 'trust: orders of install, remove, distrust, undo, recover and kills; what readers trust' \
    "$tried scenarios" "$violations"
finish
