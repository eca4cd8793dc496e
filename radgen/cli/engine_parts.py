"""The engine of a site, opened as [engine] and TRITON_URL say, and the packs beside it."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.contract import IMAGE_SIZE
from models.pack import PACKS, Pack, PackFaultError, list_packs, load_pack
from radgen.cli.site import Site
from radgen.domain.errors import PackError
from radgen.drafting.engine import Engine
from radgen.drafting.open_engine import EngineSettings, open_engine
from radgen.pipeline.reading import ReadingRoom


def engine_settings(site: Site) -> EngineSettings:
    """[engine] of the configuration; TRITON_URL in the environment names an outside server."""
    settings = site.section("engine", EngineSettings)
    url = os.environ.get("TRITON_URL", "")
    return replace(settings, url=url) if url else settings


def open_site_engine(site: Site) -> Engine:
    """Opens the engine. Raises: PackError, ConfigurationError, InferenceUnavailableError."""
    return open_engine(engine_settings(site))


def open_room(site: Site) -> ReadingRoom:
    """The engine and every installed pack, all verified."""
    settings = engine_settings(site)
    return ReadingRoom(
        open_engine(settings), installed_packs(), settings.max_tokens, settings.deadline_s
    )


def installed_packs() -> Mapping[str, Pack]:
    """Every pack that ships with the project, by name. Raises: PackError for a damaged one."""
    try:
        packs = [load_pack(folder) for folder in list_packs(PACKS)]
    except PackFaultError as error:
        raise PackError(str(error)) from error
    return {pack.name: pack for pack in packs}


def read_test_image(engine: Engine) -> float:
    """Reads a grey ramp. Returns: milliseconds. Raises: InferenceUnavailableError."""
    ramp = np.linspace(0, 1, IMAGE_SIZE, dtype=np.float32)
    image = np.broadcast_to(ramp, (1, 1, IMAGE_SIZE, IMAGE_SIZE)).copy()
    begin = time.perf_counter()
    engine.read(image, 8, 30.0)
    return (time.perf_counter() - begin) * 1000
