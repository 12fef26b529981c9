"""Registers: the entities of a world as tables, with the labels that work on graphs needs."""

from __future__ import annotations

import numpy as np
import polars as pl

from tidegate.solutions.world.frames import COUNTRY
from tidegate.solutions.world.gangs import HERD, RING_DEVICES, ring_device
from tidegate.solutions.world.places import CATEGORIES
from tidegate.solutions.world.population import DEVICES_EACH, device_id
from tidegate.solutions.world.script import Ints, unroll
from tidegate.solutions.world.timeline import Entities, Settings

_GANGS: dict[str, pl.DataType | type[pl.DataType]] = {
    "gang": pl.Int64,
    "kind": pl.Enum(["colluding_ring", "mule_chain"]),
    "role": pl.Enum(["member", "merchant", "device", "mule"]),
    "entity": pl.Enum(["customer", "merchant", "device", "account"]),
    "id": pl.Int64,
}


def _gang(gang: Ints, kind: str, role: str, entity: str, ids: Ints) -> pl.DataFrame:
    n = len(gang)
    return pl.DataFrame(
        {"gang": gang, "kind": [kind] * n, "role": [role] * n, "entity": [entity] * n, "id": ids}, _GANGS
    )


def tables(s: Settings, world: Entities) -> dict[str, pl.DataFrame]:
    """The registers by name; ids are those of the events."""
    people, shops, gangs = world.people, world.shops, world.gangs
    customer = np.arange(len(people), dtype=np.int64)
    first, other = people.cards
    second = np.flatnonzero(first != other)
    with_laptop = np.flatnonzero(people.laptop)
    rings, herds = np.arange(gangs.rings), np.arange(gangs.herds)
    ring_of_member, _ = unroll(np.diff(gangs.ring_starts))
    ring, which = unroll(np.full(gangs.rings, RING_DEVICES))
    return {
        "customers": pl.DataFrame({"customer": customer, "country": COUNTRY.gather(people.home)}),
        "cards": pl.DataFrame(
            {"card": np.concatenate([first, other[second]]), "customer": np.concatenate([customer, second])}
        ),
        "devices": pl.DataFrame(
            {
                "device": device_id(np.concatenate([people.phone(customer, 0), with_laptop * DEVICES_EACH])),
                "customer": np.concatenate([customer, with_laptop]),
                "kind": pl.Series(
                    ["phone"] * len(customer) + ["laptop"] * len(with_laptop), dtype=pl.Enum(["phone", "laptop"])
                ),
            }
        ),
        "merchants": pl.DataFrame(
            {
                "merchant": np.arange(len(shops), dtype=np.int64),
                "country": COUNTRY.gather(shops.country),
                "mcc": shops.mcc,
                "category": pl.Series([c.name for c in CATEGORIES]).gather(shops.category),
                "online": shops.online,
            }
        ),
        "accounts": pl.DataFrame(
            {
                "account": np.arange(len(people) + s.outside, dtype=np.int64),
                "customer": pl.concat([pl.Series(customer), pl.Series([None] * s.outside, dtype=pl.Int64)]),
            }
        ),
        "gangs": pl.concat(
            [
                _gang(ring_of_member, "colluding_ring", "member", "customer", gangs.members),
                _gang(rings, "colluding_ring", "merchant", "merchant", gangs.merchants),
                _gang(ring, "colluding_ring", "device", "device", device_id(ring_device(people, ring, which))),
                _gang(gangs.rings + np.repeat(herds, HERD), "mule_chain", "mule", "account", gangs.mules),
            ]
        ),
    }
