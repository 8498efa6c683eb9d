"""The manifests for Kubernetes and Compose, and the units of systemd: valid, hardened, and with settings that exist."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from app.config import VERSION, Settings
from tests.support.loops import for_each
from tests.support.proxies import DEPLOY, need

pytestmark = pytest.mark.any_database

OLDEST_AND_NEWEST = ["1.31", "1.34"]
UNITS = ["guidance.service", "guidance-backup.service"]
MOST_EXPOSED = 2.0


def manifests() -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(DEPLOY / "kubernetes.yaml"))


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] == kind]


def pods() -> Iterator[dict[str, Any]]:
    for each in [*of_kind("Job"), *of_kind("Deployment")]:
        yield each["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_every_object_fits_the_schema_of_kubernetes(version: str) -> None:
    assert {each["kind"] for each in manifests()} >= {"Deployment", "Job", "NetworkPolicy", "Service", "Ingress"}
    for each in manifests():
        kubernetes_validate.validate(each, version, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    (deployment,) = of_kind("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        kubernetes_validate.validate(deployment, OLDEST_AND_NEWEST[-1], strict=True)


def test_every_pod_is_not_root_has_a_root_that_is_read_only_and_limits() -> None:
    assert len(list(pods())) == 2
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


def test_the_nodes_are_probed_at_routes_that_are_there_and_are_replaced_one_after_another() -> None:
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


def test_the_job_migrates_and_the_network_is_closed_but_for_what_is_named() -> None:
    (job,) = of_kind("Job")
    (policy,) = of_kind("NetworkPolicy")

    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["guidance", "migrate"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert all(rule.get("from") and rule.get("ports") for rule in policy["spec"]["ingress"])
    assert all(rule.get("to") and rule.get("ports") for rule in policy["spec"]["egress"])


@for_each("file", sorted(path for path in DEPLOY.rglob("*") if path.is_file()))
def test_every_setting_that_a_file_names_is_there(file: Path) -> None:
    named = {name.lower() for name in re.findall(r"\bGUIDANCE_([A-Z_]+[A-Z])\b", file.read_text(encoding="utf-8"))}

    assert named - set(Settings.model_fields) == set()


@pytest.mark.parametrize("file", ["kubernetes.yaml", "compose.yaml"])
def test_the_image_is_that_of_this_version(file: str) -> None:
    assert set(re.findall(r"one-minute-guide:(\S+)", (DEPLOY / file).read_text())) == {VERSION}


def test_every_service_of_the_image_in_compose_is_hardened_and_waits_for_the_migration() -> None:
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

    found = re.search(rf"Overall exposure level for {unit}: ([0-9.]+)", report.stdout)
    assert found, report.stdout + report.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_systemd_reads_the_units_without_a_complaint_but_that_the_program_is_not_installed() -> None:
    program = need("systemd-analyze")
    units = [str(path) for path in sorted((DEPLOY / "systemd").glob("*.[st]*er*")) if path.suffix != ".conf"]

    said = subprocess.run([program, "verify", "--man=no", *units], check=False, capture_output=True, text=True).stderr

    complaints = [line for line in said.splitlines() if "guidance" in line and "is not executable" not in line]
    assert len(units) == 3
    assert complaints == []
