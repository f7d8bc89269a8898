"""Model poisoning: where the weights come from.

A part that was trained elsewhere can carry a backdoor that no test on one's own data shows. The families of proofline
load no such part: every weight begins at random, with the seed of the training record. Of a user's own module nothing
is known but its code, whose digest is named.
"""

from __future__ import annotations

from checks._subject import Subject, not_applicable, not_measured
from evidence import records, software

CHECK = "security.pretrained_parts"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Hash and origin of parts of the model that were trained elsewhere."""
    training = subject.source.training
    if training is None:
        return (not_measured(CHECK, "no record of the training is here: where the weights come from is not known"),)
    own = training.architecture.get("factory")
    details: dict[str, object] = {
        "seed": training.seed,
        "parameters": training.parameters,
        "checkpoint_sha256": training.checkpoint.sha256,
        "code_sha256": software.code_with(own),
    }
    if own is not None:
        result = not_measured(
            CHECK,
            f"the user's own module {own} builds the network, and whether it loads weights that were trained elsewhere "
            "cannot be told from outside; its code is part of the digest in the commitment",
        )
        return (result.model_copy(update={"details": details}),)
    result = not_applicable(
        CHECK,
        f"the model has no pre-trained part: all {training.parameters:,} weights come from random initialisation with "
        f"seed {training.seed} and from training on rows of the split",
    )
    return (result.model_copy(update={"details": details}),)
