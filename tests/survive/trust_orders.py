#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""trust_orders.py DIR SCENARIOS STEPS FIRST EVERY: seeded orders of what people ask of stores.

A model keeps what was asked and reported done: which certificate, for which purposes, in which store.
After each command the real readers say what they trust (OpenSSL, GnuTLS, libnss3, p11-kit's module):
none may trust what nobody asked for, and all trust what was reported done. Prints one line a
violation, with the scenario's number, and last "TRIED scenarios commands answers violations".
Scenarios FIRST, FIRST + EVERY, … are run: for several processes side by side.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys

from trust_readers import PURPOSES, Gnutls, Trust, contains, nss_yes, openssl_yes
from trust_world import EKU, KEY_OF, PARENTS, ROOTS, World, run

# Which stores a command works on: those of one state directory.
OPENSSL, NSS, P11, DEBIAN, FEDORA = 'openssl', 'nss', 'p11-kit', 'debian', 'fedora'
RESTRICTS = {NSS, P11}
NOWHERE = 'nowhere'


class Subject:
    """What one store was asked to make of one certificate."""

    def __init__(self, place=NOWHERE, purposes=()):
        self.place, self.purposes = place, frozenset(purposes)

    def __eq__(self, other):
        return (self.place, self.purposes) == (other.place, other.purposes)

    def __repr__(self):
        return f'{self.place}({",".join(sorted(self.purposes))})'


class Scenario:
    def __init__(self, world, number, where):
        self.world, self.number, self.dir = world, number, where
        self.random = random.Random(number)
        self.violations, self.answers, self.commands, self.done = [], 0, 0, 0
        self.log = []
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where + '/home')
        os.chmod(where, 0o755)
        self.readable = [where]
        self.model = {}
        self.groups = self.build()
        self.undoable = {}
        # Few certificates meet more often: all, those of one key and what is signed by it, those of one label.
        self.certs = [world.installable, ['new', 'twin', 'cross', 'sub', 'old'], ['new', 'twin', 'aux', 'email'],
                      ['lab1', 'lab2', 'old', 'cross']][number % 4]

    # --- stores

    def build(self):
        groups = []
        one = {OPENSSL: f'openssl:{self.dir}/trust'}
        os.makedirs(self.dir + '/p11')
        one[P11] = f'p11-kit:{self.dir}/p11'
        if shutil.which('certutil'):
            os.makedirs(self.dir + '/db')
            run('certutil', '-N', '-d', f'sql:{self.dir}/db', '--empty-password')
            one[NSS] = f'nss:{self.dir}/db'
        groups.append(('many', [], one))
        debian = self.dir + '/debian'
        for part in ('etc/ssl/certs', 'usr/local/share/ca-certificates', 'usr/share/ca-certificates'):
            os.makedirs(f'{debian}/{part}')
        open(debian + '/etc/ca-certificates.conf', 'w').close()
        groups.append((DEBIAN, ['--root', debian], {DEBIAN: 'ca-certificates:/'}))
        fedora = self.dir + '/fedora'
        for part in ('etc/pki/ca-trust/source/anchors', 'etc/pki/ca-trust/source/blocklist',
                     'usr/share/pki/ca-trust-source/anchors', 'etc/pki/ca-trust/extracted/pem',
                     'etc/pki/ca-trust/extracted/openssl', 'etc/pki/ca-trust/extracted/java',
                     'etc/pki/ca-trust/extracted/edk2'):
            os.makedirs(f'{fedora}/{part}')
        groups.append((FEDORA, ['--root', fedora], {FEDORA: 'ca-certificates:/'}))
        for _, _, stores in groups:
            for store in stores:
                self.model[store] = {}
        return groups

    def of(self, store, cert):
        return self.model[store].get(cert, Subject())

    # --- what readers say

    def read(self, store):
        """The set of (leaf, purpose, sent) that some reader of the store says yes to."""
        yes = set()
        w = self.world
        answers = []

        def ask(who, sent, said):
            for leaf in said:
                yes.add((leaf, w.leaves[leaf][1], sent))
                answers.append((who, leaf, sent))
            self.answers += len(w.leaves)

        if store == OPENSSL:
            anchors, bundle = self.dir + '/trust/anchors', self.dir + '/trust/anchors.pem'
            installed = self.dir + '/trust/intermediates.pem'
            if os.path.isdir(anchors):
                ask('openssl -CApath', False, openssl_yes(w, ['-CApath', anchors], [w.pem('sub'), installed], 'any'))
                ask('openssl -CApath', True, openssl_yes(w, ['-CApath', anchors], [w.pem('sub'), w.pem('cross')], 'any'))
            if os.path.exists(bundle):
                ask('openssl -CAfile -partial_chain', True, openssl_yes(
                    w, ['-CAfile', bundle, '-partial_chain'], [w.pem('sub'), w.pem('cross')], 'any'))
                ask('gnutls', True, w.gnutls.yes(w, bundle, True))
        elif store == DEBIAN:
            bundle, hashed = self.dir + '/debian/etc/ssl/certs/ca-certificates.crt', self.dir + '/debian/etc/ssl/certs'
            if os.path.exists(bundle) and os.path.getsize(bundle):
                ask('openssl -CAfile', False, openssl_yes(w, ['-CAfile', bundle], [w.pem('sub')], 'any'))
                ask('openssl -partial_chain', True, openssl_yes(
                    w, ['-CAfile', bundle, '-partial_chain'], [w.pem('sub'), w.pem('cross')], 'any'))
                ask('gnutls', False, w.gnutls.yes(w, bundle, False))
            self.resolve(hashed, self.dir + '/debian')
            ask('openssl -CApath', True, openssl_yes(w, ['-CApath', hashed + '.seen'], [w.pem('sub'), w.pem('cross')], 'any'))
        elif store == FEDORA:
            out = self.dir + '/fedora/etc/pki/ca-trust/extracted/'
            for name, purpose in (('tls', 'server'), ('email', 'email'), ('objsign', 'code')):
                bundle = f'{out}pem/{name}-ca-bundle.pem'
                if os.path.exists(bundle):
                    ask(name, True, openssl_yes(w, ['-CAfile', bundle, '-partial_chain'],
                                                [w.pem('sub'), w.pem('cross')], purpose))
                    ask(name + ' gnutls', False, w.gnutls.yes(w, bundle, False, purpose))
            if os.path.exists(out + 'openssl/ca-bundle.trust.crt'):
                for purpose in ('server', 'email'):
                    ask('trust bundle', True, openssl_yes(w, ['-CAfile', out + 'openssl/ca-bundle.trust.crt'],
                                                          [w.pem('sub'), w.pem('cross')], purpose))
            for name in ('java/cacerts', 'edk2/cacerts.bin'):
                if os.path.exists(out + name):
                    for cert in contains(w, out + name):
                        # An anchor for servers: so its own leaf is trusted.
                        ask(name, False, [f'{KEY_OF[cert]}-server'])
            sources = f'{self.dir}/fedora/etc/pki/ca-trust/source:{self.dir}/fedora/usr/share/pki/ca-trust-source'
            for purpose in ('server', 'email'):
                ask('trust extract', False, w.trust.yes(w, sources, purpose, False, self.dir))
        elif store == P11:
            for purpose in PURPOSES:
                ask('trust extract', True, w.trust.yes(w, self.dir + '/p11', purpose, True, self.dir))
        elif store == NSS:
            for sent, said in nss_yes(w, self.dir + '/db').items():
                ask('libnss3', sent, said)
        return yes, answers

    @staticmethod
    def resolve(hashed, root):
        """A copy of a hashed directory of an image, whose links lead into the image."""
        seen = hashed + '.seen'
        shutil.rmtree(seen, ignore_errors=True)
        os.makedirs(seen)
        for name in os.listdir(hashed):
            path = f'{hashed}/{name}'
            for _ in range(4):
                if not os.path.islink(path):
                    break
                target = os.readlink(path)
                path = root + target if target.startswith('/') else os.path.join(os.path.dirname(path), target)
            if os.path.isfile(path):
                shutil.copy(path, f'{seen}/{name}')

    # --- what the model allows, and what it wants

    def allowed(self, model, leaf, purpose, sent):
        """May any path lead from this leaf to something that was asked for?"""
        key = self.world.leaves[leaf][0]
        if model.get(leaf, Subject()).place == 'peer':
            return True
        keys, todo = set(), [key]
        while todo:
            key = todo.pop()
            if key not in keys:
                keys.add(key)
                crossed = sent or model.get('cross', Subject()).place in ('intermediate', 'anchor')
                todo += [up for up, by in PARENTS.get(key, ()) if by != 'cross' or crossed]
        return any(s.place == 'anchor' and purpose in s.purposes and KEY_OF.get(cert) in keys
                   for cert, s in model.items())

    def wanted(self, store, model):
        """Leaves directly below an anchor that must be trusted: nothing is distrusted beside it."""
        distrusted = {KEY_OF.get(cert) for cert, s in model.items() if s.place == 'distrust'}
        for cert, s in model.items():
            if s.place == 'anchor' and cert in ROOTS and KEY_OF[cert] not in distrusted:
                for purpose in s.purposes:
                    if purpose in ('server', 'email') and purpose in EKU.get(cert, PURPOSES):
                        yield f'{KEY_OF[cert]}-{purpose}', purpose, True

    def judge(self, store, model, yes):
        wrong = []
        for leaf, purpose, sent in sorted(yes):
            if not self.allowed(model, leaf, purpose, sent):
                wrong.append(f'{store}: {leaf} is trusted, and nobody asked for that')
        for want in self.wanted(store, model):
            if want not in yes:
                wrong.append(f'{store}: {want[0]} is not trusted, and that was reported done')
        return wrong

    def check(self, stores, what):
        for store in stores:
            yes, answers = self.read(store)
            for wrong in self.judge(store, self.model[store], yes):
                self.violate(f'{what}: {wrong}', answers)

    def violate(self, text, answers=()):
        self.violations.append(text)
        named = [a for a in answers if a[1] in text]
        if len(self.violations) < 4:
            lines = '\n    '.join(self.log[-16:]).replace(self.dir + '/', '').replace(self.world.dir + '/', '')
            print(f'scenario {self.number}: {text} {named[:3]}\n    {lines}', flush=True)

    # --- commands

    def command(self, group, stores, *args, kill=None):
        name, where, addresses = group
        argv = [os.environ['XR_BIN'], '--worker', os.environ['XR_WORKER'], '--state', f'{self.dir}/state-{name}', '--json',
                *where]
        for store in stores:
            argv += ['--store', addresses[store]]
        argv += args
        self.commands += 1
        env = dict(os.environ, HOME=self.dir + '/home')
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                 start_new_session=True)
        try:
            out, err = child.communicate(timeout=kill)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            self.log.append(f'KILLED {" ".join(argv[6:])}')
            return None, {}
        said = json.loads(out) if out.strip() else {}
        states = {s.get('store'): s.get('state') for s in said.get('stores', ())}
        self.done += 'done' in states.values()
        self.log.append(f'{child.returncode} {" ".join(args)} {" ".join(stores)} -> {states} {err.decode()[:200]}')
        if child.returncode not in (0, 1, 4, 5, 6, 7):
            self.violate(f'exit {child.returncode}')
        return child.returncode, said

    def report_of(self, said, group, store):
        address = group[2][store]
        for one in said.get('stores', ()):
            if one['store'] == address or len(group[2]) == 1:
                return one
        return {}

    def take_over(self, group, stores, said, wishes):
        """wishes: store -> {cert: Subject}. What was reported done comes to stand in the model."""
        changed = {}
        for store in stores:
            report = self.report_of(said, group, store)
            if report.get('state') not in ('done', 'unchanged'):
                continue
            refused = {s['sha256'] for s in report.get('steps', ()) if s['action'] == 'refuse'}
            for cert, want in wishes[store].items():
                if self.world.sha.get(cert) in refused:
                    continue
                if self.of(store, cert) != want:
                    changed.setdefault(store, {})[cert] = (self.of(store, cert), want)
                self.model[store][cert] = want
        return changed

    def install_wishes(self, stores, certs, options):
        """What installing makes of each, by the documented rules."""
        wishes = {}
        for store in stores:
            wishes[store] = {}
            for cert in certs:
                was = self.of(store, cert)
                if cert in ('cross', 'sub') and 'anchor' not in options:
                    # A distrust ends with it: that is what the confirmation asks.
                    wishes[store][cert] = was if was.place == 'anchor' else Subject('intermediate')
                    continue
                if cert in self.world.leaves:
                    wishes[store][cert] = Subject('peer')
                    continue
                if store in RESTRICTS:
                    asked = {o for o in options if o in PURPOSES} or {'server'}
                    if cert == 'aux':
                        asked &= {'server', 'email'}
                    asked &= EKU.get(cert, PURPOSES)
                else:
                    asked = set(PURPOSES)
                if '--only' not in options or store not in RESTRICTS:
                    asked |= was.purposes
                wishes[store][cert] = Subject('anchor', asked)
        return wishes

    def step(self):
        r = self.random
        group = r.choice(self.groups)
        stores = [s for s in group[2] if r.random() < 0.7] or [r.choice(list(group[2]))]
        verb = r.choices(['install', 'remove', 'distrust', 'undo', 'recover', 'crl', 'peer'], [34, 20, 18, 22, 4, 6, 4])[0]
        args, wishes, undone = [], {}, None
        if verb == 'install':
            certs = r.sample(self.certs, r.choice([1, 1, 1, 2, 3]))
            options = []
            # Where nothing restricts, a purpose is refused: once in a while is enough.
            if RESTRICTS & set(stores) or r.random() < 0.1:
                for purpose in r.sample(sorted(PURPOSES), r.choice([0, 0, 0, 1, 2])):
                    options += ['--for', purpose]
            if r.random() < 0.15:
                options.append('--only')
            if r.random() < 0.1:
                options += ['--as', 'anchor']
            if r.random() < 0.1:
                options.append('--all-or-nothing')
            if r.random() < 0.1:
                options.append('--require-verified')
            args = ['install', *options, *(self.world.pem(c) for c in certs)]
            wishes = self.install_wishes(stores, certs, options)
        elif verb == 'remove':
            held = [c for s in stores for c in self.model[s] if self.of(s, c).place != NOWHERE]
            certs = [r.choice(held or ['old'])]
            args = ['remove', self.world.pem(certs[0])]
            wishes = {s: {certs[0]: Subject()} for s in stores}
        elif verb == 'distrust':
            certs = [r.choice(self.certs)]
            args = ['distrust', *(['--key'] if r.random() < 0.4 else []), *(['--best-effort'] if r.random() < 0.7 else []),
                    self.world.pem(certs[0])]
            wishes = {s: {certs[0]: Subject('distrust')} for s in stores}
        elif verb == 'undo':
            past = [t for t in self.undoable.get(group[0], ()) if not t['undone']]
            if not past:
                return
            undone = past[-1] if r.random() < 0.6 else r.choice(past)
            args = ['undo', undone['id']]
            stores = [s for s in undone['stores']]
            wishes = {s: {c: was for c, (was, _) in undone['stores'][s].items()} for s in stores}
        elif verb == 'crl':
            args = [r.choice(['install', 'remove']), self.world.dir + '/old.crl.pem']
        elif verb == 'recover':
            args = ['recover']
        elif verb == 'peer':
            leaf = r.choice(sorted(self.world.leaves))
            args = ['install', '--as', 'peer', self.world.pem(leaf)]
            wishes = self.install_wishes(stores, [leaf], [])
        if r.random() < 0.12 and wishes and verb != 'peer':
            self.killed(group, stores, args, wishes, verb)
            return
        confirmed = r.random() < 0.8
        if not confirmed:
            before = {s: self.read(s)[0] for s in stores}
        code, said = self.command(group, stores, *args, *(['--yes'] if confirmed else []))
        changed = self.take_over(group, stores, said, wishes or {s: {} for s in stores})
        if changed and said.get('transaction'):
            self.undoable.setdefault(group[0], []).append({'id': said['transaction'], 'stores': changed, 'undone': False})
        if undone is not None and code == 0:
            undone['undone'] = True
        if not confirmed:
            for store in stores:
                yes, answers = self.read(store)
                more = {y for y in yes - before[store] if y[2]}
                if more:
                    self.violate(f'{" ".join(args)} without --yes: {store}: more is trusted: {sorted(more)[:3]}', answers)
        self.check(stores, ' '.join(args))

    def killed(self, group, stores, args, wishes, verb):
        """What a killed command left must be old or new; the next command's --yes does not widen it."""
        before = {s: dict(self.model[s]) for s in stores}
        after = {s: {**self.model[s], **wishes[s]} for s in stores}
        code, said = self.command(group, stores, *args, '--yes', kill=self.random.random() * 0.12)
        if code is not None:
            changed = self.take_over(group, stores, said, wishes)
            if changed and said.get('transaction'):
                self.undoable.setdefault(group[0], []).append({'id': said['transaction'], 'stores': changed, 'undone': False})
                # Which of those before it can still be undone is not followed here.
            self.check(stores, ' '.join(args))
            return
        left = {s: self.read(s)[0] for s in stores}
        other = self.random.choice([c for c in ('lab1', 'lab2', 'plain') if all(c not in wishes[s] for s in stores)])
        more = self.install_wishes(stores, [other], [])
        code, said = self.command(group, stores, 'install', '--yes', self.world.pem(other))
        taken = {}
        for s in stores:
            taken[s] = self.report_of(said, group, s).get('state') in ('done', 'unchanged')
            model = {**after[s], **(more[s] if taken[s] or self.report_of(said, group, s).get('state') != 'refused' else {})}
            yes, answers = self.read(s)
            for y in sorted(yes - left[s]):
                # What the killed command asked for may come; nothing else.
                if not self.allowed(model, *y):
                    self.violate(f'killed {" ".join(args)}, then install {other}: {s}: {y[0]} is trusted again', answers)
        code, said = self.command(group, list(group[2]), 'recover', '--yes')
        for s in stores:
            yes, answers = self.read(s)
            found = None
            for base in (after[s], before[s]):
                for extra in ((more[s], {}) if not taken[s] else (more[s],)):
                    if found is None and not self.judge(s, {**base, **extra}, yes):
                        found = {**base, **extra}
            if found is None:
                self.violate(f'killed {" ".join(args)}: {s}: neither old nor new: '
                             f'{self.judge(s, {**after[s], **more[s]}, yes)[:2]}', answers)
                found = after[s]
            # Both may answer alike: what is listed decides, and the readers above judged it.
            self.model[s] = self.listed(group, s, found, before[s], {**after[s], **more[s]})
        self.undoable[group[0]] = []

    def listed(self, group, store, found, before, after):
        _, said = self.command(group, [store], 'list')
        places = {}
        for one in said.get('stores', ()):
            for entry in one['entries']:
                places.setdefault(entry['sha256'], set()).add(entry['place'])
        result = dict(found)
        for cert in after:
            have = places.get(self.world.sha.get(cert), {NOWHERE})
            options = [m.get(cert, Subject()) for m in (found, after, before)]
            result[cert] = next((s for s in options if s.place in have), options[0])
        return result

    def play(self, steps):
        for _ in range(steps):
            self.step()
        for group in self.groups:
            self.command(group, list(group[2]), 'recover', '--yes')
            self.check(list(group[2]), 'at the end')
        if not self.violations:
            shutil.rmtree(self.dir, ignore_errors=True)


def main():
    where, scenarios, steps, first, every = sys.argv[1], *map(int, sys.argv[2:6])
    world = World(where + '/pki', Gnutls(), Trust(where))
    tried = commands = answers = violations = done = 0
    for number in range(first, scenarios, every):
        scenario = Scenario(world, number, f'{where}/scenario-{number}')
        scenario.play(steps)
        tried, commands = tried + 1, commands + scenario.commands
        answers, violations = answers + scenario.answers, violations + len(scenario.violations)
        done += scenario.done
    if done * 5 < commands:
        print(f'only {done} of {commands} commands did anything')
        violations += 1
    print(f'TRIED {tried} {commands} {answers} {violations}')


main()
