"""What must hold of every page that we write."""

import html.parser
import re

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class _Reader(html.parser.HTMLParser):
    """Collects tags and identifiers, and checks that every element is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def checked(page: str) -> _Reader:
    """What must hold of every page."""
    page.encode()
    reader = _Reader(page)
    names = [tag for tag, _ in reader.tags]
    assert not {"script", "iframe", "object", "embed", "img", "base", "form"} & set(names)
    assert re.search(r"https?:|//[a-z]", page) is None
    assert "@import" not in page and "#0101" not in page and "matplotlib" not in page
    identifiers = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") for name in attributes)
        address = attributes.get("href") or ""
        assert address in ("", "data:,") or address[1:] in identifiers
        for used in re.findall(r"url\(#([^)]+)\)", " ".join(v or "" for v in attributes.values())):
            assert used in identifiers
    for tag, attributes in reader.tags:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert all(part in identifiers for part in (attributes["aria-labelledby"] or "").split())
    assert "nan" not in re.findall(r"[a-z]+", " ".join(reader.text).lower())
    assert "Content-Security-Policy" in page
    return reader
