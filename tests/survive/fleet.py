# SPDX-License-Identifier: Apache-2.0
"""What programs other than crossroot read in the stores of a fleet (fleet.sh).

fleet.py DIR PKI prints it.
"""
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as xml

# Of the fleet's story: those of harnesses are installed, removed and distrusted.
ROOTS = ("rsa-root", "old-root", "new-root", "utf8", "in-2051")
# Databases in which the same contents may be other bytes.
DATABASES = ("firefox", "chromium", "hive")


class Unreadable(Exception):
    """A program cannot open a store."""


def bytes_of(where):
    """Names, types, modes, targets and contents of everything below a directory, as one text."""
    lines = []
    for path, dirs, files in os.walk(where):
        for name in [""] + files + [d for d in dirs if os.path.islink(os.path.join(path, d))]:
            at = os.path.join(path, name) if name else path
            st = os.lstat(at)
            kind, content = stat.S_IFMT(st.st_mode), ""
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(at)
            elif stat.S_ISREG(st.st_mode):
                with open(at, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            lines.append("%s %o %o %s" % (os.path.relpath(at, where), kind, stat.S_IMODE(st.st_mode), content))
    return "\n".join(sorted(lines))


def say(*command, env=None, good=(0,)):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=env, check=False)
    if done.returncode not in good:
        raise Unreadable("%s: exit %d: %s" % (command[0], done.returncode, (done.stderr or done.stdout)[-200:]))
    return done.stdout.decode("utf-8", "replace")


def by_openssl(pki, option, place):
    """Which of the roots it trusts by this bundle or directory."""
    if not os.path.exists(place):
        return []
    other = "-no-CApath" if option == "-CAfile" else "-no-CAfile"
    files = ["%s/%s.pem" % (pki, root) for root in ROOTS]
    if option == "-CAfile" and os.path.getsize(place) > 0:
        say("openssl", "crl2pkcs7", "-nocrl", "-certfile", place, "-out", "/dev/null")
    told = say("openssl", "verify", "-no-CAstore", other, option, place, *files, good=(0, 2))
    return [root for root in ROOTS if "/%s.pem: OK\n" % root in told]


def openssl(where, pki):
    return {"bundle": by_openssl(pki, "-CAfile", where + "/anchors.pem"),
            "directory": by_openssl(pki, "-CApath", where + "/anchors")}


def debian(where, pki):
    return {"bundle": by_openssl(pki, "-CAfile", where + "/etc/ssl/certs/ca-certificates.crt")}


def fedora(where, pki):
    out = where + "/etc/pki/ca-trust/extracted/"
    return {"bundle": by_openssl(pki, "-CAfile", out + "pem/tls-ca-bundle.pem"),
            "trusted": by_openssl(pki, "-CAfile", out + "openssl/ca-bundle.trust.crt"),
            "directory": by_openssl(pki, "-CApath", out + "pem/directory-hash")}


def nss(where, _pki):
    seen = {"certutil": [], "keys": []}
    base = where + "/cert9.db"
    if not os.path.exists(base) or os.path.getsize(base) == 0:
        return seen # for NSS, no database
    told = say("certutil", "-L", "-d", "sql:" + where).splitlines()[4:]
    seen["certutil"] = sorted(" ".join(line.split()) for line in told if line and "needs user init" not in line)
    if where.endswith("firefox"):
        keys = say("certutil", "-K", "-d", "sql:" + where, good=(0, 255)) # 255: no keys found
        seen["keys"] = [" ".join(line.split()[1:]) for line in keys.splitlines() if line.startswith("<")]
    return seen


def p11kit(where, _pki):
    if shutil.which("trust") is None:
        return {}
    with_config = where + ".config"
    os.makedirs(with_config + "/pkcs11/modules", exist_ok=True)
    with open(with_config + "/pkcs11/pkcs11.conf", "w", encoding="ascii") as file:
        file.write("user-config: only\n")
    with open(with_config + "/pkcs11/modules/fleet.module", "w", encoding="utf-8") as file:
        file.write("module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths='%s'\n" % where)
    # root reads no configuration of a user's
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    env = {"PATH": os.environ["PATH"], "HOME": with_config, "XDG_CONFIG_HOME": with_config, "LC_ALL": "C.UTF-8"}
    told = say(*nobody, "trust", "list", "--filter=certificates", env=env)
    shutil.rmtree(with_config)
    seen, label = [], ""
    for line in told.splitlines():
        word, _, rest = line.strip().partition(": ")
        label = rest if word == "label" else label
        if word == "trust":
            seen.append("%s: %s" % (label, rest))
    return {"trust": sorted(seen)}


def hive(where, _pki):
    values = []

    def walk(node, path):
        for child in node:
            if child.tag == "node":
                walk(child, path + "\\" + child.get("name", ""))
            elif child.tag == "value" and child.get("key") == "Blob":
                blob = hashlib.sha256((child.text or "").encode()).hexdigest()[:16]
                values.append("%s %s" % (path.split("SystemCertificates\\")[-1], blob))
    told = say("hivexml", where + "/SOFTWARE")
    try:
        walk(xml.fromstring(told), "")
    except xml.ParseError as error:
        raise Unreadable("hivexml: %s" % error) from error
    return {"hivexml": sorted(values)}


READERS = {"openssl": openssl, "debian": debian, "fedora": fedora, "firefox": nss, "chromium": nss,
           "p11-kit": p11kit, "hive": hive}
_known = {}


def seen(fleet, name, pki):
    """What readers of a store see: {reader: [what]}. Bytes that were read before are not read again."""
    where = os.path.join(fleet, name)
    key = name + "\n" + bytes_of(where)
    if key not in _known:
        _known[key] = READERS[name](where, pki)
    return _known[key]


def left_behind(fleet, name):
    """Files of a database's directory that belong to no database."""
    mine = ("SOFTWARE",) if name == "hive" else ("cert9.db", "key4.db", "pkcs11.txt")
    where = os.path.join(fleet, name)
    left = []
    for entry in sorted(os.listdir(where)):
        at = os.path.join(where, entry)
        if entry in mine:
            continue
        if name != "hive" and entry.endswith("-journal"):
            # SQLite plays back no journal whose header is zeros, nor one of an empty database.
            with open(at, "rb") as file:
                head = file.read(8)
            base = at[:-len("-journal")]
            if not head.strip(b"\0") or not os.path.exists(base) or os.path.getsize(base) == 0:
                continue
        left.append(entry)
    return left


if __name__ == "__main__":
    for store in sorted(os.listdir(sys.argv[1])):
        for reader, what in seen(sys.argv[1], store, sys.argv[2]).items():
            print("%s, %s: %s" % (store, reader, "; ".join(what)))
