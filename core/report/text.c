/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "sys/sys.h"

#include <stdlib.h>

#define NAME_WIDTH  44
#define TRUSTED_FOR "TRUSTED FOR" /* the column of purposes */

static const char *paint(const struct xr_text_style *style, const char *code)
{
    return style->color ? code : "";
}
#define BOLD(style)   paint(style, "\033[1m")
#define RED(style)    paint(style, "\033[31m")
#define GREEN(style)  paint(style, "\033[32m")
#define YELLOW(style) paint(style, "\033[33m")
#define PLAIN(style)  paint(style, "\033[0m")

static void put_visible(FILE *out, const char *text)
{
    char *visible = xr_visible(text);

    (void)fputs(visible, out);
    free(visible);
}

/* Terminal cells of visible text: East Asian wide characters take two. */
static int cells(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);
    int width = 0;

    while (left > 0) {
        uint32_t c = 0;
        size_t used = xr_utf8_next(&c, at, left);
        bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff);

        used = used ? used : 1;
        at += used;
        left -= used;
        width += wide ? 2 : 1;
    }
    return width;
}

static void put_padded(FILE *out, const char *text, int width)
{
    int used = cells(text);

    (void)fprintf(out, "%s%*s", text, used < width ? width - used : 0, "");
}

static void put_hex(FILE *out, const unsigned char *data, size_t len)
{
    char text[2 * XR_SHA256_LEN + 1];

    xr_hex(text, data, len);
    (void)fputs(text, out);
}

static void put_time(FILE *out, int64_t at)
{
    char text[XR_TIME_TEXT_MAX];

    xr_sys_time_text(text, at);
    (void)fputs(text, out);
}

static void put_name(FILE *out, const struct xr_report *report, size_t at)
{
    char *name = xr_report_name(report, at);

    (void)fputs(name, out);
    free(name);
}

/* ---- inspect ---- */

static void put_relatives(FILE *out, const char *head, const struct xr_report *report,
                          const struct xr_relatives *found)
{
    for (size_t i = 0; i < found->count; i++) {
        size_t at = found->items[i];

        (void)fprintf(out, "  %-11s ", i == 0 ? head : "");
        put_name(out, report, at);
        (void)fprintf(out, " (%s) ", xr_report_kind(report, at));
        put_hex(out, report->pool.items[at].cert->sha256, 8);
        (void)fputs("…\n", out);
    }
    if (found->left_out > 0)
        (void)fprintf(out, "  %-11s and %zu more\n", "", found->left_out);
}

static void inspect_cert(const struct xr_text_style *style, FILE *out,
                         const struct xr_report *report, const struct xr_input_item *item,
                         const struct xr_inspected *found)
{
    static const char *const goes[] = {
        "anchor, after confirmation", "intermediate: builds paths, trusted for nothing",
        "intermediate: builds paths, trusted for nothing", "nowhere, unless --as peer"};
    enum xr_kind kind = XR_KIND_LEAF;
    unsigned char sha1[20];
    char *name = xr_report_name(report, found->at);
    char *full = xr_x509_name_text(item->cert->d.slices.issuer);
    char *serial = xr_x509_serial_text(item->cert->d.slices.serial);

    (void)xr_pool_known_kind(&kind, &report->pool, found->at);
    (void)fprintf(out, "%s%s%s  ", BOLD(style), name, PLAIN(style));
    (void)fprintf(out, "(%s)\n  %-11s ", xr_kind_name(kind), "file");
    put_visible(out, item->file);
    if (item->index > 0)
        (void)fprintf(out, ", item %zu", item->index + 1);
    (void)fprintf(out, "\n  %-11s ", "issuer");
    put_visible(out, full);
    (void)fprintf(out, "\n  %-11s %s\n  %-11s ", "serial", serial, "SHA-256");
    put_hex(out, item->cert->sha256, sizeof(item->cert->sha256));
    (void)fprintf(out, "\n  %-11s ", "SHA-1");
    xr_cert_sha1(sha1, item->cert);
    put_hex(out, sha1, sizeof(sha1));
    (void)fprintf(out, "\n  %-11s ", "valid");
    put_time(out, item->cert->d.not_before);
    (void)fputs(" to ", out);
    put_time(out, item->cert->d.not_after);
    (void)fprintf(out, "\n  %-11s %s\n", "would go", goes[kind]);
    put_relatives(out, "same key", report, &found->same_key);
    put_relatives(out, "issued by", report, &found->issued_by);
    for (size_t i = 0; i < found->warnings.count; i++)
        (void)fprintf(out, "  %s%-11s%s %s\n", YELLOW(style), "warning", PLAIN(style),
                      found->warnings.items[i]);
    free(serial);
    free(full);
    free(name);
}

