# SPDX-License-Identifier: Apache-2.0
"""The kinds of store that harnesses here try: how an empty one is made below a directory, what commands
change it, and what programs other than ours read there."""
import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys

P, T = os.environ["P"], os.environ["T"]
HANGS = int(os.environ.get("XR_HANGS", "300"))  # seconds, on a machine however busy
BIN, WORKER = os.environ["XR_BIN"], os.environ["XR_WORKER"]


def run(*words):
    """Exit code, 124 for what hangs, and all that was said."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=HANGS)
    except subprocess.TimeoutExpired:
        return 124, "it hangs: " + " ".join(words)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def must(*words):
    code, text = run(*words)
    if code != 0:
        sys.exit(f"exit {code}: {' '.join(words)}\n{text}")
    return text


def snap(top):
    """Names, types, modes, owners, targets and contents of all that is below."""
    lines = []
    for where, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(where, name)
            st = os.lstat(path)
            what = ""
            if stat.S_ISLNK(st.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                with open(path, "rb") as file:
                    what = hashlib.sha256(file.read()).hexdigest()
            lines.append(f"{os.path.relpath(path, top)} {st.st_mode:o} {st.st_uid} {st.st_gid} {what}")
    return "\n".join(sorted(lines))


def pem(name):
    return f"{P}/{name}.pem"


def verdicts(*options):
    """What OpenSSL says of the chains that the commands here make good or bad."""
    said = []
    for chain in ((pem("old-root"),), (pem("rsa-root"),), (pem("new-root"),), ("-untrusted", pem("cross"), pem("sub"))):
        code, _ = run("openssl", "verify", "-no-CAfile", "-no-CAstore", *options, *chain)
        said.append("yes" if code == 0 else "no")
    return " ".join(said)


def hot(where, name):
    """A journal of SQLite whose head is zeros was done with."""
    with open(os.path.join(where, name), "rb") as file:
        return file.read(8) == b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


class Kind:
    """One kind of store below work/store. Its readers are other programs than ours."""

    exact = True  # undone or done, it is the same to the byte
    cross = "cross"  # what is added to an old root

    def __init__(self, work):
        self.work, self.top = work, work + "/store"
        self.named = self.top  # what a message calls the store

    def make(self):
        os.makedirs(self.top)

    def readers(self):
        raise NotImplementedError

    def look(self):
        return snap(self.top) if self.exact else self.readers() + "\n" + self.left()

    def without(self, look, name):
        """A look without the names that match."""
        if not self.exact:
            return re.sub(rf"\S*{name}\S*", "", look)
        return "\n".join(line for line in look.split("\n") if not re.search(name, line))

    def left(self):
        """Names of what only a change that is under way has."""
        names = [(where, name) for where, dirs, files in os.walk(self.top) for name in dirs + files]
        return " ".join(sorted(name for where, name in names
                               if name.startswith(".crossroot-") or (name.endswith("-journal") and hot(where, name))))


class OpenSSL(Kind):
    def store(self):
        return ["--store", f"openssl:{self.top}/trust"]

    def readers(self):
        trust = self.top + "/trust"
        untrusted = ["-untrusted", trust + "/intermediates.pem"] if os.path.exists(trust + "/intermediates.pem") else []
        says = verdicts("-CApath", trust + "/anchors", *untrusted)
        return f"{says} {run('openssl', 'verify', '-CApath', trust + '/anchors', *untrusted, pem('sub'))[0]}"


class Image(Kind):
    cross = "new-root"

    def __init__(self, work):
        super().__init__(work)
        self.named = "CA certificates of the image"

    def store(self):
        return ["--root", self.top, "--store", "ca-certificates"]

    def readers(self):
        return verdicts("-no-CApath", "-CAfile", f"{self.top}/{self.bundle}")


class Debian(Image):
    bundle = "etc/ssl/certs/ca-certificates.crt"

    def make(self):
        for path in ("etc/ssl/certs", "usr/share/ca-certificates/vendor", "usr/local/share/ca-certificates", "usr/sbin"):
            os.makedirs(f"{self.top}/{path}")
        shutil.copy(pem("rsa-root"), self.top + "/usr/share/ca-certificates/vendor/RSA.crt")
        with open(self.top + "/etc/ca-certificates.conf", "w", encoding="ascii") as file:
            file.write("vendor/RSA.crt\n")
        with open(self.top + "/usr/sbin/update-ca-certificates", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n")


class Fedora(Image):
    bundle = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"

    def make(self):
        for path in ("source/anchors", "source/blocklist", "extracted/openssl", "extracted/java", "extracted/edk2",
                     "extracted/pem/directory-hash"):
            os.makedirs(f"{self.top}/etc/pki/ca-trust/{path}")
        os.makedirs(self.top + "/etc/pki/tls/certs")
        os.makedirs(self.top + "/usr/share/pki/ca-trust-source/anchors")
        shutil.copy(pem("rsa-root"), self.top + "/usr/share/pki/ca-trust-source/anchors")


class NSS(Kind):
    exact = False

    def make(self):
        os.makedirs(self.top + "/db")

    def store(self):
        return ["--store", f"nss:{self.top}/db"]

    def readers(self):
        """No database and an empty one are the same to those who read it."""
        if not os.path.exists(self.top + "/db/cert9.db"):
            return "empty"
        code, text = run("certutil", "-L", "-d", f"sql:{self.top}/db")
        objects = self.objects()
        return "empty" if code == 0 and objects == [] else f"{code}\n{text}{objects}"

    def objects(self):
        """Classes of all objects: certutil does not show trust without its certificate. Trust whose seal
        is missing from key4.db is believed by nobody."""
        try:
            seals = {name for (name,) in self.rows("key4.db", "select name from sqlite_master where name = 'metaData'")
                     and self.rows("key4.db", "select id from metaData")}
            return [kind for number, kind in self.rows("cert9.db", "select id, hex(a0) from nssPublic order by a0, id")
                    if kind != "CE534353" or f"sig_cert_{number:08x}_ce536358" in seals]
        except sqlite3.Error as error:
            return error

    def rows(self, name, query):
        """From a copy, in which what a killed or failed writer left may be rolled back."""
        copy = self.work + "/seen"
        shutil.copytree(self.top + "/db", copy, dirs_exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(f"file:{copy}/{name}?mode=rw", uri=True)) as database:
                return database.execute(query).fetchall()
        finally:
            shutil.rmtree(copy)


class P11Kit(Kind):
    def make(self):
        os.makedirs(self.top + "/token")

    def store(self):
        self.named = "token=token"
        return ["--store", "p11-kit:pkcs11:token=token"]

    def readers(self):
        return must("trust", "list")


class Windows(Kind):
    exact = False

    def make(self):
        config = self.top + "/Windows/System32/config"
        os.makedirs(config)
        must(os.environ["XR_MKHIVE"], config, "SOFTWARE")

    def store(self):
        self.named = "system stores of a Windows"
        return ["--plugin", os.environ["XR_HIVE_PLUGIN"], "--root", self.top, "--scope", "system", "--store", "windows"]

    def readers(self):
        said = []
        for name in ("ROOT", "CA", "Disallowed"):
            text = subprocess.run(["hivexsh", self.top + "/Windows/System32/config/SOFTWARE"], check=False, text=True,
                                  input=f"cd \\Microsoft\\SystemCertificates\\{name}\\Certificates\nls\n",
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            said.append(name + " " + " ".join(sorted(text.split())))
        return "\n".join(said)


KINDS = {"openssl": OpenSSL, "debian": Debian, "fedora": Fedora, "nss": NSS, "p11-kit": P11Kit, "windows": Windows}
