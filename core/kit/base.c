/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <errno.h>
#include <stdlib.h>

void xr_out_of_memory(void)
{
    (void)fputs("crossroot: out of memory\n", stderr);
    abort();
}

void *xr_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (memory == NULL)
        xr_out_of_memory();
    return memory;
}

void *xr_grow_raw(void *array, size_t *capacity, size_t need, size_t size)
{
    size_t wanted = *capacity ? *capacity : 8;
    void *grown = NULL;

    if (need <= *capacity)
        return array;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2)
            xr_out_of_memory();
        wanted *= 2;
    }
    if (wanted > SIZE_MAX / size)
        xr_out_of_memory();
    grown = realloc(array, wanted * size);
    if (grown == NULL)
        xr_out_of_memory();
    *capacity = wanted;
    return grown;
}

void *xr_grow(void *array, size_t *capacity, size_t need, size_t size)
{
    size_t before = *capacity;
    char *grown = xr_grow_raw(array, capacity, need, size);

    if (*capacity > before)
        memset(grown + before * size, 0, (*capacity - before) * size);
    return grown;
}

void *xr_push_room(void *array, size_t *capacity, size_t count, size_t size)
{
    char *grown = xr_grow_raw(array, capacity, count + 1, size);

    memset(grown + count * size, 0, size);
    return grown;
}

void *xr_memdup(const void *data, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy == NULL)
        xr_out_of_memory();
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *xr_strdup(const char *text)
{
    return xr_memdup(text, strlen(text));
}

XR_PRINTF(2, 0) static void buf_vfmt(struct xr_buf *buf, const char *format, va_list args)
{
    char text[256]; /* most fit, and are formatted once */
    va_list again;
    int len = 0;

    va_copy(again, args);
    len = vsnprintf(text, sizeof(text), format, again);
    va_end(again);
    if (len < 0)
        return;
    buf->data = xr_grow_raw(buf->data, &buf->capacity, buf->len + (size_t)len + 1, 1);
    if ((size_t)len < sizeof(text))
        memcpy(buf->data + buf->len, text, (size_t)len + 1);
    else
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
}

char *xr_format(const char *format, ...)
{
    struct xr_buf buf = {0};
    va_list args;

    va_start(args, format);
    buf_vfmt(&buf, format, args);
    va_end(args);
    return buf.data;
}

void xr_strings_add(struct xr_strings *strings, const char *text)
{
    *XR_PUSH(strings) = xr_strdup(text);
}

void xr_subjects_free(struct xr_subjects *subjects)
{
    free(subjects->items);
    *subjects = (struct xr_subjects){0};
}

void xr_strings_free(struct xr_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct xr_strings){0};
}

