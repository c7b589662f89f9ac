#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command as on a kernel that has no Landlock: its system calls fail with
ENOSYS, by a filter of seccomp(2).

usage: without-landlock.py COMMAND...
"""
import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LANDLOCK_CALLS = (444, 445, 446)  # the same number on every architecture
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of classic BPF
ALLOW, FAIL = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("=HBBI", code, if_true, if_false, value)


def main():
    tests = [
        instruction(JUMP_IF_EQUAL, call, if_true=len(LANDLOCK_CALLS) - index)
        for index, call in enumerate(LANDLOCK_CALLS)
    ]
    program = b"".join(
        [
            instruction(LOAD_WORD, 0),  # seccomp_data.nr
            *tests,
            instruction(RETURN, ALLOW),
            instruction(RETURN, FAIL | errno.ENOSYS),
        ]
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(head), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            sys.exit("without-landlock.py: prctl: " + os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
