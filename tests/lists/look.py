#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""look.py WHAT FILE...: what readers that are not ours find in a file of `crossroot extract`.

certifi OURS THEIRS...  how many blocks of each of THEIRS are in OURS too, and which of these differ
labels FILE             a cacert.pem of certifi without its blocks that have no label, to standard output
profile FILE            of a configuration profile: what each payload is, and the SHA-256 of its certificate
bundle FILE             of a ClusterTrustBundle: its name, then its PEM
"""
import base64
import hashlib
import plistlib
import re
import sys
import uuid

END = "-----END CERTIFICATE-----\n"
NAMESPACE = uuid.UUID("54ec8b26-85fe-479d-9719-0325e8210139")  # core/formats/mobileconfig.c


def blocks(path):
    """By SHA-256: those that certifi's makers wrote. Administrators add others, without a label."""
    found = {}
    with open(path, encoding="ascii", newline="") as file:
        for block in file.read().split(END)[:-1]:
            head, _, digits = block.partition("-----BEGIN CERTIFICATE-----\n")
            if "# Label: " in head:
                found[hashlib.sha256(base64.b64decode(digits)).hexdigest()] = block + END
    return found


def certifi(ours, *others):
    ours = blocks(ours)
    for path in others:
        theirs = blocks(path)
        both = ours.keys() & theirs.keys()
        differ = [ours[key].splitlines()[3] for key in both if ours[key] != theirs[key]]
        print(len(both), len(theirs), *differ)


def labels(path):
    sys.stdout.write("".join(blocks(path).values()))


def profile(path):
    with open(path, "rb") as file:
        whole = plistlib.load(file, fmt=plistlib.FMT_XML)
    payloads = whole["PayloadContent"]
    assert whole["PayloadType"] == "Configuration" and whole["PayloadVersion"] == 1
    for payload in payloads:
        sha256 = hashlib.sha256(payload["PayloadContent"]).hexdigest()
        assert payload["PayloadUUID"] == str(uuid.uuid5(NAMESPACE, sha256)).upper()
        assert payload["PayloadIdentifier"] == "crossroot.certificate." + payload["PayloadUUID"]
        print(payload["PayloadType"], sha256, payload["PayloadDisplayName"])
    for key in "PayloadUUID", "PayloadIdentifier":
        every = [one[key] for one in [whole, *payloads]]
        assert len(set(every)) == len(every), key


def bundle(path):
    import yaml

    with open(path, encoding="utf-8") as file:
        for found in yaml.safe_load_all(file):
            assert (found["apiVersion"], found["kind"]) == ("certificates.k8s.io/v1beta1", "ClusterTrustBundle")
            assert set(found) == {"apiVersion", "kind", "metadata", "spec"} and set(found["spec"]) == {"trustBundle"}
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", found["metadata"]["name"])
            print(found["metadata"]["name"])
            sys.stdout.write(found["spec"]["trustBundle"])


globals()[sys.argv[1]](*sys.argv[2:])
