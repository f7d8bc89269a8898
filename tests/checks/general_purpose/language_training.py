"""Training records of language models with made-up figures, for tests."""

from __future__ import annotations

from typing import Any

from evidence.language_records import LanguageTrainingRecord

SHA = "0f" * 32


def quantity(
    value: float | None, unit: str = "FLOP", method: str = "counted", boundary: str = "all steps"
) -> dict[str, Any]:
    return {"value": value, "unit": unit, "method": method, "boundary": boundary}


def training(flop: float | None = 2.0e15, **more: Any) -> LanguageTrainingRecord:
    """A training whose counted operations and formula agree, unless `more` says otherwise."""
    content: dict[str, Any] = {
        "checkpoint": {"path": "training/best.safetensors", "sha256": SHA, "size": 10, "media_type": "x/y"},
        "architecture": {
            "architectures": ["LlamaForCausalLM"], "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
            "num_key_value_heads": 4, "intermediate_size": 352, "vocab_size": 4096, "max_position_embeddings": 256,
            "tie_word_embeddings": True, "model_type": "llama",
        },
        "parameters": 1_300_000,
        "trained_parameters": 1_300_000,
        "method": "pretraining",
        "steps": 20,
        "best_step": 20,
        "tokens": 250_000_000,
        "epochs": 2.0,
        "batch_tokens": 4096,
        "seed": 0,
        "device": "cpu",
        "precision": "fp32",
        "compiled": False,
        "parallel": "single",
        "hardware": "2 cores",
        "software": {"torch": "2.12.0", "transformers": "5.24.0"},
        "tokens_per_second": 4000.0,
        "seconds": 86_400.0,
        "flops": quantity(flop),
        "flops_otherwise": [
            quantity(flop, method="formula 6·P·D: P parameters, D tokens trained on"),
            quantity(None if flop is None else 4 * flop, method="upper bound N·L·H·U: devices x seconds x peak"),
        ],
        "energy": quantity(7.2e6, "J", "RAPL counters", "package of the node"),
        "curve": [
            {"step": step, "tokens": step * 4096, "train_loss": 8.0 / step, "validation_loss": 8.2 / step,
             "learning_rate": 0.001, "seconds": 1.0}
            for step in (5, 10, 20)
        ],
        "uses": [{"step": "fit", "role": "train", "rows": 100, "digests_sha256": SHA}],
    }  # fmt: skip
    return LanguageTrainingRecord.model_validate(content | more)
