"""Settings of the page."""

from dataclasses import dataclass
from typing import Literal

PageLanguage = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Section `[review]`.

    bind: address to listen on. The page has no accounts (they come with the review application,
        stage 3), so anything but loopback needs a guarded proxy in front.
    language: of the page, until a person chooses another.
    hosts: names by which browsers may call it; any other is refused, so that a foreign site cannot
        reach a loopback page under a name of its own.
    producer: organisation code of the AIGC label.
    """

    bind: str = "127.0.0.1"
    port: int = 8480
    language: PageLanguage = "zh"
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    producer: str = "radgen"
