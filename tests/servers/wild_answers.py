# SPDX-License-Identifier: Apache-2.0
"""The 47 kinds of bad answers that token clients meet, as a table.

Each row: its number and name, the answer, and what the client must do: its exit
status, a text on stderr, and, where it must take the access token, that. Rows
that are about something else than the token endpoint's answer name the test
that has them.
"""
import json

TOKEN = "wild-access-token"
OK = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}
JSON = "application/json"
HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
KIB, MIB = 1024, 1024 * 1024

ROWS = []


def row(number, name, body, exit, said="", status=200, type=JSON, token=None, options=(), **fields):
    """said: on stderr; token: on stdout, the answer's own unless it says another."""
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    ROWS.append(
        {
            "number": number,
            "path": f"/{number:02d}-{name}",
            "status": status,
            "fields": {"Content-Type": type, **{k.replace("_", "-"): v for k, v in fields.items()}},
            "body": body.encode() if isinstance(body, str) else body,
            "exit": exit,
            "said": said,
            "token": (token or TOKEN) if exit == 0 else None,
            "options": list(options),
        }
    )


def good(number, name, said="", token=None, options=(), type=JSON, body=None, **members):
    body = body if body is not None else {k: v for k, v in {**OK, **members}.items() if v != "absent"}
    row(number, name, body, 0, said, type=type, token=token, options=options)


def error(number, name, said, status=400, body=None, exit=13, **members):
    row(number, name, body if body is not None else {"error": "invalid_client", **members}, exit, said, status)


row(1, "text", "Unauthorized, try later", 14, "Unauthorized, try later")
row(1, "empty", "", 14, "the body is empty")
for html_status in (200, 401, 403, 404, 502, 503):
    row(2, f"html-{html_status}", HTML, 13 if 400 <= html_status < 500 else 14, "HTML, from a proxy or a wrong URL?",
        html_status, "text/html", options=["--retry-time", "0"])
row(3, "prose-as-json", "Service not registered with API gateway.", 14, "it begins: Service not registered")
for name, type in (("html", "text/html"), ("text", "text/plain"), ("fhir", "application/fhir+json"),
                   ("charset", "application/json;charset=utf-8"), ("none", "")):
    good(4, f"json-labelled-{name}", type=type)
error(5, "error-with-200", "invalid_client", 200)
error(6, "token-and-error", "server_error", 200, {**OK, "error": "server_error"})
for status in (400, 401, 403):
    row(7, f"invalid-client-{status}", {"error": "invalid_client"}, 13, "invalid_client", status,
        WWW_Authenticate="Basic realm=x")
good(8, "null-members", refresh_token=None, scope=None, error_description=None, error=None)
error(8, "null-description", "invalid_client", error_description=None)
error(9, "error-uri", "see urn:cerner:error:oauth2:token:invalid-signature",
      error_uri="urn:cerner:error:oauth2:token:invalid-signature")
error(10, "prose-as-error", "invalid audience (aud) claim", body={"error": "invalid audience (aud) claim"})
error(10, "error-object", '"code":7', body={"error": {"code": 7, "message": "nested"}})
error(11, "operation-outcome", "login: who are you", 401,
      {"resourceType": "OperationOutcome", "issue": [{"code": "login", "diagnostics": "who are you"}]})
error(12, "message", "Invalid JWT", 401, {"code": 401, "message": "Invalid JWT"})
error(13, "control-characters", "line\\x0d\\x0abreak \\x1b[31m", error_description="line\r\nbreak \x1b[31m\x9b\u202e\u0007")
error(13, "one-megabyte", "xxx...", error_description="x" * (MIB - 200))
for type in ("Bearer", "BEARER", "bearer"):
    good(14, f"type-{type}", token_type=type)
good(15, "type-missing", "Bearer is assumed", token_type="absent")
for name, type in (("dpop", "DPoP"), ("mac", "mac"), ("macaroon", "MACAROON"), ("number", 7), ("list", ["Bearer"])):
    row(16, f"type-{name}", {**OK, "token_type": type}, 14, "the token_type is not Bearer")
good(17, "expiry-missing", expires_in="absent")
good(18, "expiry-text", expires_in="1200")
for name, value in (("zero", 0), ("negative", -5), ("float", 3599.7), ("never", "never"), ("null", None)):
    good(19, f"expiry-{name}", expires_in=value)
good(19, "expiry-exponent", body='{"access_token":"%s","token_type":"Bearer","expires_in":1e3}' % TOKEN)
for name, value in (("absurd", 2**40), ("epoch", 1893456000)):
    good(19, f"expiry-{name}", "ten are assumed", expires_in=value)
good(20, "expiry-hour", expires_in=3600)
for name, value in (("missing", "absent"), ("empty", ""), ("list", ["system/*.read"]), ("order", "b system/*.read"),
                    ("twice", "system/*.read system/*.read"), ("v2", "system/*.rs"),
                    ("unprefixed", "Patient.read Patient.search")):
    good(21, f"scope-{name}", scope=value)
