#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ports on which no TLS connection comes about, and proxies, for tests.

The ready line has "ports", the port of each name in the tables below. What a
client sends is a JSON line in the log: port's name, and bytes as Latin-1, for a
proxy without what goes through it. Standard library only.
"""
import argparse
import json
import signal
import socket
import struct
import sys
import threading

LIFETIME_S = 900  # a server that was forgotten ends by itself
PAGE = b"<html>Sign in to this network</html>"
# a ServerHello of TLS 1.2, cut off in its random
HALF_HELLO = bytes.fromhex("160303004a020000460303") + b"\x07" * 8
ALERT = bytes.fromhex("15030300020228")  # fatal: handshake_failure


def answer(status, *fields, body=PAGE):
    lines = [b"HTTP/1.1 " + status, b"Content-Type: text/html", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- instead of TLS: what to do after the first bytes (the ClientHello)
def stall(connection):
    while connection.recv(65536):
        pass  # until the client has had enough


def say(data):
    def talk(connection):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        stall(connection)

    return talk


STRANGERS = {
    "stall": stall,
    "close": lambda connection: None,
    "reset": reset,
    "half": say(HALF_HELLO),
    "alert": say(ALERT),
    "garbage": say(bytes(range(256)) * 4),
    "http": say(answer(b"400 Bad Request")),
    "smtp": say(b"220 mail.example ESMTP\r\n"),
}


# ---- proxies: what to say to CONNECT
def tunnel(connection, host, port):
    with socket.create_connection((host, port)) as server:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(server, connection), daemon=True).start()
        pump(connection, server)


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of them is gone


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PROXIES = {
    "tunnel": None,
    "407": say(answer(b"407 Proxy Authentication Required", b'Proxy-Authenticate: Basic realm="p"')),
    "403": say(answer(b"403 Forbidden")),
    "502": say(answer(b"502 Bad Gateway")),
    "redirect": say(answer(b"302 Found", b"Location: http://login.example/")),
    "page": say(answer(b"200 OK")),  # the page is taken for the server's TLS
    "then-page": say(ESTABLISHED + answer(b"200 OK")),
    "then-nothing": say(ESTABLISHED),
    "no-http": say(b"SSH-2.0-proxy\r\n"),
    "hang-up": lambda connection: None,
    "mute": stall,
}


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(65536)
        if not data:
            break
        head += data
    return head


def serve(name, connection):
    data = connection.recv(65536) if name in STRANGERS else read_head(connection)
    yield data
    if name in STRANGERS:
        STRANGERS[name](connection)
    elif name == "tunnel":
        host, port = data.split()[1].decode().rsplit(":", 1)
        tunnel(connection, host, int(port))
    else:
        PROXIES[name](connection)


def handle(name, connection, log, lock):
    try:
        with connection:
            for data in serve(name, connection):
                with lock:
                    log.write(json.dumps({"port": name, "bytes": data.decode("latin-1")}) + "\n")
                    log.flush()
    except OSError:
        pass  # the client is gone


def listen(name, listener, log, lock):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(name, connection, log, lock), daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", required=True, help="file for what arrives")
    options = parser.parse_args()

    lock = threading.Lock()
    ports = {}
    with open(options.log, "a", encoding="utf-8") as log:
        for name in {**STRANGERS, **PROXIES}:
            listener = socket.create_server(("127.0.0.1", 0))
            ports[name] = listener.getsockname()[1]
            threading.Thread(target=listen, args=(name, listener, log, lock), daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.alarm(LIFETIME_S)
        print(json.dumps({"ready": True, "ports": ports}), flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
