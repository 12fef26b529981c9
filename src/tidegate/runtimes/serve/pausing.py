"""When a connection is read, so that neither requests sent together nor answers nobody reads pile up in memory."""

import asyncio
from collections.abc import Sized

from uvicorn.protocols.http.flow_control import FlowControl


class Pausing(FlowControl):
    """Uvicorn's flow control, which reads no more while requests wait for those before them, or answers to be read.

    Args:
        transport: of the connection.
        waiting: the requests that wait. Each answer would let uvicorn read a piece that holds a thousand more.
    """

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        super().pause_writing()
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Who is at work has come to the end of what was read."""
        if self._waiting:
            return
        if self.write_paused:
            self.read_paused = False
        else:
            super().resume_reading()

    def resume_writing(self) -> None:
        """The client takes more, or is gone."""
        super().resume_writing()
        if not self.read_paused and not self._transport.is_closing():
            self._transport.resume_reading()
