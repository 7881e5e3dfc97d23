#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mkcerts.py COUNT LEAST MOST: self-issued CA certificates in PEM, of so many bytes from LEAST to MOST.

Nobody checks their signatures, which are zeros; every seventh has the same subject.
"""
import base64
import hashlib
import sys


def tlv(tag, content):
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + content


def seq(*parts):
    return tlv(0x30, b"".join(parts))


def oid(text):
    return tlv(6, bytes.fromhex(text))


def make(number, fill):
    name = b"Same" if number % 7 == 0 else b"Made %d" % number
    name = seq(tlv(0x31, seq(oid("550403"), tlv(12, name))))
    algorithm = seq(oid("2b6570"))
    extensions = seq(oid("551d13"), tlv(1, b"\xff"), tlv(4, seq(tlv(1, b"\xff"))))
    if fill > 0:
        extensions += seq(oid("2a0304"), tlv(4, bytes(fill)))
    tbs = seq(
        tlv(0xA0, tlv(2, b"\2")), tlv(2, (number + 1).to_bytes(4, "big")), algorithm, name,
        seq(tlv(23, b"200101000000Z"), tlv(23, b"400101000000Z")), name,
        seq(algorithm, tlv(3, b"\0" + hashlib.sha256(b"%d" % number).digest())),
        tlv(0xA3, seq(extensions)))
    return seq(tbs, algorithm, tlv(3, bytes(65)))


count, least, most = map(int, sys.argv[1:])
for at in range(count):
    want = least + (most - least) * at // max(count - 1, 1)
    cert = make(at, 0)
    if len(cert) < want:
        cert = make(at, want - len(cert))
    print("-----BEGIN CERTIFICATE-----")
    print(base64.encodebytes(cert).decode(), end="")
    print("-----END CERTIFICATE-----")
