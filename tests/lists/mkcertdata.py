#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mkcertdata.py <TABLE: writes a root list in the form of Mozilla's certdata.txt.

A line of the table: FILE, TRUST, LABEL, separated by tabs, and any of these after them:
server=DATE, email=DATE (YYMMDDHHMMSSZ) in the certificate object; trust-server=DATE in the trust object;
bare: only the trust object. TRUST has a letter each for server, e-mail, code: C trusted, n not trusted,
- neither. FILE holds one certificate in PEM.
"""
import base64
import hashlib
import re
import sys

WORDS = {"C": "CKT_NSS_TRUSTED_DELEGATOR", "n": "CKT_NSS_NOT_TRUSTED", "-": "CKT_NSS_MUST_VERIFY_TRUST"}


def take(data):
    """First element of DER: whole, content, what follows."""
    length, head = data[1], 2
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(data[2:head], "big")
    return data[: head + length], data[head : head + length], data[head + length :]


def parts(der):
    tbs = take(take(der)[1])[1]
    first, _, rest = take(tbs)
    if first[0] == 0xA0:
        first, _, rest = take(rest)
    serial = first
    _, _, rest = take(rest)  # signature algorithm
    issuer, _, rest = take(rest)
    _, _, rest = take(rest)  # validity
    subject = take(rest)[0]
    return serial, issuer, subject


def octal(name, data):
    print(f"{name} MULTILINE_OCTAL")
    for i in range(0, len(data), 16):
        print("".join(f"\\{b:03o}" for b in data[i : i + 16]))
    print("END")


def head(kind, label):
    print(f"CKA_CLASS CK_OBJECT_CLASS {kind}")
    for name in ("TOKEN CK_BBOOL CK_TRUE", "PRIVATE CK_BBOOL CK_FALSE", "MODIFIABLE CK_BBOOL CK_FALSE"):
        print(f"CKA_{name}")
    print(f'CKA_LABEL UTF8 "{label}"')


def date(name, value):
    if value:
        octal(name, value.encode())
    else:
        print(f"{name} CK_BBOOL CK_FALSE")


def main():
    print("# a root list made by a test\nBEGINDATA")
    head("CKO_NSS_BUILTIN_ROOT_LIST", "Test Roots")
    for line in sys.stdin:
        file, trust, label, *more = line.rstrip("\n").split("\t")
        options = dict(word.partition("=")[::2] for word in more)
        with open(file, encoding="ascii", errors="replace") as source:
            body = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", source.read(), re.S).group(1)
        der = base64.b64decode(body)
        serial, issuer, subject = parts(der)
        if "bare" not in options:
            print(f'\n#\n# Certificate "{label}"\n#')
            head("CKO_CERTIFICATE", label)
            print("CKA_CERTIFICATE_TYPE CK_CERTIFICATE_TYPE CKC_X_509")
            octal("CKA_SUBJECT", subject)
            print('CKA_ID UTF8 "0"')
            octal("CKA_ISSUER", issuer)
            octal("CKA_SERIAL_NUMBER", serial)
            octal("CKA_VALUE", der)
            print("CKA_NSS_MOZILLA_CA_POLICY CK_BBOOL CK_TRUE")
            if "trust-server" not in options:
                date("CKA_NSS_SERVER_DISTRUST_AFTER", options.get("server"))
            date("CKA_NSS_EMAIL_DISTRUST_AFTER", options.get("email"))
        print(f'\n# Trust for "{label}"')
        head("CKO_NSS_TRUST", label)
        octal("CKA_CERT_SHA1_HASH", hashlib.sha1(der).digest())
        octal("CKA_CERT_MD5_HASH", hashlib.md5(der).digest())
        octal("CKA_ISSUER", issuer)
        octal("CKA_SERIAL_NUMBER", serial)
        if "trust-server" in options:
            date("CKA_NSS_SERVER_DISTRUST_AFTER", options["trust-server"])
        for purpose, letter in zip(("SERVER_AUTH", "EMAIL_PROTECTION", "CODE_SIGNING"), trust):
            print(f"CKA_TRUST_{purpose} CK_TRUST {WORDS[letter]}")
        print("CKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE")


main()
