"""What tests of the pages in a browser need: one service for a module."""

from collections.abc import Iterator

import pytest

from app.config import Settings
from app.main import create_app
from tests.support.browsing import NEUTRAL_PAGE, run_server
from tests.support.clock import SettableClock


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages") / "data", deliver=False, exit_url=NEUTRAL_PAGE)
    with run_server(create_app(settings, SettableClock())) as address:
        yield address
