"""The Helm chart: valid for Kubernetes, locked down, and of one mind with the services' settings."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from pydantic import BaseModel

from shared.bus import topology
from shared.bus.service import STOP_GRACE
from shared.settings import (
    ConsoleSettings,
    CoordinatorSettings,
    ServiceSettings,
    ShipperSettings,
    WritebackSettings,
)
from tests.unit.helm_chart import EVERYTHING, NEEDED, Rendered, run_helm

KUBERNETES = "1.35"
SETTINGS: dict[str, type[ServiceSettings]] = {
    "coordinator": CoordinatorSettings,
    "migrate": CoordinatorSettings,
    "shipper": ShipperSettings,
    "writeback": WritebackSettings,
    "console": ConsoleSettings,
}
NOT_OF_KUBERNETES = {"ScaledObject", "PodMonitor", "PrometheusRule"}
SECRETS = ("PASSWORD", "SECRET", "TOKEN", "CLIENT_ID", "CONNECTIONS")


@pytest.fixture(scope="module", params=[NEEDED, EVERYTHING], ids=["defaults", "everything"])
def chart(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


@pytest.fixture(scope="module")
def everything() -> Rendered:
    return Rendered(EVERYTHING)


def is_setting(model: type[BaseModel], path: list[str]) -> bool:
    """Whether TALLY_A__B names a field; a mapping's keys are free."""
    field = model.model_fields.get(path[0].lower())
    if field is None or len(path) == 1:
        return field is not None
    inner = field.annotation
    return not (isinstance(inner, type) and issubclass(inner, BaseModel)) or is_setting(inner, path[1:])


def test_helm_finds_nothing_to_complain_of() -> None:
    done = run_helm("lint", "--strict", values=EVERYTHING)
    assert done.returncode == 0, done.stdout


def test_every_manifest_is_valid_for_kubernetes(chart: Rendered) -> None:
    for manifest in chart.manifests:
        if manifest["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_misspelt_value_is_refused() -> None:
    done = run_helm("template", "shop", values=NEEDED | {"shiper": {"replicas": 3}})
    assert done.returncode != 0
    assert "shiper" in done.stderr


def test_without_a_carrier_account_nothing_is_rendered() -> None:
    done = run_helm("template", "shop", values={})
    assert "carrier.account is needed" in done.stderr


def test_several_writers_need_a_disk_that_all_can_lock() -> None:
    done = run_helm("template", "shop", values=NEEDED | {"writeback": {"replicas": 2}})
    assert "all writers of a file share their locks" in done.stderr


def test_every_variable_is_a_setting_of_its_service(chart: Rendered) -> None:
    for service, model in SETTINGS.items():
        for name in chart.environment(service):
            setting = name.removeprefix("TALLY_").removesuffix("_FILE")
            # The settings that all share name some that one service alone has.
            assert is_setting(model, setting.split("__")), f"{service}: {name}"


def test_secrets_come_as_files_that_the_chart_never_sees(everything: Rendered) -> None:
    for service in SETTINGS:
        for name, value in everything.environment(service).items():
            if any(secret in name for secret in SECRETS):
                assert name.endswith("_FILE"), name
                assert value.startswith("/run/secrets/")
    assert not everything.of_kind("Secret")


def test_every_file_of_a_secret_is_mounted(everything: Rendered) -> None:
    for service, pod in everything.pods.items():
        mounts = [mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]]
        for name, value in everything.environment(service).items():
            if value.startswith("/run/"):
                assert any(value.startswith(f"{mount}/") for mount in mounts), f"{service}: {name}"


def test_every_mount_has_its_volume(chart: Rendered) -> None:
    for service, pod in chart.pods.items():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        if service == "shipper":
            claims = chart.named("StatefulSet", "shipper")["spec"]["volumeClaimTemplates"]
            volumes |= {claim["metadata"]["name"] for claim in claims}
        mounted = {mount["name"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
        assert mounted == volumes, service


def test_no_container_may_do_more_than_it_needs(chart: Rendered) -> None:
    for pod in chart.pods.values():
        container = pod["spec"]["containers"][0]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert container["resources"]["limits"]["memory"]


def test_every_service_is_probed(chart: Rendered) -> None:
    for service, pod in chart.pods.items():
        container = pod["spec"]["containers"][0]
        if service != "migrate":
            assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_pod_is_given_longer_to_stop_than_a_service_takes(chart: Rendered) -> None:
    for service, pod in chart.pods.items():
        if service != "migrate":
            assert pod["spec"]["terminationGracePeriodSeconds"] > STOP_GRACE


def test_budgets_and_network_policies_select_their_pods(chart: Rendered) -> None:
    selectors = [
        *(budget["spec"]["selector"] for budget in chart.of_kind("PodDisruptionBudget")),
        *(policy["spec"]["podSelector"] for policy in chart.of_kind("NetworkPolicy")),
    ]
    labels = [pod["metadata"]["labels"] for pod in chart.pods.values()]
    for selector in selectors:
        assert sum(selector["matchLabels"].items() <= each.items() for each in labels) == 1


def allowed_ports(policy: dict[str, Any]) -> set[int]:
    return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}


def test_each_service_reaches_only_what_it_works_with(everything: Rendered) -> None:
    reached = {service: allowed_ports(everything.named("NetworkPolicy", service)) for service in SETTINGS}
    assert reached == {
        "coordinator": {53, 4222, 5432, 3306},
        "migrate": {53, 5432},
        "shipper": {53, 4222, 443, 9000},
        "writeback": {53, 4222, 3306},
        "console": {53, 4222},
    }


def test_shippers_scale_on_the_lag_of_their_own_consumer(everything: Rendered) -> None:
    scaled = everything.of_kind("ScaledObject")[0]["spec"]
    trigger = scaled["triggers"][0]["metadata"]
    assert (trigger["stream"], trigger["consumer"]) == (topology.SHIP_COMMANDS.stream, topology.SHIP_COMMANDS.durable)
    shipper = everything.named("StatefulSet", "shipper")
    assert scaled["scaleTargetRef"]["name"] == shipper["metadata"]["name"]
    assert "replicas" not in shipper["spec"]


def test_coordinators_leave_the_schema_to_the_migration(chart: Rendered) -> None:
    assert chart.environment("coordinator")["TALLY_MIGRATE"] == "false"
    hooks = chart.named("Job", "migrate")["metadata"]["annotations"]["helm.sh/hook"]
    assert hooks == "pre-install,pre-upgrade"
