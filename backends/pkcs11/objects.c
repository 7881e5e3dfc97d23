/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include <stdlib.h>

/* ---- attributes ---- */

static void free_value(struct p11_attr *attr)
{
    free((void *)(uintptr_t)attr->value.data);
}

static struct p11_attr *attr_of(const struct p11_object *object, unsigned long type)
{
    for (size_t i = 0; i < object->count; i++) {
        if (object->items[i].type == type)
            return &object->items[i];
    }
    return NULL;
}

void p11_set(struct p11_object *object, unsigned long type, const void *data, size_t len)
{
    struct xr_bytes value = {xr_memdup(data, len), len}; /* data may be the old value */
    struct p11_attr *attr = attr_of(object, type);

    if (attr == NULL)
        attr = XR_PUSH(object);
    attr->type = type;
    free_value(attr);
    attr->value = value;
}

void p11_set_bytes(struct p11_object *object, unsigned long type, struct xr_bytes value)
{
    p11_set(object, type, value.data, value.len);
}

void p11_set_ulong(struct p11_object *object, unsigned long type, unsigned long value)
{
    CK_ULONG number = value;

    p11_set(object, type, &number, sizeof(number));
}

void p11_set_bool(struct p11_object *object, unsigned long type, bool value)
{
    CK_BBOOL yes = value ? CK_TRUE : CK_FALSE;

    p11_set(object, type, &yes, sizeof(yes));
}

bool p11_has(const struct p11_object *object, unsigned long type)
{
    return attr_of(object, type) != NULL;
}

struct xr_bytes p11_get(const struct p11_object *object, unsigned long type)
{
    const struct p11_attr *attr = attr_of(object, type);

    return attr != NULL ? attr->value : (struct xr_bytes){0};
}

bool p11_get_ulong(const struct p11_object *object, unsigned long type, unsigned long *out)
{
    struct xr_bytes value = p11_get(object, type);
    CK_ULONG number = 0;

    if (value.len == 4) { /* for an attribute that this softoken does not know: as it is stored */
        *out = (unsigned long)value.data[0] << 24 | (unsigned long)value.data[1] << 16 |
               (unsigned long)value.data[2] << 8 | value.data[3];
        return true;
    }
    if (value.len != sizeof(number))
        return false;
    memcpy(&number, value.data, sizeof(number));
    *out = number;
    return true;
}

void p11_object_free(struct p11_object *object)
{
    for (size_t i = 0; i < object->count; i++)
        free_value(&object->items[i]);
    free(object->items);
    *object = (struct p11_object){0};
}

void p11_objects_free(struct p11_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++)
        p11_object_free(&objects->items[i]);
    free(objects->items);
    *objects = (struct p11_objects){0};
}

/* ---- talking to the token ---- */

enum xr_status p11_fail(struct xr_error *err, CK_RV rv, const char *format, ...)
{
    static const struct {
        CK_RV rv;
        enum xr_status status;
        const char *text;
    } known[] = {
        {CKR_USER_NOT_LOGGED_IN, XR_DENIED, N_("it has a password, which was not given")},
        {CKR_PIN_INCORRECT, XR_DENIED, N_("wrong password")},
        {CKR_PIN_LEN_RANGE, XR_DENIED, N_("wrong password")},
        {CKR_TOKEN_WRITE_PROTECTED, XR_DENIED, N_("it is write-protected")},
        {CKR_SESSION_READ_ONLY, XR_DENIED, N_("it is write-protected")},
        {CKR_ACTION_PROHIBITED, XR_DENIED, N_("the token does not allow it")},
        {CKR_ATTRIBUTE_READ_ONLY, XR_DENIED, N_("the token does not allow it")},
        {CKR_DEVICE_ERROR, XR_FAILED, N_("the database cannot be read or written")},
        {CKR_DEVICE_MEMORY, XR_FAILED, N_("no room is left")},
        {CKR_GENERAL_ERROR, XR_FAILED, N_("general error of the module")},
        {CKR_HOST_MEMORY, XR_FAILED, N_("out of memory")},
        {CKR_TOKEN_NOT_PRESENT, XR_ABSENT, N_("the token was removed")},
        {CKR_OBJECT_HANDLE_INVALID, XR_CONFLICT, N_("another program changed it meanwhile")},
    };
    char what[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].rv == rv)
            return xr_error_set(err, known[i].status, "pkcs11", (long)rv, "%s: %s", what,
                                known[i].text);
    }
    return xr_error_set(err, XR_FAILED, "pkcs11", (long)rv, "%s: PKCS#11 error 0x%lx", what, rv);
}

