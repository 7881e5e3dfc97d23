/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for stores that are a directory in OpenSSL's layout: what people and other programs put
 * there stays theirs, whatever we do beside it. */
#include "cases.h"
#include "tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- preparing ---- */

static const char *in(struct contract *ctx, const char *name)
{
    return contract_text(ctx, tree_path(ctx->location, name));
}

static const char *anchors(struct contract *ctx)
{
    return in(ctx, "anchors");
}

static void prepare(struct contract *ctx)
{
    tree_dir(ctx->scratch, "store");
    tree_dir(ctx->location, "anchors");
}

/* "9d04f354.0" */
static const char *hash_name(struct contract *ctx, enum contract_cert cert, const char *number)
{
    struct xr_slices slices = {.size = sizeof(slices)};
    uint32_t hash = 0;

    if (xr_host.slices(&slices, contract_der(ctx, cert), NULL) != XR_OK ||
        xr_host.name_hash(&hash, slices.subject, NULL) != XR_OK)
        abort();
    return contract_text(ctx, xr_format("%08x.%s", (unsigned)hash, number));
}

static const char *pem(struct contract *ctx, enum contract_cert cert)
{
    size_t len = 0;

    return contract_text(ctx, xr_host.pem("CERTIFICATE", contract_der(ctx, cert), &len));
}

static const char *ours(struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = contract_subject(ctx, cert);
    char hex[2 * XR_SHA256_LEN + 1];

    xr_hex(hex, subject.id, sizeof(subject.id));
    return contract_text(ctx, xr_format("%s.pem", hex));
}

/* Exit code of a program; what it says is thrown away. */
static int run(const char *const argv[])
{
    pid_t pid = fork();
    int state = 0;

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &state, 0) == pid && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Installs and removes, in every place the certificates of a store see most; what was there before
 * is there after, to the byte. */
static const char *come_and_go(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_B, CERT_TWIN_C, CERT_OLD};
    const char *before = contract_image(ctx);

    for (size_t i = 0; i < 3; i++)
        TRY(contract_install(ctx, certs[i], XR_ANCHOR));
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    for (size_t i = 0; i < 3; i++)
        TRY(contract_remove(ctx, certs[i]));
    TRY(contract_remove(ctx, CERT_CROSS));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *flush_only(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    return NULL;
}

/* Does OpenSSL itself take a certificate for an anchor, by one of -CApath and -CAfile? */
static bool openssl_takes(struct contract *ctx, enum contract_cert cert, const char *option,
                          const char *from)
{
    const char *file = contract_text(ctx, tree_path(ctx->scratch, "asked.pem"));
    const char *at = contract_text(ctx, xr_format("%lld", (long long)CONTRACT_NOW));
    const char *other = strcmp(option, "-CApath") == 0 ? "-no-CAfile" : "-no-CApath";
    const char *const verify[] = {"openssl", "verify", "-no-CAstore", other, option, from,
                                  "-attime", at,       file,          NULL};
    int code = 0;

    tree_text(ctx->scratch, "asked.pem", pem(ctx, cert));
    code = run(verify);
    tree_unlink(ctx->scratch, "asked.pem");
    return code == 0;
}

/* In the directory. */
static bool openssl_finds(struct contract *ctx, enum contract_cert cert)
{
    return openssl_takes(ctx, cert, "-CApath", anchors(ctx));
}

/* In the bundle beside it, which may be missing. */
static bool openssl_bundles(struct contract *ctx, enum contract_cert cert)
{
    return openssl_takes(ctx, cert, "-CAfile", in(ctx, "anchors.pem"));
}

static bool in_bundle(struct contract *ctx, const char *bundle, enum contract_cert cert)
{
    size_t len = 0;

    return tree_has(ctx->location, bundle) &&
           strstr(contract_text(ctx, tree_read(&len, ctx->location, bundle)), pem(ctx, cert)) !=
               NULL;
}

/* Nobody takes it for an anchor: not crossroot, not OpenSSL by the directory or the bundle. */
static const char *is_nothing(struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = contract_subject(ctx, cert);
    bool ok = false;

    NEED(contract_held(ctx, &subject, &ok) == NULL);
    NEED(ok);
    NEED(!openssl_finds(ctx, cert));
    NEED(!openssl_bundles(ctx, cert));
    NEED(!in_bundle(ctx, "anchors.pem", cert));
    return NULL;
}

/* Refused with a reason, and nothing changed. */
static const char *swap_refused(struct contract *ctx, enum contract_cert cert,
                                const struct xr_state *want)
{
    const char *before = contract_image(ctx);
    struct xr_subject subject = contract_subject(ctx, cert);
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    const struct xr_snapshot *now = NULL;

    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), want) == XR_REFUSED);
    NEED(ctx->err.text[0] != '\0');
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *install_refused(struct contract *ctx, enum contract_cert cert)
{
    return swap_refused(ctx, cert, contract_wish(ctx, cert, XR_ANCHOR));
}

/* ---- what is no directory of ours ---- */

static const char *link_as_store(struct contract *ctx)
{
    const char *before = NULL;

    tree_dir(ctx->scratch, "real");
    tree_link(ctx->scratch, "store", "real");
    before = contract_image(ctx);
    NEED(contract_open(ctx, XR_READ) == NULL && ctx->err.text[0] != '\0');
    NEED(contract_open(ctx, XR_WRITE) == NULL && ctx->err.text[0] != '\0');
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *nothing_through(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    if (store != NULL) {
        NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) != XR_OK);
        (void)contract_flush(ctx, store);
        contract_close(ctx, store);
    }
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *link_as_place(struct contract *ctx)
{
    tree_dir(ctx->scratch, "store");
    tree_dir(ctx->scratch, "real");
    tree_link(ctx->location, "anchors", "../real");
    TRY(nothing_through(ctx));
    tree_unlink(ctx->location, "anchors");
    tree_link(ctx->location, "anchors", "../nowhere");
    TRY(nothing_through(ctx));
    tree_unlink(ctx->location, "anchors");
    tree_text(ctx->location, "anchors", "a file");
    return nothing_through(ctx);
}

static const char *file_as_store(struct contract *ctx)
{
    tree_text(ctx->scratch, "store", "a file");
    NEED(contract_open(ctx, XR_READ) == NULL && ctx->err.text[0] != '\0');
    return nothing_through(ctx);
}

static const char *hostile_manifest(struct contract *ctx)
{
    prepare(ctx);
    tree_dir(ctx->scratch, "outside");
    tree_text(ctx->scratch, "outside/precious", "do not touch");
    tree_text(ctx->location, ".crossroot",
              "crossroot 1\ndir .\ndir ../outside\ndir anchors/../../outside\nfile ../outside/"
              "precious\nlink ../outside/precious\nlink anchors/../../outside/precious\nfile "
              "anchors\ndir \nlink \n\n");
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    TRY(contract_remove(ctx, CERT_OLD));
    NEED(tree_has(ctx->scratch, "outside/precious"));
    return NULL;
}

static const char *manifest_is_a_link(struct contract *ctx)
{
    const struct xr_store *store = NULL;
    size_t len = 0;
    const char *text = NULL;

    prepare(ctx);
    tree_text(ctx->scratch, "precious", "crossroot 1\ndir anchors\n");
    tree_link(ctx->location, ".crossroot", "../precious");
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL && !store->caps.writable);
    NEED(strstr(store->caps.why_not, ".crossroot: it is a link") != NULL);
    NEED(tree_has(ctx->location, ".crossroot")); /* nor is it replaced */
    text = contract_text(ctx, tree_read(&len, ctx->scratch, "precious"));
    NEED(strcmp(text, "crossroot 1\ndir anchors\n") == 0);
    return NULL;
}

