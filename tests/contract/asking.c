/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include "pki.h"
#include "tree.h"

#include <dirent.h>
#include <stdlib.h>

#define NOW INT64_C(1760000000)

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "asking: %s\n", what);
        abort();
    }
}

static void make_certs(struct asking *a)
{
    struct pki_key *key = pki_key_new(PKI_EC), *other = pki_key_new(PKI_EC);
    struct pki_spec spec = pki_spec_ca("Quirky Root", NOW), below = pki_spec_ca("Quirky Sub", NOW);
    struct pki_blob der = {0}, sub = {0};

    must(pki_issue(&der, key, NULL, NULL, &spec) == 0 &&
             pki_issue(&sub, other, &der, key, &below) == 0,
         "certificates");
    must(pki_write_pem(a->cert, PKI_LABEL_CERT, &der) == 0 &&
             pki_write_pem(a->cross, PKI_LABEL_CERT, &sub) == 0,
         "files");
    pki_blob_free(&der);
    pki_blob_free(&sub);
    pki_key_free(key);
    pki_key_free(other);
}

void asking_begin(struct asking *a)
{
    size_t len = 0;
    char *data = tree_read(&len, XR_PLUGINS, "quirky.so");

    *a = (struct asking){.dir = tree_new("asking")};
    tree_write(a->dir, "quirky.so", data, len, 0755);
    free(data);
    a->plugin = tree_path(a->dir, "quirky.so");
    a->state = tree_path(a->dir, "state");
    a->cert = tree_path(a->dir, "root.pem");
    a->cross = tree_path(a->dir, "sub.pem");
    make_certs(a);
    a->site = (struct xr_site){.size = sizeof(a->site), .home = a->dir};
    a->rq = (struct xr_request){.size = sizeof(a->rq),
                                .site = &a->site,
                                .scope = XR_SCOPE_USER,
                                .state_dir = a->state,
                                .worker = XR_TEST_BIN_DIR "/core/worker",
                                .now = NOW,
                                .yes = true};
}

void asking_end(struct asking *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->stores[i]);
    xr_report_free(a->report);
    tree_remove(a->dir);
    free(a->dir);
    free(a->plugin);
    free(a->state);
    free(a->cert);
    free(a->cross);
}

static char *store_dir(struct asking *a, size_t store)
{
    char name[24];

    (void)snprintf(name, sizeof(name), "s%zu", store);
    return tree_path(a->dir, name);
}

void asking_quirk(struct asking *a, size_t store, const char *name, const char *text)
{
    char *dir = store_dir(a, store);

    tree_text(dir, name, text);
    free(dir);
}

void asking_unquirk(struct asking *a, size_t store, const char *name)
{
    char *dir = store_dir(a, store);

    tree_unlink(dir, name);
    free(dir);
}

bool asking_has(struct asking *a, size_t store, const char *name)
{
    char *dir = store_dir(a, store);
    bool has = tree_has(dir, name);

    free(dir);
    return has;
}

void asking_store(struct asking *a, const char *const *quirks)
{
    char name[24];
    char *dir = store_dir(a, a->count);

    must(a->count < ASKING_STORES, "too many stores");
    (void)snprintf(name, sizeof(name), "s%zu", a->count);
    tree_dir(a->dir, name);
    for (; quirks != NULL && quirks[0] != NULL; quirks += 2)
        tree_text(dir, quirks[0], quirks[1]);
    a->stores[a->count++] = xr_format("quirky:%s", dir);
    free(dir);
}

size_t asking_entries(struct asking *a, size_t store)
{
    char *path = store_dir(a, store);
    DIR *dir = opendir(path);
    const struct dirent *found = NULL;
    size_t count = 0;

    while (dir != NULL && (found = readdir(dir)) != NULL)
        count += strlen(found->d_name) == 66;
    if (dir != NULL)
        (void)closedir(dir);
    free(path);
    return count;
}

int asking_run(struct asking *a, enum xr_verb verb, const char *operand, size_t count)
{
    xr_report_free(a->report);
    a->rq.verb = verb;
    a->operands[0] = operand;
    a->operands[1] = a->also;
    a->rq.plugins = (struct xr_words){(const char *const *)&a->plugin, 1};
    a->rq.operands = (struct xr_words){a->operands, operand == NULL ? 0u : a->also ? 2u : 1u};
    a->rq.stores = (struct xr_words){(const char *const *)a->stores, count};
    a->report = xr_run_request(&a->rq);
    return xr_report_exit(a->report);
}

char *asking_log(struct asking *a, size_t store)
{
    char *dir = store_dir(a, store);
    size_t len = 0, sessions = 0;
    char *data = tree_read(&len, dir, "log");
    struct xr_buf out = {0};
    long pids[64];

    for (char *line = strtok(data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *what = NULL;
        long pid = strtol(line, &what, 10);
        size_t at = 0;

        while (at < sessions && pids[at] != pid)
            at++;
        if (at == sessions && sessions < 64)
            pids[sessions++] = pid;
        xr_buf_fmt(&out, "%s%zu%s", out.len > 0 ? ", " : "", at + 1, what);
    }
    free(data);
    free(dir);
    return out.data != NULL ? out.data : xr_strdup("");
}

const char *asking_message(struct asking *a, size_t store, size_t count)
{
    for (size_t i = 0; i < a->report->messages.count; i++) {
        const struct xr_message *message = &a->report->messages.items[i];

        if (store != SIZE_MAX &&
            (message->store == NULL || strcmp(message->store, a->stores[store]) != 0))
            continue;
        if (count-- == 0)
            return message->text;
    }
    return "";
}

static char *written(struct asking *a, const struct xr_text_style *style)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    must(out != NULL, "memory");
    if (style == NULL) {
        xr_report_json(a->report, out);
    } else {
        xr_report_text(a->report, style, out);
        xr_report_messages(a->report, style, out);
    }
    (void)fclose(out);
    return text;
}

char *asking_json(struct asking *a)
{
    return written(a, NULL);
}

char *asking_text(struct asking *a, bool verbose)
{
    const struct xr_text_style style = {.size = sizeof(style), .verbose = verbose};

    return written(a, &style);
}
