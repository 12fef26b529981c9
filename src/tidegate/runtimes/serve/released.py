"""Following a register of changes: what is released, or taken back, decides within seconds and without a restart.

The state of the version is made beside the one that decides, from what the store holds, in a thread of its own. Once it
is there, the next turn is the new version's: no request is lost, and none is decided by two.
"""

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from tidegate.connectors.store import Store
from tidegate.decisions.flow import Flow
from tidegate.errors import ReleaseError
from tidegate.models.registry import Registry
from tidegate.releases.bundle import read_bundle
from tidegate.releases.register import Live, Register
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.models import models_there

_LOG = logging.getLogger("tidegate.serve")
_PAUSE = 1.0
_AGAIN = 0.2
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 60.0
"""Seconds until a version that could not be served is tried again, doubling; a newer one is tried at once."""


class Released:
    """What a register releases of one flow.

    Args:
        path: the register.
        name: the flow's.
        models: where the models are.
        store: the file of the server's store, which a register never is.
        explain: as of `Engine`.

    Raises:
        ReleaseError: there is no register.
    """

    def __init__(self, path: Path, name: str, models: Registry | None, store: Path, *, explain: bool) -> None:
        if not path.exists() or path.resolve() == store.resolve():
            raise ReleaseError(
                f"{path} is no register of changes.",
                do="`tidegate people add NAME --role ROLE --register PATH` makes one.",
            )
        self._path, self._name, self._models, self._explain = path, name, models, explain
        self._at = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def flow(self) -> type[Flow[Any]] | None:
        """The version that is live now; None if none was released yet.

        Raises:
            TidegateError: it cannot be loaded, or is not what was signed.
        """
        with Register.open(self._path, read_only=True) as register:
            live = register.live(self._name)
            if live is None:
                return None
            self._at = live.seq
            return self._version(register, live)

    def _version(self, register: Register, live: Live) -> type[Flow[Any]]:
        """The flow that was signed, and nothing else."""
        change = live.proposal.change
        bundle = read_bundle(register.store.get_artefact(bytes.fromhex(change.bundle))[1])
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
            flow = load_flow(bundle.unpack(Path(folder)))
        if flow.definition.digest != change.digest:
            raise ReleaseError(
                f"The files of {live.proposal.short} make another flow than was signed.",
                seen=flow.definition.digest[:12],
            )
        untold = [role for role in flow.definition.signed_by if role not in change.demanded]
        if untold:
            raise ReleaseError(
                f"{live.proposal.short} does not say that its flow is to be signed by {' and '.join(untold)}.",
                do="Propose it with `tidegate propose`, which says what the flow says.",
            )
        if live.proposal.warning:
            _LOG.warning("%s was released although %s.", live.proposal.short, live.proposal.warning)
        for reference, digest in change.models.items():
            found = self._models.resolve(reference).digest if self._models is not None else "no models"
            if found != digest:
                raise ReleaseError(
                    f"{reference} is not the model that was signed with {live.proposal.short}.",
                    seen=found[:12],
                    do=f"Let it stand for the model of digest {digest[:12]}, or propose the change again.",
                )
        return flow

    def follow(self, store: Store, loop: asyncio.AbstractEventLoop, take_over: Callable[[Engine], bool]) -> None:
        """Look at the register again and again; what is released then is made ready and handed to `take_over`.

        Args:
            store: the one that the server writes to.
            loop: where `take_over` is called.
            take_over: lets an engine decide from now on; False if it is to be tried again.
        """

        def look() -> None:
            register: Register | None = None
            failed, wait, again = 0, _FIRST_WAIT, 0.0
            while not self._ending.wait(_PAUSE):
                seq = failed
                try:
                    register = register or Register.open(self._path, read_only=True)
                    register.refresh()
                    live = register.live(self._name)
                    if live is None or live.seq <= self._at:
                        continue
                    seq = live.seq
                    if seq != failed:
                        wait = _FIRST_WAIT
                    elif monotonic() < again:
                        continue
                    self._bring(register, live, store, loop, take_over)
                except Exception as error:  # whatever it is, the version before goes on, and this thread too
                    _LOG.error("What is released cannot be served, so the version before goes on: %s", error)
                    failed, again = seq, monotonic() + wait
                    wait = min(2 * wait, _LONGEST_WAIT)
            if register is not None:
                register.store.close()

        self._thread = threading.Thread(target=look, name="tidegate-released", daemon=True)
        self._thread.start()

    def _bring(
        self,
        register: Register,
        live: Live,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        take_over: Callable[[Engine], bool],
    ) -> None:
        flow = self._version(register, live)
        engine = Engine(flow, models=models_there(flow.definition, self._models), store=store, explain=self._explain)
        while not self._ending.is_set():
            done = asyncio.run_coroutine_threadsafe(_called(take_over, engine), loop)
            if done.result():
                self._at = live.seq
                _LOG.warning("%s@%s decides from now on.", self._name, flow.definition.digest[:12])
                return
            self._ending.wait(_AGAIN)

    def stop(self) -> None:
        """Look no more."""
        self._ending.set()


async def _called(take_over: Callable[[Engine], bool], engine: Engine) -> bool:
    return take_over(engine)
