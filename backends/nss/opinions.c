/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libnss3 is no browser's verifier, and Chromium has more sources than NSS. So beside its answer
 * stands one for each browser whose database this is, computed by core (host->browser_check) from what
 * the browser reads: this database, the built-in roots, and for Chromium its own databases and managed
 * policies.
 *
 * The database and the module of built-in roots are read before libnss3 is started, because both are
 * global to a process.
 */
#include "opinions.h"

#include "ini.h"
#include "places.h"

#include "sys/linux/walk.h"
#include "sys/whole.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STD_TRUST_SINCE 3114 /* NSS 3.114 reads CKO_TRUST first */
#define INI_MAX         ((size_t)1 << 16)

/* ---- what NSS holds ---- */

static CK_C_GetFunctionList roots_module(const struct nss_libs *libs)
{
    void *nss = nss_libs_load(libs, "libnss3.so", NULL), *module = NULL, *symbol = NULL;
    const void *beside = nss != NULL ? dlsym(nss, "NSS_GetVersion") : NULL;
    CK_C_GetFunctionList get = NULL;
    char path[PATH_MAX];

    if (beside != NULL && nss_libs_beside(path, sizeof(path), beside, "libnssckbi.so"))
        module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    symbol = module != NULL ? dlsym(module, "C_GetFunctionList") : NULL;
    memcpy(&get, &symbol, sizeof(get));
    return get;
}

/* The module is the one that libnss3 will load. Without it nothing is known to be public. */
static enum xr_status load_roots(struct nss_view *out, const struct xr_session *s,
                                 struct xr_error *err)
{
    CK_C_GetFunctionList get = roots_module(&s->libs);
    struct xr_session roots = {.host = s->host};
    CK_SLOT_ID slots[4];
    CK_ULONG count = sizeof(slots) / sizeof(slots[0]);
    enum xr_status status = XR_OK;

    if (get == NULL || get(&roots.token.p.f) != CKR_OK ||
        roots.token.p.f->C_Initialize(NULL) != CKR_OK)
        return XR_OK;
    if (roots.token.p.f->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK && count > 0 &&
        roots.token.p.f->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL,
                                       &roots.token.p.session) == CKR_OK) {
        status = nss_view_load(out, &roots, NSS_CERTS, NULL, err);
        (void)roots.token.p.f->C_CloseSession(roots.token.p.session);
    }
    (void)roots.token.p.f->C_Finalize(NULL);
    return status;
}

static void load(struct nss_opinions *o, struct xr_session *s)
{
    struct xr_error err = {0};
    enum xr_status status = XR_OK;

    o->db.host = o->roots.host = s->host;
    if (s->exists && !s->token.old) /* no browser reads a cert8.db any more */
        status = nss_token_open(&s->token, &s->libs, s->dir, false, &err);
    if (status == XR_OK && s->token.open)
        status = nss_view_load(&o->db, s, NSS_CERTS, NULL, &err);
    nss_token_close(&s->token);
    if (status == XR_OK)
        status = load_roots(&o->roots, s, &err);
    if (status != XR_OK)
        o->unread = xr_strdup(err.text);
}

static struct xr_browser_cert *add(struct nss_known *to, struct xr_bytes der,
                                   enum xr_browser_trust trust)
{
    struct xr_browser_cert *one = XR_PUSH(to);

    *one = (struct xr_browser_cert){
        .size = sizeof(*one), .der = der, .trust = trust, .by_name_bytes = true};
    return one;
}

static enum xr_browser_trust for_servers(const struct p11_trust *trust)
{
    return (trust->distrust & XR_SERVER) != 0 ? XR_BROWSER_DISTRUST
           : (trust->anchor & XR_SERVER) != 0 ? XR_BROWSER_ANCHOR
           : (trust->peer & XR_SERVER) != 0   ? XR_BROWSER_PEER
                                              : XR_BROWSER_HINT;
}

