/* SPDX-License-Identifier: Apache-2.0 */
/* Root lists and stores into the files that others read: what each output holds, and what it cannot. */
#include "sources.h"

#include "formats/outputs.h"
#include "sys/output.h"
#include "sys/sys.h"

#include <stdlib.h>

#define ALL_PURPOSES (XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME)
#define KEYSTORE_MAX ((size_t)64 << 20)

struct extract {
    struct xr_engine *engine;
    const struct xr_request *rq;
    struct xr_list list;
    struct xr_idmap blocked;
    struct xr_output_source source;
    /* Of the output at work. */
    const struct xr_output_format *format;
    struct xr_written *written;
    struct {
        struct xr_told *items;
        size_t count, capacity;
    } told;
};

/* ---- what an output has ---- */

XR_PRINTF(4, 5)
static struct xr_left_out *leave_out(struct extract *x, const struct xr_root *root, bool plain,
                                     const char *format, ...)
{
    struct xr_left_out *left = XR_PUSH(&x->written->left_out);
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    left->name = xr_root_name(root);
    left->has_sha256 = root->has_sha256;
    memcpy(left->sha256, root->sha256, XR_SHA256_LEN);
    left->why = xr_strdup(text);
    left->plain = plain;
    return left;
}

static bool date_drops(const struct extract *x, const struct xr_format_date *date)
{
    return date->known && (x->rq->distrust_after == XR_DROP ||
                           (x->rq->distrust_after == XR_DROP_PAST && date->at < x->rq->now));
}

/* Purposes that --distrust-after takes from a root. */
static uint32_t dropped(const struct extract *x, const struct xr_root *root)
{
    return (date_drops(x, &root->server_after) ? XR_SERVER : 0u) |
           (date_drops(x, &root->email_after) ? XR_EMAIL : 0u);
}

static bool self_issued(const struct xr_root *root)
{
    return xr_bytes_equal(root->cert->d.slices.subject, root->cert->d.slices.issuer);
}

/* Dates that are about what the output says, and that it cannot say. */
static void tell_lost_dates(struct extract *x, const struct xr_root *root, uint32_t trusted)
{
    static const struct {
        uint32_t purpose;
        const char *who;
    } kinds[] = {{XR_SERVER, "servers"}, {XR_EMAIL, "e-mail"}};

    for (size_t i = 0; i < 2 && !x->format->tells_dates; i++) {
        const struct xr_format_date *date = i == 0 ? &root->server_after : &root->email_after;
        char day[XR_TIME_TEXT_MAX];

        if (!date->known || (trusted & kinds[i].purpose) == 0)
            continue;
        xr_sys_time_text(day, date->at);
        leave_out(x, root, false, "kept without its date: no trust for %s issued after %.10s",
                  kinds[i].who, day)
            ->kept = true;
    }
}

static void take(struct extract *x, const struct xr_root *root, uint32_t trusted,
                 uint32_t distrusted)
{
    struct xr_told *told = XR_PUSH(&x->told);
    const char *why = NULL;

    xr_told_init(told, root, trusted, distrusted, x->format->links, &xr_host);
    if (x->format->refuses != NULL)
        why = x->format->refuses(&told->cert);
    if (why == NULL) {
        tell_lost_dates(x, root, trusted);
        return;
    }
    leave_out(x, root, false, "%s", why);
    xr_told_free(told);
    x->told.count--;
}

/* A certificate of a file, of which nobody says what it is for. Where it would become an anchor it is
 * refused as in stores. */
static void refuse(struct extract *x, const struct xr_root *root)
{
    struct xr_pool *pool = &x->engine->report->pool;
    size_t at = xr_pool_find(pool, root->sha256);
    const char *kind = at != XR_NONE ? xr_kind_name(xr_pool_kind(pool, at)) : "certificate";

    leave_out(x, root, false, "refused: this format would make an anchor of it, and it is %s",
              strcmp(kind, "cross") == 0          ? "a cross certificate"
              : strcmp(kind, "intermediate") == 0 ? "an intermediate"
                                                  : "no root");
    xr_report_raise(x->engine->report, XR_EXIT_PARTIAL);
}

