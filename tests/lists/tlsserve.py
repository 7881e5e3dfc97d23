#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tlsserve.py KEY CHAIN...: a TLS server on loopback for each chain file, which is loaded as nginx loads
it (SSL_CTX_use_certificate_chain_file). Prints their ports, one a line, once all of them listen."""
import socket
import ssl
import sys
import threading


def answer(connection, context):
    try:
        connection.settimeout(20)
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
    except OSError:  # a client that refuses the chain
        connection.close()


def serve(listener, context):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, context), daemon=True).start()


def main():
    ports = []
    for chain in sys.argv[2:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, sys.argv[1])
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])
        threading.Thread(target=serve, args=(listener, context)).start()
    print(*ports, sep="\n", flush=True)


main()
