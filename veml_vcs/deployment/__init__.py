"""From a training version to a file that runs without veml: export, parity, latency, inference.

The only room that imports onnx and onnxruntime. Not for records: those are ``versions.inferences``.
"""
