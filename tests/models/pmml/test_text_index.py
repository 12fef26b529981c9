"""How often a term stands in a text, held to jpmml-evaluator and to counting by hand."""

import math
from pathlib import Path
from typing import Any

import pytest

from tidegate.errors import DocumentError
from tidegate.models.pmml.model import PmmlModel, read_pmml

from .documents import FIELDS, const, document, ref
from .held import asked_in, compared

TEXT = FIELDS | {
    "c": '<DataField name="c" optype="categorical" dataType="string"/>',
    "k": '<DataField name="k" optype="categorical" dataType="string"/>',
}
TERMS = ("red", "Mats", "red mat", "cat sat", "zebra", "it's", "Straße", "...")
TEXTS = [
    None, "...", "The cat sat on the red mat, the red-mat was (red)!", "RED mats; red mats. Red? rad!",
    "it's its «it's»", "cat\tsat cat  sat", "mat mta mats red red red red", "a STRASSE, a straße", "-red- _red_ 'red'",
]  # fmt: skip


def indexed(attributes: str = "", inside: str = "", terms: tuple[str, ...] = TERMS) -> bytes:
    """A model whose outputs t0, t1… say of each term, and `by_row` of the term k of the row, how often it is in c."""
    outputs = "".join(
        f'<OutputField name="t{place}" optype="continuous" dataType="double" feature="transformedValue">'
        f'<Apply function="tf"><FieldRef field="c"/>{term}</Apply></OutputField>'
        for place, term in enumerate([*(const(term, "string") for term in terms), ref("k")])
    )
    return document(
        '<RegressionModel functionName="regression"><MiningSchema><MiningField name="c"/><MiningField name="k"/>'
        f'</MiningSchema><Output>{outputs}</Output><RegressionTable intercept="0"/></RegressionModel>',
        '<TransformationDictionary><DefineFunction name="tf" optype="continuous" dataType="double">'
        '<ParameterField name="document"/><ParameterField name="term"/>'
        f'<TextIndex textField="document" {attributes}>{inside}<FieldRef field="term"/></TextIndex></DefineFunction>'
        "</TransformationDictionary>",
        fields=TEXT,
    )


def table(*rows: tuple[str, str, bool], recursive: bool = False, more: str = "") -> str:
    cells = "".join(
        f"<row><string>{found}</string><stem>{instead}</stem><regex>{str(regex).lower()}</regex></row>"
        for found, instead, regex in rows
    )
    said = f'recursive="{str(recursive).lower()}" {more}'
    return f"<TextIndexNormalization {said}><InlineTable>{cells}</InlineTable></TextIndexNormalization>"


CASES = {
    "plain": indexed(),
    "cased": indexed('isCaseSensitive="true"'),
    "binary": indexed('localTermWeights="binary"'),
    "logarithmic": indexed('localTermWeights="logarithmic"'),
    "separated": indexed(r'wordSeparatorCharacterRE="[\s,;]+"'),
    "words": indexed(r'x-wordRE="\w\w+"'),  # with \b, letters beyond ASCII go as each version of Java likes
    "words by a slower machine": indexed(r'x-wordRE="[a-zA-Z]{2,}"'),
    "split by a slower machine": indexed(r'wordSeparatorCharacterRE="\s+|-"'),
    "near": indexed('maxLevenshteinDistance="1"'),
    "nearest": indexed('maxLevenshteinDistance="2" countHits="bestHits"'),
    "near and binary": indexed('maxLevenshteinDistance="2" localTermWeights="binary"'),
    "left out": indexed("", table((r"\b(the|was|on)\b", " ", True), recursive=True)),
    "stems": indexed("", table(("mats", "mat", False), (r"r(e|a)d\b", "$1", True), ("sat", "sits", False))),
    "stems, cased": indexed("", table(("Mats", "mat", False), ("R(E|e)D", "r", True), more='isCaseSensitive="true"')),
    "two tables": indexed("", table(("mat,", "rug", False)) + table(("rug", "red mat", False))),
    "until nothing changes": indexed("", table(("red red", "red", False), recursive=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_term_weighs_what_jpmml_says(name: str, tmp_path: Path) -> None:
    rows = [{"c": text, "k": term} for text in TEXTS for term in (None, "red", "mat, mats")]
    same, _ = compared(CASES[name], rows, asked_in(tmp_path)(name, CASES[name]))
    assert same > 100


def weighed(model: PmmlModel, text: str) -> list[Any]:
    answer = model.answer({"c": text, "k": "red"})
    return [answer.invalid, *answer.values.values()][: len(TERMS) + 1]


def test_counts_by_hand() -> None:
    red, mats, red_mat, cat_sat, zebra = weighed(read_pmml(CASES["logarithmic"]), "A red MAT - mats, red mat")[1:6]
    assert [red, mats, red_mat] == pytest.approx([math.log10(3), math.log10(2), math.log10(3)])
    assert (cat_sat, zebra) == (0.0, 0.0)


def test_letters_beyond_ascii_are_letters_where_the_pattern_says_so() -> None:
    def counted(pattern: str) -> Any:
        return read_pmml(indexed(f'x-wordRE="{pattern}"', terms=("café",))).answer({"c": "un café", "k": "un"})

    assert counted(r"(?u)\b\w\w+\b").values == {"t0": 1.0, "t1": 1.0}
    assert counted(r"\b\w\w+\b").values["t0"] == 1.0  # "caf" in the text and in the term


def test_a_batch_says_what_single_rows_say() -> None:
    model = read_pmml(CASES["stems"])
    texts = [f"red mats {place} the cat sat" for place in range(300)]
    columns = {"c": texts, "k": ["red"] * 300}
    rows = [model.answer({"c": text, "k": "red"}) for text in texts]
    assert model.answers(columns) == rows


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (indexed('tokenize="false"'), "does not cut texts into words"),
        (indexed('localTermWeights="augmentedNormalizedTermFrequency"'), "localTermWeights of TextIndex is one of"),
        (indexed('maxLevenshteinDistance="-1"'), "no count"),
        (indexed('x-wordRE="(a"'), r"line 3.*|cannot be run"),
        (indexed("", table(("a", "b", False), more='maxLevenshteinDistance="1"')), "Only what is the same"),
        (indexed("", table(("(?=a)", "b", True))), "look-ahead"),
        (indexed("", table(("a", "b", False)).replace("stem>", "root>")), "Row 1 lacks the column 'stem'"),
        (indexed().replace(b'<FieldRef field="term"/>', b""), "of one term"),
    ],
)
def test_what_is_not_done_is_refused_where_it_stands(data: bytes, match: str) -> None:
    with pytest.raises(DocumentError, match=match):
        read_pmml(data)


def test_texts_that_grow_without_end_or_are_too_long_are_invalid() -> None:
    growing = read_pmml(indexed("", table(("red", "red red", False), recursive=True)))
    assert "too long to be indexed" in growing.answer({"c": "red", "k": "a"}).invalid
    slow = read_pmml(CASES["words by a slower machine"])
    assert "too long to be indexed" in slow.answer({"c": "ab " * 5_000, "k": "ab"}).invalid
    assert weighed(read_pmml(CASES["plain"]), "red " * 20_000)[1] == 20_000.0
