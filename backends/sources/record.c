/* SPDX-License-Identifier: Apache-2.0 */
/* The native record of an entry, which can restore its file exactly. It may come from a journal and
 * is not trusted. */
#include "sources.h"

#include "formats/p11kit_text.h"
#include "p11files/private.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- what we write ---- */

static void add_pem(struct xr_buf *out, const struct xr_session *s, const char *label,
                    struct xr_bytes der)
{
    size_t len = 0;
    char *pem = s->host->pem(label, der, &len);

    xr_buf_add(out, pem, len);
    s->host->release(pem);
}

bool ca_is_eku(const struct pf_extension *extension)
{
    return PF_IS(extension->oid, PF_OID_EKU);
}

/* One extension, the whole of it, as an object attached to the key. */
static void add_extension(struct xr_buf *out, struct xr_bytes spki, struct xr_bytes oid,
                          struct xr_bytes value)
{
    struct xr_buf dots = {0};

    (void)pf_oid_text(&dots, oid);
    xr_p11kit_put_extension(out, spki, dots.len > 0 ? dots.data : "", value);
    xr_buf_free(&dots);
}

size_t ca_attached(struct xr_attached **out, const struct pf_store *p11, const struct pf_cert *cert,
                   bool only)
{
    struct {
        struct xr_attached *items;
        size_t count, capacity;
    } found = {0};

    for (size_t at = cert->attached; at != PF_NONE; at = p11->extensions.items[at].next) {
        const struct pf_extension *extension = &p11->extensions.items[at];

        if (!ca_is_eku(extension) && (!only || extension->file == cert->file))
            *XR_PUSH(&found) = (struct xr_attached){.size = sizeof(struct xr_attached),
                                                    .oid = extension->oid,
                                                    .value = extension->value};
    }
    *out = found.items;
    return found.count;
}

/* The first line tells p11-kit's module that it may remove the object. The limits precede the
 * certificate: the module reads hidden files too, and a half-written file must not give more trust
 * than the whole one. */
static void add_object(struct xr_buf *out, const struct xr_session *s, const struct xr_entry *entry)
{
    struct xr_slices slices = {.size = sizeof(slices)};

    xr_buf_str(out, "# This file has been auto-generated and written by p11-kit. Changes will be\n"
                    "# unceremoniously overwritten.\n"
                    "# It was written by crossroot, in p11-kit's format.\n");
    if (entry->place == XR_ANCHOR && s->host->slices(&slices, entry->der, NULL) == XR_OK) {
        if (entry->purposes != XR_ANY_PURPOSE)
            xr_p11kit_put_purposes(out, slices.spki, XR_P11KIT_EKU, entry->purposes);
        for (size_t i = 0; i < entry->attached_count; i++)
            add_extension(out, slices.spki, xr_attached_at(entry, i)->oid,
                          xr_attached_at(entry, i)->value);
    }
    xr_buf_str(out, "\n[p11-kit-object-v1]\nclass: certificate\ncertificate-type: x-509\n");
    if (entry->place != XR_INTERMEDIATE)
        xr_buf_str(out, entry->place == XR_ANCHOR ? "trusted: true\n" : "x-distrusted: true\n");
    if (entry->subject.type == XR_SUBJECT_CERT) {
        add_pem(out, s, "CERTIFICATE", entry->der);
        return;
    }
    xr_buf_str(out, "issuer: \"");
    xr_p11kit_put_escaped(out, entry->issuer);
    xr_buf_str(out, "\"\nserial-number: \"");
    xr_p11kit_put_escaped(out, entry->serial);
    xr_buf_str(out, "\"\n");
}

struct xr_buf ca_canonical(const struct xr_session *s, const struct xr_entry *entry)
{
    struct xr_buf out = {0};

    if (s->layout->objects)
        add_object(&out, s, entry);
    else
        add_pem(&out, s, "CERTIFICATE", entry->der);
    return out;
}

/* ---- records ---- */

