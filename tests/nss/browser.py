#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Drives real browsers, headless, against TLS servers on loopback.

Reads commands, one a line, fields separated by tabs; answers each with one line.

  serve KEY CHAIN          a server that sends exactly this chain (PEM files); answers its port
  impostor CHAIN           likewise, of a chain whose key nobody here has: enough to hear what
                           Chromium says of it, which judges before it looks at the signature
  start firefox PROFILE    starts it with a profile directory
  start chromium DIR       starts it with a data directory; its NSS database is found by $HOME
  ask BROWSER PORT...      for each server: "yes" if its page came, "no" if the browser does not
                           trust its certificate's issuers, else what went wrong
  visit BROWSER PORT       the same of one server by opening its page, which is slow
  fresh DIR DIR PORT...    starts Firefox and Chromium, again if they ran, asks both at once and
                           answers for both, with a slash between
  js FILE [ARG]...         runs the file in Firefox with its own privileges; answers what it returns
  page URL FILE [ARG]...   opens it in Chromium and runs the file there; answers what it returns
  stop BROWSER             answers when it is gone

Anything that goes wrong is answered as "error: ...". Ends with its input, and the browsers with it.
"""
import base64
import concurrent.futures
import fcntl
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

PATIENCE = 60  # seconds for anything at all
PAGE = b"<!DOCTYPE html><title>crossroot</title><p>crossroot-test-page"
MARK = "crossroot-test-page"
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
)
# The issuers are not trusted. A wrong name, an expired certificate or no answer is none of these.
UNTRUSTED = {
    "SEC_ERROR_UNKNOWN_ISSUER",
    "SEC_ERROR_UNTRUSTED_ISSUER",
    "SEC_ERROR_UNTRUSTED_CERT",
    "MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT",
    "net::ERR_CERT_AUTHORITY_INVALID",
}


REQUEST = """
return new Promise(resolve => {
  const request = new XMLHttpRequest({mozAnon: true});
  request.onload = () => resolve(["", request.responseText]);
  request.onerror = () => resolve([
    request.channel.securityInfo?.errorCodeString || `status ${request.channel.status}`, ""]);
  request.open("GET", arguments[0]);
  request.send();
});"""


class Trouble(Exception):
    pass


def listen(answer, port=0):
    """A server that gives each connection to answer, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", port), backlog=32)

    def one(connection):
        connection.settimeout(PATIENCE)
        with connection:
            try:
                answer(connection)
            except OSError:
                pass  # the browser refused, which it tells itself

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return str(listener.getsockname()[1])


def serve(key, chain):
    """Without tickets, and a connection for each page: every question is a whole handshake. What
    is too weak is for the browser to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(chain, key)
    context.num_tickets = 0

    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(RESPONSE)

    return listen(answer)


def counted(size, data):
    return len(data).to_bytes(size, "big") + data


def impostor(chain):
    """The server's first flight of TLS 1.2 (RFC 5246, 7.4), with an RSA signature of nothing."""
    with open(chain) as file:
        blocks = file.read().split("-----BEGIN CERTIFICATE-----")[1:]
    ders = [base64.b64decode(block.split("-----END")[0]) for block in blocks]
    # extended master secret, renegotiation info; ECDHE-RSA-AES128-GCM-SHA256; X25519, PSS
    extensions = counted(2, b"\0\x17\0\0" b"\xff\x01\0\x01\0")
    messages = (
        (2, b"\3\3" + os.urandom(32) + b"\0" b"\xc0\x2f" b"\0" + extensions),
        (11, counted(3, b"".join(counted(3, der) for der in ders))),
        (12, b"\3\0\x1d" + counted(1, os.urandom(32)) + b"\x08\x04" + counted(2, os.urandom(256))),
        (14, b""),
    )

    def answer(connection):
        connection.recv(65536)
        for kind, body in messages:
            connection.sendall(b"\x16\3\3" + counted(2, bytes([kind]) + counted(3, body)))
        connection.recv(65536)

    return listen(answer)