static void take_neutral(struct extract *x, const struct xr_root *root)
{
    enum xr_output_neutral neutral = x->format->neutral;
    bool is_root = self_issued(root);

    if (x->rq->purposes != 0)
        leave_out(x, root, true, "trusted for nothing");
    else if (neutral == XR_NEUTRAL_ALL || (neutral == XR_NEUTRAL_ROOTS && is_root) ||
             (neutral == XR_NEUTRAL_CAS && !is_root))
        take(x, root, 0, 0);
    else if (neutral == XR_NEUTRAL_ROOTS)
        leave_out(x, root, false, "OpenSSL would refuse every chain through it");
    else if (root->unsaid && !is_root)
        refuse(x, root);
    else
        leave_out(x, root, true, "trusted for nothing");
}

static void choose(struct extract *x, const struct xr_root *root)
{
    const struct xr_output_format *f = x->format;
    uint32_t asked = x->rq->purposes != 0 ? x->rq->purposes
                     : f->tells_purposes  ? (uint32_t)ALL_PURPOSES
                                          : (uint32_t)XR_SERVER;
    uint32_t lost = dropped(x, root);
    uint32_t trusted = root->trusted & ~lost & asked, distrusted = root->distrusted & asked;
    char text[64];
    size_t unused = 0;

    if (f->purposes != 0)
        asked &= f->purposes;
    trusted &= asked;
    distrusted &= asked;
    xr_purposes_text(text, sizeof(text), asked);
    if (root->has_sha256 && xr_idmap_get(&x->blocked, root->sha256, &unused))
        leave_out(x, root, true, "in the blocklist");
    else if (root->cert == NULL && !f->tells_serials)
        leave_out(x, root, false,
                  "distrusted by issuer and serial number alone, which this format "
                  "cannot say");
    else if (root->cert == NULL)
        take(x, root, 0, root->distrusted);
    else if (x->rq->expired == XR_DROP && root->cert->d.not_after < x->rq->now)
        leave_out(x, root, true, "expired");
    else if (trusted == 0 && distrusted == 0 && (root->trusted & asked & lost) != 0)
        leave_out(x, root, false, "its date of distrust");
    else if (trusted == 0 && distrusted == 0 && (root->trusted | root->distrusted) == 0)
        take_neutral(x, root);
    else if (trusted == 0 && distrusted == 0)
        leave_out(x, root, true, "not trusted for %s", text);
    else if (trusted == 0 && !f->tells_distrust)
        leave_out(x, root, true, "distrusted");
    else if (trusted != 0 && xr_limits_any(&root->limits) && !f->tells_limits)
        leave_out(x, root, false,
                  "it is limited to names or addresses, which this format cannot say");
    else
        take(x, root, trusted, distrusted);
}

/* ---- writing ---- */

static void fail(struct extract *x, const struct xr_error *err)
{
    x->written->state = XR_WRITTEN_FAILED;
    x->written->why = xr_visible(err->text);
}

static void set_state(struct extract *x, enum xr_output_state state)
{
    struct xr_written *w = x->written;

    if (state == XR_OUTPUT_SAME)
        w->state = XR_WRITTEN_SAME;
    else if (x->rq->check)
        w->state = XR_WRITTEN_DIFFERS;
    else
        w->state = state == XR_OUTPUT_NEW ? XR_WRITTEN_NEW : XR_WRITTEN_REPLACED;
}

static enum xr_output_how how_of(const struct extract *x)
{
    return x->rq->check || x->rq->dry_run ? XR_OUTPUT_CHECK
           : x->rq->overwrite             ? XR_OUTPUT_REPLACE
                                          : XR_OUTPUT_PUT;
}

/* Keystores may hold what is not ours: it is kept, or the file is. */
static enum xr_status mix(struct extract *x, struct xr_buf *content,
                          struct xr_format_cert *const *certs,
                          const struct xr_output_options *options, struct xr_error *err)
{
    struct xr_buf old = {0}, mixed = {0};
    struct xr_bytes there = {0};
    char *keeps = NULL;
    enum xr_status status = XR_OK;

    if (x->written->to_stdout || (!x->rq->update && x->format->keeps == NULL))
        return XR_OK;
    status = xr_sys_output_read(&old, x->written->path, KEYSTORE_MAX, err);
    there = (struct xr_bytes){(const unsigned char *)old.data, old.len};
    if (status == XR_ABSENT) {
        status = XR_OK;
        if (!x->rq->update)
            goto out;
        there.len = 0; /* a new one, made as an update makes it */
    }
    if (status != XR_OK)
        goto out;
    if (x->rq->update) {
        status = x->format->update(&mixed, there, certs, x->told.count, options, err);
        if (status == XR_OK) {
            xr_buf_free(content);
            *content = mixed;
            mixed = (struct xr_buf){0};
        }
    } else if (old.len > 0 && !x->rq->check) {
        keeps = x->format->keeps(there, options);
        if (keeps != NULL)
            status = xr_fail(err, XR_REFUSED, "%s", keeps);
    }
out:
    free(keeps);
    xr_buf_free(&mixed);
    xr_sys_wipe(&old);
    return status;
}

