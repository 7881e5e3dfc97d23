# SPDX-License-Identifier: Apache-2.0
"""Kills a change of a fleet at each call that would change a file, and judges what is made of it.

kill.py OPTIONS -- PROGRAM... -- CHANGE... -- NEXT...

BASE is the fleet before the change, OLD and NEW (made here if not given) what it may be afterwards. After
each kill comes recover, or, every second time, NEXT (a change of something else in the same stores) and
then recover. Prints what is wrong, and at the end "TRIED WRONG" to the file --result.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

import fleet

WRONGS_SHOWN = 12


def parse():
    options = argparse.ArgumentParser()
    for name in ("base", "work", "pki", "killcall", "result", "name", "stores"):
        options.add_argument("--" + name, required=True)
    options.add_argument("--old", help="a fleet as it was before all, if BASE is not that")
    options.add_argument("--new", help="a fleet as it is after all, if not what CHANGE makes")
    options.add_argument("--at-most", type=int, default=0, help="number of calls; 0: all")
    options.add_argument("--all-or-nothing", action="store_true", help="CHANGE says so")
    options.add_argument("--narrowing", action="store_true", help="CHANGE only takes trust")
    own, rest = sys.argv[1:], []
    while "--" in own:
        at = len(own) - 1 - own[::-1].index("--")
        rest.insert(0, own[at + 1:])
        own = own[:at]
    args = options.parse_args(own)
    args.program, args.change, args.next = rest
    return args


class Run:
    """What a command said."""

    def __init__(self, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def says(self, text):
        return text in " ".join((self.out + self.err).split())

    def shown(self):
        lines = [line for line in (self.err + self.out).splitlines() if line.strip()]
        return "".join("\n        | " + line[:160] for line in lines[:12])


class Fleet:
    """One fleet at a moment: bytes of each store, and what readers see there."""

    def __init__(self, where, names, pki, unseen=()):
        self.bytes = {name: fleet.bytes_of(os.path.join(where, name)) for name in names}
        self.seen, self.unreadable = dict.fromkeys(names), {}
        for name in set(names) - set(unseen):
            try:
                self.seen[name] = fleet.seen(where, name, pki)
            except fleet.Unreadable as error:
                self.unreadable[name] = str(error)

    def same(self, other, name):
        """Bytes, but in databases what readers see."""
        if name in fleet.DATABASES:
            return self.seen[name] is not None and self.seen[name] == other.seen[name]
        return self.bytes[name] == other.bytes[name]


class Harness:
    def __init__(self, args):
        self.args = args
        self.stores = os.path.join(args.work, "stores")
        self.names = args.stores.split(",")
        self.wrongs, self.tried, self.whole = 0, 0, 0
        self.tally = {}
        self.point = "not at all"

    def wrong(self, text, run=None):
        self.wrongs += 1
        if self.wrongs <= WRONGS_SHOWN:
            print("FAIL  %s, killed at %s: %s%s" % (self.args.name, self.point, text, run.shown() if run else ""))
        elif self.wrongs == WRONGS_SHOWN + 1:
            print("      and so on")
        sys.stdout.flush()

    def fresh(self, base=None):
        shutil.rmtree(self.args.work, ignore_errors=True)
        subprocess.run(["cp", "-a", base or self.args.base, self.args.work], check=True)

    def look(self):
        return Fleet(self.stores, self.names, self.args.pki)

    def run(self, *command):
        return Run(self.args.program + list(command))

    def must(self, what, run):
        if run.code != 0:
            self.wrong("%s: exit %d" % (what, run.code), run)
            self.end()

    def end(self):
        with open(self.args.result, "w", encoding="ascii") as file:
            file.write("%d %d\n" % (self.tried, self.wrongs))
        print("%s: %d calls, %d of them after it was whole; stores afterwards: %s" % (
            self.args.name, self.tried, self.whole,
            ", ".join("%s %d" % pair for pair in sorted(self.tally.items()))))
        sys.exit(1 if self.wrongs else 0)

    def killed(self, number, whom, command):
        """Runs a command, killed at a call; the call and who made it, or None if it ended before."""
        said = self.args.work + ".said"
        os.environ["KILLCALL"] = said
        run = Run([self.args.killcall, str(number), whom] + command)
        with open(said, encoding="utf-8") as file:
            count, call, who = file.read().rstrip("\n").split(" ", 2)
        return run, int(count), None if call == "-" else "%s by %s" % (call, who)

    def references(self):
        """Old and new, each with and without the next command."""
        states = {}
        args = self.args
        for key, base in (("old", args.old or args.base), ("new", args.new or args.base)):
            self.fresh(base)
            if key == "new" and not args.new:
                self.must("the whole change", Run(args.program + args.change))
            states[key] = self.look()
            self.must("the next command after it", Run(args.program + args.next))
            states[key + " and next"] = self.look()
        for key, state in states.items():
            for name, why in state.unreadable.items():
                self.wrong("%s, %s: %s" % (key, name, why))
        self.states = states
        self.differ = [name for name in self.names if not states["old"].same(states["new"], name)]
        if self.differ != self.names:
            self.wrong("only %s are changed" % self.differ)

    def lost(self, at_kill):
        """{(store, reader): what it saw in the old state and no longer did when all was killed}."""
        lost = {}
        for name in self.names:
            old, new = self.states["old"].seen[name], self.states["new"].seen[name]
            if at_kill.seen[name] is None:
                continue
            # Not what another reader of the store is to see: openssl makes its bundle with our first
            # certificate, of somebody else's too.
            stays = set().union(*new.values())
            for reader, had in old.items():
                gone = set(had) - stays - set(at_kill.seen[name][reader])
                if gone:
                    lost[name, reader] = gone
        return lost

    def untorn(self, at_kill):
        """At that moment each reader sees old or new, or some of both, and nothing else."""
        for name in self.names:
            if name in ("firefox", "chromium"):
                continue # copied while a journal lies beside them: recover has to do it
            if at_kill.seen[name] is None:
                self.wrong("%s is torn: %s" % (name, at_kill.unreadable[name]))
                continue
            for reader, sees in at_kill.seen[name].items():
                old, new = (set(self.states[key].seen[name][reader]) for key in ("old", "new"))
                if not old & new <= set(sees) <= old | new:
                    self.wrong("%s by %s is torn: %s" % (name, reader, sees))

    def recover(self, lost):
        """recover, and with --yes where it asks for that. Returns whether it did, what the last one
        said, and the fleet after it."""
        run = self.run("recover")
        now = self.look()
        for (name, reader), gone in lost.items():
            back = gone & set((now.seen[name] or {}).get(reader, ()))
            if back:
                self.wrong("%s is back without recover --yes for %s by %s" % (sorted(back), name, reader), run)
        if run.code == 0:
            return False, run, now
        if not self.args.all_or_nothing or not run.says("recover --yes"):
            self.wrong("recover: exit %d" % run.code, run)
        run = self.run("recover", "--yes")
        if run.code != 0:
            self.wrong("recover --yes: exit %d" % run.code, run)
        return True, run, self.look()

    def judge(self, now, allowed):
        which = {}
        beside = sorted(set(os.listdir(self.stores)) - set(self.names))
        if beside:
            self.wrong("left behind beside the stores: %s" % beside)
        for name in self.names:
            found = [key for key in allowed if now.same(self.states[key], name)]
            which[name] = found[0] if found else "neither"
            kind = which[name].split(" ")[0]
            self.tally[kind] = self.tally.get(kind, 0) + 1
            if name in now.unreadable:
                self.wrong("%s cannot be read: %s" % (name, now.unreadable[name]))
            elif not found:
                self.wrong("%s is neither old nor new%s" % (name, self.difference(now, name, allowed)))
            if name in fleet.DATABASES and fleet.left_behind(self.stores, name):
                self.wrong("left behind in %s: %s" % (name, fleet.left_behind(self.stores, name)))
        return which

    def difference(self, now, name, allowed):
        text = ""
        for key in allowed:
            was = self.states[key]
            lines = set(was.bytes[name].splitlines()) ^ set(now.bytes[name].splitlines())
            text += "\n        against %s: %s; %s" % (
                key, "the same by readers" if was.seen[name] == now.seen[name] else now.seen[name],
                " ".join(sorted({line.split(" ")[0] for line in lines})[:6]))
        return text

    def clean(self):
        state = os.path.join(self.args.work, "state")
        left = [n for n in (os.listdir(state) if os.path.exists(state) else ()) if n not in ("journal", "journal-index", "checked")]
        if left:
            self.wrong("left in the state directory: %s" % left)
        run = self.run("history", "--json")
        try:
            pending = [s["store"] for t in json.loads(run.out)["transactions"] for s in t["stores"]
                       if s["state"] == "pending"]
        except (ValueError, KeyError) as error:
            pending = [str(error)]
        if run.code != 0 or pending:
            self.wrong("the journal is not settled: exit %d, pending %s" % (run.code, pending), run)
        if self.tried % 8 < 2: # after recover, and after the next command
            run = self.run("recover")
            if run.code != 0 or not run.says("%d stores: %d unchanged" % (len(self.names), len(self.names))):
                self.wrong("recover again: exit %d" % run.code, run)

    def trial(self, number, whom):
        """False: the command ended before that many calls."""
        args = self.args
        self.fresh()
        run, _, point = self.killed(number, whom, args.program + args.change)
        if point is None:
            return False
        self.point = "%d (%s, %s)" % (number, whom, point)
        self.tried += 1
        done = set()
        if run.code != 137:
            if whom == "all" or run.code not in (0, 1, 4, 6):
                self.wrong("exit %d" % run.code, run)
            elif "--json" in args.change:
                done = {s["store"] for s in json.loads(run.out)["stores"] if s["state"] == "done"}
        at_kill = self.look_at_copy()
        self.untorn(at_kill)
        lost = self.lost(at_kill) if args.narrowing else {}
        allowed, nexts = ["old", "new"], None
        if self.tried % 2 == 0:
            nexts = self.run(*args.next)
            if nexts.code not in (0, 1, 4) or (nexts.code and not nexts.says("recover --yes")):
                self.wrong("the next command: exit %d" % nexts.code, nexts)
            allowed = ["old and next", "new and next"]
        asked, run, now = self.recover(lost)
        if nexts is not None and nexts.code != 0:
            allowed += ["old", "new"] # it left out the stores that wait for an answer
        which = self.judge(now, allowed)
        kinds = {which[name].split(" ")[0] for name in self.differ}
        if args.all_or_nothing and len(kinds) > 1:
            self.wrong("all or nothing, and it is a mixture: %s" % sorted(which.items()), run)
        if asked and "new" in kinds:
            self.wrong("recover --yes left something done: %s" % sorted(which.items()), run)
        for name in self.names:
            if any(store.endswith("/" + name) or "/%s/" % name in store for store in done) and \
                    which[name].split(" ")[0] == "old":
                self.wrong("%s was called done, and is old" % name)
        self.clean()
        return True

    def look_at_copy(self):
        """Readers of databases may play back a journal: that is for recover to do."""
        copy = self.args.work + ".copy"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", self.stores, copy], check=True)
        return Fleet(copy, self.names, self.args.pki, () if self.args.narrowing else ("firefox", "chromium"))

    def all(self):
        args = self.args
        self.references()
        self.fresh()
        run, count, _ = self.killed(0, "all", args.program + args.change)
        self.must("the change, counted", run)
        numbers = list(range(1, count + 1))
        if 0 < args.at_most < count:
            numbers = [1 + (2 * i + 1) * count // (2 * args.at_most) for i in range(args.at_most)]
        for number in numbers:
            # By turns, in pairs: recover and the next command come after both.
            if not self.trial(number, "caller" if number % 4 >= 2 else "all"):
                self.whole += 1
        if self.tried * 10 < len(numbers) * 9:
            self.wrong("only %d of %d calls were reached" % (self.tried, len(numbers)))
        self.end()


if __name__ == "__main__":
    Harness(parse()).all()
