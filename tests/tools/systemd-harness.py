#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""usage: systemd-harness.py [OPTION...] DIR -- COMMAND...

Runs COMMAND as systemd would: NOTIFY_SOCKET, and below DIR what RUNTIME_DIRECTORY
(run), STATE_DIRECTORY (state) and CREDENTIALS_DIRECTORY (credentials) name.

  --socket PATH           a listening unix socket there is handed over (twice: two)
  --listen-pid PID        LISTEN_PID is another's
  --watchdog-usec N       WATCHDOG_USEC, for COMMAND
  --watchdog-pid PID      WATCHDOG_PID is another's
  --credential NAME=FILE  a copy of FILE, mode 0400
  --abstract              NOTIFY_SOCKET has an abstract address
  --probe PATH            at READY=1, GET /healthz on that socket
  --seconds N             at most so long (default 60), then SIGTERM and SIGKILL

Prints JSON lines, each with "ms" since the start: {"event": "start", "pid"},
{"event": "notify", "READY": "1", ...}, at READY=1 with "ready": true and the
probe's "probe", {"event": "timeout"}, {"event": "exit", "status" or "signal"}.
SIGTERM is handed on. Ends with COMMAND's status.

Source: sd_notify(3), sd_listen_fds(3), systemd.exec(5).
"""
import argparse
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sys
import time

PR_SET_PDEATHSIG = 1
FIRST_FD = 3
TICK_S = 0.02
KILL_S = 10
started = time.monotonic()


def report(event, **members):
    ms = int((time.monotonic() - started) * 1000)
    print(json.dumps({"event": event, "ms": ms, **members}), flush=True)


def options():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--socket", action="append", default=[])
    p.add_argument("--listen-pid")
    p.add_argument("--watchdog-usec")
    p.add_argument("--watchdog-pid")
    p.add_argument("--credential", action="append", default=[])
    p.add_argument("--abstract", action="store_true")
    p.add_argument("--probe")
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("dir")
    p.add_argument("command", nargs="+")
    return p.parse_args()


def listen(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    s.listen(16)
    return s


def folders(o, environ):
    for name, folder in (("RUNTIME_DIRECTORY", "run"), ("STATE_DIRECTORY", "state"),
                         ("CREDENTIALS_DIRECTORY", "credentials")):
        environ[name] = os.path.join(os.path.abspath(o.dir), folder)
        os.makedirs(environ[name], mode=0o700, exist_ok=True)
    for credential in o.credential:
        name, _, source = credential.partition("=")
        path = os.path.join(environ["CREDENTIALS_DIRECTORY"], name)
        if os.path.exists(path):
            os.unlink(path)
        shutil.copyfile(source, path)
        os.chmod(path, 0o400)


def child(o, environ, sockets):
    """In the new process: what systemd does between fork and exec."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # first out of the way of the numbers that they get
    held = [fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, FIRST_FD + len(sockets)) for s in sockets]
    for i, fd in enumerate(held):
        os.dup2(fd, FIRST_FD + i)
    if sockets:
        environ["LISTEN_FDS"] = str(len(sockets))
        environ["LISTEN_PID"] = o.listen_pid or str(os.getpid())
        environ["LISTEN_FDNAMES"] = ":".join("agent" for _ in sockets)
    if o.watchdog_usec:
        environ["WATCHDOG_USEC"] = o.watchdog_usec
        environ["WATCHDOG_PID"] = o.watchdog_pid or str(os.getpid())
    os.execvpe(o.command[0], o.command, environ)


def probe(path):
    """HTTP status of GET /healthz, or why there is none."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(5)
            s.connect(path)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return int(s.recv(4096).split()[1])
    except (OSError, ValueError, IndexError) as e:
        return str(e) or type(e).__name__


def hear(manager, o):
    members = {}
    for line in manager.recv(65536).decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        members[name] = value
    if members.get("READY") == "1":
        members["ready"] = True
        if o.probe:
            members["probe"] = probe(o.probe)
    report("notify", **members)


def wait(pid, manager, o):
    deadline = time.monotonic() + o.seconds
    signals = [signal.SIGKILL, signal.SIGTERM]
    while True:
        readable, _, _ = select.select([manager], [], [], TICK_S)
        if readable:
            hear(manager, o)
            continue
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            # what it said last may have come after the look
            while select.select([manager], [], [], 0)[0]:
                hear(manager, o)
            return os.waitstatus_to_exitcode(status)
        if signals and time.monotonic() > deadline:
            report("timeout")
            os.kill(pid, signals.pop())
            deadline += KILL_S


def main():
    o = options()
    environ = {k: v for k, v in os.environ.items()
               if not k.startswith(("LISTEN_", "WATCHDOG_"))}
    folders(o, environ)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if o.abstract:
        name = f"p11oauth-harness-{os.getpid()}"
        manager.bind("\0" + name)
        environ["NOTIFY_SOCKET"] = "@" + name
    else:
        environ["NOTIFY_SOCKET"] = os.path.join(os.path.abspath(o.dir), "notify")
        if os.path.exists(environ["NOTIFY_SOCKET"]):
            os.unlink(environ["NOTIFY_SOCKET"])
        manager.bind(environ["NOTIFY_SOCKET"])
    sockets = [listen(path) for path in o.socket]
    pid = os.fork()
    if pid == 0:
        try:
            child(o, environ, sockets)
        except OSError as e:
            print(e, file=sys.stderr, flush=True)
        os._exit(127)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    report("start", pid=pid)
    code = wait(pid, manager, o)
    report("exit", **({"status": code} if code >= 0 else {"signal": -code}))
    return code if code >= 0 else 128 - code


sys.exit(main())
