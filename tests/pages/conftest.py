"""One service for a module, for tests of the pages in a browser."""

from collections.abc import Iterator

import pytest

from tests.support.browsing import NEUTRAL_PAGE
from tests.support.service import a_service
from tests.support.threaded import run_server


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(a_service(data_dir=tmp_path_factory.mktemp("pages") / "data", exit_url=NEUTRAL_PAGE)) as address:
        yield address
