/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include "sys/sys.h"

#include <stdlib.h>
#include <unistd.h>

/* Where a scan puts what it finds; either call may be NULL. */
struct sink {
    enum xr_status (*item)(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                           struct xr_bytes aux);
    void (*reject)(void *ctx, bool note, const char *reason);
    void *ctx;
    bool glued; /* a block may begin on the line that ends the one before; see next_block */
    size_t found;
    size_t rejected;
};

static void reject(struct sink *sink, bool note, const char *reason)
{
    sink->rejected += !note;
    if (sink->reject != NULL)
        sink->reject(sink->ctx, note, reason);
}

static enum xr_status found(struct sink *sink, enum xr_item_kind kind, struct xr_bytes der,
                            struct xr_bytes aux)
{
    sink->found++;
    return sink->item(sink->ctx, kind, der, aux);
}

static enum xr_status found_in_pkcs7(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    return found(ctx, kind, der, (struct xr_bytes){0});
}

/* ---- base64 and PEM (RFC 7468, lax in white space only) ---- */

/* Value of a digit and one more; 0: none. */
static const unsigned char base64_digits[256] = {
#define D2(c, n) [c] = (n) + 1, [(c) + 1] = (n) + 2
#define D4(c, n) D2((c), (n)), D2((c) + 2, (n) + 2)
    D4('A', 0),  D4('E', 4),  D4('I', 8),  D4('M', 12), D4('Q', 16), D4('U', 20), D2('Y', 24),
    D4('a', 26), D4('e', 30), D4('i', 34), D4('m', 38), D4('q', 42), D4('u', 46), D2('y', 50),
    D4('0', 52), D4('4', 56), D2('8', 60), ['+'] = 63,  ['/'] = 64,
#undef D4
#undef D2
};

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* Decodes whole quartets; false on any other character, missing or surplus padding. */
static bool base64(struct xr_buf *out, const unsigned char *text, size_t len)
{
    unsigned quartet = 0, digits = 0, pads = 0;

    out->data = xr_grow(out->data, &out->capacity, len / 4 * 3 + 4, 1);
    for (size_t i = 0; i < len; i++) {
        int digit = 0;

        while (digits + pads == 0 && len - i >= 4) { /* whole quartets, as most are */
            unsigned v[4] = {base64_digits[text[i]], base64_digits[text[i + 1]],
                             base64_digits[text[i + 2]], base64_digits[text[i + 3]]};
            unsigned bits = 0;

            if (v[0] == 0 || v[1] == 0 || v[2] == 0 || v[3] == 0)
                break;
            bits = (v[0] - 1) << 18 | (v[1] - 1) << 12 | (v[2] - 1) << 6 | (v[3] - 1);
            out->data[out->len++] = (char)(bits >> 16 & 0xff);
            out->data[out->len++] = (char)(bits >> 8 & 0xff);
            out->data[out->len++] = (char)(bits & 0xff);
            i += 4;
        }
        if (i >= len)
            break;
        digit = base64_digits[text[i]] - 1;

        if (is_space(text[i]))
            continue;
        if (text[i] == '=' && digits >= 2 && digits + pads < 4) {
            pads++;
        } else if (digit >= 0 && pads == 0) {
            quartet = quartet << 6 | (unsigned)digit;
            digits++;
        } else {
            return false;
        }
        if (digits + pads == 4) {
            unsigned bits = quartet << 6 * pads;

            for (unsigned k = 0; k < 3 - pads; k++)
                out->data[out->len++] = (char)(bits >> (16 - 8 * k) & 0xff);
            if (pads > 0) {
                for (i++; i < len; i++) {
                    if (!is_space(text[i]))
                        return false;
                }
                return true;
            }
            quartet = digits = 0;
        }
    }
    return digits == 0 && out->len > 0;
}

char *xr_input_pem(const char *label, struct xr_bytes der, size_t *len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct xr_buf out = {0};

    xr_buf_fmt(&out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < der.len; i += 3) {
        size_t have = der.len - i < 3 ? der.len - i : 3;
        unsigned bits = (unsigned)der.data[i] << 16;
        char quartet[4];

        bits |= have > 1 ? (unsigned)der.data[i + 1] << 8 : 0;
        bits |= have > 2 ? (unsigned)der.data[i + 2] : 0;
        for (unsigned k = 0; k < 4; k++)
            quartet[k] = '=';
        for (unsigned k = 0; k <= have; k++)
            quartet[k] = digits[bits >> (18 - 6 * k) & 63];
        xr_buf_add(&out, quartet, 4);
        if (i % 48 == 45 || i + 3 >= der.len)
            xr_buf_str(&out, "\n");
    }
    xr_buf_fmt(&out, "-----END %s-----\n", label);
    *len = out.len;
    return out.data;
}

