"""The trained language model as ONNX, with tokenizer and configuration: exported, checked, compared with its source.

Two exports of the same weights give the same bytes, wherever they are made with the same versions.
"""

from __future__ import annotations

import json

import torch

from configs import errors
from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory.language import decoder, model, packing
from tef_export import export as tables
from tef_export import golden, onnx_rules
from tef_export.language import graph, parity

TOKENIZER, CONFIG = "model/tokenizer.json", "model/config.json"


def export(
    folder: RunFolder,
    plan: LanguagePlan,
    tokenised: language_records.TokenisedData,
    training: language_records.LanguageTrainingRecord,
) -> language_records.LanguageModelRef:
    """Export the trained model, check it, and write it with its golden vectors.

    Args:
        folder: Run folder; `model/` in it receives the files.
        plan: The plan.
        tokenised: The packed tokens; parity is measured on the validation part.
        training: The training record.

    Raises:
        PlanError: The model is too large for one file.
        VerificationError: The graph is invalid, or says something else than its source.
        IntegrityError: Weights, tokens or tokenizer were altered.
    """
    if training.parameters * 4 > tables.LARGEST:
        raise errors.PlanError(
            f"plan model: expected at most {tables.LARGEST // 4} parameters, which fit one ONNX file, got "
            f"{training.parameters}. Lower model.width or model.layers, or take a smaller base model."
        )
    architecture = training.architecture
    network = model.restore(folder, training)
    proto = graph.translate(network, architecture)
    content = tables.finish(proto, plan.system.id)
    onnx_rules.check(onnx_rules.parsed(content))
    opened = golden.session(content)
    source, runner = decoder.Decoder(network), graph.Runner(opened, architecture)
    rows = _validation(folder, tokenised)
    agreement = parity.of_probabilities(source, runner, architecture, rows)
    generated = parity.of_generation(source, runner, architecture, *_prompts(rows, tokenised))
    given, answers = golden.write(folder, opened, graph.synthetic(architecture, plan.training.seed))
    with folder.replacing(tables.PLACE) as temporary:
        temporary.write_bytes(content)
        tables.check_file(str(temporary))
    heads, width, layers = decoder.shape(architecture)
    text = json.dumps(architecture, indent=2, sort_keys=True) + "\n"
    return language_records.LanguageModelRef(
        onnx=folder.reference(tables.PLACE),
        inputs=tuple(tables.spec(value) for value in proto.graph.input),
        outputs=tuple(tables.spec(value) for value in proto.graph.output),
        opset=tables.OPSET,
        ir_version=tables.IR_VERSION,
        parent_checkpoint_sha256=training.checkpoint.sha256,
        operators=tuple(sorted({node.op_type for node in proto.graph.node})),
        parity=agreement,
        golden_input=given[0],
        golden_inputs=given,
        golden_outputs=answers,
        exporter=f"torch.onnx {torch.__version__} (torch.export)",
        tokenizer=folder.write_bytes(TOKENIZER, folder.checked(tokenised.tokenizer).read_bytes()),
        config=folder.write_bytes(CONFIG, text.encode()),
        context=tokenised.context,
        vocabulary=architecture["vocab_size"],
        end_of_text=tokenised.end_of_text,
        layers=layers,
        key_value_heads=heads,
        head_width=width,
        generation=generated,
    )


def _validation(folder: RunFolder, tokenised: language_records.TokenisedData) -> torch.Tensor:
    """Validation sequences, int64 (sequences, context), some of them, taken evenly."""
    part = tokenised.parts["validation"]
    found = packing.read(folder, part.shards, tokenised.context + 1)
    count = min(len(found), max(1, parity.TOKENS // tokenised.context))
    return torch.from_numpy(found[[i * len(found) // count for i in range(count)], : tokenised.context]).long()


def _prompts(rows: torch.Tensor, tokenised: language_records.TokenisedData) -> tuple[list[list[int]], int]:
    """Beginnings of validation sequences, of different lengths, and the end-of-text token alone; tokens to add."""
    new = max(1, min(parity.NEW, tokenised.context // 2))
    lengths = [min(length, tokenised.context - new) for length in parity.LENGTHS]
    found = [rows[i % len(rows), :length].tolist() for i, length in enumerate(lengths)]
    return [[tokenised.end_of_text], *found], new
