"""Writes that are on the disk when they are done: begun here, waited for there, and neither takes a thread.

Linux's own asynchronous I/O (`man 2 io_submit`), past the page cache and with a sync of its own (`O_DIRECT`,
`O_DSYNC`), by numbers of system calls, since no library that lies everywhere has them. Where there is none of it
(another system, a file system that cannot, a sandbox that forbids it) making a file says so by an `OSError`.
"""

import ctypes
import mmap
import os
import platform
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path

BLOCK = 4096
"""Bytes that places and lengths of writes are multiples of."""
MOST = 1 << 20
"""The most bytes of one write."""
_FLYING = 4
"""Writes that may be on their way at the same time; each has a buffer of its own."""

_CALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""Of io_setup, io_destroy, io_getevents and io_submit."""
_WRITE = struct.Struct("<QIIHhIQQqQII")
"""A control block (`struct iocb`): number, key, flags, operation, priority, file, buffer, bytes, place, rest unused."""
_PWRITE = 1
_EVENT = struct.Struct("<QQqq")
"""What became of a write: its number, its control block, bytes written or minus an error's number, unused."""


class DirectFile:
    """A file of a fixed size, written in blocks. One thread begins writes; any thread waits for them.

    Args:
        path: of the file, which is made anew, of zeros.
        size: in bytes, whole blocks.
        mode: who may read and write it, as `chmod` has it.

    Raises:
        OSError: there is no room for it, or no such way of writing here.
    """

    def __init__(self, path: Path, size: int, mode: int = 0o600) -> None:
        if platform.machine() not in _CALLS or sys.maxsize < 1 << 32 or not hasattr(os, "O_DIRECT"):
            raise OSError("no asynchronous writes on this system")
        setup, destroy, events, submit = map(ctypes.c_long, _CALLS[platform.machine()])
        # Beginning a write keeps the interpreter's lock, as it takes some 50 us; waiting for one lets other threads in.
        self._call = ctypes.PyDLL(None, use_errno=True).syscall
        self._wait = ctypes.CDLL(None, use_errno=True).syscall
        _fill(path, size, mode)
        self._file = os.open(path, os.O_WRONLY | os.O_DIRECT | os.O_DSYNC | os.O_CLOEXEC)
        context = ctypes.c_ulong(0)
        if self._call(setup, ctypes.c_long(_FLYING), ctypes.byref(context)) != 0:
            error = _failed()
            os.close(self._file)
            raise error
        self._plain = os.open(path, os.O_WRONLY | os.O_DSYNC | os.O_CLOEXEC)
        self._buffers = [_Buffer() for _ in range(_FLYING)]
        self._free = list(self._buffers)
        self._flying: dict[int, _Buffer] = {}
        self._collecting = threading.Lock()
        self._happened = (ctypes.c_ubyte * (_EVENT.size * _FLYING))()
        # The arguments of all calls are made once: making them takes longer than passing them.
        one, most = ctypes.c_long(1), ctypes.c_long(_FLYING)
        second = (ctypes.c_long * 2)(1, 0)  # not for ever, in case that what we wait for could not even be begun
        self._wait_one = (events, context, one, most, self._happened, second)
        self._give_up = (destroy, context)
        for buffer in self._buffers:
            buffer.submit = (submit, context, one, buffer.controls)
        self._error: OSError | None = None
        self._closed = False

    def begin(self, number: int, content: bytes | bytearray, place: int) -> None:
        """Begin to write; what the last block has beyond the content becomes zeros.

        Args:
            number: of the write, larger than those before.
            content: at most `MOST` bytes.
            place: in the file, whole blocks from its begin.

        Raises:
            OSError: it cannot be begun.
        """
        if self._closed:
            raise OSError("it is closed")
        while not self._free:
            self.wait(min(self._flying, default=0))
        buffer = self._free.pop()
        size = len(content)
        whole = size + -size % BLOCK
        buffer.memory[:size] = content
        buffer.memory[size:whole] = bytes(whole - size)
        _WRITE.pack_into(buffer.control, 0, number, 0, 0, _PWRITE, 0, self._file, buffer.address, whole, place, 0, 0, 0)
        buffer.bytes = whole
        self._flying[number] = buffer
        if self._call(*buffer.submit) != 1:
            error = _failed()
            self._free.append(self._flying.pop(number))
            raise error

    def wait(self, number: int) -> None:
        """Wait until the writes up to this one are on the disk.

        Raises:
            OSError: one of this file's writes failed, this one or another.
        """
        after = number + 1  # `min` lets no other thread in, which could change what it looks through
        while min(self._flying, default=after) < after:
            with self._collecting:
                if min(self._flying, default=after) < after:
                    self._collect()
        if self._error is not None:
            raise self._error

    def _collect(self) -> None:
        """Wait for at least one write, but not for ever."""
        many = self._wait(*self._wait_one)
        if many < 0 and ctypes.get_errno() != 4:  # EINTR: a signal came
            raise _failed()
        for event in range(many):
            number, _, written, _ = _EVENT.unpack_from(self._happened, event * _EVENT.size)
            buffer = self._flying[number]
            if written != buffer.bytes:
                self._error = OSError(-written, os.strerror(-written)) if written < 0 else OSError("a write was cut")
            self._free.append(buffer)
            del self._flying[number]

    def require_name(self) -> None:
        """Raise OSError if the file was deleted, so that nobody will find what is written to it."""
        if not os.fstat(self._file).st_nlink:
            raise OSError("it was deleted")

    def lies_at(self, path: Path) -> bool:
        """Whether the file at a path is still this one; asked before it is closed."""
        own = os.fstat(self._file)
        with suppress(OSError):
            found = os.stat(path)
            return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)
        return False

    def overwrite(self, place: int, content: bytes) -> None:
        """Write in the plain way, after all that was begun; it is on the disk when this returns.

        Raises:
            OSError: the disk failed.
        """
        if self._closed:
            raise OSError("it is closed")
        with suppress(OSError):  # two writes to one place may overtake each other
            self.wait(max(self._flying, default=0))
        os.pwrite(self._plain, content, place)

    def close(self) -> None:
        """Let go of it, once all writes are done. They may have failed. Closing twice is no mistake."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            self.wait(max(self._flying, default=0))
        self._call(*self._give_up)
        os.close(self._file)
        os.close(self._plain)


class _Buffer:
    """Memory for one write, and how the system is told of it."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, MOST)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.control = (ctypes.c_ubyte * _WRITE.size)()
        self.controls = (ctypes.c_void_p * 1)(ctypes.addressof(self.control))
        self.submit: tuple[object, ...] = ()
        self.bytes = 0


def _fill(path: Path, size: int, mode: int) -> None:
    """Make a file of zeros: a write into blocks that are there already changes nothing else of the file system."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(file, mode)
        zeros, left = bytes(MOST), size
        while left > 0:
            left -= os.write(file, zeros[: min(left, MOST)])
        os.fsync(file)
    finally:
        os.close(file)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _failed() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
