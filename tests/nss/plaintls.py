# SPDX-License-Identifier: Apache-2.0
"""A server of TLS 1.2 that looks at no certificate: for chains that OpenSSL's agrees not to send.

One suite, ECDHE with X25519 and AES-128-GCM (RFC 5246, 5288, 7627, 8422), and one page. Whatever the
browser does otherwise than hoped ends the connection.
"""
import ctypes
import hashlib
import hmac
import os

from minting import Key, lib, must, pointer

CCS, HANDSHAKE, DATA = 20, 22, 23
SIGNATURES = {"p256": (b"\x04\x03", "sha256"), "p384": (b"\x05\x03", "sha384"),
              "rsa": (b"\x08\x04", "pss-sha256")}

for function in ("EVP_PKEY_new_raw_public_key_ex", "EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
    getattr(lib, function).restype = ctypes.c_void_p


def counted(size, data):
    return len(data).to_bytes(size, "big") + data


def expand(secret, label, seed, size):
    """The PRF of TLS 1.2 with SHA-256 (RFC 5246, 5)."""
    seed, out, state = label + seed, b"", label + seed
    while len(out) < size:
        state = hmac.digest(secret, state, "sha256")
        out += hmac.digest(secret, state + seed, "sha256")
    return out[:size]


def agree(own, theirs):
    peer = pointer(must(lib.EVP_PKEY_new_raw_public_key_ex(
        None, b"X25519", None, theirs, ctypes.c_size_t(len(theirs)))))
    context = pointer(must(lib.EVP_PKEY_CTX_new(own.pkey, None)))
    must(lib.EVP_PKEY_derive_init(context))
    must(lib.EVP_PKEY_derive_set_peer(context, peer))
    out, size = ctypes.create_string_buffer(32), ctypes.c_size_t(32)
    must(lib.EVP_PKEY_derive(context, out, ctypes.byref(size)))
    lib.EVP_PKEY_CTX_free(context)
    lib.EVP_PKEY_free(peer)
    return out.raw


class Direction:
    """One of the two: key, fixed part of the nonce, number of records."""

    def __init__(self, key, salt):
        self.key, self.salt, self.count = key, salt, 0

    def crypt(self, sealing, explicit, kind, data, tag=None):
        context = pointer(must(lib.EVP_CIPHER_CTX_new()))
        must(lib.EVP_CipherInit_ex(context, pointer(lib.EVP_aes_128_gcm()), None, self.key,
                                   self.salt + explicit, ctypes.c_int(sealing)))
        extra = self.count.to_bytes(8, "big") + bytes([kind]) + b"\3\3" + counted(2, data)[:2]
        out, size = ctypes.create_string_buffer(len(data) + 16), ctypes.c_int()
        must(lib.EVP_CipherUpdate(context, None, ctypes.byref(size), extra, len(extra)))
        must(lib.EVP_CipherUpdate(context, out, ctypes.byref(size), data, len(data)))
        if not sealing:
            lib.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, tag)
        must(lib.EVP_CipherFinal_ex(context, None, ctypes.byref(ctypes.c_int())))
        mac = ctypes.create_string_buffer(16)
        if sealing:
            must(lib.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, mac))
        lib.EVP_CIPHER_CTX_free(context)
        self.count += 1
        return out.raw[:len(data)] + (mac.raw if sealing else b"")

    def seal(self, kind, data):
        explicit = self.count.to_bytes(8, "big")
        return explicit + self.crypt(1, explicit, kind, data)

    def open(self, kind, sealed):
        return self.crypt(0, sealed[:8], kind, sealed[8:-16], sealed[-16:])


class Connection:
    def __init__(self, link):
        self.link = link
        self.rest = b""
        self.transcript = b""
        self.to = self.back = None

    def exactly(self, size):
        while len(self.rest) < size:
            data = self.link.recv(65536)
            if not data:
                raise OSError("closed")
            self.rest += data
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def record(self, wanted):
        head = self.exactly(5)
        body = self.exactly(int.from_bytes(head[3:], "big"))
        if head[0] != wanted:
            raise OSError(f"record {head[0]}")  # an alert, mostly
        return self.back.open(wanted, body) if self.back and wanted != CCS else body

    def message(self):
        body = self.record(HANDSHAKE)
        while len(body) < 4 + int.from_bytes(body[1:4], "big"):
            body += self.record(HANDSHAKE)
        self.transcript += body
        return body[4:]

    def send(self, kind, body):
        for at in range(0, len(body), 16000):
            part = body[at:at + 16000]
            part = self.to.seal(kind, part) if self.to and kind != CCS else part
            self.link.sendall(bytes([kind]) + b"\3\3" + counted(2, part))

    def say(self, kind, body):
        message = bytes([kind]) + counted(3, body)
        self.transcript += message
        self.send(HANDSHAKE, message)


def page(link, key, ders, answer):
    """Sends the chain with a proof of the key, and the page to who goes on."""
    tls = Connection(link)
    theirs = tls.message()[2:34]
    ours = os.urandom(32)
    # extended master secret, renegotiation info; ECDHE-ECDSA or -RSA with AES128-GCM-SHA256
    rsa = key.kind.startswith("rsa")
    extensions = counted(2, b"\0\x17\0\0" b"\xff\x01\0\x01\0")
    tls.say(2, b"\3\3" + ours + b"\0" + (b"\xc0\x2f" if rsa else b"\xc0\x2b") + b"\0" + extensions)
    tls.say(11, counted(3, b"".join(counted(3, der) for der in ders)))
    share = Key("x25519")
    params = b"\3\0\x1d" + counted(1, share.spki[-32:])
    scheme, how = SIGNATURES["rsa" if rsa else key.kind]
    proof = key.sign(theirs + ours + params, how.removeprefix("pss-"), how.startswith("pss-"))
    tls.say(12, params + scheme + counted(2, proof))
    tls.say(14, b"")
    secret = agree(share, tls.message()[1:])
    session = hashlib.sha256(tls.transcript).digest()
    master = expand(secret, b"extended master secret", session, 48)
    keys = expand(master, b"key expansion", ours + theirs, 40)
    tls.record(CCS)
    tls.back = Direction(keys[:16], keys[32:36])
    tls.message()
    tls.send(CCS, b"\1")
    tls.to = Direction(keys[16:32], keys[36:40])
    done = hashlib.sha256(tls.transcript).digest()
    tls.say(20, expand(master, b"server finished", done, 12))
    tls.record(DATA)
    tls.send(DATA, answer)
