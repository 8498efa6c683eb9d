"""The OpenAPI document passes the linters that callers use: redocly (recommended, strict) and spectral (`oas`)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.http.openapi import build_readers_document
from app.main import create_app
from tests.support.node import finished_node, installed_copy
from tests.support.openapi import REPORTED

LINT = Path(__file__).parent / "lint"
WITH_PROVIDER = {
    "openid_issuer": "https://login.council.example",
    "openid_audience": "guidance",
    "openid_jwks_url": "https://login.council.example/keys",
}
PUBLIC = {"public_url": "https://guidance.council.example"}

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the linters, installed as the lock file has them."""
    return installed_copy(LINT, tmp_path_factory.mktemp("lint") / "linters")


def redocly(linters: Path, document: Path) -> list[Any]:
    report = finished_node(linters, "redocly", "lint", str(document), "--config", "redocly.yaml", "--format", "json")
    return list(json.loads(report.stdout)["problems"])


def spectral(linters: Path, document: Path) -> list[Any]:
    rules = ("--ruleset", ".spectral.yaml", "-f", "json", "--quiet")
    return list(json.loads(finished_node(linters, "spectral", "lint", str(document), *rules).stdout))


def written(document: dict[str, Any], folder: Path) -> Path:
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.nightly
def test_neither_linter_finds_anything(
    linters: Path, settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    service = create_app(settings.model_copy(update=WITH_PROVIDER | PUBLIC))
    for name, described in {
        "openapi.json": service.openapi(),
        "openapi.public.json": build_readers_document(service.openapi()),
    }.items():
        document = written(described, tmp_path)

        assert redocly(linters, document) == []
        assert spectral(linters, document) == []
        size = len(json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode())
        record_property(REPORTED, f"{name}: {size:,} bytes, Redocly 0 problems, Spectral 0 problems")


def test_a_provider_adds_only_its_sign_in_to_the_document(settings: Settings) -> None:
    without = create_app(settings).openapi()
    with_provider = create_app(settings.model_copy(update=WITH_PROVIDER)).openapi()
    del with_provider["components"]["securitySchemes"]["OpenID"]
    for path in with_provider["paths"].values():
        for operation in path.values():
            if "security" in operation:
                operation["security"] = [way for way in operation["security"] if "OpenID" not in way]

    assert without == with_provider


@pytest.mark.nightly
def test_both_linters_would_find_a_fault(linters: Path, tmp_path: Path) -> None:
    without_a_version = {"openapi": "3.1.0", "info": {"title": "A document"}, "paths": {}}
    document = written(without_a_version, tmp_path)

    assert redocly(linters, document) != []
    assert spectral(linters, document) != []
