"""A record of every answer that callers were given, and its comparison with the log of the server.

The marker of a request stands in its answer only where the request succeeded. The id of an answer stands in every one,
and the log has the route of its request: so an answer that went to another caller shows, whatever its status.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from app.http.log_requests import NO_ROUTE, OTHER_METHOD

ANY = ""


class Answer(NamedTuple):
    """One answer, with the method and the route of the request that it was given to; `ANY` where neither is known."""

    request_id: str
    method: str
    route: str
    status: int


class AnswerRecord:
    """Every answer, of callers in any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: dict[str, Answer] = {}

    def add(self, answers: Iterable[Answer]) -> None:
        """Record answers. None has the id of another."""
        with self._lock:
            for each in answers:
                assert each.request_id not in self._answers, each
                self._answers[each.request_id] = each

    @property
    def statuses(self) -> Counter[int]:
        """How many answers had each status."""
        return Counter(each.status for each in self._answers.values())

    def strangers(self, log: Path) -> list[tuple[Answer, Answer | None]]:
        """Return the answers that the log has for another route, method or status, or not once, with what it has."""
        logged: dict[str, Answer | None] = {}
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"event":"request"' in line:
                said = json.loads(line)
                request_id = said["request_id"]
                answer = Answer(request_id, said["method"], said["route"], said["status"])
                logged[request_id] = None if request_id in logged else answer
        found = [(each, logged.get(each.request_id)) for each in self._answers.values()]
        return [(each, other) for each, other in found if other is None or not _agree(each, other)]


def _agree(answer: Answer, logged: Answer) -> bool:
    return (
        answer.status == logged.status
        and (answer.method == ANY or logged.method in (answer.method, OTHER_METHOD))
        and (answer.route == ANY or logged.route in (answer.route, NO_ROUTE))
    )
