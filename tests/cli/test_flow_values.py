"""Values that do not belong where they stand in a flow file: each is told with its line, when the class is made."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidegate.cli import app
from tidegate.runtimes.load import load_flow

GOOD = '''\
from typing import Annotated

from tidegate import Event, Field, Flow, Label, Personal, at_most, bands, count, deadline, decline, entity, share

Card = entity("card")


class Payment(Event):
    card: Annotated[Card, Field(personal=Personal.IDENTIFIER)]
    tries: int | None = None
    country: str
    fraud: Annotated[bool | None, Label(known_after="7d")]


class Cards(Flow[Payment]):
    """Many in little time."""

    often = count(per=Card, last="10m")
    bad = share(Payment.fraud, per=Card, last="30d", delay="7d", with_current=False)
    many = decline(often > 3, because="Many payments")

    limits = (
        at_most(2, "decline", last="1h", then="review"),
        deadline("500ms", answer="review"),
    )
    lateness = "2d"
'''

# what is replaced, by what; the line that is told; what must be said
MISTAKES = {
    "a bare number for a limit": ('2, "decline", last="1h"', '2, "decline", last=3600', 23, ["3600", "'3600s'"]),
    "a limit over no time": ('2, "decline", last="1h"', '2, "decline", last="0s"', 23, ["over a length of time"]),
    "half a limit": ("at_most(2,", "at_most(2.5,", 23, ["in whole numbers", "2.5"]),
    "a bare number for a deadline": ('deadline("500ms"', "deadline(500", 24, ["'500ms'"]),
    "a deadline at once": ('"500ms"', '"0s"', 24, ["leaves some time"]),
    "a bare number for lateness": ('lateness = "2d"', "lateness = 2", 26, ["Cards.lateness", "'2d'"]),
    "a bare number for a window": ('last="10m"', "last=604800000", 18, ["a whole number and a unit"]),
    "a bare number for a delay": ('delay="7d"', "delay=604800000000", 19, ["a whole number and a unit"]),
    "a bare number for a label": ('known_after="7d"', "known_after=10", 12, ["'10d'"]),
    "a word for a truth": ("with_current=False", 'with_current="no"', 19, ["with_current= is True or False"]),
    "a class of data that is none": ("Personal.IDENTIFIER", '"identifer"', 9, ["Write personal=Personal.IDENTIFIER."]),
    "a default of another type": ("int | None = None", 'int | None = "x"', 10, ["default of Payment.tries"]),
    "a default that is none": ("tries: int | None = None", "tries: int = None", 10, ["not optional"]),
    "words by an f-string": ('"Many payments"', 'f"Many of {Payment.card}"', 20, ["are fixed", "Payment.card in"]),
    "words without their name": (', because="', ', "', 20, ["because= before the words"]),
    "a window's values without names": ('count(per=Card, last="10m")', 'count(Card, "10m")', 18, ["per= and last="]),
    "what is learned as text": ("lateness =", 'learns = ("Login",)\n    lateness =', 26, ["learns = (Login,)"]),
    "what is learned as a number": ("lateness =", "learns = 5\n    lateness =", 26, ["Cards.learns names types"]),
    "a role that is a number": ("lateness =", "signed_by = 5\n    lateness =", 26, ["Cards.signed_by names roles"]),
    "a band from a text": ("lateness =", 'level = bands(bad, low="a")\n    lateness =', 26, ["low='a'"]),
    "a band from nan": ("lateness =", 'level = bands(bad, low=float("nan"))\n    lateness =', 26, ["The band low"]),
    "bounds of a text": ("country: str", "country: Annotated[str, Field(ge=1)]", 11, ["Payment.country is text"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_it_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    old, new, line, words = MISTAKES[name]
    assert old in GOOD
    path = tmp_path / "cards.py"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert f"cards.py:{line}" in result.stderr, result.stderr
    said = " ".join(result.stderr.split())
    for word in words:
        assert word in said, result.stderr


def test_who_signs_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "cards.py"
    path.write_text(GOOD.replace("lateness =", 'signed_by = ("business", "data")\n    lateness ='), encoding="utf-8")
    assert "signed by  business, data" in CliRunner().invoke(app, ["check", str(path)]).stdout


def test_one_event_type_is_learned_without_a_tuple(tmp_path: Path) -> None:
    login = "class Login(Event):\n    card: Card\n\n\nclass Cards"
    digests = []
    for learns in ("Login", "(Login,)"):
        path = tmp_path / "cards.py"
        text = GOOD.replace("class Cards", login).replace("lateness =", f"learns = {learns}\n    lateness =")
        path.write_text(text, encoding="utf-8")
        digests.append(load_flow(path).definition.digest)
    assert digests[0] == digests[1]


def test_the_same_without_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "cards.py"
    path.write_text(GOOD, encoding="utf-8")
    assert load_flow(path).definition.lateness == 2 * 86_400 * 10**6
