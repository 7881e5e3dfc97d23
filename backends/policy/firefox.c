/* SPDX-License-Identifier: Apache-2.0 */
/* policies.json of Firefox's family: Certificates.Install names files. */
#include "private.h"

#include "kit/der.h"
#include "kit/pem.h"

#include <stdlib.h>
#include <sys/stat.h>

static void problem(struct policy_firefox *firefox, const char *format, ...) XR_PRINTF(2, 3);
static void problem(struct policy_firefox *firefox, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xr_strings_add(&firefox->problems, text);
}

void policy_firefox_free(struct policy_firefox *firefox)
{
    for (size_t i = 0; i < firefox->count; i++) {
        xr_buf_free(&firefox->items[i].der);
        free(firefox->items[i].file);
        free(firefox->items[i].policy);
    }
    free(firefox->items);
    xr_strings_free(&firefox->problems);
    xr_strings_free(&firefox->listed);
    *firefox = (struct policy_firefox){0};
}

void policy_firefox_files(struct xr_strings *out, const struct policy_root *root,
                          const struct policy_product *product)
{
    if (policy_is(root, product->path, S_IFREG)) {
        xr_strings_add(out, product->path);
        return;
    }
    for (const char *const *dir = product->installed; dir != NULL && *dir != NULL; dir++) {
        char *file = xr_format("%s/distribution/policies.json", *dir);

        if (policy_is(root, file, S_IFREG))
            xr_strings_add(out, file);
        free(file);
    }
}

/* ---- a certificate's file ---- */

static bool under_lib64(const char *path)
{
    return strncmp(path, "/usr/lib64/", 11) == 0;
}

/* Where Firefox looks for a name: at the installation, in the home, in the system's directory. Builds for
 * /usr/lib64 have another one. */
static void certificate_dirs(struct xr_strings *out, const struct policy_root *root,
                             const char *policy, const char *home)
{
    static const char tail[] = "/distribution/policies.json";
    size_t len = strlen(policy), tail_len = sizeof(tail) - 1;
    bool lib64 = under_lib64(policy);
    char *dir = NULL;

    if (len > tail_len && strcmp(policy + len - tail_len, tail) == 0) {
        dir = xr_format("%.*s/distribution/certificates", (int)(len - tail_len), policy);
        xr_strings_add(out, dir);
        free(dir);
    }
    for (const struct policy_product *p = policy_products; p->name != NULL; p++) {
        if (p->installed == NULL || strcmp(p->path, policy) != 0)
            continue;
        for (const char *const *at = p->installed; *at != NULL; at++) {
            dir = xr_format("%s/distribution/certificates", *at);
            xr_strings_add(out, dir);
            free(dir);
            lib64 = lib64 || (under_lib64(*at) && policy_is(root, *at, S_IFDIR));
        }
    }
    if (home != NULL) {
        dir = xr_format("%s/.mozilla/certificates", home);
        xr_strings_add(out, dir);
        free(dir);
    }
    xr_strings_add(out,
                   lib64 ? "/usr/lib64/mozilla/certificates" : "/usr/lib/mozilla/certificates");
}

/* Tries the directories that Firefox does, in its order; NULL: in none of them. */
static char *find(const struct policy_root *root, const char *policy, const char *home,
                  const char *name)
{
    struct xr_strings dirs = {0};
    char *found = NULL;

    certificate_dirs(&dirs, root, policy, home);
    for (size_t i = 0; found == NULL && i < dirs.count; i++) {
        char *file = xr_format("%s/%s", dirs.items[i], name);

        if (policy_is(root, file, S_IFREG))
            found = file;
        else
            free(file);
    }
    xr_strings_free(&dirs);
    return found;
}

/* Removes the first mark, what stands before (or after) it in its line, and nothing else. */
static void cut(struct xr_buf *text, const char *mark, bool before)
{
    const char *found = xr_memmem(text->data, text->len, mark, strlen(mark));
    size_t from = found != NULL ? (size_t)(found - text->data) : 0, to = from + strlen(mark);

    if (found == NULL)
        return;
    while (before && from > 0 && text->data[from - 1] != '\n' && text->data[from - 1] != '\r')
        from--;
    while (!before && to < text->len && text->data[to] != '\n' && text->data[to] != '\r')
        to++;
    memmove(text->data + from, text->data + to, text->len - to);
    text->len -= to - from;
}

/* As Firefox takes it: exactly one certificate, in DER, in base64, or in PEM without any text in lines
 * before or after. */
