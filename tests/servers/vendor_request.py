# SPDX-License-Identifier: Apache-2.0
"""A token request, what a server knows of its client, and checks of the form.

Here and in vendor_jws.py and vendor_claims.py a check is one rule: it takes the
request and returns nothing, or raises Refused with a reason that starts with
the name of the part that is wrong: "scope: absent". vendor_rules.py composes
the checks.
"""
import base64
import dataclasses
import hashlib
import json
import re
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

FORM_TYPE = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE_TOKEN = r"[!#-\[\]-~]+"  # RFC 6749 section 3.3


class Refused(Exception):
    """The request breaks a rule; the text says which."""


def require(fact, reason):
    if not fact:
        raise Refused(reason)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Registered:
    """A certificate of the client, and the names by which a header may call it."""

    def __init__(self, cert, given=()):
        self.cert = cert
        self.key = cert.public_key()
        self.der = cert.public_bytes(serialization.Encoding.DER)
        sha1, sha256 = hashlib.sha1(self.der).digest(), hashlib.sha256(self.der).digest()
        self.x5t, self.x5t_s256, self.x5t_hex = b64url(sha1), b64url(sha256), sha1.hex().upper()
        self.given = set(given)  # kids that the server made up
        self.kids = {self.x5t, self.x5t_s256, self.x5t_hex, self.thumbprint(), *self.given}

    def thumbprint(self):
        """RFC 7638"""
        numbers = self.key.public_numbers()
        if isinstance(self.key, rsa.RSAPublicKey):
            members = {"e": numbers.e, "kty": "RSA", "n": numbers.n}
            width = {name: (members[name].bit_length() + 7) // 8 for name in "en"}
        else:
            octets = (self.key.curve.key_size + 7) // 8
            crv = {256: "P-256", 384: "P-384", 521: "P-521"}[self.key.curve.key_size]
            members = {"crv": crv, "kty": "EC", "x": numbers.x, "y": numbers.y}
            width = {"x": octets, "y": octets}
        for name, octets in width.items():
            members[name] = b64url(members[name].to_bytes(octets, "big"))
        return b64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


@dataclasses.dataclass
class Request:
    """A POST to a token endpoint, and what that server knows of its client."""

    headers: list  # of (name, value)
    body: bytes
    issuer: str
    token_endpoint: str
    client_id: str
    registered: list
    now: float
    used: set  # of jti, ever
    jku: str = None  # the registered JWKS URL
    form: dict = None
    assertion: str = None
    header: dict = None
    claims: dict = None
    signer: Registered = None

    def values(self, name):
        return [value for n, value in self.headers if n.lower() == name]


def content_type(r, exact=True):
    """One header field, byte for byte; or with parameters where nobody compares."""
    values = r.values("content-type")
    require(len(values) == 1, "content-type: not given once")
    media_type = values[0] if exact else values[0].partition(";")[0].strip().lower()
    require(media_type == FORM_TYPE, "content-type: not " + FORM_TYPE)


def accept(r):
    require(r.values("accept") == ["application/json"], "accept: not application/json")


def no_other_authentication(r):
    require(not r.values("authorization"), "authorization: a header besides the assertion")
    require("client_secret" not in r.form, "client_secret: besides the assertion")


def form(r):
    """RFC 6749 appendix B, section 3.2: encoded, each parameter once and with a value."""
    encoded = re.fullmatch(rb"(?:[A-Za-z0-9._~+=&-]|%[0-9A-Fa-f]{2})*", r.body)
    require(encoded, "body: an octet that has to be percent-encoded")
    try:
        pairs = urllib.parse.parse_qsl(
            r.body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError:
        raise Refused("body: not a form") from None
    names = [name for name, _ in pairs]
    require(len(names) == len(set(names)), "form: a parameter twice")
    require(all(value for _, value in pairs), "form: a parameter without value")
    r.form = dict(pairs)


def grant_type(r, wanted="client_credentials"):
    require(r.form.get("grant_type") == wanted, "grant_type: not " + wanted)


def client_assertion(r):
    require(r.form.get("client_assertion_type") == ASSERTION_TYPE, "client_assertion_type: not jwt-bearer")
    require("client_assertion" in r.form, "client_assertion: absent")
    r.assertion = r.form["client_assertion"]


def parameter(r, name, value=None):
    require(name in r.form, name + ": absent")
    require(value is None or r.form[name] == value, f"{name}: not {value}")


def only_parameters(r, *names):
    for name in r.form:
        require(name in names, name + ": not a parameter of this grant")


def client_id(r, required=False):
    """RFC 7521 section 4.2: may be left out, may not differ."""
    require(not required or "client_id" in r.form, "client_id: absent")
    require(r.form.get("client_id", r.client_id) == r.client_id, "client_id: does not match sub")


def scope(r, each=None, required=True, claim=False):
    """The parameter, or CLAIM: Google's claim; EACH: what every scope looks like."""
    text = (r.claims if claim else r.form).get("scope")
    require(text is not None or not required, "scope: absent")
    if text is None:
        return
    tokens = isinstance(text, str) and re.fullmatch(f"{SCOPE_TOKEN}( {SCOPE_TOKEN})*", text)
    require(tokens, "scope: not tokens with one space between")
    for word in text.split(" "):
        require(each is None or re.fullmatch(each, word), f"scope: {word} is not accepted here")
