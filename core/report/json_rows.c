/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "kit/limits.h"

#include <stdlib.h>

static json_t *oids(struct xr_bytes list)
{
    json_t *out = json_array();
    struct xr_der_item oid;
    uint32_t purpose = 0;

    while (xr_der_purpose(&oid, &purpose, &list)) {
        char *other = purpose == 0 ? xr_x509_oid_text(oid.whole) : NULL;

        xr_json_add(out, xr_json_string(other != NULL ? other : xr_purpose_name(purpose)));
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
    xr_json_set(out, "purposes", aux.has_trust ? oids(aux.trust_oids) : json_null());
    xr_json_set(out, "rejects", oids(aux.reject_oids));
    xr_json_set_owned(out, "alias",
                      aux.alias.len > 0 ? xr_memdup(aux.alias.data, aux.alias.len) : NULL);
    xr_json_set(certificate, "trust", out);
}

json_t *xr_json_certificate(const struct xr_report *report, const struct xr_input_item *item,
                            const struct xr_inspected *found)
{
    const struct xr_cert *cert = item->cert;
    json_t *out = json_object();
    json_t *list = json_array();
    unsigned char sha1[20];

    xr_cert_sha1(sha1, cert);
    xr_json_set(out, "file", xr_json_string(item->file));
    xr_json_set(out, "index", json_integer((json_int_t)item->index));
    xr_json_set(out, "sha256", xr_json_hex(cert->sha256, sizeof(cert->sha256)));
    xr_json_set(out, "sha1", xr_json_hex(sha1, sizeof(sha1)));
    xr_json_set(out, "spki_sha256", xr_json_hex(cert->spki_sha256, sizeof(cert->spki_sha256)));
    xr_json_set_names(out, cert);
    xr_json_set(out, "kind", xr_json_kind(report, found->at));
    xr_json_set(out, "self_signed", xr_json_answer(found->self_signed));
    set_trust(out, item);
    xr_json_set(out, "issued_by", xr_json_relatives(report, &found->issued_by));
    xr_json_set(out, "same_key", xr_json_relatives(report, &found->same_key));
    if (found->issued_by.left_out > 0)
        xr_json_add(list,
                    json_string("issued_by is not complete: too many certificates of that name"));
    if (found->same_key.left_out > 0)
        xr_json_add(list,
                    json_string("same_key is not complete: too many certificates of that key"));
    for (size_t i = 0; i < found->warnings.count; i++)
        xr_json_add(list, xr_json_string(found->warnings.items[i]));
    xr_json_set(out, "warnings", list);
    return out;
}

json_t *xr_json_crl(const struct xr_input_item *item)
{
    json_t *out = json_object();

    xr_json_set(out, "file", xr_json_string(item->file));
    xr_json_set(out, "index", json_integer((json_int_t)item->index));
    xr_json_set(out, "sha256", xr_json_hex(item->crl->sha256, sizeof(item->crl->sha256)));
    xr_json_set_owned(out, "issuer", xr_x509_name_text(item->crl->issuer));
    xr_json_set(out, "this_update", xr_json_when(item->crl->this_update));
    xr_json_set(out, "next_update",
                item->crl->has_next_update ? xr_json_when(item->crl->next_update) : json_null());
    xr_json_set(out, "revoked", json_integer((json_int_t)item->crl->revoked));
    return out;
}

json_t *xr_json_rejected(const struct xr_report *report)
{
    json_t *out = json_array();

    for (size_t i = 0; i < report->input.rejected.count; i++) {
        json_t *row = json_object();

        xr_json_set(row, "file", xr_json_string(report->input.rejected.items[i].file));
        xr_json_set(row, "reason", xr_json_string(report->input.rejected.items[i].reason));
        xr_json_add(out, row);
    }
    return out;
}

json_t *xr_json_store(const struct xr_run *run)
{
    json_t *out = json_object();
    json_t *places = json_array();

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (run->caps.places[place] != XR_CANNOT)
            xr_json_add(places, json_string(xr_place_name((enum xr_place)place)));
    }
    xr_json_set(out, "store", xr_json_string(run->address));
    xr_json_set(out, "backend", xr_json_string(run->backend->table.name));
    xr_json_set(out, "summary",
                run->caps.summary[0] ? xr_json_string(run->caps.summary) : json_null());
    xr_json_set(out, "writable", json_boolean(run->caps.writable));
    xr_json_set(out, "why_not",
                run->caps.writable ? json_null()
                                   : xr_json_string(run->why ? run->why : run->caps.why_not));
    xr_json_set(out, "only_named", json_boolean(run->only_named));
    xr_json_set(out, "places", places);
    xr_json_set(out, "purposes", xr_json_purposes(run->caps.purposes));
    xr_json_set(out, "verifier",
                run->caps.verifier[0] ? xr_json_string(run->caps.verifier) : json_null());
    xr_json_set(out, "missing",
                run->caps.missing[0] ? xr_json_string(run->caps.missing) : json_null());
    xr_json_set(out, "left_out",
                run->caps.left_out[0] ? xr_json_string(run->caps.left_out) : json_null());
    return out;
}