static bool decode(struct xr_buf *out, struct xr_buf *content)
{
    struct xr_der_cert cert;
    struct xr_buf digits = {0};
    bool ok = true;

    if (xr_der_cert(&cert, (struct xr_bytes){(const unsigned char *)content->data, content->len},
                    NULL) == XR_OK) {
        xr_buf_add(out, content->data, content->len);
        return true;
    }
    cut(content, "-----BEGIN CERTIFICATE-----", true);
    cut(content, "-----END CERTIFICATE-----", false);
    for (size_t i = 0; ok && i < content->len; i++) {
        unsigned char c = (unsigned char)content->data[i];

        if (c == '\r' || c == '\n')
            continue;
        ok = !xr_pem_space(c);
        xr_buf_add(&digits, &c, 1);
    }
    ok = ok && digits.len > 0 && xr_base64(out, (const unsigned char *)digits.data, digits.len) &&
         xr_der_cert(&cert, (struct xr_bytes){(const unsigned char *)out->data, out->len}, NULL) ==
             XR_OK;
    xr_buf_free(&digits);
    return ok;
}

static void add(struct policy_firefox *firefox, const struct policy_root *root, const char *policy,
                const char *file)
{
    struct xr_buf content = {0}, der = {0};
    char why[128] = N_("it is not exactly one certificate in DER or PEM");
    bool closed = false;
    enum policy_file read = policy_read(&content, why, &closed, root, file);

    if (read == POLICY_FILE_READ && decode(&der, &content)) {
        struct policy_install *item = XR_PUSH(firefox);

        *item = (struct policy_install){der, xr_strdup(file), xr_strdup(policy)};
        der = (struct xr_buf){0};
        if (closed)
            problem(firefox,
                    "%s cannot be read by everybody: Firefox of other users than root "
                    "ignores it",
                    file);
    } else {
        problem(firefox, "%s is not installed by %s: %s", file, policy, why);
        firefox->incomplete = firefox->incomplete || read == POLICY_FILE_STRANGE;
    }
    xr_buf_free(&content);
    xr_buf_free(&der);
}

/* ---- policies.json ---- */

/* false: Firefox reads no further. */
static bool install(struct policy_firefox *firefox, const struct policy_root *root,
                    const char *policy, const char *home, const char *name)
{
    char *file = NULL;

    if (name[0] == '/') {
        add(firefox, root, policy, name);
        return true;
    }
    if (name[0] == '~') {
        if (home == NULL || name[1] != '/')
            problem(firefox, "%s in %s is looked for in the home of who starts Firefox", name,
                    policy);
        else
            file = xr_format("%s%s", home, name + 1);
    } else if (strchr(name, '/') != NULL || strcmp(name, "..") == 0 || strcmp(name, ".") == 0) {
        problem(firefox,
                "%s in %s is neither an absolute path nor a name alone: Firefox does not "
                "install it, nor what is listed after it",
                name, policy);
        return false;
    } else if (name[0] != '\0') {
        file = find(root, policy, home, name);
        if (file == NULL)
            problem(firefox, "%s in %s is in none of the directories that were searched", name,
                    policy);
    }
    if (file != NULL)
        add(firefox, root, policy, file);
    free(file);
    return true;
}

static void take(struct policy_firefox *firefox, const struct policy_root *root, const char *policy,
                 const char *home, const json_t *certificates)
{
    size_t i = 0;
    json_t *name = NULL;
    bool stopped = false;

    if (json_is_true(json_object_get(certificates, "ImportEnterpriseRoots")))
        firefox->system_roots = true;
    json_array_foreach(json_object_get(certificates, "Install"), i, name)
    {
        /* A name with a zero byte in it names no file. */
        if (!json_is_string(name) || strlen(json_string_value(name)) != json_string_length(name))
            continue;
        xr_strings_add(&firefox->listed, json_string_value(name));
        stopped = stopped || !install(firefox, root, policy, home, json_string_value(name));
    }
    firefox->stopped = firefox->stopped || stopped;
}

void policy_firefox_read(struct policy_firefox *out, const struct policy_root *root,
                         const char *policy, const char *home)
{
    struct xr_buf text = {0};
    char why[128] = "";
    bool closed = false;
    json_error_t error;
    json_t *all = NULL;

    switch (policy_read(&text, why, &closed, root, policy)) {
    case POLICY_FILE_READ:
        all = json_loadb(text.len > 0 ? text.data : "", text.len,
                         JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
        if (all == NULL) {
            problem(out, "%s cannot be parsed as JSON, so nothing of it counts here", policy);
            out->incomplete = true;
        }
        out->parsed = all != NULL;
        out->closed = out->closed || closed;
        if (closed)
            problem(out,
                    "%s cannot be read by everybody: Firefox of other users than root "
                    "ignores it",
                    policy);
        take(out, root, policy, home,
             json_object_get(json_object_get(all, "policies"), "Certificates"));
        json_decref(all);
        break;
    case POLICY_FILE_DENIED:
        problem(out, "%s cannot be read by this user, so Firefox of this user ignores it", policy);
        break;
    case POLICY_FILE_STRANGE:
        problem(out, "%s: %s; what Firefox makes of it is not known", policy, why);
        out->incomplete = true;
        break;
    case POLICY_FILE_NONE:
        break;
    }
    xr_buf_free(&text);
}
