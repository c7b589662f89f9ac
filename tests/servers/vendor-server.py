#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many kinds of authorization servers on loopback, for tests.

  POST /VENDOR/token      judged by vendor_rules.py; the issuer is BASE/VENDOR
  GET  /.well-known/oauth-authorization-server/VENDOR
  GET  /VENDOR/.well-known/openid-configuration
  GET  /VENDOR/fhir/.well-known/smart-configuration

Why a request was refused is a JSON line on stderr. Standard library and
python3-cryptography only.
"""
import argparse
import http.server
import json
import secrets
import signal
import ssl
import sys
import threading
import time
import urllib.parse

from cryptography import x509

import vendor_jws
import vendor_request
import vendor_rules

BODY_MAX = 256 * 1024
LIFETIME_S = 900  # a server that was forgotten ends by itself
ASSERTIONS = ("client_assertion", "assertion")


def issuer_of(base, name):
    return f"{base}/{name}" + ("/" if vendor_rules.VENDORS[name].final_slash else "")


def metadata(base, name):
    vendor = vendor_rules.VENDORS[name]
    document = {
        "issuer": issuer_of(base, name),
        "token_endpoint": f"{base}/{name}/token",
        "token_endpoint_auth_methods_supported": [vendor.auth_method],
        "token_endpoint_auth_signing_alg_values_supported": list(vendor.algs),
        "grant_types_supported": [vendor.grant],
        "response_types_supported": [],
    }
    if not vendor.lists_algs:
        del document["token_endpoint_auth_signing_alg_values_supported"]
    return document


def smart_metadata(base, name):
    capabilities = ["client-confidential-asymmetric", "permission-v1", "permission-v2"]
    return {**metadata(base, name), "scopes_supported": ["system/*.read"], "capabilities": capabilities}


def documents(base):
    """Path -> metadata"""
    table = {}
    for name in vendor_rules.VENDORS:
        table[f"/.well-known/oauth-authorization-server/{name}"] = metadata(base, name)
        table[f"/{name}/.well-known/openid-configuration"] = metadata(base, name)
        table[f"/{name}/fhir/.well-known/smart-configuration"] = smart_metadata(base, name)
    return table


def record_of(name, headers, body):
    """What was sent, right or wrong, but for the signature."""
    pairs = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    record = {"vendor": name, "headers": headers, "form": [], "header": None, "claims": None}
    for key, value in pairs:
        if key in ASSERTIONS:
            parts = value.split(".")
            try:
                record["header"], record["claims"] = (vendor_jws.json_object(part) for part in parts[:2])
            except (ValueError, vendor_request.Refused):
                pass  # no JWS; refused elsewhere
            value = f"({len(value)} characters)"
        record["form"].append([key, value])
    return record


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Nothing but the reasons on stderr."""

    def answer(self, status, members):
        content = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        document = self.server.documents.get(self.path)
        self.answer(200 if document else 404, document or {"error": "not here"})

    def do_POST(self):
        name = self.path[1:].removesuffix("/token")
        length = self.headers.get("Content-Length", "")
        if name not in vendor_rules.VENDORS or self.path != f"/{name}/token":
            self.close_connection = True
            self.answer(404, {"error": "not here"})
        elif not length.isdecimal() or int(length) > BODY_MAX:
            self.close_connection = True
            self.answer(413, {"error": "invalid_request"})
        else:
            self.token(name, self.rfile.read(int(length)))

    def token(self, name, body):
        vendor = vendor_rules.VENDORS[name]
        headers = self.headers.items()
        with self.server.lock:
            request = self.server.request(name, headers, body)
            reason = vendor_rules.judge(name, request)
            self.server.record({**record_of(name, headers, body), "refused": reason})
        if reason:
            print(json.dumps({"vendor": name, "refused": reason}), file=sys.stderr, flush=True)
            self.answer(vendor.status, {"error": vendor.error, "error_description": reason})
            return
        members = {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": vendor.expires_in,
        }
        if "scope" in request.form:
            members["scope"] = request.form["scope"]
        self.answer(200, {**members, **vendor.answer(request)})

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass  # a client that had enough


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"https://localhost:{self.server_port}"
        self.documents = documents(self.base)
        self.registered = registered(options.cert, options.kid)
        self.client_ids = client_ids(options.client_id)
        self.jku = options.jku
        self.log = open(options.log, "a", encoding="utf-8") if options.log else None
        self.used = {name: set() for name in vendor_rules.VENDORS}
        self.lock = threading.Lock()

    def request(self, name, headers, body):
        return vendor_request.Request(
            headers=headers,
            body=body,
            issuer=issuer_of(self.base, name),
            token_endpoint=f"{self.base}/{name}/token",
            client_id=self.client_ids[name],
            registered=self.registered,
            now=time.time(),
            used=self.used[name],
            jku=self.jku,
        )

    def record(self, entry):
        if self.log:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()

    def handle_error(self, request, client_address):
        """A failed handshake is the client's affair; a fault of the server is not."""
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


def registered(paths, kids):
    given = {}
    for text in kids:
        kid, _, path = text.partition("=")
        given.setdefault(path, []).append(kid)
    certs = {}
    for path in [*paths, *given]:
        with open(path, "rb") as file:
            certs[path] = x509.load_pem_x509_certificate(file.read())
    return [vendor_request.Registered(cert, given.get(path, ())) for path, cert in certs.items()]


def client_ids(texts):
    """ID for all vendors, VENDOR=ID for one."""
    ids = dict.fromkeys(vendor_rules.VENDORS, "backend")
    for text in sorted(texts, key=lambda text: text.partition("=")[0] in ids):
        name, _, value = text.partition("=")
        ids.update({name: value} if name in ids else dict.fromkeys(ids, text))
    return ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cert", action="append", default=[], help="a registered certificate (PEM)")
    parser.add_argument("--kid", action="append", default=[], metavar="KID=PEM", help="a kid for one")
    parser.add_argument("--client-id", action="append", default=[], metavar="[VENDOR=]ID")
    parser.add_argument("--jku", help="the registered JWKS URL")
    parser.add_argument("--log", help="file for the requests")
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()

    server = Server(options)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    # the handshake happens in the request's thread, not in accept()
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.alarm(LIFETIME_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready = {"ready": True, "port": server.server_port, "base": server.base, "ca": options.ca}
    print(json.dumps(ready), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