static const char *same_place(struct contract *ctx)
{
    struct xr_store *one = NULL, *other = NULL;

    prepare(ctx);
    tree_dir(ctx->scratch, "sub");
    one = contract_open(ctx, XR_READ);
    other = contract_open_at(ctx, contract_text(ctx, xr_format("%s/sub/../store", ctx->scratch)),
                             XR_READ);
    NEED(one != NULL && other != NULL);
    NEED(one->caps.identity[0] != '\0');
    NEED(strcmp(one->caps.identity, other->caps.identity) == 0);
    tree_dir(ctx->scratch, "another");
    other = contract_open_at(ctx, contract_text(ctx, tree_path(ctx->scratch, "another")), XR_READ);
    NEED(other != NULL && strcmp(one->caps.identity, other->caps.identity) != 0);
    return NULL;
}

static const char *fifo_inside(struct contract *ctx)
{
    prepare(ctx);
    NEED(mkfifo(in(ctx, "anchors/pipe.pem"), 0644) == 0);
    NEED(mkfifo(in(ctx, "anchors.pem"), 0644) == 0);
    NEED(mkfifo(in(ctx, "anchors/00000000.0"), 0644) == 0);
    NEED(contract_count(ctx) == 0); /* and does not wait for a writer */
    return come_and_go(ctx);
}

/* ---- directories and files of others ---- */

static const char *kept_directories(struct contract *ctx)
{
    tree_dir(ctx->scratch, "store");
    TRY(come_and_go(ctx));
    tree_dir(ctx->location, "anchors");
    TRY(come_and_go(ctx));
    tree_text(ctx->location, "README", "mine");
    tree_text(ctx->location, "anchors/README", "mine too");
    tree_dir(ctx->location, "anchors/sub");
    return come_and_go(ctx);
}

static const char *arrived_meanwhile(struct contract *ctx)
{
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    tree_text(ctx->location, "notes", "mine");
    tree_text(ctx->location, "anchors/notes", "mine too");
    TRY(contract_remove(ctx, CERT_OLD));
    NEED(tree_has(ctx->location, "notes") && tree_has(ctx->location, "anchors/notes"));
    NEED(!tree_has(ctx->location, ".crossroot") && !tree_has(ctx->location, "anchors.pem"));
    return NULL;
}

static const char *rehashed(struct contract *ctx)
{
    const char *dir = anchors(ctx);
    const char *const rehash[] = {"openssl", "rehash", dir, NULL};
    const char *both = NULL;

    prepare(ctx);
    tree_text(dir, "twin a.pem", pem(ctx, CERT_TWIN_A));
    tree_text(dir, "new.crt", pem(ctx, CERT_NEW));
    NEED(run(rehash) == 0);
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "0")));
    tree_text(dir, hash_name(ctx, CERT_SUB, "0"), pem(ctx, CERT_SUB)); /* the file itself */
    both = contract_text(
        ctx, xr_format("# two\n%s\n%s", pem(ctx, CERT_HOSTILE), pem(ctx, CERT_EXPIRED)));
    tree_text(dir, "two.pem", both);
    tree_text(dir, "README.txt", "no certificate");
    NEED(contract_count(ctx) == 3); /* rehash links no file of two */
    TRY(come_and_go(ctx));
    tree_link(dir, hash_name(ctx, CERT_HOSTILE, "0"), "two.pem");
    NEED(contract_count(ctx) == 5);
    return come_and_go(ctx);
}

static const char *rehashed_compat(struct contract *ctx)
{
    const char *dir = anchors(ctx);
    const char *const rehash[] = {"openssl", "rehash", "-compat", dir, NULL};
    const char *before = NULL;

    prepare(ctx);
    tree_text(dir, "a.pem", pem(ctx, CERT_TWIN_A));
    tree_text(dir, "new.pem", pem(ctx, CERT_NEW));
    NEED(run(rehash) == 0);
    before = contract_image(ctx);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return come_and_go(ctx);
}

static const char *two_links(struct contract *ctx)
{
    const char *dir = anchors(ctx), *before = NULL;

    prepare(ctx);
    tree_text(dir, "a.pem", pem(ctx, CERT_TWIN_A));
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "1"), "a.pem");
    before = contract_image(ctx);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return come_and_go(ctx);
}

static const char *several_in_one(struct contract *ctx)
{
    const char *dir = anchors(ctx), *before = NULL;

    prepare(ctx);
    tree_text(dir, "all.pem",
              contract_text(ctx, xr_format("%s%s", pem(ctx, CERT_NEW), pem(ctx, CERT_TWIN_A))));
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), "all.pem");
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "0"), "all.pem");
    before = contract_image(ctx);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return come_and_go(ctx);
}

static const char *several_stay(struct contract *ctx)
{
    const char *dir = anchors(ctx), *before = NULL;
    struct xr_subject subject = contract_subject(ctx, CERT_NEW);
    struct xr_store *store = NULL;
    const struct xr_snapshot *now = NULL;

    prepare(ctx);
    tree_text(dir, "all.pem",
              contract_text(ctx, xr_format("%s%s", pem(ctx, CERT_NEW), pem(ctx, CERT_TWIN_A))));
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), "all.pem");
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "0"), "all.pem");
    before = contract_image(ctx);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    /* One certificate cannot leave a file of two: said before anything is touched. */
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_REFUSED);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject),
                       contract_wish(ctx, CERT_NEW, XR_INTERMEDIATE)) == XR_REFUSED);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return swap_refused(ctx, CERT_TWIN_A, NULL); /* nor can the second */
}

/* Something sits on a name that a link of ours would like to have. Ours is found, and what was there
 * is there in the end. */
static const char *taken(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_subject subject = contract_subject(ctx, CERT_TWIN_B);
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    const struct xr_snapshot *now = NULL;

    NEED(store != NULL);
    NEED(contract_list(ctx, store) != NULL);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_TWIN_B, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    NEED(openssl_finds(ctx, CERT_TWIN_B));
    now = contract_list(ctx, store);
    NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* OpenSSL stops at what sits there: one of ours behind it would not be found, and is refused. Others
 * come and go. */
static const char *blocked(struct contract *ctx)
{
    static const enum contract_cert others[] = {CERT_OLD, CERT_HOSTILE};
    const char *before = contract_image(ctx);

    TRY(install_refused(ctx, CERT_TWIN_B));
    for (size_t i = 0; i < 2; i++) {
        TRY(contract_install(ctx, others[i], XR_ANCHOR));
        TRY(install_refused(ctx, CERT_TWIN_B));
    }
    NEED(openssl_finds(ctx, CERT_OLD));
    for (size_t i = 0; i < 2; i++)
        TRY(contract_remove(ctx, others[i]));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *taken_dangling(struct contract *ctx)
{
    prepare(ctx);
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "not-mounted-yet.pem");
    TRY(blocked(ctx));
    tree_unlink(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "/mnt/not-mounted-yet.pem");
    return blocked(ctx);
}

static const char *taken_junk(struct contract *ctx)
{
    prepare(ctx);
    tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "no certificate at all");
    return blocked(ctx);
}

static const char *taken_misnamed(struct contract *ctx)
{
    prepare(ctx);
    tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), pem(ctx, CERT_NEW));
    NEED(contract_count(ctx) == 0);
    TRY(is_nothing(ctx, CERT_NEW));
    TRY(taken(ctx)); /* OpenSSL reads on behind it */
    tree_link(anchors(ctx), hash_name(ctx, CERT_NEW, "0"), hash_name(ctx, CERT_TWIN_A, "0"));
    NEED(contract_count(ctx) == 1 && openssl_finds(ctx, CERT_NEW));
    return taken(ctx);
}

