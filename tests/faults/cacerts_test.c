/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in the CA certificates of a distribution: sources and outputs. */
#include "stock.h"
#include "tree.h"
#include "trials.h"

#include <stdlib.h>

TestSuite(faults_cacerts, .init = trials_begin, .fini = trials_end);

/* As it ships, published, and with one of ours. */
static void stocked(const char *place, const char *layout)
{
    static const struct wanted first[] = {{XR_WISH_INSTALL, TWIN_A}};
    const struct stock_cert shipped[] = {{"Faults_Shipped", trials_der(SHIPPED)},
                                         {"Faults_Out", trials_der(OUT)}};
    char *store = tree_path(place, "store");

    tree_dir(place, "store");
    stock_make(stock_find(layout), store, shipped, 2);
    trials_must(place, first, 1);
    free(store);
}

static void debian(const char *place)
{
    stocked(place, "debian");
}

static void fedora(const char *place)
{
    stocked(place, "fedora");
}

#define WANTED                                               \
    {                                                        \
        {XR_WISH_INSTALL, NEW}, {XR_WISH_DISTRUST, SHIPPED}, \
        {                                                    \
            XR_WISH_REMOVE, TWIN_A                           \
        }                                                    \
    }

static const struct scene scenes[] = {
    {"one added, one deselected, one removed", "ca-certificates", debian, WANTED, 3,
     "etc/ssl/certs/ca-certificates.crt"},
    {"one added, one blocked, one removed", "ca-certificates", fedora, WANTED, 3,
     "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

ParameterizedTestParameters(faults_cacerts, every)
{
    return trials_indexes(SCENES * trials_faults);
}

ParameterizedTest(size_t *index, faults_cacerts, every)
{
    trials_every(&scenes[*index / trials_faults], *index % trials_faults);
}

ParameterizedTestParameters(faults_cacerts, again)
{
    return trials_indexes(SCENES);
}

ParameterizedTest(size_t *index, faults_cacerts, again)
{
    trials_again(&scenes[*index]);
}
