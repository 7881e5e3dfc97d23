# SPDX-License-Identifier: Apache-2.0
"""realfaults.py KIND FULL: one kind of store, and what stands in the way of a command there. Prints a line
for each violation, and at the end the one that lib.sh makes a row of."""
import os
import re
import resource
import shutil
import stat
import subprocess
import sys

from kinds import BIN, KINDS, T, WORKER, Image, must, pem, run, snap

PAGE = 4096
FILLER = ".filler-of-the-test"
SHOWN = int(os.environ.get("XR_SHOWN", "15"))
# What a target may be called, beside the words of strerror(3).
IN_THE_WAY = (r"link|mount point|immutable|regular file|[Dd]irectory|device|FIFO|pipe|Read-only|not permitted|"
              r"busy|in the way|symbolic|Permission denied|Not supported|"
              r"comes from no source|no such store was found") # what a file for a directory makes of some

# What a change of each kind writes: files that exist before, and directories.
TARGETS = {
    "openssl": (("trust/anchors.pem", "trust/intermediates.pem"), ("trust", "trust/anchors")),
    "debian": (("etc/ssl/certs/ca-certificates.crt",), ("etc/ssl/certs", "usr/local/share/ca-certificates")),
    "fedora": (tuple("etc/pki/ca-trust/extracted/" + name for name in (
        "pem/tls-ca-bundle.pem", "java/cacerts", "edk2/cacerts.bin", "openssl/ca-bundle.trust.crt")),
        ("etc/pki/ca-trust/source/anchors", "etc/pki/ca-trust/extracted/pem", "etc/pki/ca-trust/extracted/java")),
    "nss": (("db/cert9.db", "db/key4.db", "db/cert9.db-journal"), ("db",)),
    "p11-kit": ((), ("token",)),
    "windows": (("Windows/System32/config/SOFTWARE",), ("Windows/System32/config",)),
}


def mount(*words):
    return run("mount", *words)[0] == 0


def kind_of(path):
    """What lies there, to be found again: type, device and inode."""
    st = os.lstat(path)
    return stat.S_IFMT(st.st_mode), st.st_dev, st.st_ino


