"""docker-compose.yml: valid, restricted, and of one piece."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from deploy_files import IMAGES, ROOT, SERVICES, Instruction, arguments, envoy_names, interpolate, tool
from recordroute_cli.places import DEFAULT_HTTP_PORT

Compose = dict[str, Any]


def test_it_keeps_to_the_compose_specification() -> None:
    checked = subprocess.run(
        [
            tool("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_it_has_no_version_key(compose: Compose) -> None:
    assert "version" not in compose


def test_every_container_is_restricted(
    compose: Compose, dockerfiles: Mapping[str, list[Instruction]]
) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert not service.get("privileged"), name
        image, tag = service["image"].rsplit(":", 1)
        assert tag != "latest", name
        own = image.removeprefix("recordroute/")
        user = service.get("user") or arguments(dockerfiles[own], "USER")[0]
        assert user.split(":")[0] not in ("0", "root"), name


def test_images_are_built_from_their_dockerfiles(compose: Compose) -> None:
    built = {name: service for name, service in compose["services"].items() if "build" in service}
    assert {service["image"] for service in built.values()} == {
        f"recordroute/{name}:0.1.0" for name in IMAGES
    }
    for service in built.values():
        assert service["build"]["context"] == "."
        image = service["image"].removeprefix("recordroute/").removesuffix(":0.1.0")
        assert ROOT / service["build"]["dockerfile"] == IMAGES[image]


def test_ports_are_published_on_loopback_only(compose: Compose) -> None:
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert set(published) == {"envoy", "prometheus"}
    for port in (port for entries in published.values() for port in entries):
        assert interpolate(port).startswith("127.0.0.1:")


def test_what_runs_on_has_a_health_check_and_restarts(compose: Compose) -> None:
    for name, service in compose["services"].items():
        if name == "models-init":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_probed_where_it_listens(name: str, compose: Compose, ports: Mapping[str, int]) -> None:
    assert compose["services"][name]["healthcheck"]["test"] == [
        "CMD", "python", "-m", "recordroute_runtime.probe", f"127.0.0.1:{ports[name]}",
    ]  # fmt: skip


def test_models_come_first_and_are_read_only_to_the_services(compose: Compose) -> None:
    for name in ("stt", "llm", "vector"):
        service = compose["services"][name]
        assert service["depends_on"]["models-init"]["condition"] == "service_completed_successfully"
        assert "models:/models:ro" in service["volumes"]
    pulled = [interpolate(word) for word in compose["services"]["models-init"]["command"]]
    served = [
        interpolate(compose["services"][name]["environment"][f"RECORDROUTE_{name.upper()}_MODEL"])
        for name in ("stt", "llm", "vector")
    ]
    assert pulled == ["models", "pull", *served]


def test_volumes_and_networks_are_declared_and_used(compose: Compose) -> None:
    mounted, joined = set(), set()
    for name, service in compose["services"].items():
        joined |= set(service["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), name
            else:
                mounted.add(source)
    assert mounted == set(compose["volumes"])
    assert joined == set(compose["networks"])


def test_what_works_on_recordings_has_no_way_out(compose: Compose) -> None:
    assert compose["networks"]["inner"] == {"internal": True}
    for name in ("stt", "llm", "vector", "postgres"):
        assert compose["services"][name]["networks"] == ["inner"]


def test_the_gateway_dials_the_services_by_name(compose: Compose, ports: Mapping[str, int]) -> None:
    environment = compose["services"]["gateway"]["environment"]
    for name in ("stt", "llm", "vector"):
        assert environment[f"RECORDROUTE_GATEWAY_{name.upper()}_TARGET"] == f"dns:///{name}:{ports[name]}"


def test_the_browser_client_is_behind_envoy(compose: Compose) -> None:
    environment = compose["services"]["gateway"]["environment"]
    assert environment["RECORDROUTE_GATEWAY_HTTP_LISTEN"] == f"0.0.0.0:{DEFAULT_HTTP_PORT}"
    assert "ports" not in compose["services"]["gateway"]
    assert environment["RECORDROUTE_GATEWAY_HTTP_ALLOWED_HOSTS"].split(",") == envoy_names("envoy")


def test_passwords_come_from_outside(compose: Compose) -> None:
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith(
        "${POSTGRES_PASSWORD:?"
    )
    url = compose["services"]["gateway"]["environment"]["RECORDROUTE_GATEWAY_DATABASE_URL"]
    assert interpolate(url) == "postgresql://recordroute:secret@postgres:5432/recordroute"


def test_prometheus_scrapes_every_service_at_its_metrics_port(compose: Compose) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    scraped = {name: entry["port"] for entry in job["dns_sd_configs"] for name in entry["names"]}
    assert scraped == {
        name: compose["services"][name]["environment"][f"RECORDROUTE_{name.upper()}_METRICS_PORT"]
        for name in SERVICES
    }
    assert compose["services"]["prometheus"]["profiles"] == ["monitoring"]
