"""Documents of XML with elements moved, copied, dropped and renamed, and texts and attributes changed, at random."""

from collections.abc import Sequence

from hypothesis import strategies as st
from lxml import etree


@st.composite
def taken_apart(
    draw: st.DrawFn, documents: st.SearchStrategy[bytes], hows: Sequence[str], texts: st.SearchStrategy[str], most: int
) -> bytes:
    """One of some documents, changed at one to `most` places, each in one of these ways, with texts of these."""
    root = etree.fromstring(draw(documents))
    for _ in range(draw(st.integers(1, most))):
        elements = [one for one in root.iter() if one is not root]
        if not elements:
            break
        _change(draw, draw(st.sampled_from(elements)), elements, draw(st.sampled_from(hows)), texts)
    return bytes(etree.tostring(root))


def _change(
    draw: st.DrawFn, one: etree._Element, elements: list[etree._Element], how: str, texts: st.SearchStrategy[str]
) -> None:
    parent = one.getparent()
    assert parent is not None
    if how == "drop":
        parent.remove(one)
    elif how == "copy":
        draw(st.sampled_from([parent, *elements])).append(etree.fromstring(etree.tostring(one)))
    elif how == "move":
        other = draw(st.sampled_from(elements))
        if one not in other.iterancestors() and other is not one:
            other.append(one)
    elif how == "name":
        one.tag = draw(st.sampled_from([each.tag for each in elements]))
    elif how == "text" or not one.attrib:
        one.text = _written(draw(texts))
    elif how == "without":
        del one.attrib[draw(st.sampled_from(sorted(one.attrib)))]
    elif how == "swap":
        values = sorted({value for each in elements for value in each.attrib.values()})
        one.set(draw(st.sampled_from(sorted(one.attrib))), draw(st.sampled_from(values)))
    else:
        one.set(draw(st.sampled_from(sorted(one.attrib))), _written(draw(texts)))


def _written(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
