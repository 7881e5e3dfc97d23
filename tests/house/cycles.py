#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cycles.py BUILD-DIR ROOT MINIMUM: who uses whom, by the symbols of all object files.

A file uses another one if it refers to a symbol that the other one defines. There may be no cycle
between files, none between wings, and core may use only what lies below: see ALLOWED.
"""
import json
import os
import re
import subprocess
import sys

# Wings of core, and what each may use beside itself (HOUSE: nothing points upward).
ALLOWED = {
    "request": {"report", "readers", "change", "helpers", "stores", "lists", "formats", "certs", "sys", "kit"},
    "report": {"readers", "change", "stores", "lists", "formats", "certs", "sys", "kit"},
    "change": {"helpers", "stores", "certs", "sys", "kit"},
    "helpers": {"stores", "certs", "sys", "kit"},
    "stores": {"certs", "sys", "kit"},
    "readers": {"formats", "certs", "sys", "kit"},
    "lists": {"p11files", "formats", "certs", "sys", "kit"},
    "p11files": {"formats", "kit"},
    "formats": {"certs", "kit"},
    "certs": {"sys", "kit"},
    "sys": {"kit"},
    "kit": set(),
}
# Folders of backends that others stand on.
SHARED = {
    "openssl": set(),
    "cacerts": {"sources"},
    "nss": {"chromium", "homes", "pkcs11", "policy", "sqlite"},
    "p11kit": {"sources", "pkcs11"},
    "windows": {"hive"},
    "hive": set(),
    "policy": {"hive"},
    "chromium": {"homes", "sqlite"},
    "sources": set(),
    "homes": set(),
    "sqlite": set(),
    "pkcs11": set(),
}
# What printing a report may not do: everything is found out, and closed, before.
NOT_IN_REPORT = {"xr_pool_self_signed", "xr_pool_kind", "xr_pool_issued_by", "xr_pool_path",
                 "xr_cert_signed_by", "xr_store_open", "xr_store_close"}
# What of core beside the kit and formats is for backends too: plugins carry it
# (docs/decisions/0018).
CARRIED = {"core/sys/linux/owner.c", "core/sys/linux/walk.c", "core/sys/whole.c"}
DEFINED = set("TDBRVWCGSi")


def objects(build, root):
    """Source path, from the project's root, of each object file of core and backends."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            source = os.path.relpath(entry["file"], root)
            if source.split("/")[0] in ("core", "backends"):
                yield source, os.path.join(
                    entry["directory"], re.search(r" -o (\S+)", entry["command"]).group(1))


def symbols(path):
    defined, used = set(), set()
    for line in subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout.splitlines():
        name, kind = line.split()[:2]
        if kind == "U":
            used.add(name)
        elif kind in DEFINED:
            defined.add(name)
    return defined, used


def components(graph):
    """Strongly connected components of more than one node (Tarjan)."""
    index, low, stack, on, found, count = {}, {}, [], set(), [], [0]

    def visit(node):
        index[node] = low[node] = count[0]
        count[0] += 1
        stack.append(node)
        on.add(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
                on.discard(group[-1])
            if len(group) > 1:
                found.append(sorted(group))

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def wing(path):
    """("core", "kit") or ("backends", "nss")."""
    parts = path.split("/")
    return parts[0], parts[1] if len(parts) > 2 else ""


def allowed(user, used):
    (top, own), (other_top, other) = wing(user), wing(used)
    if (top, own) == (other_top, other):
        return True
    if top == "core":
        return other_top == "core" and other in ALLOWED.get(own, set())
    if other_top == "core":
        return other in {"kit", "formats", "p11files"} or used in CARRIED
    return other in SHARED.get(own, set())


def main():
    build, root, minimum = sys.argv[1], sys.argv[2], int(sys.argv[3])
    where, uses = {}, {}
    for source, path in sorted(objects(build, root)):
        defined, used = symbols(path)
        uses.setdefault(source, set()).update(used)
        for name in defined:
            where.setdefault(name, set()).add(source)
    graph, reasons, bad = {source: set() for source in uses}, {}, 0
    for source, names in uses.items():
        for name in names:
            # The table of what is linked in is generated, see core/xr_config.h.in.
            if name.startswith("xr_backend_entry_"):
                continue
            for other in where.get(name, ()):
                if other != source and source not in where.get(name, ()):
                    graph[source].add(other)
                    reasons.setdefault((source, other), name)
    for source, names in sorted(uses.items()):
        for name in sorted(names & NOT_IN_REPORT if wing(source) == ("core", "report") else ()):
            bad += 1
            print(f"{source} may not use {name}: a report holds finished facts")
    if len(graph) < minimum:
        print(f"only {len(graph)} object files were found in {build}")
        return 1
    for group in components(graph):
        bad += 1
        print("a circle of files: " + ", ".join(group))
        for user in group:
            for used in sorted(graph[user] & set(group)):
                print(f"    {user} -> {used} ({reasons[user, used]})")
    for user in sorted(graph):
        for used in sorted(graph[user]):
            if not allowed(user, used):
                bad += 1
                print(f"{user} may not use {used} ({reasons[user, used]})")
    wings = {}
    for user in graph:
        wings.setdefault(wing(user), set()).update(wing(used) for used in graph[user])
    for own in wings:
        wings[own].discard(own)
    for group in components(wings):
        bad += 1
        print("a circle of folders: " + ", ".join("/".join(each) for each in group))
    print(f"{len(graph)} files, {sum(map(len, graph.values()))} arrows, "
          f"{sum(map(len, wings.values()))} between folders; {bad} faults")
    return bad != 0


sys.exit(main())
