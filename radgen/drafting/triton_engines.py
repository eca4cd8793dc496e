"""The two engines that ask a Triton: our own child, and a server at a URL."""

import numpy as np
from numpy.typing import NDArray

from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting.engine import Reading
from radgen.drafting.triton_client import TritonClient
from radgen.drafting.triton_server import TritonServer


class EmbeddedEngine:
    """The embedded server behind the engine's interface."""

    def __init__(self, server: TritonServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        """As `Engine.name`."""
        return "triton-embedded"

    def read(self, image: NDArray[np.float32], max_tokens: int, deadline_s: float) -> Reading:
        """As `Engine.read`; a failure makes the watchdog look at once."""
        try:
            return self._server.client.read(image, max_tokens, deadline_s)
        except InferenceUnavailableError:
            self._server.suspect()
            raise

    def healthy(self) -> bool:
        """As `Engine.healthy`: what the last self-test said."""
        return self._server.healthy()

    def close(self) -> None:
        """As `Engine.close`: stops the server."""
        self._server.close()


class UrlEngine:
    """A Triton that somebody else runs."""

    def __init__(self, client: TritonClient) -> None:
        self._client = client

    @property
    def name(self) -> str:
        """As `Engine.name`."""
        return "triton-url"

    def read(self, image: NDArray[np.float32], max_tokens: int, deadline_s: float) -> Reading:
        """As `Engine.read`."""
        return self._client.read(image, max_tokens, deadline_s)

    def healthy(self) -> bool:
        """As `Engine.healthy`: asks the server, for at most a second."""
        return self._client.wire.is_ready(timeout_s=1.0)

    def close(self) -> None:
        """As `Engine.close`."""
        self._client.wire.close()
