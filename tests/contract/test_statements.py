"""No read asks the database more often because there are more guides."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.http.visitors import SESSION_COOKIE
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.guides.sections import Section
from app.services.access.clients import add_client
from app.services.workers import stop_workers
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.desk_states import SAM, session_of
from tests.support.drafts import whole_draft, writer_of
from tests.support.openapi import examples_of, operations
from tests.support.people import JO, context_of_service
from tests.support.publishing import SLUG, an_edition, publish_invented
from tests.support.service import a_service
from tests.support.statements import counted

FEW, MANY = 2, 150
QUERIES = {"/v1/search": "?q=missing", "/desk/find": "?reference=4F7K-926W-0X3R", "/desk/people/person": f"?name={JO}"}
OF_SEED = {"guide": SLUG, "number": "1", "language": "cy", "section": "indicators", "subject": "neglect"}


def paths_of(service: FastAPI, reference: str) -> Iterator[str]:
    """Yield each path that a GET route takes, with the names of what the seed has and the examples of the document."""
    examples: dict[str, Any] = {}
    for each in operations(service.openapi()):
        for told in each.definition.get("parameters", []):
            if told["in"] == "path":
                examples.setdefault(told["name"], examples_of(told)[0])
    given = examples | OF_SEED | {"reference": reference, "chain": reference, "page": "details"}
    first = {each: getattr(an_edition(), each.key)[0].id for each in Section}
    for route in iter_route_contexts(service.routes):
        if "GET" in (route.methods or ()) and route.path:
            section = next((each for each in Section if f"/{each.value}/" in route.path), Section.INDICATORS)
            names = given | {"item_id": first[section]}
            path = route.path.format_map(defaultdict(lambda: "1", names))
            yield path + QUERIES.get(route.path, "")


def statements_of_reads(folder: Path, guides: int) -> dict[str, tuple[int, int]]:
    """Return the status of each path, and how many statements its first read takes among so many guides."""
    service, found = a_service(data_dir=folder), {}
    with TestClient(service) as client:
        context = context_of_service(service)
        stop_workers(context.workers)
        reference = raise_concern(client)["reference"]
        publish_invented(service, guides - 1)
        writer_of(service, client, "example-writer", guide=SLUG).saved(whole_draft())
        key = add_client(context.writer, name="example-reader", scopes=tuple(Scope), at=A_TUESDAY)
        lead, publisher = session_of(service, JO), session_of(service, SAM, Role.PUBLISHER)
        for path in paths_of(service, reference):
            headers = {"Cookie": f"{SESSION_COOKIE}={publisher if path.startswith('/edit') else lead}"}
            headers |= {"Authorization": f"Bearer {key}"} if path.startswith("/v1") else {}
            context.response_cache.clear()
            client.get(path, headers=headers, follow_redirects=False)  # keeps what is kept for all requests
            context.response_cache.clear()
            with counted(service) as statements:
                response = client.get(path, headers=headers, follow_redirects=False)
            found[path.replace(reference, "REFERENCE")] = response.status_code, len(statements)
    return found


@pytest.mark.slow
def test_every_read_takes_the_same_number_of_statements_among_many_guides_as_among_two(tmp_path: Path) -> None:
    few, many = statements_of_reads(tmp_path / "few", FEW), statements_of_reads(tmp_path / "many", MANY)

    assert sum(status < 400 for status, _ in few.values()) > 150
    assert {path: (few[path], many[path]) for path in few if few[path] != many[path]} == {}
