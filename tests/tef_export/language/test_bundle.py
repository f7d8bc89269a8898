"""A language model goes the whole line: trained, released, verified, re-run, answered; and lies that are refused.

One small run of the real stages serves all tests of this file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from tef_export import contents, keys, manifest, verify
from tef_export.language import reader, recipe, text
from tef_export.rerun import run
from tests.tef_export import making

Attack = Callable[..., None]
pytestmark = pytest.mark.slow
PLAN = """\
version: 1
task: language_model
system:
  id: small-model
  name: Small Model
  version: 0.1.0
  provider: {name: Example GmbH}
  intended_purpose: Continues sentences. Made for a test.
corpora:
  - id: topics
    source: {kind: files, path: [topics.jsonl], domain_field: domain}
    language: en
    provenance: {title: Topics, origin: public, licence: PSF-2.0, personal_data: "no"}
cleaning: {identification: {enabled: false}}
split: {train: 0.7, validation: 0.15, test: 0.15}
tokenizer: {vocabulary: 400}
model: {layers: 1, width: 16, heads: 2, context: 32}
training: {steps: 4, batch_sequences: 4}
bundle: {include_test_data: true}
policy:
  replicates: 100
  memorisation: {samples: 8, prefixes: [8], continuation: 4, canaries: 1, canary_candidates: 16}
  robustness: {documents: 8, strengths: [0.1]}
  gates:
    - {check: language.bits_per_byte, at_most: 20, rationale: Anything goes in a test.}