static const char *taken_directory(struct contract *ctx)
{
    prepare(ctx);
    tree_dir(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"));
    return blocked(ctx);
}

/* A.0, B.1, and at 2 something that is no link of ours: when A goes, B must be found still. */
static const char *taken_behind(struct contract *ctx, bool dangling)
{
    const char *dir = anchors(ctx), *behind = hash_name(ctx, CERT_TWIN_A, "2");

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_TWIN_B, XR_ANCHOR));
    if (dangling)
        tree_link(dir, behind, "not-mounted-yet.pem");
    else
        tree_text(dir, behind, pem(ctx, CERT_NEW));
    TRY(contract_remove(ctx, CERT_TWIN_A));
    NEED(!openssl_finds(ctx, CERT_TWIN_A));
    NEED(openssl_finds(ctx, CERT_TWIN_B));
    NEED(tree_has(dir, behind));
    NEED(contract_count(ctx) == 1);
    return NULL;
}

static const char *taken_behind_dangling(struct contract *ctx)
{
    return taken_behind(ctx, true);
}

static const char *taken_behind_misnamed(struct contract *ctx)
{
    return taken_behind(ctx, false);
}

static const char *taken_odd_numbers(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    prepare(ctx);
    tree_text(dir, "a.pem", pem(ctx, CERT_TWIN_A));
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    tree_text(dir, hash_name(ctx, CERT_TWIN_A, "00"), pem(ctx, CERT_TWIN_C));
    TRY(taken(ctx));
    tree_link(dir, hash_name(ctx, CERT_NEW, "99999"), "a.pem");
    TRY(taken(ctx));
    tree_text(dir, "c.pem", pem(ctx, CERT_OLD));
    tree_link(dir, hash_name(ctx, CERT_OLD, "99999999999999999999"), "c.pem");
    return taken(ctx);
}

/* A foreign file at a number that OpenSSL does not get to. */
static const char *behind(struct contract *ctx, const char *number)
{
    tree_text(anchors(ctx), "hidden.pem", pem(ctx, CERT_TWIN_C));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, number), "hidden.pem");
    return is_nothing(ctx, CERT_TWIN_C);
}

/* Far behind a gap, nothing is exposed by one of ours in front: it may be taken. */
static const char *taken_or_refused(struct contract *ctx)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    enum xr_status status = XR_OK;

    NEED(store != NULL);
    status = contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_TWIN_B, XR_ANCHOR));
    NEED(status == XR_OK || status == XR_REFUSED);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(openssl_finds(ctx, CERT_TWIN_B) == (status == XR_OK));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    TRY(contract_remove(ctx, CERT_TWIN_B));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *behind_a_gap(struct contract *ctx)
{
    prepare(ctx);
    TRY(behind(ctx, "1")); /* and no 0 */
    NEED(contract_count(ctx) == 0);
    TRY(flush_only(ctx));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    /* Ours at 0 would lead OpenSSL on to it. */
    TRY(blocked(ctx));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    /* What is hidden is not there: it cannot be taken out, and can be put there by us no more than
     * its like. */
    TRY(install_refused(ctx, CERT_TWIN_C));
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    TRY(contract_remove(ctx, CERT_OLD));
    tree_unlink(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "1"));
    TRY(behind(ctx, "7"));
    return taken_or_refused(ctx);
}

static const char *refusal_writes_nothing(struct contract *ctx)
{
    struct xr_store *store = NULL;
    const char *before = NULL;

    prepare(ctx);
    TRY(behind(ctx, "1"));
    before = contract_image_times(ctx);
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_TWIN_B, XR_ANCHOR)) == XR_REFUSED);
    contract_close(ctx, store); /* without a flush: there is nothing to finish */
    NEED(contract_same(ctx, before, contract_image_times(ctx)));
    return NULL;
}

static const char *file_behind_a_gap(struct contract *ctx)
{
    prepare(ctx);
    tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "1"), pem(ctx, CERT_TWIN_C));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    TRY(blocked(ctx));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    return NULL;
}

/* HASH.0 leads to what is found, then comes a gap. */
static const char *gap_after_found(struct contract *ctx)
{
    prepare(ctx);
    tree_text(anchors(ctx), "a.pem", pem(ctx, CERT_TWIN_A));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    TRY(behind(ctx, "2"));
    NEED(contract_count(ctx) == 1 && openssl_finds(ctx, CERT_TWIN_A));
    TRY(blocked(ctx)); /* ours at 1 would fill the gap */
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(in_bundle(ctx, "anchors.pem", CERT_TWIN_A));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    return NULL;
}

/* Taken out from in front of what is hidden: that stays hidden, and the way back is open. */
static const char *out_before_hidden(struct contract *ctx, bool dangling)
{
    const char *before = NULL, *link = hash_name(ctx, CERT_TWIN_A, "2");
    struct xr_subject subject = contract_subject(ctx, CERT_TWIN_A);
    const struct xr_state *was = NULL;
    bool ok = false;

    prepare(ctx);
    tree_text(anchors(ctx), "a.pem", pem(ctx, CERT_TWIN_A));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    if (dangling)
        tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "1"), "not-mounted-yet.pem");
    TRY(behind(ctx, "2"));
    before = contract_image(ctx);
    was = contract_held(ctx, &subject, &ok);
    NEED(ok && was != NULL);
    TRY(contract_put(ctx, &subject, NULL));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    TRY(is_nothing(ctx, CERT_TWIN_A));
    NEED(tree_has(anchors(ctx), link) && tree_has(anchors(ctx), "hidden.pem"));
    TRY(contract_put(ctx, &subject, was));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *out_before_a_gap(struct contract *ctx)
{
    return out_before_hidden(ctx, false);
}

static const char *out_before_a_dangling_link(struct contract *ctx)
{
    return out_before_hidden(ctx, true);
}

/* Ours was there first; then somebody put a link to nowhere and a file behind it. */
static const char *ours_out_before_hidden(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "1"), "not-mounted-yet.pem");
    TRY(behind(ctx, "2"));
    TRY(contract_remove(ctx, CERT_TWIN_A));
    TRY(is_nothing(ctx, CERT_TWIN_C));
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "1")));
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "2")) && tree_has(dir, "hidden.pem"));
    return NULL;
}

static const char *verifier_as_openssl(struct contract *ctx)
{
    struct xr_bytes chain = contract_der(ctx, CERT_TWIN_B);
    const struct xr_probe probe = {.size = sizeof(probe),
                                   .chain = &chain,
                                   .count = 1,
                                   .purpose = XR_SERVER,
                                   .at = CONTRACT_NOW};
    const char *const odd[] = {"junk", "", NULL};

    prepare(ctx);
    tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "1"), pem(ctx, CERT_TWIN_B));
    for (size_t i = 0; i < 3; i++) {
        struct xr_verdict verdict;
        struct xr_store *store = contract_open(ctx, XR_READ);

        if (odd[i] != NULL)
            tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), odd[i]);
        else
            tree_dir(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"));
        NEED(store != NULL);
        NEED(xr_store_probe(store, &verdict, &probe, &ctx->err) == XR_OK);
        NEED((verdict.answer == XR_YES) == openssl_finds(ctx, CERT_TWIN_B));
        contract_close(ctx, store);
        if (odd[i] != NULL)
            tree_unlink(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"));
    }
    return NULL;
}

/* What our reader of input would take, and OpenSSL's does not. */
static struct xr_buf odd_text(struct contract *ctx, enum contract_cert cert, size_t form)
{
    const char *text = pem(ctx, cert);
    struct xr_buf out = {0};

    switch (form) {
    case 0:
        xr_buf_add(&out, ctx->certs[cert].data, ctx->certs[cert].len); /* DER */
        break;
    case 1: /* in one line */
        for (; *text != '\0'; text++)
            xr_buf_add(&out, text, *text != '\n');
        break;
    case 2: /* indented */
        for (bool first = true; *text != '\0'; first = *text++ == '\n')
            xr_buf_fmt(&out, "%s%c", first ? "  " : "", *text);
        break;
    default: /* itself whole, and damage after it */
        xr_buf_fmt(&out, "%s-----BEGIN CERTIFICATE-----\n????\n", text);
    }
    return out;
}

