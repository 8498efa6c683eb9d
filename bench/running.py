"""A program that runs one server of the benchmark.

`python -m bench.running guidance serve ...` runs the service. `python -m bench.running bench.naive:app PORT` runs an
application with uvicorn.

BENCH_FLUSH_MS makes every commit take that many milliseconds longer, as on a slower disk. The hook is here, so that the
service itself has no code for it.
"""

import os
import sys
import time

from app.cli import main


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
    program, *rest = sys.argv[1:]
    if program == "guidance":
        sys.argv = [program, *rest]
        main()
    else:
        serve(program, int(rest[0]))
