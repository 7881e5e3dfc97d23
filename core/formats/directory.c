/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: a file for each certificate, and links to it by the hashes of its subject. */
#include "kit/pem.h"
#include "private.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 255, SUFFIX_ROOM = 16 };

void xr_format_spell_file(struct xr_buf *buf, const char *name, size_t len, size_t n)
{
    xr_buf_add(buf, name, len);
    if (n > 0)
        xr_buf_fmt(buf, ".%zu", n);
    xr_buf_str(buf, ".pem");
}

static void spell_link(struct xr_buf *buf, const char *name, size_t len, size_t n)
{
    xr_buf_add(buf, name, len);
    xr_buf_fmt(buf, ".%zu", n);
}

char *xr_format_bare_name(const struct xr_format_cert *cert)
{
    char *name =
        cert->label_len > 0 ? xr_memdup(cert->label, cert->label_len) : xr_strdup("certificate");
    size_t room = NAME_MAX_BYTES - SUFFIX_ROOM - (sizeof(".pem") - 1);

    for (char *p = name; *p != '\0'; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '.' || *p == '-' || *p == '_';

        if (!plain)
            *p = '_';
    }
    if (strlen(name) > room)
        name[room] = '\0';
    return name;
}

static void add_link(struct xr_format_files *out, struct xr_format_names *names, uint32_t hash,
                     const char *target)
{
    char text[9];
    struct xr_buf spelt = {0};
    struct xr_format_file *link = XR_PUSH(out);

    (void)snprintf(text, sizeof(text), "%08x", (unsigned)hash);
    xr_format_names_take(names, &spelt, text, 8, spell_link);
    link->name = spelt.data;
    link->target = xr_strdup(target);
}

static void directory(struct xr_format_files *out, struct xr_format_cert *const *certs,
                      size_t count, const struct xr_format_options *options, xr_format_put_fn put)
{
    struct xr_format_names names = {.host = options->host};

    for (size_t i = 0; i < count; i++) {
        struct xr_format_file *file = NULL;
        struct xr_buf spelt = {0};
        char *bare = xr_format_bare_name(certs[i]);

        xr_format_names_take(&names, &spelt, bare, strlen(bare), xr_format_spell_file);
        free(bare);
        file = XR_PUSH(out);
        file->name = spelt.data;
        xr_buf_reserve(&file->content, xr_base64_size(certs[i]->der.len) + 256);
        put(&file->content, certs[i]);
        for (size_t k = 0; k < certs[i]->link_count; k++)
            add_link(out, &names, certs[i]->link_hash[k], spelt.data);
    }
    xr_format_names_free(&names);
}

void xr_format_pem_directory(struct xr_format_files *out, struct xr_format_cert *const *certs,
                             size_t count, const struct xr_format_options *options)
{
    directory(out, certs, count, options, xr_format_put_pem);
}

void xr_format_openssl_directory(struct xr_format_files *out, struct xr_format_cert *const *certs,
                                 size_t count, const struct xr_format_options *options)
{
    directory(out, certs, count, options, xr_format_put_trusted);
}
