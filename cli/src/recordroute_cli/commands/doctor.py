"""`recordroute doctor`: what is installed, what runs, what is wrong and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption

PACKAGES = (
    *("recordroute", "recordroute-gateway", "recordroute-stt", "recordroute-llm", "recordroute-vector"),
    *("recordroute-models", "recordroute-runtime", "recordroute-protos"),
    *("grpcio", "dbos", "faster-whisper", "ctranslate2", "xllamacpp", "onnxruntime", "qdrant-edge-py"),
)
MIN_FREE_BYTES = 1_000_000_000
OWN_VARIABLES = ("RECORDROUTE_GATEWAY", "RECORDROUTE_CONFIG", "RECORDROUTE_DEBUG")


@dataclass(frozen=True)
class Check:
    """One finding. `state` is ok, warning or problem; `mend` says what to do about the last two."""

    area: str
    state: str
    text: str
    mend: str = ""


def doctor(json_output: JsonOption = False) -> int:
    """Check the installation, the models, the folders and the server, and say how to mend what is wrong."""
    checks = []
    for check in _checks():
        checks.append(check)
        if not json_output:
            _print(check)
    problems = sum(check.state == "problem" for check in checks)
    if json_output:
        terminal.write_json({"ok": not problems, "checks": [asdict(check) for check in checks]})
    else:
        terminal.out().print(f"{problems or 'no'} problem{'s' * (problems != 1)} found")
    return ExitCode.FAILED if problems else ExitCode.OK


def _print(check: Check) -> None:
    from rich.text import Text

    mark, style = {"ok": ("✓", "green"), "warning": ("!", "yellow")}.get(check.state, ("✗", "red"))
    line = Text(f"{mark} ", style=style)
    line.append(f"{check.area:<9}", style="bold")
    line.append(terminal.plain(check.text), style="default")
    console = terminal.out()
    console.print(line, soft_wrap=True)
    if check.mend:
        console.print(Text(f"           {check.mend}", style=style), soft_wrap=True)


def _checks() -> Iterator[Check]:
    from recordroute_runtime.settings import CommonSettings, SettingsError, load_settings

    yield _python()
    yield from _packages()
    try:
        common = load_settings(CommonSettings)
        yield from _settings()
        yield from _models(common.models_dir)
    except SettingsError as error:
        yield Check("settings", "problem", str(error), "correct or unset what it names")
        return
    data = common.data_dir.absolute()
    yield _folder("data", data, "RECORDROUTE_DATA_DIR")
    yield _folder("models", common.models_dir.absolute(), "RECORDROUTE_MODELS_DIR")
    yield from _server(data)


def _python() -> Check:
    found = f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} CPUs"
    return Check("python", "ok", found)


def _packages() -> Iterator[Check]:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Check("packages", "ok", ", ".join(versions))
    if missing:
        yield Check(
            "packages", "problem", f"not installed: {', '.join(missing)}", "install RecordRoute again"
        )


def _settings() -> Iterator[Check]:
    """Finds variables that nothing reads, which mostly are misspelt."""
    from recordroute_gateway.settings import GatewaySettings
    from recordroute_llm.settings import LlmSettings
    from recordroute_models import ModelsSettings
    from recordroute_runtime.settings import CommonSettings, load_settings
    from recordroute_stt.settings import SttSettings
    from recordroute_vector.settings import VectorSettings

    known = set(OWN_VARIABLES)
    for settings in (
        CommonSettings,
        ModelsSettings,
        GatewaySettings,
        SttSettings,
        LlmSettings,
        VectorSettings,
    ):
        load_settings(settings)
        prefix = settings.model_config.get("env_prefix", "")
        known |= {f"{prefix}{name}".upper() for name in settings.model_fields}
    used = sorted(name for name in os.environ if name.startswith("RECORDROUTE_"))
    for name in used:
        if name.upper() not in known:
            yield Check("settings", "warning", f"nothing reads the variable {name}", "is it spelt right?")
    yield Check("settings", "ok", f"set by variables: {', '.join(used) or 'none'}")


def _models(models_dir: Path) -> Iterator[Check]:
    from recordroute_models import ModelManager, ModelsSettings, State
    from recordroute_runtime.errors import DomainError
    from recordroute_runtime.models import find_model
    from recordroute_runtime.settings import load_settings

    from recordroute_cli.embedded import needed_models
    from recordroute_cli.render import size

    needed = needed_models()
    try:
        manager = ModelManager(models_dir, load_settings(ModelsSettings))
    except DomainError as error:
        yield Check(
            "models",
            "problem",
            error.message,
            "correct the catalogue that RECORDROUTE_MODELS_CATALOGUE names",
        )
        return
    catalogued = [model.id for model in manager.catalogue.models]
    for model in dict.fromkeys([*needed, *catalogued]):
        if model not in catalogued:
            try:
                found = find_model(models_dir, model)
                yield Check("models", "ok", f"{model}: your own, {size(found.size_bytes)}")
            except DomainError:
                yield Check(
                    "models", "problem", f"{model}: not installed", f"put it into {models_dir / model}"
                )
            continue
        status = manager.status(model)
        mend = f"mend with: recordroute models pull {model}"
        if status.state is State.INSTALLED:
            yield Check("models", "ok", f"{model}: {size(status.size_bytes)}")
        elif status.state is State.BROKEN:
            yield Check("models", "problem", f"{model}: {'; '.join(status.problems)}", mend)
        elif status.state is State.OUTDATED:
            yield Check("models", "warning", f"{model}: the catalogue has another version of it", mend)
        elif model in needed:
            yield Check("models", "problem", f"{model}: not installed", mend)


def _folder(area: str, folder: Path, variable: str) -> Check:
    from recordroute_cli.render import size

    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        text, mend = f"{folder} can't be written", f"make it writable, or set {variable} to another folder"
        return Check(area, "problem", text, mend)
    free = shutil.disk_usage(existing).free
    text = f"{folder}, {size(free)} free"
    if free < MIN_FREE_BYTES:
        return Check(area, "problem", text, f"free some space, or set {variable} to another disk")
    return Check(area, "ok", text)


def _server(data: Path) -> Iterator[Check]:
    from recordroute_cli.client import health
    from recordroute_cli.places import (
        DEFAULT_HOST,
        DEFAULT_PORT,
        GATEWAY_VARIABLE,
        gateway_address,
        read_server,
    )
    from recordroute_cli.supervisor import check_port

    address = gateway_address()
    state = health(address)
    running = read_server(data)
    embedded = running is not None and running.alive
    if state == "SERVING":
        yield Check("server", "ok", f"ready at {address}")
        is_own = embedded and running is not None and running.address == address
        yield from _services(data / "logs" if is_own else None)
        return
    if GATEWAY_VARIABLE in os.environ:
        mend = f"start it, or unset {GATEWAY_VARIABLE}"
        yield Check("server", "problem", f"{state} at {address}, which {GATEWAY_VARIABLE} names", mend)
    elif embedded:
        mend = f"wait a moment; if it stays so, read {data / 'logs'}"
        yield Check("server", "problem", f"{state} at {address}", mend)
    else:
        try:
            check_port(DEFAULT_HOST, DEFAULT_PORT)
            yield Check(
                "server", "ok", f"not running; port {DEFAULT_PORT} is free; start it with: recordroute up"
            )
        except CommandError as error:
            yield Check(
                "server", "problem", f"not running; {error.message}", "start it with: recordroute up --port N"
            )
    if embedded and running is not None:
        for socket in sorted(Path(running.run_dir).glob("*.sock")):
            found = health(f"unix:{socket}")
            name = socket.stem
            if found == "SERVING":
                yield Check("server", "ok", f"{name} is ready")
            else:
                yield Check("server", "problem", f"{name} is {found}", f"read {data / 'logs' / name}.log")


# What to do about a service elsewhere, by the reason that the gateway gives; `{log}` tells where to look.
MENDS = {
    "SERVICE_UNREACHABLE": "start it, or correct its address in the gateway's settings; {log}",
    "SERVICE_FOREIGN": "correct its address in the gateway's settings",
}
# Embedded services have no addresses of their own, and are started again by themselves.
ELSE_MEND = "wait a moment; if it stays so, {log}"


def _services(logs: Path | None) -> Iterator[Check]:
    """Asks the gateway how its services are; `logs` is the folder of their logs where they are on this machine."""
    from recordroute.gateway.v1 import system_pb2

    from recordroute_cli.client import connect

    try:
        with connect() as gateway:
            status = gateway.call(gateway.system.GetSystemStatus, system_pb2.GetSystemStatusRequest())
    except CommandError as error:
        yield Check("services", "problem", f"their state can't be asked for: {error.message}")
        return
    for service in status.services:
        if service.ready:
            yield Check("services", "ok", f"{service.name} is ready")
            continue
        log = f"read {logs / service.name}.log" if logs is not None else "read its log"
        mend = ELSE_MEND if logs is not None else MENDS.get(service.reason, ELSE_MEND)
        reason = f" ({service.reason})" if service.reason else ""
        yield Check("services", "problem", f"{service.name} {service.message}{reason}", mend.format(log=log))
