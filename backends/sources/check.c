/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a wanted state: can these sources hold it? */
#include "sources.h"

#include "p11files/private.h"

/* Checks the subject of a distrust without a certificate, in p11-kit's own files. */
static enum xr_status check_block(const struct xr_session *s, const struct xr_entry *entry,
                                  struct xr_error *err)
{
    if (entry->subject.type == XR_SUBJECT_CRL || entry->der.len > 0 ||
        entry->place != XR_DISTRUST || s->layout->family != CA_P11)
        return xr_fail(err, XR_REFUSED, "this store holds certificates only");
    if (entry->subject.type == XR_SUBJECT_ISSUER_SERIAL &&
        (entry->issuer.len == 0 || entry->serial.len == 0))
        return xr_fail(err, XR_INVALID, "an entry without an issuer, or without a serial");
    if (entry->native.len == 0 &&
        !(s->layout->objects && entry->subject.type == XR_SUBJECT_ISSUER_SERIAL))
        return xr_fail(err, XR_REFUSED,
                       "a distrust without the certificate can only be restored "
                       "here, not created");
    return XR_OK;
}

static enum xr_status check_cert(const struct xr_session *s, const struct xr_entry *entry,
                                 struct xr_error *err)
{
    struct xr_slices slices = {.size = sizeof(slices)};

    if (s->host->slices(&slices, entry->der, err) != XR_OK)
        return XR_INVALID;
    if (entry->native.len > 0)
        return XR_OK; /* restored as it was; a new entry has no record */
    if (entry->place != XR_ANCHOR && entry->place != XR_DISTRUST &&
        !(s->layout->objects && entry->place == XR_INTERMEDIATE))
        return xr_fail(err, XR_REFUSED, "this store has no place for a %s",
                       xr_place_name(entry->place));
    if (entry->place == XR_ANCHOR && entry->purposes != XR_ANY_PURPOSE && !s->layout->objects)
        return xr_fail(err, XR_REFUSED, "this store cannot restrict an anchor to a purpose");
    return XR_OK;
}

/* Checks that attached extensions match their OID. */
static bool attachable(const struct xr_entry *entry)
{
    bool good = entry->place == XR_ANCHOR;

    for (size_t i = 0; good && i < entry->attached_count; i++) {
        const struct xr_attached *attached = xr_attached_at(entry, i);
        struct xr_bytes oid = {0}, value = {0};

        good = pf_walk_extension(&oid, &value, attached->value) &&
               xr_bytes_equal(oid, attached->oid) && !PF_IS(oid, PF_OID_EKU);
    }
    return good;
}

enum xr_status ca_check_want(const struct xr_session *s, const struct xr_state *want,
                             struct xr_error *err)
{
    const unsigned both = XR_PLACE_BIT(XR_ANCHOR) | XR_PLACE_BIT(XR_INTERMEDIATE);
    enum xr_status status = XR_OK;
    unsigned places = 0;

    for (size_t i = 0; status == XR_OK && want != NULL && i < want->count; i++) {
        const struct xr_entry *entry = want->entries[i];

        if (entry->attached_count > 0 &&
            (!s->layout->objects || (entry->native.len == 0 && !attachable(entry))))
            return xr_fail(err, XR_REFUSED, "this store cannot hold attached extensions");
        status = entry->subject.type == XR_SUBJECT_CERT ? check_cert(s, entry, err)
                                                        : check_block(s, entry, err);
        if (entry->native.len == 0)
            places |= XR_PLACE_BIT(entry->place);
        if (status == XR_OK && (places & both) == both)
            status = xr_fail(err, XR_REFUSED,
                             "a certificate can be an anchor or an intermediate, not "
                             "both");
    }
    return status;
}
