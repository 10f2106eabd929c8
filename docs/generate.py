"""Generates docs/settings.md from the settings classes and docs/contract.md from protos/.

With --check, says which of the two are stale and exits 1.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from pydantic_core import PydanticUndefined
from recordroute_gateway.settings import GatewaySettings
from recordroute_llm.settings import LlmSettings
from recordroute_models.settings import ModelsSettings
from recordroute_runtime.settings import CommonSettings, SectionSettings
from recordroute_stt.settings import SttSettings
from recordroute_vector.settings import VectorSettings

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SETTINGS: dict[str, type[SectionSettings]] = {
    "Every process": CommonSettings,
    "gateway": GatewaySettings,
    "stt": SttSettings,
    "llm": LlmSettings,
    "vector": VectorSettings,
    "Model manager": ModelsSettings,
}
COMPUTED_DEFAULTS = {
    "RECORDROUTE_DATA_DIR": "the user's data folder, `recordroute/data`",
    "RECORDROUTE_MODELS_DIR": "the user's data folder, `recordroute/models`",
}
TYPE_NAMES = {
    getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name}"): name.lower()
    for name in ("DOUBLE", "FLOAT", "INT64", "UINT64", "INT32", "BOOL", "STRING", "BYTES", "UINT32")
}
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _shown(value: Any) -> str:
    if value is None or not str(value):
        return "unset"
    return "empty" if value == () else f"`{value}`"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Generated from the code by `make protos`; do not edit.",
        "",
        "A setting is an environment variable, or a line of the TOML file that `RECORDROUTE_CONFIG` names: "
        "`RECORDROUTE_STT_MODEL` is `model` below `[stt]`, `RECORDROUTE_DATA_DIR` is `data_dir` at the top. "
        "Variables win over the file, the file over the defaults.",
    ]
    for title, settings in SETTINGS.items():
        prefix = str(settings.model_config["env_prefix"])
        lines += ["", f"## {title}", "", "| Variable | Default | Meaning |", "|---|---|---|"]
        for name, field in sorted(settings.model_fields.items()):
            variable = prefix + name.upper()
            default = COMPUTED_DEFAULTS.get(variable)
            if default is None:
                value = field.default
                if value is PydanticUndefined:
                    default = "computed" if field.default_factory else "required"
                else:
                    default = _shown(value)
            lines.append(f"| `{variable}` | {cell(default)} | {cell(field.description or '')} |")
    return "\n".join(lines) + "\n"


def descriptors() -> descriptor_pb2.FileDescriptorSet:
    includes = [ROOT / "protos", ROOT / "third_party/protos", Path(protoc.__file__).parent / "_proto"]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "descriptors"
        arguments = [f"-I{include}" for include in includes]
        arguments += ["--include_source_info", f"--descriptor_set_out={target}"]
        files = sorted(str(path) for path in (ROOT / "protos").rglob("*.proto"))
        if protoc.main(["protoc", *arguments, *files]) != 0:
            raise SystemExit("protoc refused the contract: see above")
        return descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())


def comments(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(place.path): "\n".join(line.strip() for line in place.leading_comments.strip().splitlines())
        for place in file.source_code_info.location
        if place.leading_comments
    }


def type_name(field: descriptor_pb2.FieldDescriptorProto, package: str) -> str:
    name = TYPE_NAMES.get(field.type) or field.type_name.removeprefix(".").removeprefix(f"{package}.")
    return f"repeated {name}" if field.label == REPEATED else name


def file_lines(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    said = comments(file)

    def comment(*path: int) -> str:
        return said.get(path, "")

    for index, service in enumerate(file.service):
        yield from (f"### {service.name}", "", comment(6, index), "")
        for number, method in enumerate(service.method):
            sent, answered = (name.rpartition(".")[2] for name in (method.input_type, method.output_type))
            sent = f"stream {sent}" if method.client_streaming else sent
            answered = f"stream {answered}" if method.server_streaming else answered
            yield from (
                f"#### rpc {method.name} ({sent}) returns ({answered})",
                "",
                comment(6, index, 2, number),
                "",
            )
    for index, message in enumerate(file.message_type):
        yield from (f"### message {message.name}", "", comment(4, index), "")
        if message.field:
            yield from ("| Field | Type | Meaning |", "|---|---|---|")
        for number, field in enumerate(message.field):
            kind = type_name(field, file.package)
            if field.proto3_optional:
                kind = f"optional {kind}"
            elif field.HasField("oneof_index"):
                kind = f"{kind} (one of {message.oneof_decl[field.oneof_index].name})"
            yield f"| `{field.name}` = {field.number} | {kind} | {cell(comment(4, index, 2, number))} |"
        yield ""
    for index, enum in enumerate(file.enum_type):
        yield from (f"### enum {enum.name}", "", comment(5, index), "", "| Value | Meaning |", "|---|---|")
        for number, value in enumerate(enum.value):
            yield f"| `{value.name}` = {value.number} | {cell(comment(5, index, 2, number))} |"
        yield ""


def contract_page() -> str:
    lines = [
        "# The contract",
        "",
        "Generated from `protos/` by `make protos`; do not edit. The rules that requests must follow stand in the "
        ".proto files as protovalidate constraints; a request that breaks one is answered with INVALID_ARGUMENT and "
        "the fields that are wrong. Every error carries a `google.rpc.ErrorInfo` of domain `recordroute` with a "
        "stable reason and the call's trace id; where a retry can help, a `google.rpc.RetryInfo` says when. Unary "
        "calls need a deadline.",
        "",
    ]
    for file in descriptors().file:
        lines += [f"## {file.name}", ""]
        lines += file_lines(file)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args().check
    pages: dict[Path, Any] = {DOCS / "settings.md": settings_page(), DOCS / "contract.md": contract_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        names = "\n".join(str(path.relative_to(ROOT)) for path in stale)
        raise SystemExit(f"stale, run `make protos`:\n{names}")
    for path in stale:
        path.write_text(pages[path])


if __name__ == "__main__":
    main()
