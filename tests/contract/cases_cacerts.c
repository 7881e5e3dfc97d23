/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for the CA certificates of a distribution: what its packages, its administrator and its own
 * update command left there, whatever state that is in. */
#include "cases.h"
#include "change/plan.h"
#include "stock.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- preparing ---- */

static const struct stock *stock(const struct contract *ctx)
{
    return stock_find(ctx->kind->layout);
}

/* A list selects what is published; else p11-kit's sources are. */
static bool by_list(const struct contract *ctx)
{
    return stock(ctx)->conf != NULL;
}

static const char *in(struct contract *ctx, const char *dir, const char *name)
{
    return contract_text(ctx, xr_format("%s/%s", dir, name));
}

static const char *full(struct contract *ctx, const char *path)
{
    return contract_text(ctx, tree_path(ctx->location, path));
}

static const char *dir_of(struct contract *ctx, const char *path)
{
    return contract_text(ctx, xr_memdup(path, (size_t)(strrchr(path, '/') - path)));
}

static const char *anchor(struct contract *ctx, const char *name)
{
    return in(ctx, stock(ctx)->anchors, name);
}

static const char *ours(struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = contract_subject(ctx, cert);
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, subject.id, sizeof(subject.id));
    return contract_text(
        ctx, xr_format("%s/crossroot-%s%s", stock(ctx)->anchors, hex, stock(ctx)->extension));
}

static const char *pem(struct contract *ctx, enum contract_cert cert)
{
    size_t len = 0;

    return contract_text(ctx, xr_host.pem("CERTIFICATE", contract_der(ctx, cert), &len));
}

static void put(struct contract *ctx, const char *path, const char *text)
{
    tree_text(ctx->location, path, text);
}

static const char *text_of(struct contract *ctx, const char *path)
{
    return contract_text(ctx, tree_read(NULL, ctx->location, path));
}

static const char *flush_only(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    return NULL;
}

static bool published(struct contract *ctx, enum contract_cert cert)
{
    return tree_has(ctx->location, stock(ctx)->bundle) &&
           strstr(text_of(ctx, stock(ctx)->bundle), pem(ctx, cert)) != NULL;
}

