# SPDX-License-Identifier: Apache-2.0
"""Cases of corpus.py: extensions of every kind, name constraints."""
from casebook import ALL, CAS, HOST, case, ext
from minting import (
    NULL, aia, aki, bits, crldp, general, integer, name, nc, oid, octets, policies, san, seq, tlv,
)

# --- extensions that are unknown, critical, wrong

VALUES = {
    "ours": seq(), "ian": seq(general("dns:ca.example")),
    "policies": policies("1.3.6.1.4.1.55555.9")[1], "constraints": seq(tlv(0x80, b"\0")),
    "constraints_inhibit_mapping": seq(tlv(0x81, b"\0")), "constraints_empty": seq(),
    "mappings": seq(seq(oid("1.2.3.4"), oid("1.2.3.5"))), "inhibit": integer(0),
    "nstype_server": bits(b"\x40", 6), "nstype_client": bits(b"\x80", 7),
    "nstype_ca": bits(b"\x04", 2), "nscomment": tlv(22, b"made for a test"),
    "tls": seq(integer(5)), "tls_17": seq(integer(17)),
    "crldp": crldp("http://127.0.0.1:9/x.crl")[1], "aia": aia(ocsp="http://127.0.0.1:9/")[1],
    "freshest": crldp("http://127.0.0.1:9/x.crl")[1], "pku": seq(tlv(0x80, b"20200101000000Z")),
    "pku_over": seq(tlv(0x81, b"20200101000000Z")),
    "sda": seq(seq(oid("1.3.6.1.5.5.7.9.4"), tlv(0x31, tlv(19, b"DE")))),
    "sia": aia(issuers="http://127.0.0.1:9/")[1], "qc": seq(), "nocheck": NULL, "poison": NULL}
for title, value in VALUES.items():
    short = title.split("_")[0]
    for role in ALL:
        for critical in (True, False):
            how = "critical" if critical else "plain"
            case(f"ext_{title}_{how}_{role}", **{role: ext(**{short: (critical, value)})})
for role in ALL:
    case(f"ski_critical_{role}", **{role: ext(ski=(True, octets(b"id")))})
    case(f"aki_critical_{role}", **{role: {"ext": {"aki": aki(b"another", critical=True)}}})
    case(f"ours_twice_{role}", **{role: ext(ours=[(False, b"x"), (False, b"y")])})
    case(f"policies_garbage_{role}", **{role: ext(policies=(False, b"garbage"))})
    case(f"policies_any_{role}", **{role: ext(policies=policies("2.5.29.32.0"))})
    case(f"policies_twice_same_{role}", **{role: ext(policies=policies("1.2.3.4", "1.2.3.4"))})
    case(f"crldp_garbage_{role}", **{role: ext(crldp=(False, b"garbage"))})
    case(f"aia_garbage_{role}", **{role: ext(aia=(False, b"garbage"))})
    case(
        f"aia_twice_{role}",
        **{role: ext(aia=[aia(ocsp="http://127.0.0.1:9/"), aia(ocsp="http://127.0.0.1:9/")])})
    case(f"inhibit_garbage_{role}", **{role: ext(inhibit=(True, b"garbage"))})
    case(f"constraints_garbage_{role}", **{role: ext(constraints=(True, b"garbage"))})
    case(f"tls_garbage_{role}", **{role: ext(tls=(False, b"garbage"))})
    case(f"nstype_garbage_{role}", **{role: ext(nstype=(False, b"garbage"))})
    case(f"aki_garbage_{role}", **{role: ext(aki=(False, b"garbage"))})
case("policy_required_absent", old=ext(constraints=(True, seq(tlv(0x80, b"\0")))))
case(
    "policy_required_present", old=ext(constraints=(True, seq(tlv(0x80, b"\0")))),
    **{role: ext(policies=policies("1.2.3.4")) for role in ("leaf", "sub", "cross")})
case(
    "policy_required_by_cross_present",
    cross=ext(constraints=(True, seq(tlv(0x80, b"\0"))), policies=policies("1.2.3.4")),
    **{role: ext(policies=policies("1.2.3.4")) for role in ("leaf", "sub")})
case(
    "policy_required_by_cross_other",
    cross=ext(constraints=(True, seq(tlv(0x80, b"\0"))), policies=policies("1.2.3.4")),
    sub=ext(policies=policies("1.2.3.4")), leaf=ext(policies=policies("1.2.3.5")))