struct block {
    struct xr_bytes label, body;
};

enum found_block { NO_BLOCK, BLOCK, OPEN_BLOCK };

/* The next "-----BEGIN LABEL-----" that starts a line, and what is before its END. A BEGIN quoted
 * inside a line (a name in a text dump, say) is none. With glued, one that follows an END on the
 * same line is: `cat` makes that of files without a final newline. Readers of a bundle such as
 * OpenSSL's do not take it. start is where the file begins. */
static enum found_block next_block(struct block *out, struct xr_bytes *rest,
                                   const unsigned char *start, bool glued)
{
    static const char begin[] = "-----BEGIN ";
    const size_t begin_len = sizeof(begin) - 1;
    const unsigned char *end = rest->data + rest->len;
    const unsigned char *at = rest->data, *looked = rest->data;

    while ((at = xr_memmem(at, (size_t)(end - at), begin, begin_len)) != NULL) {
        const unsigned char *before = at;
        const unsigned char *label = at + begin_len;
        const unsigned char *stop = NULL;
        char end_line[128];
        int end_len = 0;

        while (before > start && (before[-1] == ' ' || before[-1] == '\t'))
            before--;
        /* A byte order mark may begin a file, also one that was joined to another. */
        if (before - start >= 3 && memcmp(before - 3, "\xef\xbb\xbf", 3) == 0)
            before -= 3;
        glued = glued && memchr(looked, '\n', (size_t)(at - looked)) == NULL;
        looked = at;
        if (!glued && before > start && before[-1] != '\n' && before[-1] != '\r') {
            at = label;
            continue;
        }
        stop = xr_memmem(label, (size_t)(end - label), "-----", 5);
        if (stop == NULL || stop - label > 64 || memchr(label, '\n', (size_t)(stop - label))) {
            at = label;
            continue;
        }
        out->label = (struct xr_bytes){label, (size_t)(stop - label)};
        out->body.data = stop + 5;
        end_len = snprintf(end_line, sizeof(end_line), "-----END %.*s-----", (int)out->label.len,
                           (const char *)label);
        /* The next dashes must be its END: looking further would cost a square of the file. */
        stop = xr_memmem(out->body.data, (size_t)(end - out->body.data), "-----", 5);
        if (stop == NULL || end - stop < end_len || memcmp(stop, end_line, (size_t)end_len) != 0) {
            at = stop != NULL ? stop : end;
            *rest = (struct xr_bytes){at, (size_t)(end - at)};
            return OPEN_BLOCK;
        }
        out->body.len = (size_t)(stop - out->body.data);
        at = stop + end_len;
        *rest = (struct xr_bytes){at, (size_t)(end - at)};
        return BLOCK;
    }
    return NO_BLOCK;
}

enum label_kind { LABEL_OTHER, LABEL_CERT, LABEL_TRUSTED, LABEL_CRL, LABEL_PKCS7, LABEL_KEY };

static enum label_kind label_kind(struct xr_bytes label)
{
    static const struct {
        const char *name;
        enum label_kind kind;
    } names[] = {
        {"CERTIFICATE", LABEL_CERT},
        {"X509 CERTIFICATE", LABEL_CERT},
        {"TRUSTED CERTIFICATE", LABEL_TRUSTED},
        {"X509 CRL", LABEL_CRL},
        {"PKCS7", LABEL_PKCS7},
        {"PKCS #7 SIGNED DATA", LABEL_PKCS7},
        {"CMS", LABEL_PKCS7},
    };
    static const char key[] = "PRIVATE KEY";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (label.len == strlen(names[i].name) && memcmp(label.data, names[i].name, label.len) == 0)
            return names[i].kind;
    }
    return xr_memmem(label.data, label.len, key, sizeof(key) - 1) != NULL ? LABEL_KEY : LABEL_OTHER;
}

static enum xr_status scan_cert(struct sink *sink, struct xr_bytes der, bool trusted)
{
    struct xr_der_cert parsed;
    struct xr_der_item outer;
    struct xr_bytes rest = der;
    struct xr_error err = {0};

    if (der.len > XR_INPUT_CERT_MAX) {
        reject(sink, false, "a certificate larger than 1 MiB");
        return XR_OK;
    }
    if (trusted && xr_der_next(&outer, &rest))
        der = outer.whole;
    else
        rest.len = 0;
    if (xr_der_cert(&parsed, der, &err) != XR_OK) {
        reject(sink, false, err.text);
        return XR_OK;
    }
    return found(sink, XR_ITEM_CERT, der, rest);
}

