#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second reader of certdata.txt, which shares nothing with crossroot's.

certdata.py csv FILE [LABEL=CONSTRAINT]...  the same roots in the form of CCADB's report
certdata.py diff BEFORE AFTER               what differs, as lines: sign, SHA-256, label, what changed
certdata.py said FILE                       the same lines of a document of crossroot diff --json
"""
import base64
import csv
import hashlib
import json
import re
import sys

PURPOSES = (("server", "CKA_TRUST_SERVER_AUTH"), ("email", "CKA_TRUST_EMAIL_PROTECTION"),
            ("code", "CKA_TRUST_CODE_SIGNING"))
DATES = (("server_distrust_after", "CKA_NSS_SERVER_DISTRUST_AFTER"),
         ("email_distrust_after", "CKA_NSS_EMAIL_DISTRUST_AFTER"))
COLUMNS = ("Owner", "Certificate Issuer Organization", "Certificate Issuer Organizational Unit",
           "Common Name or Certificate Name", "Certificate Serial Number", "SHA-256 Fingerprint",
           "Subject + SPKI SHA256", "Valid From [GMT]", "Valid To [GMT]", "Public Key Algorithm",
           "Signature Hash Algorithm", "Trust Bits", "Distrust for TLS After Date",
           "Distrust for S/MIME After Date", "EV Policy OID(s)", "Approval Bug",
           "NSS Release When First Included", "Firefox Release When First Included",
           "Test Website - Valid", "Test Website - Expired", "Test Website - Revoked",
           "Mozilla Applied Constraints", "Company Website", "Geographic Focus",
           "Certificate Policy (CP)", "Certification Practice Statement (CPS)",
           "Certificate Practice & Policy Statement (CP/CPS)", "Standard Audit", "BR Audit",
           "EV Audit", "Auditor", "Standard Audit Type", "Standard Audit Statement Dt", "PEM Info")


def objects(path):
    with open(path, encoding="utf-8") as file:
        text = file.read().split("BEGINDATA", 1)[1]
    for block in re.split(r"^(?=CKA_CLASS )", text, flags=re.M)[1:]:
        found = {}
        for name, kind, value in re.findall(
                r"^(CKA_\S+) (MULTILINE_OCTAL(?=\n)|\S+)(?: ([^\n]*))?$", block, re.M):
            found[name] = value.strip('"') if kind == "UTF8" else value
        for name, octal in re.findall(r"^(CKA_\S+) MULTILINE_OCTAL\n(.*?)^END$", block, re.M | re.S):
            found[name] = bytes(int(o, 8) for o in re.findall(r"\\([0-7]{3})", octal))
        yield found


def rows(path):
    """By SHA-256, or issuer and serial number: label, trust, dates, DER."""
    all_objects = list(objects(path))
    certs = {(o["CKA_ISSUER"], o["CKA_SERIAL_NUMBER"]): o for o in all_objects if "CKA_VALUE" in o}
    out = {}
    for trust in all_objects:
        if trust["CKA_CLASS"] != "CKO_NSS_TRUST":
            continue
        number = trust["CKA_ISSUER"], trust["CKA_SERIAL_NUMBER"]
        cert = certs.get(number, {})
        der = cert.get("CKA_VALUE")
        dates = {}
        for key, name in DATES:
            value = [v for v in (cert.get(name), trust.get(name)) if isinstance(v, bytes)]
            if value:
                d = value[0].decode()
                dates[key] = f"20{d[:2]}-{d[2:4]}-{d[4:6]}T{d[6:8]}:{d[8:10]}:{d[10:12]}Z"
        out[hashlib.sha256(der).hexdigest() if der else hashlib.sha256(b"".join(number)).hexdigest()] = {
            "label": trust["CKA_LABEL"],
            "der": der,
            "purposes": [p for p, name in PURPOSES if trust[name] == "CKT_NSS_TRUSTED_DELEGATOR"],
            "refused": all(trust[name] == "CKT_NSS_NOT_TRUSTED" for _, name in PURPOSES),
            "dates": dates,
        }
    return out


def write_csv(path, constraints):
    out = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\n")
    out.writerow(COLUMNS)
    for key, row in rows(path).items():
        if row["der"] is None or row["refused"]:
            continue
        body = base64.b64encode(row["der"]).decode()
        lines = "\n".join(body[i:i + 64] for i in range(0, len(body), 64))
        values = dict.fromkeys(COLUMNS, "")
        values.update({
            "Owner": 'An "Owner", Ltd.', "Common Name or Certificate Name": row["label"],
            "SHA-256 Fingerprint": key.upper(),
            "Trust Bits": ";".join({"server": "Websites", "email": "Email"}[p] for p in row["purposes"]),
            "Mozilla Applied Constraints": constraints.get(row["label"], ""),
            "PEM Info": f"'-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----'",
        })
        for key_, column in zip((d[0] for d in DATES), COLUMNS[12:14]):
            values[column] = row["dates"].get(key_, "")[:10].replace("-", ".")
        out.writerow(values[c] for c in COLUMNS)


def what(before, after):
    out = []
    if before["purposes"] != after["purposes"] or before["refused"] != after["refused"]:
        out.append(f"trust {'+'.join(before['purposes'])}>{'+'.join(after['purposes'])}")
    for key, _ in DATES:
        if before["dates"].get(key) != after["dates"].get(key):
            out.append(f"{key} {before['dates'].get(key)}>{after['dates'].get(key)}")
    if before["label"] != after["label"]:
        out.append(f"label {before['label']}>{after['label']}")
    return "; ".join(out)


def differ(before, after):
    before, after = rows(before), rows(after)
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            print(f"+ {key} {after[key]['label']} {'+'.join(after[key]['purposes'])}")
        elif key not in after:
            print(f"- {key} {before[key]['label']} {'+'.join(before[key]['purposes'])}")
        elif what(before[key], after[key]):
            print(f"! {key} {after[key]['label']} {what(before[key], after[key])}")


def side(said):
    return {"label": said["label"], "purposes": said["purposes"], "refused": said["distrusted"] == ["any"],
            "dates": {k: said[k] for k, _ in DATES if said[k] is not None}}


def said(path):
    with open(path, encoding="ascii") as file:
        document = json.load(file)
    lines = []
    for sign, key in (("+", "added"), ("-", "removed")):
        for row in document[key]:
            lines.append((row["sha256"] or row["id"], sign, f"{row['label']} {'+'.join(row['purposes'])}"))
    for row in document["changed"]:
        lines.append((row["sha256"] or row["id"], "!",
                      f"{row['after']['label']} {what(side(row['before']), side(row['after']))}"))
    for key, sign, text in sorted(lines):
        print(f"{sign} {key} {text}")


command, *arguments = sys.argv[1:]
if command == "csv":
    write_csv(arguments[0], dict(word.split("=", 1) for word in arguments[1:]))
else:
    {"diff": differ, "said": said}[command](*arguments)
