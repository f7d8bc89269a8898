from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import errors

HEAD = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
BOX = "(assert (<= X_0 1)) (assert (>= X_0 -1.5)) (assert (<= X_1 2e-1)) (assert (>= X_1 0))\n"


def read(body, head=HEAD, box=BOX):
    from checks.certified import vnnlib

    return vnnlib.parse(head + box + body)


def test_a_property_is_a_box_and_constraints_for_each_case():
    """Conjunctions join, disjunctions multiply out, and bounds of single inputs become the box."""
    made = read("(assert (or (and (<= Y_0 Y_1) (>= X_1 0.1)) (>= (+ (* 2 Y_0) (- Y_1) 3) 0.5))) ; a remark )(")
    assert (made.inputs, made.outputs, len(made.cases)) == (2, 2, 2)
    first, second = made.cases
    np.testing.assert_array_equal(first.low, [-1.5, 0.1])
    np.testing.assert_array_equal(first.high, [1, 0.2])
    assert first.constraints[0].outputs == ((0, 1.0), (1, -1.0))
    np.testing.assert_array_equal(second.low, [-1.5, 0])
    assert second.constraints[0].outputs == ((0, -2.0), (1, 1.0))
    assert second.constraints[0].shift == pytest.approx(-2.5)


def test_a_case_that_no_input_satisfies_is_left_out():
    """An empty box asks nothing."""
    assert len(read("(assert (or (>= X_0 2) (>= Y_0 0)))").cases) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(assert (<= Y_0 Y_1)", "line 6: expected a closing bracket"),
        (")", "expected an opening bracket first"),
        ("(assert (<= Y_7 0))", "expected a declared variable, got Y_7"),
        ("(assert (<= (* Y_0 Y_1) 0))", "expected a linear term"),
        ("(assert (=> (<= Y_0 0) (<= Y_1 0)))", "got =>"),
        ("(assert (<= Y_0 1e999))", "or a number, got 1e999"),
        ("(assert (<= Y_0 nan))", "got nan"),
        ("(assert)", "expected declare-const or assert"),
        ("(check-sat)", "got check-sat"),
        ("(declare-const Z_0 Real)", "expected (declare-const X_i Real)"),
        ("(declare-const X_5 Real)", "without a hole"),
        ("(declare-const X_999999999 Real)", "an index below"),
        ("(" * 60, "brackets within each other"),
        ("(assert (and " + "(or (<= Y_0 0) (<= Y_1 0)) " * 13 + "))", "at most 4096 cases"),
        ("words", "expected a bracket, got words"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text, said):
    """A property that is no property names the line, what was expected and what was found."""
    with pytest.raises(errors.DataError) as caught:
        read(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_input_without_limits_is_refused():
    """Nothing can be proven on an unbounded input."""
    with pytest.raises(errors.DataError, match="a smallest and a largest value of X_1"):
        read("(assert (<= Y_0 0))", box="(assert (<= X_0 1)) (assert (>= X_0 0))\n")


def test_a_file_that_is_no_text_or_absent_is_refused(tmp_path):
    """Bytes that are no UTF-8, a folder and a missing file each give one sentence."""
    from checks.certified import vnnlib

    (tmp_path / "p.vnnlib").write_bytes(b"\xff\xfe(")
    with pytest.raises(errors.DataError, match="UTF-8"):
        vnnlib.read(tmp_path / "p.vnnlib")
    with pytest.raises(errors.DataError, match="regular file"):
        vnnlib.read(tmp_path)
    with pytest.raises(errors.MissingError):
        vnnlib.read(tmp_path / "absent.vnnlib")


WORDS = st.sampled_from(
    ["(", ")", "assert", "and", "or", "<=", ">=", "<", "+", "-", "*", "X_0", "X_1", "Y_0", "Y_1", "1.5", "-2", "1e308",
     "declare-const", "Real", ";", "\n", "X_9", "é", "\x00"]
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=60).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    """Whatever the text: a property or one of our errors, never another exception."""
    try:
        made = read(text)
    except errors.ProoflineError:
        return
    for case in made.cases:
        assert (case.low <= case.high).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=4))
def test_a_written_constraint_is_read_back(rows):
    """Σ a_i Y_i ≤ c is read with the very numbers."""
    body = "".join(f"(assert (<= (+ (* {a!r} Y_0) (* {b!r} Y_1)) {c!r}))" for a, b, c in rows)
    (case,) = read(body).cases if all(a or b or c >= 0 for a, b, c in rows) else (None,)
    if case is None:
        return
    kept = [r for r in rows if r[0] or r[1]]
    for constraint, (a, b, c) in zip(case.constraints, kept, strict=True):
        assert dict(constraint.outputs) == {i: f for i, f in ((0, a), (1, b)) if f}
        assert constraint.shift == -c


@pytest.mark.slow
def test_a_large_file_is_read_in_time_that_grows_with_it():
    """Thousands of inputs, each with its limits, and alternatives at the end: every case has every limit."""
    from checks.certified import vnnlib

    inputs = 12_000
    lines = [f"(declare-const X_{i} Real)" for i in range(inputs)] + [f"(declare-const Y_{i} Real)" for i in range(3)]
    lines += [f"(assert (<= X_{i} {1 + i}.000000000)) ; upper\n(assert (>= X_{i} -{i}.00))" for i in range(inputs)]
    text = "\n".join([*lines, "(assert (or (and (>= Y_0 Y_2)) (and (>= Y_1 Y_2))))"])
    assert len(text) > 1 << 20
    made = vnnlib.parse(text)
    assert [len(case.constraints) for case in made.cases] == [1, 1]
    for case in made.cases:
        np.testing.assert_array_equal(case.high, 1 + np.arange(inputs))
        np.testing.assert_array_equal(case.low, -np.arange(inputs))


def test_lines_are_counted_through_comments():
    """The line of a mistake is named, whatever blanks and comments stand before it."""
    with pytest.raises(errors.DataError, match="line 10"):
        read("; one\n\n ; three ( )\n(assert\n   (<= X_7 1))")
