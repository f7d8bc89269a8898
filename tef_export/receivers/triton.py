"""Triton model repository, and the folder of the agrifoodTEF edge farm, which takes the same configuration.

The batch is the first dimension of every tensor and does not stand in the configuration. The label has no dimension but
the batch; Triton wants one, so it gets one of size 1 that is taken away again (`reshape`).
"""

from __future__ import annotations

from configs.receivers.register import Receiver
from evidence import records
from tef_export.receivers.subject import Subject

NAME = "model"
"""Name of the model: the stem of its file, as both receivers want it."""


def configuration(subject: Subject, receiver: Receiver) -> bytes:
    """`config.pbtxt`."""
    contract, types = subject.contract, receiver.values["types"]
    inputs = [_tensor(tensor, types) for tensor in contract.inputs]
    outputs = [_tensor(t, types, "labels.txt" if t.name == "probabilities" else "") for t in contract.outputs]
    lines = [
        f'name: "{NAME}"',
        f'platform: "{receiver.values["platform"]}"',
        f"max_batch_size: {receiver.values['max_batch_size']}",
        f"input [\n{','.join(inputs)}\n]",
        f"output [\n{','.join(outputs)}\n]",
    ]
    return ("\n".join(lines) + "\n").encode("ascii")


def labels(subject: Subject) -> bytes:
    """`labels.txt`: one name a line, in the order of the probabilities' columns; never empty."""
    names = subject.contract.classes or (subject.contract.target,)
    return "".join(f"{' '.join(name.split())}\n" for name in names).encode("utf-8")


def _tensor(tensor: records.TensorSpec, types: dict[str, str], label_file: str = "") -> str:
    sizes = [str(size) if isinstance(size, int) else "-1" for size in tensor.shape[1:]]
    rest = "" if sizes else "    reshape { shape: [ ] }\n"
    file = f'    label_filename: "{label_file}"\n' if label_file else ""
    return (
        f'  {{\n    name: "{tensor.name}"\n    data_type: {types[tensor.dtype]}\n'
        f"    dims: [ {', '.join(sizes) or '1'} ]\n{rest}{file}  }}"
    )
