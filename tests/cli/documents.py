#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what documents tell people to type, and compares what is printed with what they show.

documents.py [--update] run SCENES DOCUMENT...   runs every ```console block
documents.py [--update] picture SCENES FILE.svg  the same for the picture, or draws it anew
documents.py checked CROSSROOT DOCUMENT...       reads the blocks that cannot be run

Kinds of blocks: console (a terminal: "$ " and what follows is run), sh (checked for syntax, and that
crossroot has these commands and options), text, json and c (nothing to run). Others are mistakes.
<!-- scene: NAME --> before a block begins a new home, made by SCENES NAME DIRECTORY; what follows goes
on in it, in the same shell. <!-- meanwhile: COMMAND --> is run there unseen. A line "…" in a document stands for any lines.
NAME.ja.md shows what the program says in Japanese.
"""
import difflib
import html
import os
import re
import secrets
import shlex
import subprocess
import sys
import unicodedata

PICTURE = [
    ("browsers", "crossroot verify nii-odca4g8rsa.cer"),
    ("", "crossroot install tlsrsarootca2024cross-pem.cer --pin \\\n"
         "    C8FB5BB81193CA9B531E2A0A568F14CC75D20924B98D2724DD243F63D813CF13"),
    ("", "crossroot verify nii-odca4g8rsa.cer"),
    ("", "crossroot undo"),
]
FENCE = re.compile(r"^```(\w*)\s*$")
MEANWHILE = re.compile(r"^<!-- meanwhile: (.*) -->$")
SCENE = re.compile(r"^<!-- scene: (\w+) -->$")
failures = 0


def say(good, what, lines=()):
    global failures
    failures += not good
    print(("ok    " if good else "FAIL  ") + what)
    for line in lines:
        print("    " + line)


def blocks(lines):
    """(kind, number of the first line, number of the closing fence, scene, unseen) of every block."""
    kind, begin, scene, unseen = None, 0, "", []
    for at, line in enumerate(lines):
        fence = FENCE.match(line)
        if kind is None and fence:
            kind, begin = fence.group(1), at + 1
        elif kind is not None and line == "```":
            yield kind, begin, at, scene, unseen
            kind, scene, unseen = None, "", []
        elif kind is None and SCENE.match(line):
            scene = SCENE.match(line).group(1)
        elif kind is None and MEANWHILE.match(line):
            unseen.append(MEANWHILE.match(line).group(1))


def commands(lines):
    """(command, its last line + 1, end of its output) of every prompt of a block."""
    found, at = [], 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            raise SystemExit(f"not a prompt: {lines[at]}")
        end = at + 1
        while lines[end - 1].endswith("\\"):
            end += 1
        output = end
        while output < len(lines) and not lines[output].startswith("$ "):
            output += 1
        found.append(("\n".join([lines[at][2:]] + lines[at + 1:end]), end, output))
        at = output
    return found


def perform(scenes, scene, todo, colour=False, language="en"):
    """What each command printed on a terminal of 80 columns, in one shell and one new home."""
    # As long as /home/alice, so that lines are broken at the same words.
    while True:
        home = "/tmp/x" + secrets.token_hex(3)[1:]
        try:
            os.mkdir(home, 0o700)
            break
        except FileExistsError:
            pass
    mark = "@@@%d@@@"
    try:
        prefix = subprocess.run(["bash", scenes, scene, home], check=True, stdout=subprocess.PIPE,
                                universal_newlines=True).stdout.split()
        script = os.path.join(home, ".typed")
        with open(script, "w", encoding="utf-8") as out:
            out.write("cd; unset NO_COLOR\nexport TERM=xterm\n" if colour else
                      "cd; export NO_COLOR=1 TERM=xterm\n")
            for number, command in enumerate(todo):
                out.write(f"printf '{mark % number}\\n'\n{command}\ncode=$?; "
                          f"[ $code -lt 99 ] || echo \"exit $code\"\n")
            out.write(f"printf '{mark % len(todo)}\\n'\n")
        os.chmod(script, 0o644)
        line = " ".join(map(shlex.quote, prefix + ["bash", script]))
        typed = subprocess.run(["script", "-qec", f"stty cols 80; exec {line}", "/dev/null"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, "HOME": home, "LANGUAGE": language})
        text = typed.stdout.decode("utf-8", "replace").replace("\r", "")
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", home], check=False)
        subprocess.run(["rm", "-rf", home], check=False)
    text = text.replace(home, "/home/alice")
    if scene == "machine": # for which an image stands
        text = text.replace("CA certificates of the image", "CA certificates of this system")
        text = text.replace("イメージのCA証明書", "このシステムのCA証明書")
    text = re.sub(r"([+-]\d{4}  )[\w.-]+: ", r"\1alice: ", text)
    return [text.split(mark % number + "\n", 1)[1].split(mark % (number + 1), 1)[0].rstrip("\n")
            if mark % number in text else "" for number in range(len(todo))]


