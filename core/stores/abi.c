/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets of the members of published structs. Plugins and programs that were compiled earlier
 * depend on them, so a change in the middle of a struct does not compile here: add members only at
 * the end, and add a line here. Sizes are fixed only for structs without a size member. Checked
 * only if pointers and long have 64 bits; other systems use the same order.
 */
#include <crossroot/crossroot.h>

#if UINTPTR_MAX == UINT64_MAX && !defined(_WIN32)
#define AT(type, member, offset) \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")
#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has another size")

AT(xr_error, size, 0);
AT(xr_error, status, 8);
AT(xr_error, domain, 12);
AT(xr_error, code, 32);
AT(xr_error, text, 40);

AT(xr_bytes, data, 0);
AT(xr_bytes, len, 8);
SIZE(xr_bytes, 16);

AT(xr_subject, type, 0);
AT(xr_subject, id, 4);
SIZE(xr_subject, 36);

AT(xr_attached, size, 0);
AT(xr_attached, oid, 8);
AT(xr_attached, value, 24);

AT(xr_entry, size, 0);
AT(xr_entry, subject, 8);
AT(xr_entry, place, 44);
AT(xr_entry, purposes, 48);
AT(xr_entry, flags, 52);
AT(xr_entry, label, 56);
AT(xr_entry, der, 64);
AT(xr_entry, issuer, 80);
AT(xr_entry, serial, 96);
AT(xr_entry, attached, 112);
AT(xr_entry, attached_count, 120);
AT(xr_entry, native, 128);
AT(xr_entry, remark, 144);
AT(xr_entry, about, 152);
AT(xr_entry, returns, 168);

AT(xr_state, size, 0);
AT(xr_state, subject, 8);
AT(xr_state, entries, 48);
AT(xr_state, count, 56);

AT(xr_caps, size, 0);
AT(xr_caps, places, 8);
AT(xr_caps, purposes, 72);
AT(xr_caps, subjects, 76);
AT(xr_caps, writable, 80);
AT(xr_caps, atomic, 81);
AT(xr_caps, needs_privilege, 82);
AT(xr_caps, verifier, 83);
AT(xr_caps, why_not, 179);
AT(xr_caps, identity, 435);
AT(xr_caps, why_cannot, 531);
AT(xr_caps, distrust_by_key, 4627);
AT(xr_caps, summary, 4628);
AT(xr_caps, locked, 4756);
AT(xr_caps, notice, 4760);
AT(xr_caps, attaches, 5560);
AT(xr_caps, refused, 5561);
AT(xr_caps, would_trust, 5562);
AT(xr_caps, would_trust_id, 5962);
AT(xr_caps, left_out, 5994);
AT(xr_caps, unfinished, 6394);
AT(xr_caps, missing, 6395);
AT(xr_caps, one_per_serial, 6695);
AT(xr_caps, limited, 6696);
AT(xr_caps, why_not_limited, 6700);
AT(xr_caps, serves, 6956);
AT(xr_caps, serves_everybody, 7084);
AT(xr_caps, shares_readers, 7085);
AT(xr_caps, vendors, 7086);

AT(xr_opinion, size, 0);
AT(xr_opinion, answer, 8);
AT(xr_opinion, by, 12);
AT(xr_opinion, why, 108);
AT(xr_opinion, spare, 364);
SIZE(xr_opinion, 496);

AT(xr_verdict, size, 0);
AT(xr_verdict, answer, 8);
AT(xr_verdict, by, 12);
AT(xr_verdict, why, 108);
AT(xr_verdict, path, 364);
AT(xr_verdict, path_len, 2416);
AT(xr_verdict, also, 2424);
AT(xr_verdict, also_count, 6392);

AT(xr_browser_cert, size, 0);
AT(xr_browser_cert, der, 8);
AT(xr_browser_cert, trust, 24);
AT(xr_browser_cert, permitted_dns, 32);
AT(xr_browser_cert, permitted_dns_count, 40);
AT(xr_browser_cert, permitted_cidrs, 48);
AT(xr_browser_cert, permitted_cidrs_count, 56);
AT(xr_browser_cert, source, 64);
AT(xr_browser_cert, by_name_bytes, 72);
SIZE(xr_browser_cert, 80);

AT(xr_browser_check, size, 0);
AT(xr_browser_check, probe, 8);
AT(xr_browser_check, browser, 16);
AT(xr_browser_check, known, 24);
AT(xr_browser_check, known_count, 32);
AT(xr_browser_check, unread, 40);
AT(xr_browser_check, fetches, 48);

AT(xr_probe, size, 0);
AT(xr_probe, chain, 8);
AT(xr_probe, count, 16);
AT(xr_probe, purpose, 24);
AT(xr_probe, host, 32);
AT(xr_probe, at, 40);

AT(xr_slices, size, 0);
AT(xr_slices, tbs, 8);
AT(xr_slices, serial, 24);
AT(xr_slices, issuer, 40);
AT(xr_slices, subject, 56);
AT(xr_slices, spki, 72);

