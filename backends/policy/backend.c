/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed policies as stores, one for each product of the machine. Its certificates are the
 * administrator's. Nothing is written yet.
 */
#include "policy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char not_yet[] =
    "crossroot does not write policies yet; change the file by hand, as its administrator";

struct xr_session {
    const struct xr_host *host;
    struct policy_root root;
    char *image;                          /* NULL: this machine */
    const struct policy_product *product; /* NULL: the location is a path */
    enum policy_family family;
    char *path; /* the directory of policies, or a policies.json */
};

/* ---- what there is ---- */

static const struct policy_product *product_of(const char *location)
{
    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        if (strcmp(p->name, location) == 0)
            return p;
    }
    return NULL;
}

static bool has_levels(const struct policy_root *root, const char *dir)
{
    char *managed = xr_format("%s/managed", dir), *recommended = xr_format("%s/recommended", dir);
    bool is = policy_is(root, managed, S_IFDIR) || policy_is(root, recommended, S_IFDIR);

    free(managed);
    free(recommended);
    return is;
}

static void identify(char out[96], const struct policy_root *root, const char *path)
{
    struct stat st;
    int fd = policy_open(root, path, O_PATH);

    out[0] = '\0';
    if (fd >= 0 && fstat(fd, &st) == 0)
        (void)snprintf(out, 96, "%llu:%llu", (unsigned long long)st.st_dev,
                       (unsigned long long)st.st_ino);
    if (fd >= 0)
        (void)close(fd);
}

static enum xr_status found(const struct policy_root *root, const char *location, const char *path,
                            const char *title, xr_found_fn emit, void *ctx)
{
    char identity[96];
    char *summary = xr_format("managed policies of %s", title);
    enum xr_status status = XR_OK;

    identify(identity, root, path);
    status = emit(ctx, &(struct xr_found){.size = sizeof(struct xr_found),
                                          .location = location,
                                          .identity = identity,
                                          .summary = summary,
                                          .only_named = true});
    free(summary);
    return status;
}

/* A file at the product's path has the product's name; those in installations their own paths, and
 * are found even if that file keeps Firefox from reading them. */
static enum xr_status discover_one(const struct policy_root *root, const struct policy_product *p,
                                   xr_found_fn emit, void *ctx)
{
    enum xr_status status = XR_OK;

    if (p->family == POLICY_CHROMIUM)
        return has_levels(root, p->path) ? found(root, p->name, p->path, p->title, emit, ctx)
                                         : XR_OK;
    if (policy_is(root, p->path, S_IFREG))
        status = found(root, p->name, p->path, p->title, emit, ctx);
    for (const char *const *dir = p->installed; status == XR_OK && *dir != NULL; dir++) {
        char *file = xr_format("%s/distribution/policies.json", *dir);

        if (policy_is(root, file, S_IFREG))
            status = found(root, file, file, p->title, emit, ctx);
        free(file);
    }
    return status;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct policy_root root;
    enum xr_status status = XR_OK;

    (void)host;
    if (!(scope & XR_SCOPE_SYSTEM))
        return XR_OK;
    status = policy_root_open(&root, site->root, err);
    for (const struct policy_product *p = policy_products; status == XR_OK && p->name != NULL; p++)
        status = discover_one(&root, p, emit, ctx);
    policy_root_close(&root);
    return status;
}

/* ---- a session ---- */

static void session_close(struct xr_session *s)
{
    policy_root_close(&s->root);
    free(s->path);
    free(s->image);
    free(s);
}

/* The name of a product, a directory with managed/ or recommended/, one of these, or a file of a
 * policies.json's kind. */
static enum xr_status locate(struct xr_session *s, const char *location, struct xr_error *err)
{
    static const char *const levels[] = {"/managed", "/recommended"};
    size_t len = strlen(location);

