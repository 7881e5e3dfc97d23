/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include "sys/sys.h"

#include <stdlib.h>
#include <unistd.h>

struct adding {
    struct xr_input *input;
    const char *file;
    size_t index;
};

static void add_reject(void *ctx, bool note, const char *reason)
{
    struct adding *adding = ctx;
    struct xr_input_reject *entry = NULL;

    adding->input->failed = adding->input->failed || !note;
    if (adding->input->rejected.count >= XR_INPUT_ITEMS_MAX)
        return;
    entry = XR_PUSH(&adding->input->rejected);

    entry->file = adding->file;
    entry->reason = xr_strdup(reason);
    entry->note = note;
}

static enum xr_status add_cert(struct xr_input_item *item, struct xr_bytes der, struct xr_bytes aux,
                               struct xr_error *err)
{
    size_t len = 0;
    enum xr_status status = xr_cert_new(&item->cert, der, err);

    if (status != XR_OK || aux.len == 0)
        return status;
    item->has_trust = true;
    item->aux = (struct xr_bytes){xr_memdup(aux.data, aux.len), aux.len};
    return xr_input_trusted(&len, &item->trust, (struct xr_bytes){der.data, der.len + aux.len},
                            err);
}

static enum xr_status add_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                               struct xr_bytes aux)
{
    struct adding *adding = ctx;
    struct xr_input *input = adding->input;
    struct xr_input_item item = {.file = adding->file, .index = adding->index++};
    struct xr_error err = {0};
    enum xr_status status = XR_OK;
    bool added = false;

    if (input->found.count >= XR_INPUT_ITEMS_MAX) {
        add_reject(ctx, false, "too many certificates: the limit is 262144");
        return XR_REFUSED;
    }
    if (kind == XR_ITEM_CERT)
        status = add_cert(&item, der, aux, &err);
    else
        status = xr_crl_new(&item.crl, der, &err);
    if (status == XR_OK) {
        size_t at = xr_idmap_put(&input->seen, item.cert ? item.cert->sha256 : item.crl->sha256,
                                 input->found.count, &added);

        if (added) {
            *XR_PUSH(&input->found) = item;
            return XR_OK;
        }
        /* The same certificate again: keeps the restrictions of both. */
        if (item.has_trust) {
            struct xr_input_item *first = &input->found.items[at];

            first->trust = first->has_trust ? first->trust & item.trust : item.trust;
            if (!first->has_trust) {
                first->aux = item.aux;
                item.aux = (struct xr_bytes){0};
            }
            first->has_trust = true;
        }
    } else {
        add_reject(ctx, false, err.text);
    }
    free((void *)(uintptr_t)item.aux.data);
    xr_cert_free(item.cert);
    xr_crl_free(item.crl);
    return XR_OK;
}

void xr_input_add_bytes(struct xr_input *input, const char *file, struct xr_bytes data)
{
    struct adding adding = {.input = input};
    struct xr_scan sink = {.item = add_item,
                           .reject = add_reject,
                           .ctx = &adding,
                           .lenient = true,
                           .password = input->password};

    xr_strings_add(&input->files, file);
    adding.file = input->files.items[input->files.count - 1];
    (void)xr_scan(&sink, data);
    if (sink.found == 0 && sink.rejected == 0)
        add_reject(&adding, false, "no certificate in it");
}

static void reject_file(struct xr_input *input, const char *file, const char *reason, bool note)
{
    struct adding adding = {.input = input};

    xr_strings_add(&input->files, file);
    adding.file = input->files.items[input->files.count - 1];
    add_reject(&adding, note, reason);
}

static void add_fd(struct xr_input *input, const char *file, int fd)
{
    struct xr_buf buf = {0};
    struct xr_error err = {0};

    if (xr_sys_read_fd(&buf, fd, XR_INPUT_FILE_MAX, &err) != XR_OK)
        reject_file(input, file, err.text, false);
    else if (input->take == NULL ||
             !input->take(input->ctx, file,
                          (struct xr_bytes){(const unsigned char *)buf.data, buf.len}))
        xr_input_add_bytes(input, file,
                           (struct xr_bytes){(const unsigned char *)buf.data, buf.len});
    xr_sys_wipe(&buf); /* it may have held a key */
}

static void add_at(struct xr_input *input, int dirfd, const char *name, const char *shown,
                   unsigned depth);

