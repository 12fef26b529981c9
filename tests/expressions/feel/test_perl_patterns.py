"""Patterns as Perl has them say what Python's `re` says where both mean the same, in bounded time, or are refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.expressions.feel.regex.perl import PerlReader
from tidegate.expressions.feel.regex.program import Program
from tidegate.expressions.feel.regex.syntax import PatternError

CHARACTERS = "abAB_1- \n.]"
ATOMS = st.sampled_from(
    ["a", "b", "A", "1", "_", "-", r"\-", r"\.", ".", r"\d", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", "^", "$", r"\Z",
     "[ab]", "[^ab]", "[]a]", "[a-b1]", r"[\d_]", r"[^\w]", "[+-]", r"\x61", "}", "]", "(?:)"]
)  # fmt: skip


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # What repeats takes something: engines differ in what a group keeps of a turn that took nothing.
    repeated = st.tuples(st.sampled_from(["a", "[ab]", r"\w", "(?:ab)", "(a|b)", "(?:a|[^a])"]), st.sampled_from(
        ["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??", "{1,3}?"]
    )).map("".join)  # fmt: skip
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join).map("({})".format),
        inner.map("({})".format),
        inner.map("(?i:{})".format),
        inner.map("(?s:{})".format),
        repeated,
    )


PATTERNS = st.recursive(ATOMS, _joined, max_leaves=12)


def spans(pattern: str, text: str) -> tuple[tuple[int, int], ...] | None:
    steps: list[int] = []
    found = Program(PerlReader(pattern)).search(text, 0, steps.append)
    assert sum(steps) < 5_000 * (len(text) + 1)
    return None if found is None else tuple(zip(found[::2], found[1::2], strict=True))


@given(PATTERNS, st.text(CHARACTERS, min_size=1, max_size=12))  # of nothing, \\B holds in PCRE and not in Python
def test_as_python(pattern: str, text: str) -> None:
    # `$` of Perl is \Z or \n\Z, which is Python's $; \Z of Perl is that too.
    theirs = re.compile(pattern.replace(r"\Z", r"(?=\n?\Z)"), re.ASCII).search(text)
    ours = spans(pattern, text)
    assert ours == (None if theirs is None else theirs.regs)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\Qa.b\E+", "a.bb", (0, 4)),
        (r"^\p{Lu}\p{Ll}+$", "Ölig", (0, 4)),
        (r"\PL", "a1", (1, 2)),
        ("[[:digit:][:^alnum:]]+", "ab1-c", (2, 4)),
        ("(?i)straße", "STRAßE", (0, 6)),
        ("(?<year>[0-9]{4})", "in 2000", (3, 7)),
        ("(?m)^b", "a\nb", (2, 3)),
        ("x{a}", "x{a}", (0, 4)),
        (r"\x{1F600}", "\U0001f600", (0, 1)),
        ("a(?i)b|C", "c", (0, 1)),
        ("(a(?i)b)c", "aBC", None),
        ("$", "a\n", (1, 1)),
        (r"\z", "a\n", (2, 2)),
    ],
)
def test_what_python_writes_otherwise(pattern: str, text: str, found: tuple[int, int] | None) -> None:
    seen = spans(pattern, text)
    assert (seen and seen[0]) == found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", "back-reference"),
        (r"\k<a>", "back-reference"),
        ("a(?=b)", "look-ahead"),
        ("(?<!a)b", "look-behind"),
        ("(?>a)", "atomic"),
        ("a++", "possessive"),
        ("(?x) a", "not supported"),
        ("a**", "nothing to apply to"),
        ("(a", "missing"),
        ("a)", "too many"),
        ("[a", "missing"),
        ("[b-a]", "no range"),
        ("(?(1)a|b)", "condition"),
        ("a{,3}", "different things"),
        (r"\X", "not supported"),
        (r"\x", "code"),
        (r"\p{Greek}", "property"),
        ("(a{1000}){1000}", "too large"),
        ("(" * 60 + ")" * 60, "too deeply"),
        ("[", "missing"),
        ("\\", "missing"),
        ("(?", "missing"),
        ("(?i", "missing"),
    ],
)
def test_what_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        Program(PerlReader(pattern))


@given(st.text("ab(?i:*+{2,}[^-]\\pLQEx<=!>|$1 0u)#", max_size=25))
def test_every_text_is_read_or_refused(pattern: str) -> None:
    try:
        Program(PerlReader(pattern)).search("ab (a)-1", 0, lambda steps: None)
    except PatternError as error:
        assert str(error)


@pytest.mark.parametrize("pattern", ["^((a+))+$", "(a|a)*b", "a*a*a*a*b", "(a?){200}a{200}", "((a*)*)*b", "(.*)*x"])
def test_patterns_that_explode_elsewhere(pattern: str) -> None:
    spans(pattern, "a" * 2_000 + "!")
