/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two lists. Pure. */
#ifndef XR_LISTS_DIFF_H
#define XR_LISTS_DIFF_H

#include "lists.h"

enum xr_diff_kind { XR_DIFF_ADDED, XR_DIFF_REMOVED, XR_DIFF_CHANGED };
enum { XR_DIFF_KINDS = XR_DIFF_CHANGED + 1 };

/* What changed of a certificate that both lists have. */
enum xr_diff_what {
    XR_DIFF_TRUST = 1u << 0, /* a purpose is trusted, distrusted or neither, as it was not before */
    XR_DIFF_SERVER_AFTER = 1u << 1,
    XR_DIFF_EMAIL_AFTER = 1u << 2,
    XR_DIFF_LIMITS = 1u << 3,
    XR_DIFF_LABEL = 1u << 4,
};

struct xr_diff_row {
    enum xr_diff_kind kind;
    const struct xr_root *before, *after; /* of the lists; NULL on the side that does not have it */
    const struct xr_root *known; /* the one of the two that tells more of the certificate */
    unsigned what;               /* of XR_DIFF_CHANGED */
    /* What each side trusts and distrusts it for, of the purposes that are compared: XR_ANY_PURPOSE
     * alone, where that is all there are. Of a side that is silent nobody should say what for. */
    uint32_t trusted[2], distrusted[2];
    char *name; /* for people, visible: of the later list where that has one */
};

struct xr_diff {
    struct xr_diff_row *items; /* by kind, then by name, then by SHA-256 */
    size_t count, capacity;
    size_t of_kind[XR_DIFF_KINDS];
    size_t same; /* certificates that both have, without a difference */
};

struct xr_diff_options {
    /* Only these are compared: a certificate that a list neither trusts nor distrusts for them is not in
     * it. 0: all, and what is trusted for nothing is in the list too. */
    uint32_t purposes;
    /* The side does not say what for. Without purposes, only whether something is trusted, or distrusted,
     * is compared then, and what is neither is in no list. */
    bool silent[2];
    bool no_dates;  /* a side cannot tell dates: none is compared */
    bool no_labels; /* the sides name certificates each in its own way */
};
void xr_diff_lists(struct xr_diff *out, const struct xr_list *before, const struct xr_list *after,
                   const struct xr_diff_options *options);
void xr_diff_free(struct xr_diff *diff);

#endif
