#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An agent in the eyes of its clients: HTTP on a unix socket.

Answers come from a JSON file that is read at each request, so that a test can
change it: {"GET /v1/status": [200, {...}], ...}; a text instead of an object is
sent as it is. "pins" says which PIN unlocks which profile. What nobody says is
an unknown profile. Requests are logged as JSON lines. Standard library only.
"""
import argparse
import http.server
import json
import os
import signal
import socketserver
import sys

LIFETIME_S = 900  # an agent that was forgotten ends by itself


def error(exit_status, name, message):
    return {"error": {"status": name, "exit": exit_status, "message": message, "native": 0}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Nothing on stderr; the log is the JSON lines."""

    def unlock(self, pins, body):
        profile = body["profile"]
        if pins.get(profile) == body.get("pin"):
            return 200, {"profile": profile, "token": {"label": "lab", "serial": "1"}}
        return 423, error(7, "pin", f"profile '{profile}': token 'lab': wrong PIN")

    def answer(self):
        with open(self.server.answers, encoding="utf-8") as f:
            answers = json.load(f)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(self.server.log_path, "a", encoding="utf-8") as f:
            f.write(json.dumps({"method": self.command, "path": self.path, "body": body.decode()}) + "\n")
        path = self.path.split("?")[0]
        status, text = 404, error(3, "config", "no profile of that name; there is: theirs")
        if f"{self.command} {path}" in answers:
            status, text = answers[f"{self.command} {path}"]
        elif path == "/v1/unlock" and "pins" in answers:
            status, text = self.unlock(answers["pins"], json.loads(body))
        if not isinstance(text, str):
            text = json.dumps(text)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = answer


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", required=True)
    parser.add_argument("--answers", required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args()
    os.umask(0o077)
    server = Server(options.socket, Handler)
    server.answers = options.answers
    server.log_path = options.log
    signal.alarm(LIFETIME_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"ready": True}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
