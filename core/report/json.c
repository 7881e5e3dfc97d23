/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#define SCHEMA 1

/* DEL is the one control character jansson leaves as it is; inside strings it may be escaped. */
static int put(const char *buffer, size_t size, void *data)
{
    FILE *out = data;

    for (size_t i = 0; i < size;) {
        const char *del = memchr(buffer + i, 0x7f, size - i);
        size_t len = del == NULL ? size - i : (size_t)(del - buffer) - i;

        if (fwrite(buffer + i, 1, len, out) != len)
            return -1;
        i += len;
        if (del != NULL) {
            if (fputs("\\u007f", out) == EOF)
                return -1;
            i++;
        }
    }
    return 0;
}

static void dump(json_t *value, FILE *out)
{
    /* What else may fail is the writing, which the caller sees by itself. */
    if (value == NULL ||
        (json_dump_callback(value, put, out, JSON_ENSURE_ASCII | JSON_ENCODE_ANY) != 0 &&
         ferror(out) == 0))
        xr_out_of_memory();
    json_decref(value);
}

/* Writes one member of the document's object: an array whose rows are made and freed one by one,
 * since an inspection may have a hundred thousand. */
struct rows {
    FILE *out;
    size_t count;
};

static void begin_rows(struct rows *rows, const char *key)
{
    (void)fprintf(rows->out, ",\n\"%s\": [", key);
    rows->count = 0;
}

static void row(struct rows *rows, json_t *value)
{
    (void)fputs(rows->count++ > 0 ? ",\n" : "\n", rows->out);
    dump(value, rows->out);
}

static void end_rows(struct rows *rows)
{
    (void)fputs(rows->count > 0 ? "\n]" : "]", rows->out);
}

static void messages(struct rows *rows, const struct xr_report *report)
{
    begin_rows(rows, "messages");
    for (size_t i = 0; i < report->messages.count; i++) {
        const struct xr_message *message = &report->messages.items[i];
        json_t *value = json_object();

        xr_json_set(value, "level", json_string(xr_level_name(message->level)));
        xr_json_set(value, "text", xr_json_string(message->text));
        if (message->store != NULL)
            xr_json_set(value, "store", xr_json_string(message->store));
        row(rows, value);
    }
    end_rows(rows);
}

static void member(struct rows *rows, const char *key, json_t *value)
{
    (void)fprintf(rows->out, ",\n\"%s\": ", key);
    dump(value, rows->out);
}

static void inspection(struct rows *rows, const struct xr_report *report)
{
    begin_rows(rows, "certificates");
    for (size_t i = 0; i < report->input.found.count; i++) {
        if (report->input.found.items[i].cert != NULL)
            row(rows, xr_json_certificate(report, &report->input.found.items[i],
                                          &report->inspected.items[i]));
    }
    end_rows(rows);
    begin_rows(rows, "crls");
    for (size_t i = 0; i < report->input.found.count; i++) {
        if (report->input.found.items[i].crl != NULL)
            row(rows, xr_json_crl(&report->input.found.items[i]));
    }
    end_rows(rows);
    member(rows, "rejected", xr_json_rejected(report));
}

/* What is shown of one kind: certificates, CRLs, or what is neither. */
static void shown(struct rows *rows, const struct xr_report *report, const char *key)
{
    begin_rows(rows, key);
    for (size_t i = 0; i < report->shown.count; i++) {
        const struct xr_shown *one = &report->shown.items[i];
        const struct xr_input_item *item =
            one->item != XR_NONE ? &report->input.found.items[one->item] : NULL;
        const char *kind = item == NULL ? "others" : item->cert != NULL ? "certificates" : "crls";
        json_t *value = NULL;

        if (strcmp(kind, key) != 0)
            continue;
        if (item == NULL) {
            value = json_object();
            xr_json_set(value, "id", xr_json_hex(one->subject.id, sizeof(one->subject.id)));
        } else {
            value = item->cert != NULL
                        ? xr_json_certificate(report, item, &report->inspected.items[one->item])
                        : xr_json_crl(item);
        }
        xr_json_set(value, "stores", xr_json_holders(report, &one->subject));
        row(rows, value);
    }
    end_rows(rows);
}

