/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An NSS database: cert9.db with certificates and the trust in them, and key4.db, without which NSS
 * opens nothing. The objects are those that `crossroot install` makes through softoken.
 */
#include "certs/x509.h"
#include "nss_names.h"
#include "nss_private.h"
#include "outputs_private.h"

#include <stdlib.h>

/* pkcs11t.h and pkcs11n.h */
#define CKA_CLASS            0x0U
#define CKA_TOKEN            0x1U
#define CKA_PRIVATE          0x2U
#define CKA_VALUE            0x11U
#define CKA_CERTIFICATE_TYPE 0x80U
#define CKA_SERIAL_NUMBER    0x82U
#define CKA_MODIFIABLE       0x170U
#define CKA_NSS_SERVER       0xce536358U
#define CKA_NSS_CLIENT       0xce536359U
#define CKA_NSS_CODE         0xce53635aU
#define CKA_NSS_EMAIL        0xce53635bU
#define CKA_NSS_STEP_UP      0xce536360U
#define CKA_NSS_SHA1         0xce5363b4U
#define CKA_NSS_MD5          0xce5363b5U
/* Values, as softoken keeps numbers and flags. */
#define YES             "\x01"
#define NO              "\x00"
#define CERTIFICATE     "\0\0\0\x01"
#define X_509           "\0\0\0\0"
#define NSS_TRUST       "\xce\x53\x43\x53"
#define DELEGATOR       "\xce\x53\x43\x52"
#define MUST_VERIFY     "\xce\x53\x43\x53"
#define NOT_TRUSTED     "\xce\x53\x43\x5a"
#define VALID_DELEGATOR "\xce\x53\x43\x5b"

static const struct {
    uint32_t purpose, type;
} columns[] = {
    {XR_SERVER, CKA_NSS_SERVER},
    {XR_CLIENT, CKA_NSS_CLIENT},
    {XR_EMAIL, CKA_NSS_EMAIL},
    {XR_CODE, CKA_NSS_CODE},
};
#define PURPOSES ((uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE))

/* What is said of an issuer and a serial number, by which NSS finds trust. */
struct trust {
    struct xr_bytes issuer, serial;
    uint32_t trusted, distrusted;
    /* Of the certificate; not if there is none, or several. Without hashes it is about all of them. */
    bool hashed;
    unsigned char sha1[20], md5[16];
    uint32_t handle; /* 0: nothing is said */
};
/* An attribute that NSS believes with a proof only (sftkdb.c, sftkdb_isAuthenticatedAttribute). */
struct said {
    uint32_t type;
    struct xr_bytes value;
};
enum { SAID_MAX = 7 };

struct database {
    const struct xr_host *host;
    struct xr_nss_objects objects;
    struct xr_format_names names;
    struct xr_idmap subjects;
    struct xr_strings nicknames; /* of these */
    struct xr_idmap by_serial;
    struct {
        struct trust *items;
        size_t count, capacity;
    } trusts;
};

static struct xr_bytes bytes_of(const void *data, size_t len)
{
    return (struct xr_bytes){data, len};
}

#define SET(db, type, text) \
    xr_nss_objects_set(&(db)->objects, type, bytes_of(text, sizeof(text) - 1))

/* Certificates of one subject share a nickname, or NSS finds only some of them. */
static const char *nickname(struct database *db, const struct xr_format_cert *cert)
{
    struct xr_bytes subject = cert->cert->d.slices.subject;
    unsigned char id[XR_SHA256_LEN];
    struct xr_buf base = {0}, spelt = {0};
    bool added = false;
    size_t at = 0;

    db->host->sha256(id, subject);
    at = xr_idmap_put(&db->subjects, id, db->nicknames.count, &added);
    if (!added)
        return db->nicknames.items[at];
    if (cert->label_len > 0) {
        xr_nss_nickname(&base, cert->label, cert->label_len);
    } else {
        char *name = xr_x509_name_short(subject);

        xr_nss_nickname(&base, name, strlen(name));
        free(name);
    }
    if (base.len == 0)
        xr_buf_str(&base, "certificate");
    xr_format_names_take(&db->names, &spelt, base.data, base.len, xr_nss_spell_nickname);
    xr_strings_add(&db->nicknames, spelt.data);
    xr_buf_free(&base);
    xr_buf_free(&spelt);
    return db->nicknames.items[at];
}

static void add_certificate(struct database *db, const struct xr_format_cert *cert)
{
    const struct xr_slices *slices = &cert->cert->d.slices;
    const char *name = nickname(db, cert);
    unsigned char id[20];

    xr_nss_key_id(id, db->host, slices->spki);
    SET(db, CKA_CLASS, CERTIFICATE);
    SET(db, CKA_TOKEN, YES);
    SET(db, CKA_PRIVATE, NO);
    SET(db, CKA_MODIFIABLE, YES);
    SET(db, CKA_CERTIFICATE_TYPE, X_509);
    xr_nss_objects_set(&db->objects, CKA_VALUE, cert->der);
    xr_nss_objects_set(&db->objects, XR_CKA_SUBJECT, slices->subject);
    xr_nss_objects_set(&db->objects, XR_CKA_ISSUER, slices->issuer);
    xr_nss_objects_set(&db->objects, CKA_SERIAL_NUMBER, slices->serial);
    xr_nss_objects_set(&db->objects, XR_CKA_ID, bytes_of(id, sizeof(id)));
    xr_nss_objects_set(&db->objects, XR_CKA_LABEL, bytes_of(name, strlen(name)));
    (void)xr_nss_objects_add(&db->objects);
}

