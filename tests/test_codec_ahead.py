"""Work ahead in a thread: a signal stops whoever waits for it, wherever the system delivers it."""

import signal
import time
from collections.abc import Iterator
from threading import Event, Thread, get_ident
from types import FrameType

import pytest

from linnet.codec.video.ahead import ahead


class Stopped(Exception):
    """Raised by the handler, as the command line raises KeyboardInterrupt."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


@pytest.fixture(autouse=True)
def stopped_by_a_signal() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, _stop)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_that_another_thread_receives_ends_the_wait_for_an_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("linnet.codec.video.ahead._PATIENCE_S", 0.1)
    source_goes_on = Event()

    def silent() -> Iterator[int]:
        yield 1
        source_goes_on.wait(20)

    def receive() -> None:
        time.sleep(0.3)  # until the main thread waits
        signal.pthread_kill(get_ident(), signal.SIGUSR1)

    items = ahead(silent())
    assert next(items) == 1
    Thread(target=receive).start()
    begun = time.monotonic()
    try:
        with pytest.raises(Stopped):
            next(items)
    finally:
        source_goes_on.set()
        items.close()
    assert time.monotonic() - begun < 10
