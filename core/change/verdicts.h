/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verifiers of this request have answered. Stores of one backend and one user whose content
 * is the same get the same answer to the same question, so only one of them is asked.
 */
#ifndef XR_VERDICTS_H
#define XR_VERDICTS_H

#include "stores/store.h"

struct xr_verdicts {
    struct xr_verdict_known {
        struct xr_verdict verdict;
        enum {
            XR_VERDICT_UNASKED,
            XR_VERDICT_ASKING, /* a thread is at it */
            XR_VERDICT_KNOWN,
            XR_VERDICT_FAILED /* whoever was asked gave no answer */
        } state;
        size_t taken; /* by how many stores */
    } * items;
    size_t count, capacity;
    struct xr_idmap by_question;
};
void xr_verdicts_free(struct xr_verdicts *verdicts);

/* Whose answers are the same. */
struct xr_alike {
    const struct xr_loaded *backend;
    const struct xr_worker_config *worker; /* as whom */
    const unsigned char *content;          /* digest, see struct xr_backend */
};
/* Index of the question to such stores; stays valid. */
size_t xr_verdicts_at(struct xr_verdicts *verdicts, const struct xr_alike *alike,
                      const struct xr_probe *probe);

/* How many stores an answer was asked for; at: the question, or XR_NONE if one was asked for itself. */
size_t xr_verdicts_alike(const struct xr_verdicts *verdicts, size_t at);

#endif
