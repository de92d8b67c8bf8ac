"""The Triton client beside Python's tritonclient, C++ grpc++ and grpc-swift-2, all against one
server that answers at once, in turn; peers/build makes everything but the Swift side.

Every side makes a request anew each time and checks the size and eight values of each answer.
Large answers: the time of a request and the process's CPU time, both with the answer in memory as
floats (C++: as one string); loopback TCP in the same round is the limit. Small requests: 20 KB
out, 10 KB back, after half a second's warm-up; ours on the client's executor and from plain tasks,
C++ by one thread with a completion queue (its best) and by a thread a call."""

import argparse
import json
import os
import socket
import statistics
import subprocess
import time
from multiprocessing import get_context
from pathlib import Path

from common import CLIENT_BENCH, RESULTS, ROOT

PEERS = ROOT / ".bench/peers"
PYTHON = ROOT / ".env/client-bench/bin/python"
PYTHON_PEER = ROOT / "Scripts/benchmarks/peers/tritonclient_peer.py"
# Megabytes (2^20) of an answer: how many a process asks for after one that is not counted.
SIZES = {1: 100, 32: 10, 256: 3}
CONCURRENCIES = (1, 16, 64)
# Seconds of small requests before those that count, in every side's program.
WARM_UP = 0.5
OURS, PLAIN = "spo", "spo, plain tasks"
CPP, CPP_SYNC, NIO = "C++", "C++ sync", "grpc-swift-2"
SYNC, AIO = "tritonclient sync", "tritonclient aio"


def sides(ours):
    """The commands of the sides: those for large answers, those for small requests."""
    python = [PYTHON, PYTHON_PEER]
    cpp, nio = [PEERS / "client"], [PEERS / "grpc-swift-peer"]
    large = {
        OURS: [*ours, "large"],
        CPP: [*cpp, "large"],
        SYNC: [*python, "large"],
        NIO: [*nio, "large"],
    }
    small = {OURS: [*ours, "small"], PLAIN: [*ours, "small-plain"], CPP: [*cpp, "small"]}
    small |= {CPP_SYNC: [*cpp, "small-sync"], NIO: [*nio, "small"]}
    return large, small | {SYNC: [*python, "small-sync"], AIO: [*python, "small-aio"]}


def run(command, *arguments):
    # A proxy in the environment would take even loopback's connections.
    plain = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    words = [str(word) for word in (*command, *arguments)]
    ended = subprocess.run(words, stdout=subprocess.PIPE, text=True, env=plain, timeout=300)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {ended.returncode}; see its message above")
    return json.loads(ended.stdout)


class Server:
    def __init__(self):
        self.process = subprocess.Popen([PEERS / "server"], stdout=subprocess.PIPE, text=True)
        self.pid, self.port = self.process.pid, int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


class Loopback:
    """Plain sockets: what a message takes from a ready buffer in one process to one in another."""

    def __init__(self, size):
        self.received = memoryview(bytearray(b"\1" * size))
        self.ours, theirs = tcp_pair()
        self.sender = get_context("fork").Process(
            target=self._serve, args=(theirs, size), daemon=True
        )
        self.sender.start()
        theirs.close()

    def _serve(self, connection, size):
        self.ours.close()
        ready = b"\2" * size
        while connection.recv(1):
            connection.sendall(ready)

    def _message(self):
        begin, filled = time.perf_counter(), 0
        self.ours.sendall(b"?")
        while filled < len(self.received):
            filled += self.ours.recv_into(self.received[filled:])
        return time.perf_counter() - begin

    def run(self, count):
        self._message()
        taken = statistics.median(self._message() for _ in range(count))
        self.ours.close()
        self.sender.join()
        assert self.received[0] == self.received[-1] == 2
        return taken


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    for each in (ours, theirs):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, theirs


def large_round(commands, port, megabytes):
    """Seconds and CPU seconds a request, and peak memory over the message, of each side."""
    size, count = megabytes << 20, SIZES[megabytes]
    figures = {"loopback": {"wall": Loopback(size).run(count)}}
    for name, command in commands.items():
        answer = run(command, port, size, count)
        memory = (answer["peak_bytes"] - answer["base_bytes"]) / size
        wall = statistics.median(answer["wall_s"])
        figures[name] = {"wall": wall, "cpu": answer["cpu_s"] / count, "memory": memory}
    return figures


def cpu_seconds(process):
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def small_round(commands, server, concurrency, seconds):
    """Rate, CPU seconds a request and latencies of each side, and how busy it kept the server's
    thread: near 1, the server is what limits the rate."""
    figures = {}
    for name, command in commands.items():
        before = cpu_seconds(server.pid)
        answer = run(command, server.port, concurrency, seconds)
        busy = (cpu_seconds(server.pid) - before) / (WARM_UP + answer["seconds"])
        rate, cpu = answer["requests"] / answer["seconds"], answer["cpu_s"] / answer["requests"]
        latencies = {"p50": answer["p50_us"], "p99": answer["p99_us"]}
        figures[name] = {"rate": rate, "cpu": cpu, "server": busy, **latencies}
    return figures


