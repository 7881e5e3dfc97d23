#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""odd_sources.py SCRATCH [CASE]...: hundreds of odd files, made by code and the same at every run, as a
local source of a Debian's root in which crossroot then installs another CA, and as the published bundle
itself. In every case `crossroot verify` must say of every leaf what `openssl verify` says of the very
same bundle; what is published after an install must load in Python and still hold the neighbours."""
import base64
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import ssl
import subprocess
import sys

scratch = pathlib.Path(sys.argv[1])
wanted = sys.argv[2:]
xr = [os.environ["XR_BIN"], "--worker", os.environ["XR_WORKER"]]
EXTENSIONS = "basicConstraints=critical,CA:TRUE"


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


# ---- a PKI ----

pki = scratch / "pki"
pki.mkdir()
EC = ("genpkey", "-algorithm", "EC", "-pkeyopt")
KEYS = {
    "p256": (*EC, "ec_paramgen_curve:P-256"),
    "p384": (*EC, "ec_paramgen_curve:P-384"),
    "p192": (*EC, "ec_paramgen_curve:prime192v1"),
    "rsa2048": ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "rsa1024": ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
    "ed25519": ("genpkey", "-algorithm", "ED25519"),
}
serial = 1000


def config(name, subject, extensions):
    path = pki / f"{name}.cnf"
    path.write_text(f"""[req]
prompt=no
distinguished_name=dn
string_mask=utf8only
utf8=yes
[dn]
{subject}
[ext]
{extensions}
[ca]
default_ca=own
[own]
database={path}.db
new_certs_dir={pki}
rand_serial=yes
policy=any
default_md=sha256
x509_extensions=ext
[any]
commonName=optional
organizationName=optional
""")
    (pki / f"{name}.cnf.db").write_text("")
    return str(path)


def issue(name, issuer=None, key="p256", extensions=EXTENSIONS, digest="sha256", options=(), subject=None,
          days="3650", dates=None):
    """NAME.pem, signed by ISSUER's key or its own."""
    global serial
    serial += 1
    pem, own, csr = (str(pki / f"{name}.{end}") for end in ("pem", "key", "csr"))
    if not os.path.exists(own):
        openssl(*KEYS[key], "-out", own)
    conf = config(name, subject or f"CN=Odd {name}", extensions)
    openssl("req", "-new", "-config", conf, "-key", own, "-out", csr)
    if dates:
        openssl("ca", "-config", conf, "-selfsign", "-keyfile", own, "-in", csr, "-startdate", dates[0],
                "-enddate", dates[1], "-batch", "-notext", "-out", pem)
    else:
        signer = ("-CA", str(pki / f"{issuer}.pem"), "-CAkey", str(pki / f"{issuer}.key")) if issuer else (
            "-signkey", own)
        openssl("x509", "-req", "-in", csr, *signer, "-set_serial", str(serial), "-days", days, f"-{digest}",
                "-extfile", conf, "-extensions", "ext", *options, "-out", pem)
    return (pki / f"{name}.pem").read_bytes()


def leaf(issuer, name=None, extensions="extendedKeyUsage=serverAuth", **more):
    issue(name or f"leaf-{issuer}", issuer, **more,
          extensions=f"basicConstraints=CA:FALSE\nsubjectAltName=DNS:a.example.org\n{extensions}")
    return name or f"leaf-{issuer}"


