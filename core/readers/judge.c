/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program would say of a chain. Of one that uses OpenSSL, libcrypto's answer here with what the
 * program reads. Of another, only what no path validation could decide otherwise:
 *
 *   no   if nothing that it reads has the name of an issuer, or the certificate is out of date, or is
 *        for other hosts;
 *   yes  if OpenSSL says so with partial chains, where the program accepts these, and the path is plain
 *        (plain.c);
 *
 * else it cannot be told.
 */
#include "trusts.h"

#include "certs/x509.h"

#include <stdlib.h>

#define DAY 86400

static void answer(struct xr_reader_row *reader, enum xr_answer value, const char *format, ...)
    XR_PRINTF(3, 4);
static void answer(struct xr_reader_row *reader, enum xr_answer value, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    reader->answer = value;
    free(reader->why);
    reader->why = xr_strdup(text);
}

static enum xr_status note_found(void *ctx, struct xr_bytes der)
{
    (void)der;
    *(bool *)ctx = true;
    return XR_OK;
}

static bool has_name(struct xr_trusts *trusts, struct xr_bytes name)
{
    uint32_t hash = 0;
    bool found = false;

    if (xr_x509_name_hash(&hash, name, NULL) != XR_OK)
        return true; /* who knows */
    (void)xr_trusts_lookup(trusts, XR_ANCHOR, name, hash, note_found, &found);
    return found;
}

/* Could a path of what is sent end in anything that it reads? */
static bool can_end(struct xr_trusts *trusts, const struct xr_probe *probe)
{
    for (size_t i = 0; i < probe->count; i++) {
        struct xr_der_cert d;

        if (xr_der_cert(&d, probe->chain[i], NULL) != XR_OK || has_name(trusts, d.slices.issuer) ||
            has_name(trusts, d.slices.subject))
            return true;
    }
    return false;
}

static struct xr_verdict check(struct xr_trusts *trusts, const struct xr_probe *probe, bool partial)
{
    struct xr_path_check question = {.size = sizeof(question),
                                     .probe = probe,
                                     .partial = partial,
                                     .lookup = xr_trusts_lookup,
                                     .lookup_ctx = trusts};
    struct xr_verdict verdict = {.size = sizeof(verdict)};
    struct xr_error err = {0};

    if (xr_x509_path_check(&verdict, &question, &err) != XR_OK) {
        verdict.answer = XR_UNKNOWN;
        (void)snprintf(verdict.why, sizeof(verdict.why), "%.255s", err.text);
    }
    return verdict;
}

/* The certificate with that hash, of what is sent or read. */
static struct xr_bytes bytes_of(const struct xr_trusts *trusts, const struct xr_probe *probe,
                                const unsigned char sha256[XR_SHA256_LEN])
{
    unsigned char sum[XR_SHA256_LEN];

    for (size_t i = 0; i < probe->count; i++) {
        xr_x509_sha256(sum, probe->chain[i]);
        if (memcmp(sum, sha256, sizeof(sum)) == 0)
            return probe->chain[i];
    }
    for (size_t i = 0; i < trusts->certs.count; i++) {
        if (memcmp(trusts->certs.items[i].sha256, sha256, sizeof(sum)) == 0)
            return trusts->certs.items[i].der;
    }
    return (struct xr_bytes){0};
}

struct others {
    const struct xr_probe *probe;
    bool strict;
    const char *why;
};

static enum xr_status look_at_other(void *ctx, struct xr_bytes der)
{
    struct others *o = ctx;

    if (o->why == NULL && xr_plain_not_ca(der, o->probe, o->strict) != NULL)
        o->why = N_("what it reads has another certificate of a name in it, which is not plain");
    return XR_OK;
}

/* A program may take another way than OpenSSL: over anything that it reads whose name is in the chain. */
static const char *odd_others(struct xr_trusts *trusts, const struct xr_probe *probe, bool strict)
{
    struct others o = {probe, strict, NULL};

    for (size_t i = 0; o.why == NULL && i < probe->count; i++) {
        struct xr_der_cert d;

        if (xr_der_cert(&d, probe->chain[i], NULL) != XR_OK)
            return N_("a certificate in it cannot be read");
        for (size_t k = 0; k < 2; k++) {
            struct xr_bytes name = k == 0 ? d.slices.issuer : d.slices.subject;
            uint32_t hash = 0;

            if (xr_x509_name_hash(&hash, name, NULL) != XR_OK)
                return N_("a name in it cannot be read");
            (void)xr_trusts_lookup(trusts, XR_ANCHOR, name, hash, look_at_other, &o);
        }
    }
    return o.why;
}

