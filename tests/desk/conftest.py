"""What tests of the desk share: a worker in a browser, the address of the service, and a desk that may read or not."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.desk import Served, served_desk
from tests.support.people import JO, sign_in_as
from tests.support.threaded import run_server
from tests.support.unsealing import need_script


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a worker, who stays where a form led."""
    client.follow_redirects = False
    sign_in_as(service, client, JO)
    return client


@pytest.fixture
def url(service: FastAPI) -> Iterator[str]:
    """The address of the service, under the name that passkeys need."""
    with run_server(service) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk for the module, which cannot read concerns unless the test names the other kind of `DESKS`."""
    need_script()
    with served_desk(tmp_path_factory.mktemp("desk"), getattr(request, "param", "cannot read")) as served:
        yield served
