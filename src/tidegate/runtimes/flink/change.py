"""Another flow from an old savepoint: what is kept of what its stages know, and what is rebuilt from the topics."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tidegate.decisions.definition import Definition
from tidegate.errors import TidegateError
from tidegate.expressions.text import write
from tidegate.runtimes.flink.job import Job, Kept
from tidegate.runtimes.stages.meaning import Meanings
from tidegate.runtimes.stages.staging import Staging

_CHECKPOINT = re.compile(r"/([0-9a-f]{32})/chk-\d+(?:/_metadata)?/?$")
_SAVEPOINT = re.compile(r"/savepoint-([0-9a-f]{6})-[0-9a-f]+(?:/_metadata)?/?$")


def kept_by(definition: Definition, staging: Staging) -> list[Kept]:
    """What each stage of a flow keeps."""
    plan, meanings = staging.plan, Meanings(staging.plan)
    names = {node.key: name for name, node in reversed(tuple(definition.features.items()))}
    told = [f"{names[node.key]} = {write(node)}" if node.key in names else write(node) for node in definition.windows]
    windows = sorted(((s, w) for s in plan.streams for w in s.windows), key=lambda one: one[1].out)
    words = {w.out: (meanings.window(s, w), text) for (s, w), text in zip(windows, told, strict=True)}
    found = {stage.number: dict(words[out] for out in sorted(stage.outs)) for stage in staging.windows}
    listed = {stage.number for stage in staging.windows if stage.listed}
    marks = zip(staging.marks(), staging.names(), strict=True)
    return [Kept(mark, name, found.get(n, {}), n in listed) for n, (mark, name) in enumerate(marks)]


def keep(folder: Path, id: str, job: Job) -> None:
    """Note which job it is that has an id, for those who go on from its savepoints."""
    (folder / "jobs").mkdir(exist_ok=True)
    replace(job, properties={}).save(folder / "jobs" / f"{id}.json")


def earlier(folder: Path, savepoint: str) -> Job | None:
    """The job that made a savepoint or a checkpoint; none if it is not known here.

    Raises:
        TidegateError: what is known of it cannot be read.
    """
    named = _CHECKPOINT.search(savepoint) or _SAVEPOINT.search(savepoint)
    found = sorted((folder / "jobs").glob(f"{named[1]}*.json")) if named else []
    if len(found) != 1:
        return None
    try:
        return Job.load(found[0])
    except (OSError, msgspec.DecodeError) as error:
        raise TidegateError(f"{found[0]} cannot be read.", seen=str(error)) from None


def gone_on(old: Job, new: Job) -> tuple[Job, list[str]]:
    """A job that goes on from an earlier one's state: what is defined as before is kept, whatever it is called.

    What is defined otherwise begins with nothing, and learns from the topics' beginning what the earlier job took.

    Args:
        old: the job that made the savepoint.
        new: the one that goes on from it.

    Returns:
        the job as it is to be submitted, and what a person should know of it, a line each; none if nothing changed.

    Raises:
        TidegateError: its topics or shards are not those of the earlier one.
    """
    before = [one.topic for one in old.inputs]
    if [one.topic for one in new.inputs][: len(before)] != before or old.servers != new.servers:
        raise TidegateError(
            "A savepoint goes with its topics, in their order; more may follow.",
            seen=", ".join(one.topic for one in new.inputs),
            do=f"Begin with --from {', --from '.join(before)}.",
        )
    if old.shards != new.shards:
        raise TidegateError(
            "The number of shards is fixed for the life of a savepoint.",
            seen=f"{new.shards}, where the savepoint has {old.shards}",
            do=f"Leave out --shards, or say --shards {old.shards}.",
        )
    if old.output == new.output:  # and where it is another, both jobs may run
        new = replace(new, transactions=old.prefix)
    state = {stage.mark: stage.state or stage.mark for stage in old.stages}
    if old.digest == new.digest:
        stages = [replace(stage, state=state.get(stage.mark, "")) for stage in new.stages]
        return replace(new, stages=stages, rebuilt=old.rebuilt, reading=old.reading), []
    # A stage that was rebuilt may not have learned everything yet: nobody can see from outside whether it has.
    unsure = {old.stages[number].mark for number in old.rebuilt}
    rebuilt = {n for n, stage in enumerate(new.stages) if stage.mark not in state or stage.mark in unsure}
    if any(new.stages[number].listed for number in rebuilt):
        rebuilt |= {number for number, stage in enumerate(new.stages) if stage.name.startswith("lists asked")}
    reading = old.reading + bool(rebuilt)
    stages = [
        replace(stage, state=f"{stage.mark}-{reading}" if number in rebuilt else state[stage.mark])
        for number, stage in enumerate(new.stages)
    ]
    made = replace(new, stages=stages, rebuilt=sorted(rebuilt), reading=reading, changed=True)
    return made, list(_words(old, made))


def _words(old: Job, new: Job) -> Iterator[str]:
    known = {meaning: words for stage in old.stages for meaning, words in stage.windows.items()}
    there = {meaning for stage in new.stages for meaning in stage.windows}
    for number, stage in enumerate(new.stages):
        windows = stage.windows
        if number not in new.rebuilt:
            yield f"kept: {_named(stage, list(windows.values()))}"
            continue
        fresh = [words for meaning, words in windows.items() if meaning not in known]
        along = [words for meaning, words in windows.items() if meaning in known]
        yield f"rebuilt from the topics: {_named(stage, fresh)}"
        if along:
            yield f"  and with them, whose past is kept in one with theirs: {', '.join(along)}"
    gone = [words for meaning, words in known.items() if meaning not in there]
    if gone:
        yield f"let go: {', '.join(gone)}"


def _named(stage: Kept, windows: list[str]) -> str:
    return f"{stage.name}: {', '.join(windows)}" if windows else stage.name