static const char *not_plain(struct xr_trusts *trusts, const struct xr_probe *probe,
                             const struct xr_verdict *verdict, bool strict)
{
    struct xr_bytes path[XR_PATH_MAX];
    const char *why = NULL;

    for (size_t i = 0; i < verdict->path_len; i++)
        path[i] = bytes_of(trusts, probe, verdict->path[i]);
    why = xr_plain_not(path, verdict->path_len, probe, strict);
    return why != NULL ? why : odd_others(trusts, probe, strict);
}

static void say_decider(struct xr_reader_row *reader, const struct xr_trusts *trusts,
                        const struct xr_verdict *verdict)
{
    size_t at = verdict->path_len > 0
                    ? xr_trusts_source(trusts, verdict->path[verdict->path_len - 1])
                    : XR_NOT_READ;
    const struct xr_read *read = at != XR_NOT_READ          ? &reader->reads.items[at]
                                 : reader->reads.count == 1 ? &reader->reads.items[0]
                                                            : NULL;

    if (read != NULL)
        reader->decides = xr_strdup(read->store != NULL ? read->store : read->path);
}

static void as_openssl(struct xr_reader_row *reader, struct xr_trusts *trusts,
                       const struct xr_probe *probe)
{
    struct xr_verdict verdict = check(trusts, probe, reader->program->cross == XR_COUNTS_AS_ANCHOR);

    reader->engine = xr_strdup(verdict.by);
    answer(reader, verdict.answer, "%s", verdict.why);
    say_decider(reader, trusts, &verdict);
}

/* Only where every program compares alike: the certificate's dates, by more than a day, and its plain
 * names. */
static bool is_refused_by_all(struct xr_reader_row *reader, struct xr_trusts *trusts,
                              const struct xr_probe *probe, bool partial)
{
    struct xr_probe nameless = *probe;
    struct xr_verdict verdict;
    struct xr_der_cert d;

    if (xr_der_cert(&d, probe->chain[0], NULL) == XR_OK &&
        (probe->at > d.not_after + DAY || probe->at < d.not_before - DAY)) {
        answer(reader, XR_NO, "%s",
               probe->at > d.not_after ? N_("it has expired") : N_("it is not valid yet"));
        return true;
    }
    nameless.host = NULL;
    if (probe->host == NULL)
        return false;
    verdict = check(trusts, &nameless, partial);
    if (verdict.answer == XR_YES &&
        not_plain(trusts, probe, &verdict, reader->program->strict) == NULL) {
        answer(reader, XR_NO, "it is for other hosts");
        return true;
    }
    return false;
}

static void as_another(struct xr_reader_row *reader, struct xr_trusts *trusts,
                       const struct xr_probe *probe)
{
    bool partial = reader->program->cross == XR_COUNTS_AS_ANCHOR;
    struct xr_verdict verdict;
    const char *odd = NULL;

    reader->engine = xr_strdup(N_("what all path validations have in common"));
    if (!can_end(trusts, probe)) {
        answer(reader, XR_NO, "it reads no CA of any name that leads on from here");
        return;
    }
    verdict = check(trusts, probe, partial);
    if (verdict.answer == XR_YES) {
        odd = not_plain(trusts, probe, &verdict, reader->program->strict);
        if (odd == NULL)
            answer(reader, XR_YES, "%s", verdict.why);
        else
            answer(reader, XR_UNKNOWN, "OpenSSL would accept it, but programs may differ: %s", odd);
        say_decider(reader, trusts, &verdict);
    } else if (!is_refused_by_all(reader, trusts, probe, partial)) {
        answer(reader, XR_UNKNOWN, "OpenSSL would refuse it (%s), but programs may differ",
               verdict.why);
    }
}

void xr_readers_judge(struct xr_reader_row *reader, const char *root, const struct xr_probe *probe)
{
    struct xr_trusts trusts = {0};

    if (reader->cannot != NULL) {
        answer(reader, XR_UNKNOWN, "%s", reader->cannot);
        return;
    }
    xr_trusts_load(&trusts, reader, root);
    if (reader->program->engine == XR_ENGINE_OPENSSL)
        as_openssl(reader, &trusts, probe);
    else
        as_another(reader, &trusts, probe);
    if (trusts.unclear != NULL && reader->answer != XR_UNKNOWN) {
        answer(reader, XR_UNKNOWN, "%s", trusts.unclear);
    } else if (!reader->measured && reader->answer != XR_UNKNOWN) {
        answer(reader, XR_UNKNOWN,
               reader->answer == XR_YES ? N_("yes, if it is as the one measured (%s)")
                                        : N_("no, if it is as the one measured (%s)"),
               reader->program->measured);
    }
    xr_trusts_free(&trusts);
}
