"""The generator and the oracle hold together before any engine is asked, and together they reach everything."""

from collections import Counter

from hypothesis import HealthCheck, given, seed, settings

from tests.conformance.answers import right_answers
from tests.conformance.coverage import FEATURES, LANGUAGE, STREAMS, WINDOWS, about
from tests.conformance.generator import Case, cases
from tests.oracle import OracleDecision


@given(cases())
def test_the_oracle_decides_on_whatever_is_generated(case: Case) -> None:
    right = right_answers(case)
    assert right == right_answers(case)
    for one, _ in right:
        if isinstance(one, OracleDecision):
            assert set(one.features) == set(case.flow.definition.features)
            assert not set(one.fired) & set(one.unknown)


def test_random_cases_are_about_everything() -> None:
    """Each aggregate with each option, each operator, kind of field, part of a flow, and thing that a stream can do."""
    tally: Counter[str] = Counter()

    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def count(case: Case) -> None:
        tally.update(about(case, right_answers(case)))

    words: set[str] = WINDOWS | FEATURES | LANGUAGE | STREAMS
    # of as many beginnings as it takes: hypothesis also draws constants of whatever modules are loaded, so the cases
    # differ with the tests run before, and the rarest part of a flow is in two of a thousand
    for number in range(100):
        seed(number)(count)()
        if not words - set(tally):
            return
    assert not words - set(tally), f"of {tally['bool']} cases none is about {sorted(words - set(tally))}"
