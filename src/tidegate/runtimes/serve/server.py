"""A server's life: listen, get ready, serve, drain, end."""

import asyncio
import gc
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import uvicorn

from tidegate.connectors.store import Store
from tidegate.connectors.store_address import Address
from tidegate.decisions.definition import Definition
from tidegate.decisions.flow import Flow
from tidegate.events.times import time_of
from tidegate.features.kernels.words import NEVER
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.models import models_there
from tidegate.runtimes.serve.application import Application, Page, Serving
from tidegate.runtimes.serve.example import example
from tidegate.runtimes.serve.listening import listen
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.openapi import openapi
from tidegate.runtimes.serve.page import page
from tidegate.runtimes.serve.protocol import DirectProtocol
from tidegate.runtimes.serve.reading import events_taken
from tidegate.runtimes.serve.released import Released
from tidegate.runtimes.serve.reloading import Reloading
from tidegate.runtimes.serve.settings import Settings, keys_of, registry_of, tls_of
from tidegate.runtimes.serve.turns import Turns

_LOG = logging.getLogger("tidegate.serve")
_YOUNG = 20_000
"""So many more objects than were freed, before the garbage collector looks at the new ones."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn with the signals left to us: it would end with the signal's number, and we end with 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """One server.

    Args:
        settings: what is served, and where.

    Raises:
        TidegateError: keys are needed and not given, or cannot be read; a certificate cannot be used; it cannot listen
            there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        definition, limits = settings.flow.definition, settings.limits
        keys, self.tls = keys_of(settings), tls_of(settings)
        self._socket = listen(settings.host, settings.port)
        self.port: int = self._socket.getsockname()[1]
        shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(settings.host, settings.host)
        self.url = f"{'https' if self.tls else 'http'}://{f'[{shown}]' if ':' in shown else shown}:{self.port}"
        self.keyed = keys is not None
        self.application = Application(
            limits,
            Metrics(),
            self._pages(definition),
            keys,
            access_log=settings.access_log,
            traces=settings.traces,
        )
        self._released = (
            Released(
                settings.register,
                definition.name,
                registry_of(settings),
                Address(settings.store).place,
                explain=settings.explain,
            )
            if settings.register is not None
            else None
        )
        self._turns: Turns | None = None
        self._store: Store | None = None
        direct = not settings.access_log and settings.traces is None
        config = uvicorn.Config(
            self.application,
            loop="none",
            # The short way tells nobody, so with an access log or traces every request goes the usual one.
            http=partial(DirectProtocol, self.application, {}, direct=direct),  # type: ignore[arg-type]
            proxy_headers=False,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(limits.drain_seconds),
        )
        if self.tls is not None:
            config.load()
            config.ssl = self.tls.context
        self._server = _Uvicorn(config)
        self._reloading = Reloading(self.application, settings.keys, self.tls)

    @property
    def sample(self) -> bytes:
        """An event that it takes, as JSON: of the time of the newest one, so that it makes none that comes too late."""
        serving = self.application.serving
        definition = serving.engine.definition if serving is not None else self.settings.flow.definition
        at = datetime.now(UTC).replace(microsecond=0)
        if serving is not None and serving.engine.clock != NEVER:
            at = min(at, time_of(serving.engine.clock))
        return example(definition.event, at)

    def _pages(self, definition: Definition) -> dict[str, Page]:
        """What is told of a version of the flow."""
        kinds = {kind.__name__: kind for kind in events_taken(definition)}
        version = f"{definition.name}@{definition.digest[:12]}"
        document = openapi(definition.name, definition.purpose, version, kinds, keys=self.keyed)
        return {
            "/openapi.json": (b"application/json", partial(msgspec.json.encode, document)),
            "/docs": (b"text/html; charset=utf-8", lambda: page(document, self.sample, self.url)),
        }

    def _take_over(self, engine: Engine) -> bool:
        """Let a version that was released decide from now on; False if it must be tried again a little later."""
        turns = self._turns
        if turns is None or turns.take_over(engine) is None:
            return False
        gc.unfreeze()  # the version before may go
        self.application.pages = self._pages(engine.definition)
        self.application.serving = Serving(engine, turns, self.settings.limits)
        return True

    def run(self, ready: Callable[["Server"], None]) -> None:
        """Serve until SIGTERM or SIGINT; what was taken by then is answered, and a snapshot written.

        Args:
            ready: called once events are taken.

        Raises:
            TidegateError: the store, a model or the flow cannot be used.
        """
        _run(self._run(ready))

    async def _run(self, ready: Callable[["Server"], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain)
        loop.set_exception_handler(_unhandled)
        self._reloading.start()
        serving = loop.create_task(self._server.serve(sockets=[self._socket]))
        try:
            engine = await _apart(self._make)
            if not self.application.draining:
                store = self._store
                if store is None:
                    raise RuntimeError("no store was opened")
                self._turns = Turns(engine, store, self.settings.limits, self.application.metrics)
                self.application.serving = Serving(engine, self._turns, self.settings.limits)
                ready(self)
                if self._released is not None:
                    self._released.follow(store, loop, self._take_over)
            await serving
            if self._turns is not None:
                await self._turns.close()
        finally:
            self._reloading.stop()
            if self._released is not None:
                self._released.stop()
            self._server.should_exit = True
            if not serving.done():
                await serving
            if self._store is not None:
                self._store.close()
            if self.settings.traces is not None:
                self.settings.traces.close()

    def _make(self) -> Engine:
        """Open the store, make the state, and run every kernel once."""
        settings = self.settings
        models = registry_of(settings)
        flow = (self._released.flow() if self._released is not None else None) or settings.flow
        self._store = Store.open(settings.store)
        found = models_there(flow.definition, models)
        engine = Engine(
            flow, models=found, store=self._store, explain=settings.explain, other_flow_ok=settings.other_flow_ok
        )
        for error in engine.passed_over:
            _LOG.warning("Not all of the state is from a snapshot: %s", error)
        warm(flow, found, explain=settings.explain)
        # What is there by now stays, and the garbage collector would look through all of it again and again.
        # Requests leave no cycles, so what is new need not be looked through after every 700 objects either.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG)
        return engine

    def _drain(self) -> None:
        """Stop: take nothing more, answer what was taken. Asked twice, do not wait either."""
        if self.application.draining:
            self._server.force_exit = True
        self.application.draining = True
        if self._turns is not None:
            self._turns.drain()
        self._server.should_exit = True


def warm(flow: type[Flow[Any]], models: Mapping[str, ScoringModel], *, explain: bool) -> None:
    """Decide on a made-up event, in engines that are thrown away: afterwards every kernel is loaded.

    What is made up is mostly approved, without a word; so it is decided with everything explained too, or the first
    caller whose event is not would wait until the kernels of reasons are there.
    """
    for everything in {explain, True}:
        engine = Engine(flow, models=models, explain=everything, batch=8)
        for kind in flow.definition.kinds:
            engine.process([engine.readers[kind.__name__].read(example(kind))])
        taken = engine.readers[flow.definition.event.__name__].read(example(flow.definition.event))
        engine.process([msgspec.structs.replace(taken, id=f"example-{number}") for number in range(2, 6)])


async def _apart(task: Callable[[], Engine]) -> Engine:
    """Run a long task in a thread that does not keep the process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Engine] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not done.done():
            set_it(value)

    def work() -> None:
        try:
            result = task()
        except BaseException as error:
            loop.call_soon_threadsafe(settle, done.set_exception, error)
        else:
            loop.call_soon_threadsafe(settle, done.set_result, result)

    threading.Thread(target=work, name="tidegate-start", daemon=True).start()
    return await done


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    _LOG.error("%s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)


def _run(task: Any) -> None:
    """Run to the end on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(task)
    else:
        uvloop.run(task)
