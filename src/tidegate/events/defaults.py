"""Defaults of fields: held to the contract when the class is made, since an event that leaves the field out is not."""

from typing import Any

import msgspec

from tidegate.errors import ContractError, FlowError
from tidegate.events.contract_faults import fault
from tidegate.events.event import FieldContract
from tidegate.events.field import Field, Label
from tidegate.events.field_values import mend_of

_MOST_SHOWN = 60


def kept_default(event: str, field: FieldContract) -> Any:
    """The default of a field, as an event has it that says the same: money as `Money`, times in UTC, members of an
    enumeration, and the 5 of a `float` as 5.0, since bodies and digests tell 5 and 5.0 apart.

    Raises:
        FlowError: it does not keep the contract.
    """
    default, name = field.default, field.name
    of = f"{event}.{name}"
    seen = f"{name} = {default!r}"[:_MOST_SHOWN]
    if isinstance(default, (Field, Label)):
        word = type(default).__name__
        raise FlowError(
            f"{of} has a {word} for its default.",
            seen=seen,
            do=f"Put it into the type: {name}: Annotated[…, {word}(…)].",
        )
    if default is None:
        if field.optional:
            return None
        raise FlowError(
            f"The default of {of} is None, and the field is not optional.",
            seen=seen,
            do=f"Write {name}: … | None = None, or leave the default out.",
        )
    try:
        return _held(event, field)
    except ContractError as error:
        wrong = error.wrong.removeprefix(f"The field {name!r} of {event} ")
        raise FlowError(f"The default of {of} {wrong}", seen=seen, do=error.do) from None


def _held(event: str, field: FieldContract) -> Any:
    """The default, held to the contract as the value of an event made in Python is."""
    values = {field.name: field.default}
    one = msgspec.defstruct(event, [(field.name, field.wire)])
    try:
        made = getattr(msgspec.convert(values, one), field.name)
    except msgspec.ValidationError as error:
        raise fault(event, {field.name: field}, error, values) from None
    mend = mend_of(event, field)
    return mend(made) if mend else made
