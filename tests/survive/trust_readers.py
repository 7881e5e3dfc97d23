# SPDX-License-Identifier: Apache-2.0
"""The real readers that trust_orders.py asks. Each answers with the leaves that it says yes to."""
import ctypes
import glob
import os
import shutil
import subprocess
import tempfile

from trust_world import CERTS, PURPOSES, USAGES

OPENSSL_PURPOSE = {'server': 'sslserver', 'client': 'sslclient', 'email': 'smimesign', 'code': 'any', 'any': 'any'}
EXTRACT_PURPOSE = {'server': 'server-auth', 'client': 'client-auth', 'email': 'email', 'code': 'code-signing'}
NSS_USAGE = {'client': 0x1, 'server': 0x2, 'email': 0x10, 'code': 0x40}


def of_purpose(world, purpose):
    return [leaf for leaf, (_, of) in world.leaves.items() if purpose in ('any', of)]


def openssl_yes(world, options, untrusted, purpose):
    argv = ['openssl', 'verify', '-purpose', OPENSSL_PURPOSE[purpose], '-no-CAstore']
    argv += ['-no-CApath'] if '-CApath' not in options else []
    argv += ['-no-CAfile'] if '-CAfile' not in options else []
    argv += options
    for file in untrusted:
        if os.path.exists(file) and os.path.getsize(file):
            argv += ['-untrusted', file]
    names = of_purpose(world, purpose)
    said = subprocess.run(argv + [world.plain_pem(n) for n in names], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    good = {line[:-4] for line in said.stdout.splitlines() if line.endswith(': OK')}
    return [n for n in names if world.plain_pem(n) in good]


def contains(world, path):
    """Certificates whose bytes are in a keystore of anchors."""
    with open(path, 'rb') as file:
        data = file.read()
    return [cert for cert in CERTS if world.der[cert] in data]


class Datum(ctypes.Structure):
    _fields_ = [('data', ctypes.c_char_p), ('size', ctypes.c_uint)]


class Vdata(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('data', ctypes.c_char_p), ('size', ctypes.c_uint)]


OID = {'server': b'1.3.6.1.5.5.7.3.1', 'client': b'1.3.6.1.5.5.7.3.2', 'code': b'1.3.6.1.5.5.7.3.3',
       'email': b'1.3.6.1.5.5.7.3.4'}


class Gnutls:
    def __init__(self):
        try:
            self.lib = ctypes.CDLL('libgnutls.so.30')
        except OSError:
            self.lib = None
        self.certs = {}

    def cert(self, world, name):
        if name not in self.certs:
            handle = ctypes.c_void_p()
            self.lib.gnutls_x509_crt_init(ctypes.byref(handle))
            der = Datum(world.der[name], len(world.der[name]))
            if self.lib.gnutls_x509_crt_import(handle, ctypes.byref(der), 0) != 0:
                raise RuntimeError(name)
            self.certs[name] = handle
        return self.certs[name]

    def yes(self, world, bundle, sent, purpose='any'):
        if self.lib is None:
            return []
        trusted = ctypes.c_void_p()
        self.lib.gnutls_x509_trust_list_init(ctypes.byref(trusted), 0)
        if self.lib.gnutls_x509_trust_list_add_trust_file(trusted, bundle.encode(), None, 1, 0, 0) < 0:
            self.lib.gnutls_x509_trust_list_deinit(trusted, 1)
            return []
        good = []
        for leaf in of_purpose(world, purpose):
            key, wants = world.leaves[leaf]
            chain = [leaf] + (['sub'] if key == 'sub' else []) + (['cross'] if sent and key in ('sub', 'new') else [])
            array = (ctypes.c_void_p * len(chain))(*[self.cert(world, c).value for c in chain])
            data = Vdata(2, OID[wants], 0)
            status = ctypes.c_uint(0)
            code = self.lib.gnutls_x509_trust_list_verify_crt2(trusted, array, len(chain), ctypes.byref(data), 1, 0,
                                                               ctypes.byref(status), None)
            if code == 0 and status.value == 0:
                good.append(leaf)
        # Anchors came from the file; the chains' certificates are ours and stay.
        self.lib.gnutls_x509_trust_list_deinit(trusted, 1)
        return good


class Trust:
    """p11-kit's own trust extract, over directories and in a configuration of the test's own."""

    def __init__(self, where):
        modules = glob.glob('/usr/lib*/pkcs11/p11-kit-trust.so') + glob.glob('/usr/lib/*/pkcs11/p11-kit-trust.so')
        self.module = modules[0] if modules and shutil.which('trust') else None
        self.home = f'{where}/trust-home-{os.getpid()}'
        os.makedirs(self.home + '/.config/pkcs11/modules')
        os.makedirs(self.home + '/out')
        os.chmod(self.home + '/out', 0o777)
        with open(self.home + '/.config/pkcs11/pkcs11.conf', 'w', encoding='ascii') as file:
            file.write('user-config: only\n')
        # Root's home counts for nothing with p11-kit.
        self.nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] if os.geteuid() == 0 else []

    def yes(self, world, paths, purpose, sent, _):
        if self.module is None:
            return []
        with open(self.home + '/.config/pkcs11/modules/x.module', 'w', encoding='ascii') as file:
            file.write(f"module: {self.module}\ntrust-policy: yes\nx-init-reserved: paths='{paths}'\n")
        out = self.home + '/out/bundle'
        if os.path.exists(out):
            os.unlink(out)
        subprocess.run([*self.nobody, 'env', '-i', 'PATH=' + os.environ['PATH'], 'HOME=' + self.home, 'trust', 'extract',
                        '--format=pem-bundle', '--filter=ca-anchors', '--purpose=' + EXTRACT_PURPOSE[purpose], out],
                       capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if not os.path.exists(out) or not os.path.getsize(out):
            return []
        return openssl_yes(world, ['-CAfile', out, '-partial_chain'],
                           [world.pem('sub')] + ([world.pem('cross')] if sent else []), purpose)


class Item(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('data', ctypes.c_char_p), ('len', ctypes.c_uint)]


def nss_child(world, database, write):
    lib = ctypes.CDLL('libnss3.so')
    lib.CERT_GetDefaultCertDB.restype = ctypes.c_void_p
    lib.CERT_NewTempCertificate.restype = ctypes.c_void_p
    lib.CERT_NewTempCertificate.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    lib.CERT_VerifyCertificateNow.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong,
                                              ctypes.c_void_p, ctypes.c_void_p]
    if lib.NSS_InitReadWrite(('sql:' + database).encode()) != 0:
        os.write(write, b'unreadable\n')
        return
    handle = lib.CERT_GetDefaultCertDB()

    def temporary(name):
        der = Item(0, world.der[name], len(world.der[name]))
        return lib.CERT_NewTempCertificate(handle, ctypes.byref(der), None, 0, 1)

    held = [temporary('sub')]
    for sent in (0, 1):
        if sent:
            held.append(temporary('cross'))
        for leaf, (_, purpose) in world.leaves.items():
            cert = temporary(leaf)
            if lib.CERT_VerifyCertificateNow(handle, cert, 1, NSS_USAGE[purpose], None, None) == 0:
                os.write(write, f'{sent} {leaf}\n'.encode())


def nss_yes(world, database):
    """Of a copy: so that an interrupted write is rolled back, and not in the store itself."""
    said = {False: [], True: []}
    if not os.path.exists(database + '/cert9.db'):
        return said
    copy = tempfile.mkdtemp(dir=os.path.dirname(database))
    for name in os.listdir(database):
        if os.path.isfile(f'{database}/{name}'):
            shutil.copy(f'{database}/{name}', f'{copy}/{name}')
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            nss_child(world, copy, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding='ascii') as pipe:
        for line in pipe:
            if line == 'unreadable\n':
                raise RuntimeError(database + ' cannot be opened by libnss3')
            sent, leaf = line.split()
            said[sent == '1'].append(leaf)
    os.waitpid(child, 0)
    shutil.rmtree(copy)
    return said
