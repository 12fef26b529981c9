"""What is in `deploy/` fits its formats, our command line, and the figures that are really told.

`compose-spec.json` is the schema of the Compose specification (github.com/compose-spec/compose-go 2.4.9, Apache-2.0).
"""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import typer
import typer.core
import yaml

from tests.conftest import ROOT
from tests.deploy.flink_deployment import SCHEMA
from tidegate.cli import app
from tidegate.connectors.flink.environment import VERSION
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import TITLES

DEPLOY = ROOT / "deploy"
SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
COMMAND = typer.main.get_command(app)


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text("utf-8")) if one]


def told(name: str) -> bool:
    """Whether a server tells a figure of this name."""
    if re.search(rf"^{name}(_bucket|_sum|_count)?[ {{]", Metrics().text().decode(), re.M):
        return True
    plain = re.sub(r"_(bucket|sum|count)$", "", name)
    if plain != name:
        return told(plain)
    return f'"{name.removeprefix("tidegate_").removesuffix("_total")}"' in SOURCE


def understood(words: list[str]) -> None:
    """That the command line takes these words: commands and options that are there."""
    command, context = COMMAND, typer.Context(COMMAND, info_name="tidegate")
    while isinstance(command, typer.core.TyperGroup) and words:
        name = words.pop(0)
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
        context = typer.Context(command, info_name=name, parent=context)
    if not isinstance(command, typer.core.TyperGroup):
        command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("path", sorted((DEPLOY / "kubernetes").glob("*.yaml")), ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path) -> None:
    found = documents(path)
    assert found
    for one in found:
        if one["kind"] == "FlinkDeployment":
            held_to_flink(one)
        else:
            kubernetes_validate.validate(one, "1.31", strict=True)
        for container in containers(one):
            understood([str(word) for word in container["args"]])
            assert container["securityContext"]["allowPrivilegeEscalation"] is False and "resources" in container


def held_to_flink(one: dict[str, Any]) -> None:
    """That Flink's operator takes it, Kubernetes its pods, and that Flink is of the version that we run on."""
    jsonschema.validate(one, SCHEMA)
    spec = one["spec"]
    assert spec["flinkVersion"] == f"v{'_'.join(VERSION.split('.')[:2])}"
    (container,) = spec["podTemplate"]["spec"]["containers"]
    assert container["name"] == "flink-main-container", "Flink's own, by the name that the operator looks for"
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **spec["podTemplate"]}
    kubernetes_validate.validate(pod, "1.31", strict=True)


def test_images_are_of_the_flink_that_we_run_on() -> None:
    assert f"FROM flink:{VERSION}-java17" in (DEPLOY / "flink.Dockerfile").read_text("utf-8")


def containers(one: dict[str, Any]) -> list[dict[str, Any]]:
    found = one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    return [container for container in found if container["image"].startswith("tidegate")]


def test_the_compose_file_is_one() -> None:
    (found,) = documents(DEPLOY / "compose.yaml")
    jsonschema.validate(found, json.loads(Path(__file__).with_name("compose-spec.json").read_text("utf-8")))
    for service in found["services"].values():
        words = service.get("entrypoint", [])[1:] + shlex.split(str(service.get("command", "")))
        if service["image"].startswith("tidegate") and words[0] not in ("jobmanager", "taskmanager"):
            understood(words)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in found["volumes"] or source == "../keys" or (DEPLOY / source).exists(), source
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_the_compose_file_has_all_parts_and_each_can_start() -> None:
    (found,) = documents(DEPLOY / "compose.yaml")
    services = found["services"]
    assert services.keys() >= {
        "kafka",
        "jobmanager",
        "taskmanager",
        "flink",
        "opensearch",
        "postgres",
        "tidegate",
        "stream",
    }
    for name in ("tidegate", "stream", "flink"):  # the image has no model, and the flow asks for one
        assert "card_fraud" in services[name]["command"] and "--without-models" in services[name]["command"]


