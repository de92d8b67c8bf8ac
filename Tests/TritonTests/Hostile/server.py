"""A server that lies on demand, for what no real one can be made to do.

It serves `dense` and `dense_compact` with the logits of the test models, prints its port, and ends
when its standard input does. What a caller's header `lie` names (`NAME` or `NAME:ARGUMENT`) is wrong
in the answers to that caller. Lies about answers are told of sentences with the token of the header
`of`, or of all without it; what counts calls does so by the header `run`.
"""

import collections
import sys
import threading
from concurrent import futures

import grpc
import lies
import logits
import numpy as np
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc

DENSE = {"entity": "FP32", "so_head": "FP32", "so_tail": "FP32"}
COMPACT = {
    "triples": "INT32", "scores": "FP32", "spans": "INT32", "span_scores": "FP32",
    "not_finite": "INT32",
}  # fmt: skip
TYPES = {"INT32": np.int32, "INT64": np.int64, "FP32": np.float32}


class Caller:
    """What the headers of one call ask for."""

    calls = collections.Counter()
    held = collections.defaultdict(list)

    def __init__(self, context):
        headers = dict(context.invocation_metadata())
        self.context = context
        self.lie, _, self.argument = headers.get("lie", "").partition(":")
        self.run, self.token = headers.get("run", ""), int(headers.get("of", -1))

    def number(self, lie, otherwise):
        return int(self.argument) if self.lie == lie else otherwise

    def is_early(self, lie):
        """Whether this is one of the first ARGUMENT calls of its run that ask so."""
        if self.lie != lie:
            return False
        self.calls[self.run] += 1
        return self.calls[self.run] <= int(self.argument)

    def hang(self):
        gone = threading.Event()
        if self.context.add_callback(gone.set):
            gone.wait()


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    def ServerLive(self, request, context):
        return messages.ServerLiveResponse(live=True)

    def RepositoryIndex(self, request, context):
        caller = Caller(context)
        names = ["dense", *(f"hanging{i}" for i in range(caller.number("hanging", 0)))]
        if caller.lie in {"compact", "limit", *lies.OF_COMPACT}:
            names.append("dense_compact")
        if caller.lie == "index":
            caller.hang()
        entries = [{"name": name, "version": "1", "state": "READY"} for name in names]
        return messages.RepositoryIndexResponse(models=entries)

    def ModelMetadata(self, request, context):
        caller, is_compact = Caller(context), request.name.endswith("compact")
        length, heads = caller.number("length", -1), caller.number("heads", logits.PREDICATES)
        spans, triples = (caller.number("limit", own) for own in (logits.SPANS, logits.TRIPLES))
        inputs = {"input_ids": [length], "token_type_ids": [length], "attention_mask": [length]}
        outputs = (
            [[triples, 5], [triples, 4], [2, spans, 2], [2, spans], [1]]
            if is_compact
            else [[2, length, length], [heads, length, length], [heads, length, length]]
        )
        answer = messages.ModelMetadataResponse(name=request.name, versions=["1"])
        if caller.lie == "metadata-name":
            answer.name = "another"
        for (name, shape), kind in zip(inputs.items(), ["INT64", "INT64", "FP32"]):
            answer.inputs.add(name=name, datatype=kind, shape=[-1, *shape])
        for (name, kind), shape in zip((COMPACT if is_compact else DENSE).items(), outputs):
            answer.outputs.add(name=name, datatype=kind, shape=[-1, *shape])
        return answer

    def ModelConfig(self, request, context):
        caller = Caller(context)
        if request.name.startswith("hanging") or caller.lie == "config":
            caller.hang()
        answer = messages.ModelConfigResponse()
        answer.config.name, answer.config.max_batch_size = request.name, 8
        if request.name.endswith("compact"):
            answer.config.parameters["compact_of"].string_value = "dense"
        for _ in range(caller.number("groups", 1)):
            group = answer.config.instance_group.add(count=caller.number("instances", 1))
            if caller.lie == "groups":
                group.count, group.gpus[:] = 2**31 - 1, range(64)
        return answer

    def SystemSharedMemoryRegister(self, request, context):
        if not Caller(context).lie.startswith("memory"):
            context.abort(grpc.StatusCode.UNAVAILABLE, "Client shared memory is disabled")
        return messages.SystemSharedMemoryRegisterResponse()

    def SystemSharedMemoryUnregister(self, request, context):
        return messages.SystemSharedMemoryUnregisterResponse()

    def SystemSharedMemoryStatus(self, request, context):
        """memory-steal:NAME=KEY,NAME=KEY: regions that are not registered here at all."""
        answer, caller = messages.SystemSharedMemoryStatusResponse(), Caller(context)
        if caller.lie == "memory-steal":
            for pair in caller.argument.split(","):
                name, key = pair.split("=")
                answer.regions[name].name, answer.regions[name].key = name, key
                answer.regions[name].byte_size = 1
        return answer

    def ModelInfer(self, request, context):
        caller = Caller(context)
        ids, mask = read(request)
        wrong = caller.token < 0 or caller.token in ids
        if wrong and caller.is_early("overload"):
            context.abort(grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size")
        if wrong and caller.is_early("away"):
            context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
        if wrong and caller.lie == "memory-lost" and lies.remember(caller, request):
            context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
        is_compact = request.model_name.endswith("compact")
        kinds = COMPACT if is_compact else DENSE
        results = dict(zip(kinds, (logits.compact if is_compact else logits.dense)(ids, mask)))
        if wrong and is_compact and caller.lie in lies.OF_COMPACT:
            lies.OF_COMPACT[caller.lie](results, caller.argument)
        answer = messages.ModelInferResponse(model_name=request.model_name, model_version="1")
        if wrong and caller.lie == "version":
            answer.model_version = caller.argument
        for output in request.outputs:
            add(answer, output, kinds[output.name], results[output.name], caller)
        if caller.lie == "memory-late" and wrong and lies.remember(caller, request):
            caller.hang()
        elif caller.lie in {"memory-late", "memory-lost"}:
            lies.write_late(caller)
        return answer


def read(request):
    arrays = {
        tensor.name: np.frombuffer(raw, TYPES[tensor.datatype]).reshape(tensor.shape)
        for tensor, raw in zip(request.inputs, request.raw_input_contents)
    }
    return arrays["input_ids"], arrays["attention_mask"]


def add(answer, output, kind, result, caller):
    """One output: in the answer, or in the memory that the request names."""
    tensor = answer.outputs.add(name=output.name, datatype=kind, shape=result.shape)
    region = output.parameters["shared_memory_region"].string_param
    data = np.ascontiguousarray(result, TYPES[kind]).tobytes()
    if region:
        tensor.parameters["shared_memory_region"].string_param = region
        if caller.lie != "memory-blind":
            lies.write(region, output.parameters["shared_memory_offset"].int64_param, data)
    answer.raw_output_contents.append(b"" if region else data)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(64))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


if __name__ == "__main__":
    main()