static CK_ATTRIBUTE *template_of(const struct p11_object *object, unsigned long *kind,
                                 CK_ULONG *count)
{
    CK_ATTRIBUTE *out = xr_new(object->count + 1, sizeof(*out));

    *kind = object->kind;
    out[0] = (CK_ATTRIBUTE){CKA_CLASS, kind, sizeof(*kind)};
    for (size_t i = 0; i < object->count; i++)
        out[i + 1] =
            (CK_ATTRIBUTE){object->items[i].type, (void *)(uintptr_t)object->items[i].value.data,
                           object->items[i].value.len};
    *count = object->count + 1;
    return out;
}

/* Some of the attributes may be missing; the others were read. */
static bool partial(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
           rv == CKR_SIGNATURE_INVALID || rv == CKR_BUFFER_TOO_SMALL;
}

#define TYPES_MAX 24u
#define ROOM      2048u /* room for one value at the first try; most are far shorter */
/* The longest value that is read: the same limit as for files. */
#define VALUE_MAX ((CK_ULONG)64 << 20)

/* For values of unknown length: asks for the length first, then for the value. */
static enum xr_status read_long(struct p11_object *out, const struct p11_token *token,
                                const unsigned long *types, size_t count, struct xr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        CK_ATTRIBUTE one = {types[i], NULL, 0};
        CK_RV rv = token->f->C_GetAttributeValue(token->session, out->handle, &one, 1);

        out->unproven = out->unproven || rv == CKR_SIGNATURE_INVALID;
        if (partial(rv) && one.ulValueLen != CK_UNAVAILABLE_INFORMATION) {
            CK_ULONG room = one.ulValueLen;

            if (room > VALUE_MAX) /* if it were left out, the object would seem not to have it */
                return xr_fail(err, XR_UNSUPPORTED,
                               "an object of the token is too large to be read (%lu bytes)", room);

            one.pValue = xr_new(room, 1);
            rv = token->f->C_GetAttributeValue(token->session, out->handle, &one, 1);
            if (rv == CKR_OK && one.ulValueLen <= room)
                p11_set(out, one.type, one.pValue, one.ulValueLen);
            free(one.pValue);
            out->unproven = out->unproven || rv == CKR_SIGNATURE_INVALID;
        }
        if (!partial(rv))
            return p11_fail(err, rv, "cannot read an object");
    }
    return XR_OK;
}

/* softoken since 3.114 accepts exactly the size of a number as room for one, not more. */
static size_t room_for(unsigned long type)
{
    bool number = (type >= NSS_CKA_TRUST && type < NSS_CKA_STEP_UP) ||
                  (type >= STD_CKA_SERVER_AUTH && type <= STD_CKA_OCSP) || type == STD_CKA_HASH_ALG;

    return number ? sizeof(CK_ULONG) : ROOM;
}

