/* SPDX-License-Identifier: Apache-2.0 */
/* Files from people: what is found in them, what is refused and with which words. */
#include "certs/input.h"
#include "kit/pem.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1800000000)

/* ---- fixtures ---- */

struct made {
    struct pki_key *key;
    struct pki_blob cert;
};

static struct made make(const char *cn)
{
    struct pki_spec spec = pki_spec_ca(cn, NOW);
    struct made made = {.key = pki_key_new(PKI_EC)};

    cr_assert(made.key != NULL && pki_issue(&made.cert, made.key, NULL, NULL, &spec) == 0);
    return made;
}

static void unmake(struct made *made)
{
    pki_key_free(made->key);
    pki_blob_free(&made->cert);
}

static struct pki_blob make_crl(const struct made *issuer)
{
    struct pki_crl_spec spec = {.this_update = NOW, .next_update = NOW + PKI_DAY, .number = "7"};
    struct pki_blob crl;

    cr_assert(pki_crl(&crl, &issuer->cert, issuer->key, &spec) == 0);
    return crl;
}

static struct pki_blob make_bag(const struct pki_blob *certs, size_t n_certs,
                                const struct pki_blob *crls, size_t n_crls)
{
    struct pki_blob bag;

    cr_assert(pki_pkcs7(&bag, certs, n_certs, crls, n_crls) == 0);
    return bag;
}

static struct pki_blob make_trusted(const struct made *made, const char *const *trust,
                                    const char *const *reject)
{
    struct pki_blob out;

    cr_assert(pki_trusted(&out, &made->cert, trust, reject, "alias") == 0);
    return out;
}

static struct xr_bytes bytes_of(const struct pki_blob *blob)
{
    return (struct xr_bytes){blob->data, blob->len};
}

/* Appends a block as OpenSSL writes it. */
static void put_pem(struct xr_buf *out, const char *label, const struct pki_blob *der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len = 0;

    cr_assert(bio != NULL && PEM_write_bio(bio, label, "", der->data, (long)der->len) > 0);
    len = BIO_get_mem_data(bio, &data);
    xr_buf_add(out, data, (size_t)len);
    BIO_free(bio);
}

/* Every '\n' becomes "\r\n" (or whatever). */
static void put_with_ends(struct xr_buf *out, const struct xr_buf *in, const char *end)
{
    for (size_t i = 0; i < in->len; i++) {
        if (in->data[i] == '\n')
            xr_buf_str(out, end);
        else
            xr_buf_add(out, &in->data[i], 1);
    }
}

/* From a buffer of exactly that size, so that the sanitizer guards its end. */
static void add(struct xr_input *input, const char *file, const void *data, size_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);

    cr_assert(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    xr_input_add_bytes(input, file, (struct xr_bytes){exact, len});
    free(exact);
}

static void add_buf(struct xr_input *input, const char *file, const struct xr_buf *buf)
{
    add(input, file, buf->data, buf->len);
}

static void add_blob(struct xr_input *input, const char *file, const struct pki_blob *blob)
{
    add(input, file, blob->data, blob->len);
}

static bool holds(const struct xr_input *input, size_t at, const struct pki_blob *der)
{
    const struct xr_input_item *item = at < input->found.count ? &input->found.items[at] : NULL;

    return item != NULL && (item->cert == NULL) != (item->crl == NULL) &&
           xr_bytes_equal(item->cert ? item->cert->der : item->crl->der, bytes_of(der));
}

static bool nowhere(const struct xr_input *input, const struct pki_blob *secret)
{
    for (size_t i = 0; i < input->found.count; i++) {
        const struct xr_input_item *item = &input->found.items[i];
        struct xr_bytes der = item->cert ? item->cert->der : item->crl->der;

        if (memmem(der.data, der.len, secret->data, secret->len) != NULL)
            return false;
    }
    return true;
}

static bool rejected(const struct xr_input *input, size_t at, const char *words, bool note)
{
    return at < input->rejected.count && input->rejected.items[at].note == note &&
           strstr(input->rejected.items[at].reason, words) != NULL;
}

/* Are the bytes refused with these words, and nothing found in them? */
static bool refuses(const void *data, size_t len, const char *words)
{
    struct xr_input input = {0};
    bool ok = false;

    add(&input, "file", data, len);
    ok = input.failed && input.found.count == 0 && input.rejected.count == 1 &&
         rejected(&input, 0, words, false) && strcmp(input.rejected.items[0].file, "file") == 0;
    if (!ok)
        cr_log_error("\"%s\" expected, got \"%s\"", words,
                     input.rejected.count ? input.rejected.items[0].reason : "nothing");
    xr_input_free(&input);
    return ok;
}

static char *scratch_new(void)
{
    char *path = xr_strdup("/tmp/crossroot-input.XXXXXX");

    cr_assert(mkdtemp(path) != NULL);
    return path;
}

static int scratch_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void scratch_free(char *path)
{
    cr_assert(nftw(path, scratch_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
    free(path);
}

static void scratch_dir(const char *scratch, const char *name)
{
    char *path = xr_format("%s/%s", scratch, name);

    cr_assert(mkdir(path, 0700) == 0);
    free(path);
}

static void scratch_pem(const char *scratch, const char *name, const struct pki_blob *der)
{
    char *path = xr_format("%s/%s", scratch, name);

    cr_assert(pki_write_pem(path, PKI_LABEL_CERT, der) == 0);
    free(path);
}

static void scratch_link(const char *scratch, const char *target, const char *name)
{
    char *path = xr_format("%s/%s", scratch, name);

    cr_assert(symlink(target, path) == 0);
    free(path);
}

/* ---- PEM ---- */

Test(input, several_blocks_in_one_file_are_found_in_order)
{
    struct made made[3] = {make("A"), make("B"), make("C")};
    struct xr_input input = {0};
    struct xr_buf file = {0};

    for (size_t i = 0; i < 3; i++)
        put_pem(&file, PKI_LABEL_CERT, &made[i].cert);
    add_buf(&input, "three.pem", &file);
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 3u);
    cr_assert_eq(input.rejected.count, 0u);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(holds(&input, i, &made[i].cert));
        cr_assert_eq(input.found.items[i].index, i);
        cr_assert_str_eq(input.found.items[i].file, "three.pem");
        cr_assert(!input.found.items[i].has_trust);
        unmake(&made[i]);
    }
    xr_buf_free(&file);
    xr_input_free(&input);
}

Test(input, carriage_returns_do_not_matter)
{
    static const char *const ends[] = {"\r\n", "\r", " \t\r\n", "\n\n"};
    struct made a = make("A"), b = make("B");
    struct xr_buf lf = {0};

    put_pem(&lf, PKI_LABEL_CERT, &a.cert);
    put_pem(&lf, PKI_LABEL_CERT, &b.cert);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct xr_input input = {0};
        struct xr_buf file = {0};

        put_with_ends(&file, &lf, ends[i]);
        add_buf(&input, "ends.pem", &file);
        cr_assert(!input.failed, "line end %zu", i);
        cr_assert(holds(&input, 0, &a.cert) && holds(&input, 1, &b.cert), "line end %zu", i);
        cr_assert_eq(input.found.count, 2u);
        xr_buf_free(&file);
        xr_input_free(&input);
    }
    xr_buf_free(&lf);
    unmake(&a);
    unmake(&b);
}

