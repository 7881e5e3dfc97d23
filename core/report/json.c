/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON document, schema 1: the only file that uses jansson. */
#include "report.h"

#include "sys/sys.h"

#include <jansson.h>
#include <stdlib.h>

#define SCHEMA 1

/* Any bytes as a JSON string: what is not UTF-8 becomes \xXX. jansson escapes the rest. */
static json_t *string(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct xr_buf out = {0};
    size_t len = 0;
    json_t *value = NULL;

    if (text == NULL)
        return json_null();
    len = strlen(text);
    value = json_stringn(text, len);
    if (value != NULL)
        return value;
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, bytes + i, len - i);

        if (used == 0)
            xr_buf_fmt(&out, "\\x%02X", bytes[i]);
        else
            xr_buf_add(&out, text + i, used);
        i += used ? used : 1;
    }
    value = json_string(out.data ? out.data : "");
    xr_buf_free(&out);
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static void add(json_t *array, json_t *value)
{
    (void)json_array_append_new(array, value);
}

static void set_owned(json_t *object, const char *key, char *text)
{
    set(object, key, string(text));
    free(text);
}

static json_t *hex(const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    return json_string(text);
}

/* The certificate's or CRL's hash; null where the store has no more than issuer and serial, or a
 * key. */
static json_t *subject_hash(const struct xr_subject *subject)
{
    return subject->type == XR_SUBJECT_CERT || subject->type == XR_SUBJECT_CRL
               ? hex(subject->id, sizeof(subject->id))
               : json_null();
}

static json_t *when(int64_t at)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, at);
    return json_string(text);
}

static json_t *kind(const struct xr_report *report, size_t at)
{
    const char *name = xr_report_kind(report, at);

    return name != NULL ? json_string(name) : json_null();
}

static json_t *relatives(const struct xr_report *report, const struct xr_relatives *set_of)
{
    json_t *out = json_array();

    for (size_t i = 0; i < set_of->count; i++)
        add(out, hex(report->pool.items[set_of->items[i]].cert->sha256, XR_SHA256_LEN));
    return out;
}

static json_t *purposes(uint32_t bits)
{
    json_t *out = json_array();

    if (bits & XR_ANY_PURPOSE) {
        add(out, json_string("any"));
        return out;
    }
    for (uint32_t bit = 1; xr_purpose_name(bit) != NULL; bit <<= 1) {
        if (bits & bit)
            add(out, json_string(xr_purpose_name(bit)));
    }
    return out;
}

static json_t *answer(enum xr_answer value)
{
    return value == XR_UNKNOWN ? json_null() : json_boolean(value == XR_YES);
}

static json_t *oids(struct xr_bytes list)
{
    json_t *out = json_array();
    struct xr_der_item oid;
    uint32_t purpose = 0;

    while (xr_der_purpose(&oid, &purpose, &list)) {
        char *other = purpose == 0 ? xr_x509_oid_text(oid.whole) : NULL;

        add(out, string(other != NULL ? other : xr_purpose_name(purpose)));
        free(other);
    }
    return out;
}

/* The trust settings of a TRUSTED CERTIFICATE, where there are any. */
static void set_trust(json_t *certificate, const struct xr_input_item *item)
{
    struct xr_der_aux aux = {0};
    json_t *out = NULL;

    if (item->aux.len == 0 || xr_der_aux(&aux, item->aux, NULL) != XR_OK ||
        (!aux.has_trust && aux.reject_oids.len == 0 && aux.alias.len == 0))
        return;
    out = json_object();
    set(out, "purposes", aux.has_trust ? oids(aux.trust_oids) : json_null());
    set(out, "rejects", oids(aux.reject_oids));
    set_owned(out, "alias", aux.alias.len > 0 ? xr_memdup(aux.alias.data, aux.alias.len) : NULL);
    set(certificate, "trust", out);
}

