/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of Chromium's lists. A bad one is ignored alone, except where Chromium ends over it. */
#include "private.h"

#include "kit/der.h"
#include "kit/pem.h"

#include <stdlib.h>

const char *const policy_names[POLICY_KEYS] = {
    [POLICY_ANCHORS] = "CACertificates",
    [POLICY_LIMITED] = "CACertificatesWithConstraints",
    [POLICY_HINTS] = "CAHintCertificates",
    [POLICY_DISTRUST] = "CADistrustedCertificates",
    [POLICY_PLATFORM] = "CAPlatformIntegrationEnabled",
    [POLICY_MERGE] = "PolicyListMultipleSourceMergeList",
};

void policy_problem(struct policy_view *view, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xr_strings_add(&view->problems, text);
}

void policy_join(char *out, size_t size, const struct xr_strings *lines)
{
    static const char more[] = "; …";
    size_t used = strlen(out), room = size - sizeof(more);

    for (size_t i = 0; i < lines->count; i++) {
        const char *between = used > 0 ? "; " : "";
        size_t len = strlen(between) + strlen(lines->items[i]);

        if (len > room - used) {
            (void)snprintf(out + used, size - used, "%s", used > 0 ? more : more + 2);
            return;
        }
        (void)snprintf(out + used, size - used, "%s%s", between, lines->items[i]);
        used += len;
    }
}

struct policy_own {
    struct xr_buf der;
    enum xr_browser_trust trust;
    const char *source;
    struct xr_strings dns, cidrs;
    bool behind; /* one in crossroot's own file comes before it */
};

void policy_view_free(struct policy_view *view)
{
    for (size_t i = 0; i < view->own_count; i++) {
        xr_buf_free(&view->own[i].der);
        xr_strings_free(&view->own[i].dns);
        xr_strings_free(&view->own[i].cidrs);
    }
    free(view->own);
    free(view->items);
    free(view->behind);
    xr_strings_free(&view->problems);
    xr_strings_free(&view->files);
    *view = (struct policy_view){0};
}

void policy_finish(struct policy_view *view)
{
    view->items = xr_new(view->own_count + 1, sizeof(*view->items));
    view->behind = xr_new(view->own_count + 1, sizeof(*view->behind));
    for (size_t i = 0; i < view->own_count; i++) {
        const struct policy_own *own = &view->own[i];
        struct xr_browser_cert *out =
            own->behind ? &view->behind[view->behind_count++] : &view->items[view->count++];

        *out = (struct xr_browser_cert){
            .size = sizeof(*out),
            .der = {(const unsigned char *)own->der.data, own->der.len},
            .trust = own->trust,
            .permitted_dns = (const char *const *)own->dns.items,
            .permitted_dns_count = own->dns.count,
            .permitted_cidrs = (const char *const *)own->cidrs.items,
            .permitted_cidrs_count = own->cidrs.count,
            .source = own->source,
        };
    }
}

bool policy_base64(struct xr_buf *out, const json_t *text)
{
    const char *data = json_string_value(text);
    size_t len = json_string_length(text);

    if (data == NULL || len == 0 || len % 4 != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (xr_pem_space((unsigned char)data[i]))
            return false;
    }
    return xr_base64(out, (const unsigned char *)data, len);
}

/* ---- limits ---- */

enum limits { LIMITS_GOOD, LIMITS_BAD, LIMITS_UNCLEAR };

static bool is_range(const char *address, size_t len, const char *bits)
{
    unsigned char bytes[16];
    unsigned found = 0;
    char *text = xr_format("%.*s/%s", (int)len, address, bits);
    bool is = xr_limits_range(bytes, &found, text) > 0;

    free(text);
    return is;
}

/* Chromium takes more spellings of an address than inet_pton: those are not guessed at. */
static enum limits check_cidr(const char *text)
{
    const char *slash = strrchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : 0;

    if (slash == NULL || strchr(text, '/') != slash || len == 0 || slash[1] == '\0')
        return LIMITS_BAD;
    if (len > 64 || strspn(slash + 1, "0123456789") != strlen(slash + 1) ||
        !is_range(text, len, "0"))
        return LIMITS_UNCLEAR;
    /* Zeros in front mean nothing. */
    for (slash++; slash[0] == '0' && slash[1] != '\0';)
        slash++;
    return is_range(text, len, slash) ? LIMITS_GOOD : LIMITS_BAD;
}