def median(rounds, of):
    return statistics.median(of(each) for each in rounds)


def against(rounds, measure, *peers, better=min, ours=OURS):
    """Median over the rounds of ours over theirs; of several peers, over the better of each round."""
    return median(
        rounds, lambda each: each[ours][measure] / better(each[peer][measure] for peer in peers)
    )


def large_bars(megabytes, rounds):
    name = f"client large {megabytes}MB"
    for measure in ("wall", "cpu"):
        yield f"{name} {measure} vs tritonclient", against(rounds, measure, SYNC), "<=", 0.25
        yield f"{name} {measure} vs C++", against(rounds, measure, CPP), "<=", 0.4
    share = median(rounds, lambda each: each["loopback"]["wall"] / each[OURS]["wall"])
    yield f"{name} of loopback TCP", share, ">=", 0.7
    yield (
        f"{name} memory over the message",
        median(rounds, lambda each: each[OURS]["memory"]),
        "<=",
        1.2,
    )


def small_bars(concurrency, rounds):
    peers = (
        ("tritonclient", (SYNC, AIO), 4, 0.25),
        ("grpc-swift-2", (NIO,), 2, 0.5),
        ("C++ sync", (CPP_SYNC,), 1.2, 1),
        ("C++", (CPP,), 1.2, 1),
    )
    for ours in (OURS, PLAIN):
        name = f"client small at {concurrency}" + (" from plain tasks" if ours == PLAIN else "")
        for peer, names, rate, cpu in peers:
            yield (
                f"{name} requests/s vs {peer}",
                against(rounds, "rate", *names, better=max, ours=ours),
                ">=",
                rate,
            )
            yield f"{name} CPU vs {peer}", against(rounds, "cpu", *names, ours=ours), "<=", cpu


def table(title, columns, rounds):
    """Prints the median of each measure of each side; columns are (heading, measure, scale, format)."""
    print(f"{title:<20}" + "".join(f"{heading:>14}" for heading, *_ in columns))
    for name in rounds[0]:
        cells = []
        for _, measure, scale, form in columns:
            known = measure in rounds[0][name]
            value = median(rounds, lambda each: each[name][measure]) if known else None
            cells.append(f"{format(scale(value), form) if known else '':>14}")
        print(f"  {name:<18}" + "".join(cells))


def large_table(megabytes, rounds):
    columns = [
        ("GB/s", "wall", lambda value: (megabytes << 20) / value / 1e9, ".2f"),
        ("wall ms", "wall", lambda value: value * 1e3, ".2f"),
        ("CPU ms", "cpu", lambda value: value * 1e3, ".2f"),
        ("memory MB", "memory", lambda value: value * (megabytes << 20) / 1e6, ".0f"),
        ("x message", "memory", lambda value: value, ".2f"),
    ]
    table(f"answer of {megabytes} MB", columns, rounds)


def small_table(concurrency, rounds):
    columns = [
        ("requests/s", "rate", lambda value: value, ",.0f"),
        ("CPU µs", "cpu", lambda value: value * 1e6, ".1f"),
        ("server busy", "server", lambda value: value, ".2f"),
        ("p50 µs", "p50", lambda value: value, ",.0f"),
        ("p99 µs", "p99", lambda value: value, ",.0f"),
    ]
    table(f"{concurrency} in flight", columns, rounds)


def judge(bars):
    """Prints a line per bar; true if all are met."""
    met = True
    for label, ratio, sign, bar in bars:
        ok = ratio <= bar if sign == "<=" else ratio >= bar
        met &= ok
        print(f"{label}: {ratio:.2f} (bar {sign} {bar}) {'ok' if ok else 'short'}")
    return met


def measure(options, server):
    """All rounds, printed as tables, and the bars; written to client.json."""
    large, small = sides(options.ours)
    bars, figures = [], {}
    for megabytes in SIZES:
        rounds = [large_round(large, server.port, megabytes) for _ in range(options.rounds)]
        large_table(megabytes, rounds)
        bars += large_bars(megabytes, rounds) if megabytes > 1 else []
        figures[f"large {megabytes}MB"] = rounds
    for concurrency in CONCURRENCIES:
        rounds = [
            small_round(small, server, concurrency, options.seconds) for _ in range(options.rounds)
        ]
        small_table(concurrency, rounds)
        bars += small_bars(concurrency, rounds) if concurrency > 1 else []
        figures[f"small at {concurrency}"] = rounds
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "client.json").write_text(json.dumps({"rounds": figures, "bars": bars}, indent=1))
    return bars


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(";")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=3, help="of small requests, a side and round"
    )
    parser.add_argument(
        "--ours", nargs="+", default=[str(CLIENT_BENCH)], help="the command of our side"
    )
    options = parser.parse_args()
    server = Server()
    try:
        bars = measure(options, server)
    finally:
        server.close()
    raise SystemExit(not judge(bars))


if __name__ == "__main__":
    main()