static void set_names(json_t *out, const struct xr_cert *cert)
{
    set_owned(out, "subject", xr_x509_name_text(cert->d.slices.subject));
    set_owned(out, "issuer", xr_x509_name_text(cert->d.slices.issuer));
    set_owned(out, "serial", xr_x509_serial_text(cert->d.slices.serial));
    set(out, "not_before", when(cert->d.not_before));
    set(out, "not_after", when(cert->d.not_after));
}

static json_t *certificate(const struct xr_report *report, const struct xr_input_item *item,
                           const struct xr_inspected *found)
{
    const struct xr_cert *cert = item->cert;
    json_t *out = json_object();
    json_t *list = json_array();
    unsigned char sha1[20];

    xr_cert_sha1(sha1, cert);
    set(out, "file", string(item->file));
    set(out, "index", json_integer((json_int_t)item->index));
    set(out, "sha256", hex(cert->sha256, sizeof(cert->sha256)));
    set(out, "sha1", hex(sha1, sizeof(sha1)));
    set(out, "spki_sha256", hex(cert->spki_sha256, sizeof(cert->spki_sha256)));
    set_names(out, cert);
    set(out, "kind", kind(report, found->at));
    set(out, "self_signed", answer(found->self_signed));
    set_trust(out, item);
    set(out, "issued_by", relatives(report, &found->issued_by));
    set(out, "same_key", relatives(report, &found->same_key));
    if (found->issued_by.left_out > 0)
        add(list, json_string("issued_by is not complete: too many certificates of that name"));
    if (found->same_key.left_out > 0)
        add(list, json_string("same_key is not complete: too many certificates of that key"));
    for (size_t i = 0; i < found->warnings.count; i++)
        add(list, string(found->warnings.items[i]));
    set(out, "warnings", list);
    return out;
}

static json_t *crl(const struct xr_input_item *item)
{
    json_t *out = json_object();

    set(out, "file", string(item->file));
    set(out, "index", json_integer((json_int_t)item->index));
    set(out, "sha256", hex(item->crl->sha256, sizeof(item->crl->sha256)));
    set_owned(out, "issuer", xr_x509_name_text(item->crl->issuer));
    set(out, "this_update", when(item->crl->this_update));
    set(out, "next_update",
        item->crl->has_next_update ? when(item->crl->next_update) : json_null());
    set(out, "revoked", json_integer((json_int_t)item->crl->revoked));
    return out;
}

static json_t *rejected(const struct xr_report *report)
{
    json_t *out = json_array();

    for (size_t i = 0; i < report->input.rejected.count; i++) {
        json_t *row = json_object();

        set(row, "file", string(report->input.rejected.items[i].file));
        set(row, "reason", string(report->input.rejected.items[i].reason));
        add(out, row);
    }
    return out;
}

static json_t *path(const struct xr_verdict *verdict)
{
    json_t *out = json_array();

    for (size_t i = 0; i < verdict->path_len; i++)
        add(out, hex(verdict->path[i], XR_SHA256_LEN));
    return out;
}

/* How other readers of the same store answer; a key only where there is one. */
static void set_also(json_t *out, const struct xr_verdict *verdict, bool of_distrust)
{
    json_t *also = json_array();

    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        json_t *row = json_object();

        set(row, "by", string(opinion->by));
        set(row, "ok",
            of_distrust && opinion->answer != XR_UNKNOWN ? json_boolean(opinion->answer == XR_NO)
                                                         : answer(opinion->answer));
        set(row, "why", opinion->why[0] ? string(opinion->why) : json_null());
        add(also, row);
    }
    set(out, "also", also);
}

