"""Seven years of concerns, written as rows: most are closed, some are pending, and their audit log verifies."""

import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlmodel import Session, SQLModel

from app.db.database import for_writing
from app.db.tables import table_of
from app.models.audit.details import ClosedDetails, Details, PersonDetails
from app.models.audit.rows import AuditEntryRow, ChainRow, DeskAct
from app.models.concerns.card_rows import OF_THE_CONCERN, CardRow
from app.models.concerns.digests import seal_details
from app.models.concerns.rows import SET_BY_THE_REPORTER, ConcernRow
from app.models.events.rows import EventKind
from app.models.references import new_reference
from app.services.audit.audit_log import Actor, by_reporter, next_row
from app.services.audit.chains import BEFORE_THE_FIRST, End
from app.services.concerns.card_making import seal_card
from app.services.events.outbox import Event, append_events
from bench.content import Progress, receive, running_context

SEVEN_YEARS = dt.timedelta(days=7 * 365)
A_BATCH = 2000
WORKERS = 200
OUTCOME = "early_help"
NOBODY_ACKNOWLEDGED, NOBODY_CLOSED, ASSIGNED, TESTS = 0.01, 0.03, 0.3, 0.0005
"""Shares of concerns: never acknowledged, never closed, assigned to a person, and sent as tests."""
HOURS_TO_ACKNOWLEDGE, DAYS_TO_CLOSE = 10.0, 20.0
IN_CLEAR = ["reference", *SET_BY_THE_REPORTER]
by_desk = partial(Actor, "desk/Kim Example", "192.0.2.1")
FASTER = ("synchronous=OFF", "cache_size=-1000000")  # settings of SQLite while the database is filled


@dataclass
class _Concern:
    """A concern of these years: its columns, its sealed card, its entries of the audit log, and its events."""

    columns: dict[str, Any]
    card: bytes
    chain: list[dict[str, Any]] = field(default_factory=list)
    end: End = BEFORE_THE_FIRST
    events: list[Event] = field(default_factory=list)

    def record(self, act: DeskAct, actor: Actor, details: Details | None = None) -> None:
        """Append an entry of the audit log for the action, and set the time of the last change."""
        row, self.end = next_row(self.columns["reference"], self.end, act, actor, details)
        self.chain.append(row)
        self.columns["changed_at"] = actor.at

    def announce(self, kind: EventKind, at: dt.datetime) -> None:
        """Append an event about the concern, unless the concern is a test."""
        if not self.columns["test"]:
            self.events.append((kind, at, {"reference": self.columns["reference"]}))


