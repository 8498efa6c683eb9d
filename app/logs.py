"""Logs: one JSON object a line, with fields from a fixed list only. A line never contains text from a caller."""

import datetime as dt
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import orjson

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
        "worker",
        "reason",
    }
)
REPEATED_BY_THE_SERVER = (
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
    "Invalid HTTP request received.",
)
"""The service logs such requests itself."""
HOLE = re.compile(r"[\"'(\[]?%(?:\(\w+\))?[-#0 +]*(?:[1-9][0-9]*)?(?:\.[0-9]+)?[a-zA-Z][\"')\]]?")
LEFT_ALONE = re.compile(r"(?<=\s)[:/,;=.-]+(?=\s|$)")
ROWS = "rows_of_an_event"
NO_FIELDS: Sequence[Mapping[str, Any]] = ({},)


def set_up_logs(level: str) -> None:
    """For this program and its libraries, to standard error. Errors that nothing catches are logged too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    handler.addFilter(lambda record: not str(record.msg).startswith(REPEATED_BY_THE_SERVER))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # otherwise `logging` reports a failed write together with the values of the line
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "fastapi", "sqlalchemy.engine"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # the service logs each request itself, without the address
    logging.getLogger("httpx").setLevel(logging.WARNING)  # httpx would log deliveries, but without the webhook's name
    # Python's own hooks would write the error's message
    sys.excepthook = _log_in_program
    threading.excepthook = lambda caught: _log_uncaught("uncaught_in_thread", caught.exc_value)
    sys.unraisablehook = lambda caught: _log_uncaught("uncaught_unraisable", caught.exc_value)


class Log:
    """Log lines contain only the fields in `ALLOWED`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """An event of normal work."""
        self.info_each(event, [fields])

    def info_each(self, event: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """A line for each of `rows`. One record for all costs much less than one each.

        It is made here: `logging` would look for the calling frame, which takes longer than all other work.
        """
        if self._logger.isEnabledFor(logging.INFO):
            record = logging.LogRecord(self._logger.name, logging.INFO, __file__, 0, event, None, None)
            vars(record)[ROWS] = rows
            self._logger.handle(record)

    def warning(self, event: str, **fields: Any) -> None:
        """An event that an operator should know about."""
        self._logger.warning(event, extra={ROWS: [fields]})

    def error(self, event: str, **fields: Any) -> None:
        self._logger.error(event, extra={ROWS: [fields]})

    def failure(self, event: str, *, error: BaseException, **fields: Any) -> None:
        """With type and stack frames, without the message."""
        self.error(event, error=type(error).__name__, frames=frames_of(error), **fields)

    @contextmanager
    def survive(self, event: str, **fields: Any) -> Iterator[None]:
        """Log any `Exception` of the block as `event`, and continue after the block."""
        try:
            yield
        except Exception as failure:
            self.failure(event, error=failure, **fields)


class Lines(logging.Formatter):
    """JSON lines with only the allowed fields; of an exception type and frames, not the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Of a library's message keep the first line of the template, without values: further lines may have some."""
        told = str(record.msg).partition("\n")[0]
        common: dict[str, Any] = {
            "event": _without_holes(told) if record.args else told,
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": dt.datetime.now(dt.UTC),
        }
        if record.exc_info and record.exc_info[1]:
            common |= {"error": type(record.exc_info[1]).__name__, "frames": frames_of(record.exc_info[1])}
        rows: Sequence[Mapping[str, Any]] = getattr(record, ROWS, NO_FIELDS)
        end = orjson.dumps(common, repr, orjson.OPT_UTC_Z)[1:]  # the same for all rows
        lines = [orjson.dumps(row, repr)[:-1] + (b"," if row else b"") + end for row in map(_allowed, rows)]
        return b"\n".join(lines).decode()


def _without_holes(template: str) -> str:
    words = HOLE.sub("", template.replace("%%", "\0")).replace("\0", "%")
    return " ".join(LEFT_ALONE.sub("", words).split()).rstrip(" :,=")


def _allowed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return row if row.keys() <= ALLOWED else {name: row[name] for name in row if name in ALLOWED}


def frames_of(error: BaseException) -> list[str]:
    """The last 12, without the error's message."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)][
        -12:
    ]


def _log_in_program(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log_uncaught("uncaught", error)


def _log_uncaught(event: str, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        Log(__name__).failure(event, error=error)