/* What an anchor is limited to, in a form that is easier to read than what is attached. */
static void set_limits(json_t *out, const struct xr_entry *entry)
{
    struct xr_limits limits = {0};

    if (xr_limits_of(&limits, entry))
        xr_json_set_limits(out, &limits);
    xr_limits_free(&limits);
}

static json_t *entry_row(const struct xr_report *report, const struct xr_run *run,
                         const struct xr_entry *entry)
{
    const struct xr_cert *cert = xr_report_cert(report, entry);
    json_t *out = json_object();

    xr_json_set(out, "sha256", xr_json_subject_hash(&entry->subject));
    xr_json_set_issuer_serial(out, &entry->subject, entry);
    xr_json_set(out, "place", json_string(xr_place_name(entry->place)));
    xr_json_set(out, "purposes", xr_json_purposes(entry->purposes));
    if (cert != NULL)
        xr_json_set_names(out, cert);
    else
        xr_json_set(out, "subject", json_null());
    xr_json_set(
        out, "kind",
        xr_json_kind(report, cert != NULL ? xr_pool_find(&report->pool, cert->sha256) : XR_NONE));
    xr_json_set(out, "vendor", json_boolean((entry->flags & XR_ENTRY_VENDOR) != 0));
    xr_json_set(out, "managed", json_boolean(xr_report_managed(report, run, entry)));
    xr_json_set(out, "label", xr_json_string(entry->label));
    if (entry->attached_count > 0)
        xr_json_set(out, "attached", xr_json_attached(entry));
    set_limits(out, entry);
    if (entry->remark != NULL)
        xr_json_set(out, "remark", xr_json_string(entry->remark));
    return out;
}

json_t *xr_json_list(const struct xr_report *report, size_t at)
{
    const struct xr_run *run = &report->runs.items[at];
    const struct xr_listed *listed = xr_report_listed(report, at);
    json_t *out = json_object();
    json_t *entries = json_array();

    for (size_t i = 0; i < listed->count; i++)
        xr_json_add(entries, entry_row(report, run, listed->items[i]));
    xr_json_set(out, "store", xr_json_string(run->address));
    xr_json_set(out, "entries", entries);
    if (run->why != NULL)
        xr_json_set(out, "why", xr_json_string(run->why));
    return out;
}

static json_t *step_row(const struct xr_report *report, const struct xr_step *step)
{
    json_t *out = json_object();
    uint32_t before = 0, after = 0;

    (void)xr_step_trust(step, &before, &after);
    xr_json_set(out, "sha256", xr_json_subject_hash(&step->subject));
    xr_json_set_issuer_serial(out, &step->subject, xr_step_entry(step));
    xr_json_set_subject(out, report, step->pool_at);
    xr_json_set(out, "kind", xr_json_kind(report, step->pool_at));
    xr_json_set(out, "place", json_string(xr_place_name(step->place)));
    xr_json_set(out, "action", json_string(xr_action_name(step->action)));
    xr_json_set(out, "before", xr_json_purposes(before));
    xr_json_set(out, "after", xr_json_purposes(after));
    xr_json_set(out, "why", xr_json_string(step->why));
    return out;
}

