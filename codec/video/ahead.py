"""Work ahead: an iterator that runs in a thread of its own, a few items before the one who takes them."""

from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from threading import Event, Thread
from threading import enumerate as all_threads
from typing import TypeVar

Item = TypeVar("Item")
_DEPTH = 4  # items: enough to level out slow ones, few enough for large frames
_WAIT_S = 0.1  # between two looks whether anybody still wants the items, or wants to stop
_PATIENCE_S = 3.0  # for the item under way, once nobody wants it
_NAME = "linnet-ahead"


def ahead(items: Iterable[Item], depth: int = _DEPTH) -> Generator[Item, None, None]:
    """Give the items, made in a thread: FFmpeg and torch work without Python's lock, so both get on.

    An exception of `items` is raised here, in its place. Closing this iterator ends the thread; one that
    waits for a silent pipe is left behind, and ends with the pipe.
    """
    queue: Queue[list[Item] | BaseException | None] = Queue(depth)  # None is the end
    stop = Event()

    def put(entry: list[Item] | BaseException | None) -> bool:
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
                if not put([item]):
                    return
        except BaseException as error:
            put(error)
        else:
            put(None)
        finally:
            if isinstance(items, Generator):
                items.close()  # ends a thread that it takes from

    def take() -> list[Item] | BaseException | None:
        # Not for ever: a signal that arrives just before the wait, or in another thread, does not end one.
        while True:
            try:
                return queue.get(timeout=_WAIT_S)
            except Empty:
                continue

    thread = Thread(target=work, name=_NAME, daemon=True)
    thread.start()
    try:
        while (entry := take()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stop.set()
        thread.join(_PATIENCE_S)


def any_left_behind() -> bool:
    """Whether a thread still makes an item that nobody wants."""
    return any(thread.name == _NAME for thread in all_threads())