def test_what_a_stream_tells_can_be_scraped() -> None:
    """Its figures are on loopback unless it is told otherwise, and there only what runs beside it reads them."""
    (compose,) = documents(DEPLOY / "compose.yaml")
    (prometheus,) = documents(DEPLOY / "prometheus" / "prometheus.yaml")
    streams = [shlex.split(compose["services"]["stream"]["command"])]
    streams += [one["args"] for doc in documents(DEPLOY / "kubernetes" / "stream.yaml") for one in containers(doc)]
    for words in streams:
        assert words[words.index("--metrics") + 1] == "9100" and words[words.index("--metrics-host") + 1] == "0.0.0.0"
    (job,) = [one for one in prometheus["scrape_configs"] if one["job_name"] == "tidegate-stream"]
    assert job["dns_sd_configs"][0] == {"names": ["stream"], "type": "A", "port": 9100, "refresh_interval": "15s"}
    assert 'job="tidegate-stream"' in " ".join(expressions())


def test_a_stand_by_wakes_nobody() -> None:
    """A stream's figures, of which a stand-by tells zero, are never those that alarm when one instance is at zero."""
    stream = (ROOT / "src/tidegate/runtimes/stream/stream.py").read_text("utf-8")
    assert 'gauges["ready"]' not in stream and 'gauges["decides"]' in stream
    zeros = [expr for expr in expressions() if re.search(r"tidegate_decides\)? == 0", expr)]
    assert zeros and all("max by (job) (tidegate_decides) == 0" in expr for expr in zeros)


def test_whoever_is_gone_is_missed() -> None:
    """Also where its target, and so its `up`, is gone with it, as those that are found by DNS or in Kubernetes."""
    (alarms,) = documents(DEPLOY / "prometheus" / "alarms.yaml")
    said = {rule["alert"]: rule["expr"] for group in alarms["groups"] for rule in group["rules"]}
    for alert, name in (("TidegateNotReady", "tidegate_ready"), ("TidegateNobodyDecides", "tidegate_decides")):
        gone = f"max by (job) (last_over_time({name}[6h])) unless on (job) max by (job) ({name})"
        assert gone in re.split(r" or ", said[alert])


def test_a_new_pod_with_a_backlog_is_given_its_ten_minutes() -> None:
    """A window over a series that has just begun is full with its first sample; `for` waits."""
    (alarms,) = documents(DEPLOY / "prometheus" / "alarms.yaml")
    (lagging,) = (one for group in alarms["groups"] for one in group["rules"] if one["alert"] == "TidegateLagging")
    assert lagging["expr"] == "tidegate_lag_seconds > 60" and lagging["for"] == "10m"


if PROMTOOL := shutil.which("promtool"):  # a part of Prometheus, which is not everywhere; the tests above always run

    def test_alarms_ring_when_they_should() -> None:
        rules = Path(__file__).with_name("alarms.yaml")
        done = subprocess.run(
            [str(PROMTOOL), "test", "rules", rules.name], cwd=rules.parent, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> list[str]:
    panels = json.loads((DEPLOY / "grafana" / "tidegate.json").read_text("utf-8"))["panels"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    (alarms,) = documents(DEPLOY / "prometheus" / "alarms.yaml")
    return found + [rule["expr"] for group in alarms["groups"] for rule in group["rules"]]


def test_every_figure_that_is_looked_at_is_told() -> None:
    names = {name for expr in expressions() for name in re.findall(r"tidegate_\w+", expr)}
    assert len(names) > 10
    assert not [name for name in names if not told(name)]
    assert not told("tidegate_nothing_of_ours_total")


def test_codes_of_refusals_are_there() -> None:
    said = [found for expr in expressions() for found in re.findall(r'code[!=]~?"?([^"}]+)"', expr)]
    codes = {code for found in said for code in found.strip('"').split("|")}
    assert codes and codes <= set(TITLES)


def test_every_alarm_has_its_page_and_every_page_its_alarm() -> None:
    (alarms,) = documents(DEPLOY / "prometheus" / "alarms.yaml")
    rules = [rule for group in alarms["groups"] for rule in group["rules"]]
    headings = re.findall(r"^## (Tidegate\w+)$", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.M)
    assert [rule["alert"] for rule in rules] == headings
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]


def test_what_the_runbook_says_to_type_is_understood() -> None:
    typed = re.findall(r"`tidegate ([^`]+)`", (ROOT / "docs" / "runbook.md").read_text("utf-8"))
    assert len(typed) > 5
    for line in typed:
        understood(shlex.split(line))
