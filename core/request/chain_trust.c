/* SPDX-License-Identifier: Apache-2.0 */
/* What sources and stores say of a certificate: may it be sent, may it end a chain? */
#include "chain_run.h"

bool xr_chain_distrusts(const struct xr_chaining *c, const struct xr_cert *cert)
{
    const struct xr_root *root = xr_list_find(&c->list, cert->sha256);
    struct xr_subject number = {0};
    size_t at = 0;

    xr_subject_issuer_serial(&number, cert->d.slices.issuer, cert->d.slices.serial, xr_x509_sha256);
    if (root == NULL && xr_idmap_get(&c->list.by_serial, number.id, &at) &&
        !c->list.roots.items[at].has_sha256)
        root = &c->list.roots.items[at];
    return root != NULL && (root->distrusted & c->purpose) != 0;
}

bool xr_chain_is_trusted(const struct xr_chaining *c, uint32_t trusted)
{
    return (trusted & (c->purpose == XR_SERVER ? XR_SERVER | XR_ANY_PURPOSE : ~0u)) != 0;
}

bool xr_chain_is_root(const struct xr_chaining *c, const struct xr_cert *cert)
{
    struct xr_pool *pool = &c->engine->report->pool;

    return xr_pool_kind(pool, xr_pool_find(pool, cert->sha256)) == XR_KIND_ROOT;
}

bool xr_chain_is_anchor(const struct xr_chaining *c, const struct xr_state *state)
{
    for (size_t i = 0; state != NULL && i < state->count; i++) {
        if (state->entries[i]->place == XR_ANCHOR &&
            xr_chain_is_trusted(c, state->entries[i]->purposes))
            return xr_state_in(state, XR_DISTRUST) == NULL;
    }
    return false;
}

bool xr_chain_anchors(const struct xr_chaining *c, const struct xr_run *run,
                      const struct xr_cert *cert)
{
    struct xr_subject subject = {.type = XR_SUBJECT_CERT};

    memcpy(subject.id, cert->sha256, sizeof(subject.id));
    return xr_chain_is_anchor(c, xr_snapshot_find(&run->snapshot, &subject));
}

bool xr_chain_lacks_roots(const struct xr_chaining *c, const struct xr_run *run)
{
    bool any = false;

    for (size_t i = 0; i < c->sending.left_out.count; i++) {
        const struct xr_sending_left *left = &c->sending.left_out.items[i];

        if (left->why != XR_UNSENT_ROOT)
            continue;
        any = true;
        if (xr_chain_anchors(c, run, c->view.items[left->at].cert))
            return false;
    }
    return any;
}

const char *xr_chain_refusal(const struct xr_chaining *c)
{
    if (xr_chain_distrusts(c, c->refused))
        return N_("is distrusted");
    return c->purpose == XR_SERVER ? N_("is not trusted for servers")
                                   : N_("is trusted for nothing");
}
