#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks for each answer of wild_answers.py by the program under test; TAP.

usage: wild-client.py PROGRAM PROFILE BASE-URL LOG
"""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))
sys.dont_write_bytecode = True
from wild_answers import ROWS, TOKEN  # noqa: E402

TIME_MAX_S = 15
RSS_MAX_KIB = 64 * 1024
ELSEWHERE = {36, 37, 40, 42, 43, 47}  # rows that other tests have
PRINTABLE = re.compile(r"[ -~\n]|[^\x00-\xa0]")


def run(program, profile, base, row):
    """Exit status, streams, seconds, peak memory in KiB of this run."""
    out_r, out_w = os.pipe()
    command = [program, "token", profile, "--token-endpoint", base + row["path"], *row["options"]]
    started = time.monotonic()
    with open("stderr", "wb+") as err:
        child = subprocess.Popen(command, stdout=out_w, stderr=err, stdin=subprocess.DEVNULL)
        os.close(out_w)
        with os.fdopen(out_r, "rb") as stream:
            out = stream.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        text = err.read().decode("utf-8", "backslashreplace")
    return child.returncode, out.decode(), text, time.monotonic() - started, usage.ru_maxrss


def faults(row, code, out, err, seconds, rss, judge_memory):
    lines = err.splitlines()
    warnings = [line for line in lines if line.startswith("p11oauth: warning: ")]
    errors = [line for line in lines if line not in warnings]
    if code != row["exit"]:
        yield f"exit {code}, not {row['exit']}"
    if len(errors) != (1 if row["exit"] else 0):
        yield f"{len(errors)} error lines"
    if not all(line.startswith("p11oauth: ") for line in lines):
        yield "a line that is not ours"
    if row["said"] not in err:
        yield f"'{row['said']}' is not said"
    if out != (row["token"] + "\n" if row["token"] else ""):
        yield f"stdout is {out[:60]!r}"
    if TOKEN in err or (row["token"] and row["token"] in err):
        yield "the access token is on stderr"
    if any(not PRINTABLE.match(char) for char in err):
        yield "something on stderr cannot be printed"
    if max((len(line) for line in lines), default=0) > 2200:
        yield "a line without end"
    if seconds > TIME_MAX_S:
        yield f"{seconds:.1f} s"
    if judge_memory and rss > RSS_MAX_KIB:
        yield f"{rss} KiB"


def main():
    program, profile, base, log = sys.argv[1:]
    with open(program, "rb") as file:
        # libtool is not used: the program itself; a sanitizer needs memory of its own
        judge_memory = b"__asan_init" not in file.read()
    failed, peak = False, 0
    print(f"1..{len(ROWS) + 2}")
    for n, row in enumerate(ROWS, 1):
        code, out, err, seconds, rss = run(program, profile, base, row)
        peak = max(peak, rss)
        why = list(faults(row, code, out, err, seconds, rss, judge_memory))
        for fault in why:
            print(f"# {fault}")
        if why:
            print("# " + err.replace("\n", "\n# "))
        elif row["number"] == 27:
            print(f"# peak RSS of {row['path']}: {rss} KiB")
        failed |= bool(why)
        print(f"{'not ok' if why else 'ok'} {n} - row {row['path'][1:]}")
    print(f"# peak RSS of all: {peak} KiB")

    missing = set(range(1, 48)) - ELSEWHERE - {row["number"] for row in ROWS}
    print(f"{'not ok' if missing else 'ok'} {len(ROWS) + 1} - every row is there {sorted(missing) or ''}")
    with open(log, encoding="utf-8") as file:
        seen = [json.loads(line) for line in file]
    once = len(seen) == len({request["path"] for request in seen}) == len(ROWS)
    cookies = any("cookie" in (name.lower() for name in request["fields"]) for request in seen)
    good = once and not cookies
    print(f"{'ok' if good else 'not ok'} {len(ROWS) + 2} - one request each, no cookies")
    return failed or bool(missing) or not good


if __name__ == "__main__":
    sys.exit(main())
