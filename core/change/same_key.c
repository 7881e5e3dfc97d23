/* SPDX-License-Identifier: Apache-2.0 */
#include "same_key.h"

#include <stdlib.h>

static bool has_limits(const struct xr_cert *cert)
{
    return cert->d.name_constraints || cert->d.pathlen >= 0 || cert->d.has_eku;
}

static struct xr_subject pair_of(struct xr_bytes issuer, struct xr_bytes serial)
{
    struct xr_subject pair;

    xr_subject_issuer_serial(&pair, issuer, serial, xr_x509_sha256);
    return pair;
}

static struct xr_subject key_of(const unsigned char spki[XR_SHA256_LEN])
{
    struct xr_subject key = {.type = XR_SUBJECT_KEY};

    memcpy(key.id, spki, sizeof(key.id));
    return key;
}

/* ---- what the store holds ---- */

/* The key or pair that a state is about; false if it is about neither, or about a certificate that
 * nobody has parsed. other: the certificate, or NULL. */
static bool about(struct xr_subject *out, const struct xr_cert **other,
                  const struct xr_same_key *same, const struct xr_state *state)
{
    size_t at = XR_NONE;

    *other = NULL;
    switch (state->subject.type) {
    case XR_SUBJECT_CERT:
        at = xr_pool_find(same->pool, state->subject.id);
        if (at == XR_NONE)
            return false;
        *other = same->pool->items[at].cert;
        *out = key_of((*other)->spki_sha256);
        return true;
    case XR_SUBJECT_KEY:
        *out = state->subject;
        return true;
    case XR_SUBJECT_ISSUER_SERIAL:
        /* its entry says what it is about, whatever it is called */
        if (state->count > 0)
            *out = pair_of(state->entries[0]->issuer, state->entries[0]->serial);
        return state->count > 0;
    case XR_SUBJECT_CRL:
        return false;
    }
    return false;
}

static enum xr_reason reason_of(const struct xr_state *state, const struct xr_cert *other)
{
    const struct xr_entry *anchor = xr_state_in(state, XR_ANCHOR);
    bool distrusts = xr_state_in(state, XR_DISTRUST) != NULL;

    if (state->subject.type == XR_SUBJECT_ISSUER_SERIAL)
        return distrusts ? XR_REASON_SERIAL : XR_REASONS;
    if (distrusts)
        return XR_REASON_KEY;
    if (anchor != NULL && anchor->attached_count > 0)
        return XR_REASON_ATTACHED;
    return other != NULL && has_limits(other) ? XR_REASON_LIMITS : XR_REASONS;
}

static void take_state(struct xr_same_key *same, size_t index)
{
    const struct xr_state *state = same->snapshot->items[index];
    const struct xr_cert *other = NULL;
    struct xr_subject subject;
    unsigned char id[XR_SHA256_LEN];
    enum xr_reason reason = XR_REASONS;
    bool added = false;
    size_t at = 0, *first = NULL;

    if (!about(&subject, &other, same, state))
        return;
    reason = reason_of(state, other);
    if (reason == XR_REASONS)
        return;
    xr_subject_key(id, &subject);
    at = xr_idmap_put(&same->map, id, same->found.count, &added);
    if (added) {
        struct xr_reasons *found = XR_PUSH(&same->found);

        for (size_t i = 0; i < XR_REASONS; i++)
            found->at[i][0] = found->at[i][1] = XR_NONE;
    }
    first = same->found.items[at].at[reason];
    if (first[0] == XR_NONE)
        first[0] = index;
    else if (first[1] == XR_NONE)
        first[1] = index;
}

static const struct xr_reasons *reasons_for(struct xr_same_key *same,
                                            const struct xr_subject *subject)
{
    unsigned char id[XR_SHA256_LEN];
    size_t at = 0;

    for (size_t i = 0; !same->made && i < same->snapshot->count; i++)
        take_state(same, i);
    same->made = true;
    xr_subject_key(id, subject);
    return xr_idmap_get(&same->map, id, &at) ? &same->found.items[at] : NULL;
}

/* ---- questions ---- */

/* The first state with that reason that is not of the step's own subject. Of that there is only one, so
 * two tell. */
static size_t first_other(const struct xr_same_key *same, const struct xr_reasons *reasons,
                          enum xr_reason reason, const struct xr_step *step)
{
    for (size_t i = 0; reasons != NULL && i < 2 && reasons->at[reason][i] != XR_NONE; i++) {
        size_t at = reasons->at[reason][i];

        if (!xr_subject_equal(&same->snapshot->items[at]->subject, &step->subject))
            return at;
    }
    return XR_NONE;
}

void xr_same_key_ask(struct xr_same_key *same, struct xr_step *step)
{
    static const char *const questions[XR_REASONS] = {
        [XR_REASON_SERIAL] = N_("it is distrusted in this store by issuer and serial number"),
        [XR_REASON_KEY] = N_("its key is distrusted in this store"),
        [XR_REASON_ATTACHED] = N_("its key has constraints in this store"),
        [XR_REASON_LIMITS] = N_("its key has constraints in this store"),
    };
    const struct xr_cert *cert =
        step->pool_at == XR_NONE ? NULL : same->pool->items[step->pool_at].cert;
    const struct xr_reasons *of_key = NULL, *of_pair = NULL;
    struct xr_subject key, pair;
    size_t at[XR_REASONS];

    if (cert == NULL)
        return;
    key = key_of(cert->spki_sha256);
    pair = pair_of(cert->d.slices.issuer, cert->d.slices.serial);
    of_key = reasons_for(same, &key);
    of_pair = reasons_for(same, &pair);
    for (unsigned i = 0; i < XR_REASONS; i++)
        at[i] =
            first_other(same, i == XR_REASON_SERIAL ? of_pair : of_key, (enum xr_reason)i, step);
    if (has_limits(cert))
        at[XR_REASON_LIMITS] = XR_NONE;
    for (;;) { /* in the order of the store */
        unsigned next = 0;

        for (unsigned i = 1; i < XR_REASONS; i++)
            next = at[i] < at[next] ? i : next;
        if (at[next] == XR_NONE)
            return;
        xr_step_ask(step, questions[next], false);
        at[next] = XR_NONE;
    }
}

void xr_same_key_free(struct xr_same_key *same)
{
    xr_idmap_free(&same->map);
    free(same->found.items);
    *same = (struct xr_same_key){0};
}
