#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real HTTPS token endpoint that has bad moments, for tests.

The path says what happens first: /ANSWER/COUNT answers COUNT requests so, and
those after them with an access token. ANSWER is an HTTP status, optionally with
an OAuth error and a Retry-After: 503, 503+after=1, 400+error=invalid_client,
400+error=invalid_client+description=why; or "hang-up" (the connection ends
without an answer). /told/0 answers as the file --told says at that moment, such
as 503+after=1, hang-up, 200+expires_in=5, or "hold": not before it says
something else; its access tokens are told-1, told-2, …. With --upstream the requests go on to a real server, whose
answer is thrown away COUNT times and passed on afterwards.

Each request is logged as a JSON line: path, jti, SHA-256 of the signature,
client_id, milliseconds since the start. Standard library only.
"""
import argparse
import base64
import hashlib
import http.server
import json
import signal
import ssl
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HOLD_S = 60  # at most
LIFETIME_S = 900  # a server that was forgotten ends by itself
OK = {"access_token": "flaky-server-token", "token_type": "Bearer", "expires_in": 300}


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, fields=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def record(self, form):
        parts = form.get("client_assertion", "..").split(".")
        seen = {"path": self.path, "ms": int((time.monotonic() - self.server.started) * 1000)}
        if parts[2]:
            seen["jti"] = decode(parts[1])["jti"]
            seen["header"] = decode(parts[0])
            seen["signature"] = hashlib.sha256(parts[2].encode()).hexdigest()
        with self.server.lock:
            self.server.counts[self.path] = self.server.counts.get(self.path, 0) + 1
            with open(self.server.options.log, "a", encoding="utf-8") as log:
                log.write(json.dumps(seen) + "\n")
            return self.server.counts[self.path]

    def upstream(self, body):
        options = self.server.options
        request = urllib.request.Request(
            options.upstream, body, {"Content-Type": self.headers["Content-Type"], "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=options.ca)) as r:
                return r.status, r.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def told(self):
        """What the file says; while that is "hold", nothing."""
        end = time.monotonic() + HOLD_S
        answer = "hold"
        while answer == "hold" and time.monotonic() < end:
            with open(self.server.options.told, encoding="ascii") as file:
                answer = file.read().strip() or "hold"
            if answer == "hold":
                time.sleep(0.02)  # polling the file; bounded above
        return answer

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = dict(urllib.parse.parse_qsl(body.decode()))
        name, count = self.path.strip("/").split("/")
        number = self.record(form)
        if name == "told":
            name, token = self.told(), {**OK, "access_token": f"told-{number}"}
            if name.startswith("200"):
                life = name.partition("=")[2]
                return self.answer(200, {**token, "expires_in": int(life)} if life else token)
            count = number
        good = self.upstream(body) if self.server.options.upstream else (200, OK)
        if number > int(count):
            return self.answer(good[0], good[1])
        if name == "hang-up":
            self.close_connection = True
            return None
        status, *extras = name.split("+")
        extras = dict(extra.split("=") for extra in extras)
        fields = [("Retry-After", extras["after"].replace("_", " "))] if "after" in extras else []
        answer = {key: extras[short] for short, key in
                  (("error", "error"), ("description", "error_description")) if short in extras}
        return self.answer(int(status), answer, fields)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64  # more than any test has clients at once


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--told", help="file with the answer of /told/0")
    parser.add_argument("--upstream", help="token endpoint of a real server")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()

    server = Server(("127.0.0.1", options.port), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    # the handshake is the thread's of the connection: nobody waits for another's
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.options, server.counts, server.lock = options, {}, threading.Lock()
    server.started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
    signal.alarm(LIFETIME_S)
    base = f"https://localhost:{server.server_port}"
    print(json.dumps({"ready": True, "port": server.server_port, "token_endpoint": base, "ca": options.ca}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