static const char *read_as_openssl(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_A, CERT_TWIN_B};

    prepare(ctx);
    tree_text(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "1"), pem(ctx, CERT_TWIN_B));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "odd.pem");
    for (size_t form = 0; form < 4; form++) {
        struct xr_buf text = odd_text(ctx, CERT_TWIN_A, form);

        tree_write(anchors(ctx), "odd.pem", text.data, text.len, 0644);
        xr_buf_free(&text);
        for (size_t i = 0; i < 2; i++) {
            struct xr_subject subject = contract_subject(ctx, certs[i]);
            struct xr_bytes chain = contract_der(ctx, certs[i]);
            const struct xr_probe probe = {.size = sizeof(probe),
                                           .chain = &chain,
                                           .count = 1,
                                           .purpose = XR_SERVER,
                                           .at = CONTRACT_NOW};
            struct xr_store *store = contract_open(ctx, XR_READ);
            struct xr_verdict verdict;
            bool finds = openssl_finds(ctx, certs[i]), ok = false;

            NEED(finds == (form == 3 && i == 0));
            NEED((contract_held(ctx, &subject, &ok) != NULL) == finds && ok);
            NEED(store != NULL);
            NEED(xr_store_probe(store, &verdict, &probe, &ctx->err) == XR_OK);
            NEED((verdict.answer == XR_YES) == finds);
            contract_close(ctx, store);
        }
    }
    return NULL;
}

static const char *foreign_bundles(struct contract *ctx)
{
    prepare(ctx);
    tree_write(ctx->location, "anchors.pem", "my own bundle\n", 14, 0640);
    tree_text(ctx->location, "intermediates.pem", pem(ctx, CERT_SUB));
    TRY(come_and_go(ctx));
    tree_text(ctx->location, "anchors/a.pem", pem(ctx, CERT_TWIN_A));
    TRY(come_and_go(ctx));
    tree_link(anchors(ctx), hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    return come_and_go(ctx);
}

static const char *linked_bundles(struct contract *ctx)
{
    prepare(ctx);
    tree_text(ctx->scratch, "bundle.pem", pem(ctx, CERT_NEW));
    tree_link(ctx->location, "anchors.pem", "../bundle.pem");
    tree_link(ctx->location, "intermediates.pem", "/nowhere/bundle.pem");
    return come_and_go(ctx);
}

static const char *unlinked(struct contract *ctx)
{
    /* A twin's name, the same name, and another. */
    static const enum contract_cert certs[] = {CERT_TWIN_B, CERT_CROSS, CERT_OLD};
    const char *dir = anchors(ctx), *alone = NULL;

    prepare(ctx);
    tree_text(dir, "a.pem", pem(ctx, CERT_TWIN_A));
    tree_write(dir, "new.pem", pem(ctx, CERT_NEW), strlen(pem(ctx, CERT_NEW)), 0640);
    alone = contract_image(ctx);
    NEED(contract_count(ctx) == 0);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, alone, contract_image(ctx)));
    for (size_t i = 0; i < 3; i++) {
        TRY(contract_install(ctx, certs[i], XR_ANCHOR));
        NEED(contract_count(ctx) == i + 1);
        TRY(is_nothing(ctx, CERT_TWIN_A));
        TRY(is_nothing(ctx, CERT_NEW));
    }
    /* Only ours have links. */
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "0")));
    NEED(!tree_has(dir, hash_name(ctx, CERT_TWIN_A, "1")));
    NEED(tree_has(dir, hash_name(ctx, CERT_NEW, "0")));
    NEED(!tree_has(dir, hash_name(ctx, CERT_NEW, "1")));
    /* Neither can be removed by us: for us they are not there. */
    TRY(contract_remove(ctx, CERT_TWIN_A));
    TRY(contract_remove(ctx, CERT_NEW));
    NEED(tree_has(dir, "a.pem") && tree_has(dir, "new.pem"));
    for (size_t i = 0; i < 3; i++)
        TRY(contract_remove(ctx, certs[i]));
    NEED(contract_same(ctx, alone, contract_image(ctx)));
    return NULL;
}

