"""The pipeline that a user would write: Hugging Face tokenizer, Python tritonclient, dense tensors,
GPLinker's decode in numpy. Prints JSON; triples go to a file.

Plain: batches in file order, one request after the other. Best: batches of like lengths, several in
flight. Answers stay below what spo allows itself: near gRPC's 2 GiB the server and this program need
more than ten times that in memory.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tritonclient.grpc as grpcclient
from tokenizers import BertWordPieceTokenizer

LARGEST = 256 << 20
TYPES = {"int64": "INT64", "float32": "FP32"}


def batches(lengths, predicates, rows, is_sorted):
    """Indices of each request; padding counts."""
    order = (
        sorted(range(len(lengths)), key=lengths.__getitem__) if is_sorted else range(len(lengths))
    )
    batch = []
    for index in order:
        longest = max(lengths[i] for i in [*batch, index])
        size = (len(batch) + 1) * 4 * (2 + 2 * predicates) * longest**2
        if batch and (len(batch) == rows or size > LARGEST):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def infer(client, model, encodings):
    longest = max(len(e.ids) for e in encodings)
    pad = lambda row, kind: np.pad(np.array(row, kind), (0, longest - len(row)))
    tensors = [
        np.arange(len(encodings), dtype=np.int64)[:, None],
        np.stack([pad(e.ids, np.int64) for e in encodings]),
        np.stack([pad(e.type_ids, np.int64) for e in encodings]),
        np.stack([pad(e.attention_mask, np.float32) for e in encodings]),
    ]
    inputs = []
    for number, tensor in enumerate(tensors):
        value = grpcclient.InferInput(f"INPUT__{number}", tensor.shape, TYPES[tensor.dtype.name])
        value.set_data_from_numpy(tensor)
        inputs.append(value)
    result = client.infer(model, inputs)
    outputs = [result.as_numpy(f"OUTPUT__{number}") for number in (1, 2, 3)]
    return outputs, sum(x.nbytes for x in tensors), sum(x.nbytes for x in outputs)


def decode(entity, head, tail, length):
    """GPLinker's decode of one sentence."""
    entity = entity[:, 1 : length - 1, 1 : length - 1]
    spans = [np.argwhere(kind > 0) + 1 for kind in entity]
    triples = []
    for start, end in spans[0]:
        for first, last in spans[1]:
            heads = np.flatnonzero(head[:, start, first] > 0)
            tails = np.flatnonzero(tail[:, end, last] > 0)
            triples += [
                (int(p), int(start), int(end), int(first), int(last))
                for p in np.intersect1d(heads, tails)
            ]
    return triples


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("server", "model", "vocabulary", "sentences", "output"):
        parser.add_argument(name)
    parser.add_argument("--predicates", type=int, required=True)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--best", action="store_true")
    options = parser.parse_args()
    tokenizer = BertWordPieceTokenizer(options.vocabulary, lowercase=True)
    client = grpcclient.InferenceServerClient(options.server)
    begin = time.perf_counter()
    texts = Path(options.sentences).read_text(encoding="utf-8").rstrip("\n").split("\n")
    encodings = tokenizer.encode_batch(texts)
    lengths = [len(e.ids) for e in encodings]
    found = [None] * len(texts)

    def run(rows):
        outputs, sent, received = infer(client, options.model, [encodings[i] for i in rows])
        for place, index in enumerate(rows):
            encoding = encodings[index]
            mention = lambda a, b: [encoding.offsets[a][0], encoding.offsets[b][1]]
            found[index] = sorted(
                [mention(s, e), p, mention(o, f)]
                for p, s, e, o, f in decode(*(x[place] for x in outputs), lengths[index])
            )
        return sent, received

    plan = list(batches(lengths, options.predicates, options.rows, options.best))
    with ThreadPoolExecutor(4 if options.best else 1) as pool:
        sizes = list(pool.map(run, plan))
    seconds = time.perf_counter() - begin
    Path(options.output).write_text(json.dumps(found))
    sent, received = (sum(x) for x in zip(*sizes))
    print(
        json.dumps({"seconds": seconds, "sent": sent, "received": received, "requests": len(plan)})
    )


if __name__ == "__main__":
    main()