KINDS = {  # of roots: how they are made
    "base": {},
    "rsa": {"key": "rsa2048"},
    "p384": {"key": "p384", "digest": "sha384"},
    "edwards": {"key": "ed25519"},
    "weak-rsa": {"key": "rsa1024"},
    "weak-curve": {"key": "p192"},
    "sha1-itself": {"digest": "sha1"},
    "pss": {"key": "rsa2048", "options": ("-sigopt", "rsa_padding_mode:pss")},
    "expired": {"dates": ("20100101000000Z", "20110101000000Z")},
    "future": {"dates": ("21000101000000Z", "21100101000000Z")},
    "after-2050": {"dates": ("20200101000000Z", "20600101000000Z")},
    "server-only": {"extensions": f"{EXTENSIONS}\nextendedKeyUsage=serverAuth"},
    "email-only": {"extensions": f"{EXTENSIONS}\nextendedKeyUsage=emailProtection"},
    "any-purpose": {"extensions": f"{EXTENSIONS}\nextendedKeyUsage=anyExtendedKeyUsage"},
    "constrained": {"extensions": f"{EXTENSIONS}\nnameConstraints=critical,permitted;DNS:example.org"},
    "constrained-away": {"extensions": f"{EXTENSIONS}\nnameConstraints=critical,permitted;DNS:example.net"},
    "short-path": {"extensions": "basicConstraints=critical,CA:TRUE,pathlen:0"},
    "critical": {"extensions": f"{EXTENSIONS}\n1.2.3.4.5=critical,ASN1:NULL"},
    "unknown": {"extensions": f"{EXTENSIONS}\n1.2.3.4.5=ASN1:UTF8String:hello"},
    "cannot-sign": {"extensions": f"{EXTENSIONS}\nkeyUsage=critical,cRLSign"},
    "not-a-ca": {"extensions": "basicConstraints=critical,CA:FALSE"},
    "silent": {"extensions": "subjectKeyIdentifier=hash"},
    "long-name": {"subject": "O=Odd\nCN=" + "x" * 64},
    "utf8-name": {"subject": "CN=Főtanúsítvány クロス"},
    "large": {"extensions": EXTENSIONS + "\n1.2.3.4.6=DER:" + ":".join(["30"] * 9000)},
}
roots, leaves = {}, {}
for kind, how in KINDS.items():
    try:
        roots[kind] = issue(kind, **how)
        leaves[kind] = [leaf(kind)]
    except subprocess.CalledProcessError as failure:  # a distribution's policy may forbid it
        print(f"skip  no {kind} here: {failure.stderr.decode().strip().splitlines()[-1]}")
        roots.pop(kind, None)
for kind in ("good", "second", "ours"):
    roots[kind] = issue(kind)
    leaves[kind] = [leaf(kind)]
leaves["good"] += [leaf("good", "leaf-sha1", digest="sha1"), leaf("good", "leaf-weak", key="rsa1024"),
                   leaf("good", "leaf-client", "extendedKeyUsage=clientAuth")]
for kind in ("base", "short-path"):
    issue(f"sub-{kind}", kind)
    leaves[kind].append(leaf(f"sub-{kind}"))
# An anchor that is no root: a cross certificate and a plain intermediate; and a leaf of its own.
shutil.copy(pki / "base.key", pki / "cross.key")
roots["cross"] = issue("cross", "rsa", subject="CN=Odd base")
# Of the same name as another root: by another key, and by the same key in another way.
TWINS = {"twin": {}, "twin-expired": KINDS["expired"], "twin-email": KINDS["email-only"],
         "twin-short": KINDS["short-path"]}
for kind, how in TWINS.items():
    if kind != "twin":
        shutil.copy(pki / "base.key", pki / f"{kind}.key")
    roots[kind] = issue(kind, subject="CN=Odd base", **how)
    leaves[kind] = leaves["base"]
leaves["twin"] = [*leaves["base"], leaf("twin")]
roots["intermediate"] = issue("intermediate", "rsa")
leaves["cross"] = leaves["base"]
leaves["intermediate"] = [leaf("intermediate")]
roots["leaf"] = (pki / f"{leaves['rsa'][0]}.pem").read_bytes()
leaves["leaf"] = leaves["rsa"]
untrusted = pki / "untrusted.pem"
untrusted.write_bytes(b"".join((pki / f"sub-{kind}.pem").read_bytes() for kind in ("base", "short-path")))
(pki / "index").write_text("")
(pki / "crl.cnf").write_text(
    f"[ca]\ndefault_ca=own\n[own]\ndatabase={pki}/index\ndefault_md=sha256\ndefault_crl_days=30\n")
crl = openssl("ca", "-gencrl", "-config", str(pki / "crl.cnf"), "-cert", str(pki / "base.pem"), "-keyfile",
              str(pki / "base.key"))


def der(kind):
    return ssl.PEM_cert_to_DER_cert(roots[kind].decode())


def block(data, label=b"CERTIFICATE", width=64):
    text = base64.b64encode(data)
    lines = b"\n".join(text[at:at + width] for at in range(0, len(text), width))
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, lines, label)