/* The same certificate comes beside it, as ours, and goes. */
static const char *unlinked_and_ours(struct contract *ctx)
{
    const char *before = NULL;

    prepare(ctx);
    tree_text(anchors(ctx), "new.pem",
              contract_text(ctx, xr_format("text\n%s", pem(ctx, CERT_NEW))));
    before = contract_image(ctx);
    TRY(contract_install(ctx, CERT_NEW, XR_ANCHOR));
    NEED(contract_count(ctx) == 1 && openssl_finds(ctx, CERT_NEW));
    TRY(contract_remove(ctx, CERT_NEW));
    TRY(is_nothing(ctx, CERT_NEW));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *disabled(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_A, CERT_TWIN_B};
    const char *dir = anchors(ctx), *before = NULL;

    prepare(ctx);
    tree_text(dir, "root.pem.disabled", pem(ctx, CERT_NEW));
    tree_text(dir, "twin.pem", pem(ctx, CERT_TWIN_C)); /* its link was taken away */
    before = contract_image(ctx);
    TRY(is_nothing(ctx, CERT_NEW));
    for (size_t i = 0; i < 2; i++) {
        TRY(contract_install(ctx, certs[i], XR_ANCHOR));
        NEED(openssl_finds(ctx, certs[i]) && openssl_bundles(ctx, certs[i]));
        TRY(is_nothing(ctx, CERT_NEW));
        TRY(is_nothing(ctx, CERT_TWIN_C));
    }
    for (size_t i = 0; i < 2; i++)
        TRY(contract_remove(ctx, certs[i]));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *unlinked_elsewhere(struct contract *ctx)
{
    const char *before = NULL;
    char *text = NULL;
    size_t len = 0;

    tree_dir(ctx->scratch, "store");
    tree_dir(ctx->location, "intermediates");
    tree_dir(ctx->location, "crls");
    tree_text(ctx->location, "intermediates/sub.pem", pem(ctx, CERT_SUB));
    text = xr_host.pem("X509 CRL", contract_der(ctx, CERT_CRL), &len);
    tree_text(ctx->location, "crls/old.pem", text);
    xr_host.release(text);
    before = contract_image(ctx);
    NEED(contract_count(ctx) == 0);
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    NEED(contract_count(ctx) == 1);
    NEED(in_bundle(ctx, "intermediates.pem", CERT_CROSS));
    NEED(!in_bundle(ctx, "intermediates.pem", CERT_SUB));
    NEED(!tree_has(ctx->location, contract_text(ctx, xr_format("intermediates/%s",
                                                               hash_name(ctx, CERT_SUB, "0")))));
    TRY(contract_remove(ctx, CERT_CROSS));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    /* With their links they are there. */
    tree_link(ctx->location,
              contract_text(ctx, xr_format("intermediates/%s", hash_name(ctx, CERT_SUB, "0"))),
              "sub.pem");
    tree_link(ctx->location,
              contract_text(ctx, xr_format("crls/%s", hash_name(ctx, CERT_OLD, "r0"))), "old.pem");
    NEED(contract_count(ctx) == 2);
    return come_and_go(ctx);
}

/* ---- files of others taken out and put back ---- */

/* Takes a certificate out and puts it back, with and without a flush between. */
static const char *out_and_back(struct contract *ctx, enum contract_cert cert)
{
    const char *before = contract_image(ctx);
    struct xr_subject subject = contract_subject(ctx, cert);

    for (int flushed = 0; flushed < 2; flushed++) {
        struct xr_store *store = contract_open(ctx, XR_WRITE);
        const struct xr_snapshot *now = NULL;
        struct xr_state *was = NULL;

        NEED(store != NULL);
        now = contract_list(ctx, store);
        NEED(now != NULL && xr_snapshot_find(now, &subject) != NULL);
        was = contract_copy(ctx, xr_snapshot_find(now, &subject));
        NEED(contract_swap(ctx, store, was, NULL) == XR_OK);
        if (flushed) {
            NEED(contract_flush(ctx, store) == XR_OK);
            contract_close(ctx, store);
            store = contract_open(ctx, XR_WRITE);
            NEED(store != NULL);
        }
        NEED(contract_swap(ctx, store, NULL, was) == XR_OK);
        if (!flushed) {
            NEED(contract_swap(ctx, store, was, NULL) == XR_OK);
            NEED(contract_swap(ctx, store, NULL, was) == XR_OK);
        }
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
        NEED(contract_same(ctx, before, contract_image(ctx)));
    }
    return NULL;
}

/* Moved to another place and back: the journal's undo of a distrust. */
static const char *moved_and_back(struct contract *ctx, enum contract_cert cert)
{
    const char *before = contract_image(ctx);
    struct xr_subject subject = contract_subject(ctx, cert);
    const struct xr_state *was = NULL;
    bool ok = false;

    was = contract_held(ctx, &subject, &ok);
    NEED(ok && was != NULL);
    TRY(contract_put(ctx, &subject, contract_wish(ctx, cert, XR_DISTRUST)));
    TRY(contract_put(ctx, &subject, was));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const struct {
    const char *name;
    unsigned mode;
    enum { PLAIN, TEXT_AROUND, CRLF, JUNK_BEHIND, NO_NEWLINE } content;
    const char *number; /* of its link */
} foreign[] = {
    {"my ca.crt", 0644, PLAIN, "0"},
    {"-rf.pem", 0600, TEXT_AROUND, "0"},
    {"new\nline.pem", 0644, PLAIN, "0"},
    {"new\nline too.pem", 0644, TEXT_AROUND, "0"},
    {"\xff\xfe not utf8.pem", 0640, PLAIN, "0"},
    {"\xc3\xbcml\xc3\xa4ut.cer", 0444, CRLF, "0"},
    {".hidden.pem", 0664, JUNK_BEHIND, "0"},
    {"plain.pem", 0644, PLAIN, "0"},
    {"no-newline.pem", 0604, NO_NEWLINE, "0"},
    {"anchors.pem", 0644, TEXT_AROUND, "0"},
    {"00000000.0.pem", 0644, PLAIN, "0"}, /* looks hashed, and is not */
};

static void write_foreign(struct contract *ctx, const char *dir, enum contract_cert cert, size_t i,
                          bool link)
{
    const char *text = pem(ctx, cert);
    struct xr_buf buf = {0};

    switch (foreign[i].content) {
    case PLAIN:
        xr_buf_str(&buf, text);
        break;
    case TEXT_AROUND:
        xr_buf_fmt(&buf, "Issuer: me\n# a comment\n\n%s\nbye\n", text);
        break;
    case CRLF:
        for (; *text != '\0'; text++)
            xr_buf_fmt(&buf, *text == '\n' ? "\r\n" : "%c", *text);
        break;
    case JUNK_BEHIND:
        xr_buf_str(&buf, text);
        xr_buf_add(&buf, "\0\x01junk\xff", 7);
        break;
    case NO_NEWLINE:
        xr_buf_add(&buf, text, strlen(text) - 1);
        break;
    }
    tree_write(dir, foreign[i].name, buf.data, buf.len, foreign[i].mode);
    if (link)
        tree_link(dir, hash_name(ctx, cert, foreign[i].number), foreign[i].name);
    xr_buf_free(&buf);
}

static const char *foreign_file(struct contract *ctx, size_t i, bool beside_ours, bool moved)
{
    prepare(ctx);
    if (beside_ours)
        TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    write_foreign(ctx, anchors(ctx), CERT_NEW, i, true);
    if (beside_ours) /* first come to rest: the bundle has it too */
        TRY(flush_only(ctx));
    return moved ? moved_and_back(ctx, CERT_NEW) : out_and_back(ctx, CERT_NEW);
}

/* The same file without its link: nothing, whatever comes and goes beside it. */
static const char *foreign_unlinked(struct contract *ctx, size_t i)
{
    const char *before = NULL;

    prepare(ctx);
    write_foreign(ctx, anchors(ctx), CERT_NEW, i, false);
    before = contract_image(ctx);
    NEED(contract_count(ctx) == 0);
    TRY(contract_install(ctx, CERT_CROSS, XR_ANCHOR)); /* of the same name */
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(contract_count(ctx) == 2);
    TRY(is_nothing(ctx, CERT_NEW));
    TRY(contract_remove(ctx, CERT_CROSS));
    TRY(contract_remove(ctx, CERT_OLD));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

/* Each in a store of its own; all that fail are named. */
static const char *foreign_files(struct contract *ctx, bool linked, bool beside_ours, bool moved)
{
    struct xr_buf all = {0};

    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        const char *failed =
            linked ? foreign_file(ctx, i, beside_ours, moved) : foreign_unlinked(ctx, i);

        if (failed != NULL) {
            char *shown = xr_visible(foreign[i].name);

            xr_buf_fmt(&all, "with \"%s\": %s\n", shown, failed);
            free(shown);
        }
        while (ctx->stores.count > 0)
            contract_close(ctx, ctx->stores.items[0]);
        ctx->text[0] = '\0';
        ctx->err.text[0] = '\0';
        tree_remove(ctx->location);
    }
    return all.len > 0 ? contract_text(ctx, all.data) : NULL;
}

static const char *foreign_back(struct contract *ctx)
{
    return foreign_files(ctx, true, false, false);
}

static const char *foreign_back_beside_ours(struct contract *ctx)
{
    return foreign_files(ctx, true, true, false);
}

static const char *foreign_moved(struct contract *ctx)
{
    return foreign_files(ctx, true, false, true);
}

static const char *foreign_without_links(struct contract *ctx)
{
    return foreign_files(ctx, false, false, false);
}

static const char *foreign_itself(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    prepare(ctx);
    tree_text(dir, hash_name(ctx, CERT_TWIN_A, "0"), pem(ctx, CERT_TWIN_A));
    TRY(out_and_back(ctx, CERT_TWIN_A));
    TRY(moved_and_back(ctx, CERT_TWIN_A));
    tree_text(dir, hash_name(ctx, CERT_TWIN_A, "1"),
              contract_text(ctx, xr_format("text\n%s", pem(ctx, CERT_TWIN_B))));
    tree_text(dir, hash_name(ctx, CERT_TWIN_A, "2"), pem(ctx, CERT_TWIN_C));
    for (enum contract_cert cert = CERT_TWIN_A; cert <= CERT_TWIN_C; cert++) {
        TRY(out_and_back(ctx, cert));
        TRY(moved_and_back(ctx, cert));
    }
    return NULL;
}

/* A linked file whose own name is a link's number of another hash: it is put back, or it was not
 * taken out. */
static const char *foreign_misnamed(struct contract *ctx)
{
    static const char *const names[] = {"00000000.0", "00000000.5"};
    const char *dir = anchors(ctx);
    struct xr_subject subject = contract_subject(ctx, CERT_NEW);

    for (size_t i = 0; i < 2; i++) {
        const char *before = NULL;
        struct xr_store *store = NULL;
        const struct xr_snapshot *now = NULL;
        const struct xr_state *was = NULL;
        enum xr_status status = XR_OK;

        prepare(ctx);
        tree_text(dir, names[i], pem(ctx, CERT_NEW));
        tree_link(dir, hash_name(ctx, CERT_NEW, "0"), names[i]);
        before = contract_image(ctx);
        store = contract_open(ctx, XR_WRITE);
        NEED(store != NULL);
        now = contract_list(ctx, store);
        NEED(now != NULL);
        was = xr_snapshot_find(now, &subject);
        NEED(was != NULL);
        status = contract_swap(ctx, store, was, NULL);
        NEED(status == XR_OK || status == XR_REFUSED);
        if (status == XR_OK)
            NEED(contract_swap(ctx, store, NULL, was) == XR_OK);
        NEED(contract_flush(ctx, store) == XR_OK);
        contract_close(ctx, store);
        NEED(contract_same(ctx, before, contract_image(ctx)));
        TRY(come_and_go(ctx));
        tree_remove(ctx->location);
    }
    return NULL;
}

static const char *foreign_mixed_numbers(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    prepare(ctx);
    tree_text(dir, "a.pem", pem(ctx, CERT_TWIN_A));
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "0"), "a.pem");
    tree_text(dir, hash_name(ctx, CERT_TWIN_A, "1"), pem(ctx, CERT_TWIN_B));
    tree_text(dir, "c.pem", pem(ctx, CERT_TWIN_C));
    tree_link(dir, hash_name(ctx, CERT_TWIN_A, "2"), "c.pem");
    for (enum contract_cert cert = CERT_TWIN_A; cert <= CERT_TWIN_C; cert++) {
        TRY(out_and_back(ctx, cert));
        TRY(moved_and_back(ctx, cert));
    }
    return NULL;
}

