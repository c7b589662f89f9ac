#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Posts a file to an agent and keeps the connection, so that what the agent
keeps for a connection stays, too. Prints the answer: status, then body.

usage: agent-post.py SOCKET PATH FILE whole|parts|bytes|chunked|unfinished

whole: in one piece with the head; parts: the head, then the body in two; bytes:
each byte by itself; chunked: as chunks of seven bytes; unfinished: all but the
last byte, and no answer.
"""
import socket
import sys
import time

KEPT_S = 60  # unless it is ended before
PAUSE_S = 0.003  # so that each piece is read by itself


def pieces_of(body, how):
    if how in ("whole", "unfinished"):
        return []
    if how == "bytes":
        return [body[i : i + 1] for i in range(len(body))]
    if how == "parts":
        return [body[: len(body) - 6], body[len(body) - 6 :]]
    chunks = [body[i : i + 7] for i in range(0, len(body), 7)]
    return [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks] + [b"0\r\n\r\n"]


def main():
    path, target, file_name, how = sys.argv[1:]
    with open(file_name, "rb") as file:
        body = file.read()
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(KEPT_S)
    s.connect(path)
    length = "Transfer-Encoding: chunked" if how == "chunked" else f"Content-Length: {len(body)}"
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode()
    pieces = pieces_of(body, how)
    first = head if pieces else head + body[: len(body) - (how == "unfinished")]
    for piece in [first, *pieces]:
        s.sendall(piece)
        time.sleep(PAUSE_S)
    if how == "unfinished":
        print("sent", flush=True)
    else:
        answer = s.recv(65536)
        print(answer[9:12].decode(), answer.partition(b"\r\n\r\n")[2].decode(), flush=True)
    time.sleep(KEPT_S)


if __name__ == "__main__":
    main()