def trusted(kind, *options):
    return openssl("x509", "-trustout", *options, data=roots[kind])


def body(pem):
    return b"".join(line for line in pem.splitlines() if b"-----" not in line)


def length(count):
    if count < 0x80:
        return bytes([count])
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def content(data):
    """Of the outer SEQUENCE."""
    return data[2:] if data[1] < 0x80 else data[2 + (data[1] & 0x7f):]


# ---- what is done to the text of a file ----

def relabelled(label):
    return lambda pem: pem.replace(b" CERTIFICATE-", b" %s-" % label)


def keyed(label, data=b"\x30\x03\x02\x01\x00", after=True):
    return lambda pem: pem + block(data, label) if after else block(data, label) + pem


def at_line(number, change):
    def changed(pem):
        lines = pem.split(b"\n")
        lines[number] = change(lines[number])
        return b"\n".join(lines)
    return changed


def comment(count, rest=b""):
    return lambda pem: b"#" * count + rest + b"\n" + pem


TEXTS = {
    "plain": lambda pem: pem,
    "crlf": lambda pem: pem.replace(b"\n", b"\r\n"),
    "cr": lambda pem: pem.replace(b"\n", b"\r"),
    "cr-cr-lf": lambda pem: pem.replace(b"\n", b"\r\r\n"),
    "lf-cr": lambda pem: pem.replace(b"\n", b"\n\r"),
    "bom": lambda pem: b"\xef\xbb\xbf" + pem,
    "bom-after-text": lambda pem: b"text\n\xef\xbb\xbf" + pem,
    "two-boms": lambda pem: b"\xef\xbb\xbf\xef\xbb\xbf" + pem,
    "utf-16": lambda pem: pem.decode().encode("utf-16"),
    "utf-16-be": lambda pem: pem.decode().encode("utf-16-be"),
    "utf-32": lambda pem: pem.decode().encode("utf-32"),
    "one-line": lambda pem: pem.replace(b"\n", b"") + b"\n",
    "one-line-spaces": lambda pem: pem.replace(b"\n", b" ") + b"\n",
    "literal-backslash-n": lambda pem: pem.replace(b"\n", b"\\n") + b"\n",
    "base64-one-line": lambda pem: block(base64.b64decode(body(pem)), width=10**7),
    "base64-76": lambda pem: block(base64.b64decode(body(pem)), width=76),
    "base64-63": lambda pem: block(base64.b64decode(body(pem)), width=63),
    "base64-1": lambda pem: block(base64.b64decode(body(pem)), width=1),
    "base64-253": lambda pem: block(base64.b64decode(body(pem)), width=253),
    "base64-254": lambda pem: block(base64.b64decode(body(pem)), width=254),
    "base64-255": lambda pem: block(base64.b64decode(body(pem)), width=255),
    "base64-256": lambda pem: block(base64.b64decode(body(pem)), width=256),
    "base64-url": lambda pem: pem.replace(b"+", b"-").replace(b"/", b"_"),
    "indented": lambda pem: re.sub(rb"(?m)^(?=.)", b"  ", pem),
    "indented-by-tab": lambda pem: re.sub(rb"(?m)^(?=.)", b"\t", pem),
    "indented-base64": lambda pem: re.sub(rb"(?m)^(?=[^-])", b"  ", pem),
    "indented-end": lambda pem: pem.replace(b"-----END", b" -----END"),
    "no-break-space": lambda pem: b"\xc2\xa0" + pem,
    "double-spaced": lambda pem: pem.replace(b"\n", b"\n\n"),
    "blank-after-begin": at_line(0, lambda line: line + b"\n"),
    "blank-inside": at_line(2, lambda line: line + b"\n"),
    "blank-before-end": lambda pem: pem.replace(b"-----END", b"\n-----END"),
    "spaces-inside": at_line(2, lambda line: line[:20] + b" " + line[20:]),
    "spaces-at-ends": lambda pem: pem.replace(b"\n", b"   \n"),
    "tabs-at-ends": lambda pem: pem.replace(b"\n", b"\t\n"),
    "form-feed": lambda pem: b"\f" + pem,
    "vertical-tab-inside": at_line(3, lambda line: line[:9] + b"\v" + line[9:]),
    "text-before": lambda pem: b"Subject: somebody\nIssuer: me\n\n" + pem,
    "text-after": lambda pem: pem + b"that was it\n",
    "bag-attributes": lambda pem: b"Bag Attributes\n    friendlyName: x\nsubject=CN = x\n" + pem,
    "header-line": at_line(0, lambda line: line + b"\nComment: hello\n"),
    "encrypted": at_line(0, lambda line: line + b"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC," + b"0" * 32
                         + b"\n"),
    "html": lambda pem: b"<html><pre>\n" + pem + b"</pre></html>\n",
    "quoted": lambda pem: re.sub(rb"(?m)^(?=.)", b"> ", pem),
    "ca-variable": lambda pem: b'CA="' + pem.rstrip() + b'"\n',
    "long-253": comment(253), "long-254": comment(254), "long-255": comment(255), "long-1000": comment(1000),
    "long-then-begin": lambda pem: b"#" * 254 + pem,
    "long-then-old-begin": comment(254, b"-----BEGIN CERTIFICATE-----"),
    "very-long": comment(200000),
    "nul-first": lambda pem: b"\0" + pem,
    "nul-line": lambda pem: b"\0\n" + pem,
    "nul-in-comment": lambda pem: b"text\0text\n" + pem,
    "nul-inside": at_line(2, lambda line: line[:8] + b"\0" + line[8:]),
    "nul-in-begin": at_line(0, lambda line: line + b"\0"),
    "nul-last": lambda pem: pem + b"\0",
    "nul-line-last": lambda pem: pem + b"\0\n",
    "nul-padding": lambda pem: pem + b"\0" * 4096,
    "no-line-end": lambda pem: pem.rstrip(),
    "ctrl-z": lambda pem: pem + b"\x1a",
    "junk-in-base64": lambda pem: pem.replace(b"-----END", b"!!!!\n-----END"),
    "junk-after-begin": at_line(0, lambda line: line + b" # mine"),
    "junk-after-end": lambda pem: pem.rstrip() + b" # mine\n",
    "begin-in-comment": lambda pem: b"see -----BEGIN CERTIFICATE-----\n" + pem,
    "begin-twice": at_line(0, lambda line: line + b"\n" + line),
    "begin-inside": at_line(2, lambda line: line + b"\n-----BEGIN CERTIFICATE-----"),
    "end-twice": lambda pem: pem + b"-----END CERTIFICATE-----\n",
    "lower-case": lambda pem: pem.replace(b"BEGIN", b"begin").replace(b"END", b"end"),
    "four-dashes": lambda pem: pem.replace(b"-----", b"----"),
    "six-dashes": lambda pem: pem.replace(b"-----", b"------"),
    "long-dashes": lambda pem: pem.replace(b"-----", "—————".encode()),
    "no-begin": lambda pem: pem.split(b"\n", 1)[1],
    "no-end": lambda pem: pem[:pem.index(b"-----END")],
    "only-base64": lambda pem: pem.split(b"\n", 1)[1].split(b"-----")[0],
    "other-end": lambda pem: pem.replace(b"END CERTIFICATE", b"END X509 CERTIFICATE"),
    "cut-10": lambda pem: pem[:len(pem) // 10], "cut-50": lambda pem: pem[:len(pem) // 2],
    "cut-90": lambda pem: pem[:len(pem) * 9 // 10], "cut-in-end": lambda pem: pem[:-10],
    "base64-character": at_line(3, lambda line: line[:5] + b"*" + line[6:]),
    "base64-short": at_line(3, lambda line: line[1:]),
    "base64-long": at_line(3, lambda line: b"A" + line),
    "base64-padding-inside": at_line(3, lambda line: line[:-1] + b"="),
    "base64-more-padding": lambda pem: pem.replace(b"\n-----END", b"====\n-----END"),
    "label-x509": relabelled(b"X509 CERTIFICATE"), "label-trusted": relabelled(b"TRUSTED CERTIFICATE"),
    "label-pkcs7": relabelled(b"PKCS7"), "label-cms": relabelled(b"CMS"),
    "label-request": relabelled(b"CERTIFICATE REQUEST"), "label-crl": relabelled(b"X509 CRL"),
    "label-key": relabelled(b"PRIVATE KEY"), "label-rsa-key": relabelled(b"RSA PRIVATE KEY"),
    "label-attribute": relabelled(b"ATTRIBUTE CERTIFICATE"), "label-none": relabelled(b""),
    "label-spaces": relabelled(b" CERTIFICATE "), "label-long": relabelled(b"X" * 300),
    "twice": lambda pem: pem + pem, "glued": lambda pem: pem.rstrip() + pem,
    "glued-by-space": lambda pem: pem.rstrip() + b" " + pem,
    "key-after": keyed(b"PRIVATE KEY"), "key-before": keyed(b"PRIVATE KEY", after=False),
    "broken-rsa-key": keyed(b"RSA PRIVATE KEY"), "broken-ec-key": keyed(b"EC PRIVATE KEY"),
    "own-key": lambda pem: pem + (pki / "base.key").read_bytes(),
    "own-ec-key": lambda pem: pem + openssl("ec", "-in", str(pki / "base.key")),
    "encrypted-key": lambda pem: pem + openssl("ec", "-in", str(pki / "base.key"), "-aes128", "-passout", "pass:x"),
    "parameters": lambda pem: openssl("ecparam", "-name", "prime256v1") + pem,
    "crl-after": lambda pem: pem + crl, "crl-before": lambda pem: crl + pem,
    "broken-crl": keyed(b"X509 CRL"), "broken-other": keyed(b"SOMETHING ELSE"),
    "broken-other-base64": lambda pem: pem + b"-----BEGIN OTHER-----\n?\n-----END OTHER-----\n",
    "open-other": lambda pem: pem + b"-----BEGIN OTHER-----\n",
    "broken-before": lambda pem: block(b"\x30\x03\x02\x01\x00") + pem,
    "empty-block": lambda pem: pem + b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "der": lambda pem: base64.b64decode(body(pem)),
    "der-after": lambda pem: pem + base64.b64decode(body(pem)),
    "pkcs7": lambda pem: openssl("crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", data=pem),
    "bytes-after": lambda pem: block(base64.b64decode(body(pem)) + b"more"),
    "aux-after": lambda pem: block(base64.b64decode(body(pem)) + b"\x30\x00"),
    "ber-length": lambda pem: block(b"\x30\x84" + len(content(base64.b64decode(body(pem)))).to_bytes(4, "big")
                                    + content(base64.b64decode(body(pem)))),
    "ber-indefinite": lambda pem: block(b"\x30\x80" + content(base64.b64decode(body(pem))) + b"\0\0"),
}
AUX = {
    "server": ("-addtrust", "serverAuth"), "email": ("-addtrust", "emailProtection"),
    "both": ("-addtrust", "serverAuth", "-addtrust", "emailProtection"),
    "any": ("-addtrust", "anyExtendedKeyUsage"), "odd": ("-addtrust", "1.2.3.4"),
    "no-server": ("-addreject", "serverAuth"), "no-email": ("-addreject", "emailProtection"),
    "no-any": ("-addreject", "anyExtendedKeyUsage"), "no-odd": ("-addreject", "1.2.3.4"),
    "yes-and-no": ("-addtrust", "serverAuth", "-addreject", "serverAuth"), "alias": ("-setalias", "name"),
}


def cases():
    """Name, kinds of roots in it, bytes."""
    base = roots["base"]
    for name, change in TEXTS.items():
        yield f"text {name}", ["base"], change(base)
    for kind in roots:
        yield f"root {kind}", [kind], roots[kind]
    for name, text in {"empty": b"", "blank": b"\n \n", "comment": b"# nothing\n", "nul": b"\0", "zeros": b"\0" * 5000,
                       "only-begin": b"-----BEGIN CERTIFICATE-----\n", "only-crl": crl,
                       "html": b"<html>404 not found</html>\n", "bytes": bytes(range(256)) * 8}.items():
        yield f"file {name}", ["base"], text
    for name, options in AUX.items():
        for kind in ("base", "cross", "intermediate", "leaf"):
            yield f"aux {name} {kind}", [kind], trusted(kind, *options)
        yield f"aux {name} as certificate", ["base"], block(ssl_bytes(trusted("base", *options)))
        yield f"aux {name} then plain", ["base"], trusted("base", *options) + base
        yield f"aux {name} after plain", ["base"], base + trusted("base", *options)
        yield f"aux {name} indented", ["base"], TEXTS["indented"](trusted("base", *options))
        yield f"aux {name} and key", ["base"], TEXTS["key-after"](trusted("base", *options))
        yield f"aux {name} cut", ["base"], block(ssl_bytes(trusted("base", *options))[:-1], b"TRUSTED CERTIFICATE")
        yield f"aux {name} and broken", ["base"], TEXTS["open-other"](trusted("base", *options))
    for change in ("one-line", "double-spaced", "bom", "cr", "broken-crl", "nul-line-last"):
        for kind in ("edwards", "pss", "weak-rsa", "expired", "email-only", "constrained", "cross", "leaf"):
            if kind in roots:
                yield f"rsa, {change} {kind}", ["rsa", kind], roots["rsa"] + TEXTS[change](roots[kind])
    for kind in (*TWINS, "cross"):
        yield f"{kind} before", [kind, "base"], roots[kind] + base
        yield f"{kind} behind", [kind, "base"], base + roots[kind]
        yield f"{kind} rejected before", [kind, "base"], trusted(kind, *AUX["no-server"]) + base
        yield f"{kind} trusted behind", [kind, "base"], base + trusted(kind, *AUX["server"])
    # As large as input may be, and larger.
    for size in (60_000, 1_000_000, 1_100_000):
        tbs = big_certificate(size)
        yield f"a certificate of {size} bytes", ["base"], block(tbs) + base
    chance = random.Random(20261129)
    kinds = sorted(kind for kind in roots if kind not in ("ours", "good", "second"))
    for number in range(40):  # bytes of a certificate changed
        data = bytearray(der(chance.choice(("base", "rsa", "constrained"))))
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x1e, 0x30, 0x80, 0xff, chance.randrange(256)))
        yield f"changed {number}", ["base", "rsa", "constrained"], block(bytes(data)) + roots["p384"]
    for number in range(50):  # several, each in its way, and text damaged
        some = [chance.choice(kinds) for _ in range(chance.randint(1, 4))]
        text = bytearray(b"".join(TEXTS[chance.choice(list(TEXTS))](roots[kind])
                                  if chance.random() < 0.4 else roots[kind] for kind in some))
        for _ in range(chance.choice((0, 0, 1, 2)) if text else 0):
            text[chance.randrange(len(text))] = chance.choice(b"\n\r\0 -=A")
        yield f"mixed {number}", sorted({*some, "p384"}), bytes(text)