static const char *foreign_links(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    prepare(ctx);
    tree_dir(ctx->scratch, "elsewhere");
    tree_text(ctx->scratch, "elsewhere/ca.pem",
              contract_text(ctx, xr_format("text\n%s", pem(ctx, CERT_NEW))));
    tree_link(dir, "ca.pem", "../../elsewhere/ca.pem");
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), "ca.pem");
    TRY(out_and_back(ctx, CERT_NEW));
    TRY(moved_and_back(ctx, CERT_NEW));
    TRY(come_and_go(ctx));
    tree_unlink(dir, "ca.pem");
    tree_unlink(dir, hash_name(ctx, CERT_NEW, "0"));
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), "../../elsewhere/ca.pem");
    TRY(out_and_back(ctx, CERT_NEW));
    TRY(moved_and_back(ctx, CERT_NEW));
    return come_and_go(ctx);
}

static const char *twice_held(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    prepare(ctx);
    tree_text(dir, "one.pem", pem(ctx, CERT_NEW));
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), "one.pem");
    tree_text(dir, "two.pem", contract_text(ctx, xr_format("text\n%s", pem(ctx, CERT_NEW))));
    tree_link(dir, hash_name(ctx, CERT_NEW, "1"), "two.pem");
    NEED(contract_count(ctx) == 2);
    TRY(out_and_back(ctx, CERT_NEW));
    return moved_and_back(ctx, CERT_NEW);
}

/* Neither taken out nor moved; its record has none of the content. */
static const char *kept_as_it_is(struct contract *ctx, enum contract_cert cert)
{
    struct xr_subject subject = contract_subject(ctx, cert);
    const struct xr_state *held = NULL;
    bool ok = false;

    held = contract_held(ctx, &subject, &ok);
    NEED(ok && held != NULL && held->count == 1);
    NEED(held->entries[0]->native.len < 300);
    TRY(swap_refused(ctx, cert, NULL));
    TRY(swap_refused(ctx, cert, contract_wish(ctx, cert, XR_INTERMEDIATE)));
    TRY(swap_refused(ctx, cert, contract_wish(ctx, cert, XR_DISTRUST)));
    return come_and_go(ctx);
}

/* A certificate and so many bytes of comment in all. */
static void write_long(struct contract *ctx, const char *name, size_t len)
{
    struct xr_buf buf = {0};

    xr_buf_str(&buf, pem(ctx, CERT_NEW));
    while (buf.len < len)
        xr_buf_str(&buf, buf.len % 64 == 63 ? "\n" : "#");
    tree_write(anchors(ctx), name, buf.data, buf.len, 0644);
    tree_link(anchors(ctx), hash_name(ctx, CERT_NEW, "0"), name);
    xr_buf_free(&buf);
}

static const char *large_file(struct contract *ctx)
{
    prepare(ctx);
    write_long(ctx, "big.pem", 700 * 1024);
    TRY(kept_as_it_is(ctx, CERT_NEW));
    tree_unlink(anchors(ctx), "big.pem");
    tree_unlink(anchors(ctx), hash_name(ctx, CERT_NEW, "0"));
    write_long(ctx, "big.pem", 512 * 1024 + 1);
    TRY(kept_as_it_is(ctx, CERT_NEW));
    tree_unlink(anchors(ctx), "big.pem");
    tree_unlink(anchors(ctx), hash_name(ctx, CERT_NEW, "0"));
    write_long(ctx, "big.pem", 512 * 1024); /* the largest that can be put back */
    return out_and_back(ctx, CERT_NEW);
}

static const char *private_key(struct contract *ctx)
{
    static const char *const labels[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
                                         "ENCRYPTED PRIVATE KEY"};

    prepare(ctx);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        struct pki_blob key = {0};
        char *text = NULL;
        size_t len = 0;

        NEED(pki_key_der(&key, ctx->key) == 0);
        text = xr_host.pem(labels[i], (struct xr_bytes){key.data, key.len}, &len);
        tree_text(anchors(ctx), "both.pem",
                  contract_text(ctx, i % 2 ? xr_format("%s%s", text, pem(ctx, CERT_NEW))
                                           : xr_format("%s%s", pem(ctx, CERT_NEW), text)));
        xr_host.release(text);
        pki_blob_free(&key);
        tree_link(anchors(ctx), hash_name(ctx, CERT_NEW, "0"), "both.pem");
        TRY(kept_as_it_is(ctx, CERT_NEW));
        tree_unlink(anchors(ctx), "both.pem");
        tree_unlink(anchors(ctx), hash_name(ctx, CERT_NEW, "0"));
    }
    return NULL;
}

/* A certificate with OpenSSL's own trust settings, linked. */
static const char *write_trusted(struct contract *ctx, enum contract_cert cert,
                                 const char *const *trust, const char *const *reject)
{
    struct pki_blob made = {0};
    char *text = NULL;
    size_t len = 0;

    NEED(pki_trusted(&made, &ctx->certs[cert], trust, reject, "mine") == 0);
    text = xr_host.pem("TRUSTED CERTIFICATE", (struct xr_bytes){made.data, made.len}, &len);
    pki_blob_free(&made);
    tree_text(anchors(ctx), "trusted.pem", text);
    xr_host.release(text);
    tree_link(anchors(ctx), hash_name(ctx, cert, "0"), "trusted.pem");
    return NULL;
}

static const char *trusted_file(struct contract *ctx)
{
    static const char *const email[] = {"emailProtection", NULL}, *const server[] = {"serverAuth",
                                                                                     NULL};
    const struct {
        const char *const *trust, *const *reject;
        bool for_server;
    } settings[] = {{email, NULL, false}, {NULL, server, false}, {server, NULL, true}};
    struct xr_subject subject = contract_subject(ctx, CERT_NEW);

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const struct xr_state *held = NULL;
        bool ok = false;

        prepare(ctx);
        TRY(write_trusted(ctx, CERT_NEW, settings[i].trust, settings[i].reject));
        held = contract_held(ctx, &subject, &ok);
        NEED(ok && held != NULL && held->count == 1);
        NEED(held->entries[0]->purposes != XR_ANY_PURPOSE);
        NEED(((held->entries[0]->purposes & XR_SERVER) != 0) == settings[i].for_server);
        NEED(xr_bytes_equal(held->entries[0]->der, contract_der(ctx, CERT_NEW)));
        /* A bundle of plain certificates would trust it for everything. */
        TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
        NEED(in_bundle(ctx, "anchors.pem", CERT_OLD));
        NEED(!in_bundle(ctx, "anchors.pem", CERT_NEW) && !openssl_bundles(ctx, CERT_NEW));
        TRY(out_and_back(ctx, CERT_NEW));
        TRY(moved_and_back(ctx, CERT_NEW));
        TRY(contract_remove(ctx, CERT_OLD));
        TRY(out_and_back(ctx, CERT_NEW));
        TRY(come_and_go(ctx));
        tree_remove(ctx->location);
    }
    return NULL;
}

