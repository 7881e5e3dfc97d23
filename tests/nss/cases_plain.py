# SPDX-License-Identifier: Apache-2.0
"""Cases of corpus.py: signatures, keys, times, hosts, usages."""
from casebook import ALL, CAS, HOST, HOUR, STORE, case, ext, generalized, utc
from minting import bc, bits, eku, general, integer, ku, name, octets, san, seq, tlv

# --- plain, and signatures

case("plain")
case("plain_rsa", **{role: {"key": "rsa2048"} for role in ("old", "new", "sub", "leaf")}, )
case("leaf_only_needs_sub", sends={"L": ["leaf"]})
case("leaf_by_old", leaf={"signer": "old"}, sends={"A": ["leaf"]})
case("new_sent", sends={"B": ["leaf", "sub", "new"]})
case(
    "new_sent_and_cross",
    sends={"A": ["leaf", "sub", "new", "cross"], "B": ["leaf", "sub", "cross", "new"]})
case("old_sent", sends={"A": ["leaf", "sub", "old"], "B": ["leaf", "sub", "cross", "old"]})
case("cross_not_in_store", store=STORE[:1])
case("sub_in_store", store=[*STORE, ("sub", ",,")], sends={"A": ["leaf"]})
for how in ("md5", "sha1", "sha224", "sha384", "sha512",
            "pss-sha1", "pss-sha256", "pss-sha384", "pss-sha512"):
    for role in ALL:
        roles = {one: {"key": "rsa2048"} for one in ("old", "new", "cross", "sub", "leaf")}
        roles[role]["sign"] = how
        case(f"rsa_{how.replace('-', '_')}_{role}", **roles)
for how in ("sha1", "sha224", "sha384", "sha512"):
    for role in ALL:
        case(f"ec_{how}_{role}", **{role: {"sign": how}})
case(
    "sha1_new_sent", new={"sign": "sha1"},
    sends={"A": ["leaf", "sub", "new"], "B": ["leaf", "sub", "cross", "new"]})
case(
    "sha1_cross_other_good", cross={"sign": "sha1"}, cross2={"base": "cross"},
    store=[*STORE, ("cross2", ",,")])
case(
    "sha1_cross_other_good_first", cross={"sign": "sha1"}, cross2={"base": "cross"},
    store=[("old", "C,,"), ("cross2", ",,"), ("cross", ",,")])

# --- keys

for kind in ("p192", "p224", "p384", "p521", "k256", "bp256", "bp384", "ed25519", "ed448",
             "dsa1024", "dsa2048", "rsa512", "rsa768", "rsa1016", "rsa1023", "rsa1024", "rsa1536",
             "rsa2047", "rsa2048e3", "rsa3072", "rsa4096"):
    for role in ("leaf", "sub", "new", "old"):
        where = {"new": "cross"}.get(role, role)
        refused = [where] if kind.startswith("ed") and where in ("cross", "old") else []
        case(f"key_{kind}_{where}", refused=refused, **{role: {"key": kind}})

# --- time

for role in ALL:
    case(f"expired_{role}", **{role: {"days": (-60, -1)}})
    case(f"expired_1h_{role}", **{role: {"days": (-60, -HOUR)}})
    case(f"not_yet_1h_{role}", **{role: {"days": (HOUR, 90)}})
    case(f"not_yet_2d_{role}", **{role: {"days": (2, 90)}})
    case(f"long_20y_{role}", **{role: {"days": (-60, 7300)}})
    case(f"year_2060_{role}", **{role: {"days": (-60, generalized("20600101000000Z"))}})
    case(f"year_9999_{role}", **{role: {"days": (-60, generalized("99991231235959Z"))}})
    case(f"generalized_before_2050_{role}", **{role: {"time": "generalized"}})
    case(f"end_before_begin_{role}", **{role: {"days": (-1, -60)}})
    case(f"utc_without_seconds_{role}", **{role: {"days": (utc("2601010000Z"), 90)}})
    case(f"utc_with_offset_{role}", **{role: {"days": (utc("260101000000+0000"), 90)}})
    case(
        f"generalized_fraction_{role}", **{role: {"days": (generalized("20260101000000.5Z"), 90)}})
    case(f"utc_1950_{role}", **{role: {"days": (utc("500101000000Z"), 90)}})
    case(f"time_no_date_{role}", **{role: {"days": (utc("260231000000Z"), 90)}})
case("leaf_398d", leaf={"days": (-30, 367)})
case("leaf_400d", leaf={"days": (-30, 370)})
case("leaf_900d", leaf={"days": (-30, 870)})
case("leaf_year_0000", leaf={"days": (generalized("00000101000000Z"), 90)})
case("leaf_longer_than_sub", sub={"days": (-60, 30)}, leaf={"days": (-30, 300)})
case("expired_new_sent", new={"days": (-60, -1)}, sends={"B": ["leaf", "sub", "new"]})
case(
    "two_subs_one_expired", sub={"days": (-60, -1)}, sub2={"base": "sub", "like": "sub"},
    sends={"A": ["leaf", "sub", "sub2"], "B": ["leaf", "sub2", "sub"]})

