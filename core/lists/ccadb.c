/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CCADB's IncludedCACertificateReportPEMCSV: Mozilla's roots as RFC 4180 CSV. Columns are found by their
 * names. The file has no trailer, so a cut between two records cannot be noticed; any other cut leaves an
 * open quote or a record with too few fields.
 */
#include "lists.h"

#include "kit/pem.h"

#include <stdlib.h>

/* The report has 34. */
#define COLUMNS_MAX ((size_t)256)
#define LABEL_MAX   ((size_t)64 << 10)

/* All but the name are needed: a list without a date or a constraint would give more trust. */
enum column { NAME, SHA256, TRUST, SERVER_AFTER, EMAIL_AFTER, CONSTRAINTS, PEM, COLUMNS };
static const char *const column_names[COLUMNS] = {
    [NAME] = "Common Name or Certificate Name",
    [SHA256] = "SHA-256 Fingerprint",
    [TRUST] = "Trust Bits",
    [SERVER_AFTER] = "Distrust for TLS After Date",
    [EMAIL_AFTER] = "Distrust for S/MIME After Date",
    [CONSTRAINTS] = "Mozilla Applied Constraints",
    [PEM] = "PEM Info",
};

/* ---- records ---- */

struct csv {
    const unsigned char *at, *end;
    size_t line, record; /* where we are, and where the record began */
    bool open;           /* the record has no line end */
    struct {
        struct xr_buf *items; /* values without their quotes, used again for each record */
        size_t count, capacity;
    } fields;
};

static enum xr_status quoted(struct csv *csv, struct xr_buf *out, struct xr_error *err)
{
    size_t opened = csv->line;

    for (csv->at++; csv->at < csv->end; csv->at++) {
        if (*csv->at == '"') {
            if (csv->end - csv->at < 2 || csv->at[1] != '"') {
                csv->at++;
                return XR_OK;
            }
            csv->at++;
        }
        csv->line += *csv->at == '\n';
        xr_buf_add(out, csv->at, 1);
    }
    return xr_fail(err, XR_INVALID,
                   "line %zu: the file ends inside of this quoted field: it was cut", opened);
}

static bool ends_field(const struct csv *csv)
{
    return csv->at == csv->end || *csv->at == ',' || *csv->at == '\n' ||
           (*csv->at == '\r' && csv->end - csv->at > 1 && csv->at[1] == '\n');
}

static enum xr_status read_field(struct csv *csv, struct xr_buf *out, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (csv->at < csv->end && *csv->at == '"') {
        status = quoted(csv, out, err);
        if (status == XR_OK && !ends_field(csv))
            status = xr_fail(err, XR_INVALID, "line %zu: text after a closing quote", csv->line);
        return status;
    }
    for (; !ends_field(csv); csv->at++) {
        if (*csv->at == '"' || *csv->at == '\r')
            return xr_fail(err, XR_INVALID,
                           *csv->at == '"'
                               ? N_("line %zu: a quote inside of a field without quotes")
                               : N_("line %zu: a carriage return inside of a field without "
                                    "quotes"),
                           csv->line);
        xr_buf_add(out, csv->at, 1);
    }
    return XR_OK;
}

/* XR_ABSENT at the end of the file. Empty lines between records are passed over. */
static enum xr_status read_record(struct csv *csv, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    while (csv->at < csv->end && *csv->at != ',' && ends_field(csv)) {
        csv->at += *csv->at == '\r' ? 2 : 1;
        csv->line++;
    }
    csv->fields.count = 0;
    csv->record = csv->line;
    if (csv->at == csv->end)
        return XR_ABSENT;
    for (bool more = true; status == XR_OK && more;) {
        struct xr_buf *field = NULL;

        if (csv->fields.count == COLUMNS_MAX)
            return xr_fail(err, XR_INVALID, "line %zu: more than %zu columns", csv->record,
                           COLUMNS_MAX);
        csv->fields.items = xr_grow(csv->fields.items, &csv->fields.capacity, csv->fields.count + 1,
                                    sizeof(*csv->fields.items));
        field = &csv->fields.items[csv->fields.count++];
        field->len = 0;
        status = read_field(csv, field, err);
        xr_buf_add(field, "", 0);
        more = status == XR_OK && csv->at < csv->end && *csv->at == ',';
        csv->at += more;
    }
    csv->open = csv->at == csv->end;
    if (status == XR_OK && !csv->open) {
        csv->at += *csv->at == '\r' ? 2 : 1;
        csv->line++;
    }
    return status;
}

/* ---- values ---- */

static struct xr_bytes trimmed(const char *text, const char *also)
{
    size_t len = strlen(text);

    while (len > 0 &&
           (xr_pem_space((unsigned char)*text) || strchr(also, (unsigned char)*text) != NULL)) {
        text++;
        len--;
    }
    while (len > 0 && (xr_pem_space((unsigned char)text[len - 1]) ||
                       strchr(also, (unsigned char)text[len - 1]) != NULL))
        len--;
    return (struct xr_bytes){(const unsigned char *)text, len};
}

