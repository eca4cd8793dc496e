"""Whole sites for journeys, and a place for the figures they measure."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

from radgen.demo.orthanc import find_orthanc

HERE = Path(__file__).resolve().parent
FIGURES = pytest.StashKey[list[str]]()


def load(folder: Path, name: str) -> ModuleType:
    """A plain module of the tests by its file."""
    module_name = f"tests_{folder.name}_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, folder / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    return sys.modules[module_name]


@pytest.fixture(scope="session")
def site_tools() -> ModuleType:
    """tests/journeys/site.py."""
    return load(HERE, "site")


@pytest.fixture(scope="session")
def validators() -> ModuleType:
    """tests/peers/validators.py; skips where a tool is missing."""
    module = load(HERE.parent / "peers", "validators")
    if missing := module.missing():
        pytest.skip(f"not installed: {', '.join(missing)}")
    return module


@pytest.fixture(scope="session")
def as_pixelmed_knows_it() -> Callable:
    """Turns a document into its twin in the edition of PS3.16 that PixelMed holds."""
    folder = HERE.parent / "radgen" / "dicom" / "documents"
    return load(folder, "test_templates").as_pixelmed_knows_it


@pytest.fixture(scope="session")
def listener_kit() -> ModuleType:
    """What the listener's tests say by hand: PDUs, commands, datasets as bytes."""
    return load(HERE.parent / "dicom_listener", "conftest")


@pytest.fixture(scope="module")
def open_site(tmp_path_factory, site_tools) -> Iterator[Callable]:
    """A function that starts a site, keyword arguments as in `Plan`; all end with the module."""
    with ExitStack() as stack:

        def start(**plan):
            if "archive" not in plan and find_orthanc() is None:
                pytest.skip("Orthanc with its DICOMweb plugin is not installed")
            folder = tmp_path_factory.mktemp("site")
            site = site_tools.Site(folder, site_tools.Plan(**plan))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            return stack.enter_context(site.running())

        yield start


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A function that notes one line for the end of the run."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter, config) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("figures of the journeys")
        for line in lines:
            terminalreporter.line(line)
