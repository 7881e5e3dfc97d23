#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powercut.py DISK STATE STORE KIND PROGRAM... -- ARGUMENT...

Traces one change of a store, builds what the disk DISK may hold after a power cut at each moment of it,
and looks at what `recover` makes of each. PROGRAM is crossroot with its global options, STATE its state
directory and STORE the store's directory below DISK; KIND is tree, token (of p11-kit), nss or hive.

Prints "MODEL STATES VIOLATIONS" lines, and each violation on standard error. Models:
  ext4   names are committed by any later sync; those that are not, in their order
  own    names are committed by their own directory's sync; those that are not, in the order of each
  order  the same, but what is not committed may be there in any order
The first two: after recover the store is in its old or its new state, after an exit 0 in the new one.
All: no file is torn, and nothing is trusted that was trusted neither before nor after.
"""
import base64
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys

from powerdisk import CALLS, Disk, Replay

FULL = os.environ.get("XR_FULL") == "1"
SHARE = int(os.environ.get("XR_SHARE", "8"))  # of a scenario's states, in a short run
SAMPLES = 6  # random ones a moment and model
MOST = 450  # states of a scenario in a full run
TEMP = ".crossroot-tmp."
TREES = ("tree", "token")  # stores that are compared byte for byte
EVERY = 4  # state is asked whether the change can still be made
SHOWN = 12


class Scenario:
    def __init__(self, disk, state, store, kind, program, arguments):
        self.disk, self.state, self.store, self.kind = disk, state, store, kind
        self.program, self.arguments = program, arguments
        self.state_at = os.path.relpath(state, disk)
        self.store_at = os.path.relpath(store, disk)
        self.parsed = {}
        self.tokens = {}
        self.random = random.Random(" ".join(map(os.path.basename, [kind, store, *arguments])))

    def crossroot(self, *arguments):
        return subprocess.run(
            [*self.program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )

    # ---- trees on the disk

    def wipe(self):
        for name in os.listdir(self.disk):
            path = os.path.join(self.disk, name)
            if os.path.isdir(path) and not os.path.islink(path):
                for at, names, _ in os.walk(path):
                    for below in names:
                        if not os.path.islink(os.path.join(at, below)):
                            os.chmod(os.path.join(at, below), 0o700)
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def lay(self, tree):
        self.wipe()
        made, modes = {}, []
        for path, what in tree.items():
            at = os.path.join(self.disk, path)
            if what[0] == "d":
                if path:
                    os.mkdir(at)
                    modes.append((at, what[1]))
            elif what[-1] in made:
                os.link(made[what[-1]], at, follow_symlinks=False)
            elif what[0] == "l":
                os.symlink(what[1], at)
                made[what[-1]] = at
            else:
                with open(at, "wb") as file:
                    file.write(what[2])
                os.chmod(at, what[1])
                made[what[-1]] = at
        for at, mode in reversed(modes):
            os.chmod(at, mode)

    # ---- what is in them

    def of_store(self, tree):
        """The tree without the state directory and what it lies in."""
        out = {}
        for path, what in tree.items():
            inside = f"{path}/"
            if f"{self.state_at}/".startswith(inside) or inside.startswith(f"{self.state_at}/"):
                continue
            if what[0] == "f":
                out[path] = ("f", what[1], what[2])
            else:
                out[path] = what[:2]
        return out

    def seen_now(self):
        return self.of_store(Disk(self.disk, "any").seen())

    def visible(self, tree):
        """Files of the store that readers look at."""
        for path, what in tree.items():
            hidden = any(part.startswith((TEMP, ".trust.crossroot")) for part in path.split("/"))
            if what[0] == "f" and not hidden:
                yield path, what[2]

    def certificates(self, content):
        """SHA-256 of the certificates in PEM; None if OpenSSL cannot read that many."""
        key = hashlib.sha256(content).digest()
        if key not in self.parsed:
            found = set()
            begins = content.count(b"-----BEGIN ")
            blocks = re.findall(
                rb"-----BEGIN ((?:TRUSTED )?CERTIFICATE)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----",
                content,
            )
            for label, text in blocks:
                if label == b"CERTIFICATE":
                    found.add(hashlib.sha256(base64.b64decode(text)).hexdigest())
            if begins:
                read = subprocess.run(
                    ["openssl", "storeutl", "-noout", "/dev/stdin"],
                    input=content,
                    capture_output=True,
                    check=False,
                )
                total = re.search(rb"Total found: (\d+)", read.stdout)
                if read.returncode != 0 or total is None or int(total.group(1)) != begins:
                    found = None
            self.parsed[key] = found
        return self.parsed[key]

    def trusted(self, *trees):
        """{a file, or a directory of files with one certificate each: certificates}"""
        out = {}
        for tree in trees:
            for path, content in self.visible(tree):
                found = self.certificates(content)
                for key in (path, os.path.dirname(path)):
                    out.setdefault(key, set()).update(found or ())
        return out

    def look(self, tree, whole):
        """Why readers would be wrong about this tree, or None."""
        for path, content in self.visible(tree):
            if content in whole.get(path, ()):
                continue
            if path.endswith("/.crossroot") and re.fullmatch(rb"crossroot 1\n([a-z]+ .+\n)*", content):
                continue
            found = self.certificates(content)
            if found is None or not content or b"-----BEGIN " not in content:
                return f"{path} is torn ({len(content)} bytes)"
            allowed = self.either.get(path, self.either.get(os.path.dirname(path), set()))
            if found - allowed:
                return f"{path} trusts more than before and after"
        return None

    def observe(self):
        """The state of the store: bytes, or entries where bytes have no fixed form."""
        if self.kind in TREES:
            return self.seen_now()
        ran = self.crossroot("list", "--json")
        if ran.returncode != 0:
            return f"it cannot be listed: {ran.stderr.decode()}"
        entries = [
            (e["sha256"], e["place"], tuple(e["purposes"]), e["vendor"])
            for store in json.loads(ran.stdout)["stores"]
            for e in store["entries"]
        ]
        return sorted(entries) + self.others_say()

    def others_say(self):
        """What the real reader says of the store."""
        if self.kind == "hive":
            script = "".join(
                f"cd \\Microsoft\\SystemCertificates\\{name}\\Certificates\nls\n" for name in ("ROOT", "CA")
            )
            keys = self.read_by("hivexsh", self.store, given=script)
            return [("hivexsh", self.read_by("hivexsh", self.store, given="ls\n").returncode, self.lines(keys))]
        if not os.path.exists(os.path.join(self.store, "cert9.db")):
            return [("certutil", 0, ())]
        read = self.read_by("certutil", "-L", "-d", f"sql:{self.store}")
        return [("certutil", read.returncode, self.lines(read))]

    def read_by(self, *words, given=""):
        return subprocess.run(words, input=given.encode(), capture_output=True, check=False)

    def lines(self, ran):
        heads = ("", "Certificate Nickname Trust Attributes", "SSL,S/MIME,JAR/XPI", "Database needs user init")
        lines = [" ".join(line.split()) for line in ran.stdout.decode().split("\n")]
        return tuple(sorted(line for line in lines if line not in heads))

    def anchors_of_token(self):
        """What p11-kit takes for an anchor, or None."""
        out = f"{self.disk}.extract"
        ran = self.read_by("trust", "extract", "--overwrite", "--format=pem-bundle", "--filter=ca-anchors", out)
        if ran.returncode != 0:
            return None
        with open(out, "rb") as file:
            return self.certificates(file.read())

    # ---- states

    def choices(self, pending, rule, model):
        """Sets of numbers of pending changes that may be there after a cut."""
        every = range(len(pending))
        if model == "ext4":
            yield from (frozenset(range(n)) for n in range(len(pending) + 1))
            return
        yield frozenset()
        yield frozenset(every)
        if model == "own":
            owners = {}
            for i in every:
                for owner in pending[i].owners:
                    owners.setdefault(id(owner), []).append(i)
            for mine in owners.values():
                for n in range(1, len(mine) + 1):
                    yield frozenset(mine[:n])
                    yield frozenset(every) - frozenset(mine[n:])
            for _ in range(SAMPLES if pending else 0):
                some = set()
                for mine in owners.values():
                    some.update(mine[: self.random.randint(0, len(mine))])
                yield frozenset(some)
            return
        for i in every:
            yield frozenset([i])
            yield frozenset(every) - {i}
        for _ in range(SAMPLES if pending else 0):
            yield frozenset(i for i in every if self.random.random() < 0.5)

    def trees(self, disk, model):
        half = [inode for inode in disk.files() if inode.writes]
        for applied in self.choices(disk.pending, disk.rule, model):
            yield disk.tree(applied, lambda inode: "all")
            if not half:
                continue
            for how in ("none", "half", "zeros"):
                yield disk.tree(applied, lambda inode, how=how: how)
            for one in half if len(half) > 1 else ():
                yield disk.tree(applied, lambda inode, one=one: "none" if inode is one else "all")
                yield disk.tree(applied, lambda inode, one=one: "all" if inode is one else "none")

    def gather(self, trace):
        """All states: {digest: [tree, models, models after the end, moment]}, and for each path the
        contents that were whole at some moment."""
        disks = {"any": Disk(self.disk, "any"), "own": Disk(self.disk, "own")}
        models = {"ext4": "any", "own": "own", "order": "own"}
        states, whole = {}, {}
        moments = ["nothing", *(Replay(list(disks.values())).run(trace))]
        disks = {"any": Disk(self.disk, "any"), "own": Disk(self.disk, "own")}
        steps = Replay(list(disks.values())).run(trace)

        def note(moment, ended):
            # What is written in the place of another file under its name at once is whole only in the end.
            for path, what in disks["any"].seen().items():
                if what[0] == "f" and (ended or TEMP not in path):
                    whole.setdefault(path, set()).add(what[2])
            for model, rule in models.items():
                for tree in self.trees(disks[rule], model):
                    digest = hashlib.sha256(repr(tree).encode()).digest()
                    state = states.setdefault(digest, [tree, set(), set(), moment])
                    state[1].add(model)
                    if ended:
                        state[2].add(model)

        note("before anything", False)
        for number, said in enumerate(steps, 1):
            note(f"after call {number}, {said}", number == len(moments) - 1)
        return states, whole

    # ---- the run

    def run(self, trace):
        base = Disk(self.disk, "any").seen()
        before = self.observe()
        self.anchors = self.anchors_of_token() if self.kind == "token" else set()
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:exitcode=99")
        ran = subprocess.run(
            ["strace", "-f", "-y", "-xx", "-s", "16777216", "-qq", "-e", f"trace={CALLS}", "-o", trace]
            + [*self.program, *self.arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=environment,
        )
        if ran.returncode != 0:
            sys.exit(f"the change exits {ran.returncode}: {ran.stdout.decode()}{ran.stderr.decode()}")
        ended = Disk(self.disk, "any").seen()
        after = self.observe()
        if self.kind == "token":
            was, now = self.anchors, self.anchors_of_token()
            self.anchors = was | now
            if was == now:
                sys.exit("p11-kit sees no change")
        old, new = self.of_store(base), self.of_store(ended)
        self.either = self.trusted(old, new)
        self.lay(base)
        states, whole = self.gather(trace)
        replayed = [tree for tree, _, _, _ in states.values() if tree == ended]
        if before == after or not replayed:
            sys.exit("the change changes nothing" if before == after else "the log does not tell all")
        counts = {model: [0, 0] for model in ("ext4", "own", "order")}
        shown = 0
        chosen = self.choose(list(states.values()))
        for number, (tree, models, finished, moment) in enumerate(chosen):
            wrong = self.judge(tree, models, finished, before, after, new, whole)
            if number % EVERY == 0 and not wrong:
                wrong = self.goes_on(models - {"order"}, before, after)
            for model in models:
                counts[model][0] += 1
            for model, why in wrong.items():
                counts[model][1] += 1
                shown += 1
                if shown <= SHOWN:
                    print(f"{model}, {moment}: {why}", file=sys.stderr)
        for model, (tried, violations) in counts.items():
            print(model, tried, violations)
        print("all", len(chosen), shown)

    def choose(self, states):
        """All of them, or some of every moment; those after the end first."""
        ends = [state for state in states if state[2] - {"order"}]
        others = [state for state in states if not state[2] - {"order"}]
        most = MOST if FULL else SHARE
        at_end = self.some(ends, max(2, most // 5))
        return at_end + self.some(others, most - len(at_end))

    def some(self, states, most):
        return [states[i * len(states) // most] for i in range(most)] if len(states) > most else states

    def judge(self, tree, models, finished, before, after, new, whole):
        """{model: why it is a violation}"""
        wrong = {}

        def blame(who, why):
            for model in who:
                wrong.setdefault(model, why)

        strict, strict_end = models - {"order"}, finished - {"order"}
        store = self.of_store(tree)
        if self.kind != "nss":  # SQLite has rules of its own
            why = self.look(store, whole)
            if why:
                blame(models, f"readers: {why}")
        if self.kind in TREES:
            if strict_end and self.without_temps(store) != self.without_temps(new):
                blame(strict_end, f"exit 0, and not there: {self.differs(store, new)}")
        self.lay(tree)
        if self.kind == "token":
            key = repr(sorted(store.items()))
            if key not in self.tokens:
                self.tokens[key] = self.anchors_of_token()
            if self.tokens[key] is None or self.tokens[key] - self.anchors:
                blame(models, "p11-kit trusts more than before and after, or cannot read it")
        ran = self.crossroot("recover")
        # What gives trust back is asked about.
        if ran.returncode != 0 and b"recover --yes" in ran.stdout + ran.stderr:
            ran = self.crossroot("recover", "--yes")
        if ran.returncode != 0:
            blame(strict, f"recover exits {ran.returncode}: {(ran.stdout + ran.stderr).decode()}")
        now = self.observe()
        if isinstance(now, dict):  # a directory that the change makes is no state if nothing is in it
            now = {path: what for path, what in now.items() if not self.idle(path, now, before, after)}
        if strict_end and now != after:
            blame(strict_end, f"after exit 0 and recover not the new state: {self.differs(now, after)}")
        # Of a recovery that the power ends, the next one makes what it would have made.
        if now != after and (now != before or self.arguments[0] == "recover"):
            blame(strict, f"neither old: {self.differs(now, before)} nor new: {self.differs(now, after)}")
        if self.kind in TREES:
            why = self.look(now, whole)
            if why:
                blame(models, f"after recover: {why}")
        elif isinstance(now, str) or now[-1][1] != 0:
            blame(models, f"after recover: {now}")
        else:
            more = [e for e in now[:-1] if e[1] in ("anchor", "peer") and e not in before and e not in after]
            if more:
                blame(models, f"trusted neither before nor after: {more}")
        return wrong

    def idle(self, path, now, before, after):
        if now[path][0] != "d" or path in before or path not in after:
            return False
        return not any(what[0] != "d" for below, what in now.items() if below.startswith(path + "/"))

    def goes_on(self, strict, before, after):
        """{model: why the change cannot be made after it was taken back}"""
        if not strict or self.arguments[0] == "recover" or self.observe() != before:
            return {}
        ran = self.crossroot(*self.arguments)
        if ran.returncode == 0 and self.observe() == after:
            return {}
        said = (ran.stdout + ran.stderr).decode()
        return {model: f"the same change again exits {ran.returncode}: {said}" for model in strict}

    def without_temps(self, tree):
        return {path: what for path, what in tree.items() if TEMP not in path}

    def differs(self, have, want):
        if not isinstance(have, dict) or not isinstance(want, dict):
            return f"{have}"
        keys = [path for path in sorted({*have, *want}) if have.get(path) != want.get(path)]
        return ", ".join(
            f"{path} ({'absent' if path not in have else 'more' if path not in want else 'other'})"
            for path in keys[:6]
        )


def main():
    at = sys.argv.index("--")
    disk, state, store, kind, *program = sys.argv[1:at]
    trace = disk.rstrip("/") + ".trace"
    Scenario(os.path.realpath(disk), state, store, kind, program, sys.argv[at + 1 :]).run(trace)


if __name__ == "__main__":
    main()
