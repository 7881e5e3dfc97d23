#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py KEY DIR PORT CHAIN [PORT CHAIN]...: files of DIR over TLS, one server for each chain."""
import functools
import http.server
import ssl
import sys
import threading


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass

    def process_request_thread(self, request, client_address):
        try:  # a client that refuses the server, or is slow, holds up nobody else
            request.settimeout(20)
            request.do_handshake()
        except OSError:
            self.shutdown_request(request)
            return
        super().process_request_thread(request, client_address)


def main():
    key, directory = sys.argv[1:3]
    servers = []
    for port, chain in zip(sys.argv[3::2], sys.argv[4::2]):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        server = Server(("127.0.0.1", int(port)), functools.partial(Quiet, directory=directory))
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        servers.append(threading.Thread(target=server.serve_forever))
        servers[-1].start()
    for thread in servers:
        thread.join()


main()
