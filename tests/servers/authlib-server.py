#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Authlib's own authorization server on loopback, for tests.

Grant, client authentication and assertion checks are Authlib's; this file
only configures them and adds the limits that SMART asks for. Keys are found

  --resolve kid             by kid in the JWK Set (--jwks)
  --resolve x5t             by x5t of a registered certificate (--cert)
  --resolve identityserver  by kid = upper-case hex SHA-1, else by x5t (--cert)
"""
import argparse
import base64
import hashlib
import json
import logging
import signal
import ssl
import sys
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from flask import Flask
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
            if claims["exp"] - time.time() > MAX_EXP_S + CLOCK_SKEW_S:
                refuse("exp is too far ahead")
            if claims.header.get("typ") != "JWT":
                refuse("typ is not JWT")
            return claims

    return Assertion


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["private_key_jwt"]


def make_app(token_endpoint, assertion_class):
    app = Flask("authlib")
    app.config["OAUTH2_SCOPES_SUPPORTED"] = SCOPES
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: Client() if client_id == "backend" else None,
        save_token=lambda token, request: None,
    )
    server.register_grant(ClientCredentials)
    server.register_client_auth_method("private_key_jwt", assertion_class(token_endpoint))
    app.add_url_rule("/token", view_func=server.create_token_response, methods=["POST"])
    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jwks")
    parser.add_argument("--cert", action="append", default=[])
    parser.add_argument("--resolve", choices=("kid", "x5t", "identityserver"), default="kid")
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()

    names = {"kid": ["kid"], "x5t": ["x5t"], "identityserver": ["kid", "x5t"]}[options.resolve]
    keys = keys_of_jwks(options.jwks) if options.jwks else keys_of_certificates(options.cert)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    http = make_server("127.0.0.1", 0, Flask("unbound"), threaded=True, ssl_context=tls)
    token_endpoint = f"https://localhost:{http.server_port}/token"
    http.app = make_app(token_endpoint, make_assertion_class(keys, names))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready = {"ready": True, "port": http.server_port, "token_endpoint": token_endpoint, "ca": options.ca}
    print(json.dumps(ready), flush=True)
    http.serve_forever()


if __name__ == "__main__":
    main()