/* A change that goes all the way, and back. */
static const char *come_and_go(struct contract *ctx)
{
    const char *before = contract_image(ctx);

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    NEED(published(ctx, CERT_TWIN_A) && published(ctx, CERT_SHIPPED));
    TRY(contract_remove(ctx, CERT_TWIN_A));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* The file of OLD in anchors is listed, goes, and comes back as it was. */
static const char *goes_and_comes(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_snapshot *now = NULL;
    const struct xr_state *held = NULL;
    struct xr_store *store = NULL;
    const char *before = NULL;

    TRY(flush_only(ctx));
    before = contract_image(ctx);
    NEED(published(ctx, CERT_OLD));
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL && now->count == 1);
    held = xr_snapshot_find(now, &subject);
    NEED(held != NULL && xr_state_in(held, XR_ANCHOR) != NULL);
    NEED(contract_swap(ctx, store, held, NULL) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    NEED(!published(ctx, CERT_OLD) && contract_count(ctx) == 0);
    NEED(contract_swap(ctx, store, NULL, held) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* Nothing can be written, one line says why, and trying changes nothing. */
static const char *unwritable(struct contract *ctx, const char *because)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(!store->caps.writable && strstr(store->caps.why_not, because) != NULL);
    NEED(strchr(store->caps.why_not, '\n') == NULL);
    NEED(contract_list(ctx, store) != NULL);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) != XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* ---- which layout ---- */

static const char *detected(struct contract *ctx)
{
    const char *name = contract_text(ctx, xr_format("layout %s: ", ctx->kind->layout));

    NEED(strncmp(ctx->caps.summary, name, strlen(name)) == 0);
    ctx->site.layout = ctx->kind->layout;
    NEED(contract_count(ctx) == 0);
    ctx->site.layout = "plan9";
    NEED(contract_open(ctx, XR_READ) == NULL);
    NEED(ctx->err.status == XR_INVALID && strstr(ctx->err.text, ctx->kind->layout) != NULL);
    ctx->site.layout = NULL;
    tree_dir(ctx->scratch, "empty");
    NEED(contract_open_at(ctx, in(ctx, ctx->scratch, "empty"), XR_READ) == NULL);
    NEED(ctx->err.status == XR_ABSENT && strstr(ctx->err.text, "--layout") != NULL);
    return NULL;
}

static const char *named(struct contract *ctx)
{
    const char *empty = in(ctx, ctx->scratch, "empty");
    struct xr_store *store = NULL;

    tree_dir(ctx->scratch, "empty");
    ctx->site.layout = ctx->kind->layout;
    store = contract_open_at(ctx, empty, XR_WRITE);
    NEED(store != NULL && store->caps.writable);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(tree_has(empty, stock(ctx)->bundle) && tree_has(empty, ours(ctx, CERT_OLD)));
    return NULL;
}

static const char *fixed(struct contract *ctx)
{
    free(ctx->location);
    ctx->location = tree_path(ctx->scratch, "nixos");
    ctx->stock = NULL;
    tree_dirs(ctx->scratch, "nixos/etc/ssl/certs");
    put(ctx, "etc/NIXOS", "");
    put(ctx, "etc/ssl/certs/ca-certificates.crt", pem(ctx, CERT_SHIPPED));
    return unwritable(ctx, "security.pki.certificateFiles");
}

/* ---- what cannot be written ---- */

/* Makes path, inside the root, read-only for this process and its children. */
static bool read_only(struct contract *ctx, const char *path)
{
    const char *at = full(ctx, path);

    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(at, at, NULL, MS_BIND, NULL) == 0 &&
           mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

static const char *read_only_outputs(struct contract *ctx)
{
    const char *dir = dir_of(ctx, stock(ctx)->bundle), *failed = NULL;

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    if (!read_only(ctx, dir))
        return contract_skip(ctx, "not here: nothing can be mounted");
    failed = unwritable(ctx, "Read-only file system");
    (void)umount2(full(ctx, dir), MNT_DETACH);
    return failed;
}

static const char *read_only_usr(struct contract *ctx)
{
    const char *failed = NULL;

    if (!read_only(ctx, "usr"))
        return contract_skip(ctx, "not here: nothing can be mounted");
    /* Where ours go below /usr nothing is possible; else nothing is missing. */
    failed = strncmp(stock(ctx)->anchors, "usr/", 4) == 0 ? unwritable(ctx, "Read-only")
                                                          : come_and_go(ctx);
    (void)umount2(full(ctx, "usr"), MNT_DETACH);
    return failed;
}

static const char *bundle_is_link(struct contract *ctx)
{
    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    tree_unlink(ctx->location, stock(ctx)->bundle);
    tree_link(ctx->location, stock(ctx)->bundle, "elsewhere.pem");
    return unwritable(ctx, "is a link to elsewhere.pem");
}

static const char *links_of_others(struct contract *ctx)
{
    const char *real = in(ctx, dir_of(ctx, stock(ctx)->anchors), "real");

    if (geteuid() != 0)
        return contract_skip(ctx, "not here: only root can give a link to somebody else");
    NEED(rename(full(ctx, stock(ctx)->anchors), full(ctx, real)) == 0);
    tree_link(ctx->location, stock(ctx)->anchors, "real");
    TRY(come_and_go(ctx)); /* an administrator's is followed */
    NEED(lchown(full(ctx, stock(ctx)->anchors), 65534, 65534) == 0);
    return unwritable(ctx, "is another user's link");
}

static const char *not_a_directory(struct contract *ctx)
{
    const char *anchors = stock(ctx)->anchors;

    NEED(rmdir(full(ctx, anchors)) == 0);
    put(ctx, anchors, "no directory\n");
    return unwritable(ctx, anchors);
}

/* ---- what is missing or leads nowhere ---- */

static const char *missing_directories(struct contract *ctx)
{
    const char *dir = dir_of(ctx, stock(ctx)->bundle);
    struct stat st;

    NEED(rmdir(full(ctx, stock(ctx)->anchors)) == 0);
    tree_remove(full(ctx, dir));
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(published(ctx, CERT_OLD) && published(ctx, CERT_SHIPPED));
    NEED(stat(full(ctx, dir), &st) == 0 && (st.st_mode & 07777) == 0755);
    TRY(contract_remove(ctx, CERT_OLD));
    return come_and_go(ctx);
}

static const char *dangling(struct contract *ctx)
{
    tree_link(ctx->location, anchor(ctx, "nowhere.crt"), "/no/such/file");
    tree_link(ctx->location, anchor(ctx, "itself.crt"), "itself.crt");
    tree_dir(ctx->location, anchor(ctx, "directory.crt"));
    NEED(mkfifo(full(ctx, anchor(ctx, "fifo.crt")), 0644) == 0);
    TRY(flush_only(ctx));
    NEED(contract_count(ctx) == 0);
    TRY(come_and_go(ctx));
    NEED(tree_has(ctx->location, anchor(ctx, "nowhere.crt")));
    /* So that it can be looked at once more, and removed. */
    NEED(unlink(full(ctx, anchor(ctx, "fifo.crt"))) == 0);
    return NULL;
}

static const char *links_inside(struct contract *ctx)
{
    tree_dirs(ctx->location, "opt/ca");
    put(ctx, "opt/ca/old", pem(ctx, CERT_OLD));
    /* Absolute in the image is below its root. */
    tree_link(ctx->location, anchor(ctx, "old.crt"), "/opt/ca/old");
    TRY(goes_and_comes(ctx));
    NEED(tree_has(ctx->location, "opt/ca/old"));
    return NULL;
}

static const char *links_changed(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_state *held = NULL;
    struct xr_store *store = NULL;
    bool ok = false;

    tree_dirs(ctx->location, "opt/ca");
    put(ctx, "opt/ca/old", pem(ctx, CERT_OLD));
    tree_link(ctx->location, anchor(ctx, "old.crt"), "/opt/ca/old");
    held = contract_held(ctx, &subject, &ok);
    NEED(ok && held != NULL);
    TRY(contract_remove(ctx, CERT_OLD));
    put(ctx, "opt/ca/old", pem(ctx, CERT_NEW)); /* nobody asked to trust this one */
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(contract_swap(ctx, store, NULL, held) == XR_REFUSED);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_count(ctx) == 0 && !published(ctx, CERT_NEW));
    return NULL;
}

static const char *links_outside(struct contract *ctx)
{
    const char *bundle = dir_of(ctx, stock(ctx)->bundle), *out = in(ctx, ctx->scratch, "out");
    const char *up =
        contract_text(ctx, xr_format("../../../../../../../../../../../../..%s/old.pem", out));
    struct xr_store *store = NULL;
    const char *outside = NULL;

    tree_dir(ctx->scratch, "out");
    tree_text(out, "old.pem", pem(ctx, CERT_OLD));
    outside = contract_text(ctx, tree_image(out, true));
    tree_link(ctx->location, anchor(ctx, "absolute.crt"), in(ctx, out, "old.pem"));
    tree_link(ctx->location, anchor(ctx, "up.crt"), up);
    TRY(flush_only(ctx));
    NEED(contract_count(ctx) == 0 && !published(ctx, CERT_OLD));
    /* An output directory that leads out of the image leads nowhere. */
    tree_remove(full(ctx, bundle));
    tree_link(ctx->location, bundle, out);
    store = contract_open(ctx, XR_WRITE);
    if (store != NULL && store->caps.writable) {
        (void)contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_NEW, XR_ANCHOR));
        NEED(contract_flush(ctx, store) != XR_OK && ctx->err.text[0] != '\0');
    }
    contract_close(ctx, store);
    NEED(contract_same(ctx, outside, contract_text(ctx, tree_image(out, true))));
    return NULL;
}