def fill_with_years(
    data_dir: Path,
    number: int,
    progress: Progress,
    *,
    card_texts: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write `number` concerns into the database, received evenly over the seven years until now.

    `card_texts` has a card for each concern, and is sealed. If it is empty, all concerns have one and the same card.
    """
    receive(data_dir, 1)
    with running_context(data_dir) as context:
        now = context.clock()
        with Session(context.engine) as session:
            copied = session.exec(select(table_of(ConcernRow))).mappings().first()  # type: ignore[call-overload]
            logged = session.exec(select(func.max(AuditEntryRow.position))).scalar_one() or 0  # type: ignore[call-overload]
            card = session.exec(select(table_of(CardRow).c.sealed)).scalars().first()  # type: ignore[call-overload]
        draw = random.Random(number)  # noqa: S311  # the seed makes the same years in every run
        sealer, texts = context.submissions.sealer, iter(card_texts)
        numbers = count(logged + 1)

        def card_for(reference: str, at: dt.datetime) -> bytes:
            text = next(texts, None)
            return card if text is None else seal_card(sealer, text, reference, at=at)

        for begin in range(0, number, A_BATCH):
            size = min(A_BATCH, number - begin)
            ages = (SEVEN_YEARS * (1 - (begin + place) / number) for place in range(size))
            _insert(
                context.engine, [_draw_concern(draw, copied, card_for, at=now - age, now=now) for age in ages], numbers
            )
            progress("concerns of seven years", begin + size, number)


def _draw_concern(
    draw: random.Random,
    copied: Mapping[str, Any],
    card_for: Callable[[str, dt.datetime], bytes],
    *,
    at: dt.datetime,
    now: dt.datetime,
) -> _Concern:
    reference = new_reference()
    card = card_for(reference, at)
    columns = {name: copied[name] for name in (*IN_CLEAR, "recipients", "sealed")} | {
        "reference": reference,
        "received_at": at,
        "acknowledge_by": at + dt.timedelta(days=draw.choice((1, 1, 3))),
        "status_token_sha256": hashlib.sha256(reference.encode()).digest(),
        "immediate_danger": draw.choices(("no", "not_sure", "yes"), (80, 15, 5))[0],
        "referral_source": draw.choice((None, "1", "2")),
        "test": draw.random() < TESTS,
        "state": "received",
        "assigned_to": "",
        **dict.fromkeys(("acknowledged_at", "closed_at", "outcome")),
        **dict.fromkeys(("outcome_shared", "overdue_announced", "held"), False),
    }
    concern = _Concern(columns, card)
    details = seal_details(columns["sealed"], columns["recipients"], columns=columns, card=card)
    concern.record(DeskAct.RECEIVED, by_reporter(at), details)
    concern.announce(EventKind.CONCERN_RECEIVED, at)
    _work_on(concern, draw, now)
    return concern


def _work_on(concern: _Concern, draw: random.Random, now: dt.datetime) -> None:
    """Apply the usual desk actions to the concern, at random times up to `now`."""
    columns = concern.columns
    seen_at = columns["received_at"] + dt.timedelta(hours=draw.expovariate(1 / HOURS_TO_ACKNOWLEDGE))
    is_seen = draw.random() > NOBODY_ACKNOWLEDGED and seen_at < now
    if columns["acknowledge_by"] < (seen_at if is_seen else now) and not columns["test"]:
        columns["overdue_announced"] = True
        concern.announce(EventKind.CONCERN_OVERDUE, columns["acknowledge_by"])
    if is_seen:
        columns |= {"state": "acknowledged", "acknowledged_at": seen_at}
        concern.record(DeskAct.ACKNOWLEDGED, by_desk(seen_at))
        concern.announce(EventKind.CONCERN_ACKNOWLEDGED, seen_at)
        closed_at = seen_at + dt.timedelta(days=draw.expovariate(1 / DAYS_TO_CLOSE))
        if draw.random() > NOBODY_CLOSED and closed_at < now:
            columns |= {"state": "closed", "closed_at": closed_at, "outcome": OUTCOME}
            concern.record(DeskAct.CLOSED, by_desk(closed_at), ClosedDetails(outcome=OUTCOME, shared=False))
            concern.announce(EventKind.CONCERN_CLOSED, closed_at)
    if draw.random() < ASSIGNED:
        columns["assigned_to"] = f"Worker {draw.randrange(WORKERS)}"
        last, details = concern.chain[-1]["at"], PersonDetails(person=columns["assigned_to"])
        concern.record(DeskAct.ASSIGNED, by_desk(last), details)


def _insert(engine: Engine, concerns: Sequence[_Concern], numbers: "count[int]") -> None:
    acts = [row | {"position": next(numbers)} for each in concerns for row in each.chain]
    cards = [
        {"reference": each.columns["reference"], "addition": OF_THE_CONCERN, "sealed": each.card} for each in concerns
    ]
    chains = [
        {"name": each.columns["reference"], "length": each.end.number, "head_sha256": each.end.sha256}
        for each in concerns
    ]
    rows: list[tuple[type[SQLModel], list[dict[str, Any]]]] = [
        (ConcernRow, [each.columns for each in concerns]),
        (AuditEntryRow, [act for act in acts if act["number"] == 1]),
        (CardRow, cards),  # a card comes right after the first entry
        (AuditEntryRow, [act for act in acts if act["number"] > 1]),
        (ChainRow, chains),
    ]
    with for_writing(engine).connect() as connection:
        if engine.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            for pragma in FASTER:
                driver.execute(f"PRAGMA {pragma}")
        with connection.begin():
            for row, values in rows:
                connection.execute(insert(table_of(row)), values)
            append_events(connection, [told for each in concerns for told in each.events])