static void inspect_crl(const struct xr_text_style *style, FILE *out,
                        const struct xr_input_item *item)
{
    char *name = xr_x509_name_short(item->crl->issuer);

    (void)fprintf(out, "%sCRL of ", BOLD(style));
    put_visible(out, name);
    (void)fprintf(out, "%s\n  %-11s ", PLAIN(style), "file");
    put_visible(out, item->file);
    (void)fprintf(out, "\n  %-11s ", "SHA-256");
    put_hex(out, item->crl->sha256, sizeof(item->crl->sha256));
    (void)fprintf(out, "\n  %-11s ", "issued");
    put_time(out, item->crl->this_update);
    if (item->crl->has_next_update) {
        (void)fputs(", next ", out);
        put_time(out, item->crl->next_update);
    }
    (void)fprintf(out, "\n  %-11s %zu%s\n", "revoked", item->crl->revoked,
                  item->crl->delta ? ", a delta CRL" : "");
    free(name);
}

static void inspection(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->input.found.count; i++) {
        const struct xr_input_item *item = &report->input.found.items[i];

        if (i > 0)
            (void)fputs("\n", out);
        if (item->cert != NULL)
            inspect_cert(style, out, report, item, &report->inspected.items[i]);
        else
            inspect_crl(style, out, item);
    }
}

/* ---- stores, list, history ---- */

static void put_address(const struct xr_text_style *style, FILE *out, const char *address)
{
    (void)fputs(BOLD(style), out);
    put_visible(out, address);
    (void)fputs(PLAIN(style), out);
}

static void put_row(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "  %-10s ", name);
    put_visible(out, value);
    (void)fputs("\n", out);
}

static void put_places(FILE *out, const struct xr_caps *caps)
{
    static const char *const strengths[] = {"", " (advisory)", " (deselect only)", ""};
    bool first = true;

    (void)fprintf(out, "  %-10s ", "holds");
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (caps->places[place] == XR_CANNOT)
            continue;
        (void)fprintf(out, "%s%s%s", first ? "" : ", ", xr_place_name((enum xr_place)place),
                      strengths[caps->places[place]]);
        first = false;
    }
    (void)fputs(caps->distrust_by_key ? " (of every certificate of a key)\n" : "\n", out);
}

static void stores(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        const char *kind = run->caps.summary[0] != '\0' ? run->caps.summary : run->summary;
        char text[64];

        put_address(style, out, run->address);
        (void)fputs("\n", out);
        if (kind != NULL)
            put_row(out, "kind", kind);
        if (run->why != NULL) {
            put_row(out, "unusable", run->why);
            continue;
        }
        put_row(out, "writable",
                !run->caps.writable ? run->caps.why_not
                : run->only_named   ? "yes, if --store names it"
                                    : "yes");
        put_places(out, &run->caps);
        xr_purposes_text(text, sizeof(text), run->caps.purposes);
        put_row(out, "anchors",
                run->caps.purposes == XR_ANY_PURPOSE ? "for any purpose: cannot be restricted"
                                                     : text);
        if (run->caps.locked != 0)
            put_row(out, "password", "yes: needed to change trust");
        put_row(out, "verifier",
                run->caps.verifier[0] != '\0' ? run->caps.verifier : "none of its own");
        if (run->caps.missing[0] != '\0')
            put_row(out, "missing", run->caps.missing);
        if (run->caps.left_out[0] != '\0')
            put_row(out, "left out", run->caps.left_out);
    }
    if (report->runs.count == 0)
        (void)fputs("No trust store found. Name one with --store, for example "
                    "--store openssl:/srv/trust\n",
                    out);
    (void)fputs("\nNot covered:\n", out);
    for (size_t i = 0; xr_report_not_covered[i] != NULL; i++)
        (void)fprintf(out, "  %s\n", xr_report_not_covered[i]);
}

/* The ID of an entry: a hash of the certificate, or of what is known instead. */
static void put_id(FILE *out, const struct xr_subject *subject)
{
    put_hex(out, subject->id, sizeof(subject->id));
    if (subject->type == XR_SUBJECT_ISSUER_SERIAL)
        (void)fputs(" (of issuer and serial number)", out);
    else if (subject->type == XR_SUBJECT_KEY)
        (void)fputs(" (of the key)", out);
}

