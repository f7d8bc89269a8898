"""What of a language model's run leaves beside what every run has: tokenizer, configuration, recipe, held-out text."""

from __future__ import annotations

from configs import errors
from evidence import canonical
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from tef_export import contents, manifest
from tef_export import recipe as table_recipe
from tef_export.language import recipe, text


def contract(dossier: LanguageDossier) -> manifest.ModelContract:
    """What goes into the model and what comes out."""
    model = dossier.exported
    return manifest.ModelContract(
        task="language_model",
        opset=model.opset,
        ir_version=model.ir_version,
        inputs=model.inputs,
        outputs=model.outputs,
        features=(),
        classes=(),
        target=recipe.TARGET,
        language=manifest.LanguageContract(
            context=model.context,
            vocabulary=model.vocabulary,
            end_of_text=model.end_of_text,
            layers=model.layers,
            key_value_heads=model.key_value_heads,
            head_width=model.head_width,
        ),
    )


def make(folder: RunFolder, dossier: LanguageDossier) -> dict[str, bytes]:
    """The recipe and, where the plan lets it leave, the held-out text: place in the bundle to content.

    Raises:
        IntegrityError: The text was altered.
    """
    held = _test_text(folder, dossier) if dossier.plan.bundle.include_test_data else None
    found = _recipe(dossier, held[0] if held else None)
    made = {table_recipe.PLACE: found.model_dump_json(indent=2).encode("utf-8") + b"\n"}
    return made | ({contents.TEST_TEXT: held[1]} if held else {})


def _recipe(dossier: LanguageDossier, held: recipe.TestText | None) -> recipe.LanguageRecipe:
    if dossier.close is None:
        raise errors.GateError(f"recipe of run {dossier.run_id}: expected a closed run, got an unfinished one.")
    again, without = recipe.checks(dossier.results())
    train, model = dossier.encode.parts["train"], dossier.exported
    return recipe.LanguageRecipe(
        run_id=dossier.run_id,
        model_sha256=model.onnx.sha256,
        tokenizer_sha256=model.tokenizer.sha256,
        plan_sha256=dossier.plan_sha256,
        commitment_sha256=dossier.close.records["commit"].sha256,
        results_sha256=dossier.close.records["evaluate"].sha256,
        context=model.context,
        end_of_text=model.end_of_text,
        languages=tuple(sorted(group.name for group in train.languages)),
        domains=tuple(sorted(group.name for group in train.domains)),
        checks=again,
        left_out=without,
        test_text=held,
        **recipe.fixed(dossier.plan),
    )


def _test_text(folder: RunFolder, dossier: LanguageDossier) -> tuple[recipe.TestText, bytes]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - who reads bundles has no need of it

    part = dossier.encode.parts["test"]
    table = pq.read_table(folder.checked(part.text), columns=list(text.FIELDS))
    content = text.write(text.Document(**row) for row in table.to_pylist())
    contents.check_size(contents.TEST_TEXT, len(content))
    found = recipe.TestText(
        sha256=canonical.sha256_bytes(content),
        documents=table.num_rows,
        split_sha256=dossier.split.parts["test"].digests.sha256,
    )
    return found, content
