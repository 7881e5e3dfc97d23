# SPDX-License-Identifier: Apache-2.0
"""Cases of corpus.py: several paths, trust, names, identifiers, length, bytes."""
from casebook import ALL, STORE, REFUSED, case, ext
from minting import (
    NULL, PKCS1, SIGNATURES, aia, aki, bc, bits, crldp, eku, integer, ku, name, nc, oid, san, seq,
    tlv,
)

# --- two of one name

BAD = {
    "nc": ext(nc=nc(["dns:other.example"])), "expired": {"days": (-60, -1)},
    "sha1": {"sign": "sha1"}, "damaged": {"damage": True}, "no_ca": ext(bc=bc(False)),
    "path_0": ext(bc=bc(path=0)), "unknown_critical": ext(ours=(True, seq())),
    "eku_email": ext(eku=eku("email")), "ku": ext(ku=ku("sign")), "distrusted": {},
    "anchored_nc": ext(nc=nc(["dns:other.example"]))}
for title, bad in BAD.items():
    trust = {"distrusted": "p,p,p", "anchored_nc": "C,,"}.get(title, ",,")
    for order in ("first", "last"):
        pair = [("cross", ",,"), ("bad", trust)]
        case(
            f"two_crosses_{title}_{order}", bad={**bad, "base": "cross"},
            store=[("old", "C,,"), *(pair if order == "last" else reversed(pair))],
            sends={
                "A": ["leaf", "sub"], "B": ["leaf", "sub", "cross"], "C": ["leaf", "sub", "bad"]})
# The better path is by another anchor.
case(
    "two_anchors_one_distrusted", old2={"base": "old", "signer": "old2"},
    cross2={"base": "cross", "signer": "old2"},
    store=[("old", "p,p,p"), ("cross", ",,"), ("old2", "C,,"), ("cross2", ",,")])
case(
    "two_anchors_one_expired", old={"days": (-60, -1)},
    old2={"base": "old", "signer": "old2", "days": (-60, 60)},
    cross2={"base": "cross", "signer": "old2"},
    store=[("old", "C,,"), ("cross", ",,"), ("old2", "C,,"), ("cross2", ",,")])
case(
    "two_olds_same_key_one_expired", old={"days": (-60, -1)},
    old2={"base": "old", "like": "old", "days": (-60, 60)},
    store=[("old", "C,,"), ("old2", "C,,"), ("cross", ",,")])
case(
    "two_olds_same_key_one_distrusted", old2={"base": "old", "like": "old"},
    store=[("old", "p,p,p"), ("old2", "C,,"), ("cross", ",,")])
case(
    "two_olds_same_name_other_key",
    old2={"base": "old", "signer": "old2", "subject": [("CN", "{} old")]},
    store=[("old2", "C,,"), ("old", "C,,"), ("cross", ",,")])
case(
    "two_subs_other_key", sub2={"base": "sub", "subject": [("CN", "{} sub")]},
    sends={"A": ["leaf", "sub2", "sub"], "B": ["leaf", "sub", "sub2"], "C": ["leaf", "sub2"]})
case("new_distrusted", store=[*STORE, ("new", "p,p,p")])
case("new_distrusted_sent", store=[*STORE, ("new", "p,p,p")], sends={"B": ["leaf", "sub", "new"]})
case("new_trusted_too", store=[*STORE, ("new", "C,,")])
case("new_trusted_old_distrusted", store=[("old", "p,p,p"), ("cross", ",,"), ("new", "C,,")])
case("new_trusted_cross_distrusted", store=[("old", "C,,"), ("cross", "p,p,p"), ("new", "C,,")])
case("new_in_store_untrusted", store=[*STORE, ("new", ",,")])

# --- trust

for trust in ("p,p,p", "p,,", ",C,", "T,,", "c,,", ",,", ",,C", "CT,,", "C,C,C", "CT,C,C", "P,,",
              "Cu,,", "p,C,", "cC,,", "Pp,,", "pC,,", "w,,"):
    title = trust.replace(",", "_")
    case(f"trust_old_{title}", store=[("old", trust), ("cross", ",,")])
