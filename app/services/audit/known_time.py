"""The last known time, stored to detect a wrong clock, which could end retention periods too early."""

import datetime as dt

from sqlmodel import Session, col, select

from app.errors import ClockInDoubt
from app.models.audit.rows import AuditEntryRow, CheckpointRow, KnownTimeRow, NotedTime

MOST_APART = dt.timedelta(days=1)
"""Greatest difference between clock and last known time.

After a larger one, or downtime, a person must check the clock.
"""
MOST_AHEAD = MOST_APART + dt.timedelta(hours=2)
"""Greatest lead of the last known time over the newest entry: a running service signs a checkpoint each day."""
CHECK_THE_CLOCK = (
    "Nothing was erased. Check the date of this machine; when it is right, run guidance desk purge --clock-checked."
)
NOTE_THE_TIME = "Check the date of this machine; when it is right, run guidance desk purge --clock-checked."
_NEWEST_ACT = select(AuditEntryRow.at).order_by(col(AuditEntryRow.position).desc()).limit(1)


def find_clock_fault(session: Session, *, at: dt.datetime) -> str | None:
    """Return the difference as text if it is above `MOST_APART`. The newest entry stands in for an unknown time."""
    known = session.get(KnownTimeRow, NotedTime.CLOCK.value)
    known_at = known.at if known is not None else session.exec(_NEWEST_ACT).first()
    if known_at is None or abs(at - known_at) <= MOST_APART:
        return None
    side = "ahead of" if at > known_at else "behind"
    days = abs(at - known_at) / dt.timedelta(days=1)
    return f"the clock is {days:.1f} days {side} the time that was last known, {known_at:%Y-%m-%d %H:%M} UTC"


def find_known_time_fault(session: Session) -> str | None:
    """Return what is wrong with the stored time: it is missing after a signed checkpoint, or more than `MOST_AHEAD`.

    An earlier time cannot cause an erasure.
    """
    known, newest = session.get(KnownTimeRow, NotedTime.CLOCK.value), session.exec(_NEWEST_ACT).first()
    if known is None:
        has_run = session.exec(select(CheckpointRow.number).limit(1)).first() is not None
        return f"it is gone. {NOTE_THE_TIME}" if has_run else None
    if newest is None or known.at - newest <= MOST_AHEAD:
        return None
    return (
        f"it is {known.at:%Y-%m-%d %H:%M} UTC, and the newest act {newest:%Y-%m-%d %H:%M} UTC. A service that runs "
        f"signs a checkpoint each day, and at its start. {NOTE_THE_TIME}"
    )


def require_clock(session: Session, *, at: dt.datetime) -> None:
    fault = find_clock_fault(session, at=at)
    if fault is not None:
        raise ClockInDoubt(f"{fault}. {CHECK_THE_CLOCK}")


def note_time(session: Session, at: dt.datetime, *, is_checked: bool = False) -> None:
    """Store the time as known. Raise `ClockInDoubt`, and store nothing, unless a person has checked the clock."""
    if not is_checked:
        require_clock(session, at=at)
    session.merge(KnownTimeRow(id=NotedTime.CLOCK.value, at=at))