def normal(text):
    """Without what differs from run to run, and where lines are broken because of that."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"crossroot undo [0-9a-f]{16}", "crossroot undo ID", text)
    text = re.sub(r"(\"transaction\": \")[0-9a-f]{16}", r"\1ID", text)
    text = re.sub(r"^[0-9a-f]{16}  20\d\d-\d\d-\d\d \d\d:\d\d [+-]\d{4}", "ID WHEN", text, flags=re.M)
    text = re.sub(r"(libnss3|OpenSSL|GnuTLS|crossroot)(\s+)\d+(\.\d+)+\w*", r"\1 N", text)
    return re.sub(r"\s+", " ", text).strip()


def same(shown, printed):
    if "\n…" not in "\n" + shown:
        return normal(shown) == normal(printed)
    parts = [re.escape(normal(part)) for part in re.split(r"^…$", shown, flags=re.M)]
    return re.fullmatch(r"\s*.*\s*".join(parts), normal(printed)) is not None


def shorten(shown, printed):
    """What is printed, with a line "…" where the document leaves lines out."""
    if "…" not in shown:
        return printed
    kept, at = [], 0
    for line in shown:
        likeness = [difflib.SequenceMatcher(None, line, other).ratio() for other in printed[at:]]
        if line != "…" and likeness and max(likeness) > 0.6:
            at += likeness.index(max(likeness)) + 1
            kept.append(at - 1)
    out, last = [], -1
    for number in kept + [len(printed)]:
        out += ["…"] if number > last + 1 else []
        out += printed[number:number + 1]
        last = number
    return out


def run_document(scenes, name, update):
    with open(name, encoding="utf-8") as file:
        lines = file.read().split("\n")
    parts, scene = [], []
    for kind, begin, end, new, unseen in blocks(lines):
        if kind != "console":
            continue
        if new or not scene:
            scene = [new, []]
            parts.append(scene)
        scene[1].extend((command, 0, 0) for command in unseen)
        for command, first, last in commands(lines[begin:end]):
            scene[1].append((command, begin + first, begin + last))
    edits = []
    language = "ja" if name.endswith(".ja.md") else "en"
    for scene, todo in parts:
        if not scene:
            raise SystemExit(f"{name}: a block without a scene")
        reason = os.environ.get("XR_NO_" + scene.upper())
        if reason:
            print(f"skip  {name}: {scene}: {reason}")
            continue
        for (command, first, last), printed in zip(
                todo, perform(scenes, scene, [command for command, _, _ in todo], language=language)):
            if last == 0:
                say(printed == "", f"{name}: unseen: {command}", printed.split("\n") if printed else [])
                continue
            shown = "\n".join(lines[first:last])
            # What a "…" hides must not hide these.
            crashed = re.search(r"Sanitizer|runtime error|^exit \d+$", printed, re.M) is not None
            good = same(shown, printed) and not crashed
            if update and not good and not crashed:
                edits.append((first, last, shorten(lines[first:last], printed.split("\n") if printed else [])))
                print(f"new   {name}: {command}")
                continue
            say(good, f"{name}: {command}", [] if good else ["shown:", *shown.split("\n"), "printed:",
                                                             *printed.split("\n")])
    for first, last, printed in reversed(edits):
        lines[first:last] = printed
    if edits:
        with open(name, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


COLOURS = {"1": "b", "31": "r", "32": "g", "33": "y", "2": "d"}


def spans(line):
    """One line as text of SVG, its colours as classes."""
    out, classes = "", []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            codes = part[2:-1].split(";")
            classes = [] if codes in ([""], ["0"]) else classes + [COLOURS[c] for c in codes if c in COLOURS]
        elif part:
            text = html.escape(part, quote=False)
            out += f'<tspan class="{" ".join(classes)}">{text}</tspan>' if classes else text
    return out


def draw(lines):
    """80 columns of 8.4 pixels, in a window."""
    height = 20 * len(lines) + 32
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="712" height="{height}" '
           f'viewBox="0 0 712 {height}" role="img">',
           "<title>crossroot in a terminal: no, install, yes, undo</title>",
           "<style>text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d0d7de; "
           "white-space: pre } .b { font-weight: bold; fill: #fff } .r { fill: #ff7b72 } .g { fill: #7ee787 } "
           ".y { fill: #e3b341 } .d { fill: #8b949e } .p { fill: #79c0ff }</style>",
           '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>']
    for at, line in enumerate(lines):
        out.append(f'<text x="20" y="{20 * at + 30}" xml:space="preserve">{spans(line)}</text>')
    return "\n".join(out + ["</svg>", ""])


def picture(scenes, name, update):
    todo = [command for _, command in PICTURE]
    lines = []
    for command, printed in zip(todo, perform(scenes, PICTURE[0][0], todo, colour=True)):
        lines += [f"\x1b[1m{line}\x1b[0m" for line in ("$ " + command).split("\n")]
        lines += printed.split("\n") + [""]
    drawn = draw(lines[:-1])

    def text(svg):
        rows = re.findall(r"<text [^>]*>(.*?)</text>", svg)
        return "\n".join(html.unescape(re.sub(r"</?tspan[^>]*>", "", row)) for row in rows)

    kept = ""
    if os.path.exists(name):
        with open(name, encoding="utf-8") as file:
            kept = file.read()
    good = normal(text(kept)) == normal(text(drawn))
    if update and not good:
        with open(name, "w", encoding="utf-8") as file:
            file.write(drawn)
        print(f"new   {name}")
        return
    say(good, f"{name} shows what the program prints", [] if good else text(drawn).split("\n"))
    wide = [row for row in text(kept).split("\n") if len(row) > 80]
    say(not wide, f"{name} has 80 columns", wide)


def cells(line):
    """What it takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def headings(name):
    """The anchors that a page of Markdown has."""
    with open(name, encoding="utf-8") as file:
        text = re.sub(r"^```.*?^```$", "", file.read(), flags=re.M | re.S)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.M)]