Test(input, a_file_without_any_line_end_in_the_body_is_read)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf lf = {0}, file = {0};

    put_pem(&lf, PKI_LABEL_CERT, &a.cert);
    put_with_ends(&file, &lf, "");
    add_buf(&input, "one-line.pem", &file);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_buf_free(&lf);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, a_byte_order_mark_before_the_first_block_is_passed_over)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "\xef\xbb\xbf");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    add_buf(&input, "bom.pem", &file);
    cr_assert(!input.failed);
    cr_assert(holds(&input, 0, &a.cert));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, byte_order_marks_inside_joined_files_are_passed_over)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "\xef\xbb\xbf");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    xr_buf_str(&file, "\xef\xbb\xbf");
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    add_buf(&input, "joined.pem", &file);
    cr_assert(holds(&input, 0, &a.cert) && holds(&input, 1, &b.cert));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, junk_before_between_and_after_blocks_is_passed_over)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "Bag Attributes\n    friendlyName: -----hi-----\n\x01\xff\xfe binary\n");
    xr_buf_add(&file, "\0\0", 2);
    xr_buf_str(&file, "\n  \t");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    xr_buf_str(&file, "Certificate:\n    Data:\n        Version: 3 (0x2)\n-----END X-----\n---\n");
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    xr_buf_str(&file, "tail without a line end -----BEGIN");
    add_buf(&input, "dump.txt", &file);
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 2u);
    cr_assert(holds(&input, 0, &a.cert) && holds(&input, 1, &b.cert));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, a_begin_quoted_inside_a_line_is_no_block)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "subject=CN = ");
    put_pem(&file, PKI_LABEL_CERT, &b.cert); /* a name that quotes a certificate */
    xr_buf_str(&file, "> ");
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    add_buf(&input, "quoted.txt", &file);
    cr_assert_eq(input.found.count, 1u);
    cr_assert(holds(&input, 0, &a.cert));
    cr_assert(!input.failed);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, a_begin_quoted_after_a_cut_block_is_no_block)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "-----BEGIN NOTE-----\nsubject=CN = ");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    add_buf(&input, "quoted.txt", &file);
    cr_assert(input.failed && input.found.count == 0);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, the_old_x509_label_and_the_trusted_label_hold_certificates)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, "X509 CERTIFICATE", &a.cert);
    put_pem(&file, PKI_LABEL_TRUSTED, &b.cert); /* without settings */
    add_buf(&input, "labels.pem", &file);
    cr_assert(!input.failed);
    cr_assert(holds(&input, 0, &a.cert) && holds(&input, 1, &b.cert));
    cr_assert(!input.found.items[0].has_trust && !input.found.items[1].has_trust);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, other_labels_are_a_note_beside_a_certificate)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, "EC PARAMETERS", &a.cert);
    put_pem(&file, "PUBLIC KEY", &a.cert);
    put_pem(&file, "\x1b[2J", &a.cert);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    add_buf(&input, "labels.pem", &file);
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 1u);
    cr_assert_eq(input.rejected.count, 3u);
    cr_assert(rejected(&input, 0, "EC PARAMETERS", true));
    cr_assert(rejected(&input, 1, "PUBLIC KEY", true));
    cr_assert(rejected(&input, 2, "\\u{001B}[2J", true), "%s", input.rejected.items[2].reason);
    cr_assert(strchr(input.rejected.items[2].reason, '\x1b') == NULL);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, a_block_without_its_end_is_refused)
{
    struct made a = make("A");
    struct xr_buf file = {0};
    char *end = NULL;

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    end = strstr(file.data, "-----END");
    cr_assert(refuses(file.data, (size_t)(end - file.data), "BEGIN line without its END"));
    cr_assert(refuses(file.data, file.len - 3, "BEGIN line without its END"));
    end[strlen("-----END ")] = 'c'; /* the label of another block */
    cr_assert(refuses(file.data, file.len, "BEGIN line without its END"));
    xr_buf_free(&file);
    unmake(&a);
}

Test(input, many_begins_without_an_end_do_not_take_long, .timeout = 10)
{
    struct xr_input input = {0};
    struct xr_buf file = {0};

    while (file.len < (size_t)1 << 20)
        xr_buf_str(&file, "-----BEGIN A-----\n");
    add_buf(&input, "begins", &file);
    cr_assert(input.failed && input.found.count == 0);
    xr_input_free(&input);
    xr_buf_free(&file);
}

