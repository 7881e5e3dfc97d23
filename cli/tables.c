/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and options: the parser, the help and the completion of shells all read these tables. */
#include "language.h"
#include "options.h"

#define V(command) (1u << (unsigned)XR_VERB_##command)
#define CHANGING   (V(INSTALL) | V(REMOVE) | V(DISTRUST) | V(UNDO) | V(RECOVER))
#define AT(field)  offsetof(struct options, field)
#define PURPOSES   "server client email code time"
#define FORMATS                                                                               \
    "pem= pem-dir= pem-dir-hash= openssl-trusted= openssl-dir= edk2= java= java-p12= "        \
    "p11-kit= debian= curl-pem= certifi= nss= chromium-policy= firefox-policy= windows-reg= " \
    "mobileconfig= cluster-trust-bundle="

/* Windows has no images, no other layouts and no plugins: the options are there, and say so. */
#ifdef _WIN32
#define NOT_WINDOWS(text) NULL
#define STORES            N_("windows:LocalMachine (default), or windows:CurrentUser")
#else
#define NOT_WINDOWS(text) text
#define STORES            N_("BACKEND:LOCATION, or BACKEND for all of its stores")
#endif

const struct option option_table[] = {
    {"store", 0, LIST, EVERY_COMMAND, AT(stores), "S", STORES, OFFER_STORES,
     "ca-certificates chromium nss openssl p11-kit policy windows"},
    {"exclude-store", 0, LIST, EVERY_COMMAND, AT(excluded), "S", N_("leave this store out"),
     OFFER_STORES, "ca-certificates chromium nss openssl p11-kit policy windows"},
    {"scope", 0, SCOPE, EVERY_COMMAND, AT(scope), "SCOPE",
     NOT_WINDOWS(N_("user, system, all-users or all; several add up")), OFFER_WORDS,
     "user system all-users all"},
    {"root", 0, WORD, EVERY_COMMAND, AT(root), "DIR",
     NOT_WINDOWS(N_("work on the image or chroot in DIR")), OFFER_DIRS, NULL},
    {"layout", 0, WORD, EVERY_COMMAND, AT(layout), "NAME",
     NOT_WINDOWS(N_("this distribution's layout of ca-certificates")), OFFER_WORDS,
     "debian alpine fedora suse arch nixos"},
    {"updater", 0, UPDATER, EVERY_COMMAND, AT(updater_distro), "WHO",
     NOT_WINDOWS(N_("native (default), or the distribution's command (distro)")), OFFER_WORDS,
     "native distro"},
    {"nss", 0, WORD, EVERY_COMMAND, AT(nss), "DIR",
     NOT_WINDOWS(N_("use the NSS libraries in DIR, such as Firefox's own")), OFFER_DIRS, NULL},
    {"plugin", 0, LIST, EVERY_COMMAND, AT(plugins), "FILE",
     NOT_WINDOWS(N_("load one more backend")), OFFER_FILES, NULL},
    {"state", 0, WORD, EVERY_COMMAND, AT(state), "DIR", N_("directory of the journal"), OFFER_DIRS,
     NULL},
    {"worker", 0, WORD, EVERY_COMMAND, AT(worker), "FILE", NULL, OFFER_FILES, NULL},
    {"json", 0, FLAG, EVERY_COMMAND, AT(json), NULL, N_("one JSON document on standard output"),
     OFFER_WORDS, NULL},
    {"dry-run", 'n', FLAG, EVERY_COMMAND, AT(dry_run), NULL, N_("only show what would be done"),
     OFFER_WORDS, NULL},
    {"yes", 'y', FLAG, EVERY_COMMAND, AT(yes), NULL, N_("answer every confirmation"), OFFER_WORDS,
     NULL},
    {"quiet", 'q', FLAG, EVERY_COMMAND, AT(quiet), NULL, N_("print less"), OFFER_WORDS, NULL},
    {"verbose", 'v', FLAG, EVERY_COMMAND, AT(verbose), NULL, N_("print more"), OFFER_WORDS, NULL},
    {"help", 'h', FLAG, EVERY_COMMAND, AT(help), NULL, N_("help, also for a command"), OFFER_WORDS,
     NULL},
    {"version", 'V', FLAG, EVERY_COMMAND, AT(version), NULL, N_("the version"), OFFER_WORDS, NULL},

    {"pin", 0, LIST, V(INSTALL), AT(pins), "FP",
     N_("expected fingerprint; also answers the confirmation"), OFFER_WORDS, NULL},
    {"published", 0, LIST, V(INSTALL), AT(published), "PAGE",
     N_("file with fingerprints, text or HTML; can only refuse"), OFFER_FILES, NULL},
    {"as", 0, PLACE, V(INSTALL), AT(place), "PLACE",
     N_("anchor, intermediate, peer or crl instead of by kind"), OFFER_WORDS,
     "anchor intermediate peer crl"},
    {"from", 0, LIST, V(REMOVE), AT(from), "PLACE",
     N_("only from anchor, intermediate, peer, distrust or crl"), OFFER_WORDS,
     "anchor intermediate peer distrust crl"},
    {"from", 0, LIST, V(EXTRACT), AT(from), "SOURCE",
     N_("root list, file, directory or store; several add up"), OFFER_FILES, NULL},
    {"from", 0, LIST, V(CHAIN), AT(from), "SOURCE",
     N_("where other certificates are; else the stores"), OFFER_FILES, NULL},
    {"to", 0, LIST, V(EXTRACT), AT(outputs), "FORMAT=PATH", N_("a format, and where to write it"),
     OFFER_WORDS, FORMATS},
    {"for", 0, PURPOSE, V(INSTALL), AT(purposes), "PURPOSE",
     N_("server, client, email, code, time or any; adds to others"), OFFER_WORDS, PURPOSES " any"},
    {"for", 0, PURPOSE, V(VERIFY) | V(READERS), AT(purposes), "PURPOSE",
     N_("server (default), client, email, code or time"), OFFER_WORDS, PURPOSES},
    {"for", 0, PURPOSE, V(EXTRACT), AT(purposes), "PURPOSE",
     N_("server, email or code: only what is trusted for it"), OFFER_WORDS, "server email code"},
    {"for", 0, PURPOSE, V(DIFF), AT(purposes), "PURPOSE", N_("compare only this: server, email…"),
     OFFER_WORDS, PURPOSES},
    {"merge", 0, FLAG, V(EXTRACT), AT(merge), NULL, N_("later sources add purposes"), OFFER_WORDS,
     NULL},
    {"blocklist", 0, LIST, V(EXTRACT), AT(blocklists), "FILE",
     N_("leave out certificates whose SHA-256 is in FILE"), OFFER_FILES, NULL},
    {"expired", 0, KEEP, V(EXTRACT), AT(expired), "WHAT", N_("keep (default) or drop"), OFFER_WORDS,
     "keep drop"},
    {"distrust-after", 0, KEEP, V(EXTRACT), AT(distrust_after), "WHAT",
     N_("roots with such a date: keep, drop-past or drop-all"), OFFER_WORDS,
     "keep drop-past drop-all"},
    {"comments", 0, FLAG, V(EXTRACT), AT(comments), NULL, N_("a line with the name before each"),
     OFFER_WORDS, NULL},
    {"check", 0, FLAG, V(EXTRACT), AT(check), NULL, N_("write nothing; exit 3 if PATH differs"),
     OFFER_WORDS, NULL},
    {"update", 0, FLAG, V(EXTRACT), AT(update), NULL,
     N_("keep what others put into a Java keystore"), OFFER_WORDS, NULL},
    {"overwrite", 0, FLAG, V(EXTRACT), AT(overwrite), NULL,
     N_("replace all of a directory that is not empty"), OFFER_WORDS, NULL},
    {"modified", 0, TIME, V(EXTRACT), AT(modified), "DATE",
     N_("the sources' date, for formats that print it"), OFFER_WORDS, NULL},
    {"markdown", 0, FLAG, V(DIFF), AT(markdown), NULL, N_("for a changelog"), OFFER_WORDS, NULL},
    {"all-paths", 0, FLAG, V(CHAIN), AT(all_paths), NULL, N_("what every path to a root needs"),
     OFFER_WORDS, NULL},
    {"only", 0, FLAG, V(INSTALL), AT(only), NULL, N_("trust an anchor for these purposes alone"),
     OFFER_WORDS, NULL},
    {"permit-dns", 0, LIST, V(INSTALL), AT(permit_dns), "NAME",
     N_("limit an anchor to NAME and names below it"), OFFER_WORDS, NULL},
    {"permit-cidr", 0, LIST, V(INSTALL), AT(permit_cidrs), "RANGE",
     N_("limit it to these addresses, such as 192.0.2.0/24"), OFFER_WORDS, NULL},
    {"host", 0, WORD, V(VERIFY) | V(READERS), AT(host), "NAME",
     N_("DNS name or address it must carry"), OFFER_WORDS, NULL},
    {"untrusted", 0, LIST, V(VERIFY) | V(READERS), AT(untrusted), "FILE",
     N_("more certificates that a server would send"), OFFER_FILES, NULL},
    {"at", 0, TIME, V(VERIFY) | V(READERS) | V(CHAIN) | V(EXTRACT), AT(at), "DATE",
     N_("as of 2029-05-30 or 2029-05-30T12:00:00Z"), OFFER_WORDS, NULL},
    {"managed", 0, FLAG, V(LIST), AT(managed), NULL, N_("only those that crossroot put there"),
     OFFER_WORDS, NULL},
    {"prune", 0, WORD, V(HISTORY), AT(prune), "BEFORE",
     N_("forget what is older than this date or transaction"), OFFER_WORDS, NULL},
    {"only-files", 0, FLAG, V(INSPECT), AT(only_files), NULL, N_("look at no store"), OFFER_WORDS,
     NULL},
    {"pem", 0, FLAG, V(SHOW), AT(pem), NULL, N_("only the certificate, as PEM"), OFFER_WORDS, NULL},
    {"expires-within", 0, DAYS, V(LIST), AT(expires_within), "90d",
     N_("only what expires in that time, or has expired"), OFFER_WORDS, NULL},
    {"sort", 0, SORT, V(LIST), AT(sort), "ORDER", N_("by expiry, subject or place"), OFFER_WORDS,
     "expiry subject place"},
    {"key", 0, FLAG, V(DISTRUST), AT(key), NULL, N_("every certificate in view with the same key"),
     OFFER_WORDS, NULL},
    {"serial", 0, LIST, V(DISTRUST), AT(serials), "N",
     N_("what the CA in FILE issued with this number, not FILE"), OFFER_WORDS, NULL},
    {"best-effort", 0, FLAG, V(DISTRUST), AT(best_effort), NULL,
     N_("also in stores that only note it, or deselect their own"), OFFER_WORDS, NULL},
    {"require-verified", 0, FLAG, V(INSTALL), AT(require_verified), NULL,
     N_("roll a store back if its verifier says no"), OFFER_WORDS, NULL},
    {"drop-constraints", 0, FLAG, V(INSTALL), AT(drop_constraints), NULL,
     N_("--as anchor even if limits of the certificate are lost"), OFFER_WORDS, NULL},
    {"all-or-nothing", 0, FLAG, CHANGING, AT(all_or_nothing), NULL,
     N_("roll every store back if one fails"), OFFER_WORDS, NULL},
    {"rebuild", 0, FLAG, CHANGING, AT(rebuild), NULL,
     NOT_WINDOWS(N_("drop published certificates that have no source")), OFFER_WORDS, NULL},
    {"password-fd", 0, DESCRIPTOR,
     CHANGING | V(INSPECT) | V(SHOW) | V(VERIFY) | V(READERS) | V(EXTRACT) | V(DIFF) | V(CHAIN),
     AT(password_fd), "N", N_("the password of stores and .p12 files, from descriptor N"),
     OFFER_WORDS, NULL},
};
const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