static const char *changed_meanwhile(struct contract *ctx)
{
    struct xr_subject subject = contract_subject(ctx, CERT_OLD);
    struct xr_store *store = NULL;
    const struct xr_snapshot *now = NULL;
    const char *edited = NULL;

    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    store = contract_open(ctx, XR_WRITE);
    NEED(store != NULL);
    now = contract_list(ctx, store);
    NEED(now != NULL);
    /* An editor takes no lock. */
    tree_text(anchors(ctx), ours(ctx, CERT_OLD),
              contract_text(ctx, xr_format("# note\n%s", pem(ctx, CERT_OLD))));
    edited = contract_image(ctx);
    NEED(contract_swap(ctx, store, xr_snapshot_find(now, &subject), NULL) != XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, edited, contract_image(ctx)));
    return NULL;
}

/* ---- native records ---- */

/* As backends/openssl/openssl.c writes it. */
static struct xr_state *forged(struct contract *ctx, uint32_t form, uint32_t mode, uint32_t number,
                               uint32_t itself, const char *name, size_t name_len, const char *rest)
{
    struct xr_state *want = contract_wish(ctx, CERT_OLD, XR_ANCHOR);
    struct xr_buf native = {0};

    xr_buf_put32(&native, form);
    xr_buf_put32(&native, mode);
    xr_buf_put32(&native, number);
    xr_buf_put32(&native, itself);
    xr_buf_put32(&native, (uint32_t)name_len);
    xr_buf_add(&native, name, name_len);
    xr_buf_str(&native, rest);
    contract_native(contract_entry(want, 0), native.data, native.len);
    xr_buf_free(&native);
    return want;
}

/* Refused outright; what was made on the way is gone with the flush. */
static const char *not_taken(struct contract *ctx, const struct xr_state *want)
{
    const char *before = contract_image(ctx);
    struct xr_store *store = contract_open(ctx, XR_WRITE);
    const struct xr_snapshot *now = NULL;
    enum xr_status status = XR_OK;

    NEED(store != NULL);
    status = contract_swap(ctx, store, NULL, want);
    NEED(status == XR_INVALID || status == XR_REFUSED);
    NEED(ctx->err.text[0] != '\0');
    now = contract_list(ctx, store);
    NEED(now != NULL && now->count == 0);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *hostile_natives(struct contract *ctx)
{
    char longest[300];
    const struct {
        const char *name;
        size_t len;
        bool impossible;
    } names[] = {
        {"../../escape.pem", 16, true},
        {"a/b.pem", 7, true},
        {"..", 2, true},
        {".", 1, true},
        {"nul\0in.pem", 10, true},
        {"", 0, true},
        {longest, 255, false},
        {longest, 256, true},
        {".crossroot-tmp.x", 16, true},
        {".crossroot", 10, false},
        {"good.pem", 8, false},
        {hash_name(ctx, CERT_OLD, "0"), 10, false},
        {hash_name(ctx, CERT_OLD, "3"), 10, true}, /* no link is before it */
        {hash_name(ctx, CERT_NEW, "0"), 10, true}, /* another's */
    };
    static const uint32_t numbers[] = {0, 1, 5, 100000, UINT32_MAX};
    const char *rest[] = {"", "../../outside", pem(ctx, CERT_OLD), "../../../../../etc/passwd"};
    const char *before = NULL;

    memset(longest, 'x', sizeof(longest));
    tree_text(ctx->scratch, "outside", pem(ctx, CERT_OLD));
    before = contract_image(ctx);
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (uint32_t form = 0; form < 5; form++) {
            for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
                uint32_t itself = (uint32_t)((n + k + form) % 2);
                const struct xr_state *want =
                    forged(ctx, form, 0644, numbers[k], itself, names[n].name, names[n].len,
                           rest[form % (sizeof(rest) / sizeof(rest[0]))]);
                const char *failed = names[n].impossible || form > 2 ? not_taken(ctx, want)
                                                                     : contract_survives(ctx, want);

                if (failed == NULL && !contract_same(ctx, before, contract_image(ctx)))
                    failed = contract_fail(ctx, __FILE__, __LINE__, "something is left");
                if (failed != NULL)
                    return contract_text(ctx,
                                         xr_format("name %zu, form %u, number %u, itself %u: %s", n,
                                                   (unsigned)form, (unsigned)numbers[k],
                                                   (unsigned)itself, failed));
            }
        }
    }
    return NULL;
}

static const char *smuggled(struct contract *ctx)
{
    const char *before = contract_image(ctx);

    /* The file's text in the record is another certificate than the entry's. */
    TRY(not_taken(ctx, forged(ctx, 1, 0644, 0, 0, "ca.pem", 6, pem(ctx, CERT_NEW))));
    /* Nor a second one behind it. */
    TRY(not_taken(ctx, forged(ctx, 1, 0644, 0, 0, "ca.pem", 6,
                              contract_text(ctx, xr_format("%s%s", pem(ctx, CERT_OLD),
                                                           pem(ctx, CERT_NEW))))));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *smuggled_by_link(struct contract *ctx)
{
    const char *before = NULL;

    /* The link in the record leads to another certificate than the entry's. */
    tree_text(ctx->scratch, "other.pem", pem(ctx, CERT_NEW));
    before = contract_image(ctx);
    TRY(not_taken(ctx, forged(ctx, 2, 0644, 0, 0, "ca.pem", 6,
                              contract_text(ctx, tree_path(ctx->scratch, "other.pem")))));
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *no_set_user_id(struct contract *ctx)
{
    struct stat st;

    TRY(contract_put(ctx, &forged(ctx, 0, 06777, 0, 0, "ca.pem", 6, "")->subject,
                     forged(ctx, 0, 06777, 0, 0, "ca.pem", 6, "")));
    NEED(stat(in(ctx, "anchors/ca.pem"), &st) == 0);
    NEED((st.st_mode & 07777) == 0777);
    return NULL;
}

/* ---- flush finishes ---- */

static const char *finishes(struct contract *ctx)
{
    const char *dir = anchors(ctx), *whole = NULL;
    size_t len = 0;
    const char *bundle = NULL;

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_TWIN_B, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    TRY(contract_install(ctx, CERT_CRL, XR_CRL));
    whole = contract_image(ctx);
    bundle = contract_text(ctx, tree_read(&len, ctx->location, "anchors.pem"));

    tree_unlink(dir, hash_name(ctx, CERT_TWIN_A, "1"));
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, whole, contract_image(ctx)));

    tree_unlink(ctx->location, "anchors.pem");
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, whole, contract_image(ctx)));

    tree_write(ctx->location, "anchors.pem", bundle, len / 2, 0644);
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, whole, contract_image(ctx)));

    tree_text(ctx->location, ".crossroot-tmp.0123456789abcdef", "half");
    tree_text(dir, ".crossroot-tmp.0123456789abcdef", pem(ctx, CERT_NEW));
    tree_link(dir, ".crossroot-tmp.link", "x");
    NEED(contract_count(ctx) == 4); /* half-written files are nothing */
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, whole, contract_image(ctx)));

    /* A link left behind by a removal that did not get to it. */
    tree_link(dir, hash_name(ctx, CERT_NEW, "0"), ours(ctx, CERT_NEW));
    TRY(flush_only(ctx));
    NEED(contract_same(ctx, whole, contract_image(ctx)));
    return NULL;
}

static const char *fills_holes(struct contract *ctx)
{
    const char *dir = anchors(ctx);

    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_TWIN_B, XR_ANCHOR));
    tree_unlink(dir, hash_name(ctx, CERT_TWIN_A, "0"));
    TRY(flush_only(ctx));
    /* Any order is right, a hole is not: OpenSSL stops looking there. */
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "0")));
    NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, "1")));
    NEED(!tree_has(dir, hash_name(ctx, CERT_TWIN_A, "2")));
    return NULL;
}