for trust in ("p,p,p", "C,,", "c,,", "T,,", ",C,", "P,,", "p,,", "CT,C,C"):
    title = trust.replace(",", "_")
    case(f"trust_cross_{title}", store=[("old", "C,,"), ("cross", trust)])
    case(f"trust_cross_alone_{title}", store=[("cross", trust)])
    case(
        f"trust_sub_{title}", store=[*STORE, ("sub", trust)],
        sends={"L": ["leaf"], "A": ["leaf", "sub"], "B": ["leaf", "sub", "cross"]})
    case(
        f"trust_sub_alone_{title}", store=[("sub", trust)],
        sends={"L": ["leaf"], "A": ["leaf", "sub"]})
    case(
        f"trust_leaf_{title}", store=[*STORE, ("leaf", trust)],
        sends={"L": ["leaf"], "A": ["leaf", "sub"]})
    case(
        f"trust_leaf_alone_{title}", store=[("leaf", trust)],
        sends={"L": ["leaf"], "A": ["leaf", "sub"]})
    SELF = {"A": ["leaf"]}
    case(f"trust_self_leaf_{title}", store=[("leaf", trust)], leaf={"signer": "leaf"}, sends=SELF)
    case(
        f"trust_self_ca_leaf_{title}", store=[("leaf", trust)],
        leaf={"signer": "leaf", **ext(bc=bc(), ku=ku("sign", "certsign"))}, sends=SELF)
    case(
        f"trust_self_leaf_no_ext_{title}", store=[("leaf", trust)],
        leaf={"signer": "leaf", "bare": True, "subject": [("CN", "localhost")]}, sends=SELF)
    case(
        f"trust_self_v1_leaf_{title}", store=[("leaf", trust)],
        leaf={"signer": "leaf", "version": 1, "subject": [("CN", "localhost")]}, sends=SELF)
    case(
        f"trust_leaf_other_host_{title}", store=[("leaf", trust)],
        leaf={"signer": "leaf", **ext(san=san("dns:other.example"))}, sends=SELF)
case(
    "trust_self_leaf_P_expired", store=[("leaf", "P,,")],
    leaf={"signer": "leaf", "days": (-60, -1)}, sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_damaged", store=[("leaf", "P,,")], leaf={"signer": "leaf", "damage": True},
    sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_sha1", store=[("leaf", "P,,")], leaf={"signer": "leaf", "sign": "sha1"},
    sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_rsa1024", store=[("leaf", "P,,")],
    leaf={"signer": "leaf", "key": "rsa1024"}, sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_eku_client", store=[("leaf", "P,,")],
    leaf={"signer": "leaf", **ext(eku=eku("client"))}, sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_unknown_critical", store=[("leaf", "P,,")],
    leaf={"signer": "leaf", **ext(ours=(True, seq()))}, sends={"A": ["leaf"]})
case(
    "trust_self_leaf_P_cn", store=[("leaf", "P,,")],
    leaf={"signer": "leaf", "subject": [("CN", "localhost")], **ext(san=None)},
    sends={"A": ["leaf"]})
case("self_leaf_unknown", store=[], leaf={"signer": "leaf"}, sends={"A": ["leaf"]})
case("empty_store", store=[], sends={"A": ["leaf", "sub"], "B": ["leaf", "sub", "cross", "old"]})
case("empty_store_new_sent", store=[], sends={"A": ["leaf", "sub", "new"]})
case(
    "anchor_sent_as_server", store=[("old", "C,,")],
    leaf={"like": "old", "signer": "old", **ext(san=san("dns:localhost"))}, sends={"A": ["leaf"]})

# --- names, serial numbers, identifiers

for role in ALL:
    case(f"serial_0_{role}", **{role: {"serial": 0}})
    case(f"serial_negative_{role}", **{role: {"serial": -5}})
    case(f"serial_20_octets_{role}", **{role: {"serial": (1 << 158) + len(role)}})
    case(f"serial_21_octets_{role}", **{role: {"serial": (1 << 166) + len(role)}})
    case(f"serial_40_octets_{role}", **{role: {"serial": (1 << 318) + len(role)}})
    case(f"serial_padded_{role}", **{role: {"serial_der": tlv(2, b"\0\0\1" + bytes([len(role)]))}})
    case(f"serial_empty_{role}", refused=REFUSED.get(role, ()), **{role: {"serial_der": tlv(2)}})
