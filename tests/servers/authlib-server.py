#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Authlib's own authorization server on loopback, for tests.

Grant, client authentication and assertion checks are Authlib's; this file
only configures them and adds the limits that SMART asks for. Keys are found

  --resolve kid             by kid in the JWK Set (--jwks)
  --resolve x5t             by x5t of a registered certificate (--cert)
  --resolve identityserver  by kid = upper-case hex SHA-1, else by x5t (--cert)

Further options: --aud token|issuer (what aud must be), --skew=SECONDS (this
server's clock is ahead, or behind when negative), --log FILE (requests as JSON
lines, without signatures).
"""
import argparse
import base64
import hashlib
import itertools
import json
import logging
import signal
import ssl
import sys
import threading
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

ALGORITHMS = ["RS256", "RS384", "PS384", "ES256", "ES384"]
SCOPES = ["system/*.read", "system/Patient.read"]
MAX_EXP_S = 300
CLOCK_SKEW_S = 5


def refuse(why):
    print(json.dumps({"refused": why}), file=sys.stderr, flush=True)
    raise InvalidClientError(description=why)


class Client(ClientMixin):
    def get_client_id(self):
        return "backend"

    def get_allowed_scope(self, scope):
        return " ".join(s for s in scope.split() if s in SCOPES)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "private_key_jwt"

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


def keys_of_certificates(paths):
    """Keys by the names that a header may give them: ("kid", …), ("x5t", …)."""
    keys = {}
    for path in paths:
        with open(path, "rb") as file:
            cert = x509.load_pem_x509_certificate(file.read())
        sha1 = hashlib.sha1(cert.public_bytes(serialization.Encoding.DER)).digest()
        key = JsonWebKey.import_key(
            cert.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        keys["kid", sha1.hex().upper()] = key
        keys["x5t", base64.urlsafe_b64encode(sha1).rstrip(b"=").decode()] = key
    return keys


def keys_of_jwks(path):
    with open(path, encoding="utf-8") as file:
        return {("kid", k["kid"]): JsonWebKey.import_key(k) for k in json.load(file)["keys"]}


def make_assertion_class(keys, names):
    class Assertion(JWTBearerClientAssertion):
        CLIENT_AUTH_METHOD = "private_key_jwt"
        used = {}

        def validate_jti(self, claims, jti):
            fresh = jti not in self.used
            self.used[jti] = claims["exp"]
            return fresh

        def resolve_client_public_key(self, client, headers):
            for name in names:
                if (name, headers.get(name)) in keys:
                    return keys[name, headers[name]]
            return refuse(f"no registered key is named by {', '.join(names)}")

        def process_assertion_claims(self, assertion, resolve_key):
            try:
                claims = JsonWebToken(ALGORITHMS).decode(
                    assertion, resolve_key, claims_options=self.create_claims_options()
                )
                claims.validate()
            except JoseError as error:
                refuse(f"{error.error} {error.description}")
            if not isinstance(claims["aud"], str):
                refuse("aud is not one string")
            if type(claims["exp"]) is not int or type(claims.get("iat")) is not int:
                refuse("exp or iat is no integer")
            if claims["iat"] - time.time() > CLOCK_SKEW_S:
                refuse("iat is in the future")
            if claims["exp"] - time.time() > MAX_EXP_S + CLOCK_SKEW_S:
                refuse("exp is too far ahead")
            if claims.header.get("typ") != "JWT":
                refuse("typ is not JWT")
            return claims

    return Assertion


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["private_key_jwt"]


def base64url_json(part):
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None


def log_requests(app, path):
    """A line for each request; written before the answer is sent."""
    count = itertools.count(1)
    lock = threading.Lock()

    def log(response):
        form = {name: " ".join(values) for name, values in request.form.lists()}
        entry = {"method": request.method, "path": request.path, "status": response.status_code, "form": form}
        if "client_assertion" in form:
            header, claims, *_ = form["client_assertion"].split(".") + ["", ""]
            form["client_assertion"] = f"{header}.{claims}.…"
            entry.update(header=base64url_json(header), claims=base64url_json(claims))
        with lock, open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"n": next(count), **entry}, ensure_ascii=False) + "\n")
        return response

    app.after_request(log)


def add_metadata(app, issuer):
    common = {
        "issuer": issuer,
        "token_endpoint": issuer + "/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "scopes_supported": SCOPES,
    }
    metadata = AuthorizationServerMetadata({**common, "response_types_supported": ["none"]})
    metadata.validate()
    smart = {**common, "capabilities": ["client-confidential-asymmetric", "permission-v1"]}
    for path, document in (
        ("/.well-known/oauth-authorization-server", metadata),
        ("/fhir/.well-known/smart-configuration", smart),
    ):
        app.add_url_rule(path, path, lambda document=document: jsonify(document))


def make_app(issuer, assertion_class, audience):
    app = Flask("authlib")
    app.config["OAUTH2_SCOPES_SUPPORTED"] = SCOPES
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: Client() if client_id == "backend" else None,
        save_token=lambda token, request: None,
    )
    server.register_grant(ClientCredentials)
    server.register_client_auth_method("private_key_jwt", assertion_class(audience))
    app.add_url_rule("/token", view_func=server.create_token_response, methods=["POST"])
    add_metadata(app, issuer)
    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jwks")
    parser.add_argument("--cert", action="append", default=[])
    parser.add_argument("--resolve", choices=("kid", "x5t", "identityserver"), default="kid")
    parser.add_argument("--aud", choices=("token", "issuer"), default="token")
    parser.add_argument("--skew", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()

    names = {"kid": ["kid"], "x5t": ["x5t"], "identityserver": ["kid", "x5t"]}[options.resolve]
    keys = keys_of_jwks(options.jwks) if options.jwks else keys_of_certificates(options.cert)
    if options.skew:
        # Authlib and the Date field take the time from here
        right_now = time.time
        time.time = lambda: right_now() + options.skew
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    http = make_server("127.0.0.1", 0, Flask("unbound"), threaded=True, ssl_context=tls)
    issuer = f"https://localhost:{http.server_port}"
    token_endpoint = issuer + "/token"
    audience = {"token": token_endpoint, "issuer": issuer}[options.aud]
    http.app = make_app(issuer, make_assertion_class(keys, names), audience)
    if options.log:
        log_requests(http.app, options.log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready = {
        "ready": True,
        "port": http.server_port,
        "issuer": issuer,
        "token_endpoint": token_endpoint,
        "fhir_base": issuer + "/fhir",
        "ca": options.ca,
    }
    print(json.dumps(ready), flush=True)
    http.serve_forever()


if __name__ == "__main__":
    main()