static void add_directory(struct xr_input *input, int fd, const char *shown, unsigned depth)
{
    struct xr_strings names = {0};
    struct xr_error err = {0};

    if (depth >= XR_INPUT_DEPTH_MAX) {
        reject_file(input, shown, "directories nested too deep: the limit is 16", false);
        return;
    }
    if (xr_sys_names(&names, fd, &err) != XR_OK)
        reject_file(input, shown, err.text, false);
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(shown);
        char *path =
            xr_format("%s%s%s", shown, len > 0 && shown[len - 1] == '/' ? "" : "/", names.items[i]);

        add_at(input, fd, names.items[i], path, depth + 1);
        free(path);
    }
    xr_strings_free(&names);
}

/* A host and its port, not quoted in a shell. */
#define IN_HOST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:"

/* For a name that is an address, what gets a file from there, and what a server there sends; NULL for
 * any other name, and for an address with characters that a shell would not leave alone. */
static char *address_hint(const char *name)
{
    static const char in_address[] = IN_HOST "_~/?#[]@!$&()*+,;=%"; /* in single quotes */
    const char *host = strstr(name, "://");
    size_t len = 0;

    if (host == NULL ||
        (strncasecmp(name, "https://", 8) != 0 && strncasecmp(name, "http://", 7) != 0) ||
        name[strspn(name, in_address)] != '\0')
        return NULL;
    host += strlen("://");
    len = strcspn(host, "/?#");
    if (strspn(host, IN_HOST) < len)
        return NULL;
    return xr_format(
        N_("an address, and nothing is fetched from there: \"curl -fLO '%s'\" gets a file, "
           "\"openssl s_client -showcerts -connect %.*s%s </dev/null\" what a server sends"),
        name, (int)len, host, memchr(host, ':', len) != NULL ? "" : ":443");
}

/* depth 0 is what the user named. */
static void add_at(struct xr_input *input, int dirfd, const char *name, const char *shown,
                   unsigned depth)
{
    struct xr_error err = {0};
    char *hint = NULL;
    int fd = -1;

    switch (xr_sys_open_input(&fd, dirfd, name, depth == 0, &err)) {
    case XR_FILE_DATA:
        add_fd(input, shown, fd);
        break;
    case XR_FILE_DIR:
        add_directory(input, fd, shown, depth);
        break;
    case XR_FILE_OTHER: /* in a directory the user did not name this file */
        reject_file(input, shown, "not a regular file", depth > 0);
        break;
    case XR_FILE_LINK:
        break;
    case XR_FILE_NONE:
        hint = depth == 0 ? address_hint(name) : NULL;
        reject_file(input, shown, hint != NULL ? hint : err.text, false);
        free(hint);
        break;
    }
    if (fd >= 0)
        (void)close(fd);
}

void xr_input_add(struct xr_input *input, const char *path)
{
    if (strcmp(path, "-") == 0)
        add_fd(input, "-", STDIN_FILENO);
    else
        add_at(input, XR_HERE, path, path, 0);
}

enum xr_status xr_input_text(struct xr_buf *out, const char *path, struct xr_error *err)
{
    int fd = STDIN_FILENO;
    enum xr_file_kind kind = XR_FILE_DATA;
    enum xr_status status = XR_OK;
    struct xr_error why = {0};

    if (strcmp(path, "-") != 0)
        kind = xr_sys_open_input(&fd, XR_HERE, path, true, &why);
    if (kind == XR_FILE_NONE)
        return xr_fail(err, why.status, "%s: %s", path, why.text);
    if (kind == XR_FILE_DATA)
        status = xr_sys_read_fd(out, fd, XR_INPUT_FILE_MAX, err);
    else
        status = xr_fail(err, XR_INVALID, "%s is not a file", path);
    if (fd >= 0 && fd != STDIN_FILENO)
        (void)close(fd);
    return status;
}

void xr_input_free(struct xr_input *input)
{
    for (size_t i = 0; i < input->found.count; i++) {
        free((void *)(uintptr_t)input->found.items[i].aux.data);
        xr_cert_free(input->found.items[i].cert);
        xr_crl_free(input->found.items[i].crl);
    }
    for (size_t i = 0; i < input->rejected.count; i++)
        free(input->rejected.items[i].reason);
    free(input->found.items);
    free(input->rejected.items);
    xr_strings_free(&input->files);
    xr_idmap_free(&input->seen);
    *input = (struct xr_input){0};
}
