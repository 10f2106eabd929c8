"""The catalogue that comes along is whole, and mistakes in one are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordroute_models import ModelManager, ModelsSettings
from recordroute_models.catalogue import HubSource, PackageSource, load_catalogue
from recordroute_models.cpu import INT8_DOT_PRODUCT, cpu_features
from recordroute_models.errors import CatalogueInvalid

ENGINE_FILES = {
    "stt": {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"},
    "llm": {"model.gguf"},
    "embedding": {"model.onnx", "tokenizer.json"},
}


def test_the_default_models_cover_every_task() -> None:
    catalogue = load_catalogue()
    assert catalogue.defaults() == (
        "faster-whisper-base",
        "qwen2.5-coder-0.5b-instruct",
        "multilingual-e5-small",
    )
    assert {catalogue.model(model).task for model in catalogue.defaults()} == {"stt", "llm", "embedding"}
    assert catalogue.for_tests() == ("faster-whisper-tiny.en", "smollm2-135m-instruct", "all-minilm-l6-v2")


@pytest.mark.parametrize("model", load_catalogue().models, ids=lambda model: model.id)
def test_every_source_of_a_model_has_what_its_engine_needs(model: Any) -> None:
    assert {source.kind for source in model.sources} == {"packages", "hub"}
    for source in model.sources:
        assert {file.path for file in model.files_from(source)} == ENGINE_FILES[model.task]
        parameters = model.parameters_from(source)
        if model.task == "llm":
            assert parameters["context_tokens"] > 0
        if model.task == "embedding":
            assert parameters["dimensions"] == 384
            assert (parameters["output"], parameters["pooling"]) == ("last_hidden_state", "mean")
        if isinstance(source, HubSource):
            assert len(source.revision) == 40


def test_every_machine_has_a_package_source_of_every_model() -> None:
    for model in load_catalogue().models:
        assert any(isinstance(source, PackageSource) and not source.needs for source in model.sources)


def test_a_cpu_without_int8_dot_products_gets_the_four_bit_embeddings(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    settings = ModelsSettings(source="packages")
    files = {}
    for features in (frozenset({INT8_DOT_PRODUCT}), frozenset[str]()):
        manager = ModelManager(tmp_path, settings, features=features)
        (source,) = manager._candidates(catalogue.model("multilingual-e5-small"))
        assert isinstance(source, PackageSource)
        files[bool(features)] = source.converters["model.onnx"]
    assert files == {True: "e5-int8", False: "e5-int4"}


@pytest.mark.parametrize(
    ("machine", "flags", "has"),
    [
        ("aarch64", None, True),
        ("arm64", None, True),
        ("x86_64", "fpu avx2", False),
        ("x86_64", "fpu avx2 avx512_vnni", True),
        ("x86_64", "fpu avx_vnni", True),
        ("AMD64", None, False),
    ],
)
def test_the_cpu_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, flags: str | None, has: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr("recordroute_models.cpu.CPUINFO", cpuinfo)
    monkeypatch.setattr("platform.machine", lambda: machine)
    cpu_features.cache_clear()
    assert (INT8_DOT_PRODUCT in cpu_features()) is has
    cpu_features.cache_clear()


def replace(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace("size = 300000", "size = 300001"), "don't add up"),
        (replace('id = "hub-only"', 'id = "joined"'), "named twice: joined"),
        (replace('id = "joined"', 'id = "../joined"'), "should match pattern"),
        (replace('path = "model.bin"', 'path = "../model.bin"'), "should match pattern"),
        (replace('wheel = "joined-part2"', 'wheel = "joined-part3"'), "joined-part2, joined-part3"),
        (replace('"config.json" = [', '"other.json" = ['), "parts and files of a packages source differ"),
        (replace('renamed = { "model.bin"', 'renamed = { "model.bim"'), "renamed file"),
        (replace('revision = "0', 'revision = "main'), "should match pattern"),
        (replace('license = "MIT"\n', ""), "license: Field required"),
        (replace('task = "stt"', 'task = "tts"'), "should be 'stt', 'llm' or 'embedding'"),
        (replace("[[models]]", "[[models"), "can't be read"),
    ],
)
def test_a_mistake_in_a_catalogue_is_told(shop: Any, change: Callable[[str], str], problem: str) -> None:
    shop.catalogue.write_text(change(shop.catalogue.read_text()))
    with pytest.raises(CatalogueInvalid, match=problem):
        load_catalogue(shop.catalogue)


def test_a_catalogue_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid, match="can't be read"):
        load_catalogue(tmp_path / "none.toml")
