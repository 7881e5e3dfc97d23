#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks Firefox and Chromium about every row of a corpus, and writes what they say.

  measure.py CORPUS PROFILE DATA    tab-separated lines: case, sends, and of both browsers yes or
                                    no and the name of the error

PROFILE and the NSS database that Chromium finds by $HOME hold what the stores of the cases say. Firefox
keeps the intermediates that it used, so what it hears last is what is sent most of.
"""
import concurrent.futures
import os
import re
import ssl
import sys
import threading

import browser
import minting
import plaintls

SPKI_RSA = minting.oid("1.2.840.113549.1.1.1")


def lines(*path):
    with open(os.path.join(*path)) as file:
        return file.read().splitlines()


def rows(corpus):
    for case in lines(corpus, "cases"):
        folder = os.path.join(corpus, case)
        host = lines(folder, "host")[0]
        for letter in sorted(one[5:] for one in os.listdir(folder) if one.startswith("send-")):
            yield case, letter, folder, host


def serve_plainly(key_file, chain_file):
    with open(key_file) as key, open(chain_file) as chain:
        pkcs8, = minting.unpem(key.read())
        ders = minting.unpem(chain.read())
    kind = "rsa" if SPKI_RSA in pkcs8[:40] else "p256"
    key = minting.Key(kind, pkcs8)
    return browser.listen(lambda link: plaintls.page(link, key, ders, browser.RESPONSE))


def issuers(corpus):
    """What the certificates here name as the place of their issuer's."""
    def answer(connection):
        request = connection.recv(65536).decode("latin-1")
        asked = re.match(r"GET /(\w+)/(\w+) ", request)
        if not asked:
            return
        pem = "\n".join(lines(corpus, asked[1], asked[2] + ".pem"))
        der, = minting.unpem(pem)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(der), der))

    browser.listen(answer, port=8099)  # which the certificates name


def measure(corpus, profile, data):
    asked = []
    for case, letter, folder, host in rows(corpus):
        files = os.path.join(folder, "leaf.key"), os.path.join(folder, f"sent-{letter}.pem")
        try:
            port = browser.serve(*files)
        except ssl.SSLError:  # of a certificate that OpenSSL does not like
            port = serve_plainly(*files)
        asked.append((case, letter, host, port))
    issuers(corpus)

    def one(kind, place):
        running = kind(place)
        try:
            answers = []
            for *_, host, port in asked:
                error = running.error_of(f"https://{host}:{port}/")
                answers.append(("yes", "") if error is None else ("no", error))
            return answers
        finally:
            running.stop()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(one, (browser.Firefox, browser.Chromium), (profile, data)))
    for (case, letter, *_), firefox, chromium in zip(asked, *answers):
        print(case, letter, *firefox, *chromium, sep="\t")


if __name__ == "__main__":
    threading.stack_size(256 * 1024)  # there is one for each row
    measure(*sys.argv[1:])
