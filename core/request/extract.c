/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists and stores into the files that others read. */
#include "extract.h"

#include "sys/sys.h"

#include <stdlib.h>

static void one_output(struct xr_extract *x, size_t at)
{
    x->written = &x->engine->report->written.items[at];
    x->format = xr_output_format(x->written->format, strlen(x->written->format));
    xr_extract_choose(x);
    /* Whoever publishes an empty list takes all trust away. */
    if (x->told.count == 0) {
        x->written->state = XR_WRITTEN_FAILED;
        x->written->empty = true;
        x->written->why = xr_strdup(N_("no certificate is left for it"));
    } else {
        xr_extract_write(x);
    }
    for (size_t i = 0; i < x->told.count; i++)
        xr_told_free(&x->told.items[i]);
    x->told.count = 0;
}

/* Looks, before anything is written, whether something will be left as it is: else a release would be half
 * the old and half the new one. */
static bool nothing_in_the_way(struct xr_extract *x)
{
    struct xr_report *report = x->engine->report;
    bool clear = true;

    if (x->rq->check || x->rq->dry_run)
        return true;
    x->only_look = true;
    for (size_t i = 0; i < report->written.count; i++) {
        struct xr_written *w = &report->written.items[i];
        struct xr_written again = {.to_stdout = w->to_stdout};

        if (w->to_stdout || !xr_sys_exists(w->path))
            continue;
        one_output(x, i);
        if (w->state == XR_WRITTEN_FAILED) {
            xr_report_say(report, XR_ERROR, NULL, "%s=%s: %s", w->format, w->path, w->why);
            clear = false;
        }
        again.format = xr_strdup(w->format);
        again.path = xr_strdup(w->path);
        xr_written_free(w);
        *w = again;
    }
    x->only_look = false;
    if (!clear)
        xr_report_fail(report, XR_EXIT_FAILED, "nothing was written");
    return clear;
}

static bool wrong(struct xr_extract *x, char *text)
{
    xr_report_fail(x->engine->report, XR_EXIT_USAGE, text);
    free(text);
    return false;
}

static char *all_formats(void)
{
    struct xr_buf names = {0};

    for (size_t i = 0; i < xr_output_format_count; i++)
        xr_buf_fmt(&names, "%s%s", i > 0 ? ", " : "", xr_output_formats[i].name);
    return names.data;
}

static bool parse_output(struct xr_extract *x, const char *word)
{
    size_t len = strcspn(word, "=");
    const struct xr_output_format *format = xr_output_format(word, len);
    struct xr_written *written = NULL;
    char *names = NULL, *text = NULL;

    if (word[len] == '\0' && format == NULL)
        return wrong(x, xr_format(N_("--to takes FORMAT=PATH, such as pem=%.100s"), word));
    if (format == NULL) {
        names = all_formats();
        text = xr_format(N_("\"%.*s\" is no format; formats: %s"), (int)(len < 100 ? len : 100),
                         word, names);
        free(names);
        return wrong(x, text);
    }
    if (word[len] == '\0' || word[len + 1] == '\0')
        return wrong(x, xr_format(N_("--to %s needs a path: %s=PATH"), format->name, format->name));
    if (!format->tells_purposes && (x->rq->purposes & (x->rq->purposes - 1)) != 0)
        return wrong(x, xr_format(N_("%s holds anchors of one purpose: give --for only once"),
                                  format->name));
    if (x->rq->update && format->update == NULL)
        return wrong(x, xr_format(N_("--update is for Java keystores, not for %s"), format->name));
    if (!format->directory && word[strlen(word) - 1] == '/')
        return wrong(x, xr_format(N_("%.200s: %s is one file"), word + len + 1, format->name));
    written = XR_PUSH(&x->engine->report->written);
    written->format = xr_strdup(format->name);
    written->path = xr_strdup(word + len + 1);
    written->to_stdout = strcmp(written->path, "-") == 0;
    if (written->to_stdout && (format->directory || x->rq->check || x->rq->update))
        return wrong(x, xr_format(format->directory
                                      ? N_("%s=-: a directory has no place on standard output")
                                      : N_("%s=-: --check and --update need a file"),
                                  format->name));
    if (written->to_stdout && x->rq->outputs.count > 1)
        return wrong(x, xr_format(N_("%s=-: then it must be the only --to"), format->name));
    return true;
}

