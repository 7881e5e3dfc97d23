/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

/* Windows has one store that everybody means. */
#ifdef _WIN32
#define SOME_STORE ""
#define NAMES      "windows:LocalMachine (without --store) or windows:CurrentUser"
#else
#define SOME_STORE "--store openssl:/srv/trust "
#define NAMES      "BACKEND:LOCATION, or BACKEND for all it finds; repeatable"
#endif

static const struct {
    const char *summary, *usage, *text, *example;
} verbs[XR_VERB_COUNT] = {
    [XR_VERB_INSPECT] =
        {"say what certificates are, and where they would go", "inspect FILE…",
         "  FILE is PEM, DER, PKCS#7, a directory, or - for standard input.\n"
         "  For each certificate: kind (root, cross, intermediate, leaf), names, fingerprints,\n"
         "  validity, certificates of the same key, and who signed it among those in view.\n"
         "  With --store the store's certificates are in view too.\n",
         "crossroot inspect cross.pem roots/"},
    [XR_VERB_STORES] =
        {"list the trust stores found and what each can hold", "stores",
         "  Without --store: every store of the scope. Also says what no backend covers.\n",
         "crossroot stores"},
    [XR_VERB_LIST] = {"list the certificates in stores", "list [--managed]",
                      "  --managed     only those that crossroot put there\n",
                      "crossroot " SOME_STORE "list"},
    [XR_VERB_INSTALL] =
        {"put certificates where they belong, and prove it",
         "install FILE… [--pin FP]… [--published PAGE]… [--as PLACE]\n"
         "                         [--for PURPOSE]… [OPTION]…",
         "  A root becomes a trust anchor after confirmation; a cross certificate or another\n"
         "  CA becomes an intermediate, which adds no trust and asks nothing.\n"
         "  --pin sha256:HEX       its fingerprint; also answers the confirmation\n"
         "  --published PAGE       fingerprints printed in a text or HTML file; can only refuse\n"
         "  --as PLACE             anchor, intermediate, peer or crl instead of by kind\n"
         "  --for PURPOSE          server, client, email, code, time or any\n"
         "  --require-verified     take it back if the store's verifier says no\n"
         "  --drop-constraints     allow --as anchor although limits of it may be lost\n"
         "  --all-or-nothing       take every store back if one fails\n",
         "crossroot " SOME_STORE "install cross.pem --pin sha256:C8FB5BB8…"},
    [XR_VERB_REMOVE] =
        {"take certificates out of stores", "remove ID…|FILE… [--from PLACE]",
         "  ID is the beginning of a SHA-256, 8 digits or more (see list).\n"
         "  --from PLACE           only from there: anchor, intermediate, peer, distrust, crl\n"
         "  --all-or-nothing       take every store back if one fails\n",
         "crossroot " SOME_STORE "remove c8fb5bb81193"},
    [XR_VERB_DISTRUST] =
        {"make stores refuse certificates",
         "distrust ID…|FILE… [--key] [--serial N]… [--best-effort]",
         "  Exit 6 and \"still trusted by way of …\" if a path to its key is left.\n"
         "  --key                  every certificate of the same key in view\n"
         "  --serial N             not FILE itself, but what that CA issued with this number\n"
         "  --best-effort          also where the store can only note it, or deselect its own\n"
         "  --all-or-nothing       take every store back if one fails\n",
         "crossroot " SOME_STORE "distrust old.pem --key --best-effort"},
    [XR_VERB_VERIFY] =
        {"ask each store's own verifier, and show the path it took",
         "verify FILE… [--for PURPOSE] [--host NAME]\n"
         "                        [--untrusted FILE]… [--at DATE]",
         "  The first certificate of each FILE is asked about; the others in it count as sent\n"
         "  by the server. A CA is checked as an issuer. Exit 0: every store says yes;\n"
         "  6: one says no; 1: none could answer.\n"
         "  --for PURPOSE          server (default), client, email, code, time\n"
         "  --host NAME            DNS name or address the certificate must carry\n"
         "  --untrusted FILE       more certificates a server would send\n"
         "  --at DATE              as of then: 2029-05-30 or 2029-05-30T12:00:00Z\n",
         "crossroot " SOME_STORE "verify sub.pem"},
    [XR_VERB_UNDO] = {"take a transaction back", "undo [TRANSACTION]",
                      "  Without TRANSACTION: the newest that is not undone yet (see history).\n"
                      "  Refused for a store in which somebody changed the entry since.\n",
                      "crossroot undo"},
    [XR_VERB_HISTORY] = {"list what was changed", "history",
                         "  Newest first, with the name that undo takes.\n", "crossroot history"},
    [XR_VERB_RECOVER] =
        {"finish or take back what a crash interrupted", "recover",
         "  Changing commands do this themselves for the stores they change. A store named\n"
         "  by --store is also tidied without a record of ours. Without --store, what another\n"
         "  program's interrupted write left is taken back in every store of the scope.\n",
         "crossroot recover"},
};

static const char global_options[] =
    "  --store S              " NAMES "\n"
    "  --exclude-store S      leave one out\n"
#ifndef _WIN32
    "  --scope SCOPE          user, system or all-users\n"
    "  --root DIR             work on the image or chroot in DIR\n"
    "  --layout NAME          the distribution's layout of ca-certificates (see stores)\n"
    "  --nss DIR              use the NSS libraries in DIR, such as Firefox's own\n"
    "  --updater WHO          native (default), or distro: its own command makes the outputs\n"
    "  --rebuild              let ca-certificates lose what is published and in no source\n"
    "  --plugin FILE          load one more backend\n"
    "  --password-fd N        of stores that have one: a line of the open file N\n"
#endif
    "  --state DIR            where the journal is kept\n"
    "  --json                 one JSON document on standard output\n"
    "  -n, --dry-run          say what would be done\n"
    "  -y, --yes              answer every confirmation\n"
    "  -q, -v                 quieter, more talkative\n";

void help_all(FILE *out)
{
    (void)fputs("crossroot puts CA certificates where they belong in every trust store, checks\n"
                "their fingerprints first, proves the result, and can undo it.\n\n"
                "Usage: crossroot [OPTION]… COMMAND …\n\nCommands:\n",
                out);
    for (unsigned verb = 0; verb < XR_VERB_COUNT; verb++)
        (void)fprintf(out, "  %-10s %s\n", xr_verb_name((enum xr_verb)verb), verbs[verb].summary);
    (void)fprintf(out,
                  "\nOptions for every command:\n%s"
                  "\ncrossroot COMMAND --help says more. Exit: 0 as asked, 1 failed, 2 usage,\n"
                  "4 some stores failed, 5 needs privilege, 6 a pin or verifier said no,\n"
                  "7 needs confirmation, 130 interrupted.\n",
                  global_options);
}

void help_verb(enum xr_verb verb, FILE *out)
{
    (void)fprintf(out, "Usage: crossroot %s\n\n%s%c%s.\n\n%s", verbs[verb].usage, "To ",
                  verbs[verb].summary[0], verbs[verb].summary + 1, verbs[verb].text);
    (void)fprintf(out,
                  "\nFor every command: --store, --json, --dry-run, --yes and more; see crossroot "
                  "--help.\n\nExample:\n  %s\n",
                  verbs[verb].example);
}
