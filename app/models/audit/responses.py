"""Responses to auditors."""

from typing import Any

from pydantic import Field

from app.models.audit.rows import DeskAct
from app.models.base import NextCursor, ResponseModel, UtcDateTime
from app.models.links import DISCLOSURES, PageLinks
from app.models.references import EXAMPLE_REFERENCE


class DisclosureEntry(ResponseModel):
    """An audit log entry."""

    chain: str = Field(
        description="A concern's reference, or `inbox`, `cards`, `audit`, `events`, `people` or `webhooks`.",
        examples=[EXAMPLE_REFERENCE],
    )
    number: int = Field(description="Position in the chain, from 1.", examples=[1])
    at: UtcDateTime = Field(description="Time of the action.")
    client: str = Field(
        description="The client and, after the first slash, the person who used it, if known. In the client's name, "
        "a slash is written as %2F.",
        examples=["example-desk"],
    )
    act: DeskAct = Field(description="The action.", examples=["opened"])
    address: str = Field(description="Network address of the client.", examples=["192.0.2.10"])
    detail: str = Field(description="Details of the action, never content of the concern.", examples=["opened here"])
    details: dict[str, Any] = Field(
        description="`detail` for programs: an object with members of its own for each kind of action. `sha256` covers "
        "the entry with the canonical JSON (RFC 8785) of this object in place of the sentence `detail`.",
        examples=[{"what": "opened here"}],
    )
    previous_sha256: str = Field(description="Hash of the previous entry.", examples=["0" * 64])
    sha256: str = Field(description="Hash of this entry.", examples=["0" * 64])


class DisclosuresResponse(ResponseModel):
    """Audit log entries, oldest first."""

    disclosures: tuple[DisclosureEntry, ...] = Field(description="The entries.")
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": DISCLOSURES}])


class StatementResponse(ResponseModel):
    """The signed end of a chain, for an auditor to store elsewhere."""

    chain: str = Field(description="The chain.", examples=[EXAMPLE_REFERENCE])
    length: int = Field(description="Number of entries.", examples=[3])
    head_sha256: str = Field(description="Hash of the last entry.", examples=["0" * 64])
    at: UtcDateTime = Field(description="Time of signing.")
    statement: str = Field(
        description="Signed statement (JWS, EdDSA). Verify it with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )


class CheckpointResponse(ResponseModel):
    """A signed checkpoint of the whole audit log, for an auditor to store elsewhere."""

    size: int = Field(description="Number of audit log entries.", examples=[3])
    root_sha256: str = Field(description="Merkle root of all entries (RFC 6962).", examples=["0" * 64])
    at: UtcDateTime = Field(description="Time of signing.")
    checkpoint: str = Field(
        description="Signed checkpoint in C2SP `tlog-checkpoint` format. Store it unchanged.",
        examples=["council.example/disclosures\n3\nAAAA\n\n— council.example/disclosures AAAA\n"],
    )
    verifier_key: str = Field(
        description="Public key of the signature, in C2SP `signed-note` format. Compare it with the key you trust.",
        examples=["council.example/disclosures+0a1b2c3d+AQAA"],
    )