const char *ca_fixed_reason(const struct xr_session *s, const struct ca_file *file)
{
    if (file->objects != 1)
        return XR_PREDICATE(N_("%s holds several certificates: split it by hand first"));
    if (s->layout->family == CA_P11 && !file->only_object)
        return XR_PREDICATE(N_("%s holds more than a certificate: change it by hand"));
    if (file->target != NULL)
        return NULL;
    return xr_why_not_kept(
        (struct xr_bytes){(const unsigned char *)file->content.data, file->content.len});
}

static enum ca_form form_of(const struct xr_session *s, const struct ca_cert *cert)
{
    const struct ca_file *file = cert->file;
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = cert->subject,
                             .place = cert->place,
                             .purposes = cert->purposes,
                             .der = cert->der,
                             .issuer = cert->issuer,
                             .serial = cert->serial};
    struct xr_attached *attached = NULL;
    struct xr_buf plain = {0};
    enum ca_form form = CA_FORM_CONTENT;

    if (cert->by_list)
        return CA_FORM_LINE;
    if (cert->vendor)
        return CA_FORM_VENDOR;
    if (ca_fixed_reason(s, file) != NULL)
        return CA_FORM_FIXED;
    if (file->target != NULL)
        return CA_FORM_LINK;
    if (s->layout->objects)
        entry.attached_count =
            ca_attached(&attached, &s->p11, &s->p11.certs.items[cert->object], true);
    entry.attached = attached;
    plain = ca_canonical(s, &entry);
    free(attached);
    if (plain.len == file->content.len && memcmp(plain.data, file->content.data, plain.len) == 0)
        form = CA_FORM_CANONICAL;
    xr_buf_free(&plain);
    return form;
}

void ca_native(struct xr_buf *out, const struct xr_session *s, const struct ca_cert *cert)
{
    enum ca_form form = form_of(s, cert);

    xr_buf_put32(out, form);
    xr_buf_put32(out, form == CA_FORM_LINE || form == CA_FORM_VENDOR ? 0 : cert->file->mode);
    xr_buf_put32(out, (uint32_t)strlen(cert->file->path));
    xr_buf_str(out, cert->file->path);
    if (form == CA_FORM_CONTENT)
        xr_buf_add(out, cert->file->content.data, cert->file->content.len);
    else if (form == CA_FORM_LINK)
        xr_buf_str(out, cert->file->target);
}

/* Is it below dir, without "." or ".."? */
static bool below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    if (strncmp(path, dir, len) != 0 || path[len] != '/')
        return false;
    for (const char *at = path + len; *at != '\0';) {
        size_t part = strcspn(at + 1, "/");

        if (part == 0 || (part == 1 && at[1] == '.') || (part == 2 && at[1] == '.' && at[2] == '.'))
            return false;
        at += part + 1;
    }
    return true;
}