case("policy_required_by_sub_absent", sub=ext(constraints=(True, seq(tlv(0x80, b"\0")))))
case(
    "policy_any_inhibited",
    cross=ext(
        constraints=(True, seq(tlv(0x80, b"\0"))), inhibit=(True, integer(0)),
        policies=policies("1.2.3.4")),
    sub=ext(policies=policies("2.5.29.32.0")), leaf=ext(policies=policies("1.2.3.4")))

# --- name constraints

LIMITS = {
    "permit_localhost": nc(["dns:localhost"]), "permit_other": nc(["dns:other.example"]),
    "permit_dot_localhost": nc(["dns:.localhost"]), "permit_empty": nc(["dns:"]),
    "permit_both": nc(["dns:other.example", "dns:localhost"]),
    "exclude_localhost": nc((), ["dns:localhost"]), "exclude_other": nc((), ["dns:other.example"]),
    "exclude_all": nc((), ["dns:"]),
    "permit_and_exclude": nc(["dns:localhost"], ["dns:localhost"]),
    "permit_ip_other": nc(["ip:0a000000ff000000"]),
    "permit_ip_loopback": nc(["ip:7f000000ff000000"]),
    "exclude_ip_all": nc((), ["ip:0000000000000000"]), "permit_mail": nc(["mail:example.com"]),
    "exclude_mail": nc((), ["mail:example.com"]), "permit_uri": nc(["uri:example.com"]),
    "exclude_uri": nc((), ["uri:example.com"]), "permit_dir_other": nc([name(("O", "other"))]),
    "exclude_dir_other": nc((), [name(("O", "other"))]), "permit_dir_all": nc([seq()]),
    "exclude_dir_all": nc((), [seq()]), "permit_id": nc(["id:1.2.3"]),
    "permit_othername": nc(["other:x"]),
    "plain_permit_other": nc(["dns:other.example"], critical=False),
    "plain_exclude_localhost": nc((), ["dns:localhost"], critical=False), "empty": (True, seq()),
    "empty_parts": (True, seq(tlv(0xA0))), "garbage": (True, b"garbage"),
    "garbage_plain": (False, b"garbage"),
    "minimum_1": (True, seq(tlv(0xA0, seq(general("dns:localhost"), tlv(0x80, b"\1"))))),
    "minimum_0": (True, seq(tlv(0xA0, seq(general("dns:localhost"), tlv(0x80, b"\0"))))),
    "maximum": (True, seq(tlv(0xA0, seq(general("dns:localhost"), tlv(0x81, b"\1"))))),
    "ip_bad_mask": nc(["ip:7f000000ff00ff00"]), "ip_bad_size": nc(["ip:7f000001"]),
    "permit_upper": nc(["dns:LOCALHOST"]), "permit_wildcard": nc(["dns:*.localhost"]),
    "permit_dot_end": nc(["dns:localhost."])}
for title, value in LIMITS.items():
    for role in CAS:
        case(f"nc_{title}_{role}", **{role: ext(nc=value)})
case("nc_on_leaf", leaf=ext(nc=nc(["dns:other.example"])))
case("nc_on_leaf_permitting", leaf=ext(nc=nc(["dns:localhost"])))
case(
    "nc_permit_uri_used", cross=ext(nc=nc(["uri:.example.com"])),
    leaf=ext(san=san("dns:localhost", "uri:https://a.example.com/")))
case(
    "nc_permit_uri_violated", cross=ext(nc=nc(["uri:.example.com"])),
    leaf=ext(san=san("dns:localhost", "uri:https://a.other/")))
case(
    "nc_permit_mail_used", cross=ext(nc=nc(["mail:example.com"])),
    leaf=ext(san=san("dns:localhost", "mail:a@example.com")))
case(
    "nc_permit_mail_violated", cross=ext(nc=nc(["mail:example.com"])),
    leaf=ext(san=san("dns:localhost", "mail:a@other.com")))
case(
    "nc_exclude_mail_violated", cross=ext(nc=nc((), ["mail:example.com"])),
    leaf=ext(san=san("dns:localhost", "mail:a@example.com")))
case(
    "nc_permit_othername_used", cross=ext(nc=nc(["other:x"])),
    leaf=ext(san=san("dns:localhost", "other:x")))
case(
    "nc_exclude_othername_used", cross=ext(nc=nc((), ["other:y"])),
    leaf=ext(san=san("dns:localhost", "other:x")))
case(
    "nc_exclude_id_used", cross=ext(nc=nc((), ["id:1.2.3"])),
    leaf=ext(san=san("dns:localhost", "id:1.2.3.4")))
case(
    "nc_mail_in_subject", cross=ext(nc=nc(["mail:example.com"])),
    leaf={"subject": [("CN", "x"), ("E", "a@other.com", "ia5")]})
