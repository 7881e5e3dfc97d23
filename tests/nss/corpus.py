#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a folder of certificate chains, each with one thing that verifiers may disagree about.

  corpus.py FOLDER [PATTERN]...   the cases whose names match; without a pattern, the selected ones

Of each case a folder: old.pem (the anchor), new.pem (self-signed), cross.pem (new's key, signed by
old, sub.pem, leaf.pem and leaf.key, and perhaps more, also CRLs; "store" lists what a store holds and
the trust as certutil writes it, "certutil" is a batch for certutil -B that fills it; "send-A" and so on
list what a server sends, which is in sent-A.pem; "host" is whom one asks. Names and keys are each
case's own, so that all of them fit into one store. "cases" lists the cases.
"""
import fnmatch
import os
import random
import sys
import time

import cases_extensions
import cases_paths
import cases_plain
from casebook import CASES, SELECTED, STORE
from minting import (
    EXTENSIONS, FALSE, TRUE, Key, algorithm, aki, bc, bits, eku, instant, integer, ku, name, oid,
    pem, san, seq, signature, tlv,
)

DAY = 86400
NOW = int(time.time())


def own_key_id(made, role, _):
    return False, tlv(4, made.key(role).id)


def signers_key_id(made, _, signer):
    return aki(made.key(signer).id)


AUTHORITY = {"bc": bc(), "ku": ku("certsign", "crlsign"), "ski": own_key_id}
SERVER = {"ku": ku("sign"), "eku": eku("server"), "ski": own_key_id, "aki": signers_key_id}
PLAIN = {
    "old": {"signer": "old", "ext": AUTHORITY},
    "new": {"signer": "new", "ext": AUTHORITY},
    "cross": {"signer": "old", "like": "new", "ext": {**AUTHORITY, "aki": signers_key_id}},
    "sub": {"signer": "new", "ext": {**AUTHORITY, "aki": signers_key_id}},
    "leaf": {"signer": "sub", "ext": SERVER, "days": (-30, 90)},
}
SENDS = {"A": ["leaf", "sub"], "B": ["leaf", "sub", "cross"]}
slow_keys = {}
# Whether critical, and two ways that DER does not know.
FLAGS = {True: TRUE, False: b"", "explicit": FALSE, "one": tlv(1, b"\1")}


class Case:
    """The certificates of one case, made as they are asked for."""

    def __init__(
        self, title, store=None, sends=None, host="localhost", crls=(), refused=(), **roles
    ):
        self.title = title
        self.store = [one for one in (STORE if store is None else store) if one[0] not in refused]
        self.sends = sends or SENDS
        self.host = host
        self.crls = crls
        self.specs = dict(PLAIN)
        for role, changes in roles.items():
            base = PLAIN.get(changes.get("base", role), {})
            merged = {**base, **changes}
            ext = {**base.get("ext", {}), **changes.get("ext", {})}
            merged["ext"] = {} if merged.get("bare") else ext
            self.specs[role] = merged
        self.keys = {}
        self.ders = {}

    def key(self, role):
        spec = self.specs[role]
        if "like" in spec or "key_of" in spec:
            return self.key(spec.get("key_of") or spec["like"])
        if role not in self.keys:
            kind = spec.get("key", "p256")
            if kind[:3] in ("rsa", "dsa"):  # which take their time, and may be shared
                if (kind, role) not in slow_keys:
                    slow_keys[kind, role] = Key(kind)
                self.keys[role] = slow_keys[kind, role]
            else:
                self.keys[role] = Key(kind)
        return self.keys[role]

    def subject(self, role):
        spec = self.specs[role]
        if "subject" in spec:
            return self.named(spec["subject"])
        return self.subject(spec["like"]) if "like" in spec else self.named([("CN", "{} " + role)])

    def named(self, what):
        """A Name in DER, or its pairs; {} stands for the case's title, with blanks: every kind of
        string has them."""
        if isinstance(what, bytes):
            return what
        title = self.title.replace("_", " ")
        return name(*((kind, text.replace("{}", title), *rest) for kind, text, *rest in what))

    def serial(self, role):
        own = random.Random(self.title + role).getrandbits(63) | 1
        return self.specs[role].get("serial", own)

    def extensions(self, role, spec):
        wanted = dict(spec["ext"])
        if role == "leaf" or spec.get("base") == "leaf":
            if "san" not in wanted:
                wanted["san"] = san("dns:" + self.host)
        parts = []
        for short, value in wanted.items():
            for one in value if isinstance(value, list) else [value]:
                if callable(one):
                    one = one(self, role, spec["signer"])
                if one is not None:
                    critical, data = one
                    parts.append(seq(oid(EXTENSIONS[short]), FLAGS[critical], tlv(4, data)))
        return parts

    def der(self, role):
        if role not in self.ders:
            self.ders[role] = self.make(role)
        return self.ders[role]

    def make(self, role):
        spec = self.specs[role]
        signer = spec["signer"]
        signing = self.key(signer)
        how = spec.get("sign", "sha256")
        version = spec.get("version", 3)
        begin, end = spec.get("days", (-60, 700))
        begin, end = (t if isinstance(t, bytes) else int(NOW + t * DAY) for t in (begin, end))
        kind = spec.get("time")
        issuer = self.named(spec["issuer"]) if "issuer" in spec else self.subject(signer)
        serial = spec.get("serial_der") or integer(self.serial(role))
        twin = self.specs.get(spec.get("like"), {})
        extensions = self.extensions(role, spec) if version == 3 or spec.get("extended") else []
        tbs = seq(
            tlv(0xA0, integer(version - 1)) if version != 1 or spec.get("explicit") else b"",
            serial,
            spec.get("inner") or algorithm(signing, how),
            issuer,
            seq(instant(begin, kind), instant(end, kind)),
            self.subject(role),
            (spec.get("spki") or twin.get("spki") or (lambda key: key.spki))(self.key(role)),
            spec.get("unique", b""),
            tlv(0xA3, seq(*extensions)) if extensions or spec.get("empty") else b"",
        )
        signed = bytearray(signature(signing, how, tbs))
        if spec.get("damage"):
            signed[-1] ^= 1
        signed = spec.get("signature", lambda made: made)(bytes(signed))
        der = seq(tbs, spec.get("outer") or algorithm(signing, how), bits(signed))
        return spec.get("der", lambda made: made)(der)

    def crl(self, issuer, revoked):
        """A CRL of this issuer, which revokes these certificates."""
        key = self.key(issuer)
        entries = (seq(integer(self.serial(role)), instant(NOW - 2 * DAY)) for role in revoked)
        tbs = seq(integer(1), algorithm(key, "sha256"), self.subject(issuer), instant(NOW - DAY),
                  instant(NOW + 90 * DAY), seq(*entries))
        return seq(tbs, algorithm(key, "sha256"), bits(signature(key, "sha256", tbs)))

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)

        def put(file, text):
            with open(os.path.join(folder, file), "w") as out:
                out.write(text)

        wanted = {"old", "new", "cross", "sub", "leaf", *self.specs}
        for role in sorted(wanted):
            put(role + ".pem", pem("CERTIFICATE", self.der(role)))
        put("leaf.key", self.key("leaf").pem())
        put("store", "".join(f"{file} {trust}\n" for file, trust in self.store))
        put("certutil", "".join(
            f"-A -n {self.title}-{file} -t {trust} -i {os.path.join(folder, file)}.pem\n"
            for file, trust in self.store))
        put("host", self.host + "\n")
        for issuer, revoked in self.crls:
            with open(os.path.join(folder, issuer + ".crl"), "wb") as out:
                out.write(self.crl(issuer, revoked))
        for letter, sent in self.sends.items():
            put("send-" + letter, "".join(one + "\n" for one in sent))
            put(f"sent-{letter}.pem", "".join(pem("CERTIFICATE", self.der(one)) for one in sent))


def main(folder, *patterns):
    titles = [title for title in CASES
              if any(fnmatch.fnmatchcase(title, one) for one in patterns or SELECTED)]
    for title in titles:
        Case(title, **CASES[title]).write(os.path.join(folder, title))
    with open(os.path.join(folder, "cases"), "w") as out:
        out.write("".join(title + "\n" for title in titles))


if __name__ == "__main__":
    main(*sys.argv[1:])