static json_t *store_row(const struct xr_run *run)
{
    json_t *out = json_object();
    json_t *places = json_array();

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (run->caps.places[place] != XR_CANNOT)
            add(places, json_string(xr_place_name((enum xr_place)place)));
    }
    set(out, "store", string(run->address));
    set(out, "backend", string(run->backend->table.name));
    set(out, "summary", run->caps.summary[0] ? string(run->caps.summary) : json_null());
    set(out, "writable", json_boolean(run->caps.writable));
    set(out, "why_not",
        run->caps.writable ? json_null() : string(run->why ? run->why : run->caps.why_not));
    set(out, "only_named", json_boolean(run->only_named));
    set(out, "places", places);
    set(out, "purposes", purposes(run->caps.purposes));
    set(out, "verifier", run->caps.verifier[0] ? string(run->caps.verifier) : json_null());
    set(out, "missing", run->caps.missing[0] ? string(run->caps.missing) : json_null());
    set(out, "left_out", run->caps.left_out[0] ? string(run->caps.left_out) : json_null());
    return out;
}

/* What names an entry without its certificate. */
static void set_issuer_serial(json_t *out, const struct xr_subject *subject,
                              const struct xr_entry *entry)
{
    if (subject->type == XR_SUBJECT_KEY || subject->type == XR_SUBJECT_ISSUER_SERIAL)
        set(out, "id", hex(subject->id, sizeof(subject->id)));
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL && entry != NULL) {
        set_owned(out, "issuer", xr_x509_name_text(entry->issuer));
        set_owned(out, "serial", xr_x509_serial_text(entry->serial));
    }
}

/* Extensions that the store attaches from outside, whole. */
static json_t *attached(const struct xr_entry *entry)
{
    json_t *out = json_array();

    for (size_t i = 0; i < entry->attached_count; i++) {
        const struct xr_attached *one = xr_attached_at(entry, i);
        json_t *row = json_object();
        char *hex = NULL;

        set_owned(row, "extension", xr_x509_oid_text(one->oid));
        hex = xr_new(2 * one->value.len + 1, 1);
        xr_hex(hex, one->value.data, one->value.len);
        set_owned(row, "der", hex);
        (void)json_array_append_new(out, row);
    }
    return out;
}

static json_t *entry_row(const struct xr_report *report, const struct xr_run *run,
                         const struct xr_entry *entry)
{
    const struct xr_cert *cert = xr_report_cert(report, entry);
    json_t *out = json_object();

    set(out, "sha256", subject_hash(&entry->subject));
    set_issuer_serial(out, &entry->subject, entry);
    set(out, "place", json_string(xr_place_name(entry->place)));
    set(out, "purposes", purposes(entry->purposes));
    if (cert != NULL)
        set_names(out, cert);
    else
        set(out, "subject", json_null());
    set(out, "kind",
        kind(report, cert != NULL ? xr_pool_find(&report->pool, cert->sha256) : XR_NONE));
    set(out, "vendor", json_boolean((entry->flags & XR_ENTRY_VENDOR) != 0));
    set(out, "managed", json_boolean(xr_report_managed(report, run, entry)));
    set(out, "label", string(entry->label));
    if (entry->attached_count > 0)
        set(out, "attached", attached(entry));
    if (entry->remark != NULL)
        set(out, "remark", string(entry->remark));
    return out;
}

static json_t *list_row(const struct xr_report *report, size_t at)
{
    const struct xr_run *run = &report->runs.items[at];
    const struct xr_listed *listed = xr_report_listed(report, at);
    json_t *out = json_object();
    json_t *entries = json_array();

    for (size_t i = 0; i < listed->count; i++)
        add(entries, entry_row(report, run, listed->items[i]));
    set(out, "store", string(run->address));
    set(out, "entries", entries);
    if (run->why != NULL)
        set(out, "why", string(run->why));
    return out;
}

static void set_subject(json_t *out, const struct xr_report *report, size_t at)
{
    if (at != XR_NONE)
        set_owned(out, "subject", xr_x509_name_text(report->pool.items[at].cert->d.slices.subject));
    else
        set(out, "subject", json_null());
}

