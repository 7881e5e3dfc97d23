/* SPDX-License-Identifier: Apache-2.0 */
/* crossroot --version -v. Labels of a bug report, which its readers search for: never translated. */
#include "options.h"
#include "platform.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Paths come from variables and files of others, and versions from libraries. */
static void row(FILE *out, const char *label, const char *value)
{
    char *shown = xr_shown(value);

    (void)fprintf(out, "%-18s%s\n", label, shown);
    free(shown);
}

static void backend_row(void *ctx, const struct xr_known_backend *backend)
{
    FILE *out = ctx;
    char *text = NULL;

    if (backend->why != NULL)
        text = platform_text("not loaded: %s", backend->why);
    else
        text = platform_text("%s: %s", backend->name,
                             backend->plugin != NULL ? backend->plugin : "built in");
    row(out, "backend", text);
    free(text);
}

static void library_row(void *ctx, const char *name, const char *found)
{
    FILE *out = ctx;
    char *text = platform_text("%s: %s", name, found);

    row(out, "library", text);
    free(text);
}

/* The distribution's own store, as the backend for it recognises it. */
static void layout_rows(FILE *out, const struct options *o, const struct here *here,
                        const struct xr_words *plugins)
{
    const char *const only = "ca-certificates";
    const struct xr_site site = {.size = sizeof(site),
                                 .root = o->root,
                                 .home = here->home,
                                 .uid = here->uid,
                                 .layout = o->layout};
    const struct xr_request rq = {.size = sizeof(rq),
                                  .verb = XR_VERB_STORES,
                                  .stores = {&only, 1},
                                  .plugins = *plugins,
                                  .site = &site,
                                  .scope = XR_SCOPE_SYSTEM,
                                  .worker = o->worker,
                                  .now = (int64_t)time(NULL)};
    struct xr_report *report = xr_run_request(&rq);
    struct xr_report_store store = {.size = sizeof(store)};
    size_t i = 0;

    for (; xr_report_store(report, i, &store); i++) {
        char *text = platform_text("%s: %s", store.address,
                                   store.why != NULL ? store.why
                                   : store.caps != NULL && store.caps->summary[0] != '\0'
                                       ? store.caps->summary
                                       : "no name");

        row(out, "system's store", text);
        free(text);
    }
    if (i == 0)
        row(out, "system's store", "none that is known");
    xr_report_free(report);
}

void version_tell(const struct options *o, FILE *out)
{
    struct xr_about about = {.size = sizeof(about)};
    struct here here;
    char *system = platform_system(), *build = NULL, *worker = NULL;
    char **paths = calloc(o->plugins.count + 1, sizeof(*paths));
    struct xr_words plugins = {(const char *const *)paths, o->plugins.count};

    if (paths == NULL)
        abort();
    for (size_t i = 0; i < o->plugins.count; i++)
        paths[i] = platform_path(o->plugins.items[i]);
    platform_find(&here, o->root != NULL);
    xr_about_library(&about);
    build = platform_text("%s, %s", about.compiler, about.options);
    worker = platform_text("%s%s", o->worker != NULL ? o->worker : about.worker,
                           platform_runs(o->worker != NULL ? o->worker : about.worker)
                               ? ""
                               : ": not there, or not executable");
    (void)fprintf(out, "crossroot %s\n", xr_version());
    row(out, "commit", about.commit[0] != '\0' ? about.commit : "not known");
    row(out, "build", build);
    row(out, "system", system);
    row(out, "library", about.openssl);
    library_row(out, "jansson", about.jansson);
    libraries_tell(library_row, out);
    row(out, "plugin directory", xr_plugin_dir());
    xr_known_backends(&plugins, backend_row, out);
#ifndef _WIN32 /* where all runs in this process */
    row(out, "helper program", worker);
#endif
    row(out, "state directory",
        o->state != NULL     ? o->state
        : here.state != NULL ? here.state
                             : "none: there is no home");
    layout_rows(out, o, &here, &plugins);
    for (size_t i = 0; i < o->plugins.count; i++)
        free(paths[i]);
    free((void *)paths);
    free(system);
    free(build);
    free(worker);
    platform_free(&here);
}
