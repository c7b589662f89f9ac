# SPDX-License-Identifier: Apache-2.0
"""What each kind of authorization server asks of a client, one function each.

Source: the vendors' published rules as the project's specification has
collected them: the vendor table, and the rows on RFC 10070, FAPI 2.0 and UDAP
Security. Nothing here comes from the client's own table of rules; the two are
two readings of one text, and tests/integ/220-vendors.t lets them meet.

Where a vendor says nothing the rule of SMART App Launch 2.2 holds. Where the
client is advised to stay below a limit that the vendor does not enforce, it is
enforced here.
"""
import base64
import dataclasses
import secrets
import typing

import vendor_claims as claims
import vendor_jws as jws
import vendor_request as form
from vendor_request import JWT_BEARER_GRANT, Refused, require

RS = ("RS256", "RS384", "RS512")
PS = ("PS256", "PS384", "PS512")
ES = ("ES256", "ES384", "ES512")
SMART_ALGS = ("RS384", "ES384")

RESOURCE = r"system/(\*|[A-Z][A-Za-z]*)"
V1 = RESOURCE + r"\.(read|write|\*)"
V2 = RESOURCE + r"\.(?=[cruds])c?r?u?d?s?(\?[^ ]+)?"
SMART_LIFE_S = 300


@dataclasses.dataclass(frozen=True)
class Vendor:
    """The rules, and what the server publishes and answers."""

    check: typing.Callable
    algs: tuple
    lists_algs: bool = True  # in its metadata
    auth_method: str = "private_key_jwt"
    grant: str = "client_credentials"
    final_slash: bool = False  # of the issuer
    status: int = 400  # of a refusal
    error: str = "invalid_client"
    expires_in: typing.Union[int, str] = 300
    answer: typing.Callable = lambda request: {}  # further members of a success


VENDORS = {}


def vendor(name, algs, **published):
    def register(check):
        VENDORS[name] = Vendor(check, algs, **published)
        return check

    return register


def client_credentials(r, exact_type=False, longest=None):
    """RFC 6749 section 4.4 with RFC 7523 section 2.2, and the assertion taken apart."""
    form.content_type(r, exact=exact_type)
    form.form(r)
    form.no_other_authentication(r)
    form.grant_type(r)
    form.client_assertion(r)
    form.client_id(r)
    jws.compact_jws(r, longest)


def smart_times(r):
    claims.exp(r, ahead=SMART_LIFE_S)
    claims.iat(r)
    claims.nbf(r)


def smart_request(r, algs, each_scope=None):
    """SMART App Launch 2.2 but for the audience, times and jti."""
    client_credentials(r, exact_type=True)
    form.scope(r, each_scope)
    jws.alg(r, algs)
    jws.typ(r, "JWT")
    jws.signature(r)
    jws.names(r)
    claims.issuer_and_subject(r)


def smart_rules(r, algs, each_scope=None):
    smart_request(r, algs, each_scope)
    claims.aud(r, r.token_endpoint)
    smart_times(r)
    claims.jti(r)
    claims.single_use(r)


@vendor("smart", SMART_ALGS)
def smart(r, algs):
    smart_rules(r, algs)


@vendor("careevolution", ("RS384", "RS256", "ES384"), expires_in=3600)
def careevolution(r, algs):
    """kid and x5t as its page has them; an expired registered certificate is of no use."""
    client_credentials(r)
    form.scope(r, r"system/\*\.(read|\*)")
    jws.alg(r, algs)
    jws.typ(r, "JWT")
    jws.signature(r, dated=True)
    jws.kid(r, required=False, among="x5t_hex")
    jws.certificate_names(r)
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r, ahead=SMART_LIFE_S)
    claims.iat(r, skew=300)
    claims.nbf(r, skew=300)
    claims.jti(r)
    claims.single_use(r)


@vendor(
    "epic",
    RS + ("ES256", "ES384"),
    lists_algs=False,
    expires_in=3600,
    answer=lambda request: {"scope": "Patient.read Patient.search"},
)
def epic(r, algs):
    """No tolerance in any time; the scope is not needed."""
    client_credentials(r)
    form.scope(r, required=False)
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    smart_times(r)
    claims.life(r, "iat", 300)
    claims.life(r, "nbf", 300)
    claims.jti(r, longest=151)
    claims.single_use(r)