/* ---- odd sources ---- */

static const char *odd_names(struct contract *ctx)
{
    static const char *const names[] = {
        "caf\xe9.crt", "\xf0\x9f\x92\xa9.crt", "-n.crt", "a b,(c).crt", "%s%n.crt", "$(reboot).crt",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        put(ctx, anchor(ctx, names[i]), pem(ctx, CERT_OLD));
        TRY(goes_and_comes(ctx));
        TRY(contract_remove(ctx, CERT_OLD));
    }
    return NULL;
}

struct count {
    size_t certs;
};

static enum xr_status count_item(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    (void)der;
    ((struct count *)ctx)->certs += kind != XR_ITEM_CRL;
    return XR_OK;
}

/* Certificates that a reader of the bundle finds. */
static size_t in_bundle(struct contract *ctx)
{
    const char *text = text_of(ctx, stock(ctx)->bundle);
    struct count count = {0};

    (void)xr_host.items((struct xr_bytes){(const unsigned char *)text, strlen(text)}, count_item,
                        &count, NULL);
    return count.certs;
}

static const char *odd_texts(struct contract *ctx)
{
    const char *text = pem(ctx, CERT_OLD);
    size_t len = strlen(text), before = in_bundle(ctx);
    struct xr_buf dos = {0}, bag = {0};

    for (size_t i = 0; i < len; i++)
        xr_buf_fmt(&dos, "%s%c", text[i] == '\n' ? "\r" : "", text[i]);
    xr_buf_fmt(&bag, "subject=CN = somebody\nissuer=CN = somebody\n%s\n\n", text);
    for (size_t i = 0; i < 4; i++) {
        const struct {
            const char *data;
            size_t len;
        } texts[] = {
            {text, len - 1}, {dos.data, dos.len}, {dos.data, dos.len - 2}, {bag.data, bag.len}};

        tree_write(ctx->location, anchor(ctx, "old.crt"), texts[i].data, texts[i].len,
                   i == 0 ? 0600 : 0644);
        put(ctx, anchor(ctx, "zz.txt"), "what comes after it starts a line of its own\n");
        TRY(flush_only(ctx));
        NEED(in_bundle(ctx) == before + 1);
        TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
        NEED(in_bundle(ctx) == before + 2 && published(ctx, CERT_NEW));
        TRY(contract_remove(ctx, CERT_NEW));
        if (i == 0) /* in the other texts it is not its PEM to the byte */
            TRY(goes_and_comes(ctx));
        tree_unlink(ctx->location, anchor(ctx, "old.crt"));
        tree_unlink(ctx->location, anchor(ctx, "zz.txt"));
    }
    xr_buf_free(&dos);
    xr_buf_free(&bag);
    return NULL;
}

/* What is taken away comes back with each byte and the mode it had. */
static const char *odd_undone(struct contract *ctx)
{
    const char *text = pem(ctx, CERT_OLD);
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    static const unsigned modes[] = {0600, 0640, 0444};

    for (size_t i = 0; i < 3; i++) {
        const char *whole =
            contract_text(ctx, xr_format("%s%s%s", i == 1 ? "Some words before it\r\n" : "", text,
                                         i == 2 ? "and after it, without an end of line" : ""));
        const struct xr_state *held = NULL;
        const char *before = NULL;
        bool ok = false;

        tree_write(ctx->location, anchor(ctx, "old.crt"), whole, strlen(whole), modes[i]);
        TRY(flush_only(ctx));
        before = contract_image(ctx);
        held = contract_held(ctx, &subject, &ok);
        NEED(ok && held != NULL);
        TRY(contract_remove(ctx, CERT_OLD));
        NEED(!tree_has(ctx->location, anchor(ctx, "old.crt")));
        TRY(contract_put(ctx, &subject, held));
        NEED(contract_same(ctx, before, contract_image(ctx)));
        TRY(contract_remove(ctx, CERT_OLD));
    }
    return NULL;
}