const struct command command_table[COMMANDS] = {
    [XR_VERB_INSPECT] =
        {N_("say what certificates are, and where they go"), "FILE… [OPTION]…",
         N_("FILE is PEM, DER, PKCS#7, PKCS#12, .sst, a directory, or - for standard input.\n"
            "For each certificate: kind, names, fingerprints, validity, what speaks against\n"
            "it, others of the same key, and who signed it, among those in view.\n"
            "In view are the files and the stores of the scope, or those of --store.\n"),
         " cross.pem", NULL, OPERANDS_FILES},
    [XR_VERB_STORES] =
        {N_("list the trust stores, and what they can hold"), "",
         N_("Without --store: every store of the scope. Also lists what no backend covers.\n"), "",
         NULL, OPERANDS_NONE},
    [XR_VERB_LIST] =
        {N_("list the certificates in stores"), "[OPTION]…",
         N_("On a terminal, IDs have 16 digits and what does not fit is cut; -v shows\n"
            "all of it, and the issuer.\n"),
         "", NULL, OPERANDS_NONE},
    [XR_VERB_INSTALL] =
        {N_("put certificates where they belong, and verify"), "FILE… [--pin FP]… [OPTION]…",
         N_("A root becomes a trust anchor after a confirmation. A cross certificate or\n"
            "another CA becomes an intermediate, which adds no trust and needs none.\n"),
         " cross.pem --pin sha256:C8FB5BB8…", "add", OPERANDS_FILES},
    [XR_VERB_REMOVE] = {N_("remove certificates from stores"), "ID…|FILE… [--from PLACE]",
                        N_("ID is the beginning of a SHA-256, 8 digits or more (see list).\n"),
                        " c8fb5bb81193", "rm uninstall", OPERANDS_FILES},
    [XR_VERB_DISTRUST] =
        {N_("make stores refuse certificates"), "ID…|FILE… [OPTION]…",
         N_("Exit 6 and \"still trusted by way of …\" if a path to its key remains.\n"),
         " old.pem --key", NULL, OPERANDS_FILES},
    [XR_VERB_VERIFY] =
        {N_("ask each store's verifier, and show the path"), "FILE… [OPTION]…",
         N_("The first certificate of each FILE is verified; the others in it count as sent\n"
            "by the server. A CA is checked as an issuer. Exit 0: every store says yes;\n"
            "6: one says no; 1: none could answer.\n"),
         " server.pem", NULL, OPERANDS_FILES},
    [XR_VERB_UNDO] = {N_("take a change back"), "[TRANSACTION]",
                      N_("Without TRANSACTION: the newest that is not undone yet (see history).\n"
                         "Refused for a store in which the entry has changed since.\n"),
                      "", NULL, OPERANDS_UNDO},
    [XR_VERB_HISTORY] =
        {N_("list past changes"), "[--prune BEFORE]",
         N_("Newest first: the ID that undo takes, when, who, and what was changed where.\n"
            "--store and --exclude-store limit it to the stores they select.\n"
            "--prune 2026-01-01 or ID: what is older leaves the journal and cannot be undone.\n"
            "What is not finished stays, and what says how a store came to what it holds.\n"),
         "", NULL, OPERANDS_NONE},
    [XR_VERB_RECOVER] =
        {N_("finish or roll back what a crash interrupted"), "[OPTION]…",
         N_("Commands that change stores do this first, for the stores they change. A store\n"
            "named with --store is also completed if the journal has no record of it.\n"
            "Without --store, interrupted writes of other programs are rolled back in every\n"
            "store of the scope.\n"),
         "", NULL, OPERANDS_NONE},
    [XR_VERB_SHOW] =
        {N_("show a certificate in every store that has it"), "ID…|FILE… [--pem]",
         N_("ID is the beginning of a SHA-256, 8 digits or more (see list).\n"
            "Names, validity and fingerprints, and for each store the place and purposes.\n"),
         " c8fb5bb81193", NULL, OPERANDS_FILES},
    [XR_VERB_READERS] =
        {N_("say which programs read which stores"), "[FILE] [OPTION]…",
         N_("For each program in the table that this machine has: what it reads, and in what\n"
            "order. With FILE: whether it would accept that chain, which begins with the\n"
            "server's certificate or with a CA, and which store decides. Nothing is run:\n"
            "what is known of programs was measured, with the versions that are named.\n"
            "Exit with FILE: 0 all say yes; 6 one says no; 4 some cannot tell; 1 all.\n"),
         " server.pem --host www.example.com", NULL, OPERANDS_FILE},
    [XR_VERB_EXTRACT] =
        {N_("write root lists in the formats of others"), "--from SOURCE… --to FORMAT=PATH…",
         N_("SOURCE: Mozilla's certdata.txt, CCADB's CSV, a .p11-kit file, certificates in a\n"
            "file or directory, a Java keystore, a store's address. Several add up.\n"
            "FORMAT: pem pem-dir pem-dir-hash openssl-trusted openssl-dir edk2 java java-p12\n"
            "p11-kit debian curl-pem certifi nss chromium-policy firefox-policy windows-reg\n"
            "mobileconfig cluster-trust-bundle. PATH: - for standard output.\n"),
         " --from certdata.txt --to pem=ca-bundle.pem --to java=cacerts", NULL, OPERANDS_NONE},
    [XR_VERB_DIFF] =
        {N_("say what differs between two root lists"), "A B [--markdown]",
         N_("A and B are what extract takes, or documents of list --json from two machines.\n"
            "Exit 3 if they differ.\n"),
         " old.txt new.txt", NULL, OPERANDS_TWO},
    [XR_VERB_CHAIN] =
        {N_("make the file that a server must send"), "LEAF… [--from SOURCE]… [--all-paths]",
         N_("As PEM, in the order in which servers send them: the server's certificate, the\n"
            "CAs above it and cross certificates, no root. Standard error says which stores\n"
            "need a cross certificate, until when it is of use, and what was left out.\n"
            "Exit 4: the chain ends before a root.\n"),
         " server.pem --from cas/ > chain.pem", NULL, OPERANDS_FILES},
    [COMMAND_COMPLETION] =
        {N_("print the completion of a shell"), "bash|zsh|fish",
         N_("Packages install it where the shell looks for it. For this session of bash:\n"
            "  source <(crossroot completion bash)\n"),
         " bash", NULL, OPERANDS_SHELL},
};

bool command_tells(unsigned command, const struct option *option)
{
    static const struct {
        unsigned command;
        const char *options;
    } told[] = {{XR_VERB_EXTRACT, "from to modified at"}};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        const char *word = told[i].options;

        for (size_t len = 0; told[i].command == command && (len = next_word(&word)) > 0;
             word += len) {
            if (strlen(option->name) == len && strncmp(option->name, word, len) == 0)
                return true;
        }
    }
    return false;
}

const char *command_name(unsigned command)
{
    return command == COMMAND_COMPLETION ? "completion" : xr_verb_name((enum xr_verb)command);
}

size_t next_word(const char **word)
{
    if (*word == NULL)
        return 0;
    *word += strspn(*word, " ");
    return strcspn(*word, " ");
}
