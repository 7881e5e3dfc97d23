# SPDX-License-Identifier: Apache-2.0
"""iofaults.py KIND EVERY: one kind of store, in which each call of each command that changes files
fails once, in every way that such a call fails. Prints a line for each violation, and at the end the one
that lib.sh makes a row of. EVERY: one in so many is tried."""
import errno
import os
import re
import shutil
import sys

from kinds import BIN, KINDS, T, WORKER, Image, must, pem, run

FAULTAT = os.environ["XR_FAULTAT"]

# How a call fails, by what it does. SHORT and EINTR are no failures: they end in success, or in an
# error that is told like any other.
WRITE = ("ENOSPC", "EIO", "EDQUOT", "EINTR", "SHORT")
SIZE = ("ENOSPC", "EIO", "EINTR")
SYNC = ("EIO", "ENOSPC", "EROFS", "EINTR")
OPEN = ("ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "EINTR")
NAME = ("ENOSPC", "EIO", "EACCES", "EROFS")
MODE = ("EIO", "EROFS")
LOCK = ("ENOLCK", "EINTR")
CHANNEL = ("EMFILE",)
WAYS = {
    "write": WRITE, "pwrite64": WRITE, "writev": SIZE, "ftruncate": SIZE, "truncate": SIZE, "fallocate": SIZE,
    "fsync": SYNC, "fdatasync": SYNC, "syncfs": SYNC, "openat": OPEN, "open": OPEN, "creat": OPEN,
    "fchmod": MODE, "chmod": MODE, "fchmodat": MODE, "fchown": MODE, "chown": MODE, "lchown": MODE,
    "fchownat": MODE, "utimensat": MODE, "fsetxattr": MODE, "flock": LOCK, "socketpair": CHANNEL, "pipe2": CHANNEL,
}
# Faults that need not be told, because nothing depends on the call.
NO_MATTER = (
    ("f?l?chown(at)?", "", "an owner that cannot be given is no failure"),
    ("fsetxattr", "", "nor is an attribute of NTFS"),
    ("fchmod", r"/config/\.crossroot-tmp\.[^/]*$", "nor a mode there"),
    ("chmod", r"/cert9\.db$", "softoken's: whoever may read certificates learns no key"),
    (".*sync", r"/\.crossroot-tmp\.nss$", "a database is moved from there, and its new place is synced"),
    ("unlink(at)?", r"/\.crossroot-[^/]*$", "the next change clears what was temporary"),
    (".*", r"/checked$", "a cache"),
    ("open(at)?", r"/(cert9|key4)\.db$", "SQLite reads what it may not write, and who must write there fails"),
    (".*", r"/key4\.db(-journal)?$", "softoken does not need to remove seals; one that is missing, readers would see"),
)


class Harness:
    def __init__(self, name, every):
        self.kind = KINDS[name](f"{T}/{name}/work")
        self.every, self.counter, self.tried, self.wrong = every, 0, 0, 0
        self.work, self.log = self.kind.work, f"{T}/{name}/log"
        self.state = self.work + "/state"
        self.command = [BIN, "--worker", WORKER, "--state", self.state, *self.kind.store()]

    def fresh(self, base):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(base, self.work, symlinks=True)

    def faulty(self, number, fault, words):
        """Exit code, what it said, and the calls, each [number, name, path] and the one with the fault a fourth."""
        code, text = run(FAULTAT, self.log, str(number), fault, *self.command, *words)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return code, text, [line.rstrip("\n").split("\t") for line in file]

    def base(self, name, before, *words, killed_at=None):
        """A state from which a command starts, made by another one."""
        to = f"{T}/{self.work.split('/')[-2]}/{name}"
        if before is None:
            self.kind.make()
        else:
            self.fresh(before)
        if killed_at is not None:
            _, _, calls = self.faulty(0, "none", words)
            self.fresh(before)
            code, text, _ = self.faulty(int(len(calls) * killed_at), "KILL", words)
            if code != 137:
                sys.exit(f"not killed: {code} {text}")
        elif words:
            must(*self.command, *words)
        shutil.copytree(self.work, to, symlinks=True)
        return to

    def violation(self, what, calls, fault, problem, text):
        hit = next((" ".join(c[1:3]) for c in calls if len(c) > 3), "no call")
        self.wrong += 1
        if self.wrong <= 12:
            said = re.sub(r"\s+", " ", text)[-300:]
            print(f"      {what}: {fault} of {hit.replace(self.work, '…')}: {problem}\n        {said}")

    def judge(self, what, words, fault, code, text, calls, states):
        hit = next((c for c in calls if len(c) > 3), None)
        if hit is None: # fewer calls this time: nothing was tried
            return
        self.tried += 1
        harmless = fault in ("SHORT", "EINTR") or not hit[2].startswith(self.work) or any(
            re.fullmatch(call, hit[1]) and re.search(path, hit[2]) for call, path, _ in NO_MATTER)
        now = self.kind.look()
        if hit[2].endswith("-journal"): # SQLite's, which could not be removed: the next program rolls back
            now = self.kind.without(now, "-journal")
        if harmless: # it may have left what is temporary, for the next change to clear
            now = self.kind.without(now, r"\.crossroot-tmp\.")
        if code == 0:
            if now != states["new"]:
                self.violation(what, calls, fault, "exit 0, and it is not done", text)
            elif not harmless and not self.made_good(hit, calls):
                self.violation(what, calls, fault, "exit 0", text)
        elif code >= 124:
            self.violation(what, calls, fault, f"exit {code}", text)
        else:
            reason = os.strerror(getattr(errno, fault)) if fault != "SHORT" else ""
            below_state = hit[2].startswith(self.state) or hit[2] == self.work
            if reason not in text:
                self.violation(what, calls, fault, f"exit {code} without the reason", text)
            elif (self.state if below_state else self.kind.named) not in text:
                self.violation(what, calls, fault, f"exit {code} without the store", text)
            elif not any(name in text for name in self.names_of(hit[2])):
                self.violation(what, calls, fault, f"exit {code} without the path", text)
            if now not in states.values() and "recover" not in text and words[0] != "recover":
                self.violation(what, calls, fault, "neither old nor new, and it does not say so", text)
            if words[0] != "recover" and now == states["new"] != states["old"] and not re.search(
                    r"recover|recorded|could not be written|: done", text):
                self.violation(what, calls, fault, "it is done, and it does not say so", text)
        self.settle(what, fault, calls, states)

    @staticmethod
    def made_good(hit, calls):
        """SQLite ignores a directory that cannot be synced, and a reader takes a lock only if it can: a
        later sync or lock of ours must have succeeded. A database that one of our readers could not roll back,
        the next one has rolled back with the same call."""
        family = next((f for f in ("sync", "flock") if hit[1].endswith(f)), None)
        if family is None and re.search(r"/(cert9|key4)\.db(-journal)?$", hit[2]):
            family = hit[1]
        return family is not None and any(
            c[1].endswith(family) and c[2] == hit[2] and int(c[0]) > int(hit[0]) for c in calls)

    def names_of(self, path):
        """What a message may call it: its name, or its directory where that is temporary or a database's."""
        if not path.startswith(self.work):
            return [""]
        name, above = os.path.basename(path), os.path.dirname(path)
        temporary = name.startswith(".crossroot-") or ".trust.crossroot" in path # a directory that is being made
        return [os.path.basename(above).removeprefix(".").removesuffix(".crossroot")] if temporary else [name]

    def settle(self, what, fault, calls, states):
        """After it the disk is good again: recover finds the old or the new state, for every reader."""
        code, text = run(*self.command, "recover")
        if code not in (0, 7):
            self.violation(what, calls, fault, f"recover: exit {code}", text)
        now = self.kind.look()
        if now not in states.values():
            self.violation(what, calls, fault, "neither old nor new after recover", text + now[:300])
        left = [name for _, _, names in os.walk(self.state) for name in names if name not in ("journal", "journal-index", "checked")]
        if left:
            self.violation(what, calls, fault, f"left in the state directory: {left}", text)

    def sweep(self, what, base, *words, other=()):
        self.fresh(base)
        states = {"old": self.kind.look()}
        code, text, calls = self.faulty(0, "none", words)
        if code != 0:
            sys.exit(f"{what} without a fault: exit {code}\n{text}")
        states["new"] = self.kind.look()
        states.update((str(n), state) for n, state in enumerate(other))
        if states["old"] == states["new"] and not other:
            sys.exit(f"{what} changes nothing")
        for number, name, path in (call[:3] for call in calls):
            if path.startswith(("pipe:", "socket:", "/dev/")) and name == "write":
                continue
            ways = WAYS.get(name, NAME)
            if name == "pwrite64": # SQLite writes hundreds of pages alike: each fails, in one way of these by turns
                ways = ways[int(number) % len(ways):][:1]
            for fault in ways:
                self.counter += 1
                if self.counter % self.every != 0:
                    continue
                self.fresh(base)
                code, text, made = self.faulty(int(number), fault, words)
                self.judge(what, words, fault, code, text, made, states)

    def all(self):
        old, rsa = pem("old-root"), pem("rsa-root")
        packaged = rsa if isinstance(self.kind, Image) else old
        empty = self.base("empty", None)
        if isinstance(self.kind, Image): # what the distribution's own command would have made
            empty = self.base("built", empty, "recover")
        one = self.base("one", empty, "install", "--yes", old)
        self.fresh(one)
        one_is = self.kind.look()
        self.fresh(empty)
        empty_is = self.kind.look()
        readers = {self.kind.readers()}
        self.fresh(one)
        readers.add(self.kind.readers())
        if len(readers) != 2:
            sys.exit("its readers see no difference")
        crashed = self.base("crashed", one, "remove", "--yes", old, killed_at=0.6)
        self.sweep("the first install", empty, "install", "--yes", old)
        self.sweep("install", one, "install", "--yes", pem(self.kind.cross))
        self.sweep("distrust", one, "distrust", "--yes", "--best-effort", packaged)
        self.sweep("remove", one, "remove", "--yes", old)
        self.sweep("undo", one, "undo", "--yes")
        self.sweep("install in every store or none", one, "install", "--yes", "--all-or-nothing", pem("new-root"))
        self.sweep("recover", crashed, "recover", "--yes", other=(one_is, empty_is))
        print(f"FAULTS\t-\t{self.tried}\t{self.wrong}")


if __name__ == "__main__":
    Harness(sys.argv[1], int(sys.argv[2])).all()
