#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A pinentry without a person: speaks the Assuan protocol on its standard
streams, and does what PINENTRY_DOES says: answer (with PINENTRY_PIN), cancel,
fail, leave, or mute. What it was told goes to the file PINENTRY_LOG.
"""
import os
import sys
import time

does = os.environ.get("PINENTRY_DOES", "answer")


def say(line):
    print(line, flush=True)


if does == "mute":
    time.sleep(60)
say("OK Pleased to meet you")
for line in sys.stdin:
    line = line.rstrip("\n")
    with open(os.environ["PINENTRY_LOG"], "a", encoding="utf-8") as log:
        print(line, file=log)
    if line != "GETPIN":
        say("OK")
    elif does == "answer":
        pin = os.environ["PINENTRY_PIN"]
        say("S PASSWORD_FROM_CACHE")
        say("D " + "".join(f"%{ord(c):02X}" if c in "%0" else c for c in pin))
        say("OK")
    elif does == "cancel":
        say("ERR 83886179 Operation cancelled <Pinentry>")
    elif does == "fail":
        say("ERR 83886340 Invalid IPC response <Pinentry>")
    else:
        break