/* An entry whose certificate the store does not hold. */
static void put_issuer_serial(FILE *out, const struct xr_entry *entry, const char *indent)
{
    char *issuer = xr_x509_name_short(entry->issuer);
    char *serial = xr_x509_serial_text(entry->serial);

    (void)fprintf(out, "%sissued by ", indent);
    put_visible(out, issuer);
    (void)fprintf(out, ", serial number %s\n", serial);
    free(issuer);
    free(serial);
}

/* How many columns the store's purposes take. */
static int purposes_width(const struct xr_run *run)
{
    int width = (int)strlen(TRUSTED_FOR);

    for (size_t k = 0; k < run->snapshot.count; k++) {
        for (size_t n = 0; n < run->snapshot.items[k]->count; n++) {
            const struct xr_entry *entry = run->snapshot.items[k]->entries[n];
            char text[64];

            if (entry->place != XR_ANCHOR)
                continue;
            xr_purposes_text(text, sizeof(text), entry->purposes);
            if ((int)strlen(text) > width)
                width = (int)strlen(text);
        }
    }
    return width;
}

static void list_entry(FILE *out, const struct xr_report *report, const struct xr_entry *entry,
                       int width)
{
    size_t at = entry->subject.type == XR_SUBJECT_CERT
                    ? xr_pool_find(&report->pool, entry->subject.id)
                    : XR_NONE;
    char *name = at != XR_NONE ? xr_report_name(report, at)
                               : xr_strdup(entry->place == XR_CRL ? "(CRL)" : "(no certificate)");
    const char *kind = xr_report_kind(report, at);
    char text[64];

    xr_purposes_text(text, sizeof(text), entry->purposes);
    (void)fprintf(out, "  %-12s  %-12s  %-*s  ", xr_place_name(entry->place),
                  kind != NULL ? kind : "", width, entry->place == XR_ANCHOR ? text : "");
    put_padded(out, name, NAME_WIDTH);
    (void)fputs("  ", out);
    put_id(out, &entry->subject);
    (void)fputs(entry->flags & XR_ENTRY_VENDOR ? "  vendor\n" : "\n", out);
    if (entry->subject.type == XR_SUBJECT_ISSUER_SERIAL)
        put_issuer_serial(out, entry, "                ");
    for (size_t i = 0; i < entry->attached_count; i++) {
        char *what = xr_x509_oid_text(xr_attached_at(entry, i)->oid);

        (void)fputs("                attached to its key: ", out);
        put_visible(out, what);
        (void)fputc('\n', out);
        free(what);
    }
    if (entry->remark != NULL) {
        (void)fputs("                ", out);
        put_visible(out, entry->remark);
        (void)fputs("\n", out);
    }
    free(name);
}

static void list(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        size_t shown = 0;
        int width = purposes_width(run);

        put_address(style, out, run->address);
        (void)fputs("\n", out);
        for (size_t k = 0; k < run->snapshot.count; k++) {
            for (size_t n = 0; n < run->snapshot.items[k]->count; n++) {
                const struct xr_entry *entry = run->snapshot.items[k]->entries[n];

                if (report->managed && !xr_report_managed(report, run, entry))
                    continue;
                if (shown++ == 0)
                    (void)fprintf(out, "  %-12s  %-12s  %-*s  %-*s  %s\n", "PLACE", "KIND", width,
                                  TRUSTED_FOR, NAME_WIDTH, "SUBJECT", "SHA-256");
                list_entry(out, report, entry, width);
            }
        }
        if (run->result == XR_RESULT_SKIPPED && run->why != NULL) {
            (void)fputs("  ", out);
            put_visible(out, run->why);
            (void)fputs("\n", out);
        } else if (shown == 0 && run->why == NULL) {
            (void)fputs("  empty\n", out);
        }
    }
}

