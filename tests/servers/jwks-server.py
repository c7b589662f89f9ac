#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client's JWK Set by HTTPS, good and in every way that is not, for tests.

The path says what is wrong with the set in --jwks: /good, /private, /no-kid …
(the table below). Standard library only.
"""
import argparse
import copy
import email.utils
import http.server
import json
import signal
import ssl
import sys
import time

LIFETIME_S = 900  # a server that was forgotten ends by itself
GOOD_FIELDS = {"Content-Type": "application/json", "Cache-Control": "max-age=3600"}
LONG_AGO_S = 40 * 86400


def changed(jwks, **members):
    """The set with members of its first key set, or taken out (None)."""
    jwks = copy.deepcopy(jwks)
    for name, value in members.items():
        jwks["keys"][0].pop(name, None)
        if value is not None:
            jwks["keys"][0][name] = value
    return jwks


def variants(jwks, other):
    first = jwks["keys"][0]
    ok = lambda body, **fields: (200, body, {name.replace("_", "-"): value for name, value in fields.items()})
    return {
        "good": ok(jwks),
        "jwk-set-type": ok(jwks, Content_Type="application/jwk-set+json; charset=utf-8"),
        "private": ok(changed(jwks, d="AQAB")),
        "private-deep": ok(changed(jwks, more=[{"old": {"qi": "AQAB"}}])),
        "private-beside": ok({**jwks, "backup": {"d": "AQAB"}}),
        "private-pem": ok("-----BEGIN PRIVATE KEY-----\nAQAB\n-----END PRIVATE KEY-----\n"),
        "symmetric": ok({"keys": [first, {"kty": "oct", "kid": "s", "k": "AQAB"}]}),
        "no-kid": ok(changed(jwks, kid=None)),
        "twice": ok({"keys": [first, first]}),
        "other-key": ok(changed({"keys": [other["keys"][0]]}, kid=first["kid"])),
        "other-kid": ok(changed(jwks, kid="old-name")),
        "missing": ok(other),
        "no-cache-control": ok(jwks, Cache_Control=None),
        "no-store": ok(jwks, Cache_Control="no-store"),
        "text": ok(jwks, Content_Type="text/plain"),
        "html": ok("<html>sign in</html>", Content_Type="text/html"),
        "odd-type": ok(jwks, Content_Type="text/\u001b[2J\u00e4"),
        "not-json": ok('{"keys": [,]}'),
        "no-keys": ok({"key": [first]}),
        "empty": ok({"keys": []}),
        "credentials": (401, "", {"WWW-Authenticate": "Bearer"}),
        "redirect": (302, "", {"Location": "https://elsewhere.example/jwks.json"}),
        "absent": (404, "", {}),
        "encryption": ok(changed(jwks, use="enc")),
        "both-uses": ok(changed(jwks, key_ops=["verify"])),
        "off-curve": ok({"keys": [first, {**other["keys"][0], "y": other["keys"][0]["x"]}]}),
        "short-coordinate": ok({"keys": [first, {**other["keys"][0], "x": "A" * 63}]}),
        "padded": ok(changed(jwks, e="AQAB====")),
        "zero-octet": ok(changed(jwks, e="AAEAAQ")),
        "wrong-alg": ok(changed(jwks, alg="ES384")),
        "unknown-kind": ok({"keys": [first, {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "AA"}]}),
        "bad-x5c": ok(changed(jwks, x5c=["AAAA"])),
        "just-changed": ok(jwks, Last_Modified=email.utils.formatdate(time.time(), usegmt=True)),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        status, body, fields = self.server.variants[self.path.strip("/")]
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
        fields = {
            **GOOD_FIELDS,
            "Last-Modified": email.utils.formatdate(time.time() - LONG_AGO_S, usegmt=True),
            **fields,
        }
        self.send_response(status)
        for name, value in fields.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if "Authorization" in self.headers:
            print(json.dumps({"credentials": True}), file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jwks", required=True)
    parser.add_argument("--other", required=True, help="a set with another key")
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    options = parser.parse_args()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(options.jwks, encoding="utf-8") as one, open(options.other, encoding="utf-8") as two:
        server.variants = variants(json.load(one), json.load(two))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
    signal.alarm(LIFETIME_S)
    base = f"https://localhost:{server.server_port}"
    print(json.dumps({"ready": True, "port": server.server_port, "base": base}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
