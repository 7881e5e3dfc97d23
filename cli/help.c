/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

/* On Windows, examples need no --store: the default store is the right one. */
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
        {"show what certificates are, and where they would go", "inspect FILE…",
         "  FILE is PEM, DER, PKCS#7, a directory, or - for standard input.\n"
         "  For each certificate: kind (root, cross, intermediate, leaf, self-signed, malformed),\n"
         "  names, fingerprints, validity, where it would go and what speaks against it,\n"
         "  certificates of the same key, and who signed it, among those in view.\n"
         "  With --store the store's certificates are in view too.\n",
         "crossroot inspect cross.pem roots/"},
    [XR_VERB_STORES] =
        {"list the trust stores found and what each can hold", "stores",
         "  Without --store: every store of the scope. Also lists what no backend covers.\n",
         "crossroot stores"},
    [XR_VERB_LIST] = {"list the certificates in stores", "list [--managed]",
                      "  --managed     only those that crossroot put there\n",
                      "crossroot " SOME_STORE "list"},
    [XR_VERB_INSTALL] =
        {"install certificates where they belong, and verify the result",
         "install FILE… [--pin FP]… [--published PAGE]… [--as PLACE]\n"
         "                         [--for PURPOSE]… [--only] [OPTION]…",
         "  A root becomes a trust anchor after confirmation; a cross certificate or another\n"
         "  CA becomes an intermediate, which adds no trust and needs no confirmation.\n"
         "  --pin sha256:HEX       expected fingerprint; also answers the confirmation\n"
         "  --published PAGE       text or HTML file with fingerprints; can only refuse\n"
         "  --as PLACE             anchor, intermediate, peer or crl instead of by kind\n"
         "  --for PURPOSE          server, client, email, code, time or any, beside what is there\n"
         "  --only                 trust an anchor for these purposes alone; without it, what it\n"
         "                         is trusted for already stays\n"
         "  --require-verified     roll a store back if its verifier says no\n"
         "  --drop-constraints     allow --as anchor even if the certificate's limits may be lost\n"
         "  --all-or-nothing       roll every store back if one fails\n",
         "crossroot " SOME_STORE "install cross.pem --pin sha256:C8FB5BB8…"},
    [XR_VERB_REMOVE] =
        {"remove certificates from stores", "remove ID…|FILE… [--from PLACE]",
         "  ID is the beginning of a SHA-256, 8 digits or more (see list).\n"
         "  --from PLACE           only from anchor, intermediate, peer, distrust or crl\n"
         "  --all-or-nothing       roll every store back if one fails\n",
         "crossroot " SOME_STORE "remove c8fb5bb81193"},
    [XR_VERB_DISTRUST] =
        {"make stores refuse certificates",
         "distrust ID…|FILE… [--key] [--serial N]… [--best-effort]",
         "  Exit 6 and \"still trusted by way of …\" if a path to its key remains.\n"
         "  --key                  distrust every certificate in view that has the same key\n"
         "  --serial N             distrust what the CA in FILE issued with this number, not FILE\n"
         "  --best-effort          also in stores that can only note it, or deselect their own\n"
         "  --all-or-nothing       roll every store back if one fails\n",
         "crossroot " SOME_STORE "distrust old.pem --key --best-effort"},
    [XR_VERB_VERIFY] =
        {"ask each store's own verifier, and show the path it took",
         "verify FILE… [--for PURPOSE] [--host NAME]\n"
         "                        [--untrusted FILE]… [--at DATE]",
         "  The first certificate of each FILE is verified; the others in it count as sent\n"
         "  by the server. A CA is checked as an issuer. Exit 0: every store says yes;\n"
         "  6: one says no; 1: none could answer.\n"
         "  --for PURPOSE          server (default), client, email, code, time\n"
         "  --host NAME            DNS name or address the certificate must carry\n"
         "  --untrusted FILE       more certificates a server would send\n"
         "  --at DATE              as of then: 2029-05-30 or 2029-05-30T12:00:00Z\n",
         "crossroot " SOME_STORE "verify sub.pem"},
    [XR_VERB_UNDO] = {"undo a transaction", "undo [TRANSACTION]",
                      "  Without TRANSACTION: the newest that is not undone yet (see history).\n"
                      "  Refused for a store in which the entry has changed since.\n",
                      "crossroot undo"},
    [XR_VERB_HISTORY] = {"list past changes", "history",
                         "  Newest first, with the ID that undo takes.\n", "crossroot history"},
    [XR_VERB_RECOVER] =
        {"finish or roll back what a crash interrupted", "recover",
         "  Commands that change stores do this first, for the stores they change. A store named\n"
         "  with --store is also completed if the journal has no record of it. Without --store,\n"
         "  interrupted writes of other programs are rolled back in every store of the scope.\n",
         "crossroot recover"},
};

static const char global_options[] =
    "  --store S              " NAMES "\n  --exclude-store S      leave this store out\n"
#ifndef _WIN32
    "  --scope SCOPE          user, system or all-users\n"
    "  --root DIR             work on the image or chroot in DIR\n"
    "  --layout NAME          use this distribution's layout of ca-certificates (see stores)\n"
    "  --nss DIR              use the NSS libraries in DIR, such as Firefox's own\n"
    "  --updater WHO          native (default), or distro: run the distribution's own command\n"
    "  --rebuild              let ca-certificates drop published certificates without a source\n"
    "  --plugin FILE          load one more backend\n"
#endif
    "  --password-fd N        read the password of a store or of a .p12 file from descriptor N\n"
    "  --state DIR            directory of the journal\n"
    "  --json                 one JSON document on standard output\n"
    "  -n, --dry-run          show what would be done\n"
    "  -y, --yes              answer every confirmation\n"
    "  -q, -v                 print less, print more\n";

void help_all(FILE *out)
{
    (void)fputs("crossroot puts CA certificates where they belong in every trust store, checks\n"
                "their fingerprints first, verifies the result, and can undo it.\n"
                "\n"
                "Usage: crossroot [OPTION]… COMMAND …\n"
                "\n"
                "Commands:\n",
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
