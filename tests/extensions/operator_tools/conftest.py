"""A healthy set-up for tests of the doctor, which each may break."""

from pathlib import Path

import pytest

from tests.support.set_ups import SetUp, build_script, make_set_up, reachable


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return make_set_up(tmp_path_factory.mktemp("healthy") / "place")


@pytest.fixture
def set_up(healthy: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    """A healthy set-up that the test may break, whose public address answers, and whose script is built."""
    reachable(monkeypatch)
    build_script(monkeypatch, tmp_path / "built")
    return healthy.copy(tmp_path / "place")
