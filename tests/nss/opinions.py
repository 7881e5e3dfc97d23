#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What crossroot says of browsers, beside what the browsers say.

  opinions.py ask CORPUS EMPTY HOMES    crossroot's opinion of every row of a corpus: lines of case,
                                        sends, browser, yes or no or null, why
  opinions.py compare TABLE OPINIONS    both together, as measure.py and the above write them: rows
                                        where one is the opposite of the other, and counts

The program is $XR_BIN, with $XR_WORKER. Each case has a home of its own with databases of what its store
holds, copies of the one in EMPTY: one for all cases would have to be read again for each row.
"""
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

from measure import lines, rows

BROWSERS = ("Firefox", "Chromium")
WORDS = {True: "yes", False: "no", None: "null"}


def make_home(corpus, empty, home, case):
    """The databases of Firefox and Chromium in it."""
    stores = os.path.join(home, ".mozilla/firefox/test"), os.path.join(home, ".pki/nssdb")
    shutil.copytree(empty, stores[0])
    place = os.path.join(corpus, case)
    batch = os.path.join(place, "certutil")
    subprocess.run(["certutil", "-B", "-d", "sql:" + stores[0], "-i", batch],
                   check=True, capture_output=True)
    for crl in (one for one in os.listdir(place) if one.endswith(".crl")):
        subprocess.run(["crlutil", "-I", "-t", "1", "-d", "sql:" + stores[0], "-i",
                        os.path.join(place, crl)], check=True, capture_output=True)
    shutil.copytree(stores[0], stores[1])
    return stores


def verify(place, home, stores, letter, host):
    """Of each browser a pair of word and reason. A certificate that crossroot cannot read has none."""
    command = [os.environ["XR_BIN"], "--worker", os.environ["XR_WORKER"],
               "--state", os.path.join(home, "state")]
    for store in stores:
        command += ["--store", "nss:" + store]
    command += ["--json", "verify", os.path.join(place, "leaf.pem"), "--host", host.strip("[]"),
                "--untrusted", os.path.join(place, f"sent-{letter}.pem")]
    done = subprocess.run(command, env=dict(os.environ, HOME=home), stdin=subprocess.DEVNULL,
                          capture_output=True)
    if done.returncode not in (0, 1, 2, 6) or b"Sanitizer" in done.stderr:
        raise SystemExit(f"{place} {letter}: exit {done.returncode}: {done.stderr.decode()}")
    answer = json.loads(done.stdout)
    found = {}
    for store in answer.get("stores", []):
        for opinion in store.get("also", []):
            found[opinion["by"]] = WORDS[opinion["ok"]], opinion["why"] or ""
    reasons = "; ".join(message["text"] for message in answer.get("messages", [])) or "no opinion"
    return [found.get(by, ("null", reasons)) for by in BROWSERS]


def ask(corpus, empty, homes):
    def one(case, those):
        home = os.path.join(homes, case)
        stores = make_home(corpus, empty, home, case)
        return [(case, letter, by, *answer) for letter, place, host in those
                for by, answer in zip(BROWSERS, verify(place, home, stores, letter, host))]

    by_case = collections.defaultdict(list)
    for case, letter, place, host in rows(corpus):
        by_case[case].append((letter, place, host))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for answers in pool.map(one, by_case.keys(), by_case.values()):
            for line in answers:
                print(*(re.sub(r"[\t\n]", " ", field) for field in line), sep="\t")


def compare(table, opinions):
    said = {}
    for line in lines(table):
        case, letter, firefox, firefox_error, chromium, chromium_error = line.split("\t")
        said[case, letter, "Firefox"] = firefox, firefox_error
        said[case, letter, "Chromium"] = chromium, chromium_error
    counts = collections.Counter()
    for line in lines(opinions):
        case, letter, by, word, why = line.split("\t")
        if (case, letter, by) not in said:
            print(f"unknown: what {by} says of {case} {letter} was never measured")
            continue
        truth, error = said[case, letter, by]
        same = "cannot tell" if word == "null" else "same" if word == truth else "opposite"
        counts[by, truth, same] += 1
        if same == "opposite":
            print(f"opposite: {case} {letter}: {by} says {truth} {error}, crossroot {word} {why}")
    for key in sorted(counts):
        print("count", *key, counts[key], sep="\t")


if __name__ == "__main__":
    {"ask": ask, "compare": compare}[sys.argv[1]](*sys.argv[2:])
