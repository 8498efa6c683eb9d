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

import structlog
from structlog.typing import EventDict, WrappedLogger

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


def set_up_logs(level: str) -> None:
    """Write every log line, those of libraries too, as JSON of the allowed fields to standard error."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        use_get_message=False,  # a library's line keeps the words of its author, without the values put into them
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _type_and_frames_of_an_error,
            _first_line_of_the_event,
            _allowed_fields_alone,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = LineHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a line that cannot be written would be told whole, with its values
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "fastapi", "sqlalchemy.engine"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # the service writes its own line, without any address


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
        end = f', "timestamp": "{dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")}"}}\n'
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


def _type_and_frames_of_an_error(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else told if isinstance(told, BaseException) else sys.exc_info()[1]
    if told and error is not None:
        event["error"] = type(error).__name__
        event["frames"] = frames_of(error)
    return event


def _first_line_of_the_event(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Some libraries, asyncio among them, put values into their words; they put them on lines of their own."""
    event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event


def _allowed_fields_alone(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in ALLOWED}
