/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue.h"

#include <stdlib.h>

/* GNU MO files: gettext's manual, "The Format of GNU MO Files". */
#define MAGIC      0x950412deU
#define HEADER_LEN 28u

struct mo {
    struct xr_bytes bytes;
    bool big;
    uint64_t texts; /* bytes of all texts so far */
};

/* The caller knows that they are there. */
static uint32_t number(const struct mo *mo, uint64_t at)
{
    const unsigned char *p = mo->bytes.data + at;

    return mo->big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                   : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static bool inside(const struct mo *mo, uint64_t at, uint64_t len)
{
    return at <= mo->bytes.len && len <= mo->bytes.len - at;
}

/* Of the bytes at p: ASCII, eight at a time, or three that are neither overlong nor a surrogate, as most
 * of Japanese. 0: xr_utf8_next knows. All texts are looked through at each start. */
static size_t plain_utf8(const unsigned char *p, size_t left)
{
    uint64_t eight = 0;

    if (left >= sizeof(eight)) {
        memcpy(&eight, p, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) == 0)
            return sizeof(eight);
    }
    if (p[0] < 0x80)
        return 1;
    return left >= 3 && p[0] > 0xe0 && p[0] < 0xf0 && p[0] != 0xed && (p[1] & 0xc0) == 0x80 &&
                   (p[2] & 0xc0) == 0x80
               ? 3
               : 0;
}

static bool is_utf8(struct xr_bytes text)
{
    uint32_t code = 0;
    size_t len = 0;

    for (size_t at = 0; at < text.len; at += len) {
        len = plain_utf8(text.data + at, text.len - at);
        if (len == 0)
            len = xr_utf8_next(&code, text.data + at, text.len - at);
        if (len == 0)
            return false;
    }
    return true;
}

/* The text whose length and place stand at that place; its '\0' is there too. Texts that share their
 * bytes would make a small file a long one. */
static bool text_at(struct xr_bytes *out, struct mo *mo, uint64_t at)
{
    uint32_t len = number(mo, at), offset = number(mo, at + 4);

    mo->texts += (uint64_t)len + 1;
    if (mo->texts > mo->bytes.len || !inside(mo, offset, (uint64_t)len + 1) ||
        mo->bytes.data[(uint64_t)offset + len] != '\0')
        return false;
    *out = (struct xr_bytes){mo->bytes.data + offset, len};
    return is_utf8(*out);
}

/* The value of a line "Name: value" of the header, or NULL. */
static const char *header_line(const char *header, const char *name)
{
    while (header != NULL && strncmp(header, name, strlen(name)) != 0) {
        header = strchr(header, '\n');
        header = header != NULL ? header + 1 : NULL;
    }
    return header != NULL ? header + strlen(name) : NULL;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool says_utf8(const char *header)
{
    static const char charset[] = "charset=utf-8";
    const char *line = header_line(header, "Content-Type:");

    for (; line != NULL && *line != '\0' && *line != '\n'; line++) {
        size_t same = 0;

        while (charset[same] != '\0' && lower(line[same]) == charset[same])
            same++;
        if (charset[same] == '\0')
            return line[same] == '\n' || line[same] == '\0' || line[same] == ';';
    }
    return false;
}

static bool take_header(struct xr_catalogue *catalogue, const char *header)
{
    const char *plural = header_line(header, "Plural-Forms:");

    /* gettext takes this for what says nothing. */
    return says_utf8(header) &&
           xr_plural_read(&catalogue->plural,
                          plural != NULL ? plural : "nplurals=2; plural=n != 1;");
}

/* Every form of a translation takes the arguments of the text. */
static bool fits(const struct xr_tr_entry *entry)
{
    for (size_t at = 0; at < entry->forms_len; at += strlen(entry->forms + at) + 1) {
        if (!xr_format_alike(entry->many != NULL ? entry->many : entry->one, entry->forms + at))
            return false;
    }
    return entry->forms[0] != '\0' &&
           (entry->many == NULL || xr_format_alike(entry->many, entry->one));
}

static bool take(struct xr_catalogue *catalogue, struct xr_bytes text, struct xr_bytes translation)
{
    struct xr_tr_entry entry = {.one = (const char *)text.data,
                                .forms = (const char *)translation.data,
                                .forms_len = translation.len + 1};
    size_t len = strlen(entry.one);

    if (len < text.len)
        entry.many = entry.one + len + 1;
    /* A format that would take other arguments than its text stays English. */
    if (len > 0 && fits(&entry))
        *XR_PUSH(catalogue) = entry;
    return len > 0 || take_header(catalogue, entry.forms);
}

static bool read_all(struct xr_catalogue *catalogue, struct mo *mo)
{
    uint64_t count = 0, texts = 0, translations = 0;
    const char *before = NULL;

    if (!inside(mo, 0, HEADER_LEN))
        return false;
    mo->big = number(mo, 0) != MAGIC;
    if (number(mo, 0) != MAGIC || number(mo, 4) >> 16 > 1)
        return false;
    count = number(mo, 8);
    texts = number(mo, 12);
    translations = number(mo, 16);
    if (count == 0 || !inside(mo, texts, 8 * count) || !inside(mo, translations, 8 * count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct xr_bytes text, translation;

        if (!text_at(&text, mo, texts + 8 * i) || !text_at(&translation, mo, translations + 8 * i))
            return false;
        /* The header, whose text is empty, comes first. */
        if (i == 0 ? text.len > 0 : strcmp(before, (const char *)text.data) >= 0)
            return false;
        before = (const char *)text.data;
        if (!take(catalogue, text, translation))
            return false;
    }
    return true;
}

struct xr_catalogue *xr_catalogue_new(struct xr_bytes bytes)
{
    struct xr_catalogue *catalogue = xr_new(1, sizeof(*catalogue));
    struct mo mo = {.bytes = bytes};

    catalogue->said = xr_new(1, sizeof(*catalogue->said));
    if (!read_all(catalogue, &mo)) {
        xr_catalogue_free(catalogue);
        return NULL;
    }
    return catalogue;
}

void xr_catalogue_free(struct xr_catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    xr_said_free(*catalogue->said);
    free(catalogue->said);
    free(catalogue->items);
    free(catalogue);
}
