"""XML from outside: what is read, and what is refused before it can do harm."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.documents import xml
from tidegate.errors import DocumentError

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<lolz x="&c;">&c;</lolz>"""
FILE = '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r>&f;</r>'
OUTSIDE = '<!DOCTYPE r SYSTEM "http://localhost:1/r.dtd"><r/>'


def test_elements_have_names_lines_and_children() -> None:
    root = xml.read(b'<m:a xmlns:m="urn:m">\n<m:b k="1"/>\n<!-- no --><c/>\n<m:b/></m:a>', "a.xml")
    assert xml.name_of(root) == "a" and xml.namespace_of(root) == "urn:m"
    assert [(xml.name_of(one), xml.line_of(one)) for one in xml.children(root)] == [("b", 2), ("c", 3), ("b", 4)]
    assert len(list(xml.children(root, "b"))) == 2
    found = xml.child(root, "c")
    assert found is not None and xml.namespace_of(found) == ""
    assert xml.child(root, "d") is None


@pytest.mark.parametrize("text", [LAUGHS, FILE, OUTSIDE, "<!DOCTYPE r><r/>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_at_its_line(text: str, encoding: str) -> None:
    with pytest.raises(DocumentError, match="declares a document type") as told:
        xml.read(text.replace('version="1.0"', f'version="1.0" encoding="{encoding}"').encode(encoding), "evil.xml")
    assert told.value.line == text[: text.index("<!DOCTYPE")].count("\n") + 1


def test_what_is_cut_short_is_refused_at_its_line() -> None:
    with pytest.raises(DocumentError, match=r"half\.pmml is not well-formed XML") as told:
        xml.read(b"<a>\n<b>\n<c", "half.pmml")
    assert told.value.line == 3


@pytest.mark.parametrize("data", [b"", b"\x00", b"PK\x03\x04", b"hello", b"<a/><b/>", b"\xff\xfe<\x00", b"<a>\xff</a>"])
def test_what_is_not_xml_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"x\.xml"):
        xml.read(data, "x.xml")


def test_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(DocumentError):
        xml.read(b'<?xml version="1.0" encoding="klingon"?><a/>', "x.xml")


def test_depth_is_bounded() -> None:
    deep = xml.DEEPEST
    assert xml.name_of(xml.read(b"<a>" * deep + b"</a>" * deep, "x.xml")) == "a"
    with pytest.raises(DocumentError, match="too large"):
        xml.read(b"<a>" * (deep + 1) + b"</a>" * (deep + 1), "x.xml")
    with pytest.raises(DocumentError, match="too large"):
        xml.read(b"<a>" * 1_000_000, "x.xml")


def test_number_and_size_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MOST", 100)
    with pytest.raises(DocumentError, match="too large"):
        xml.read(b"<a>" + b"<b c='1'/>" * 50 + b"</a>", "x.xml")
    monkeypatch.setattr(xml, "LARGEST", 10)
    with pytest.raises(DocumentError, match="too large"):
        xml.read(b"<abcdefghijk/>", "x.xml")


def test_hostile_documents_cost_little() -> None:
    tracemalloc.start()
    began = time.process_time()
    for text in (LAUGHS, FILE, OUTSIDE):
        with pytest.raises(DocumentError):
            xml.read(text.encode(), "evil.xml")
    assert time.process_time() - began < 1
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.fuzz
@given(st.binary(max_size=200) | st.text("<>/ab=\"'&;!-[]", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        xml.read(data, "x.xml")
    except DocumentError as error:
        assert str(error).startswith("x.xml")
