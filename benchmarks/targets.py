"""What a benchmark must reach: told a line each, and a ratio that is missed ends it with exit code 1.

Ratios are of two figures of one run, so that they hold on any machine. A figure for itself, as events a second, is told
with the same words and ends nothing: it says as much of the machine.
"""

import argparse


class Targets:
    """The targets of one run.

    Args:
        held: whether a ratio that is missed ends the run; not of a tiny one, whose figures mean nothing.
    """

    def __init__(self, *, held: bool) -> None:
        self.held = held
        self.missed: list[str] = []

    @staticmethod
    def option(parser: argparse.ArgumentParser) -> None:
        """Let a benchmark be run only to see that it runs."""
        parser.add_argument("--tiny", action="store_true", help="only to see that it runs: no target is held")

    def ratio(self, what: str, found: float, *, least: float = 0.0, most: float = float("inf")) -> None:
        """A ratio that must be at least, or at most, so much."""
        bound = f"at least {least:g}x" if least else f"at most {most:g}x"
        if not self._told(what, f"{found:.3g}x", bound, reached=least <= found <= most):
            self.missed.append(f"{what} {found:.3g}x, {bound}")

    def figure(self, what: str, found: float, *, least: float = 0.0, most: float = float("inf")) -> None:
        """A figure of this machine that should be at least, or at most, so much."""
        bound = f"at least {least:,.0f}" if least else f"at most {most:,.0f}"
        self._told(what, f"{found:,.0f}", f"{bound}, as this machine goes", reached=least <= found <= most)

    def _told(self, what: str, found: str, bound: str, *, reached: bool) -> bool:
        print(f"{'PASS' if reached else 'MISS'}  {what}: {found}, {bound}")
        return reached

    def unmeasured(self, what: str, why: str) -> None:
        """A ratio that could not be found in this run: it was not reached."""
        print(f"MISS  {what}: {why}")
        self.missed.append(f"{what} was not measured")

    def end(self) -> None:
        """End the run: as it is, or with exit code 1 and what was missed.

        Raises:
            SystemExit: a ratio was missed.
        """
        if self.missed and self.held:
            raise SystemExit(f"below the target: {'; '.join(self.missed)}")
