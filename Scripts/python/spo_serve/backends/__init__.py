"""Triton's ONNX and TorchScript backends for CPUs, over its Python backend."""
