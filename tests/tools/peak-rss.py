#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command; writes its peak of resident memory, in KiB, to FILE.

Its exit status is ours. The peak is at least that of this interpreter, from
which the command starts.

usage: peak-rss.py FILE COMMAND...
"""
import resource
import subprocess
import sys


def main():
    status = subprocess.call(sys.argv[2:])
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"{peak_kib}\n")
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
