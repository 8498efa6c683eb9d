"""What must be true after a fault, of everything that was answered before it."""

import json
import sys

from sqlmodel import Session, col, func, select

from app.db.database import open_database
from app.models.concerns import ConcernRow
from app.models.entries import EntryRow
from app.models.record import DeskAct, DisclosureRow
from app.services.sealing import Unsealer
from tests.support.live import LiveServer
from tests.support.load import A_CONCERN, SENT, LoadResult, add_more
from tests.support.operators import Operators


def has_everything(server: LiveServer, told: LoadResult, everything: LoadResult, operators: Operators) -> None:
    """Nothing that was answered is lost, nothing unread is erased, every text opens, and `verify` finds nothing.

    `told` are the answers of the last round, and `everything` those of all rounds.
    """
    stands_once(server, told)
    engine = open_database(server.data_dir, server.database_url)
    try:
        with Session(engine) as session:
            texts_are_there(session, everything, operators.unsealer)
            resealed = select(func.count()).where(col(DisclosureRow.act) == DeskAct.RESEALED.value)
            assert session.exec(resealed).one() >= operators.resealed
    finally:
        engine.dispose()
    found, unexplained = operators.verify(), operators.unexplained
    assert found == "", found
    assert unexplained == [], unexplained


def texts_are_there(session: Session, told: LoadResult, unsealer: Unsealer) -> None:
    """Each text is that which was sent, or was erased by a worker after all of it had been acknowledged."""
    keys = {receipt["reference"]: key for key, receipt in told.receipts.items()}
    for row in session.exec(select(ConcernRow)):
        added = session.exec(select(EntryRow).where(EntryRow.reference == row.reference)).all()
        key, sealed = keys.get(row.reference), [row.sealed, *(each.sealed for each in added)]
        if row.erased_at is None:
            assert key not in told.erased
            opened = [json.dumps(unsealer.open(each or b"", reference=row.reference)) for each in sealed]
            assert [words in each for words, each in zip(SENT, opened, strict=False)] == [True] * len(opened)
        else:
            assert key in told.erasing
            assert (sealed, row.acknowledged_at is None) == ([None, None], False)
            assert [each.acknowledged_at is None for each in added] == [False]


def stands_once(server: LiveServer, told: LoadResult) -> None:
    """Every concern and addition that was acknowledged is there, exactly once; a retry of any gets its first receipt.

    What a worker acknowledged stays so, and what no worker acknowledged waits.
    """
    with server.client() as client:
        for key, receipt in told.receipts.items():
            token = {"Authorization": f"Bearer {receipt['status_token']}"}
            status = client.get(receipt["links"]["self"], headers=token)
            assert status.status_code == 200
            if key in told.additions:
                (added,) = status.json()["additions"]
                assert key not in told.acknowledged or added["acknowledged_at"]
                assert key in told.attempted or added["acknowledged_at"] is None
                assert add_more(client, server.url, receipt, key).json() == told.additions[key]
            again = client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
            assert (again.status_code, again.json()) == (201, receipt)
    references = [receipt["reference"] for receipt in told.receipts.values()]
    assert len(set(references)) == len(references)


def report(rounds: int, everything: LoadResult, operators: Operators) -> None:
    """Write how much the rounds did, for who runs them (`make faults`)."""
    sys.stdout.write(
        f"{rounds} rounds: {len(everything.receipts)} concerns and {len(everything.additions)} additions stored, "
        f"{len(everything.acknowledged)} acknowledged, {len(everything.erased)} erased; "
        f"{operators.resealed} texts resealed, {len(operators.checkpoints)} checkpoints; "
        f"commands: {operators.finished} finished, {operators.killed} killed, {len(operators.failures)} refused\n"
    )
