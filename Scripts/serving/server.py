"""Starts, stops and shows Triton servers on this machine's CPU.

A server has a name; what is known of it lies in .triton/NAME (state.json, server.log). It listens
on 127.0.0.1 only. Flags after -- go to tritonserver, where a later flag wins over an earlier one.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATES = ROOT / ".triton"
INSTALLED = ROOT / ".env/triton"
DEFAULT_REPOSITORY = ROOT / "model_repository"
PORTS = ("grpc", "http", "metrics")
PATIENCE = 20  # seconds for a server to end after SIGTERM
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


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
    repositories = [r.resolve() for r in options.repository or [DEFAULT_REPOSITORY]]
    for repository in repositories:
        if not repository.is_dir():
            fail(f"{repository} is no directory; give --repository DIR")
    if DEFAULT_REPOSITORY in repositories:
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


def start(options, wanted, attempts=3):
    """Starts and waits. Ports chosen here can be taken by another program meanwhile: tried again."""
    given = {p: getattr(options, f"{p}_port") for p in PORTS}
    for name, port in given.items():
        if port and not is_free(port):
            fail(f"port {port} is in use by another program; give another --{name}-port")
    ports = {name: port or free_port() for name, port in given.items()}
    state = launch(options.name, wanted, ports)
    process = state.pop("process")
    write_state(options.name, state)
    # Asked of the child itself: just after exec its command line can still read as empty.
    if wait_until_ready(options, state, lambda: process.poll() is None):
        return state
    code = process.wait()
    log = log_file(options.name).read_text(errors="replace")
    remove_leftovers(options.name)
    chosen_here = any(getattr(options, f"{p}_port") is None for p in PORTS)
    if attempts > 1 and chosen_here and "already in use" in log:
        return start(options, wanted, attempts - 1)
    fail(
        f"the server {options.name} ended (exit {code}); "
        f"more by Scripts/triton logs --name {options.name}:\n{telling(log)}"
    )


def telling(log):
    """Of a log: a refused flag without the usage after it, else its errors and its last lines."""
    lines = log.partition("\nUsage: ")[0].splitlines()
    noise = ("CudaDriverHelper", "CUDA driver version", "NVML", "unloaded")  # without a GPU
    lines = [x for x in lines if x[:1] not in ("", "+", "|") and not any(n in x for n in noise)]
    return "\n".join([line for line in lines[:-5] if line.startswith("E")][-10:] + lines[-5:])


def free_port():
    """A port below those that the system hands out itself, so that no client takes it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        if is_free(port):
            return port


def is_free(port):
    with socket.socket() as probe:
        # As servers bind: a port whose connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def launch(name, wanted, ports):
    """Starts the server in a session of its own, holding none of the caller's files."""
    folder = STATES / name
    folder.mkdir(parents=True, exist_ok=True)
    memory = f"spo-{name}-{ports['grpc']}-"
    # A caller's thread pool may block signals, which a child inherits: it would not hear SIGTERM.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    with open(log_file(name), "wb") as log:
        process = subprocess.Popen(
            command_line(wanted, ports, memory), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True, env=environment(), cwd=folder,
        )  # fmt: skip
    state = {"name": name, "pid": process.pid, **ports, "repository": wanted["repositories"][0]}
    return state | wanted | {"log": str(log_file(name)), "memory": memory, "process": process}


def command_line(wanted, ports, memory):
    server = INSTALLED / "wheel/pytriton/tritonserver"
    return [
        str(server / "bin/tritonserver"),
        *(f"--model-repository={r}" for r in wanted["repositories"]),
        "--model-config-name=cpu",
        f"--backend-directory={INSTALLED / 'backends'}",
        f"--cache-directory={server / 'caches'}",
        f"--backend-config=python,shm-region-prefix-name={memory}",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        *(f"--{name}-port={port}" for name, port in ports.items()),
        *wanted["flags"],
    ]


def environment():
    """The caller's, with the server's libraries, and the Python whose packages the models use first."""
    own = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH"):
        own.pop(name, None)
    libraries = [str(INSTALLED / "wheel/nvidia_pytriton.libs"), own.get("LD_LIBRARY_PATH", "")]
    own["LD_LIBRARY_PATH"] = ":".join(filter(None, libraries))
    own["PATH"] = f"{ROOT / '.env/serve/bin'}:{own['PATH']}"
    return own


def wait_until_ready(options, state, alive):
    """Whether the server became ready; false when it ended first."""
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        if not alive():
            return False
        if answers(state, "/v2/health/ready"):
            return True
        time.sleep(0.05)
    fail(
        f"{state['name']} is not ready after {options.seconds:g} s and runs on; see "
        f"Scripts/triton logs --name {state['name']}. A model that is not loaded keeps a server "
        "from being ready, unless it has -- --strict-readiness=false"
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


def send(state, number):
    if is_alive(state):
        os.kill(state["pid"], number)


def wait_for_end(state, end):
    """SIGKILL when the server has not ended at the time `end`."""
    while is_alive(state) and time.monotonic() < end:
        time.sleep(0.05)
    if is_alive(state):
        say(f"{state['name']} does not end after {PATIENCE} s: killing it")
        send(state, signal.SIGKILL)


def remove_leftovers(name):
    """Ends the models' processes of a server that died, and frees their shared memory."""
    state = read_state(name)
    if not state:
        return
    for process in Path("/proc").glob("[0-9]*"):
        if session(process) == state["pid"] and b"triton" in command_of(process):
            os.kill(int(process.name), signal.SIGKILL)
    for region in Path("/dev/shm").glob(f"{state['memory']}*"):
        region.unlink(missing_ok=True)
    state_file(name).unlink()


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
    lines = log_file(options.name).read_text(errors="replace").splitlines()
    print("\n".join(lines[-options.lines :] if options.lines else lines))


# state


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


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
