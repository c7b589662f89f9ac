#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real TLS server with the answers of wild_answers.py, one for each path.

What http.server cannot say is written to the socket as it is. Requests are
logged as JSON lines: path and field names. Standard library only.
"""
import argparse
import email.utils
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from wild_answers import OK, ROWS  # noqa: E402

LIFETIME_S = 900  # a server that was forgotten ends by itself
SLOW_BYTES = 20  # one a second
HEAD = b"HTTP/1.1 200 OK\r\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def raw(self, *parts):
        for part in parts:
            self.wfile.write(part)
        self.close_connection = True

    def endless(self):
        self.raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            self.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    def endless_fields(self):
        self.raw(HEAD)
        while True:
            self.wfile.write(b"X-Padding: " + b"y" * 1000 + b"\r\n")

    def one_byte_a_second(self):
        self.raw(HEAD, b"Content-Length: 1000\r\n\r\n")
        for _ in range(SLOW_BYTES):
            self.raw(b" ")
            time.sleep(1)  # the fault that this path is for

    def truncated(self):
        self.raw(HEAD, b"Content-Length: 1000\r\n\r\n", json.dumps(OK).encode())

    def hang_up(self):
        self.close_connection = True

    def reset(self):
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())

    def early_hints(self):
        body = json.dumps(OK).encode()
        self.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", HEAD,
                 b"Content-Type: application/json\r\nX-Folded: a\r\n b\r\n",
                 b"Content-Length: %d\r\n\r\n" % len(body), body)

    def no_colon(self):
        self.raw(b"wild, not HTTP\r\n\r\n")

    SPECIAL = {
        "/27-endless": endless,
        "/27-endless-fields": endless_fields,
        "/27-one-byte-a-second": one_byte_a_second,
        "/28-truncated": truncated,
        "/28-hang-up": hang_up,
        "/28-reset": reset,
        "/35-early-hints": early_hints,
        "/35-no-colon": no_colon,
    }

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock, open(self.server.log, "a", encoding="utf-8") as log:
            log.write(json.dumps({"path": self.path, "fields": self.headers.keys()}) + "\n")
        if self.path in self.SPECIAL:
            return self.SPECIAL[self.path](self)
        row = self.server.rows[self.path]
        self.send_response_only(row["status"])
        for name, value in {"Date": "@0", **row["fields"]}.items():
            if name == "Date":
                value = email.utils.formatdate(time.time() + int(value[1:]), usegmt=True)
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(row["body"])))
        self.end_headers()
        self.wfile.write(row["body"])

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            pass  # a client that had enough


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.rows = {row["path"]: row for row in ROWS}
    server.log, server.lock = options.log, threading.Lock()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
    signal.alarm(LIFETIME_S)
    print(json.dumps({"ready": True, "port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
