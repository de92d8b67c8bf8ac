"""A Triton server's process: its start with ports that are free, its readiness, its end."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

from spo_serve.places import ROOT
from spo_serve.server_state import (
    PORTS,
    STATES,
    answers,
    command_of,
    fail,
    is_alive,
    log_file,
    read_state,
    say,
    session,
    state_file,
    write_state,
)

INSTALLED = ROOT / ".env/triton"
PATIENCE = 20  # seconds for a server to end after SIGTERM


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
    return fail(
        f"the server {options.name} ended (exit {code}); "
        f"more by Scripts/triton logs --name {options.name}:\n{telling(log)}"
    )


def telling(log):
    """Of a log: a refused flag without the usage after it, else its errors and its last lines."""
    lines = log.partition("\nUsage: ")[0].split("\n")
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
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH"):
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
    return fail(
        f"{state['name']} is not ready after {options.seconds:g} s and runs on; see "
        f"Scripts/triton logs --name {state['name']}. A model that is not loaded keeps a server "
        "from being ready, unless it has -- --strict-readiness=false"
    )


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
