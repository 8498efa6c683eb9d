"""The auditor's operations: reading the record of disclosures, and the ends of its chains."""

import datetime as dt

from sqlmodel import Session

from app.models.desk.disclosure_tables import AUDIT, DeskAct, DisclosureRow
from app.store.disclosures import Actor, find_chain_end, list_disclosures, record_disclosure
from app.store.writer import write_operation


@write_operation
def read_disclosures(
    session: Session,
    *,
    chain: str | None,
    client: str | None,
    actor: Actor,
    at: dt.datetime,
    after: int,
    limit: int,
) -> list[DisclosureRow]:
    """Return one page of the record, filtered by chain and client if given. This read is recorded too."""
    detail = " ".join(word for word in (chain, client) if word)
    rows = list_disclosures(session, chain=chain, client=client, after=after, limit=limit)
    record_disclosure(session, chain=AUDIT, act=DeskAct.DISCLOSURES_READ, actor=actor, at=at, detail=detail)
    return rows


@write_operation
def read_end_of_chain(session: Session, chain: str, *, actor: Actor, at: dt.datetime) -> tuple[int, str]:
    """Return the length and the last hash of a chain, for a signed statement."""
    end = find_chain_end(session, chain)
    record_disclosure(session, chain=AUDIT, act=DeskAct.STATEMENT_SIGNED, actor=actor, at=at, detail=chain)
    return end
