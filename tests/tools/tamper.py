#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Changes a ledger of one file in each way that its chain must show.

Writes one file for each change to a folder, named KIND-LINE, where LINE is the
line that has to be named as the broken one. What cannot show, a last line that
is missing, is end-LINE: only a hash that was noted before finds it.

usage: tamper.py LEDGER FOLDER
"""
import pathlib
import sys


def flipped(line, at):
    return line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]


def changes(lines):
    """(kind, line that is broken, the lines then)"""
    last = len(lines) - 1
    for i, line in enumerate(lines):
        before, after = lines[:i], lines[i + 1 :]
        yield ("delete" if i < last else "end"), i + 1, before + after
        yield "duplicate", i + 2, before + [line, line] + after
        for name, at in (("first", 0), ("seq", 7), ("middle", len(line) // 2), ("hash", len(line) - 10)):
            yield f"flip-{name}", i + 1, before + [flipped(line, at)] + after
        if i == last:
            continue
        yield "swap", i + 1, before + [after[0], line] + after[1:]
        yield "cut", i + 1, before + [line[: len(line) // 2] + b"\n"] + after
        yield "join", i + 1, before + [line[: len(line) // 2]] + after
        yield "insert", i + 2, before + [line, b"{}\n"] + after
        yield "empty", i + 2, before + [line, b"\n"] + after


def main():
    lines = pathlib.Path(sys.argv[1]).read_bytes().splitlines(keepends=True)
    for kind, broken, changed in changes(lines):
        pathlib.Path(sys.argv[2], f"{kind}-{broken}").write_bytes(b"".join(changed))


main()
