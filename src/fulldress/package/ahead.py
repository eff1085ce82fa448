"""Small members taken whole and hashed ahead of their turn, in threads where that pays; their order stays.

isal's inflate and hashlib give the interpreter free while they work, so that threads share the cores for members of some
size. For small ones a thread costs more than it saves; those are taken some at a time: the decoder's tables and the code of
the walk would else drive each other out of the processor's cache at every member (a fifth of the time of small ones).
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from fulldress.package.archives import Gap, Offer
from fulldress.package.flow import FAULTS

#: The bytes and their digest; None where something was wrong with them, which the stream of chunks then says exactly.
Taken = tuple[bytes, str] | None

_PAYS = 1 << 17  #: a member of so many bytes is worth a thread (measured with benchmarks/bench_inspect.py)
_LARGE = 1 << 23  #: a container of so many bytes is
_ITEMS, _BYTES = 64, 32 << 20  #: how far ahead
_BATCH = 2 << 20  #: bytes taken at a time without threads


def taken(whole: Callable[[], bytes]) -> Taken:
    """What :attr:`Offer.whole` gives, and its sha256."""
    try:
        data = whole()
    except FAULTS:
        return None
    return data, hashlib.sha256(data).hexdigest()


def ahead(items: Iterator[Offer | Gap], size: int, workers: int) -> Generator[tuple[Offer | Gap, Taken], None, None]:
    """The items in their order, each with its bytes where its container gives them as a whole and they are sound."""
    if workers < 2 or size < _LARGE:
        yield from _some(items)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="fulldress-inflate") as pool:
        try:
            yield from _window(items, pool)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _some(items: Iterator[Offer | Gap]) -> Iterator[tuple[Offer | Gap, Taken]]:
    """Some items are asked for, then their bytes are taken, then they are given."""
    fault: Exception | None = None
    more = True
    while more:
        asked: list[Offer | Gap] = []
        held = 0
        try:
            for item in items:
                asked.append(item)
                if isinstance(item, Offer) and item.shape == "file" and item.closed is None:
                    held += item.size
                    if item.again is None or held > _BATCH or len(asked) == _ITEMS:
                        break  # without ``again`` its bytes have to be taken before the next one is asked for
                elif len(asked) == _ITEMS:
                    break
            else:
                more = False
        except FAULTS as error:  # of the container; what came before it has its turn first
            more, fault = False, error
        yield from list(zip(asked, map(_at_once, asked), strict=True))
    if fault is not None:
        raise fault


def _at_once(item: Offer | Gap) -> Taken:
    if isinstance(item, Offer) and item.whole is not None and item.closed is None and item.shape == "file":
        return taken(item.whole)
    return None


def _window(items: Iterator[Offer | Gap], pool: ThreadPoolExecutor) -> Iterator[tuple[Offer | Gap, Taken]]:
    waiting: deque[tuple[Offer | Gap, Future[Taken] | None]] = deque()
    held = 0
    fault: Exception | None = None
    more, blocked = True, False
    while more or waiting:
        while more and not blocked and len(waiting) < _ITEMS and held < _BYTES:
            try:
                item = next(items)
            except StopIteration:
                more = False
                break
            except FAULTS as error:  # of the container; what came before it has its turn first
                more, fault = False, error
                break
            job: Future[Taken] | None = None
            if isinstance(item, Offer):
                if item.shape == "file" and item.again is None and item.closed is None:
                    waiting.append((item, None))
                    blocked = True  # its bytes have to be taken before the next one is asked for
                    break
                if item.whole is not None and item.size >= _PAYS:
                    job = pool.submit(taken, item.whole)
                    held += item.size
            waiting.append((item, job))
        if waiting:
            item, job = waiting.popleft()
            yield item, job.result() if job is not None else _at_once(item)
            blocked = blocked and bool(waiting)
            if job is not None and isinstance(item, Offer):
                held -= item.size
    if fault is not None:
        raise fault
