"""That a record is the one that was sealed; proving to others that it is in the log, and that the log only grew."""

import base64
import binascii
from collections.abc import Mapping, Sequence

import msgspec

from tidegate.errors import StoreError
from tidegate.evidence.erasure import is_blank, why_erased
from tidegate.evidence.log import Log
from tidegate.evidence.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tidegate.evidence.record import Row, Stored, TreeHead, leaf, sealed


def require_sealed(store: Log, record: Stored) -> None:
    """Make sure that a record is the one that was sealed: one leaf hash is computed and compared with the log's.

    That finds a record that was changed or put there, at the cost of reading it once more. That nobody wrote the log's
    own hashes anew is for `prove` and `verify` to say.

    Raises:
        StoreError: it is not.
    """
    if is_blank(record):
        return  # it was erased; what says so is looked for where a record is shown
    row = tuple(int(value) if value is True or value is False else value for value in msgspec.structs.astuple(record))
    index, size = record.seq - 1, store.head().size
    if not 0 <= index < size:
        raise _outside(record, size)
    if leaf(row) != store.subtree(0, index):
        raise _touched(record.id, record.seq)


def require_all_sealed(rows: Sequence[Row], leaves: Sequence[bytes]) -> None:
    """Make sure that records which follow each other are those that were sealed, as `require_sealed` does of one.

    Args:
        rows: as they lie in the table.
        leaves: the log's leaf hashes, from that of the first row on.

    Raises:
        StoreError: one is not.
    """
    for place, row in enumerate(rows):
        if not is_blank(row) and (place >= len(leaves) or leaf(row) != leaves[place]):
            raise _touched(str(row[1]), int(str(row[0])))


def _outside(record: Stored, size: int) -> StoreError:
    return StoreError(
        f"The record of {record.id!r} lies outside the log, so somebody inserted it.",
        seen=f"record {record.seq}, where the log has records 1 to {size}",
        do="Run `tidegate verify`, then put back a copy of the store.",
    )


def _touched(id: str, seq: int) -> StoreError:
    return StoreError(
        f"The record of {id!r} is not what was sealed: it was changed, or put there, by something else than Tidegate.",
        seen=f"record {seq} does not have its leaf hash",
        do="Run `tidegate verify`: it names the first record that was touched. Then put back a copy of the store.",
    )


def prove(store: Log, id: str, head: TreeHead | None = None) -> dict[str, object]:
    """The proof that a record is in the log, as JSON values, for someone who trusts the tree head only.

    Args:
        store: whose log.
        id: the record's.
        head: the tree head that it is for; the newest if none is given.

    Returns:
        `id`, `seq`; `sealed`: the record's canonical bytes (base64, see `record.sealed`); `leaf`: their leaf hash;
        `index`, `size`, `proof`, `root`: what `merkle.verify_inclusion` takes, hashes in hexadecimal.

    Raises:
        StoreError: there is no such record, or it is not what was sealed.
    """
    record = store.get(id)
    if record is None:
        raise StoreError(f"The store holds no record of {id!r}.", do="Look for it with `tidegate decisions`.")
    if is_blank(record):
        raise StoreError(
            f"The record of {id!r} was erased, so it can be shown to nobody.", seen=why_erased(store, record)
        )
    index = record.seq - 1
    if head is None or head.size <= index:
        head = store.head()
    if not 0 <= index < head.size:
        raise _outside(record, head.size)
    row = store.rows(index, 1)[0]
    own = leaf(row)
    proof = inclusion_proof(index, head.size, store.subtree)
    if not verify_inclusion(own, index, head.size, proof, head.root):
        raise StoreError(
            f"The record of {id!r} cannot be proven: it, or the log around it, was touched.",
            do="Run `tidegate verify` to see the first record that was.",
        )
    return {
        "id": id,
        "seq": record.seq,
        "sealed": base64.b64encode(sealed(row)).decode("ascii"),
        "leaf": own.hex(),
        "index": index,
        "size": head.size,
        "proof": [step.hex() for step in proof],
        "root": head.root.hex(),
    }


def proven(proof: Mapping[str, object], head: TreeHead | None = None) -> bool:
    """Whether a proof made by `prove` holds: the sealed bytes have the leaf hash, and the leaf is in the tree.

    Args:
        proof: as `prove` gave it, perhaps read from a file. One that is not well formed does not hold.
        head: the tree head that it must hold for; without it, the one that it names itself, which says only that it
            agrees with itself.
    """
    try:
        data = base64.b64decode(str(proof["sealed"]), validate=True)
        own, root = bytes.fromhex(str(proof["leaf"])), bytes.fromhex(str(proof["root"]))
        index, size, steps = proof["index"], proof["size"], proof["proof"]
        if not isinstance(index, int) or not isinstance(size, int) or not isinstance(steps, list):
            return False
        path = [bytes.fromhex(step) for step in steps]
        seq, name = msgspec.msgpack.decode(data)[:2]
    except (KeyError, TypeError, ValueError, binascii.Error, msgspec.DecodeError):
        return False
    if head is not None and head != TreeHead(size, root):
        return False
    said = seq == proof.get("seq") == index + 1 and name == proof.get("id")
    return said and leaf_hash(data) == own and verify_inclusion(own, index, size, path, root)


def prove_growth(store: Log, first: int, root: bytes | None = None, head: TreeHead | None = None) -> dict[str, object]:
    """The proof that the log of today begins with what it was at a size, as JSON values.

    Args:
        store: whose log.
        first: how many records it had.
        root: of the tree head that was kept then; without it, the one that the log says it had.
        head: up to which it grew; the newest tree head if none is given.

    Returns:
        `first`, `first_root`, `second`, `second_root`, `proof`: what `merkle.verify_consistency` takes, hashes in
        hexadecimal.

    Raises:
        StoreError: it does not begin so.
    """
    head = store.head() if head is None else head
    if 0 <= first <= head.size:
        old = root_at(first, store.subtree) if root is None else root
        proof = consistency_proof(first, head.size, store.subtree)
        if verify_consistency(first, old, head.size, head.root, proof):
            steps = [step.hex() for step in proof]
            return {
                "first": first, "first_root": old.hex(), "second": head.size, "second_root": head.root.hex(),
                "proof": steps,
            }  # fmt: skip
    raise StoreError(
        f"The log does not begin with the {first} records of the tree head given.",
        seen=f"a log of {head.size} records with root {head.root.hex()}",
        do="Run `tidegate verify` with that head to see how they differ.",
    )


def grown(proof: Mapping[str, object], old: TreeHead | None = None, new: TreeHead | None = None) -> bool:
    """Whether a proof made by `prove_growth` holds.

    Args:
        proof: as it was given, perhaps read from a file. One that is not well formed does not hold.
        old, new: the tree heads that it must hold for; without them, the ones that it names itself.
    """
    try:
        first, second, steps = proof["first"], proof["second"], proof["proof"]
        if not isinstance(first, int) or not isinstance(second, int) or not isinstance(steps, list):
            return False
        begin = TreeHead(first, bytes.fromhex(str(proof["first_root"])))
        end = TreeHead(second, bytes.fromhex(str(proof["second_root"])))
        path = [bytes.fromhex(step) for step in steps]
    except (KeyError, TypeError, ValueError):
        return False
    if (old is not None and old != begin) or (new is not None and new != end):
        return False
    return verify_consistency(begin.size, begin.root, end.size, end.root, path)
