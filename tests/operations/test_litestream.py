"""Litestream beside a running service, and the restore, with the file and the lines that the documents have."""

import json
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.models.concerns.examples import SMALLEST_EXAMPLE
from tests.support.concerns import raise_concern
from tests.support.live import LiveServer
from tests.support.samples import samples_in
from tests.support.waiting import LONG_ENOUGH, wait_until

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.embedded]

ROOT = Path(__file__).parents[2]
DOCUMENT = "docs/how-to/back-up-and-restore.md"
LITESTREAM = Path(sys.executable).parent / "litestream"
CONCERNS = 20
THERE = "/var/lib/guidance"


def config_for(data_dir: Path, replica: Path) -> Path:
    """Write the file of `deploy/`, with this database, and a folder in place of the bucket."""
    config: dict[str, Any] = YAML(typ="safe").load(ROOT / "deploy" / "litestream.yml")
    (database,) = config["dbs"]
    interval = database["replica"]["sync-interval"]
    database |= {
        "path": str(data_dir / "guidance.db"),
        "replica": {"type": "file", "path": str(replica), "sync-interval": interval},
    }
    path = replica.with_suffix(".json")
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    return path


def references_in(database: Path) -> set[str]:
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        return {row[0] for row in connection.execute("SELECT reference FROM concerns")}
    finally:
        connection.close()


def test_acknowledged_concerns_are_replicated_and_restored_as_documented(live: LiveServer, tmp_path: Path) -> None:
    config = config_for(live.data_dir, tmp_path / "replica")
    process = subprocess.Popen([LITESTREAM, "replicate", "-config", config], stderr=subprocess.DEVNULL)
    try:
        with live.client() as client:
            raised = {raise_concern(client, **SMALLEST_EXAMPLE)["reference"] for _ in range(CONCERNS)}

        def is_there() -> bool:
            copy = tmp_path / "copy.db"
            copy.unlink(missing_ok=True)
            command = list(
                map(str, (LITESTREAM, "restore", "-config", config, "-o", copy, live.data_dir / "guidance.db"))
            )
            done = subprocess.run(command, check=False, capture_output=True)
            return done.returncode == 0 and references_in(copy) == raised

        wait_until(is_there)
    finally:
        process.terminate()
        process.wait(timeout=LONG_ENOUGH)
    live.stop()
    for file in live.data_dir.glob("guidance.db*"):
        file.unlink()  # the disk is lost, but for the keys
    (recipe,) = [each.text for each in samples_in(DOCUMENT) if "litestream restore" in each.text]
    recipe = recipe.replace(THERE, str(live.data_dir)).replace("/etc/litestream.yml", str(config))
    recipe = recipe.replace("litestream ", f"{shlex.quote(str(LITESTREAM))} ", 1)
    guidance = shlex.quote(str(LITESTREAM.with_name("guidance")))
    recipe = recipe.replace("guidance restore", f"{guidance} restore --data-dir {live.data_dir}")

    restored = subprocess.run(["bash", "-euo", "pipefail", "-c", recipe], check=False, capture_output=True, text=True)

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert references_in(live.data_dir / "guidance.db") == raised