@vendor("oracle-health", SMART_ALGS, status=401, expires_in=570)
def oracle_health(r, algs):
    form.accept(r)
    smart_rules(r, algs, RESOURCE + r"\.(read|write|(?=[cruds])c?r?u?d?s?)")


def okta_claims(r):
    """The endpoint that was invoked; an hour; a jti that is there is used once."""
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r, ahead=3600)
    claims.iat(r)
    claims.nbf(r)
    claims.jti(r, required=False)
    claims.single_use(r)


@vendor("athenahealth", ("RS256", "RS384"), status=401, expires_in=3600)
def athenahealth(r, algs):
    """An Okta in front of SMART scopes."""
    smart_request(r, algs, rf"athena/service/Athenanet\.MDP\.(\*|\w+)|{V1}|{V2}")
    okta_claims(r)


@vendor("meditech", RS, status=401)
def meditech(r, algs):
    smart_rules(r, algs, V2)


def keycloak_claims(r):
    claims.issuer_and_subject(r)
    claims.aud(r, r.issuer, r.token_endpoint, or_array_of_one=True)
    claims.exp(r, skew=15)
    claims.iat(r, skew=15)
    claims.nbf(r, skew=15)
    claims.fresh(r, limit=60, skew=15)
    claims.jti(r)
    claims.single_use(r)


@vendor("nextgen", RS + PS + ES, lists_algs=False)
def nextgen(r, algs):
    """A Keycloak realm in front of SMART scopes."""
    smart_request(r, algs, V2)
    keycloak_claims(r)


@vendor("eclinicalworks", ("RS384",))
def eclinicalworks(r, algs):
    smart_rules(r, algs, f"{V1}|{V2}")


@vendor("medplum", RS + ES, error="invalid_request", expires_in=3600)
def medplum(r, algs):
    client_credentials(r)
    form.scope(r, required=False)
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    smart_times(r)
    claims.jti(r, required=False)
    claims.single_use(r)


def aidbox_answer(request):
    """Wildcards come back as resources, and a refresh token that is none."""
    scope = request.form["scope"]
    words = [scope.replace("*", name, 1) for name in ("Observation", "Patient")] if "/*" in scope else [scope]
    return {"scope": " ".join(words), "refresh_token": None}


@vendor("aidbox", ("RS384", "RS256"), answer=aidbox_answer)
def aidbox(r, algs):
    smart_rules(r, algs)


@vendor("smile-cdr", SMART_ALGS)
def smile_cdr(r, algs):
    smart_rules(r, algs)


def macaroon(request):
    return {"access_token": base64.b64encode(secrets.token_bytes(300)).decode()}


@vendor("cms-dpc", SMART_ALGS, status=401, expires_in="300", answer=macaroon)
def cms_dpc(r, algs):
    """DPC, and what its sister SSAS compares: both headers exactly, iat, exp - iat."""
    form.accept(r)
    smart_request(r, algs, r"system/\*\.\*")
    jws.kid(r, form=claims.UUID)
    claims.client_token(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r, ahead=300)
    claims.iat(r, required=True)
    claims.nbf(r)
    claims.life(r, "iat", 300)
    claims.jti(r)
    claims.single_use(r)


@vendor("okta", RS + ES, status=401, expires_in=3600)
def okta(r, algs):
    client_credentials(r)
    form.scope(r)
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r)
    okta_claims(r)


@vendor("auth0", ("RS256", "RS384", "PS256"), final_slash=True, status=401, expires_in=86400)
def auth0(r, algs):
    """The tenant is the audience, with its slash; the API is a parameter."""
    client_credentials(r, longest=2048)
    form.scope(r, required=False)
    form.parameter(r, "audience")
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    claims.issuer_and_subject(r, longest=64)
    claims.aud(r, r.issuer)
    claims.exp(r, ahead=300)
    claims.iat(r, skew=10)
    claims.nbf(r, skew=10)
    claims.jti(r, longest=64)
    claims.single_use(r)


@vendor("keycloak", RS + PS + ES)
def keycloak(r, algs):
    client_credentials(r)
    form.scope(r, required=False)
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r)
    keycloak_claims(r)


API_SCOPES = r"api|system/\*\.read|system/Patient\.r(ead|s)"


