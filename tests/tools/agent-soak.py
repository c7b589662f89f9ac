#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Days of trouble for an agent in minutes: access tokens that live for seconds,
many callers, faults at random, and every answer is judged.

Prints what happened; exit status 1 and lines "violation: …" when the agent did
what it must not do. The same --seed gives the same faults in the same order.
"""
import argparse
import collections
import fileinput
import glob
import json
import os
import random
import re
import signal
import sys
import threading
import time

import soak_faults
import soak_proxy

HTTP_OF_EXIT = {1: 500, 2: 400, 3: 500, 4: 503, 5: 500, 6: 500, 7: 423, 8: 423, 9: 504, 10: 503, 11: 500, 12: 502,
                13: 502, 14: 503, 15: 403, 16: 503}  # fmt: skip
NO_CAUSE = re.compile(r"^(.*: )?(failed|error|unknown error)( \(.*\))?$")
ANSWER_MAX_S = 40  # the agent's own deadline for a job is 23 s here
HEAL_MAX_S = 10
GROWTH_MAX_KIB = 4096
CALLERS = 20
SLACK_S = 0.3  # a busy machine, between two readings of a clock
VIOLATIONS_SHOWN = 20
LOOKS = ["/v1/status", "/v1/status", "/v1/profiles", "/metrics", "/v1/jwks/ec", "/v1/jwks/tpm"]


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.requests = self.good = self.abandoned = 0
        self.errors, self.faults, self.looks = collections.Counter(), collections.Counter(), collections.Counter()
        self.examples, self.violations = {}, collections.Counter()
        self.last_good, self.outage = {}, collections.Counter()
        self.slowest_s = 0.0

    def violation(self, kind, text):
        with self.lock:
            self.violations[kind] += 1
            if self.violations[kind] <= 3 and len(self.violations) <= VIOLATIONS_SHOWN:
                print(f"violation: {kind}: {text}", flush=True)


class Caller(threading.Thread):
    """Asks again and again, over connections that it changes now and then."""

    def __init__(self, soak, seed):
        super().__init__(daemon=True)
        self.soak, self.random = soak, random.Random(seed)
        self.connection, self.buffer = None, b""

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection, self.buffer = None, b""

    def send(self, path):
        if not self.connection:
            self.connection = soak_proxy.unix_connection(self.soak.options.socket, ANSWER_MAX_S)
        self.connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def read_until(self, is_whole):
        while not is_whole(self.buffer):
            chunk = self.connection.recv(65536)
            if not chunk:
                raise ConnectionError("it hung up")
            self.buffer += chunk

    def answer(self):
        self.read_until(lambda b: b"\r\n\r\n" in b)
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        self.buffer = rest
        self.read_until(lambda b: len(b) >= length)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(head.split()[1]), body

    def run(self):
        while not self.soak.is_over:
            self.one()
            time.sleep(self.random.uniform(0.01, 0.15))  # callers are not a flood
            if self.random.random() < 0.2:
                self.hang_up()
        self.hang_up()

    def look(self):
        """What else can be asked, whatever the state of things."""
        path = self.random.choice(LOOKS)
        self.soak.tally.requests += 1
        try:
            self.send(path)
            if self.random.random() < 0.1:
                self.soak.tally.abandoned += 1
                self.hang_up()
                return
            status, body = self.answer()
        except (OSError, ValueError, TypeError) as error:
            self.soak.tally.violation("no answer", f"{path}: {error!r}")
            self.hang_up()
            return
        self.soak.judge_look(path, status, body)

    def one(self):
        if self.random.random() < 0.05:
            self.look()
            return
        name = self.random.choice(list(self.soak.profiles))
        min_valid, wait = self.random.choice([0, 0, 1, 2, 3]), self.random.choice([0, 0, 0, 1, 3])
        path = f"/v1/token/{name}?min_valid={min_valid}&wait={wait}"
        if self.random.random() < 0.02:
            path += "&force_new=1"
        self.soak.tally.requests += 1
        asked = time.time()
        try:
            self.send(path)
            if self.random.random() < 0.02:
                self.soak.tally.abandoned += 1
                self.hang_up()
                return
            status, body = self.answer()
        except (OSError, ValueError, TypeError) as error:
            self.soak.tally.violation("no answer", f"{path}: {error!r} after {time.time() - asked:.1f} s")
            self.hang_up()
            return
        self.soak.judge(name, min_valid, asked, status, body)


class Soak:
    def __init__(self, options):
        self.options, self.tally, self.is_over = options, Tally(), False
        self.profiles = dict(entry.split("=", 1) for entry in options.profile)  # NAME=CLIENT/SCOPE
        self.random = random.Random(options.seed)
        self.proxy = soak_proxy.Proxy(options.upstream, options.cert, options.key, options.ca)
        self.faults = soak_faults.Faults(
            options, self.proxy, self.random, list(self.profiles), self.tally.violation
        )
        self.seen, self.seen_lock = set(), threading.Lock()
        self.under_way = {}

    # ---- answers

    def judge(self, name, min_valid, asked, status, body):
        took_s = time.time() - asked
        with self.tally.lock:
            self.tally.slowest_s = max(self.tally.slowest_s, took_s)
        try:
            value = json.loads(body)
        except ValueError:
            self.tally.violation("no JSON", f"{status} {body[:200]!r}")
            return
        if status == 200:
            self.judge_token(name, min_valid, asked, value)
        else:
            self.judge_error(name, status, value.get("error"))

    def judge_look(self, path, status, body):
        self.tally.looks[f"{status} {path}"] += 1
        if path == "/metrics":
            is_good = status == 200 and b"\np11oauth_requests_total " in body
        elif path.startswith("/v1/jwks/") and status != 200:
            self.judge_error(path, status, json.loads(body)["error"])
            return
        else:
            value = json.loads(body)
            is_good = status == 200 and bool(value.get("profiles") or value.get("keys"))
        if not is_good:
            self.tally.violation("a look that shows nothing", f"{path}: {status} {body[:200]!r}")

    def judge_token(self, name, min_valid, asked, value):
        token, left = value.get("access_token"), value.get("expires_in")
        issued = self.proxy.issued.get(token)
        bad = lambda kind, text: self.tally.violation(kind, f"profile {name}: {text}")
        if not isinstance(token, str) or not token:
            bad("no access token", str(value))
            return
        if not issued:
            bad("an access token that nobody issued", str(value.keys()))
            return
        if self.profiles[name] != f"{issued.client_id}/{issued.scope}":
            bad("another profile's access token", f"of {issued.client_id}/{issued.scope}")
        if not isinstance(left, int) or left < min_valid or asked + left > issued.ends + SLACK_S:
            bad("expires_in", f"{left}, asked for {min_valid}, ends in {issued.ends - asked:.1f} s")
        if asked > issued.ends + SLACK_S:
            bad("an expired access token", f"{asked - issued.ends:.1f} s after its end")
        is_steady = not self.faults.is_shifted and time.monotonic() - self.faults.last_shift > 5
        if is_steady and abs(value.get("expires_at", 0) - time.time() - left) > 2:
            bad("expires_at", f"{value.get('expires_at', 0) - time.time():.1f} s ahead, expires_in {left}")
        self.ask_the_server(name, token, issued)
        now = time.monotonic()
        with self.tally.lock:
            self.tally.good += 1
            before = self.tally.last_good.get(name, now)
            self.tally.outage[name] = max(self.tally.outage[name], now - before)
            self.tally.last_good[name] = now

    def ask_the_server(self, name, token, issued):
        """Once for each access token, while it is sure to be alive."""
        with self.seen_lock:
            is_new = token not in self.seen
            self.seen.add(token)
        if not is_new or issued.ends - time.time() < 2:
            return
        says = self.proxy.introspect(token, self.options.introspect_as)
        if time.time() > issued.ends - 1:
            return  # the server counts in whole seconds
        if not says.get("active") or self.profiles[name] != f"{says.get('client_id')}/{says.get('scope')}":
            self.tally.violation("the server says no", f"profile {name}: {says}")

    def judge_error(self, name, status, error):
        bad = lambda text: self.tally.violation("an error without a cause", f"profile {name}: {status} {text}")
        if not isinstance(error, dict) or not isinstance(error.get("status"), str):
            bad(error)
            return
        message, code = error.get("message"), error.get("exit")
        if not isinstance(message, str) or len(message) < 8 or "\n" in message or NO_CAUSE.match(message):
            bad(error)
        if HTTP_OF_EXIT.get(code) != status:
            bad(f"is not the status of exit {code}")
        with self.tally.lock:
            self.tally.errors[f"{status} {error['status']}"] += 1
            self.tally.examples.setdefault(error["status"], {})[re.sub(r"\d+", "N", message)] = True

    # ---- faults

    def begin(self, fault):
        name, group, begin, _ = fault
        self.tally.faults[name] += 1
        self.under_way[group] = fault
        if self.options.verbose:
            print(f"{time.monotonic() - self.started:7.2f} {name} {self.under_way.keys()}", flush=True)
        begin()

    def heal(self, group):
        self.under_way.pop(group)[3]()
        if self.options.verbose:
            print(f"{time.monotonic() - self.started:7.2f} healed: {group}", flush=True)

    def trouble(self, seconds):
        """Each group in turn, or two at once, with times of peace between."""
        faults, until = self.faults.all(), time.monotonic() + seconds
        groups = sorted({fault[1] for fault in faults})
        while time.monotonic() < until:
            for group in self.random.sample(groups, self.random.choice([1, 1, 1, 2])):
                self.begin(self.random.choice([fault for fault in faults if fault[1] == group]))
            time.sleep(self.random.uniform(0.3, 3))  # how long the trouble lasts
            for group in sorted(self.under_way):
                self.heal(group)
            time.sleep(self.random.uniform(0, 2))  # peace

    def recovery(self):
        """How long until each profile gives an access token made after the last heal."""
        healed, times = time.time(), {}
        while len(times) < len(self.profiles) and time.time() < healed + 6 * HEAL_MAX_S:
            for name in self.profiles.keys() - times.keys():
                caller = Caller(self, 0)
                try:
                    caller.send(f"/v1/token/{name}?min_valid=1")
                    status, body = caller.answer()
                    self.judge(name, 1, time.time() - 5, status, body)
                    issued = self.proxy.issued.get(json.loads(body).get("access_token")) if status == 200 else None
                    if issued and issued.at > healed:
                        times[name] = round(time.time() - healed, 1)
                except OSError as error:
                    self.tally.violation("no answer", repr(error))
                caller.hang_up()
            time.sleep(0.1)  # polling for what the agent mends by itself; bounded above
        for name in self.profiles:
            if times.get(name, 999) > HEAL_MAX_S:
                self.tally.violation("not healed", f"profile {name}: {times.get(name, 'never')} s")
        return times

    # ---- what the agent holds

    def holdings(self):
        """Descriptors, memory and processes; without those of its workers."""
        pid, figures = self.options.agent_pid, {}
        tree = soak_faults.tree_of(pid)
        workers = self.faults.workers()
        helper = [p for p, _ in tree if "agent-helper" in soak_faults.command_line(p)]
        figures["fds"] = len(os.listdir(f"/proc/{pid}/fd")) - len(workers)
        figures["helper_fds"] = len(os.listdir(f"/proc/{helper[0]}/fd")) if helper else -1
        figures["worker_fds"] = sorted((m.rsplit("/", 1)[1], len(os.listdir(f"/proc/{p}/fd"))) for p, m in workers)
        figures["processes"] = 1 + len(tree) - len(workers)
        figures["workers"] = len(workers)
        figures["zombies"] = sum(state == "Z" for _, state in tree)
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            figures["rss_kib"] = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return figures

    def compare(self, before):
        after = self.holdings()
        for _ in range(100):
            if after["fds"] <= before["fds"] and not after["zombies"] and after["workers"] <= before["workers"]:
                break
            time.sleep(0.1)  # closed connections and ended workers are tidied up; bounded
            after = self.holdings()
        for what in ("fds", "helper_fds", "processes"):
            if after[what] != before[what]:
                self.tally.violation("it does not tidy up", f"{what}: {before[what]}, then {after[what]}")
        if after["zombies"]:
            self.tally.violation("zombies", str(after["zombies"]))
        if after["workers"] > before["workers"]:
            self.tally.violation("too many workers", str(self.faults.workers()))
        growth = after["rss_kib"] - before["rss_kib"]
        if growth > GROWTH_MAX_KIB and not self.options.no_memory:
            self.tally.violation("memory", f"+{growth} KiB")
        return after

    def check_ledger(self):
        """Each jti that a server saw is in one record, and it is a signature."""
        records = collections.Counter()
        files = glob.glob(self.options.ledger + "*")  # a full one is renamed
        with fileinput.input(files, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if "jti" in record:
                    records[record["jti"]] += 1
                    if record["event"] != "sign":
                        self.tally.violation("ledger", f"a jti in an event '{record['event']}'")
        for jti in self.proxy.jtis:
            if records[jti] != 1:
                self.tally.violation("ledger", f"jti {jti} is in {records[jti]} records")
        twice = [jti for jti, n in collections.Counter(self.proxy.jtis).items() if n > 1]
        if twice or not self.proxy.jtis:
            self.tally.violation("ledger", f"jti seen more than once: {twice}")
        return {"signatures": sum(records.values()), "seen_by_the_server": len(self.proxy.jtis)}

    # ---- all of it

    def run(self):
        self.started = time.monotonic()
        self.recovery()  # a warm-up
        callers = [Caller(self, self.options.seed * 1000 + i) for i in range(CALLERS)]
        time.sleep(1)  # so that the warm-up's connections are closed
        before = self.holdings()
        print("at the start:", json.dumps(before), flush=True)
        for caller in callers:
            caller.start()
        time.sleep(3)  # memory for so many callers is not growth
        before["rss_kib"] = self.holdings()["rss_kib"]
        self.trouble(self.options.seconds)
        print("healed after:", json.dumps(self.recovery()), flush=True)
        self.is_over = True
        for caller in callers:
            caller.join(ANSWER_MAX_S + 5)
            if caller.is_alive():
                self.tally.violation("no answer", "a caller still waits")
        print("at the end:", json.dumps(self.compare(before)), flush=True)

    def report(self):
        t = self.tally
        print("ledger:", json.dumps(self.check_ledger()))
        print(f"requests: {t.requests}, good: {t.good}, abandoned: {t.abandoned}, access tokens: {len(self.seen)}")
        print("errors:", json.dumps(t.errors))
        print("looks:", json.dumps(t.looks))
        print(f"faults: {sum(t.faults.values())}:", json.dumps(t.faults, sort_keys=True))
        print("longest outage, s:", json.dumps({name: round(s, 1) for name, s in t.outage.items()}))
        print(f"slowest answer: {t.slowest_s:.1f} s")
        for status, messages in sorted(t.examples.items()):
            for message in sorted(messages)[:12]:
                print(f"  {status}: {message}")
        print("violations:", json.dumps(t.violations))
        return not t.violations and t.good > 0 and t.errors


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("socket", "control", "tokens", "ledger", "upstream", "introspect-as", "cert", "key", "ca"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--agent", required=True, help="shell command that becomes the agent; $PORT: of the server")
    parser.add_argument("--profile", action="append", required=True)
    parser.add_argument("--swtpm", help="the command that starts the TPM")
    parser.add_argument("--swtpm-pid-file")
    parser.add_argument("--clock", help="file of clock-shift.so")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--no-memory", action="store_true", help="memory is not judged")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.seed = options.seed if options.seed is not None else random.randrange(1000000)
    return options


def main():
    options = read_options()
    print(f"seed: {options.seed}, {options.seconds:g} s", flush=True)
    soak = Soak(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    agent = soak_faults.start_agent(options, soak.proxy.port)
    try:
        soak.run()
    finally:
        soak.faults.heal_all()
        agent.terminate()
        agent.wait(30)
    if agent.returncode != 0:
        soak.tally.violation("the agent's end", f"status {agent.returncode}")
    if not soak.report():
        print("seed:", options.seed)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