Test(input, a_cut_block_does_not_hide_the_next_one_of_its_kind)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    file.len /= 2;
    xr_buf_str(&file, "\n");
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    add_buf(&input, "cut.pem", &file);
    cr_assert(input.failed);
    cr_assert(holds(&input, 0, &b.cert));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, what_follows_a_block_without_end_is_still_found)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    xr_buf_str(&file, "-----BEGIN X509 CRL-----\nAAAA\n");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    add_buf(&input, "cut.pem", &file);
    cr_assert(input.failed);
    cr_assert_eq(input.found.count, 1u);
    cr_assert(holds(&input, 0, &a.cert));
    cr_assert(rejected(&input, 0, "BEGIN line without its END", false));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, a_damaged_block_does_not_hide_the_next_one)
{
    struct made a = make("A"), b = make("B");
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    strchr(file.data, '\n')[5] = '!';
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    add_buf(&input, "damaged.pem", &file);
    cr_assert(input.failed);
    cr_assert_eq(input.found.count, 1u);
    cr_assert(holds(&input, 0, &b.cert));
    cr_assert(rejected(&input, 0, "not base64", false));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

static bool refuses_body(const char *body, const char *words)
{
    char *file = xr_format("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", body);
    bool ok = refuses(file, strlen(file), words);

    free(file);
    return ok;
}

Test(input, what_is_not_base64_is_refused)
{
    static const char *const bodies[] = {
        "MII*", "MIIB\nMI", "MIIBA",      "MIIBM===",  "=MII",     "MII=MII=",
        "M=II", "MIIB====", "\"MIIB\"",   "MIIB-_MI",  "MIIB_w==", "MI\xc2\xa0IB",
        "",     "  \r\n ",  "MIIB=\nABC", "MIIB&amp;", "====",     "MIIB\xff\xff",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        cr_assert(refuses_body(bodies[i], "the block is not base64"), "body %zu", i);
}

Test(input, what_a_file_is_is_said)
{
    static const struct {
        const char *data;
        size_t len; /* 0: up to the NUL */
        const char *words;
    } files[] = {
        {"<!DOCTYPE html>\n<html><body>404</body></html>\n", 0, "a web page"},
        {"\n <html lang=\"ja\">", 0, "a web page"},
        {"# a comment\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\n", 0, "certdata.txt"},
        {"\xff\xfe\0\0-\0\0\0", 8, "UTF-32"},
        {"\xff\xfe-\0", 4, "UTF-16"},
        {"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n", 0, "base64 of a PEM file"},
        {"\0\0\0\0CERT\0\0", 10, "a Windows serialized store that is cut off"},
        {"\xce\xce\xce\xce\0\0\0\2", 8, "a Java keystore"},
        {"\0\0\0\2\0\0\0\x14????", 12, "Bouncy Castle"},
        {"SQLite format 3\0\x10", 17, "NSS"},
        {"-\0-\0-\0-\0-\0B\0", 12, "UTF-16"},
        {"\0-\0-\0-\0-\0-\0B", 12, "UTF-16"},
        {"-\0\0\0-\0\0\0", 8, "UTF-32"},
        {"MZ\x90", 3, "a Windows program"},
        {"ssh-rsa AAAA me", 0, "an SSH key"},
        {"version https://git-lfs.github.com/spec/v1\n", 0, "Git LFS"},
        {"{\\rtf1 -----BEGIN CERTIFICATE-----}", 0, "RTF"},
        {"data:\n  ca.crt: LS0tLS1CRUdJTiBD\n", 0, "base64 of a PEM file inside"},
        {"<ds:X509Certificate>MII</ds:X509Certificate>", 0, "XML"},
        {"<!DOCTYPE plist>\n<plist>", 0, "a profile of Apple's"},
        {"Certificate:\n    Data:\n        Version: 3 (0x2)\n", 0, "described in words"},
        {"{\"error\":404}", 0, "an error message"},
        {"{\"pem\":\"-----BEGIN CERTIFICATE-----\\nMIIB\"}", 0, "written out as \\n"},
        {"> -----BEGIN CERTIFICATE-----\n> MIIB\n", 0, "inside its lines"},
        {"----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0, "five ASCII dashes"},
        {"\xe2\x80\x94"
         "BEGIN CERTIFICATE\xe2\x80\x94\nMIIB\n",
         0, "five ASCII dashes"},
        {"-----begin certificate-----\nMIIB\n-----end certificate-----\n", 0,
         "-----BEGIN CERTIFICATE-----"},
        {" \r\n\t", 0, "nothing but white space"},
        {"\0\0\0\0", 4, "nothing but zeros"},
        {"30 82 05 b1 30 82 03 99 a0 03 02 01 02 02 01 00 30 82 05 b1 30 82 03 99 a0 03 02 01 02\n"
         "02 01 00 30 0d",
         0, "hex digits"},
        {"0\x80\x30\x80\0\0\0\0", 8, "BER"},
        {"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END CERTIFICATE-----",
         0, "it has headers"},
        {"-----BEGIN CERTIFICATE-----\nMI_B\n-----END CERTIFICATE-----", 0, "base64url"},
        {"-----BEGIN CERTIFICATE-----\nMII=\nMIIB\n-----END CERTIFICATE-----", 0,
         "quoted-printable"},
        {"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n", 0,
         "written out as \\n"},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        cr_assert(refuses(files[i].data, files[i].len ? files[i].len : strlen(files[i].data),
                          files[i].words),
                  "%s", files[i].words);
}

/* One element around others. */
static void wrap(struct xr_buf *out, unsigned tag, struct xr_buf *inner)
{
    xr_der_put(out, tag, inner->data, inner->len);
    xr_buf_free(inner);
}

Test(input, other_kinds_of_der_are_said_whatever_the_label)
{
    struct xr_buf file = {0}, outer = {0}, info = {0}, holder = {0};
    struct pki_key *key = pki_key_new(PKI_EC);
    struct pki_blob blob = {0};

    cr_assert(key != NULL && pki_key_spki(&blob, key) == 0);
    cr_assert(refuses(blob.data, blob.len, "a public key"));
    put_pem(&file, PKI_LABEL_CERT, &blob);
    cr_assert(refuses(file.data, file.len, "a public key"));
    xr_buf_free(&file);
    pki_blob_free(&blob);
    pki_key_free(key);

    xr_der_put(&info, XR_DER_INTEGER, "\1", 1);
    xr_der_put(&holder, 0xa1, "?", 1);
    wrap(&info, XR_DER_SEQUENCE, &holder);
    xr_der_put(&info, 0xa0, "?", 1);
    wrap(&outer, XR_DER_SEQUENCE, &info);
    wrap(&file, XR_DER_SEQUENCE, &outer);
    cr_assert(refuses(file.data, file.len, "an attribute certificate"));
    xr_buf_free(&file);

    xr_der_put(&outer, 0x0a, "\0", 1);
    xr_der_put(&outer, 0xa0, "?", 1);
    wrap(&file, XR_DER_SEQUENCE, &outer);
    cr_assert(refuses(file.data, file.len, "an OCSP response"));
    xr_buf_free(&file);
}

/* Found in a file: a certificate, and what is said of the other. */
static void two_of_which_one(struct xr_buf *file, const struct made *found, const char *words,
                             bool note)
{
    struct xr_input input = {0};

    add_buf(&input, "joined", file);
    cr_assert_eq(input.found.count, 1u);
    cr_assert(holds(&input, 0, &found->cert));
    cr_assert_eq(input.failed, !note);
    cr_assert_eq(input.rejected.count, 1u, "%s", words);
    cr_assert(rejected(&input, 0, words, note), "%s", input.rejected.items[0].reason);
    xr_input_free(&input);
    xr_buf_free(file);
}

Test(input, no_certificate_in_a_file_is_passed_over_unsaid)
{
    struct made a = make("A"), b = make("B");
    struct xr_buf file = {0}, pem = {0};

    put_pem(&pem, PKI_LABEL_CERT, &b.cert);
    xr_buf_str(&file, "see "); /* a quotation, or a mail that a program changed */
    xr_buf_add(&file, pem.data, pem.len);
    xr_buf_str(&file, "> ");
    xr_buf_add(&file, pem.data, pem.len);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    two_of_which_one(&file, &a, "passed over: a BEGIN that is not at the beginning", true);

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    xr_buf_add(&file, pem.data + 1, pem.len - 1); /* copied without the first dash */
    two_of_which_one(&file, &a, "a BEGIN line that has not five ASCII dashes", false);

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    xr_buf_add(&file, b.cert.data, b.cert.len);
    two_of_which_one(&file, &a, "DER beside PEM", false);

    xr_buf_add(&file, b.cert.data, b.cert.len);
    xr_buf_str(&file, "\n");
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    two_of_which_one(&file, &a, "DER beside PEM", false);

    xr_buf_add(&file, a.cert.data, a.cert.len);
    xr_buf_add(&file, b.cert.data, b.cert.len);
    cr_assert(refuses(file.data, file.len, "bytes follow it: files joined?"));
    xr_buf_free(&file);
    xr_buf_free(&pem);
    unmake(&a);
    unmake(&b);
}

Test(input, glued_blocks_are_all_read)
{
    static const char *const between[] = {"", " ", "\t", "\xef\xbb\xbf", "x"};
    struct made made[3] = {make("A"), make("B"), make("C")};

    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
        struct xr_input input = {0};
        struct xr_buf file = {0};

        for (size_t k = 0; k < 3; k++) {
            put_pem(&file, PKI_LABEL_CERT, &made[k].cert);
            file.len--; /* its line end */
            xr_buf_str(&file, between[i]);
        }
        add_buf(&input, "glued.pem", &file);
        cr_assert(!input.failed);
        cr_assert_eq(input.found.count, 3u, "between: \"%s\"", between[i]);
        xr_input_free(&input);
        xr_buf_free(&file);
    }
    for (size_t k = 0; k < 3; k++)
        unmake(&made[k]);
}

Test(input, of_an_address_it_is_said_what_fetches_it)
{
    static const struct {
        const char *name, *words;
    } names[] = {
        {"https://example.org/ca.cer", "\"curl -fLO 'https://example.org/ca.cer'\" gets a file"},
        {"https://example.org", "-connect example.org:443 </dev/null"},
        {"HTTPS://example.org:8443/x?y", "-connect example.org:8443 </dev/null"},
        {"https://example.org/'; rm x'", "No such file"},
        {"https://$(reboot)/ca.cer", "No such file"},
        {"https-notes.pem", "No such file"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct xr_input input = {0};

        xr_input_add(&input, names[i].name);
        cr_assert(rejected(&input, 0, names[i].words, false), "%s", input.rejected.items[0].reason);
        xr_input_free(&input);
    }
}

Test(input, of_several_blocks_the_bad_one_is_named)
{
    struct made a = make("A"), b = make("B");
    struct pki_blob cut = {b.cert.data, b.cert.len - 20};
    struct xr_input input = {0};
    struct xr_buf file = {0};
    char *words =
        xr_format("block 2: cut off: %zu of its %zu bytes are there", b.cert.len - 20, b.cert.len);

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    put_pem(&file, PKI_LABEL_CERT, &cut);
    xr_buf_str(&file, "-----BEGIN CERTIFICATE-----\nMIIB\n");
    add_buf(&input, "bundle.pem", &file);
    cr_assert_eq(input.found.count, 1u);
    cr_assert_eq(input.rejected.count, 2u);
    cr_assert(rejected(&input, 0, words, false), "%s", input.rejected.items[0].reason);
    cr_assert(rejected(&input, 1, "block 3: damaged PEM: a BEGIN line without its END", false));
    cr_assert(refuses(cut.data, cut.len, words + strlen("block 2: ")));
    free(words);
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
    unmake(&b);
}

Test(input, base64url_is_not_base64)
{
    struct made a = make("A");
    struct xr_buf file = {0};
    bool changed = false;

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    for (char *at = strchr(file.data, '\n'); at < strstr(file.data, "-----END"); at++) {
        changed = changed || *at == '+' || *at == '/';
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
    }
    if (!changed) /* one in many thousands has neither digit */
        strchr(file.data, '\n')[1] = '_';
    cr_assert(refuses(file.data, file.len, "the block is not base64"));
    xr_buf_free(&file);
    unmake(&a);
}

Test(input, headers_of_rfc_1421_are_refused)
{
    struct made a = make("A");
    struct xr_buf plain = {0}, file = {0};
    char *body = NULL;

    put_pem(&plain, PKI_LABEL_CERT, &a.cert);
    body = strchr(plain.data, '\n') + 1;
    xr_buf_add(&file, plain.data, (size_t)(body - plain.data));
    xr_buf_str(&file, "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0102030405060708\n\n");
    xr_buf_str(&file, body);
    cr_assert(refuses(file.data, file.len, "the block is not base64"));
    xr_buf_free(&plain);
    xr_buf_free(&file);
    unmake(&a);
}

Test(input, base64_that_lost_its_armour_is_read)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};
    char *body = NULL;

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    body = strchr(file.data, '\n') + 1;
    add(&input, "bare.b64", body, (size_t)(strstr(body, "-----END") - body));
    cr_assert(!input.failed);
    cr_assert(holds(&input, 0, &a.cert));
    xr_buf_free(&file);
    xr_input_free(&input);
    unmake(&a);
}

Test(input, a_block_that_is_no_certificate_is_refused)
{
    struct made a = make("A");
    struct pki_blob cut = {.data = a.cert.data, .len = a.cert.len - 1};
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_CERT, &cut);
    cr_assert(refuses(file.data, file.len, "cut off"));
    xr_buf_free(&file);
    cr_assert(refuses_body("MAA=", "not a certificate"));
    cr_assert(refuses_body("AAAA", "not DER"));
    unmake(&a);
}

Test(input, bytes_after_a_certificate_in_a_plain_block_are_refused)
{
    static const char *const trust[] = {"serverAuth", NULL};
    struct made a = make("A");
    struct pki_blob with = make_trusted(&a, trust, NULL);
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_CERT, &with);
    cr_assert(refuses(file.data, file.len, "bytes follow the certificate"));
    cr_assert(refuses(with.data, with.len, "bytes follow it"));
    xr_buf_free(&file);
    pki_blob_free(&with);
    unmake(&a);
}

