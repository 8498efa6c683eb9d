"""The workshop's promises: what is installed is locked, what is published is fit to be, what is built runs safely."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from app.build import VERSION, built_commit
from supply.locks import BUNDLED, PYTHON_LOCKS
from tests.support.loops import for_each

ROOT = Path(__file__).parents[2]
DOCKERIGNORE = (ROOT / ".dockerignore").read_text().splitlines()
LOCKS = [f"requirements/{lock}" for lock in PYTHON_LOCKS]

# In pieces, so that this file does not itself hold what it forbids.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
    ]
]
PRIVATE_PLACES = ["/".join(parts) for parts in [("..", "shared"), ("", "work", "shared"), ("", "work", "main")]]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(lock: str) -> dict[str, list[str]]:
    """Each requirement of a lock file, `name==version` without its marker, with the lines that belong to it."""
    requirements: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if line[:1].strip():
            name = re.split(r"[ ;\\]", line)[0]
        requirements.setdefault(name, []).append(line.strip())
    return requirements


def named(requirements: list[str]) -> set[str]:
    """The bare names of requirements, as lock files write them."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~!; ]", each)[0]).lower() for each in requirements}


def requires(name: str) -> list[str]:
    """The packages that an installed package needs; nothing if it is for other systems, and is not installed."""
    with suppress(PackageNotFoundError):
        return distribution(name).requires or []
    return []


def published_files() -> list[Path]:
    """Every file that git tracks or would take up."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files would be published is not known")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def where(words: list[str]) -> list[str]:
    found = []
    for path in published_files():
        text = path.read_bytes().decode("utf-8", "replace").lower()
        found += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    return found


def targets() -> dict[str, str]:
    """Each named target of the Makefile with the line above it."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    pairs = zip(["", *lines], lines, strict=False)
    rules = ((re.match(r"([a-z][a-z-]*)\s*:(?!=)", line), above) for above, line in pairs)
    return {rule[1]: above for rule, above in rules if rule}


def instructions(name: str) -> list[str]:
    """The arguments of each `name` instruction in the last stage of the Dockerfile, in order."""
    joined = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    last_stage = re.split(r"^FROM ", joined, flags=re.MULTILINE)[-1]
    return re.findall(rf"^{name} (.*)$", last_stage, flags=re.MULTILINE)


@for_each("lock", LOCKS)
def test_every_requirement_has_a_hash(lock: str) -> None:
    bare = [name for name, lines in locked(lock).items() if not any("--hash=sha256:" in line for line in lines)]

    assert bare == []