enum xr_status p11_read(struct p11_object *out, const struct p11_token *token,
                        const unsigned long *types, size_t count, struct xr_error *err)
{
    CK_ATTRIBUTE wanted[TYPES_MAX];
    unsigned char room[TYPES_MAX * ROOM];
    unsigned long unknown[TYPES_MAX];
    size_t unknown_count = 0;
    CK_RV rv = CKR_OK;

    if (count > TYPES_MAX)
        return read_long(out, token, types, count, err);
    for (size_t i = 0; i < count; i++)
        wanted[i] = (CK_ATTRIBUTE){types[i], &room[i * ROOM], room_for(types[i])};
    rv = token->f->C_GetAttributeValue(token->session, out->handle, wanted, count);
    if (!partial(rv))
        return p11_fail(err, rv, "cannot read an object");
    out->unproven = out->unproven || rv == CKR_SIGNATURE_INVALID;
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].ulValueLen <= room_for(types[i]))
            p11_set(out, types[i], &room[i * ROOM], wanted[i].ulValueLen);
        else
            unknown[unknown_count++] = types[i];
    }
    /* The status is about only one attribute: besides one that the object does not have, another
     * one may have had a value that was too long. */
    return rv == CKR_OK ? XR_OK : read_long(out, token, unknown, unknown_count, err);
}

void p11_doubt(struct p11_object *object, const struct p11_token *token, unsigned long flag)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE one = {flag, &value, sizeof(value)};
    CK_RV rv = token->f->C_GetAttributeValue(token->session, object->handle, &one, 1);

    object->unproven = object->unproven || rv == CKR_SIGNATURE_INVALID;
}

#define FIND_AT_ONCE 256u
#define OBJECTS_MAX  1000000u

struct handles {
    CK_OBJECT_HANDLE *items;
    size_t count, capacity;
};

static enum xr_status find_handles(struct handles *out, const struct p11_token *token,
                                   const struct p11_object *like, struct xr_error *err)
{
    unsigned long kind = 0;
    CK_ULONG count = 0, got = 0;
    CK_ATTRIBUTE *attrs = template_of(like, &kind, &count);
    CK_RV rv = token->f->C_FindObjectsInit(token->session, attrs, count);

    free(attrs);
    if (rv != CKR_OK)
        return p11_fail(err, rv, "cannot search");
    do {
        CK_OBJECT_HANDLE some[FIND_AT_ONCE];

        got = 0;
        rv = token->f->C_FindObjects(token->session, some, FIND_AT_ONCE, &got);
        if (rv == CKR_OK && (got > FIND_AT_ONCE || out->count > OBJECTS_MAX))
            rv = CKR_GENERAL_ERROR; /* the module's answers are wrong or endless */
        for (CK_ULONG i = 0; rv == CKR_OK && i < got; i++)
            *XR_PUSH(out) = some[i];
    } while (rv == CKR_OK && got > 0);
    (void)token->f->C_FindObjectsFinal(token->session);
    return rv == CKR_OK ? XR_OK : p11_fail(err, rv, "cannot search");
}

enum xr_status p11_find(struct p11_objects *out, const struct p11_token *token, unsigned long kind,
                        const struct p11_object *like, const unsigned long *types, size_t count,
                        struct xr_error *err)
{
    struct p11_object pattern = like != NULL ? *like : (struct p11_object){0};
    struct handles handles = {0};
    enum xr_status status = XR_OK;

    pattern.kind = kind;
    status = find_handles(&handles, token, &pattern, err);
    for (size_t i = 0; status == XR_OK && i < handles.count; i++) {
        struct p11_object *object = XR_PUSH(out);

        object->handle = handles.items[i];
        object->kind = kind;
        status = p11_read(object, token, types, count, err);
        if (status == XR_CONFLICT) { /* it was removed since it was found */
            p11_object_free(object);
            out->count--;
            status = XR_OK;
        }
    }
    free(handles.items);
    return status;
}

enum xr_status p11_create(const struct p11_token *token, struct p11_object *object,
                          struct xr_error *err)
{
    unsigned long kind = 0;
    CK_ULONG count = 0;
    CK_ATTRIBUTE *attrs = template_of(object, &kind, &count);
    CK_RV rv = token->f->C_CreateObject(token->session, attrs, count, &object->handle);

