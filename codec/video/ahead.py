"""Work ahead: an iterator that runs in a thread of its own, a few items before the one who takes them."""

from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")
_DEPTH = 4  # items: enough to level out slow ones, few enough for large frames
_WAIT_S = 0.1  # between two looks whether anybody still wants the items


def ahead(items: Iterable[Item], depth: int = _DEPTH) -> Iterator[Item]:
    """Give the items, made in a thread: FFmpeg and torch work without Python's lock, so both get on.

    An exception of `items` is raised here, in its place. Closing this iterator ends the thread.
    """
    queue: Queue[tuple[Item | None, BaseException | None, bool]] = Queue(depth)
    stop = Event()

    def put(entry: tuple[Item | None, BaseException | None, bool]) -> bool:
        while not stop.is_set():
            try:
                queue.put(entry, timeout=_WAIT_S)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((item, None, False)):
                    return
        except BaseException as error:
            put((None, error, True))
        else:
            put((None, None, True))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = queue.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # pyright: only the last entry is no item
    finally:
        stop.set()
        while thread.is_alive():
            try:
                queue.get(timeout=_WAIT_S)
            except Empty:
                thread.join(_WAIT_S)
