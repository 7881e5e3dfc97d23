# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a test with real browsers needs: the programs, and a network namespace, which ${alone[@]} gives.
# Sourced after cli/lib.sh.
for name in DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS \
    $(compgen -e | grep -E '^(MOZ_|NSS_|CHROM)' || true); do
    unset "$name"
done
for program in firefox-esr chromium certutil modutil ip; do
    command -v "$program" >/dev/null || skip_all "no $program here"
done
alone=(unshare --net)
[[ $(id -u) -eq 0 ]] || alone+=(--map-root-user)
"${alone[@]}" true 2>/dev/null || skip_all 'neither root nor user namespaces here'
