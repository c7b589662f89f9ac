# SPDX-License-Identifier: Apache-2.0
"""The files of tests/data/answers, for answer-server.py: what is answered at /NAME.

The README.md beside them has the format. In short: keys, an empty line, and what
is sent, with CR LF for the end of each line but the last, and words between two @
for what nobody can write down.
"""
import email.utils
import gzip
import os
import re
import socket
import struct
import time
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "data", "answers")
CODINGS = {
    None: bytes,
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": zlib.compress,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "utf-16-le": lambda body: body.decode().encode("utf-16-le"),
}
ENDS = {
    "close": lambda connection: connection.unwrap(),  # as TLS wants it
    "cut": lambda connection: None,
    "reset": lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    "wait": lambda connection: connection.recv(1),  # until the client is gone
}


def file_of(path):
    """The name of the file that answers at this path, or None."""
    match = re.match(r"/([0-9][0-9]-[a-z0-9-]+)(/|$)", path)
    return match[1] if match and os.path.exists(os.path.join(FOLDER, match[1])) else None


def read(name):
    """Its keys, each with its last value, and the answers to the first request, the second..."""
    with open(os.path.join(FOLDER, name), "rb") as file:
        head, _, answers = file.read().partition(b"\n\n")
    lines = (line.partition(":") for line in head.decode().splitlines())
    return {key: value.strip() for key, _, value in lines}, answers.removesuffix(b"\n").split(b"\n@next@\n")


def word(text, port):
    """What stands for @text@."""
    if match := re.fullmatch(r"x((?:[0-9a-f]{2})+)", text):
        return bytes.fromhex(match[1])
    if match := re.fullmatch(r"([0-9]+)\*(.+)", text):
        return match[2].encode() * int(match[1])
    if match := re.fullmatch(r"(date|time)([+-][0-9]+)?", text):
        at_s = time.time() + int(match[2] or 0)
        return (email.utils.formatdate(at_s, usegmt=True) if match[1] == "date" else str(int(at_s))).encode()
    if text in ("BASE", "OTHER"):
        return b"https://%s:%d" % (b"localhost" if text == "BASE" else b"127.0.0.1", port)
    raise ValueError(f"no such word: @{text}@")


def send_whole(handler, answer, expand, coding=None):
    """With the fields that every answer has, and the connection stays."""
    head, _, body = answer.partition(b"\r\n\r\n")
    body = CODINGS[coding](expand(body))
    if b"\nDate: " not in head:
        head += b"\r\nDate: @date@"
    handler.wfile.write(expand(head) + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def send_without_end(handler, start, again, pause_s):
    """Until the client has had enough, which ends the connection."""
    handler.wfile.write(start)
    while True:
        handler.wfile.write(again)
        time.sleep(pause_s)  # for what is slow on purpose


def send_answer(handler, keys, answer):
    def expand(text):
        return re.sub(rb"@([^@]*)@", lambda match: word(match[1].decode(), handler.server.server_port), text)

    start, *endless = re.split(rb"@(endless|each-second)@", answer, maxsplit=1)
    if endless:
        send_without_end(handler, expand(start), expand(endless[1]), 1 if endless[0] == b"each-second" else 0)
    elif "then" in keys:
        end = ENDS[keys["then"]]
        handler.wfile.write(expand(answer))
        handler.close_connection = True
        end(handler.connection)
    else:
        send_whole(handler, answer, expand, keys.get("coding"))


def send(handler, name):
    keys, answers = read(name)
    with handler.server.log_lock:
        count = handler.server.seen[name] = handler.server.seen.get(name, 0) + 1
    try:
        send_answer(handler, keys, answers[min(count, len(answers)) - 1].replace(b"\n", b"\r\n"))
    except (KeyError, ValueError) as error:  # for the person who wrote it
        send_whole(handler, b"HTTP/1.1 500 Not an answer\r\n\r\n%r" % error, bytes)
