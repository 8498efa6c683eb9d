"""Entries in a concern's audit log since a person last saw the concern, so that nobody acts on an outdated page."""

from collections.abc import Collection

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.errors import ChangedMeanwhile
from app.models.audit.details import SENDING_ACTS, TO_SEE_FIRST, others_acts_to_see
from app.models.audit.rows import AuditEntryRow, DeskAct

MOST_SHOWN = 50


def expect_seen(session: Session, chain: str, act: DeskAct, *, client: str, seen: int) -> None:
    """Raise `ChangedMeanwhile` if others added an entry after `seen` on which `act` depends.

    For a note, message or hand-over the same client's entries count too: the form may have been sent twice.
    """
    by_others, own = others_acts_to_see(act), {act} & SENDING_ACTS
    if (by_others or own) and session.exec(_later(chain, client, seen, by_others, own).limit(1)).first() is not None:
        raise ChangedMeanwhile


def list_entries_since(session: Session, chain: str, *, client: str, seen: int) -> list[AuditEntryRow]:
    """Return the entries of others except labels, and the client's own notes, messages and hand-overs.

    The earliest comes first, and there are at most `MOST_SHOWN`.
    """
    return list(session.exec(_later(chain, client, seen, TO_SEE_FIRST, SENDING_ACTS).limit(MOST_SHOWN)))


def _later(
    chain: str, client: str, seen: int, of_others: Collection[DeskAct], own: Collection[DeskAct]
) -> SelectOfScalar[AuditEntryRow]:
    is_own, act = col(AuditEntryRow.client) == client, col(AuditEntryRow.act)
    is_shown = or_(and_(~is_own, act.in_(of_others)), and_(is_own, act.in_(own)))
    later = select(AuditEntryRow).where(AuditEntryRow.chain == chain, AuditEntryRow.number > seen, is_shown)
    return later.order_by(col(AuditEntryRow.number))