/* Every Firefox of today has an NSS that reads both kinds of trust object; Chromium uses the
 * system's. False: the database says nothing of the certificate. */
static bool trust_in(enum xr_browser_trust *out, const struct nss_view *view,
                     const struct nss_cert *cert, enum xr_browser browser,
                     const struct nss_libs *libs)
{
    struct nss_belief belief = nss_view_belief(view, cert);
    enum xr_browser_trust std = for_servers(&belief.std), nss = for_servers(&belief.nss);
    long version = nss_verify_version();

    if (!belief.has_std) {
        *out = nss;
        return belief.has_nss;
    }
    if (browser == XR_FIREFOX || std == nss)
        *out = std;
    else if (libs->dir[0] == '\0' && version > 0)
        *out = version >= STD_TRUST_SINCE ? std : nss;
    else
        *out = XR_BROWSER_UNCLEAR;
    return true;
}

/* The database, and what it says of certificates that it does not hold. */
static void add_db(struct nss_known *to, const struct nss_opinions *o, const struct xr_session *s,
                   const struct xr_probe *probe, enum xr_browser browser)
{
    /* Also those that nobody here can parse: known has the others, in the same order. */
    for (size_t i = 0, k = 0; i < o->db.certs.count; i++) {
        enum xr_browser_trust trust = XR_BROWSER_HINT;

        if (k < o->db.known.count && o->db.known.items[k].object == i)
            (void)trust_in(&trust, &o->db, &o->db.known.items[k++], browser, &s->libs);
        add(to, p11_get(&o->db.certs.items[i], CKA_VALUE), trust)->source = N_("this database");
    }
    for (size_t i = 0; i < probe->count; i++) {
        enum xr_browser_trust trust = XR_BROWSER_HINT;
        struct nss_cert cert;

        if (nss_cert_of(&cert, s->host, probe->chain[i]) &&
            trust_in(&trust, &o->db, &cert, browser, &s->libs))
            add(to, probe->chain[i], trust)->source = N_("this database");
    }
}

/* Public roots. The database's trust of one replaces that of the module for Firefox; Chromium has a
 * list of its own. */
static void add_roots(struct nss_known *to, const struct nss_opinions *o,
                      const struct xr_session *s, enum xr_browser browser, bool reads_db)
{
    for (size_t i = 0; i < o->roots.known.count; i++) {
        const struct nss_cert *cert = &o->roots.known.items[i];
        struct nss_belief own = nss_view_belief(&o->roots, cert);
        enum xr_browser_trust trust = XR_BROWSER_HINT;
        bool root = for_servers(own.has_std ? &own.std : &own.nss) == XR_BROWSER_ANCHOR;
        bool replaced = reads_db && trust_in(&trust, &o->db, cert, browser, &s->libs);

        if (replaced)
            add(to, cert->der, trust)->source = N_("this database");
        if (root && (!replaced || browser == XR_CHROMIUM))
            add(to, cert->der, XR_BROWSER_PUBLIC);
    }
}

/* ---- the question ---- */

static void ask(struct xr_opinion *out, const struct nss_known *known, const struct xr_session *s,
                struct xr_browser_check *check)
{
    const struct xr_browser_cert **list = xr_new(known->count, sizeof(*list));
    struct xr_error err = {0};

    for (size_t i = 0; i < known->count; i++)
        list[i] = &known->items[i];
    check->known = list;
    check->known_count = known->count;
    if (s->host->browser_check(out, check, &err) != XR_OK) {
        out->answer = XR_UNKNOWN;
        (void)snprintf(out->why, sizeof(out->why), "%.250s", err.text);
    }
    free(list);
}

