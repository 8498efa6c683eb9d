"""The base of the background workers: when it works, and how it ends."""

import threading

from app.services.operations.workers import PeriodicWorker

LONG = 3600.0
PATIENCE_SECONDS = 30


class CountingWorker(PeriodicWorker):
    def __init__(self, *delays: float, first_delay: float = 0.0) -> None:
        super().__init__("counting", first_delay=first_delay)
        self.delays = list(delays)
        self.runs = 0
        self.is_waiting = threading.Event()

    def run_once(self) -> float:
        self.runs += 1
        delay = self.delays.pop(0)
        if delay == LONG:
            self.is_waiting.set()
        return delay


def test_it_works_again_after_each_delay_until_it_is_stopped() -> None:
    worker = CountingWorker(0.0, 0.01, LONG)
    worker.start()
    assert worker.is_waiting.wait(PATIENCE_SECONDS)

    worker.stop()

    assert worker.runs == 3
    assert worker.is_stopping


def test_with_a_first_delay_it_does_not_work_at_once() -> None:
    worker = CountingWorker(first_delay=LONG)
    worker.start()

    worker.stop()

    assert worker.runs == 0


def test_a_worker_that_was_never_started_can_be_stopped() -> None:
    CountingWorker().stop()


def test_in_the_calling_thread_it_ends_when_a_stop_is_requested() -> None:
    worker = CountingWorker(LONG)

    def stop_while_it_waits() -> None:
        worker.is_waiting.wait(PATIENCE_SECONDS)
        worker.request_stop()

    stopping = threading.Thread(target=stop_while_it_waits)
    stopping.start()

    worker.run()

    stopping.join()
    assert worker.runs == 1
