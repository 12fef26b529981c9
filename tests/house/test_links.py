"""Every link of every page leads somewhere."""

import re
from pathlib import Path

import pytest

from .house import ROOT, pages, shown

LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")


def prose(path: Path) -> str:
    """A page without its fenced blocks, in which brackets mean other things."""
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(path: Path) -> list[str]:
    """The links of a page that lead nowhere in this repository."""
    wrong = []
    for target in LINK.findall(prose(path)):
        if re.match(r"https?://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        if not to.exists() or (anchor and anchor not in anchors(to)):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("path", pages(), ids=shown)
def test_links_lead_somewhere(path: Path) -> None:
    assert not broken(path)


def test_every_page_can_be_found_from_the_index() -> None:
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        targets = [target.partition("#")[0] for target in LINK.findall(prose(path))]
        ahead += [(path.parent / name).resolve() for name in targets if name and "://" not in name]
    assert not {shown(path) for path in pages()} - {shown(path) for path in seen}


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A b\n[here](#a-b) [there](#b) [gone](gone.md) [out](https://example.org)\n", encoding="utf-8")
    assert broken(page) == ["#b", "gone.md"]