/* profile: "" is those without a name, NULL every one. */
static void put(struct xr_verdict *out, const struct xr_opinion *opinion, const char *program,
                const char *profile, const char *like)
{
    struct xr_opinion *one = &out->also[out->also_count];
    bool own = strcmp(program, like) == 0;

    if (out->also_count == XR_OPINIONS_MAX) {
        one = &out->also[XR_OPINIONS_MAX - 1];
        *one = (struct xr_opinion){.size = sizeof(*one)};
        (void)snprintf(one->by, sizeof(one->by), N_("other profiles"));
        (void)snprintf(one->why, sizeof(one->why), N_("there are too many to be shown"));
        return;
    }
    *one = *opinion;
    if (profile == NULL)
        (void)snprintf(one->by, sizeof(one->by), own ? "%s" : N_("%s, as %s"), program, like);
    else if (profile[0] == '\0')
        (void)snprintf(one->by, sizeof(one->by),
                       own ? N_("%s, other profiles") : N_("%s, other profiles, as %s"), program,
                       like);
    else
        (void)snprintf(one->by, sizeof(one->by),
                       own ? N_("%s, profile \"%.60s\"") : N_("%s, profile \"%.60s\", as %s"),
                       program, profile, like);
    out->also_count++;
}

static void ask_firefox(struct xr_verdict *out, const struct nss_opinions *o,
                        const struct xr_session *s, const struct xr_probe *probe)
{
    struct xr_browser_check check = {
        .size = sizeof(check), .probe = probe, .browser = XR_FIREFOX, .unread = o->unread};
    struct xr_opinion opinion = {.size = sizeof(opinion)};
    struct nss_known known = {0};

    if (s->forgets == NULL) /* then it does not read the database */
        add_db(&known, o, s, probe, XR_FIREFOX);
    add_roots(&known, o, s, XR_FIREFOX, s->forgets == NULL);
    ask(&opinion, &known, s, &check);
    put(out, &opinion, o->mozilla, NULL, "Firefox");
    free(known.items);
}

static struct xr_opinion ask_chromium(const struct nss_opinions *o, const struct xr_session *s,
                                      const struct xr_probe *probe, const struct nss_reader *reader)
{
    struct xr_browser_check check = {.size = sizeof(check),
                                     .probe = probe,
                                     .browser = XR_CHROMIUM,
                                     .unread = o->unread != NULL ? o->unread : reader->unread,
                                     .fetches = true};
    struct xr_opinion opinion = {.size = sizeof(opinion)};
    struct nss_known known = {0};

    if (reader->platform_file == NULL)
        add_db(&known, o, s, probe, XR_CHROMIUM);
    add_roots(&known, o, s, XR_CHROMIUM, reader->platform_file == NULL);
    for (size_t i = 0; i < reader->more.count; i++)
        *XR_PUSH(&known) = reader->more.items[i];
    ask(&opinion, &known, s, &check);
    free(known.items);
    if (reader->platform_file != NULL && opinion.answer != XR_YES) {
        char *why = xr_format(N_("%s; it does not read this database (%.120s)"), opinion.why,
                              reader->platform_file);

        (void)snprintf(opinion.why, sizeof(opinion.why), "%s", why);
        free(why);
    }
    return opinion;
}

/* Readers of one program follow each other: one opinion for all of them, if it is the same. */
static void ask_chromiums(struct xr_verdict *out, const struct nss_opinions *o,
                          const struct xr_session *s, const struct xr_probe *probe)
{
    const struct nss_reader *readers = o->chromiums.items;
    struct xr_opinion *opinions = xr_new(o->chromiums.count, sizeof(*opinions));

    for (size_t i = 0; i < o->chromiums.count; i++)
        opinions[i] = ask_chromium(o, s, probe, &readers[i]);
    for (size_t i = 0, end = 0; i < o->chromiums.count; i = end) {
        bool same = true;

        for (end = i + 1;
             end < o->chromiums.count && strcmp(readers[end].program, readers[i].program) == 0;
             end++)
            same = same && opinions[end].answer == opinions[i].answer &&
                   strcmp(opinions[end].why, opinions[i].why) == 0;
        if (same)
            put(out, &opinions[i], readers[i].program, NULL, "Chromium");
        for (size_t k = i; !same && k < end; k++)
            put(out, &opinions[k], readers[k].program, readers[k].profile, "Chromium");
    }
    free(opinions);
}

