#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes every PKCS #11 call of `p11oauth assertion` fail in every way.

For each C_ function that a run calls, at its first call, at its second (if
there is one), and from the first on, with each CKR below: the exit status is
the documented one of the CKR's class (0 only with an assertion that verifies),
stderr has one line, no login follows a failed one, and what was initialised is
finalised. Prints TAP, one test a function, and the count of runs.

What the fault module needs is in the environment; the profiles are of ES384
keys. Of a further profile, only the functions that it calls more often than those
before it are swept.

usage: fault-sweep.py P11OAUTH FAULT-MODULE PIN {PROFILE PUBLIC-KEY.pem}...
"""
import base64
import collections
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

TIMEOUT_S = 60  # of one run; the sanitizers are slow
DEVICE = 10
# What p11oauth-exit-status(7) says of each class of error.
STATUS = {
    0x1: 9,  # CANCEL
    0x2: 1,  # HOST_MEMORY
    0x3: 4,  # SLOT_ID_INVALID
    0x5: DEVICE,  # GENERAL_ERROR
    0x6: DEVICE,  # FUNCTION_FAILED
    0x7: DEVICE,  # ARGUMENTS_BAD
    0xA: DEVICE,  # CANT_LOCK
    0x11: DEVICE,  # ATTRIBUTE_SENSITIVE
    0x12: DEVICE,  # ATTRIBUTE_TYPE_INVALID
    0x21: DEVICE,  # DATA_LEN_RANGE
    0x30: DEVICE,  # DEVICE_ERROR
    0x31: DEVICE,  # DEVICE_MEMORY
    0x32: DEVICE,  # DEVICE_REMOVED
    0x50: 9,  # FUNCTION_CANCELED
    0x54: DEVICE,  # FUNCTION_NOT_SUPPORTED
    0x60: DEVICE,  # KEY_HANDLE_INVALID
    0x63: 11,  # KEY_TYPE_INCONSISTENT
    0x68: 11,  # KEY_FUNCTION_NOT_PERMITTED
    0x70: 11,  # MECHANISM_INVALID
    0x82: DEVICE,  # OBJECT_HANDLE_INVALID
    0x90: DEVICE,  # OPERATION_ACTIVE
    0x91: DEVICE,  # OPERATION_NOT_INITIALIZED
    0xA0: 7,  # PIN_INCORRECT
    0xA1: 7,  # PIN_INVALID
    0xA2: 7,  # PIN_LEN_RANGE
    0xA3: 7,  # PIN_EXPIRED
    0xA4: 8,  # PIN_LOCKED
    0xB0: DEVICE,  # SESSION_CLOSED
    0xB1: DEVICE,  # SESSION_COUNT
    0xB3: DEVICE,  # SESSION_HANDLE_INVALID
    0xE0: 4,  # TOKEN_NOT_PRESENT
    0xE1: 4,  # TOKEN_NOT_RECOGNIZED
    0x100: DEVICE,  # USER_ALREADY_LOGGED_IN
    0x101: 7,  # USER_NOT_LOGGED_IN
    0x102: 7,  # USER_PIN_NOT_INITIALIZED
    0x104: 7,  # USER_ANOTHER_ALREADY_LOGGED_IN
    0x150: DEVICE,  # BUFFER_TOO_SMALL
    0x190: DEVICE,  # CRYPTOKI_NOT_INITIALIZED
    0x191: DEVICE,  # CRYPTOKI_ALREADY_INITIALIZED
    0x200: 9,  # FUNCTION_REJECTED
    0x80000001: DEVICE,  # a vendor's own
}
# The command has what it wants, whatever these say.
HARMLESS = {"C_Finalize", "C_FindObjectsFinal"}
WORKERS = os.cpu_count()
NO_TOKEN, NO_KEY, CRYPTO = 4, 5, 11


def allowed(function, when, ckr):
    """The exit statuses that are right."""
    if (function, when) == ("C_FindObjectsFinal", "1+"):
        return {DEVICE}  # the session stays busy, so the next search fails
    if function in HARMLESS:
        return {0}
    if function == "C_GetFunctionList":
        # the module cannot be loaded, or could at the second time
        return {NO_TOKEN} if when == "1+" else {NO_TOKEN, 0}
    if function == "C_GetTokenInfo":
        return {0, NO_TOKEN}  # a slot that is not usable is passed over
    right = {STATUS[ckr]}
    if when != "1+":
        right.add(0)  # recovered from, or of no consequence
    if function == "C_GetAttributeValue" and ckr in (0x11, 0x12, 0x150):
        right |= {0, NO_KEY, CRYPTO}  # the attributes are absent, no more
    if (function, ckr) == ("C_Login", 0x100):
        right = {NO_KEY, 0}  # somebody else's login counts as ours
    if (function, ckr) == ("C_Initialize", 0x191):
        right = {0, DEVICE}  # it said so, and was not
    return right


def verifies(jwt, key):
    try:
        signed, _, signature = jwt.strip().rpartition(b".")
        raw = base64.urlsafe_b64decode(signature + b"==")
        half = len(raw) // 2
        der = utils.encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )
        key.verify(der, signed, ec.ECDSA(hashes.SHA384()))
        return half == 48
    except (ValueError, InvalidSignature):
        return False


class Sweep:
    def __init__(self, program, module, pin, profile, key_file):
        self.profile = profile
        self.command = [program, "assertion", profile, "--module", module]
        self.pin = pin.encode()
        pem = pathlib.Path(key_file).read_bytes()
        self.key = serialization.load_pem_public_key(pem)
        # one token for each worker: SoftHSM fails when several processes log in
        self.tokens = queue.SimpleQueue()
        self.folder = tempfile.TemporaryDirectory()
        for number in range(WORKERS):
            self.tokens.put(self.copy_token(pathlib.Path(self.folder.name, str(number))))

    @staticmethod
    def copy_token(to):
        shutil.copytree(pathlib.Path(os.environ["SOFTHSM2_CONF"]).parent, to)
        conf = to / "softhsm2.conf"
        conf.write_text(
            f"directories.tokendir = {to}/tokens\n"
            "objectstore.backend = file\nlog.level = ERROR\n",
            encoding="ascii",
        )
        return str(conf)

    def run(self, fault):
        """(exit status, stdout, stderr, log lines) of one run."""
        token = self.tokens.get()
        try:
            return self.run_on(token, fault)
        finally:
            self.tokens.put(token)

    def run_on(self, token, fault):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "log")
            env = dict(
                os.environ,
                XDG_STATE_HOME=folder,
                P11FAULT_LOG=str(log),
                SOFTHSM2_CONF=token,
            )
            if fault:
                env["P11FAULT_FAIL"] = fault
            done = subprocess.run(
                self.command,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            lines = log.read_text(encoding="ascii").splitlines()
            return done.returncode, done.stdout, done.stderr, lines

    def complaints(self, function, when, ckr):
        """What is wrong with one run; None when the fault had no occasion."""
        status, out, err, log = self.run(f"{function}:{when}:{ckr:#x}")
        if f"fault: {function} {ckr:#x}" not in log:
            return None
        wrong = []
        if status not in allowed(function, when, ckr):
            wrong.append(f"exit {status}, not {sorted(allowed(function, when, ckr))}")
        if status == 0 and (err or not verifies(out, self.key)):
            wrong.append("exit 0 without a valid assertion and silence")
        lines = err.decode().splitlines()
        if status != 0 and (out or len(lines) != 1 or not lines[0].startswith("p11oauth: ")):
            wrong.append(f"{len(lines)} lines on stderr, {len(out)} bytes on stdout")
        if self.pin in out + err:
            wrong.append("the PIN is in the output")
        logins = [line for line in log if line.startswith("C_Login ")]
        if any(not line.endswith((" 0x0", " 0x100")) for line in logins[:-1]):
            wrong.append(f"a login after a failed one: {logins}")
        if log.count("C_Initialize 0x0") != sum(x.startswith("C_Finalize ") for x in log):
            wrong.append("not finalised")
        return [f"{function}:{when}:{ckr:#x}: {w}; {err.decode().strip()}" for w in wrong]


def sweep_function(sweep, function, calls):
    """(runs, complaints) of one function, which is called so often."""
    whens = ("1", "2", "1+") if calls > 1 else ("1", "1+")
    cases = [(function, when, ckr) for when in whens for ckr in STATUS]
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda case: sweep.complaints(*case), cases))
    happened = [r for r in results if r is not None]
    wrong = [text for r in happened for text in r]
    least = len(cases)
    if len(happened) < least:
        wrong.append(f"only {len(happened)} of {least} faults happened")
    return len(happened), wrong


def main():
    program, module, pin, *keys = sys.argv[1:]
    often, work = {}, []
    for profile, key_file in zip(keys[::2], keys[1::2]):
        sweep = Sweep(program, module, pin, profile, key_file)
        status, out, err, log = sweep.run(None)
        if status != 0 or not verifies(out, sweep.key):
            sys.exit(f"Bail out! {profile} without a fault: {status} {err!r}")
        called = collections.Counter(line.split()[0] for line in log)
        more = sorted(f for f in called if called[f] > often.get(f, 0))
        often.update((f, called[f]) for f in more)
        work += [(sweep, f, called[f]) for f in more]
    total, failed = 0, False
    print(f"1..{len(work)}")
    for number, (sweep, function, calls) in enumerate(work, 1):
        runs, wrong = sweep_function(sweep, function, calls)
        for text in wrong:
            print(f"# {text}")
        total += runs
        failed = failed or bool(wrong)
        verdict = "not ok" if wrong else "ok"
        print(f"{verdict} {number} - {sweep.profile} {function}: {runs} runs", flush=True)
    print(f"# {len(often)} functions x (first, second, every call) x {len(STATUS)} CKRs: {total} runs")
    sys.exit(failed)


if __name__ == "__main__":
    main()
