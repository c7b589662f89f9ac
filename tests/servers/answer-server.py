#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real HTTPS server with the answers of bad days, for tests.

Each path has one answer (a file of tests/data/answers, or else the table below).
Requests are logged as JSON lines, so that a test can look at what was sent: of
TLS the name that was asked for and whether a certificate was shown. Standard
library only.
"""
import argparse
import http.server
import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import answer_files  # noqa: E402

OK = {"access_token": "answer-server-token", "token_type": "Bearer", "expires_in": 300}
JSON = "application/json"
SLOW_BYTES = 40  # one each half second
BODY_MAX = 1024 * 1024  # what the client takes (src/http/http.h)
LIFETIME_S = 900  # a server that was forgotten ends by itself


def answer(status, body, content_type=JSON, **headers):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, content_type, headers, body


def with_token(**members):
    return answer(200, {**OK, **members})


def oauth_error(status, error="invalid_client", **members):
    return answer(status, {"error": error, **members})


LOCATION = "https://elsewhere.example/token"
ANSWERS = {
    "/ok": answer(200, OK),
    "/ok-tail": with_token(
        access_token="answer-server-token-that-is-longer-than-what-a-freed-block-loses-7410"
    ),
    "/ok-string-expiry": with_token(expires_in="1200"),
    "/ok-no-expiry": answer(200, {"access_token": "t", "token_type": "Bearer"}),
    "/ok-no-type": answer(200, {"access_token": "t", "expires_in": 60}),
    "/ok-lowercase": with_token(token_type="bearer"),
    "/ok-null-members": with_token(refresh_token=None, scope=None),
    "/ok-narrow-scope": with_token(scope="system/Patient.read"),
    "/ok-text-plain": answer(200, json.dumps(OK), "text/plain"),
    "/ok-long": with_token(access_token="x" * 16384),
    "/dpop": with_token(token_type="DPoP"),
    "/token-crlf": with_token(access_token="canary-token\r\nX: y"),
    "/token-space": with_token(access_token="canary token"),
    "/token-empty": with_token(access_token=""),
    "/token-number": with_token(access_token=12345),
    "/token-absent": answer(200, {"token_type": "Bearer"}),
    "/token-and-error": with_token(error="server_error"),
    "/token-twice": answer(200, '{"access_token":"a","access_token":"b","token_type":"Bearer"}'),
    "/html-200": answer(200, "<html><body>Sign in</body></html>", "text/html"),
    "/text-200": answer(200, "Service not registered with API gateway."),
    "/empty-200": answer(200, ""),
    "/array-200": answer(200, []),
    "/invalid-client-200": oauth_error(200),
    "/invalid-client-400": oauth_error(400),
    "/invalid-client-401": oauth_error(401, error_description="no such key"),
    "/invalid-client-403": oauth_error(403, error_uri="urn:example:error"),
    "/error-control": oauth_error(400, error_description="line\r\nbreak \x1b[31m\x00\u202e"),
    "/error-object": oauth_error(400, error={"code": 7, "message": "nested"}),
    "/operation-outcome": answer(401, {"resourceType": "OperationOutcome", "issue": [{"code": "login", "diagnostics": "who are you"}]}, "application/fhir+json"),
    "/message": answer(401, {"code": 401, "message": "Invalid JWT"}),
    "/correlation": answer(400, {"error": "invalid_client"}, X_Request_Id="canary-request-id"),
    "/empty-400": answer(400, ""),
    "/empty-401": answer(401, ""),
    "/empty-403": answer(403, ""),
    "/html-404": answer(404, "<html>not here</html>", "text/html"),
    "/empty-500": answer(500, ""),
    "/empty-503": answer(503, "", Retry_After="1"),
    "/redirect-301": answer(301, "", Location=LOCATION),
    "/redirect-302": answer(302, "", Location=LOCATION),
    "/redirect-307": answer(307, "", Location=LOCATION),
    "/redirect-308": answer(308, "", Location=LOCATION),
    "/largest": answer(200, b" " * BODY_MAX),
    "/one-more": answer(200, b" " * (BODY_MAX + 1)),
    "/huge": answer(200, b'{"access_token":"' + b"x" * BODY_MAX + b'"}'),
    "/gzip": answer(200, b"\x1f\x8b\x08\x00canary", Content_Encoding="gzip"),
    "/cookie": answer(200, OK, Set_Cookie="canary=cookie; Path=/"),
    "/huge-headers": answer(200, OK, X_Padding="y" * 70000),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Nothing on stderr; the log is the JSON lines."""

    def record(self, body):
        if not self.server.log:
            return
        entry = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body.decode("utf-8", "replace")}
        if isinstance(self.connection, ssl.SSLSocket):
            entry["sni"] = getattr(self.connection, "asked_for", None)
            entry["certificate"] = bool(self.connection.getpeercert(binary_form=True))
        with self.server.log_lock:
            self.server.log.write(json.dumps(entry) + "\n")
            self.server.log.flush()

    def drip(self):
        """Half a byte a second, and never an end."""
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(SLOW_BYTES):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.5)  # the fault that this path is for

    def endless(self):
        """Chunks until the client has had enough."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    def cut_off(self):
        """Less than was promised."""
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(json.dumps(OK).encode())
        self.close_connection = True

    def early_hints(self):
        """Fields of an interim answer are not those of the answer."""
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLocation: /wrong\r\n\r\n")
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def hang_up(self):
        self.close_connection = True

    SPECIAL = {
        "/slow": drip,
        "/endless": endless,
        "/cut-off": cut_off,
        "/early-hints": early_hints,
        "/hang-up": hang_up,
    }

    def do_CONNECT(self):
        """As a proxy that wants a password first."""
        self.record(b"")
        self.send_response(407)
        self.send_header("Proxy-Authenticate", "Basic realm=proxy")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.record(body)
        path = self.path.partition("?")[0]
        if name := answer_files.file_of(path):
            answer_files.send(self, name)
        elif path in self.SPECIAL:
            self.SPECIAL[path](self)
        else:
            self.send_answer(path)

    def send_answer(self, path):
        status, content_type, headers, content = ANSWERS.get(path, answer(404, ""))
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            pass  # a client that had enough

    do_GET = do_POST = respond


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A failed handshake is what some tests want."""


