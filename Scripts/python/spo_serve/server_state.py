"""What is known of the servers of this checkout, and whether they still run."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

from spo_serve.places import ROOT

STATES = ROOT / ".triton"
PORTS = ("grpc", "http", "metrics")
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def known():
    return sorted(path.parent.name for path in STATES.glob("*/state.json"))


def state_file(name):
    return STATES / name / "state.json"


def log_file(name):
    return STATES / name / "server.log"


def read_state(name):
    try:
        return json.loads(state_file(name).read_text())
    except FileNotFoundError:
        return None


def write_state(name, state):
    """At once or not at all: another process may read it meanwhile."""
    written = state_file(name).with_suffix(".new")
    written.write_text(json.dumps(state) + "\n")
    written.replace(state_file(name))


def is_alive(state):
    """Whether the process is still this server, not another one that got its number."""
    return f"\0--grpc-port={state['grpc']}\0".encode() in command_of(Path(f"/proc/{state['pid']}"))


def command_of(process):
    """Empty for a process that has ended."""
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def session(process):
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return None


def answers(state, path, method="GET"):
    """The body of a successful answer over HTTP, True when it is empty; None otherwise."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{state['http']}{path}",
        method=method,
        data=b"{}" if method == "POST" else None,
    )
    try:
        with LOCAL.open(request, timeout=2) as answer:
            return answer.read() or True
    except (OSError, urllib.error.URLError):
        return None


def say(message):
    print(f"\033[1m==>\033[0m {message}", file=sys.stderr)


def fail(message) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
