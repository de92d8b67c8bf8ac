"""The Python peer: tritonclient.grpc, its answers as numpy arrays.
tritonclient_peer.py large PORT BYTES COUNT
tritonclient_peer.py small-sync|small-aio PORT CONCURRENCY SECONDS"""

import asyncio
import json
import resource
import sys
import threading
import time

import numpy
import tritonclient.grpc
import tritonclient.grpc.aio

ROWS, TOKENS = 16, 64
SMALL_BYTES = 10240
WARM_UP = 0.5
IDS = numpy.full((ROWS, TOKENS), 101, numpy.int64)
TYPES = numpy.zeros((ROWS, TOKENS), numpy.int64)
MASK = numpy.ones((ROWS, TOKENS), numpy.float32)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def memory(key):
    """A line of /proc/self/status, as VmHWM or VmRSS, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key + ":"))


def inputs():
    """Every request is made anew, as for tokens that differ."""
    made = []
    for name, kind, values in (
        ("ids", "INT64", IDS),
        ("types", "INT64", TYPES),
        ("mask", "FP32", MASK),
    ):
        made.append(tritonclient.grpc.InferInput(name, [ROWS, TOKENS], kind))
        made[-1].set_data_from_numpy(values)
    return made


def check(result, size):
    """Refuses an answer that has another size or other values than i % 1000."""
    values = result.as_numpy("output")
    assert values.nbytes == size and values.dtype == numpy.float32, values.shape
    for step in range(8):
        index = (len(values) - 1) * step // 7
        assert values[index] == index % 1000, index


def infer(client, model, size):
    check(client.infer(model, inputs()), size)


def large(port, size, count):
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{port}")
    infer(client, "small", SMALL_BYTES)
    base = memory("VmRSS")
    infer(client, f"large:{size}", size)
    walls, used = [], cpu()
    for _ in range(count):
        begin = time.perf_counter()
        infer(client, f"large:{size}", size)
        walls.append(time.perf_counter() - begin)
    return {
        "wall_s": walls,
        "cpu_s": cpu() - used,
        "peak_bytes": memory("VmHWM"),
        "base_bytes": base,
    }


def load_sync(client, concurrency, seconds):
    """Keeps `concurrency` threads asking for `seconds`; the microseconds of each request."""
    taken = [[] for _ in range(concurrency)]
    end = time.perf_counter() + seconds

    def ask(own):
        while (begin := time.perf_counter()) < end:
            infer(client, "small", SMALL_BYTES)
            own.append((time.perf_counter() - begin) * 1e6)

    threads = [threading.Thread(target=ask, args=(own,)) for own in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for own in taken for each in own]


async def load_aio(client, concurrency, seconds):
    """Keeps `concurrency` tasks asking for `seconds`; the microseconds of each request."""
    taken = []
    end = time.perf_counter() + seconds

    async def ask():
        while (begin := time.perf_counter()) < end:
            check(await client.infer("small", inputs()), SMALL_BYTES)
            taken.append((time.perf_counter() - begin) * 1e6)

    await asyncio.gather(*(ask() for _ in range(concurrency)))
    return taken


def summary(taken, seconds, used, base):
    taken.sort()
    return {
        "requests": len(taken),
        "seconds": seconds,
        "p50_us": taken[len(taken) // 2],
        "p99_us": taken[len(taken) * 99 // 100],
        "cpu_s": used,
        "peak_bytes": memory("VmHWM"),
        "base_bytes": base,
    }


def small_sync(port, concurrency, seconds):
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{port}")
    load_sync(client, concurrency, WARM_UP)
    base, used, begin = memory("VmRSS"), cpu(), time.perf_counter()
    taken = load_sync(client, concurrency, seconds)
    return summary(taken, time.perf_counter() - begin, cpu() - used, base)


async def small_aio(port, concurrency, seconds):
    async with tritonclient.grpc.aio.InferenceServerClient(f"127.0.0.1:{port}") as client:
        await load_aio(client, concurrency, WARM_UP)
        base, used, begin = memory("VmRSS"), cpu(), time.perf_counter()
        taken = await load_aio(client, concurrency, seconds)
        return summary(taken, time.perf_counter() - begin, cpu() - used, base)


def main():
    mode, port, first, second = sys.argv[1:]
    if mode == "large":
        answer = large(port, int(first), int(second))
    elif mode == "small-sync":
        answer = small_sync(port, int(first), float(second))
    elif mode == "small-aio":
        answer = asyncio.run(small_aio(port, int(first), float(second)))
    else:
        sys.exit(__doc__)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
