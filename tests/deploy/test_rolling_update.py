"""Two nodes behind nginx are replaced one after the other under load. Nobody gets an error but an honest 503."""

from pathlib import Path

import pytest

from tests.support.callers import replace_one_after_another
from tests.support.proxies import exported, nginx, two_nodes

pytestmark = pytest.mark.slow


def test_a_rolling_update_under_load_fails_no_request_but_by_an_honest_503(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "data") as nodes:
        export = exported(tmp_path / "export", tmp_path / "data")
        with nginx(tmp_path / "nginx", nodes, export, rate="1000r/s") as client:
            replace_one_after_another(client, nodes)
