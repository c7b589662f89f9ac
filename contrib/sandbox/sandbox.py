#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A loopback authorization server and FHIR-like resource, for trying p11oauth.

It stands in for a SMART Backend Services server of the IdentityServer family,
as CareEvolution's sandbox is one: clients are registered by certificate, the
key of an assertion is found by kid (upper-case hex SHA-1 of the certificate),
else by x5t, else all keys of the client are tried. A refusal is a bare
invalid_client, as there; the reason goes to the log, never the assertion.

Built on Debian's python3-authlib, python3-flask and python3-cryptography.
"""
import argparse
import base64
import datetime
import hashlib
import json
import logging
import os
import secrets
import signal
import ssl
import subprocess
import sys
import threading
import time

from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = ("system/*.read", "system/*.*")
CLOCK_SKEW_S = 10
TOKEN_LIFETIME_S = 300
FORM_MAX_BYTES = 256 * 1024


class Refusal(Exception):
    """An OAuth error: what the client is told, and what the log is told."""

    def __init__(self, reason, error="invalid_client", status=400):
        super().__init__(reason)
        self.reason, self.error, self.status = reason, error, status


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class RegisteredKey:
    """One certificate of a client and the names that headers know it by."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.cert = x509.load_pem_x509_certificate(file.read())
        der = self.cert.public_bytes(serialization.Encoding.DER)
        sha1 = hashlib.sha1(der).digest()
        self.kid, self.x5t = sha1.hex().upper(), b64url(sha1)
        self.key = JsonWebKey.import_key(
            self.cert.public_key().public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        )

    def has_expired(self):
        return self.cert.not_valid_after < datetime.datetime.utcnow()