static bool read_sha256(unsigned char out[XR_SHA256_LEN], const char *text)
{
    struct xr_buf digits = {0};
    bool good = false;

    for (; *text != '\0'; text++) {
        if (*text != ':' && !xr_pem_space((unsigned char)*text))
            xr_buf_add(&digits, text, 1);
    }
    good = digits.len == 2 * XR_SHA256_LEN && xr_unhex(out, XR_SHA256_LEN, digits.data);
    xr_buf_free(&digits);
    return good;
}

static const struct {
    const char *word;
    uint32_t purpose;
} trust_bits[] = {{"Websites", XR_SERVER}, {"Email", XR_EMAIL}, {"Code", XR_CODE}};

/* One word of a field with several, and where the next one may begin; empty at the end. */
static struct xr_bytes next_word(const char **text, const char *separators)
{
    const char *start = *text + strspn(*text, separators);
    size_t len = strcspn(start, separators);

    *text = start + len;
    return (struct xr_bytes){(const unsigned char *)start, len};
}

static enum xr_status read_trust(uint32_t *out, const char *text, size_t line, struct xr_error *err)
{
    struct xr_bytes word;

    while ((word = next_word(&text, "; \t\r\n")).len > 0) {
        uint32_t purpose = 0;

        for (size_t i = 0; i < sizeof(trust_bits) / sizeof(*trust_bits); i++) {
            if (strlen(trust_bits[i].word) == word.len &&
                memcmp(trust_bits[i].word, word.data, word.len) == 0)
                purpose = trust_bits[i].purpose;
        }
        if (purpose == 0)
            return xr_fail(err, XR_INVALID, "line %zu: unknown trust bit \"%.*s\"", line,
                           (int)(word.len < 64 ? word.len : 64), (const char *)word.data);
        *out |= purpose;
    }
    return XR_OK;
}

static bool number(int *out, const unsigned char *text, size_t digits)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* 2024.11.30 or 2024-11-30. certdata.txt has the same dates as the last second of that day. */
static enum xr_status read_date(struct xr_format_date *out, const char *text, size_t line,
                                struct xr_error *err)
{
    struct xr_bytes date = trimmed(text, "");
    int year = 0, month = 0, day = 0;

    if (date.len == 0)
        return XR_OK;
    if (date.len != 10 || (date.data[4] != '.' && date.data[4] != '-') ||
        date.data[7] != date.data[4] || !number(&year, date.data, 4) ||
        !number(&month, date.data + 5, 2) || !number(&day, date.data + 8, 2) || year < 1950 ||
        month < 1 || month > 12 || day < 1 ||
        xr_days(year, month, day) >=
            (month < 12 ? xr_days(year, month + 1, 1) : xr_days(year + 1, 1, 1)))
        return xr_fail(err, XR_INVALID, "line %zu: \"%.32s\" is not a date such as 2024.11.30",
                       line, text);
    *out = (struct xr_format_date){true, (xr_days(year, month, day) + 1) * 86400 - 1};
    return XR_OK;
}

/* "*.tr": names below tr. A limit's name is itself allowed too, as in RFC 5280. A word that is no name
 * with a dot may be about something else than names. */
static enum xr_status read_constraints(struct xr_limits *out, const char *text, size_t line,
                                       struct xr_error *err)
{
    struct xr_bytes word;

    while ((word = next_word(&text, ",; \t\r\n")).len > 0) {
        char *name =
            xr_format("%.*s", (int)(word.len < 256 ? word.len : 256), (const char *)word.data);
        size_t skip = strncmp(name, "*.", 2) == 0 ? 2 : name[0] == '.' ? 1 : 0;
        bool good = word.len < 256 && name[skip] != '\0' && strchr(name, '.') != NULL &&
                    xr_limits_add_dns(out, name + skip);

        free(name);
        if (!good)
            return xr_fail(err, XR_INVALID,
                           "line %zu: cannot read the constraint \"%.*s\": only DNS names", line,
                           (int)(word.len < 64 ? word.len : 64), (const char *)word.data);
    }
    return XR_OK;
}

/* '-----BEGIN CERTIFICATE-----…': one block between single quotes. */
static enum xr_status read_cert(struct xr_cert **out, const char *text, size_t line,
                                struct xr_error *err)
{
    struct xr_bytes rest = trimmed(text, "'");
    const unsigned char *start = rest.data;
    struct xr_pem_block block;
    struct xr_error why = {0};
    struct xr_buf der = {0};
    enum xr_status status = XR_OK;

    if (xr_pem_next(&block, &rest, start, false) != XR_PEM_BLOCK ||
        block.label.len != strlen("CERTIFICATE") ||
        memcmp(block.label.data, "CERTIFICATE", block.label.len) != 0 ||
        block.label.data != start + strlen("-----BEGIN ") ||
        trimmed((const char *)rest.data, "'").len > 0)
        return xr_fail(err, XR_INVALID, "line %zu: the column \"%s\" is not one certificate", line,
                       column_names[PEM]);
    if (!xr_base64(&der, block.body.data, block.body.len))
        status = xr_fail(err, XR_INVALID, "line %zu: the certificate is no base64", line);
    else if (xr_cert_new(out, (struct xr_bytes){(const unsigned char *)der.data, der.len}, &why) !=
             XR_OK)
        status = xr_fail(err, XR_INVALID, "line %zu: %s", line, why.text);
    xr_buf_free(&der);
    return status;
}