static void history(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    static const char *const stages[] = {"interrupted: see crossroot recover", "done",
                                         "rolled back", "not rolled back: see crossroot recover"};

    for (size_t i = report->journal.count; i-- > 0;) {
        const struct xr_transaction *t = &report->journal.items[i];

        (void)fprintf(out, "%s%s%s  ", BOLD(style), t->id, PLAIN(style));
        put_time(out, t->at);
        (void)fputs("  ", out);
        put_visible(out, t->command);
        if (t->undoes[0])
            (void)fprintf(out, " of %s", t->undoes);
        if (t->undone_by[0])
            (void)fprintf(out, "  (undone by %s)", t->undone_by);
        (void)fputs("\n", out);
        for (size_t k = 0; k < t->count; k++) {
            (void)fputs("  ", out);
            put_visible(out, t->items[k].store);
            (void)fprintf(out, ": %zu change%s, %s\n", t->items[k].count,
                          t->items[k].count == 1 ? "" : "s", stages[t->items[k].stage]);
        }
    }
    if (report->journal.count == 0 && report->exit == XR_EXIT_OK)
        (void)fputs("Nothing was changed yet.\n", out);
}

/* ---- changes, verify ---- */

/* A verifier may know more certificates than the store holds: a browser's built-in roots. */
static void put_step_of_path(FILE *out, const struct xr_report *report,
                             const unsigned char sha256[XR_SHA256_LEN])
{
    size_t at = xr_pool_find(&report->pool, sha256);

    if (at != XR_NONE) {
        put_name(out, report, at);
        return;
    }
    (void)fputs("built-in ", out);
    put_hex(out, sha256, 8);
    (void)fputs("…", out);
}

static void put_path(FILE *out, const char *indent, const struct xr_report *report,
                     const struct xr_verdict *verdict)
{
    if (verdict->path_len == 0)
        return;
    (void)fputs(indent, out);
    for (size_t i = 0; i < verdict->path_len; i++) {
        (void)fputs(i > 0 ? " → " : "", out);
        put_step_of_path(out, report, verdict->path[i]);
    }
    (void)fputs("\n", out);
}

static void put_verdict(const struct xr_text_style *style, FILE *out,
                        const struct xr_verdict *verdict)
{
    static const char *const words[] = {"cannot tell", "yes", "no"};
    const char *color = verdict->answer == XR_YES  ? GREEN(style)
                        : verdict->answer == XR_NO ? RED(style)
                                                   : YELLOW(style);

    (void)fprintf(out, "%s%s%s", color, words[verdict->answer], PLAIN(style));
    if (verdict->why[0] != '\0') {
        (void)fputs(": ", out);
        put_visible(out, verdict->why);
    }
    if (verdict->by[0] != '\0') {
        (void)fputs(" (", out);
        put_visible(out, verdict->by);
        (void)fputs(")", out);
    }
}

/* Why something is no longer trusted needs no words. */
static void put_outcome_of(const struct xr_text_style *style, FILE *out,
                           const struct xr_report *report, const struct xr_verdict *verdict)
{
    struct xr_verdict shown = *verdict;

    if (xr_report_takes(report) && shown.answer == XR_NO)
        shown.why[0] = '\0';
    put_verdict(style, out, &shown);
}

/* opposed: only a yes beside a no, and the reverse. */
static void put_also(const struct xr_text_style *style, FILE *out, const char *indent,
                     const struct xr_verdict *verdict, bool opposed)
{
    for (size_t i = 0; i < verdict->also_count; i++) {
        const struct xr_opinion *opinion = &verdict->also[i];
        struct xr_verdict one = {.answer = opinion->answer};

        if (opposed && (opinion->answer == XR_UNKNOWN || verdict->answer == XR_UNKNOWN ||
                        opinion->answer == verdict->answer))
            continue;
        memcpy(one.why, opinion->why, sizeof(one.why));
        (void)fputs(indent, out);
        put_visible(out, opinion->by);
        (void)fputs(": ", out);
        put_verdict(style, out, &one);
        (void)fputs("\n", out);
    }
}

static void change_step(FILE *out, const struct xr_report *report, const struct xr_step *step,
                        bool future)
{
    static const char *const past[] = {"as it is", "added", "changed", "removed", "refused"};
    static const char *const plan[] = {"as it is", "add", "change", "remove", "refuse"};
    char *name = step->pool_at != XR_NONE ? xr_report_name(report, step->pool_at)
                                          : xr_strdup(step->place == XR_CRL ? "(CRL)" : "");
    uint32_t before = 0, after = 0;

    (void)fprintf(out, "  %-8s  %-12s  ", (future ? plan : past)[step->action],
                  xr_place_name(step->place));
    put_padded(out, name, NAME_WIDTH);
    (void)fputs("  ", out);
    put_id(out, &step->subject);
    (void)fputs("\n", out);
    if (step->subject.type == XR_SUBJECT_ISSUER_SERIAL && xr_step_entry(step) != NULL)
        put_issuer_serial(out, xr_step_entry(step), "            ");
    if (xr_step_trust(step, &before, &after)) {
        char from[64], to[64];

        xr_purposes_text(from, sizeof(from), before);
        xr_purposes_text(to, sizeof(to), after);
        (void)fprintf(out, "            trusted for: %s → %s\n", from, to);
    }
    if (step->why != NULL) {
        (void)fputs("            ", out);
        put_visible(out, step->why);
        (void)fputs("\n", out);
    }
    free(name);
}

