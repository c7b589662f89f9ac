# SPDX-License-Identifier: Apache-2.0
"""The answers of bad days, for answer-server.py: a table by path.

Each path begins with the number of its row in the list of bad inputs. A row is
(status, content type or None, fields, body); SPECIAL has what http.server has
no words for. Whatever must never be shown begins with "canary".
"""
import email.utils
import gzip
import json
import socket
import struct
import time
import zlib

JSON = "application/json"
HTML_TYPE = "text/html; charset=utf-8"
HTML = "\r\n <!DOCTYPE html><html><head><title>Sign in</title></head></html>"
TOKEN = "canary.access-token-410"
OK = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "system/*.read"}
MIB = 1024 * 1024
ELSEWHERE = "https://elsewhere.example/token"

ANSWERS = {}


def row(path, body="", status=200, content_type=JSON, **fields):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    ANSWERS["/" + path] = (status, content_type, {n.replace("_", "-"): v for n, v in fields.items()}, body)


def good(path, **members):
    """An access token, with these members; those that are ... are left out."""
    row(path, {n: v for n, v in {**OK, **members}.items() if v is not ...})


def bad(path, error="invalid_client", status=400, **members):
    row(path, {"error": error, **members}, status)


good("00-ok")
# ---- 1-4: no JSON, or JSON under another name
row("01-text", "Error: cannot read property 'x' of undefined", content_type="text/plain")
row("01-empty")
row("01-blank", " \r\n ")
for status in (200, 401, 403, 404, 500, 502, 503):
    row(f"02-html-{status}", HTML, status, HTML_TYPE)
row("03-sentence", "Service not registered with API gateway.")
row("03-sentence-503", "Service not registered with API gateway.", 503)
row("03-opaque-token", "canary0123456789abcdefABCDEF-._~+/==", content_type="text/plain")
for name, content_type in (("html", "text/html"), ("plain", "text/plain"), ("fhir", "application/fhir+json"),
                           ("charset", "application/json;charset=utf-8"), ("none", None)):
    row(f"04-type-{name}", OK, content_type=content_type)
# ---- 5-13: errors
bad("05-error-200", status=200, error_description="no such key")
bad("05-error-201", status=201)
row("05-no-token-200", {"token_type": "Bearer", "expires_in": 300})
row("05-other-name-200", {"accessToken": TOKEN, "token_type": "Bearer"})
row("06-token-and-error", {**OK, "error": "server_error"})
row("06-token-and-error-object", {**OK, "error": {"access_token": "canary-2"}})
row("06-token-400", OK, 400)
row("06-token-302", OK, 302, Location=ELSEWHERE)
for status in (400, 401, 403):
    row(f"07-invalid-client-{status}", {"error": "invalid_client"}, status, WWW_Authenticate='Basic realm="as"')