# --- the host

case("cn_only", leaf={"subject": [("CN", "localhost")], **ext(san=None)})
case("cn_only_no_san_other_cn", leaf=ext(san=None))
case(
    "cn_right_san_wrong",
    leaf={"subject": [("CN", "localhost")], **ext(san=san("dns:other.example"))})
case("cn_wrong_san_right", leaf={"subject": [("CN", "other.example")]})
case(
    "cn_right_san_mail_only",
    leaf={"subject": [("CN", "localhost")], **ext(san=san("mail:a@example.com"))})
case(
    "cn_right_san_ip_only", leaf={"subject": [("CN", "localhost")], **ext(san=san("ip:7f000001"))})
case("host_plain", host=HOST)
case("host_cn_only", host=HOST, leaf={"subject": [("CN", HOST)], **ext(san=None)})
NAMES = {
    "wildcard": "*.test.example", "wildcard_partial": "w*.test.example",
    "wildcard_partial_end": "*w.test.example", "wildcard_two_levels": "*.example",
    "wildcard_all": "*", "wildcard_middle": "www.*.example", "wildcard_double": "*.*.example",
    "wildcard_star_star": "**.test.example", "upper": "WWW.TEST.EXAMPLE",
    "dot": "www.test.example.", "leading_dot": ".test.example", "parent": "test.example",
    "child": "a.www.test.example", "nul": "www.test.example\0.evil.example",
    "blank": "www.test.example ", "leading_blank": " www.test.example", "no_characters": "",
    "dash": "-ww.test.example", "url": "https://www.test.example", "port": "www.test.example:443",
    "high": "www.t\xe9st.example"}
for title, text in NAMES.items():
    case("san_" + title, host=HOST, leaf=ext(san=san("dns:" + text)))
    case("san_" + title + "_and_right", host=HOST, leaf=ext(san=san("dns:" + text, "dns:" + HOST)))
case("san_wildcard_for_parent", host="test.example", leaf=ext(san=san("dns:*.test.example")))
case("san_wildcard_for_child", host="a.b.test.example", leaf=ext(san=san("dns:*.test.example")))
case("san_wildcard_tld", host="test.example", leaf=ext(san=san("dns:*.example")))
case("san_wildcard_com", host="test.com", leaf=ext(san=san("dns:*.com")))
case("san_wildcard_co_uk", host="test.co.uk", leaf=ext(san=san("dns:*.co.uk")))
case("san_wildcard_github", host="test.github.io", leaf=ext(san=san("dns:*.github.io")))
case("san_wildcard_localhost", host="a.localhost", leaf=ext(san=san("dns:*.localhost")))
case(
    "san_wildcard_idn", host="xn--bcher-kva.test.example", leaf=ext(san=san("dns:*.test.example")))
case(
    "san_wildcard_partial_idn", host="xn--bcher-kva.test.example",
    leaf=ext(san=san("dns:xn--*.test.example")))
case("host_one_label", host="intranet")
case("host_dot", host="www.test.example.", leaf=ext(san=san("dns:www.test.example")))
case("host_dot_san_dot", host="www.test.example.")
case("host_upper", host="WWW.Test.Example", leaf=ext(san=san("dns:www.test.example")))
case("host_underscore", host="a_b.test.example")
case("host_underscore_wildcard", host="a_b.test.example", leaf=ext(san=san("dns:*.test.example")))
case("host_punycode", host="xn--bcher-kva.example")
case(
    "host_utf8_san", host="xn--bcher-kva.example",
    leaf=ext(san=(False, seq(tlv(0x82, "bücher.example".encode())))))
case("host_dash_end", host="a-.test.example")
case("host_digits", host="1.2.3.test.example")
case("host_long_label", host="a" * 63 + ".test.example")
case(
    "host_many_names",
    leaf=ext(san=san(*(f"dns:n{i}.test.example" for i in range(1000)), "dns:localhost")))