static const char *several_in_one(struct contract *ctx)
{
    const char *both =
        contract_text(ctx, xr_format("%s%s", pem(ctx, CERT_OLD), pem(ctx, CERT_NEW)));
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    struct xr_store *store = NULL;
    const struct xr_snapshot *now = NULL;
    const char *before = NULL;

    put(ctx, anchor(ctx, "both.crt"), both);
    TRY(flush_only(ctx));
    NEED(contract_count(ctx) == 2 && published(ctx, CERT_OLD) && published(ctx, CERT_NEW));
    before = contract_image(ctx);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_REFUSED);
    NEED(strstr(ctx->err.text, "several certificates") != NULL);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *duplicates(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_state *held = NULL;
    const char *before = NULL;
    bool ok = false;

    put(ctx, anchor(ctx, "one.crt"), pem(ctx, CERT_OLD));
    put(ctx, anchor(ctx, "two.crt"), pem(ctx, CERT_OLD));
    TRY(flush_only(ctx));
    before = contract_image(ctx);
    held = contract_held(ctx, &subject, &ok);
    NEED(ok && held != NULL && held->count == 2);
    TRY(contract_remove(ctx, CERT_OLD)); /* trust that is taken away is away */
    NEED(contract_count(ctx) == 0 && !published(ctx, CERT_OLD));
    TRY(contract_put(ctx, &subject, held));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *private_key(struct contract *ctx)
{
    struct pki_blob der = {0};
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_state *held = NULL;
    struct xr_store *store = NULL;
    char *key = NULL;
    size_t len = 0;
    bool ok = false;

    NEED(pki_key_der(&der, ctx->key) == 0);
    key = xr_host.pem(PKI_LABEL_KEY, (struct xr_bytes){der.data, der.len}, &len);
    pki_blob_free(&der);
    put(ctx, anchor(ctx, "with key.crt"),
        contract_text(ctx, xr_format("%s%s", pem(ctx, CERT_OLD), key)));
    key = (char *)(uintptr_t)contract_text(ctx, key);
    key[strcspn(key, "\n") + 40] = '\0'; /* its first bytes give it away */
    TRY(flush_only(ctx));
    NEED(strstr(text_of(ctx, stock(ctx)->bundle), key + strcspn(key, "\n")) == NULL);
    NEED(strstr(text_of(ctx, stock(ctx)->bundle), "PRIVATE KEY") == NULL);
    held = contract_held(ctx, &subject, &ok);
    NEED(ok);
    if (held == NULL)
        return NULL; /* the distribution's own reader would not take it either */
    NEED(memmem(held->entries[0]->native.data, held->entries[0]->native.len, "PRIVATE KEY", 11) ==
         NULL);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(contract_swap(ctx, store, held, NULL) == XR_REFUSED);
    NEED(strstr(ctx->err.text, "private key") != NULL);
    contract_close(ctx, store);
    return NULL;
}

static const char *foreign(struct contract *ctx)
{
    const char *dir = by_list(ctx) ? stock(ctx)->links : dir_of(ctx, stock(ctx)->bundle);
    static const char *const names[] = {"README", "mine.txt", "dir"};

    put(ctx, anchor(ctx, "README"), "mine\n");
    put(ctx, in(ctx, dir, names[0]), "mine\n");
    put(ctx, in(ctx, dir, names[1]), "mine\n");
    tree_dir(ctx->location, in(ctx, dir, names[2]));
    if (by_list(ctx)) {
        put(ctx, in(ctx, dir, "mine.pem"), pem(ctx, CERT_NEW)); /* in the directory, no source */
        put(ctx, in(ctx, dir, "0badcafe.0"), "no link\n");
    }
    TRY(flush_only(ctx));
    TRY(come_and_go(ctx));
    for (size_t i = 0; i < 3; i++)
        NEED(tree_has(ctx->location, in(ctx, dir, names[i])));
    NEED(tree_has(ctx->location, anchor(ctx, "README")));
    NEED(!by_list(ctx) || (tree_has(ctx->location, in(ctx, dir, "mine.pem")) &&
                           tree_has(ctx->location, in(ctx, dir, "0badcafe.0"))));
    return NULL;
}

static const char *hard_links(struct contract *ctx)
{
    const char *bundle = text_of(ctx, stock(ctx)->bundle);

    /* Somebody else's name for the same file keeps what is in it. */
    put(ctx, anchor(ctx, "old.crt"), pem(ctx, CERT_OLD));
    NEED(link(full(ctx, anchor(ctx, "old.crt")), in(ctx, ctx->scratch, "old")) == 0);
    NEED(link(full(ctx, stock(ctx)->bundle), in(ctx, ctx->scratch, "bundle")) == 0);
    TRY(contract_remove(ctx, CERT_OLD));
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    NEED(strcmp(contract_text(ctx, tree_read(NULL, ctx->scratch, "old")), pem(ctx, CERT_OLD)) == 0);
    NEED(strcmp(contract_text(ctx, tree_read(NULL, ctx->scratch, "bundle")), bundle) == 0);
    NEED(published(ctx, CERT_NEW));
    return NULL;
}

static const char *edited_meanwhile(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    const struct xr_snapshot *now = NULL;
    struct xr_store *store = NULL;
    const char *mine = contract_text(ctx, xr_format("# mine now\n%s", pem(ctx, CERT_OLD)));

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    put(ctx, ours(ctx, CERT_OLD), mine); /* an editor takes no lock */
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_CONFLICT);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(strcmp(text_of(ctx, ours(ctx, CERT_OLD)), mine) == 0);
    return NULL;
}

static const char *list_edited_meanwhile(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_SHIPPED);
    const struct xr_snapshot *now = NULL;
    struct xr_store *store = NULL;
    struct xr_state *want = NULL;
    const char *line = "# mine\n!mozilla/Contract_Beside.crt";
    const char *text = NULL;

    if (!by_list(ctx))
        return contract_skip(ctx, "the layout has no list");
    ctx->stock_changes = true;
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    want = contract_copy(ctx, xr_snapshot_find(now, &subject));
    contract_also(ctx, want, XR_DISTRUST);
    put(ctx, stock(ctx)->conf,
        contract_text(ctx, xr_format("%s%s", text_of(ctx, stock(ctx)->conf), line)));
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), want) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    text = text_of(ctx, stock(ctx)->conf);
    NEED(strstr(text, line) != NULL && strstr(text, "\n!mozilla/Contract_Shipped.crt\n") != NULL);
    NEED(!published(ctx, CERT_SHIPPED));
    return NULL;
}

