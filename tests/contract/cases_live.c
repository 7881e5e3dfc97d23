/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for a running system: its own root, whose hooks are run. A child makes the stock its root,
 * so that no other system can be meant. */
#include "cases.h"
#include "stock.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where hooks are, and how the ones that run are called; NULL: the layout has none. */
static const char *hook(const struct contract *ctx)
{
    static const struct {
        const char *layout, *path;
    } hooks[] = {
        {"debian", "etc/ca-certificates/update.d/xr-hook"},
        {"alpine", "etc/ca-certificates/update.d/xr-hook"},
        {"suse", "usr/lib/ca-certificates/update.d/90xr.run"},
    };

    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
        if (strcmp(hooks[i].layout, ctx->kind->layout) == 0)
            return hooks[i].path;
    }
    return NULL;
}

static const char *why_skipped(const struct contract *ctx)
{
    if (hook(ctx) == NULL)
        return "the layout has no hooks";
    if (geteuid() != 0)
        return "not here: only root can change its root";
    return (ctx->backend->table.flags & XR_BACKEND_WORKER) != 0 ? "no helper is in that root"
                                                                : NULL;
}

static void put_hook(struct contract *ctx, const char *path, unsigned mode)
{
    size_t len = 0;
    char *program = tree_read(&len, XR_TEST_BIN_DIR "/tests/contract/plugins", "hook");

    tree_write(ctx->location, path, program, len, mode);
    free(program);
}

static const char *said(struct contract *ctx)
{
    return tree_has(ctx->location, "hook.log")
               ? contract_text(ctx, tree_read(NULL, ctx->location, "hook.log"))
               : "";
}

/* Runs what in a child whose root the stock is; its text comes back through a pipe. */
static const char *inside(struct contract *ctx, contract_fn what)
{
    int answer[2];
    pid_t pid = 0;
    int state = 0;
    char text[1024] = "";
    ssize_t got = 0;

    NEED(pipe(answer) == 0);
    pid = fork();
    if (pid == 0) {
        const char *failed = chroot(ctx->location) != 0 || chdir("/") != 0 ? "no chroot" : NULL;

        free(ctx->location);
        ctx->location = xr_strdup("/");
        if (failed == NULL)
            failed = what(ctx);
        if (failed != NULL && write(answer[1], failed, strlen(failed)) < 0)
            _exit(2);
        _exit(failed != NULL);
    }
    (void)close(answer[1]);
    got = read(answer[0], text, sizeof(text) - 1);
    (void)close(answer[0]);
    NEED(pid > 0 && waitpid(pid, &state, 0) == pid && got >= 0);
    if (text[0] != '\0')
        return contract_text(ctx, xr_strdup(text));
    NEED(state == 0);
    return NULL;
}

static const char *install(struct contract *ctx)
{
    return contract_install(ctx, CERT_OLD, XR_ANCHOR);
}

static const char *take_away(struct contract *ctx)
{
    return contract_remove(ctx, CERT_OLD);
}

static const char *look(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL && store->caps.writable);
    NEED(contract_flush(ctx, store) == XR_OK);
    contract_close(ctx, store);
    return NULL;
}

static const char *flush_warns(struct contract *ctx)
{
    struct xr_store *store = contract_open(ctx, XR_WRITE);

    NEED(store != NULL);
    NEED(contract_swap(ctx, store, NULL, contract_wish(ctx, CERT_OLD, XR_ANCHOR)) == XR_OK);
    NEED(contract_flush(ctx, store) == XR_WARNED);
    NEED(strstr(ctx->err.text, "exited with 3") != NULL);
    NEED(strstr(ctx->err.text, "the hook was made to fail") != NULL);
    NEED(contract_list(ctx, store) != NULL);
    NEED(contract_flush(ctx, store) ==
         XR_WARNED); /* nothing has changed since, but it is run again */
    contract_close(ctx, store);
    return NULL;
}

