#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Serves the files of a folder by HTTPS: a client's JWK Set, or metadata.

Each request is a line in the log: method, path, status.
"""
import argparse
import functools
import http.server
import json
import signal
import ssl
import sys

LIFETIME_S = 900  # a server that was forgotten ends by itself


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".json": "application/json", "": "application/octet-stream"}

    def log_message(self, *args):
        """Nothing on stderr; the log is the JSON lines."""

    def end_headers(self):
        for field in self.server.fields:
            name, _, value = field.partition(":")
            self.send_header(name.strip(), value.strip())
        super().end_headers()

    def log_request(self, code="-", size="-"):
        if self.server.log:
            entry = {"method": self.command, "path": self.path, "status": int(code)}
            self.server.log.write(json.dumps(entry) + "\n")
            self.server.log.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True)
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--field", action="append", default=[], help="of each answer")
    parser.add_argument("--log", help="file for the requests")
    options = parser.parse_args()

    handler = functools.partial(Handler, directory=options.dir)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.fields = options.field
    server.log = open(options.log, "a", encoding="utf-8") if options.log else None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    # the handshake happens in the request's thread, not in accept()
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.alarm(LIFETIME_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    base = f"https://localhost:{server.server_port}"
    ready = {"ready": True, "port": server.server_port, "base": base, "fhir_base": base + "/fhir"}
    print(json.dumps(ready), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
