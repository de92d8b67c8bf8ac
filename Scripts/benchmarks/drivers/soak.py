"""Mixed traffic with cancels and a server that is killed and started again in the middle: does
memory, do calls, descriptors or shared memory regions grow? Argument: seconds (default 600).

Cancelled calls can make Triton itself crash (triton-inference-server/server issues 7368 and 8034); it
is then started again and counted."""

import json
import subprocess
import sys
from pathlib import Path

from common import CLIENT_BENCH, ROOT

NAME = "bench-soak"
MODELS = ROOT / "Tests/TritonTests/Models"
GROWTH = 1.10  # resident memory at the end over that after the first sixth


def triton(*arguments):
    command = [str(ROOT / "Scripts/triton"), *arguments, "--name", NAME]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise SystemExit("Scripts/triton failed; see the lines above")
    return done.stdout


def up(port=None):
    ports = ["--grpc-port", str(port)] if port else []
    flags = ["--", "--exit-on-error=false", "--strict-readiness=false"]
    command = ["up", "--json", "--repository", str(MODELS), *ports]
    full = [str(ROOT / "Scripts/triton"), *command, "--name", NAME, *flags]
    done = subprocess.run(full, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise SystemExit("Scripts/triton up failed; see the lines above")
    return json.loads(done.stdout)


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    state = up()
    samples, died = [], 0
    command = [str(CLIENT_BENCH), "soak", f"localhost:{state['grpc']}", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        for line in client.stdout:
            samples.append(json.loads(line))
            print(line.strip(), flush=True)
            if has_crashed(state):
                died += 1
                print("the server crashed", flush=True)
                subprocess.run(["kill", "-9", str(state["pid"])], stderr=subprocess.DEVNULL)
            elif len(samples) == max(seconds // 20, 1):
                print("killing the server", flush=True)
                subprocess.run(["kill", "-9", str(state["pid"])], check=True)
            else:
                continue
            state = up(state["grpc"])
    triton("down")
    print(f"soak: Triton crashed {died} times")
    sys.exit(not judge(samples, client.returncode))


def has_crashed(state):
    """Whether the process has ended, or hangs in the handler of its own crash."""
    try:
        if "\nState:\tZ" in Path(f"/proc/{state['pid']}/status").read_text():
            return True
    except FileNotFoundError:
        return True
    return "\nSignal (" in Path(state["log"]).read_text(errors="replace")


def judge(samples, code):
    first, last = samples[len(samples) // 6], samples[-1]
    growth = last["rss_kb"] / first["rss_kb"]
    left = [p.name for p in Path("/dev/shm").glob("spo-soak*")]
    checks = {
        f"soak resident memory: {growth:.2f}x (bar <= {GROWTH}x)": growth <= GROWTH,
        f"soak calls in flight at the end: {last['in_flight']}": last["in_flight"] == 0,
        f"soak descriptors: {first['descriptors']} -> {last['descriptors']}": (
            last["descriptors"] <= first["descriptors"]
        ),
        f"soak regions left: {last['regions']} registered, {len(left)} in /dev/shm": (
            last["regions"] == 0 and not left
        ),
        f"soak wrong answers: {last['wrong']}": last["wrong"] == 0 and code == 0,
        f"soak calls: {last['ok']} ok, {last['cancelled']} cancelled, {last['failed']} failed "
        "around the restart": last["ok"] > 0 and last["cancelled"] > 0,
    }
    for text, met in checks.items():
        print(f"{text} {'ok' if met else 'short'}")
    return all(checks.values())


if __name__ == "__main__":
    main()
