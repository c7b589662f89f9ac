#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Brings up the loopback interface of a new network namespace."""
import fcntl
import socket
import struct

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # netdevice(7)
FLAGS = "16sH14x"

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    answer = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack(FLAGS, b"lo", 0))
    flags = struct.unpack(FLAGS, answer)[1]
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack(FLAGS, b"lo", flags | IFF_UP))
