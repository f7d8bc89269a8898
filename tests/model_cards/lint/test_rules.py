"""Claims, articles, placeholders and declarations: what is one, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.law import articles
from model_cards.lint.rules import catalogue, claims
from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "distributions": [{"name": "absl-py", "version": "1.1.0"}],
    "system": {"name": "A", "version": "1.2.0"},
    "features": ["age", "income"],
    "test_columns": ["document", "language", "age"],
    "mitigation": None,
    "penetration_test": "not done",
    "encryption": {"at_rest": "AES-256"},
    "stress_test": "failed",
    "gates": [{"criterion": "recall", "outcome": "fail"}],
    "approval": {"person": "Dr. Ruiz", "at": "2026-06-18"},
    "trained_at": "2026-05-04",
    "purpose": "Every rejection is reviewed by a human officer before it is sent to the applicant.",
}
FIRES = [
    ("Bias was mitigated by reweighing the rows.", "claim-contradicted"),
    ("Age is not used by the model.", "claim-contradicted"),
    ("A penetration test was carried out.", "claim-contradicted"),
    ("The system passed the stress test.", "claim-contradicted"),
    ("All figures are given with confidence intervals.", "claim-unsupported"),
    ("The model was validated by an external laboratory.", "claim-unsupported"),
    ("The system is fully compliant with the AI Act.", "claim-unsupported"),
    ("The device is certified by a notified body.", "claim-unsupported"),
    ("We hereby declare that A is in conformity with Regulation (EU) 2024/1689.", "declaration-failed"),
    ("All acceptance criteria were met.", "declaration-failed"),
    ("This is version 1.1.0 of the system.", "version-differs"),
    ("The model was trained on 14 May 2026.", "date-differs"),
    ("Human oversight is treated under Article 15.", "article-subject"),
    ("Accuracy and robustness (Art. 14) were assessed.", "article-subject"),
    ("The transparency obligations of Article 52 were met.", "article-proposal"),
    ("See Title III, Chapter 2 of the Regulation.", "article-proposal"),
    ("Special categories rest on Article 10(5).", "article-outdated"),
    ("High-risk systems under Annex III must comply from 2 August 2026.", "article-outdated"),
    ("Contact: TBD", "placeholder"),
    ("Contact: {{ name }}", "placeholder"),
    ("The recall is nan.", "placeholder"),
    ("Owner: <insert owner>", "placeholder"),
    ("Owner: [insert owner]", "placeholder"),
    ("Signed: ________", "placeholder"),
]
PASSES = [
    "No mitigation was applied, and bias was not reduced.",
    "Bias mitigation is planned for the next version.",
    "Whether the model was validated externally is not known.",
    "Was a penetration test carried out?",
    "A penetration test must be carried out before release.",
    "Data at rest are encrypted with AES-256.",
    "The pilot was approved by Dr. Ruiz.",
    "Who runs it is told in the QM handbook (RM-07, version 2.1).",
    "Ten of twelve columns were kept, the two on age and income first.",
    "Every rejection is reviewed by a human officer before it is sent to the applicant.",
    "The system has not been certified.",
    "No declaration of conformity has been issued.",
    "It would then bear the CE marking (Article 48).",
    "Income is one of the features. Religion is not used.",
    "Age of the account is not used.",
    "Two training documents were dropped, and the language is not used by the model.",
    "A plan exists since version 1.0; this is version 1.2.",
    "Article 9 asks for a risk management system, Article 10 for data governance, Article 12 for logs.",
    "Article 10(5) was deleted; Article 4a applies instead.",
    "In the proposal of 2021 transparency stood in Article 52.",
    "Article 22 GDPR and Article 10 of the MDR are about something else.",
    "Title VII of the Civil Rights Act holds elsewhere.",
    "None of the sites has a procedure, and it is unknown why.",
    "Missing values are passed on as NaN.",
    "Known side effects: none",
]


@pytest.mark.parametrize(("text", "rule"), FIRES)
def test_it_fires(text: str, rule: str, tmp_path: Path) -> None:
    """Each sentence is reported by its rule."""
    assert rule in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize("text", PASSES)
def test_it_does_not_fire(text: str, tmp_path: Path) -> None:
    """What is denied, planned, asked, conditional, of another law, quoted or true is left alone."""
    assert lint(text, tmp_path, EVIDENCE) == []


def test_every_claim_has_words_evidence_and_advice() -> None:
    """The table of claims compiles, and each claim says what would support it and what to do."""
    assert len(claims.load()) >= 20
    for compiled in claims.load():
        assert compiled.says
        assert compiled.claim.about
        assert compiled.claim.advice.endswith(".")


def test_the_register_of_articles_is_coherent() -> None:
    """Articles that words may be cited for exist; an article that changed its number says to which."""
    register = articles.load()
    for words, names in register.subjects.items():
        for name in names:
            head = name.split(".")[0]
            known = head.removeprefix("Annex ") in register.annexes or head in {"4a", "60a"}
            assert known or 1 <= int(head) <= register.last_article, (words, name)
    assert all(former.now.startswith(("Article", "Annex")) for former in register.proposal)


def test_rules_are_named_and_explained() -> None:
    """Each rule has a title and a sentence for who reads the report."""
    for name, rule in catalogue.RULES.items():
        assert name == rule.id
        assert rule.explains.endswith(".")


def test_what_would_fail_with_more_rows_has_not_failed(tmp_path: Path) -> None:
    """A verdict that is only foreseen stands against no declaration."""
    text = "We hereby declare that A is in conformity with Regulation (EU) 2024/1689."
    passed = {"gates": [{"criterion": "recall", "outcome": "pass"}], "declaration": "signed on 2026-06-18"}
    foreseen = [{"slice": "overall", "status": "fail"}]
    assert "declaration-failed" in lint(text, tmp_path, passed | {"checks": foreseen})
    assert "declaration-failed" not in lint(text, tmp_path, passed | {"rows_needed": foreseen})


def test_a_draft_beside_what_was_waived_hides_nothing(tmp_path: Path) -> None:
    """Each required line that did not pass was accepted by name: it may be declared, but not said to be met."""
    line = {"check_id": "performance.recall", "slice": "overall"}
    gate = {"reasons": [line | {"required": True, "status": "inconclusive"}]}
    approval = {"decision": "approved", "waivers": [line | {"reason": "A pilot."}]}
    text = "We hereby declare that A is in conformity with Regulation (EU) 2024/1689."
    assert "declaration-failed" not in lint(text, tmp_path, {"gate": gate, "approval": approval})
    refused = approval | {"decision": "refused"}
    other = approval | {"waivers": [{"check_id": "performance.precision", "slice": "overall"}]}
    for decision in (refused, other, {}):
        assert "declaration-failed" in lint(text, tmp_path, {"gate": gate, "approval": decision})
    met = "All acceptance criteria were met."
    assert "declaration-failed" in lint(met, tmp_path, {"gate": gate, "approval": approval})


CHECKS = {
    "checks": [
        {"name": f"check {n}", "status": status} for n, status in enumerate(["passed"] * 2 + ["failed", "not done"])
    ]
}


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("All checks but one were passed.", 1),
        ("All checks but two were passed.", 0),
        ("Three of four checks were passed.", 1),
        ("Two of four checks were passed.", 0),
        ("All checks but one must be passed before the release.", 0),
    ],
)
def test_outcomes_are_counted(text: str, times: int, tmp_path: Path) -> None:
    """What failed, and what was not done, is counted among those that did not pass."""
    assert lint(text, tmp_path, CHECKS).count("declaration-failed") == times


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("The macro F1 is 0.91.", 1),
        ("The macro F1 is 0.893.", 0),
        ("The macro-averaged recall is 0.91.", 1),
        ("The accuracy is 0.91.", 0),
    ],
)
def test_averages_of_a_classification_report_are_read(text: str, times: int, tmp_path: Path) -> None:
    """`macro avg` of scikit-learn's report is what a text calls macro F1, and no other value stands for it."""
    report = {"yes": {"recall": 0.95, "f1-score": 0.96}, "no": {"recall": 0.84, "f1-score": 0.83}, "accuracy": 0.91}
    report["macro avg"] = {"recall": 0.895, "f1-score": 0.893}
    assert len(lint(text, tmp_path, report)) == times


@pytest.mark.parametrize(
    "text", ["Release 1.3 is planned to add English.", "With the former release 1.1 it was slower."]
)
def test_other_releases_are_not_this_one(text: str, tmp_path: Path) -> None:
    """A release to come, or before, has another version."""
    assert "version-differs" not in lint(text, tmp_path)
