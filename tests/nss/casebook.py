# SPDX-License-Identifier: Apache-2.0
"""What the cases of corpus.py are written with, and which of them are tried by every test run."""
from minting import tlv

CASES = {}
STORE = [("old", "C,,"), ("cross", ",,")]
HOST = "www.test.example"
CAS = ("sub", "cross", "old")
ALL = ("leaf", "sub", "cross", "old")
HOUR = 1 / 24  # of the day that times are counted in
# For certificates that certutil does not take: the store is without them.
REFUSED = {"cross": ["cross"], "old": ["old"]}


def case(title, **spec):
    assert title not in CASES, title
    CASES[title] = spec


def ext(**extensions):
    return {"ext": extensions}


def utc(text):
    return tlv(0x17, text.encode())


def generalized(text):
    return tlv(0x18, text.encode())


SELECTED = """
plain plain_rsa leaf_only_needs_sub leaf_by_old new_sent old_sent cross_not_in_store sub_in_store
rsa_md5_sub rsa_sha1_* rsa_sha224_leaf rsa_sha512_cross rsa_pss_sha256_leaf rsa_pss_sha1_sub
ec_sha1_* ec_sha224_cross ec_sha384_leaf sha1_cross_other_good
key_p192_leaf key_p224_sub key_p384_cross key_p521_leaf key_p521_old key_k256_sub key_bp256_leaf
key_ed25519_leaf key_ed25519_sub key_dsa2048_sub key_dsa1024_old key_rsa512_old key_rsa1016_leaf
key_rsa1023_leaf key_rsa1024_* key_rsa2047_sub key_rsa2048e3_cross key_rsa4096_leaf
expired_leaf expired_sub expired_cross expired_old not_yet_1h_leaf not_yet_2d_leaf not_yet_2d_old
long_20y_leaf year_2060_old year_9999_leaf generalized_before_2050_sub utc_1950_leaf leaf_900d
time_no_date_sub two_subs_one_expired
cn_only cn_right_san_wrong cn_wrong_san_right host_plain host_cn_only host_dot host_upper
host_underscore* host_one_label host_many_names san_wildcard san_wildcard_partial
san_wildcard_two_levels san_wildcard_all san_wildcard_for_* san_wildcard_co_uk san_upper san_dot
san_critical* san_empty_subject san_many_kinds san_empty san_garbage san_twice san_nul
ip ip_as_dns ip_as_cn ip_other ip_8_octets ip6
ca_leaf_right_host ca_leaf_wrong_host leaf_bc_false bc_garbage_sub bc_absent_* bc_false_*
v1_* no_extensions_old path_0_* path_1_* ku_absent_sub ku_no_certsign_*
leaf_ku_*_rsa2048 leaf_ku_keyenc_p256 leaf_ku_agree_p256 leaf_ku_twice
eku_client_leaf eku_any_leaf eku_any_sub eku_any_old eku_sgc_leaf eku_sgc_sub eku_email_*
eku_server_sub eku_absent_leaf eku_server_ocsp_leaf
ext_ours_critical_* ext_ours_plain_sub ext_policies_critical_leaf ext_constraints_critical_cross
ext_mappings_critical_sub ext_inhibit_critical_sub ext_nstype_server_critical_leaf
ext_nscomment_critical_leaf ext_tls_plain_leaf ext_ian_critical_leaf ext_crldp_critical_leaf
ext_aia_critical_sub ext_poison_critical_leaf ski_critical_leaf aki_critical_cross
ours_twice_sub policies_garbage_leaf aia_garbage_leaf must_staple
nc_permit_localhost_* nc_permit_other_* nc_exclude_localhost_cross nc_permit_ip_other_cross
nc_plain_permit_other_cross nc_on_leaf nc_dir_* nc_wildcard_* nc_half_label nc_ip_excluded
two_crosses_* two_anchors_* two_olds_* two_subs_* new_distrusted new_trusted_*
trust_old_* trust_cross_p_p_p trust_cross_C__ trust_sub_p_p_p trust_sub_C__ trust_leaf_p_p_p
trust_leaf_C__ trust_self_leaf_P__ trust_self_leaf_C__ trust_self_ca_leaf_P__
trust_self_leaf_P_expired self_leaf_unknown empty_store anchor_*
serial_0_sub serial_negative_leaf serial_21_octets_leaf serial_40_octets_cross
aki_other_* aki_issuer_serial_wrong_sub signature_damaged_* signature_by_another_sub
algorithms_differ_inner_leaf issuer_printable_leaf issuer_upper_sub issuer_upper_cross
subject_empty_sub same_key_everywhere leaf_same_subject_as_sub
long_4 long_5 long_17 long_18 sent_reversed loop loop_in_store many_crosses
revoked_* bytes_critical_false_leaf bytes_ec_compressed_leaf leaf_without_anything
""".split()