static json_t *step_row(const struct xr_report *report, const struct xr_step *step)
{
    json_t *out = json_object();
    uint32_t before = 0, after = 0;

    (void)xr_step_trust(step, &before, &after);
    set(out, "sha256", subject_hash(&step->subject));
    set_issuer_serial(out, &step->subject, xr_step_entry(step));
    set_subject(out, report, step->pool_at);
    set(out, "kind", kind(report, step->pool_at));
    set(out, "place", json_string(xr_place_name(step->place)));
    set(out, "action", json_string(xr_action_name(step->action)));
    set(out, "before", purposes(before));
    set(out, "after", purposes(after));
    set(out, "why", string(step->why));
    return out;
}

static json_t *notes(const struct xr_run *run)
{
    json_t *out = json_array();

    for (size_t i = 0; i < run->notes.count; i++)
        add(out, string(run->notes.items[i].text));
    return out;
}

static json_t *change_row(const struct xr_report *report, const struct xr_run *run)
{
    json_t *out = json_object();
    json_t *steps = json_array();
    json_t *verified = json_null();

    for (size_t i = 0; i < run->plan.count; i++)
        add(steps, step_row(report, &run->plan.items[i]));
    if (run->verified) {
        verified = json_object();
        set(verified, "by", string(run->verdict.by));
        /* What was asked of a distrust is a no. */
        set(verified, "ok",
            xr_report_takes(report) && run->verdict.answer != XR_UNKNOWN
                ? json_boolean(run->verdict.answer == XR_NO)
                : answer(run->verdict.answer));
        set(verified, "path", path(&run->verdict));
        set(verified, "why", run->verdict.why[0] ? string(run->verdict.why) : json_null());
        set_also(verified, &run->verdict, xr_report_takes(report));
    }
    set(out, "store", string(run->address));
    set(out, "state", json_string(xr_result_name(run->result)));
    set(out, "why", string(run->why));
    set(out, "notes", notes(run));
    set(out, "steps", steps);
    set(out, "verified", verified);
    return out;
}

static json_t *answer_row(const struct xr_report *report, const struct xr_answer_row *row)
{
    json_t *out = json_object();

    set(out, "store", string(row->store));
    set(out, "ok", answer(row->verdict.answer));
    set(out, "by", row->verdict.by[0] ? string(row->verdict.by) : json_null());
    set(out, "path", path(&row->verdict));
    set(out, "why",
        row->why != NULL      ? string(row->why)
        : row->verdict.why[0] ? string(row->verdict.why)
                              : json_null());
    set(out, "file", string(row->file));
    set(out, "sha256",
        row->pool_at == XR_NONE
            ? json_null()
            : hex(report->pool.items[row->pool_at].cert->sha256, XR_SHA256_LEN));
    set_also(out, &row->verdict, false);
    return out;
}

static json_t *places_of(const struct xr_state *state)
{
    json_t *out = json_array();

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (xr_state_in(state, (enum xr_place)place) != NULL)
            add(out, json_string(xr_place_name((enum xr_place)place)));
    }
    return out;
}

static json_t *recorded_row(const struct xr_report *report, const struct xr_change *change)
{
    json_t *out = json_object();
    struct xr_plan plan = {0};
    const struct xr_step *step = NULL;
    uint32_t before = 0, after = 0;

    xr_report_change(&plan, report, change);
    step = &plan.items[0];
    (void)xr_step_trust(step, &before, &after);
    set(out, "sha256", subject_hash(&step->subject));
    set_issuer_serial(out, &step->subject, xr_step_entry(step));
    set_subject(out, report, step->pool_at);
    set(out, "action", json_string(xr_action_name(step->action)));
    set(out, "place", json_string(xr_place_name(step->place)));
    set(out, "places_before", places_of(change->before));
    set(out, "places_after", places_of(change->want));
    set(out, "before", purposes(before));
    set(out, "after", purposes(after));
    xr_plan_free(&plan);
    return out;
}