row(21, "scope-required", {**OK, "scope": "system/Patient.read"}, 13, "the server granted", options=["--require-scope"])
for name, value in (("newline", "a\nb"), ("crlf", "a\r\nX: b"), ("space", "a b"), ("quote", 'a"b'),
                    ("not-ascii", "a\u00e9"), ("empty", ""), ("number", 12345)):
    row(22, f"token-{name}", {**OK, "access_token": value}, 14, "access token")
row(22, "token-nul", {**OK, "access_token": "a\u0000b"}, 14, "not JSON")
LONG = "t" * (16 * KIB)
good(23, "token-16k", "many servers do not take", token=LONG, access_token=LONG)
good(24, "extra-members", id_token="x", patient="1", need_patient_banner=True, project={"reference": "Project/1"})
row(25, "token-twice", '{"access_token":"a","access_token":"b","token_type":"Bearer"}', 14, "repeated member")
row(25, "error-twice", '{"error":"a","error":"b"}', 13, "HTTP 400", 400)
row(26, "deep", '{"a":' * 40 + "1" + "}" * 40, 14, "HTTP 200")
row(26, "huge-number", '{"access_token":"t","expires_in":' + "9" * 400 + "}", 14, "HTTP 200")
row(26, "lone-surrogate", '{"access_token":"t","x":"\\ud800"}', 14, "HTTP 200")
row(26, "overlong-utf8", b'{"access_token":"t","x":"\xc0\xaf"}', 14, "HTTP 200")
good(26, "byte-order-mark", body="\ufeff" + json.dumps(OK))
row(26, "utf-16", json.dumps(OK).encode("utf-16"), 14, "HTTP 200")
row(26, "garbage-behind", json.dumps(OK) + "x", 14, "HTTP 200")
row(26, "nul-inside", b'{"access_token":"t"\x00}', 14, "HTTP 200")
row(27, "body-1-mib-and-one", " " * (MIB + 1), 14, "longer than 1048576")
row(27, "endless", "", 14, "longer than 1048576")
row(27, "one-byte-a-second", "", 12, "timed out", options=["--timeout", "2"])
row(27, "endless-fields", "", 14, "longer than 65536")
row(28, "truncated", "", 12, "bytes remaining")
row(28, "hang-up", "", 12, "Empty reply")
row(28, "reset", "", 12, "")
row(29, "gzip", b"\x1f\x8b\x08\x00wild", 14, "HTTP 200", Content_Encoding="gzip")
row(29, "brotli", b"\x0b\x02\x80wild", 14, "HTTP 200", Content_Encoding="br")
for status in (301, 302, 303, 307, 308):
    row(30, f"redirect-{status}", "", 13, "https://elsewhere.example/t", status, Location="https://elsewhere.example/t")
row(30, "redirect-to-http", "", 13, "http://localhost/token", 302, Location="http://localhost/token")
row(31, "method", "", 13, "does not take token requests", 405)
row(31, "media-type", "Unsupported content type", 13, "does not take token requests", 415, "text/plain")
for status in (413, 414, 431):
    row(32, f"too-long-{status}", "", 13, "too long for this server", status)
for name, after in (("seconds", "7"), ("date", "Fri, 01 Jan 2100 00:00:00 GMT"), ("huge", "99999999999"),
                    ("negative", "-1"), ("past", "Fri, 01 Jan 1999 00:00:00 GMT")):
    row(33, f"busy-{name}", "", 13, "429", 429, options=["--retry-time", "0"], Retry_After=after)
row(33, "busy-silent", "", 13, "asked too often", 429, options=["--retry-time", "0"])
row(34, "temporarily", {"error": "temporarily_unavailable"}, 14, "temporarily_unavailable", 503,
    options=["--retry-time", "0"])
row(34, "server-error", {"error": "server_error"}, 14, "server_error", 500)
good(35, "early-hints", body=OK)
row(35, "no-colon", "", 12, "")
# 36: an access token that a FHIR server does not take yet is not the token endpoint's
# 37: metadata; tests/integ/210-discovery.t and tests/unit/discovery-test.c
error(38, "not-entitled", "may not use this grant", body={"error": "unauthorized_client"})
error(39, "not-yet-known", "or not yet", body={"error": "invalid_client"}, error=None)
# 40: flaky refusals; tests/integ/240-retries.t (known_to_be_flaky)
row(41, "clock", {"error": "invalid_client"}, 13, "the clock here is 6", 400, Date="@-600")
# 42: TLS; tests/integ/420-tls.t. 43: proxies; there, too
good(44, "escapes", body='{"access_token":"a\\/b\\u002bc","token_type":"Bearer","expires_in":60}', token="a/b+c")
row(45, "cookies", OK, 0, "", Set_Cookie="wild=cookie; Path=/", Strict_Transport_Security="max-age=9",
    Alt_Svc='h3=":443"', Link="<x>; rel=y")
row(46, "from-a-cache", OK, 0, "may be somebody else's", Age="30")
# 47: modules; tests/integ/620-modules.t