case("ip", host="127.0.0.1", leaf=ext(san=san("ip:7f000001")))
case("ip_as_dns", host="127.0.0.1", leaf=ext(san=san("dns:127.0.0.1")))
case("ip_as_cn", host="127.0.0.1", leaf={"subject": [("CN", "127.0.0.1")], **ext(san=None)})
case("ip_other", host="127.0.0.1", leaf=ext(san=san("ip:7f000002")))
case("ip_mapped", host="127.0.0.1", leaf=ext(san=san("ip:00000000000000000000ffff7f000001")))
case("ip_8_octets", host="127.0.0.1", leaf=ext(san=san("ip:7f000001ffffffff", "ip:7f000001")))
case("ip_5_octets_host_name", leaf=ext(san=san("ip:7f00000101", "dns:localhost")))
case("ip_and_dns", host="127.0.0.1", leaf=ext(san=san("dns:localhost", "ip:7f000001")))
case("ip_wildcard", host="127.0.0.1", leaf=ext(san=san("dns:*.0.0.1")))
case("ip_uri", host="127.0.0.1", leaf=ext(san=san("uri:https://127.0.0.1/")))
case("ip6", host="[::1]", leaf=ext(san=san("ip:" + "0" * 31 + "1")))
case("ip6_zero_suffix", host="[::1]", leaf=ext(san=san("ip:" + "0" * 32)))
case("san_critical", leaf=ext(san=san("dns:localhost", critical=True)))
case(
    "san_critical_empty_subject",
    leaf={"subject": [], **ext(san=san("dns:localhost", critical=True))})
case("san_empty_subject", leaf={"subject": []})
case("empty_subject_no_san", leaf={"subject": [], **ext(san=None)})
case(
    "san_many_kinds",
    leaf=ext(san=san(
        "mail:a@b.example", "uri:https://x.example/", "id:1.2.3", "other:x", name(("CN", "x")),
        "dns:localhost")))
case("san_other_then_dns", leaf=ext(san=san("other:x", "dns:localhost")))
case("san_empty", leaf=ext(san=(False, seq())))
case("san_empty_cn", leaf={"subject": [("CN", "localhost")], **ext(san=(False, seq()))})
case("san_garbage", leaf=ext(san=(False, b"garbage")))
case("san_trailing", leaf=ext(san=(False, seq(general("dns:localhost")) + b"\0")))
case("san_unknown_tag", leaf=ext(san=(False, seq(tlv(0x8f, b"x"), general("dns:localhost")))))
case("san_twice", leaf=ext(san=[san("dns:localhost"), san("dns:localhost")]))
case("san_twice_other_first", leaf=ext(san=[san("dns:other.example"), san("dns:localhost")]))
case("san_bad_mail_char", leaf=ext(san=san("mail:\xe9@x.example", "dns:localhost")))
case("cn_two", leaf={"subject": [("CN", "localhost"), ("CN", "other.example")], **ext(san=None)})
case("san_on_ca", sub=ext(san=san("dns:sub.example")))
case("san_garbage_on_ca", sub=ext(san=(False, b"garbage")))

# --- CA or not

case("ca_leaf_right_host", leaf=ext(bc=bc(), ku=None))
case("ca_leaf_right_host_ku", leaf=ext(bc=bc(), ku=ku("certsign", "crlsign")))
case("ca_leaf_right_host_ku_sign", leaf=ext(bc=bc(), ku=ku("certsign", "crlsign", "sign")))
case("ca_leaf_wrong_host", leaf=ext(bc=bc(), ku=None, san=san("dns:other.example")))
case("ca_leaf_no_eku", leaf=ext(bc=bc(), ku=None, eku=None))
case("leaf_bc_false", leaf=ext(bc=bc(False)))
case("leaf_bc_false_noncritical", leaf=ext(bc=bc(False, critical=False)))
case("leaf_bc_false_explicit", leaf=ext(bc=(True, seq(tlv(1, b"\0")))))
case("leaf_bc_path_without_ca", leaf=ext(bc=(True, seq(integer(0)))))
case("sub_bc_path_without_ca", sub=ext(bc=(True, seq(integer(0)))))
for role in ALL:
    case(f"bc_garbage_{role}", **{role: ext(bc=(True, b"garbage"))})
    case(f"bc_garbage_noncritical_{role}", **{role: ext(bc=(False, b"garbage"))})
    case(f"bc_trailing_{role}", **{role: ext(bc=(True, bc()[1] + b"\0"))})
    case(f"bc_true_is_1_{role}", **{role: ext(bc=(True, seq(tlv(1, b"\1"))))})
    case(f"bc_negative_path_{role}", **{role: ext(bc=bc(path=-1))})
    case(f"bc_huge_path_{role}", **{role: ext(bc=bc(path=1 << 40))})
    case(f"bc_path_300_{role}", **{role: ext(bc=bc(path=300))})
    case(f"v1_{role}", **{role: {"version": 1}})
    case(f"v2_{role}", **{role: {"version": 2}})
    case(f"v4_{role}", **{role: {"version": 4, "extended": True}})
    case(f"v1_with_extensions_{role}", **{role: {"version": 1, "extended": True}})
    case(f"no_extensions_{role}", **{role: {"bare": True}})
    case(f"empty_extensions_{role}", **{role: {"bare": True, "empty": True}})
    case(f"unique_id_{role}", **{role: {"unique": tlv(0x81, b"\0\1\2")}})
