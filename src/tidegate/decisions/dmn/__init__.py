"""DMN models: decision tables, boxed expressions, functions and services, evaluated with reasons."""

from tidegate.decisions.dmn.findings import Finding
from tidegate.decisions.dmn.model import DmnModel, DmnResult, read_dmn
from tidegate.decisions.dmn.run import Reason, Step
from tidegate.decisions.dmn.values import to_json, to_plain

__all__ = ["DmnModel", "DmnResult", "Finding", "Reason", "Step", "read_dmn", "to_json", "to_plain"]