/* A line: a SHA-256, and whatever follows it after a blank or "#". */
static bool read_blocklist(struct xr_extract *x, const char *path)
{
    struct xr_buf text = {0};
    struct xr_error err = {0};
    size_t line = 0;
    bool ok = true;

    if (xr_input_text(&text, path, &err) != XR_OK) {
        xr_report_say(x->engine->report, XR_ERROR, NULL, "%s", err.text);
        xr_report_raise(x->engine->report, XR_EXIT_FAILED);
        return false;
    }
    for (const char *at = text.data; ok && at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\n"), blank = strspn(at, " \t\r");
        char digits[2 * XR_SHA256_LEN + 1] = "";
        unsigned char sha256[XR_SHA256_LEN];
        static const char prefix[] = "SHA256 Fingerprint="; /* of openssl x509 -fingerprint */
        size_t have = 0, i = 0;
        bool added = false;

        line++;
        if (strncasecmp(at + blank, prefix, sizeof(prefix) - 1) == 0)
            blank += sizeof(prefix) - 1;
        i = blank;
        for (; i < len && have < sizeof(digits) - 1 && strchr(" \t\r#", at[i]) == NULL; i++) {
            if (at[i] != ':')
                digits[have++] = at[i];
        }
        if (blank < len && at[blank] != '#') {
            ok = have == sizeof(digits) - 1 && (i == len || strchr(" \t\r#", at[i]) != NULL) &&
                 xr_unhex(sha256, sizeof(sha256), digits);
            if (ok)
                (void)xr_idmap_put(&x->blocked, sha256, 0, &added);
            if (ok && xr_list_find(&x->list, sha256) == NULL)
                xr_report_say(x->engine->report, XR_WARNING, NULL,
                              "%s, line %zu: no source has %.16s…", path, line, digits);
        }
        at = at[len] == '\n' ? at + len + 1 : NULL;
    }
    if (!ok)
        (void)wrong(
            x,
            xr_format(N_("%.200s, line %zu: this is no SHA-256 of 64 digits; names are not taken"),
                      path, line));
    xr_buf_free(&text);
    return ok;
}

/* Is one path the other, or the second one below the first? */
static bool reaches(const char *a, const char *b)
{
    char *first = NULL, *second = NULL;
    bool is = false;

    if (xr_sys_canonical(&first, a, NULL) == XR_OK && xr_sys_canonical(&second, b, NULL) == XR_OK) {
        size_t len = strlen(first);

        is = strncmp(first, second, len) == 0 && (second[len] == '\0' || second[len] == '/');
    }
    free(first);
    free(second);
    return is;
}

/* What is read must not be what is written, nor one output another. */
static bool check_paths(struct xr_extract *x)
{
    const struct xr_report *report = x->engine->report;

    for (size_t i = 0; i < report->written.count; i++) {
        const char *path = report->written.items[i].path;

        if (report->written.items[i].to_stdout)
            continue;
        for (size_t k = 0; k < x->rq->sources.count; k++) {
            const char *source = x->rq->sources.items[k];

            if (xr_sys_exists(source) && xr_sys_exists(path) && reaches(path, source))
                return wrong(x,
                             xr_format(N_("%.200s is a source: give --to another path"), source));
        }
        for (size_t k = 0; k < report->written.count; k++) {
            if (k != i && reaches(path, report->written.items[k].path))
                return wrong(x, xr_format(N_("%.100s and %.100s are not apart"), path,
                                          report->written.items[k].path));
        }
    }
    return true;
}

