"""Decisions that were found, as people are shown them."""

from typing import TYPE_CHECKING

from tidegate.cli.terminal import COLOURS, aside, next_steps, out, quoted, several
from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from tidegate.actions.document import Document
    from tidegate.actions.search import Hits


def show(found: "Hits", query: str, store: Address, where: str, limit: int) -> None:
    """Show a page, the counts, and what to type next.

    Args:
        found: what is shown.
        query, store, where, limit: as they were typed.
    """
    from rich.text import Text

    if not found.total:
        aside().print("No decision fits.", style="yellow")
        return
    for one in found.documents:
        head = Text.assemble(
            (one.id, "bold"), f"  {one.at[:19].replace('T', ' ')}  ", (one.outcome, COLOURS.get(one.outcome, "white"))
        )
        head.append(
            "".join(f"  {part}" for part in (one.level, None if one.score is None else f"{one.score:.4f}") if part)
        )
        head.append("  alarm" if one.alarm else "", "bold red")
        out().print(head, soft_wrap=True)
        for line in (_event(one), "; ".join(one.because)):
            if line:
                out().print(Text("  " + line, style="dim", overflow="ellipsis", no_wrap=True))
    for name in found.facets:
        _facet(found, name)
    aside().print(f"\n{len(found.documents):,} of {several(found.total, 'decision')}.", style="dim")
    steps = []
    if found.after:
        place = f"--in {quoted(where)}" if where else f"--store {quoted(store)}"
        asked = ("-- " if query.startswith("-") else "") + quoted(query)
        steps.append(f"tidegate alerts search {place} --limit {limit} --after {found.after} {asked}  the next page")
    if found.documents and not where:
        steps.append(f"tidegate explain {quoted(found.documents[0].id)} --store {quoted(store)}  why it was decided so")
    if steps:
        next_steps(*steps)


def _facet(found: "Hits", name: str) -> None:
    from rich.table import Table
    from rich.text import Text

    facet = Table(box=None, pad_edge=False, header_style="dim")
    facet.add_column(name)
    facet.add_column("decisions", justify="right")
    for value, many in found.facets[name]:
        facet.add_row(Text(value), f"{many:,}")
    out().print()
    out().print(facet)
    if name in found.cut:
        words = f"There are more: these are the {len(found.facets[name])} most frequent."
        out().print(words, style="dim", soft_wrap=True)


def _event(one: "Document") -> str:
    """The event's fields in a few words, amounts first."""
    from tidegate.actions.search import plain

    amounts, others = [], []
    for name, value in one.numbers.items():
        currency = one.words.get(f"{name}-currency")
        if currency:
            amounts.append(f"{name} {value:,.2f} {currency}")
        else:
            others.append(f"{name} {plain(value)}")
    others += [f"{name} {value}" for name, value in one.words.items() if not name.endswith("-currency")]
    return ", ".join(amounts + others)
