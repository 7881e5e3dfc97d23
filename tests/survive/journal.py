# SPDX-License-Identifier: Apache-2.0
"""journal.py kill|fault|cut|rivals SHARE: what becomes of the journal, its index and the cache of checked
certificates when `history --prune`, a change or an undo that writes them ends badly. Of the states one in
SHARE is tried; those around a new file's way into its place always.

Afterwards, each time: the history is the old one or the new one; what the index says is what the journal
says; nothing temporary stays; recover finishes what was interrupted before; pruning again finishes; and
what stayed is undone to the byte. Prints what is wrong, and lines that lib.sh makes rows of.
"""
import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

from iofaults import WAYS, Harness
from kinds import BIN, T, WORKER, must, run, snap
from powercut import Scenario
from powerdisk import CALLS, Disk, Replay

FAULTAT = os.environ["XR_FAULTAT"]
BEFORE = "2100-01-01"
PRUNE = ("history", "--prune", BEFORE, "--yes")
TEMP = ".crossroot-tmp."
MAY_STAY = ("journal", "journal-index", "checked")
CACHES = ("journal-index", "checked")
SHOWN = 12
MANY = 60  # certificates that make the journal long enough for an index
RIVAL_SECONDS = 4


def cert(number):
    return f"{T}/certs/{number:06}.pem"


def certs(first, count):
    return [cert(first + n) for n in range(count)]


