/* SPDX-License-Identifier: Apache-2.0 */
/* nss-twins DIR: certificates that share what NSS looks for (subject, key, issuer and serial), and
 * bytes that are no certificates. See the table. */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { KEY_R, KEY_EVIL, KEY_OTHER, KEY_NEW, KEY_LEAF, KEY_COUNT };

static const struct recipe {
    const char *file, *cn, *issuer; /* issuer: a file above, or NULL for itself */
    int key, issuer_key;
    const char *serial, *eku, *san, *constraints;
    int from_days, to_days;
    bool leaf;
} recipes[] = {
    {"r.der", "Twins R", NULL, KEY_R, KEY_R, "0x77", NULL, NULL, NULL, -400, 4000, false},
    /* Names and number of r, with somebody else's key; and what that key signs. */
    {"evil.der", "Twins R", NULL, KEY_EVIL, KEY_EVIL, "0x77", NULL, NULL, NULL, -1, 4000, false},
    {"evil-leaf.der", "evil", "r.der", KEY_LEAF, KEY_EVIL, "1", "serverAuth", "DNS:localhost", NULL,
     -1, 90, true},
    {"r-leaf.der", "good", "r.der", KEY_LEAF, KEY_R, "2", "serverAuth",
     "DNS:localhost,IP:127.0.0.1", NULL, -1, 90, true},
    {"r-client.der", "client", "r.der", KEY_LEAF, KEY_R, "3", "clientAuth", NULL, NULL, -1, 90,
     true},
    {"r-email.der", "mail", "r.der", KEY_LEAF, KEY_R, "4", "emailProtection", "email:a@example.org",
     NULL, -1, 90, true},
    {"r-code.der", "code", "r.der", KEY_LEAF, KEY_R, "5", "codeSigning", NULL, NULL, -1, 90, true},
    {"r-old-leaf.der", "old", "r.der", KEY_LEAF, KEY_R, "6", "serverAuth", "DNS:localhost", NULL,
     -90, -1, true},
    /* Key and subject of r. */
    {"r-again.der", "Twins R", NULL, KEY_R, KEY_R, "0x78", NULL, NULL, NULL, -2, 4000, false},
    {"r-expired.der", "Twins R", NULL, KEY_R, KEY_R, "0x79", NULL, NULL, NULL, -900, -1, false},
    /* Two crosses of one new root: the newer one leads to an issuer that nobody has. */
    {"other.der", "Twins Other", NULL, KEY_OTHER, KEY_OTHER, "0x80", NULL, NULL, NULL, -1, 4000,
     false},
    {"new.der", "Twins New", NULL, KEY_NEW, KEY_NEW, "0x81", NULL, NULL, NULL, -30, 4000, false},
    {"cross-r.der", "Twins New", "r.der", KEY_NEW, KEY_R, "0x82", NULL, NULL, NULL, -30, 2000,
     false},
    {"cross-other.der", "Twins New", "other.der", KEY_NEW, KEY_OTHER, "0x83", NULL, NULL, NULL, -1,
     3000, false},
    {"new-leaf.der", "new leaf", "new.der", KEY_LEAF, KEY_NEW, "7", "serverAuth", "DNS:localhost",
     NULL, -1, 90, true},
    {"narrow.der", "Twins Narrow", "r.der", KEY_OTHER, KEY_R, "0x84", NULL, NULL,
     "critical,permitted;DNS:example.org", -1, 900, false},
    {"narrow-leaf.der", "outside", "narrow.der", KEY_LEAF, KEY_OTHER, "8", "serverAuth",
     "DNS:localhost", NULL, -1, 90, true},
};

static struct pki_blob made[COUNT(recipes)];
static char path[4096];

static const char *in(const char *dir, const char *file)
{
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    return path;
}

static const struct pki_blob *named(const char *file)
{
    for (size_t i = 0; file != NULL && i < COUNT(recipes); i++) {
        if (strcmp(recipes[i].file, file) == 0)
            return &made[i];
    }
    return NULL;
}

static int issue_all(const char *dir, struct pki_key **keys)
{
    int64_t now = (int64_t)time(NULL);

    for (size_t i = 0; i < COUNT(recipes); i++) {
        const struct recipe *r = &recipes[i];
        struct pki_spec spec = r->leaf ? pki_spec_leaf(r->cn, now) : pki_spec_ca(r->cn, now);

        spec.serial = r->serial;
        spec.eku = r->eku;
        spec.san = r->san;
        spec.name_constraints = r->constraints;
        spec.not_before = now + r->from_days * PKI_DAY;
        spec.not_after = now + r->to_days * PKI_DAY;
        if (pki_issue(&made[i], keys[r->key], named(r->issuer), keys[r->issuer_key], &spec) != 0 ||
            pki_write_der(in(dir, r->file), &made[i]) != 0)
            return pki_fail(r->file);
    }
    return 0;
}

static int write_bytes(const char *dir, const char *file, const void *data, size_t len)
{
    FILE *out = fopen(in(dir, file), "w");

    if (out == NULL)
        return -1;
    if (fwrite(data, 1, len, out) != len) {
        (void)fclose(out);
        return -1;
    }
    return fclose(out);
}

/* A spoilt signature, a cut certificate, nothing, noise, a MiB of nested SEQUENCEs and a length
 * that lies. */
static int write_hostile(const char *dir)
{
    static const unsigned char header[] = {0x30, 0x83, 0x0f, 0xff, 0xfb};
    static unsigned char mib[1 << 20];
    struct pki_blob leaf = *named("r-leaf.der");
    int bad = write_bytes(dir, "cut.der", leaf.data, leaf.len / 2);

    leaf.data[leaf.len - 1] ^= 1;
    bad |= write_bytes(dir, "spoilt.der", leaf.data, leaf.len);
    bad |= write_bytes(dir, "empty.der", "", 0);
    bad |= write_bytes(dir, "noise.der", "\x30\x84\xff\xff\xff\xff\x30\x80\x02", 9);
    memset(mib, 0x30, sizeof mib);
    for (size_t i = 1; i < sizeof mib; i += 2)
        mib[i] = 0x80;
    bad |= write_bytes(dir, "nested.der", mib, sizeof mib);
    memset(mib, 0xa5, sizeof mib);
    memcpy(mib, header, sizeof header);
    bad |= write_bytes(dir, "mib.der", mib, sizeof mib);
    return bad;
}

int main(int argc, char **argv)
{
    struct pki_key *keys[KEY_COUNT];
    int bad = 0;

    if (argc != 2)
        return 2;
    for (size_t i = 0; i < KEY_COUNT; i++)
        keys[i] = pki_key_new(PKI_EC);
    bad = issue_all(argv[1], keys) != 0 || write_hostile(argv[1]) != 0;
    for (size_t i = 0; i < KEY_COUNT; i++)
        pki_key_free(keys[i]);
    for (size_t i = 0; i < COUNT(recipes); i++)
        pki_blob_free(&made[i]);
    return bad;
}
