"""A compressed stream that is inflated in a thread while what came before is hashed and told apart.

The decompressors of the standard library and isal let other threads run. A package of one large xz stream is bound by it,
so that all else is free of charge on a second core.
"""

from __future__ import annotations

import queue
import threading

from fulldress.package.archives.streams import CHUNK, Inflated

_PIECES = 4  #: pieces of about :data:`CHUNK` bytes that wait at most


class ReadAhead:
    """Reads ``stream`` forwards in a thread. Close it: the thread has ended then."""

    def __init__(self, stream: Inflated) -> None:
        self._stream = stream
        self._pieces: queue.Queue[bytes | Exception] = queue.Queue(_PIECES)
        self._closed = False
        self._last: bytes | Exception | None = None  #: nothing, or the fault that ended it
        self._thread = threading.Thread(target=self._run, name="fulldress-inflate", daemon=True)
        self._thread.start()

    def read(self, size: int = CHUNK) -> bytes:
        """The next piece; empty at the end. Raises, each time, what reading the stream raised."""
        if self._last is None:
            piece = self._pieces.get()
            if piece and not isinstance(piece, Exception):
                return piece
            self._last = piece
        if isinstance(self._last, Exception):
            raise self._last
        return self._last

    def close(self) -> None:
        """Stop, wherever it is."""
        self._closed = True
        while self._thread.is_alive():
            while not self._pieces.empty():
                self._pieces.get_nowait()  # it may be waiting for a place
            self._thread.join(0.01)

    def _run(self) -> None:
        piece: bytes | Exception = b"begin"
        while piece and not isinstance(piece, Exception) and not self._closed:
            try:
                piece = self._stream.read(CHUNK)
            except Exception as fault:  # noqa: BLE001 - raised again where it is read
                piece = fault
            self._pieces.put(piece)