/* The program that used a profile last, from the profile's own compatibility.ini; NULL: none that is
 * known. */
static const char *program_of(int dir)
{
    static const struct {
        const char *word, *name;
    } programs[] = {
        {"thunderbird", "Thunderbird"}, {"librewolf", "LibreWolf"}, {"firefox", "Firefox"}};
    struct stat st;
    int fd = xr_open_regular(dir, "compatibility.ini", &st);
    struct xr_buf text = {0};
    struct nss_ini ini;
    const char *name = NULL;

    if (fd < 0)
        return NULL;
    (void)xr_read_whole(&text, fd, INI_MAX);
    (void)close(fd);
    nss_ini_open(&ini, (struct xr_bytes){(const unsigned char *)text.data, text.len});
    while (name == NULL && nss_ini_next(&ini)) {
        if (ini.key.len != strlen("LastPlatformDir") ||
            memcmp(ini.key.data, "LastPlatformDir", ini.key.len) != 0)
            continue;
        for (size_t i = 0; name == NULL && i < sizeof(programs) / sizeof(programs[0]); i++) {
            if (memmem(ini.value.data, ini.value.len, programs[i].word, strlen(programs[i].word)))
                name = programs[i].name;
        }
    }
    xr_buf_free(&text);
    return name;
}

static char *copy(const char *text)
{
    return text != NULL ? xr_strdup(text) : NULL;
}

struct nss_opinions *nss_opinions_new(const struct xr_site *site, const char *location)
{
    struct nss_opinions *o = xr_new(1, sizeof(*o));

    o->path = xr_strdup(location);
    o->root = copy(site->root);
    o->home = copy(site->home);
    o->data_home = copy(site->data_home);
    o->config_home = copy(site->config_home);
    return o;
}

void nss_opinions_free(struct nss_opinions *o)
{
    if (o == NULL)
        return;
    nss_chromiums_free(o);
    nss_view_free(&o->db);
    nss_view_free(&o->roots);
    free(o->unread);
    free(o->path);
    free(o->root);
    free(o->home);
    free(o->data_home);
    free(o->config_home);
    free(o);
}

void nss_opinions_load(struct nss_opinions *o, struct xr_session *s)
{
    const struct nss_profiles *profiles = nss_profiles_of(o->path);

    if (o->loaded)
        return;
    o->loaded = true;
    o->mozilla = profiles != NULL ? profiles->program : program_of(s->dir);
    if (o->mozilla == NULL)
        nss_chromiums_load(o, s->host);
    if (o->mozilla != NULL || o->chromiums.count > 0)
        load(o, s);
}

void nss_opinions_add(struct xr_verdict *out, const struct nss_opinions *o,
                      const struct xr_session *s, const struct xr_probe *probe)
{
    if (o->mozilla != NULL)
        ask_firefox(out, o, s, probe);
    ask_chromiums(out, o, s, probe);
}

/* ---- whom a database serves ---- */

void nss_opinions_serve(char out[128], const struct xr_site *site, const char *location, int dir)
{
    const struct nss_profiles *profiles = nss_profiles_of(location);
    const char *program = profiles != NULL ? profiles->program : dir >= 0 ? program_of(dir) : NULL;
    struct nss_opinions *o = NULL;

    if (program != NULL) {
        /* Policies of the machine were not seen to reach a packed one. */
        nss_serve(out, program, profiles != NULL && profiles->packing[0] != '\0' ? "-packed" : "");
        return;
    }
    o = nss_opinions_new(site, location);
    nss_chromiums_serve(out, o);
    nss_opinions_free(o);
}
