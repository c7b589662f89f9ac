# SPDX-License-Identifier: Apache-2.0
"""Token requests for vendor-rules-test.py: keys, certificates, signatures, and
for each vendor the request that it takes. python3-cryptography signs."""
import base64
import datetime
import hashlib
import json
import time
import urllib.parse
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

import vendor_request
import vendor_rules

BASE = "https://localhost:1"
NOW = int(time.time()) + 0.5
JKU = "https://client.example/jwks.json"
MACAROON = base64.b64encode(bytes(range(200))).decode()
SERVICE_ACCOUNT = "backend@project.iam.gserviceaccount.com"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def now_utc(days=0):
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)
    return moment + datetime.timedelta(days=days)


def certificate(key, name="backend", issuer=None, issuer_key=None, ends_in_days=30):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now_utc(-60))
        .not_valid_after(now_utc(ends_in_days))
        .sign(issuer_key or key, hashes.SHA256())
    )


KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "weak": rsa.generate_private_key(65537, 1024),
    "stranger": rsa.generate_private_key(65537, 2048),
    "ca": ec.generate_private_key(ec.SECP256R1()),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
}
KEY_OF_ALG = {"ES256": "p256", "ES384": "p384", "ES512": "p521"}
CA = certificate(KEYS["ca"], "throw-away CA")
CERTS = {name: certificate(key) for name, key in KEYS.items()}
CERTS["rsa"] = certificate(KEYS["rsa"], "backend", CA, KEYS["ca"])
UUIDS = {name: str(uuid.uuid4()) for name in KEYS}
REGISTERED = {
    name: vendor_request.Registered(CERTS[name], [UUIDS[name]])
    for name in ("rsa", "weak", "p256", "p384", "p521")
}


def der_base64(cert):
    return base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def x5t(cert, digest=hashlib.sha1):
    return b64url(digest(cert.public_bytes(serialization.Encoding.DER)).digest())


def sign(key, alg, data):
    digest = HASHES[alg[2:]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        octets = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(octets, "big") + s.to_bytes(octets, "big")
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    return key.sign(data, pss if alg[0] == "P" else padding.PKCS1v15(), digest)


class Case:
    """A request that its vendor takes, for a test to change."""

    def __init__(self, vendor):
        self.vendor, self.key, self.sign_alg, self.jku = vendor, "rsa", None, None
        self.client_id = {"google": SERVICE_ACCOUNT, "cms-dpc": MACAROON}.get(vendor, "backend")
        self.token_endpoint, self.issuer = f"{BASE}/{vendor}/token", f"{BASE}/{vendor}"
        self.registered = list(REGISTERED.values())
        self.headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ]
        self.header = {"alg": "RS384", "typ": "JWT", "kid": REGISTERED["rsa"].thumbprint()}
        self.claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.token_endpoint,
            "exp": int(NOW) + 240,
            "iat": int(NOW),
            "jti": str(uuid.uuid4()),
        }
        self.form = {
            "grant_type": "client_credentials",
            "scope": "system/Patient.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": None,  # made last
        }
        self.claims_text = self.body = self.edit = None
        GOOD.get(vendor, lambda c: None)(self)

    def use(self, alg):
        """ALG, with the key and the names of the key that go with it."""
        self.key, self.header["alg"] = KEY_OF_ALG.get(alg, "rsa"), alg
        registered = REGISTERED[self.key]
        if self.vendor == "entra":
            self.header.update({"x5t": registered.x5t, "x5t#S256": registered.x5t_s256})
        elif self.vendor == "udap":
            self.header["x5c"] = [der_base64(CERTS[self.key])]
        elif self.vendor == "careevolution":
            self.header["kid"] = registered.x5t_hex
        elif self.vendor in ("google", "cms-dpc"):
            self.header["kid"] = UUIDS[self.key]
        else:
            self.header["kid"] = registered.thumbprint()

    def jws(self):
        header, claims = json.dumps(self.header), self.claims_text or json.dumps(self.claims)
        data = b64url(header.encode()) + "." + b64url(claims.encode())
        alg = self.sign_alg or self.header["alg"]
        return data + "." + b64url(sign(KEYS[self.key], alg, data.encode()))

    def encoded(self):
        made = self.jws()
        made = self.edit(made) if self.edit else made
        pairs = {name: made if value is None else value for name, value in self.form.items()}
        return urllib.parse.urlencode(pairs, safe="").replace("*", "%2A").encode()

    def send(self, times=1):
        """The reason of the last refusal, or None."""
        used, body = set(), self.encoded()
        body = self.body(body) if self.body else body
        for _ in range(times):
            request = vendor_request.Request(
                headers=self.headers,
                body=body,
                issuer=self.issuer,
                token_endpoint=self.token_endpoint,
                client_id=self.client_id,
                registered=self.registered,
                now=NOW,
                used=used,
                jku=self.jku,
            )
            reason = vendor_rules.judge(self.vendor, request)
        return reason


# --- what differs from SMART


def careevolution(c):
    c.header["kid"] = REGISTERED["rsa"].x5t_hex
    c.form["scope"] = "system/*.read"
    c.form["client_id"] = "backend"


def cms_dpc(c):
    c.header["kid"] = UUIDS["rsa"]
    c.form["scope"] = "system/*.*"


def auth0(c):
    c.issuer = c.claims["aud"] = f"{BASE}/auth0/"
    c.form["audience"] = "https://api.example"


def rfc10070(c):
    c.header["typ"] = "client-authentication+jwt"
    c.claims["aud"] = c.issuer


def entra(c):
    c.header = {"alg": "PS256", "typ": "JWT", "x5t#S256": REGISTERED["rsa"].x5t_s256}
    c.claims["nbf"] = int(NOW)
    c.form["client_id"] = "backend"
    c.form["scope"] = "https://workspace-fhir.example/.default"


def fapi2(c):
    c.header["alg"] = "PS256"
    c.claims["aud"] = c.issuer


def google(c):
    c.header = {"alg": "RS256", "typ": "JWT", "kid": UUIDS["rsa"]}
    c.claims["exp"] = int(NOW) + 3600
    c.claims["scope"] = "https://www.googleapis.com/auth/cloud-platform"
    c.form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": None}


def udap(c):
    c.header = {"alg": "RS256", "x5c": [der_base64(CERTS["rsa"]), der_base64(CA)]}
    c.form["udap"] = "1"
    c.claims["extensions"] = {
        "hl7-b2b": {
            "version": "1",
            "organization_id": "https://example.org/org",
            "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#TREAT"],
        }
    }


GOOD = {
    "careevolution": careevolution,
    "cms-dpc": cms_dpc,
    "auth0": auth0,
    "rfc10070": rfc10070,
    "entra": entra,
    "fapi2": fapi2,
    "google": google,
    "udap": udap,
}
