#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what Chromium's own certificate manager keeps of a profile, the file ServerCertificate.

  certificate-manager.py FILE [CERTIFICATE TRUST [LIMIT]...]...

TRUST is unspecified, distrusted or trusted; a LIMIT is dns:NAME or cidr:ADDRESS/BITS.
"""
import hashlib
import ipaddress
import os
import sqlite3
import ssl
import sys

TRUST = {"unspecified": 1, "distrusted": 2, "trusted": 3}
LIMITS = {"dns": 1, "cidr": 3}


def field(number, data):
    """Of a protobuf message, with a length below 128."""
    return bytes([number << 3 | 2, len(data)]) + data


def cidr(text):
    network = ipaddress.ip_network(text)
    return field(1, network.network_address.packed) + bytes([2 << 3, network.prefixlen])


def entries(words):
    while words:
        file, trust, *words = words
        limits = b""
        while words and words[0].split(":")[0] in LIMITS:
            kind, text = words.pop(0).split(":", 1)
            limits += field(LIMITS[kind], text.encode() if kind == "dns" else cidr(text))
        with open(file) as pem:
            der = ssl.PEM_cert_to_DER_cert(pem.read())
        settings = field(1, bytes([1 << 3, TRUST[trust]])) + (field(2, limits) if limits else b"")
        yield hashlib.sha256(der).hexdigest(), der, settings


def main(file, *words):
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    with sqlite3.connect(file) as db:
        os.chmod(file, 0o600)
        db.execute("CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)")
        db.executemany("INSERT INTO meta VALUES(?, ?)",
                       (("version", "1"), ("last_compatible_version", "1")))
        db.execute("CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY, der_cert BLOB NOT NULL,"
                   " trust_settings BLOB NOT NULL)")
        db.executemany("INSERT INTO certificates VALUES(?, ?, ?)", entries(list(words)))
    db.close()


main(*sys.argv[1:])