"""


def proofline(space: Path, *arguments: str) -> int:
    """The exit code of the command line, called in this process; what it says, pytest shows where a test fails."""
    from flows import cli

    with contextlib.chdir(space), pytest.MonkeyPatch.context() as patch:
        for name in ("PROOFLINE_DATA", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        with pytest.raises(SystemExit) as leaving:
            cli.main(["-w", str(space), *arguments])
    return int(leaving.value.code or 0)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one released run of a language model."""
    from pydoc_data.topics import topics

    space = tmp_path_factory.mktemp("language")
    lines = [
        {"text": content[:1500], "domain": "long" if len(content) > 4000 else "short"}
        for _, content in sorted(topics.items())
    ]
    (space / "topics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (space / "plan.yaml").write_text(PLAN, encoding="utf-8")
    answers = (errors.EXIT_PASS, errors.EXIT_INCONCLUSIVE, errors.EXIT_FAIL)
    assert proofline(space, "run", "plan.yaml", "--engine", "plain") in answers
    assert proofline(space, "approve", "last", "--demonstration") == 0
    assert proofline(space, "release", "last", "--demonstration", "--engine", "plain") == 0
    return space


@pytest.fixture(scope="module")
def bundle(space: Path) -> Path:
    """Its bundle."""
    return next((space / "bundles").glob("*.zip"))


def key_of(bundle: Path) -> Any:
    """The supplier's public key, which lies beside the bundle."""
    return keys.load_public(Path(f"{bundle}"[:-4] + ".pub.pem"))


@pytest.fixture(scope="module")
def opened(bundle: Path) -> Iterator[verify.Opened]:
    """The bundle as the reader has accepted it."""
    with verify.opened(bundle, public_key=key_of(bundle), allow_demonstration=True) as found:
        yield found


def test_the_bundle_holds_and_names_its_contract(opened: verify.Opened) -> None:
    """Every check passes; the index says what a runtime needs to know of the graph."""
    assert opened.verification.ok
    contract = opened.manifest.model
    assert (contract.task, contract.features) == ("language_model", ())
    assert contract.language is not None
    assert (contract.language.context, contract.language.layers) == (32, 1)
    names = [t.name for t in contract.inputs]
    assert names == ["input_ids", "attention_mask", "position_ids", "past_key_values.0.key", "past_key_values.0.value"]


def test_no_training_text_leaves(space: Path, opened: verify.Opened) -> None:
    """No sentence of a training document stands in any file of the bundle; those of the test part do."""
    import pyarrow.parquet as pq

    folder = next((space / "runs").iterdir())
    kept = pq.read_table(folder / "data/tokens/train.text.parquet").column("text").to_pylist()
    held = pq.read_table(folder / "data/tokens/test.text.parquet").column("text").to_pylist()
    travelling = b"".join(opened.files.read(path) for path in opened.files.files if path != contents.MODEL)
    sentence = [t[200:260].encode() for t in kept if len(t) > 300]
    assert sentence
    assert not any(json.dumps(s.decode())[1:-1].encode() in travelling or s in travelling for s in sentence)
    assert all(json.dumps(t, ensure_ascii=False)[1:-1].encode() in travelling for t in held)


def test_a_rerun_reproduces_every_measure(bundle: Path) -> None:
    """On the held-out text that travels each declared value comes back, intervals included."""
    found = run.rerun(bundle, public_key=key_of(bundle), allow_demonstration=True)
    assert found.status == "reproduced"
    assert found.counted("reproduced") == len(found.comparisons) > 5
    assert {one.check_id for one in found.not_repeated} >= {"language.canaries", "language.cost", "data.leakage"}


def test_a_rerun_takes_the_facilitys_own_text(bundle: Path, tmp_path: Path) -> None:
    """JSON Lines and plain text are measured; what names no language is said."""
    own = tmp_path / "own.txt"
    own.write_text("\n\n".join(f"Sentence number {i} of a text that nobody has seen before." for i in range(12)))
    found = run.rerun(bundle, public_key=key_of(bundle), allow_demonstration=True, data=own)
    assert (found.data.origin, found.data.rows) == ("facility", 12)
    assert any("name no language" in warning for warning in found.data.warnings)
    assert found.status in ("differs", "cannot_tell")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"txt": 1}\n', "line 1: expected an object with a field `text`"),
        ("a.jsonl", b'{"text": "x", "text": "y"}\n', "twice"),
        ("a.txt", b"\xff\xfe", "expected UTF-8 text"),
        ("a.txt", b"One document only.", "at least 2 different documents, got 1"),
    ],
)
def test_text_that_cannot_be_measured_is_refused_in_one_sentence(
    bundle: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """File, place, expected and got."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(errors.DataError, match=said):
        run.rerun(bundle, public_key=key_of(bundle), allow_demonstration=True, data=tmp_path / name)


def refusal(opened: verify.Opened, path: str, change: Callable[[bytes], bytes | None], tmp_path: Path) -> verify.Check:
    """What the reader says of the bundle with one file changed, sealed anew with the attacker's own key."""
    top, files = opened.files.top, {p: opened.files.read(p) for p in opened.files.files}
    changed = change(files.get(path, b""))
    files = {p: c for p, c in files.items() if p != path} | ({} if changed is None else {path: changed})
    key = making.real_key()
    index = json.loads(files[manifest.PLACE]) | {"signer_fingerprint": key.fingerprint}
    files[manifest.PLACE] = json.dumps(index).encode()
    sealed = making.resigned(top, making.rebagged(making.recrated(making.reindexed(files))), key)
    found = verify.verify(
        making.packed(tmp_path / "other.zip", top, sealed), public_key=key.public_key(), allow_demonstration=True,
        at=making.NOW,
    )  # fmt: skip
    return next(check for check in found.checks if check.status == "fail")


@pytest.mark.attack("records", "the tokenizer of a language model exchanged")
def test_another_tokenizer_is_noticed(opened: verify.Opened, tmp_path: Path, attack: Attack) -> None:
    """The same graph reads other words with another tokenizer: its digest is in the model's record."""
    said = refusal(opened, contents.TOKENIZER, lambda content: content + b" ", tmp_path)
    assert "tokenizer.json" in said.text
    attack(said)


@pytest.mark.attack("records", "the configuration of a language model names code to load")
def test_a_configuration_that_names_code_is_refused(opened: verify.Opened, attack: Attack) -> None:
    """`auto_map` makes a careless loader run code out of the bundle."""
    content = json.loads(opened.files.read(contents.CONFIG))
    changed = json.dumps({**content, "auto_map": {"AutoModel": "x.y"}}).encode()
    with pytest.raises(errors.VerificationError, match="auto_map") as refused:
        reader.check_contract(opened.manifest, opened.evidence, changed)
    attack(refused.value, "evidence")


@pytest.mark.attack("contents", "a language model without its tokenizer")
def test_kinds_do_not_mix(opened: verify.Opened, attack: Attack) -> None:
    """Without its tokenizer the bundle is none of a model on tables; nor may a table's files stand beside one."""
    paths = set(opened.files.files)
    with pytest.raises(errors.VerificationError, match="model on tables") as refused:
        contents.check_names(paths - {contents.TOKENIZER})
    attack(refused.value, "contents")
    with pytest.raises(errors.VerificationError, match="language model") as refused:
        contents.check_names(paths | {"data/evidence/reference.json"})
    attack(refused.value, "contents", what="files of a model on tables beside a language model")


@pytest.mark.attack("recipe", "held-out text exchanged for an easier one, recipe made to fit")
def test_held_out_text_that_was_exchanged_is_refused(opened: verify.Opened, attack: Attack) -> None:
    """Text, digest of the text, digest of the part: whichever is exchanged, another one stands against it."""
    content, evidence = opened.files.read(contents.TEST_TEXT), opened.evidence
    lines = [json.loads(line) for line in content.splitlines()]
    documents = list(text.read(content, "text"))
    easy = text.Document(**{**documents[0].model_dump(), "text": "a", "document": making.sha(b"a")})
    exchanged = text.write([easy, *documents[1:]])
    asked = json.loads(opened.files.read("data/recipe.json"))
    asked["test_text"]["sha256"] = making.sha(exchanged)
    digests = {p: f.sha256 for p, f in opened.files.files.items()} | {contents.TEST_TEXT: making.sha(exchanged)}
    with pytest.raises(errors.VerificationError, match="digests of its documents") as refused:
        reader.check_recipe(json.dumps(asked).encode(), exchanged, opened.manifest, evidence, digests)
    attack(refused.value, "recipe")
    lines[0]["text"] = "easier"
    with pytest.raises(errors.VerificationError, match="expected the text with the digest") as refused:
        text.read("".join(json.dumps(line) + "\n" for line in lines).encode(), "text")
    attack(refused.value, "recipe", what="a held-out document that is not the text of its digest")
    with pytest.raises(errors.VerificationError, match="cut off"):
        text.read(content[:-1], "text")


def with_record(name: str, **changes: Any) -> Callable[[Any], Any]:
    """The evidence with one record changed."""
    return lambda evidence: {name: getattr(evidence, name).model_copy(update=changes)}


def with_part(part: str, **changes: Any) -> Callable[[Any], Any]:
    """The evidence with one part of the model's record changed."""
    return lambda evidence: {
        "model": evidence.model.model_copy(update={part: getattr(evidence.model, part).model_copy(update=changes)})
    }


LIES: list[tuple[str, Callable[[Any], Any], str]] = [
    ("a smaller compute in the account", with_record("account", low=1.0), "account, low"),
    ("no class in the account", with_record("account", classes={}), "account, classes"),
    ("a loose tolerance of the parity", with_part("parity", tolerance=1.0), "tolerance"),
    ("no generation equal to the source", with_part("generation", equal=0), "generation"),
    (
        "a training that read the test part",
        lambda e: {"train": e.train.model_copy(update={"uses": e.results.uses})},
        "test part",
    ),
    ("another context than the tokens have", with_record("model", context=64), "context"),
]


@pytest.mark.attack("records")
@pytest.mark.parametrize(
    ("change", "said"), [(c, s) for _, c, s in LIES], ids=[f"language model: {what}" for what, _, _ in LIES]
)
def test_records_that_lie_are_refused(
    opened: verify.Opened, change: Callable[[Any], Any], said: str, attack: Attack
) -> None:
    """A smaller compute, another class, a loose tolerance, a training that saw the test part: each is found."""
    evidence = dataclasses.replace(opened.evidence, **change(opened.evidence))  # type: ignore[type-var]

    def rules() -> None:
        reader.check_contract(opened.manifest, evidence, opened.files.read(contents.CONFIG))
        reader.check_uses(evidence)
        reader.check_parity(evidence)
        reader.check_account(evidence)

    with pytest.raises(errors.VerificationError, match=said) as refused:
        rules()
    attack(refused.value, "evidence")


def test_an_account_of_an_earlier_version_holds(opened: verify.Opened) -> None:
    """Another version may say the same in other words; another number, answer or side is a lie."""
    account = opened.evidence.account

    def with_item(**changes: Any) -> Any:
        items = (account.items[0].model_copy(update=changes), *account.items[1:])
        return dataclasses.replace(opened.evidence, account=account.model_copy(update={"items": items}))

    def with_step(**changes: Any) -> Any:
        path = (account.path[0].model_copy(update=changes), *account.path[1:])
        return dataclasses.replace(opened.evidence, account=account.model_copy(update={"path": path}))

    reader.check_account(with_item(title="Training from the start", method="counted", note="once"))
    reader.check_account(with_step(question="Does it write?", basis="guidelines", follows="see the compute"))
    for evidence in (with_item(flop=1.0), with_item(counts=not account.items[0].counts), with_step(answer="never")):
        with pytest.raises(errors.VerificationError, match=r"account, (items|path)"):
            reader.check_account(evidence)


def test_the_recipe_is_made_anew_from_the_plan(opened: verify.Opened) -> None:
    """A recipe that asks less than the plan did is refused."""
    content = json.loads(opened.files.read("data/recipe.json"))
    digests = {p: f.sha256 for p, f in opened.files.files.items()}
    given = opened.files.read(contents.TEST_TEXT)
    reader.check_recipe(json.dumps(content).encode(), given, opened.manifest, opened.evidence, digests)
    for change in ({"robustness": {**content["robustness"], "changes": ["case"]}}, {"minimum_group_size": 1},
                   {"languages": ["fr"]}, {"checks": content["checks"][1:]}):  # fmt: skip
        changed = json.dumps({**content, **change}).encode()
        with pytest.raises(errors.VerificationError, match="recipe"):
            reader.check_recipe(changed, given, opened.manifest, opened.evidence, digests)


def test_the_schema_of_the_recipe_is_what_the_types_say() -> None:
    """The committed JSON Schema is the generated one."""
    assert recipe.SCHEMA.read_text(encoding="utf-8") == recipe.schema_text()


def test_the_facilitys_answer_comes_back(space: Path, bundle: Path, tmp_path: Path) -> None:
    """Imported, re-run, answered and received: the answer stands in the run's documents."""
    pinned = ["--key", f"{bundle}"[:-4] + ".pub.pem", "--demonstration"]
    into, answer = tmp_path / "received", tmp_path / "answer"
    for words in (
        ("import", str(bundle), "--into", str(into), *pinned),
        ("rerun", str(bundle), *pinned, "--into", str(into), "--output", str(answer)),
        ("keys", "new", "facility", "--no-password", "--directory", str(tmp_path / "keys")),
        ("report", str(bundle), *pinned, "--facility", "TEF Nord", "--person", "Ada Test", "--role", "engineer",
         "--environment", "lab", "--verdict", "reproduced", "--rerun", str(answer / "rerun.json"),
         "--sign", str(tmp_path / "keys" / "facility.key.pem"), "--output", str(answer)),
        ("receive", str(answer / f"{bundle.stem}.report.json"), "--key", str(tmp_path / "keys" / "facility.pub.pem")),
    ):  # fmt: skip
        assert proofline(space, *words) == 0, words[0]
    folder = next((space / "runs").iterdir())
    assert proofline(space, "run", str(folder), "--resume", "--engine", "plain") != errors.EXIT_BUG
    assert "TEF Nord" in (folder / "documents" / "README.md").read_text(encoding="utf-8")


def test_versions_of_language_models_are_not_compared(space: Path, bundle: Path) -> None:
    """`diff` says so in one sentence, of a run and of a bundle."""
    from flows import comparing, workspace

    key = Path(f"{bundle}"[:-4] + ".pub.pem")
    for named in (comparing.Named("a", "last"), comparing.Named("a", str(bundle), key)):
        with pytest.raises(errors.PlanError, match="of a model on tables, got one of a language model"):
            comparing.side(named, workspace.Workspace(space), demonstration=True)