for role in CAS:
    case(f"bc_absent_{role}", **{role: ext(bc=None)})
    case(f"bc_absent_no_ku_{role}", **{role: ext(bc=None, ku=None)})
    case(f"bc_false_{role}", **{role: ext(bc=bc(False))})
    case(f"bc_false_noncritical_{role}", **{role: ext(bc=bc(False, critical=False))})
    case(f"bc_noncritical_{role}", **{role: ext(bc=bc(critical=False))})
    case(f"bc_twice_{role}", **{role: ext(bc=[bc(), bc()])})
    for n in (0, 1, 2):
        case(f"path_{n}_{role}", **{role: ext(bc=bc(path=n))})
    case(f"ku_absent_{role}", **{role: ext(ku=None)})
    case(f"ku_noncritical_{role}", **{role: ext(ku=ku("certsign", critical=False))})
    case(f"ku_no_certsign_{role}", **{role: ext(ku=ku("sign", "crlsign"))})
    case(f"ku_no_certsign_noncritical_{role}", **{role: ext(ku=ku("sign", critical=False))})
    case(f"ku_empty_{role}", **{role: ext(ku=ku())})
    case(f"ku_garbage_{role}", **{role: ext(ku=(True, b"garbage"))})
    case(f"ski_absent_{role}", **{role: ext(ski=None)})
    case(f"ski_other_{role}", **{role: ext(ski=(False, octets(b"another key's")))})
    case(f"ski_garbage_{role}", **{role: ext(ski=(False, b"garbage"))})
case("pathlen_0_sub_no_ku", sub=ext(bc=bc(path=0), ku=None))
case("leaf_ca_below_path_0", sub=ext(bc=bc(path=0)), leaf=ext(bc=bc(), ku=None))

# --- usages of the leaf

USES = {
    "sign": ("sign",), "keyenc": ("keyenc",), "agree": ("agree",), "certsign": ("certsign",),
    "nonrep": ("nonrep",), "dataenc": ("dataenc",), "crlsign": ("crlsign",),
    "both": ("sign", "keyenc"), "empty": (), "sign_certsign": ("sign", "certsign"),
    "all": ("sign", "nonrep", "keyenc", "dataenc", "agree", "certsign", "crlsign")}
for key in ("rsa2048", "p256"):
    for title, usages in USES.items():
        case(f"leaf_ku_{title}_{key}", leaf={"key": key, **ext(ku=ku(*usages))})
    case(f"leaf_ku_none_{key}", leaf={"key": key, **ext(ku=None)})
    case(
        f"leaf_ku_keyenc_noncritical_{key}",
        leaf={"key": key, **ext(ku=ku("keyenc", critical=False))})
case("leaf_ku_garbage", leaf=ext(ku=(True, b"garbage")))
case("leaf_ku_empty_bits", leaf=ext(ku=(True, bits(b""))))
case("leaf_ku_twice", leaf=ext(ku=[ku("sign"), ku("sign")]))
case("leaf_ku_unused_wrong", leaf=ext(ku=(True, bits(b"\x80", 0))))
case("leaf_ku_unused_nonzero", leaf=ext(ku=(True, bits(b"\x81", 7))))
PURPOSE = {
    "server": ("server",), "client": ("client",), "email": ("email",), "any": ("any",),
    "sgc": ("sgc",), "msgc": ("msgc",), "code": ("code",), "ocsp": ("ocsp",), "own": ("own",),
    "server_client": ("server", "client"), "server_ocsp": ("server", "ocsp"),
    "client_any": ("client", "any"), "server_email": ("server", "email"), "time": ("time",),
    "server_time": ("server", "time"), "server_code": ("server", "code")}
for title, purposes in PURPOSE.items():
    for role in ALL:
        case(f"eku_{title}_{role}", **{role: ext(eku=eku(*purposes))})
for role in ALL:
    case(f"eku_absent_{role}", **{role: ext(eku=None)})
    case(f"eku_critical_{role}", **{role: ext(eku=eku("server", critical=True))})
    case(f"eku_any_critical_{role}", **{role: ext(eku=eku("any", critical=True))})
    case(f"eku_empty_{role}", **{role: ext(eku=eku())})
    case(f"eku_garbage_{role}", **{role: ext(eku=(False, b"garbage"))})
    case(f"eku_twice_{role}", **{role: ext(eku=[eku("server"), eku("server")])})
    case(f"eku_trailing_{role}", **{role: ext(eku=(False, eku("server")[1] + b"\0"))})
case("eku_email_new_sent", new=ext(eku=eku("email")), sends={"B": ["leaf", "sub", "new", "cross"]})
