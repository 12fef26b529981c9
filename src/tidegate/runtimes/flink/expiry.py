"""Whether what a checkpoint left to be committed still can be: Kafka gives up transactions that stay open long.

A checkpoint is whole before its transaction is committed. A job that goes on from it commits that first; has the broker
given it up, Flink goes on without a word, and what was in it is neither on the topic nor decided again.
"""

import re
import time
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.events.durations import in_parts, spoken
from tidegate.runtimes.flink.job import TIMEOUT, Job

_RESTART = 60_000
"""Milliseconds from handing in a job until it commits; or a quarter of the timeout, if that is less."""
_CHECKPOINT = re.compile(r"/chk-\d+(?:/_metadata)?/?$")


def require_fresh(path: str, job: Job | None, why: str = "") -> str:
    """See that what a checkpoint left can be committed still. Savepoints are made as a job stops, which commits them.

    Args:
        path: of a savepoint or a checkpoint.
        job: the one that made it; None if it is not known.
        why: the reason to go on all the same; empty for none.

    Returns:
        what a person should know who goes on from it; mostly nothing.

    Raises:
        TidegateError: it is too old, and there is no reason to go on.
    """
    if not _CHECKPOINT.search(path):
        return ""
    timeout, between = (job.transaction_timeout, job.checkpoint) if job is not None else (TIMEOUT, 1000)
    place = _place(path)
    if "://" in place:
        return (
            f"how long ago {path} was written cannot be seen from here: after {in_parts(timeout * 1000)} Kafka has "
            "given up what it left to be committed, and those decisions are lost"
        )
    made = written(path)
    if not made:
        return ""  # Flink says best what is wrong with it
    age = time.time() * 1000 - made
    if not expired(age, timeout, between):
        return ""
    seen = f"{place}, written {spoken(age * 1000)} ago; its transactions stay open for {in_parts(timeout * 1000)}"
    if why.strip():
        return f"going on from an old checkpoint ({seen}), because: {why}"
    raise TidegateError(
        "The checkpoint is too old: Kafka may have given up the decisions that were written and not committed when it "
        "was made, and they would be lost.",
        seen=seen,
        do="Begin anew with another topic in --to: from an older savepoint, made when a job was stopped, or from the "
        "topics' start, without --from-savepoint. All is decided as it was, and nothing is missing. If the job is sure "
        'to have committed after that checkpoint, go on with --override --why "…", which is kept.',
    )


def written(path: str) -> int | None:
    """When a checkpoint was written, in milliseconds; None if that is not known, 0 if it is a savepoint, or nothing."""
    if not _CHECKPOINT.search(path):
        return 0
    try:
        return int((Path(_place(path)) / "_metadata").stat().st_mtime * 1000)
    except OSError:
        return None


def expired(age: float, timeout: int, between: int) -> bool:
    """Whether a transaction that a checkpoint of some age left may have been given up. All are milliseconds.

    Args:
        age: of the checkpoint, when a job goes on from it.
        timeout: how long transactions stay open.
        between: how long before the checkpoint it may have begun: as long as from one to the next.
    """
    return age > timeout - between - min(_RESTART, timeout // 4)


def _place(path: str) -> str:
    return re.sub(r"^file:(?://)?(?=/)", "", path).removesuffix("/").removesuffix("/_metadata")
