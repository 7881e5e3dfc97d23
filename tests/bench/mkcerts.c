/* xr-mkcerts N DIR [FAMILY]: writes N distinct CA certificates as DIR/NNNNNN.pem, every eighth (or
 * every FAMILY-th) of them a self-signed root that signs those after it. xr-bareloop relies on that
 * order. A FAMILY of "key" makes roots of one key. */
#include "pki.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAMILY = 8, MOST = 1000000 };

struct job {
    const char *dir;
    unsigned long count, family;
    int64_t now;
    struct pki_key *key; /* of all, or NULL */
};

struct root {
    struct pki_key *key;
    struct pki_blob cert;
};

static void root_clear(struct root *root)
{
    pki_key_free(root->key);
    pki_blob_free(&root->cert);
    root->key = NULL;
}

/* With `root` empty the certificate becomes the new root, unless all are roots of `shared`. */
static int make_one(const char *path, const char *cn, int64_t now, struct root *root,
                    const struct pki_key *shared)
{
    int ret = -1;
    struct pki_blob cert = {0};
    struct pki_spec spec = pki_spec_ca(cn, now);
    spec.o = "Crossroot Bench";
    if (shared != NULL) {
        ret = pki_issue(&cert, shared, NULL, NULL, &spec) == 0 &&
                      pki_write_pem(path, PKI_LABEL_CERT, &cert) == 0
                  ? 0
                  : -1;
        pki_blob_free(&cert);
        return ret;
    }
    bool is_root = root->key == NULL;
    struct pki_key *key = pki_key_new(PKI_EC);
    if (key == NULL || pki_issue(&cert, key, is_root ? NULL : &root->cert, root->key, &spec) != 0 ||
        pki_write_pem(path, PKI_LABEL_CERT, &cert) != 0)
        goto out;
    if (is_root) {
        *root = (struct root){key, cert};
        return 0;
    }
    ret = 0;
out:
    pki_blob_free(&cert);
    pki_key_free(key);
    return ret;
}

/* Makes the families first, first + step, … */
static int make_share(const struct job *job, unsigned long first, unsigned long step)
{
    struct root root = {0};
    char path[PATH_MAX];
    char cn[64];
    int ret = 0;
    for (unsigned long i = first * job->family; i < job->count && ret == 0;) {
        const char *what = i % job->family == 0 ? "Root" : "CA";
        snprintf(path, sizeof path, "%s/%06lu.pem", job->dir, i);
        snprintf(cn, sizeof cn, "Crossroot Bench %s %06lu", what, i);
        if (make_one(path, cn, job->now, &root, job->key) != 0)
            ret = pki_fail(path);
        if (++i % job->family == 0) {
            root_clear(&root);
            i += (step - 1) * job->family;
        }
    }
    root_clear(&root);
    return ret;
}

static int make_all(const struct job *job)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned long shares = cpus > 1 ? (unsigned long)cpus : 1;
    unsigned long started = 0;
    int ret = 0;
    for (; started < shares; started++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(make_share(job, started, shares) == 0 ? 0 : 1);
        if (pid < 0) {
            perror("fork");
            ret = -1;
            break;
        }
    }
    for (; started > 0; started--) {
        int status = 0;
        if (wait(&status) < 0 || status != 0)
            ret = -1;
    }
    return ret;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long count = argc == 3 || argc == 4 ? strtoul(argv[1], &end, 10) : 0;
    bool one_key = argc == 4 && strcmp(argv[3], "key") == 0;
    unsigned long family = argc == 4 && !one_key ? strtoul(argv[3], NULL, 10) : FAMILY;
    if (count == 0 || count > MOST || *end != '\0' || family == 0) {
        fprintf(stderr, "usage: xr-mkcerts N DIR [FAMILY | key] (N from 1 to %d)\n", MOST);
        return 2;
    }
    if (mkdir(argv[2], 0755) != 0 && errno != EEXIST) {
        pki_fail(argv[2]);
        return 1;
    }
    struct job job = {argv[2], count, family, (int64_t)time(NULL),
                      one_key ? pki_key_new(PKI_EC) : NULL};
    int ret = one_key && job.key == NULL ? pki_fail("a key") : make_all(&job);
    pki_key_free(job.key);
    return ret == 0 ? 0 : 1;
}
