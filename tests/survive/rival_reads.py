#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rival_reads.py STOP KIND PATH [BASE]…: reads one published output as fast as it can until the file STOP
is there, as its programs read it, and prints "READS n TORN n FIRST what". Whatever else comes and goes,
the certificate BASE (a PEM file) must be in each reading.

KIND is pem, hashed, jks, edk2, p11 or nss."""
import base64
import hashlib
import os
import re
import ssl
import struct
import subprocess
import sys
import time

BEGIN, END = b'-----BEGIN CERTIFICATE-----\n', b'-----END CERTIFICATE-----\n'
BLOCK = re.compile(BEGIN + b'([A-Za-z0-9+/=\n]+)' + END)
ACCEPTED = {}


def whole(data):
    with open(data, 'rb') as file:
        return file.read()


def certificate(der):
    """Is it one DER value to the last byte?"""
    if der in ACCEPTED:
        return True
    good = len(der) > 4 and der[0:2] == b'\x30\x82' and len(der) == 4 + struct.unpack('>H', der[2:4])[0]
    if good and len(ACCEPTED) < 5000:
        ACCEPTED[der] = True
    return good


def pem(path, base):
    data = whole(path)
    blocks = BLOCK.findall(data)
    if data.count(b'-----BEGIN') != len(blocks) or data.count(b'-----END') != len(blocks):
        return 'an unfinished block'
    ders = [base64.b64decode(block) for block in blocks]
    if not all(certificate(der) for der in ders):
        return 'a damaged certificate'
    if len(set(ders)) != len(ders):
        return 'a certificate twice'
    return None if base in ders else 'the certificate that was always there is missing'


def leads_nowhere(directory, name):
    """Does this link lead to a name that was not there while the link was? Where it leads into an image,
    nobody here can tell."""
    first = name
    for hop in range(8):
        try:
            name = os.readlink(f'{directory}/{name}')
        except FileNotFoundError:
            return hop > 0 and os.path.islink(f'{directory}/{first}') and not os.path.lexists(f'{directory}/{name}')
        except OSError:
            return False # a file, by now
        if name.startswith('/'):
            return False
    return True


def hashed(path, _):
    """As OpenSSL looks: HASH.0, HASH.1, … until one is missing; and no link dangles."""
    for name in os.listdir(path):
        if re.fullmatch(r'[0-9a-f]{8}\.[0-9]+', name):
            link = f'{path}/{name}'
            try:
                data = whole(link)
            except FileNotFoundError:
                if leads_nowhere(path, name):
                    return f'{name} dangles'
                continue
            if END not in data:
                return f'{name} is half'
    first = os.environ.get('XR_BASE_LINK')
    return None if not first or os.path.lexists(f'{path}/{first}') else 'the link that was always there is missing'


def jks(path, base):
    data = whole(path)
    if data[:4] != b'\xfe\xed\xfe\xed':
        return 'no JKS'
    digest = hashlib.sha1('changeit'.encode('utf-16-be') + b'Mighty Aphrodite' + data[:-20]).digest()
    if digest != data[-20:]:
        return 'a wrong digest'
    return None if base in data else 'the certificate that was always there is missing'


def edk2(path, base):
    data, at = whole(path), 0
    while at < len(data):
        if at + 28 > len(data):
            return 'half a list'
        size = struct.unpack('<I', data[at + 16:at + 20])[0]
        if size < 28 or at + size > len(data):
            return 'half a list'
        at += size
    return None if base in data else 'the certificate that was always there is missing'


def p11(path, base):
    seen = False
    for name in os.listdir(path):
        if name.startswith('.') or not os.path.isfile(f'{path}/{name}'):
            continue
        try:
            data = whole(f'{path}/{name}')
        except FileNotFoundError:
            continue
        if data and data.count(b'-----BEGIN') != data.count(b'-----END'):
            return f'{name} is half'
        seen = seen or any(base64.b64decode(b) == base for b in BLOCK.findall(data))
    return None if seen else 'the certificate that was always there is missing'


def nss(path, base):
    """certutil, which opens read-only; a busy database is tried again, as its programs do."""
    for _ in range(20):
        said = subprocess.run(['certutil', '-L', '-d', 'sql:' + path, '-n', os.environ['XR_BASE_NAME'], '-r'],
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if said.returncode == 0:
            break
        time.sleep(0.05)
    return None if said.stdout == base else 'the certificate that was always there: ' + said.stderr.decode()[:80]


def main():
    stop, kind, path = sys.argv[1:4]
    base = b''
    if len(sys.argv) > 4:
        with open(sys.argv[4], encoding='ascii') as file:
            base = ssl.PEM_cert_to_DER_cert(file.read())
    reads = torn = 0
    first = ''
    read = globals()[kind]
    while not os.path.exists(stop):
        for _ in range(20):
            try:
                wrong = read(path, base)
            except (OSError, ValueError) as error:
                wrong = str(error)
            reads += 1
            if wrong is not None:
                torn += 1
                first = first or wrong
            if kind == 'nss':
                break
    print(f'READS {reads} TORN {torn} FIRST {first or "-"}')


main()
