/* SPDX-License-Identifier: Apache-2.0 */
/* Where products look for policies. Those of Chromium and Firefox ESR were measured; the others are
 * said to do the same in directories of their own. */
#include "policy.h"

static const char *const chromiums[] = {"/usr/lib/chromium", "/usr/lib64/chromium-browser",
                                        "/usr/lib64/chromium", NULL};
static const char *const chromes[] = {"/opt/google/chrome", NULL};
static const char *const edges[] = {"/opt/microsoft/msedge", NULL};
static const char *const braves[] = {"/opt/brave.com/brave", NULL};
static const char *const firefoxes[] = {
    "/usr/lib/firefox-esr",   "/usr/lib/firefox",       "/usr/lib64/firefox",
    "/usr/lib64/firefox-esr", "/opt/firefox",           "/opt/firefox-esr",
    "/usr/local/firefox",     "/usr/local/lib/firefox", NULL};
static const char *const thunderbirds[] = {"/usr/lib/thunderbird", "/usr/lib64/thunderbird",
                                           "/opt/thunderbird", "/usr/local/thunderbird", NULL};
static const char *const librewolves[] = {"/usr/lib/librewolf", "/usr/lib64/librewolf",
                                          "/usr/share/librewolf", "/opt/librewolf", NULL};

const struct policy_product policy_products[] = {
    {"chromium", "Chromium", POLICY_CHROMIUM, "/etc/chromium/policies", chromiums},
    {"chrome", "Google Chrome", POLICY_CHROMIUM, "/etc/opt/chrome/policies", chromes},
    {"edge", "Microsoft Edge", POLICY_CHROMIUM, "/etc/opt/edge/policies", edges},
    {"brave", "Brave", POLICY_CHROMIUM, "/etc/brave/policies", braves},
    {"firefox", "Firefox", POLICY_FIREFOX, "/etc/firefox/policies/policies.json", firefoxes},
    {"thunderbird", "Thunderbird", POLICY_FIREFOX, "/etc/thunderbird/policies/policies.json",
     thunderbirds},
    {"librewolf", "LibreWolf", POLICY_FIREFOX, "/etc/librewolf/policies/policies.json",
     librewolves},
    {NULL, NULL, POLICY_CHROMIUM, NULL, NULL}};