AT(xr_path_check, size, 0);
AT(xr_path_check, probe, 8);
AT(xr_path_check, partial, 16);
AT(xr_path_check, lookup, 24);
AT(xr_path_check, lookup_ctx, 32);
AT(xr_path_check, also_partial, 40);
AT(xr_path_check, crls_aside, 41);

AT(xr_command, size, 0);
AT(xr_command, argv, 8);
AT(xr_command, env, 16);
AT(xr_command, directory, 24);
AT(xr_command, input, 32);
AT(xr_command, limit_ms, 48);
AT(xr_command, said, 52);

AT(xr_host, size, 0);
AT(xr_host, write_atomic, 8);
AT(xr_host, slices, 16);
AT(xr_host, crl_issuer, 24);
AT(xr_host, name_hash, 32);
AT(xr_host, sha256, 40);
AT(xr_host, pem, 48);
AT(xr_host, items, 56);
AT(xr_host, trusted, 64);
AT(xr_host, state_equal, 72);
AT(xr_host, path_check, 80);
AT(xr_host, release, 88);
AT(xr_host, sha1, 96);
AT(xr_host, md5, 104);
AT(xr_host, run, 112);
AT(xr_host, lock, 120);
AT(xr_host, openssl_items, 128);
AT(xr_host, browser_check, 136);

AT(xr_site, size, 0);
AT(xr_site, root, 8);
AT(xr_site, home, 16);
AT(xr_site, data_home, 24);
AT(xr_site, uid, 32);
AT(xr_site, layout, 40);
AT(xr_site, updater_distro, 48);
AT(xr_site, config_home, 56);
AT(xr_site, nss, 64);
AT(xr_site, rebuild, 72);
AT(xr_site, places, 80);

AT(xr_places, size, 0);
AT(xr_places, list, 8);
AT(xr_places, packaged, 16);
AT(xr_places, local, 24);
AT(xr_places, published, 32);
AT(xr_places, bundle, 40);
AT(xr_places, extracted, 48);
AT(xr_places, all_packaged, 56);

AT(xr_found, size, 0);
AT(xr_found, location, 8);
AT(xr_found, identity, 16);
AT(xr_found, summary, 24);
AT(xr_found, only_named, 32);

AT(xr_target, size, 0);
AT(xr_target, site, 8);
AT(xr_target, location, 16);
AT(xr_target, leaving, 24);
AT(xr_target, leaving_count, 32);
AT(xr_target, coming, 40);
AT(xr_target, coming_count, 48);
AT(xr_target, soon, 56);

AT(xr_backend, abi, 0);
AT(xr_backend, size, 8);
AT(xr_backend, name, 16);
AT(xr_backend, summary, 24);
AT(xr_backend, flags, 32);
AT(xr_backend, discover, 40);
AT(xr_backend, open, 48);
AT(xr_backend, close, 56);
AT(xr_backend, list, 64);
AT(xr_backend, swap, 72);
AT(xr_backend, flush, 80);
AT(xr_backend, probe, 88);
AT(xr_backend, renew, 96);
AT(xr_backend, unlock, 104);
AT(xr_backend, preload, 112);
AT(xr_backend, refresh, 120);
AT(xr_backend, discover_here, 128);
AT(xr_backend, content, 136);

AT(xr_words, items, 0);
AT(xr_words, count, 8);
SIZE(xr_words, 16);

AT(xr_request, size, 0);
AT(xr_request, verb, 8);
AT(xr_request, operands, 16);
AT(xr_request, stores, 32);
AT(xr_request, excluded, 48);
AT(xr_request, plugins, 64);
AT(xr_request, pins, 80);
AT(xr_request, published, 96);
AT(xr_request, untrusted, 112);
AT(xr_request, serials, 128);
AT(xr_request, site, 144);
AT(xr_request, scope, 152);
AT(xr_request, state_dir, 160);
AT(xr_request, worker, 168);
AT(xr_request, now, 176);
AT(xr_request, has_place, 184);
AT(xr_request, place, 188);
AT(xr_request, purposes, 192);
AT(xr_request, host, 200);
AT(xr_request, at, 208);
AT(xr_request, yes, 216);
AT(xr_request, dry_run, 217);
AT(xr_request, best_effort, 218);
AT(xr_request, drop_constraints, 219);
AT(xr_request, key, 220);
AT(xr_request, require_verified, 221);
AT(xr_request, all_or_nothing, 222);
AT(xr_request, managed, 223);
AT(xr_request, confirm, 224);
AT(xr_request, interrupted, 232);
AT(xr_request, ctx, 240);
AT(xr_request, password, 248);
AT(xr_request, ask_password, 264);
AT(xr_request, has_invoker, 272);
AT(xr_request, invoker, 276);
AT(xr_request, parallel, 280);
AT(xr_request, progress, 288);
AT(xr_request, only, 296);
AT(xr_request, verbose, 297);
AT(xr_request, expires_by, 304);
AT(xr_request, sort, 312);
AT(xr_request, reach, 316);
AT(xr_request, by, 320);
AT(xr_request, only_files, 328);
AT(xr_request, permit_dns, 336);
AT(xr_request, permit_cidrs, 352);
AT(xr_request, environment, 368);
AT(xr_request, sources, 384);
AT(xr_request, outputs, 400);
AT(xr_request, blocklists, 416);
AT(xr_request, merge, 432);
AT(xr_request, comments, 433);
AT(xr_request, check, 434);
AT(xr_request, update, 435);
AT(xr_request, overwrite, 436);
AT(xr_request, all_paths, 437);
AT(xr_request, expired, 440);
AT(xr_request, distrust_after, 444);
AT(xr_request, has_modified, 448);
AT(xr_request, modified, 456);
AT(xr_request, log, 464);
AT(xr_request, anew, 472);
AT(xr_request, prune, 480);
AT(xr_request, text_only, 488);

