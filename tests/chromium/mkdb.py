#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a ServerCertificate as Chromium does, or adds rows to one; or shows one.

mkdb.py FILE [--version N] [--compatible N] [--sql SQL] [--count N] [PEM TRUST]...
mkdb.py FILE --show

TRUST is a word (hint, block, trust), with "+DNS" and "+ADDRESS/PREFIX" for its limits, or "hex:" and
the message. After it may come "@KEY", to be the row's key instead of the SHA-256. --count N is how many
rows there are to be: the last one again and again, each with a key of its own.

--show prints the file's mode, what meta says, and each row: its key, the SHA-256 of the certificate and
the message, sorted. Nothing, if there are no rows.
"""
import argparse
import base64
import hashlib
import ipaddress
import os
import sqlite3

KINDS = {"hint": 1, "block": 2, "trust": 3}
META = "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)"
TABLE = (
    "CREATE TABLE certificates(sha256hash_hex TEXT PRIMARY KEY,der_cert BLOB NOT NULL,"
    "trust_settings BLOB NOT NULL)"
)


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def part(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def settings(text):
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:])
    kind, *limits = text.split("+")
    out = part(1, bytes([8, KINDS[kind]]))
    inner = b""
    for limit in limits:
        if "/" in limit:
            address, prefix = limit.split("/")
            inner += part(3, part(1, ipaddress.ip_address(address).packed) + b"\x10" + varint(int(prefix)))
        else:
            inner += part(1, limit.encode())
    return out + (part(2, inner) if limits else b"")


def first(pem):
    with open(pem) as file:
        return base64.b64decode(file.read().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0])


def show(file):
    if not os.path.exists(file) or os.path.getsize(file) == 0:
        return
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    rows = sorted(db.execute("SELECT * FROM certificates"))
    if rows:
        meta = " ".join(f"{key}={value}" for key, value in sorted(db.execute("SELECT * FROM meta")))
        print(f"{os.stat(file).st_mode & 0o7777:o} {meta}")
    for row in rows:
        key, der, trust = (cell if isinstance(cell, bytes) else cell.encode() for cell in row)
        print(key.decode(), hashlib.sha256(der).hexdigest(), trust.hex())


def main():
    options = argparse.ArgumentParser()
    options.add_argument("file")
    options.add_argument("--version", type=int, default=1)
    options.add_argument("--compatible", type=int, default=1)
    options.add_argument("--sql", action="append", default=[])
    options.add_argument("--count", type=int, default=0)
    options.add_argument("--show", action="store_true")
    options.add_argument("rows", nargs="*")
    asked = options.parse_intermixed_args()
    if asked.show:
        show(asked.file)
        return
    fresh = not os.path.exists(asked.file)
    os.umask(0o077)
    db = sqlite3.connect(asked.file)
    if fresh:
        db.execute(META)
        db.execute(TABLE)
        db.executemany(
            "INSERT INTO meta VALUES(?,?)",
            (("mmap_status", "-1"), ("version", asked.version),
             ("last_compatible_version", asked.compatible)),
        )
    row = None
    for pem, trust in zip(asked.rows[::2], asked.rows[1::2]):
        trust, _, key = trust.partition("@")
        der = first(pem)
        row = (key or hashlib.sha256(der).hexdigest(), der, settings(trust))
        db.execute("INSERT OR REPLACE INTO certificates VALUES(?,?,?)", row)
    for number in range(len(asked.rows) // 2, asked.count):
        db.execute("INSERT INTO certificates VALUES(?,?,?)", (f"{number:064x}", *row[1:]))
    for sql in asked.sql:
        db.execute(sql)
    db.commit()
    db.close()


main()
