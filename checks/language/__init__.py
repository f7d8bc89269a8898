"""Checks of language models, on the ONNX graph that ships, with its tokenizer. No training framework is loaded."""
