"""Proving to others that a record is in the log, and that the log only grew."""

import base64
import binascii
from collections.abc import Mapping

import msgspec

from tidegate.errors import StoreError
from tidegate.evidence.log import Log
from tidegate.evidence.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tidegate.evidence.record import TreeHead, leaf, sealed


def prove(store: Log, id: str) -> dict[str, object]:
    """The proof that a record is in the log, as JSON values, for someone who trusts the tree head only.

    Returns:
        `id`, `seq`; `sealed`: the record's canonical bytes (base64, see `record.sealed`); `leaf`: their leaf hash;
        `index`, `size`, `proof`, `root`: what `merkle.verify_inclusion` takes, hashes in hexadecimal.

    Raises:
        StoreError: there is no such record, or it is not what was sealed.
    """
    record = store.get(id)
    if record is None:
        raise StoreError(f"The store holds no record of {id!r}.", do="Look for it with `tidegate decisions`.")
    row = store.rows(record.seq - 1, 1)[0]
    head, index, own = store.head(), record.seq - 1, leaf(row)
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


def prove_growth(store: Log, old: TreeHead) -> list[bytes]:
    """The hashes that show that the log of today begins with the one of `old` (see `merkle.verify_consistency`).

    Raises:
        StoreError: it does not.
    """
    head = store.head()
    if old.size <= head.size:
        proof = consistency_proof(old.size, head.size, store.subtree)
        if verify_consistency(old.size, old.root, head.size, head.root, proof):
            return proof
    raise StoreError(
        f"The log does not begin with the {old.size} records of the tree head given.",
        seen=f"a log of {head.size} records with root {head.root.hex()}",
        do="Run `tidegate verify` with that head to see how they differ.",
    )
