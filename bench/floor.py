"""The floor: the least that storing a concern costs with this framework and the same guarantees.

FastAPI validates the concern's model. The service's functions encrypt the concern and its card, sign a receipt, and
derive the public key of the status token. Plain SQL stores five rows, with many concerns in one transaction. There is
no authentication, idempotency, limit, log, content negotiation, header or SQLAlchemy.
"""

import asyncio
import datetime as dt
import hashlib
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import Empty, SimpleQueue

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response
from pyrage import x25519

from app.models.base import canonical_submission
from app.models.concerns.concern import Concern
from app.models.concerns.status_tokens import new_status_token
from app.models.references import new_reference
from app.services.concerns.card_making import card_of_concern, seal_card
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.sealing import derive_public_key, make_sealer

CARDS = "cards"
TABLES = ("concerns", "audit_entries", CARDS, "chains", "events")
INSERTS = {table: f"INSERT INTO {table} VALUES (?, ?, ?, ?)" for table in TABLES}  # noqa: S608  # the names above
MOST_TOGETHER = 256
REST_OF_A_RECEIPT = "x" * 6000
SEALER = make_sealer([str(x25519.Identity.generate().to_public())])
SIGNER = make_receipt_signer(Ed25519PrivateKey.generate(), issuer="http://127.0.0.1")

Row = tuple[str, str, bytes, bytes]
Waiting = tuple[Row, bytes, asyncio.Future[None]]


class Rows:
    """A thread that stores rows. It commits together all rows that arrived during the previous commit."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._queue: SimpleQueue[Waiting] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._work, daemon=True).start()

    async def store(self, row: Row, card: bytes) -> None:
        """Store the row in each table, that of the cards with the card. Return once they are on the disk."""
        stored: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((row, card, stored))
        await stored

    def _work(self) -> None:
        connection = sqlite3.connect(self._database, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table} (reference TEXT PRIMARY KEY, at TEXT, sealed BLOB, key BLOB)")
        while True:
            batch = self._gather()
            connection.execute("BEGIN IMMEDIATE")
            for table, insert in INSERTS.items():
                rows = [(*row[:2], card if table == CARDS else row[2], row[3]) for row, card, _ in batch]
                connection.executemany(insert, rows)
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_report, batch)

    def _gather(self) -> list[Waiting]:
        batch = [self._queue.get()]
        while len(batch) < MOST_TOGETHER:
            try:
                batch.append(self._queue.get_nowait())
            except Empty:
                break
        return batch


def _report(batch: list[Waiting]) -> None:
    for *_, stored in batch:
        stored.set_result(None)


@asynccontextmanager
async def live(application: FastAPI) -> AsyncIterator[None]:
    """Open the database before the application starts to serve."""
    application.state.rows = Rows(os.environ["BENCH_FLOOR_DATABASE"])
    yield


app = FastAPI(openapi_url=None, lifespan=live)


@app.get("/ready")
def ready() -> None:
    """Respond with 200 once the application serves requests."""


@app.post("/concerns", status_code=201)
async def post_concern(request: Request, concern: Concern) -> Response:
    """Validate the concern, encrypt it and its card, sign a receipt and store the rows."""
    reference, token = new_reference(), new_status_token()
    submitted = concern.model_dump_json(exclude_unset=True).encode()
    digest = hashlib.sha256(canonical_submission(concern)).hexdigest()
    receipt = SIGNER.sign({"jti": reference, "iat": 1, "submission_sha256": digest})
    at = dt.datetime.now(dt.UTC)
    row = (reference, str(at), SEALER.seal(submitted), derive_public_key(token, reference))
    await request.app.state.rows.store(
        row, seal_card(SEALER, card_of_concern(orjson.loads(submitted)), reference, at=at)
    )
    answer = {"reference": reference, "receipt": receipt, "rest": REST_OF_A_RECEIPT}
    return Response(orjson.dumps(answer), status_code=201, media_type="application/json")
