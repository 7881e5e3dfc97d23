/* SPDX-License-Identifier: Apache-2.0 */
/* Source files become objects: which format, what the directory says of trust, and what a certificate
 * has that its source did not give. */
#include "private.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OIDS_MAX = 1024 }; /* purposes in one TRUSTED CERTIFICATE; p11-kit's table is not safe */

/* Where an object comes from. */
struct origin {
    struct pf_store *store;
    size_t token, file;
    enum pf_area area;
    bool refused; /* an object, or a PEM block */
};

/* ---- certificates ---- */

static struct xr_bytes kept(unsigned char **at, const struct pf_object *object, enum pf_attr attr,
                            struct xr_bytes computed)
{
    struct xr_bytes copy = {*at, object->attr[attr].len};

    if (!object->attr[attr].set)
        return computed;
    if (copy.len > 0)
        memcpy(*at, object->attr[attr].data, copy.len);
    *at += copy.len;
    return copy;
}

static bool says(const struct pf_object *object, enum pf_attr attr)
{
    return object->attr[attr].len == 1 && object->attr[attr].data[0] != 0;
}

/* UTCTime or GeneralizedTime, without tag and length. */
static struct xr_format_date date_of(const struct pf_object *object, enum pf_attr attr)
{
    struct xr_bytes text = {object->attr[attr].data, object->attr[attr].len};
    struct xr_der_item item = {.tag = text.len > 13 ? XR_DER_GENERALIZED_TIME : XR_DER_UTC_TIME,
                               .content = text};
    struct xr_format_date date = {0};

    date.known = text.len > 1 && xr_der_time(&date.at, &item);
    return date;
}

static void set_trust(struct pf_cert *cert, const struct pf_object *object, enum pf_area area)
{
    cert->trusted = says(object, PF_TRUSTED);
    cert->distrusted = says(object, PF_DISTRUSTED);
    if (area == PF_BLOCKLIST || (area == PF_ANCHORS && !cert->distrusted)) {
        cert->trusted = area == PF_ANCHORS;
        cert->distrusted = area == PF_BLOCKLIST;
    }
}

/* What p11-kit calls a category: 2 is an authority. */
static int category_of(const struct pf_walk *walk)
{
    bool ca = false;

    if (walk->basic.data != NULL) {
        if (!pf_walk_basic(&ca, walk->basic))
            return 0;
    } else {
        ca = walk->v1 && xr_bytes_equal(walk->subject, walk->issuer);
    }
    return ca ? 2 : 3;
}

/* Takes the object's value. */
static void place_cert(const struct origin *from, struct pf_object *object)
{
    static const enum pf_attr given[] = {PF_ISSUER, PF_SERIAL, PF_SPKI, PF_SUBJECT};
    struct pf_store *store = from->store;
    struct pf_cert *cert = XR_PUSH(&store->certs);
    struct pf_walk walk = {0};
    size_t own = 0;
    unsigned char *at = NULL;
    unsigned long category = 0;

    cert->token = from->token;
    cert->file = from->file;
    cert->attached = PF_NONE;
    cert->der = pf_object_bytes(object, PF_VALUE);
    object->attr[PF_VALUE].data = NULL;
    object->attr[PF_VALUE].set = false;
    set_trust(cert, object, from->area);
    cert->dated = object->attr[PF_SERVER_AFTER].len > 1 || object->attr[PF_EMAIL_AFTER].len > 1;
    cert->server_after = date_of(object, PF_SERVER_AFTER);
    cert->email_after = date_of(object, PF_EMAIL_AFTER);
    cert->mozilla_policy = says(object, PF_MOZILLA_POLICY);
    if (cert->der.len > 0) {
        store->host->sha256(cert->sha256, cert->der);
        cert->parses = pf_walk_cert(&walk, cert->der);
    }
    if (!cert->parses)
        walk = (struct pf_walk){0};
    cert->plain = cert->parses ? category_of(&walk) : cert->der.len > 0 ? 3 : 0;
    cert->category = -1;
    if (object->attr[PF_CATEGORY].set)
        cert->category = pf_object_number(object, PF_CATEGORY, &category) && category == 2 ? 2 : 0;
    cert->eku = walk.eku;
    cert->key = walk.spki;
    cert->not_before = walk.not_before;
    if (object->attr[PF_LABEL].set) {
        cert->label_len = object->attr[PF_LABEL].len;
        cert->label = xr_memdup(object->attr[PF_LABEL].data, cert->label_len);
    } else if (cert->parses) {
        cert->label = pf_name_label(walk.subject, store->first_rdn);
        cert->label_len = cert->label != NULL ? strlen(cert->label) : 0;
    }
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        own += object->attr[given[i]].len;
    if (own > 0)
        at = cert->own = xr_new(own, 1);
    cert->issuer = kept(&at, object, PF_ISSUER, walk.issuer);
    cert->serial = kept(&at, object, PF_SERIAL, walk.serial);
    cert->spki = kept(&at, object, PF_SPKI, walk.spki);
    cert->subject = kept(&at, object, PF_SUBJECT, walk.subject);
}

