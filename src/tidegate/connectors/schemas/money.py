"""Records and messages that are amounts of money, known by their fields."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from tidegate.connectors.schemas.columns import Amount, Form

_Take = Callable[[Any], Any]


def amount_in(forms: Mapping[str, Form], get: Callable[[str], _Take] = itemgetter) -> _Take | None:
    """Takes an amount out of a record of two fields: `units` (minor ones), or a decimal `amount` or `value`, and
    `currency`; None if it is none.

    Args:
        forms: what each of its fields holds.
        get: makes what takes a field's value out of a record.
    """
    if len(forms) != 2 or forms.get("currency") not in (Form.TEXT, Form.CHOICE):
        return None
    (name,) = set(forms) - {"currency"}
    minor = name == "units" and forms[name] is Form.WHOLE
    if not minor and not (name in ("amount", "value") and forms[name] in (Form.DECIMAL, Form.TEXT)):
        return None
    amount, currency = get(name), get("currency")

    def taken(record: Any) -> Amount | None:
        found = amount(record)
        return None if found is None else Amount(found, str(currency(record)), minor)

    return taken
