/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists trust stores and what they hold, by libcrossroot:
 *
 *   cc -std=gnu11 -o stores stores.c $(pkg-config --cflags --libs crossroot)
 *   ./stores [STORE]...
 *
 * Without a name it lists the stores that this user can change.
 */
#include <crossroot/crossroot.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Names come from certificates and may hold anything, so only harmless characters are shown. */
static void show(const char *text)
{
    for (; *text != '\0'; text++)
        (void)putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void show_entries(const struct xr_report *report, size_t store)
{
    struct xr_report_entry entry = {.size = sizeof(entry)};

    for (size_t i = 0; xr_report_entry(report, store, i, &entry); i++) {
        (void)printf("  %s: ", entry.place);
        show(entry.name != NULL ? entry.name : "(no certificate)");
        (void)printf("%s\n", entry.managed ? ", by crossroot" : "");
    }
}

int main(int argc, char **argv)
{
    struct xr_site site = {.size = sizeof(site)};
    struct xr_request rq = {
        .size = sizeof(rq), .verb = XR_VERB_LIST, .scope = XR_SCOPE_USER, .site = &site};
    struct xr_report_store store = {.size = sizeof(store)};
    struct xr_report_message message = {.size = sizeof(message)};
    struct xr_report *report = NULL;
    char state[4096];
    int code = 0;

    /* The library reads neither the environment nor the clock, so the caller passes them in. */
    site.uid = (unsigned long)geteuid();
    site.home = getenv("HOME");
    (void)snprintf(state, sizeof(state), "%s/.local/state/crossroot",
                   site.home != NULL ? site.home : "");
    rq.state_dir = state;
    rq.now = (int64_t)time(NULL);
    rq.stores.items = (const char *const *)argv + 1;
    rq.stores.count = argc > 0 ? (size_t)argc - 1 : 0;

    report = xr_run_request(&rq);
    for (size_t i = 0; xr_report_store(report, i, &store); i++) {
        show(store.address);
        (void)printf("%s\n", store.why != NULL                             ? " (not read)"
                             : store.caps != NULL && !store.caps->writable ? " (not ours to change)"
                                                                           : "");
        show_entries(report, i);
    }
    for (size_t i = 0; xr_report_message(report, i, &message); i++)
        (void)fprintf(stderr, "%s%s%s\n", message.store != NULL ? message.store : "",
                      message.store != NULL ? ": " : "", message.text);
    code = xr_report_exit(report);
    xr_report_free(report);
    return code;
}
