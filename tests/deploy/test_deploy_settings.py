"""What the deployment sets is what the services read: every variable exists, and every value loads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from deploy_files import (
    ROOT,
    SERVICES,
    Instruction,
    Manifest,
    container_environment,
    image_environment,
    interpolate,
    pod_template,
    workload,
)
from recordroute_models.settings import ModelsSettings
from recordroute_runtime.settings import CommonSettings, SectionSettings, ServerSettings, load_settings

SettingsClasses = Mapping[str, type[ServerSettings]]
Dockerfiles = Mapping[str, list[Instruction]]
DRAIN_MARGIN_SECONDS = 5


def variables(settings_class: type[SectionSettings]) -> set[str]:
    prefix = settings_class.model_config["env_prefix"]
    return {f"{prefix}{field}".upper() for field in settings_class.model_fields}


def ours(environment: Mapping[str, Any]) -> set[str]:
    return {name for name in environment if name.startswith("RECORDROUTE_")}


def load(
    monkeypatch: pytest.MonkeyPatch, settings_class: type[ServerSettings], environment: Mapping[str, str]
) -> Any:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(settings_class)


def seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration.removesuffix("s"))


def compose_environment(compose: Manifest, dockerfiles: Dockerfiles, name: str) -> dict[str, str]:
    service = compose["services"][name]
    image = service["image"].removeprefix("recordroute/").split(":")[0]
    given = {key: interpolate(str(value)) for key, value in service["environment"].items()}
    return image_environment(dockerfiles[image]) | given


def read_by(name: str, settings_classes: SettingsClasses) -> set[str]:
    """The variables that a container of Compose, or an image, reads."""
    own = {"cli": ModelsSettings, "models-init": ModelsSettings, **settings_classes}
    return variables(CommonSettings) | (variables(own[name]) if name in own else set())


def test_images_set_only_variables_that_exist(
    dockerfiles: Dockerfiles, settings_classes: SettingsClasses
) -> None:
    for name, instructions in dockerfiles.items():
        assert ours(image_environment(instructions)) <= read_by(name, settings_classes), name


def test_compose_sets_only_variables_that_exist(compose: Manifest, settings_classes: SettingsClasses) -> None:
    for name, service in compose["services"].items():
        assert ours(service.get("environment", {})) <= read_by(name, settings_classes), name


def test_kubernetes_sets_only_variables_that_exist(
    manifests: list[Manifest], settings_classes: SettingsClasses
) -> None:
    known = variables(CommonSettings).union(*map(variables, settings_classes.values()))
    for name in SERVICES:
        spec = pod_template(workload(manifests, name))["spec"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            set_here = ours(container_environment(container, manifests))
            assert set_here
            assert set_here <= known, name


@pytest.mark.parametrize("name", SERVICES)
def test_compose_values_load(
    name: str,
    compose: Manifest,
    dockerfiles: Dockerfiles,
    settings_classes: SettingsClasses,
    ports: Mapping[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(monkeypatch, settings_classes[name], compose_environment(compose, dockerfiles, name))
    assert settings.listen == f"0.0.0.0:{ports[name]}"
    assert (settings.metrics_host, settings.metrics_port) == ("0.0.0.0", ports[name] + 2000)
    drain = settings.drain_delay_seconds + settings.drain_grace_seconds
    assert seconds(compose["services"][name]["stop_grace_period"]) >= drain + DRAIN_MARGIN_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_kubernetes_values_load(
    name: str,
    manifests: list[Manifest],
    dockerfiles: Dockerfiles,
    settings_classes: SettingsClasses,
    ports: Mapping[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = pod_template(workload(manifests, name))["spec"]
    environment = image_environment(dockerfiles[name]) | container_environment(
        spec["containers"][0], manifests
    )
    settings = load(monkeypatch, settings_classes[name], environment)
    assert settings.listen == f"0.0.0.0:{ports[name]}"
    assert (settings.metrics_host, settings.metrics_port) == ("0.0.0.0", ports[name] + 2000)
    drain = settings.drain_delay_seconds + settings.drain_grace_seconds
    assert spec["terminationGracePeriodSeconds"] >= drain + DRAIN_MARGIN_SECONDS


def test_compose_and_kubernetes_serve_the_default_models(
    compose: Manifest, manifests: list[Manifest], settings_classes: SettingsClasses
) -> None:
    for name in ("stt", "llm", "vector"):
        variable = f"RECORDROUTE_{name.upper()}_MODEL"
        default = settings_classes[name].model_fields["model"].default
        assert interpolate(compose["services"][name]["environment"][variable]) == default
        container = pod_template(workload(manifests, name))["spec"]["containers"][0]
        assert container_environment(container, manifests)[variable] == default


def test_what_is_spooled_fits_into_the_pod(
    manifests: list[Manifest], settings_classes: SettingsClasses, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = pod_template(workload(manifests, "stt"))["spec"]
    environment = container_environment(spec["containers"][0], manifests)
    stt = load(monkeypatch, settings_classes["stt"], environment)
    gateway = load(monkeypatch, settings_classes["gateway"], environment)
    (size,) = (volume["emptyDir"]["sizeLimit"] for volume in spec["volumes"] if volume["name"] == "tmp")
    assert size.endswith("Gi")
    assert stt.max_recordings * stt.max_file_bytes <= int(size.removesuffix("Gi")) * 2**30
    assert gateway.max_upload_bytes <= stt.max_file_bytes
    assert spec["containers"][0]["resources"]["requests"]["cpu"] == str(stt.workers)


def test_the_operators_guide_names_only_variables_that_exist(settings_classes: SettingsClasses) -> None:
    known = variables(CommonSettings).union(*map(variables, [*settings_classes.values(), ModelsSettings]))
    # What the client reads, and the port that Compose publishes, are no settings of a service.
    known |= {"RECORDROUTE_GATEWAY", "RECORDROUTE_HTTP_PORT", "RECORDROUTE_TOKEN", "RECORDROUTE_TLS_CA"}
    named = set(re.findall(r"\bRECORDROUTE_[A-Z0-9_]*[A-Z0-9]\b", (ROOT / "docs/operate.md").read_text()))
    assert named
    assert named <= known
