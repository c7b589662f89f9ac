# SPDX-License-Identifier: Apache-2.0
"""What vendor-rules-test.py tries: (name, change, start of the reason or None).

A row changes one thing of the request that vendor_case.py makes, which the
vendor takes. COMMON is for all vendors, SOME for all but those named, ALGS and
ROWS have what is each vendor's own.
"""
import base64
import hashlib
import json

import vendor_case
import vendor_request
from vendor_case import BASE, CA, CERTS, JKU, KEYS, MACAROON, NOW, REGISTERED, UUIDS, der_base64, x5t

SECOND = int(NOW)


# --- changes: each makes a function of the case


def form(name, value):
    return lambda c: c.form.update({name: value})


def no_form(name):
    return lambda c: c.form.pop(name)


def head(name, value):
    return lambda c: c.header.update({name: value})


def no_head(name):
    return lambda c: c.header.pop(name)


def claim(name, value):
    return lambda c: c.claims.update({name: value})


def no_claim(name):
    return lambda c: c.claims.pop(name)


def http(name, value):
    """Another value of a header field, or with None none."""

    def change(c):
        c.headers = [(n, v) for n, v in c.headers if n != name] + ([(name, value)] if value else [])

    return change


def body(edit):
    return lambda c: setattr(c, "body", edit)


def assertion(edit):
    return lambda c: setattr(c, "edit", edit)


def key(name, alg=None):
    """Another key under the same header."""
    return lambda c: (setattr(c, "key", name), setattr(c, "sign_alg", alg))


def b2b(name, value):
    return lambda c: c.claims["extensions"]["hl7-b2b"].update({name: value})


def no_b2b(name):
    return lambda c: c.claims["extensions"]["hl7-b2b"].pop(name)


def claims_text(edit):
    return lambda c: setattr(c, "claims_text", edit(json.dumps(c.claims)))


def to_issuer(c):
    c.claims["aud"] = c.issuer


def to_token_endpoint(c):
    c.claims["aud"] = c.token_endpoint


def in_array(c):
    c.claims["aud"] = [c.claims["aud"]]


