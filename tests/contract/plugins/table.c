/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that the registry must refuse, or load although they are older or newer; which one is
 * chosen by TABLE_KIND. None of them holds anything. */
#include <crossroot/backend.h>

#define GOOD     0
#define OLD      1 /* compiled before flush and probe were thought of */
#define NEWER    2 /* compiled after somebody thought of more */
#define WRONGABI 3
#define LACKING  4 /* no swap */
#define NOSYMBOL 5
#define NULLED   6
#define BADNAME  7
#define HALFOP   8  /* ends in the middle of a pointer */
#define SHORT    9  /* ends before the required operations do */
#define SECOND   10 /* the name of a built-in backend */

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    (void)host, (void)site, (void)scope, (void)emit, (void)ctx, (void)err;
    return XR_OK;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    static int session;

    (void)host, (void)target, (void)mode, (void)err;
    caps->writable = true;
    caps->places[XR_ANCHOR] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    *out = (struct xr_session *)(void *)&session;
    return XR_OK;
}

static void session_close(struct xr_session *session)
{
    (void)session;
}

static enum xr_status list(struct xr_session *session, xr_entry_fn emit, void *ctx,
                           struct xr_error *err)
{
    (void)session, (void)emit, (void)ctx, (void)err;
    return XR_OK;
}

#if TABLE_KIND != LACKING
static enum xr_status swap(struct xr_session *session, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    (void)session, (void)expect, (void)want;
    return xr_error_set(err, XR_REFUSED, "", 0, "this store holds nothing");
}
#endif

/* What lies behind a table is not the table's: here, pointers that would crash. */
static const struct {
    struct xr_backend table;
    uintptr_t behind[8];
} padded = {
    .table =
        {
            .abi = TABLE_KIND == WRONGABI ? XR_ABI_VERSION + 41 : XR_ABI_VERSION,
#if TABLE_KIND == OLD
            .size = offsetof(struct xr_backend, flush),
            .flush = (void *)16,
            .probe = (void *)16,
#elif TABLE_KIND == HALFOP
            .size = offsetof(struct xr_backend, flush) + sizeof(void *) / 2,
            .flush = (void *)0x1010101010101010,
            .probe = (void *)16,
#elif TABLE_KIND == SHORT
            .size = offsetof(struct xr_backend, swap),
#elif TABLE_KIND == NEWER
            .size = sizeof(struct xr_backend) + sizeof(uintptr_t) * 8,
#else
            .size = sizeof(struct xr_backend),
#endif
            .name = TABLE_NAME,
            .discover = discover,
            .open = session_open,
            .close = session_close,
            .list = list,
#if TABLE_KIND != LACKING
            .swap = swap,
#endif
        },
    .behind = {16, 16, 16, 16, 16, 16, 16, 16},
};

#if TABLE_KIND == NOSYMBOL
XR_BACKEND_EXPORT const struct xr_backend *some_other_symbol(void);
XR_BACKEND_EXPORT const struct xr_backend *some_other_symbol(void)
#else
XR_BACKEND_EXPORT const struct xr_backend *xr_backend_entry(void);
XR_BACKEND_EXPORT const struct xr_backend *xr_backend_entry(void)
#endif
{
    return TABLE_KIND == NULLED ? NULL : &padded.table;
}
