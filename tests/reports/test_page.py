"""The page: one file, no network, no script, whatever it is given."""

import builtins
import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tidegate.errors import TidegateError
from tidegate.reports import CardBin, CardFigures, Example, FiredRule, ModelFacts, ReplayFigures, find, render, summary

from .pages import checked
from .worlds import START, bare, replay


def test_full_page() -> None:
    page = render(replay())
    names = [tag for tag, _ in checked(page).tags]
    assert names.count("svg") == 8 and names.count("table") >= 8
    for said in ("Value saved against alert budget", "Average precision", "EUR 1,234.56", "Never fired: listed."):
        assert said in page
    assert len(page) < 400_000
    assert "<text" in page, "text stays text"


def test_a_rule_that_approves_is_not_told_as_one_that_hunts_fraud() -> None:
    hunts = render(replay(2000))
    familiar = FiredRule(name="familiar", outcome="approve", because="Paid here before", rows=np.arange(1000))
    made = replay(2000)
    (worth,) = (rule for rule in find(replace(made, fired=(familiar,))).rules)
    lets = render(replace(made, fired=(*made.fired, familiar)))
    assert worth.right > 0.9
    assert f"{worth.right:.1%}" in lets.replace("\u2009", "").replace(" %", "%")
    assert "A rule that approves is right about honest events" in lets
    assert "that approves" not in hunts


def test_a_scorecard_s_part() -> None:
    names = (("age", ("< 25", 20.0, 50.0, "A")), ("age", (">= 25", 70.0, 0.0, "A")), ("home", ("own", 55.0, 0.0, "H")),
             ("home", ("rent <&>", -5.0, 60.0, "H")))  # fmt: skip
    made = [CardBin(text=t, points=p, lost=lost, code=c, because=f"Why {c}") for _, (t, p, lost, c) in names]
    bins = np.array([[0, 1, 1, 0, -1], [0, 0, 1, 1, 1]], np.int16)
    points = np.array([75.0, 125.0, 65.0, 15.0, np.nan])
    card = CardFigures(name="credit", points=points, bins=bins, worse=False, most=1,
                       characteristics=(("age", tuple(made[:2])), ("home", tuple(made[2:]))))  # fmt: skip
    figures = bare(5, label=np.array([1, 0, 0, 1, -1], np.int8), cards=(card,))
    found = find(figures).cards[0]
    assert (found.scored, found.unscored, found.quantiles) == (4, 1, (15.0, 15.0, 65.0, 75.0, 125.0))
    assert found.roc_auc == 0.75  # of four pairs the fraud of 75 points beside the honest event of 65 is the wrong way
    told = [(one.characteristic, one.bin and one.bin.text, one.events, one.known, one.frauds) for one in found.bins]
    assert told == [
        ("age", "< 25", 2, 2, 2), ("age", ">= 25", 2, 2, 0), ("age", None, 1, 0, 0),
        ("home", "own", 2, 2, 1), ("home", "rent <&>", 3, 2, 1),
    ]  # fmt: skip
    # Lost: A 50; nothing; H 60; A 50 and H 60, of which one is named.
    assert [(one.code, one.words, one.named, one.first, one.lost) for one in found.reasons] == [
        ("H", "Why H", 2, 2, 60.0), ("A", "Why A", 1, 1, 50.0)
    ]  # fmt: skip
    page = render(figures)
    text = " ".join(" ".join(checked(page).text).split())
    for said in (
        "Scorecard credit",
        "in no bin",
        "rent <&>",
        "Reasons that credit gives",
        "Where fewer points go with",
    ):
        assert said in text
    checked(render(bare(5, cards=(card,))))
    checked(render(bare(0, cards=(replace(card, points=points[:0], bins=bins[:, :0]),))))


