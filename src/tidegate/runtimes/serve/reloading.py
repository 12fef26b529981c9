"""What changes while a server runs: its API keys, as soon as their file does, and its certificate, on SIGHUP."""

import asyncio
import logging
import signal
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.runtimes.serve.application import Application
from tidegate.runtimes.serve.keys import Keys
from tidegate.runtimes.serve.marks import mark
from tidegate.runtimes.serve.tls import Tls

_LOG = logging.getLogger("tidegate.serve")
_SECONDS = 1.0


class Reloading:
    """Reads keys and certificate again.

    A file that is missing or damaged changes nothing, since a slip of the pen must not lock everyone out; it is logged.
    One without any key locks everyone out: that is what it says.

    Args:
        application: gets the new keys.
        keys: their file, None if there are none.
        tls: reads its files again, None if there is none.
    """

    def __init__(self, application: Application, keys: Path | None, tls: Tls | None) -> None:
        self._application, self._keys, self._tls = application, keys, tls
        self._mark = mark(keys)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look at the file of keys, once a second, and to listen to SIGHUP."""
        loop = asyncio.get_running_loop()
        if self._keys is not None or self._tls is not None:
            loop.add_signal_handler(signal.SIGHUP, self.reload)
        if self._keys is not None:
            self._timer = loop.call_later(_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        found = mark(self._keys)
        if found != self._mark:
            self._mark = found
            self._read_keys()
        self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._look)

    def reload(self) -> None:
        """Read everything again."""
        self._mark = mark(self._keys)
        self._read_keys()
        if self._tls is not None:
            try:
                self._tls.reload()
            except TidegateError as error:
                _LOG.error("The certificate was not read again, and stays as it was. %s", error)
            else:
                _LOG.warning("The certificate was read again; it is valid until %s.", self._tls.until)

    def _read_keys(self) -> None:
        if self._keys is None:
            return
        try:
            self._application.keys = found = Keys.read(self._keys, even_none=True)
        except TidegateError as error:
            _LOG.error("The keys were not read again, and stay as they were. %s", error)
        else:
            _LOG.warning("The keys were read again; there are %d.", len(found))
