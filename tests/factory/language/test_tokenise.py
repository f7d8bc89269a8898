import json

import pyarrow.parquet as pq
import pytest

from configs import errors
from evidence.folder import RunFolder
from factory.language import packing, tokenise, tokenizer
from tests.factory.language import builders


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("tokens") / "run")
    plan = builders.plan()
    documents = [("documentation", "en", text) for text in builders.texts()]
    cleaning, manifest = builders.cleaned(folder, documents)
    return folder, plan, cleaning, manifest, tokenise.tokenise(folder, plan, cleaning, manifest, builders.NO_BASE)


def flat(folder, found, role):
    """The stream of a part as it was packed, without what was left out."""
    rows = packing.read(folder, found.parts[role].shards, found.context + 1)
    return [*rows[:, 0].tolist()[:1], *rows[:, 1:].reshape(-1).tolist()]


def test_the_tokens_are_the_text(made):
    """Decoding the validation stream gives the validation documents, one after the other, each ended once."""
    folder, _, _, _, found = made
    ids = flat(folder, found, "validation")
    words = tokenizer.load(folder.at(found.tokenizer.path))
    texts = pq.read_table(folder.at(found.parts["validation"].text.path)).column("text").to_pylist()
    pieces = words.decode(ids, skip_special_tokens=False).split(tokenizer.END_OF_TEXT)
    assert pieces[:-1] == texts[: len(pieces) - 1]
    assert texts[len(pieces) - 1].startswith(pieces[-1])
    assert len(pieces) > 10


def test_parts_are_those_of_the_split(made):
    """What was read of each part has the digest of the split, documents that the contamination step drops included."""
    _, _, _, manifest, found = made
    for role, part in found.parts.items():
        assert part.digests_sha256 == manifest.parts[role].digests.sha256
    dropped = found.contamination.found["training_documents"]
    assert found.parts["train"].documents == manifest.parts["train"].rows - dropped
    assert found.contaminated == found.contamination.found["contaminated"] > 0


def test_counts_agree_with_each_other(made):
    """Groups add up to the part; packed tokens are those of the rows and the rest."""
    _, plan, _, _, found = made
    for role, part in found.parts.items():
        assert sum(g.tokens for g in part.languages) == sum(g.tokens for g in part.corpora) == part.tokens
        assert sum(g.bytes for g in part.domains) == part.bytes
        assert part.packed_tokens == part.sequences * found.context + 1 + part.left_out_tokens
        if role != "train":
            assert part.packed_tokens == part.tokens
    assert (found.vocabulary, found.context) == (plan.tokenizer.vocabulary, plan.model.context)


def test_canaries_stand_in_the_training_part_as_often_as_they_say(made):
    """Each canary is a document of its own in the packed stream, so many times; held-out parts have none."""
    folder, _, _, _, found = made
    words = tokenizer.load(folder.at(found.tokenizer.path))
    planted = json.loads(folder.at(found.canary_file.path).read_text())["planted"]
    assert [c["repetitions"] for c in planted] == [1, 1, 4, 4]
    train, held = (words.decode(flat(folder, found, role), skip_special_tokens=False) for role in ("train", "test"))
    pieces = train.split(tokenizer.END_OF_TEXT)
    for canary in planted:
        # One may be cut off at the end of the stream, which is left out.
        assert canary["repetitions"] - pieces.count(canary["text"]) in (0, 1)
        assert canary["text"] not in held
    assert sum(pieces.count(canary["text"]) for canary in planted) >= 9


def test_the_same_documents_give_the_same_bytes(made, tmp_path):
    """Tokenizer, shards and canaries follow from plan and documents alone."""
    _, plan, _, _, found = made
    again = builders.tokenised(RunFolder(tmp_path / "run"), plan)
    assert again == found


def test_text_that_spells_a_special_token_is_ordinary_text():
    """A document cannot end itself: the name of the end-of-text token in it is encoded as characters."""
    made = tokenizer.train(builders.plan(tokenizer={"vocabulary": 300}).tokenizer, builders.texts(20_000), 100)
    text = f"before {tokenizer.END_OF_TEXT} after"
    (ids,) = tokenizer.encode(made, [text], 0)
    assert ids.tolist().count(0) == 1
    assert ids[-1] == 0
    assert made.decode(ids[:-1].tolist()) == text


def test_weights_repeat_and_leave_out(tmp_path):
    """A corpus of weight 2 is packed twice, one of weight 0.5 about half; each document still counts once."""
    texts = builders.texts(30_000)
    documents = [("twice" if i % 2 else "half", "en", text) for i, text in enumerate(texts)]
    corpus = builders.plan().model_dump(mode="json")["corpora"][0]
    corpora = [{**corpus, "id": name, "weight": weight} for name, weight in (("twice", 2), ("half", 0.5))]
    plan = builders.plan(corpora=corpora, policy={"memorisation": {"canaries": 0}})
    folder = RunFolder(tmp_path / "run")
    found = tokenise.tokenise(folder, plan, *builders.cleaned(folder, documents), builders.NO_BASE)
    sizes = {g.name: g.tokens for g in found.parts["train"].corpora}
    assert found.parts["train"].packed_tokens == pytest.approx(2 * sizes["twice"] + 0.5 * sizes["half"], rel=0.1)
    assert found.parts["train"].tokens == sum(sizes.values())
    assert found.canary_file is None


def test_a_vocabulary_larger_than_the_text_supports_is_refused(tmp_path):
    """The message says how many entries the text gives."""
    with pytest.raises(errors.PlanError, match=r"tokenizer.vocabulary: expected at most \d+, .* got 50000"):
        builders.tokenised(RunFolder(tmp_path / "run"), builders.plan(tokenizer={"vocabulary": 50_000}))


def test_a_part_without_one_sequence_is_refused(tmp_path):
    """Held-out text that fills no sequence of the context ends the stage, with what to do."""
    with pytest.raises(errors.DataError, match=r"validation part: expected at least 4097 tokens"):
        builders.tokenised(RunFolder(tmp_path / "run"), builders.plan(model={"context": 4096}))


def test_text_and_split_of_different_runs_are_refused(made, tmp_path):
    """An assignment that names other documents is not followed."""
    _, plan, _, _, _ = made
    folder, other = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "other")
    documents = [("documentation", "en", text) for text in builders.texts(20_000)]
    cleaning, _ = builders.cleaned(folder, documents)
    _, manifest = builders.cleaned(other, documents[::-1])
    folder.write_bytes(manifest.assignment.path, other.at(manifest.assignment.path).read_bytes())
    with pytest.raises(errors.IntegrityError, match="Text and split belong to different runs"):
        tokenise.tokenise(folder, plan, cleaning, manifest, builders.NO_BASE)