static json_t *notes(const struct xr_run *run)
{
    json_t *out = json_array();

    for (size_t i = 0; i < run->notes.count; i++)
        xr_json_add(out, xr_json_string(run->notes.items[i].text));
    return out;
}

json_t *xr_json_change(const struct xr_report *report, const struct xr_run *run)
{
    json_t *out = json_object();
    json_t *steps = json_array();
    json_t *verified = json_null();

    for (size_t i = 0; i < run->plan.count; i++)
        xr_json_add(steps, step_row(report, &run->plan.items[i]));
    if (run->verified) {
        verified = json_object();
        xr_json_set(verified, "by", xr_json_string(run->verdict.by));
        /* What was asked of a distrust is a no. */
        xr_json_set(verified, "ok",
                    xr_report_takes(report) && run->verdict.answer != XR_UNKNOWN
                        ? json_boolean(run->verdict.answer == XR_NO)
                        : xr_json_answer(run->verdict.answer));
        xr_json_set(verified, "path", xr_json_path(&run->verdict));
        xr_json_set(verified, "why",
                    run->verdict.why[0] ? xr_json_string(run->verdict.why) : json_null());
        xr_json_set_also(verified, &run->verdict, xr_report_takes(report));
        xr_json_set(verified, "alike", json_integer((json_int_t)run->alike));
    }
    xr_json_set(out, "store", xr_json_string(run->address));
    xr_json_set(out, "state", json_string(xr_result_name(run->result)));
    xr_json_set(out, "why", xr_json_string(run->why));
    xr_json_set(out, "notes", notes(run));
    xr_json_set(out, "steps", steps);
    xr_json_set(out, "verified", verified);
    return out;
}

json_t *xr_json_answer_row(const struct xr_report *report, const struct xr_answer_row *row)
{
    json_t *out = json_object();

    xr_json_set(out, "store", xr_json_string(row->store));
    xr_json_set(out, "ok", xr_json_answer(row->verdict.answer));
    xr_json_set(out, "by", row->verdict.by[0] ? xr_json_string(row->verdict.by) : json_null());
    xr_json_set(out, "path", xr_json_path(&row->verdict));
    xr_json_set(out, "why",
                row->why != NULL      ? xr_json_string(row->why)
                : row->verdict.why[0] ? xr_json_string(row->verdict.why)
                                      : json_null());
    xr_json_set(out, "file", xr_json_string(row->file));
    xr_json_set(out, "sha256",
                row->pool_at == XR_NONE
                    ? json_null()
                    : xr_json_hex(report->pool.items[row->pool_at].cert->sha256, XR_SHA256_LEN));
    xr_json_set_also(out, &row->verdict, false);
    xr_json_set(out, "alike",
                row->why == NULL ? json_integer((json_int_t)row->alike) : json_null());
    return out;
}

static json_t *read_row(const struct xr_read *read)
{
    static const char *const kinds[] = {
        [XR_READ_IS_BUNDLE] = "bundle",   [XR_READ_IS_HASHED] = "hashed directory",
        [XR_READ_IS_FILES] = "all files", [XR_READ_IS_KEYSTORE] = "keystore",
        [XR_READ_IS_ELF] = "program",     [XR_READ_IS_STORE] = "store"};
    json_t *out = json_object();

    xr_json_set(out, "store", read->store != NULL ? xr_json_string(read->store) : json_null());
    xr_json_set(out, "path", read->path != NULL ? xr_json_string(read->path) : json_null());
    xr_json_set(out, "role", json_string(read->own ? "own copy" : kinds[read->kind]));
    xr_json_set(out, "because", read->by != NULL ? xr_json_string(read->by) : json_null());
    return out;
}

