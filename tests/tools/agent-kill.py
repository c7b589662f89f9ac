#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills an agent with SIGKILL at random moments, starts it again, and looks at
what is left: sinks, ledger, socket, processes.

Prints what happened; exit status 1 and lines "violation: …" when something was
half done or stayed behind. The same --seed gives the same pauses.
"""
import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import threading
import time

import soak_faults
import soak_proxy

START_MAX_S = 15
GONE_MAX_S = 25  # a worker may finish what is under way: 15 s
CALLERS = 4


def start_time(pid):
    """What tells a process from a later one of that number; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def token_in(sink_format, text):
    """The access token in a sink's text; ValueError when it is not whole."""
    if not text.endswith("\n"):
        raise ValueError("no newline at the end")
    if sink_format == "raw":
        return text[:-1]
    if sink_format == "header":
        return re.fullmatch(r"Authorization: Bearer (\S+)\n", text)[1]
    if sink_format == "env":
        return re.fullmatch(r'ACCESS_TOKEN="?([^"\n]+)"?\nACCESS_TOKEN_EXPIRES_AT=\d+\n', text)[1]
    value = json.loads(text)
    if sink_format == "json":
        assert value["expires_in"] >= 0 and value["expires_at"] > 0
        return value["access_token"]
    if sink_format == "kube-exec-credential":
        return value["status"]["token"]
    return value["id_token"]


