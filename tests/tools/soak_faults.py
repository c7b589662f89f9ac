# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with an agent's surroundings, and how to mend it.

Each fault is (name, group, begin, heal); two of one group are never there at
once, and groups are healed in the order of their names. begin and heal take
nothing and may be called again and again.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import time

import soak_proxy

FUNCTIONS = ["C_Sign", "C_SignInit", "C_Login", "C_FindObjects", "C_GetSlotList", "C_OpenSession", "C_Initialize"]
MODULE_FAULTS = ["hang", "abort", "crash", "exit", "0x30", "0x32", "0xB3"]
UNLOCK_TRIES = 40
CLOCK_STEPS_S = [7, -7, 3600, -3600, 100000, -100000]


def children_of(pid):
    """Of all its threads: whoever started them."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append((int(name), fields[0]))
    return found


def tree_of(pid):
    """(pid, state) of all that descend from it."""
    found = []
    for child, state in children_of(pid):
        found.append((child, state))
        found += tree_of(child)
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except OSError:
        return []


class Faults:
    def __init__(self, options, proxy, random, names, complain):
        self.options, self.proxy, self.random, self.names = options, proxy, random, names
        self.locked, self.complain = None, complain
        self.is_shifted = False
        self.last_shift = 0.0
        self.swtpm = None

    # ---- workers

    def workers(self):
        """(pid, module) of those that live."""
        lines = ((pid, command_line(pid)) for pid, _ in tree_of(self.options.agent_pid))
        return [(pid, line[line.index("agent-worker") + 1]) for pid, line in lines if "agent-worker" in line]

    def kill_worker(self, wants_tpm):
        for pid, module in self.workers():
            if ("tpm2" in module) == wants_tpm and (wants_tpm or self.random.random() < 0.7):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended by itself just now

    # ---- modules and tokens

    def order(self, text):
        with open(self.options.control + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(self.options.control + ".new", self.options.control)

    def module_fault(self, what):
        self.order(f"{self.random.choice(FUNCTIONS)} {what}\n")

    def take_token(self):
        if os.path.isdir(self.options.tokens):
            os.rename(self.options.tokens, self.options.tokens + ".away")

    def bring_token(self):
        away = self.options.tokens + ".away"
        if not os.path.isdir(away):
            return
        if os.path.isdir(self.options.tokens):  # made anew by the module: empty
            os.rmdir(self.options.tokens)
        os.rename(away, self.options.tokens)

    def stop_tpm(self):
        with open(self.options.swtpm_pid_file, encoding="ascii") as file:
            pid = int(file.read())
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        if self.swtpm:
            self.swtpm.wait()
        while os.path.exists(f"/proc/{pid}"):
            if " Z " in open(f"/proc/{pid}/stat", encoding="utf-8").read():
                break
            time.sleep(0.01)  # polling for the end of a killed process

    def start_tpm(self):
        if self.swtpm and self.swtpm.poll() is None:
            return
        self.swtpm = subprocess.Popen(self.options.swtpm.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(self.options.swtpm_pid_file, "w", encoding="ascii") as file:
            file.write(f"{self.swtpm.pid}\n")
        port = int(self.options.swtpm.rsplit("port=", 1)[1].split()[0])
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) != 111:
                    return
            time.sleep(0.05)  # polling for the TPM; bounded above

    def lose_tpm_worker(self):
        # without a resource manager the TPM keeps what a killed process loaded
        self.kill_worker(True)
        self.stop_tpm()

    # ---- clock and signals

    def shift(self, seconds):
        self.is_shifted = True
        self.last_shift = time.monotonic()
        with open(self.options.clock, "r+b") as file:
            file.write(struct.pack("=q", seconds))
        if seconds == 0:
            self.last_shift = time.monotonic()
            self.is_shifted = False

    def hang_up(self):
        os.kill(self.options.agent_pid, signal.SIGHUP)

    # ---- what people do

    def post(self, path, value):
        body = json.dumps(value).encode()
        with soak_proxy.unix_connection(self.options.socket, 60) as s:
            s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            return s.recv(65536)

    def lock(self):
        self.locked = self.random.choice(self.names)
        if not self.post("/v1/lock", {"profile": self.locked}).startswith(b"HTTP/1.1 200"):
            raise SystemExit("lock does not answer")

    def unlock(self):
        """Its PIN is stored; the module may still be on its way back."""
        for _ in range(UNLOCK_TRIES):
            if not self.locked or self.post("/v1/unlock", {"profile": self.locked}).startswith(b"HTTP/1.1 200"):
                self.locked = None
                return
            time.sleep(0.25)  # polling; bounded above
        self.complain("not unlocked", f"profile {self.locked}, though all else is healed")

    def all(self):
        def nothing():
            pass

        faults = [
            ("worker-killed", "worker", lambda: self.kill_worker(False), nothing),
            ("token-away", "token", self.take_token, self.bring_token),
            ("sighup", "signal", self.hang_up, nothing),
            ("locked", "~person", self.lock, self.unlock),
        ]
        for what in MODULE_FAULTS:
            faults.append((f"module-{what}", "module", lambda w=what: self.module_fault(w), lambda: self.order("")))
        for mode in soak_proxy.MODES:
            faults.append(
                (f"server-{mode}", "server", lambda m=mode: self.proxy.set(m), lambda: self.proxy.set("pass"))
            )
        if self.options.swtpm:
            faults += [
                ("tpm-restarted", "tpm", self.stop_tpm, self.start_tpm),
                ("tpm-worker-killed", "tpm", self.lose_tpm_worker, self.start_tpm),
            ]
        if self.options.clock:
            for step in CLOCK_STEPS_S:
                faults.append((f"clock{step:+d}", "clock", lambda s=step: self.shift(s), lambda: self.shift(0)))
        return faults

    def heal_all(self):
        self.proxy.set("pass")
        self.order("")
        self.bring_token()
        if self.options.swtpm:
            self.start_tpm()


def start_agent(options, port):
    """The agent, when it answers; its command is given to a shell, with the port
    of the token endpoint in PORT."""
    agent = subprocess.Popen(
        ["/bin/sh", "-c", options.agent], env={**os.environ, "PORT": str(port)}, stdin=subprocess.DEVNULL
    )
    options.agent_pid = agent.pid
    for _ in range(300):
        try:
            soak_proxy.unix_connection(options.socket, 5).close()
            return agent
        except OSError:
            pass
        if agent.poll() is not None:
            break
        time.sleep(0.1)  # polling for the socket; bounded above
    agent.kill()
    raise SystemExit("the agent does not start")
