"""A program with the models of datamodel-code-generator, and httpx. It prints what it saw."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import models
from receipts import verify_all

SERVICE, KEY, GUIDE, EXAMPLES = sys.argv[1:]
ATTEMPTS = 5
"""More than the limit of the test."""
SECTIONS = {
    "definitions": models.DefinitionsResponse,
    "factors": models.FactorsResponse,
    "indicators": models.IndicatorsResponse,
    "linked_risks": models.LinkedRisksResponse,
    "responsibilities": models.ResponsibilitiesResponse,
    "contacts": models.ContactsResponse,
}


def guides(client: httpx.Client) -> dict[str, bool]:
    listed = models.GuidesResponse.model_validate_json(client.get("/v1/guides").content).guides
    editions = [
        models.EditionResponse.model_validate_json(client.get(f"/v1/guides/{it.guide}").content) for it in listed
    ]
    return {each.guide: each.source is not None for each in editions}


def sections(client: httpx.Client) -> dict[str, list[str]]:
    found = {}
    for name, model in SECTIONS.items():
        answer = client.get(f"/v1/guides/{GUIDE}/{name.replace('_', '-')}")
        found[name] = [item.id for item in getattr(model.model_validate_json(answer.content), name)]
    return found


def send(client: httpx.Client, concern: models.Concern) -> httpx.Response:
    return client.post("/v1/concerns", json=concern.model_dump(mode="json", exclude_unset=True))


def raised(client: httpx.Client, example: dict[str, Any]) -> models.Receipt:
    answer = send(client, models.Concern.model_validate(example))
    assert answer.status_code == 201
    return models.Receipt.model_validate_json(answer.content)


def followed(client: httpx.Client, receipt: models.Receipt) -> str:
    as_reporter = {"Authorization": f"Bearer {receipt.status_token}"}
    answer = client.get(f"/v1/concerns/{receipt.reference}", headers=as_reporter)
    return str(models.ConcernStatus.model_validate_json(answer.content).state)


def keys_of(client: httpx.Client) -> list[dict[str, str]]:
    return list(models.JsonWebKeySet.model_validate_json(client.get("/.well-known/jwks.json").content).keys)


def faults(client: httpx.Client, example: dict[str, Any]) -> list[str]:
    answer = send(client, models.Concern.model_validate(example | {"guide": "no-such-guide"}))
    assert answer.status_code == 422
    problem = models.Problem.model_validate_json(answer.content)
    return [f"{fault.pointer} {fault.code}" for fault in problem.errors or []]


def too_many(client: httpx.Client) -> tuple[int, str]:
    for _ in range(ATTEMPTS):
        answer = client.get("/v1/events", headers={"Authorization": f"Bearer {KEY}"})
        if answer.status_code == 429:
            problem = models.Problem.model_validate_json(answer.content)
            return int(answer.headers["Retry-After"]), problem.type
    raise AssertionError("there must be a limit")


def events(client: httpx.Client) -> list[tuple[Any, Any]]:
    answer = client.get("/v1/events", params={"limit": 200}, headers={"Authorization": f"Bearer {KEY}"})
    page = models.EventsResponse.model_validate_json(answer.content)
    return [(event.type, event.data.get("reference")) for event in page.events]


def main() -> None:
    examples = json.loads(Path(EXAMPLES).read_text(encoding="utf-8"))
    with httpx.Client(base_url=SERVICE, timeout=60, trust_env=False) as client:
        receipts = [raised(client, example) for example in examples.values()]
        report = {
            "guides": guides(client),
            "raised": [receipt.reference for receipt in receipts],
            "followed": [followed(client, receipt) for receipt in receipts],
            "verified": verify_all([receipt.receipt for receipt in receipts], keys_of(client)),
            "sections": sections(client),
            "faults": faults(client, examples["smallest"]),
            "events": events(client),
            "too_many": too_many(client),
        }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
