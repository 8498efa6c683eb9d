"""Runs one server of the benchmark: `python -m bench.running guidance serve ...`, or `bench.naive:app` by uvicorn.

With BENCH_FLUSH_MS every commit takes so many milliseconds longer, as it would on a slower disk. The hook stands here,
so that the program that is measured knows nothing of it.
"""

import os
import sys
import time

from app.cli import main


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
    program, *rest = sys.argv[1:]
    if program == "guidance":
        sys.modules["bcrypt"] = None  # type: ignore[assignment]  # Kinto brings it: the service comes without
        sys.argv = [program, *rest]
        main()
    else:
        serve(program, int(rest[0]))