static enum xr_status scan_pkcs7(struct sink *sink, struct xr_bytes der)
{
    struct xr_error err = {0};
    size_t before = sink->found;
    enum xr_status status = xr_x509_pkcs7(der, found_in_pkcs7, sink, &err);

    if (status == XR_INVALID) {
        reject(sink, false, err.text);
        status = XR_OK;
    } else if (status == XR_OK && sink->found == before) {
        reject(sink, false, "PKCS#7 without certificates");
    }
    return status;
}

static enum xr_status scan_crl(struct sink *sink, struct xr_bytes der)
{
    struct xr_bytes issuer;
    struct xr_error err = {0};

    if (xr_der_crl_issuer(&issuer, der, &err) != XR_OK) {
        reject(sink, false, err.text);
        return XR_OK;
    }
    return found(sink, XR_ITEM_CRL, der, (struct xr_bytes){0});
}

static enum xr_status scan_block(struct sink *sink, const struct block *block)
{
    enum label_kind kind = label_kind(block->label);
    struct xr_buf der = {0};
    struct xr_bytes bytes;
    enum xr_status status = XR_OK;
    char reason[128];

    if (kind == LABEL_KEY) {
        reject(sink, true, "a private key: left unread and never copied");
        return XR_OK;
    }
    if (kind == LABEL_OTHER) {
        struct xr_buf label = {0};

        xr_buf_visible(&label, (const char *)block->label.data, block->label.len);
        (void)snprintf(reason, sizeof(reason), "a \"%s\" block is no certificate", label.data);
        reject(sink, true, reason);
        xr_buf_free(&label);
        return XR_OK;
    }
    if (!base64(&der, block->body.data, block->body.len)) {
        reject(sink, false, "damaged PEM: the block is not base64");
        xr_sys_wipe(&der);
        return XR_OK;
    }
    bytes = (struct xr_bytes){(const unsigned char *)der.data, der.len};
    if (kind == LABEL_CRL)
        status = scan_crl(sink, bytes);
    else if (kind == LABEL_PKCS7)
        status = scan_pkcs7(sink, bytes);
    else
        status = scan_cert(sink, bytes, kind == LABEL_TRUSTED);
    xr_sys_wipe(&der); /* under whatever label, it may have been a key */
    return status;
}

/* ---- a file's bytes ---- */

static bool is_pkcs7(struct xr_bytes der)
{
    static const unsigned char arc[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    struct xr_der_item seq, oid;

    return xr_der_expect(&seq, &der, XR_DER_SEQUENCE) &&
           xr_der_expect(&oid, &seq.content, XR_DER_OID) && oid.content.len == sizeof(arc) + 1 &&
           memcmp(oid.content.data, arc, sizeof(arc)) == 0;
}

static enum xr_status scan_der(struct sink *sink, struct xr_bytes data)
{
    struct xr_der_cert cert;
    struct xr_bytes issuer;
    struct xr_error err = {0};
    bool key = false;
    const char *guess = NULL;

    if (xr_der_cert(&cert, data, &err) == XR_OK)
        return scan_cert(sink, data, false);
    if (xr_der_crl_issuer(&issuer, data, NULL) == XR_OK)
        return scan_crl(sink, data);
    if (is_pkcs7(data))
        return scan_pkcs7(sink, data);
    guess = xr_der_guess(data, &key);
    reject(sink, false, guess != NULL ? guess : err.text);
    return XR_OK;
}

/* One element from the first to the last byte, white space aside. */
static bool is_whole_der(struct xr_bytes *data)
{
    struct xr_der_item item;
    struct xr_bytes rest = *data;

    if (!xr_der_expect(&item, &rest, XR_DER_SEQUENCE))
        return false;
    while (rest.len > 0 && is_space(rest.data[rest.len - 1]))
        rest.len--;
    if (rest.len > 0)
        return false;
    *data = item.whole;
    return true;
}

static enum xr_status scan(struct sink *sink, struct xr_bytes data)
{
    struct xr_bytes rest = data;
    struct block block;
    enum found_block got = NO_BLOCK;
    bool glued = false; /* an END may stand before the next BEGIN */
    enum xr_status status = XR_OK;
    struct xr_buf der = {0};
    const char *guess = NULL;
    size_t blocks = 0;
    bool key = false;

    if (data.len == 0) {
        reject(sink, false, "the file is empty");
        return XR_OK;
    }
    if (is_whole_der(&rest))
        return scan_der(sink, rest);
    while (status == XR_OK && (got = next_block(&block, &rest, data.data, glued)) != NO_BLOCK) {
        blocks++;
        glued = sink->glued && got == BLOCK;
        if (got == OPEN_BLOCK)
            reject(sink, false, "damaged PEM: a BEGIN line without its END line");
        else
            status = scan_block(sink, &block);
    }
    if (blocks > 0)
        return status;
    if (data.len >= 2 &&
        (memcmp(data.data, "\xff\xfe", 2) == 0 || memcmp(data.data, "\xfe\xff", 2) == 0)) {
        reject(sink, false, "UTF-16 text: save it as UTF-8");
        return XR_OK;
    }
    if (base64(&der, data.data, data.len)) { /* PEM whose armour was lost in copying */
        rest = (struct xr_bytes){(const unsigned char *)der.data, der.len};
        status = scan_der(sink, rest);
    } else {
        guess = xr_der_guess(data, &key);
        reject(sink, false,
               guess != NULL                     ? guess
               : data.data[0] == XR_DER_SEQUENCE ? "damaged DER, or bytes follow it"
                                                 : "neither PEM nor DER: no certificate in it");
    }
    xr_sys_wipe(&der);
    return status;
}

struct relay {
    xr_item_fn emit;
    void *ctx;
};

static enum xr_status relay_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der,
                                 struct xr_bytes aux)
{
    struct relay *relay = ctx;

