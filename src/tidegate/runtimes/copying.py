"""Copying a store into another database, record by record and seal by seal; what was begun is gone on with."""

from collections.abc import Callable

from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.erasure import erasures, is_blank
from tidegate.evidence.merkle import Range, peaks
from tidegate.evidence.record import HeadRow, Row, TreeHead
from tidegate.evidence.snapshot import Snapshots
from tidegate.evidence.tables import LOWEST_NODE

AT_ONCE = 2000
"""Records in one transaction, or those of one commit if it has more."""


def copy(source: Store, into: Store, progress: Callable[[int, int], None] | None = None) -> TreeHead:
    """Copy all that a store holds into another one, which is empty or a copy that was cut off.

    Commits stay what they were, so tree heads kept elsewhere, proofs and snapshots hold for the copy too. Snapshots are
    copied with it: where records were erased, the state cannot be made from the rest. Each transaction ends with a
    commit of the source: a copy that is cut off is a whole, shorter store. What was erased from the source since
    then is erased from the copy too.

    Args:
        source: read only; nothing is to be appended to it meanwhile.
        into: open for writing, by nobody else; open it anew afterwards.
        progress: is told how many records are copied, of how many.

    Returns:
        The tree head of both.

    Raises:
        StoreError: the other store holds something else, or one of them cannot be read or written.
        SnapshotError: a snapshot cannot be copied.
    """
    if not source.refusals_sealed():
        raise StoreError(
            f"{source.address} was made by an older Tidegate, whose refusals have no seals yet.",
            do="Run `tidegate store migrate` on it, then copy.",
        )
    head, there = source.head(), into.head()
    if source.root_at(there.size) != there.root:
        raise StoreError(
            f"{into.address} holds records that {source.address} does not have.",
            seen=f"{there.size} records of root {there.root.hex()}",
            do="Copy into a store that does not exist yet, or into the copy that was cut off.",
        )
    _copy_artefacts(source, into)
    tree = Range(there.size, [into.subtree(level, index) for level, index in peaks(there.size)])
    waiting: list[HeadRow] = []
    for commit in source.heads(there.size):
        if commit.size > head.size:
            break
        waiting.append(commit)
        if commit.size - tree.size >= AT_ONCE:
            _copy_commits(source, into, tree, waiting)
            waiting = []
            if progress is not None:
                progress(tree.size, head.size)
    _copy_commits(source, into, tree, waiting)
    _copy_refusals(source, into)
    if progress is not None:
        progress(tree.size, head.size)
    if into.head() != head:
        raise StoreError(
            f"The copy {into.address} has not the tree head of {source.address}.",
            seen=f"{into.head().root.hex()} where {head.root.hex()} is wanted",
            do="Delete the copy and begin again; if it happens again, run `tidegate verify` on both.",
        )
    _erase(into, there.size)
    if Snapshots.folder_beside(source.place).is_dir():
        Snapshots.beside(into.place).take_from(Snapshots.beside(source.place), head.size)
    return head


def _copy_commits(source: Store, into: Store, tree: Range, commits: list[HeadRow]) -> None:
    if not commits:
        return
    first, last = tree.size, commits[-1].size
    rows: list[Row] = []
    while len(rows) < last - first:
        part = source.rows(first + len(rows), last - first - len(rows))
        if not part:
            raise StoreError(f"{source.address} lacks records.", do="Run `tidegate verify` to see which.")
        rows += part
    nodes: list[Row] = []
    for commit in commits:
        leaves = [commit.leaves[at : at + 32] for at in range(0, len(commit.leaves), 32)]
        nodes += tree.extend(leaves, LOWEST_NODE)
    heads: list[Row] = [(commit.size, commit.root, commit.leaves) for commit in commits]
    into.paste({"records": rows, "heads": heads, "nodes": nodes})


def _copy_artefacts(source: Store, into: Store) -> None:
    for digest, kind, body in source.artefacts():
        if into.artefact_as_kept(digest) is None:
            into.paste({"artefacts": [(digest, kind, body)]})


def _copy_refusals(source: Store, into: Store) -> None:
    tree = into.refusals_edge()
    for commit in source.refusal_heads(tree.size):
        rows = list(source.refusal_rows(tree.size, commit.size - tree.size))
        tree.extend([commit.leaves[at : at + 32] for at in range(0, len(commit.leaves), 32)])
        head: Row = (commit.size, commit.root, commit.leaves, b"".join(tree.hashes))
        into.paste({"refusals": rows, "refusal_heads": [head]})


def _erase(into: Store, before: int) -> None:
    """Erase what the statements in a copy name, of the records that it had `before` they were copied."""
    gone = [seq for _, said in erasures(into) for seq in said.seqs if seq <= before and not _is_blank(into, seq)]
    if gone:
        into.blank(gone)
        into.scrub()


def _is_blank(store: Store, seq: int) -> bool:
    return all(is_blank(row) for row in store.rows(seq - 1, 1))