/* ---- extensions ---- */

static struct xr_bytes copy_of(struct xr_bytes bytes)
{
    return (struct xr_bytes){xr_memdup(bytes.data, bytes.len), bytes.len};
}

static void place_extension(const struct origin *from, struct xr_bytes spki, struct xr_bytes oid,
                            struct xr_bytes value)
{
    struct pf_extension *extension = XR_PUSH(&from->store->extensions);

    *extension = (struct pf_extension){
        .spki = copy_of(spki),
        .oid = copy_of(oid),
        .value = copy_of(value),
        .token = from->token,
        .file = from->file,
        .next = PF_NONE,
        .place = from->store->certs.count,
    };
}

/* ---- objects of p11-kit's own files ---- */

#define BIT(attr) (1U << (attr))

/* What an object of a class may have; 0: anything. */
static const struct {
    unsigned long class;
    uint32_t required, allowed;
} schemas[] = {
    {PF_CLASS_CERTIFICATE, BIT(PF_CERT_TYPE),
     BIT(PF_LABEL) | BIT(PF_CERT_TYPE) | BIT(PF_TRUSTED) | BIT(PF_DISTRUSTED) | BIT(PF_CATEGORY) |
         BIT(PF_SUBJECT) | BIT(PF_ISSUER) | BIT(PF_SERIAL) | BIT(PF_VALUE) | BIT(PF_SPKI) |
         BIT(PF_ID) | BIT(PF_CERT_ONLY) | BIT(PF_SERVER_AFTER) | BIT(PF_EMAIL_AFTER) |
         BIT(PF_MOZILLA_POLICY)},
    {PF_CLASS_EXTENSION, BIT(PF_VALUE) | BIT(PF_SPKI),
     BIT(PF_LABEL) | BIT(PF_VALUE) | BIT(PF_SPKI) | BIT(PF_OBJECT_ID) | BIT(PF_ID)},
    {PF_CLASS_DATA, 0, BIT(PF_LABEL) | BIT(PF_VALUE) | BIT(PF_APPLICATION) | BIT(PF_OBJECT_ID)},
    {PF_CLASS_NSS_TRUST, 0, 0},
    {PF_CLASS_NSS_ROOTS, 0, BIT(PF_LABEL)},
    {PF_CLASS_ASSERTION, 0, 0},
};

static bool fits(const struct pf_object *object, unsigned long class)
{
    uint32_t has = 0, everywhere = BIT(PF_CLASS) | BIT(PF_TOKEN) | BIT(PF_COMMON) | BIT(PF_IGNORED);

    for (size_t a = 0; a < PF_ATTRS; a++) {
        if (object->attr[a].set)
            has |= BIT(a);
    }
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        if (schemas[i].class == class)
            return (has & schemas[i].required) == schemas[i].required &&
                   (schemas[i].allowed == 0 || (has & ~(schemas[i].allowed | everywhere)) == 0);
    }
    return false;
}

static void place_attached(const struct origin *from, const struct pf_object *object)
{
    struct xr_bytes value = pf_object_bytes(object, PF_VALUE), unused = {0};
    struct xr_bytes oid = pf_object_bytes(object, PF_OBJECT_ID);

    if (!object->attr[PF_OBJECT_ID].set && !pf_walk_extension(&oid, &unused, value))
        oid.len = 0;
    if (object->attr[PF_SPKI].len > 0)
        place_extension(from, pf_object_bytes(object, PF_SPKI), oid, value);
}