class Real:
    def __init__(self, name, full):
        self.name, self.full = name, full
        self.kind = KINDS[name](f"{T}/{name}/work")
        self.work, self.top, self.state = self.kind.work, self.kind.top, self.kind.work + "/state"
        self.elsewhere = self.work + "/elsewhere"
        self.store = self.kind.store()
        self.command = [BIN, "--worker", WORKER, "--state", self.state, *self.store]
        self.bases = f"{T}/{name}"
        self.mounts, self.fixed = [], []
        self.skipped = set()
        self.tried = self.wrong = self.shown = 0

    # --- states

    def fresh(self, base):
        shutil.rmtree(self.work, ignore_errors=True)
        must("cp", "-a", f"{self.bases}/{base}", self.work)

    def keep(self, base):
        must("cp", "-a", self.work, f"{self.bases}/{base}")

    def picture(self):
        """All that the command must leave alone. A database or a hive may be written and rolled back."""
        if not self.kind.exact and all(stat.S_ISREG(os.lstat(p).st_mode) for p in self.databases()):
            return self.kind.look() + snap(self.elsewhere)
        return "\n".join(line for line in (snap(self.top) + snap(self.elsewhere)).split("\n") if FILLER not in line)

    def databases(self):
        return [p for p in (f"{self.work}/store/{name}" for name in TARGETS[self.name][0]) if os.path.lexists(p)]

    # --- one fault

    def violation(self, what, problem, text):
        self.wrong += 1
        self.shown += 1
        if self.shown <= SHOWN:
            said = re.sub(r"\s+", " ", text)[-300:].replace(self.work, "…")
            print(f"      {self.name}, {what}: {problem}\n        {said}")

    def fails(self, what, reason, path, words, prefix=()):
        """The command, with the fault in place: it fails, says why and where, and has changed nothing. Exit
        code and what it said."""
        self.tried += 1
        before = self.picture()
        code, text = run(*prefix, *self.command, *words)
        if code == 0:
            self.violation(what, "exit 0", text)
        elif code >= 124:
            self.violation(what, f"exit {code}", text)
        else:
            if not re.search(reason, text):
                self.violation(what, f"exit {code} without the reason", text)
            if path not in text and "no such store was found" not in text:
                self.violation(what, f"exit {code} without the path", text)
        if self.picture() != before:
            self.violation(what, "something has changed", text)
        return code, text

    def works(self, what, words):
        code, text = run(*self.command, *words)
        if code != 0:
            self.violation(what, f"afterwards: exit {code}", text)

    def skip(self, why):
        if why not in self.skipped:
            print(f"skip  {self.name}: {why}")
        self.skipped.add(why)

    def undo_mounts(self):
        for path in self.fixed:
            run("chattr", "-i", path)
        for path in reversed(self.mounts):
            run("umount", path)
        self.mounts, self.fixed = [], []

    # --- things in the way of a file

    def bound(self, path):
        os.makedirs(self.elsewhere, exist_ok=True)
        copy = f"{self.elsewhere}/copy"
        shutil.copy2(path, copy)
        if mount("--bind", copy, path):
            self.mounts.append(path)
            return True
        return False

    def immutable(self, path):
        if run("chattr", "+i", path)[0] == 0:
            self.fixed.append(path)
            return True
        return False

    def link(self, path):
        os.makedirs(self.elsewhere, exist_ok=True)
        moved = f"{self.elsewhere}/{os.path.basename(path)}"
        if os.path.lexists(path):
            os.rename(path, moved)
        os.symlink(moved, path)
        return True

    def remove(self, path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def directory(self, path):
        self.remove(path)
        os.mkdir(path)
        return True

    def device(self, path):
        self.remove(path)
        try:
            os.mknod(path, stat.S_IFCHR | 0o644, os.makedev(1, 3))
        except PermissionError:
            return False
        return True

    def fifo(self, path):
        self.remove(path)
        os.mkfifo(path)
        return True

    def file(self, path):
        self.remove(path)
        with open(path, "w", encoding="ascii"):
            return True

    def read_only(self, path):
        if mount("--bind", path, path):
            self.mounts.append(path)
            return mount("-o", "remount,bind,ro", path)
        return False

    def in_the_way(self, base, words, target, way, named):
        path = f"{self.work}/{target}"
        what = f"{way.__name__.replace('_', '-')} at {target}"
        self.fresh(base)
        if way in (self.bound, self.immutable, self.read_only) and not os.path.lexists(path):
            return
        if not way(path):
            self.undo_mounts()
            self.skip(f"nothing {way.__name__.replace('_', '-')} can be made here")
            return
        there = kind_of(path)
        self.fails(what, IN_THE_WAY, named, words)
        if not os.path.lexists(path) or kind_of(path) != there:
            self.violation(what, "what was in the way is not there any more", "")
        self.undo_mounts()
        if way in (self.bound, self.immutable, self.read_only):
            self.works(what, words)

    # --- no room

    def tight(self, base, words, what, prepare, reason, named, prefix_of, most, user=False):
        """Ever less of something, until the command works: each failure is clean, and with enough of it
        recover makes the old or the new state."""
        self.fresh(base)
        old = self.picture()
        self.works(what, words)
        new = self.picture()
        step = 1 if self.full else max(1, most // 6)
        for amount in range(0, most, step):
            self.fresh(base)
            if not prepare(amount):
                self.undo_mounts()
                self.skip("no tmpfs can be mounted here")
                return
            self.tried += 1
            code, text = run(*prefix_of(amount), *self.command, *words)
            now = self.picture()
            if code == 0:
                if now != new:
                    self.violation(f"{what} {amount}", "exit 0, and it is not done", text)
                self.undo_mounts()
                if amount > 0:
                    break
                continue
            loader = "error while loading shared libraries" in text
            if code >= 124 and not loader:
                self.violation(f"{what} {amount}", f"exit {code}", text)
            elif not loader and not re.search(reason, text):
                self.violation(f"{what} {amount}", f"exit {code} without the reason", text)
            elif not loader and not any(name in text for name in named):
                self.violation(f"{what} {amount}", f"exit {code} without the path", text)
            if now not in (old, new) and "recover" not in text:
                self.violation(f"{what} {amount}", "neither old nor new, and it does not say so", text)
            if now == new and not re.search("recover|recorded|: done", text):
                self.violation(f"{what} {amount}", "it is done, and it does not say so", text)
            self.relax()
            code, text = run(*self.command, "recover")
            if code not in (0, 7):
                self.violation(f"{what} {amount}", f"recover: exit {code}", text)
            if self.picture() not in (old, new):
                self.violation(f"{what} {amount}", "neither old nor new after recover", text)
            self.undo_mounts()

    def relax(self):
        """There is room again."""
        for path in self.mounts:
            if os.path.exists(f"{path}/{FILLER}"):
                os.unlink(f"{path}/{FILLER}")
            run("mount", "-o", "remount,size=64m,nr_inodes=10000", path)

    def on_tmpfs(self, path, *options):
        os.makedirs(path, mode=0o700, exist_ok=True)
        copy, st = self.work + "/copy", os.lstat(path)
        must("cp", "-a", path, copy)
        if not mount("-t", "tmpfs", "-o", ",".join(("mode=%o" % stat.S_IMODE(st.st_mode), *options)), "none", path):
            return False
        self.mounts.append(path)
        must("cp", "-a", copy + "/.", path)
        os.chown(path, st.st_uid, st.st_gid)
        shutil.rmtree(copy)
        return True

    def pages(self, path):
        """A disk with so many free pages."""
        def prepare(amount):
            if not self.on_tmpfs(path, "size=2m"):
                return False
            free = os.statvfs(path).f_bavail - amount
            if free > 0:
                with open(f"{path}/{FILLER}", "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, free * PAGE)
            return True
        return prepare

    def inodes(self, path):
        def prepare(amount):
            used = len(must("find", path).splitlines()) if os.path.exists(path) else 1
            return self.on_tmpfs(path, "size=8m", f"nr_inodes={used + amount + 1}")
        return prepare

    @staticmethod
    def nothing(_):
        return True

    @staticmethod
    def no_prefix(_):
        return ()

    @staticmethod
    def limit(name):
        def prefix(amount):
            return ("bash", "-c", f'ulimit -{name} {amount}; exec "$@"', "-")
        return prefix

    def all(self):
        files, dirs = TARGETS[self.name]
        files, dirs = ["store/" + f for f in files], ["store/" + d for d in dirs]
        self.kind.make()
        if isinstance(self.kind, Image):
            must(*self.command, "recover")
        self.keep("empty")
        must(*self.command, "install", "--yes", pem("old-root"), *([pem("cross")] if self.kind.cross == "cross" else []))
        self.keep("one")
        add, remove = ("install", "--yes", pem("new-root")), ("remove", "--yes", pem("old-root"))
        if self.kind.cross == "cross": # the intermediates' bundle is written too
            add = ("install", "--yes", pem("new-root"), pem("sub"))

        for target in files:
            for way in (self.bound, self.immutable, self.link, self.directory, self.device, self.fifo):
                if self.name == "nss" and way == self.bound: # SQLite does not replace its files
                    continue
                self.in_the_way("one", add, target, way, os.path.basename(target))
        for target in dirs:
            for way in (self.read_only, self.immutable, self.file, self.fifo):
                for words in (add, remove):
                    if self.name == "p11-kit" and way == self.file: # is a token of another kind
                        continue
                    self.in_the_way("one", words, target, way, self.kind.named.split("/")[-1])
        self.fresh("one")
        journal = os.path.relpath(next(where for where, _, names in os.walk(self.state) if "journal" in names), self.work)
        for way in (self.immutable, self.link, self.directory, self.device, self.fifo):
            self.in_the_way("one", add, journal + "/journal", way, self.state)
        for way in (self.read_only, self.link, self.file, self.fifo):
            self.in_the_way("one", add, journal, way, self.state)

        full = "No space left on device|Device or resource busy" # a mount cannot be removed when it gets empty
        big = 80 if self.name == "nss" else 40
        for target in dirs:
            path, named = f"{self.work}/{target}", (self.kind.named, target[6:])
            for words in (add, remove):
                self.tight("one", words, f"pages free in {target}, {words[0]}", self.pages(path), full, named,
                           self.no_prefix, big)
                self.tight("one", words, f"inodes free in {target}, {words[0]}", self.inodes(path), full, named,
                           self.no_prefix, 12)
        self.tight("one", add, "pages free for the journal", self.pages(self.state), full, (self.state,),
                   self.no_prefix, 12)
        self.tight("empty", add, "pages free for a first journal", self.pages(self.state), full, (self.state,),
                   self.no_prefix, 12)
        self.tight("empty", add, "inodes free for a first journal", self.inodes(self.state), full, (self.state,),
                   self.no_prefix, 4)
        self.tight("one", add, "KiB in a file at most", self.nothing, "File too large", (self.kind.named, self.state),
                   self.limit("f"), 120 if self.name == "nss" else 40)
        self.tight("one", add, "descriptors at most", self.nothing,
                   "Too many open files|could not be started|cannot be loaded|cannot load",
                   (self.kind.named, self.state, self.name + ":", "no journal: ", "--root: "), self.limit("n"), 40)
        print(f"FAULTS\t-\t{self.tried}\t{self.wrong}")


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
harness = Real(sys.argv[1], sys.argv[2] == "1")
try:
    harness.all()
except BaseException:
    harness.undo_mounts()
    raise