static void comparison(struct rows *rows, const struct xr_report *report)
{
    static const char *const keys[] = {
        [XR_DIFF_ADDED] = "added", [XR_DIFF_REMOVED] = "removed", [XR_DIFF_CHANGED] = "changed"};
    const struct xr_diff *diff = &report->compared.diff;

    member(rows, "before", xr_json_string(report->compared.names[0]));
    member(rows, "after", xr_json_string(report->compared.names[1]));
    member(rows, "same", json_integer((json_int_t)diff->same));
    member(rows, "dates_compared", json_boolean(!report->compared.options.no_dates));
    for (unsigned kind = 0; kind < XR_DIFF_KINDS; kind++) {
        begin_rows(rows, keys[kind]);
        for (size_t i = 0; i < diff->count; i++) {
            if (diff->items[i].kind == (enum xr_diff_kind)kind)
                row(rows, xr_json_diff_row(report, &diff->items[i]));
        }
        end_rows(rows);
    }
}

static void chain(struct rows *rows, const struct xr_report *report)
{
    const struct xr_chain *chain = &report->chain;

    begin_rows(rows, "chain");
    for (size_t i = 0; i < chain->rows.count; i++)
        row(rows, xr_json_chain_row(report, &chain->rows.items[i]));
    end_rows(rows);
    begin_rows(rows, "left_out");
    for (size_t i = 0; i < chain->left_out.count; i++)
        row(rows, xr_json_chain_left(report, &chain->left_out.items[i]));
    end_rows(rows);
    begin_rows(rows, "stores");
    for (size_t i = 0; i < chain->stores.count; i++)
        row(rows, xr_json_chain_store(report, &chain->stores.items[i]));
    end_rows(rows);
    member(rows, "useful_until", chain->has_until ? xr_json_when(chain->until) : json_null());
}

static void body(struct rows *rows, const struct xr_report *report)
{
    switch (report->verb) {
    case XR_VERB_INSPECT:
        inspection(rows, report);
        return;
    case XR_VERB_SHOW:
        shown(rows, report, "certificates");
        shown(rows, report, "crls");
        shown(rows, report, "others");
        member(rows, "rejected", xr_json_rejected(report));
        return;
    case XR_VERB_DIFF:
        comparison(rows, report);
        return;
    case XR_VERB_HISTORY:
        begin_rows(rows, "transactions");
        for (size_t i = report->journal.count; i-- > 0;)
            row(rows, xr_json_transaction(report, &report->journal.items[i]));
        end_rows(rows);
        if (report->pruned) {
            member(rows, "pruned", json_boolean(!report->dry_run));
            member(rows, "stayed", json_integer((json_int_t)report->stayed));
        }
        return;
    case XR_VERB_EXTRACT:
        begin_rows(rows, "outputs");
        for (size_t i = 0; i < report->written.count; i++)
            row(rows, xr_json_written(&report->written.items[i]));
        end_rows(rows);
        return;
    case XR_VERB_READERS:
        begin_rows(rows, "readers");
        for (size_t i = 0; i < report->readers.count; i++)
            row(rows, xr_json_reader(report, &report->readers.items[i]));
        end_rows(rows);
        return;
    case XR_VERB_CHAIN:
        chain(rows, report);
        return;
    case XR_VERB_VERIFY:
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->answers.count; i++)
            row(rows, xr_json_answer_row(report, &report->answers.items[i]));
        end_rows(rows);
        return;
    case XR_VERB_STORES:
    case XR_VERB_LIST:
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->runs.count; i++)
            row(rows, report->verb == XR_VERB_LIST ? xr_json_list(report, i)
                                                   : xr_json_store(&report->runs.items[i]));
        end_rows(rows);
        break;
    default:
        member(rows, "transaction",
               report->transaction[0] ? xr_json_string(report->transaction) : json_null());
        member(rows, "changed", json_boolean(xr_report_changed(report)));
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->runs.count; i++)
            row(rows, xr_json_change(report, &report->runs.items[i]));
        end_rows(rows);
        return;
    }
    if (report->verb == XR_VERB_STORES) {
        begin_rows(rows, "not_covered");
        for (size_t i = 0; xr_report_not_covered[i] != NULL; i++)
            row(rows, xr_json_string(xr_report_not_covered[i]));
        end_rows(rows);
    }
}

const char *xr_json_library(void)
{
    return jansson_version_str();
}

void xr_report_json(const struct xr_report *report, FILE *out)
{
    struct rows rows = {.out = out};

    (void)fprintf(out, "{\"schema\": %d", SCHEMA);
    member(&rows, "command",
           report->verb < XR_VERB_COUNT ? json_string(xr_verb_name(report->verb)) : json_null());
    member(&rows, "exit", json_integer(report->exit));
    if (report->verb < XR_VERB_COUNT)
        body(&rows, report);
    messages(&rows, report);
    (void)fputs("\n}\n", out);
}