    if (aux.len == 0)
        return relay->emit(relay->ctx, kind, der);
    /* They lie one behind the other in the block. */
    return relay->emit(relay->ctx, XR_ITEM_TRUSTED_CERT,
                       (struct xr_bytes){der.data, der.len + aux.len});
}

enum xr_status xr_input_items(struct xr_bytes data, xr_item_fn emit, void *ctx,
                              struct xr_error *err)
{
    struct relay relay = {emit, ctx};
    struct sink sink = {.item = relay_item, .ctx = &relay};
    enum xr_status status = scan(&sink, data);

    if (status == XR_OK && sink.found == 0)
        return xr_fail(err, XR_INVALID, "no certificate in it");
    return status;
}

/* ---- files ---- */

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

enum xr_status xr_input_trusted(size_t *len, uint32_t *purposes, struct xr_bytes bytes,
                                struct xr_error *err)
{
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    struct xr_der_aux settings = {0};
    struct xr_der_item cert;
    struct xr_bytes rest = bytes;
    enum xr_status status = XR_OK;

    if (!xr_der_expect(&cert, &rest, XR_DER_SEQUENCE))
        return xr_fail(err, XR_INVALID, "not a certificate");
    *len = cert.whole.len;
    *purposes = all;
    if (rest.len > 0)
        status = xr_der_aux(&settings, rest, err);
    if (settings.has_trust && !(settings.trust & XR_ANY_PURPOSE))
        *purposes = settings.trust & all;
    *purposes &= settings.reject & XR_ANY_PURPOSE ? 0 : ~settings.reject;
    return status;
}

static enum xr_status add_cert(struct xr_input_item *item, struct xr_bytes der, struct xr_bytes aux,
                               struct xr_error *err)
{
    size_t len = 0;
    enum xr_status status = xr_cert_new(&item->cert, der, err);

    if (status != XR_OK || aux.len == 0)
        return status;
    item->has_trust = true;
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
        /* The same certificate again: whatever one of them forbids is forbidden. */
        if (item.has_trust) {
            struct xr_input_item *first = &input->found.items[at];

            first->trust = first->has_trust ? first->trust & item.trust : item.trust;
            first->has_trust = true;
        }
    } else {
        add_reject(ctx, false, err.text);
    }
    xr_cert_free(item.cert);
    xr_crl_free(item.crl);
    return XR_OK;
}

void xr_input_add_bytes(struct xr_input *input, const char *file, struct xr_bytes data)
{
    struct adding adding = {.input = input};
    struct sink sink = {.item = add_item, .reject = add_reject, .ctx = &adding, .glued = true};

    xr_strings_add(&input->files, file);
    adding.file = input->files.items[input->files.count - 1];
    (void)scan(&sink, data);
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
    else
        xr_input_add_bytes(input, file,
                           (struct xr_bytes){(const unsigned char *)buf.data, buf.len});
    xr_sys_wipe(&buf); /* there may have been a key in it */
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

/* depth 0 is what the user named. */
static void add_at(struct xr_input *input, int dirfd, const char *name, const char *shown,
                   unsigned depth)
{
    struct xr_error err = {0};
    int fd = -1;

    switch (xr_sys_open_input(&fd, dirfd, name, depth == 0, &err)) {
    case XR_FILE_DATA:
        add_fd(input, shown, fd);
        break;
    case XR_FILE_DIR:
        add_directory(input, fd, shown, depth);
        break;
    case XR_FILE_OTHER: /* in a directory nobody asked for this very one */
        reject_file(input, shown, "not a regular file", depth > 0);
        break;
    case XR_FILE_LINK:
        break;
    case XR_FILE_NONE:
        reject_file(input, shown, err.text, false);
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
