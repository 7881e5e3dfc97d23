/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the sources as entries of the store. */
#include "sources.h"

#include <stdlib.h>

static bool ours(const struct ca_cert *cert)
{
    char hex[2 * XR_SHA256_LEN + 1];
    const char *name = ca_name(cert->file->path);

    xr_hex(hex, cert->subject.id, XR_SHA256_LEN);
    return !cert->by_list && !cert->vendor && strncmp(name, CA_OURS, strlen(CA_OURS)) == 0 &&
           strncmp(name + strlen(CA_OURS), hex, strlen(hex)) == 0;
}

void ca_shown_init(struct ca_shown *out, const struct xr_session *s, const struct ca_cert *cert)
{
    struct xr_entry *entry = &out->entry;

    *out = (struct ca_shown){.entry = {.size = sizeof(*entry)}};
    ca_native(&out->native, s, cert);
    entry->subject = cert->subject;
    entry->issuer = cert->issuer;
    entry->serial = cert->serial;
    entry->place = cert->place;
    entry->purposes = cert->purposes;
    entry->der = cert->der;
    entry->remark = cert->remark;
    entry->flags = (cert->vendor ? (uint32_t)XR_ENTRY_VENDOR : 0u) |
                   (ours(cert) ? (uint32_t)XR_ENTRY_OURS : 0u);
    if (!(entry->flags & XR_ENTRY_OURS))
        entry->label = out->label = xr_visible(ca_name(cert->file->path));
    if (s->layout->objects) {
        entry->attached_count =
            ca_attached(&out->attached, &s->p11, &s->p11.certs.items[cert->object], false);
        entry->attached = out->attached;
    }
    if (s->contested && cert->file->area == PF_BLOCKLIST)
        entry->remark =
            N_("p11-kit reads only one of the directories blocklist and blacklist, by its "
               "release; here both count");
    if (s->layout->family == CA_P11 && s->p11.certs.items[cert->object].dated)
        entry->remark = N_("NSS trusts only what it issued before a date, which is in its file");
    if (s->layout->family == CA_P11 && entry->place == XR_ANCHOR &&
        s->p11.certs.items[cert->object].left_out)
        entry->remark = N_("OpenSSL cannot decode it, so it is published nowhere");
    if (s->layout->objects && entry->place == XR_ANCHOR && !s->p11.certs.items[cert->object].usable)
        entry->remark =
            N_("p11-kit gives it to no program because an attached extension is malformed");
    entry->native = (struct xr_bytes){(const unsigned char *)out->native.data, out->native.len};
}

void ca_shown_free(struct ca_shown *shown)
{
    free(shown->attached);
    xr_buf_free(&shown->native);
    free(shown->label);
}

enum xr_status ca_list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    /* A flush has just read what a swap wrote, so it need not be read again. */
    enum xr_status status = s->fresh ? XR_OK : ca_load(s, err);

    s->fresh = false;
    for (size_t i = 0; status == XR_OK && i < s->certs.count; i++) {
        struct ca_shown shown;

        ca_shown_init(&shown, s, &s->certs.items[i]);
        status = emit(ctx, &shown.entry);
        ca_shown_free(&shown);
    }
    return status;
}
