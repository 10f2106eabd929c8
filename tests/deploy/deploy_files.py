"""Reads the deployment files for the tests of this folder."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ("gateway", "stt", "llm", "vector")
KUSTOMIZATIONS = ("base", "overlays/single-node", "overlays/ha")
IMAGES = {
    **{name: ROOT / "services" / name / "Dockerfile" for name in SERVICES},
    "cli": ROOT / "cli/Dockerfile",
}

Manifest = dict[str, Any]
Instruction = tuple[str, str]


def tool(name: str) -> str:
    """Path of a program that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def parse_dockerfile(path: Path) -> list[Instruction]:
    """Splits a Dockerfile into its instructions: (keyword, arguments in one line)."""
    lines = [
        line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (keyword.upper(), rest.strip())
        for keyword, _, rest in (line.partition(" ") for line in joined.split("\n"))
    ]


def arguments(instructions: list[Instruction], keyword: str) -> list[str]:
    """The arguments of every instruction with this keyword."""
    return [rest for found, rest in instructions if found == keyword]


def image_environment(instructions: list[Instruction]) -> dict[str, str]:
    """What the final stage of an image sets in the environment."""
    last_stage = max(number for number, (keyword, _) in enumerate(instructions) if keyword == "FROM")
    pairs = [word for rest in arguments(instructions[last_stage:], "ENV") for word in shlex.split(rest)]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def interpolate(text: str) -> str:
    """Compose's ${NAME:-default} with nothing set, and a stand-in for ${NAME:?what is missing}."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return re.sub(r"\$\{\w+:\?[^}]*\}", "secret", text)


def pod_template(workload: Manifest) -> Manifest:
    """The pod of a Deployment or StatefulSet."""
    template: Manifest = workload["spec"]["template"]
    return template


def container_environment(container: Manifest, manifests: list[Manifest]) -> dict[str, str]:
    """What Kubernetes sets in a container's environment, but for Secrets, whose values are `secret`."""
    environment: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            environment |= find(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", []):
        environment[variable["name"]] = variable.get("value", "secret")
    return environment


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    """The manifests of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The one manifest with this kind and name."""
    (found,) = (manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"] == name)
    return found


def workload(manifests: list[Manifest], name: str) -> Manifest:
    """The Deployment or StatefulSet of a service."""
    (found,) = (
        manifest
        for manifest in of_kind(manifests, "Deployment", "StatefulSet")
        if manifest["metadata"]["name"] == name
    )
    return found


def envoy_names(pattern: str) -> list[str]:
    """The host names that deploy/envoy.yaml answers to and that match a pattern."""
    (listener,) = yaml.safe_load((ROOT / "deploy/envoy.yaml").read_text())["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    return [name for name in host["domains"] if re.fullmatch(pattern, name)]
