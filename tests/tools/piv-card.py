#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A PIV card (NIST SP 800-73-4) for the virtual reader vpcd.

Slot 9A has an RSA key (PIN once), 9C a P-384 key (PIN before each signature), 9E
a P-256 key (no PIN), each with its certificate. The state folder has:
  rsa.key rsa.pem p384.* p256.*   the keys and certificates, given
  pin                             the PIN, given
  tries                           how many tries are left (three at first)
  log                             one line per event: RESET, VERIFY ok|wrong|
                                  locked, SIGN slot ok|refused; never data

usage: piv-card.py STATE-FOLDER PORT
"""
import pathlib
import socket
import struct
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

# A YubiKey 4's answer to reset: without historical bytes OpenSC takes the card
# for one without elliptic curves.
ATR = bytes.fromhex("3BF81300008131FE15597562696B657934D4")
VERSION = bytes([5, 4, 3])  # of its firmware
AID = bytes.fromhex("A000000308000010000100")
TRIES = 3
LIFETIME_S = 1800  # a card that was forgotten ends by itself

OK = b"\x90\x00"
NOT_FOUND, NO_INSTRUCTION = b"\x6a\x82", b"\x6d\x00"
NO_KEY, NO_CONDITIONS, WRONG_DATA = b"\x6a\x88", b"\x69\x85", b"\x6a\x80"
NOT_VERIFIED, LOCKED = b"\x69\x82", b"\x69\x83"

SLOTS = {  # key reference: name, tag of the certificate's data object
    0x9A: ("rsa", bytes.fromhex("5fc105")),
    0x9C: ("p384", bytes.fromhex("5fc10a")),
    0x9E: ("p256", bytes.fromhex("5fc101")),
}
ALWAYS_PIN, NO_PIN = 0x9C, 0x9E
HASH_OF_LENGTH = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


def tlv(tag, value):
    n = len(value)
    if n < 0x80:
        length = bytes([n])
    elif n < 0x100:
        length = bytes([0x81, n])
    else:
        length = b"\x82" + n.to_bytes(2, "big")
    return tag + length + value


def untlv(data):
    """{tag: value} of one-byte tags."""
    found, at = {}, 0
    while at + 1 < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        found[tag] = data[at : at + length]
        at += length
    return found


class Slot:
    def __init__(self, folder, name):
        key = (folder / f"{name}.key").read_bytes()
        self.key = serialization.load_pem_private_key(key, None)
        pem = (folder / f"{name}.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    def sign(self, challenge):
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            digest = utils.Prehashed(HASH_OF_LENGTH[len(challenge)])
            return self.key.sign(challenge, ec.ECDSA(digest))
        # the host has padded: the card does the bare RSA operation
        numbers = self.key.private_numbers()
        n = numbers.public_numbers.n
        value = pow(int.from_bytes(challenge, "big"), numbers.d, n)
        return value.to_bytes((n.bit_length() + 7) // 8, "big")


class Card:
    def __init__(self, folder):
        self.folder = folder
        self.slots = {ref: Slot(folder, name) for ref, (name, _) in SLOTS.items()}
        self.pin = (folder / "pin").read_bytes().strip().ljust(8, b"\xff")
        self.reset()

    def log(self, text):
        with open(self.folder / "log", "a", encoding="ascii") as file:
            print(text, file=file)

    def reset(self):
        self.selected = self.verified = self.just_verified = False
        self.chained = self.pending = b""

    # ---- the counter survives a removal ----
    def tries(self):
        try:
            return int((self.folder / "tries").read_text(encoding="ascii"))
        except FileNotFoundError:
            return TRIES

    def set_tries(self, n):
        (self.folder / "tries").write_text(f"{n}\n", encoding="ascii")

    # ---- commands ----
    def respond(self, data, most):
        self.pending = data
        return self.get_response(most)

    def get_response(self, most):
        part, self.pending = self.pending[:most], self.pending[most:]
        if not self.pending:
            return part + OK
        return part + bytes([0x61, min(len(self.pending), 0xFF)])

    def select(self, name, most):
        self.selected = AID.startswith(name) or name.startswith(AID[:9])
        if not self.selected:
            return NOT_FOUND
        answer = tlv(b"\x4f", AID[5:]) + tlv(b"\x79", tlv(b"\x4f", AID[:5]))
        return self.respond(tlv(b"\x61", answer), most)

    def get_data(self, data, most):
        tag = untlv(data).get(0x5C, b"")
        if tag == b"\x7e":  # discovery object
            answer = tlv(b"\x4f", AID) + tlv(b"\x5f\x2f", b"\x40\x00")
            return self.respond(tlv(b"\x7e", answer), most)
        if tag == bytes.fromhex("5fc102"):  # card holder unique identifier
            answer = (
                tlv(b"\x30", bytes(25))
                + tlv(b"\x34", bytes(range(16)))
                + tlv(b"\x35", b"20401231")
                + tlv(b"\x3e", b"")
                + tlv(b"\xfe", b"")
            )
            return self.respond(tlv(b"\x53", answer), most)
        for ref, (_, wanted) in SLOTS.items():
            if tag == wanted:
                answer = tlv(b"\x70", self.slots[ref].der)
                answer += tlv(b"\x71", b"\0") + tlv(b"\xfe", b"")
                return self.respond(tlv(b"\x53", answer), most)
        return NOT_FOUND

    def verify(self, reference, data):
        if reference != 0x80:
            return NO_KEY
        left = self.tries()
        if not data:  # how many tries are left?
            if self.verified:
                return OK
            return bytes([0x63, 0xC0 | left]) if left else LOCKED
        if left == 0:
            self.log("VERIFY locked")
            return LOCKED
        self.verified = self.just_verified = data == self.pin
        self.set_tries(TRIES if self.verified else left - 1)
        self.log(f"VERIFY {'ok' if self.verified else 'wrong'}")
        if self.verified:
            return OK
        return bytes([0x63, 0xC0 | (left - 1)]) if left > 1 else LOCKED

    def authenticate(self, reference, data, most):
        slot = self.slots.get(reference)
        if not slot:
            return NO_KEY
        may = self.just_verified if reference == ALWAYS_PIN else self.verified
        self.just_verified = False
        if reference != NO_PIN and not may:
            self.log(f"SIGN {reference:02X} refused")
            return NOT_VERIFIED
        challenge = untlv(untlv(data).get(0x7C, b"")).get(0x81, b"")
        try:
            signature = slot.sign(challenge)
        except (KeyError, ValueError):
            return WRONG_DATA
        self.log(f"SIGN {reference:02X} ok")
        return self.respond(tlv(b"\x7c", tlv(b"\x82", signature)), most)

    def command(self, apdu):
        class_, instruction, p1, p2 = apdu[:4]
        data, most = split_body(apdu[4:])
        if instruction == 0xC0:
            return self.get_response(most)
        if class_ & 0x10:  # more of it is to come
            self.chained += data
            return OK
        data, self.chained = self.chained + data, b""
        if instruction == 0xA4:
            return self.select(data, most) if p1 == 4 else NOT_FOUND
        if instruction not in (0xCB, 0x20, 0x87, 0xFD):
            return NO_INSTRUCTION
        if not self.selected:
            return NO_CONDITIONS
        if instruction == 0xFD:
            return VERSION + OK
        if instruction == 0xCB:
            return self.get_data(data, most)
        if instruction == 0x20:
            return self.verify(p2, data)
        return self.authenticate(p2, data, most)


def split_body(body):
    """(data, most bytes wanted) of what follows an APDU's header."""
    if len(body) == 0:
        return b"", 256
    if len(body) == 1:
        return b"", body[0] or 256
    if body[0] == 0 and len(body) >= 3:  # extended lengths
        n = int.from_bytes(body[1:3], "big")
        if len(body) == 3:
            return b"", n or 65536
        rest = body[3 + n :]
        return body[3 : 3 + n], int.from_bytes(rest, "big") or 65536
    n = body[0]
    rest = body[1 + n :]
    return body[1 : 1 + n], (rest[0] if rest else 0) or 256


def receive(sock, n):
    data = b""
    while len(data) < n:
        # the reader writes twice; without this it waits 40 ms for our TCP
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = sock.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.1)  # the reader is not up yet
    sys.exit("no reader")


def main():
    card = Card(pathlib.Path(sys.argv[1]))
    sock = connect(int(sys.argv[2]))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(LIFETIME_S)
    while True:
        try:
            message = receive(sock, struct.unpack("!H", receive(sock, 2))[0])
        except (EOFError, TimeoutError, ConnectionError):
            return
        if len(message) > 1:
            answer = card.command(message)
        elif message[0] == 4:
            answer = ATR
        else:  # power off, power on, reset
            card.reset()
            card.log("RESET")
            continue
        sock.sendall(struct.pack("!H", len(answer)) + answer)


if __name__ == "__main__":
    main()
