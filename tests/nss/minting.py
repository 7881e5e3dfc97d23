# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates with anything in them, also what no other maker agrees to write.

The DER is written here; libcrypto, called by its C interface, makes keys and signatures only.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import time

# --- DER (X.690)


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    body = b""
    for arc in (first * 40 + second, *rest):
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.insert(0, arc & 127 | 128)
        body += bytes(digits)
    return tlv(6, body)


def octets(data):
    return tlv(4, data)


def bits(data, unused=0):
    return tlv(3, bytes([unused]), data)


NULL = tlv(5)
TRUE = tlv(1, b"\xff")
FALSE = tlv(1, b"\0")

STRINGS = {"utf8": (12, "utf-8"), "printable": (19, "ascii"), "teletex": (20, "latin-1"),
           "ia5": (22, "ascii"), "bmp": (30, "utf-16-be"), "universal": (28, "utf-32-be")}
ATTRIBUTES = {"CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11",
              "E": "1.2.840.113549.1.9.1", "DC": "0.9.2342.19200300.100.1.25"}


def name(*pairs, kind="utf8"):
    """A Name of ("CN", text) or ("CN", text, kind) each."""
    rdns = []
    for attribute, text, *own in pairs:
        tag, code = STRINGS[own[0] if own else "printable" if attribute == "C" else kind]
        rdns.append(tlv(0x31, seq(oid(ATTRIBUTES[attribute]), tlv(tag, text.encode(code)))))
    return seq(*rdns)


def instant(when, kind=None):
    """As RFC 5280 wants it (4.1.2.5), or of that kind."""
    if isinstance(when, bytes):
        return when
    at = time.gmtime(when)
    if kind == "utc" or kind is None and 1950 <= at.tm_year < 2050:
        return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", at).encode())
    return tlv(0x18, b"%04d" % at.tm_year, time.strftime("%m%d%H%M%SZ", at).encode())


# --- extensions: a pair of whether it is critical and its value

EXTENSIONS = {
    "ski": "2.5.29.14", "ku": "2.5.29.15", "san": "2.5.29.17", "ian": "2.5.29.18",
    "bc": "2.5.29.19", "nc": "2.5.29.30", "crldp": "2.5.29.31", "policies": "2.5.29.32",
    "mappings": "2.5.29.33", "aki": "2.5.29.35", "constraints": "2.5.29.36", "eku": "2.5.29.37",
    "freshest": "2.5.29.46", "inhibit": "2.5.29.54", "pku": "2.5.29.16", "sda": "2.5.29.9",
    "aia": "1.3.6.1.5.5.7.1.1", "sia": "1.3.6.1.5.5.7.1.11", "tls": "1.3.6.1.5.5.7.1.24",
    "qc": "1.3.6.1.5.5.7.1.3", "nocheck": "1.3.6.1.5.5.7.48.1.5",
    "nstype": "2.16.840.1.113730.1.1", "nscomment": "2.16.840.1.113730.1.13",
    "poison": "1.3.6.1.4.1.11129.2.4.3", "ours": "1.3.6.1.4.1.55555.1.1",
}
USAGES = ("sign", "nonrep", "keyenc", "dataenc", "agree", "certsign", "crlsign", "enc", "dec")
PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2",
            "code": "1.3.6.1.5.5.7.3.3", "email": "1.3.6.1.5.5.7.3.4",
            "time": "1.3.6.1.5.5.7.3.8", "ocsp": "1.3.6.1.5.5.7.3.9", "any": "2.5.29.37.0",
            "sgc": "2.16.840.1.113730.4.1", "msgc": "1.3.6.1.4.1.311.10.3.3",
            "own": "1.3.6.1.4.1.55555.2.1"}


def bc(ca=True, path=None, critical=True):
    return critical, seq(TRUE if ca else b"", b"" if path is None else integer(path))


def ku(*usages, critical=True):
    value = sum(1 << 15 - USAGES.index(usage) for usage in usages)
    data = value.to_bytes(2, "big").rstrip(b"\0")
    return critical, bits(data, (data[-1] & -data[-1]).bit_length() - 1 if data else 0)


def eku(*purposes, critical=False):
    return critical, seq(*(oid(PURPOSES[purpose]) for purpose in purposes))


