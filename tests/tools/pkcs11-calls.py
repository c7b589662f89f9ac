#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a log of pkcs11-spy: what was called how often, and was it proper.

Prints {"total": N, "calls": {FUNCTION: N}} and exits 1, naming the calls, when
a private attribute was asked for or a key was wrapped, copied or had its
operation state taken.

usage: pkcs11-calls.py LOG
"""
import json
import re
import sys

PRIVATE = {
    "CKA_PRIVATE_EXPONENT",
    "CKA_PRIME_1",
    "CKA_PRIME_2",
    "CKA_EXPONENT_1",
    "CKA_EXPONENT_2",
    "CKA_COEFFICIENT",
}
FORBIDDEN = {"C_WrapKey", "C_CopyObject", "C_GetOperationState"}
SECRET_CLASSES = ("CKO_PRIVATE_KEY", "CKO_SECRET_KEY")
START = re.compile(r"^(\d+): (C_\w+)$", re.MULTILINE)


def calls_of(text):
    """(number, function, body) of each call."""
    starts = list(START.finditer(text))
    ends = [m.start() for m in starts[1:]] + [len(text)]
    return [(m[1], m[2], text[m.end() : end]) for m, end in zip(starts, ends)]


def handles_found(body):
    return re.findall(r"^\s*Object (0x[0-9a-f]+)", body, re.MULTILINE)


def judge(calls):
    """The calls that should not have been made."""
    searching_secrets, secret_handles, bad = False, set(), []
    for number, function, body in calls:
        if function in FORBIDDEN:
            bad.append(f"{number} {function}")
        elif function == "C_FindObjectsInit":
            searching_secrets = any(c in body for c in SECRET_CLASSES)
        elif function == "C_FindObjects" and searching_secrets:
            secret_handles.update(handles_found(body))
        elif function == "C_GetAttributeValue":
            asked = set(re.findall(r"CKA_\w+", body.split("[out]")[0]))
            handle = re.search(r"hObject = (0x[0-9a-f]+)", body)
            if asked & PRIVATE:
                bad.append(f"{number} {function} {sorted(asked & PRIVATE)}")
            if "CKA_VALUE" in asked and handle and handle[1] in secret_handles:
                bad.append(f"{number} {function} CKA_VALUE of a secret object")
    return bad


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        calls = calls_of(file.read())
    counts = {}
    for _, function, _ in calls:
        counts[function] = counts.get(function, 0) + 1
    print(json.dumps({"total": len(calls), "calls": counts}, sort_keys=True))
    bad = judge(calls)
    for entry in bad:
        print(f"improper: {entry}", file=sys.stderr)
    if not calls:
        print("no call in the log", file=sys.stderr)
    return 1 if bad or not calls else 0


if __name__ == "__main__":
    sys.exit(main())
