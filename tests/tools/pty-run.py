#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a pseudo-terminal of its own and types at its prompt.

Prints JSON: exit (128 + N after signal N), screen (all that was shown), and
whether the terminal echoed: echo_at_prompt, echo_after. Without --prompt nothing
is typed. Standard output of the command goes to --stdout.

usage: pty-run.py [--prompt TEXT] [--type TEXT] [--stdout FILE] COMMAND...
"""
import argparse
import json
import os
import pty
import select
import sys
import termios
import time

TIMEOUT_S = 60


def echoes(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)


def start(options, slave_name):
    """The command, as the leader of a session that has the terminal."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    terminal = os.open(slave_name, os.O_RDWR)  # becomes the controlling one
    out = terminal
    if options.stdout:
        out = os.open(options.stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(terminal, 0)
    os.dup2(out, 1)
    os.dup2(terminal, 2)
    os.execvp(options.command[0], options.command)


def read_some(master):
    if not select.select([master], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompt")
    parser.add_argument("--type", default="")
    parser.add_argument("--stdout")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    master, slave = pty.openpty()
    pid = start(options, os.ttyname(slave))
    screen, typed, echo_at_prompt, status = b"", not options.prompt, None, None
    end = time.monotonic() + TIMEOUT_S
    while status is None and time.monotonic() < end:
        screen += read_some(master)
        if not typed and options.prompt.encode() in screen:
            echo_at_prompt = echoes(slave)
            typed = True
            os.write(master, options.type.encode())
        done, wait_status = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(wait_status)
    if status is None:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        sys.exit("the command did not end")
    screen += read_some(master)
    result = {
        "exit": status if status >= 0 else 128 - status,
        "screen": screen.decode(errors="replace"),
        "echo_at_prompt": echo_at_prompt,
        "echo_after": echoes(slave),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