Test(input, a_certificate_beyond_the_limit_is_refused)
{
    struct pki_blob huge = {.len = XR_INPUT_CERT_MAX + 1};
    struct xr_buf file = {0};

    huge.data = xr_new(huge.len, 1);
    put_pem(&file, PKI_LABEL_CERT, &huge);
    cr_assert(refuses(file.data, file.len, "larger than 1 MiB"));
    free(huge.data);
    xr_buf_free(&file);
}

/* ---- trust settings ---- */

static void trust_of(bool *has, uint32_t *trust, const char *const *uses, const char *const *reject)
{
    struct made a = make("A");
    struct pki_blob with = make_trusted(&a, uses, reject);
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_TRUSTED, &with);
    add_buf(&input, "trusted.pem", &file);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    *has = input.found.items[0].has_trust;
    *trust = input.found.items[0].trust;
    xr_buf_free(&file);
    xr_input_free(&input);
    pki_blob_free(&with);
    unmake(&a);
}

Test(input, trust_settings_leave_the_purposes_they_name)
{
    static const char *const two[] = {"serverAuth", "emailProtection", NULL};
    static const char *const any[] = {"anyExtendedKeyUsage", NULL};
    static const char *const other[] = {"1.3.6.1.4.1.32473.7", NULL};
    static const char *const server[] = {"serverAuth", NULL};
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    uint32_t trust = 0;
    bool has = false;

    trust_of(&has, &trust, two, NULL);
    cr_assert(has && trust == (XR_SERVER | XR_EMAIL), "%#x", trust);
    trust_of(&has, &trust, any, NULL);
    cr_assert(has && trust == all, "%#x", trust);
    trust_of(&has, &trust, NULL, server);
    cr_assert(has && trust == (all & ~(uint32_t)XR_SERVER), "%#x", trust);
    trust_of(&has, &trust, two, server);
    cr_assert(has && trust == XR_EMAIL, "%#x", trust);
    trust_of(&has, &trust, any, any);
    cr_assert(has && trust == 0, "%#x", trust);
    trust_of(&has, &trust, NULL, any);
    cr_assert(has && trust == 0, "%#x", trust);
    trust_of(&has, &trust, other, NULL);
    cr_assert(has && trust == 0, "a purpose nobody knows gives none: %#x", trust);
    trust_of(&has, &trust, NULL, other);
    cr_assert(!has || trust == all, "to reject what nobody knows limits nothing: %#x", trust);
    trust_of(&has, &trust, NULL, NULL);
    cr_assert(!has || trust == all, "an alias limits nothing: %#x", trust);
}

Test(input, what_one_copy_of_a_certificate_forbids_is_forbidden)
{
    static const char *const server[] = {"serverAuth", "clientAuth", NULL};
    static const char *const client[] = {"clientAuth", NULL};
    const uint32_t all = XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME;
    struct made a = make("A");
    struct pki_blob for_two = make_trusted(&a, server, NULL);
    struct pki_blob no_client = make_trusted(&a, NULL, client);

    for (size_t order = 0; order < 2; order++) {
        struct xr_input input = {0};
        struct xr_buf plain = {0}, two = {0}, less = {0};

        put_pem(&plain, PKI_LABEL_CERT, &a.cert);
        put_pem(&two, PKI_LABEL_TRUSTED, &for_two);
        put_pem(&less, PKI_LABEL_TRUSTED, &no_client);
        add_buf(&input, "one", order == 0 ? &plain : &less);
        add_buf(&input, "two", order == 0 ? &less : &plain);
        cr_assert_eq(input.found.count, 1u);
        cr_assert(input.found.items[0].has_trust);
        cr_assert_eq(input.found.items[0].trust, all & ~(uint32_t)XR_CLIENT);
        add_buf(&input, "three", &two);
        cr_assert_eq(input.found.count, 1u);
        cr_assert_eq(input.found.items[0].trust, (uint32_t)XR_SERVER);
        cr_assert_str_eq(input.found.items[0].file, "one");
        xr_buf_free(&plain);
        xr_buf_free(&two);
        xr_buf_free(&less);
        xr_input_free(&input);
    }
    pki_blob_free(&for_two);
    pki_blob_free(&no_client);
    unmake(&a);
}

