"""Every package that is locked is under terms that are allowed, and the record of them is what each package says."""

import json
import os
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from docs_site.dependencies import dependencies_page, reasons
from supply.audit import audit_offline
from supply.licences import ALLOWED, ALLOWED_TO_DEVELOP, is_free, licence_of, not_allowed, recorded, terms_of
from supply.locks import BUNDLED, NPM_LOCKS, PYTHON_LOCKS, ROOT, bundled_packages, npm_packages, python_packages
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

SCRIPT = ROOT / "app" / "pages" / "static" / "unseal.js"
SWAGGER = SCRIPT.parent / "swagger" / "swagger-ui-bundle.js"
INSTALLED = ROOT / BUNDLED / "node_modules"


@pytest.mark.slow
def test_every_lock_file_of_the_repository_is_looked_at() -> None:
    assert {path.name for path in (ROOT / "requirements").glob("*.txt")} == set(PYTHON_LOCKS)
    found = set()
    for folder, below, names in os.walk(ROOT):
        below[:] = {*below} - {"node_modules", ".venv", ".git"}
        if "package-lock.json" in names:
            found.add(Path(folder).relative_to(ROOT).as_posix())
    assert found == set(NPM_LOCKS)


def test_every_locked_package_is_under_terms_that_are_allowed() -> None:
    assert [*not_allowed()] == []


def test_the_record_has_every_locked_package_and_no_other() -> None:
    locked = [each for lock in PYTHON_LOCKS for each in python_packages(lock)]
    everywhere = {f"{each.name}=={each.version}" for each in locked if not each.is_for_some}

    assert len(everywhere) > 150
    assert everywhere <= recorded().keys()
    assert recorded().keys() <= {f"{each.name}=={each.version}" for each in locked}


@pytest.mark.slow
@for_each("lock", PYTHON_LOCKS)
def test_the_recorded_licence_is_that_of_the_installed_package(lock: str) -> None:
    record, compared = recorded(), 0
    for each in python_packages(lock):
        try:
            package = distribution(each.name)
        except PackageNotFoundError:
            continue
        if package.version == each.version:
            compared += 1
            assert record[f"{each.name}=={each.version}"] == licence_of(package), each.name

    assert compared > 0.8 * len(python_packages(lock)) or lock not in ("serve.txt", "dev.txt")


def test_no_exception_is_left_over() -> None:
    packages = {each.name: each.terms for folder in NPM_LOCKS for each in npm_packages(folder)}
    developed = packages | {name: terms for lock in PYTHON_LOCKS for name, terms in terms_of(lock).items()}
    served = terms_of("serve.txt")

    assert [name for name in ALLOWED if name not in served or is_free(served[name])] == []
    assert [name for name in ALLOWED_TO_DEVELOP if name not in developed or is_free(developed[name])] == []


@for_each("terms", ["GPL-3.0", "AGPL-3.0-only", "MPL-2.0 AND MIT", "(GPL-2.0 OR LGPL-3.0)", "not said", "Proprietary"])
def test_other_terms_would_be_found(terms: str) -> None:
    assert not is_free(terms)


def test_the_desk_script_has_only_free_packages_with_correct_locked_terms() -> None:
    packages = bundled_packages()

    assert packages
    assert [each for each in packages if not is_free(each.terms)] == []
    if not INSTALLED.is_dir():
        pytest.skip("the packages are not installed: make desk-script")
    for path in INSTALLED.rglob("package.json"):
        about = json.loads(path.read_text())
        if (about.get("name"), about.get("version")) in {(each.name, each.version) for each in packages}:
            (locked,) = [each for each in packages if (each.name, each.version) == (about["name"], about["version"])]
            assert locked.terms == about["license"]


def test_the_page_of_dependencies_names_everything_inside_the_desk_script() -> None:
    if not SCRIPT.is_file():
        pytest.skip("it is not built: make desk-script")
    head = "".join(each.read_text().partition("*/")[0] for each in (SCRIPT, SWAGGER))
    named = {tuple(each) for each in re.findall(r"^(?:/\*!\n)?([@a-z][\w@/.-]*) (\d[\w.]*)$", head, re.MULTILINE)}
    inside = {(each.name, each.version) for each in bundled_packages()}

    assert named == inside
    assert {each for each in inside if f"`{each[0]}` {each[1]}" not in dependencies_page()} == set()


def test_each_package_that_the_service_names_has_a_reason() -> None:
    named = reasons()

    assert {"fastapi", "jiter", "python-dotenv", "ruamel-yaml", "typst"} <= named.keys()
    assert [name for name, reason in named.items() if not reason] == []
    assert [name for name, reason in named.items() if reason not in dependencies_page()] == []


def test_the_offline_audit_passes_and_reports_forbidden_terms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert audit_offline() == []

    monkeypatch.setattr("supply.licences.ALLOWED", {})
    assert [each for each in audit_offline() if each.startswith("terms: requirements/serve.txt: certifi (")]