static const char *told(struct contract *ctx)
{
    const char *before = NULL, *why = why_skipped(ctx);
    bool lines = stock_find(ctx->kind->layout)->conf != NULL;

    if (why != NULL)
        return contract_skip(ctx, why);
    put_hook(ctx, hook(ctx), 0755);
    before = contract_image(ctx);
    TRY(inside(ctx, look));
    NEED(said(ctx)[0] == '\0'); /* nothing changed, so there is nothing to tell */
    TRY(inside(ctx, install));
    NEED(strncmp(said(ctx), "/", 1) == 0 && strstr(said(ctx), hook(ctx)) != NULL);
    NEED(strstr(said(ctx), lines ? " 1 /etc/ssl/certs\n" : " 1 /\n") != NULL);
    NEED(!lines || strstr(said(ctx), "\n+/etc/ssl/certs/") != NULL);
    tree_unlink(ctx->location, "hook.log");
    TRY(inside(ctx, take_away));
    NEED(strstr(said(ctx), hook(ctx)) != NULL);
    NEED(!lines || strstr(said(ctx), "\n-/etc/ssl/certs/") != NULL);
    tree_unlink(ctx->location, "hook.log");
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *only_hooks(struct contract *ctx)
{
    const char *why = why_skipped(ctx);
    const char *endings[] = {".dpkg-old", "~", ".run.bak"};

    if (why != NULL)
        return contract_skip(ctx, why);
    put_hook(ctx, hook(ctx), 0644); /* not executable */
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        put_hook(ctx, contract_text(ctx, xr_format("%s%s", hook(ctx), endings[i])), 0755);
    }
    TRY(inside(ctx, install)); /* the stock's own hook, which is no program, is not run either */
    NEED(said(ctx)[0] == '\0');
    return NULL;
}

static const char *hook_fails(struct contract *ctx)
{
    const struct stock *stock = stock_find(ctx->kind->layout);
    const char *why = why_skipped(ctx);
    size_t len = 0;
    const char *pem = NULL;

    if (why != NULL)
        return contract_skip(ctx, why);
    put_hook(ctx, hook(ctx), 0755);
    tree_text(ctx->location, "hook.fails", "");
    TRY(inside(ctx, flush_warns));
    pem = contract_text(ctx, xr_host.pem("CERTIFICATE", contract_der(ctx, CERT_OLD), &len));
    NEED(strstr(contract_text(ctx, tree_read(NULL, ctx->location, stock->bundle)), pem) != NULL);
    tree_unlink(ctx->location, "hook.fails");
    if (said(ctx)[0] != '\0')
        tree_unlink(ctx->location, "hook.log");
    TRY(inside(ctx, look)); /* until it works */
    NEED(said(ctx)[0] != '\0');
    tree_unlink(ctx->location, "hook.log");
    TRY(inside(ctx, look));
    NEED(said(ctx)[0] == '\0');
    return NULL;
}

static const char *owed(struct contract *ctx)
{
    const struct stock *stock = stock_find(ctx->kind->layout);
    const char *why = why_skipped(ctx), *before = NULL;
    const char *marker = stock->conf != NULL ? "etc/ssl/certs/.crossroot-hooks"
                                             : "var/lib/ca-certificates/.crossroot-hooks";

    if (why != NULL)
        return contract_skip(ctx, why);
    put_hook(ctx, hook(ctx), 0755);
    before = contract_image(ctx);
    tree_text(ctx->location, marker, "+/etc/ssl/certs/owed.pem\n");
    TRY(inside(ctx, look)); /* nothing else changed */
    NEED(strstr(said(ctx), "\n+/etc/ssl/certs/owed.pem\n") != NULL);
    tree_unlink(ctx->location, "hook.log");
    NEED(contract_same(ctx, before, contract_image(ctx)));
    return NULL;
}

static const char *image_runs_nothing(struct contract *ctx)
{
    const char *why = why_skipped(ctx);

    if (why != NULL)
        return contract_skip(ctx, why);
    put_hook(ctx, hook(ctx), 0755);
    TRY(contract_install(ctx, CERT_OLD, XR_ANCHOR));
    NEED(said(ctx)[0] == '\0' && !tree_has("/", "hook.log"));
    return NULL;
}

const struct contract_case contract_live_cases[] = {
    {"Hooks are told what changed, and only then.", told},
    {"What is no hook by its name or mode is not run, nor is one whose outputs we make.",
     only_hooks},
    {"A hook that fails is a warning, and told once.", hook_fails},
    {"Hooks that an interrupted run still owed are told by the next.", owed},
    {"Nothing of an image is run.", image_runs_nothing},
};
const size_t contract_live_case_count =
    sizeof(contract_live_cases) / sizeof(contract_live_cases[0]);
