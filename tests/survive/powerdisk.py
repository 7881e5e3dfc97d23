# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after a power cut, from an strace log of what was written.

A file system is inodes and names. Each has what programs see and what is durable; a sync makes more of
it durable, and a power cut leaves what is durable and some of the rest.

Which names a sync commits is the rule:
  any  any sync commits all names before it (ext4's journal)
  own  a name is committed by the sync of its own directory alone (btrfs and XFS as documented)

Not modelled: writes through a shared mapping (SQLite's -shm, which no reader trusts; others fail the
run), owners, times, extended attributes.
"""
import os
import re
import stat

CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,rename,renameat,"
    "renameat2,link,linkat,unlink,unlinkat,symlink,symlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,"
    "fchmodat,fsync,fdatasync,sync,syncfs,sync_file_range,copy_file_range,sendfile,splice,fallocate,"
    "mknod,mknodat,mmap,lseek,chdir,fchdir"
)


class Inode:
    """A file ("f"), directory ("d") or link ("l")."""

    def __init__(self, kind, mode, target=None):
        self.kind = kind
        self.mode = self.durable_mode = mode
        self.target = target
        self.data = bytearray()
        self.durable = b""
        self.writes = []  # not yet durable: (offset, bytes), or (size, None) of a truncation
        self.names = {}
        self.durable_names = {}

    def apply(self, write, data):
        at, what = write
        if what is None:
            del data[at:]
            data.extend(bytes(at - len(data)))
        else:
            data.extend(bytes(max(0, at - len(data))))
            data[at : at + len(what)] = what

    def change(self, write):
        self.apply(write, self.data)
        self.writes.append(write)

    def content(self, how):
        """all, none, half or zeros of what is not yet durable"""
        if not self.writes or how == "all":
            return bytes(self.data)
        if how == "none":
            return bytes(self.durable)
        data = bytearray(self.durable)
        if how == "zeros":  # the size is there, what was written is not
            for at, what in self.writes:
                self.apply((at, what and bytes(len(what))), data)
            return bytes(data)
        half = len(self.writes) // 2
        for write in self.writes[:half]:
            self.apply(write, data)
        at, what = self.writes[half]
        if what is not None:
            self.apply((at, what[: len(what) // 2]), data)
        return bytes(data)


class Pending:
    """One change of names or of a mode that is atomic: (inode, name or None, new value) each."""

    def __init__(self, owners, effects):
        self.owners = owners  # whose sync commits it
        self.effects = effects


class Disk:
    def __init__(self, root, rule):
        self.root = root
        self.rule = rule
        self.pending = []
        self.offsets = {}
        self.loaded = {}
        self.top = self.load(root)

    def load(self, path):
        st = os.lstat(path)
        if (st.st_dev, st.st_ino) not in self.loaded:
            self.loaded[(st.st_dev, st.st_ino)] = self.load_new(path, st)
        return self.loaded[(st.st_dev, st.st_ino)]

    def load_new(self, path, st):
        mode = stat.S_IMODE(st.st_mode)
        if stat.S_ISLNK(st.st_mode):
            return Inode("l", 0o777, os.readlink(path))
        if stat.S_ISDIR(st.st_mode):
            inode = Inode("d", mode)
            for name in sorted(os.listdir(path)):
                inode.names[name] = self.load(os.path.join(path, name))
            inode.durable_names = dict(inode.names)
            return inode
        inode = Inode("f", mode)
        with open(path, "rb") as file:
            inode.durable = file.read()
        inode.data = bytearray(inode.durable)
        return inode

    # ---- names

    def walk(self, path, follow=True, depth=0):
        """(directory, name, inode or None) of a path on this disk, or None if it is elsewhere."""
        path = os.path.normpath(path)
        if path == self.root:
            return None, "", self.top
        if not path.startswith(self.root + "/"):
            return None
        at, parts = self.top, path[len(self.root) + 1 :].split("/")
        for i, part in enumerate(parts):
            if at is None or at.kind != "d":
                return None
            inode = at.names.get(part)
            last = i + 1 == len(parts)
            if inode is not None and inode.kind == "l" and (not last or follow):
                if depth > 20:
                    return None
                here = os.path.join(self.root, *parts[:i])
                return self.walk(os.path.join(here, inode.target, *parts[i + 1 :]), follow, depth + 1)
            if last:
                return at, part, inode
            at = inode
        return None

    def change(self, owners, *effects):
        for inode, name, value in effects:
            if name is None:
                inode.mode = value
            elif value is None:
                inode.names.pop(name, None)
            else:
                inode.names[name] = value
        self.pending.append(Pending(owners, effects))

    def commit(self, whose):
        """whose: an inode, or None for all"""
        kept = []
        for op in self.pending:
            if whose is None or self.rule == "any" or whose in op.owners:
                durably(op.effects)
            else:
                kept.append(op)
        self.pending = kept

    def files(self):
        seen, todo = [], [self.top]
        for op in self.pending:
            todo += [value for _, name, value in op.effects if isinstance(value, Inode)]
        done = set()
        while todo:
            inode = todo.pop()
            if id(inode) in done:
                continue
            done.add(id(inode))
            todo += inode.names.values()
            todo += inode.durable_names.values()
            if inode.kind == "f":
                seen.append(inode)
        return seen

    def sync(self, inode):
        if inode.kind == "f":
            inode.durable = bytes(inode.data)
            inode.writes = []
        self.commit(inode)

    def sync_all(self):
        for inode in self.files():
            inode.durable = bytes(inode.data)
            inode.writes = []
        self.commit(None)

    # ---- what is there after a cut

    def tree(self, applied, how):
        """{path: ("d", mode) | ("l", target) | ("f", mode, content, inode's number)} with the pending
        changes whose numbers are in applied; how(inode) says how much of its content."""
        names, modes = {}, {}
        for i, op in enumerate(self.pending):
            if i not in applied:
                continue
            for inode, name, value in op.effects:
                if name is None:
                    modes[id(inode)] = value
                    continue
                mine = names.setdefault(id(inode), dict(inode.durable_names))
                if value is None:
                    mine.pop(name, None)
                else:
                    mine[name] = value
        out, numbers = {}, {}

        def put(path, inode):
            mode = modes.get(id(inode), inode.durable_mode)
            if inode.kind == "l":
                out[path] = ("l", inode.target, numbers.setdefault(id(inode), len(numbers)))
            elif inode.kind == "f":
                number = numbers.setdefault(id(inode), len(numbers))
                out[path] = ("f", mode, inode.content(how(inode)), number)
            else:
                out[path] = ("d", mode)
                for name, below in sorted(names.get(id(inode), inode.durable_names).items()):
                    put(f"{path}/{name}" if path else name, below)

        put("", self.top)
        return out

    def seen(self):
        """The tree as programs see it."""
        return self.tree(range(len(self.pending)), lambda inode: "all")


def durably(effects):
    for inode, name, value in effects:
        if name is None:
            inode.durable_mode = value
        elif value is None:
            inode.durable_names.pop(name, None)
        else:
            inode.durable_names[name] = value


# ---- the log

HEX = r"((?:\\x[0-9a-f]{2})*)"
LINE = re.compile(r"^(\d+) +(.*)$")
CALL = re.compile(r"^([a-z0-9_]+)\((.*)\) += (0x[0-9a-f]+|-?\d+)(?:<(.*)>)?(?: .*)?$", re.S)
ARGUMENT = re.compile(
    r'(?P<at>AT_FDCWD|-?\d+)<' + HEX + r'[^>]*>(?P<gone>\(deleted\))?|"' + HEX + r'"(?P<cut>\.\.\.)?'
)


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


class Unmodelled(Exception):
    pass


class Replay:
    """Applies an strace log (-f -y -xx) to disks."""

    def __init__(self, disks):
        self.disks = disks
        self.cwd = {}

    def calls(self, path):
        """(pid, name, arguments as text, returned, returned path) of each call that succeeded"""
        begun = {}
        with open(path, encoding="ascii") as log:
            for line in log:
                pid, rest = LINE.match(line.rstrip("\n")).groups()
                if rest.endswith(" <unfinished ...>"):
                    begun[pid] = rest[: -len(" <unfinished ...>")]
                    continue
                resumed = re.match(r"^<\.\.\. \w+ resumed>(.*)$", rest)
                if resumed:
                    rest = begun.pop(pid) + resumed.group(1)
                call = CALL.match(rest)
                if call and int(call.group(3), 0) >= 0:
                    name, arguments, value, where = call.groups()
                    yield pid, name, arguments, int(value, 0), unhex(where).decode() if where else None

    def run(self, path):
        """Yields the text of each call that changed a disk, after it did."""
        for call in self.calls(path):
            said = self.one(*call)
            if said:
                yield said

    def one(self, pid, name, text, value, where):
        at, strings = [], []  # paths of descriptors, and strings, in their order
        for match in ARGUMENT.finditer(text):
            if match.group("at"):
                path = unhex(match.group(2)).decode()
                at.append(path + "\0" if match.group("gone") else path)
                if match.group("at") == "AT_FDCWD":
                    self.cwd[pid] = path
            elif match.group("cut"):
                raise Unmodelled(f"{name}: a string that was cut")
            else:
                strings.append(unhex(match.group(4)))
        if name == "chdir":
            self.cwd[pid] = os.path.join(self.cwd.get(pid, "/"), strings[0].decode())
        elif name == "fchdir":
            self.cwd[pid] = at[0]
        else:
            done = [self.apply(disk, pid, name, text, value, where, at, strings) for disk in self.disks]
            if done[0]:
                return f"{name} {done[0][len(self.disks[0].root):] or '/'}"
        return None

    def apply(self, disk, pid, name, text, value, where, at, strings):
        """The path that was changed, or None."""
        function = getattr(self, "do_" + name, None)
        if function is not None:
            return function(disk, pid, text, value, where, at, strings)
        if any(path.startswith(disk.root + "/") for path in at):
            raise Unmodelled(f"{name} {at}")
        return None

    def path(self, pid, at, strings, i, with_at):
        given = strings[i].decode("utf-8", "surrogateescape")
        base = at[i] if with_at else self.cwd.get(pid, "/")
        return os.path.join(base, given)

    # Each takes: disk, pid, text, value, where, at, strings.

    def do_openat(self, disk, pid, text, value, where, at, strings):
        if where is None or not where.startswith(disk.root + "/"):
            return None
        found = disk.walk(where, follow=False)
        if found is None or (found[2] is None and "O_CREAT" not in text):
            return None  # what was unlinked meanwhile
        directory, name, inode = found
        did = None
        if inode is None:
            mode = re.search(r", 0([0-7]+)$", text)
            inode = Inode("f", int(mode.group(1), 8) & ~0o022)
            disk.change([directory], (directory, name, inode))
            did = where
        elif "O_TRUNC" in text and inode.kind == "f" and len(inode.data) > 0:
            inode.change((0, None))
            did = where
        disk.offsets[(id(inode), value)] = None if "O_APPEND" in text else 0
        return did

    do_open = do_creat = do_openat

    def file(self, disk, at):
        if not at or not at[0].startswith(disk.root + "/"):
            return None
        found = disk.walk(at[0], follow=False)
        if found is None or found[2] is None:
            return None  # unlinked, so that nobody sees it after a cut
        return found[2]

    def put(self, disk, text, at, data, offset):
        inode = self.file(disk, at)
        if inode is None or inode.kind != "f":
            return None
        number = int(text[: text.index("<")])
        if offset is None:
            known = disk.offsets.get((id(inode), number), 0)
            offset = len(inode.data) if known is None else known
            if known is not None:
                disk.offsets[(id(inode), number)] = offset + len(data)
        inode.change((offset, data))
        return at[0]

    def do_write(self, disk, pid, text, value, where, at, strings):
        return self.put(disk, text, at, b"".join(strings)[:value], None)

    do_writev = do_write

    def do_pwrite64(self, disk, pid, text, value, where, at, strings):
        offset = int(re.search(r", (\d+)$", text).group(1))
        return self.put(disk, text, at, strings[0][:value], offset)

    def do_lseek(self, disk, pid, text, value, where, at, strings):
        inode = self.file(disk, at)
        key = (id(inode), int(text[: text.index("<")])) if inode is not None and at else None
        if key in disk.offsets and disk.offsets[key] is not None:
            disk.offsets[key] = value

    def do_ftruncate(self, disk, pid, text, value, where, at, strings):
        inode = self.file(disk, at)
        size = int(re.search(r", (\d+)$", text).group(1))
        if inode is None or size == len(inode.data):
            return None
        inode.change((size, None))
        return at[0]

    def do_mmap(self, disk, pid, text, value, where, at, strings):
        if (
            at
            and at[0].startswith(disk.root + "/")
            and "MAP_SHARED" in text
            and "PROT_WRITE" in text
            and not at[0].endswith("-shm")
        ):
            raise Unmodelled(f"writes through a mapping of {at[0]}")

    def renamed(self, disk, one, two, exchange):
        old, new = disk.walk(one, False), disk.walk(two, False)
        if old is None or new is None:
            return None
        if old[2] is new[2]:
            return None  # two names of one file: nothing happens
        disk.change(
            [old[0], new[0]],
            (old[0], old[1], new[2] if exchange else None),
            (new[0], new[1], old[2]),
        )
        return two

    def do_renameat2(self, disk, pid, text, value, where, at, strings):
        return self.renamed(
            disk,
            self.path(pid, at, strings, 0, True),
            self.path(pid, at, strings, 1, True),
            "RENAME_EXCHANGE" in text,
        )

    do_renameat = do_renameat2

    def do_rename(self, disk, pid, text, value, where, at, strings):
        return self.renamed(
            disk, self.path(pid, at, strings, 0, False), self.path(pid, at, strings, 1, False), False
        )

    def do_linkat(self, disk, pid, text, value, where, at, strings):
        old = disk.walk(self.path(pid, at, strings, 0, True), "AT_SYMLINK_FOLLOW" in text)
        path = self.path(pid, at, strings, 1, True)
        new = disk.walk(path, False)
        if new is None:
            return None
        disk.change([new[0]], (new[0], new[1], old[2]))
        return path

    def gone(self, disk, path):
        found = disk.walk(path, False)
        if found is None or found[2] is None:
            return None
        disk.change([found[0]], (found[0], found[1], None))
        return path

    def do_unlink(self, disk, pid, text, value, where, at, strings):
        return self.gone(disk, self.path(pid, at, strings, 0, False))

    do_rmdir = do_unlink

    def do_unlinkat(self, disk, pid, text, value, where, at, strings):
        return self.gone(disk, self.path(pid, at, strings, 0, True))

    def made(self, disk, path, inode):
        found = disk.walk(path, False)
        if found is None:
            return None
        disk.change([found[0]], (found[0], found[1], inode))
        return path

    def do_symlinkat(self, disk, pid, text, value, where, at, strings):
        link = Inode("l", 0o777, strings[0].decode())
        return self.made(disk, os.path.join(at[0], strings[1].decode()), link)

    def do_symlink(self, disk, pid, text, value, where, at, strings):
        link = Inode("l", 0o777, strings[0].decode())
        return self.made(disk, self.path(pid, at, strings, 1, False), link)

    def mode(self, text):
        return int(re.search(r", 0([0-7]+)(?:, |$)", text).group(1), 8)

    def do_mkdirat(self, disk, pid, text, value, where, at, strings):
        inode = Inode("d", self.mode(text) & ~0o022)
        return self.made(disk, self.path(pid, at, strings, 0, True), inode)

    def do_mkdir(self, disk, pid, text, value, where, at, strings):
        inode = Inode("d", self.mode(text) & ~0o022)
        return self.made(disk, self.path(pid, at, strings, 0, False), inode)

    def do_fchmod(self, disk, pid, text, value, where, at, strings):
        inode = self.file(disk, at)
        if inode is None or inode.mode == self.mode(text):
            return None
        disk.change([inode], (inode, None, self.mode(text)))
        return at[0]

    def chmod(self, disk, text, path):
        found = disk.walk(path)
        if found is None or found[2] is None or found[2].mode == self.mode(text):
            return None
        disk.change([found[2]], (found[2], None, self.mode(text)))
        return path

    def do_chmod(self, disk, pid, text, value, where, at, strings):
        return self.chmod(disk, text, self.path(pid, at, strings, 0, False))

    def do_fchmodat(self, disk, pid, text, value, where, at, strings):
        return self.chmod(disk, text, self.path(pid, at, strings, 0, True))

    def do_fsync(self, disk, pid, text, value, where, at, strings):
        inode = disk.top if at and at[0] == disk.root else self.file(disk, at)
        if inode is None:
            return None
        disk.sync(inode)
        return at[0]

    do_fdatasync = do_fsync

    def do_syncfs(self, disk, pid, text, value, where, at, strings):
        disk.sync_all()
        return at[0]

    def do_sync(self, disk, pid, text, value, where, at, strings):
        disk.sync_all()
        return disk.root
