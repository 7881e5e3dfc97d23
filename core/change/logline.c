/* SPDX-License-Identifier: Apache-2.0 */
#include "logline.h"

#include <stdlib.h>

/* Bytes of a value between its quotes. The sum of all, with the fixed fields, leaves room for one
 * SHA-256 at least. */
enum { WHO_MAX = 64, ADDRESS_MAX = 256, ROOT_MAX = 128, WHY_MAX = 128 };

/* A value from outside: escaped as for a terminal, then quotes and backslashes, so that nothing in it
 * can pass for another field or another line; ASCII "..." stands for what is cut off. */
static void quoted(struct xr_buf *out, const char *name, const char *value, size_t most)
{
    char *shown = xr_visible(value);
    size_t len = strlen(shown);
    struct xr_buf text = {0};
    size_t fits = 0; /* whole characters, with room for the dots */

    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, (const unsigned char *)shown + i, len - i);

        if (shown[i] == '"' || shown[i] == '\\')
            xr_buf_str(&text, "\\");
        xr_buf_add(&text, shown + i, used > 0 ? used : 1);
        i += used > 0 ? used : 1;
        if (text.len + 3 <= most)
            fits = text.len;
    }
    if (text.len > most)
        xr_buf_fmt(out, " %s=\"%.*s...\"", name, (int)fits, text.data);
    else
        xr_buf_fmt(out, " %s=\"%s\"", name, text.data != NULL ? text.data : "");
    xr_buf_free(&text);
    free(shown);
}

struct counts {
    size_t add, change, remove;
    unsigned places; /* bits 1 << enum xr_place */
};

static struct counts count(const struct xr_part *part)
{
    struct counts counts = {0};

    for (size_t i = 0; i < part->count; i++) {
        const struct xr_change *change = &part->items[i];
        const struct xr_state *states[] = {change->before, change->want};

        counts.add += change->before == NULL;
        counts.remove += change->want == NULL;
        counts.change += change->before != NULL && change->want != NULL;
        for (size_t k = 0; k < 2; k++) {
            for (size_t e = 0; states[k] != NULL && e < states[k]->count; e++)
                counts.places |= 1u << states[k]->entries[e]->place;
        }
    }
    return counts;
}

static void add_places(struct xr_buf *out, unsigned places)
{
    bool first = true;

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if ((places & 1u << place) == 0)
            continue;
        xr_buf_fmt(out, "%s%s", first ? " place=" : ",", xr_place_name((enum xr_place)place));
        first = false;
    }
}

/* As many as fit. */
static void add_subjects(struct xr_buf *out, const struct xr_part *part, size_t room)
{
    const size_t more = strlen(" more=4294967295");
    size_t i = 0;

    for (; i < part->count; i++) {
        char hex[2 * XR_SHA256_LEN + 1];

        if (i > 0 && out->len + 1 + 2 * XR_SHA256_LEN + more > room)
            break;
        xr_hex(hex, part->items[i].subject.id, XR_SHA256_LEN);
        xr_buf_fmt(out, "%s%s", i == 0 ? " sha256=" : ",", hex);
    }
    if (i < part->count)
        xr_buf_fmt(out, " more=%zu", part->count - i);
}

void xr_log_part(const struct xr_txn *txn, const struct xr_run *run, const struct xr_part *part,
                 enum xr_result result, const char *why)
{
    const struct xr_transaction *t = &txn->journal->items[txn->transaction];
    struct counts counts;
    struct xr_buf line = {0}, reason = {0};

    if (txn->log == NULL)
        return;
    counts = count(part);
    xr_buf_fmt(&line, "%.16s result=%s transaction=%s", t->command, xr_result_name(result), t->id);
    if (t->undoes[0] != '\0')
        xr_buf_fmt(&line, " undoes=%s", t->undoes);
    if (txn->recovers)
        xr_buf_str(&line, " recovered=yes");
    xr_buf_fmt(&line, " uid=%lu", txn->site->uid);
    if (txn->has_invoker)
        xr_buf_fmt(&line, " invoker=%lu", (unsigned long)txn->invoker);
    if (txn->by != NULL)
        quoted(&line, "by", txn->by, WHO_MAX);
    quoted(&line, "store", run->address, ADDRESS_MAX);
    if (txn->site->root != NULL)
        quoted(&line, "root", txn->site->root, ROOT_MAX);
    xr_buf_fmt(&line, " add=%zu change=%zu remove=%zu", counts.add, counts.change, counts.remove);
    add_places(&line, counts.places);
    if (why != NULL)
        quoted(&reason, "why", why, WHY_MAX);
    add_subjects(&line, part, XR_LOG_LINE_MAX - reason.len);
    if (reason.data != NULL)
        xr_buf_str(&line, reason.data);
    txn->log(txn->ctx, line.data);
    xr_buf_free(&line);
    xr_buf_free(&reason);
}
