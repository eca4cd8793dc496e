"""The adversarial sentences, for every test of this folder."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def adversarial() -> ModuleType:
    """The module beside this file: sentences, and how statements are spelled."""
    path = Path(__file__).with_name("adversarial.py")
    spec = importlib.util.spec_from_file_location("adversarial", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["adversarial"] = module
    spec.loader.exec_module(module)
    return module
