"""Who may associate: called and calling AE title, address, certificate, and how many at once."""

import hashlib
import ipaddress
import ssl
from collections import Counter
from dataclasses import dataclass
from threading import Lock

from dicom_listener.negotiation import CALLED_AE_UNKNOWN, CALLING_AE_UNKNOWN, Offer, Refusal
from dicom_listener.settings import HostRule, ListenerSettings, host_rules

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Caller:
    """Who connected. certificate_sha256: hex, empty without TLS."""

    address: IpAddress
    certificate_sha256: str = ""


def caller_of(address: str, connection: object) -> Caller:
    """The caller behind a connection; an IPv4 address inside an IPv6 one is taken out."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    certificate = (
        connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
    )
    return Caller(ip, hashlib.sha256(certificate).hexdigest() if certificate else "")


class Admission:
    """The rules of one listener."""

    def __init__(self, settings: ListenerSettings) -> None:
        self._aet = settings.aet.strip()
        self._check_called = settings.check_called_aet
        self._rules = host_rules(settings.peers)
        self._offer = Offer(frozenset(settings.extra_sop_classes))

    def decide(self, caller: Caller, calling_aet: str, called_aet: str) -> Offer | Refusal:
        """What the caller is offered, or why it is refused.

        Our own AE title from the loopback interface may always verify: that is the health check.
        """
        if self._check_called and called_aet != self._aet:
            return CALLED_AE_UNKNOWN
        if not self._rules or any(_matches(rule, caller, calling_aet) for rule in self._rules):
            return self._offer
        if calling_aet == self._aet and caller.address.is_loopback:
            return Offer(verification_only=True)
        return CALLING_AE_UNKNOWN


def _matches(rule: HostRule, caller: Caller, calling_aet: str) -> bool:
    if rule.aet.strip() != calling_aet:
        return False
    if rule.certificate_sha256 and rule.certificate_sha256 != caller.certificate_sha256:
        return False
    return not rule.networks or any(caller.address in network for network in rule.networks)


class Seats:
    """How many associations there are, in all and from each host."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total = total
        self._per_host = per_host
        self._taken: Counter[str] = Counter()
        self._mutex = Lock()

    def take(self, host: str) -> bool:
        """True if there was a seat left; it is taken then."""
        with self._mutex:
            if self._taken.total() >= self._total or self._taken[host] >= self._per_host:
                return False
            self._taken[host] += 1
            return True

    def give_back(self, host: str) -> None:
        """The association ended."""
        with self._mutex:
            self._taken[host] -= 1
            if not self._taken[host]:
                del self._taken[host]