class World:
    """Two stores and the state directory, always at the same paths; bases are copies of it."""

    def __init__(self, top):
        self.top, self.work = top, top + "/work"
        self.state, self.log = self.work + "/state", top + "/log"
        self.stores = [f"--store=openssl:{self.work}/{name}" for name in "ab"]
        self.program = [BIN, "--worker", WORKER, "--state", self.state]
        self.tried = self.wrongs = 0
        self.torn = False  # may the last record be half there?
        os.makedirs(self.work, exist_ok=True)

    def fresh(self, base):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(f"{self.top}/{base}", self.work, symlinks=True)

    def keep(self, base):
        shutil.rmtree(f"{self.top}/{base}", ignore_errors=True)
        shutil.copytree(self.work, f"{self.top}/{base}", symlinks=True)

    def wrong(self, what, problem, text=""):
        self.wrongs += 1
        if self.wrongs <= SHOWN:
            said = re.sub(r"\s+", " ", text)[-400:].replace(self.work, "…")
            print(f"      {what}: {problem}\n        {said}")

    def faulty(self, number, fault, words):
        """Exit code, what it said, and its calls: [number, name, path, what the file becomes], and "!"
        after the one that got the fault."""
        code, text = run(FAULTAT, self.log, str(number), fault, *self.program, *words)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            calls = [line.rstrip("\n").split("\t") for line in file]
        for i, call in enumerate(calls):
            becomes = call[2]
            for later in calls[i:] if TEMP in call[2] else ():
                if later[1].startswith("rename") and os.path.dirname(later[2]) == os.path.dirname(call[2]):
                    becomes = later[2]
                    break
            call.insert(3, becomes)
        return code, text, calls

    # ---- bases

    def on(self, which, *words):
        must(*self.program, *(self.stores[i] for i in which), *words)

    def make(self):
        """unsettled: what is pruned, what stays, and what was interrupted. settled: the last is recovered.
        bare: without the index and the cache."""
        many = certs(0, MANY)
        self.on([0], "install", "--yes", *many)
        self.on([0], "remove", "--yes", *many)
        self.on([0], "install", "--yes", *many)
        self.on([0, 1], "install", "--yes", "--all-or-nothing", *certs(MANY, 2))
        again = next(t for t in self.history()[0] if t["command"] == "install" and len(t["stores"]) == 1)
        self.on([0, 1], "undo", "--yes", again["transaction"])
        self.on([1], "install", "--yes", cert(MANY + 2))
        self.on([1], "remove", "--yes", cert(MANY + 2))
        self.keep("quiet")
        words = [*self.stores, "install", "--yes", "--all-or-nothing", *certs(MANY + 3, 2)]
        _, _, calls = self.faulty(0, "none", words)
        at = next(int(c[0]) for c in calls if c[1].startswith("rename") and not c[2].startswith(self.state))
        self.fresh("quiet")
        code, text, _ = self.faulty(at, "KILL", words)
        pending = [s for t in self.history()[0] for s in t["stores"] if s["state"] == "pending"]
        if code != 137 or len(pending) != 2:
            sys.exit(f"not interrupted: {code} {pending} {text}")
        self.keep("unsettled")
        must(*self.program, "recover", "--yes")
        if not os.path.exists(self.state + "/journal-index"):
            sys.exit("there is no index")
        self.keep("settled")
        for name in CACHES:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.state}/{name}")
        self.keep("bare")
        # A byte of a transaction that goes is another one.
        self.fresh("settled")
        with open(self.state + "/journal", "r+b") as file:
            data = file.read()
            file.seek(len(data) // 3)
            file.write(bytes([data[len(data) // 3] ^ 0x55]))
        os.unlink(self.state + "/journal-index")
        self.keep("damaged")

    # ---- what is there

    def history(self, state=None):
        code, text = run(BIN, "--worker", WORKER, "--state", state or self.state, "history", "--json")
        try:
            said = json.loads(text[text.index("{"):])
        except ValueError:
            return [], f"exit {code}: {text}"
        problem = " ".join(m["text"] for m in said["messages"] if "damaged" in m["text"])
        return said.get("transactions", []), problem or ("" if code == 0 else text)

    def told(self, known):
        """The history, so that two runs can be compared, oldest first: what is not known has no ID, and
        what has been taken back or was begun in vain is left out."""
        rows, problem = self.history()
        if self.torn and "damaged" in problem:
            problem = ""
        names = {t["transaction"] for t in known} | {None}

        def name(one):
            return one if one in names else "new"

        out = []
        for t in reversed(rows):
            stores = tuple((s["store"], s["state"]) for s in t["stores"])
            if name(t["transaction"]) == "new" and all(state == "rolled-back" for _, state in stores):
                continue
            out.append((name(t["transaction"]), t["command"], name(t["undoes"]), name(t["undone_by"]), stores))
        return out, problem

    def bytes(self):
        return snap(self.work + "/a") + "\n" + snap(self.work + "/b")

    def answers(self, state):
        """All that depends on the journal or on its index."""
        said = []
        program = [BIN, "--worker", WORKER, "--state", state, *self.stores]
        for words in (("list", "--managed", "--json"), ("list", "--json"), ("undo", "--dry-run", "--json")):
            code, text = run(*program, *words)
            said.append((words, code, text.replace(state, "STATE")))
        return said

    def index_agrees(self, what):
        copy = self.top + "/without"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.state, copy)
        for name in CACHES:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{copy}/{name}")
        for have, want in zip(self.answers(self.state), self.answers(copy)):
            if have != want:
                at = len(os.path.commonprefix([have[2], want[2]]))
                self.wrong(what, f"with the caches {have[0]} is not what it is without",
                           f"{have[1:2]} {have[2][max(0, at - 60):at + 200]} … {want[1:2]} {want[2][max(0, at - 60):at + 200]}")

    def left(self, what, more=()):
        more = (*more, "journal.damaged") if self.torn else more
        left = [name for name in os.listdir(self.state) if name not in (*MAY_STAY, *more)]
        if left:
            self.wrong(what, f"left in the state directory: {left}")

    def undo_all(self):
        """Undoes what can be, the newest first; exit code and stores after each."""
        seen = []
        for t in self.history()[0]:
            if not t["undoes"] and not t["undone_by"] and any(s["state"] == "done" for s in t["stores"]):
                code, _ = run(*self.program, *self.stores, "undo", "--yes", t["transaction"])
                seen.append((t["command"], code, self.bytes()))
        return seen

    # ---- scenarios

    def scenario(self, name):
        base, words, more = {
            "prune": ("unsettled", PRUNE, ()),
            "prune of a damaged journal": ("damaged", PRUNE, ("journal.damaged",)),
            "install": ("bare", (self.stores[0], "install", "--yes", *certs(MANY + 5, 20)), ()),
            "undo": ("settled", ("undo", "--yes", *self.stores), ()),
        }[name]
        return Trial(self, name, base, words, more)


class Trial:
    """One command from one base: what it may leave."""

    def __init__(self, world, name, base, words, more):
        self.w, self.name, self.base, self.words, self.more = world, name, base, words, more
        self.prunes = words == PRUNE
        world.fresh(base)
        self.known, _ = world.history()
        self.old, self.old_bytes = world.told(self.known), world.bytes()
        self.old_journal = self.journal()
        code, text, self.calls = world.faulty(0, "none", words)
        if code != 0:
            sys.exit(f"{name}: exit {code}\n{text}")
        self.new, self.new_bytes = world.told(self.known), world.bytes()
        if self.old == self.new or (self.prunes and len(self.new[0]) >= len(self.old[0])):
            sys.exit(f"{name} changes nothing")
        self.gone = [t["transaction"] for t in self.known if t["transaction"] not in
                     {row[0] for row in self.new[0]}] if self.prunes else []
        self.promised()
        self.placed = max((int(c[0]) for c in self.calls if c[1].startswith("rename")
                           and c[2] == world.state + "/journal"), default=len(self.calls))
        self.written = {os.path.basename(c[3]) for c in self.calls if c[1].startswith("rename")
                        and c[2].startswith(world.state)}
        want = {"journal", "journal-index"} if self.prunes else {"journal-index"} if name == "undo" else set(CACHES)
        if want - self.written or set(more) - self.written:
            sys.exit(f"{name} does not write {(want | set(more)) - self.written}")
        self.after = {}  # what follows
        self.after["new"] = self.follow("new")
        world.fresh(base)
        self.after["old"] = self.follow("old")
        if self.prunes and self.after["old"] != self.after["new"]:
            sys.exit(f"{name}: what follows depends on it")

    def journal(self):
        with open(self.w.state + "/journal", "rb") as file:
            return file.read()

    def set_aside(self):
        path = self.w.state + "/journal.damaged"
        if not os.path.exists(path):
            return False
        with open(path, "rb") as file:
            return file.read() == self.old_journal

    def promised(self):
        """What pruning promises to keep, as far as the history tells: what is not over, and the last word
        on each certificate in each store."""
        if not self.prunes:
            return
        kept, said = {row[0] for row in self.new[0]}, set()
        for t in self.known:  # the newest first
            subjects = {(s["store"], sha) for s in t["stores"] for sha in s["sha256"]}
            is_open = any(s["state"] in ("pending", "left") for s in t["stores"])
            if (subjects - said or is_open) and t["transaction"] not in kept:
                sys.exit(f"{t} does not stay")
            said |= subjects
        for row in self.new[0]:
            if row not in self.old[0]:
                sys.exit(f"{row} became another one")

    def follow(self, what, deep=True):
        """Recovers, prunes, and undoes everything: the history and the stores on the way."""
        w = self.w
        code, text = run(*w.program, "recover", "--yes")
        if code != 0:
            w.wrong(what, f"recover: exit {code}", text)
        seen = [w.bytes()]
        if not self.prunes:
            seen.append(w.told(self.known))
        code, text = run(*w.program, *PRUNE)
        if code != 0:
            w.wrong(what, f"pruning afterwards: exit {code}", text)
        seen.append(w.told(self.known))
        w.left(what, self.more)
        w.index_agrees(what)
        if deep:
            seen += w.undo_all()
        return seen

    def settle(self, what, deep, strict=None):
        """strict: "new" where it must be that."""
        w = self.w
        w.tried += 1
        if self.prunes:
            now = w.told(self.known)
            allowed = [self.new] if strict == "new" else [self.old, self.new]
            if now not in allowed:
                w.wrong(what, f"the history is neither old nor new{' or not new' if strict else ''}", repr(now))
            if self.more and now == self.new and not self.set_aside():
                w.wrong(what, "the damaged journal is gone")
        w.index_agrees(what)
        followed = self.follow(what, deep)
        ends = {key: value if deep else value[:len(followed)] for key, value in self.after.items()}
        if strict == "new":
            ends = {"new": ends["new"]}
        if followed not in ends.values():
            n = min((next((i for i, pair in enumerate(zip(followed, end)) if pair[0] != pair[1]), -1)
                     for end in ends.values()), default=-1)
            w.wrong(what, f"what follows is another (step {n})", repr(followed[n]))
        for one in self.gone[:1] if deep else ():
            code, text = run(*w.program, *w.stores, "undo", "--yes", one)
            if code != 1 or "was pruned" not in text:
                w.wrong(what, f"undo of what was pruned: exit {code}", text)

    # ---- kills and faults

    def points(self, share):
        """Calls about the state directory: all that make a file or bring it into its place, and of the others
        one in share."""
        out = []
        for number, name, path, becomes, *_ in self.calls:
            if not path.startswith(self.w.state):
                continue
            special = name.startswith("rename") or TEMP in path or path == self.w.state
            if not self.prunes:
                special = special and os.path.basename(becomes) in CACHES
            if special or int(number) % share == 0:
                out.append((int(number), name, path, becomes))
        return out

    def kill(self, share):
        seen = {"old": 0, "new": 0}
        for number, name, _, becomes in self.points(share):
            what = f"{self.name}, killed at {name} of {os.path.basename(becomes)}"
            self.w.fresh(self.base)
            code, text, calls = self.w.faulty(number, "KILL", self.words)
            if not any(len(c) > 4 for c in calls):
                continue
            if code != 137:
                self.w.wrong(what, f"exit {code}", text)
            seen["new" if self.w.told(self.known) == self.new else "old"] += 1
            self.settle(what, deep=share == 1 or number % 4 == 0)
        if 0 in seen.values() and self.prunes:
            self.w.wrong(self.name, f"kills before and after it was done: {seen}")
        print(f"      {self.name}: killed {seen['old']} times before it was done, {seen['new']} times after")

    def fault(self, share):
        counter = 0
        for number, name, path, becomes in self.points(share):
            for fault in WAYS.get(name, ("ENOSPC", "EIO", "EACCES", "EROFS")):
                counter += 1
                if counter % share != 0 and not (fault == "EIO" and "sync" in name):
                    continue
                what = f"{self.name}, {fault} of {name} of {os.path.basename(becomes)}"
                self.w.fresh(self.base)
                code, text, calls = self.w.faulty(number, fault, self.words)
                hit = next((c for c in calls if len(c) > 4), None)
                if hit is not None:
                    cache = os.path.basename(becomes) in CACHES or number > self.placed + 1
                    again = name == "flock" and Harness.made_good(hit, calls) # who only reads needs no lock
                    self.judge(what, (name, path, fault), cache or again, code, text)
                    self.settle(what, deep=counter % (4 * share) == 0)

    def judge(self, what, given, cache, code, text):
        """cache: nothing but an index or what was checked depends on that call."""
        w, (name, path, fault) = self.w, given
        now = w.told(self.known)
        harmless = cache or fault in ("SHORT", "EINTR")
        told = path == w.state and "a power cut could bring the old one back" in text
        if cache and (code != 0 or any(one in text for one in CACHES)):
            w.wrong(what, f"exit {code}, because of a cache", text)
        if code == 0 and now != self.new:
            w.wrong(what, "exit 0, and it is not done", text)
        elif code == 0 and self.prunes and not harmless and not told:
            w.wrong(what, "exit 0", text)
        elif code >= 124:
            w.wrong(what, f"exit {code}", text)
        elif code != 0 and self.prunes:
            if now != self.old or self.journal() != self.old_journal:
                w.wrong(what, f"exit {code}, and the journal is another", text)
            if w.state not in text or (not harmless and os.strerror(getattr(errno, fault)) not in text):
                w.wrong(what, f"exit {code} at {name} without path and reason", text)


class Cut(Scenario):
    """The power fails in a command, or in several after each other (powercut.py)."""

    def __init__(self, trial, commands, world):
        super().__init__(world.work, world.state, world.work, "tree", world.program, ["x"])
        self.trial, self.commands, self.w = trial, commands, world

    def trace(self, log):
        """commands: (words, what strace is to inject or None, exit code)"""
        with open(log, "wb") as out:
            for words, inject, want in self.commands:
                one = log + ".one"
                options = ["-e", f"inject={inject}"] if inject else []
                code, text = run("strace", "-f", "-y", "-xx", "-s", "16777216", "-qq", "-e", f"trace={CALLS}",
                                 *options, "-o", one, *self.w.program, *words)
                if code != want:
                    sys.exit(f"{words}: exit {code}, not {want}\n{text}")
                with open(one, "rb") as part:
                    shutil.copyfileobj(part, out)

    def gather(self, trace):
        """The states at the moments that change the state directory; power.sh tries those of stores."""
        disks = {rule: Disk(self.disk, rule) for rule in ("any", "own")}
        models = {"ext4": "any", "own": "own", "order": "own"}
        said = ["nothing", *Replay([Disk(self.disk, "any")]).run(trace)]
        steps = Replay(list(disks.values())).run(trace)
        states = {}
        for number, moment in enumerate(steps, 1):
            ended = number == len(said) - 1
            if not ended and f" /{self.state_at}" not in moment:
                continue
            for model, rule in models.items():
                for tree in self.trees(disks[rule], model):
                    digest = hashlib.sha256(repr(tree).encode()).digest()
                    state = states.setdefault(digest, [tree, set(), set(), f"after call {number}, {moment}"])
                    state[1].add(model)
                    if ended:
                        state[2].add(model)
        return states

    def all(self, what, share, judge):
        self.w.fresh(self.trial.base)
        log = self.w.top + "/trace"
        self.trace(log)
        self.w.fresh(self.trial.base)
        states = list(self.gather(log).values())
        most = 16 if share > 1 else 400
        ends = [s for s in states if s[2]]
        others = [s for s in states if not s[2]]
        chosen = self.some(ends, most // 3) + self.some(others, most)
        for number, (tree, models, ended, moment) in enumerate(chosen):
            self.lay(tree)
            # Some model in which a name is only there after its directory's sync promises nothing in any order.
            judge(f"{what}, cut {moment} ({' '.join(sorted(models))})", bool(ended - {"order"}), number % 8 == 0)
        print(f"      {what}: {len(chosen)} of {len(states)} states")


def cuts(world, share):
    for name in ("prune", "prune of a damaged journal", "install", "undo"):
        trial = world.scenario(name)

        def judge(what, ended, deep, trial=trial):
            world.torn = not trial.prunes and not ended
            trial.settle(what, deep, "new" if ended else None)

        Cut(trial, [(trial.words, None, 0)], world).all(name, share, judge)
    # Pruning ends before the directory is synced, and then comes a change that says it is done.
    trial = world.scenario("prune")
    syncs = [c for c in trial.calls if c[1] == "fsync"]
    last = max(n for n, c in enumerate(syncs, 1) if c[2] == world.state)
    new = cert(MANY + 30)
    change = (world.stores[0], "install", "--yes", new)
    sha = must("openssl", "x509", "-in", new, "-noout", "-fingerprint", "-sha256").split("=")[1]
    sha = sha.replace(":", "").lower().strip()

    def is_known(what, ended, _):
        world.tried += 1
        world.torn = not ended
        code, text = run(*world.program, "recover", "--yes")
        if code != 0:
            world.wrong(what, f"recover: exit {code}", text)
        rows, problem = world.history()
        problem = "" if world.torn else problem
        done = [t for t in rows for s in t["stores"] if s["state"] == "done" and sha in s["sha256"]]
        listed = sha in must(*world.program, world.stores[0], "list", "--json")
        managed = sha in must(*world.program, world.stores[0], "list", "--managed", "--json")
        if problem or (bool(done), managed) != (listed, listed) or (ended and not listed):
            world.wrong(what, f"in the store {listed}, in the history {bool(done)}, as ours {managed}", problem)
        world.index_agrees(what)

    for how, inject, code in (("killed", f"fsync:signal=KILL:when={last}", -9),
                              ("its directory not synced", f"fsync:error=EIO:when={last}", 0)):
        Cut(trial, [(PRUNE, inject, code), (change, None, 0)], world).all(f"prune, {how}, then install", share, is_known)


# ---- rivals


def rivals(world, share):
    """Writers, pruners and readers at once, all with one state directory."""
    world.fresh("settled")
    keeper = next(t for t in world.history()[0] if t["command"] == "install" and
                  [s["state"] for s in t["stores"]] == ["done"] * 2)
    kept = keeper["stores"][0]["sha256"]
    ends = time.monotonic() + RIVAL_SECONDS * (8 if share == 1 else 1)
    made, reads, prunes = [], 0, 0
    scripts = {"prune": [*world.program, *PRUNE, "--json"]}
    readers = {
        "history": [*world.program, "history", "--json"],
        "managed": [*world.program, *world.stores, "list", "--managed", "--json"],
        "undo": [*world.program, *world.stores, "undo", "--dry-run", "--json", keeper["transaction"]],
    }
    for n in range(2):
        which = world.stores[n]
        scripts[f"write {n}"] = [*world.program, which, "install", "--yes", "--json", cert(MANY + 30 + n)]
    running, turns = {}, {}
    while running or time.monotonic() < ends:
        for name, words in (*scripts.items(), *readers.items()):
            if name not in running and time.monotonic() < ends:
                turns[name] = turns.get(name, 0) + 1
                if name.startswith("write") and turns[name] % 2 == 0:
                    words = ["remove" if word == "install" else word for word in words]
                running[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                 stderr=subprocess.STDOUT, text=True)
        for name, process in list(running.items()):
            try:
                text = process.communicate(timeout=0.01)[0]
            except subprocess.TimeoutExpired:
                continue
            del running[name]
            world.tried += 1
            problem = "damaged" in text or process.returncode != 0
            if name.startswith("write") and not problem:
                one = json.loads(text[text.index("{"):])["transaction"]
                made += [one] if one else []
            elif name == "history":
                problem = problem or keeper["transaction"] not in text
            elif name == "managed":
                problem = problem or not all(sha in text for sha in kept)
            reads += name in readers
            prunes += name == "prune" and '"pruned": true' in text
            if problem:
                world.wrong(f"rivals, {name}", f"exit {process.returncode}", text)
    there = {t["transaction"] for t in world.history()[0]}
    for one in made:
        code, text = run(*world.program, *world.stores, "undo", "--dry-run", one)
        if (one not in there) != ("was pruned" in text) or (one in there and code != 0 and "undone" not in text):
            world.wrong("rivals", f"{one} is lost: exit {code}", text)
    if made[-1] not in there or not there & set(made[-4:]):
        world.wrong("rivals", "the last change is lost")
    if prunes < 3:
        world.wrong("rivals", f"{prunes} prunings only")
    world.left("rivals")
    world.index_agrees("rivals")
    print(f"      {len(made)} changes, {prunes} prunings, {reads} readings")


def main():
    mode, share = sys.argv[1], int(sys.argv[2])
    world = World(f"{T}/{mode}")
    world.make()
    if mode == "cut":
        cuts(world, share)
    elif mode == "rivals":
        rivals(world, share)
    else:
        for name in ("prune", "prune of a damaged journal", "install", "undo"):
            getattr(world.scenario(name), mode)(share)
    print(f"FAULTS\t-\t{world.tried}\t{world.wrongs}")


if __name__ == "__main__":
    main()