@for_each("lock", LOCKS)
def test_every_requirement_is_pinned_by_name_and_version(lock: str) -> None:
    strange = [name for name in locked(lock) if not re.fullmatch(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[0-9][^ ]*", name)]

    assert strange == []


def test_the_lock_files_agree_on_every_version() -> None:
    pins = [{re.sub(r"\[.*\]", "", each) for each in locked(lock)} for lock in LOCKS]
    serve, dev, docs, bench, _generators, publish = pins

    assert serve <= dev
    assert {each for each in (docs | bench | publish) - dev if named([each]) & named(list(dev))} == set()


@pytest.mark.parametrize("lock", ["requirements/serve.txt", "requirements/dev.txt"])
def test_a_lock_file_names_the_extras_that_its_packages_need(lock: str) -> None:
    """An older pip takes a package with an extra for one that is not pinned, once the index has a newer version."""
    pinned = {each.name: each for each in map(Requirement, locked(lock))}
    needed = [
        wanted
        for name in pinned
        for wanted in map(Requirement, requires(name))
        if wanted.extras and wanted.name in pinned and (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
    ]

    assert [str(each) for each in needed if not each.extras <= pinned[each.name].extras] == []
    assert needed or lock != "requirements/dev.txt"


def test_the_lock_files_hold_everything_that_pyproject_names() -> None:
    needed = project()["project"]["dependencies"] + project()["project"]["optional-dependencies"]["print"]
    served = named(needed) | named(project()["dependency-groups"]["build"])
    used = served | named(project()["dependency-groups"]["dev"])

    serve, dev, docs, *others = (named(list(locked(lock))) for lock in LOCKS)

    assert served - serve == set()
    assert used - dev == set()
    assert named(project()["dependency-groups"]["docs"]) - docs == set()
    for name, lock in zip(("bench", "generators", "publish"), others, strict=True):
        assert named(project()["dependency-groups"][name]) - lock == set()


def test_what_only_developers_need_is_not_served() -> None:
    only_dev = named(project()["dependency-groups"]["dev"]) - named(project()["project"]["dependencies"])

    assert only_dev & named(list(locked("requirements/serve.txt"))) == set()


@pytest.mark.parametrize("name", ["documents", "print", "traces"])
def test_what_make_serve_and_the_image_install_has_every_extra(name: str) -> None:
    extra = named(project()["project"]["optional-dependencies"][name])

    assert extra
    assert extra - named(list(locked("requirements/serve.txt"))) == set()


def test_the_licence_is_there_and_goes_into_what_is_built() -> None:
    described = project()["project"]

    assert described["license"] == "MIT"
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    assert "Bath & North East Somerset Council" in (ROOT / "NOTICE.md").read_text()
    assert [name for name in described["license-files"] if not (ROOT / name).is_file()] == []
    assert [name for name in described["license-files"] if f"!{name}" not in DOCKERIGNORE] == []


@pytest.mark.slow
def test_no_published_file_names_a_package_registry() -> None:
    assert where(REGISTRY_HOSTS) == []


def test_no_published_file_names_a_private_place() -> None:
    assert where(PRIVATE_PLACES) == []


def test_no_lock_file_with_addresses_is_published() -> None:
    names = {path.name for path in published_files()}

    assert names & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"} == set()


def test_what_an_index_shows_has_no_link_into_the_repository() -> None:
    shown = project()["project"]["readme"]["text"]

    assert shown.strip().startswith("**For a child in immediate danger, call 999.**")
    assert re.findall(r"\]\((?!https:)", shown) == []


def test_the_wheel_has_one_package_and_the_image_has_all_of_it() -> None:
    wheel = project()["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (\w+)/ \1/$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)

    inside = {folder: wheel["sources"].get(folder, folder).split("/")[0] for folder in wheel["only-include"]}
    assert set(inside.values()) == {"one_minute_guide"}
    assert set(copied) == set(inside) == {each[1:] for each in DOCKERIGNORE if each[1:] in inside}


def test_the_public_workflows_run_only_what_runs_at_home() -> None:
    workflows = {path.stem: path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")}

    assert set(workflows) == {"ci", "publish", "release"}
    assert [name for name, text in workflows.items() if re.search(r"^ *-? *uses:", text, re.M)] == []
    assert [name for name, text in workflows.items() if ".ci/run" not in text] == ["publish"]
    assert "deploy/publish build/release" in workflows["publish"]
    assert 'make release VERSION="$VERSION" KEY=' in workflows["release"]
    assert workflows["release"].index(".ci/run") < workflows["release"].index("make release")


def test_every_issue_form_asks_first_for_no_data_of_a_child() -> None:
    forms = {path.stem: YAML(typ="safe").load(path) for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")}

    assert forms.pop("config") == {"blank_issues_enabled": False}
    assert set(forms) == {"fault", "wish"}
    for form in forms.values():
        first, *_, last = form["body"]
        assert "call 999" in first["attributes"]["value"]
        assert "nothing about a real child" in first["attributes"]["value"]
        assert [each["required"] for each in last["attributes"]["options"]] == [True]


def test_every_make_target_has_a_comment() -> None:
    silent = [target for target, above in targets().items() if not above.startswith("# ")]

    assert silent == []
    assert {"serve", "test", "check", "format", "lock", "clean"} <= set(targets())


@pytest.mark.nightly
@pytest.mark.slow
def test_the_audit_checks_every_lock_file_and_fails_without_a_network() -> None:
    command = [sys.executable, "-m", "supply.audit", "--osv-url", "http://127.0.0.1:1"]
    nowhere = os.environ | {"npm_config_registry": "http://127.0.0.1:1", "npm_config_fetch_retries": "0"}

    asked = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, check=False, text=True, timeout=300)

    assert asked.returncode == 1
    assert [lock for lock in [*LOCKS, BUNDLED] if f"{lock}: see above" not in asked.stdout] == []
    assert "packages have a hash and allowed terms, but for 0." in asked.stdout


def test_the_audit_without_a_network_says_what_it_did_not_do() -> None:
    command = [sys.executable, "-m", "supply.audit", "--offline"]

    audited = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)

    assert (audited.returncode, audited.stderr) == (0, "")
    assert "NOT sent to a vulnerability service" in audited.stdout
    assert "supply.audit $(ARGS)" in (ROOT / "Makefile").read_text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_trial_looks_like_the_sample_council_unless_another_is_named() -> None:
    sample = "--env-file deploy/sample-council/council.env"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for given, has_sample in (([], True), (["GUIDANCE_COUNCIL_NAME=Own"], False), (["ARGS=--env-file own.env"], False)):
        printed = subprocess.run(
            ["make", "-n", "serve", *given], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert (sample in printed.stdout.splitlines()[-1]) is has_sample, given


def test_continuous_integration_installs_every_program_that_a_test_needs() -> None:
    installed = " ".join(re.findall(r"command -v .*", (ROOT / ".ci" / "run").read_text()))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    needed = {name for call in re.findall(r"\bneed\(([^()]*)\)", tests) for name in re.findall(r'"([\w-]+)"', call)}

    assert len(needed) > 10
    assert [name for name in sorted(needed) if name not in installed] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_in_a_sentence_that_no_python_fits(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    made = subprocess.run(
        ["make", "serve", "PYTHON=/no/such/python", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )

    assert made.returncode != 0
    assert "No fitting Python: Python 3.11, 3.12 or 3.13 with venv is needed" in made.stderr
    assert not (tmp_path / "venv").exists()


MADE = """#!/bin/sh
echo "$*" >>made
case "$*" in *"$BROKEN"*) exit 2 ;; esac
"""


def run_integration(tree: Path, broken: str) -> "subprocess.CompletedProcess[str]":
    """Run continuous integration with programs that do nothing, of which `make` fails at those words."""
    programs = tree / "programs"
    programs.mkdir(parents=True)
    shutil.copytree(ROOT / ".ci", tree / ".ci")
    for name, words in (("make", MADE), ("apt-get", "#!/bin/sh\n"), ("curl", "#!/bin/sh\nexit 7\n")):
        (programs / name).write_text(words)
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "BROKEN": broken}
    return subprocess.run([tree / ".ci/run"], env=environment, capture_output=True, check=False, text=True, timeout=60)


@pytest.mark.nightly
@pytest.mark.slow
def test_continuous_integration_fails_if_any_step_fails(tmp_path: Path) -> None:
    whole = run_integration(tmp_path / "whole", broken="nothing")
    steps = (tmp_path / "whole" / "made").read_text().splitlines()

    assert "set -euo pipefail" in (ROOT / ".ci" / "run").read_text()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert whole.stdout.endswith("\n== All is well\n")
    assert {each.split()[0] for each in steps} == {".venv/installed-dev", "desk-script", "check", "audit", "test"}
    for number, step in enumerate(steps):
        broken = run_integration(tmp_path / str(number), broken=step)
        assert broken.returncode != 0, step
        assert "All is well" not in broken.stdout


def test_the_image_runs_as_a_numbered_user_who_is_not_root() -> None:
    *_, user = instructions("USER")

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_image_tells_whether_it_is_ready() -> None:
    (healthcheck,) = instructions("HEALTHCHECK")

    assert healthcheck.endswith('CMD ["guidance", "health"]')


def test_the_image_keeps_its_data_on_a_volume() -> None:
    assert instructions("VOLUME") == ["/data"]
    assert any("GUIDANCE_DATA_DIR=/data" in setting for setting in instructions("ENV"))


def test_the_image_names_its_commit_in_its_label_and_to_the_service() -> None:
    labels, settings = " ".join(instructions("LABEL")), " ".join(instructions("ENV"))

    assert "org.opencontainers.image.revision=${COMMIT}" in labels
    assert "GUIDANCE_COMMIT=${COMMIT}" in settings


def test_the_image_builds_from_what_docker_is_given() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    given = {each[1:].rstrip("/") for each in DOCKERIGNORE if each.startswith("!")}

    wanted = {each.rstrip("/") for line in copied for each in line.split()}
    assert wanted <= given | {each.partition("/")[0] for each in given}


def test_the_image_installs_nothing_without_a_hash() -> None:
    installs = re.findall(r"pip install ([^&\n]*)", (ROOT / "Dockerfile").read_text())

    assert installs
    assert all("--require-hashes" in words or "--no-deps --no-build-isolation ." in words for words in installs)


def test_every_file_names_the_same_python_versions() -> None:
    told = project()["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", told["requires-python"])
    assert bounds
    first, beyond = int(bounds[1]), int(bounds[2])
    supported = {f"3.{minor}" for minor in range(first, beyond)}

    classified = {each.rpartition(" ")[2] for each in told.get("classifiers", []) if re.search(r":: 3\.\d+$", each)}
    documents = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
    spoken = re.findall(r"Python (3\.\d+(?:(?:, | to | or | and |-|–)3\.\d+)*)", documents)
    in_documents = {version for words in spoken for version in re.findall(r"3\.\d+", words)}

    assert classified in (set(), supported)
    assert in_documents <= supported
    assert f"(3, {first}) <= sys.version_info[:2] < (3, {beyond})" in (ROOT / "Makefile").read_text()
    assert f"(3, {first}) <= v < (3, {beyond})" in (ROOT / ".ci" / "run").read_text()
    assert f"--python-version 3.{first}" in (ROOT / "Makefile").read_text()
    assert project()["tool"]["ruff"]["target-version"] == f"py3{first}"


DOCKER = """#!/bin/sh
case $1 in
    info | pull) ;;
    image) echo "$BASE" ;;
    build) echo "$@" >"$ARGUMENTS"; exit 3 ;;
esac
"""
"""Stands in for Docker, whose daemon cannot run where the tests run: it says what the tag names, and builds nothing."""


@pytest.mark.slow
@for_each(
    ("settings", "arguments"),
    [
        ({"BASE": "python@sha256:" + "a" * 64}, "PYTHON_IMAGE=python@sha256:" + "a" * 64),
        ({"BASE": "", "PYTHON_IMAGE": "mirror/python@sha256:" + "b" * 64}, "base.digest=sha256:" + "b" * 64),
        ({"BASE": "python:3.13-slim-trixie"}, None),
        ({"BASE": "", "PYTHON_IMAGE": "python:3.13"}, None),
    ],
)
def test_docker_builds_only_from_a_digest(tmp_path: Path, settings: dict[str, str], arguments: str | None) -> None:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    sent = tmp_path / "arguments"
    sent.unlink(missing_ok=True)  # of the case before
    environment = (
        os.environ
        | settings
        | {"OUT": str(tmp_path), "ARGUMENTS": str(sent), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )

    told = subprocess.run(
        [ROOT / "deploy" / "image" / "build", Path(sys.executable).parents[1]],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )

    if arguments is None:
        assert (told.returncode, sent.exists()) == (1, False)
        assert "must have a digest" in told.stderr
    else:
        assert arguments in sent.read_text()
        assert f"image.version={VERSION}" in sent.read_text()
        assert f"COMMIT={built_commit()}" in sent.read_text()