@vendor("duende", RS + PS + ES, expires_in=3600)
def duende(r, algs):
    """Not strict, until the type says that it may be; any kid, all keys are tried."""
    client_credentials(r, longest=51200)
    form.scope(r, API_SCOPES, required=False)
    jws.alg(r, algs)
    jws.typ(r, "JWT", jws.AUTHENTICATION_TYP, required=False)
    jws.signature(r, dated=True)
    claims.issuer_and_subject(r, longest=100)
    if r.header.get("typ") == jws.AUTHENTICATION_TYP:
        claims.aud(r, r.issuer)
    else:
        claims.aud(r, r.token_endpoint, r.issuer + "/connect/token", r.issuer)
    claims.exp(r, skew=300)
    claims.iat(r, skew=300)
    claims.nbf(r, skew=300)
    claims.jti(r)
    claims.single_use(r)


@vendor("rfc10070", RS + PS + ES)
def rfc10070(r, algs):
    client_credentials(r)
    form.scope(r, required=False)
    jws.alg(r, algs)
    jws.typ(r, jws.AUTHENTICATION_TYP)
    jws.signature(r)
    jws.names(r, kid_required=False)
    claims.issuer_and_subject(r)
    claims.aud(r, r.issuer, or_array_of_one=True)
    smart_times(r)
    claims.jti(r)
    claims.single_use(r)


@vendor(
    "entra",
    ("PS256", "RS256"),
    status=401,
    expires_in=3599,
    answer=lambda request: {"ext_expires_in": 3599},
)
def entra(r, algs):
    """PS256 goes with the certificate's SHA-256, the older RS256 with its SHA-1."""
    client_credentials(r)
    form.client_id(r, required=True)
    form.scope(r, r".+/\.default")
    require(" " not in r.form["scope"], "scope: more than one resource")
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    jws.x5t_s256(r, required=r.header["alg"] == "PS256")
    jws.x5t(r, required=r.header["alg"] == "RS256")
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r)
    claims.iat(r, required=True)
    claims.nbf(r, required=True)
    claims.life(r, "nbf", 600)
    claims.jti(r, form=claims.UUID)
    claims.single_use(r)


@vendor("fapi2", ("PS256", "ES256"))
def fapi2(r, algs):
    client_credentials(r)
    form.scope(r, required=False)
    jws.alg(r, algs)
    jws.typ(r, "JWT", jws.AUTHENTICATION_TYP, required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    claims.issuer_and_subject(r)
    claims.aud(r, r.issuer)
    claims.exp(r, ahead=SMART_LIFE_S, skew=10)
    claims.iat(r, skew=10)
    claims.nbf(r, skew=10)
    claims.jti(r)
    claims.single_use(r)


@vendor(
    "google",
    ("RS256",),
    auth_method="none",
    grant=JWT_BEARER_GRANT,
    error="invalid_grant",
    expires_in=3600,
)
def google(r, algs):
    """The assertion is the grant; the scope is in it, and nobody authenticates."""
    form.content_type(r, exact=False)
    form.form(r)
    form.no_other_authentication(r)
    form.grant_type(r, JWT_BEARER_GRANT)
    form.only_parameters(r, "grant_type", "assertion")
    form.parameter(r, "assertion")
    r.assertion = r.form["assertion"]
    jws.compact_jws(r)
    form.scope(r, r"https://www\.googleapis\.com/auth/[a-z_.-]+", claim=True)
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.kid(r, among="given")
    jws.certificate_names(r)
    claims.service_account(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r)
    claims.iat(r, required=True)
    claims.life(r, "iat", 3600)
    claims.jti(r, required=False)
    claims.single_use(r)


@vendor("udap", ("RS256", "ES256", "RS384", "ES384"), expires_in=3600)
def udap(r, algs):
    """UDAP Security, B2B with client credentials."""
    client_credentials(r)
    form.scope(r)
    form.parameter(r, "udap", "1")
    jws.alg(r, algs)
    jws.typ(r, "JWT", required=False)
    jws.signature(r)
    jws.names(r, kid_required=False)
    jws.x5c(r, required=True)
    claims.issuer_and_subject(r)
    claims.aud(r, r.token_endpoint)
    claims.exp(r)
    claims.iat(r, required=True)
    claims.nbf(r)
    claims.life(r, "iat", 300)
    claims.jti(r)
    claims.hl7_b2b(r)
    claims.single_use(r)


def judge(name, request):
    """The reason why this vendor refuses the request, or None."""
    try:
        VENDORS[name].check(request, VENDORS[name].algs)
    except Refused as refused:
        return str(refused)
    return None