static uint32_t known(uint32_t purposes)
{
    return purposes & XR_ANY_PURPOSE ? PURPOSES : purposes & PURPOSES;
}

/* Of several certificates with one issuer and serial number NSS looks at the trust of one. So there is
 * one for all: what any is refused for, and only what each is trusted for. */
static void note_trust(struct database *db, const struct xr_format_cert *cert)
{
    const struct xr_slices *slices = cert->cert != NULL ? &cert->cert->d.slices : NULL;
    struct xr_bytes issuer = slices != NULL ? slices->issuer : cert->issuer,
                    serial = slices != NULL ? slices->serial : cert->serial;
    struct xr_subject subject;
    struct trust *trust = NULL;
    bool added = false;
    size_t at = 0;

    xr_subject_issuer_serial(&subject, issuer, serial, db->host->sha256);
    at = xr_idmap_put(&db->by_serial, subject.id, db->trusts.count, &added);
    trust = added ? XR_PUSH(&db->trusts) : &db->trusts.items[at];
    if (added) {
        *trust = (struct trust){.issuer = issuer,
                                .serial = serial,
                                .trusted = known(cert->trusted),
                                .distrusted = known(cert->distrusted),
                                .hashed = slices != NULL};
        db->host->sha1(trust->sha1, cert->der);
        db->host->md5(trust->md5, cert->der);
    } else {
        trust->trusted &= known(cert->trusted);
        trust->distrusted |= known(cert->distrusted);
        trust->hashed = false;
    }
}

static struct xr_bytes value_of(const struct trust *trust, uint32_t purpose)
{
    const char *value = MUST_VERIFY;

    if (trust->distrusted & purpose)
        value = NOT_TRUSTED;
    else if (trust->trusted & purpose)
        value = DELEGATOR;
    else if (purpose == XR_CLIENT && trust->trusted & XR_SERVER)
        value = VALID_DELEGATOR;
    return bytes_of(value, sizeof(MUST_VERIFY) - 1);
}

static size_t said_of(struct said out[SAID_MAX], const struct trust *trust)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        out[count++] = (struct said){columns[i].type, value_of(trust, columns[i].purpose)};
    out[count++] = (struct said){CKA_NSS_STEP_UP, bytes_of(NO, 1)};
    if (trust->hashed) {
        out[count++] = (struct said){CKA_NSS_SHA1, bytes_of(trust->sha1, sizeof(trust->sha1))};
        out[count++] = (struct said){CKA_NSS_MD5, bytes_of(trust->md5, sizeof(trust->md5))};
    }
    return count;
}

/* An object of NSS's own kind, which every NSS reads. */
static void add_trust(struct database *db, struct trust *trust)
{
    struct said said[SAID_MAX];
    size_t count = said_of(said, trust);

    if ((trust->trusted | trust->distrusted) == 0)
        return;
    SET(db, CKA_CLASS, NSS_TRUST);
    SET(db, CKA_TOKEN, YES);
    SET(db, CKA_PRIVATE, NO);
    SET(db, CKA_MODIFIABLE, YES);
    SET(db, XR_CKA_LABEL, "");
    xr_nss_objects_set(&db->objects, XR_CKA_ISSUER, trust->issuer);
    xr_nss_objects_set(&db->objects, CKA_SERIAL_NUMBER, trust->serial);
    for (size_t i = 0; i < count; i++)
        xr_nss_objects_set(&db->objects, said[i].type, said[i].value);
    trust->handle = xr_nss_objects_add(&db->objects);
}

static void prove(struct xr_nss_keys *keys, const struct trust *trust)
{
    struct said said[SAID_MAX];
    size_t count = trust->handle != 0 ? said_of(said, trust) : 0;

    for (size_t i = 0; i < count; i++)
        xr_nss_keys_prove(keys, trust->handle, said[i].type, said[i].value);
}

static struct xr_buf *add_file(struct xr_format_files *out, const char *name)
{
    struct xr_format_file *file = XR_PUSH(out);

    file->name = xr_strdup(name);
    return &file->content;
}

void xr_output_nss(struct xr_format_files *out, struct xr_format_cert *const *certs, size_t count,
                   const struct xr_output_options *options)
{
    struct database db = {.host = options->host, .names = {.host = options->host}};
    struct xr_nss_keys keys;
    struct xr_buf *file = add_file(out, "cert9.db");

    xr_nss_objects_start(&db.objects, "nssPublic");
    for (size_t i = 0; i < count; i++) {
        if (certs[i]->cert != NULL)
            add_certificate(&db, certs[i]);
        note_trust(&db, certs[i]);
    }
    for (size_t i = 0; i < db.trusts.count; i++)
        add_trust(&db, &db.trusts.items[i]);
    xr_sqlite_write(file, &db.objects.table, 1);
    xr_nss_keys_start(&keys, bytes_of(file->data, file->len));
    for (size_t i = 0; i < db.trusts.count; i++)
        prove(&keys, &db.trusts.items[i]);
    xr_nss_keys_write(add_file(out, "key4.db"), &keys);
    xr_nss_objects_free(&db.objects);
    xr_format_names_free(&db.names);
    xr_idmap_free(&db.subjects);
    xr_strings_free(&db.nicknames);
    xr_idmap_free(&db.by_serial);
    free(db.trusts.items);
}
