/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target without libFuzzer: its seeds, and variants of them that are the same each time.
 *
 *   replay-NAME [COUNT]      the seeds and COUNT variants
 *   replay-NAME --write DIR  writes the seeds there, a corpus for fuzz-NAME
 *   replay-NAME FILE...      these inputs
 *
 * An input that ends the process is left in $XR_CRASHES, or in the working directory, as
 * crash-NAME. */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT 3000u
#define SIZE_MAX_SEED ((size_t)48 << 10) /* larger ones have no variants */
#define LIMIT_SECONDS 10                 /* of processor time: what takes longer hangs */

/* ---- what is left of an input that ends the process ---- */

static const unsigned char *current;
static size_t current_len;
static char crash_path[512];

static void keep_input(int signal_number)
{
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd >= 0) {
        ssize_t put = write(fd, current, current_len);

        (void)put;
        (void)close(fd);
    }
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number == SIGVTALRM ? SIGABRT : signal_number);
}

static void catch_signals(const char *program)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGVTALRM};
    const char *dir = getenv("XR_CRASHES"), *name = strrchr(program, '/');

    name = name != NULL ? name + 1 : program;
    name = strncmp(name, "replay-", 7) == 0 ? name + 7 : name;
    (void)snprintf(crash_path, sizeof(crash_path), "%s/crash-%s", dir != NULL ? dir : ".", name);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)signal(signals[i], keep_input);
}

/* ---- running ---- */

static int64_t used_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Returns nanoseconds of processor time. */
static int64_t run(const void *data, size_t len)
{
    static const struct itimerval limit = {.it_value = {.tv_sec = LIMIT_SECONDS}};
    unsigned char *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer guards its end */
    int64_t before = used_ns();

    CHECK(exact != NULL);
    if (len > 0)
        memcpy(exact, data, len);
    current = exact;
    current_len = len;
    (void)setitimer(ITIMER_VIRTUAL, &limit, NULL);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return used_ns() - before;
}

/* ---- variants ---- */

static uint64_t random_state = 1;

static size_t pick(size_t below)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return below == 0 ? 0 : (size_t)((z ^ z >> 31) % below);
}

static void replace(struct xr_buf *buf, size_t at, size_t gone, const void *with, size_t len)
{
    struct xr_buf out = {0};

    xr_buf_add(&out, buf->data, at);
    xr_buf_add(&out, with, len);
    xr_buf_add(&out, buf->data + at + gone, buf->len - at - gone);
    xr_buf_free(buf);
    *buf = out;
}

static void change(struct xr_buf *buf, const struct fuzz_corpus *corpus)
{
    static const unsigned char odd[] = {0,    1,    0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, 0x30, 0x31,
                                        0x02, 0x05, 0x1f, '\n', '\r', '-',  '"',  '\\', '%',  '='};
    const struct xr_buf *other = &corpus->items[pick(corpus->count)];
    size_t at = pick(buf->len), len = pick(buf->len - at) % 64 + 1;
    unsigned char bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = odd[pick(sizeof(odd))];
    if (buf->len == 0) {
        xr_buf_add(buf, bytes, sizeof(bytes));
        return;
    }
    len = len < buf->len - at ? len : buf->len - at;
    switch (pick(9)) {
    case 0:
        buf->data[at] = (char)(buf->data[at] ^ 1 << pick(8));
        break;
    case 1:
        buf->data[at] = (char)bytes[0];
        break;
    case 2:
        buf->data[at] = (char)(buf->data[at] + (pick(2) ? 1 : -1));
        break;
    case 3: /* a cut */
        buf->len = pick(8) == 0 ? at : buf->len - pick(buf->len < 32 ? buf->len : 32);
        break;
    case 4:
        replace(buf, at, len, NULL, 0);
        break;
    case 5:
        replace(buf, at, 0, bytes, pick(sizeof(bytes)) + 1);
        break;
    case 6: { /* twice */
        struct xr_buf copy = {0};

        xr_buf_add(&copy, buf->data + at, len);
        replace(buf, at, 0, copy.data, copy.len);
        xr_buf_free(&copy);
        break;
    }
    case 7: /* a part of another one */
        if (other->len > 0) {
            size_t from = pick(other->len), some = pick(other->len - from) + 1;

            replace(buf, at, pick(2) ? len : 0, other->data + from, some);
        }
        break;
    default:
        memcpy(buf->data + at, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
    }
}

static void replay(const struct fuzz_corpus *corpus, size_t count)
{
    int64_t slowest = 0;

    CHECK(corpus->count > 0);
    for (size_t i = 0; i < corpus->count + count; i++) {
        struct xr_buf input = {0};
        const struct xr_buf *seed = &corpus->items[i % corpus->count];
        int64_t took = 0;

        if (i >= corpus->count && seed->len > SIZE_MAX_SEED)
            continue;
        xr_buf_add(&input, seed->data, seed->len);
        for (size_t k = i < corpus->count ? 0 : pick(4) + 1; k > 0; k--)
            change(&input, corpus);
        if (i >= corpus->count && input.len > SIZE_MAX_SEED)
            input.len = SIZE_MAX_SEED;
        took = run(input.data, input.len);
        slowest = took > slowest ? took : slowest;
        xr_buf_free(&input);
    }
    (void)printf("%zu inputs of %zu seeds; the slowest took %lld ms\n", corpus->count + count,
                 corpus->count, (long long)slowest / 1000000);
}

static void write_seeds(const struct fuzz_corpus *corpus, const char *dir)
{
    for (size_t i = 0; i < corpus->count; i++) {
        char *path = xr_format("%s/seed-%zu", dir, i);

        fuzz_write(path, fuzz_buf_bytes(&corpus->items[i]));
        free(path);
    }
}

static void replay_file(const char *path)
{
    struct xr_buf data = {0};
    char part[4096];
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    while ((got = read(fd, part, sizeof(part))) > 0)
        xr_buf_add(&data, part, (size_t)got);
    (void)close(fd);
    (void)printf("%s: %lld ms\n", path, (long long)run(data.data, data.len) / 1000000);
    xr_buf_free(&data);
}

int main(int argc, char **argv)
{
    struct fuzz_corpus corpus = {0};
    char *end = NULL;
    unsigned long count = argc > 1 ? strtoul(argv[1], &end, 10) : COUNT_DEFAULT;

    catch_signals(argv[0]);
    if (end != NULL && *end != '\0' && strcmp(argv[1], "--write") != 0) {
        for (int i = 1; i < argc; i++)
            replay_file(argv[i]);
        return 0;
    }
    fuzz_seeds(&corpus);
    if (end != NULL && *end != '\0')
        write_seeds(&corpus, argc > 2 ? argv[2] : ".");
    else
        replay(&corpus, count);
    for (size_t i = 0; i < corpus.count; i++)
        xr_buf_free(&corpus.items[i]);
    free(corpus.items);
    return 0;
}
