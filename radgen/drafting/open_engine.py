"""Which engine runs a pack: a URL if one is given, else the embedded Triton, else this process."""

import logging
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.decoder import WEIGHTS as DECODER_WEIGHTS
from models.pack import Pack, PackFaultError, load_pack
from radgen.domain.errors import ConfigurationError, InferenceUnavailableError, PackError
from radgen.drafting.engine import Engine
from radgen.drafting.local import LocalEngine
from radgen.drafting.self_test import REMOTE_TOLERANCE, prepare_self_test, run_self_test
from radgen.drafting.triton_client import TritonClient
from radgen.drafting.triton_engines import EmbeddedEngine, UrlEngine
from radgen.drafting.triton_preflight import (
    Refusal,
    Unfit,
    examine_host,
    find_repository,
    refusal_of,
)
from radgen.drafting.triton_process import Launch
from radgen.drafting.triton_server import TritonServer, Watch
from radgen.drafting.triton_wire import Endpoint, TritonWire

log = logging.getLogger(__name__)

Mode = Literal["auto", "embedded", "url", "in-process"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the networks are run.

    mode: "auto": `url` if it is set, else the embedded Triton where it can run, else in process.
    url: "grpc://host:port", or "grpcs://host:port" for TLS (variable TRITON_URL).
    start_timeout_s: for a server's start, or for a server at a URL to answer.
    deadline_s: of one reading. max_tokens: of one proposed text.
    """

    pack_folder: Path
    mode: Mode = "auto"
    url: str = ""
    start_timeout_s: float = 30.0
    deadline_s: float = 60.0
    max_tokens: int = 160


def open_engine(settings: EngineSettings) -> Engine:
    """Opens the engine that `settings` ask for; "auto" never fails for want of a server.

    Raises: PackError if the pack is damaged or a server at a URL serves another one,
    ConfigurationError for a URL that is none, InferenceUnavailableError if a server that was asked
    for by name cannot be used.
    """
    try:
        pack = load_pack(settings.pack_folder)
        if settings.mode == "url" or (settings.mode == "auto" and settings.url):
            return open_url(settings, pack)
        if settings.mode == "in-process":
            return LocalEngine(pack)
        engine = start_embedded(settings, pack)
        if not isinstance(engine, Refusal):
            return engine
        if settings.mode == "embedded":
            raise InferenceUnavailableError(f"{engine.reason}: {engine.message}")
        log.warning(
            "no embedded triton, the networks run in process",
            extra={"reason": str(engine.reason), "detail": engine.message},
        )
        return LocalEngine(pack)
    except PackFaultError as error:
        raise PackError(str(error)) from error


def start_embedded(settings: EngineSettings, pack: Pack) -> Engine | Refusal:
    """The embedded engine, or the typed reason why there is none."""
    host = examine_host(find_repository())
    refusal = refusal_of(host)
    if refusal is not None:
        return refusal
    if host.wheel is None or host.repository is None:
        return Refusal(Unfit.WHEEL, "the wheel or the model repository is missing")
    writes = DECODER_WEIGHTS in pack.files
    launch = Launch(host.wheel, host.repository, pack.folder, with_decoder=writes)
    watch = Watch(start_timeout_s=settings.start_timeout_s)
    try:
        return EmbeddedEngine(TritonServer(launch, prepare_self_test(pack), watch))
    except InferenceUnavailableError as error:
        return Refusal(Unfit.START, str(error))


def open_url(settings: EngineSettings, pack: Pack) -> Engine:
    """The engine of a server at a URL, which must compute what our copy of the pack computes.

    Raises: ConfigurationError, InferenceUnavailableError, PackError as `open_engine` says.
    """
    wire = TritonWire(endpoint_of(settings.url))
    client = TritonClient(wire, with_decoder=DECODER_WEIGHTS in pack.files)
    try:
        version = wire.server_version(settings.start_timeout_s)
        prove_same_pack(client, pack, settings.start_timeout_s)
    except (InferenceUnavailableError, PackError):
        wire.close()
        raise
    log.info("triton at a URL serves", extra={"server": version})
    return UrlEngine(client)


def prove_same_pack(client: TritonClient, pack: Pack, timeout_s: float) -> None:
    """Raises: PackError if the server does not compute what our copy of the pack computes."""
    fault = run_self_test(client, prepare_self_test(pack), REMOTE_TOLERANCE, timeout_s)
    if fault:
        raise PackError(f"the server does not compute what {pack.name} computes: {fault}")


def endpoint_of(url: str) -> Endpoint:
    """Reads "grpc://host:port" or "grpcs://host:port". Raises: ConfigurationError."""
    parts = urllib.parse.urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("grpc", "grpcs") or not parts.hostname or port is None:
        raise ConfigurationError(f"no triton URL: {url!r}; it reads grpc://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Endpoint(f"{host}:{port}", secure=parts.scheme == "grpcs")