class Browser:
    """A program of its own process group; where it writes what nobody reads is its log."""

    def spawn(self, command, log, **options):
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                start_new_session=True, **options
            )
        self.log = log

    def alive(self, deadline):
        if self.process.poll() is not None:
            raise Trouble(f"it ended with {self.process.returncode}, see {self.log}")
        if time.monotonic() > deadline:
            raise Trouble("no answer in time")

    def stop(self):
        try:
            self.leave()
            self.process.wait(PATIENCE)
        finally:
            self.kill()

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def ask(self, port, how="error_of"):
        error = getattr(self, how)(f"https://localhost:{port}/")
        return "yes" if error is None else "no" if error in UNTRUSTED else error


class Firefox(Browser):
    """By Marionette: length-prefixed JSON over TCP."""

    def __init__(self, profile):
        with open(os.path.join(profile, "user.js"), "w") as prefs:
            prefs.write('user_pref("marionette.port", 0);\n')
            # Every name is this machine's.
            prefs.write('user_pref("network.dns.forceResolve", "localhost");\n')
        told = os.path.join(profile, "MarionetteActivePort")
        if os.path.exists(told):
            os.unlink(told)
        self.spawn(
            ["firefox-esr", "--headless", "--no-remote", "--profile", profile, "--marionette",
             "--remote-allow-system-access", "about:blank"],
            os.path.join(profile, "browser.log"),
        )
        self.socket = None
        self.count = 0
        try:
            self.connect(told)
        except BaseException:
            self.kill()
            raise

    def connect(self, told):
        deadline = time.monotonic() + PATIENCE
        while self.socket is None:
            self.alive(deadline)
            try:
                with open(told) as file:
                    self.socket = socket.create_connection(("127.0.0.1", int(file.read())))
            except (OSError, ValueError):  # not there, or not yet written
                time.sleep(0.02)
        self.socket.settimeout(PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.read()
        self.call("WebDriver:NewSession", capabilities={})

    def read(self):
        digits = b""
        while not digits.endswith(b":"):
            digit = self.stream.read(1)
            if not digit:
                raise Trouble(f"Firefox is gone, see {self.log}")
            digits += digit
        return json.loads(self.stream.read(int(digits[:-1])))

    def send(self, name, **arguments):
        self.count += 1
        message = json.dumps([0, self.count, name, arguments]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.read()
        return error, result

    def call(self, name, **arguments):
        error, result = self.send(name, **arguments)
        if error is not None:
            raise Trouble(f"{name}: {error['error']}: {error['message']}")
        return result

    def script(self, text, *arguments):
        return self.call("WebDriver:ExecuteScript", script=text, args=list(arguments))["value"]

    def error_of(self, url):
        """Without a page: Firefox needs a second of processor time to show a warning."""
        error, body = self.privileged(REQUEST, url)
        return error or (None if MARK in body else f"another page: {body[:80]!r}")

    def visit(self, url):
        error, _ = self.send("WebDriver:Navigate", url=url)
        if error is None:
            return None if MARK in self.script("return document.body.textContent") else "no page"
        if error["error"] != "insecure certificate":
            return f"{error['error']}: {error['message']}"
        return self.script("return document.getFailedCertSecurityInfo().errorCodeString")

    def privileged(self, text, *arguments):
        self.call("Marionette:SetContext", value="chrome")
        try:
            return self.script(text, *arguments)
        finally:
            self.call("Marionette:SetContext", value="content")

    def leave(self):
        self.call("Marionette:Quit", flags=["eForceQuit"])


class Chromium(Browser):
    """By its debugging pipe: JSON closed by zero bytes, on descriptors 3 and 4."""

    def __init__(self, data):
        os.makedirs(data, exist_ok=True)
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        # Out of the way of 3 and 4, which the shell makes of them.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs_in, theirs_out)]
        self.spawn(
            ["bash", "-c", 'exec "${@:3}" 3<&"$1" 4>&"$2"', "bash", *map(str, theirs),
             "chromium", "--headless", "--no-sandbox", "--no-first-run", "--disable-gpu",
             "--remote-debugging-pipe", "--host-resolver-rules=MAP * 127.0.0.1",
             f"--user-data-dir={data}", "about:blank"],
            os.path.join(data, "browser.log"), pass_fds=theirs,
        )
        for fd in (theirs_in, theirs_out, *theirs):
            os.close(fd)
        self.rest = b""
        self.count = 0
        self.session = {}
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = {"sessionId": attached["sessionId"]}
            self.frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        except BaseException:
            self.kill()
            raise

    def read(self):
        timer = threading.Timer(PATIENCE, self.process.kill)  # then the pipe ends
        timer.start()
        try:
            while b"\0" not in self.rest:
                data = os.read(self.back, 65536)
                if not data:
                    raise Trouble(f"Chromium is gone, see {self.log}")
                self.rest += data
        finally:
            timer.cancel()
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params, **self.session}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") != self.count:
                continue  # an event
            if "error" in answer:
                raise Trouble(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def error_of(self, url):
        """By the page's loader, as the warning in place of a page comes only after 3 seconds."""
        options = {"disableCache": True, "includeCredentials": False}
        resource = self.call(
            "Network.loadNetworkResource", frameId=self.frame, url=url, options=options
        )["resource"]
        if not resource["success"]:
            return resource.get("netErrorName", str(resource))
        body = self.call("IO.read", handle=resource["stream"])["data"]
        return None if MARK in body else f"another page: {body[:80]!r}"

    def visit(self, url):
        return self.call("Page.navigate", url=url).get("errorText")

    def page(self, url, text, *arguments):
        self.call("Page.navigate", url=url)
        answer = self.call(
            "Runtime.evaluate", awaitPromise=True, returnByValue=True,
            expression=f"(async (...args) => {{{text}}})(...{json.dumps(arguments)})",
        )
        if "exceptionDetails" in answer:
            raise Trouble(answer["exceptionDetails"]["exception"].get("description", "it failed"))
        return str(answer["result"].get("value"))

    def leave(self):
        self.call("Browser.close")

    def kill(self):
        super().kill()
        os.close(self.to)
        os.close(self.back)


KINDS = {"firefox": Firefox, "chromium": Chromium}


def start(running, name, place):
    if name in running:
        raise Trouble(f"{name} runs already")
    running[name] = KINDS[name](place)


def ask(running, name, ports):
    return " ".join(running[name].ask(port) for port in ports)


def fresh(running, places, ports):
    def one(name, place):
        if name in running:
            running.pop(name).stop()
        start(running, name, place)
        return ask(running, name, ports)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(one, KINDS, places))
    return " / ".join(answers)


def obey(running, verb, *args):
    if verb == "serve":
        return serve(*args)
    if verb == "impostor":
        return impostor(*args)
    if verb == "start":
        start(running, *args)
        return "started"
    if verb == "ask":
        return ask(running, args[0], args[1:])
    if verb == "visit":
        return running[args[0]].ask(args[1], "visit")
    if verb == "fresh":
        return fresh(running, args[:2], args[2:])
    if verb == "js":
        with open(args[0]) as file:
            return str(running["firefox"].privileged(file.read(), *args[1:]))
    if verb == "page":
        with open(args[1]) as file:
            return running["chromium"].page(args[0], file.read(), *args[2:])
    if verb == "stop":
        running.pop(args[0]).stop()
        return "stopped"
    raise Trouble(f"no such command: {verb}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    running = {}
    try:
        for line in sys.stdin:
            try:
                reply = obey(running, *line.rstrip("\n").split("\t"))
            except Exception as error:  # whatever it is, the script that asked must see it
                reply = f"error: {type(error).__name__}: {error}"
            print(reply.replace("\n", " "), flush=True)
    finally:
        for browser in running.values():
            browser.kill()


if __name__ == "__main__":
    main()
