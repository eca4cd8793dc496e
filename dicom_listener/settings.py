"""Settings of the listener: section [listener] of the configuration, or command line options."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from radgen.domain.errors import ConfigurationError
from radgen.study_store.commit import Durability

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class PeerRule:
    """Who may associate: an AE title, from these hosts, with this certificate.

    hosts: addresses or networks ("10.1.2.3", "10.1.0.0/16", "fd00::/8"); empty: from anywhere.
    certificate_sha256: hex digest of the peer's TLS certificate (DER); empty: any that our CA
        signed.
    """

    aet: str
    hosts: tuple[str, ...] = ()
    certificate_sha256: str = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """TLS 1.2 or later (PS3.15 B.12); files are PEM.

    ca: who signs the peers' certificates; needed when client certificates are required.
    """

    certificate: Path
    key: Path
    ca: Path | None = None
    require_client_certificate: bool = True

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """How the listener listens, whom it hears, and how much it takes.

    accept_any_peer: must be said when `peers` is empty and `bind` is not the loopback interface.
    max_pdu_bytes: announced to the sender; longer P-DATA PDUs are refused before they are read.
    artim_s: from connection to association request (PS3.8 section 9.1.5).
    idle_s: longest silence inside an association. message_s: longest time for one message.
    stop_s: how long messages in flight may go on after SIGTERM.
    extra_sop_classes: private Storage SOP classes to accept beside the standard ones.
    """

    bind: str = "127.0.0.1"
    port: int = 11112
    aet: str = "RADGEN"
    store: Path = Path("var/store")
    check_called_aet: bool = True
    peers: tuple[PeerRule, ...] = ()
    accept_any_peer: bool = False
    extra_sop_classes: tuple[str, ...] = ()
    tls: TlsSettings | None = None
    durability: Durability = Durability.GROUPED
    min_free_mb: int = 1024
    quarantine_max_mb: int = 1024
    quarantine_max_files: int = 1000
    max_associations: int = 32
    max_associations_per_host: int = 16
    max_pdu_bytes: int = 262144
    max_association_request_bytes: int = 262144
    max_command_bytes: int = 16384
    max_dataset_mb: int = 8192
    max_event_bytes: int = 4194304
    artim_s: float = 10.0
    idle_s: float = 60.0
    message_s: float = 1800.0
    stop_s: float = 10.0

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class HostRule:
    """A `PeerRule` with its networks parsed."""

    aet: str
    networks: tuple[IpNetwork, ...] = field(default=())
    certificate_sha256: str = ""


def host_rules(peers: tuple[PeerRule, ...]) -> tuple[HostRule, ...]:
    """Parses the hosts of every rule. Raises: ConfigurationError naming the rule and host."""
    return tuple(
        HostRule(
            peer.aet,
            tuple(_network(peer.aet, host) for host in peer.hosts),
            peer.certificate_sha256.replace(":", "").lower(),
        )
        for peer in peers
    )


def check_settings(settings: ListenerSettings) -> None:
    """Raises: ConfigurationError for the first setting that cannot work."""
    for aet in (settings.aet, *(peer.aet for peer in settings.peers)):
        _check_aet(aet)
    host_rules(settings.peers)
    _check_numbers(settings)
    _check_exposure(settings)
    if settings.tls is not None:
        _check_tls(settings.tls)


def _network(aet: str, host: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(host, strict=False)
    except ValueError as error:
        raise ConfigurationError(f"listener.peers {aet}: {host!r} is no address") from error


def _check_aet(aet: str) -> None:
    # PS3.5 section 6.2, AE: 16 characters, no backslash, no control characters, not only spaces.
    if not (0 < len(aet.strip()) <= 16 and aet.isascii() and aet.isprintable() and "\\" not in aet):
        raise ConfigurationError(f"listener: {aet!r} is no AE title")


def _check_numbers(settings: ListenerSettings) -> None:
    if not 0 <= settings.port <= 65535:
        raise ConfigurationError("listener.port must be from 0 to 65535")
    if not 4096 <= settings.max_pdu_bytes <= 0xFFFFFFFF:
        raise ConfigurationError("listener.max_pdu_bytes must be at least 4096")
    for name in ("artim_s", "idle_s", "message_s", "max_associations", "max_dataset_mb"):
        if getattr(settings, name) <= 0:
            raise ConfigurationError(f"listener.{name} must be more than 0")


def _check_exposure(settings: ListenerSettings) -> None:
    try:
        loopback = ipaddress.ip_address(settings.bind).is_loopback
    except ValueError as error:
        raise ConfigurationError(f"listener.bind: {settings.bind!r} is no address") from error
    if not (loopback or settings.peers or settings.accept_any_peer):
        raise ConfigurationError(
            f"listener.bind is {settings.bind} and listener.peers is empty: name the peers, or set "
            "accept_any_peer"
        )


def _check_tls(tls: TlsSettings) -> None:
    if tls.require_client_certificate and tls.ca is None:
        raise ConfigurationError("listener.tls.ca is needed to check client certificates")
    for path in (tls.certificate, tls.key, tls.ca):
        if path is not None and not path.is_file():
            raise ConfigurationError(f"listener.tls: {path} is not a file")