static bool says_yes(struct contract *ctx, struct xr_store *store, enum contract_cert cert)
{
    const struct xr_bytes chain[] = {contract_der(ctx, cert)};
    const struct xr_probe probe = {.size = sizeof(probe),
                                   .chain = chain,
                                   .count = 1,
                                   .purpose = XR_SERVER,
                                   .at = CONTRACT_NOW};
    struct xr_verdict verdict;

    return xr_store_probe(store, &verdict, &probe, &ctx->err) == XR_OK && verdict.answer == XR_YES;
}

/* As long as it was, and nothing of it. */
static void blank(struct contract *ctx, const char *path)
{
    char *text = xr_strdup(text_of(ctx, path));

    memset(text, '#', strlen(text));
    put(ctx, path, text);
    free(text);
}

/* update-ca-certificates takes no lock: it may run between any two steps of ours. */
static const char *outputs_changed_meanwhile(struct contract *ctx)
{
    const char *bundle = NULL;
    struct xr_store *store = NULL;
    enum xr_status status = XR_OK;

    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    bundle = text_of(ctx, stock(ctx)->bundle);
    store = contract_open(ctx, XR_READ);
    NEED(store != NULL && contract_list(ctx, store) != NULL);
    NEED(says_yes(ctx, store, CERT_NEW));
    blank(ctx, stock(ctx)->bundle); /* before the lock */
    NEED(!says_yes(ctx, store, CERT_NEW));
    put(ctx, stock(ctx)->bundle, bundle);
    NEED(says_yes(ctx, store, CERT_NEW));
    status = xr_store_renew(store, &ctx->err);
    if (status == XR_UNSUPPORTED)
        return contract_skip(ctx, "a session cannot be renewed");
    NEED(status == XR_OK && contract_list(ctx, store) != NULL);
    blank(ctx, stock(ctx)->bundle); /* between the look under the lock and the flush */
    NEED(contract_flush(ctx, store) == XR_OK);
    NEED(strcmp(text_of(ctx, stock(ctx)->bundle), bundle) == 0);
    NEED(says_yes(ctx, store, CERT_NEW));
    blank(ctx, stock(ctx)->bundle); /* between the flush and the verifier */
    NEED(!says_yes(ctx, store, CERT_NEW));
    NEED(contract_flush(ctx, store) == XR_OK);
    NEED(strcmp(text_of(ctx, stock(ctx)->bundle), bundle) == 0);
    contract_close(ctx, store);
    return NULL;
}

/* A session for reading locks for a moment where something is not published yet, and reads then. */
static const char *replaced_after_the_moment(struct contract *ctx)
{
    const char *name = contract_text(ctx, xr_format("left%s", stock(ctx)->extension));
    struct xr_subject before = contract_subject(ctx, CERT_OLD);
    struct xr_subject after = contract_subject(ctx, CERT_NEW);
    const struct xr_snapshot *now = NULL;
    struct xr_store *store = NULL;
    enum xr_status status = XR_OK;

    TRY(flush_only(ctx));
    put(ctx, anchor(ctx, name), pem(ctx, CERT_OLD));
    store = contract_open(ctx, XR_READ);
    NEED(store != NULL && store->caps.would_trust[0] != '\0');
    now = contract_list(ctx, store);
    NEED(now != NULL && xr_snapshot_find(now, &before) != NULL);
    put(ctx, anchor(ctx, name), pem(ctx, CERT_NEW));
    status = xr_store_renew(store, &ctx->err);
    if (status == XR_UNSUPPORTED)
        return contract_skip(ctx, "a session cannot be renewed");
    NEED(status == XR_OK);
    now = contract_list(ctx, store);
    NEED(now != NULL && xr_snapshot_find(now, &before) == NULL &&
         xr_snapshot_find(now, &after) != NULL);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(!published(ctx, CERT_OLD) && published(ctx, CERT_NEW));
    return NULL;
}

/* By another program. */
static bool locked(struct contract *ctx)
{
    int fd = open(full(ctx, stock(ctx)->links), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        (void)close(fd);
    return is;
}

static struct xr_store *open_soon(struct contract *ctx)
{
    struct xr_store *store = NULL;

    ctx->soon = true;
    store = contract_open(ctx, XR_READ);
    ctx->soon = false;
    return store;
}

/* Other programs than crossroot take no lock. */
static const char *locked_from_the_start(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_TWIN_A);
    const char *name = contract_text(ctx, xr_format("left%s", stock(ctx)->extension));
    const struct xr_snapshot *now = NULL;
    struct xr_store *store = NULL;

    if (!by_list(ctx))
        return contract_skip(ctx, "the layout has no list");
    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    NEED((store = contract_open(ctx, XR_READ)) != NULL && !locked(ctx));
    contract_close(ctx, store);
    NEED((store = open_soon(ctx)) != NULL);
    if (xr_store_renew(store, NULL) == XR_UNSUPPORTED)
        return contract_skip(ctx, "a session cannot be renewed");
    contract_close(ctx, store);
    NEED(!locked(ctx) && (store = open_soon(ctx)) != NULL && locked(ctx));
    now = contract_list(ctx, store);
    NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) != XR_OK);
    NEED(xr_store_renew(store, &ctx->err) == XR_OK && locked(ctx) && store->caps.writable);
    put(ctx, anchor(ctx, name), pem(ctx, CERT_OLD));
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(!locked(ctx) && !published(ctx, CERT_TWIN_A));
    /* It may be published or not, but who looks next knows which. */
    NEED((store = contract_open(ctx, XR_READ)) != NULL);
    NEED((store->caps.would_trust[0] == '\0') == published(ctx, CERT_OLD));
    contract_close(ctx, store);
    TRY(flush_only(ctx));
    NEED(published(ctx, CERT_OLD));
    return NULL;
}