static void put_file(struct extract *x, struct xr_buf *content)
{
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_error err = {0};

    if (x->written->to_stdout) {
        x->written->content = *content;
        *content = (struct xr_buf){0};
        return;
    }
    if (xr_sys_output_file(&state, x->written->path,
                           (struct xr_bytes){(const unsigned char *)content->data, content->len},
                           how_of(x), &err) != XR_OK)
        fail(x, &err);
    else
        set_state(x, state);
}

/* Is there something that must not go? What is the same already is not in the way. */
static bool is_precious(struct extract *x, const struct xr_output_entry *entries, size_t count)
{
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_strings differences = {0};
    struct xr_error err = {0};
    char *path = xr_format("%s/%s", x->written->path,
                           x->format->precious != NULL ? x->format->precious : "");
    bool precious = x->format->precious != NULL && x->rq->overwrite && xr_sys_exists(path) &&
                    (xr_sys_output_directory(&state, x->written->path, entries, count,
                                             XR_OUTPUT_CHECK, &differences, NULL) != XR_OK ||
                     state != XR_OUTPUT_SAME);

    if (precious) {
        (void)xr_fail(&err, XR_REFUSED,
                      "the %s that is there may hold private keys; choose another directory",
                      x->format->precious);
        fail(x, &err);
    }
    xr_strings_free(&differences);
    free(path);
    return precious;
}

static void put_directory(struct extract *x, const struct xr_format_files *files)
{
    struct xr_output_entry *entries = xr_new(files->count + 1, sizeof(*entries));
    enum xr_output_state state = XR_OUTPUT_NEW;
    struct xr_error err = {0};

    for (size_t i = 0; i < files->count; i++) {
        const struct xr_format_file *file = &files->items[i];

        entries[i] = (struct xr_output_entry){
            file->name,
            file->target,
            {(const unsigned char *)file->content.data, file->content.len}};
    }
    x->written->files = files->count;
    if (is_precious(x, entries, files->count)) {
        free(entries);
        return;
    }
    if (xr_sys_output_directory(&state, x->written->path, entries, files->count, how_of(x),
                                &x->written->differences, &err) != XR_OK)
        fail(x, &err);
    else
        set_state(x, state);
    free(entries);
}

static void count(struct extract *x)
{
    for (size_t i = 0; i < x->told.count; i++)
        x->written->certs += x->told.items[i].cert.cert != NULL;
}

static void write_output(struct extract *x)
{
    const struct xr_output_options options = {.host = &xr_host,
                                              .comments = x->rq->comments,
                                              .purpose = x->rq->purposes != 0 ? x->rq->purposes
                                                                              : (uint32_t)XR_SERVER,
                                              .source = &x->source,
                                              .password = x->rq->password};
    struct xr_format_files files = {0};
    struct xr_format_cert **certs = xr_new(x->told.count + 1, sizeof(*certs));
    struct xr_error err = {0};

    for (size_t i = 0; i < x->told.count; i++)
        certs[i] = &x->told.items[i].cert;
    x->format->write(&files, certs, x->told.count, &options);
    if (x->format->directory)
        put_directory(x, &files);
    else if (mix(x, &files.items[0].content, certs, &options, &err) != XR_OK)
        fail(x, &err);
    else
        put_file(x, &files.items[0].content);
    xr_format_files_free(&files);
    free(certs);
}

static void one_output(struct extract *x, size_t at)
{
    x->written = &x->engine->report->written.items[at];
    x->format = xr_output_format(x->written->format, strlen(x->written->format));
    for (size_t i = 0; i < x->list.roots.count; i++)
        choose(x, &x->list.roots.items[i]);
    count(x);
    /* Whoever publishes an empty list takes all trust away. */
    if (x->told.count == 0) {
        x->written->state = XR_WRITTEN_FAILED;
        x->written->why = xr_strdup("no certificate is left for it");
    } else {
        write_output(x);
    }
    for (size_t i = 0; i < x->told.count; i++)
        xr_told_free(&x->told.items[i]);
    x->told.count = 0;
}

