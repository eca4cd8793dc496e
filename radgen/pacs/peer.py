"""One archive or router we talk to, and how long we are willing to wait for it."""

from dataclasses import dataclass

from radgen.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Peer:
    """A DICOM application entity, and optionally its DICOMweb root.

    name: what we call it in logs and messages. aet, our_aet: 1 to 16 ASCII characters.
    charset: Specific Character Set of our queries and of the reports we send to it.
    connect_timeout_s: until TCP is up; also each HTTP connect.
    response_timeout_s: until the next answer; a peer that falls silent this long is unreachable.
    total_timeout_s: until the whole exchange is over, however busy the peer looks.
    commitment: False where the peer has no storage commitment; a query confirms instead.
    dicomweb_url: root of QIDO-RS ("http://archive:8042/dicom-web"), "" where there is none.
    Raises: ConfigurationError for a title or port that cannot be used.
    """

    name: str
    aet: str
    host: str
    port: int
    our_aet: str = "RADGEN"
    charset: str = "ISO_IR 192"
    connect_timeout_s: float = 5.0
    response_timeout_s: float = 30.0
    total_timeout_s: float = 300.0
    commitment: bool = True
    dicomweb_url: str = ""

    def __post_init__(self) -> None:
        for title in (self.aet, self.our_aet):
            # PS3.5 6.2, VR AE: 16 characters, no backslash, not only spaces.
            if not (0 < len(title.strip()) <= 16 and title.isascii() and "\\" not in title):
                raise ConfigurationError(f"peer {self.name}: {title!r} is no AE title")
        if not 0 < self.port < 65536:
            raise ConfigurationError(f"peer {self.name}: {self.port} is no TCP port")
