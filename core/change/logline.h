/* SPDX-License-Identifier: Apache-2.0 */
/* What the system's log is told of one store's part in a transaction: one line. docs/safety.md
 * describes it. */
#ifndef XR_LOGLINE_H
#define XR_LOGLINE_H

#include "part.h"

#define XR_LOG_LINE_MAX 1000u /* bytes: with the head of a classic syslog message, below 1024 */

/* Gives txn->log the line of the run's part, xr_txn_part, which swapped at least one subject or tried to. Called
 * before the end is recorded in the journal: a crash in between leaves the part open, and its recovery
 * gives another line. why: the reason of a result that is not as asked, or NULL. */
void xr_log_part(const struct xr_txn *txn, const struct xr_run *run, const struct xr_part *part,
                 enum xr_result result, const char *why);

#endif