static enum limits check_dns(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80)
            return LIMITS_BAD;
    }
    return LIMITS_GOOD;
}

/* A member that is no list counts as one that is not there. */
static enum limits take_names(struct xr_strings *out, const json_t *constraints, const char *member,
                              enum limits (*check)(const char *text))
{
    enum limits all = LIMITS_GOOD;
    size_t i = 0;
    json_t *name = NULL;

    json_array_foreach(json_object_get(constraints, member), i, name)
    {
        enum limits one = json_is_string(name) ? check(json_string_value(name)) : LIMITS_BAD;

        if (one == LIMITS_BAD)
            return one;
        if (one == LIMITS_UNCLEAR)
            all = one;
        xr_strings_add(out, json_string_value(name));
    }
    return all;
}

static enum limits take_limits(struct policy_own *own, const json_t *entry)
{
    const json_t *constraints = json_object_get(entry, "constraints");
    enum limits dns = take_names(&own->dns, constraints, "permitted_dns_names", check_dns);
    enum limits cidrs = take_names(&own->cidrs, constraints, "permitted_cidrs", check_cidr);

    if (dns == LIMITS_BAD || cidrs == LIMITS_BAD || own->dns.count + own->cidrs.count == 0)
        return LIMITS_BAD;
    return cidrs;
}

/* ---- elements ---- */

/* In one line, as Chromium wants it. */
static json_t *base64_of(struct xr_bytes der)
{
    char *text = xr_new(xr_base64_size(der.len) + 1, 1);
    size_t len = xr_base64_lines(text, der), kept = 0;
    json_t *out = NULL;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            text[kept++] = text[i];
    }
    out = json_stringn(text, kept);
    free(text);
    return out;
}

/* NULL if there are none. */
static json_t *strings(const struct xr_strings *from)
{
    json_t *out = from->count > 0 ? json_array() : NULL;

    for (size_t i = 0; i < from->count; i++)
        (void)json_array_append_new(out, json_string(from->items[i]));
    return out;
}

json_t *policy_element(struct xr_bytes der, const struct xr_limits *limits)
{
    json_t *out = base64_of(der);

    if (limits == NULL || !xr_limits_any(limits))
        return out;
    return json_pack("{s:o, s:{s:o*, s:o*}}", "certificate", out, "constraints",
                     "permitted_dns_names", strings(&limits->dns), "permitted_cidrs",
                     strings(&limits->cidrs));
}

bool policy_element_read(struct xr_buf *der, struct xr_limits *limits, const json_t *element,
                         bool limited)
{
    struct policy_own own = {.source = NULL};
    const json_t *text = limited ? json_object_get(element, "certificate") : element;
    bool good = policy_base64(der, text) && (!limited || take_limits(&own, element) == LIMITS_GOOD);

    for (size_t i = 0; good && i < own.dns.count; i++)
        good = xr_limits_add_dns(limits, own.dns.items[i]);
    for (size_t i = 0; good && i < own.cidrs.count; i++)
        good = xr_limits_add_cidr(limits, own.cidrs.items[i]);
    xr_strings_free(&own.dns);
    xr_strings_free(&own.cidrs);
    return good;
}

/* ---- lists ---- */

static const enum xr_browser_trust trusts[POLICY_KEYS] = {
    [POLICY_ANCHORS] = XR_BROWSER_ANCHOR,
    [POLICY_LIMITED] = XR_BROWSER_ANCHOR,
    [POLICY_HINTS] = XR_BROWSER_HINT,
    [POLICY_DISTRUST] = XR_BROWSER_DISTRUST_KEY,
};

/* Numbers of the first entry of a kind, from 1, and of all of them. */
struct tally {
    size_t first, count;
};

static void count(struct tally *tally, size_t i)
{
    if (tally->count++ == 0)
        tally->first = i + 1;
}