static bool read_sources(struct xr_extract *x)
{
    const struct xr_request *rq = x->rq;
    bool ok = false;

    if (rq->sources.count == 0 && rq->stores.count == 0 && rq->site->root == NULL)
        return wrong(x, xr_strdup(N_("extract needs --from SOURCE, --store or --root")));
    ok = rq->sources.count > 0
             ? xr_sources_read(x->engine, &x->list, rq->sources, rq->purposes, rq->merge)
             : xr_sources_stores(x->engine, &x->list, rq->merge);
    for (size_t i = 0; i < x->list.notes.count; i++)
        xr_report_say(x->engine->report, XR_WARNING, NULL, "%s", x->list.notes.items[i]);
    if (ok && x->list.roots.count == 0) {
        xr_report_fail(x->engine->report, XR_EXIT_FAILED, "the sources have no certificate");
        ok = false;
    }
    for (size_t i = 0; i < x->list.sources.count && rq->distrust_after != XR_KEEP; i++) {
        if (strcmp(x->list.sources.items[i].kind, "store") == 0)
            xr_report_say(
                x->engine->report, XR_WARNING, NULL,
                "%s: stores do not tell dates of distrust, so none of its roots is dropped",
                x->list.sources.items[i].name);
    }
    if (ok && x->list.sources.count > 0) {
        const struct xr_list_source *first = &x->list.sources.items[0];
        const char *slash = strrchr(first->name, '/');

        /* Where it lay here is nothing that others could reproduce. */
        x->source.name = slash != NULL && slash[1] != '\0' ? slash + 1 : first->name;
        memcpy(x->source.sha256, first->sha256, XR_SHA256_LEN);
        x->source.modified = rq->has_modified ? rq->modified : first->modified;
    }
    return ok;
}

static void grade(struct xr_extract *x)
{
    struct xr_report *report = x->engine->report;
    size_t failed = 0, differs = 0;

    for (size_t i = 0; i < report->written.count; i++) {
        const struct xr_written *w = &report->written.items[i];

        failed += w->state == XR_WRITTEN_FAILED;
        differs += w->state == XR_WRITTEN_DIFFERS;
        if (w->state == XR_WRITTEN_FAILED)
            xr_report_say(report, XR_ERROR, NULL, "%s=%s: %s", w->format, w->path, w->why);
        else if (xr_output_format(w->format, strlen(w->format))->note != NULL)
            xr_report_say(report, XR_NOTE, NULL, "%s: %s", w->format,
                          xr_output_format(w->format, strlen(w->format))->note);
    }
    if (failed > 0)
        xr_report_raise(report, failed == report->written.count ? XR_EXIT_FAILED : XR_EXIT_PARTIAL);
    if (differs > 0)
        xr_report_raise(report, XR_EXIT_DRIFT);
}

/* Nothing is to be said of them. */
static void forget_outputs(struct xr_report *report)
{
    for (size_t i = 0; i < report->written.count; i++)
        xr_written_free(&report->written.items[i]);
    report->written.count = 0;
}

void xr_verb_extract(struct xr_engine *engine)
{
    struct xr_extract x = {.engine = engine, .rq = engine->rq};
    bool ok = true;

    for (size_t i = 0; ok && i < engine->rq->outputs.count; i++)
        ok = parse_output(&x, engine->rq->outputs.items[i]);
    ok = ok && check_paths(&x) && read_sources(&x);
    for (size_t i = 0; ok && i < engine->rq->blocklists.count; i++)
        ok = read_blocklist(&x, engine->rq->blocklists.items[i]);
    ok = ok && nothing_in_the_way(&x);
    for (size_t i = 0; ok && i < engine->report->written.count; i++)
        one_output(&x, i);
    if (ok)
        grade(&x);
    else
        forget_outputs(engine->report);
    free(x.told.items);
    xr_list_free(&x.list);
    xr_idmap_free(&x.blocked);
}
