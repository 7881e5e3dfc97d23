# SPDX-License-Identifier: Apache-2.0
"""Certificates for trust_orders.py: roots, a cross certificate, twins, and a leaf for each purpose below
each key, so that a reader's yes tells which anchor it trusts for what."""
import hashlib
import os
import ssl
import subprocess

PURPOSES = frozenset(('server', 'client', 'email', 'code'))
USAGES = {'server': 'serverAuth', 'client': 'clientAuth', 'email': 'emailProtection', 'code': 'codeSigning'}
# certificate: (its key, CN, O, issuer, EKU); twins have one key and one name, labels one CN alone
CERTS = {
    'old': ('old', 'Old', 'A', None, ''),
    'new': ('new', 'New', 'A', None, ''),
    'twin': ('new', 'New', 'A', None, ''),
    'cross': ('new', 'New', 'A', 'old', ''),
    'sub': ('sub', 'Sub', 'A', 'new', ''),
    'plain': ('plain', 'Plain', 'A', None, ''),
    'aux': ('aux', 'Aux', 'A', None, ''),
    'email': ('email', 'Email', 'A', None, 'emailProtection'),
    'lab1': ('lab1', 'Same: Label', 'One', None, ''),
    'lab2': ('lab2', 'Same: Label', 'Two', None, ''),
}
KEY_OF = {cert: parts[0] for cert, parts in CERTS.items()}
ROOTS = {cert for cert, parts in CERTS.items() if parts[3] is None}
EKU = {'email': frozenset(('email',))}
# key: who certified it, by which certificate
PARENTS = {'sub': [('new', 'sub')], 'new': [('old', 'cross')]}
CONFIG = """[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
[dn]
CN = unused
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:false
keyUsage = critical, digitalSignature, keyEncipherment
subjectAltName = DNS:localhost, email:a@example.org
[crl]
database = {0}/index
crlnumber = {0}/number
default_md = sha256
default_crl_days = 30
certificate = {0}/old.pem
private_key = {0}/old.key
"""


def run(*argv, **more):
    return subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, **more)


class World:
    def __init__(self, where, gnutls, trust):
        self.dir, self.gnutls, self.trust = where, gnutls, trust
        keys = set(KEY_OF.values())
        self.leaves = {f'{key}-{purpose}': (key, purpose) for key in sorted(keys) for purpose in sorted(PURPOSES)}
        self.installable = sorted(CERTS)
        if not os.path.exists(where + '/done'):
            self.make(keys)
        self.sha = {}
        self.der = {}
        for cert in list(CERTS) + list(self.leaves):
            with open(self.plain_pem(cert), encoding='ascii') as file:
                self.der[cert] = ssl.PEM_cert_to_DER_cert(file.read())
            self.sha[cert] = hashlib.sha256(self.der[cert]).hexdigest()

    def plain_pem(self, cert):
        return f'{self.dir}/{cert}.pem'

    def pem(self, cert):
        """What people hand to install: of one a TRUSTED CERTIFICATE, for servers and mail alone."""
        return f'{self.dir}/{cert}{"-trusted" if cert == "aux" else ""}.pem'

    def make(self, keys):
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        config = self.dir + '/config'
        with open(config, 'w', encoding='ascii') as file:
            file.write(CONFIG.format(self.dir))
        for key in sorted(keys | {'leaf'}):
            run('openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', f'{self.dir}/{key}.key')
        for cert, (key, common, org, issuer, eku) in CERTS.items():
            self.issue(cert, key, f'/O={org}/CN={common}', issuer, 'ca', eku)
        for leaf, (key, purpose) in self.leaves.items():
            issuer = next(c for c in CERTS if KEY_OF[c] == key)
            self.issue(leaf, 'leaf', f'/O=Leaf/CN={leaf}', issuer, 'leaf', USAGES[purpose])
        run('openssl', 'x509', '-in', f'{self.dir}/aux.pem', '-addtrust', 'serverAuth', '-addtrust', 'emailProtection',
            '-trustout', '-out', f'{self.dir}/aux-trusted.pem')
        for name, text in (('index', ''), ('number', '01\n')):
            with open(f'{self.dir}/{name}', 'w', encoding='ascii') as file:
                file.write(text)
        for action in (('-revoke', f'{self.dir}/cross.pem'), ('-gencrl', '-out', f'{self.dir}/old.crl.pem')):
            run('openssl', 'ca', '-config', config, '-name', 'crl', *action)
        open(self.dir + '/done', 'w', encoding='ascii').close()

    def issue(self, cert, key, subject, issuer, section, eku):
        signed = []
        if issuer is not None:
            signed = ['-CA', f'{self.dir}/{issuer}.pem', '-CAkey', f'{self.dir}/{KEY_OF[issuer]}.key']
        more = ['-addext', f'extendedKeyUsage={eku}'] if eku else []
        run('openssl', 'req', '-x509', '-new', '-config', f'{self.dir}/config', '-extensions', section, '-days', '800',
            '-key', f'{self.dir}/{key}.key', '-subj', subject, *signed, *more, '-out', f'{self.dir}/{cert}.pem')