static const char *listed_twice(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_BESIDE);
    const struct xr_state *held = NULL;
    bool ok = false;

    if (!by_list(ctx))
        return contract_skip(ctx, "the layout has no list");
    put(ctx, stock(ctx)->conf,
        contract_text(
            ctx, xr_format("%s!mozilla/Contract_Beside.crt\n", text_of(ctx, stock(ctx)->conf))));
    TRY(flush_only(ctx));
    ctx->stock_changes = true;
    held = contract_held(ctx, &subject, &ok);
    /* update-ca-certificates adds after it removes. */
    NEED(ok && published(ctx, CERT_BESIDE) && xr_state_in(held, XR_DISTRUST) == NULL);
    return NULL;
}

/* ---- what it must not do ---- */

static const char *vendor_stays(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_SHIPPED, CERT_OUT};
    const char *before = contract_image(ctx);
    struct xr_store *store = NULL;

    ctx->stock_changes = true;
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    for (size_t i = 0; i < 2; i++) {
        struct xr_subject subject = contract_subject(ctx, certs[i]);
        const struct xr_snapshot *now = contract_list(ctx, store);

        NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
        NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_REFUSED);
        NEED(strstr(ctx->err.text, "comes with the system") != NULL);
    }
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *taken_out_stays_out(struct contract *ctx)
{
    NEED(published(ctx, CERT_SHIPPED) && published(ctx, CERT_BESIDE));
    NEED(!published(ctx, CERT_OUT));
    TRY(come_and_go(ctx));
    NEED(!published(ctx, CERT_OUT));
    return NULL;
}

/* Records name paths; none of them leads a file to where no source is. */
static const char *records_elsewhere(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    const char *paths[] = {
        "etc/evil.crt",
        "../evil.crt",
        "/etc/evil.crt",
        contract_text(ctx, xr_format("%s/../evil.crt", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s/./evil.crt", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s//evil.crt", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s/..", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s/", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s/.crossroot-tmp.crt", stock(ctx)->anchors)),
        contract_text(ctx, xr_format("%s/evil.crt", dir_of(ctx, stock(ctx)->vendor))),
        stock(ctx)->bundle,
    };

    for (uint32_t form = 0; form < 8; form++) {
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            struct xr_state *want = contract_wish(ctx, CERT_OLD, XR_ANCHOR);
            struct xr_store *store = contract_open(ctx, XR_WRITE);
            struct xr_buf native = {0};

            xr_buf_put32(&native, form);
            xr_buf_put32(&native, 0644);
            xr_buf_put32(&native, (uint32_t)strlen(paths[i]));
            xr_buf_str(&native, paths[i]);
            xr_buf_str(&native, form == 2 ? "/etc/passwd" : pem(ctx, CERT_OLD));
            contract_native(contract_entry(want, 0), native.data, native.len);
            xr_buf_free(&native);
            NEED(store != NULL);
            NEED(contract_swap(ctx, store, NULL, want) != XR_OK);
            NEED(contract_flush(ctx, store) == XR_OK);
            contract_close(ctx, store);
            NEED(contract_same(ctx, before, contract_image(ctx)));
        }
    }
    return NULL;
}

/* ---- what is planned ---- */

struct planned {
    enum xr_action action;
    const char *why;
};

static const char *plan(struct contract *ctx, struct planned *out, enum xr_wish_kind what,
                        enum contract_cert cert, struct xr_plan_policy policy)
{
    struct xr_store *store = NULL;
    struct xr_pool pool = {0};
    struct xr_plan steps = {0};
    struct xr_wish wish = {.what = what, .subject = contract_subject(ctx, cert)};
    const struct xr_snapshot *now = NULL;
    struct xr_cert *parsed = NULL;

    ctx->stock_changes = true;
    store = contract_open(ctx, XR_READ);
    now = store != NULL ? contract_list(ctx, store) : NULL;
    NEED(now != NULL);
    wish.der = contract_der(ctx, cert);
    NEED(xr_cert_new(&parsed, wish.der, NULL) == XR_OK);
    wish.pool_at = xr_pool_add(&pool, parsed);
    xr_cert_free(parsed);
    for (size_t i = 0; i < now->count; i++) {
        NEED(xr_cert_new(&parsed, now->items[i]->entries[0]->der, NULL) == XR_OK);
        (void)xr_pool_add(&pool, parsed);
        xr_cert_free(parsed);
    }
    xr_plan_build(&steps, &wish, 1, now, &store->caps, &pool, &policy);
    contract_close(ctx, store);
    out->action = steps.items[0].action;
    out->why = contract_text(ctx, xr_strdup(steps.items[0].why ? steps.items[0].why : ""));
    xr_plan_free(&steps);
    xr_pool_free(&pool);
    ctx->stock_changes = false;
    return NULL;
}

static const char *cross_refused(struct contract *ctx)
{
    struct planned planned = {XR_ACTION_NONE, ""};

    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    TRY(plan(ctx, &planned, XR_WISH_INSTALL, CERT_CROSS, (struct xr_plan_policy){0}));
    NEED(planned.action == XR_ACTION_REFUSE);
    NEED(strstr(planned.why, "trust anchor") != NULL && strstr(planned.why, "--as anchor") != NULL);
    return NULL;
}

static const char *cross_among_anchors(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_CROSS);
    const struct xr_state *held = NULL;
    bool ok = false;

    put(ctx, anchor(ctx, "cross.crt"), pem(ctx, CERT_CROSS));
    TRY(flush_only(ctx));
    held = contract_held(ctx, &subject, &ok);
    /* Readers take it for an anchor, so that is what it is called. */
    NEED(ok && held != NULL && held->count == 1 && held->entries[0]->place == XR_ANCHOR);
    NEED(published(ctx, CERT_CROSS));
    return NULL;
}