def test_same_figures_same_page() -> None:
    assert render(replay(500)) == render(replay(500))


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (bare(0), "No event was decided"),
        (bare(0, label=np.empty(0, np.int8), amount=np.empty(0, np.int64)), "No event was decided"),
        (bare(1), "1 event was decided"),
        (bare(1, score=np.array([0.4]), label=np.array([1], np.int8), amount=np.array([5])), "Only 1 known frauds"),
        (bare(3, label=np.zeros(3, np.int8)), "None of the 3 labelled events is fraud"),
        (bare(3), "The source has no labels"),
        (bare(3, label=np.ones(3, np.int8), score=np.full(3, 0.5)), "Of 3 known frauds"),
        (bare(3, score=np.array([np.nan, np.inf, -np.inf])), "No decision has a score"),
        (bare(2, score=np.array([-300.0, 900.0]), label=np.array([0, 1], np.int8)), "Average precision"),
        (bare(2, at=np.array([-(10**17), 10**18])), "2 events were decided"),
        (bare(2, latency_us=np.zeros(100)), "Time of one decision"),
        (bare(2, latency_us=np.full(4, np.nan), stages={"parse": 0.0}), "Time by stage"),
        (bare(2, outcomes=("pass",)), "one outcome only"),
        (replay(label=None), "cannot be said how many"),
        (replay(amount=None), "value is counted in frauds"),
        (replay(amount=np.full(4000, -(2**63))), "EUR 0.00"),
        (replay(exponent=0, currency="JPY"), "JPY 123,456"),
        (replay(exponent=3, currency="KWD"), "KWD 123.456"),
        (replay(outcomes=("a", "b", "c", "d", "e")), "d or severer"),
    ],
)
def test_strange_replays_still_make_a_page(figures: ReplayFigures, says: str) -> None:
    page = render(figures)
    reader = checked(page)
    assert says in " ".join(" ".join(reader.text).split())
    assert summary(figures)


HOSTILE = (
    "<script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    '"><a href="https://evil.example">x</a>',
    "$\\frac{1}{0}$ {{ 7*7 }} {% raw %}",
    "a\u202eb\x00c\x1b[31m\ud800d",
    "支付 💳 платёж",
    "w" * 3000,
    "",
    "]]>&amp;--></style></title>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_shown_and_never_obeyed(text: str) -> None:
    figures = replay(
        300,
        flow=text,
        about=text,
        source=text,
        digest=text,
        currency=text,
        version=text,
        outcomes=("approve", "review", text or "decline"),
        stages={text: 1.0},
        fired=tuple(FiredRule(name=text, outcome=text, because=text, rows=np.array([i])) for i in range(3)),
        models=(ModelFacts(name=text, digest=text, metrics={text: text}),),
        examples=(Example(id=text, at=START, outcome=text, amount=1, reasons=(text, text)),),
    )
    page = render(figures)
    if "http" in text:
        # Shown as text, so the address is there to read; only as text.
        page = re.sub("https://evil[^<]*", "", page)
    reader = checked(page)
    assert not any(tag == "a" for tag, _ in reader.tags)
    assert "\x00" not in page and "\u202e" not in page and "49" not in reader.text


def test_an_example_in_another_currency_is_told_in_that_one() -> None:
    examples = (Example(id="p", at=START, outcome="decline", amount=123_400, currency="JPY"),)
    assert "JPY 123,400" in "".join(checked(render(replay(300, examples=examples))).text)


@pytest.mark.parametrize("module", ["matplotlib", "jinja2"])
def test_missing_library_says_what_to_install(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refusing(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == module:
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    figures = bare(2)
    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(TidegateError, match=r"pip install 'tidegate\[report\]'"):
        render(figures)
    assert summary(figures), "the terminal needs neither"


def test_figures_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TidegateError, match=r"one score per decision.*2 for 3"):
        bare(3, score=np.zeros(2))
    with pytest.raises(TidegateError, match="An outcome has no name"):
        bare(3, outcome=np.full(3, 7))
    with pytest.raises(TidegateError, match="'late' fired on a row that is not there"):
        bare(3, fired=(FiredRule(name="late", outcome="review", because="x", rows=np.array([3])),))


def test_summary() -> None:
    said = dict(summary(replay()))
    assert said["events decided"] == "4,000" and said["quarantined"] == "2"
    assert said["review or severer"].startswith("precision ") and "of fraud (" in said["review or severer"]
    assert dict(summary(replay(label=None)))["known frauds"] == "the source has no labels"


def test_a_million_rows_make_a_small_page_soon() -> None:
    figures = replay(1_000_000)
    start = time.process_time()
    page = render(figures)
    assert time.process_time() - start < 10
    assert len(page.encode()) < 2_000_000