def ssl_bytes(pem):
    return base64.b64decode(body(pem))


def big_certificate(size):
    """A certificate that no signature fits, with an extension of that size."""
    plain = der("base")
    inside = content(plain)
    tbs_len = len(inside) - len(content(inside)) + (int.from_bytes(inside[2:2 + (inside[1] & 0x7f)], "big")
                                                    if inside[1] >= 0x80 else inside[1])
    tbs, rest = inside[:tbs_len], inside[tbs_len:]
    at = content(tbs).rindex(b"\xa3")
    value = b"\x04" + length(size) + b"\0" * size
    one = b"\x06\x03\x2a\x03\x04" + value
    listed = b"\x30" + length(len(one)) + one
    listed = b"\x30" + length(len(listed)) + listed
    made = content(tbs)[:at] + b"\xa3" + length(len(listed)) + listed
    made = b"\x30" + length(len(made)) + made + rest
    return b"\x30" + length(len(made)) + made


# ---- the judges ----

def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def by_openssl(files, *where):
    done = run("openssl", "verify", "-auth_level", "2", "-purpose", "sslserver", "-no-CAstore", *where, "-untrusted",
               str(untrusted), *files)
    said = set(re.findall(r"(?m)^(.*): OK$", done.stdout.decode(errors="replace")))
    return {file: file in said for file in files}