/* False where p11-kit would not take it, and with it nothing of the file that follows. */
static bool place_object(void *ctx, struct pf_object *object)
{
    struct origin *from = ctx;
    unsigned long class = 0, type = 0;

    from->refused = !pf_object_number(object, PF_CLASS, &class) || !fits(object, class) ||
                    (object->attr[PF_TOKEN].len == 1 && object->attr[PF_TOKEN].data[0] != 1) ||
                    (class == PF_CLASS_CERTIFICATE &&
                     (!pf_object_number(object, PF_CERT_TYPE, &type) || type != 0));
    if (from->refused)
        return false;
    if (class == PF_CLASS_CERTIFICATE)
        place_cert(from, object);
    else if (class == PF_CLASS_EXTENSION)
        place_attached(from, object);
    return true;
}

/* ---- OpenSSL's TRUSTED CERTIFICATE ---- */

struct oids {
    struct xr_bytes *items;
    size_t count, capacity;
};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

/* MurmurHash3, 32 bits, as p11-kit has it: seed 42, and the length of the tail alone is mixed in. */
static uint32_t murmur(const char *text)
{
    uint32_t hash = 42, k = 0;
    size_t len = strlen(text), tail = len & 3;

    for (size_t at = 0; at + 4 <= len; at += 4) {
        k = 0;
        for (size_t i = 0; i < 4; i++)
            k |= (uint32_t)(unsigned char)text[at + i] << (8 * i);
        k = rotate(k * 0xcc9e2d51, 15) * 0x1b873593;
        hash = rotate(hash ^ k, 13) * 5 + 0xe6546b64;
    }
    k = 0;
    for (size_t i = 0; i < tail; i++)
        k |= (uint32_t)(unsigned char)text[len - tail + i] << (8 * i);
    if (tail > 0)
        hash ^= rotate(k * 0xcc9e2d51, 15) * 0x1b873593;
    hash ^= (uint32_t)tail;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}

/* Of the dotted text of an OID, as much of it as libtasn1 has room for. */
static uint32_t oid_hash(struct xr_bytes whole)
{
    char text[128 + 32];
    struct pf_der oid = {0};
    uint64_t arc = 0;
    size_t len = 0;

    (void)pf_der_next(&oid, &whole);
    text[0] = '\0';
    for (size_t i = 0; i < oid.content.len && len < 127; i++) {
        unsigned top = 0;

        arc = arc << 7 | (oid.content.data[i] & 0x7f);
        if (oid.content.data[i] & 0x80)
            continue;
        if (len == 0) {
            top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            len = (size_t)snprintf(text, sizeof(text), "%u", top);
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, ".%" PRIu64, arc - top * 40U);
        arc = 0;
    }
    text[127] = '\0';
    return murmur(text);
}

/* p11-kit keeps purposes in a hash table with chains and writes them in the table's order, which so
 * shows in every OpenSSL bundle. Orders them that way, without repetitions. */
static void order_as_table(struct oids *oids)
{
    struct node {
        uint32_t hash;
        size_t oid, next;
    } *nodes = xr_new(oids->count, sizeof(*nodes));
    size_t buckets = 9, count = 0;
    size_t *heads = xr_new(buckets, sizeof(*heads)); /* one more than a node */
    struct xr_bytes *sorted = xr_new(oids->count, sizeof(*sorted));
    size_t done = 0;

    for (size_t i = 0; i < oids->count; i++) {
        uint32_t hash = oid_hash(oids->items[i]);
        size_t *link = &heads[hash % buckets];

        while (*link != 0 && !(nodes[*link - 1].hash == hash &&
                               xr_bytes_equal(oids->items[nodes[*link - 1].oid], oids->items[i])))
            link = &nodes[*link - 1].next;
        if (*link != 0)
            continue;
        nodes[count] = (struct node){hash, i, 0};
        *link = ++count;
        if (count > buckets) { /* it grows, and pushes in front */
            size_t more = buckets * 2 + 1;
            size_t *grown = xr_new(more, sizeof(*grown));

            for (size_t b = 0; b < buckets; b++) {
                for (size_t n = heads[b], next = 0; n != 0; n = next) {
                    next = nodes[n - 1].next;
                    nodes[n - 1].next = grown[nodes[n - 1].hash % more];
                    grown[nodes[n - 1].hash % more] = n;
                }
            }
            free(heads);
            heads = grown;
            buckets = more;
        }
    }
    for (size_t b = 0; b < buckets; b++) {
        for (size_t n = heads[b]; n != 0; n = nodes[n - 1].next)
            sorted[done++] = oids->items[nodes[n - 1].oid];
    }
    memcpy(oids->items, sorted, done * sizeof(*sorted));
    oids->count = done;
    free(sorted);
    free(heads);
    free(nodes);
}