def links(name):
    with open(name, encoding="utf-8") as file:
        targets = re.findall(r"\]\(([^)\s]+)\)", file.read())
    bad = []
    for target in targets:
        path, _, anchor = target.partition("#")
        if target.startswith("https:"):
            continue
        path = os.path.join(os.path.dirname(name), path) if path else name
        if not os.path.exists(path) or anchor and anchor not in headings(path):
            bad.append(target)
    say(not bad, f"{name}: {len(targets)} links lead somewhere", bad)


def checked(program, names):
    def output(*words):
        return subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True).stdout

    common = output("help", "options")
    known = {}
    for name in names:
        with open(name, encoding="utf-8") as file:
            lines = file.read().split("\n")
        links(name)
        for kind, begin, end, _, _ in blocks(lines):
            text = "\n".join(lines[begin:end])
            where = f"{name}:{begin + 1}"
            prompts = re.search(r"^\$ ", text, re.M) is not None
            if prompts != (kind == "console") or kind not in ("console", "sh", "text", "json", "c"):
                say(False, f"{where}: a block of kind \"{kind}\"", [text])
            if kind == "console":
                wide = [line for line in lines[begin:end] if cells(line) > 80 and not line.startswith("$ ")]
                say(not wide, f"{where}: fits 80 columns", wide)
            if kind != "sh":
                continue
            code = subprocess.run(["bash", "-n"], input=text, universal_newlines=True,
                                  stderr=subprocess.PIPE)
            say(code.returncode == 0, f"{where}: shell", code.stderr.split("\n") if code.stderr else [])
            joined = re.sub(r"\\\n\s*", " ", re.sub(r"\s#.*", "", text))
            for words in re.findall(r"(?:^|[\s/|;'\"(])crossroot ([^|;\n'\")]*)", joined):
                words = words.split()
                verbs = [word for word in words if re.fullmatch("[a-z]+", word) and output("help", word) and
                         "Usage:" in known.setdefault(word, output("help", word))]
                text_of = common + "".join(known[verb] for verb in verbs[:1])
                bad = [word for word in words if re.match("--?[a-z]", word) and
                       not re.search(re.escape(word.split("=")[0]) + r"\b", text_of)]
                say(not bad, f"{where}: crossroot {' '.join(words)}", bad)


def main():
    words = sys.argv[1:]
    update = words[0] == "--update"
    verb, first, *names = words[update:]
    if verb == "checked":
        checked(first, names)
    elif verb == "picture":
        picture(first, names[0], update)
    else:
        for name in names:
            run_document(first, name, update)
    sys.exit(failures > 0)


main()