bool ca_area_of(enum pf_area *out, const struct xr_session *s, const char *path)
{
    const char *name = ca_name(path);
    char *dir = xr_memdup(path, name == path ? 0 : (size_t)(name - path) - 1);
    bool found = false;

    for (size_t i = 0; !found && i < CA_TOKENS_MAX && s->layout->tokens[i].path != NULL; i++) {
        const char *token = s->layout->tokens[i].path;
        const char *below_token[] = {"", "/anchors"};

        for (size_t k = 0; !found && k < 2 && !s->layout->tokens[i].vendor; k++) {
            char *part = xr_format("%s%s", token, below_token[k]);

            found = strcmp(part, dir) == 0;
            *out = (enum pf_area)k;
            free(part);
        }
        if (!found && !s->layout->tokens[i].vendor && ca_is_blocklist(token, dir)) {
            found = true;
            *out = PF_BLOCKLIST;
        }
    }
    free(dir);
    return found && name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A record comes from the journal and is not trusted: it may name only a directory of the
 * administrator's sources, and only a file that counts there. */
static bool may_write(const struct xr_session *s, const char *path)
{
    const struct ca_layout *layout = s->layout;
    const char *name = ca_name(path);
    enum pf_area area = PF_BASE;

    if (strncmp(name, XR_TEMP_PREFIX, strlen(XR_TEMP_PREFIX)) == 0)
        return false;
    if (layout->family == CA_P11)
        return ca_area_of(&area, s, path);
    return below(path, layout->anchors) && ca_name_counts(layout, name) &&
           (layout->recursive || (size_t)(name - path) == strlen(layout->anchors) + 1);
}

bool ca_record(struct ca_record *out, const struct xr_session *s, struct xr_bytes in)
{
    uint32_t value[3];

    *out = (struct ca_record){.form = CA_FORM_CANONICAL};
    for (size_t i = 0; i < 3; i++) {
        if (!xr_bytes_get32(&value[i], &in))
            return false;
    }
    /* Root alone could have read what its owner may not. */
    if (value[0] <= CA_FORM_CONTENT && !(value[1] & 0400) && geteuid() != 0)
        return false;
    if (value[0] > CA_FORM_LINE || value[2] == 0 || value[2] > in.len || value[2] > 4095 ||
        memchr(in.data, '\0', value[2]) != NULL)
        return false;
    out->form = (enum ca_form)value[0];
    out->mode = value[1] & 0777;
    out->path = xr_memdup(in.data, value[2]);
    out->rest = (struct xr_bytes){in.data + value[2], in.len - value[2]};
    if (out->form == CA_FORM_VENDOR || out->form == CA_FORM_LINE || may_write(s, out->path))
        return true;
    free(out->path);
    return false;
}

struct found {
    const struct xr_session *s;
    const struct xr_entry *entry;
    size_t count;
    bool same;
};

static enum xr_status compare_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct found *found = ctx;
    size_t len = der.len;
    uint32_t purposes = 0;

    if (found->s->host->trusted(&len, &purposes, der, NULL) == XR_OK)
        der.len = len;
    found->count += kind != XR_ITEM_CRL;
    found->same = found->same || xr_bytes_equal(der, found->entry->der);
    return XR_OK;
}

bool ca_makes(const struct xr_session *s, const struct xr_entry *entry, const char *path,
              const struct xr_buf *content)
{
    struct xr_bytes data = {(const unsigned char *)content->data, content->len};
    struct found found = {.s = s, .entry = entry};
    struct pf_store p11 = {.host = s->host};
    struct xr_subject subject;
    enum pf_area area = PF_BASE;
    bool same = false;

    if (s->layout->family == CA_LIST) {
        if (entry->place == XR_ANCHOR && data.len > 0)
            (void)s->host->items(data, compare_item, &found, NULL);
        return found.count == 1 && found.same;
    }
    if (ca_area_of(&area, s, path) && pf_add(&p11, 0, area, ca_name(path), data, NULL) == XR_OK &&
        p11.certs.count == 1) {
        pf_combine(&p11);
        same = ca_identify_cert(&subject, s, &p11.certs.items[0]) &&
               subject.type == entry->subject.type &&
               memcmp(subject.id, entry->subject.id, sizeof(subject.id)) == 0 &&
               ca_place_of(&p11.certs.items[0]) == entry->place &&
               (!s->layout->objects || ca_one_object(s, &p11, 0, 0));
    }
    pf_free(&p11);
    return same;
}

/* What a link would lead to is looked at too: it may be another file by now. */
bool ca_link_makes(const struct xr_session *s, const struct xr_entry *entry, const char *path,
                   const char *target)
{
    const char *name = ca_name(path);
    char *to = target[0] == '/' ? xr_strdup(target + 1)
                                : xr_format("%.*s%s", (int)(name - path), path, target);
    struct xr_buf content = {0};
    bool same = ca_read(&content, NULL, s, to, NULL) == XR_OK && ca_makes(s, entry, path, &content);

    xr_buf_free(&content);
    free(to);
    return same;
}
