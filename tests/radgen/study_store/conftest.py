"""Files that pydicom ships, and a store to write."""

from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest

from radgen.study_store.store import StoreSettings, StoreWriter

SAMPLES = Path(pydicom.data.__file__).parent / "test_files"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of pydicom's test files."""
    return SAMPLES


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreWriter]:
    """A store opened for writing."""
    with StoreWriter(tmp_path / "store", StoreSettings(min_free_mb=1)) as opened:
        yield opened