for role in ("cross", "sub", "leaf"):
    case(f"aki_other_{role}", **{role: {"ext": {"aki": aki(b"another key's")}}})
    case(f"aki_absent_{role}", **{role: {"ext": {"aki": None}}})
    case(f"aki_empty_{role}", **{role: {"ext": {"aki": aki()}}})
    case(
        f"aki_issuer_serial_wrong_{role}",
        **{role: {"ext": {"aki": aki(None, name(("CN", "nobody")), 1234)}}})
    case(
        f"aki_key_right_issuer_wrong_{role}",
        **{role: {"ext": {
            "aki": lambda made, _,
            signer: aki(made.key(signer).id, name(("CN", "nobody")), 1234)}}})
    case(f"signature_damaged_{role}", **{role: {"damage": True}})
    case(
        f"signature_by_another_{role}",
        **{role: {
            "issuer": [("CN", "{} " + {"cross": "old", "sub": "new", "leaf": "sub"}[role])],
            "signer": "stranger"}},
        stranger={"base": "new", "signer": "stranger"})
    outer = seq(oid(SIGNATURES["ec"]["sha384"]))
    case(f"algorithms_differ_outer_{role}", **{role: {"outer": outer}})
    case(f"algorithms_differ_inner_{role}", **{role: {"inner": outer}})
    case(
        f"algorithm_with_null_{role}",
        **{role: {
            "inner": seq(oid(SIGNATURES["ec"]["sha256"]), NULL),
            "outer": seq(oid(SIGNATURES["ec"]["sha256"]), NULL)}})
    case(
        f"rsa_algorithm_without_null_{role}",
        **{role: {"inner": seq(oid(PKCS1 + "11")), "outer": seq(oid(PKCS1 + "11"))}},
        **{one: {"key": "rsa2048"} for one in ("old", "new", "sub") if one != role})
case("signature_damaged_old", old={"damage": True})
case("algorithms_differ_old", old={"outer": seq(oid(SIGNATURES["ec"]["sha384"]))})
# How the certificate below writes its issuer's name.
WRITTEN = {
    "printable": [("CN", "{} NAME", "printable")], "teletex": [("CN", "{} NAME", "teletex")],
    "bmp": [("CN", "{} NAME", "bmp")], "upper": None, "blanks": [("CN", "{}   NAME")],
    "trailing_blank": [("CN", "{} NAME ")], "leading_blank": [("CN", " {} NAME")],
    "other": [("CN", "{} NAMES")], "empty": [], "universal": [("CN", "{} NAME", "universal")],
    "ia5": [("CN", "{} NAME", "ia5")]}
for title, issuer in WRITTEN.items():
    for role, above in (("cross", "old"), ("sub", "new"), ("leaf", "sub")):
        full = f"issuer_{title}_{role}"
        if title == "upper":
            pairs = [("CN", full.replace("_", " ").upper() + " " + above.upper())]
        else:
            pairs = [(a, text.replace("NAME", above), *rest) for a, text, *rest in issuer]
        case(full, **{role: {"issuer": pairs}})
case(
    "issuer_two_rdns_order", sub={"subject": [("O", "x"), ("CN", "{} sub")]},
    leaf={"issuer": [("CN", "{} sub"), ("O", "x")]})
case("subject_empty_sub", sub={"subject": []})
case("subject_empty_old", old={"subject": []})
case("subject_empty_new", new={"subject": []})
case(
    "subject_bad_utf8_leaf",
    leaf={"subject": seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, b"\xff\xfe"))))})
case(
    "subject_bad_printable_leaf",
    leaf={"subject": seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(19, b"a@b*\xe9"))))})
case(
    "subject_bad_country_leaf",
    leaf={"subject": seq(
        tlv(0x31, seq(oid("2.5.4.6"), tlv(12, b"Germany"))),
        tlv(0x31, seq(oid("2.5.4.3"), tlv(12, b"x"))))})
case("subject_empty_rdn_leaf", leaf={"subject": seq(tlv(0x31))})
case(
    "subject_bad_utf8_sub",
    sub={"subject": seq(tlv(
        0x31, seq(oid("2.5.4.3"), tlv(12, b"\xff\xfe subject_bad_utf8_sub"))))})
case(
    "subject_bad_printable_sub",
    sub={"subject": seq(tlv(
        0x31, seq(oid("2.5.4.3"), tlv(19, b"a@b*_ subject_bad_printable_sub"))))})
case("subject_huge_leaf", leaf={"subject": [("CN", "x" * 5000)]})
case("leaf_huge", leaf=ext(ours=(False, b"x" * 60000)))
case("leaf_same_subject_as_sub", leaf={"subject": [("CN", "{} sub")]})
case("leaf_same_name_and_key_as_sub", leaf={"like": "sub"})
case("same_key_everywhere", sub={"key_of": "new"}, leaf={"key_of": "new"})
case("same_key_old_new", new={"key_of": "old"})

# --- length and loops


def chain(count):
    roles = {"i1": {"base": "sub", "signer": "sub"}}
    for i in range(2, count + 1):
        roles[f"i{i}"] = {"base": "sub", "signer": f"i{i - 1}"}
    above = [f"i{i}" for i in range(count, 0, -1)]
    sends = {"A": ["leaf", *above, "sub"], "B": ["leaf", *above, "sub", "cross"]}
    return dict(**roles, leaf={"signer": f"i{count}"}, sends=sends)


