#include "lists.h"
enum xr_status xr_list_ccadb(struct xr_list *out, struct xr_bytes data, struct xr_error *err)
{
    (void)out;
    (void)data;
    return xr_fail(err, XR_UNSUPPORTED, "not yet");
}
enum xr_status xr_list_json(struct xr_list *out, struct xr_bytes data, struct xr_error *err)
{
    (void)out;
    (void)data;
    return xr_fail(err, XR_UNSUPPORTED, "not yet");
}