def fill(length):
    """An assertion of this length; a header of another one where base64 has no such claims."""

    def change(c):
        text = json.dumps(c.claims)
        while len(c.jws()) != length:
            c.header["note"] = c.header.get("note", "") + "n"
            c.claims_text = text
            missing = length - len(c.jws())
            c.claims_text += " " * (missing * 3 // 4)

    return change


def expired_certificate(c):
    cert = vendor_case.certificate(KEYS["rsa"], ends_in_days=-1)
    c.registered = [vendor_request.Registered(cert)]
    c.header["kid"] = c.registered[0].x5t_hex


def long_client_id(length):
    def change(c):
        c.client_id = c.claims["iss"] = c.claims["sub"] = "b" * length
        c.form.pop("client_id", None)

    return change


def other_client_id(client_id):
    return lambda c: setattr(c, "client_id", client_id) or c.claims.update(iss=client_id, sub=client_id)


def flip(jws):
    """Another signature of the same length."""
    return jws[:-2] + ("AA" if jws[-2:] != "AA" else "BA")


def stray_bits(jws):
    """The same header with a blank or two, and one of the bits that stand for nothing."""
    header, _, rest = jws.partition(".")
    text = base64.urlsafe_b64decode(header + "==")
    text = base64.urlsafe_b64encode(text + b" " * (-(len(text) - 1) % 3)).decode().rstrip("=")
    return text[:-1] + chr(ord(text[-1]) + 1) + "." + rest


def both(*changes):
    return lambda c: [change(c) for change in changes]


# --- rows for all vendors

X5C_SWAPPED = [der_base64(CERTS["rsa"]), der_base64(CERTS["p256"])]
COMMON = [
    ("an Authorization header", http("Authorization", "Basic YTpi"), "authorization:"),
    ("a client secret", form("client_secret", "s"), "client_secret:"),
    ("another grant", form("grant_type", "password"), "grant_type:"),
    ("a parameter twice", body(lambda b: b + b"&grant_type=x"), "form: a parameter twice"),
    ("an empty parameter", form("extra", ""), "form: a parameter without value"),
    ("a raw octet", body(lambda b: b + b"&a=b/c"), "body: an octet"),
    ("half a percent code", body(lambda b: b + b"&a=b%2"), "body: an octet"),
    ("invalid UTF-8", body(lambda b: b + b"&a=%ff"), "body: not a form"),
    ("no form", body(lambda b: b"x"), "body: not a form"),
    ("another content type", http("Content-Type", "application/json"), "content-type:"),
    ("no content type", http("Content-Type", None), "content-type:"),
    ("two content types", lambda c: c.headers.append(c.headers[0]), "content-type:"),
    ("two dots more", assertion(lambda jws: jws + "." + jws), "assertion: not one compact JWS"),
    ("padding", assertion(lambda jws: jws.replace(".", "=.", 1)), "assertion: not one compact JWS"),
    ("a header of bytes", assertion(lambda jws: "AAAA" + jws[4:]), "assertion: a part is not JSON"),
    ("claims in an array", claims_text(lambda text: f"[{text}]"), "assertion: a part is no JSON object"),
    ("a claim twice", claims_text(lambda t: t[:-1] + ', "iss": "x"}'), "assertion: a member twice"),
    ("stray bits in the header", assertion(stray_bits), "assertion: a part is not base64url"),
    ("stray bits in the signature", assertion(lambda jws: jws[:-1] + "B"), "signature: not base64url"),
    ("crit", head("crit", ["exp"]), "crit:"),
    ("x5u", head("x5u", "https://a.example"), "x5u:"),
    ("jwk", head("jwk", {}), "jwk:"),
    ("alg none", both(key("rsa", "RS384"), head("alg", "none")), "alg:"),
    ("alg HS256", both(key("rsa", "RS384"), head("alg", "HS256")), "alg:"),
    ("another typ", head("typ", "at+jwt"), "typ:"),
    ("a broken signature", assertion(flip), "signature: of no registered key"),
    ("a stranger's key", key("stranger"), "signature: of no registered key"),
    ("an RSA key of 1024 bits", key("weak"), "signature: of no registered key"),
    ("another hash", key("rsa", "RS512"), "signature: of no registered key"),
    ("another padding", key("rsa", "PS512"), "signature: of no registered key"),
    ("another iss", claim("iss", "somebody"), "iss:"),
    ("another sub", claim("sub", "somebody"), "sub:"),
    ("another aud", claim("aud", "https://elsewhere.example/token"), "aud: not http"),
    ("two aud", claim("aud", [BASE, BASE + "/x"]), "aud: not one string"),
    ("no aud", no_claim("aud"), "aud: not one string"),
    ("no exp", no_claim("exp"), "exp: absent"),
    ("exp in the past", claim("exp", SECOND - 301), "exp: in the past"),
    ("exp as text", claim("exp", str(SECOND + 60)), "exp: not an integer"),
    ("exp as a fraction", claim("exp", SECOND + 60.5), "exp: not an integer"),
    ("exp as true", claim("exp", True), "exp: not an integer"),
    ("iat in the future", claim("iat", SECOND + 302), "iat: in the future"),
    ("iat as text", claim("iat", str(SECOND)), "iat: not an integer"),
    ("jti as a number", claim("jti", 7), "jti: not a string"),
    ("an empty jti", claim("jti", ""), "jti: not a string"),
]
# and, last, for whom not: Google compares no nbf, Duende tries all keys
SOME = [
    ("nbf in the future", claim("nbf", SECOND + 302), "nbf: in the future", "google"),
    ("nbf as text", claim("nbf", str(SECOND)), "nbf: not an integer", "google"),
    ("another client_id", form("client_id", "somebody"), "client_id: does not match sub", "google"),
    ("no type of assertion", no_form("client_assertion_type"), "client_assertion_type:", "google"),
    ("another type", form("client_assertion_type", "urn:x"), "client_assertion_type:", "google"),
    ("no assertion", no_form("client_assertion"), "client_assertion: absent", "google"),
    ("two spaces in scope", form("scope", "a  b"), "scope: not tokens", "google"),
    ("a quote in scope", form("scope", 'a"b'), "scope: not tokens", "google"),
    ("an unknown kid", head("kid", "unknown"), "kid: ", "duende"),
    ("another key's kid", head("kid", UUIDS["p256"]), "kid: ", "duende"),
    ("kid as a number", head("kid", 7), "kid: not a string", "duende"),
    ("another x5t", head("x5t", x5t(CERTS["p256"])), "x5t:", "duende"),
    ("another x5t#S256", head("x5t#S256", x5t(CERTS["p256"], hashlib.sha256)), "x5t#S256:", "duende"),
    ("another leaf in x5c", head("x5c", [der_base64(CERTS["p256"])]), "x5c: the first", "duende"),
    ("x5c that is no chain", head("x5c", X5C_SWAPPED), "x5c: not in the order", "duende auth0"),
    ("x5c as one string", head("x5c", der_base64(CERTS["rsa"])), "x5c: not an array", "duende"),
    ("x5c in base64url", head("x5c", [der_base64(CERTS["rsa"])[:-1] + "_"]), "x5c: not cert", "duende"),
    ("a jku that is not registered", head("jku", JKU), "jku:", "duende"),
]

# --- rows for one vendor

ALGS = {
    "smart": "RS384 ES384",
    "careevolution": "RS384 RS256 ES384",
    "epic": "RS256 RS384 RS512 ES256 ES384",
    "oracle-health": "RS384 ES384",
    "athenahealth": "RS256 RS384",
    "meditech": "RS256 RS384 RS512",
    "nextgen": "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512",
    "eclinicalworks": "RS384",
    "medplum": "RS256 RS384 RS512 ES256 ES384 ES512",
    "aidbox": "RS384 RS256",
    "smile-cdr": "RS384 ES384",
    "cms-dpc": "RS384 ES384",
    "okta": "RS256 RS384 RS512 ES256 ES384 ES512",
    "auth0": "RS256 RS384 PS256",
    "keycloak": "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512",
    "duende": "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512",
    "rfc10070": "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512",
    "entra": "PS256 RS256",
    "fapi2": "PS256 ES256",
    "google": "RS256",
    "udap": "RS256 ES256 RS384 ES384",
}
EVERY_ALG = ALGS["keycloak"].split()

CHARSET = http("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
NEAR, FAR = claim("exp", SECOND + 300), claim("exp", SECOND + 301)
KID_ABSENT = ("without kid", no_head("kid"), "kid: absent")
KID_FREE = ("without kid", no_head("kid"), None)
TYP_ABSENT = ("without typ", no_head("typ"), "typ: absent")
TYP_FREE = ("without typ", lambda c: c.header.pop("typ", None), None)
SCOPE_ABSENT = ("without scope", no_form("scope"), "scope: absent")
SCOPE_FREE = ("without scope", no_form("scope"), None)
IAT_FREE = ("without iat", no_claim("iat"), None)
IAT_ABSENT = ("without iat", no_claim("iat"), "iat: absent")
JTI_ABSENT = ("without jti", no_claim("jti"), "jti: absent")
JTI_FREE = ("without jti", no_claim("jti"), None)
TYPE_EXACT = ("a charset", CHARSET, "content-type:")
TYPE_FREE = ("a charset", CHARSET, None)
EXP_FAR = ("exp 301 s ahead", both(FAR, no_claim("iat")), "exp: more than 300 s ahead")
EXP_NEAR = ("exp 300 s ahead", NEAR, None)
NO_SKEW = ("exp one second ago", claim("exp", SECOND), "exp: in the past")
AUD_ARRAY = ("aud in an array", in_array, "aud: not one string")
AUD_ISSUER = ("the issuer as aud", to_issuer, "aud: not http")
AUD_ENDPOINT = ("the token endpoint as aud", to_token_endpoint, "aud: not http")
REGISTERED_JKU = ("the registered jku", both(head("jku", JKU), lambda c: setattr(c, "jku", JKU)), None)
SMART_HEAD = [TYPE_EXACT, SCOPE_ABSENT, KID_ABSENT, TYP_ABSENT, REGISTERED_JKU, AUD_ARRAY]
SMART = SMART_HEAD + [AUD_ISSUER, EXP_NEAR, EXP_FAR, NO_SKEW, IAT_FREE, JTI_ABSENT]
FREE_HEAD = [TYPE_FREE, SCOPE_FREE, KID_FREE, TYP_FREE]


def scopes(good, bad):
    rows = [(f"scope {text}", form("scope", text), None) for text in good]
    return rows + [(f"scope {text}", form("scope", text), "scope:") for text in bad]


OKTA = [
    AUD_ISSUER,
    JTI_FREE,
    IAT_FREE,
    ("exp an hour ahead", claim("exp", SECOND + 3600), None),
    ("exp more than an hour ahead", claim("exp", SECOND + 3601), "exp: more than 3600 s ahead"),
    ("iat one second ahead", claim("iat", SECOND + 1), "iat: in the future"),
]
KEYCLOAK = [
    JTI_ABSENT,
    ("aud in an array of one", in_array, None),
    ("the issuer as aud", to_issuer, None),
    ("iat 75 s ago", claim("iat", SECOND - 74), None),
    ("iat 76 s ago", claim("iat", SECOND - 75), "iat: too far in the past"),
    ("240 s without iat", no_claim("iat"), "exp: too far in the future without iat"),
    ("75 s without iat", both(no_claim("iat"), claim("exp", SECOND + 75)), None),
    ("iat 15 s ahead", claim("iat", SECOND + 15), None),
    ("iat 16 s ahead", claim("iat", SECOND + 16), "iat: in the future"),
    ("nbf 15 s ahead", claim("nbf", SECOND + 15), None),
    ("nbf 16 s ahead", claim("nbf", SECOND + 16), "nbf: in the future"),
    ("exp 14 s ago", claim("exp", SECOND - 14), None),
    ("exp 15 s ago", claim("exp", SECOND - 15), "exp: in the past"),
]
V2_ONLY = scopes(
    ["system/Patient.rs", "system/*.cruds system/Observation.rs?category=laboratory"],
    ["system/*.read", "system/Patient.sr", "system/Patient.", "patient/Patient.rs"],
)
FIVE_MINUTES = [
    ("iat 300 s ahead", claim("iat", SECOND + 300), None),
    ("nbf 300 s ahead", claim("nbf", SECOND + 300), None),
    ("iat 301 s ahead", claim("iat", SECOND + 301), "iat: in the future"),
    ("nbf 301 s ahead", claim("nbf", SECOND + 301), "nbf: in the future"),
]
NOT_JSON = ("another Accept", http("Accept", "application/json, */*"), "accept:")
NO_ACCEPT = ("no Accept", http("Accept", None), "accept:")

ROWS = {
    "smart": SMART + [("any scope", form("scope", "launch"), None)],
    "careevolution": [
        TYPE_FREE,
        SCOPE_ABSENT,
        KID_FREE,
        TYP_ABSENT,
        AUD_ISSUER,
        EXP_NEAR,
        EXP_FAR,
        JTI_ABSENT,
        ("kid in lower case", lambda c: c.header.update(kid=c.header["kid"].lower()), "kid:"),
        ("kid as RFC 7638", head("kid", REGISTERED["rsa"].thumbprint()), "kid:"),
        ("x5t for kid", both(no_head("kid"), head("x5t", x5t(CERTS["rsa"]))), None),
        ("x5t with padding", head("x5t", x5t(CERTS["rsa"]) + "="), "x5t:"),
        *FIVE_MINUTES,
        ("an expired certificate", expired_certificate, "certificate:"),
    ]
    + scopes(["system/*.read", "system/*.*"], ["system/*.rs", "system/Patient.read"]),
    "epic": FREE_HEAD
    + [
        REGISTERED_JKU,
        AUD_ISSUER,
        AUD_ARRAY,
        NO_SKEW,
        EXP_NEAR,
        EXP_FAR,
        IAT_FREE,
        JTI_ABSENT,
        ("exp 301 s after iat", claim("iat", SECOND - 61), "exp: more than 300 s after iat"),
        ("exp 301 s after nbf", claim("nbf", SECOND - 61), "exp: more than 300 s after nbf"),
        ("iat one second ahead", claim("iat", SECOND + 1), "iat: in the future"),
        ("nbf one second ahead", claim("nbf", SECOND + 1), "nbf: in the future"),
        ("a jti of 151", claim("jti", "j" * 151), None),
        ("a jti of 152", claim("jti", "j" * 152), "jti: too long"),
    ],
    "oracle-health": SMART
    + [NOT_JSON, NO_ACCEPT]
    + scopes(["system/Patient.read system/Condition.crus"], ["system/Patient.read,system/Condition.rs"]),
    "athenahealth": SMART_HEAD
    + OKTA
    + scopes(["athena/service/Athenanet.MDP.*", "system/Patient.read", "system/Patient.rs"], ["launch"]),
    "meditech": SMART + V2_ONLY,
    "nextgen": SMART_HEAD[:-1] + KEYCLOAK + V2_ONLY,
    "eclinicalworks": SMART + scopes(["system/Group.read"], ["user/Group.read"]),
    "medplum": FREE_HEAD + [AUD_ARRAY, AUD_ISSUER, EXP_NEAR, EXP_FAR, NO_SKEW, JTI_FREE],
    "aidbox": SMART,
    "smile-cdr": SMART,
    "cms-dpc": SMART_HEAD
    + [
        NOT_JSON,
        NO_ACCEPT,
        IAT_ABSENT,
        JTI_ABSENT,
        NO_SKEW,
        EXP_NEAR,
        AUD_ISSUER,
        ("exp 301 s ahead", both(FAR, claim("iat", SECOND)), "exp: more than 300 s ahead"),
        ("exp 301 s after iat", claim("iat", SECOND - 61), "exp: more than 300 s after iat"),
        ("kid as RFC 7638", head("kid", REGISTERED["rsa"].thumbprint()), "kid: not of the form"),
        ("the portal's id of the token", other_client_id(UUIDS["rsa"]), "iss: the id of the token"),
        ("a short client id", other_client_id("backend"), "iss: not a client token"),
        ("a client id that is not base64", other_client_id(MACAROON + "!"), "iss: not a client token"),
    ]
    + scopes(["system/*.*"], ["system/*.read", "system/*.* system/*.read"]),
    "okta": [TYPE_FREE, SCOPE_ABSENT, KID_ABSENT, TYP_FREE, AUD_ARRAY] + OKTA,
    "auth0": FREE_HEAD
    + [
        AUD_ENDPOINT,
        AUD_ARRAY,
        EXP_FAR,
        JTI_ABSENT,
        ("aud without its slash", lambda c: c.claims.update(aud=f"{BASE}/auth0"), "aud: not http"),
        ("no API", no_form("audience"), "audience: absent"),
        ("iat 10 s ahead", claim("iat", SECOND + 10), None),
        ("iat 11 s ahead", claim("iat", SECOND + 11), "iat: in the future"),
        ("nbf 10 s ahead", claim("nbf", SECOND + 10), None),
        ("nbf 11 s ahead", claim("nbf", SECOND + 11), "nbf: in the future"),
        ("a jti of 64", claim("jti", "j" * 64), None),
        ("a jti of 65", claim("jti", "j" * 65), "jti: too long"),
        ("a client id of 64", long_client_id(64), None),
        ("a client id of 65", long_client_id(65), "iss: too long"),
        ("an assertion of 2048 bytes", fill(2048), None),
        ("an assertion of 2049 bytes", fill(2049), "assertion: too long"),
    ],
    "keycloak": [TYPE_FREE, SCOPE_FREE, KID_ABSENT, TYP_FREE] + KEYCLOAK,
    "duende": FREE_HEAD
    + [
        AUD_ARRAY,
        JTI_ABSENT,
        IAT_FREE,
        ("an unknown kid", head("kid", "unknown"), None),
        ("the issuer as aud", to_issuer, None),
        ("issuer and path as aud", claim("aud", f"{BASE}/duende/connect/token"), None),
        ("the strict request", vendor_case.rfc10070, None),
        ("the strict typ alone", head("typ", "client-authentication+jwt"), "aud: not http"),
        ("exp 299 s ago", claim("exp", SECOND - 299), None),
        ("exp 300 s ago", claim("exp", SECOND - 300), "exp: in the past"),
        *FIVE_MINUTES,
        ("an expired certificate", expired_certificate, "certificate:"),
        ("a client id of 100", long_client_id(100), None),
        ("a client id of 101", long_client_id(101), "iss: too long"),
        ("an assertion of 51200 bytes", fill(51200), None),
        ("an assertion of 51201 bytes", fill(51201), "assertion: too long"),
    ]
    + scopes(["api", "system/*.read"], ["system/Observation.read"]),
    "rfc10070": [TYPE_FREE, SCOPE_FREE, KID_FREE, TYP_ABSENT]
    + [
        AUD_ENDPOINT,
        EXP_NEAR,
        EXP_FAR,
        NO_SKEW,
        IAT_FREE,
        JTI_ABSENT,
        ("aud in an array of one", in_array, None),
        ("the issuer, but typ JWT", head("typ", "JWT"), "typ: not client-authentication+jwt"),
        ("SMART", both(head("typ", "JWT"), to_token_endpoint), "typ: not client-authentication+jwt"),
    ],
    "entra": [
        TYPE_FREE,
        TYP_FREE,
        SCOPE_ABSENT,
        AUD_ISSUER,
        AUD_ARRAY,
        IAT_ABSENT,
        JTI_ABSENT,
        ("without client_id", no_form("client_id"), "client_id: absent"),
        ("without nbf", no_claim("nbf"), "nbf: absent"),
        ("without x5t#S256", no_head("x5t#S256"), "x5t#S256: absent"),
        ("x5t alone", both(no_head("x5t#S256"), head("x5t", x5t(CERTS["rsa"]))), "x5t#S256: absent"),
        ("RS256 with x5t#S256", head("alg", "RS256"), "x5t: absent"),
        ("exp 601 s after nbf", claim("exp", SECOND + 601), "exp: more than 600 s after nbf"),
        ("a jti that is no GUID", claim("jti", "j" * 32), "jti: not of the form"),
        ("a GUID without hyphens", claim("jti", UUIDS["rsa"].replace("-", "")), None),
    ]
    + scopes(["api://x/.default"], ["system/*.read", "/.default", "api://x/.default api://y/.default"]),
    "fapi2": FREE_HEAD
    + [
        AUD_ENDPOINT,
        AUD_ARRAY,
        JTI_ABSENT,
        ("the typ of RFC 10070", head("typ", "client-authentication+jwt"), None),
        ("iat 10 s ahead", claim("iat", SECOND + 10), None),
        ("iat 11 s ahead", claim("iat", SECOND + 11), "iat: in the future"),
        ("nbf 10 s ahead", claim("nbf", SECOND + 10), None),
        ("nbf 11 s ahead", claim("nbf", SECOND + 11), "nbf: in the future"),
        ("exp 311 s ahead", claim("exp", SECOND + 311), "exp: more than 300 s ahead"),
        ("exp 9 s ago", claim("exp", SECOND - 9), None),
    ],
    "google": [
        TYPE_FREE,
        KID_ABSENT,
        TYP_FREE,
        AUD_ISSUER,
        AUD_ARRAY,
        IAT_ABSENT,
        JTI_FREE,
        NO_SKEW,
        ("exp 3601 s after iat", claim("exp", SECOND + 3601), "exp: more than 3600 s after iat"),
        ("client credentials", form("grant_type", "client_credentials"), "grant_type:"),
        ("scope as a parameter", form("scope", "x"), "scope: not a parameter"),
        ("client_id", form("client_id", "x"), "client_id: not a parameter"),
        ("no assertion", no_form("assertion"), "assertion: absent"),
        ("no scope", no_claim("scope"), "scope: absent"),
        ("a SMART scope", claim("scope", "system/*.read"), "scope:"),
        ("scopes in an array", claim("scope", ["x"]), "scope: not tokens"),
        ("kid as RFC 7638", head("kid", REGISTERED["rsa"].thumbprint()), "kid: does not name"),
        ("no sub", no_claim("sub"), None),
        ("no e-mail address", other_client_id("backend"), "iss: not an e-mail address"),
    ],
    "udap": [
        TYPE_FREE,
        TYP_FREE,
        SCOPE_ABSENT,
        AUD_ISSUER,
        AUD_ARRAY,
        IAT_ABSENT,
        JTI_ABSENT,
        NO_SKEW,
        ("without udap", no_form("udap"), "udap: absent"),
        ("udap=2", form("udap", "2"), "udap: not 1"),
        ("without x5c", no_head("x5c"), "x5c: absent"),
        ("the leaf alone", head("x5c", [der_base64(CERTS["rsa"])]), None),
        ("the issuer first", head("x5c", [der_base64(CA), der_base64(CERTS["rsa"])]), "x5c: the first"),
        ("exp 301 s after iat", claim("exp", SECOND + 301), "exp: more than 300 s after iat"),
        ("without extensions", no_claim("extensions"), "hl7-b2b: absent"),
        ("another extension", claim("extensions", {"x": {}}), "hl7-b2b: absent"),
        ("hl7-b2b as text", claim("extensions", {"hl7-b2b": "x"}), "hl7-b2b: not an object"),
        ("an unknown member", b2b("purpose", "x"), "hl7-b2b: purpose is not a member"),
        ("version as a number", b2b("version", 1), "hl7-b2b: version has the wrong type"),
        ("version 2", b2b("version", "2"), "hl7-b2b: version is not"),
        ("without version", no_b2b("version"), "hl7-b2b: version is not"),
        ("without organization_id", no_b2b("organization_id"), "hl7-b2b: organization_id is not"),
        ("organization_id as a name", b2b("organization_id", "org"), "hl7-b2b: organization_id is not"),
        ("without purpose_of_use", no_b2b("purpose_of_use"), "hl7-b2b: purpose_of_use is absent"),
        ("a purpose as text", b2b("purpose_of_use", "x"), "hl7-b2b: purpose_of_use has the wrong"),
        ("no purposes", b2b("purpose_of_use", []), "hl7-b2b: purpose_of_use has the wrong type"),
        ("subject_role alone", b2b("subject_role", "urn:x:1"), "hl7-b2b: subject_role without"),
        ("subject_id alone", b2b("subject_id", "urn:x:1"), "hl7-b2b: subject_id without"),
        ("a person", both(b2b("subject_name", "A B"), b2b("subject_role", "urn:x:1")), None),
        ("consent_reference alone", b2b("consent_reference", ["https://a.example"]), "hl7-b2b: consent_"),
        ("consent_policy as a word", b2b("consent_policy", ["word"]), "hl7-b2b: consent_policy is not"),
        (
            "a consent",
            both(b2b("consent_policy", ["urn:x:1"]), b2b("consent_reference", ["https://a.example"])),
            None,
        ),
    ],
}
