#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in the memory of processes, as root can.

usage: memory-scan.py PATTERNS PID...

PATTERNS is a file of lines NAME REGEX (of bytes, ASCII): so that no secret is
in our own arguments. One line for each process and pattern: PID NAME COUNT, and
on stderr where: the map, and the bytes around it as far as they are text.
"""
import re
import sys

CHUNK = 1 << 20
OVERLAP = 4096  # a secret that lies across two chunks
SHOWN = 6
UNREADABLE = ("[vvar]", "[vsyscall]")


def maps_of(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.split(None, 5)
            start, end = (int(part, 16) for part in fields[0].split("-"))
            name = fields[5].strip() if len(fields) > 5 else "[anonymous]"
            if fields[1][0] == "r" and name not in UNREADABLE:
                yield start, end, name


def chunks_of(memory, start, end):
    """(where, bytes): each a chunk with the beginning of the next."""
    for at in range(start, end, CHUNK):
        try:
            memory.seek(at)
            yield at, memory.read(min(CHUNK + OVERLAP, end - at))
        except (OSError, ValueError, OverflowError):
            return  # device memory, or it was unmapped meanwhile


def scan(pid, patterns):
    found = {name: set() for name, _ in patterns}
    read = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name_of_map in maps_of(pid):
            for at, data in chunks_of(memory, start, end):
                read += len(data)
                for name, regex in patterns:
                    for match in regex.finditer(data):
                        if (where := at + match.start()) in found[name]:
                            continue
                        found[name].add(where)
                        if len(found[name]) <= SHOWN:
                            around = data[max(0, match.start() - 48) : match.end() + 16][:160]
                            text = re.sub(rb"[^ -~]", b".", around).decode()
                            print(f"{pid} {name} at {where:#x} in {name_of_map}: {text}", file=sys.stderr)
    if read < 100000:
        raise SystemExit(f"the memory of process {pid} cannot be read")
    return found


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        rows = [line.rstrip("\n").split(" ", 1) for line in file]
    patterns = [(name, re.compile(regex.encode())) for name, regex in rows]
    for pid in sys.argv[2:]:
        for name, places in scan(pid, patterns).items():
            print(pid, name, len(places))


if __name__ == "__main__":
    main()
