"""Archives that would burst, lie or are broken are refused before anything opens them."""

import io
import struct
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.documents import archive
from tidegate.errors import DocumentError


def packed(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return made.getvalue()


def looked(data: bytes) -> None:
    archive.check_end(data, "x.xlsx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            archive.check(opened, "x.xlsx")
    except zipfile.BadZipFile:
        raise DocumentError("x.xlsx is damaged.") from None


GOOD = packed({"a": b"hello" * 100, "b": bytes(range(256)) * 5_000})


def test_an_honest_archive_passes() -> None:
    looked(GOOD)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = packed({"a": bytes(200_000_000)})
    began = time.process_time()
    with pytest.raises(DocumentError, match="grows from"):
        looked(data)
    assert time.process_time() - began < 0.5


def test_an_archive_that_says_less_than_it_holds_is_refused() -> None:
    data = bytearray(packed({"a": bytes(50_000_000)}))
    size = struct.pack("<I", 50_000_000)
    at = data.find(size)
    while at >= 0:  # in the part's own head and in the directory
        data[at : at + 4] = struct.pack("<I", 1_000)
        at = data.find(size)
    began = time.process_time()
    with pytest.raises(DocumentError, match="damaged"):
        looked(bytes(data))
    assert time.process_time() - began < 0.5


def test_many_parts_are_refused_by_the_directory_alone() -> None:
    with pytest.raises(DocumentError, match="too many parts"):
        looked(packed({str(n): b"" for n in range(archive.MOST_PARTS + 1)}))


def test_the_directory_of_large_archives_is_refused() -> None:
    at = GOOD.rindex(b"PK\x05\x06")
    with pytest.raises(DocumentError, match="too many parts"):
        looked(GOOD[:at] + b"PK\x06\x07" + bytes(16) + GOOD[at:])


def test_what_is_encrypted_is_refused() -> None:
    data = bytearray(GOOD)
    for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(head) + flags] |= 1
    with pytest.raises(DocumentError, match="encrypted"):
        looked(bytes(data))


def test_an_archive_of_nothing_is_refused() -> None:
    with pytest.raises(DocumentError):
        looked(packed({}))


@given(st.data())
def test_changed_bytes_pass_or_are_refused(data: st.DataObject) -> None:
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        looked(bytes(changed[: data.draw(st.integers(0, len(changed)))]))
    except DocumentError as error:
        assert "x.xlsx" in str(error)