    s->product = product_of(location);
    if (s->product != NULL) {
        s->family = s->product->family;
        s->path = xr_strdup(s->product->path);
        return XR_OK;
    }
    if (location[0] != '/')
        return xr_fail(err, XR_INVALID,
                       "%s is neither the name of a browser whose policies are known here, nor an "
                       "absolute path",
                       location);
    while (len > 1 && location[len - 1] == '/')
        len--;
    s->path = xr_memdup(location, len);
    for (size_t i = 0; i < 2; i++) {
        size_t tail = strlen(levels[i]);

        if (len > tail && strcmp(s->path + len - tail, levels[i]) == 0 &&
            policy_is(&s->root, s->path, S_IFDIR))
            s->path[len - tail] = '\0';
    }
    if (policy_is(&s->root, s->path, S_IFDIR))
        return XR_OK;
    s->family = POLICY_FIREFOX;
    if (policy_is(&s->root, s->path, S_IFREG))
        return XR_OK;
    return xr_fail(err, XR_ABSENT, "%s is neither a directory of policies nor a policies.json",
                   s->path);
}

/* The file that counts for Firefox in place of this one, or NULL. */
static const char *instead(const struct xr_session *s)
{
    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        for (const char *const *dir = p->installed; dir != NULL && *dir != NULL; dir++) {
            size_t len = strlen(*dir);

            if (strncmp(s->path, *dir, len) == 0 &&
                strcmp(s->path + len, "/distribution/policies.json") == 0)
                return policy_is(&s->root, p->path, S_IFREG) ? p->path : NULL;
        }
    }
    return NULL;
}

/* Adds as many as fit into one line. */
static void join(char *out, size_t size, const struct xr_strings *lines)
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

static void describe_chromium(struct xr_caps *caps, const struct xr_session *s)
{
    struct policy_view view;

    caps->places[XR_ANCHOR] = caps->places[XR_INTERMEDIATE] = XR_ENFORCED;
    caps->places[XR_DISTRUST] = XR_ENFORCED;
    caps->distrust_by_key = true;
    caps->purposes = XR_SERVER;
    if (policy_load(&view, s->image, s->path, NULL) != XR_OK)
        return;
    if (view.platform_off)
        (void)snprintf(caps->left_out, sizeof(caps->left_out),
                       "%s: CAPlatformIntegrationEnabled is false, so users' NSS databases count "
                       "for nothing",
                       view.platform_file);
    join(caps->left_out, sizeof(caps->left_out), &view.problems);
    policy_view_free(&view);
}

static void describe_firefox(struct xr_caps *caps, const struct xr_session *s)
{
    struct policy_firefox firefox = {0};
    const char *other = instead(s);

    caps->places[XR_ANCHOR] = XR_ENFORCED;
    caps->purposes = XR_ANY_PURPOSE;
    (void)snprintf(caps->why_cannot[XR_INTERMEDIATE], sizeof(caps->why_cannot[0]),
                   "Certificates.Install makes an anchor of each certificate");
    (void)snprintf(caps->why_cannot[XR_DISTRUST], sizeof(caps->why_cannot[0]),
                   "policies of this browser cannot distrust a certificate");
    if (other != NULL) {
        (void)snprintf(caps->left_out, sizeof(caps->left_out),
                       "nothing of it counts, because %s exists", other);
        return;
    }
    policy_firefox_read(&firefox, &s->root, s->path, NULL);
    if (firefox.system_roots)
        (void)snprintf(caps->left_out, sizeof(caps->left_out),
                       "Certificates.ImportEnterpriseRoots imports nothing on Linux");
    join(caps->left_out, sizeof(caps->left_out), &firefox.problems);
    policy_firefox_free(&firefox);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    struct xr_caps full = {.size = sizeof(full), .subjects = 1u << XR_SUBJECT_CERT};
    enum xr_status status = policy_root_open(&s->root, target->site->root, err);

    (void)mode;
    s->host = host;
    if (target->site->root != NULL)
        s->image = xr_strdup(target->site->root);
    if (status == XR_OK)
        status = locate(s, target->location, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    full.refused = true;
    (void)snprintf(full.why_not, sizeof(full.why_not), "%s", not_yet);
    if (s->product != NULL)
        (void)snprintf(full.summary, sizeof(full.summary), "managed policies of %s",
                       s->product->title);
    else
        (void)snprintf(full.summary, sizeof(full.summary), "managed policies, %s",
                       s->family == POLICY_CHROMIUM ? "as Chromium reads them"
                                                    : "as Firefox reads them");
    identify(full.identity, &s->root, s->path);
    if (s->family == POLICY_CHROMIUM)
        describe_chromium(&full, s);
    else
        describe_firefox(&full, s);
    xr_caps_give(caps, &full);
    *out = s;
    return XR_OK;
}

/* ---- list ---- */

static enum xr_status emit_one(const struct xr_session *s, enum xr_place place, uint32_t purposes,
                               struct xr_bytes der, const char *file, const char *remark,
                               xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {.type = XR_SUBJECT_CERT},
                             .place = place,
                             .purposes = purposes,
                             .flags = XR_ENTRY_VENDOR,
                             .label = file,
                             .der = der,
                             .remark = remark};

    s->host->sha256(entry.subject.id, der);
    return emit(ctx, &entry);
}

