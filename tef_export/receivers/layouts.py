"""Every layout of a bundle: place to content, and which receiver it is for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from configs.receivers import register
from tef_export import contents, places
from tef_export.receivers import aisc, catalogues, open_inference, triton
from tef_export.receivers.subject import Subject


def make(subject: Subject, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The files of the layouts that the plan asks for, the copy of the model for Triton excepted.

    Args:
        subject: The model.
        wanted: Ids of receivers.
    """
    known = register.load()
    makers: dict[str, Callable[[Subject, register.Receiver], dict[str, bytes]]] = {
        "aisc": _aisc,
        "edge": _edge,
        "triton": _triton,
        "open_inference": _open_inference,
        "aiod": lambda s, r: {places.AIOD: _json(catalogues.aiod(s, r))},
        "data_space": lambda s, r: {places.DATA_SPACE: _json(catalogues.data_space(s, r))},
    }
    found: dict[str, bytes] = {}
    for name in wanted:
        found |= makers[name](subject, known[name])
    return found


def copies_model(subject: Subject, wanted: tuple[str, ...]) -> bool:
    """Whether the Triton repository holds a copy of the model: only of a small one."""
    return "triton" in wanted and subject.model_size <= register.load()["triton"].values["copy_model_up_to"]


def _aisc(subject: Subject, receiver: register.Receiver) -> dict[str, bytes]:
    fair = aisc.fairness(subject, receiver)
    found = {places.AISC[0]: _json(aisc.performance(subject, receiver))}
    return found | ({places.AISC[1]: _json(fair)} if fair else {})


def _edge(subject: Subject, _: register.Receiver) -> dict[str, bytes]:
    configuration = triton.configuration(subject, register.load()["triton"])
    return dict(zip(places.EDGE, (configuration, triton.labels(subject)), strict=True))


def _triton(subject: Subject, receiver: register.Receiver) -> dict[str, bytes]:
    found = {
        places.TRITON[0]: triton.configuration(subject, receiver),
        places.TRITON[1]: triton.labels(subject),
    }
    if not copies_model(subject, ("triton",)):
        found[places.TRITON_NOTE] = (
            "# Triton\n\nThe model is too large to stand twice in the bundle. In the folder of this file:\n\n"
            f"    mkdir -p {triton.NAME}/1 && ln ../../../{contents.MODEL} {triton.NAME}/1/model.onnx\n"
        ).encode()
    return found


def _open_inference(subject: Subject, receiver: register.Receiver) -> dict[str, bytes]:
    found = {places.INFERENCE[0]: _json(open_inference.metadata(subject, receiver))}
    if sample := open_inference.sample(subject, receiver):
        found[places.INFERENCE[1]] = _json(sample[0])
        found[places.INFERENCE[2]] = _json(sample[1])
    return found


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
