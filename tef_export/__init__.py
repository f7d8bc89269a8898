"""ONNX export, the bundle, its signatures, and the reader that a facility uses."""