    free(attrs);
    return rv == CKR_OK ? XR_OK : p11_fail(err, rv, "cannot write");
}

/* Searches as another session would: what the module has of the handle itself it may have forgotten. */
static enum xr_status check_gone(const struct p11_token *token, const struct p11_object *object,
                                 struct xr_error *err)
{
    static const unsigned long names[] = {CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_SUBJECT};
    struct p11_object like = {.kind = object->kind};
    struct handles left = {0};
    enum xr_status status = XR_OK;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (p11_get(object, names[i]).len > 0)
            p11_set_bytes(&like, names[i], p11_get(object, names[i]));
    }
    status = find_handles(&left, token, &like, err);
    for (size_t i = 0; status == XR_OK && i < left.count; i++) {
        if (left.items[i] == object->handle)
            status = xr_error_set(err, XR_FAILED, "pkcs11", CKR_OK,
                                  "cannot delete: the module says that it did, and has not");
    }
    free(left.items);
    p11_object_free(&like);
    return status;
}

/* softoken says OK of an object that it could not delete: on a full disk, trust would stay. */
enum xr_status p11_destroy(const struct p11_token *token, struct p11_object *object,
                           struct xr_error *err)
{
    CK_RV rv = token->f->C_DestroyObject(token->session, object->handle);
    enum xr_status status = XR_OK;

    if (rv != CKR_OK)
        return p11_fail(err, rv, "cannot delete");
    status = check_gone(token, object, err);
    if (status == XR_OK)
        object->handle = 0;
    return status;
}

/* ---- as bytes ---- */

static int by_type(const void *a, const void *b)
{
    const struct p11_attr *x = *(const struct p11_attr *const *)a,
                          *y = *(const struct p11_attr *const *)b;

    return x->type < y->type ? -1 : x->type > y->type;
}

void p11_encode(struct xr_buf *out, const struct p11_object *object)
{
    const struct p11_attr **sorted = xr_new(object->count, sizeof(*sorted));

    for (size_t i = 0; i < object->count; i++)
        sorted[i] = &object->items[i];
    qsort((void *)sorted, object->count, sizeof(*sorted), by_type);
    xr_buf_put32(out, (uint32_t)object->kind);
    xr_buf_put32(out, (uint32_t)object->count);
    for (size_t i = 0; i < object->count; i++) {
        xr_buf_put32(out, (uint32_t)sorted[i]->type);
        xr_buf_put32(out, (uint32_t)sorted[i]->value.len);
        xr_buf_add(out, sorted[i]->value.data, sorted[i]->value.len);
    }
    free((void *)sorted);
}

enum xr_status p11_decode(struct p11_object *out, struct xr_bytes *in, struct xr_error *err)
{
    uint32_t kind = 0, count = 0;
    bool good = xr_bytes_get32(&kind, in) && xr_bytes_get32(&count, in) && count <= TYPES_MAX;

    out->kind = kind;
    for (uint32_t i = 0; good && i < count; i++) {
        uint32_t type = 0, len = 0;

        good = xr_bytes_get32(&type, in) && xr_bytes_get32(&len, in) && len <= in->len;
        if (!good)
            break;
        p11_set(out, type, in->data, len);
        in->data += len;
        in->len -= len;
    }
    return good ? XR_OK : xr_fail(err, XR_INVALID, "a record of an object is malformed");
}

/* ---- trust ---- */

const unsigned long p11_nss_types[] = {
    CKA_ISSUER,         CKA_SERIAL_NUMBER, NSS_CKA_SERVER_AUTH, NSS_CKA_CLIENT_AUTH,
    NSS_CKA_EMAIL_PROT, NSS_CKA_CODE,      NSS_CKA_SHA1,
};
const size_t p11_nss_type_count = sizeof(p11_nss_types) / sizeof(p11_nss_types[0]);
const unsigned long p11_std_types[] = {
    CKA_ISSUER,         CKA_SERIAL_NUMBER, STD_CKA_SERVER_AUTH, STD_CKA_CLIENT_AUTH,
    STD_CKA_EMAIL_PROT, STD_CKA_CODE,      STD_CKA_IPSEC,       STD_CKA_TIME,
    STD_CKA_OCSP,       STD_CKA_CERT_HASH, STD_CKA_HASH_ALG,
};
const size_t p11_std_type_count = sizeof(p11_std_types) / sizeof(p11_std_types[0]);

