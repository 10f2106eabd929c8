"""The token file of an embedded system, and which addresses only this machine reaches."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from recordroute_runtime.addresses import is_local
from recordroute_runtime.tokens import MIN_TOKEN_LENGTH, TokenUnusable, ensure_token, read_token


def test_token_is_made_once_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "token"
    assert read_token(path) is None
    token = ensure_token(path)
    assert len(token) >= MIN_TOKEN_LENGTH
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_token(path) == read_token(path) == token
    assert [each.name for each in path.parent.iterdir()] == ["token"]
    assert ensure_token(tmp_path / "other") != token


def test_processes_that_make_it_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: ensure_token(tmp_path / "token"), range(8)))
    assert len(tokens) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_token_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    ensure_token(path)
    path.chmod(mode)
    with pytest.raises(TokenUnusable, match="chmod 600"):
        ensure_token(path)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 20 + b" " + b"x" * 20, b"\xff" * 40])
def test_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(TokenUnusable, match="no token"):
        ensure_token(path)


def test_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TokenUnusable):
        ensure_token(tmp_path / "file" / "token")


@pytest.mark.parametrize(
    ("listen", "local"),
    [
        ("127.0.0.1:7100", True),
        ("127.8.8.8:0", True),
        ("[::1]:7100", True),
        ("localhost:7100", True),
        ("LOCALHOST.:7100", True),
        ("unix:/run/x.sock", True),
        ("0.0.0.0:7100", False),
        ("[::]:7100", False),
        ("192.168.1.2:7100", False),
        ("[fe80::1%eth0]:7100", False),
        ("example.org:7100", False),
        ("localhost.example.org:7100", False),
        (":7100", False),
    ],
)
def test_addresses_that_only_this_machine_reaches(listen: str, local: bool) -> None:
    assert is_local(listen) is local