/* The entry of the same certificate that comes before, or NULL. */
static const struct policy_own *known(const struct policy_view *view, const struct policy_own *own)
{
    struct xr_bytes der = {(const unsigned char *)own->der.data, own->der.len};

    for (size_t i = 0; i < view->own_count; i++) {
        const struct policy_own *other = &view->own[i];
        struct xr_bytes bytes = {(const unsigned char *)other->der.data, other->der.len};

        if (other->trust == own->trust && !other->behind && xr_bytes_equal(bytes, der))
            return other;
    }
    return NULL;
}

/* Does the browser's file belong to crossroot? */
static bool from_own(const char *path)
{
    static const char tail[] = "/managed/" POLICY_OWN;
    size_t len = strlen(path);

    return len >= sizeof(tail) - 1 && strcmp(path + len - (sizeof(tail) - 1), tail) == 0;
}

enum taken { TAKEN, TAKEN_BAD, TAKEN_TWICE, TAKEN_UNCLEAR };

static enum taken take_one(struct policy_view *view, struct policy_own *own, enum policy_key key,
                           const json_t *entry)
{
    const json_t *text = key == POLICY_LIMITED ? json_object_get(entry, "certificate") : entry;
    enum limits limits = key == POLICY_LIMITED ? take_limits(own, entry) : LIMITS_GOOD;
    const struct policy_own *before = NULL;
    struct xr_der_cert cert;

    if (limits == LIMITS_BAD || !policy_base64(&own->der, text) ||
        xr_der_cert(&cert, (struct xr_bytes){(const unsigned char *)own->der.data, own->der.len},
                    NULL) != XR_OK)
        return TAKEN_BAD;
    if (limits == LIMITS_UNCLEAR || cert.malformed)
        return TAKEN_UNCLEAR;
    before = known(view, own);
    if (before == NULL)
        return TAKEN;
    /* What crossroot takes out again must not uncover what nobody saw. */
    own->behind =
        own->trust == XR_BROWSER_ANCHOR && from_own(before->source) && !from_own(own->source);
    return TAKEN_TWICE;
}

static void say(struct policy_view *view, const struct tally *tally, enum policy_key key,
                const char *path, const char *what)
{
    if (tally->count == 1)
        policy_problem(view, "entry %zu of %s in %s %s", tally->first, policy_names[key], path,
                       what);
    else if (tally->count > 1)
        policy_problem(view, "%zu entries of %s in %s, the first is number %zu: each %s",
                       tally->count, policy_names[key], path, tally->first, what);
}

void policy_take(struct policy_view *view, enum policy_key key, const char *path,
                 const json_t *list)
{
    struct tally bad = {0}, twice = {0}, unclear = {0}, fatal = {0};
    size_t i = 0;
    json_t *entry = NULL;

    json_array_foreach(list, i, entry)
    {
        struct policy_own own = {.trust = trusts[key], .source = path};
        enum taken taken = TAKEN_BAD;

        if ((key == POLICY_HINTS || key == POLICY_DISTRUST) && !json_is_string(entry)) {
            count(&fatal, i);
            continue;
        }
        taken = take_one(view, &own, key, entry);
        if (taken == TAKEN || own.behind) {
            view->own =
                xr_push_room(view->own, &view->own_capacity, view->own_count, sizeof(*view->own));
            view->own[view->own_count++] = own;
            continue;
        }
        xr_buf_free(&own.der);
        xr_strings_free(&own.dns);
        xr_strings_free(&own.cidrs);
        count(taken == TAKEN_BAD ? &bad : taken == TAKEN_TWICE ? &twice : &unclear, i);
    }
    view->incomplete = view->incomplete || unclear.count > 0 || fatal.count > 0;
    say(view, &bad, key, path,
        key == POLICY_LIMITED
            ? N_("is ignored by the browser: it needs the base64 of one DER certificate, and limits "
                 "that are well-formed")
            : N_("is ignored by the browser: it is not the base64 of one DER certificate"));
    if (key == POLICY_ANCHORS || key == POLICY_LIMITED)
        say(view, &twice, key, path,
            N_("is a certificate that is listed before, and counts there"));
    say(view, &unclear, key, path,
        N_("may be ignored by the browser or not: an extension or an address is unusual"));
    say(view, &fatal, key, path, N_("is not text: Chromium ends when it reads that"));
}
