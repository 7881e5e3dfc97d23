/* SPDX-License-Identifier: Apache-2.0 */
/* Managed policies as stores, one for each product of the machine. */
#include "session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

struct finding {
    const struct policy_root *root;
    bool only_named;
    xr_found_fn emit;
    void *ctx;
};

static enum xr_status found(const struct finding *f, const char *location, const char *path,
                            const char *title)
{
    char identity[96];
    char *summary = xr_format(N_("managed policies of %s"), title);
    enum xr_status status = XR_OK;

    identify(identity, f->root, path);
    status = f->emit(f->ctx, &(struct xr_found){.size = sizeof(struct xr_found),
                                                .location = location,
                                                .identity = identity,
                                                .summary = summary,
                                                .only_named = f->only_named});
    free(summary);
    return status;
}

static bool is_installed(const struct policy_root *root, const struct policy_product *p)
{
    for (const char *const *dir = p->installed; dir != NULL && *dir != NULL; dir++) {
        if (policy_is(root, *dir, S_IFDIR))
            return true;
    }
    return false;
}

/* A file at the product's path has the product's name, also before it exists; those in installations
 * have their own paths, and are found even if that file keeps Firefox from reading them. */
static enum xr_status discover_one(const struct finding *f, const struct policy_product *p)
{
    enum xr_status status = XR_OK;
    bool there = p->family == POLICY_CHROMIUM ? has_levels(f->root, p->path)
                                              : policy_is(f->root, p->path, S_IFREG);
    size_t others = 0;

    if (there)
        status = found(f, p->name, p->path, p->title);
    for (const char *const *dir = p->installed;
         p->family == POLICY_FIREFOX && status == XR_OK && *dir != NULL; dir++) {
        char *file = xr_format("%s/distribution/policies.json", *dir);

        if (policy_is(f->root, file, S_IFREG)) {
            status = found(f, file, file, p->title);
            others++;
        }
        free(file);
    }
    if (status == XR_OK && !there && others == 0 && is_installed(f->root, p))
        status = found(f, p->name, p->path, p->title);
    return status;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct policy_root root;
    const struct finding f = {&root, !(scope & XR_SCOPE_POLICIES), emit, ctx};
    enum xr_status status = XR_OK;

    (void)host;
    if (!(scope & XR_SCOPE_SYSTEM))
        return XR_OK;
    status = policy_root_open(&root, site->root, err);
    for (const struct policy_product *p = policy_products; status == XR_OK && p->name != NULL; p++)
        status = discover_one(&f, p);
    policy_root_close(&root);
    return status;
}

/* ---- a session ---- */

static void session_close(struct xr_session *s)
{
    if (s->dir >= 0)
        (void)close(s->dir);
    policy_root_close(&s->root);
    free(s->path);
    free(s->image);
    free(s);
}

static const struct policy_form *const forms[] = {
    [POLICY_CHROMIUM] = &policy_chromium_form, [POLICY_FIREFOX] = &policy_firefox_form};

/* A policies.json that does not exist yet, in a directory that does. */
static bool may_become(const struct xr_session *s)
{
    const char *name = strrchr(s->path, '/');
    char *dir = xr_memdup(s->path, (size_t)(name - s->path));
    bool may = strcmp(name, "/policies.json") == 0 && policy_is(&s->root, dir, S_IFDIR);

    free(dir);
    return may;
}

/* The name of a product, a directory with managed/ or recommended/, one of these, or a file of a
 * policies.json's kind. */
static enum xr_status locate(struct xr_session *s, const char *location, struct xr_error *err)
{
    static const char *const levels[] = {"/managed", "/recommended"};
    size_t len = strlen(location);

    s->product = product_of(location);
    if (s->product != NULL) {
        s->form = forms[s->product->family];
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
    if (policy_is(&s->root, s->path, S_IFDIR)) {
        s->form = &policy_chromium_form;
        return XR_OK;
    }
    s->form = &policy_firefox_form;
    if (policy_is(&s->root, s->path, S_IFREG) || may_become(s))
        return XR_OK;
    return xr_fail(err, XR_ABSENT, "%s is neither a directory of policies nor a policies.json",
                   s->path);
}

/* Of a directory that does not exist, and of one that cannot be opened, there is no lock: the
 * capabilities say which it is. */
static enum xr_status lock(struct xr_session *s, struct xr_error *err)
{
    char *dir = s->form == &policy_chromium_form
                    ? xr_format("%s/managed", s->path)
                    : xr_memdup(s->path, (size_t)(strrchr(s->path, '/') - s->path));
    enum xr_status status = policy_dir_open(s, dir, false, err);

    free(dir);
    return status == XR_BUSY ? status : XR_OK;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    struct xr_caps full = {.size = sizeof(full), .subjects = 1u << XR_SUBJECT_CERT};
    enum xr_status status = policy_root_open(&s->root, target->site->root, err);

    s->host = host;
    s->dir = -1;
    s->write = mode == XR_WRITE;
    if (target->site->root != NULL)
        s->image = xr_strdup(target->site->root);
    if (status == XR_OK)
        status = locate(s, target->location, err);
    if (status == XR_OK && s->write)
        status = lock(s, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    if (s->product != NULL)
        (void)snprintf(full.summary, sizeof(full.summary), N_("managed policies of %s"),
                       s->product->title);
    else
        (void)snprintf(full.summary, sizeof(full.summary), N_("managed policies, as %s reads them"),
                       s->form == &policy_chromium_form ? "Chromium" : "Firefox");
    identify(full.identity, &s->root, s->path);
    s->form->describe(&full, s);
    xr_caps_give(caps, &full);
    *out = s;
    return XR_OK;
}

/* ---- the form decides ---- */

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    return s->form->list(s, emit, ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    return s->form->swap(s, expect, want, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    return s->form->flush(s, err);
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    return s->form->probe != NULL ? s->form->probe(s, out, question, err)
                                  : xr_fail(err, XR_UNSUPPORTED, "this store has no verifier");
}

const struct xr_backend policy_files = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "policy",
    .summary = N_("browsers' managed policies (Chromium, Firefox and their relatives)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
};
