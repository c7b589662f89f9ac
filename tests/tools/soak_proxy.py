# SPDX-License-Identifier: Apache-2.0
"""A token endpoint in front of a real one, with bad moments on demand.

Who asks is answered by the real server, unless mode says otherwise. What was
issued to whom is remembered, and the jti of every assertion that came.
"""
import base64
import http.client
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse

HANG_S = 30
OAUTH_BUSY = json.dumps({"error": "temporarily_unavailable"}).encode()
STATUSES = {"500": 500, "503": 503, "429": 429}
MODES = [*STATUSES, "hang", "bad-json", "half-json", "hang-up", "cut"]


class Issued:
    """An access token as its server gave it."""

    def __init__(self, client_id, scope, at, expires_in):
        self.client_id, self.scope, self.at = client_id, scope, at
        self.ends = at + expires_in


def claims_of(form):
    part = form.get("client_assertion", "..").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = HANG_S

    def log_message(self, *args):
        pass

    def setup(self):
        self.request = self.server.proxy.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = dict(urllib.parse.parse_qsl(body.decode()))
        proxy.jtis.append(claims_of(form)["jti"])
        mode = proxy.mode
        if mode == "hang":
            until = time.monotonic() + HANG_S
            while proxy.mode == "hang" and time.monotonic() < until:
                time.sleep(0.05)  # until the fault is healed; bounded above
        elif mode == "bad-json":
            self.answer(200, b"<html>no JSON</html>")
        elif mode == "half-json":
            self.answer(200, b'{"access_token":"half-an-ans')
        elif mode in STATUSES:
            self.answer(STATUSES[mode], OAUTH_BUSY)
        elif mode == "pass":
            self.answer(*proxy.forward(form, body))
        # otherwise, and after a hang: the connection ends without an answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that went away is part of the game


class Proxy:
    """mode is "pass" or one of MODES."""

    def __init__(self, upstream, cert, key, ca):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.trust = ssl.create_default_context(cafile=ca)
        self.mode, self.jtis, self.issued = "pass", [], {}
        self.server, self.port = None, 0
        self.open()

    def open(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.proxy = self
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def set(self, mode):
        if mode == "cut" != self.mode:
            self.close()
        elif self.mode == "cut" != mode:
            self.open()
        self.mode = mode

    def ask(self, path, body, fields):
        connection = http.client.HTTPSConnection(
            self.upstream.hostname, self.upstream.port, timeout=HANG_S, context=self.trust
        )
        try:
            connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **fields})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def forward(self, form, body):
        asked = time.time()
        status, text = self.ask(self.upstream.path, body, {"Accept": "application/json"})
        if status == 200:
            answer = json.loads(text)
            issued = Issued(claims_of(form)["sub"], form.get("scope"), asked, answer["expires_in"])
            self.issued[answer["access_token"]] = issued
        return status, text

    def introspect(self, access_token, user):
        """What the real server says of it."""
        fields = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
        _, text = self.ask(
            self.upstream.path + "/introspection", urllib.parse.urlencode({"token": access_token}), fields
        )
        return json.loads(text)


def unix_connection(path, timeout_s):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(timeout_s)
    s.connect(path)
    return s
