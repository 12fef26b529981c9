"""A thread that runs Java code which may never end, and what is done about it then."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from tidegate.connectors.drools.java import java_class

_GRACE = 0.05
"""Seconds that a halted session gets to come out of its loop by itself."""
_TRIES = 100
"""How often a late call is looked at again."""
_MOST_LOST = 8
"""Late calls that have not ended yet, after which nothing more is run."""
_lost: list[threading.Thread] = []
_Jobs = SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Any]] | None]


class LateError(Exception):
    """The call was not done in time. What it was doing has been stopped, or is left behind."""


class Worker:
    """Runs calls one after the other in a thread of its own, which is replaced when one of them is late.

    Args:
        stops: the Java package in whose code a late call may be stopped; without one it is left to itself.
    """

    def __init__(self, stops: str = "") -> None:
        self._stops = stops
        self._jobs: _Jobs | None = None
        self._thread: threading.Thread | None = None
        self._java: Any = None
        self._lock = threading.Lock()

    def call(self, job: Callable[[], Any], within: float, halt: Callable[[], None] | None = None) -> Any:
        """What a call gives, if it does within some seconds; what it raises is raised here.

        Args:
            job: the call.
            within: how long it may take, in seconds.
            halt: asks it to end, if it has not by then.

        Raises:
            LateError: it took longer, or too many earlier calls could not be stopped.
        """
        with self._lock:
            _lost[:] = [thread for thread in _lost if thread.is_alive()]
            if len(_lost) >= _MOST_LOST:
                raise LateError
            jobs = self._jobs if self._jobs is not None else self._start()
            done: SimpleQueue[Any] = SimpleQueue()
            jobs.put((job, done))
            try:
                ok, found = done.get(timeout=within)
            except Empty:
                self._give_up(done, halt)
                raise LateError from None
        if ok:
            return found
        raise found

    def _start(self) -> "_Jobs":
        jobs: _Jobs = SimpleQueue()
        self._jobs = jobs
        self._thread = threading.Thread(target=self._work, args=(jobs,), name="drools", daemon=True)
        self._thread.start()
        return jobs

    def _work(self, jobs: "_Jobs") -> None:
        self._java = java_class("java.lang.Thread").currentThread()
        while (taken := jobs.get()) is not None:
            job, done = taken
            try:
                done.put((True, job()))
            except BaseException as error:  # an error of Java's virtual machine too: it is the caller's to tell
                done.put((False, error))

    def _give_up(self, done: "SimpleQueue[Any]", halt: Callable[[], None] | None) -> None:
        """Leave the thread behind, halted; the next call gets another. Another thread sees to its end."""
        thread, java = self._thread, self._java
        if self._jobs is not None:
            self._jobs.put(None)
        self._jobs = self._thread = None
        if halt is not None:
            halt()
        if thread is not None:
            _lost.append(thread)
            if self._stops and java is not None:
                threading.Thread(target=_end, args=(java, done, self._stops), name="drools-end", daemon=True).start()


def _end(java: Any, done: "SimpleQueue[Any]", within: str) -> None:
    """Stop a thread that halting its session does not end, as Java can up to version 19.

    Only where it is in code of the rules: stopped while Java makes a class ready, that class is lost to the process.
    """
    for _ in range(_TRIES):
        if _came(done):
            return
        frames = [(str(frame.getClassName()), str(frame.getMethodName())) for frame in java.getStackTrace()]
        ready = all(method != "<clinit>" and "ClassLoader" not in owner for owner, method in frames)
        if ready and any(owner.startswith(within) for owner, _ in frames):
            with suppress(Exception):  # from Java 20 there is no such thing: the thread is left to itself
                java.stop()


def _came(done: "SimpleQueue[Any]") -> bool:
    try:
        done.get(timeout=_GRACE)
    except Empty:
        return False
    return True


__all__ = ["LateError", "Worker"]