for count in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 20, 30):
    case(f"long_{count}", **chain(count))
case(
    "long_10_shuffled",
    **{
        **chain(10),
        "sends": {"B": [
            "leaf", "i3", "sub", "i1", "i10", "i7", "i5", "i2", "cross", "i4", "i9", "i6", "i8"]}})
case("sent_reversed", sends={"B": ["leaf", "cross", "sub"]})
case("sent_twice", sends={"B": ["leaf", "sub", "sub", "cross", "cross"]})
case(
    "sent_strangers", other={"base": "new", "signer": "other"},
    sends={"B": ["leaf", "other", "sub", "cross"]})
# sub is signed by new, and new also by sub: new's issuer is sub, whose issuer is new.
case(
    "loop", loop={"base": "sub", "like": "new", "signer": "sub"},
    sends={
        "A": ["leaf", "sub", "loop"], "B": ["leaf", "sub", "loop", "cross"],
        "C": ["leaf", "sub", "cross", "loop"]})
case(
    "loop_in_store", loop={"base": "sub", "like": "new", "signer": "sub"},
    store=[("loop", ",,"), *STORE])
case(
    "loop_alone", loop={"base": "sub", "like": "new", "signer": "sub"},
    store=[("old", "C,,"), ("loop", ",,")], sends={"A": ["leaf", "sub", "loop"]})
case(
    "many_crosses", **{f"x{i}": {"base": "cross", "days": (-60, -1)} for i in range(20)},
    store=[("old", "C,,"), *((f"x{i}", ",,") for i in range(20)), ("cross", ",,")])
case(
    "many_subs_by_strangers",
    **{f"x{i}": {"base": "sub", "subject": [("CN", "{} sub")]} for i in range(20)},
    sends={"A": ["leaf", *(f"x{i}" for i in range(20)), "sub"]})

# --- the network

case("ocsp_nobody", leaf=ext(aia=aia(ocsp="http://127.0.0.1:9/")))
case("crl_nobody", leaf=ext(crldp=crldp("http://127.0.0.1:9/x.crl")))
case(
    "aia_sub_by_http", leaf=ext(aia=aia(issuers="http://127.0.0.1:8099/aia_sub_by_http/sub")),
    sends={"L": ["leaf"]})
case(
    "aia_cross_by_http", sub=ext(aia=aia(issuers="http://127.0.0.1:8099/aia_cross_by_http/cross")),
    store=STORE[:1])
case("aia_nobody", leaf=ext(aia=aia(issuers="http://127.0.0.1:9/sub")), sends={"L": ["leaf"]})
case("must_staple", leaf=ext(tls=(False, seq(integer(5))), aia=aia(ocsp="http://127.0.0.1:9/")))

# --- CRLs in the store

for role, above in (("leaf", "sub"), ("sub", "new"), ("cross", "old")):
    case(f"revoked_{role}", crls=[(above, [role])], store=[*STORE, ("sub", ",,"), ("new", ",,")])

# --- bytes

SPKI_RSA = oid(PKCS1 + "1")


def rsa_with(parameters, algorithm=SPKI_RSA):
    return lambda key: seq(seq(algorithm, parameters), tlv(3, key.spki[key.bits_at() - 1:]))


def compressed(key):
    point = key.spki[key.bits_at():]
    head = seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"))
    return seq(head, bits(bytes([2 + (point[64] & 1)]) + point[1:33]))


def one_byte_later(der):
    """The length of the whole in one byte more than needed."""
    return b"\x30\x83\0" + der[2:4] + der[4:]


def indefinite(der):
    return b"\x30\x80" + der[4:] + b"\0\0"


# certutil takes none of these.
UNREADABLE = ("trailing_byte", "long_length", "indefinite_length")
BYTES = {
    "trailing_byte": {"der": lambda der: der + b"\0"}, "long_length": {"der": one_byte_later},
    "indefinite_length": {"der": indefinite},
    "explicit_v1": {"version": 1, "bare": True, "explicit": True},
    "rsa_spki_no_null": {"key": "rsa2048", "spki": rsa_with(b"")},
    "rsa_spki_pss": {"key": "rsa2048", "spki": rsa_with(b"", oid(PKCS1 + "10"))},
    "rsa_spki_pss_null": {"key": "rsa2048", "spki": rsa_with(NULL, oid(PKCS1 + "10"))},
    "ec_compressed": {"spki": compressed}, "begin_is_end": {"days": (-1, -1)},
    "critical_false": ext(ours=("explicit", seq())), "critical_is_1": ext(bc=("one", bc()[1])),
    "empty_ext_value": ext(ours=(False, b"")),
    "unknown_attribute": {"subject": seq(tlv(0x31, seq(oid("1.2.3.4"), tlv(12, b"x"))))},
    "two_values_one_rdn": {"subject": seq(tlv(
        0x31, seq(oid("2.5.4.10"), tlv(12, b"y")), seq(oid("2.5.4.3"), tlv(12, b"xy"))))},
    "rdn_unsorted": {"subject": seq(tlv(
        0x31, seq(oid("2.5.4.3"), tlv(12, b"long enough")), seq(oid("2.5.4.10"), tlv(12, b"y"))))}}