static json_t *transaction_row(const struct xr_report *report, const struct xr_transaction *t)
{
    static const char *const stages[] = {"pending", "done", "rolled-back", "not-rolled-back"};
    json_t *out = json_object();
    json_t *stores = json_array();

    for (size_t i = 0; i < t->count; i++) {
        json_t *row = json_object();
        json_t *subjects = json_array();
        json_t *changes = json_array();

        for (size_t k = 0; k < t->items[i].count; k++) {
            add(subjects, hex(t->items[i].items[k].subject.id, XR_SHA256_LEN));
            add(changes, recorded_row(report, &t->items[i].items[k]));
        }
        set(row, "store", string(t->items[i].store));
        set(row, "state", json_string(stages[t->items[i].stage]));
        set(row, "sha256", subjects);
        set(row, "changes", changes);
        add(stores, row);
    }
    set(out, "transaction", string(t->id));
    set(out, "command", string(t->command));
    set(out, "at", when(t->at));
    set(out, "by", string(t->by));
    set(out, "undoes", t->undoes[0] ? string(t->undoes) : json_null());
    set(out, "undone_by", t->undone_by[0] ? string(t->undone_by) : json_null());
    set(out, "stores", stores);
    return out;
}

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
    (void)json_dump_callback(value, put, out, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
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

        set(value, "level", json_string(xr_level_name(message->level)));
        set(value, "text", string(message->text));
        if (message->store != NULL)
            set(value, "store", string(message->store));
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
            row(rows,
                certificate(report, &report->input.found.items[i], &report->inspected.items[i]));
    }
    end_rows(rows);
    begin_rows(rows, "crls");
    for (size_t i = 0; i < report->input.found.count; i++) {
        if (report->input.found.items[i].crl != NULL)
            row(rows, crl(&report->input.found.items[i]));
    }
    end_rows(rows);
    member(rows, "rejected", rejected(report));
}

/* The stores that hold it, with their entries as in list. */
static json_t *holders(const struct xr_report *report, const struct xr_subject *subject)
{
    json_t *out = json_array();

    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const struct xr_state *state = xr_snapshot_find(&run->snapshot, subject);
        json_t *row = NULL, *entries = NULL;

        if (state == NULL)
            continue;
        row = json_object();
        entries = json_array();
        for (size_t k = 0; k < state->count; k++)
            add(entries, entry_row(report, run, state->entries[k]));
        set(row, "store", string(run->address));
        set(row, "entries", entries);
        add(out, row);
    }
    return out;
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
            set(value, "id", hex(one->subject.id, sizeof(one->subject.id)));
        } else {
            value = item->cert != NULL
                        ? certificate(report, item, &report->inspected.items[one->item])
                        : crl(item);
        }
        set(value, "stores", holders(report, &one->subject));
        row(rows, value);
    }
    end_rows(rows);
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
        member(rows, "rejected", rejected(report));
        return;
    case XR_VERB_HISTORY:
        begin_rows(rows, "transactions");
        for (size_t i = report->journal.count; i-- > 0;)
            row(rows, transaction_row(report, &report->journal.items[i]));
        end_rows(rows);
        return;
    case XR_VERB_VERIFY:
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->answers.count; i++)
            row(rows, answer_row(report, &report->answers.items[i]));
        end_rows(rows);
        return;
    case XR_VERB_STORES:
    case XR_VERB_LIST:
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->runs.count; i++)
            row(rows, report->verb == XR_VERB_LIST ? list_row(report, i)
                                                   : store_row(&report->runs.items[i]));
        end_rows(rows);
        break;
    default:
        member(rows, "transaction",
               report->transaction[0] ? string(report->transaction) : json_null());
        member(rows, "changed", json_boolean(xr_report_changed(report)));
        begin_rows(rows, "stores");
        for (size_t i = 0; i < report->runs.count; i++)
            row(rows, change_row(report, &report->runs.items[i]));
        end_rows(rows);
        return;
    }
    if (report->verb == XR_VERB_STORES) {
        begin_rows(rows, "not_covered");
        for (size_t i = 0; xr_report_not_covered[i] != NULL; i++)
            row(rows, string(xr_report_not_covered[i]));
        end_rows(rows);
    }
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
