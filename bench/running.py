"""Runs one server of the benchmark: `python -m bench.running guidance serve ...`, or `bench.naive:app` by uvicorn.

With BENCH_FLUSH_MS every commit takes so many milliseconds longer, as it would on a slower disk. With BENCH_CLOCK the
service has that clock (see `FastClock`). Both hooks stand here, so that the program that is measured knows nothing of
them.
"""

import datetime as dt
import os
import sys
import time
from dataclasses import dataclass
from functools import partial

from app.cli import main


@dataclass(frozen=True)
class FastClock:
    """A clock that runs so many times as fast, the same in every process: it began at `start` when it was `since`."""

    start: dt.datetime
    since: float
    factor: float

    @classmethod
    def read(cls, text: str) -> "FastClock":
        """Return the clock that `str` has written."""
        start, since, factor = text.split()
        return cls(dt.datetime.fromisoformat(start), float(since), float(factor))

    def __str__(self) -> str:
        """Return it as text, for the environment of another process."""
        return f"{self.start.isoformat()} {self.since} {self.factor}"

    def __call__(self) -> dt.datetime:
        """Return the time."""
        return self.start + dt.timedelta(seconds=max(0.0, time.time() - self.since) * self.factor)


def change_clock(clock: FastClock) -> None:
    """Have the service of this process built with that clock, as tests build it with theirs."""
    from app.server import run  # noqa: PLC0415  # after the collector is off, as the service does

    run.create_app = partial(run.create_app, clock=clock)  # type: ignore[attr-defined]


def slow_down_commits(milliseconds: float) -> None:
    """Have each commit of any engine in this process take so much longer."""
    from sqlalchemy import Connection, Engine, event  # noqa: PLC0415  # after the collector is off, as the service does

    def wait(_connection: Connection) -> None:
        time.sleep(milliseconds / 1000)

    event.listen(Engine, "commit", wait)


def serve(name: str, port: int) -> None:
    """Serve a baseline under the settings that `guidance serve` gives to uvicorn."""
    import uvicorn  # noqa: PLC0415  # the service imports it by itself

    uvicorn.run(
        name,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off" if "bare" in name else "on",
    )


if __name__ == "__main__":
    if "BENCH_FLUSH_MS" in os.environ:
        slow_down_commits(float(os.environ["BENCH_FLUSH_MS"]))
    if "BENCH_CLOCK" in os.environ:
        change_clock(FastClock.read(os.environ["BENCH_CLOCK"]))
    program, *rest = sys.argv[1:]
    if program == "guidance":
        sys.modules["bcrypt"] = None  # type: ignore[assignment]  # Kinto brings it: the service comes without
        sys.argv = [program, *rest]
        main()
    else:
        serve(program, int(rest[0]))