AT(xr_about, size, 0);
AT(xr_about, version, 8);
AT(xr_about, commit, 16);
AT(xr_about, compiler, 24);
AT(xr_about, options, 32);
AT(xr_about, worker, 40);
AT(xr_about, openssl, 48);
AT(xr_about, jansson, 56);

AT(xr_known_backend, size, 0);
AT(xr_known_backend, name, 8);
AT(xr_known_backend, summary, 16);
AT(xr_known_backend, plugin, 24);
AT(xr_known_backend, why, 32);

AT(xr_text_style, size, 0);
AT(xr_text_style, color, 8);
AT(xr_text_style, quiet, 9);
AT(xr_text_style, verbose, 10);
AT(xr_text_style, width, 12);
AT(xr_text_style, local_time, 16);
AT(xr_text_style, pem, 24);
AT(xr_text_style, markdown, 25);
AT(xr_text_style, catalogue, 32);
#endif

/* Values of enums are compiled into plugins too. */
#define IS(name, value) _Static_assert((int)(name) == (value), #name " has another value")
IS(XR_OK, 0);
IS(XR_FAILED, 1);
IS(XR_INVALID, 2);
IS(XR_CONFLICT, 3);
IS(XR_REFUSED, 4);
IS(XR_DENIED, 5);
IS(XR_BUSY, 6);
IS(XR_ABSENT, 7);
IS(XR_UNSUPPORTED, 8);
IS(XR_LOST, 9);
IS(XR_STALE, 10);
IS(XR_WARNED, 11);
IS(XR_ANCHOR, 0);
IS(XR_INTERMEDIATE, 1);
IS(XR_PEER, 2);
IS(XR_DISTRUST, 3);
IS(XR_CRL, 4);
IS(XR_SUBJECT_CERT, 1);
IS(XR_SUBJECT_KEY, 2);
IS(XR_SUBJECT_ISSUER_SERIAL, 3);
IS(XR_SUBJECT_CRL, 4);
IS(XR_CANNOT, 0);
IS(XR_ADVISORY, 1);
IS(XR_DESELECT_ONLY, 2);
IS(XR_ENFORCED, 3);
IS(XR_UNKNOWN, 0);
IS(XR_YES, 1);
IS(XR_NO, 2);
IS(XR_VERB_INSPECT, 0);
IS(XR_VERB_STORES, 1);
IS(XR_VERB_LIST, 2);
IS(XR_VERB_INSTALL, 3);
IS(XR_VERB_REMOVE, 4);
IS(XR_VERB_DISTRUST, 5);
IS(XR_VERB_VERIFY, 6);
IS(XR_VERB_UNDO, 7);
IS(XR_VERB_HISTORY, 8);
IS(XR_VERB_RECOVER, 9);
IS(XR_VERB_SHOW, 10);
IS(XR_VERB_READERS, 11);
IS(XR_VERB_EXTRACT, 12);
IS(XR_VERB_DIFF, 13);
IS(XR_VERB_CHAIN, 14);
IS(XR_VERB_REFRESH, 15);
IS(XR_KEEP, 0);
IS(XR_DROP_PAST, 1);
IS(XR_DROP, 2);
IS(XR_EXIT_OK, 0);
IS(XR_EXIT_FAILED, 1);
IS(XR_EXIT_USAGE, 2);
IS(XR_EXIT_DRIFT, 3);
IS(XR_EXIT_PARTIAL, 4);
IS(XR_EXIT_PRIVILEGE, 5);
IS(XR_EXIT_NO, 6);
IS(XR_EXIT_CONFIRM, 7);
IS(XR_EXIT_INTERRUPTED, 130);
IS(XR_READ, 0);
IS(XR_WRITE, 1);
IS(XR_PROBE, 2);
IS(XR_ITEM_CERT, 1);
IS(XR_ITEM_CRL, 2);
IS(XR_ITEM_TRUSTED_CERT, 3);
