#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Servers with which no TLS connection comes about, or only just, for tests.

  --mode ask       asks for a client certificate and does without
  --mode require   wants one
  --mode stall     accepts the connection and says nothing
  --mode close     ends it in the middle of the handshake
  --mode plain     speaks HTTP on the port
  --mode captive   a proxy that answers CONNECT with a page
  --mode refuse    a proxy that refuses CONNECT

Whatever bytes of a request arrive are counted in the log. Standard library only.
"""
import argparse
import json
import signal
import socket
import ssl
import sys
import threading
import time

LIFETIME_S = 900  # a server that was forgotten ends by itself
STALL_S = 60
DRAIN_S = 5
PAGE = b"<html>sign in to the network</html>"
BODY = b'{"access_token":"broken-tls-token","token_type":"Bearer","expires_in":60}'


def answer(status, body, type=b"application/json"):
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status, type, len(body), body)


def read_request(connection):
    """The request with its body, or what came of it."""
    data, want = b"", None
    while want is None or len(data) < want:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
        head, end, _ = data.partition(b"\r\n\r\n")
        if end:
            length = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
            want = len(head) + len(end) + int(length[0] if length else 0)
    return data


def serve_tls(options, connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    context.load_verify_locations(options.ca)
    context.verify_mode = ssl.CERT_REQUIRED if options.mode == "require" else ssl.CERT_OPTIONAL
    with connection.dup() as kept:
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                data = read_request(tls)
                shown = tls.getpeercert(binary_form=True)
                tls.sendall(answer(b"200 OK", BODY))
                return len(data), bool(shown)
        except ssl.SSLError:
            # a reset would overtake the alert
            kept.shutdown(socket.SHUT_WR)
            kept.settimeout(DRAIN_S)
            while kept.recv(4096):
                pass
            return 0, False


def serve(options, connection):
    if options.mode in ("ask", "require"):
        return serve_tls(options, connection)
    if options.mode == "stall":
        time.sleep(STALL_S)  # the fault that this mode is for
        return 0, False
    if options.mode == "close":
        connection.recv(64)
        return 0, False
    data = read_request(connection) if options.mode != "plain" else connection.recv(64)
    status = {"plain": b"400 Bad Request", "captive": b"200 OK", "refuse": b"403 Forbidden"}[options.mode]
    connection.sendall(answer(status, PAGE, b"text/html"))
    return data.count(b"client_assertion"), False


def handle(options, connection):
    sent, shown = 0, False
    try:
        with connection:
            sent, shown = serve(options, connection)
    except OSError:
        pass  # the handshake that fails
    with open(options.log, "a", encoding="utf-8") as log:
        log.write(json.dumps({"bytes": sent, "certificate": shown}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", required=True)
    for name in ("tls-cert", "tls-key", "ca", "log"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    server = socket.create_server(("127.0.0.1", 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
    signal.alarm(LIFETIME_S)
    print(json.dumps({"ready": True, "port": server.getsockname()[1]}), flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=handle, args=(options, connection), daemon=True).start()


if __name__ == "__main__":
    main()
