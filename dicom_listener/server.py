"""The listening socket: one thread for each association, bounded, stopped in good order."""

import logging
import socket
import ssl
from contextlib import suppress
from itertools import count
from threading import Event, Lock, Thread
from time import monotonic, sleep

from dicom_listener.admission import Admission, Seats, caller_of
from dicom_listener.association import Association, Surroundings
from dicom_listener.settings import ListenerSettings, TlsSettings, check_settings
from dicom_listener.wire import Wire
from radgen.domain.errors import ConfigurationError, StoreError
from radgen.study_store.store import StoreSettings, StoreWriter

log = logging.getLogger(__name__)
# Connections beyond the seats that are heard only to be told so; above these, closed unheard.
_STANDING = 16


class Listener:
    """Accepts associations from `start` to `stop`. port: the one bound."""

    def __init__(self, settings: ListenerSettings) -> None:
        """Opens store and socket.

        Raises: ConfigurationError for settings that cannot work, StoreError if the store cannot
            be opened, OSError if the port is taken.
        """
        check_settings(settings)
        self._settings = settings
        self._tls = _tls_context(settings.tls) if settings.tls else None
        self._writer = StoreWriter(
            settings.store,
            StoreSettings(
                settings.durability,
                settings.min_free_mb,
                settings.quarantine_max_mb,
                settings.quarantine_max_files,
            ),
        )
        self.leftovers = self._writer.leftovers
        self._stopping = Event()
        admission = Admission(settings)
        self._shared = Surroundings(settings, admission, self._writer, self._stopping)
        self._seats = Seats(settings.max_associations, settings.max_associations_per_host)
        self._numbers = count(1)
        self._mutex = Lock()
        self._open: dict[socket.socket, Association | None] = {}
        family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
        self._socket = socket.create_server(
            (settings.bind, settings.port), family=family, backlog=128
        )
        self.port: int = self._socket.getsockname()[1]
        self._thread = Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Begins to accept."""
        self._thread.start()

    def stop(self) -> None:
        """Accepts no more, lets messages in flight end (at most `stop_s`), closes the store."""
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._thread.join()
        self._socket.close()
        until = monotonic() + self._settings.stop_s
        while self._wake_idle() and monotonic() < until:
            sleep(0.02)
        with self._mutex:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        while self._open and monotonic() < until + 1:
            sleep(0.02)
        self._writer.close()

    def _wake_idle(self) -> int:
        """Ends the receive of associations between two messages; returns how many are open."""
        with self._mutex:
            for connection, association in self._open.items():
                if association is None or not association.busy:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)
            return len(self._open)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = self._socket.accept()
            except OSError as error:
                if self._stopping.is_set():
                    return
                log.warning("accept failed", extra={"reason": error.strerror})
                sleep(0.05)  # out of file descriptors: do not spin
                continue
            self._admit(connection, str(address[0]))

    def _admit(self, connection: socket.socket, host: str) -> None:
        number = next(self._numbers)
        with self._mutex:
            crowded = len(self._open) >= self._settings.max_associations + _STANDING
            if not crowded:
                self._open[connection] = None
        if crowded:
            connection.close()
            log.warning("connection closed unheard", extra={"association": number})
            return
        Thread(
            target=self._serve,
            args=(connection, host, number),
            name=f"association-{number}",
            daemon=True,
        ).start()

    def _serve(self, connection: socket.socket, host: str, number: int) -> None:
        has_seat = self._seats.take(host)
        speaking = connection
        try:
            speaking = self._secure(connection)
            association = Association(
                Wire(speaking), caller_of(host, speaking), number, self._shared, has_seat=has_seat
            )
            with self._mutex:
                self._open[connection] = association
            association.run()
        except (OSError, StoreError) as error:
            log.warning(
                "connection failed", extra={"association": number, "reason": type(error).__name__}
            )
        finally:
            speaking.close()
            with self._mutex:
                del self._open[connection]
            connection.close()
            if has_seat:
                self._seats.give_back(host)

    def _secure(self, connection: socket.socket) -> socket.socket:
        """The TLS connection, or the same one without TLS. Raises: OSError."""
        if self._tls is None:
            return connection
        connection.settimeout(self._settings.artim_s)
        return self._tls.wrap_socket(connection.dup(), server_side=True)


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or later. Raises: ConfigurationError if a file is no certificate or key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.ca is not None:
            context.load_verify_locations(tls.ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"listener.tls: {error}") from error
    if not tls.require_client_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL if tls.ca else ssl.CERT_NONE
    return context
