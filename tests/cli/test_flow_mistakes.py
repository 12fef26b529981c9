"""A mistake in a flow file: the place, the line, what was expected, the nearest name; never a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidegate.cli import app
from tidegate.errors import FlowError
from tidegate.runtimes.load import FlowFileError, load_flow

GOOD = '''\
from tidegate import Event, Flow, Money, count, decline, entity, eur, mean, review

Card = entity("card")
Shop = entity("shop")


class Payment(Event):
    card: Card
    shop: Shop
    country: str
    amount: Money


class CardFraud(Flow[Payment]):
    """Stop stolen cards."""

    payments_10m = count(per=Card, last="10m")
    usual = mean(Payment.amount, per=Card, last="30d")
    testing = decline((payments_10m >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
'''

# what is replaced, by what; the line that is told; what must be said
MISTAKES = {
    "a name that is not there": (
        "payments_10m >= 4",
        "payment_10m >= 4",
        19,
        ["no name payment_10m", "Did you mean payments_10m?"],
    ),
    "a name that is defined below": (
        "    payments_10m =",
        "    often = payments_10m > 3\n    payments_10m =",
        17,
        ["payments_10m is defined below, in line 18.", "Put that line above"],
    ),
    "a name of the file that is defined below": (
        "    payments_10m =",
        "    often = usual > LIMIT\n    payments_10m =",
        17,
        ["usual is defined below, in line 19."],
    ),
    "a name that was not imported": (
        "= mean(",
        "= std(",
        18,
        ["std is used but not imported", "from tidegate import std"],
    ),
    "a name that tidegate lacks": ("import Event", "import Evnt", 1, ["tidegate has no Evnt", "Did you mean Event?"]),
    "a module that is not there": ("from tidegate import", "from tidegat import", 1, ["no module tidegat"]),
    "a field that is not there": (
        "Payment.amount,",
        "Payment.amout,",
        18,
        ["Payment has no field 'amout'", "Did you mean amount?"],
    ),
    "an option that is not there": ('last="10m"', 'lst="10m"', 17, ["lst= is nothing", "Did you mean last=?"]),
    "an option that is missing": ("count(per=Card, ", "count(", 17, ["count lacks per=", "per=Card"]),
    "no words for a rule": (
        ', because="Small payments in quick succession"',
        "",
        19,
        ["decline lacks because=", "Say why"],
    ),
    "empty words": ('"Small payments in quick succession"', '" "', 19, ["A rule says why, in words"]),
    "and for &": (
        ") & (",
        ") and (",
        19,
        ["no truth value", "Write & for and: (payments_10m >= 4) & (Payment.amount < eur(5))."],
    ),
    "or for |": (") & (", ") or (", 19, ["Write | for or: (payments_10m >= 4) | (Payment.amount < eur(5))."]),
    "not before a bracket": (
        "(payments_10m >= 4) & (Payment.amount < eur(5))",
        "not (payments_10m >= 4)",
        19,
        ["Write ~ for not: ~(payments_10m >= 4)."],
    ),
    "a range as Python writes it": (
        "(payments_10m >= 4)",
        "(2 <= payments_10m < 9)",
        19,
        ["(2 <= payments_10m) & (payments_10m < 9)"],
    ),
    "a choice as Python writes it": (
        "    testing",
        "    x = usual if payments_10m > 3 else eur(1)\n    testing",
        19,
        ["where(payments_10m > 3, usual, eur(1))"],
    ),
    "in for is_in": (
        "payments_10m >= 4",
        'Payment.country not in ("DE", "FR")',
        19,
        ["~is_in(Payment.country, 'DE', 'FR')"],
    ),
    "a branch": (
        "    testing",
        "    if payments_10m > 3:\n        x = usual\n    testing",
        19,
        ["A flow has no `if`", "where(condition, a, b)"],
    ),
    "another currency than the flow's": (
        "    testing",
        '    currency = "EUR"\n    odd = Payment.amount > Money(5, "USD")\n    testing',
        20,
        ["CardFraud.odd has two currencies"],
    ),
    "money and a number": ("< eur(5)", "< 5", 19, ["money"]),
    "a condition where there is none": (
        "(payments_10m >= 4) & (Payment.amount < eur(5))",
        "payments_10m",
        19,
        ["decline takes a condition"],
    ),
    "a length of time without a unit": ('last="10m"', 'last="10"', 17, ["a whole number and a unit", "'10m'"]),
    "a window that is too long": ('last="30d"', 'last="900d"', 18, ["from 1 second to 400 days"]),
    "a type that events lack": ("country: str", "country: list", 10, ["The type of the field Payment.country"]),
    "a line that is no feature": (
        "    payments_10m",
        "    lateness_ = 3\n    payments_10m",
        17,
        ["CardFraud.lateness_ is nothing", "Did you mean lateness?"],
    ),
    "code in a flow": (
        "    payments_10m",
        "    def risk(self): return 1\n\n    payments_10m",
        17,
        ["CardFraud.risk is code"],
    ),
    "a bracket left open": (
        "(Payment.amount < eur(5))",
        "(Payment.amount < eur(5)",
        19,
        ["This is not Python", "Close its brackets"],
    ),
    "a bracket never closed": ('count(per=Card, last="10m")', 'count(per=Card, last="10m"', 17, ["Close it"]),
    "a comma left out": (
        'count(per=Card, last="10m")',
        'count(per=Card last="10m")',
        17,
        ["Perhaps you forgot a comma? Seen", "Put the comma"],
    ),
    "a bracket too many": ('count(per=Card, last="10m")', 'count(per=Card, last="10m"))', 17, ["leave it out"]),
    "not for ~": (") & (", ") & not (", 19, ["This is not Python", "Write ~ for not, & for and, | for or"]),
    "a line that is not where the others are": ("    usual =", "  usual =", 18, ["four spaces in"]),
    "a line further in": ("    usual =", "      usual =", 18, ["four spaces in"]),
    "a class without its colon": (
        "class CardFraud(Flow[Payment]):",
        "class CardFraud(Flow[Payment])",
        14,
        ["This is not Python"],
    ),
    "a flow without an event": ("Flow[Payment]", "Flow", 14, ["says which event it decides on"]),
    "a flow on something else": ("Flow[Payment]", "Flow[int]", 14, ["A flow decides on an Event"]),
    "a rule of a name that is taken": (
        "    testing =",
        '    testing = review(payments_10m > 1, because="Many")\n    testing =',
        20,
        ["CardFraud.testing is defined twice", "testing = decline("],
    ),
    "a feature of a name that is taken": (
        "    usual =",
        '    payments_10m = count(per=Card, last="1d")\n    usual =',
        18,
        ["CardFraud.payments_10m is defined twice"],
    ),
    "a setting made twice": (
        "    usual =",
        '    currency = "EUR"\n    currency = "USD"\n    usual =',
        19,
        ["defined twice"],
    ),
    "a field twice": (
        "    country: str",
        "    country: str\n    country: str",
        11,
        ["Payment has the field country twice"],
    ),
    "a lateness that is none": (
        "    usual =",
        '    lateness = "x"\n    usual =',
        18,
        ["CardFraud.lateness is a length of time", "'10m'"],
    ),
    "a constant": (
        "    usual =",
        "    threshold = 3\n    usual =",
        18,
        ["Put constants above the class", "_threshold"],
    ),
    "a function of Python's": (
        "    usual =",
        "    x = len(Payment.country)\n    usual =",
        18,
        ["Python's len", "length"],
    ),
    "the larger of two": ("    usual =", "    x = max(payments_10m, 3)\n    usual =", 18, ["Python's max", "greatest"]),
    "amounts that are added": ("eur(5)", "eur(2) + eur(3)", 19, ["Constant amounts"]),
    "an exit": ("Card = entity", "raise SystemExit(3)\nCard = entity", 3, ["ends the program"]),
    "a division by zero": ("Card = entity", "1 / 0\nCard = entity", 3, ["ZeroDivisionError"]),
    "an entity of an odd key": ('entity("card")', 'entity("card", key=float)', 3, ["str or int"]),
    "a key that the event has twice": (
        "    shop: Shop",
        "    shop: Shop\n    other: Card",
        18,
        ["more than one card", "Payment.card"],
    ),
}


def flow_file(folder: Path, text: str) -> Path:
    path = folder / "card_fraud.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    old, new, line, words = MISTAKES[name]
    assert old in GOOD
    path = flow_file(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(FlowFileError) as caught:
        load_flow(path)
    error = caught.value
    assert error.line == line, f"{error} at {error.line}"
    assert error.file == str(path)
    assert error.text == path.read_text(encoding="utf-8").splitlines()[line - 1]
    for word in words:
        assert word in str(error), str(error)


def test_the_command_shows_the_line_and_ends_with_2(tmp_path: Path) -> None:
    path = flow_file(tmp_path, GOOD.replace("Payment.amount,", "Payment.amout,"))
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Payment has no field 'amout'." in result.stderr
    assert "card_fraud.py:18" in result.stderr
    assert '18 │     usual = mean(Payment.amout, per=Card, last="30d")' in result.stderr
    marked = next(line for line in result.stderr.splitlines() if "^" in line)
    assert marked.index("^") == result.stderr.splitlines()[2].index("Payment.amout")
    assert marked.count("^") == len("Payment.amout")
    assert "Did you mean amount?" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_good_flow_is_loaded(tmp_path: Path) -> None:
    assert load_flow(flow_file(tmp_path, GOOD)).definition.name == "CardFraud"


def test_what_a_flow_imports_from_its_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "our_events_of_cards.py").write_text(GOOD.partition("class CardFraud")[0], encoding="utf-8")
    flow = "from our_events_of_cards import *\n\n\nclass CardFraud" + GOOD.partition("class CardFraud")[2]
    assert load_flow(flow_file(tmp_path, flow)).definition.event.__name__ == "Payment"


def test_a_flow_among_several_is_named(tmp_path: Path) -> None:
    path = flow_file(tmp_path, GOOD + '\n\nclass Milder(CardFraud):\n    """As it was."""\n')
    with pytest.raises(FlowError, match="several flows"):
        load_flow(path)
    assert load_flow(f"{path}:Milder").definition.name == "Milder"
    with pytest.raises(FlowError, match=r"no flow Mildr.*Did you mean Milder\?"):
        load_flow(f"{path}:Mildr")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("card_frad.py", r"no file .*Did you mean card_fraud\.py\?"),
        (".", "is a folder"),
        ("card_fruad", "no flow 'card_fruad'"),
        ("empty.py", "has no flow"),
    ],
)
def test_a_place_without_a_flow(place: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow_file(tmp_path, GOOD)
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match=words):
        load_flow(place)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "card_fraud.py"
    path.write_bytes(b"\xff\xfe\x00class")
    with pytest.raises(FlowFileError, match="not Python"):
        load_flow(path)


def test_a_flow_that_we_ship_is_known_by_its_name() -> None:
    assert load_flow("card_fraud").definition.name == "CardFraud"


def test_names_with_an_underscore_may_be_used_again(tmp_path: Path) -> None:
    twice = "    _w = payments_10m > 1\n    _w = payments_10m > 2\n    usual ="
    assert load_flow(flow_file(tmp_path, GOOD.replace("    usual =", twice, 1))).__name__ == "CardFraud"


def test_a_model_without_otherwise_and_a_list_asked_about_an_entity(tmp_path: Path) -> None:
    more = GOOD.replace("mean, review", "entity_list, mean, model, review")
    for line, words in (
        ('x = model("a@b", of=[payments_10m])', "otherwise=0.0"),
        ('x = entity_list("b", Card).has(Card)', "Give a field that is a card"),
    ):
        with pytest.raises(FlowFileError, match=words):
            load_flow(flow_file(tmp_path, more.replace("    usual =", f"    {line}\n    usual =", 1)))


def test_a_file_without_a_flow_is_not_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow_file(tmp_path, GOOD)
    for name in ("brute.py", "nixe.py"):
        (tmp_path / name).write_text("class Plain:\n    x = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match=r"no file nix\.py.*seen: card_fraud\.py\b|card_fraud") as told:
        load_flow("nix.py")
    assert "nixe" not in str(told.value) and "brute" not in str(told.value)
    with pytest.raises(FlowError) as told:
        load_flow(".")
    assert told.value.do == "Give card_fraud.py."