static bool read_oids(struct oids *out, struct xr_bytes content)
{
    struct pf_der oid;

    while (content.len > 0) {
        if (out->count == OIDS_MAX || !pf_der_take(&oid, &content, XR_DER_OID) ||
            !pf_oid_ok(oid.content))
            return false;
        *XR_PUSH(out) = oid.whole;
    }
    if (out->count > 0)
        order_as_table(out);
    return true;
}

static void drop_oids(struct oids *from, const struct oids *drop)
{
    struct xr_bytes *sorted = NULL;
    size_t left = 0;

    if (drop->count == 0)
        return;
    sorted = xr_memdup(drop->items, drop->count * sizeof(*sorted));
    qsort(sorted, drop->count, sizeof(*sorted), pf_by_bytes);
    for (size_t i = 0; i < from->count; i++) {
        if (bsearch(&from->items[i], sorted, drop->count, sizeof(*sorted), pf_by_bytes) == NULL)
            from->items[left++] = from->items[i];
    }
    from->count = left;
    free(sorted);
}

/* A whole Extension with that value. */
static void attach(const struct origin *from, struct xr_bytes spki, const char *oid, size_t oid_len,
                   bool critical, struct xr_bytes value)
{
    struct xr_buf inside = {0}, whole = {0};

    xr_buf_add(&inside, oid, oid_len);
    if (critical)
        xr_buf_add(&inside, "\x01\x01\xff", 3);
    xr_der_put(&inside, XR_DER_OCTET_STRING, value.data, value.len);
    xr_der_put(&whole, XR_DER_SEQUENCE, inside.data, inside.len);
    place_extension(from, spki, (struct xr_bytes){(const unsigned char *)oid, oid_len},
                    (struct xr_bytes){(const unsigned char *)whole.data, whole.len});
    xr_buf_free(&inside);
    xr_buf_free(&whole);
}

static void attach_oids(const struct origin *from, struct xr_bytes spki, const char *oid,
                        size_t oid_len, bool critical, const struct oids *oids)
{
    struct xr_buf list = {0}, value = {0};

    for (size_t i = 0; i < oids->count; i++)
        xr_buf_add(&list, oids->items[i].data, oids->items[i].len);
    if (oids->count == 0) /* an EKU must have one */
        xr_buf_add(&list, PF_OID_RESERVED, sizeof(PF_OID_RESERVED) - 1);
    xr_der_put(&value, XR_DER_SEQUENCE, list.data, list.len);
    attach(from, spki, oid, oid_len, critical,
           (struct xr_bytes){(const unsigned char *)value.data, value.len});
    xr_buf_free(&list);
    xr_buf_free(&value);
}

/* X509_CERT_AUX: whom OpenSSL trusts the certificate for. Trust without purposes is distrust. */
static bool read_aux(const struct origin *from, struct pf_object *object, struct xr_bytes spki,
                     struct xr_bytes der)
{
    struct oids trust = {0}, reject = {0};
    struct pf_der aux = {0}, list, alias = {0}, keyid = {0}, other;
    bool has_alias = false, has_keyid = false, ok = false;