static const struct {
    uint32_t purpose;
    unsigned long nss, std;
} columns[] = {
    {XR_SERVER, NSS_CKA_SERVER_AUTH, STD_CKA_SERVER_AUTH},
    {XR_CLIENT, NSS_CKA_CLIENT_AUTH, STD_CKA_CLIENT_AUTH},
    {XR_EMAIL, NSS_CKA_EMAIL_PROT, STD_CKA_EMAIL_PROT},
    {XR_CODE, NSS_CKA_CODE, STD_CKA_CODE},
};

struct p11_trust p11_trust_read(const struct p11_object *object)
{
    bool std = object->kind == STD_CKO_TRUST;
    struct p11_trust trust = {0};

    for (size_t i = 0; !object->unproven && i < sizeof(columns) / sizeof(columns[0]); i++) {
        unsigned long value = 0;

        if (!p11_get_ulong(object, std ? columns[i].std : columns[i].nss, &value))
            continue;
        if (value == (std ? STD_TRUST_ANCHOR : NSS_DELEGATOR))
            trust.anchor |= columns[i].purpose;
        else if (value == (std ? STD_TRUSTED : NSS_TRUSTED))
            trust.peer |= columns[i].purpose;
        else if (value == (std ? STD_NOT_TRUSTED : NSS_NOT_TRUSTED))
            trust.distrust |= columns[i].purpose;
    }
    return trust;
}

struct xr_bytes p11_trust_hash(const struct p11_object *object)
{
    return p11_get(object, object->kind == STD_CKO_TRUST ? STD_CKA_CERT_HASH : NSS_CKA_SHA1);
}

bool p11_trust_about(const struct p11_object *object, const unsigned char sha1[20],
                     const unsigned char sha256[XR_SHA256_LEN])
{
    struct xr_bytes held = p11_trust_hash(object);

    if (held.len == 0)
        return true;
    if (held.len == XR_SHA256_LEN)
        return memcmp(held.data, sha256, XR_SHA256_LEN) == 0;
    return held.len == 20 && memcmp(held.data, sha1, 20) == 0;
}

void p11_trust_make(struct p11_object *out, const struct p11_trust *trust,
                    const struct xr_slices *cert, const unsigned char sha1[20],
                    const unsigned char md5[16])
{
    out->kind = NSS_CKO_TRUST;
    p11_set_bool(out, CKA_TOKEN, true);
    p11_set_bool(out, CKA_PRIVATE, false);
    p11_set_bool(out, CKA_MODIFIABLE, true);
    p11_set_bytes(out, CKA_ISSUER, cert->issuer);
    p11_set_bytes(out, CKA_SERIAL_NUMBER, cert->serial);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        unsigned long value = trust->distrust & columns[i].purpose ? NSS_NOT_TRUSTED
                              : trust->anchor & columns[i].purpose ? NSS_DELEGATOR
                              : trust->peer & columns[i].purpose   ? NSS_TRUSTED
                              : trust->anchor & XR_SERVER && columns[i].purpose == XR_CLIENT
                                  ? NSS_VALID_DELEGATOR
                                  : NSS_MUST_VERIFY;

        p11_set_ulong(out, columns[i].nss, value);
    }
    p11_set_bool(out, NSS_CKA_STEP_UP, false);
    p11_set(out, NSS_CKA_SHA1, sha1, 20);
    p11_set(out, NSS_CKA_MD5, md5, 16);
}