static void add_names(struct xr_buf *out, const char *what, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        xr_buf_fmt(out, "%s%s", i > 0 ? ", " : what, names[i][0] != '\0' ? names[i] : "any name");
}

static char *limits_text(const struct xr_browser_cert *cert)
{
    struct xr_buf text = {0};

    if (cert->permitted_dns_count + cert->permitted_cidrs_count == 0)
        return NULL;
    xr_buf_str(&text, "limited, also where another store trusts it without limits, to ");
    add_names(&text, "names below ", cert->permitted_dns, cert->permitted_dns_count);
    if (cert->permitted_dns_count > 0 && cert->permitted_cidrs_count > 0)
        xr_buf_str(&text, " and ");
    add_names(&text, "addresses in ", cert->permitted_cidrs, cert->permitted_cidrs_count);
    return text.data;
}

static enum xr_status list_chromium(const struct xr_session *s, xr_entry_fn emit, void *ctx,
                                    struct xr_error *err)
{
    struct policy_view view;
    enum xr_status status = policy_load(&view, s->image, s->path, err);

    for (size_t i = 0; status == XR_OK && i < view.count; i++) {
        const struct xr_browser_cert *cert = &view.items[i];
        char *limits = limits_text(cert);
        bool anchor = cert->trust == XR_BROWSER_ANCHOR;
        enum xr_place place = anchor                           ? XR_ANCHOR
                              : cert->trust == XR_BROWSER_HINT ? XR_INTERMEDIATE
                                                               : XR_DISTRUST;

        status =
            emit_one(s, place, anchor ? XR_SERVER : 0, cert->der, cert->source, limits, emit, ctx);
        free(limits);
    }
    policy_view_free(&view);
    return status;
}

static enum xr_status list_firefox(const struct xr_session *s, xr_entry_fn emit, void *ctx)
{
    struct policy_firefox firefox = {0};
    enum xr_status status = XR_OK;

    if (instead(s) != NULL)
        return XR_OK;
    policy_firefox_read(&firefox, &s->root, s->path, NULL);
    for (size_t i = 0; status == XR_OK && i < firefox.count; i++) {
        const struct policy_install *item = &firefox.items[i];
        struct xr_bytes der = {(const unsigned char *)item->der.data, item->der.len};

        status = emit_one(s, XR_ANCHOR, XR_SERVER | XR_CLIENT | XR_EMAIL, der, item->file,
                          "installed in each profile at its start, and stays there", emit, ctx);
    }
    policy_firefox_free(&firefox);
    return status;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    return s->family == POLICY_CHROMIUM ? list_chromium(s, emit, ctx, err)
                                        : list_firefox(s, emit, ctx);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    (void)s;
    (void)expect;
    (void)want;
    return xr_fail(err, XR_REFUSED, "%s", not_yet);
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "policy",
    .summary = "browsers' managed policies (Chromium, Firefox and their relatives)",
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
};

XR_BACKEND(table);