    if (!pf_der_only(&aux, der, XR_DER_SEQUENCE) ||
        (pf_der_take(&list, &aux.content, XR_DER_SEQUENCE) && !read_oids(&trust, list.content)) ||
        (pf_der_take(&list, &aux.content, 0xa0) && !read_oids(&reject, list.content)))
        goto out;
    has_alias = pf_der_take(&alias, &aux.content, XR_DER_UTF8);
    has_keyid = pf_der_take(&keyid, &aux.content, XR_DER_OCTET_STRING);
    (void)pf_der_take(&other, &aux.content, 0xa1);
    if (aux.content.len > 0)
        goto out;
    drop_oids(&trust, &reject);
    attach_oids(from, spki, PF_OID_EKU, sizeof(PF_OID_EKU) - 1, true, &trust);
    if (reject.count > 0)
        attach_oids(from, spki, PF_OID_REJECT, sizeof(PF_OID_REJECT) - 1, false, &reject);
    if (has_keyid)
        attach(from, spki, PF_OID_SKID, sizeof(PF_OID_SKID) - 1, false, keyid.whole);
    if (has_alias)
        pf_object_set(object, PF_LABEL, alias.content.data,
                      strnlen((const char *)alias.content.data, alias.content.len));
    pf_object_set(object, PF_TRUSTED, trust.count > 0 ? "\1" : "\0", 1);
    pf_object_set(object, PF_DISTRUSTED, trust.count > 0 ? "\0" : "\1", 1);
    ok = true;
out:
    free(trust.items);
    free(reject.items);
    return ok;
}

/* ---- files ---- */

/* A certificate as it stands; takes der. */
static void place_der(const struct origin *from, struct pf_object *object, unsigned char *der,
                      size_t len)
{
    object->attr[PF_VALUE].data = der;
    object->attr[PF_VALUE].len = len;
    object->attr[PF_VALUE].set = true;
    place_cert(from, object);
}

static void on_block(void *ctx, struct xr_bytes type, unsigned char *der, size_t len)
{
    struct origin *from = ctx;
    struct pf_object object = {0};
    struct xr_bytes cert = {der, len}, aux = {0};
    struct pf_der first;
    struct pf_walk walk;
    bool trusted = PF_IS(type, "TRUSTED CERTIFICATE");

    if (!trusted && !PF_IS(type, "CERTIFICATE")) {
        free(der);
        return;
    }
    if (trusted) {
        aux = cert;
        cert = pf_der_next(&first, &aux) ? first.whole : (struct xr_bytes){0};
    }
    if (!pf_walk_cert(&walk, cert) || (aux.len > 0 && !read_aux(from, &object, walk.spki, aux))) {
        from->refused = true;
        free(der);
        return;
    }
    place_der(from, &object, der, cert.len);
    pf_object_clear(&object);
}

enum xr_status pf_add(struct pf_store *store, size_t token, enum pf_area area, const char *name,
                      struct xr_bytes data, struct xr_error *err)
{
    struct origin from = {.store = store, .token = token, .file = store->files++, .area = area};
    struct pf_object object = {0};
    struct pf_walk walk;
    struct xr_error reason = {0};
    size_t before = store->certs.count + store->extensions.count;

    store->combined = false;
    if (data.len == 0)
        return xr_fail(err, XR_INVALID, "%s is empty", name);
    if (pf_persist_magic(data) && pf_persist_read(data, NULL, NULL, &reason)) {
        (void)pf_persist_read(data, place_object, &from, NULL);
        return !from.refused ? XR_OK
                             : xr_fail(err, XR_INVALID,
                                       "%s holds an object of a kind that p11-kit refuses", name);
    }
    if (pf_walk_cert(&walk, data)) {
        place_der(&from, &object, xr_memdup(data.data, data.len), data.len);
        return XR_OK;
    }
    if (pf_pem_each(data, on_block, &from) > 0 &&
        (!from.refused || before < store->certs.count + store->extensions.count))
        return XR_OK;
    return xr_fail(err, XR_INVALID, "%s: %s", name,
                   reason.text[0] != '\0' ? reason.text : N_("no certificate of its formats"));
}

void pf_free(struct pf_store *store)
{
    for (size_t i = 0; i < store->certs.count; i++) {
        struct pf_cert *cert = &store->certs.items[i];

        free((void *)(uintptr_t)cert->der.data);
        free(cert->own);
        free(cert->label);
        free(cert->told.base64);
        xr_buf_free(&cert->trust);
        xr_buf_free(&cert->reject);
    }
    for (size_t i = 0; i < store->extensions.count; i++) {
        struct pf_extension *extension = &store->extensions.items[i];

        free((void *)(uintptr_t)extension->spki.data);
        free((void *)(uintptr_t)extension->oid.data);
        free((void *)(uintptr_t)extension->value.data);
    }
    free(store->certs.items);
    free(store->extensions.items);
    *store = (struct pf_store){.host = store->host, .first_rdn = store->first_rdn};
}
