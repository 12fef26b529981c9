"""Every kind of instruction that there is."""

from tidegate.decisions.instruction import Instruction
from tidegate.decisions.lists import ListChange
from tidegate.decisions.snooze import Snooze

INSTRUCTIONS: tuple[type[Instruction], ...] = (ListChange, Snooze)
"""What every flow takes beside its own events."""