static bool would_do(const struct xr_report *report, const struct xr_run *run)
{
    return report->dry_run && run->result == XR_RESULT_SKIPPED && run->why == NULL;
}

static void change(const struct xr_text_style *style, FILE *out, const struct xr_report *report,
                   const struct xr_run *run)
{
    bool good = run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED;

    put_address(style, out, run->address);
    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style),
                  would_do(report, run) ? "would do" : xr_result_name(run->result), PLAIN(style));
    if (run->why != NULL) {
        (void)fputs(": ", out);
        put_visible(out, run->why);
    }
    (void)fputs("\n", out);
    for (size_t i = 0; i < run->plan.count; i++)
        change_step(out, report, &run->plan.items[i], !good);
    if (run->verified) {
        (void)fputs(xr_report_takes(report) ? "  still trusted: " : "  verified: ", out);
        put_outcome_of(style, out, report, &run->verdict);
        (void)fputs("\n", out);
        if (run->verdict.answer == XR_YES)
            put_path(out, "    ", report, &run->verdict);
        put_also(style, out, "    ", &run->verdict, false);
    }
}

#define MANY 3u /* from this number of stores on, each has one line, and a last line counts them */

/* What was done, in a few words: "1 added", or with the name if it is only one. */
static void put_outcome(FILE *out, const struct xr_report *report, const struct xr_run *run,
                        bool future)
{
    static const char *const past[] = {"as it is", "added", "changed", "removed", "refused"};
    static const char *const plan[] = {"as it is", "to add", "to change", "to remove", "to refuse"};
    size_t counts[sizeof(past) / sizeof(past[0])] = {0};
    const char *between = ": ";

    for (size_t i = 0; i < run->plan.count; i++)
        counts[run->plan.items[i].action]++;
    if (run->plan.count == 1 && run->plan.items[0].pool_at != XR_NONE) {
        (void)fprintf(out, ": %s (%s) ", (future ? plan : past)[run->plan.items[0].action],
                      xr_place_name(run->plan.items[0].place));
        put_name(out, report, run->plan.items[0].pool_at);
        if (run->plan.items[0].action == XR_ACTION_REFUSE && run->plan.items[0].why != NULL) {
            (void)fputs(": ", out);
            put_visible(out, run->plan.items[0].why);
        }
        return;
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", between, counts[i], (future ? plan : past)[i]);
        between = ", ";
    }
}

static void change_line(const struct xr_text_style *style, FILE *out,
                        const struct xr_report *report, const struct xr_run *run)
{
    bool good = run->result == XR_RESULT_DONE || run->result == XR_RESULT_UNCHANGED;
    bool future = would_do(report, run);

    put_address(style, out, run->address);
    (void)fprintf(out, ": %s%s%s", good ? GREEN(style) : RED(style),
                  future ? "would do" : xr_result_name(run->result), PLAIN(style));
    if (run->why != NULL) {
        (void)fputs(": ", out);
        put_visible(out, run->why);
    } else if (run->plan.count > 0) {
        put_outcome(out, report, run, future);
    }
    if (run->verified) {
        (void)fputs(xr_report_takes(report) ? "; still trusted: " : "; verified: ", out);
        put_outcome_of(style, out, report, &run->verdict);
    }
    (void)fputs("\n", out);
    if (run->verified)
        put_also(style, out, "  ", &run->verdict, true);
}

/* "3 stores: 2 done, 1 failed", where there are many. */
struct tally {
    const char *names[XR_RESULT_BACK + 2];
    size_t counts[XR_RESULT_BACK + 2];
    size_t total;
};

