"""Logs: one JSON object a line, and in it only fields of a fixed list. Nothing that anyone sent can reach a line."""

import datetime as dt
import json
import logging
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "request_id",
        "method",
        "route",
        "status",
        "milliseconds",
        "error",
        "frames",
        "path",
        "guide",
        "edition",
        "digest",
        "count",
        "recipients",
        "address",
        "webhook",
        "attempts",
    }
)
FIELDS = "fields_of_an_event"


def set_up_logs(level: str) -> None:
    """Write every log line, those of libraries too, as JSON of the allowed fields to standard error."""
    handler = LineHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a line that cannot be written would be told whole, with its values
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "fastapi", "sqlalchemy.engine"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # the service writes its own line, without any address


class Log:
    """Tells events: each a name, with fields of the fixed list."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """Tell what is as it should be."""
        self._logger.info(event, extra={FIELDS: fields})

    def warning(self, event: str, **fields: Any) -> None:
        """Tell what an operator should know."""
        self._logger.warning(event, extra={FIELDS: fields})

    def error(self, event: str, **fields: Any) -> None:
        """Tell what went wrong."""
        self._logger.error(event, extra={FIELDS: fields})


class Lines(logging.Formatter):
    """Makes each record a line of the allowed fields. Of an error it tells the type and the frames."""

    def format(self, record: logging.LogRecord) -> str:
        """The line.

        A library's record keeps the words of its author, without the values put into them, and of those words the first
        line: some libraries, asyncio among them, put values into their words, on lines of their own.
        """
        told: dict[str, Any] = {
            **getattr(record, FIELDS, {}),
            "event": str(record.msg).partition("\n")[0],
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _now(),
        }
        if record.exc_info and record.exc_info[1]:
            told |= {"error": type(record.exc_info[1]).__name__, "frames": frames_of(record.exc_info[1])}
        return json.dumps({name: value for name, value in told.items() if name in ALLOWED}, default=repr)


Answered = tuple[str, str, str, int, float]
"""Of one answered request: its id, method, route and status, and the seconds that it took."""


class LineHandler(logging.StreamHandler[Any]):
    """Writes records, and lines that are already whole."""

    def write_lines(self, lines: str) -> None:
        """Write whole lines, each with its end. What cannot be written is lost, like a record's line."""
        with self.lock or nullcontext():
            try:
                self.stream.write(lines)
                self.flush()
            except (OSError, ValueError):
                return


class RequestLines:
    """One line for each request, of the same fields as if it were a record's.

    A record costs more than an answer from memory does, so these lines are put together by hand.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def write(self, answered: Sequence[Answered]) -> None:
        """Tell of requests that were answered just now."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        name = self._logger.name
        end = f', "timestamp": "{_now()}"}}\n'
        lines = "".join(
            f'{_told_of(name, *told)}"request_id": "{request_id}", "milliseconds": {seconds * 1000:.1f}{end}'
            for request_id, *told, seconds in answered
        )
        for handler in self._logger.root.handlers:
            if isinstance(handler, LineHandler):
                handler.write_lines(lines)


@lru_cache(maxsize=1000)
def _told_of(logger: str, method: str, route: str, status: int) -> str:
    fields = {"event": "request", "level": "info", "logger": logger} | {"method": method, "route": route}
    return json.dumps({**fields, "status": status})[:-1] + ", "


def frames_of(error: BaseException) -> list[str]:
    """Where the error was raised: file and line of each frame, and none of its words."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)][
        -12:
    ]


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
