"""The Kubernetes manifests: valid, restricted, and of one piece in every kustomization."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_files import (
    KUSTOMIZATIONS,
    ROOT,
    SERVICES,
    Manifest,
    container_environment,
    envoy_names,
    find,
    of_kind,
    pod_template,
    tool,
    workload,
)
from recordroute_cli.places import DEFAULT_HTTP_PORT
from recordroute_runtime.server import LIVENESS

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
# Secrets that the operator makes, with their keys.
SECRETS = {"recordroute-postgres": {"database-url", "password"}, "recordroute-s3": set[str]()}


def workloads(manifests: list[Manifest]) -> list[Manifest]:
    return of_kind(manifests, "Deployment", "StatefulSet")


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Every container: its name below its workload, its pod, itself."""
    for owner in workloads(manifests):
        spec = pod_template(owner)["spec"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            yield f"{owner['metadata']['name']}/{container['name']}", spec, container


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(
        labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )


def selected(manifests: list[Manifest], selector: Mapping[str, Any]) -> list[Manifest]:
    """The pods that a selector matches."""
    pods = [pod_template(owner) for owner in workloads(manifests)]
    return [pod for pod in pods if selects(selector, pod["metadata"]["labels"])]


def port_names(pod: Manifest) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"] for item in pod["spec"]["containers"] for port in item["ports"]
    }


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_every_manifest_is_valid(name: str, rendered: Mapping[str, Path]) -> None:
    validated = subprocess.run(
        [tool("kubernetes-validate"), "--strict", str(rendered[name])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_every_kustomization_of_the_tree_is_tested() -> None:
    found = {
        str(path.parent.relative_to(ROOT / "k8s")) for path in (ROOT / "k8s").rglob("kustomization.yaml")
    }
    assert found == set(KUSTOMIZATIONS)


def test_everything_is_in_the_namespace_which_is_restricted(manifests: list[Manifest]) -> None:
    (namespace,) = of_kind(manifests, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for manifest in manifests:
        if manifest is not namespace:
            assert manifest["metadata"]["namespace"] == namespace["metadata"]["name"], manifest["metadata"][
                "name"
            ]


def test_every_container_is_restricted(manifests: list[Manifest]) -> None:
    for name, pod, container in containers(manifests):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name


def test_every_container_has_a_fixed_image_requests_and_a_memory_limit(manifests: list[Manifest]) -> None:
    for name, _, container in containers(manifests):
        assert re.fullmatch(r"[a-z/]+:v?\d[\w.-]*", container["image"]), name
        assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["requests"]), name
        assert {"memory", "ephemeral-storage"} <= set(container["resources"]["limits"]), name


def test_every_container_that_stays_has_its_probes_on_its_own_ports(manifests: list[Manifest]) -> None:
    for owner in workloads(manifests):
        for container in pod_template(owner)["spec"]["containers"]:
            known = {port["name"] for port in container["ports"]} | {
                port["containerPort"] for port in container["ports"]
            }
            for kind in PROBES:
                (probe,) = (value for key, value in container[kind].items() if isinstance(value, dict))
                if "command" not in probe:
                    assert probe["port"] in known, (container["name"], kind)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_loads_gets_no_calls_but_is_not_killed(
    name: str, manifests: list[Manifest], ports: Mapping[str, int]
) -> None:
    (container,) = pod_template(workload(manifests, name))["spec"]["containers"]
    assert container["readinessProbe"]["grpc"] == {"port": ports[name]}
    for kind in ("startupProbe", "livenessProbe"):
        assert container[kind]["grpc"] == {"port": ports[name], "service": LIVENESS}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_found_by_a_headless_service(
    name: str, manifests: list[Manifest], ports: Mapping[str, int]
) -> None:
    spec = find(manifests, "Service", name)["spec"]
    assert spec["clusterIP"] == "None"
    http = {"http": DEFAULT_HTTP_PORT} if name == "gateway" else {}
    assert {port["name"]: port["port"] for port in spec["ports"]} == {
        "grpc": ports[name],
        **http,
        "metrics": ports[name] + 2000,
    }
    (container,) = pod_template(workload(manifests, name))["spec"]["containers"]
    assert port_names(pod_template(workload(manifests, name))) == {
        "grpc": ports[name],
        **http,
        "metrics": ports[name] + 2000,
    }
    assert container["image"] == f"recordroute/{name}:0.1.0"


def test_every_service_selects_one_workload_and_ports_of_it(manifests: list[Manifest]) -> None:
    for service in of_kind(manifests, "Service"):
        (pod,) = selected(manifests, {"matchLabels": service["spec"]["selector"]})
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in port_names(pod), service["metadata"]["name"]


def test_every_workload_selects_its_own_pods(manifests: list[Manifest]) -> None:
    for owner in workloads(manifests):
        assert selected(manifests, owner["spec"]["selector"]) == [pod_template(owner)]
        if owner["kind"] == "StatefulSet":
            assert find(manifests, "Service", owner["spec"]["serviceName"])["spec"]["clusterIP"] == "None"


def test_the_gateway_dials_the_services_by_name(manifests: list[Manifest], ports: Mapping[str, int]) -> None:
    (container,) = pod_template(workload(manifests, "gateway"))["spec"]["containers"]
    environment = container_environment(container, manifests)
    for name in ("stt", "llm", "vector"):
        assert environment[f"RECORDROUTE_GATEWAY_{name.upper()}_TARGET"] == f"dns:///{name}:{ports[name]}"


def test_the_browser_client_is_behind_envoy(manifests: list[Manifest]) -> None:
    (container,) = pod_template(workload(manifests, "gateway"))["spec"]["containers"]
    environment = container_environment(container, manifests)
    assert environment["RECORDROUTE_GATEWAY_HTTP_LISTEN"] == f"0.0.0.0:{DEFAULT_HTTP_PORT}"
    assert environment["RECORDROUTE_GATEWAY_HTTP_ALLOWED_HOSTS"].split(",") == envoy_names("envoy.*")
    assert {"name": "http", "containerPort": DEFAULT_HTTP_PORT} in container["ports"]
    (policy,) = (
        p for p in of_kind(manifests, "NetworkPolicy") if p["metadata"]["name"] == "envoy-to-gateway"
    )
    (rule,) = policy["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == ["grpc", "http"]


def test_nothing_is_exposed_outside_of_the_cluster(manifests: list[Manifest]) -> None:
    assert not of_kind(manifests, "Ingress", "Gateway", "HTTPRoute", "GRPCRoute")
    for service in of_kind(manifests, "Service"):
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    for name, pod, container in containers(manifests):
        assert not pod.get("hostNetwork"), name
        assert not [port for port in container.get("ports", []) if "hostPort" in port], name


def test_all_traffic_is_denied_but_named_ports_of_pods_that_exist(manifests: list[Manifest]) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    denied = [policy for policy in policies if not policy["spec"].get("ingress")]
    assert [policy["spec"] for policy in denied] == [{"podSelector": {}, "policyTypes": ["Ingress"]}]
    for policy in (policy for policy in policies if policy["spec"].get("ingress")):
        pods = selected(manifests, policy["spec"]["podSelector"])
        assert pods, policy["metadata"]["name"]
        for rule in policy["spec"]["ingress"]:
            for pod in pods:
                assert {port["port"] for port in rule["ports"]} <= set(port_names(pod)), policy["metadata"][
                    "name"
                ]
            for peer in rule["from"]:
                if "podSelector" in peer:
                    assert selected(manifests, peer["podSelector"]), policy["metadata"]["name"]


def test_every_deployment_has_a_disruption_budget(manifests: list[Manifest]) -> None:
    budgets = of_kind(manifests, "PodDisruptionBudget")
    covered = [pod for budget in budgets for pod in selected(manifests, budget["spec"]["selector"])]
    assert covered == [
        pod_template(find(manifests, "Deployment", budget["metadata"]["name"])) for budget in budgets
    ]
    assert len(covered) == len(of_kind(manifests, "Deployment"))
    # `minAvailable: 1` would keep the node of a single replica from ever being drained.
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets)


def test_what_holds_state_has_one_replica_and_a_volume_of_its_own(manifests: list[Manifest]) -> None:
    for name in ("vector", "gateway"):
        owner = find(manifests, "StatefulSet", name)
        assert owner["spec"]["replicas"] == 1
        (claim,) = owner["spec"]["volumeClaimTemplates"]
        (container,) = pod_template(owner)["spec"]["containers"]
        environment = container_environment(container, manifests)
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts[claim["metadata"]["name"]] == environment["RECORDROUTE_DATA_DIR"]


def test_every_mount_has_its_volume_and_every_volume_its_source(manifests: list[Manifest]) -> None:
    for owner in workloads(manifests):
        spec = pod_template(owner)["spec"]
        own = {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}
        names = {volume["name"] for volume in spec["volumes"]} | own
        mounted = {
            mount["name"]
            for container in [*spec["containers"], *spec.get("initContainers", [])]
            for mount in container["volumeMounts"]
        }
        assert mounted == names, owner["metadata"]["name"]
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                find(manifests, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
            elif "configMap" in volume:
                find(manifests, "ConfigMap", volume["configMap"]["name"])
            else:
                assert volume["emptyDir"]["sizeLimit"], volume["name"]


@pytest.mark.parametrize("name", ["stt", "llm", "vector"])
def test_a_service_starts_after_its_model_is_there(name: str, manifests: list[Manifest]) -> None:
    spec = pod_template(workload(manifests, name))["spec"]
    (init,) = spec["initContainers"]
    variable = f"RECORDROUTE_{name.upper()}_MODEL"
    assert init["image"] == "recordroute/cli:0.1.0"
    assert init["args"] == ["models", "pull", f"$({variable})"]
    assert variable in container_environment(init, manifests)
    mounts = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["models"]["readOnly"] is True
    assert mounts["models"]["mountPath"] == container_environment(init, manifests)["RECORDROUTE_MODELS_DIR"]


def test_secrets_are_the_operators(manifests: list[Manifest]) -> None:
    assert not of_kind(manifests, "Secret")
    for name, _, container in containers(manifests):
        for source in container.get("envFrom", []):
            if "secretRef" in source:
                assert source["secretRef"]["name"] in SECRETS, name
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                assert reference["key"] in SECRETS[reference["name"]], name


def test_autoscalers_scale_deployments_that_leave_the_number_to_them(rendered: Mapping[str, Path]) -> None:
    manifests = [manifest for manifest in yaml.safe_load_all(rendered["overlays/ha"].read_text()) if manifest]
    autoscalers = of_kind(manifests, "HorizontalPodAutoscaler")
    assert {item["spec"]["scaleTargetRef"]["name"] for item in autoscalers} == {"stt", "llm"}
    for item in autoscalers:
        target = find(manifests, "Deployment", item["spec"]["scaleTargetRef"]["name"])
        assert "replicas" not in target["spec"]
        assert 2 <= item["spec"]["minReplicas"] < item["spec"]["maxReplicas"]


def test_the_overlays_do_what_they_say(rendered: Mapping[str, Path]) -> None:
    ha, single = (
        [manifest for manifest in yaml.safe_load_all(rendered[f"overlays/{name}"].read_text()) if manifest]
        for name in ("ha", "single-node")
    )
    assert find(ha, "PersistentVolumeClaim", "models")["spec"]["accessModes"] == ["ReadWriteMany"]
    assert find(ha, "Deployment", "envoy")["spec"]["replicas"] == 2
    assert find(single, "PersistentVolumeClaim", "models")["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert find(single, "StatefulSet", "postgres")["spec"]["replicas"] == 1


def test_envoy_runs_with_the_same_file_as_compose(manifests: list[Manifest]) -> None:
    (volume,) = (
        volume
        for volume in pod_template(workload(manifests, "envoy"))["spec"]["volumes"]
        if volume["name"] == "config"
    )
    config = find(manifests, "ConfigMap", volume["configMap"]["name"])
    assert config["data"] == {"envoy.yaml": (ROOT / "deploy/envoy.yaml").read_text()}