static const char *key_named(struct contract *ctx)
{
    struct planned planned = {XR_ACTION_NONE, ""};

    if (!ctx->caps.distrust_by_key)
        return contract_skip(ctx, "a distrust takes no others along");
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_CROSS, (struct xr_plan_policy){0}));
    NEED(planned.action == XR_ACTION_REFUSE);
    NEED(strstr(planned.why, "Contract New Root") != NULL && strstr(planned.why, "--key") != NULL);
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_CROSS, (struct xr_plan_policy){.key = true}));
    NEED(planned.action == XR_ACTION_ADD);
    /* Alone of its key it needs no more words. */
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_SHIPPED, (struct xr_plan_policy){0}));
    NEED(planned.action == XR_ACTION_ADD || planned.action == XR_ACTION_CHANGE);
    return NULL;
}

static const char *best_effort(struct contract *ctx)
{
    struct planned planned = {XR_ACTION_NONE, ""};

    if (ctx->caps.places[XR_DISTRUST] != XR_DESELECT_ONLY)
        return contract_skip(ctx, "a distrust is enforced");
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_SHIPPED, (struct xr_plan_policy){0}));
    NEED(planned.action == XR_ACTION_REFUSE && strstr(planned.why, "--best-effort") != NULL);
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_SHIPPED,
             (struct xr_plan_policy){.best_effort = true}));
    NEED(planned.action == XR_ACTION_CHANGE || planned.action == XR_ACTION_ADD);
    TRY(plan(ctx, &planned, XR_WISH_DISTRUST, CERT_OLD,
             (struct xr_plan_policy){.best_effort = true}));
    NEED(planned.action == XR_ACTION_REFUSE);
    return NULL;
}

/* ---- outputs that are not what they should be ---- */

/* The name of some link by hash. */
static const char *some_link(struct contract *ctx)
{
    const char *lines = contract_text(ctx, tree_image(full(ctx, stock(ctx)->links), false));

    for (const char *at = lines; *at != '\0'; at += strcspn(at, "\n") + 1) {
        const char *name = at + 7;

        if (at[0] == 'l' && strspn(name, "0123456789abcdef") == 8 && name[8] == '.')
            return in(ctx, stock(ctx)->links,
                      contract_text(ctx, xr_memdup(name, strcspn(name, " "))));
    }
    return NULL;
}

static const char *rebuilt(struct contract *ctx)
{
    const char *before = NULL, *bundle = stock(ctx)->bundle, *hash = NULL;

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    before = contract_image(ctx);
    hash = some_link(ctx);
    NEED(hash != NULL);

    tree_unlink(ctx->location, bundle);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));

    tree_unlink(ctx->location, bundle);
    put(ctx, bundle, pem(ctx, CERT_OLD)); /* somebody's edit leaves a part of it */
    NEED(chmod(full(ctx, bundle), by_list(ctx) ? 0644 : 0444) == 0);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));

    tree_unlink(ctx->location, hash);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));

    tree_unlink(ctx->location, hash);
    tree_link(ctx->location, hash, "nothing.pem");
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));

    return NULL;
}

/* Can it be written, and if not, is that a refusal that names the certificate? */
static const char *refuses(struct contract *ctx, enum contract_cert cert, bool *refused)
{
    for (int mode = XR_READ; mode <= XR_WRITE; mode++) {
        struct xr_store *store = contract_open(ctx, (enum xr_mode)mode);
        unsigned char sum[XR_SHA256_LEN];
        char hex[9];

        NEED(store != NULL);
        NEED(store->caps.writable != store->caps.refused);
        xr_host.sha256(sum, contract_der(ctx, cert));
        xr_hex(hex, sum, 4);
        *refused = store->caps.refused;
        NEED(!*refused || strstr(store->caps.why_not, hex) != NULL);
        contract_close(ctx, store);
    }
    return NULL;
}

static const char *lost(struct contract *ctx)
{
    const char *before = NULL, *bundle = stock(ctx)->bundle;
    bool refused = false;

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    before = contract_image(ctx);
    TRY(refuses(ctx, CERT_OLD, &refused));
    NEED(!refused);

    tree_unlink(ctx->location, bundle);
    put(ctx, bundle, pem(ctx, CERT_NEW)); /* what nobody installed */
    NEED(chmod(full(ctx, bundle), by_list(ctx) ? 0644 : 0444) == 0);
    TRY(refuses(ctx, CERT_NEW, &refused));
    NEED(refused);
    ctx->site.rebuild = true;
    TRY(refuses(ctx, CERT_NEW, &refused));
    NEED(!refused);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    ctx->site.rebuild = false;

    /* A source that went without us, and one that the journal knows about. */
    tree_unlink(ctx->location, ours(ctx, CERT_OLD));
    TRY(refuses(ctx, CERT_OLD, &refused));
    NEED(refused && published(ctx, CERT_OLD));
    ctx->leaving = contract_subject(ctx, CERT_OLD);
    ctx->leaving_count = 1;
    TRY(refuses(ctx, CERT_OLD, &refused));
    NEED(!refused);
    TRY(flush_only(ctx));
    ctx->leaving_count = 0;
    NEED(!published(ctx, CERT_OLD) && contract_count(ctx) == 0);
    return NULL;
}