Test(input, a_trusted_certificate_is_split_from_its_settings)
{
    static const char *const uses[] = {"serverAuth", NULL};
    struct made a = make("A");
    struct pki_blob with = make_trusted(&a, uses, NULL);
    struct xr_error err = {0};
    uint32_t purposes = 0;
    size_t len = 0;

    cr_assert_eq(xr_input_trusted(&len, &purposes, bytes_of(&with), &err), XR_OK);
    cr_assert(len == a.cert.len && purposes == XR_SERVER);
    cr_assert_eq(xr_input_trusted(&len, &purposes, bytes_of(&a.cert), &err), XR_OK);
    cr_assert(len == a.cert.len);
    cr_assert_eq(purposes, (uint32_t)(XR_SERVER | XR_CLIENT | XR_EMAIL | XR_CODE | XR_TIME));
    for (size_t cut = 0; cut < with.len; cut++) {
        unsigned char *exact = malloc(cut > 0 ? cut : 1);

        memcpy(exact, with.data, cut);
        cr_assert_eq(xr_input_trusted(&len, &purposes, (struct xr_bytes){exact, cut}, &err),
                     cut == a.cert.len ? XR_OK : XR_INVALID, "%zu of %zu", cut, with.len);
        free(exact);
    }
    pki_blob_free(&with);
    unmake(&a);
}

Test(input, damaged_trust_settings_are_refused)
{
    static const char *const uses[] = {"serverAuth", NULL};
    struct made a = make("A");
    struct pki_blob with = make_trusted(&a, uses, NULL);

    for (size_t len = a.cert.len + 1; len < with.len; len++) {
        struct pki_blob cut = {.data = with.data, .len = len};
        struct xr_buf file = {0};

        put_pem(&file, PKI_LABEL_TRUSTED, &cut);
        cr_assert(refuses(file.data, file.len, "trust settings"), "%zu of %zu", len, with.len);
        xr_buf_free(&file);
    }
    pki_blob_free(&with);
    unmake(&a);
}

/* ---- DER, PKCS#7, CRLs ---- */

Test(input, der_is_read_and_white_space_after_it_forgiven)
{
    struct made a = make("A");
    struct xr_buf file = {0};
    struct xr_input input = {0};

    xr_buf_add(&file, a.cert.data, a.cert.len);
    add_buf(&input, "a.der", &file);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_input_free(&input);

    xr_buf_str(&file, "\r\n");
    add_buf(&input, "a.der", &file);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_input_free(&input);

    xr_buf_str(&file, "x");
    cr_assert(refuses(file.data, file.len, "bytes follow it"));
    cr_assert(refuses(a.cert.data, a.cert.len - 1, "cut off"));
    xr_buf_free(&file);
    unmake(&a);
}

Test(input, pkcs7_gives_its_certificates_and_crls)
{
    /* AD CS calls it CERTIFICATE. */
    static const char *const labels[] = {NULL, "PKCS7", "CMS", "PKCS #7 SIGNED DATA",
                                         "CERTIFICATE"};
    struct made a = make("A"), b = make("B");
    struct pki_blob certs[] = {a.cert, b.cert};
    struct pki_blob crl = make_crl(&a);
    struct pki_blob bag = make_bag(certs, 2, &crl, 1);

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        struct xr_input input = {0};
        struct xr_buf file = {0};

        if (labels[i] != NULL)
            put_pem(&file, labels[i], &bag);
        else
            xr_buf_add(&file, bag.data, bag.len);
        add_buf(&input, "bag.p7b", &file);
        cr_assert(!input.failed, "%s", labels[i] ? labels[i] : "DER");
        cr_assert_eq(input.found.count, 3u);
        cr_assert(holds(&input, 0, &a.cert) && holds(&input, 1, &b.cert));
        cr_assert(holds(&input, 2, &crl) && input.found.items[2].crl != NULL);
        cr_assert_eq(input.found.items[2].index, 2u);
        xr_buf_free(&file);
        xr_input_free(&input);
    }
    pki_blob_free(&bag);
    pki_blob_free(&crl);
    unmake(&a);
    unmake(&b);
}

Test(input, pkcs7_with_nothing_in_it_is_refused)
{
    struct pki_blob bag = make_bag(NULL, 0, NULL, 0);
    struct xr_buf file = {0};

    cr_assert(refuses(bag.data, bag.len, "PKCS#7 without certificates"));
    put_pem(&file, PKI_LABEL_PKCS7, &bag);
    cr_assert(refuses(file.data, file.len, "PKCS#7 without certificates"));
    xr_buf_free(&file);
    pki_blob_free(&bag);
}

Test(input, pkcs7_cut_at_any_byte_gives_no_certificate)
{
    struct made a = make("A");
    struct pki_blob bag = make_bag(&a.cert, 1, NULL, 0);

    for (size_t len = 0; len < bag.len; len++) {
        struct xr_input input = {0};

        add(&input, "cut.p7b", bag.data, len);
        cr_assert(input.failed && input.found.count == 0, "%zu of %zu", len, bag.len);
        xr_input_free(&input);
    }
    pki_blob_free(&bag);
    unmake(&a);
}

Test(input, a_crl_is_found_as_pem_and_as_der)
{
    struct made a = make("A");
    struct pki_blob crl = make_crl(&a);
    struct xr_buf file = {0};
    struct xr_input input = {0};

    put_pem(&file, PKI_LABEL_CRL, &crl);
    add_buf(&input, "crl.pem", &file);
    cr_assert(!input.failed && holds(&input, 0, &crl) && input.found.items[0].crl != NULL);
    xr_input_free(&input);

    add_blob(&input, "crl.der", &crl);
    cr_assert(!input.failed && holds(&input, 0, &crl) && input.found.items[0].crl != NULL);
    xr_input_free(&input);
    xr_buf_free(&file);

    put_pem(&file, PKI_LABEL_CRL, &a.cert);
    cr_assert(refuses(file.data, file.len, "not a CRL"));
    xr_buf_free(&file);
    put_pem(&file, PKI_LABEL_CERT, &crl);
    cr_assert(refuses(file.data, file.len, "certificate"));
    xr_buf_free(&file);
    pki_blob_free(&crl);
    unmake(&a);
}

/* ---- twice ---- */

Test(input, the_same_item_twice_counts_once)
{
    struct made a = make("A"), b = make("B");
    struct pki_blob crl = make_crl(&a);
    struct pki_blob bag = make_bag(&a.cert, 1, &crl, 1);
    struct xr_input input = {0};
    struct xr_buf file = {0};

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    put_pem(&file, "X509 CERTIFICATE", &a.cert);
    put_pem(&file, PKI_LABEL_CERT, &b.cert);
    add_buf(&input, "first", &file);
    cr_assert_eq(input.found.count, 2u);
    add_blob(&input, "der", &a.cert);
    add_blob(&input, "crl", &crl);
    add_blob(&input, "bag", &bag);
    cr_assert(!input.failed, "a file that brings nothing new is no failure");
    cr_assert_eq(input.found.count, 3u);
    cr_assert_eq(input.rejected.count, 0u);
    cr_assert_str_eq(input.found.items[0].file, "first");
    cr_assert_str_eq(input.found.items[1].file, "first");
    cr_assert_eq(input.found.items[1].index, 3u, "the place in the file counts every block");
    cr_assert_str_eq(input.found.items[2].file, "crl");
    cr_assert_eq(input.files.count, 4u);
    xr_buf_free(&file);
    xr_input_free(&input);
    pki_blob_free(&bag);
    pki_blob_free(&crl);
    unmake(&a);
    unmake(&b);
}

/* ---- private keys ---- */

