"""Digests of sealed texts in the record, one order of all chains, checkpoints, and rules that bind acts to the record.

What is sealed in the database at this moment gets its digest in the chain of its concern. That shows every later
change of the text. It does not show that the text is the one that was received.
"""

import datetime as dt
import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store.migrations.statements import run_statements

revision = "0003"
down_revision = "0002"

NUMBER_WHAT_IS_RECORDED = (
    "INSERT INTO log_entries (number, chain, place, sha256) "
    "SELECT row_number() OVER (ORDER BY at, chain, number), chain, number, sha256 FROM disclosures"
)
_PAGE_SIZE = 100


def upgrade() -> None:
    """Create the tables and rules, number every disclosure, and record the digest of every sealed text."""
    connection = op.get_bind()
    run_statements(__file__)
    connection.exec_driver_sql(NUMBER_WHAT_IS_RECORDED)
    at = dt.datetime.now(dt.UTC)
    after = ""
    while references := _references(connection, after):
        for reference in references:
            _record(connection, reference, at)
        after = references[-1]


def _references(connection: sa.Connection, after: str) -> list[str]:
    following = sa.text("SELECT reference FROM concerns WHERE reference > :after ORDER BY reference LIMIT :portion")
    return list(connection.execute(following, {"after": after, "portion": _PAGE_SIZE}).scalars())


def _record(connection: sa.Connection, reference: str, at: dt.datetime) -> None:
    """Record the digest of the concern's text and columns, and of each addition. Erased texts have none."""
    concern = connection.execute(_CONCERN, {"reference": reference}).one()._mapping
    if concern["sealed"] is None:
        return
    columns = f"; columns sha256:{_columns_sha256(concern)}"
    _append(connection, reference, at, _detail(concern["sealed"], concern["recipients"]) + columns)
    for number, recipients, sealed in connection.execute(_ADDITIONS, {"reference": reference}):
        _append(connection, reference, at, f"addition {number} {_detail(sealed, recipients)}")


def _append(connection: sa.Connection, chain: str, at: dt.datetime, detail: str) -> None:
    """Append to the chain as the service of this schema does."""
    end = connection.execute(_END, {"chain": chain}).one_or_none()
    length, head = end if end is not None else (0, "0" * 64)
    row: dict[str, Any] = {
        "chain": chain,
        "number": length + 1,
        "client": "migration",
        "act": "seal_recorded",
        "address": "this service",
        "detail": detail,
        "previous_sha256": head,
    }
    row["sha256"] = _sha256_of_json(row | {"at": _in_utc(at)})
    connection.execute(_DISCLOSE, row | {"at": at})
    connection.execute(_BEGIN_CHAIN if end is None else _GROW_CHAIN, row)
    connection.execute(_LOG, row)


def _detail(sealed: bytes, recipients: list[str]) -> str:
    return f"sha256:{hashlib.sha256(sealed).hexdigest()} to {' '.join(recipients)}"


def _columns_sha256(concern: Any) -> str:
    columns = dict(concern) | {
        "received_at": _in_utc(concern["received_at"]),
        "acknowledge_by": _in_utc(concern["acknowledge_by"]),
        "status_token_sha256": bytes(concern["status_token_sha256"]).hex(),
    }
    return _sha256_of_json({name: columns[name] for name in columns if name not in ("sealed", "recipients")})


def _in_utc(moment: dt.datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)  # SQLite stores UTC without its zone
    return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _sha256_of_json(value: dict[str, Any]) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


_MOMENT = sa.DateTime(timezone=True)
_CONCERN = sa.text(
    "SELECT reference, received_at, acknowledge_by, immediate_danger, guide, edition, referral_source, form_version, "
    "status_token_sha256, recipients, sealed FROM concerns WHERE reference = :reference"
).columns(received_at=_MOMENT, acknowledge_by=_MOMENT, recipients=sa.JSON)
_ADDITIONS = sa.text(
    "SELECT number, recipients, sealed FROM additions "
    "WHERE reference = :reference AND sealed IS NOT NULL ORDER BY number"
).columns(recipients=sa.JSON)
_END = sa.text("SELECT length, head_sha256 FROM chains WHERE name = :chain")
_DISCLOSE = sa.text(
    "INSERT INTO disclosures (chain, number, at, client, act, address, detail, previous_sha256, sha256) "
    "VALUES (:chain, :number, :at, :client, :act, :address, :detail, :previous_sha256, :sha256)"
).bindparams(sa.bindparam("at", type_=_MOMENT))
_BEGIN_CHAIN = sa.text("INSERT INTO chains (name, length, head_sha256) VALUES (:chain, :number, :sha256)")
_GROW_CHAIN = sa.text("UPDATE chains SET length = :number, head_sha256 = :sha256 WHERE name = :chain")
_LOG = sa.text(
    "INSERT INTO log_entries (number, chain, place, sha256) "
    "SELECT coalesce(max(number), 0) + 1, :chain, :number, :sha256 FROM log_entries"
)