static const char *wrong_modes(struct contract *ctx)
{
    const char *before = contract_image(ctx);

    NEED(chmod(full(ctx, stock(ctx)->bundle), 0600) == 0);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *leftovers(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    const char *dirs[] = {stock(ctx)->anchors, stock(ctx)->links, dir_of(ctx, stock(ctx)->bundle),
                          by_list(ctx) ? "etc" : stock(ctx)->blocklist};

    for (size_t i = 0; i < 4; i++) {
        if (i == 2 && strcmp(dirs[1], dirs[2]) == 0)
            continue;
        put(ctx, in(ctx, dirs[i], ".crossroot-tmp.4711.3"), pem(ctx, CERT_NEW));
        tree_link(ctx->location, in(ctx, dirs[i], ".crossroot-tmp.link"), "x");
    }
    NEED(contract_count(ctx) == 0); /* half a run is no source */
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* Numbers of the links to certificates of one name leave no gap: readers stop at the first. */
static const char *no_gaps(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_A, CERT_TWIN_B, CERT_TWIN_C};
    struct xr_slices slices = {.size = sizeof(slices)};
    uint32_t hash = 0;

    NEED(xr_host.slices(&slices, contract_der(ctx, CERT_TWIN_A), NULL) == XR_OK &&
         xr_host.name_hash(&hash, slices.subject, NULL) == XR_OK);
    for (size_t gone = 0; gone < 3; gone++) {
        for (size_t i = 0; i < 3; i++)
            TRY(contract_install(ctx, certs[i], XR_ANCHOR));
        TRY(contract_remove(ctx, certs[gone]));
        for (unsigned n = 0; n < 3; n++) {
            const char *name = contract_text(ctx, xr_format("%08x.%u", (unsigned)hash, n));

            NEED(tree_has(ctx->location, in(ctx, stock(ctx)->links, name)) == (n < 2));
        }
        for (size_t i = 0; i < 3; i++) {
            if (i != gone)
                TRY(contract_remove(ctx, certs[i]));
        }
    }
    return NULL;
}

const struct contract_case contract_cacerts_cases[] = {
    {"The layout is found, and a name that is none is answered with those there are.", detected},
    {"An empty root gets the layout that is named.", named},
    {"A layout that is made elsewhere is for reading, and says where.", fixed},
    {"A read-only output directory is said before anything is written.", read_only_outputs},
    {"A read-only /usr matters only where sources lie in it.", read_only_usr},
    {"A bundle that somebody replaced by a link is left alone.", bundle_is_link},
    {"A link of another user on the way to the sources is not followed.", links_of_others},
    {"A file where a directory should be is said.", not_a_directory},
    {"Directories that are missing are made.", missing_directories},
    {"Links to nowhere, directories and pipes among the sources are no certificates.", dangling},
    {"A link among the sources is followed inside the root, and comes back as a link.",
     links_inside},
    {"A link that leads to another certificate by now is not put back.", links_changed},
    {"No link leads out of the root.", links_outside},
    {"A source may have any name of one line.", odd_names},
    {"Sources with DOS line ends or no last one do not run into each other.", odd_texts},
    {"A source that is not ours comes back with its bytes and its mode.", odd_undone},
    {"One of several certificates in a file is not taken out of it.", several_in_one},
    {"A certificate in two files goes from both and comes back to both.", duplicates},
    {"A private key beside a certificate goes nowhere.", private_key},
    {"Files of others stay.", foreign},
    {"Nothing is written in place.", hard_links},
    {"A source that was edited after it was listed is a conflict.", edited_meanwhile},
    {"What was written into the list meanwhile stays in it.", list_edited_meanwhile},
    {"What another program does to the outputs between two steps is seen, and made good.",
     outputs_changed_meanwhile},
    {"What was read while it was locked for a moment is not taken for what is there later.",
     replaced_after_the_moment},
    {"A session that is soon renewed is locked from the start, and until it ends.",
     locked_from_the_start},
    {"What is selected and deselected is published, and called so.", listed_twice},
    {"What comes with the system is never removed.", vendor_stays},
    {"What an administrator took out stays out.", taken_out_stays_out},
    {"A record leads no file to where no source is.", records_elsewhere},
    {"A cross certificate is refused, with the reason and the way out.", cross_refused},
    {"A cross certificate among the anchors is called an anchor.", cross_among_anchors},
    {"A distrust that takes others of the key names them first.", key_named},
    {"A distrust that only deselects is for those who say so.", best_effort},
    {"Outputs that somebody deleted or edited are made anew.", rebuilt},
    {"What is published and in no source is not lost unasked.", lost},
    {"A bundle that nobody can read is made readable.", wrong_modes},
    {"What an interrupted run left is tidied.", leftovers},
    {"Links by hash are numbered without a gap.", no_gaps},
};
const size_t contract_cacerts_case_count =
    sizeof(contract_cacerts_cases) / sizeof(contract_cacerts_cases[0]);
