"""A program with the package of openapi-python-client. It prints what it saw."""

import json
import sys
from pathlib import Path
from typing import Any

from guidance_service import AuthenticatedClient, Client
from guidance_service.api.concerns import raise_concern
from guidance_service.api.events import read_events
from guidance_service.api.follow_up import read_concern_status
from guidance_service.api.guides import (
    list_guides,
    read_contacts,
    read_definitions,
    read_factors,
    read_guide,
    read_indicators,
    read_linked_risks,
    read_responsibilities,
)
from guidance_service.api.reference import read_receipt_keys
from guidance_service.models import Concern, EventsResponse, Problem, Receipt
from receipts import verify_all

SERVICE, KEY, GUIDE, EXAMPLES = sys.argv[1:]
ATTEMPTS = 5
"""More than the limit of the test."""
DIRECT = {"trust_env": False}
SECTIONS = {
    "definitions": read_definitions,
    "factors": read_factors,
    "indicators": read_indicators,
    "linked_risks": read_linked_risks,
    "responsibilities": read_responsibilities,
    "contacts": read_contacts,
}


def guides(client: Client) -> dict[str, bool]:
    names = [each.guide for each in list_guides.sync(client=client).guides]
    return {name: read_guide.sync(name, client=client).source is not None for name in names}


def sections(client: Client) -> dict[str, list[str]]:
    return {
        name: [item.id for item in getattr(route.sync(GUIDE, client=client), name)] for name, route in SECTIONS.items()
    }


def raised(client: Client, example: dict[str, Any]) -> Receipt:
    receipt = raise_concern.sync(client=client, body=Concern.from_dict(example))
    assert isinstance(receipt, Receipt), receipt
    return receipt


def followed(receipt: Receipt) -> str:
    reporter = AuthenticatedClient(base_url=SERVICE, token=receipt.status_token, httpx_args=DIRECT)
    return str(read_concern_status.sync(receipt.reference, client=reporter).state)


def faults(client: Client, example: dict[str, Any]) -> list[str]:
    concern = Concern.from_dict(example)
    concern.guide = "no-such-guide"
    answer = raise_concern.sync_detailed(client=client, body=concern)
    assert answer.status_code == 422
    assert isinstance(answer.parsed, Problem)
    return [f"{fault.pointer} {fault.code}" for fault in answer.parsed.errors]


def too_many(client: AuthenticatedClient) -> tuple[int, str]:
    for _ in range(ATTEMPTS):
        answer = read_events.sync_detailed(client=client)
        if answer.status_code == 429:
            assert isinstance(answer.parsed, Problem)
            return int(answer.headers["Retry-After"]), answer.parsed.type_
    raise AssertionError("there must be a limit")


def events(client: AuthenticatedClient) -> list[tuple[str, Any]]:
    page = read_events.sync(client=client, limit=200)
    assert isinstance(page, EventsResponse), page
    return [(event.type_, event.data.additional_properties.get("reference")) for event in page.events]


def main() -> None:
    examples = json.loads(Path(EXAMPLES).read_text(encoding="utf-8"))
    known = AuthenticatedClient(base_url=SERVICE, token=KEY, httpx_args=DIRECT)
    with Client(base_url=SERVICE, httpx_args=DIRECT) as client:
        receipts = [raised(client, example) for example in examples.values()]
        keys = [key.to_dict() for key in read_receipt_keys.sync(client=client).keys]
        report = {
            "guides": guides(client),
            "raised": [receipt.reference for receipt in receipts],
            "followed": [followed(receipt) for receipt in receipts],
            "verified": verify_all([receipt.receipt for receipt in receipts], keys),
            "sections": sections(client),
            "faults": faults(client, examples["smallest"]),
            "events": events(known),
            "too_many": too_many(known),
        }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
