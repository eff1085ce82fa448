"""The folder that a rehearsal works in, and what happens to it however the rehearsal ends."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fulldress.stage import sweep

#: Ends that are asked for from outside: ``kill``, a service manager or CI that gives up, a terminal that is closed.
ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder below the temporary one, gone at the end of the block.

    While it is there, SIGTERM and SIGHUP end the program as Ctrl-C does, block by block (exit code 128 + number), so that
    servers, stages and files go with it. What a rehearsal that was killed outright has left is removed first."""
    place = Path(tempfile.gettempdir())
    sweep.sweep(place)
    # Handlers belong to the main thread; elsewhere the owner of that thread has to see to its ends.
    ends = ENDS if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, _leave) for number in ends}
    folder = sweep.new_folder(place, "fulldress")
    try:
        yield folder
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_IGN)  # nothing is to cut this short
        sweep.remove(folder)
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
