/* SPDX-License-Identifier: Apache-2.0 */
#include "verdicts.h"

#include "certs/model.h"
#include "stores/registry.h"

#include <stdlib.h>

void xr_verdicts_free(struct xr_verdicts *verdicts)
{
    free(verdicts->items);
    xr_idmap_free(&verdicts->by_question);
    *verdicts = (struct xr_verdicts){0};
}

size_t xr_verdicts_at(struct xr_verdicts *verdicts, const struct xr_alike *alike,
                      const struct xr_probe *probe)
{
    unsigned char question[XR_SHA256_LEN];
    struct xr_buf text = {0};
    bool added = false;
    size_t at = 0;

    xr_put_text(&text, alike->backend->table.name);
    xr_put_number(&text, alike->worker->has_identity);
    xr_put_number(&text, alike->worker->has_identity ? alike->worker->uid : 0);
    xr_put_bytes(&text, (struct xr_bytes){alike->content, XR_SHA256_LEN});
    xr_put_number(&text, probe->purpose);
    xr_put_text(&text, probe->host);
    xr_put_number(&text, (uint64_t)probe->at);
    xr_put_number(&text, probe->count);
    for (size_t i = 0; i < probe->count; i++)
        xr_put_bytes(&text, probe->chain[i]);
    xr_host.sha256(question, (struct xr_bytes){(const unsigned char *)text.data, text.len});
    xr_buf_free(&text);
    at = xr_idmap_put(&verdicts->by_question, question, verdicts->count, &added);
    if (added)
        *XR_PUSH(verdicts) = (struct xr_verdict_known){.state = XR_VERDICT_UNASKED};
    return at;
}

size_t xr_verdicts_alike(const struct xr_verdicts *verdicts, size_t at)
{
    return at != XR_NONE ? verdicts->items[at].taken : 1;
}
