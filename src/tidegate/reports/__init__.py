"""What we show: pure functions from arrays to figures, tables and a page that opens without a network."""

from tidegate.reports.figures import CardBin, CardFigures, Example, FiredRule, ModelFacts, ReplayFigures
from tidegate.reports.findings import Findings, find
from tidegate.reports.page import render, summary

__all__ = [
    "CardBin",
    "CardFigures",
    "Example",
    "Findings",
    "FiredRule",
    "ModelFacts",
    "ReplayFigures",
    "find",
    "render",
    "summary",
]
