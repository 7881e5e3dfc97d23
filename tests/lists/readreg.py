#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readreg.py keys|blobs FILE.reg: certificates in a .reg file, by the rules of regedit's export.

keys: STORE SHA1 PURPOSES NAME of each, PURPOSES "-" if there is no such property; blobs: values in hex.
"""
import hashlib
import re
import struct
import sys

PURPOSES = {1: "server", 2: "client", 3: "code", 4: "email", 8: "time"}
ROOT = r"HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SystemCertificates\\(\w+)\\Certificates\\([0-9A-F]{40})"


def records(blob):
    while blob:
        kind, one, size = struct.unpack("<III", blob[:12])
        assert one == 1 and len(blob) >= 12 + size
        yield kind, blob[12 : 12 + size]
        blob = blob[12 + size :]


def purposes(eku):
    found = re.findall(rb"\x06\x08\x2b\x06\x01\x05\x05\x07\x03(.)", eku, re.S)
    assert eku[0] == 0x30 and eku[1] == len(eku) - 2 == 10 * len(found)
    return ",".join(PURPOSES[oid[0]] for oid in found)


data = open(sys.argv[2], "rb").read()
assert data[:2] == b"\xff\xfe"
text = data[2:].decode("utf-16-le")
head, *keys = text.split("[")
assert head == "Windows Registry Editor Version 5.00\r\n\r\n", head
for key in keys:
    assert all(len(line) <= 78 for line in key.split("\r\n")[1:])
    found = re.fullmatch(ROOT + r'\]\r\n"Blob"=hex:([0-9a-f,\\\r\n ]+)\r\n\r\n', key)
    blob = bytes.fromhex(re.sub(r"\\\r\n  |,", "", found[3]))
    have = dict(records(blob))
    sha1 = hashlib.sha1(have[32]).digest()
    assert have[3] == sha1 and found[2] == sha1.hex().upper()
    name = have[11].decode("utf-16-le")
    assert name.endswith("\0")
    if sys.argv[1] == "keys":
        print(found[1], sha1.hex(), purposes(have[9]) if 9 in have else "-", name[:-1])
    else:
        print(blob.hex())
