"""The rows of a file as canonical columns, checked a column at a time; rows that break the contract are set aside.

Canonical columns carry the names of the fields. Texts, enumerations and text keys are String; whole numbers and whole
keys Int64; times Int64, microseconds since 1970 UTC; floats Float64; booleans Boolean; money is Int64 minor units under
the field's name and its currency, String, under `name.currency`. Null is a missing value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import polars as pl

from tidegate.connectors import files_fields, files_money, files_values
from tidegate.connectors.files_fields import Found, bounds, unread
from tidegate.connectors.files_refused import Refused, set_aside
from tidegate.connectors.files_sources import EXTRA
from tidegate.connectors.files_spelling import CURRENCY, options, spelling
from tidegate.errors import TidegateError, nearest
from tidegate.events.contract_faults import instead, pointer
from tidegate.events.currency import DECIMALS
from tidegate.events.event import LAST_YEAR, MOST_WHOLE, Event, FieldContract
from tidegate.events.field import Personal
from tidegate.events.types import Kind

_ALIKE = 0.75
"""How like a field a column is called that may be meant for it."""
_LAST = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 - 1
_TYPES: dict[Kind, type[pl.DataType]] = {
    Kind.BOOL: pl.Boolean,
    Kind.INT: pl.Int64,
    Kind.FLOAT: pl.Float64,
    Kind.TIME: pl.Int64,
    Kind.MONEY: pl.Int64,
}


def canonical_schema(event_type: type[Event]) -> dict[str, type[pl.DataType]]:
    """The canonical columns of an event type and their types, in order."""
    schema: dict[str, type[pl.DataType]] = {}
    for name, about in event_type.__contract__.items():
        kind = about.type.kind
        schema[name] = pl.Int64 if kind is Kind.KEY and about.type.whole else _TYPES.get(kind, pl.String)
        if kind is Kind.MONEY:
            schema[name + CURRENCY] = pl.String
    return schema


@dataclass(frozen=True)
class Unread:
    """What a file has that is not read.

    Args:
        columns: these columns, in their order.
        near: fields that have no column, each with one of these columns that is called almost as it is.
        assumed: money fields whose currency nothing says but their contract, each with that currency.
    """

    columns: tuple[str, ...]
    near: tuple[tuple[str, str], ...]
    assumed: tuple[tuple[str, str], ...] = ()


class Columns:
    """How the columns of one file become those of an event type.

    Args:
        event_type: the event class.
        there: the columns that the file has.
        columns: field -> column of the file, where the names differ.
        defaults: field -> constant, where the file has no such column or no value in it. Also `amount.currency`, how
            values are spelled (see `files_spelling`; `*.missing` is of every field), and `{"id": "row"}`, which numbers
            the rows.

    Attributes:
        twice: how many times so far could be either of two, since clocks were put back over them.

    Raises:
        TidegateError: a name that is not there, with the nearest one.
    """

    def __init__(
        self,
        event_type: type[Event],
        there: list[str],
        columns: Mapping[str, str] | None = None,
        defaults: Mapping[str, object] | None = None,
    ) -> None:
        self._event, self._defaults = event_type, dict(defaults or {})
        self._columns, self._units, self.twice = dict(columns or {}), dict[str, str](), 0
        self._assumed: dict[str, str] = {}
        self._class_defaults = {
            one.name: msgspec.to_builtins(one.default)
            for one in msgspec.structs.fields(event_type)
            if not one.required and one.default is not None and one.default is not msgspec.NODEFAULT
        }
        self.schema = canonical_schema(event_type)
        self._check_names(there)

    def _check_names(self, there: list[str]) -> None:
        contract = self._event.__contract__
        known = [*self.schema, *options(contract)]
        for name in (*self._columns, *self._defaults):
            if name not in known:
                raise TidegateError(
                    f"{self._event.__name__} has no field {name!r} that a file could fill.", do=instead(name, known)
                )
        for name, column in self._columns.items():
            if column not in there:
                raise TidegateError(
                    f"The file has no column {column!r}, which is to fill {name!r}.", do=instead(column, there)
                )
        for name, one in contract.items():
            given = name in self._columns or name in there or name in self._defaults
            if not given and not one.optional and name not in self._class_defaults:
                raise TidegateError(
                    f"The file has no column for {name!r}, which every {self._event.__name__} has.",
                    do=f"{instead(name, there)} Say `--column {name}=COLUMN` or `--default {name}=VALUE` "
                    f'(in Python columns={{"{name}": COLUMN}} or defaults={{"{name}": VALUE}}).',
                )
        self._spelled = {name: spelling(name, self._defaults) for name in contract}
        self._there = dict.fromkeys(there)

    def source(self, name: str) -> str | None:
        """The column of the file that fills a field; None when there is none."""
        if name in self._columns:
            return self._columns[name]
        if name == "id" and self._defaults.get("id") == "row":
            return None
        return name if name in self._there else None

    @property
    def used(self) -> list[str]:
        """The columns of the file that are read."""
        found = (self.source(name) for name in self.schema)
        return list(dict.fromkeys(column for column in found if column is not None))

    def unread(self) -> Unread:
        """What the file has that no field is filled from."""
        used = set(self.used)
        columns = [column for column in self._there if column not in used]
        near = []
        for name in self._event.__contract__:
            if self.source(name) is None and name not in self._defaults:
                near += [(name, column)] if (column := nearest(name, columns, _ALIKE)) else []
        return Unread(tuple(columns), tuple(near), tuple(self._assumed.items()))

    def canonical(
        self, raw: pl.DataFrame, first_line: int, first_row: int, *, lossy: bool = False
    ) -> tuple[pl.DataFrame, list[Refused]]:
        """The good rows in canonical columns, and the others.

        Args:
            raw: rows as they stand in the file.
            first_line: the line of the first of them.
            first_row: how many rows the file has before them.
            lossy: whether U+FFFD stands for bytes that were not UTF-8.
        """
        series: list[pl.Series] = []
        wrong: list[tuple[pl.Series, str, str]] = []
        if EXTRA in raw.columns and raw[EXTRA].null_count() < raw.height:
            wrong.append((raw[EXTRA].is_not_null(), "", "The line has more values than the first line has columns."))
        for name, one in self._event.__contract__.items():
            found = self._field(name, one, raw, first_row, lossy)
            series += [made.alias(column) for made, column in zip(found.series, (name, name + CURRENCY), strict=False)]
            wrong += found.wrong
        frame = pl.DataFrame(series)
        if not wrong:
            return frame, []
        bad = pl.DataFrame([mask.alias(str(i)) for i, (mask, _, _) in enumerate(wrong)]).fill_null(False)
        any_bad = bad.select(pl.any_horizontal(pl.all()))["0"] if bad.width == 1 else bad.max_horizontal()
        any_bad = any_bad.cast(pl.Boolean)
        return frame.filter(~any_bad), set_aside(raw, any_bad, bad, wrong, first_line, self._shows())

    def _shows(self) -> dict[str, str]:
        """The fields that are no personal data, each with its column: of these it may be told what a row has."""
        plain: dict[str, str | None] = {}
        for name, one in self._event.__contract__.items():
            if one.about.personal is not Personal.NONE:
                continue
            plain[name] = self.source(name)
            told = self._defaults.get(name + CURRENCY, one.about.currency)
            if (column := self.source(name + CURRENCY)) is not None:
                plain[f"{name}/currency"] = column
            elif one.about.currency not in (None, told):  # it was said with an option, and no row has it
                plain[f"{name}/currency"] = ""
        return {name: column for name, column in plain.items() if column is not None}

    def _raw(self, name: str, raw: pl.DataFrame, first_row: int) -> pl.Series:
        """The raw column of a field, with its default where it has no value."""
        column, constant = self.source(name), self._defaults.get(name, self._class_defaults.get(name))
        if column is None and name == "id" and constant == "row":
            return pl.Series("id", range(first_row + 1, first_row + 1 + raw.height), dtype=pl.Int64)
        if column is None:
            return pl.Series(name, [constant]).new_from_index(0, raw.height)
        found = self._without(name, raw[column])
        if constant is None or found.null_count() == 0:
            return found
        filler = pl.Series(name, [constant])
        if found.dtype == pl.String and filler.dtype != pl.String:
            filler = filler.cast(pl.String)
        return found.zip_with(found.is_not_null(), filler.cast(found.dtype).new_from_index(0, raw.height))

    def _without(self, name: str, raw: pl.Series) -> pl.Series:
        """The column without the words that stand for no value."""
        words = self._spelled[name].missing
        if not words or not files_values.is_text(raw):
            return raw
        texts = raw.cast(pl.String)
        return texts.set(texts.str.strip_chars().is_in(list(words)).fill_null(False), None)

    def _field(self, name: str, one: FieldContract, raw: pl.DataFrame, first_row: int, lossy: bool) -> Found:
        source, where = self._raw(name, raw, first_row), pointer(name)
        kind, how = one.type.kind, self._spelled[name]
        if kind is Kind.MONEY:
            found = self._money(name, one, source, raw)
        elif kind is Kind.TIME:
            found, twice = files_fields.times(name, source, how, first=first_row == 0)
            self.twice += twice
            if name == "at":
                found.refuse(found.series[0] > _LAST, where, f"{name} lies after the year {LAST_YEAR}.")
        elif kind is Kind.BOOL:
            found = files_fields.truth(name, source, how)
        elif kind is Kind.FLOAT:
            found = files_fields.number(name, one, source, how)
        elif kind is Kind.INT or (kind is Kind.KEY and one.type.whole):
            found = Found([files_values.whole(source)])
            found.refuse(unread(source, found), where, f"{name} is not a whole number of 64 bits.")
            low, high = (-MOST_WHOLE, MOST_WHOLE) if kind is Kind.INT else (-(2**63) + 1, None)
            about = one.about
            bounds(found, where, name, low if about.ge is None else about.ge, high if about.le is None else about.le)
        else:
            found = self._text(name, one, source, where)
            if lossy:
                odd = found.series[0].str.contains("\ufffd", literal=True)
                found.refuse(
                    odd, where, f"{name} is not text in UTF-8. Say which encoding it is in with `--encoding cp1252`."
                )
        files_fields.told_missing(name, source, found)
        if not one.optional:
            missing = source.is_null() if not isinstance(source.dtype, pl.Struct) else found.series[0].is_null()
            found.refuse(missing, where, f"{name} is missing.")
        return found

    def _text(self, name: str, one: FieldContract, source: pl.Series, where: str) -> Found:
        found = Found([files_values.text(source)])
        if name == "id" and self.source("id") is None and self._defaults.get("id") == "row":
            return Found(["row-" + found.series[0]])
        made = found.series[0]
        found.refuse(unread(source, found), where, f"{name} is not text.")
        if one.type.choices:
            unknown = ~made.is_in(list(one.type.choices))
            found.refuse(unknown, where, f"{name} is none of {', '.join(one.type.choices)}.")
            return found
        most = 256 if name == "id" else one.about.max_length
        sizes = made.str.len_bytes()
        longest = sizes.max()
        if isinstance(longest, int) and longest > most:
            found.refuse(made.str.len_chars() > most, where, f"{name} is longer than {most} characters.")
        if name == "id" or one.type.kind is Kind.KEY:
            found.refuse(sizes == 0, where, f"{name} is empty.")
        return found

    def _money(self, name: str, one: FieldContract, source: pl.Series, raw: pl.DataFrame) -> Found:
        fixed = one.about.currency
        constant, how = self._defaults.get(name + CURRENCY, fixed), self._spelled[name]
        column = self.source(name + CURRENCY)
        if (
            column is None
            and constant is None
            and not (files_values.is_text(source) or isinstance(source.dtype, pl.Struct | pl.Null))
        ):
            raise TidegateError(
                f"The column {source.name!r} does not say in which currency {name!r} is.",
                do=f"Say `--default {name}.currency=EUR` or `--column {name}.currency=COLUMN` "
                f'(in Python defaults={{"{name}.currency": "EUR"}} or columns={{"{name}.currency": COLUMN}}).',
            )
        filler = pl.Series([constant], dtype=pl.String).new_from_index(0, raw.height)
        told = filler if column is None else self._without(name, raw[column]).cast(pl.String)
        told = told if constant is None or column is None else told.zip_with(told.is_not_null(), filler)
        if name not in self._units and source.null_count() < raw.height:
            decimals = DECIMALS.get(str(constant), 2)
            if isinstance(constant, str) or column is not None or not files_values.is_text(source):
                self._units[name] = files_money.unit_of(name, how.unit, source, decimals, how.decimal)
            else:
                self._units[name] = "major"
        if fixed is not None and column is None and name + CURRENCY not in self._defaults:
            says = isinstance(source.dtype, pl.Struct) or (
                files_values.is_text(source) and source.cast(pl.String).str.contains(r" [A-Z]{3}\s*$").any()
            )
            if not says and self.source(name) is not None:
                self._assumed[name] = fixed
        unit = self._units.get(name, "minor")
        return files_fields.money(name, one, source, told, unit, how)
