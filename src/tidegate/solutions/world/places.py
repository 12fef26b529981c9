"""Where and what: countries and merchant categories, with the weights the world is drawn from.

The figures are plausible, not measured: they give a population that mostly lives in the euro area, travels to
near countries more than far ones, and meets thieves who cash out elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Country(NamedTuple):
    """A country and how it is used.

    `offset` is the hours of its clock ahead of UTC (standard time all year: summer time would make the stream depend on
    the machine's time zone tables). `home`, `travel` and `theft` are relative weights: how many customers live there,
    how many go there, how many thieves use stolen cards there.
    """

    code: str
    offset: int
    home: float
    travel: float
    theft: float


COUNTRIES: tuple[Country, ...] = (
    Country("DE", 1, 20.0, 6.0, 3.0),
    Country("FR", 1, 16.0, 9.0, 4.0),
    Country("IT", 1, 13.0, 9.0, 4.0),
    Country("ES", 1, 11.0, 11.0, 4.0),
    Country("NL", 1, 7.0, 4.0, 2.0),
    Country("BE", 1, 5.0, 3.0, 2.0),
    Country("AT", 1, 4.0, 5.0, 1.0),
    Country("PT", 0, 4.0, 5.0, 1.5),
    Country("IE", 0, 3.0, 2.0, 1.5),
    Country("GR", 2, 4.0, 6.0, 1.0),
    Country("FI", 2, 3.0, 1.0, 0.5),
    Country("HR", 1, 1.5, 4.0, 0.5),
    Country("PL", 1, 1.5, 3.0, 2.0),
    Country("CZ", 1, 1.0, 3.0, 1.0),
    Country("RO", 2, 1.0, 1.5, 3.0),
    Country("GB", 0, 1.5, 6.0, 5.0),
    Country("CH", 1, 0.8, 3.0, 1.0),
    Country("SE", 1, 0.8, 1.5, 0.5),
    Country("DK", 1, 0.6, 1.5, 0.5),
    Country("TR", 3, 0.4, 5.0, 3.0),
    Country("US", -5, 0.8, 4.0, 8.0),
    Country("MX", -6, 0.1, 1.0, 3.0),
    Country("BR", -3, 0.3, 0.7, 5.0),
    Country("MA", 1, 0.2, 2.0, 1.0),
    Country("ZA", 2, 0.1, 0.6, 2.0),
    Country("AE", 4, 0.2, 1.2, 2.0),
    Country("IN", 5, 0.1, 0.7, 2.0),
    Country("TH", 7, 0.1, 1.5, 2.0),
    Country("ID", 8, 0.1, 0.8, 3.0),
    Country("JP", 9, 0.1, 0.8, 1.0),
)


class Category(NamedTuple):
    """A merchant category (ISO 18245 code).

    `price` is the median payment in euros; `weight` how common such merchants are; `online` the share of them that sell
    over the network; `resale` how much a thief likes it: goods that turn into money quickly.
    """

    mcc: int
    name: str
    price: float
    weight: float
    online: float
    resale: float


CATEGORIES: tuple[Category, ...] = (
    Category(5411, "groceries", 26.0, 18.0, 0.05, 0.4),
    Category(5812, "restaurants", 30.0, 14.0, 0.05, 0.3),
    Category(5814, "fast food", 10.0, 9.0, 0.15, 0.3),
    Category(5541, "fuel", 46.0, 6.0, 0.0, 0.8),
    Category(5912, "pharmacies", 17.0, 5.0, 0.15, 0.3),
    Category(5651, "clothing", 52.0, 8.0, 0.35, 1.0),
    Category(5732, "electronics", 140.0, 4.0, 0.55, 5.0),
    Category(5944, "jewellery", 170.0, 1.5, 0.2, 4.0),
    Category(5942, "books", 19.0, 3.0, 0.5, 0.3),
    Category(4111, "transit", 4.0, 4.0, 0.35, 0.2),
    Category(4511, "airlines", 210.0, 1.0, 1.0, 1.5),
    Category(7011, "hotels", 160.0, 3.0, 0.5, 1.0),
    Category(5816, "digital games", 6.0, 3.0, 1.0, 0.8),
    Category(5815, "digital media", 9.0, 3.0, 1.0, 0.6),
    Category(5311, "general merchandise", 42.0, 7.0, 0.5, 1.5),
    Category(5712, "furniture", 120.0, 2.0, 0.3, 0.6),
    Category(7995, "betting", 35.0, 1.0, 1.0, 1.5),
    Category(6051, "vouchers and digital money", 95.0, 1.0, 0.9, 4.0),
    Category(8099, "health", 60.0, 3.0, 0.05, 0.1),
    Category(7230, "hairdressers", 34.0, 4.0, 0.0, 0.1),
)

CODES: tuple[str, ...] = tuple(country.code for country in COUNTRIES)
OFFSETS: npt.NDArray[np.int64] = np.array([country.offset for country in COUNTRIES], dtype=np.int64)
HOME = np.array([country.home for country in COUNTRIES])
TRAVEL = np.array([country.travel for country in COUNTRIES])
THEFT = np.array([country.theft for country in COUNTRIES])
