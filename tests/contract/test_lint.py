"""The OpenAPI document passes the linters that callers use: redocly (recommended, strict) and spectral (`oas`)."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.main import create_app

LINT = Path(__file__).parent / "lint"
SECONDS = 300
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}
WITH_PROVIDER = {
    "openid_issuer": "https://login.council.example",
    "openid_audience": "guidance",
    "openid_jwks_url": "https://login.council.example/keys",
    "public_url": "https://guidance.council.example",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.skipif(
        not shutil.which("npm") and not os.environ.get("CI"), reason="npm, which installs the linters, is not installed"
    ),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs a program of the linters, which are installed as the lock file has them."""
    folder = tmp_path_factory.mktemp("lint")
    shutil.copytree(LINT, folder, dirs_exist_ok=True)

    def run_in(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **QUIET},
            capture_output=True,
            check=False,
            text=True,
            timeout=SECONDS,
        )

    installed = run_in("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    assert installed.returncode == 0, installed.stderr
    return run_in


def redocly(run: Run, document: Path) -> list[Any]:
    report = run("node_modules/.bin/redocly", "lint", str(document), "--config", "redocly.yaml", "--format", "json")
    return list(json.loads(report.stdout)["problems"])


def spectral(run: Run, document: Path) -> list[Any]:
    report = run(
        "node_modules/.bin/spectral", "lint", str(document), "--ruleset", ".spectral.yaml", "-f", "json", "--quiet"
    )
    return list(json.loads(report.stdout))


def written(settings: Settings, folder: Path, **changes: Any) -> Path:
    """Write the document of a service with those settings, with the changes of the test."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(create_app(settings).openapi() | changes), encoding="utf-8")
    return path


@pytest.mark.parametrize("own", [{}, WITH_PROVIDER], ids=["as it comes", "with an OpenID provider"])
def test_neither_linter_finds_anything(run: Run, settings: Settings, tmp_path: Path, own: dict[str, str]) -> None:
    document = written(settings.model_copy(update=own), tmp_path)

    assert redocly(run, document) == []
    assert spectral(run, document) == []


def test_both_linters_would_find_a_fault(run: Run, settings: Settings, tmp_path: Path) -> None:
    document = written(settings, tmp_path, info={"title": "A document without a version"})

    assert redocly(run, document) != []
    assert spectral(run, document) != []