json_t *xr_json_reader(const struct xr_report *report, const struct xr_reader_row *reader)
{
    static const char *const counts[] = {[XR_COUNTS_AS_ANCHOR] = "anchor",
                                         [XR_COUNTS_FOR_PATHS] = "path",
                                         [XR_COUNTS_NOT] = "nothing"};
    json_t *out = json_object();
    json_t *reads = json_array();

    for (size_t i = 0; i < reader->reads.count; i++)
        xr_json_add(reads, read_row(&reader->reads.items[i]));
    xr_json_set(out, "program", xr_json_string(reader->name));
    xr_json_set(out, "path", xr_json_string(reader->path));
    xr_json_set(out, "version", xr_json_string(reader->version));
    xr_json_set(out, "measured_with", json_string(reader->program->measured));
    xr_json_set(out, "measured", json_boolean(reader->measured));
    xr_json_set(out, "user", xr_json_string(reader->user));
    xr_json_set(out, "cross", json_string(counts[reader->program->cross]));
    xr_json_set(out, "reads", reads);
    if (!report->asked) {
        xr_json_set(out, "cannot", xr_json_string(reader->cannot));
        return out;
    }
    xr_json_set(out, "ok", xr_json_answer(reader->answer));
    xr_json_set(out, "by", xr_json_string(reader->decides));
    xr_json_set(out, "engine", xr_json_string(reader->engine));
    xr_json_set(out, "why",
                reader->why != NULL && reader->why[0] ? xr_json_string(reader->why) : json_null());
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
    xr_json_set(out, "sha256", xr_json_subject_hash(&step->subject));
    xr_json_set_issuer_serial(out, &step->subject, xr_step_entry(step));
    xr_json_set_subject(out, report, step->pool_at);
    xr_json_set(out, "action", json_string(xr_action_name(step->action)));
    xr_json_set(out, "place", json_string(xr_place_name(step->place)));
    xr_json_set(out, "places_before", xr_json_places_of(change->before));
    xr_json_set(out, "places_after", xr_json_places_of(change->want));
    xr_json_set(out, "before", xr_json_purposes(before));
    xr_json_set(out, "after", xr_json_purposes(after));
    xr_plan_free(&plan);
    return out;
}

json_t *xr_json_transaction(const struct xr_report *report, const struct xr_transaction *t)
{
    static const char *const stages[] = {"pending", "done", "rolled-back", "not-rolled-back"};
    json_t *out = json_object();
    json_t *stores = json_array();

    for (size_t i = 0; i < t->count; i++) {
        json_t *row = json_object();
        json_t *subjects = json_array();
        json_t *changes = json_array();

        for (size_t k = 0; k < t->items[i].count; k++) {
            xr_json_add(subjects, xr_json_hex(t->items[i].items[k].subject.id, XR_SHA256_LEN));
            xr_json_add(changes, recorded_row(report, &t->items[i].items[k]));
        }
        xr_json_set(row, "store", xr_json_string(t->items[i].store));
        xr_json_set(row, "state", json_string(stages[t->items[i].stage]));
        xr_json_set(row, "sha256", subjects);
        xr_json_set(row, "changes", changes);
        xr_json_add(stores, row);
    }
    xr_json_set(out, "transaction", xr_json_string(t->id));
    xr_json_set(out, "command", xr_json_string(t->command));
    xr_json_set(out, "at", xr_json_when(t->at));
    xr_json_set(out, "by", xr_json_string(t->by));
    xr_json_set(out, "undoes", t->undoes[0] ? xr_json_string(t->undoes) : json_null());
    xr_json_set(out, "undone_by", t->undone_by[0] ? xr_json_string(t->undone_by) : json_null());
    xr_json_set(out, "stores", stores);
    return out;
}

json_t *xr_json_holders(const struct xr_report *report, const struct xr_subject *subject)
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
            xr_json_add(entries, entry_row(report, run, state->entries[k]));
        xr_json_set(row, "store", xr_json_string(run->address));
        xr_json_set(row, "entries", entries);
        xr_json_add(out, row);
    }
    return out;
}