def general(text):
    """A GeneralName: dns:, ip: (hexadecimal), uri:, mail:, other:, id: or a Name in DER."""
    if isinstance(text, bytes):
        return tlv(0xA4, text)
    kind, value = text.split(":", 1)
    if kind == "ip":
        return tlv(0x87, bytes.fromhex(value))
    if kind == "id":
        return tlv(0x88, oid(value)[2:])
    if kind == "other":
        return tlv(0xA0, oid("1.3.6.1.4.1.55555.3"), tlv(0xA0, tlv(12, value.encode())))
    return tlv({"mail": 0x81, "dns": 0x82, "uri": 0x86}[kind], value.encode("latin-1"))


def san(*names, critical=False):
    return critical, seq(*map(general, names))


def nc(permitted=(), excluded=(), critical=True):
    def part(tag, names):
        return tlv(tag, *(seq(general(one)) for one in names)) if names else b""

    return critical, seq(part(0xA0, permitted), part(0xA1, excluded))


def aki(key=None, issuer=None, serial=None, critical=False):
    return critical, seq(
        b"" if key is None else tlv(0x80, key),
        b"" if issuer is None else tlv(0xA1, general(issuer)),
        b"" if serial is None else tlv(0x82, integer(serial)[2:]),
    )


def crldp(url, critical=False):
    return critical, seq(seq(tlv(0xA0, tlv(0xA0, general("uri:" + url)))))


def aia(issuers=None, ocsp=None, critical=False):
    wanted = (("1.3.6.1.5.5.7.48.2", issuers), ("1.3.6.1.5.5.7.48.1", ocsp))
    return critical, seq(*(seq(oid(how), general("uri:" + url)) for how, url in wanted if url))


def policies(*ids, critical=False):
    return critical, seq(*(seq(oid(one)) for one in ids))


# --- libcrypto

lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for function in ("EVP_PKEY_CTX_new_from_name", "EVP_MD_CTX_new", "EVP_get_digestbyname",
                 "EVP_PKEY2PKCS8", "EVP_PKEY_CTX_new", "d2i_AutoPrivateKey"):
    getattr(lib, function).restype = ctypes.c_void_p


def must(result):
    if result is None or result <= 0:
        lib.ERR_get_error.restype = ctypes.c_ulong
        text = ctypes.create_string_buffer(256)
        lib.ERR_error_string_n(ctypes.c_ulong(lib.ERR_get_error()), text, ctypes.c_size_t(256))
        raise ValueError(text.value.decode())
    return result


def pointer(value):
    return ctypes.c_void_p(value)


def encoded(function, thing):
    size = must(function(thing, None))
    data = ctypes.create_string_buffer(size)
    must(function(thing, ctypes.byref(ctypes.cast(data, ctypes.c_void_p))))
    return data.raw


def option(context, key, value):
    must(lib.EVP_PKEY_CTX_ctrl_str(context, key.encode(), str(value).encode()))


CURVES = {"p192": "P-192", "p224": "P-224", "p256": "P-256", "p384": "P-384", "p521": "P-521",
          "k256": "secp256k1", "bp256": "brainpoolP256r1", "bp384": "brainpoolP384r1"}


def read_key(pkcs8):
    start, size = ctypes.c_char_p(pkcs8), ctypes.c_long(len(pkcs8))
    return pointer(must(lib.d2i_AutoPrivateKey(None, ctypes.byref(start), size)))


