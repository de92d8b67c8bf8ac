"""Starts, stops and shows Triton servers on this machine's CPU.

A server has a name; what is known of it lies in .triton/NAME (state.json, server.log). It listens
on 127.0.0.1 only. Flags after -- go to tritonserver, where a later flag wins over an earlier one.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from spo_serve.places import REPOSITORY, ROOT
from spo_serve.server_process import (
    PATIENCE,
    remove_leftovers,
    send,
    start,
    wait_for_end,
    wait_until_ready,
)
from spo_serve.server_state import (
    PORTS,
    STATES,
    answers,
    fail,
    is_alive,
    known,
    log_file,
    read_state,
    say,
)


def main():
    command, options = arguments()
    command(options)


def arguments():
    own, flags = split(sys.argv[1:])
    parser = argparse.ArgumentParser(
        prog="Scripts/triton", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="up|down|status|logs")
    add_up(commands)
    stop = add(commands, down, "stop a server")
    stop.add_argument("--all", action="store_true", help="every server of this checkout")
    stop.add_argument("--prefix", help="every server whose name begins with this")
    text = add(commands, logs, "print a server's log")
    text.add_argument("--lines", type=int, help="only the last N")
    add(commands, status, "list the servers")
    options = parser.parse_args(own)
    if flags and options.function is not up:
        parser.error(f"flags after -- are for `up`, got {flags}")
    if options.name in ("", ".", "..") or "/" in options.name:
        parser.error(f"--name {options.name}: expected a plain name without a path")
    options.flags = flags
    return options.function, options


def add(commands, function, text):
    command = commands.add_parser(function.__name__, help=text, description=text)
    command.set_defaults(function=function, name="main")
    if function is not status:
        command.add_argument("--name", help="default: main")
    return command


def add_up(commands):
    command = add(commands, up, "start a server and wait until it is ready, unless it runs already")
    option = command.add_argument
    option("--repository", type=Path, action="append", help="repeatable; default: model_repository")
    for port in PORTS:
        option(f"--{port}-port", type=int, help="default: a free one")
    text = "let Triton fill in what a config.pbtxt leaves out; seconds slower"
    option("--complete-configs", action="store_true", help=text)
    option("--seconds", type=float, default=120, help="wait at most; default: 120")
    option("--json", action="store_true", help="print the state as JSON, nothing else")


def split(words):
    """Words before and after --."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


# up


def up(options):
    """Starts the server unless it runs; a server with other options is not touched."""
    repositories = [r.resolve() for r in options.repository or [REPOSITORY]]
    for repository in repositories:
        if not repository.is_dir():
            fail(f"{repository} is no directory; give --repository DIR")
    if REPOSITORY in repositories:
        run_export()
    # Triton starts every model twice to complete its configuration.
    strict = [] if options.complete_configs else ["--disable-auto-complete-config"]
    flags = strict + options.flags
    wanted = {"repositories": [str(r) for r in repositories], "flags": flags}
    state = read_state(options.name)
    if state and is_alive(state):
        require_same(options, state, wanted)
        say(f"{options.name} already runs (pid {state['pid']})")
        if not wait_until_ready(options, state, lambda: is_alive(state)):
            fail(f"{options.name} ended while it was waited for; run this again")
    else:
        remove_leftovers(options.name)
        state = start(options, wanted)
    show(options, state)


def run_export():
    done = subprocess.run([ROOT / "Scripts/export"], stdout=sys.stderr)
    if done.returncode:
        fail("Scripts/export failed; see the lines above")


def require_same(options, state, wanted):
    differing = [key for key, value in wanted.items() if state[key] != value]
    differing += [p for p in PORTS if getattr(options, f"{p}_port") not in (None, state[p])]
    if differing:
        got = {key: state[key] for key in differing}
        fail(
            f"{options.name} already runs with {got}; stop it with "
            f"Scripts/triton down --name {options.name}, or take another --name"
        )


def show(options, state):
    if options.json:
        print(json.dumps(state))
        return
    for port in PORTS:
        path = "/metrics" if port == "metrics" else ""
        scheme = "" if port == "grpc" else "http://"
        print(f"{port:<8} {scheme}localhost:{state[port]}{path}")
    print(f"try      spo doctor --server localhost:{state['grpc']}")


# down, status, logs


def down(options):
    names = [options.name]
    if options.all or options.prefix:
        names = [name for name in known() if name.startswith(options.prefix or "")]
    running = {name: read_state(name) for name in names}
    for state in filter(None, running.values()):  # all at once: each takes seconds
        send(state, signal.SIGTERM)
    patience = time.monotonic() + PATIENCE
    for name, state in running.items():
        if state:
            wait_for_end(state, patience)
            remove_leftovers(name)
        shutil.rmtree(STATES / name, ignore_errors=True)
        say(f"{name} stopped" if state else f"{name} does not run")


def status(_):
    rows = [("NAME", "PID", "STATE", "GRPC", "HTTP", "METRICS", "MODELS")]
    for name in known():
        state = read_state(name)
        ports = [str(state[p]) for p in PORTS]
        rows.append((name, str(state["pid"]), condition(state), *ports, models(state)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def condition(state):
    if not is_alive(state):
        return "dead"
    if answers(state, "/v2/health/ready"):
        return "ready"
    # It answers only once its models are loaded, so what it lacks now it was not given.
    return "unready" if answers(state, "/v2/health/live") else "starting"


def models(state):
    """The models of the server that are ready, those that failed, and how many are not loaded."""
    rows = (
        json.loads(answers(state, "/v2/repository/index", "POST") or b"[]")
        if is_alive(state)
        else []
    )
    # A row without a state is a model that was never loaded, one with a reason failed.
    failed = lambda row: row.get("state") == "UNAVAILABLE" and row.get("reason") != "unloaded"
    named = [row["name"] for row in rows if row.get("state") == "READY"]
    named += [f"{row['name']}(failed)" for row in rows if failed(row)]
    rest = len(rows) - len(named)
    return " ".join(named + [f"({rest} not loaded)"] * bool(rest)) or "-"


def logs(options):
    if not log_file(options.name).exists():
        fail(f"there is no server {options.name}; there are: {' '.join(known()) or 'none'}")
    lines = log_file(options.name).read_text(errors="replace").rstrip("\n").split("\n")
    print("\n".join(lines[-options.lines :] if options.lines else lines))


if __name__ == "__main__":
    main()
