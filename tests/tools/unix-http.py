#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of a unix socket that curl is too well-behaved to be.

Each prints the HTTP status of every answer, one a line; "closed" where the
connection ended without one, "silent" where nothing came.

usage: unix-http.py SOCKET pipeline COUNT PATH  all requests in one write
       unix-http.py SOCKET drip PATH            a byte at a time
       unix-http.py SOCKET idle COUNT PATH      COUNT connections that say nothing,
                                                then a request
       unix-http.py SOCKET burst COUNT PATH     COUNT connections, a request in each,
                                                then the answers
       unix-http.py SOCKET leave PATH           hangs up at once
       unix-http.py SOCKET garbage              what is no HTTP

PATH may be @FILE: what is in there.
"""
import collections
import random
import socket
import sys
import time

TIMEOUT_S = 60
SILENCE_S = 1  # after garbage
SEED = 740  # garbage that is the same each time
BYTE_S = 0.002  # between two bytes: a slow client is what "drip" is for


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_S)
    connection.connect(path)
    return connection


def request(path, *fields):
    if path.startswith("@"):
        with open(path[1:], encoding="ascii") as file:
            path = file.read()
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answers(connection, count):
    """The statuses of so many answers."""
    data, found = b"", []
    while len(found) < count:
        head, separator, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if separator and len(rest) >= length:
            found.append(head.split(b" ")[1].decode())
            data = rest[length:]
            continue
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            return found + ["silent"]
        except ConnectionError:
            chunk = b""
        if not chunk:
            return found + ["closed"]
        data += chunk
    return found


def pipeline(path, count, target):
    connection = connect(path)
    try:
        connection.sendall(request(target) * int(count))
    except ConnectionError:
        pass  # it had enough, and has said so
    return answers(connection, int(count))


def drip(path, target):
    connection = connect(path)
    for byte in request(target, "Connection: close"):
        connection.sendall(bytes([byte]))
        time.sleep(BYTE_S)
    return answers(connection, 1)


def idle(path, count, target):
    silent = [connect(path) for _ in range(int(count))]
    connection = connect(path)
    connection.sendall(request(target))
    found = answers(connection, 1)
    for one in silent:
        one.close()
    return found


def burst(path, count, target):
    connections = [connect(path) for _ in range(int(count))]
    for connection in connections:
        connection.sendall(request(target))
    found = collections.Counter()
    for connection in connections:
        found[answers(connection, 1)[0]] += 1
    return [f"{status} {number}" for status, number in sorted(found.items())]


def leave(path, target):
    connection = connect(path)
    connection.sendall(request(target))
    connection.close()
    return []


def garbage(path):
    chance = random.Random(SEED)
    pieces = [
        b"\r\n" * 1000,
        b"\0" * 5000,
        b"GET\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        *(chance.randbytes(chance.randrange(1, 30000)) for _ in range(50)),
    ]
    found = []
    for piece in pieces:
        connection = connect(path)
        connection.settimeout(SILENCE_S)
        try:
            connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            found += answers(connection, 1)
        except ConnectionError:
            found.append("closed")
        connection.close()
    return found


def main():
    path, what, *rest = sys.argv[1:]
    modes = {mode.__name__: mode for mode in (pipeline, drip, idle, burst, leave, garbage)}
    for line in modes[what](path, *rest):
        print(line)


if __name__ == "__main__":
    main()