class UnixHandler(Handler):
    disable_nagle_algorithm = False  # there is none


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)
        self.server_port = 1  # a number, for those who read the ready line


def check_name(own, connection, asked_for, context):
    """The name in the ClientHello (SNI), None when there is none."""
    connection.asked_for = asked_for
    return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if own and asked_for != own else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cert", help="PEM chain of the server")
    parser.add_argument("--key", help="PEM key of the server")
    parser.add_argument("--log", help="file for the requests")
    parser.add_argument("--http", action="store_true", help="no TLS")
    parser.add_argument("--unix", help="listen on this unix socket, without TLS")
    parser.add_argument("--old-tls", action="store_true", help="TLS 1.1 at most")
    parser.add_argument("--tls12", action="store_true", help="TLS 1.2 at most")
    parser.add_argument("--client-ca", help="ask for a client certificate of this CA")
    parser.add_argument("--require-client", action="store_true", help="and insist on it")
    parser.add_argument("--own-name", help="refuse those that ask for another one")
    options = parser.parse_args()

    server = UnixServer(options.unix, UnixHandler) if options.unix else Server(("127.0.0.1", 0), Handler)
    server.log = open(options.log, "a", encoding="utf-8") if options.log else None
    server.log_lock = threading.Lock()
    server.seen = {}
    if not options.http and not options.unix:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
        tls.sni_callback = lambda *args: check_name(options.own_name, *args)
        if options.client_ca:
            tls.load_verify_locations(options.client_ca)
            tls.verify_mode = ssl.CERT_REQUIRED if options.require_client else ssl.CERT_OPTIONAL
        if options.old_tls:
            warnings.simplefilter("ignore", DeprecationWarning)
            tls.set_ciphers("ALL:@SECLEVEL=0")
            tls.minimum_version = ssl.TLSVersion.TLSv1
            tls.maximum_version = ssl.TLSVersion.TLSv1_1
        if options.tls12:
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
        # the handshake happens in the request's thread, not in accept()
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.alarm(LIFETIME_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"ready": True, "port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