case(
    "nc_second_name_violates", cross=ext(nc=nc(["dns:localhost"])),
    leaf=ext(san=san("dns:localhost", "dns:other.example")))
case(
    "nc_second_name_excluded", cross=ext(nc=nc((), ["dns:other.example"])),
    leaf=ext(san=san("dns:localhost", "dns:www.other.example")))
case(
    "nc_ip_in_san", cross=ext(nc=nc(["dns:localhost"])),
    leaf=ext(san=san("dns:localhost", "ip:7f000001")))
case(
    "nc_ip_permitted", host="127.0.0.1", cross=ext(nc=nc(["ip:7f000000ff000000"])),
    leaf=ext(san=san("ip:7f000001")))
case(
    "nc_ip_not_permitted", host="127.0.0.1", cross=ext(nc=nc(["ip:0a000000ff000000"])),
    leaf=ext(san=san("ip:7f000001")))
case(
    "nc_ip_excluded", host="127.0.0.1", cross=ext(nc=nc((), ["ip:7f000000ff000000"])),
    leaf=ext(san=san("ip:7f000001")))
case(
    "nc_ip_only_ip6_permitted", host="127.0.0.1", cross=ext(nc=nc(["ip:" + "0" * 64])),
    leaf=ext(san=san("ip:7f000001")))
case(
    "nc_dns_for_ip", host="127.0.0.1", cross=ext(nc=nc(["dns:other.example"])),
    leaf=ext(san=san("ip:7f000001")))
case("nc_parent", host=HOST, cross=ext(nc=nc(["dns:example"])))
case("nc_parent_dot", host=HOST, cross=ext(nc=nc(["dns:.test.example"])))
case("nc_exact_dot", host=HOST, cross=ext(nc=nc(["dns:.www.test.example"])))
case("nc_half_label", host=HOST, cross=ext(nc=nc(["dns:est.example"])))
case("nc_exclude_half_label", host=HOST, cross=ext(nc=nc((), ["dns:est.example"])))
case(
    "nc_wildcard_permitted", host=HOST, cross=ext(nc=nc(["dns:test.example"])),
    leaf=ext(san=san("dns:*.test.example")))
case(
    "nc_wildcard_below", host=HOST, cross=ext(nc=nc(["dns:www.test.example"])),
    leaf=ext(san=san("dns:*.test.example")))
case(
    "nc_wildcard_excluded_below", host=HOST, cross=ext(nc=nc((), ["dns:a.test.example"])),
    leaf=ext(san=san("dns:*.test.example")))
case("nc_exclude_dot", host=HOST, cross=ext(nc=nc((), ["dns:.www.test.example"])))
case(
    "nc_cn_only", cross=ext(nc=nc(["dns:localhost"])),
    leaf={"subject": [("CN", "localhost")], **ext(san=None)})
case(
    "nc_cn_not_permitted", cross=ext(nc=nc(["dns:localhost"])),
    leaf={"subject": [("CN", "other.example")]})
DIR = [("C", "DE"), ("O", "Example")]
case(
    "nc_dir_permitted", cross=ext(nc=nc([name(*DIR)])), sub={"subject": [*DIR, ("CN", "{} sub")]},
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_sub_violates", cross=ext(nc=nc([name(*DIR)])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_leaf_violates", cross=ext(nc=nc([name(*DIR)])),
    sub={"subject": [*DIR, ("CN", "{} sub")]})
case(
    "nc_dir_on_sub_permitted", sub=ext(nc=nc([name(*DIR)])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_other_encoding", sub=ext(nc=nc([name(("C", "DE"), ("O", "Example", "printable"))])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_other_case", sub=ext(nc=nc([name(("C", "DE"), ("O", "EXAMPLE"))])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_excluded", sub=ext(nc=nc((), [name(*DIR)])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case(
    "nc_dir_excluded_other_case", sub=ext(nc=nc((), [name(("C", "DE"), ("O", "EXAMPLE"))])),
    leaf={"subject": [*DIR, ("CN", "{} leaf")]})
case("nc_dir_empty_subject", sub=ext(nc=nc([name(*DIR)])), leaf={"subject": []})
case(
    "nc_dir_in_san", sub=ext(nc=nc((), [name(*DIR)])),
    leaf=ext(san=san("dns:localhost", name(*DIR))))
case(
    "nc_bomb", cross=ext(nc=nc([f"dns:n{i}.example" for i in range(1500)])),
    leaf=ext(san=san("dns:localhost", *(f"dns:a.n{i}.example" for i in range(1500)))))