/* ---- the request ---- */

static bool wrong(struct extract *x, char *text)
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

static bool parse_output(struct extract *x, const char *word)
{
    size_t len = strcspn(word, "=");
    const struct xr_output_format *format = xr_output_format(word, len);
    struct xr_written *written = NULL;
    char *names = NULL, *text = NULL;

    if (format == NULL) {
        names = all_formats();
        text = xr_format("\"%.*s\" is no format; formats: %s", (int)(len < 100 ? len : 100), word,
                         names);
        free(names);
        return wrong(x, text);
    }
    if (word[len] == '\0' || word[len + 1] == '\0')
        return wrong(x, xr_format("--to %s needs a path: %s=PATH", format->name, format->name));
    for (size_t i = 0; i < x->engine->report->written.count; i++) {
        if (strcmp(x->engine->report->written.items[i].path, word + len + 1) == 0)
            return wrong(x, xr_format("%.200s is written twice", word + len + 1));
    }
    if (x->rq->update && format->update == NULL)
        return wrong(x, xr_format("--update is for Java keystores, not for %s", format->name));
    written = XR_PUSH(&x->engine->report->written);
    written->format = xr_strdup(format->name);
    written->path = xr_strdup(word + len + 1);
    written->to_stdout = strcmp(written->path, "-") == 0;
    if (written->to_stdout && (format->directory || x->rq->outputs.count > 1 || x->rq->check))
        return wrong(
            x, xr_format("%s=-: only one file can be written to standard output", format->name));
    return true;
}

/* A line: a SHA-256, and whatever follows it after a blank or "#". */
static bool read_blocklist(struct extract *x, const char *path)
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
        size_t have = 0, i = blank;
        bool added = false;

        line++;
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
        (void)wrong(x, xr_format("%.200s, line %zu: this is no SHA-256", path, line));
    xr_buf_free(&text);
    return ok;
}

static bool read_sources(struct extract *x)
{
    const struct xr_request *rq = x->rq;
    bool ok = false;

    if (rq->sources.count == 0 && rq->stores.count == 0 && rq->site->root == NULL)
        return wrong(x, xr_strdup("extract needs --from SOURCE, --store or --root"));
    ok = rq->sources.count > 0
             ? xr_sources_read(x->engine, &x->list, rq->sources, rq->purposes, rq->merge)
             : xr_sources_stores(x->engine, &x->list, rq->merge);
    for (size_t i = 0; i < x->list.notes.count; i++)
        xr_report_say(x->engine->report, XR_WARNING, NULL, "%s", x->list.notes.items[i]);
    if (ok && x->list.roots.count == 0) {
        xr_report_fail(x->engine->report, XR_EXIT_FAILED, "the sources have no certificate");
        ok = false;
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

static void grade(struct extract *x)
{
    struct xr_report *report = x->engine->report;
    size_t failed = 0, differs = 0;

    for (size_t i = 0; i < report->written.count; i++) {
        const struct xr_written *w = &report->written.items[i];

        failed += w->state == XR_WRITTEN_FAILED;
        differs += w->state == XR_WRITTEN_DIFFERS;
        if (w->state == XR_WRITTEN_FAILED)
            xr_report_say(report, XR_ERROR, NULL, "%s=%s: %s", w->format, w->path, w->why);
    }
    if (failed > 0)
        xr_report_raise(report, failed == report->written.count ? XR_EXIT_FAILED : XR_EXIT_PARTIAL);
    if (differs > 0)
        xr_report_raise(report, XR_EXIT_DRIFT);
}

void xr_verb_extract(struct xr_engine *engine)
{
    struct extract x = {.engine = engine, .rq = engine->rq};
    bool ok = true;

    for (size_t i = 0; ok && i < engine->rq->outputs.count; i++)
        ok = parse_output(&x, engine->rq->outputs.items[i]);
    ok = ok && read_sources(&x);
    for (size_t i = 0; ok && i < engine->rq->blocklists.count; i++)
        ok = read_blocklist(&x, engine->rq->blocklists.items[i]);
    for (size_t i = 0; ok && i < engine->report->written.count; i++)
        one_output(&x, i);
    if (ok)
        grade(&x);
    else
        engine->report->written.count = 0;
    free(x.told.items);
    xr_list_free(&x.list);
    xr_idmap_free(&x.blocked);
}