def by_us(root, files):
    done = run(*xr, "--json", "--state", f"{root}.state", "--root", str(root), "--store", "ca-certificates:/",
               "verify", "--untrusted", str(untrusted), *files)
    if done.returncode not in (0, 6):
        return done.stderr.decode(errors="replace")[-2000:] + done.stdout.decode(errors="replace")[-2000:]
    return {store["file"]: store["ok"] for store in json.loads(done.stdout)["stores"]}


def loads(bundle):
    try:
        ssl.create_default_context(cafile=str(bundle))
        return True
    except (ssl.SSLError, OSError):
        return False


def make_root(path):
    for part in ("etc/ssl/certs", "usr/share/ca-certificates/mozilla", "usr/local/share/ca-certificates"):
        (path / part).mkdir(parents=True)
    (path / "etc/ca-certificates.conf").write_text("")
    return path / "etc/ssl/certs/ca-certificates.crt"


def as_inside(root, directory):
    """What is at the end of its hash links, for a program that does not live in that root."""
    made = root / "hashed"
    made.mkdir()
    for link in directory.iterdir():
        if re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", link.name):
            target = directory / os.readlink(link)
            while target.is_symlink():
                target = root / os.readlink(target).lstrip("/")
            if target.exists():
                shutil.copy(target, made / link.name)
    return made


