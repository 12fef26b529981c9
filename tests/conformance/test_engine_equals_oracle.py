"""The engine decides as the oracle does: one at a time, in batches cut anywhere, after a snapshot taken anywhere.

Counts, sums of money, comparisons and decisions are equal exactly; floats to 1e-12 of their size.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.answers import check_all, right_answers
from tests.conformance.engines import engine_of, one_by_one, together, untimed
from tests.conformance.generator import Case, cases
from tests.conftest import CASES

_SHARE = settings(max_examples=max(1, CASES // 2))


@_SHARE
@given(cases())
def test_one_at_a_time(case: Case) -> None:
    right = right_answers(case)
    check_all(case, one_by_one(engine_of(case), case.steps), right)


@_SHARE
@given(cases(longest=60), st.data())
def test_in_batches_cut_anywhere(case: Case, data: st.DataObject) -> None:
    engine, found = engine_of(case), []
    rest = case.steps
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += together(engine, rest[:size])
        rest = rest[size:]
    assert untimed(found) == untimed(one_by_one(engine_of(case), case.steps)), case


@_SHARE
@given(cases(), st.data())
def test_batches_against_the_oracle(case: Case, data: st.DataObject) -> None:
    right = right_answers(case)
    engine, cut = engine_of(case), data.draw(st.integers(0, len(case.steps)))
    check_all(case, together(engine, case.steps[:cut]) + together(engine, case.steps[cut:]), right)


@_SHARE
@given(cases(), st.data())
def test_after_a_snapshot_taken_anywhere(case: Case, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(case.steps)))
    one = engine_of(case)
    one_by_one(one, case.steps[:cut])
    other = engine_of(case)
    other.restore(*one.snapshot())
    seen = {step.event.id for step in case.steps[:cut]}
    new = [step for step in case.steps[cut:] if step.event.id not in seen]  # ids are the store's, not the state's
    after = one_by_one(other, new)
    assert untimed(one_by_one(one, new)) == untimed(after), case
    whole = engine_of(case)
    one_by_one(whole, case.steps[:cut])
    assert untimed(one_by_one(whole, new)) == untimed(after), case