class Key:
    """Of a kind such as p256, rsa2048, rsa2048e3, dsa2048 or ed25519."""

    def __init__(self, kind, pkcs8=None):
        self.kind = kind
        self.pkey = read_key(pkcs8) if pkcs8 else self.generate(kind)
        self.spki = encoded(lib.i2d_PUBKEY, self.pkey)
        # RFC 5280, 4.2.1.2 (1): of the bits alone, which end the SubjectPublicKeyInfo
        self.id = hashlib.sha1(self.spki[self.bits_at():]).digest()

    @staticmethod
    def generate(kind):
        options = []
        if kind in CURVES:
            family, options = "EC", [("ec_paramgen_curve", CURVES[kind])]
        elif kind.startswith("rsa"):
            size, _, exponent = kind[3:].partition("e")
            family = "RSA"
            options = [("rsa_keygen_bits", size), ("rsa_keygen_pubexp", exponent or 65537)]
        elif kind.startswith("dsa"):
            family = "DSA"
        else:
            family = kind.upper()
        result = ctypes.c_void_p()
        context = pointer(must(lib.EVP_PKEY_CTX_new_from_name(None, family.encode(), None)))
        if family == "DSA":
            must(lib.EVP_PKEY_paramgen_init(context))
            option(context, "dsa_paramgen_bits", kind[3:])
            parameters = ctypes.c_void_p()
            must(lib.EVP_PKEY_paramgen(context, ctypes.byref(parameters)))
            lib.EVP_PKEY_CTX_free(context)
            context = pointer(must(lib.EVP_PKEY_CTX_new(parameters, None)))
        must(lib.EVP_PKEY_keygen_init(context))
        for key, value in options:
            option(context, key, value)
        must(lib.EVP_PKEY_keygen(context, ctypes.byref(result)))
        lib.EVP_PKEY_CTX_free(context)
        return result

    def bits_at(self):
        def header(at):
            size = self.spki[at + 1]
            extra = size & 127 if size & 128 else 0
            length = int.from_bytes(self.spki[at + 2:at + 2 + extra], "big") if extra else size
            return at + 2 + extra, length

        inside, _ = header(0)
        start, length = header(inside)
        bit_string, _ = header(start + length)
        return bit_string + 1  # after the number of unused bits

    def pem(self):
        info = pointer(must(lib.EVP_PKEY2PKCS8(self.pkey)))
        return pem("PRIVATE KEY", encoded(lib.i2d_PKCS8_PRIV_KEY_INFO, info))

    def sign(self, data, digest, padding):
        context = pointer(must(lib.EVP_MD_CTX_new()))
        inner = ctypes.c_void_p()
        md = pointer(lib.EVP_get_digestbyname(digest.encode())) if digest else None
        must(lib.EVP_DigestSignInit(context, ctypes.byref(inner), md, None, self.pkey))
        if padding:
            option(inner, "rsa_padding_mode", "pss")
            option(inner, "rsa_pss_saltlen", "digest")
        size = ctypes.c_size_t()
        length = ctypes.c_size_t(len(data))
        must(lib.EVP_DigestSign(context, None, ctypes.byref(size), data, length))
        out = ctypes.create_string_buffer(size.value)
        must(lib.EVP_DigestSign(context, out, ctypes.byref(size), data, length))
        lib.EVP_MD_CTX_free(context)
        return out.raw[:size.value]


DIGESTS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
           "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
PKCS1 = "1.2.840.113549.1.1."
SIGNATURES = {
    "rsa": {"md5": PKCS1 + "4", "sha1": PKCS1 + "5", "sha224": PKCS1 + "14",
            "sha256": PKCS1 + "11", "sha384": PKCS1 + "12", "sha512": PKCS1 + "13"},
    "dsa": {"sha1": "1.2.840.10040.4.3", "sha224": "2.16.840.1.101.3.4.3.1",
            "sha256": "2.16.840.1.101.3.4.3.2"},
    "ec": {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1",
           "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3",
           "sha512": "1.2.840.10045.4.3.4"},
}


def algorithm(key, how):
    """The AlgorithmIdentifier of a signature by this key: how is a digest, or "pss-" and one."""
    if key.kind.startswith("ed"):
        return seq(oid({"ed25519": "1.3.101.112", "ed448": "1.3.101.113"}[key.kind]))
    if how.startswith("pss-"):
        digest = seq(oid(DIGESTS[how[4:]]), NULL)
        salt = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}[how[4:]]
        mgf = seq(oid(PKCS1 + "8"), digest)
        return seq(oid(PKCS1 + "10"),
                   seq(tlv(0xA0, digest), tlv(0xA1, mgf), tlv(0xA2, integer(salt))))
    family = key.kind[:3] if key.kind[:3] in SIGNATURES else "ec"
    return seq(oid(SIGNATURES[family][how]), NULL if family == "rsa" else b"")


def signature(key, how, data):
    if key.kind.startswith("ed"):
        return key.sign(data, None, False)
    return key.sign(data, how.removeprefix("pss-"), how.startswith("pss-"))


def pem(label, der):
    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def unpem(text):
    """The DER of each block."""
    return [base64.b64decode(block.split("-----")[1]) for block in text.split("-----BEGIN ")[1:]]
