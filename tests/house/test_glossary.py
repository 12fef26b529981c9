"""The words and the public API: nothing is exported that no page knows, nothing is told that cannot be imported."""

import inspect
import re

import pytest

import tidegate
from tools import api_page

from .house import ROOT

PUBLIC = tuple(getattr(tidegate, "__all__", ()))


def names_in_glossary() -> set[str]:
    """The names in code in the bold head of an entry, or in what stands below it: what one can import."""
    words = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    heads = re.findall(r"^- (\*\*.*?):", words, re.M | re.S) + re.findall(r"^  - (.*?)(?=^ *- |^$)", words, re.M | re.S)
    return {name for head in heads for name in re.findall(r"`([A-Za-z]\w*)`", head)}


def test_what_the_glossary_names_can_be_imported() -> None:
    named = names_in_glossary()
    assert {"Event", "Flow", "Money", "count"} <= named
    assert not named - set(PUBLIC), "the glossary says these can be imported from tidegate"


def test_every_public_name_is_on_the_page_of_names() -> None:
    assert PUBLIC, "tidegate exports nothing: give src/tidegate/__init__.py an __all__"
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert page == api_page.page(), "docs/api.md is not as the source has it: make api"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_its_place_among_the_words(name: str) -> None:
    words = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert re.search(rf"`{name}(\(.*?\))?`", words), f"docs/glossary.md does not say where {name} belongs"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_is(name: str) -> None:
    thing = getattr(tidegate, name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return  # a value: the page of names shows it
    assert (inspect.getdoc(thing) or "").strip(), f"{name} has no docstring"
    if inspect.isclass(thing):
        silent = [
            own
            for own, member in vars(thing).items()
            if not own.startswith("_")
            and (inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod))
            and not (inspect.getdoc(getattr(thing, own)) or "").strip()
        ]
        assert not silent, f"{name}: no docstring on {silent}"