class Sandbox:
    """Clients, the assertions they used, and the access tokens they have."""

    def __init__(self, options, base_url):
        self.options = options
        self.token_endpoint = base_url + "/connect/token"
        self.fhir_base = base_url + "/fhir"
        self.jwt = JsonWebToken(options.alg)
        self.clients, self.used, self.tokens = {}, {}, {}
        self.lock = threading.Lock()
        for entry in options.client:
            client_id, _, path = entry.partition("=")
            self.clients.setdefault(client_id, []).append(RegisteredKey(path))

    def candidates(self, header, client_id):
        """The keys to try: by kid, else by x5t, else all of the client's."""
        keys = self.clients.get(client_id)
        if not keys:
            raise Refusal(f"no client '{client_id}' is registered")
        kid, x5t = header.get("kid"), header.get("x5t")
        named = [k for k in keys if kid and k.kid.lower() == str(kid).lower()]
        named = named or [k for k in keys if x5t and k.x5t == x5t]
        named = named or keys
        if self.options.expired_certificates == "refuse":
            named = [k for k in named if not k.has_expired()]
            if not named:
                raise Refusal("the registered certificate has expired")
        return named

    def verify(self, assertion, header, client_id):
        reason = "no key"
        for candidate in self.candidates(header, client_id):
            try:
                return self.jwt.decode(assertion, candidate.key)
            except JoseError as error:
                reason = f"{error.error} {error.description}"
            except (ValueError, KeyError) as error:
                reason = f"{type(error).__name__}"
        raise Refusal(f"the signature does not verify: {reason}")

    def check_claims(self, claims, now_s):
        """RFC 7523 section 3 and SMART's limits."""
        if claims.get("sub") != claims.get("iss"):
            raise Refusal("iss and sub differ")
        if claims.get("aud") != self.token_endpoint:
            raise Refusal(f"aud is not the string {self.token_endpoint}")
        for name in ("exp", "iat", "nbf"):
            if name in claims and type(claims[name]) is not int:
                raise Refusal(f"{name} is no integer")
        if "exp" not in claims:
            raise Refusal("no exp")
        if claims["exp"] <= now_s - CLOCK_SKEW_S:
            raise Refusal("the assertion has expired")
        if claims["exp"] > now_s + self.options.max_exp + CLOCK_SKEW_S:
            raise Refusal(f"exp is more than {self.options.max_exp} s ahead")
        for name in ("iat", "nbf"):
            if claims.get(name, 0) > now_s + CLOCK_SKEW_S:
                raise Refusal(f"{name} is in the future")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise Refusal("no jti")
        self.use_once(jti, claims["exp"], now_s)

    def use_once(self, jti, exp_s, now_s):
        with self.lock:
            self.used = {k: e for k, e in self.used.items() if e > now_s - CLOCK_SKEW_S}
            if jti in self.used:
                raise Refusal("the jti was used before")
            self.used[jti] = exp_s

    def authenticate(self, form, seen):
        """The client of an assertion; fills seen with what the log may have."""
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refusal("client_assertion_type is not jwt-bearer")
        if "Authorization" in request.headers or "client_secret" in form:
            raise Refusal("a second client authentication", "invalid_request")
        assertion = form.get("client_assertion", "")
        header, payload = self.peek(assertion)
        seen.update({n: header.get(n) for n in ("alg", "kid", "x5t") if n in header})
        seen.update({n: payload.get(n) for n in ("iss", "jti", "exp") if n in payload})
        if header.get("alg") not in self.options.alg:
            raise Refusal(f"alg {header.get('alg')} is not allowed")
        if header.get("typ") != "JWT":
            raise Refusal("typ is not JWT")
        client_id = payload.get("iss")
        if form.get("client_id", client_id) != client_id:
            raise Refusal("client_id and iss differ")
        claims = self.verify(assertion, header, client_id)
        self.check_claims(claims, int(time.time()))
        return client_id

    @staticmethod
    def peek(assertion):
        """Header and payload before the signature is verified."""
        try:
            parts = [
                json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)))
                for p in assertion.split(".")[:2]
            ]
            if assertion.count(".") != 2 or not all(isinstance(p, dict) for p in parts):
                raise ValueError
        except ValueError as error:
            raise Refusal("the assertion is no JWT") from error
        return parts

    def issue(self, form, seen):
        if form.get("grant_type") != "client_credentials":
            raise Refusal("grant_type", "unsupported_grant_type")
        client_id = self.authenticate(form, seen)
        asked = form.get("scope", "").split()
        if not asked or any(scope not in SCOPES for scope in asked):
            raise Refusal(f"scope is not of {', '.join(SCOPES)}", "invalid_scope")
        token = secrets.token_urlsafe(32)
        with self.lock:
            self.tokens[token] = (client_id, time.time() + TOKEN_LIFETIME_S)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME_S,
            "scope": " ".join(asked),
        }

    def bearer(self):
        """The client that a request's access token belongs to, or None."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        client_id, expires_at = self.tokens.get(token, (None, 0))
        if scheme.lower() != "bearer" or expires_at < time.time():
            return None
        return client_id


def make_log(path):
    stream = open(path, "a", encoding="utf-8") if path else sys.stderr

    def log(**record):
        stream.write(json.dumps(record) + "\n")
        stream.flush()

    return log


def make_app(sandbox, log):
    app = Flask("sandbox")
    app.config["MAX_CONTENT_LENGTH"] = FORM_MAX_BYTES

    @app.post("/connect/token")
    def token():
        seen = {}
        try:
            if request.mimetype != "application/x-www-form-urlencoded":
                raise Refusal("the body is no form", "invalid_request")
            if any(len(request.form.getlist(name)) > 1 for name in request.form):
                raise Refusal("a parameter is there twice", "invalid_request")
            answer = sandbox.issue(request.form, seen)
        except Refusal as refusal:
            log(outcome="refused", reason=refusal.reason, error=refusal.error, **seen)
            return jsonify(error=refusal.error), refusal.status
        log(outcome="issued", scope=answer["scope"], **seen)
        response = jsonify(answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/fhir/Patient")
    def patients():
        client_id = sandbox.bearer()
        if not client_id:
            log(outcome="resource refused")
            response = jsonify(resourceType="OperationOutcome", issue=[{"severity": "error", "code": "login"}])
            response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return response, 401
        log(outcome="resource served", iss=client_id)
        patient = {"resourceType": "Patient", "id": "synthetic-1", "active": True}
        return jsonify(resourceType="Bundle", type="searchset", total=1, entry=[{"resource": patient}])

    @app.get("/fhir/.well-known/smart-configuration")
    def smart_configuration():
        return jsonify(
            token_endpoint=sandbox.token_endpoint,
            grant_types_supported=["client_credentials"],
            token_endpoint_auth_methods_supported=["private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported=sandbox.options.alg,
            scopes_supported=list(SCOPES),
            capabilities=["client-confidential-asymmetric", "permission-v1"],
        )

    return app


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", action="append", default=[], metavar="ID=CERT.pem", help="register a client by certificate; repeatable")
    parser.add_argument("--state", default="sandbox-state", help="folder for the throw-away CA")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--alg", action="append", help="signature algorithm to accept; repeatable (RS256, RS384)")
    parser.add_argument("--max-exp", type=int, default=300, metavar="SECONDS", help="how far ahead exp may be")
    parser.add_argument("--expired-certificates", choices=("accept", "refuse"), default="accept", help="what a registered certificate that has expired is")
    parser.add_argument("--log", metavar="FILE", help="write the log there instead of stderr")
    options = parser.parse_args()
    options.alg = options.alg or ["RS256", "RS384"]
    if not options.client:
        parser.error("at least one --client ID=CERT.pem is needed")
    return options


def main():
    options = parse_options()
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([os.path.join(here, "make-pki"), options.state], check=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(os.path.join(options.state, "server.pem"), os.path.join(options.state, "server.key"))

    app = Flask("unbound")  # the URL is known only when the port is
    server = make_server("127.0.0.1", options.port, app, threaded=True, ssl_context=tls)
    port = server.server_port
    sandbox = Sandbox(options, f"https://localhost:{port}")
    server.app = make_app(sandbox, make_log(options.log))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    ready = {
        "ready": True,
        "port": port,
        "token_endpoint": sandbox.token_endpoint,
        "fhir_base": sandbox.fhir_base,
        "ca": os.path.abspath(os.path.join(options.state, "ca.pem")),
    }
    print(json.dumps(ready), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