static void put_tally(FILE *out, const char *what, const struct tally *tally)
{
    const char *between = ": ";

    if (tally->total < MANY)
        return;
    (void)fprintf(out, "%zu %s", tally->total, what);
    for (size_t i = 0; i < sizeof(tally->names) / sizeof(tally->names[0]); i++) {
        if (tally->counts[i] == 0)
            continue;
        (void)fprintf(out, "%s%zu %s", between, tally->counts[i], tally->names[i]);
        between = ", ";
    }
    (void)fputs("\n", out);
}

static void changes(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    for (size_t i = 0; i < report->runs.count; i++) {
        if (report->runs.count < MANY || style->verbose)
            change(style, out, report, &report->runs.items[i]);
        else
            change_line(style, out, report, &report->runs.items[i]);
    }
}

static void tally_changes(FILE *out, const struct xr_report *report)
{
    /* Good results come first, failures last. */
    static const enum xr_result order[] = {
        XR_RESULT_DONE,    XR_RESULT_UNCHANGED, XR_RESULT_BACK,  XR_RESULT_REFUSED,
        XR_RESULT_SKIPPED, XR_RESULT_CONFLICT,  XR_RESULT_FAILED};
    struct tally tally = {.names = {"would do"}, .total = report->runs.count};

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
        tally.names[k + 1] = xr_result_name(order[k]);
    for (size_t i = 0; i < report->runs.count; i++) {
        const struct xr_run *run = &report->runs.items[i];
        bool future = would_do(report, run);

        tally.counts[0] += future;
        for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
            tally.counts[k + 1] += !future && run->result == order[k];
    }
    put_tally(out, "stores", &tally);
}

static void verify(const struct xr_text_style *style, FILE *out, const struct xr_report *report)
{
    struct tally tally = {.names = {"yes", "no", "cannot tell"}, .total = report->answers.count};
    bool several = false; /* answers of one store */

    for (size_t i = 0; i < report->answers.count; i++) {
        const struct xr_answer_row *row = &report->answers.items[i];

        put_address(style, out, row->store);
        (void)fputs(": ", out);
        if (row->why != NULL) {
            (void)fprintf(out, "%scannot tell%s: ", YELLOW(style), PLAIN(style));
            put_visible(out, row->why);
        } else {
            put_verdict(style, out, &row->verdict);
        }
        (void)fputs("\n", out);
        put_path(out, "  ", report, &row->verdict);
        put_also(style, out, "  ", &row->verdict, false);
        tally.counts[row->verdict.answer == XR_YES ? 0 : row->verdict.answer == XR_NO ? 1 : 2]++;
        several = several || (i > 0 && strcmp(row->store, row[-1].store) == 0);
    }
    put_tally(out, several ? "answers" : "stores", &tally);
}

void xr_report_text(const struct xr_report *report, const struct xr_text_style *style, FILE *out)
{
    if (style->quiet)
        return;
    switch (report->verb) {
    case XR_VERB_INSPECT:
        inspection(style, out, report);
        break;
    case XR_VERB_STORES:
        stores(style, out, report);
        break;
    case XR_VERB_LIST:
        list(style, out, report);
        break;
    case XR_VERB_HISTORY:
        history(style, out, report);
        break;
    case XR_VERB_VERIFY:
        verify(style, out, report);
        break;
    default:
        changes(style, out, report);
        if (report->verb == XR_VERB_RECOVER && report->runs.count == 0 &&
            report->messages.count == 0)
            (void)fputs("Nothing to recover.\n", out);
        if (report->transaction[0] != '\0' && report->verb != XR_VERB_RECOVER)
            (void)fprintf(out, "To take this back: crossroot undo %s\n", report->transaction);
        tally_changes(out, report);
        break;
    }
}

void xr_report_messages(const struct xr_report *report, const struct xr_text_style *style,
                        FILE *out)
{
    for (size_t i = 0; i < report->messages.count; i++) {
        const struct xr_message *message = &report->messages.items[i];
        const char *color = message->level == XR_ERROR     ? RED(style)
                            : message->level == XR_WARNING ? YELLOW(style)
                                                           : "";

        if ((message->level == XR_INFO && (style->quiet || !style->verbose)) ||
            (message->level == XR_NOTE && style->quiet))
            continue;
        (void)fprintf(out, "crossroot: %s%s%s: ", color, xr_level_name(message->level),
                      color[0] ? PLAIN(style) : "");
        if (message->store != NULL) {
            put_visible(out, message->store);
            (void)fputs(": ", out);
        }
        (void)fprintf(out, "%s\n", message->text);
    }
}
