/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "sys/sys.h"

#include <stdlib.h>

json_t *xr_json_string(const char *text)
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

void xr_json_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        xr_out_of_memory();
}

void xr_json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        xr_out_of_memory();
}

void xr_json_set_owned(json_t *object, const char *key, char *text)
{
    xr_json_set(object, key, xr_json_string(text));
    free(text);
}

json_t *xr_json_hex(const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    return json_string(text);
}

json_t *xr_json_subject_hash(const struct xr_subject *subject)
{
    return subject->type == XR_SUBJECT_CERT || subject->type == XR_SUBJECT_CRL
               ? xr_json_hex(subject->id, sizeof(subject->id))
               : json_null();
}

json_t *xr_json_when(int64_t at)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, at);
    return json_string(text);
}

json_t *xr_json_kind(const struct xr_report *report, size_t at)
{
    const char *name = xr_report_kind(report, at);

    return name != NULL ? json_string(name) : json_null();
}

json_t *xr_json_relatives(const struct xr_report *report, const struct xr_relatives *set_of)
{
    json_t *out = json_array();

    for (size_t i = 0; i < set_of->count; i++)
        xr_json_add(out,
                    xr_json_hex(report->pool.items[set_of->items[i]].cert->sha256, XR_SHA256_LEN));
    return out;
}

json_t *xr_json_purposes(uint32_t bits)
{
    json_t *out = json_array();

    if (bits & XR_ANY_PURPOSE) {
        xr_json_add(out, json_string("any"));
        return out;
    }
    for (uint32_t bit = 1; xr_purpose_name(bit) != NULL; bit <<= 1) {
        if (bits & bit)
            xr_json_add(out, json_string(xr_purpose_name(bit)));
    }
    return out;
}

json_t *xr_json_answer(enum xr_answer value)
{
    return value == XR_UNKNOWN ? json_null() : json_boolean(value == XR_YES);
}

void xr_json_set_names(json_t *out, const struct xr_cert *cert)
{
    xr_json_set_owned(out, "subject", xr_x509_name_text(cert->d.slices.subject));
    xr_json_set_owned(out, "issuer", xr_x509_name_text(cert->d.slices.issuer));
    xr_json_set_owned(out, "serial", xr_x509_serial_text(cert->d.slices.serial));
    xr_json_set(out, "not_before", xr_json_when(cert->d.not_before));
    xr_json_set(out, "not_after", xr_json_when(cert->d.not_after));
}

json_t *xr_json_path(const struct xr_verdict *verdict)
{
    json_t *out = json_array();

    for (size_t i = 0; i < verdict->path_len; i++)
        xr_json_add(out, xr_json_hex(verdict->path[i], XR_SHA256_LEN));
    return out;
}

void xr_json_set_also(json_t *out, const struct xr_verdict *verdict, bool of_distrust)
{
    json_t *also = json_array();

    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        json_t *row = json_object();

        xr_json_set(row, "by", xr_json_string(opinion->by));
        xr_json_set(row, "ok",
                    of_distrust && opinion->answer != XR_UNKNOWN
                        ? json_boolean(opinion->answer == XR_NO)
                        : xr_json_answer(opinion->answer));
        xr_json_set(row, "why", opinion->why[0] ? xr_json_string(opinion->why) : json_null());
        xr_json_add(also, row);
    }
    xr_json_set(out, "also", also);
}

void xr_json_set_issuer_serial(json_t *out, const struct xr_subject *subject,
                               const struct xr_entry *entry)
{
    if (subject->type == XR_SUBJECT_KEY || subject->type == XR_SUBJECT_ISSUER_SERIAL)
        xr_json_set(out, "id", xr_json_hex(subject->id, sizeof(subject->id)));
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL && entry != NULL) {
        xr_json_set_owned(out, "issuer", xr_x509_name_text(entry->issuer));
        xr_json_set_owned(out, "serial", xr_x509_serial_text(entry->serial));
    }
}

json_t *xr_json_attached(const struct xr_entry *entry)
{
    json_t *out = json_array();

    for (size_t i = 0; i < entry->attached_count; i++) {
        const struct xr_attached *one = xr_attached_at(entry, i);
        json_t *row = json_object();
        char *hex = NULL;

        xr_json_set_owned(row, "extension", xr_x509_oid_text(one->oid));
        hex = xr_new(2 * one->value.len + 1, 1);
        xr_hex(hex, one->value.data, one->value.len);
        xr_json_set_owned(row, "der", hex);
        (void)json_array_append_new(out, row);
    }
    return out;
}

void xr_json_set_subject(json_t *out, const struct xr_report *report, size_t at)
{
    if (at != XR_NONE)
        xr_json_set_owned(out, "subject",
                          xr_x509_name_text(report->pool.items[at].cert->d.slices.subject));
    else
        xr_json_set(out, "subject", json_null());
}

json_t *xr_json_places_of(const struct xr_state *state)
{
    json_t *out = json_array();

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (xr_state_in(state, (enum xr_place)place) != NULL)
            xr_json_add(out, json_string(xr_place_name((enum xr_place)place)));
    }
    return out;
}

static json_t *strings(const struct xr_strings *from)
{
    json_t *out = json_array();

    for (size_t i = 0; i < from->count; i++)
        (void)json_array_append_new(out, xr_json_string(from->items[i]));
    return out;
}

void xr_json_set_limits(json_t *out, const struct xr_limits *limits)
{
    json_t *row = NULL;

    if (!xr_limits_any(limits))
        return;
    row = json_object();
    xr_json_set(row, "dns_names", strings(&limits->dns));
    xr_json_set(row, "cidrs", strings(&limits->cidrs));
    xr_json_set(out, "limits", row);
}
