"""Where `tidegate scorecard` writes a scorecard: to CSV or PMML, by the file's ending."""

from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.cli.terminal import written

if TYPE_CHECKING:
    from tidegate.decisions.scorecards.card import Card


def write_card(card: "Card", to: Path) -> None:
    """Write a scorecard by the file's ending.

    Raises:
        FlowError: the ending is none of those, or the scorecard has an overlap or a gap.
    """
    from tidegate.connectors.scorecards.csv_writer import scorecard_csv
    from tidegate.connectors.scorecards.pmml_writer import scorecard_pmml
    from tidegate.decisions.scorecards.findings import refuse_unclear
    from tidegate.errors import FlowError

    ending = to.suffix.lower()
    if ending not in (".csv", ".pmml", ".xml"):
        raise FlowError(f"{to.name} is no file that scorecards are written to.", seen=ending or "no ending",
                        do="Write to a .csv or a .pmml file.")  # fmt: skip
    refuse_unclear(card)
    data = scorecard_csv(card) if ending == ".csv" else scorecard_pmml(card)
    written(to, lambda path: path.write_bytes(data))
