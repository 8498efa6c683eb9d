"""The manifests for Kubernetes and Compose, and the units of systemd: valid, hardened, and with settings that exist."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.command import ROOT
from tests.support.formats import validate_kubernetes
from tests.support.loops import for_each
from tests.support.named import command_faults, commands_of_file, setting_faults, simple_commands, value_faults
from tests.support.proxies import DEPLOY, need
from tests.support.samples import is_test, samples_in

pytestmark = pytest.mark.any_database

RELEASED = re.findall(r"^## (\d\S+) - ", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0]
OLDEST_AND_NEWEST = ["1.31", "1.34"]
UNITS = ["guidance.service", "guidance-backup.service", "guidance-doctor.service", "guidance-failed@.service"]
MOST_EXPOSED = 2.0
FILES = sorted(path for path in (ROOT / "Dockerfile", *DEPLOY.rglob("*")) if path.is_file() and path.suffix != ".pyc")
HERE = "tests/deploy/test_manifests.py"
UNITS_ARE_READ = f"{HERE}::test_systemd_accepts_the_units_except_for_the_missing_program"
MONITORING = "tests/operations/test_observability.py"
ALERTS_ARE_READ = f"{MONITORING}::test_promtool_finds_no_fault_in_the_rules_and_their_test_passes"
READ_BY = {
    "Dockerfile": "tests/contract/test_workshop.py::test_the_image_runs_as_a_numbered_user_who_is_not_root",
    "deploy/Caddyfile": "tests/deploy/test_caddy.py",
    "deploy/compose.yaml": f"{HERE}::test_compose_accepts_its_file",
    "deploy/grafana/guidance.json": f"{MONITORING}::test_promtool_can_read_every_query_of_the_dashboard",
    "deploy/image/build": "tests/deploy/test_image.py",
    "deploy/kubernetes.yaml": f"{HERE}::test_every_object_fits_the_schema_of_kubernetes",
    "deploy/litestream.yml": "tests/operations/test_litestream.py",
    "deploy/guidance-away.http": "tests/deploy/test_rolling_update.py",
    "deploy/haproxy.cfg": "tests/deploy/test_rolling_update.py",
    "deploy/nginx.conf": "tests/deploy/test_nginx.py",
    "deploy/pgbouncer.ini": "tests/operations/test_pgbouncer.py",
    "deploy/prometheus/alerts.yml": ALERTS_ARE_READ,
    "deploy/prometheus/alerts_test.yml": ALERTS_ARE_READ,
    "deploy/prometheus/prometheus.yml": ALERTS_ARE_READ,
    "deploy/publish": "tests/deploy/test_publish.py",
    "deploy/release.py": "tests/deploy/test_release.py",
    "deploy/sample-council/council.env": "tests/pages/test_guide_and_help.py",
    "deploy/sample-council/logo.svg": "tests/pages/test_guide_and_help.py",
    "deploy/systemd/guidance-backup.service": UNITS_ARE_READ,
    "deploy/systemd/guidance-backup.timer": UNITS_ARE_READ,
    "deploy/systemd/guidance-doctor.service": UNITS_ARE_READ,
    "deploy/systemd/guidance-doctor.timer": UNITS_ARE_READ,
    "deploy/systemd/guidance-failed@.service": UNITS_ARE_READ,
    "deploy/systemd/guidance.service": UNITS_ARE_READ,
    "deploy/systemd/guidance.sysusers.conf": f"{HERE}::test_the_user_and_the_folder_of_the_backups_are_made",
    "deploy/systemd/guidance.tmpfiles.conf": f"{HERE}::test_the_user_and_the_folder_of_the_backups_are_made",
    "deploy/varnish.vcl": "tests/deploy/test_languages_behind_proxies.py",
}
"""The test in which each file is run, or read by its own program. hadolint reads the Dockerfile in `make check`."""


def manifests() -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(DEPLOY / "kubernetes.yaml"))


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] == kind]


def pods() -> Iterator[dict[str, Any]]:
    for each in [*of_kind("Job"), *of_kind("Deployment")]:
        yield each["spec"]["template"]["spec"]
    for each in of_kind("CronJob"):
        yield each["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_every_object_fits_the_schema_of_kubernetes(version: str) -> None:
    assert {each["kind"] for each in manifests()} >= {"Deployment", "Job", "NetworkPolicy", "Service", "Ingress"}
    for each in manifests():
        validate_kubernetes(each, version)


def test_a_misspelt_field_would_be_found() -> None:
    (deployment,) = of_kind("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}

    with pytest.raises(ValueError, match="readinesProbe"):
        validate_kubernetes(deployment, OLDEST_AND_NEWEST[-1])


def test_every_pod_runs_without_root_read_only_and_with_limits() -> None:
    assert len(list(pods())) == 3
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_nodes_are_probed_at_existing_routes_and_replaced_one_by_one() -> None:
    (deployment,) = of_kind("Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    drain = int(of_kind("ConfigMap")[0]["data"]["GUIDANCE_DRAIN_SECONDS"])

    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert (
        container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health/live"
    )
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    # A node is out of the service before it stops to take concerns.
    assert container["readinessProbe"]["periodSeconds"] * container["readinessProbe"]["failureThreshold"] < drain
    assert drain < deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


def test_the_job_migrates_and_the_network_allows_only_named_traffic() -> None:
    (job,) = of_kind("Job")
    (policy,) = of_kind("NetworkPolicy")

    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["guidance", "migrate"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert all(rule.get("from") and rule.get("ports") for rule in policy["spec"]["ingress"])
    assert all(rule.get("to") and rule.get("ports") for rule in policy["spec"]["egress"])


@for_each("file", FILES)
def test_every_setting_and_command_that_a_file_names_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert list(setting_faults(text)) == []
    assert [fault for words in commands_of_file(text) for fault in command_faults(words)] == []


@for_each("file", [path for path in FILES if path.name != "council.env"])
def test_every_value_that_a_file_sets_is_accepted(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found = re.findall(r"(GUIDANCE_\w+)(?:=|: )(?:\"([^\"\n]*)\"|([^\s,]+))", text)

    values = [f"{name}={quoted or plain}" for name, quoted, plain in found if "$" not in quoted + plain]

    assert list(value_faults(values)) == []


def test_commands_and_values_are_found() -> None:
    named = {file.name: list(commands_of_file(file.read_text(encoding="utf-8"))) for file in FILES}

    assert [words[0] for words in named["kubernetes.yaml"]] == ["migrate", "serve", "doctor"]
    assert named["guidance-backup.service"] == [["backup", "--keep", "14", "--test"]]
    assert ["health"] in named["compose.yaml"]
    assert ["health"] in named["Dockerfile"]
    assert ["export", "/var/www/guidance"] in named["nginx.conf"]


def test_every_file_is_read_by_a_test() -> None:
    assert set(READ_BY) == {file.relative_to(ROOT).as_posix() for file in FILES}
    assert [test for test in READ_BY.values() if not is_test(test)] == []


@pytest.mark.parametrize("file", ["kubernetes.yaml", "compose.yaml"])
def test_the_image_is_that_of_the_last_release(file: str) -> None:
    assert set(re.findall(r"one-minute-guide:(\S+)", (DEPLOY / file).read_text())) == {RELEASED}


def test_compose_hardens_every_service_and_waits_for_the_migration() -> None:
    services = YAML(typ="safe").load(DEPLOY / "compose.yaml")["services"]
    ours = {name: each for name, each in services.items() if each["image"].startswith("one-minute-guide")}

    assert {"migrate", "node-1", "node-2"} <= set(ours)
    for name, each in ours.items():
        assert each["read_only"] is True
        assert each["user"] == "10001:10001"
        assert each["cap_drop"] == ["ALL"]
        probe = {"test": ["CMD", "guidance", "health"], "interval": "30s", "start_period": "60s"}
        assert each["healthcheck"] == (probe if name.startswith("node-") else {"disable": True})
        waits_for = (
            {"database": "service_healthy"} if name == "migrate" else {"migrate": "service_completed_successfully"}
        )
        assert {other: wait["condition"] for other, wait in each["depends_on"].items()} == waits_for


def test_compose_accepts_its_file(tmp_path: Path) -> None:
    program = need("docker-compose")
    for name in ("compose.yaml", "Caddyfile"):
        shutil.copy(DEPLOY / name, tmp_path)
    (tmp_path / "guidance.env").touch()

    command = [program, "--file", str(tmp_path / "compose.yaml"), "--profile", "*", "config", "--quiet"]
    checked = subprocess.run(
        command,
        env={"SITE": "guidance.example", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_exposed_to_two_at_most(unit: str) -> None:
    program = need("systemd-analyze")

    command = [program, "security", "--offline=true", "--no-pager", str(DEPLOY / "systemd" / unit)]
    report = subprocess.run(command, check=False, capture_output=True, text=True)

    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", report.stdout)
    assert found, report.stdout + report.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_systemd_accepts_the_units_except_for_the_missing_program() -> None:
    program = need("systemd-analyze")
    units = [str(path) for path in sorted((DEPLOY / "systemd").glob("*.[st]*er*")) if path.suffix != ".conf"]

    said = subprocess.run([program, "verify", "--man=no", *units], check=False, capture_output=True, text=True).stderr

    complaints = [line for line in said.splitlines() if "guidance" in line and "is not executable" not in line]
    assert len(units) == 6
    assert complaints == []


def test_every_timed_unit_mails_its_failure() -> None:
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        assert "\nOnFailure=guidance-failed@%n.service\n" in timer.with_suffix(".service").read_text(), timer.name


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to a new user")
def test_the_user_and_the_folder_of_the_backups_are_made(tmp_path: Path) -> None:
    for program, *options in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        file = DEPLOY / "systemd" / f"guidance.{program.partition('-')[2]}.conf"
        subprocess.run([need(program), f"--root={tmp_path}", *options, str(file)], check=True, capture_output=True)

    (line,) = [each for each in (tmp_path / "etc" / "passwd").read_text().splitlines() if each.startswith("guidance:")]
    folder = (tmp_path / "var" / "backups" / "guidance").stat()
    _, _, user, group, _, home, shell = line.split(":")
    assert (home, shell) == ("/var/lib/guidance", "/usr/sbin/nologin")
    assert (folder.st_uid, folder.st_gid, folder.st_mode & 0o777) == (int(user), int(group), 0o700)


def test_the_folders_into_which_setup_writes_are_made_before_it_runs() -> None:
    lines = "".join(each.text for each in samples_in("docs/how-to/one-machine.md"))
    commands = list(simple_commands(lines))
    setup = next(each for each in commands if "setup" in each)
    made = [word for each in commands[: commands.index(setup)] if each[:2] == ["install", "-d"] for word in each]
    written = [str(Path(setup[setup.index("--env-file") + 1]).parent), setup[setup.index("--data-dir") + 1]]

    assert [folder for folder in written if folder not in made] == []
