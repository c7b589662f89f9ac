# SPDX-License-Identifier: Apache-2.0
"""Checks of the claims of the assertion."""
import re

from vendor_request import require

UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def issuer_and_subject(r, longest=None):
    for name in ("iss", "sub"):
        require(r.claims.get(name) == r.client_id, name + ": not the client id")
        require(longest is None or len(r.claims[name]) <= longest, name + ": too long")


def client_token(r):
    """CMS DPC: the client id is a macaroon, not the id that the portal shows for it."""
    require(not UUID.fullmatch(r.client_id), "iss: the id of the token, not the token")
    require(len(r.client_id) >= 100 and BASE64.fullmatch(r.client_id), "iss: not a client token")


def service_account(r):
    """Google: iss is an e-mail address; sub is for acting as somebody else."""
    require(r.claims.get("iss") == r.client_id, "iss: not the service account")
    require("@" in r.client_id, "iss: not an e-mail address")
    require(r.claims.get("sub", r.client_id) == r.client_id, "sub: somebody else")


def aud(r, *accepted, or_array_of_one=False):
    value = r.claims.get("aud")
    if or_array_of_one and isinstance(value, list) and len(value) == 1:
        value = value[0]
    require(isinstance(value, str), "aud: not one string")
    require(value in accepted, "aud: not " + " or ".join(accepted))


def time_claim(r, name, required):
    require(name in r.claims or not required, name + ": absent")
    require(type(r.claims.get(name, 0)) is int, name + ": not an integer")
    return r.claims.get(name)


def exp(r, ahead=None, skew=0):
    value = time_claim(r, "exp", required=True)
    require(value > r.now - skew, "exp: in the past")
    require(ahead is None or value <= r.now + ahead + skew, f"exp: more than {ahead} s ahead")


def iat(r, required=False, skew=0):
    value = time_claim(r, "iat", required)
    require(value is None or value <= r.now + skew, "iat: in the future")


def nbf(r, required=False, skew=0):
    value = time_claim(r, "nbf", required)
    require(value is None or value <= r.now + skew, "nbf: in the future")


def life(r, since, limit):
    """From iat or nbf to exp, when there is such a claim."""
    if since in r.claims:
        require(r.claims["exp"] - r.claims[since] <= limit, f"exp: more than {limit} s after {since}")


def fresh(r, limit, skew):
    """Keycloak: either issued a short time ago, or about to expire."""
    if "iat" in r.claims:
        require(r.now <= r.claims["iat"] + limit + skew, "iat: too far in the past")
    else:
        require(r.claims["exp"] <= r.now + limit + skew, "exp: too far in the future without iat")


def jti(r, required=True, longest=None, form=None):
    require("jti" in r.claims or not required, "jti: absent")
    if "jti" not in r.claims:
        return
    value = r.claims["jti"]
    require(isinstance(value, str) and value, "jti: not a string")
    require(longest is None or len(value) <= longest, "jti: too long")
    require(form is None or form.fullmatch(value), "jti: not of the form that this server wants")


def single_use(r):
    """Last of all checks, as it remembers."""
    value = r.claims.get("jti")
    require(value not in r.used, "jti: used before")
    if value is not None:
        r.used.add(value)


def hl7_b2b(r):
    """UDAP Security 5.2.1: the authorization extension object of a B2B client."""
    extensions = r.claims.get("extensions")
    require(isinstance(extensions, dict) and "hl7-b2b" in extensions, "hl7-b2b: absent")
    b2b = extensions["hl7-b2b"]
    require(isinstance(b2b, dict), "hl7-b2b: not an object")
    arrays = ("purpose_of_use", "consent_policy", "consent_reference")
    texts = ("version", "subject_name", "subject_id", "subject_role", "organization_id", "organization_name")
    for name, value in b2b.items():
        require(name in arrays + texts, f"hl7-b2b: {name} is not a member")
        items = value if name in arrays and isinstance(value, list) else [value] if name in texts else []
        good = items and all(isinstance(item, str) and item for item in items)
        require(good, f"hl7-b2b: {name} has the wrong type")
    require(b2b.get("version") == "1", 'hl7-b2b: version is not "1"')
    require(URI.fullmatch(b2b.get("organization_id", "")), "hl7-b2b: organization_id is not a URI")
    require("purpose_of_use" in b2b, "hl7-b2b: purpose_of_use is absent")
    for name in ("subject_id", "subject_role"):
        require(name not in b2b or "subject_name" in b2b, f"hl7-b2b: {name} without subject_name")
    for name in ("consent_policy", "consent_reference"):
        good = all(URI.fullmatch(uri) for uri in b2b.get(name, []))
        require(good, f"hl7-b2b: {name} is not of URIs")
    require(
        "consent_reference" not in b2b or "consent_policy" in b2b,
        "hl7-b2b: consent_reference without consent_policy",
    )