void xr_buf_add(struct xr_buf *buf, const void *data, size_t len)
{
    buf->data = xr_grow_raw(buf->data, &buf->capacity, buf->len + len + 1, 1);
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void xr_buf_str(struct xr_buf *buf, const char *text)
{
    xr_buf_add(buf, text, strlen(text));
}

void xr_buf_fmt(struct xr_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vfmt(buf, format, args);
    va_end(args);
}

void xr_buf_reserve(struct xr_buf *buf, size_t more)
{
    size_t need = buf->len + more + 1;

    /* Exactly that at first; later at least twice what it has, or many calls would copy it each time. */
    if (buf->data == NULL) {
        buf->data = xr_new(need, 1);
        buf->capacity = need;
    } else {
        buf->data = xr_grow(buf->data, &buf->capacity, need, 1);
    }
}

void xr_buf_free(struct xr_buf *buf)
{
    free(buf->data);
    *buf = (struct xr_buf){0};
}

void xr_buf_put32(struct xr_buf *out, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
                              (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    xr_buf_add(out, bytes, sizeof(bytes));
}

bool xr_bytes_get32(uint32_t *out, struct xr_bytes *in)
{
    if (in->len < 4)
        return false;
    *out = (uint32_t)in->data[0] | (uint32_t)in->data[1] << 8 | (uint32_t)in->data[2] << 16 |
           (uint32_t)in->data[3] << 24;
    in->data += 4;
    in->len -= 4;
    return true;
}

void xr_hex(char *out, const unsigned char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

int xr_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool xr_unhex(unsigned char *out, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++) {
        int high = xr_hex_digit((unsigned char)text[2 * i]);
        int low = high < 0 ? -1 : xr_hex_digit((unsigned char)text[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return text[2 * len] == '\0';
}

size_t xr_utf8_next(uint32_t *code_point, const unsigned char *data, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = 0;
    uint32_t value = 0;

    if (len == 0)
        return 0;
    if (data[0] < 0x80) {
        *code_point = data[0];
        return 1;
    }
    if ((data[0] & 0xe0) == 0xc0) {
        need = 2;
        value = data[0] & 0x1fu;
    } else if ((data[0] & 0xf0) == 0xe0) {
        need = 3;
        value = data[0] & 0x0fu;
    } else if ((data[0] & 0xf8) == 0xf0) {
        need = 4;
        value = data[0] & 0x07u;
    }
    if (need == 0 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (data[i] & 0x3fu);
    }
    if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return need;
}

/* Characters that move the cursor, reorder, hide or join what is around them. */
static bool deceives(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

void xr_buf_visible(struct xr_buf *buf, const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t used = 0;

        while (i + used < len && bytes[i + used] >= ' ' && bytes[i + used] < 0x7f)
            used++;
        if (used > 0) {
            xr_buf_add(buf, text + i, used);
            i += used;
            continue;
        }
        used = xr_utf8_next(&c, bytes + i, len - i);
        if (used == 0) {
            xr_buf_fmt(buf, "\\x%02X", bytes[i]);
            used = 1;
        } else if (deceives(c)) {
            xr_buf_fmt(buf, "\\u{%04X}", (unsigned)c);
        } else {
            xr_buf_add(buf, text + i, used);
        }
        i += used;
    }
    xr_buf_add(buf, "", 0);
}

char *xr_visible(const char *text)
{
    struct xr_buf buf = {0};

    xr_buf_visible(&buf, text, strlen(text));
    return buf.data;
}

const void *xr_memmem(const void *in, size_t in_len, const void *what, size_t len)
{
#ifdef _WIN32
    const unsigned char *at = in, *end = at + in_len;

    while ((size_t)(end - at) >= len) {
        at = memchr(at, *(const unsigned char *)what, (size_t)(end - at) - len + 1);
        if (at == NULL || memcmp(at, what, len) == 0)
            return at;
        at++;
    }
    return NULL;
#else
    return memmem(in, in_len, what, len);
#endif
}

void xr_wipe(void *memory, size_t len)
{
#ifdef _WIN32
    for (volatile unsigned char *at = memory; len > 0; len--)
        *at++ = 0;
#else
    explicit_bzero(memory, len);
#endif
}

bool xr_bytes_equal(struct xr_bytes a, struct xr_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool xr_subject_equal(const struct xr_subject *a, const struct xr_subject *b)
{
    return a->type == b->type && memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

const struct xr_attached *xr_attached_at(const struct xr_entry *entry, size_t i)
{
    const char *first = (const char *)entry->attached;

    return (const struct xr_attached *)(const void *)(first + i * entry->attached[0].size);
}

const char *xr_why_not_kept(struct xr_bytes content)
{
    static const char key[] = "PRIVATE KEY-----";

    if (content.len > XR_KEPT_MAX)
        return XR_PREDICATE(N_("%s is too large to be kept for an undo: remove it by hand"));
    if (content.len > 0 && xr_memmem(content.data, content.len, key, sizeof(key) - 1) != NULL)
        return XR_PREDICATE(N_("%s holds a private key, which is never copied: remove it by hand"));
    return NULL;
}

void xr_subject_issuer_serial(struct xr_subject *out, struct xr_bytes issuer,
                              struct xr_bytes serial,
                              void (*sha256)(unsigned char out[XR_SHA256_LEN],
                                             struct xr_bytes data))
{
    struct xr_buf both = {0};

    *out = (struct xr_subject){.type = XR_SUBJECT_ISSUER_SERIAL};
    xr_buf_add(&both, issuer.data, issuer.len);
    xr_buf_add(&both, serial.data, serial.len);
    sha256(out->id, (struct xr_bytes){(unsigned char *)both.data, both.len});
    xr_buf_free(&both);
}

static size_t idmap_slot(const struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN])
{
    size_t at = 0;

    memcpy(&at, id, sizeof(at));
    for (at &= map->capacity - 1;
         map->slots[at].value_plus_one != 0 && memcmp(map->slots[at].id, id, XR_SHA256_LEN) != 0;)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static void idmap_double(struct xr_idmap *map)
{
    struct xr_idmap bigger = {.capacity = map->capacity ? map->capacity * 2 : 16};

    bigger.slots = xr_new(bigger.capacity, sizeof(*bigger.slots));
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value_plus_one != 0)
            bigger.slots[idmap_slot(&bigger, map->slots[i].id)] = map->slots[i];
    }
    bigger.count = map->count;
    free(map->slots);
    *map = bigger;
}

size_t xr_idmap_put(struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN], size_t value,
                    bool *added)
{
    struct xr_idmap_slot *slot = NULL;

    if (map->count * 2 >= map->capacity)
        idmap_double(map);
    slot = &map->slots[idmap_slot(map, id)];
    *added = slot->value_plus_one == 0;
    if (*added) {
        memcpy(slot->id, id, XR_SHA256_LEN);
        slot->value_plus_one = value + 1;
        map->count++;
    }
    return slot->value_plus_one - 1;
}

bool xr_idmap_get(const struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN], size_t *value)
{
    const struct xr_idmap_slot *slot = NULL;

    if (map->capacity == 0)
        return false;
    slot = &map->slots[idmap_slot(map, id)];
    if (slot->value_plus_one == 0)
        return false;
    *value = slot->value_plus_one - 1;
    return true;
}

void xr_idmap_free(struct xr_idmap *map)
{
    free(map->slots);
    *map = (struct xr_idmap){0};
}

enum xr_status xr_fail(struct xr_error *err, enum xr_status status, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return status;
    *err = (struct xr_error){.size = sizeof(*err), .status = status};
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return status;
}

enum xr_status xr_fail_errno(struct xr_error *err, const char *format, ...)
{
    int code = errno;
    enum xr_status status = XR_FAILED;
    const char *reason = NULL;
    size_t used = 0, most = 0;
    va_list args;

    if (code == EACCES || code == EPERM || code == EROFS)
        status = XR_DENIED;
    else if (code == ENOENT)
        status = XR_ABSENT;
    if (err == NULL)
        return status;
    *err = (struct xr_error){.size = sizeof(*err), .status = status, .code = code};
    (void)snprintf(err->domain, sizeof(err->domain), "errno");
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    reason = strerror(code);
    used = strlen(err->text);
    most = sizeof(err->text) - strlen(reason) - sizeof("…: ");
    if (used > most) { /* of a long path the reason must not be what is cut off */
        while (most > 0 && ((unsigned char)err->text[most] & 0xc0) == 0x80)
            most--;
        used = most + (size_t)snprintf(err->text + most, sizeof(err->text) - most, "…");
    }
    (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", reason);
    return status;
}

const char *xr_place_name(enum xr_place place)
{
    static const char *const names[XR_PLACE_COUNT] = {N_("anchor"), N_("intermediate"), N_("peer"),
                                                      N_("distrust"), N_("crl")};

    return (unsigned)place < XR_PLACE_COUNT ? names[place] : "?";
}

bool xr_place_parse(enum xr_place *out, const char *name)
{
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++) {
        if (strcmp(name, xr_place_name((enum xr_place)place)) == 0) {
            *out = (enum xr_place)place;
            return true;
        }
    }
    return false;
}

static const char *const purpose_names[] = {N_("server"), N_("client"), N_("email"), N_("code"),
                                            N_("time")};
#define PURPOSES (sizeof(purpose_names) / sizeof(purpose_names[0]))

const char *xr_purpose_name(uint32_t bit)
{
    if (bit == XR_ANY_PURPOSE)
        return N_("any");
    for (unsigned i = 0; i < PURPOSES; i++) {
        if (bit == 1u << i)
            return purpose_names[i];
    }
    return NULL;
}

uint32_t xr_purpose_parse(const char *name)
{
    if (strcmp(name, "any") == 0)
        return XR_ANY_PURPOSE;
    for (unsigned i = 0; i < PURPOSES; i++) {
        if (strcmp(name, purpose_names[i]) == 0)
            return 1u << i;
    }
    return 0;
}

void xr_purposes_text(char *out, size_t size, uint32_t purposes)
{
    struct xr_buf buf = {0};

    if (purposes & XR_ANY_PURPOSE)
        xr_buf_str(&buf, N_("any purpose"));
    for (unsigned i = 0; i < PURPOSES && !(purposes & XR_ANY_PURPOSE); i++) {
        if (purposes & 1u << i)
            xr_buf_fmt(&buf, "%s%s", buf.len ? ", " : "", purpose_names[i]);
    }
    (void)snprintf(out, size, "%s", buf.len ? buf.data : N_("nothing"));
    xr_buf_free(&buf);
}

/* Howard Hinnant's civil calendar arithmetic: shifts the year to start in March. */
int64_t xr_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void xr_date_of(struct xr_date *out, int64_t at)
{
    int64_t days = (at >= 0 ? at : at - 86399) / 86400;
    int64_t seconds = at - days * 86400;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

    *out = (struct xr_date){.year = years + era * 400 + (month <= 2),
                            .month = (int)month,
                            .day = (int)(of_year - (153 * shifted + 2) / 5 + 1),
                            .hour = (int)(seconds / 3600),
                            .minute = (int)(seconds / 60 % 60),
                            .second = (int)(seconds % 60),
                            .weekday = (int)(((days + 4) % 7 + 7) % 7)};
}

void xr_caps_give(struct xr_caps *out, const struct xr_caps *full)
{
    size_t size = out->size;

    memcpy(out, full, size < sizeof(*full) ? size : sizeof(*full));
    out->size = size;
}
