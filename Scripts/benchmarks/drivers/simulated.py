"""Simulated servers of one compact model (Tests/EchoServer), and spo extract over them."""

import os
import re
import resource
import subprocess
import time

from common import ROOT

SERVER = ROOT / ".build/release/EchoServer"
SPO = ROOT / ".build/release/spo"
MODEL = ["--model", "spo_compact", "--plan", "compact-native"]
ROWS = 24


class Servers:
    """So many servers in one process; a request takes `milliseconds` times its server's factor."""

    def __init__(self, factors, milliseconds):
        self.factors, self.milliseconds = factors, milliseconds
        command = [SERVER, "--compact", "--servers", str(len(factors)), "--max-batch", str(ROWS)]
        command += ["--service-ms", str(milliseconds)]
        command += ["--slow-factor", ",".join(map(str, factors))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        ports = [self.process.stdout.readline().strip() for _ in factors]
        self.addresses = ",".join(f"127.0.0.1:{port}" for port in ports)

    @property
    def capacity(self):
        """Sentences a second of all servers together, by full batches."""
        return sum(1000 / (self.milliseconds * factor) for factor in self.factors) * ROWS

    def cpu_seconds(self):
        """User and system time that the servers have taken."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def extract_command(servers, source, *arguments):
    """`spo extract` of a file over the servers."""
    command = [SPO, "extract", source, "--server", servers.addresses, *MODEL, *arguments]
    return [str(word) for word in command]


def timed_extract(servers, source, output):
    """Seconds and seconds of CPU of a whole run, and its summary."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    command = extract_command(servers, source, "--output", output, "--restart")
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"spo extract ended with {done.returncode}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, done.stderr


def requests(summary):
    """How many requests a run's summary tells of."""
    return int(re.search(r"(\d+) requests", summary)[1])


def write_corpus(path, lines, source=None):
    """A file of so many sentences with their numbers: those of `source`, again and again, or made."""
    texts = read_lines(source) if source else made_lines()
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, lines, len(texts)):
            count = min(len(texts), lines - start)
            file.writelines(f"{start + i + 1}号{texts[i]}\n" for i in range(count))


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [line for line in lines if line] or made_lines()


def made_lines(count=4_000):
    """Sentences of 10 to 60 common characters, alike in every run."""
    state = 1
    texts = []
    for _ in range(count):
        characters = []
        for _ in range(10 + state % 51):
            state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
            characters.append(COMMON[(state >> 33) % len(COMMON)])
        texts.append("".join(characters))
    return texts


COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产"
    "种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业"
)
