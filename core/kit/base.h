/* SPDX-License-Identifier: Apache-2.0 */
/* Status and error, growable array, string builder, hex, UTF-8. The folder kit is pure: it uses
 * only libc, and is the only part of core that a plugin may link. */
#ifndef XR_BASE_H
#define XR_BASE_H

#include <crossroot/crossroot.h>

/* Marks an English text for the catalogues of other languages (cli/po), where no function does that whose
 * formats are taken into them. */
#define N_(text) text
/* What is said of a thing whose name a caller puts before it: catalogues have the whole sentence,
 * N_("%s is …"). */
#define XR_PREDICATE(text) (&(text)[sizeof("%s ") - 1])

/* Memory: these never return NULL. Out of memory ends the process (docs/decisions/0002); the
 * journal makes that a crash like any other. xr_new and xr_grow return zeroed memory. */
void *xr_new(size_t count, size_t size);
void xr_out_of_memory(void) __attribute__((noreturn)); /* says so, and aborts */
void *xr_grow(void *array, size_t *capacity, size_t need, size_t size);
/* The same, but what is new is undefined: for callers that write it before anybody reads it. */
void *xr_grow_raw(void *array, size_t *capacity, size_t need, size_t size);
void *xr_memdup(const void *data, size_t len);
char *xr_strdup(const char *text);
char *xr_format(const char *format, ...) XR_PRINTF(1, 2);

/* A growable array is three fields: T *items; size_t count, capacity. XR_PUSH gives a pointer to a
 * new last element, always zeroed. */
void *xr_push_room(void *array, size_t *capacity, size_t count, size_t size);
#define XR_PUSH(a)                                                                           \
    ((a)->items = xr_push_room((a)->items, &(a)->capacity, (a)->count, sizeof(*(a)->items)), \
     &(a)->items[(a)->count++])

struct xr_strings {
    char **items;
    size_t count, capacity;
};
void xr_strings_add(struct xr_strings *strings, const char *text);
void xr_strings_free(struct xr_strings *strings);

struct xr_subjects {
    struct xr_subject *items;
    size_t count, capacity;
};
void xr_subjects_free(struct xr_subjects *subjects);

/* String builder; data is NUL-terminated once something was added. {0} is an empty one. */
struct xr_buf {
    char *data;
    size_t len, capacity;
};
void xr_buf_add(struct xr_buf *buf, const void *data, size_t len);
void xr_buf_str(struct xr_buf *buf, const char *text);
void xr_buf_fmt(struct xr_buf *buf, const char *format, ...) XR_PRINTF(2, 3);
/* Makes room for that many more bytes. */
void xr_buf_reserve(struct xr_buf *buf, size_t more);
void xr_buf_free(struct xr_buf *buf);

/* Lower-case hex; out has room for 2 * len + 1. */
void xr_hex(char *out, const unsigned char *data, size_t len);
int xr_hex_digit(unsigned char c); /* 0…15, or -1 */
/* Exactly 2 * len digits; false on anything else. */
bool xr_unhex(unsigned char *out, size_t len, const char *text);

/* Reads one code point of UTF-8 (RFC 3629, no surrogates, no overlong forms). Returns its length
 * in bytes, or 0 if the bytes are not UTF-8. */
size_t xr_utf8_next(uint32_t *code_point, const unsigned char *data, size_t len);

/* Appends text from outside in a form that is safe on a terminal, one line: control, bidirectional
 * and zero-width characters become \u{XXXX}, bytes that are not UTF-8 \xXX. */
void xr_buf_visible(struct xr_buf *buf, const char *text, size_t len);
char *xr_visible(const char *text);

/* Map from a SHA-256 to a number. {0} is an empty one. Keys are hashes, so their first bytes give
 * the slot. */
struct xr_idmap {
    struct xr_idmap_slot {
        unsigned char id[XR_SHA256_LEN];
        size_t value_plus_one;
    } * slots;
    size_t count, capacity;
};
/* Returns the value of id; if it has none, adds value and returns that. *added tells which. */
size_t xr_idmap_put(struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN], size_t value,
                    bool *added);
bool xr_idmap_get(const struct xr_idmap *map, const unsigned char id[XR_SHA256_LEN], size_t *value);
void xr_idmap_free(struct xr_idmap *map);

/* Numbers in a backend's native records, little-endian. */
void xr_buf_put32(struct xr_buf *out, uint32_t value);
bool xr_bytes_get32(uint32_t *out, struct xr_bytes *in); /* false: too short; advances in */

/* memmem(3) and explicit_bzero(3), which not every C library has. */
const void *xr_memmem(const void *in, size_t in_len, const void *what, size_t len);
void xr_wipe(void *memory, size_t len);

bool xr_bytes_equal(struct xr_bytes a, struct xr_bytes b);
bool xr_subject_equal(const struct xr_subject *a, const struct xr_subject *b);
/* The i-th attached extension; an older backend's array has shorter elements. */
const struct xr_attached *xr_attached_at(const struct xr_entry *entry, size_t i);
/* Copies the members of caps that the caller's size has room for. */
void xr_caps_give(struct xr_caps *out, const struct xr_caps *full);
/* NULL, or why a copy of a user's file cannot be kept in a native record (text for people): it is too
 * long, or has a private key in it. */
#define XR_KEPT_MAX ((size_t)512 << 10)
const char *xr_why_not_kept(struct xr_bytes content);
/* The subject that names a certificate by its issuer and serial number. */
void xr_subject_issuer_serial(struct xr_subject *out, struct xr_bytes issuer,
                              struct xr_bytes serial,
                              void (*sha256)(unsigned char out[XR_SHA256_LEN],
                                             struct xr_bytes data));

XR_PRINTF(3, 4)
enum xr_status xr_fail(struct xr_error *err, enum xr_status status, const char *format, ...);
/* Text is "what: strerror"; permission errors give XR_DENIED, ENOENT XR_ABSENT. */
XR_PRINTF(2, 3) enum xr_status xr_fail_errno(struct xr_error *err, const char *format, ...);

/* Days since 1970-01-01 of a proleptic Gregorian date. */
int64_t xr_days(int64_t year, int month, int day);
/* The reverse: seconds since 1970 in UTC, as people write them. */
struct xr_date {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};
void xr_date_of(struct xr_date *out, int64_t at);

const char *xr_place_name(enum xr_place place);
/* "server", "client"…; NULL past the last bit. */
const char *xr_purpose_name(uint32_t bit);
/* "server, email" or "any purpose"; out at least 64 bytes. */
void xr_purposes_text(char *out, size_t size, uint32_t purposes);

#endif