/* ---- the list ---- */

static enum xr_status find_columns(size_t at[COLUMNS], const struct csv *csv, struct xr_error *err)
{
    for (size_t k = 0; k < COLUMNS; k++) {
        at[k] = SIZE_MAX;
        for (size_t i = 0; i < csv->fields.count; i++) {
            if (strcmp(csv->fields.items[i].data, column_names[k]) != 0)
                continue;
            if (at[k] != SIZE_MAX)
                return xr_fail(err, XR_INVALID, "two columns \"%s\"", column_names[k]);
            at[k] = i;
        }
        if (at[k] == SIZE_MAX)
            return xr_fail(err, XR_INVALID,
                           "no column \"%s\": only the report IncludedCACertificateReportPEMCSV "
                           "is read",
                           column_names[k]);
    }
    return XR_OK;
}

static enum xr_status add_record(struct xr_list *out, const struct csv *csv,
                                 const size_t at[COLUMNS], struct xr_error *err)
{
    const char *values[COLUMNS];
    struct xr_cert *cert = NULL;
    struct xr_root root = {0}, *added = NULL;
    unsigned char sha256[XR_SHA256_LEN];
    size_t line = csv->record;
    enum xr_status status = XR_OK;

    /* Of a certificate its hash says whether it is whole. Another last column would be taken as it is. */
    if (csv->open && at[PEM] != csv->fields.count - 1)
        return xr_fail(err, XR_INVALID, "line %zu: no line end: the file was cut", line);
    for (size_t k = 0; k < COLUMNS; k++)
        values[k] = csv->fields.items[at[k]].data;
    if (strlen(values[NAME]) > LABEL_MAX)
        return xr_fail(err, XR_INVALID, "line %zu: a name of more than 64 KiB", line);
    status = read_cert(&cert, values[PEM], line, err);
    if (status == XR_OK &&
        (!read_sha256(sha256, values[SHA256]) || memcmp(sha256, cert->sha256, sizeof(sha256)) != 0))
        status = xr_fail(
            err, XR_INVALID,
            "line %zu: the certificate does not have the SHA-256 that stands beside it", line);
    if (status == XR_OK && xr_list_find(out, cert->sha256) != NULL)
        status = xr_fail(err, XR_INVALID, "line %zu: the certificate is there twice", line);
    if (status == XR_OK)
        status = read_trust(&root.trusted, values[TRUST], line, err);
    if (status == XR_OK)
        status = read_date(&root.server_after, values[SERVER_AFTER], line, err);
    if (status == XR_OK)
        status = read_date(&root.email_after, values[EMAIL_AFTER], line, err);
    if (status == XR_OK)
        status = read_constraints(&root.limits, values[CONSTRAINTS], line, err);
    if (status == XR_OK) {
        struct xr_bytes label = trimmed(values[NAME], "");

        added = xr_list_add_cert(out, cert);
        added->trusted = root.trusted;
        added->server_after = root.server_after;
        added->email_after = root.email_after;
        added->limits = root.limits;
        added->mozilla_policy = true; /* what the report includes, Mozilla's program does */
        root.limits = (struct xr_limits){0};
        if (label.len > 0)
            added->label = xr_format("%.*s", (int)label.len, (const char *)label.data);
    }
    xr_limits_free(&root.limits);
    xr_cert_free(cert);
    return status;
}

enum xr_status xr_list_ccadb(struct xr_list *out, struct xr_bytes data, struct xr_error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct csv csv = {.at = data.data, .end = data.data + data.len, .line = 1};
    size_t at[COLUMNS] = {0}, columns = 0;
    enum xr_status status = XR_OK;

    if (data.len >= 3 && memcmp(data.data, bom, 3) == 0)
        csv.at += 3;
    if (data.len > 0 && memchr(data.data, '\0', data.len) != NULL) {
        status = xr_fail(err, XR_INVALID, "a zero byte: no text");
        goto out;
    }
    status = read_record(&csv, err);
    if (status == XR_ABSENT)
        status = xr_fail(err, XR_INVALID, "empty");
    if (status == XR_OK)
        status = find_columns(at, &csv, err);
    columns = csv.fields.count;
    while (status == XR_OK && (status = read_record(&csv, err)) == XR_OK) {
        if (csv.fields.count != columns)
            status =
                xr_fail(err, XR_INVALID,
                        csv.at == csv.end
                            ? N_("line %zu: %zu fields where the header has %zu: the file was cut")
                            : N_("line %zu: %zu fields where the header has %zu"),
                        csv.record, csv.fields.count, columns);
        else
            status = add_record(out, &csv, at, err);
    }
    if (status == XR_ABSENT)
        status = out->roots.count > 0
                     ? XR_OK
                     : xr_fail(err, XR_INVALID, "no certificate after the header: it was cut");
out:
    for (size_t i = 0; i < csv.fields.capacity; i++)
        xr_buf_free(&csv.fields.items[i]);
    free(csv.fields.items);
    return status;
}