Test(input, a_private_key_beside_a_certificate_is_a_note_and_in_no_item)
{
    static const char *const labels[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
                                         "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"};
    struct made a = make("A");
    struct pki_blob key;

    cr_assert(pki_key_der(&key, a.key) == 0);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        struct xr_input input = {0};
        struct xr_buf file = {0};

        put_pem(&file, labels[i], &key);
        put_pem(&file, PKI_LABEL_CERT, &a.cert);
        add_buf(&input, "both.pem", &file);
        cr_assert(!input.failed, "%s", labels[i]);
        cr_assert_eq(input.found.count, 1u);
        cr_assert_eq(input.rejected.count, 1u);
        cr_assert(rejected(&input, 0, "private key", true), "%s", labels[i]);
        cr_assert(nowhere(&input, &key), "%s", labels[i]);
        xr_buf_free(&file);
        xr_input_free(&input);
    }
    pki_blob_free(&key);
    unmake(&a);
}

Test(input, a_file_with_only_a_private_key_is_refused)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};
    struct pki_blob key;

    cr_assert(pki_key_der(&key, a.key) == 0);
    put_pem(&file, PKI_LABEL_KEY, &key);
    add_buf(&input, "key.pem", &file);
    cr_assert(input.failed);
    cr_assert_eq(input.found.count, 0u);
    cr_assert_eq(input.rejected.count, 2u);
    cr_assert(rejected(&input, 0, "private key", true));
    cr_assert(rejected(&input, 1, "no certificate in it", false));
    xr_input_free(&input);
    cr_assert(refuses(key.data, key.len, "a private key: never read"));
    xr_buf_free(&file);
    pki_blob_free(&key);
    unmake(&a);
}

Test(input, a_private_key_under_a_certificates_label_is_refused)
{
    struct made a = make("A");
    struct xr_buf file = {0};
    struct pki_blob key;

    cr_assert(pki_key_der(&key, a.key) == 0);
    put_pem(&file, PKI_LABEL_CERT, &key);
    cr_assert(refuses(file.data, file.len, "a private key: never read"));
    xr_buf_free(&file);
    pki_blob_free(&key);
    unmake(&a);
}

Test(input, an_encrypted_key_in_der_is_named_as_one)
{
    struct made a = make("A");
    struct pki_blob key;
    const unsigned char *at = NULL;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    X509_SIG *sealed = NULL;
    unsigned char *der = NULL;
    int len = 0;

    cr_assert(pki_key_der(&key, a.key) == 0);
    at = key.data;
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)key.len);
    sealed = PKCS8_encrypt(-1, EVP_aes_128_cbc(), "secret", 6, NULL, 0, 100, info);
    len = i2d_X509_SIG(sealed, &der);
    cr_assert(len > 0);
    cr_assert(refuses(der, (size_t)len, "an encrypted private key: never read"));
    OPENSSL_free(der);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    pki_blob_free(&key);
    unmake(&a);
}

/* ---- what it is instead ---- */

Test(input, an_empty_file_is_refused)
{
    cr_assert(refuses("", 0, "the file is empty"));
    cr_assert(refuses(" \n", 2, "no certificate in it"));
}

Test(input, utf16_text_is_named)
{
    struct made a = make("A");
    struct xr_buf pem = {0}, little = {0}, big = {0};

    put_pem(&pem, PKI_LABEL_CERT, &a.cert);
    xr_buf_str(&little, "\xff\xfe");
    xr_buf_str(&big, "\xfe\xff");
    for (size_t i = 0; i < pem.len; i++) {
        xr_buf_add(&little, (char[]){pem.data[i], 0}, 2);
        xr_buf_add(&big, (char[]){0, pem.data[i]}, 2);
    }
    cr_assert(refuses(little.data, little.len, "UTF-16"));
    cr_assert(refuses(big.data, big.len, "UTF-16"));
    cr_assert(refuses("\xff\xfe", 2, "UTF-16"));
    xr_buf_free(&pem);
    xr_buf_free(&little);
    xr_buf_free(&big);
    unmake(&a);
}

Test(input, other_formats_are_named)
{
    char tar[512] = "certs/";

    (void)snprintf(tar + 257, sizeof(tar) - 257, "ustar");
    cr_assert(refuses("\x1f\x8b\x08\0\0\0\0\0", 8, "gzip"));
    cr_assert(refuses("PK\x03\x04rest", 8, "ZIP"));
    cr_assert(refuses("BZh91AY", 7, "bzip2"));
    cr_assert(refuses("\xfd"
                      "7zXZ\0rest",
                      10, "xz"));
    cr_assert(refuses("%PDF-1.7\n", 9, "PDF"));
    cr_assert(refuses("\xfe\xed\xfe\xed\0\0\0\2", 8, "Java keystore"));
    cr_assert(refuses(tar, sizeof(tar), "tar"));
    cr_assert(refuses("not a certificate", 17, "neither PEM nor DER"));
    cr_assert(refuses("0", 1, "damaged DER"));
}

static size_t request_der(unsigned char **der)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509_REQ *request = X509_REQ_new();
    int len = 0;

    cr_assert(key != NULL && X509_REQ_set_pubkey(request, key) == 1);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                               (const unsigned char *)"asked", -1, -1, 0);
    cr_assert(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    len = i2d_X509_REQ(request, der);
    cr_assert(len > 0);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return (size_t)len;
}

Test(input, a_certificate_request_gives_nothing)
{
    unsigned char *der = NULL;
    size_t len = request_der(&der);
    struct pki_blob blob = {.data = der, .len = len};
    struct xr_input input = {0};
    struct xr_buf file = {0};

    add_blob(&input, "request.der", &blob);
    cr_assert(input.failed && input.found.count == 0);
    cr_assert(rejected(&input, 0, "a certificate request (CSR)", false));
    xr_input_free(&input);
    put_pem(&file, "CERTIFICATE REQUEST", &blob);
    add_buf(&input, "request.pem", &file);
    cr_assert(input.failed && input.found.count == 0);
    cr_assert(rejected(&input, 0, "CERTIFICATE REQUEST", true));
    cr_assert(rejected(&input, 1, "no certificate in it", false));
    xr_input_free(&input);
    xr_buf_free(&file);
    OPENSSL_free(der);
}

/* ---- directories and other files ---- */

Test(input, a_directory_is_read_recursively_in_byte_order)
{
    static const char *const names[] = {"B.pem", "Z/a.pem", "Z/deep/er.pem", "a.pem", "b.pem"};
    struct made made[5];
    struct xr_input input = {0};
    char *scratch = scratch_new();

    scratch_dir(scratch, "Z");
    scratch_dir(scratch, "Z/deep");
    scratch_dir(scratch, "empty");
    for (size_t i = 5; i-- > 0;) {
        made[i] = make(names[i]);
        scratch_pem(scratch, names[i], &made[i].cert);
    }
    xr_input_add(&input, scratch);
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 5u);
    for (size_t i = 0; i < 5; i++) {
        char *path = xr_format("%s/%s", scratch, names[i]);

        cr_assert(holds(&input, i, &made[i].cert), "%s", names[i]);
        cr_assert_str_eq(input.found.items[i].file, path);
        cr_assert_eq(input.found.items[i].index, 0u);
        free(path);
        unmake(&made[i]);
    }
    xr_input_free(&input);
    scratch_free(scratch);
}

