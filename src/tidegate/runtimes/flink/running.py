"""A job from outside: submitted, watched, stopped; and, on a cluster of our own, kept alive."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment
from tidegate.connectors.flink.rest import Rest
from tidegate.errors import TidegateError
from tidegate.runtimes.flink.causes import cause, meaning
from tidegate.runtimes.flink.change import keep
from tidegate.runtimes.flink.commits import Commits
from tidegate.runtimes.flink.expiry import require_fresh, written
from tidegate.runtimes.flink.job import TIMEOUT, Job
from tidegate.runtimes.flink.losses import Losses, Lost, Point

_SUBMIT = "tidegate.runtimes.flink.submit"
_ENDED = {"FINISHED", "FAILED", "CANCELED", "SUSPENDED"}
_LONGEST = 600
_STARTING = "Not all required tasks are"
"""What Flink says of a savepoint of a job that is just starting."""


class Running:
    """A job on a cluster.

    Args:
        job: what runs.
        environment: where PyFlink is.
        folder: where the job's file and state lie.
        address: HOST:PORT of the cluster's REST endpoint.
        cluster: the same cluster, if it is ours: its processes are started again when they end.
    """

    def __init__(
        self, job: Job, environment: Environment, folder: Path, address: str, cluster: Cluster | None = None
    ) -> None:
        self.job, self.rest, self._environment, self._folder = job, Rest(address), environment, folder
        self._cluster, self._address = cluster, address
        self.id = ""
        self._ids: list[str] = []
        self._losses = Losses(TIMEOUT, job.checkpoint)
        self._commits = Commits(max(30.0, 10 * job.checkpoint / 1000))

    def submit(self) -> None:
        """Hand the job to the cluster.

        Raises:
            TidegateError: it was not taken; with the end of what was said.
        """
        path = self._folder / "job.json"
        self.job.save(path)
        command = [str(self._environment.python), "-m", _SUBMIT, str(path), self._address]
        done = subprocess.run(
            command, cwd=self._folder, env=os.environ | self._environment.variables(),
            capture_output=True, text=True, timeout=_LONGEST, check=False,
        )  # fmt: skip
        if done.returncode:
            raise _failed("Flink did not take the job.", done.stderr or done.stdout)
        open_for, self.id = done.stdout.split()[-2:]
        self.job = msgspec.structs.replace(self.job, transaction_timeout=int(open_for))
        self._ids.append(self.id)
        self._losses = Losses(int(open_for), self.job.checkpoint, written(self.job.savepoint))
        keep(self._folder, self.id, self.job)

    def state(self) -> str:
        """The job's state, as Flink names it; on a cluster of ours, what has ended is started again first.

        A JobManager that is started again knows no jobs: the job goes on from its last checkpoint.
        """
        if self._cluster is not None and self._cluster.mend():
            newest = self.checkpoint()
            # Where it is the one that this job began with, it may be old for a reason that was given.
            require_fresh(newest, self.job, self.job.why if newest == self.job.savepoint else "")
            self.job = _from(self.job, newest)
            self.submit()
        try:
            return self.rest.state(self.id)
        except TidegateError:
            if self._cluster is None:
                raise
            return "RESTARTING"  # the next look will say whether its process is gone

    def checkpoint(self) -> str:
        """The job's last checkpoint on this machine's disk that is whole; else the savepoint that it began with."""
        folder = Path(self.job.state.removeprefix("file://")) / "checkpoints"
        whole = [path.parent for id in self._ids for path in folder.glob(f"{id}/chk-*/_metadata")]
        newest = max(whole, key=lambda path: (path / "_metadata").stat().st_mtime, default=None)
        return f"file://{newest}" if newest is not None else self.job.savepoint

    def watch(self, told: Callable[[str, int], None] = lambda state, taken: None, every: float = 1.0) -> None:
        """Wait until the job has ended; `told` of its state, and of how many events it has read.

        Raises:
            TidegateError: it failed.
        """
        while True:
            state = self.state()
            if state in _ENDED:
                break
            try:
                taken = self.rest.taken(self.id)
            except TidegateError:
                taken = 0
            told(state, taken)
            time.sleep(every)
        if state != "FINISHED":
            raise _failed(f"The job is {state.lower()}.", self.rest.failure(self.id))

    def failure(self) -> str:
        """Why the job failed last, in a line, and what to do where that is known; empty if it did not."""
        said = self.rest.failure(self.id)
        meant, do = meaning(said)
        return f"{meant} {do}" if meant else cause(said) if said else ""

    def standing(self, state: str) -> str:
        """That the job runs and has committed nothing for half a minute, each time that it is so; else nothing."""
        try:
            done = self.rest.checkpoints(self.id) if state == "RUNNING" else -1
        except TidegateError:
            return ""
        return self._commits.look(done, time.monotonic())

    def lost(self) -> str:
        """That decisions may be lost that the job could not commit, or are for a reason that was told; else nothing.

        Flink's figures are ten seconds old at most.

        Raises:
            TidegateError: they are lost for good since the last look. Flink itself goes on without a word.
        """
        try:
            restored, completed = self.rest.points(self.id)
            many = self.rest.uncommitted(self.id)
            lost = self._losses.look(many, Point(*restored), Point(*completed), self.rest.clock(self.id))
        except TidegateError:
            return ""
        if lost is None:
            return ""
        told = _lost(self.job, lost, self.checkpoint())
        if lost.sure and not self.job.why:
            raise told
        return str(told)

    def stop(self) -> str:
        """Stop the job; gives the savepoint to go on from. One that is just starting again is waited for.

        Raises:
            TidegateError: there is no savepoint.
        """
        until = time.monotonic() + _LONGEST
        while True:
            try:
                return self.rest.stop(self.id, f"{self.job.state}/savepoints")
            except TidegateError as error:
                if _STARTING not in str(error) or time.monotonic() > until:
                    raise
            self.state()
            time.sleep(1)


def _from(job: Job, savepoint: str) -> Job:
    return msgspec.structs.replace(job, savepoint=savepoint)


def _lost(job: Job, lost: Lost, newest: str) -> TidegateError:
    wrong = "Decisions are lost: Kafka gave up what the job had decided, before it was committed."
    if not lost.sure:
        wrong = (
            "Decisions may be lost: what was pending in the checkpoint could not be committed. Either it was before, "
            "or Kafka gave it up, and how old the checkpoint was is not known."
        )
    do = (
        "To have them, begin anew with another topic in --to: from an older savepoint, made when a job was stopped, or "
        "from the topics' start, without --from-savepoint. `tidegate replay --against` says which are missing."
    )
    if lost.sure and newest != job.savepoint:
        do += f" To leave it at that, go on with --from-savepoint {newest}."
    seen = f"transactions that could not be committed to {job.output}: {lost.many}"
    return TidegateError(wrong, seen=seen, do=do)


def _failed(what: str, said: str) -> TidegateError:
    if "Cannot map checkpoint/savepoint state" in said:
        return TidegateError(
            "The savepoint is of another flow: what its stages keep is defined otherwise now.",
            seen=cause(said),
            do="Start without --from-savepoint, under another --group: the state is made again from the topics.",
        )
    meant, do = meaning(said)
    return TidegateError(f"{what} {meant}".strip(), seen=cause(said), do=do)
