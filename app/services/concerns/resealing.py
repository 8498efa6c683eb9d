"""Resealing: texts that were sealed to old keys are sealed to new ones, by the holder of an old identity."""

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.desk.disclosure_tables import DeskAct
from app.services.concerns.sealing import Sealer
from app.services.concerns.unsealing import Unsealer
from app.store.concerns import SealedText, list_sealed, read_sealed, replace_sealed
from app.store.database import purge_freed_pages
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import Writer, write_operation


def reseal(
    engine: Engine, writer: Writer, unsealer: Unsealer, sealer: Sealer, *, actor: Actor, at: dt.datetime
) -> Iterator[str]:
    """Seal every concern and addition anew that is not sealed to exactly those recipients.

    Yields the reference of each, after the new seal and its disclosure are on the disk. Raises `UnsealingUnavailable`
    if the unsealer's identities do not open one.
    """
    with Session(engine) as session:
        texts = list_sealed(session)
    try:
        for text in texts:
            if sorted(text.recipients) == sorted(sealer.fingerprints):
                continue
            with Session(engine) as session:
                sealed = read_sealed(session, text)
            if sealed:
                _replace(writer, text, sealer.seal(unsealer.decrypt(sealed)), sealer.fingerprints, actor=actor, at=at)
                yield text.reference
    finally:
        purge_freed_pages(engine)  # they may hold texts that the old keys open


@write_operation
def _replace(
    session: Session, text: SealedText, sealed: bytes, recipients: Sequence[str], *, actor: Actor, at: dt.datetime
) -> None:
    detail = f"to {' '.join(recipients)}"
    record_disclosure(session, chain=text.reference, act=DeskAct.RESEALED, actor=actor, at=at, detail=detail)
    replace_sealed(session, text, sealed=sealed, recipients=recipients)
