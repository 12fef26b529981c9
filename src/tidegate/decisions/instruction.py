"""Instructions: events by which people change, from then on, how a flow decides."""

from tidegate.events.event import Event


class Instruction(Event):
    """What holds from its own time `at` on: an event like others, kept and replayed, and never decided on."""
