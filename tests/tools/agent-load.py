#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks an agent for access tokens, as many callers or as fast as can be.

  agent-load.py burst --socket S --path P --callers N
      N connections are open, then N requests leave at once. Prints JSON:
      {"statuses": {STATUS: N}, "access_tokens": DISTINCT, "connections": N}
  agent-load.py stream --socket S --path P --requests N --clients N [--pid PID]
      The clients are processes with a connection each that stays open; each
      sends one and the same prepared request again and again. Prints JSON:
      {"requests", "errors", "p50_ms", "p99_ms", "max_ms", "per_s", "peak_kib"}

Sockets and bytes only: the client is not to be what is measured.
"""
import argparse
import collections
import json
import os
import socket
import sys
import threading
import time

DEADLINE_S = 120


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(DEADLINE_S)
    s.connect(path)
    return s


def request_of(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def read_answer(s, buffer):
    """(status, body) of one answer; what came after it stays in buffer."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        chunk = s.recv(65536)
        if not chunk:
            raise ConnectionError("the agent hung up")
        buffer += chunk
    head = bytes(buffer[:end])
    at = head.lower().index(b"content-length:") + 15
    length = int(head[at:].split(b"\r\n", 1)[0])
    whole = end + 4 + length
    while len(buffer) < whole:
        chunk = s.recv(65536)
        if not chunk:
            raise ConnectionError("the agent hung up")
        buffer += chunk
    body = bytes(buffer[end + 4 : whole])
    del buffer[:whole]
    return int(head[9:12]), body


def burst(options):
    request = request_of(options.path)
    barrier = threading.Barrier(options.callers)
    answers = []

    def call():
        try:
            s = connect(options.socket)
            barrier.wait(DEADLINE_S)
            s.sendall(request)
            answers.append(read_answer(s, bytearray()))
        except (OSError, threading.BrokenBarrierError) as error:
            answers.append((0, repr(error).encode()))
            barrier.abort()

    threads = [threading.Thread(target=call) for _ in range(options.callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = {json.loads(body)["access_token"] for status, body in answers if status == 200}
    for status, body in answers:
        if status != 200:
            print(status, body.decode(errors="replace")[:200], file=sys.stderr)
    print(json.dumps({
        "connections": len(answers),
        "statuses": collections.Counter(str(status) for status, _ in answers),
        "access_tokens": len(tokens),
    }))


def one_client(options, count):
    """Nanoseconds of each request, and how many were no good."""
    request = request_of(options.path)
    times, errors = [], 0
    s, buffer = connect(options.socket), bytearray()
    for _ in range(count):
        start = time.perf_counter_ns()
        s.sendall(request)
        status, body = read_answer(s, buffer)
        times.append(time.perf_counter_ns() - start)
        if status != 200 or b'"access_token"' not in body:
            errors += 1
            if errors == 1:
                print(status, body.decode(errors="replace")[:300], file=sys.stderr)
    return times, errors


def client_process(options, count, out):
    try:
        result = one_client(options, count)
    except Exception as error:  # pylint: disable=broad-except
        print(repr(error), file=sys.stderr)
        result = ([], count)
    with os.fdopen(out, "w") as file:
        json.dump(result, file)
    os._exit(0)


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def stream(options):
    share, pipes, times, errors = options.requests // options.clients, [], [], 0
    start = time.monotonic()
    for _ in range(options.clients):
        here, there = os.pipe()
        if os.fork() == 0:
            os.close(here)
            client_process(options, share, there)
        os.close(there)
        pipes.append(here)
    for pipe in pipes:
        with os.fdopen(pipe) as file:
            more, bad = json.load(file)
        times += more
        errors += bad
    took_s = time.monotonic() - start
    times.sort()
    figures = {"requests": len(times), "errors": errors, "per_s": round(len(times) / took_s)}
    if times:
        for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1)):
            figures[name] = round(times[min(len(times) - 1, int(len(times) * part))] / 1e6, 3)
    if options.pid:
        figures["peak_kib"] = peak_kib(options.pid)
    print(json.dumps(figures))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("burst", "stream"))
    parser.add_argument("--socket", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pid", type=int)
    options = parser.parse_args()
    {"burst": burst, "stream": stream}[options.what](options)


if __name__ == "__main__":
    main()