for title, spec in BYTES.items():
    for role in ALL:
        refused = REFUSED.get(role, ()) if title in UNREADABLE else ()
        where = "new" if role == "cross" and title.startswith(("rsa", "ec_")) else role
        case(f"bytes_{title}_{role}", refused=refused, **{where: spec})
case(
    "two_subs_one_distrusted", sub2={"base": "sub", "like": "sub"},
    store=[*STORE, ("sub", "p,p,p")],
    sends={
        "A": ["leaf", "sub", "sub2"], "B": ["leaf", "sub2", "sub", "cross"],
        "C": ["leaf", "sub2"]})
case(
    "two_subs_one_no_ca", sub2={"base": "sub", "like": "sub", **ext(bc=None)},
    sends={
        "A": ["leaf", "sub", "sub2"], "B": ["leaf", "sub2", "sub", "cross"],
        "C": ["leaf", "sub2"]})
case("host_pinned", host="www.google.com")
case("host_pinned_mozilla", host="addons.mozilla.org")
case("host_other_sent_by_public_name", host="example.com")
case(
    "leaf_by_new_in_store_anchor", store=[("new", "C,,")], leaf={"signer": "new"},
    sends={"A": ["leaf"]})
case("leaf_by_old_sha1_root", old={"sign": "sha1"}, leaf={"signer": "old"}, sends={"A": ["leaf"]})
case("leaf_by_v1_root", old={"version": 1}, leaf={"signer": "old"}, sends={"A": ["leaf"]})
case("leaf_by_bare_root", old={"bare": True}, leaf={"signer": "old"}, sends={"A": ["leaf"]})
case("leaf_by_path_0_root", old=ext(bc=bc(path=0)), leaf={"signer": "old"}, sends={"A": ["leaf"]})
case("leaf_without_anything", leaf={"bare": True, "subject": [("CN", "localhost")]})
case("rsa_leaf_ec_ca_tls", leaf={"key": "rsa2048", **ext(ku=ku("sign", "keyenc"))})
case(
    "two_anchors_two_crosses_one_nc", old2={"base": "old", "signer": "old2"},
    cross={**ext(nc=nc(["dns:other.example"]))}, cross2={"base": "cross", "signer": "old2"},
    store=[("old", "C,,"), ("cross", ",,"), ("old2", "C,,"), ("cross2", ",,")])
case(
    "anchor_in_the_middle_good", old={"days": (-60, -1)}, store=[("old", "C,,"), ("cross", "C,,")])
case("anchor_in_the_middle_distrusted_above", store=[("old", "p,p,p"), ("cross", "C,,")])
case(
    "anchor_in_the_middle_expired", cross={"days": (-60, -1)},
    store=[("old", "C,,"), ("cross", "C,,")])
case("anchor_sub_sha1", sub={"sign": "sha1"}, store=[("sub", "C,,")], sends={"A": ["leaf", "sub"]})
case("anchor_cross_no_ca", cross=ext(bc=bc(False)), store=[("old", "C,,"), ("cross", "C,,")])
case(
    "anchor_nc_other_way", old=ext(nc=nc(["dns:other.example"])), new={},
    store=[("old", "C,,"), ("cross", ",,"), ("new", "C,,")])
case("same_name_sub_as_old", sub={"subject": [("CN", "{} old")]})
case(
    "no_aki_no_ski", old=ext(ski=None), new=ext(ski=None), cross=ext(ski=None, aki=None),
    sub=ext(ski=None, aki=None), leaf=ext(ski=None, aki=None))
case("leaf_eku_and_ku_absent", leaf=ext(ku=None, eku=None))
case(
    "all_sha384_p384",
    **{r: {"key": "p384", "sign": "sha384"} for r in ("old", "new", "sub", "leaf")},
    cross={"sign": "sha384"})
case("p521_signs_sha256", new={"key": "p521"})
case("p256_signs_sha512", sub={"sign": "sha512"})
