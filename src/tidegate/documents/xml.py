"""XML from outside: parsed by lxml, with everything refused that makes XML dangerous.

A document type declaration is refused before anything is read of it. It alone could define entities, so no entity is
expanded (no "billion laughs"), no file is read and no network is asked. Size, depth and number of elements are bounded.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol, overload
from xml.parsers import expat

from lxml import etree

from tidegate.errors import DocumentError


class Element(Protocol):
    """What we use of lxml's elements."""

    text: str | None
    tail: str | None

    @property
    def tag(self) -> object:
        """The name, as `{namespace}name`."""

    @property
    def attrib(self) -> Mapping[str, str]:
        """The attributes."""

    @property
    def nsmap(self) -> Mapping[str | None, str]:
        """The prefixes in force here, and their namespaces."""

    @property
    def sourceline(self) -> int | None:
        """The line on which it starts."""

    def set(self, key: str, value: str) -> None:
        """Give it an attribute."""

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """An attribute, or the default where it is not there."""

    def getparent(self) -> "Element | None":
        """The element around this one."""

    def iter(self, *tags: str) -> Iterator["Element"]:
        """This element and all below it, in the document's order; with `tags` only those so called."""

    def __iter__(self) -> Iterator["Element"]: ...

    def __len__(self) -> int: ...


LARGEST = 256 * 1024 * 1024
"""The most bytes of a document."""
DEEPEST = 1000
"""How deep elements may be nested."""
MOST = 10_000_000
"""The most elements and attributes of a document."""


def read(data: bytes, what: str) -> Element:
    """The root element of an XML document.

    Args:
        data: the document, in any encoding that it declares and XML parsers know.
        what: what it is called in messages, as in "card-risk.pmml".

    Raises:
        DocumentError: it is no well-formed XML, declares a document type, or is too large; with the line.
    """
    if len(data) > LARGEST:
        raise DocumentError(f"{what} is too large.", seen=f"{len(data):,} bytes", do=f"At most {LARGEST:,} are read.")
    _look_through(data, what)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,  # the limits are ours
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root: Element = etree.fromstring(data, parser)
        return root
    except etree.XMLSyntaxError as error:
        raise DocumentError(
            f"{what} is not well-formed XML.", seen=str(error), do="Export it again, or restore it.", line=error.lineno
        ) from None


def _look_through(data: bytes, what: str) -> None:
    """Count and measure without keeping anything, and stop at the first thing that is refused."""
    parser = expat.ParserCreate()
    depth = count = 0

    def started(name: str, attributes: list[str]) -> None:
        nonlocal depth, count
        depth += 1
        count += 1 + len(attributes) // 2
        if depth > DEEPEST or count > MOST:
            raise DocumentError(
                f"{what} is too large.",
                seen=f"{count:,} elements and attributes, {depth} deep, so far",
                do=f"At most {MOST:,} are read, nested at most {DEEPEST} deep.",
                line=parser.CurrentLineNumber,
            )

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1

    def declared(name: str, system: str | None, public: str | None, internal: bool) -> None:
        raise DocumentError(
            f"{what} declares a document type, which is refused: it can read files and grow without bound.",
            seen=f"<!DOCTYPE {name}",
            do="Remove the declaration.",
            line=parser.CurrentLineNumber,
        )

    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentError(
            f"{what} is not well-formed XML.",
            seen=expat.ErrorString(error.code),
            do="Export it again, or restore it.",
            line=error.lineno,
        ) from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise DocumentError(f"{what} is in an encoding that is not known.", seen=str(error)) from None


def name_of(element: Element) -> str:
    """An element's name without its namespace."""
    return str(etree.QName(element).localname)


def namespace_of(element: Element) -> str:
    """An element's namespace, or nothing."""
    return str(etree.QName(element).namespace or "")


def line_of(element: Element) -> int:
    """The line on which an element starts."""
    return int(element.sourceline or 0)


def children(element: Element, *names: str) -> Iterator[Element]:
    """The elements right below, in order; with `names` only those so called, in whatever namespace."""
    for child in element:
        if isinstance(child.tag, str) and (not names or name_of(child) in names):
            yield child


def child(element: Element, name: str) -> Element | None:
    """The first element right below that is so called, if there is one."""
    return next(children(element, name), None)
