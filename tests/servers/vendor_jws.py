# SPDX-License-Identifier: Apache-2.0
"""Checks of the assertion as a JWS: its form, its header, its signature.

The check of the signature has to come before those of kid, x5t and x5c: they
ask whether the header names the certificate whose key has signed.
"""
import base64
import datetime
import json
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from vendor_request import Refused, b64url, require

AUTHENTICATION_TYP = "client-authentication+jwt"
RSA_BITS_MIN = 2048
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}


def pairs_once(pairs):
    require(len(pairs) == len(dict(pairs)), "assertion: a member twice")
    return dict(pairs)


def json_object(part):
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(data.decode(), object_pairs_hook=pairs_once)
    except ValueError:
        raise Refused("assertion: a part is not JSON") from None
    require(b64url(data) == part, "assertion: a part is not base64url as it should be")
    require(isinstance(value, dict), "assertion: a part is no JSON object")
    return value


def compact_jws(r, longest=None):
    require(longest is None or len(r.assertion) <= longest, "assertion: too long")
    compact = re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", r.assertion)
    require(compact, "assertion: not one compact JWS")
    header, claims, _ = r.assertion.split(".")
    r.header, r.claims = json_object(header), json_object(claims)
    for name in ("crit", "x5u", "jwk"):
        require(name not in r.header, f"{name}: not a header for this")


def alg(r, accepted):
    require(r.header.get("alg") in accepted, "alg: not one of " + " ".join(accepted))


def typ(r, *accepted, required=True):
    require("typ" in r.header or not required, "typ: absent")
    require(r.header.get("typ", accepted[0]) in accepted, "typ: not " + " or ".join(accepted))


def verifies(key, name, data, signature):
    digest = HASHES[name[2:]]
    try:
        if name in CURVES:
            curve, octets = CURVES[name]
            if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != curve:
                return False
            if len(signature) != 2 * octets:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:octets], signature[octets:]))
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signature, data, pss if name[0] == "P" else padding.PKCS1v15(), digest)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def signature(r, dated=False):
    """By the key of a registered certificate; DATED: one that has not expired."""
    data, _, text = r.assertion.rpartition(".")
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        octets = b""
    require(b64url(octets) == text, "signature: not base64url as it should be")
    signers = [c for c in r.registered if verifies(c.key, r.header["alg"], data.encode(), octets)]
    require(signers, "signature: of no registered key")
    r.signer = signers[0]
    today = datetime.datetime.fromtimestamp(r.now, datetime.timezone.utc).replace(tzinfo=None)
    begin, end = r.signer.cert.not_valid_before, r.signer.cert.not_valid_after
    require(not dated or begin <= today <= end, "certificate: outside its dates")


def kid(r, required=True, form=None, among="kids"):
    """Names the key that signed; FORM: a pattern; AMONG: which of its names."""
    require("kid" in r.header or not required, "kid: absent")
    if "kid" not in r.header:
        return
    name = r.header["kid"]
    require(isinstance(name, str), "kid: not a string")
    require(form is None or form.fullmatch(name), "kid: not of the form that this server gives")
    names = getattr(r.signer, among)
    require(name in (names if isinstance(names, set) else {names}), "kid: does not name the key that signed")


def x5t(r, required=False):
    require("x5t" in r.header or not required, "x5t: absent")
    require(r.header.get("x5t", r.signer.x5t) == r.signer.x5t, "x5t: not of the certificate")


def x5t_s256(r, required=False):
    require("x5t#S256" in r.header or not required, "x5t#S256: absent")
    wanted = r.signer.x5t_s256
    require(r.header.get("x5t#S256", wanted) == wanted, "x5t#S256: not of the certificate")


def issued(cert, issuer):
    key, digest = issuer.public_key(), cert.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(), digest)
        else:
            key.verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return cert.issuer == issuer.subject


def x5c(r, required=False):
    """RFC 7515 section 4.1.6: standard base64, the leaf first, then each one's issuer."""
    require("x5c" in r.header or not required, "x5c: absent")
    if "x5c" not in r.header:
        return
    texts = r.header["x5c"]
    strings = isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)
    require(strings, "x5c: not an array of strings")
    try:
        ders = [base64.b64decode(text, validate=True) for text in texts]
        certs = [x509.load_der_x509_certificate(der) for der in ders]
    except ValueError:
        raise Refused("x5c: not certificates in standard base64") from None
    require(ders[0] == r.signer.der, "x5c: the first is not the registered certificate")
    for below, above in zip(certs, certs[1:]):
        require(issued(below, above), "x5c: not in the order of issue")


def jku(r):
    require("jku" not in r.header or r.header["jku"] == r.jku, "jku: not the registered URL")


def certificate_names(r):
    """What the header says of the key's certificate is true."""
    x5t(r)
    x5t_s256(r)
    x5c(r)
    jku(r)


def names(r, kid_required=True):
    """The same, and the kid is any of the key's names."""
    kid(r, required=kid_required)
    certificate_names(r)