row("07-challenge-alone", "", 401, None, WWW_Authenticate='Bearer error="invalid_client"')
good("08-null-token", refresh_token=None, scope=None, error=None, error_description=None)
bad("08-null-error", error_description=None, error_uri=None)
row("08-null-access-token", {**OK, "access_token": None})
bad("09-uri-urn", status=401, error_uri="urn:cerner:error:authorization-server:oauth2:grant:client-credentials:unknown-client")
bad("09-uri-url", status=401, error_uri="https://as.example/errors/urn%3Aas%3Aerror%3Abad-signature/instances/7?x=\x1b[31m")
bad("10-prose", "invalid audience (aud) claim")
bad("10-object", {"code": 400, "message": "nested \x1b[31m", "status": "INVALID_ARGUMENT"})
bad("10-number", 17)
for status, code in ((401, "login"), (403, "forbidden"), (429, "throttled")):
    row(f"11-outcome-{status}", {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": code, "diagnostics": "who\r\nare you"}]}, status, "application/fhir+json")
row("11-outcome-details", {"resourceType": "OperationOutcome", "issue": [
    {"code": "security", "details": {"text": "not you"}}]}, 403, "application/fhir+json")
row("12-message-401", {"code": 401, "message": "Invalid JWT"}, 401)
row("12-message-500", {"code": 500, "message": "There was an error"}, 500)
bad("13-control", "a\rb", error_description="c\nd\x1b[31me\x00f".replace("\x00", "") + "\x9b\u202eg\u2028h")
row("13-nul", b'{"error":"a","error_description":"b\\u0000c"}', 400)
row("13-not-utf8", b'{"error":"a","error_description":"b\xff\xfec"}', 400)
row("13-one-mib", json.dumps({"error": "invalid_client", "error_description": "\u00e4 b" * (MIB // 4 - 100)}, ensure_ascii=False), 400)
row("13-one-mib-of-prose", "y z" * (MIB // 3), 400, "text/plain")
# ---- 14-16: token_type
for name in ("Bearer", "BEARER", "bearer"):
    good(f"14-{name}", token_type=name)
good("15-no-type", token_type=...)
good("15-null-type", token_type=None)
for name, value in (("dpop", "DPoP"), ("mac", "mac"), ("macaroon", "MACAROON"), ("na", "N_A"), ("empty", ""),
                    ("number", 7), ("array", ["Bearer"])):
    good(f"16-{name}", token_type=value)
# ---- 17-20: expires_in
good("17-no-expiry", expires_in=...)
good("18-string", expires_in="1200")
for name, value in (("zero", 0), ("negative", -5), ("float", 3599.7), ("never", "never"), ("null", None),
                    ("true", True), ("above-31-bits", 2**31), ("absurd", 2**62), ("absurd-string", "9" * 18),
                    ("point-in-time", int(time.time()) + 3600)):
    good(f"19-{name}", expires_in=value)
row("19-exponent", json.dumps(OK).replace("300", "1e3"))
row("19-absurd-real", json.dumps(OK).replace("300", "1e300"))
good("20-hour", expires_in=3600)
# ---- 21: scope
for name, value in (("missing", ...), ("empty", ""), ("array", ["system/*.read"]), ("order", "x system/*.read"),
                    ("twice", "system/*.read system/*.read"), ("v2", "system/*.rs"),
                    ("expanded", "system/Patient.read system/Observation.read"),
                    ("unprefixed", "Patient.read Patient.search"), ("number", 7), ("hostile", "a\x1b[31m\nb\u202e")):
    good(f"21-{name}", scope=value)
# ---- 22-26: what the token and the JSON look like
for name, value in (("newline", "canary\nx"), ("header", "canary\r\nX: y"), ("space", "canary x"), ("tab", "canary\tx"),
                    ("quote", 'canary"x'), ("comma", "canary,x"), ("umlaut", "canary\u00e4"), ("empty", ""),
                    ("number", 12345), ("array", ["canary"]), ("true", True)):
    good(f"22-{name}", access_token=value)
row("22-nul", json.dumps({**OK, "access_token": "canary\x00x"}))
for kib in (4, 8, 16, 64):
    good(f"23-{kib}-kib", access_token="canary" + "t" * (kib * 1024 - 6))
good("23-8-kib-and-one", access_token="canary" + "t" * (8 * 1024 - 5))
good("24-extra", id_token="canary.id", patient="1", need_patient_banner=True, project={"reference": "Project/1"}, x=[{}])
row("25-token-twice", '{"access_token":"canary.a","access_token":"canary.b","token_type":"Bearer"}')
row("25-token-escaped", '{"access_token":"canary.a","access\\u005ftoken":"canary.b","token_type":"Bearer"}')
row("25-error-twice", '{"error":"invalid_client","error":"invalid_scope"}', 400)
row("25-error-and-null", json.dumps(OK)[:-1] + ',"error":"server_error","error":null}')
row("25-other", json.dumps(OK)[:-1] + ',"expires_in":60,"x":1,"x":2}')
row("25-error-description", '{"error":"invalid_client","error_description":"first","error_description":"second"}', 400)
row("26-deep", '{"x":' + "[" * 100000 + "]" * 100000 + "}")
row("26-depth-32", json.dumps(OK)[:-1] + ',"x":' + "[" * 31 + "]" * 31 + "}")
row("26-depth-33", json.dumps(OK)[:-1] + ',"x":' + "[" * 32 + "]" * 32 + "}")
row("26-huge-integer", json.dumps(OK)[:-1] + ',"x":' + "9" * 400 + "}")
row("26-huge-expiry", json.dumps(OK).replace("300", "9" * 400))
row("26-huge-real", json.dumps(OK)[:-1] + ',"x":1e999}')
row("26-surrogate", json.dumps(OK)[:-1] + ',"x":"\\ud800"}')
row("26-overlong", json.dumps(OK).encode()[:-1] + b',"x":"\xc0\xaf"}')
row("26-mark", b"\xef\xbb\xbf" + json.dumps(OK).encode())
row("26-two-marks", b"\xef\xbb\xbf\xef\xbb\xbf" + json.dumps(OK).encode())
row("26-utf-16", json.dumps(OK).encode("utf-16"))
row("26-utf-16-bare", json.dumps(OK).encode("utf-16-le"))
row("26-garbage", json.dumps(OK) + "x")
row("26-two-objects", json.dumps(OK) * 2)
row("26-nul", json.dumps(OK).encode() + b"\x00")
row("26-nul-inside", json.dumps(OK).encode().replace(b",", b",\x00", 1))
row("26-comma", json.dumps(OK)[:-1] + ",}")
row("26-array", [OK])
row("26-string", json.dumps(json.dumps(OK)))
# ---- 27-29: sizes and codings (more of them in SPECIAL)
row("27-one-mib", json.dumps({**OK, "x": ""})[:-2] + " " * (MIB - len(json.dumps({**OK, "x": ""}))) + '"}')
row("27-one-more", json.dumps(OK) + " " * (MIB + 1 - len(json.dumps(OK))))
row("29-gzip", gzip.compress(json.dumps(OK).encode()), Content_Encoding="gzip")
row("29-deflate", zlib.compress(json.dumps(OK).encode()), Content_Encoding="deflate")
row("29-br", b"\x0b\x0b\x80{\"x\":1}\x03", Content_Encoding="br")
row("29-identity", OK, Content_Encoding="identity")
# ---- 30-34: statuses
for status in (301, 302, 303, 307, 308):
    row(f"30-{status}", "", status, None, Location=ELSEWHERE)
row("30-to-http", "", 302, None, Location="http://localhost/token")
row("30-slash", "", 301, None, Location="/30-slash/")
row("30-nowhere", "", 302, None)
row("30-hostile", HTML, 302, HTML_TYPE, Location="https://x.example/\x1b[31m?access_token=canary-3")
row("31-405", "", 405, None, Allow="GET")
row("31-415", "Unsupported content type", 415, "text/plain")
for status in (413, 414, 431):
    row(f"32-{status}", "", status, None)
for name, value in (("seconds", "7"), ("date", email.utils.formatdate(time.time() + 86400, usegmt=True)),
                    ("past", "Sun, 06 Nov 1994 08:49:37 GMT"), ("huge", "9" * 20), ("negative", "-1"), ("prose", "soon")):
    row(f"33-429-{name}", "", 429, None, Retry_After=value)
row("33-429-bare", "", 429, None)
row("33-503-seconds", "", 503, None, Retry_After="7")
for status in (502, 503, 504):
    row(f"33-{status}", "", status, None)
bad("34-unavailable-503", "temporarily_unavailable", 503)
bad("34-unavailable-400", "temporarily_unavailable", 400)
bad("34-server-error-500", "server_error", 500)
bad("34-server-error-400", "server_error", 400)
# ---- 37: metadata, below "/37-NAME"; @BASE@ and @OTHER@ are this server by two names
METADATA = "/.well-known/smart-configuration"


def metadata(name, body, **more):
    row(f"37-{name}{METADATA}", body, **more)


metadata("good", {"token_endpoint": "@BASE@/00-ok"})
metadata("404", HTML, status=404, content_type=HTML_TYPE)
metadata("html", HTML, content_type=HTML_TYPE)
metadata("array", [{"token_endpoint": "@BASE@/00-ok"}])
metadata("no-endpoint", {"capabilities": []})
metadata("null-endpoint", {"token_endpoint": None})
metadata("relative", {"token_endpoint": "auth/token"})
good("37-relative/auth/token")
metadata("rooted", {"token_endpoint": "/37-rooted-token"})
good("37-rooted-token")
metadata("http", {"token_endpoint": "http://localhost/00-ok"})
metadata("other-host", {"token_endpoint": "@OTHER@/00-ok"})
metadata("other-name", {"token_endpont": "@BASE@/00-ok"})
metadata("auth-methods", {"token_endpoint": "@BASE@/00-ok", "token_endpoint_auth_methods": ["private_key_jwt"]})
metadata("commas", '{"token_endpoint":"@BASE@/00-ok",}')
metadata("empty", "")
metadata("redirect", "", status=301, Location=ELSEWHERE)
metadata("large", '{"token_endpoint":"@BASE@/00-ok","x":"' + "x" * MIB + '"}')
metadata("hostile", {"token_endpoint": "https://x.example/\r\nX: y\x1b[31m"})
# ---- 38-41: refusals with a cause
bad("38-not-entitled", "unauthorized_client")
bad("39-unknown")
bad("40-flaky", status=400)
# ---- 44-46: escapes, fields
row("44-escapes", '{"access\\u005ftoken":"canary\\/a\\u002bb","token_type":"\\u0042earer","expires_in":60}')
row("45-fields", OK, Set_Cookie="canary=cookie; Path=/; Secure", Strict_Transport_Security="max-age=9",
    Alt_Svc='h3=":1"; ma=9', Link="</x>; rel=preload", Refresh="0; url=https://elsewhere.example/")
row("46-age", OK, Age="30")
row("46-age-0", OK, Age="0")
row("46-age-prose", OK, Age="old")


# ---- what http.server has no words for: functions of its request handler
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = json.dumps(OK).encode()
SPECIAL = {}


def special(path):
    def keep(function):
        SPECIAL["/" + path] = function
        return function

    return keep


def raw(path, *parts):
    """These bytes, and the end of the connection as TLS wants it."""

    def send(handler):
        for part in parts:
            handler.wfile.write(part)
        handler.close_connection = True
        handler.connection.unwrap()

    SPECIAL["/" + path] = send


def forever(path, start, again, pause_s=0):
    """Ends when the client has had enough, which ends the connection."""

    def send(handler):
        handler.wfile.write(start)
        while True:
            handler.wfile.write(again)
            time.sleep(pause_s)  # for the one that is slow on purpose

    SPECIAL["/" + path] = send


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
forever("27-endless", CHUNKED + b"\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
forever("27-endless-until-close", HEAD + b"\r\n", b"x" * 0x4000)
forever("27-endless-fields", HEAD, b"X-Padding: " + b"y" * 1000 + b"\r\n")
forever("27-endless-field", HEAD + b"X-Padding: ", b"y" * 0x4000)
forever("27-endless-interim", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
forever("27-endless-trailers", CHUNKED + b"\r\n0\r\n", b"X-Padding: " + b"y" * 1000 + b"\r\n")
forever("27-endless-extension", CHUNKED + b"\r\n1;x=", b"y" * 0x4000)
forever("27-slow", HEAD + b"Content-Length: 100000\r\n\r\n", b" ", 1)
forever("27-slow-fields", HEAD + b"X-Slow: ", b"y", 1)


@special("27-silent")
def silent(handler):
    handler.connection.recv(1)  # until the client is gone


@special("28-hang-up")
def hang_up(handler):
    handler.close_connection = True


def reset(handler):
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True


@special("28-reset")
def reset_at_once(handler):
    reset(handler)


@special("28-reset-half")
def reset_half(handler):
    handler.wfile.write(HEAD + b"Content-Length: 1000\r\n\r\n" + BODY)
    reset(handler)


@special("28-no-close-notify")
def no_close_notify(handler):
    """All of it, and an end of which TLS knows nothing."""
    handler.wfile.write(HEAD + b"\r\n" + BODY)
    handler.close_connection = True


@special("28-no-close-notify-cut")
def no_close_notify_cut(handler):
    """As an attacker on the line would end it."""
    handler.wfile.write(HEAD + b"\r\n" + BODY[:-9])
    handler.close_connection = True


raw("28-too-long", HEAD, b"Content-Length: 1000\r\n\r\n", BODY)
raw("28-too-short", HEAD, b"Content-Length: 40\r\n\r\n", BODY)
raw("28-negative-length", HEAD, b"Content-Length: -1\r\n\r\n", BODY)
raw("28-prose-length", HEAD, b"Content-Length: all\r\n\r\n", BODY)
raw("28-two-lengths", HEAD, b"Content-Length: %d\r\nContent-Length: 7\r\n\r\n" % len(BODY), BODY)
raw("28-broken-chunk", CHUNKED, b"\r\nzz\r\n", BODY)
raw("28-cut-chunk", CHUNKED, b"\r\n1000\r\n", BODY)

@special("29-bomb")
def bomb(handler):
    """Under a mebibyte on the wire, very much when unpacked."""
    body = gzip.compress(b" " * 128 * MIB, 1)
    handler.wfile.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
raw("35-early-hints", b"HTTP/1.1 103 Early Hints\r\nLocation: /wrong\r\nAge: 9\r\n\r\n", HEAD, LENGTH, BODY)
raw("35-continue", b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, LENGTH, BODY)
raw("35-folded", HEAD, b"X-Folded: a\r\n b\r\n\tc\r\n", LENGTH, BODY)
raw("35-trailers", CHUNKED, b"Trailer: Location, Age\r\n\r\n%x\r\n" % len(BODY), BODY,
    b"\r\n0\r\nLocation: /wrong\r\nX-Trailer: y\r\n\r\n")
raw("35-until-close", b"HTTP/1.0 200 OK\r\n\r\n", BODY)
raw("35-no-colon", HEAD, b"a line of prose\r\n", LENGTH, BODY)
raw("35-no-http", b"SSH-2.0-OpenSSH_9.2\r\n", BODY)
raw("35-version-9", b"HTTP/9.9 200 OK\r\n", LENGTH, BODY)
raw("35-status-of-prose", b"HTTP/1.1 fine OK\r\n", LENGTH, BODY)
raw("35-nul", HEAD, b"X-Nul: a\x00b\r\n", LENGTH, BODY)
raw("35-bare-newlines", (HEAD + LENGTH).replace(b"\r\n", b"\n"), BODY)


def dated(path, offset_s):
    @special(path)
    def send(handler):
        body = b'{"error":"invalid_client"}'
        handler.send_response_only(400)
        handler.send_header("Date", email.utils.formatdate(time.time() + offset_s, usegmt=True))
        handler.send_header("Content-Type", JSON)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


dated("41-ten-minutes-ahead", 600)
dated("41-ten-minutes-behind", -600)
dated("41-right", 0)


def first_busy(path, **fields):
    """Busy once, and then an access token."""
    row(path + "-busy", "", 503, None, Retry_After="0", **fields)
    good(path + "-then")

    @special(path)
    def send(handler):
        with handler.server.log_lock:
            handler.server.seen[path] = handler.server.seen.get(path, 0) + 1
            first = handler.server.seen[path] == 1
        handler.send_answer("/" + path + ("-busy" if first else "-then"))


first_busy("33-once")
first_busy("45-cookie", Set_Cookie="canary=cookie; Path=/; Secure")
