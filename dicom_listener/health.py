"""Is a listener alive? Asks as a modality would: association, C-ECHO, release."""

from pynetdicom import AE

from dicom_listener.sop_classes import VERIFICATION

_TIMEOUT_S = 5


def is_healthy(host: str, port: int, aet: str) -> bool:
    """True if the listener `aet` at `host`:`port` answers a C-ECHO with success.

    It calls by the listener's own AE title, which is always let in from the loopback interface.
    """
    ae = AE(ae_title=aet)
    ae.add_requested_context(VERIFICATION)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = _TIMEOUT_S
    association = ae.associate(host, port, ae_title=aet)
    if not association.is_established:
        return False
    status = association.send_c_echo()
    association.release()
    return "Status" in status and status.Status == 0
