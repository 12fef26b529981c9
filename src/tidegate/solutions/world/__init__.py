"""A world to demonstrate on: a seeded simulator of payments, logins and transfers with labelled fraud of five kinds.

    world = World(seed=7, customers=50_000, merchants=5_000, days=30)
    for payments in world.payments(chunk=100_000):
        ...

It is invented throughout: it names no real person or merchant, fits no real portfolio, and is meant to show and to
test flows, not to predict what one will catch elsewhere. The kinds of fraud are described where they are written:
stolen cards and card testing in `thefts`; account takeover, mule chains and the colluding ring in `gangs`; the honest
stories that look like them in `lookalikes` and `everyday`.
"""

from tidegate.solutions.world.world import World, WorldError

__all__ = ["World", "WorldError"]