Test(input, a_slash_after_a_directory_is_not_doubled)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *slashed = xr_format("%s/", scratch);
    char *path = xr_format("%s/a.pem", scratch);

    scratch_pem(scratch, "a.pem", &a.cert);
    xr_input_add(&input, slashed);
    cr_assert_eq(input.found.count, 1u);
    cr_assert_str_eq(input.found.items[0].file, path);
    xr_input_free(&input);
    free(path);
    free(slashed);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, one_bad_file_in_a_directory_is_named_and_the_others_found)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct pki_blob bad = {.data = (unsigned char *)(uintptr_t) "nothing", .len = 7};
    char *scratch = scratch_new();
    char *path = xr_format("%s/README", scratch);

    cr_assert(pki_write_der(path, &bad) == 0);
    scratch_pem(scratch, "a.pem", &a.cert);
    xr_input_add(&input, scratch);
    cr_assert(input.failed && input.found.count == 1 && input.rejected.count == 1);
    cr_assert(rejected(&input, 0, "neither PEM nor DER", false));
    cr_assert_str_eq(input.rejected.items[0].file, path);
    xr_input_free(&input);
    free(path);
    scratch_free(scratch);
    unmake(&a);
}

/* Makes `levels` directories below each other and puts the certificate into the last. */
static void nest(const char *scratch, size_t levels, const struct pki_blob *der)
{
    struct xr_buf path = {0};

    xr_buf_str(&path, scratch);
    for (size_t i = 0; i < levels; i++) {
        xr_buf_str(&path, "/d");
        cr_assert(mkdir(path.data, 0700) == 0);
    }
    scratch_pem(path.data, "a.pem", der);
    xr_buf_free(&path);
}

Test(input, directories_end_at_the_depth_limit)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();

    nest(scratch, XR_INPUT_DEPTH_MAX - 1, &a.cert);
    xr_input_add(&input, scratch);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_input_free(&input);
    scratch_free(scratch);

    scratch = scratch_new();
    nest(scratch, XR_INPUT_DEPTH_MAX, &a.cert);
    xr_input_add(&input, scratch);
    cr_assert(input.failed && input.found.count == 0);
    cr_assert(rejected(&input, 0, "nested too deep", false));
    xr_input_free(&input);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, a_pipe_in_a_directory_does_not_hang, .timeout = 20)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *fifo = xr_format("%s/0-pipe", scratch);

    cr_assert(mkfifo(fifo, 0600) == 0);
    scratch_pem(scratch, "a.pem", &a.cert);
    xr_input_add(&input, scratch);
    cr_assert_eq(input.found.count, 1u);
    cr_assert(holds(&input, 0, &a.cert));
    xr_input_free(&input);
    free(fifo);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, a_pipe_in_a_directory_is_no_failure, .timeout = 20)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *fifo = xr_format("%s/0-pipe", scratch);

    cr_assert(mkfifo(fifo, 0600) == 0);
    scratch_pem(scratch, "a.pem", &a.cert);
    xr_input_add(&input, scratch);
    cr_assert(!input.failed);
    xr_input_free(&input);
    free(fifo);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, a_pipe_the_user_names_is_read, .timeout = 20)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *fifo = xr_format("%s/pipe", scratch);
    int status = -1;
    pid_t writer = -1;

    cr_assert(mkfifo(fifo, 0600) == 0);
    writer = fork();
    if (writer == 0)
        _exit(pki_write_pem(fifo, PKI_LABEL_CERT, &a.cert) == 0 ? 0 : 1);
    xr_input_add(&input, fifo);
    cr_assert(waitpid(writer, &status, 0) == writer && status == 0);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    cr_assert_str_eq(input.found.items[0].file, fifo);
    xr_input_free(&input);
    free(fifo);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, a_dash_is_standard_input, .timeout = 20)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf file = {0};
    int ends[2];

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    cr_assert(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    cr_assert(write(ends[1], file.data, file.len) == (ssize_t)file.len);
    close(ends[0]);
    close(ends[1]);
    xr_input_add(&input, "-");
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    cr_assert_str_eq(input.found.items[0].file, "-");
    xr_input_free(&input);
    xr_buf_free(&file);
    unmake(&a);
}

Test(input, links_in_a_directory_lead_to_files_only)
{
    struct made a = make("A"), b = make("B"), c = make("C");
    struct xr_input input = {0};
    char *scratch = scratch_new();

    scratch_dir(scratch, "elsewhere");
    scratch_dir(scratch, "named");
    scratch_pem(scratch, "elsewhere/a.pem", &a.cert);
    scratch_pem(scratch, "elsewhere/b.pem", &b.cert);
    scratch_pem(scratch, "named/c.pem", &c.cert);
    scratch_link(scratch, "../elsewhere", "named/dir");
    scratch_link(scratch, ".", "named/loop");
    scratch_link(scratch, "../elsewhere/a.pem", "named/file");
    {
        char *named = xr_format("%s/named", scratch);

        xr_input_add(&input, named);
        free(named);
    }
    cr_assert(!input.failed);
    cr_assert_eq(input.found.count, 2u);
    cr_assert(holds(&input, 0, &c.cert) && holds(&input, 1, &a.cert));
    xr_input_free(&input);
    scratch_free(scratch);
    unmake(&a);
    unmake(&b);
    unmake(&c);
}

Test(input, a_link_the_user_names_is_followed)
{
    struct made a = make("A");
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *link = xr_format("%s/link", scratch);

    scratch_dir(scratch, "dir");
    scratch_pem(scratch, "dir/a.pem", &a.cert);
    scratch_link(scratch, "dir", "link");
    xr_input_add(&input, link);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_input_free(&input);
    free(link);
    scratch_free(scratch);
    unmake(&a);
}

Test(input, what_does_not_exist_or_is_no_file_is_refused)
{
    struct xr_input input = {0};
    char *scratch = scratch_new();

    scratch_link(scratch, "nowhere", "dangling");
    xr_input_add(&input, scratch);
    cr_assert(input.found.count == 0 && input.rejected.count == 1);
    cr_assert(strstr(input.rejected.items[0].file, "/dangling") != NULL);
    xr_input_free(&input);

    xr_input_add(&input, "/nonexistent/x.pem");
    cr_assert(input.failed && rejected(&input, 0, "No such file", false));
    cr_assert_str_eq(input.rejected.items[0].file, "/nonexistent/x.pem");
    xr_input_free(&input);

    xr_input_add(&input, "/dev/null");
    cr_assert(input.failed && rejected(&input, 0, "not a regular file", false));
    xr_input_free(&input);
    scratch_free(scratch);
}

Test(input, a_file_beyond_the_limit_is_refused)
{
    struct xr_input input = {0};
    char *scratch = scratch_new();
    char *path = xr_format("%s/huge", scratch);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    cr_assert(fd >= 0 && ftruncate(fd, (off_t)XR_INPUT_FILE_MAX + 1) == 0 && close(fd) == 0);
    xr_input_add(&input, path);
    cr_assert(input.failed && rejected(&input, 0, "larger than 64 MiB", false));
    xr_input_free(&input);
    free(path);
    scratch_free(scratch);
}

Test(input, a_published_page_is_read_whole)
{
    char *scratch = scratch_new();
    char *path = xr_format("%s/page", scratch);
    struct pki_blob page = {.data = (unsigned char *)(uintptr_t) "a\0b\n", .len = 4};
    struct xr_error err = {0};
    struct xr_buf text = {0};

    cr_assert(pki_write_der(path, &page) == 0);
    cr_assert_eq(xr_input_text(&text, path, &err), XR_OK);
    cr_assert(text.len == 4 && memcmp(text.data, "a\0b\n", 5) == 0);
    xr_buf_free(&text);
    cr_assert_eq(xr_input_text(&text, "/nonexistent", &err), XR_ABSENT);
    cr_assert(strstr(err.text, "/nonexistent") != NULL);
    xr_buf_free(&text);
    free(path);
    scratch_free(scratch);
}