static const char *numbers_without_holes(struct contract *ctx)
{
    static const enum contract_cert certs[] = {CERT_TWIN_A, CERT_TWIN_B, CERT_TWIN_C};
    static const char *const digits[] = {"0", "1", "2", "3"};
    const char *dir = anchors(ctx);

    for (size_t first = 0; first < 3; first++) {
        size_t there = 3;

        for (size_t i = 0; i < 3; i++)
            TRY(contract_install(ctx, certs[i], XR_ANCHOR));
        for (size_t i = 0; i < 3; i++) {
            TRY(contract_remove(ctx, certs[(first + i) % 3]));
            there--;
            for (size_t n = 0; n < 4; n++)
                NEED(tree_has(dir, hash_name(ctx, CERT_TWIN_A, digits[n])) == (n < there));
        }
    }
    return NULL;
}

static const char *crl_number(struct contract *ctx)
{
    TRY(contract_install(ctx, CERT_CRL, XR_CRL));
    NEED(tree_has(in(ctx, "crls"), hash_name(ctx, CERT_OLD, "r0"))); /* named by its issuer */
    return NULL;
}

/* ---- OpenSSL's own word ---- */

static const char *openssl_verify(struct contract *ctx)
{
    const char *leaf = contract_text(ctx, tree_path(ctx->scratch, "leaf.pem"));
    const char *sub = contract_text(ctx, tree_path(ctx->scratch, "sub.pem"));
    const char *at = contract_text(ctx, xr_format("%lld", (long long)CONTRACT_NOW));
    const char *dir = anchors(ctx), *untrusted = in(ctx, "intermediates.pem");
    const char *const by_dir[] = {
        "openssl", "verify", "-no-CAstore", "-no-CAfile", "-CApath", dir, "-untrusted", untrusted,
        "-attime", at,       "-untrusted",  sub,          leaf,      NULL};
    const char *const by_file[] = {
        "openssl",    "verify",  "-no-CAstore", "-no-CApath", "-CAfile",    in(ctx, "anchors.pem"),
        "-untrusted", untrusted, "-attime",     at,           "-untrusted", sub,
        leaf,         NULL};

    tree_text(ctx->scratch, "leaf.pem", pem(ctx, CERT_LEAF));
    tree_text(ctx->scratch, "sub.pem", pem(ctx, CERT_SUB));
    TRY(contract_install(ctx, CERT_TWIN_A, XR_ANCHOR));
    TRY(contract_install(ctx, CERT_CROSS, XR_INTERMEDIATE));
    NEED(run(by_dir) != 0 && run(by_file) != 0);
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(run(by_dir) == 0);
    NEED(run(by_file) == 0);
    TRY(contract_remove(ctx, CERT_OLD));
    NEED(run(by_dir) != 0 && run(by_file) != 0);
    return NULL;
}

static const char *distrust_leaves_anchors(struct contract *ctx)
{
    const char *const verify[] = {"openssl",
                                  "verify",
                                  "-no-CAstore",
                                  "-no-CAfile",
                                  "-CApath",
                                  anchors(ctx),
                                  "-attime",
                                  contract_text(ctx, xr_format("%lld", (long long)CONTRACT_NOW)),
                                  contract_text(ctx, tree_path(ctx->scratch, "old.pem")),
                                  NULL};

    tree_text(ctx->scratch, "old.pem", pem(ctx, CERT_OLD));
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(run(verify) == 0);
    TRY(contract_install(ctx, CERT_OLD, XR_DISTRUST));
    NEED(run(verify) != 0);
    NEED(!tree_has(ctx->location, "anchors.pem"));
    return NULL;
}

const struct contract_case contract_directory_cases[] = {
    {"A store that is a link is refused.", link_as_store},
    {"A place that is a link or a file is never written through.", link_as_place},
    {"A store that is a file is refused.", file_as_store},
    {"A hostile record of what is ours leads nowhere.", hostile_manifest},
    {"A record of what is ours that is a link is neither believed nor replaced.",
     manifest_is_a_link},
    {"Two paths of one directory have one identity.", same_place},
    {"A pipe among the files stops nobody.", fifo_inside},
    {"Directories that were there stay.", kept_directories},
    {"What somebody put beside ours meanwhile stays.", arrived_meanwhile},
    {"A directory made with openssl rehash is read right and left as it was.", rehashed},
    {"Links by the old hash stay.", rehashed_compat},
    {"A second link to one file stays.", two_links},
    {"The links of a file with several certificates stay.", several_in_one},
    {"A certificate in a file with others is left alone.", several_stay},
    {"A foreign link to nowhere keeps its name, and ours is refused behind it.", taken_dangling},
    {"A foreign file without a certificate keeps its name, and ours is refused behind it.",
     taken_junk},
    {"A foreign certificate under another's hash keeps its name.", taken_misnamed},
    {"A directory under a hash keeps its name, and ours is refused behind it.", taken_directory},
    {"A removal hides no other of the name in front of a dangling link.", taken_behind_dangling},
    {"A removal hides no other of the name in front of a misnamed file.", taken_behind_misnamed},
    {"Odd numbers behind a hash stay.", taken_odd_numbers},
    {"A file behind a gap is not exposed.", behind_a_gap},
    {"A file that is its own link behind a gap is not exposed.", file_behind_a_gap},
    {"A refusal because of a gap writes nothing at all.", refusal_writes_nothing},
    {"A file behind a gap that others are in front of is not exposed.", gap_after_found},
    {"A file taken out before a gap comes back, and what is behind stays hidden.",
     out_before_a_gap},
    {"A file taken out before a dangling link comes back, and what is behind stays hidden.",
     out_before_a_dangling_link},
    {"One of ours taken out before a dangling link exposes nothing behind it.",
     ours_out_before_hidden},
    {"The verifier stops where OpenSSL stops.", verifier_as_openssl},
    {"A file that OpenSSL cannot read holds nothing, and hides what is behind it.",
     read_as_openssl},
    {"Foreign bundles come back.", foreign_bundles},
    {"Foreign bundles that are links come back.", linked_bundles},
    {"A foreign file without a link is nothing, and stays nothing after our install.", unlinked},
    {"A foreign file without a link stays when the same certificate comes and goes as ours.",
     unlinked_and_ours},
    {"A disabled certificate is in no bundle, and OpenSSL still refuses it after our install.",
     disabled},
    {"Intermediates and CRLs of others without a link are nothing.", unlinked_elsewhere},
    {"Foreign files without a link are left byte for byte.", foreign_without_links},
    {"Foreign files are put back byte for byte.", foreign_back},
    {"Foreign files are put back byte for byte beside ours.", foreign_back_beside_ours},
    {"Foreign files come back from another place byte for byte.", foreign_moved},
    {"Certificates directly under their hash are put back.", foreign_itself},
    {"A file named like another's link is put back or left alone.", foreign_misnamed},
    {"Links and files under one hash are put back.", foreign_mixed_numbers},
    {"Links to elsewhere are put back.", foreign_links},
    {"A certificate in two files is put back in both.", twice_held},
    {"A file too large to be kept is left alone.", large_file},
    {"A file with a private key is left alone, and the key is not copied.", private_key},
    {"A file with trust settings keeps them and stays out of the bundle.", trusted_file},
    {"A file that changed meanwhile is not removed.", changed_meanwhile},
    {"Forged native records stay inside the store.", hostile_natives},
    {"A native record cannot bring another certificate.", smuggled},
    {"A native record cannot link to another certificate.", smuggled_by_link},
    {"A native record cannot make a program of a certificate.", no_set_user_id},
    {"A flush finishes what was interrupted.", finishes},
    {"A flush leaves no hole in the numbers.", fills_holes},
    {"Numbers have no hole whatever is removed first.", numbers_without_holes},
    {"A CRL is named by its issuer.", crl_number},
    {"OpenSSL itself verifies with the directory and with the bundle.", openssl_verify},
    {"A distrusted certificate is no anchor for OpenSSL.", distrust_leaves_anchors},
};
const size_t contract_directory_case_count =
    sizeof(contract_directory_cases) / sizeof(contract_directory_cases[0]);
