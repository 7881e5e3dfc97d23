/* Throwaway certificates for tests: keys, certificates, CRLs and bags of them, made with libcrypto.
 *
 * Every function that returns int answers 0, or -1 with its output left empty. Nothing is printed
 * except by pki_fail(). Outputs come first and belong to the caller. Instants are seconds since
 * 1970 and reach from year 1 to the end of 9999. Keys are as good as libcrypto's, their storage is
 * not: never use them outside a test. */
#ifndef PKI_H
#define PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKI_DAY     INT64_C(86400)
#define PKI_YEAR    (365 * PKI_DAY)
#define PKI_NO_TIME INT64_MIN

#define PKI_LABEL_CERT    "CERTIFICATE"
#define PKI_LABEL_TRUSTED "TRUSTED CERTIFICATE"
#define PKI_LABEL_CRL     "X509 CRL"
#define PKI_LABEL_PKCS7   "PKCS7"
#define PKI_LABEL_KEY     "PRIVATE KEY"

/* Bytes, nearly always DER. A zeroed blob is empty. */
struct pki_blob {
    unsigned char *data;
    size_t len;
};

void pki_blob_free(struct pki_blob *blob);

/* Prints `what` and libcrypto's last reason to stderr, forgets libcrypto's errors, returns -1. */
int pki_fail(const char *what);

/* --- keys --- */

enum pki_key_type { PKI_EC, PKI_RSA, PKI_ED25519 }; /* P-256; 2048 bits */

struct pki_key;

struct pki_key *pki_key_new(enum pki_key_type type); /* NULL on failure */
void pki_key_free(struct pki_key *key);
int pki_key_der(struct pki_blob *out, const struct pki_key *key);  /* PKCS#8, unencrypted */
int pki_key_spki(struct pki_blob *out, const struct pki_key *key); /* SubjectPublicKeyInfo */

/* --- certificates --- */

enum pki_name_type { PKI_UTF8, PKI_PRINTABLE, PKI_T61, PKI_BMP };

/* Extension texts are OpenSSL's configuration syntax ("critical,serverAuth"). Start from
 * pki_spec_ca() or pki_spec_leaf(): a zeroed spec has pathlen 0, not none. */
struct pki_spec {
    const char *cn; /* UTF-8, re-encoded as name_type, which must be able to hold it */
    const char *o;  /* NULL for none */
    enum pki_name_type name_type;
    struct pki_blob subject; /* borrowed DER of a Name; if not empty it replaces cn and o */
    const char *serial;      /* "12", "-12" or "0x0c", any size; NULL for 16 random bytes */
    int64_t not_before;
    int64_t not_after;
    int version; /* 3 or 1; version 1 carries no extensions, whatever is asked below */
    bool ca;
    int pathlen;                  /* -1 for none */
    bool bare;                    /* no basic constraints, key usage or key identifiers */
    const char *key_usage;        /* NULL: by ca; "": none */
    const char *eku;              /* NULL: none, likewise the next two */
    const char *name_constraints; /* "critical,permitted;DNS:example.org" */
    const char *san;              /* "DNS:localhost,IP:127.0.0.1" */
    bool unknown_critical;        /* add a critical extension that nobody knows */
    bool pss;                     /* sign with RSA-PSS; the issuer's key must be RSA */
    bool silent;                  /* no basic constraints */
    const char *utc_time; /* NULL, or the content of its notBefore, a UTCTime, as it stands */
};

/* Version 3, valid from a day before `now` for ten years after it, no path length. */
struct pki_spec pki_spec_ca(const char *cn, int64_t now);
struct pki_spec pki_spec_leaf(const char *cn, int64_t now); /* EKU serverAuth */

/* The issuer's name is the subject of `issuer` (DER), or with NULL the new certificate's own
 * subject. `issuer_key` signs; NULL is `key`. The two are independent: a "self-signed" certificate
 * with somebody else's signature is NULL with another key. */
int pki_issue(struct pki_blob *out, const struct pki_key *key, const struct pki_blob *issuer,
              const struct pki_key *issuer_key, const struct pki_spec *spec);

/* The same certificate followed by OpenSSL's trust settings (PKI_LABEL_TRUSTED). `trust` and
 * `reject` are OIDs or short names ("serverAuth") closed by NULL; either may be NULL, so may
 * `alias`. */
int pki_trusted(struct pki_blob *out, const struct pki_blob *cert, const char *const *trust,
                const char *const *reject, const char *alias);

/* Replaces len bytes wherever they occur; returns how often. No signature is renewed. */
size_t pki_patch(struct pki_blob *blob, const void *from, const void *to, size_t len);

/* Algorithms that no libcrypto of ours has, put in the place of those that pki_issue uses. */
#define PKI_SHA256_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define PKI_MD2_RSA    "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"
#define PKI_EC_KEY     "\x2a\x86\x48\xce\x3d\x02\x01\x06"
#define PKI_NO_KEY     "\x2a\x86\x48\xce\x3d\x02\x7e\x06"
/* basicConstraints of a CA, and what is none. */
#define PKI_CA_VALUE     "\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
#define PKI_BROKEN_VALUE "\x55\x1d\x13\x01\x01\xff\x04\x05\x31\x03\x01\x01\xff"

/* Lower-case hex of the digest ("SHA256") of the bytes; `size` counts the closing zero. */
int pki_fingerprint(char *hex, size_t size, const char *digest, const struct pki_blob *blob);

/* --- CRLs and PKCS#7 --- */

struct pki_crl_spec {
    const char *const *revoked; /* serials as in pki_spec, closed by NULL; NULL for none */
    int64_t this_update;
    int64_t next_update;   /* PKI_NO_TIME leaves it out */
    const char *number;    /* NULL for none */
    const char *base;      /* makes it a delta CRL to the CRL of this number; NULL otherwise */
    bool unknown_critical; /* add a critical extension that nobody knows */
    bool pss;
};

int pki_crl(struct pki_blob *out, const struct pki_blob *issuer, const struct pki_key *issuer_key,
            const struct pki_crl_spec *spec);

/* A SignedData without signers, in the order given (PKI_LABEL_PKCS7). */
int pki_pkcs7(struct pki_blob *out, const struct pki_blob *certs, size_t n_certs,
              const struct pki_blob *crls, size_t n_crls);

/* --- files --- */

int pki_write_der(const char *path, const struct pki_blob *der);
int pki_write_pem(const char *path, const char *label, const struct pki_blob *der);
int pki_append_pem(const char *path, const char *label, const struct pki_blob *der);

#endif
