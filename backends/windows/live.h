/* SPDX-License-Identifier: Apache-2.0 */
/* System stores of the Windows that runs this, by CryptoAPI (wincrypt.h). */
#ifndef XR_WINDOWS_LIVE_H
#define XR_WINDOWS_LIVE_H

#include "entries.h"

#include <windows.h>

#include <wincrypt.h>

/* Gives Windows' error number as the reason. XR_DENIED if a privilege is missing. */
enum xr_status win_fail(struct xr_error *err, DWORD code, const char *what);

/* CryptoAPI's answer, from what is on this machine: nothing is fetched. machine: as for programs of
 * the machine, else as for this user's. */
enum xr_status win_ask(struct xr_verdict *out, const struct xr_host *host, bool machine,
                       const struct xr_probe *question, struct xr_error *err);

#endif
