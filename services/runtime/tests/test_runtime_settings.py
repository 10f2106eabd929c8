"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field
from recordroute_runtime.errors import ModelMissing
from recordroute_runtime.models import find_model, installed_models
from recordroute_runtime.settings import CommonSettings, ServerSettings, SettingsError, load_settings


class ToySettings(ServerSettings, section="toy"):
    listen: str = "127.0.0.1:1"
    threads: int = Field(2, ge=1)


def test_variable_wins_over_file_and_file_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "recordroute.toml"
    config.write_text('log_level = "debug"\n[toy]\nthreads = 3\nmetrics_port = 9000\n[other]\nthreads = 9\n')
    monkeypatch.setenv("RECORDROUTE_CONFIG", str(config))
    monkeypatch.setenv("RECORDROUTE_TOY_METRICS_PORT", "9001")
    settings = load_settings(ToySettings)
    assert (settings.threads, settings.metrics_port, settings.listen) == (3, 9001, "127.0.0.1:1")
    assert load_settings(CommonSettings).log_level == "debug"


def test_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDROUTE_TOY_THREADS", "0")
    with pytest.raises(SettingsError, match=r"RECORDROUTE_TOY_THREADS: .*greater than or equal to 1"):
        load_settings(ToySettings)


@pytest.mark.parametrize("content", [None, "not = toml = at all"])
def test_unreadable_file_is_said(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "recordroute.toml"
    if content is not None:
        config.write_text(content)
    monkeypatch.setenv("RECORDROUTE_CONFIG", str(config))
    with pytest.raises(SettingsError, match="RECORDROUTE_CONFIG="):
        load_settings(ToySettings)


def test_folder_without_manifest_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half/model.bin").write_bytes(b"x")
    with pytest.raises(ModelMissing, match="recordroute models pull half"):
        find_model(tmp_path, "half")
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/model.json").write_text(
        '{"task": "stt", "files": [{"path": "a", "size": 2}, {"path": "b", "size": 3}]}'
    )
    (model,) = installed_models(tmp_path, "stt")
    assert (model.id, model.size_bytes) == ("whole", 5)
    assert installed_models(tmp_path, "llm") == []
