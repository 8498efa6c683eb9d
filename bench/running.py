"""A program that runs one server of the benchmark.

`python -m bench.running guidance serve ...` runs the service. `python -m bench.running bench.naive:app PORT` runs an
application with uvicorn.

BENCH_FLUSH_MS makes every commit take that many milliseconds longer, as on a slower disk. BENCH_CLOCK sets the
service's clock (see `FastClock`). Both hooks are here, so that the service itself has no code for them.
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
    """A clock that runs `factor` times as fast as real time. It shows the same time in every process.

    It shows `start` until `time.time()` is `since`, and runs from then on.
    """

    start: dt.datetime
    since: float
    factor: float

    @classmethod
    def read(cls, text: str) -> "FastClock":
        """Return the clock from `text`, which `str()` made."""
        start, since, factor = text.split()
        return cls(dt.datetime.fromisoformat(start), float(since), float(factor))

    def __str__(self) -> str:
        """Return the clock as text, for the environment of another process."""
        return f"{self.start.isoformat()} {self.since} {self.factor}"

    def __call__(self) -> dt.datetime:
        """Return the time that the clock shows."""
        return self.start + dt.timedelta(seconds=max(0.0, time.time() - self.since) * self.factor)


def change_clock(clock: FastClock) -> None:
    """Make the service in this process use `clock`, through the same parameter of `create_app` that tests use."""
    from app.server import run  # noqa: PLC0415  # after the collector is off, as the service does

    run.create_app = partial(run.create_app, clock=clock)  # type: ignore[attr-defined]


def slow_down_commits(milliseconds: float) -> None:
    """Make each commit of every SQLAlchemy engine in this process take `milliseconds` longer."""
    from sqlalchemy import Connection, Engine, event  # noqa: PLC0415  # after the collector is off, as the service does

    def wait(_connection: Connection) -> None:
        time.sleep(milliseconds / 1000)

    event.listen(Engine, "commit", wait)


def serve(name: str, port: int) -> None:
    """Serve the application `name` (`module:app`) on `port` with the settings that `guidance serve` gives uvicorn."""
    import uvicorn  # noqa: PLC0415  # the service has its own import

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
        sys.modules["bcrypt"] = None  # type: ignore[assignment]  # Kinto installs it, the service does not
        sys.argv = [program, *rest]
        main()
    else:
        serve(program, int(rest[0]))
