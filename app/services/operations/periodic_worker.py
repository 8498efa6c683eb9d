"""The base of the background workers: a thread that works, waits and works again, until it is stopped."""

import threading
from abc import ABC, abstractmethod


class PeriodicWorker(ABC):
    """A thread that calls `run_once` again and again. `first_delay` is in seconds."""

    def __init__(self, name: str, *, first_delay: float = 0.0) -> None:
        self._delay = first_delay
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def run_once(self) -> float:
        """Do the work once, and return the seconds to wait before the next time."""

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Let the worker end after the work in hand."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait until the thread has ended."""
        self.request_stop()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> None:
        """Work until stopped, in the calling thread."""
        while not self._stopped.wait(self._delay):
            self._delay = self.run_once()