/* ---- the same for a backend ---- */

struct seen {
    struct pki_blob der[8];
    enum xr_item_kind kind[8];
    size_t count, stop_after;
};

static enum xr_status see(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    struct seen *seen = ctx;

    seen->kind[seen->count] = kind;
    seen->der[seen->count++] =
        (struct pki_blob){.data = xr_memdup(der.data, der.len), .len = der.len};
    return seen->stop_after != 0 && seen->count >= seen->stop_after ? XR_CONFLICT : XR_OK;
}

static void unsee(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        free(seen->der[i].data);
    *seen = (struct seen){0};
}

static bool saw(const struct seen *seen, size_t at, enum xr_item_kind kind,
                const struct pki_blob *der)
{
    return at < seen->count && seen->kind[at] == kind &&
           xr_bytes_equal(bytes_of(&seen->der[at]), bytes_of(der));
}

Test(input, a_backend_gets_certificates_and_crls_and_never_a_key)
{
    static const char *const uses[] = {"serverAuth", NULL};
    struct made a = make("A"), b = make("B");
    struct pki_blob crl = make_crl(&a);
    struct pki_blob with = make_trusted(&b, uses, NULL);
    struct pki_blob key;
    struct seen seen = {0};
    struct xr_buf file = {0};
    struct xr_error err = {0};

    cr_assert(pki_key_der(&key, a.key) == 0);
    put_pem(&file, PKI_LABEL_KEY, &key);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    xr_buf_str(&file, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    put_pem(&file, PKI_LABEL_TRUSTED, &with);
    put_pem(&file, PKI_LABEL_CRL, &crl);
    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    cr_assert_eq(
        xr_input_items((struct xr_bytes){(unsigned char *)file.data, file.len}, see, &seen, &err),
        XR_OK);
    cr_assert_eq(seen.count, 4u);
    cr_assert(saw(&seen, 0, XR_ITEM_CERT, &a.cert));
    cr_assert(saw(&seen, 1, XR_ITEM_TRUSTED_CERT, &with), "with its trust settings");
    cr_assert(saw(&seen, 2, XR_ITEM_CRL, &crl));
    cr_assert(saw(&seen, 3, XR_ITEM_CERT, &a.cert), "a backend sees what is there twice");
    unsee(&seen);

    seen.stop_after = 2;
    cr_assert_eq(
        xr_input_items((struct xr_bytes){(unsigned char *)file.data, file.len}, see, &seen, &err),
        XR_CONFLICT);
    cr_assert_eq(seen.count, 2u);
    unsee(&seen);
    xr_buf_free(&file);
    pki_blob_free(&key);
    pki_blob_free(&with);
    pki_blob_free(&crl);
    unmake(&a);
    unmake(&b);
}

Test(input, a_backend_is_told_when_there_is_nothing)
{
    struct made a = make("A");
    struct pki_blob key;
    struct seen seen = {0};
    struct xr_error err = {0};
    struct xr_buf file = {0};

    cr_assert(pki_key_der(&key, a.key) == 0);
    put_pem(&file, PKI_LABEL_KEY, &key);
    cr_assert_eq(
        xr_input_items((struct xr_bytes){(unsigned char *)file.data, file.len}, see, &seen, &err),
        XR_INVALID);
    cr_assert_str_eq(err.text, "no certificate in it");
    cr_assert_eq(xr_input_items((struct xr_bytes){0}, see, &seen, &err), XR_INVALID);
    cr_assert_eq(xr_input_items(bytes_of(&key), see, &seen, NULL), XR_INVALID);
    cr_assert_eq(seen.count, 0u);
    xr_buf_free(&file);
    pki_blob_free(&key);
    unmake(&a);
}

Test(input, a_backend_gets_no_crl_from_a_certificate_request)
{
    unsigned char *der = NULL;
    size_t len = request_der(&der);
    struct seen seen = {0};

    cr_assert_eq(xr_input_items((struct xr_bytes){der, len}, see, &seen, NULL), XR_INVALID);
    cr_assert_eq(seen.count, 0u);
    unsee(&seen);
    OPENSSL_free(der);
}

Test(input, bytes_after_pkcs7_in_a_block_are_refused)
{
    struct made a = make("A");
    struct pki_blob bag = make_bag(&a.cert, 1, NULL, 0);
    struct xr_buf longer = {0}, file = {0};

    xr_buf_add(&longer, bag.data, bag.len);
    xr_buf_str(&longer, "more");
    put_pem(&file, PKI_LABEL_PKCS7,
            &(struct pki_blob){.data = (unsigned char *)longer.data, .len = longer.len});
    cr_assert(refuses(file.data, file.len, "PKCS#7"));
    xr_buf_free(&longer);
    xr_buf_free(&file);
    pki_blob_free(&bag);
    unmake(&a);
}

/* ---- writing PEM ---- */

Test(input, the_openssl_reader_reads_the_pem_we_write)
{
    unsigned char data[200];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 1; len <= sizeof(data); len++) {
        size_t pem_len = 0;
        char *pem = xr_pem("X509 CRL", (struct xr_bytes){data, len}, &pem_len);
        BIO *bio = BIO_new_mem_buf(pem, (int)pem_len);
        char *name = NULL, *header = NULL;
        unsigned char *back = NULL;
        long back_len = 0;

        cr_assert_eq(strlen(pem), pem_len);
        cr_assert(PEM_read_bio(bio, &name, &header, &back, &back_len) == 1, "%zu bytes", len);
        cr_assert_str_eq(name, "X509 CRL");
        cr_assert_str_eq(header, "");
        cr_assert((size_t)back_len == len && memcmp(back, data, len) == 0, "%zu bytes", len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(back);
        BIO_free(bio);
        free(pem);
    }
}

Test(input, the_pem_we_write_is_what_openssl_writes)
{
    struct made a = make("A");
    struct xr_input input = {0};
    struct xr_buf theirs = {0};
    size_t len = 0;
    char *ours = xr_pem(PKI_LABEL_CERT, bytes_of(&a.cert), &len);

    put_pem(&theirs, PKI_LABEL_CERT, &a.cert);
    cr_assert_str_eq(ours, theirs.data);
    add(&input, "ours.pem", ours, len);
    cr_assert(!input.failed && holds(&input, 0, &a.cert));
    xr_input_free(&input);
    xr_buf_free(&theirs);
    free(ours);
    unmake(&a);
}

Test(input, random_damage_to_a_bundle_never_crashes)
{
    struct made a = make("A");
    struct pki_blob crl = make_crl(&a);
    struct pki_blob bag = make_bag(&a.cert, 1, &crl, 1);
    struct xr_buf file = {0};
    uint32_t seed = 12345;

    put_pem(&file, PKI_LABEL_CERT, &a.cert);
    put_pem(&file, PKI_LABEL_CRL, &crl);
    put_pem(&file, PKI_LABEL_PKCS7, &bag);
    for (size_t round = 0; round < 2000; round++) {
        struct xr_input input = {0};
        size_t at = 0;
        char was = 0;

        seed = seed * 1664525u + 1013904223u;
        at = (seed >> 8) % file.len;
        was = file.data[at];
        file.data[at] = (char)(seed >> 24);
        add_buf(&input, "damaged", &file);
        cr_assert(input.found.count <= 4u);
        xr_input_free(&input);
        file.data[at] = was;
    }
    xr_buf_free(&file);
    pki_blob_free(&bag);
    pki_blob_free(&crl);
    unmake(&a);
}
