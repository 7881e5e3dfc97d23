#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corpus.py CORPUS IMAGE WORK CROSSROOT...: what readers says of every chain of tests/nss/corpus.py, beside
what GnuTLS, Go and Java say of it.

IMAGE has one program of another engine than OpenSSL, whose bundle is written anew for each case. Prints
a line for each difference, "wrong TITLE SENT ENGINE SAYS DOES", and "count ANSWER NUMBER".
"""
import json
import os
import shutil
import subprocess
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def anchors(folder):
    """What a store holds as an anchor for servers."""
    for line in read(os.path.join(folder, "store")).splitlines():
        role, trust = line.split()[:2]
        if trust.split(",")[0] == "C":
            yield read(os.path.join(folder, role + ".pem"))


def rows(corpus, work):
    for title in read(os.path.join(corpus, "cases")).split():
        folder = os.path.join(corpus, title)
        bundle = os.path.join(work, title + ".pem")
        with open(bundle, "w", encoding="utf-8") as file:
            file.write("".join(anchors(folder)))
        for name in sorted(os.listdir(folder)):
            if name.startswith("sent-") and os.path.getsize(bundle) > 0:
                yield title, os.path.join(folder, name), bundle, read(
                    os.path.join(folder, "host")).strip()


def gnutls(sent, bundle, host):
    return subprocess.run(
        ["certtool", "--verify", "--load-ca-certificate", bundle, "--infile", sent,
         "--verify-hostname", host, "--verify-purpose", "1.3.6.1.5.5.7.3.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def batch(command, questions):
    """A program that answers a line for each line "SENT BUNDLE HOST"."""
    text = "".join(" ".join(one[1:]) + "\n" for one in questions)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    answers = done.stdout.split()
    if len(answers) != len(questions):
        sys.exit(f"{command}: {len(answers)} answers to {len(questions)} questions: {done.stderr[-500:]}")
    return [answer == "yes" for answer in answers]


def main():
    corpus, image, work = sys.argv[1:4]
    crossroot = sys.argv[4:]
    questions = list(rows(corpus, work))
    engines = {"GnuTLS": [gnutls(*one[1:]) for one in questions]}
    if os.access(os.path.join(work, "verify-go"), os.X_OK):
        engines["Go"] = batch([os.path.join(work, "verify-go")], questions)
    java = os.environ.get("XR_JAVA")
    if java:
        engines["Java"] = batch([java, os.path.join(work, "Verify.java")], questions)
    counts = {}
    for at, (title, sent, bundle, host) in enumerate(questions):
        shutil.copy(bundle, os.path.join(image, "etc/ssl/certs/ca-certificates.crt"))
        done = subprocess.run(
            [*crossroot, "--root", image, "--scope", "system", "readers", sent, "--host", host, "--json"],
            capture_output=True, text=True, check=False)
        document = json.loads(done.stdout)
        said = [row for row in document["readers"] if row["program"] == "programs in Go"]
        ok = said[0]["ok"] if said else None
        all_say = {engine: answers[at] for engine, answers in engines.items()}
        kind = {True: "yes", False: "no", None: "cannot-tell"}[ok]
        if ok is None and len(set(all_say.values())) > 1:
            kind = "rightly-cannot-tell"
        counts[kind] = counts.get(kind, 0) + 1
        for engine, does in all_say.items():
            # Java is not asked for a host.
            if ok is not None and ok != does and not (
                    engine == "Java" and does and "other hosts" in str(said[0]["why"])):
                print("wrong", title, os.path.basename(sent), engine, ok, does, said[0]["why"])
    for kind, count in sorted(counts.items()):
        print("count", kind, count)


main()
