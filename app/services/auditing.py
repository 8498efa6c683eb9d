"""The auditor's acts: reading the record of disclosures, and stating where its chains end."""

import datetime as dt

from sqlmodel import Session

from app.models.desk.disclosure_tables import AUDIT, DeskAct, DisclosureRow
from app.store.disclosures import Actor, DisclosurePosition, end_of_chain, list_disclosures, record_disclosure
from app.store.writer import Writer


def read_disclosures(
    writer: Writer,
    *,
    chain: str | None,
    client: str | None,
    actor: Actor,
    at: dt.datetime,
    after: DisclosurePosition | None,
    limit: int,
) -> list[DisclosureRow]:
    """Return one page of the record, of one chain or client where they are given. This read is on the record too."""
    detail = " ".join(word for word in (chain, client) if word)

    def write(session: Session) -> list[DisclosureRow]:
        rows = list_disclosures(session, chain=chain, client=client, after=after, limit=limit)
        record_disclosure(session, chain=AUDIT, act=DeskAct.DISCLOSURES_READ, actor=actor, at=at, detail=detail)
        return rows

    return writer.run(write)


def state_end_of_chain(writer: Writer, chain: str, *, actor: Actor, at: dt.datetime) -> tuple[int, str]:
    """Return the length and the last hash of a chain, for a signed statement."""

    def write(session: Session) -> tuple[int, str]:
        end = end_of_chain(session, chain)
        record_disclosure(session, chain=AUDIT, act=DeskAct.STATEMENT_SIGNED, actor=actor, at=at, detail=chain)
        return end

    return writer.run(write)