def differ(ours, theirs):
    if not isinstance(ours, dict):
        return [f"verify: {ours}"]
    return [f"{pathlib.Path(file).stem}: we say {ours.get(file)}, openssl {theirs[file]}" for file in theirs
            if ours.get(file) is not theirs[file]]


def check(number, case):
    name, kinds, data = case
    faults = []
    asked = sorted({str(pki / f"{one}.pem") for kind in (*kinds, "good", "second", "ours") for one in leaves[kind]})
    # As the bundle itself.
    root = scratch / f"{number}.raw"
    bundle = make_root(root)
    bundle.write_bytes(data)
    raw = by_openssl(asked, "-no-CApath", "-CAfile", str(bundle))
    faults += [f"as bundle: {fault}" for fault in differ(by_us(root, asked), raw)]
    shutil.rmtree(root)
    # As a source, with a neighbour before it and one after it.
    root = scratch / f"{number}.source"
    bundle = make_root(root)
    local = root / "usr/local/share/ca-certificates"
    (root / "usr/share/ca-certificates/mozilla/good.crt").write_bytes(roots["good"])
    (root / "etc/ca-certificates.conf").write_text("mozilla/good.crt\n")
    (local / "odd.crt").write_bytes(data)
    (local / "zz.crt").write_bytes(roots["second"])
    done = run(*xr, "--state", f"{root}.state", "--root", str(root), "--store", "ca-certificates:/", "install", "--yes",
               str(pki / "ours.pem"))
    if done.returncode != 0:
        faults.append(f"install exits {done.returncode}: {(done.stdout + done.stderr).decode(errors='replace')[-2000:]}")
    else:
        said = by_openssl(asked, "-no-CApath", "-CAfile", str(bundle))
        faults += [f"as source: {fault}" for fault in differ(by_us(root, asked), said)]
        if not loads(bundle):
            faults.append("as source: Python cannot load the bundle")
        neighbours = [str(pki / f"leaf-{kind}.pem") for kind in ("good", "second", "ours")]
        faults += [f"as source: {pathlib.Path(file).stem} is lost" for file in neighbours if not said[file]]
        hashed = by_openssl(neighbours, "-no-CAfile", "-CApath", str(as_inside(root, bundle.parent)))
        faults += [f"as source: {pathlib.Path(file).stem} is lost in the directory" for file in neighbours
                   if not hashed[file]]
        raw = said
    shutil.rmtree(root)
    shutil.rmtree(f"{root}.state", ignore_errors=True)
    return name, faults, sum(raw.values())


everything = [case for case in cases() if not wanted or case[0] in wanted]
if os.environ.get("XR_SLOW") == "1" and not wanted:  # sanitizers
    everything = [case for number, case in enumerate(everything) if number % 3]
failed = trusted_leaves = 0
with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
    for name, faults, trusting in pool.map(check, range(len(everything)), everything):
        failed += bool(faults)
        trusted_leaves += trusting
        for fault in faults:
            print(f"FAIL  {name}: {fault}")
print(f"{len(everything)} odd files, {failed} of them wrong; {trusted_leaves} times yes")
sys.exit(failed > 0 or (not wanted and len(everything) < 300))
