"""The images: linted, non-root, built from what is there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

import pytest
from deploy_files import (
    IMAGES,
    ROOT,
    SERVICES,
    Instruction,
    arguments,
    image_environment,
    parse_dockerfile,
    tool,
)
from recordroute_cli.places import DEFAULT_HTTP_PORT


def test_every_dockerfile_of_the_tree_is_tested() -> None:
    assert set(IMAGES.values()) == {*ROOT.glob("services/*/Dockerfile"), *ROOT.glob("cli/Dockerfile")}


@pytest.mark.parametrize("name", IMAGES)
def test_hadolint_finds_nothing(name: str) -> None:
    linted = subprocess.run(
        [tool("hadolint"), "--no-color", str(IMAGES[name])], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("name", IMAGES)
def test_every_copied_path_exists_and_is_in_the_build_context(name: str) -> None:
    copies = [
        copy.split() for copy in arguments(parse_dockerfile(IMAGES[name]), "COPY") if "--from=" not in copy
    ]
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copies
    for *sources, _ in copies:
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in allowed, source


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_image_holds_that_service_alone(
    name: str, dockerfiles: Mapping[str, list[Instruction]]
) -> None:
    sources = {copy.split()[0] for copy in arguments(dockerfiles[name], "COPY") if "--from=" not in copy}
    assert sources == {f"services/{name}/requirements.txt", "gen", "services/runtime", f"services/{name}"}
    installs = " ".join(arguments(dockerfiles[name], "RUN"))
    assert "--require-hashes -r requirements.txt" in installs
    assert "--no-deps" in installs


@pytest.mark.parametrize("name", IMAGES)
def test_the_last_stage_is_small_and_not_root(
    name: str, dockerfiles: Mapping[str, list[Instruction]]
) -> None:
    instructions = dockerfiles[name]
    assert len(arguments(instructions, "FROM")) == 2
    assert arguments(instructions, "USER") == ["10001:10001"]
    final = instructions[
        max(number for number, (keyword, _) in enumerate(instructions) if keyword == "FROM") :
    ]
    assert arguments(final, "COPY") == ["--from=builder /opt/recordroute /opt/recordroute"]
    keywords = [keyword for keyword, _ in final]
    assert keywords.index("USER") > keywords.index("COPY")
    assert keywords.index("ENTRYPOINT") > keywords.index("USER")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_as_its_module_and_probes_its_own_port(
    name: str, dockerfiles: Mapping[str, list[Instruction]], ports: Mapping[str, int]
) -> None:
    instructions = dockerfiles[name]
    (entrypoint,) = arguments(instructions, "ENTRYPOINT")
    assert json.loads(entrypoint) == ["python", "-m", f"recordroute_{name}"]
    assert (ROOT / f"services/{name}/src/recordroute_{name}/__main__.py").exists()
    (probe,) = arguments(instructions, "HEALTHCHECK")
    command = json.loads(probe[probe.index("[") :])
    assert command == ["python", "-m", "recordroute_runtime.probe", f"127.0.0.1:{ports[name]}"]
    http = [DEFAULT_HTTP_PORT] if name == "gateway" else []
    exposed = (ports[name], *http, ports[name] + 2000)
    assert arguments(instructions, "EXPOSE") == [" ".join(map(str, exposed))]


def test_the_process_environment_that_inference_needs_is_set(
    dockerfiles: Mapping[str, list[Instruction]],
) -> None:
    for name in ("stt", "llm"):
        environment = image_environment(dockerfiles[name])
        assert environment["GOMP_SPINCOUNT"] == "0"
        assert environment["OMP_WAIT_POLICY"] == "passive"
    stt = image_environment(dockerfiles["stt"])
    assert stt["MALLOC_ARENA_MAX"] == "1"
    assert stt["MALLOC_MMAP_THRESHOLD_"] == stt["MALLOC_TRIM_THRESHOLD_"] == str(2**32)


def test_every_image_has_the_version_of_its_package() -> None:
    for name, path in IMAGES.items():
        project = (path.parent / "pyproject.toml").read_text()
        (version,) = (line.split('"')[1] for line in project.splitlines() if line.startswith("version = "))
        labels = " ".join(arguments(parse_dockerfile(path), "LABEL"))
        assert f'org.opencontainers.image.version="{version}"' in labels
        assert f'org.opencontainers.image.title="recordroute/{name}"' in labels