class Killer:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.proxy = soak_proxy.Proxy(options.upstream, options.cert, options.key, options.ca)
        self.counts, self.violations = collections.Counter(), collections.Counter()
        self.leaving = []  # (pid, start time, name, when to be gone)
        self.starts_s, self.slowest_end_s, self.is_over = [], 0.0, False
        self.sinks = [sink.rsplit("=", 1) for sink in options.sink]

    def violation(self, text):
        self.violations[text.split(":")[0]] += 1
        if self.violations[text.split(":")[0]] <= 3:
            print("violation:", text, flush=True)

    # ---- callers

    def call(self):
        while not self.is_over:
            try:
                with soak_proxy.unix_connection(self.options.socket, 20) as s:
                    s.sendall(b"GET /v1/token/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while chunk := s.recv(65536):
                        answer += chunk
            except OSError:
                answer = b""  # it was just killed
            head, _, body = answer.partition(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 200") and head and body:
                self.counts["answers"] += 1
                if json.loads(body)["access_token"] not in self.proxy.issued:
                    self.violation("an access token that nobody issued")
            time.sleep(0.02)  # callers are not a flood

    # ---- one life of the agent

    def start(self):
        return subprocess.Popen(
            ["/bin/sh", "-c", self.options.agent],
            env={**os.environ, "PORT": str(self.proxy.port)},
            stdin=subprocess.DEVNULL,
        )

    def wait_until_it_serves(self, agent):
        began = time.monotonic()
        while time.monotonic() < began + START_MAX_S:
            try:
                with soak_proxy.unix_connection(self.options.socket, 5) as s:
                    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    if s.recv(4096).startswith(b"HTTP/1.1 200"):
                        self.starts_s.append(time.monotonic() - began)
                        return
            except OSError:
                pass
            if agent.poll() is not None:
                break
            time.sleep(0.005)  # polling for its first answer; bounded above
        self.violation(f"no start: {agent.poll()}")

    def wait_for_a_sink(self):
        path, until = self.sinks[0][0], time.monotonic() + 3

        def inode():
            try:
                return os.stat(path).st_ino
            except FileNotFoundError:
                return None

        before = inode()
        while inode() == before and time.monotonic() < until:
            time.sleep(0.0001)  # polling; bounded above

    def kill(self, agent):
        family = [(pid, start_time(pid), soak_faults.command_line(pid)) for pid, _ in soak_faults.tree_of(agent.pid)]
        agent.kill()
        agent.wait()
        until = time.monotonic() + GONE_MAX_S
        self.leaving += [(pid, began, line, until) for pid, began, line in family if began]
        self.counts["processes left to end by themselves"] += len(family)

    def life(self, number):
        agent = self.start()
        if number % 5 == 4:  # in the middle of its start
            time.sleep(self.random.uniform(0, 0.08))  # the moment is the test
        elif number % 2:  # while it writes sinks: the first one is new
            self.wait_until_it_serves(agent)
            self.wait_for_a_sink()
            time.sleep(self.random.uniform(0, 0.003))  # the moment is the test
        else:
            self.wait_until_it_serves(agent)
            time.sleep(self.random.uniform(0, 1))  # the moment is the test
        self.kill(agent)
        self.counts["kills"] += 1

    # ---- what is left

    def look_at_sinks(self):
        for path, sink_format in self.sinks:
            try:
                with open(path, encoding="ascii") as file:
                    text = file.read()
            except FileNotFoundError:
                self.counts["sinks absent"] += 1
                continue
            try:
                token = token_in(sink_format, text)
            except (ValueError, KeyError, TypeError, AssertionError) as error:
                self.violation(f"half a sink: {path}: {len(text)} bytes, {error!r}")
                continue
            self.counts["sinks whole"] += 1
            if token not in self.proxy.issued:
                self.violation(f"a sink's access token was never issued: {path}")
        folder = os.path.dirname(self.sinks[0][0])
        others = set(os.listdir(folder)) - {os.path.basename(path) for path, _ in self.sinks}
        self.counts["most files beside sinks"] = max(self.counts["most files beside sinks"], len(others))
        if len(others) > len(self.sinks):
            self.violation(f"files beside the sinks: {sorted(others)}")

    def look_at_ledger(self):
        if not os.path.exists(self.options.ledger):
            return  # killed before there was anything to record
        done = subprocess.run(
            [self.options.program, "audit", "verify", "--json", self.options.ledger], capture_output=True, check=False
        )
        if done.returncode != 0 or not json.loads(done.stdout)["ok"]:
            self.violation(f"ledger: {done.stderr!r} {done.stdout!r}")
        elif json.loads(done.stdout)["unfinished"] is not None:
            self.counts["unfinished lines"] += 1

    def look_at_processes(self):
        still = []
        for pid, began, line, until in self.leaving:
            if start_time(pid) != began:
                self.slowest_end_s = max(self.slowest_end_s, time.monotonic() - (until - GONE_MAX_S))
            elif time.monotonic() > until:
                self.violation(f"still alive: {pid} {line}")
            else:
                still.append((pid, began, line, until))
        self.leaving = still
        self.counts["most at once"] = max(self.counts["most at once"], len(still))

    def run(self):
        callers = [threading.Thread(target=self.call, daemon=True) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        for number in range(self.options.runs):
            self.life(number)
            self.look_at_sinks()
            self.look_at_ledger()
            self.look_at_processes()
        self.is_over = True
        for caller in callers:
            caller.join(30)
        while self.leaving:
            time.sleep(0.1)  # polling for the end of what is left; each has its bound
            self.look_at_processes()

    def report(self):
        self.starts_s.sort()
        print(json.dumps(self.counts), f"access tokens: {len(self.proxy.issued)}")
        if self.starts_s:
            median_s = self.starts_s[len(self.starts_s) // 2]
            print(f"serves after: median {median_s:.3f} s, at most {self.starts_s[-1]:.3f} s")
        print(f"the last of its processes was gone after {self.slowest_end_s:.1f} s at most")
        print("violations:", json.dumps(self.violations))
        is_real = self.counts["answers"] and self.counts["sinks whole"] and self.counts["kills"] == self.options.runs
        return is_real and not self.violations


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("program", "socket", "ledger", "upstream", "cert", "key", "ca"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--agent", required=True, help="shell command that becomes the agent; $PORT: of the server")
    parser.add_argument("--sink", action="append", required=True, help="PATH=FORMAT; all in one folder")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    options.seed = options.seed if options.seed is not None else random.randrange(1000000)
    print(f"seed: {options.seed}", flush=True)
    killer = Killer(options)
    killer.run()
    return 0 if killer.report() else 1


if __name__ == "__main__":
    sys.exit(main())
