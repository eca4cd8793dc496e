"""Association negotiation (PS3.8 section 7.1): which contexts, in which encoding, in which role."""

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RP
from pynetdicom.pdu_items import (
    ApplicationContextItem,
    ImplementationClassUIDSubItem,
    ImplementationVersionNameSubItem,
    MaximumLengthSubItem,
    PresentationContextItemAC,
    PresentationContextItemRQ,
    SCP_SCU_RoleSelectionSubItem,
    TransferSyntaxSubItem,
    UserInformationItem,
)

from dicom_listener.sop_classes import (
    STORAGE_CLASSES,
    STORAGE_COMMITMENT,
    STORAGE_SYNTAXES,
    UNCOMPRESSED,
    VERIFICATION,
)
from dicom_listener.wire import INVALID_PARAMETER, ProtocolError
from radgen.study_store.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
# PS3.8 table 9-18.
_ACCEPTED, _NO_ABSTRACT_SYNTAX, _NO_TRANSFER_SYNTAX = 0, 3, 4

# The library logs values of the request; ours is the only log.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Context:
    """One accepted presentation context."""

    context_id: int
    sop_class_uid: str
    transfer_syntax_uid: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an association is refused (PS3.8 table 9-21), and the word for our log."""

    result: int
    source: int
    reason: int
    word: str


CALLED_AE_UNKNOWN = Refusal(1, 1, 7, "called AE title is not ours")
CALLING_AE_UNKNOWN = Refusal(1, 1, 3, "calling AE title or address is not allowed")
APPLICATION_UNKNOWN = Refusal(1, 1, 2, "application context is unknown")
TOO_MANY = Refusal(2, 3, 2, "too many associations")


@dataclass(frozen=True, slots=True)
class Offer:
    """What we take part in: classes by kind."""

    extra_sop_classes: frozenset[str] = frozenset()
    verification_only: bool = False

    def syntaxes_of(self, sop_class_uid: str) -> frozenset[str]:
        """Transfer syntaxes we accept for a class; none where we do not know it."""
        if sop_class_uid == VERIFICATION:
            return UNCOMPRESSED
        if self.verification_only:
            return frozenset()
        if sop_class_uid == STORAGE_COMMITMENT:
            return UNCOMPRESSED
        known = sop_class_uid in STORAGE_CLASSES or sop_class_uid in self.extra_sop_classes
        return STORAGE_SYNTAXES if known else frozenset()


def decode_request(pdu: bytes) -> A_ASSOCIATE_RQ:
    """Decodes an A-ASSOCIATE-RQ PDU, header included.

    Raises: ProtocolError if it cannot be decoded or names no AE titles.
    """
    request = A_ASSOCIATE_RQ()
    try:
        request.decode(pdu)
    except (ValueError, KeyError, AssertionError, IndexError, TypeError, struct.error) as error:
        raise ProtocolError("association request is malformed", INVALID_PARAMETER) from error
    return request


def choose_contexts(request: A_ASSOCIATE_RQ, offer: Offer) -> Iterator[tuple[Context, int]]:
    """Each proposed context with its result; the sender's first acceptable syntax wins.

    What it lists first is as a rule what it has on disk, so nobody transcodes.
    """
    for item in request.presentation_context:
        accepted = offer.syntaxes_of(str(item.abstract_syntax))
        proposed = [str(syntax) for syntax in item.transfer_syntax]
        syntax = next((one for one in proposed if one in accepted), None)
        result = _ACCEPTED
        if syntax is None:
            result = _NO_TRANSFER_SYNTAX if accepted else _NO_ABSTRACT_SYNTAX
            syntax = proposed[0] if proposed else "1.2.840.10008.1.2"
        context = Context(_context_id(item), str(item.abstract_syntax), syntax)
        yield context, result


def _context_id(item: PresentationContextItemRQ) -> int:
    identifier = item.presentation_context_id
    if identifier is None or identifier % 2 == 0:  # PS3.8 table 9-13
        raise ProtocolError("presentation context id is not odd", INVALID_PARAMETER)
    return identifier


def accepted_contexts(choices: list[tuple[Context, int]]) -> dict[int, Context]:
    """The accepted ones by their id."""
    return {context.context_id: context for context, result in choices if result == _ACCEPTED}


def accept_pdu(
    request: A_ASSOCIATE_RQ, choices: list[tuple[Context, int]], max_pdu_bytes: int
) -> bytes:
    """The A-ASSOCIATE-AC for `request`."""
    answer = A_ASSOCIATE_AC()
    answer.reserved_aet = request.called_ae_title
    answer.reserved_aec = request.calling_ae_title
    application = ApplicationContextItem()
    application.application_context_name = APPLICATION_CONTEXT
    answer.variable_items = [
        application,
        *(_context_item(context, result) for context, result in choices),
        _user_information(request, choices, max_pdu_bytes),
    ]
    data: bytes = answer.encode()
    return data


def _context_item(context: Context, result: int) -> PresentationContextItemAC:
    syntax = TransferSyntaxSubItem()
    syntax.transfer_syntax_name = context.transfer_syntax_uid
    item = PresentationContextItemAC()
    item.presentation_context_id = context.context_id
    item.result_reason = result
    item.transfer_syntax_sub_item = [syntax]
    return item


def _user_information(
    request: A_ASSOCIATE_RQ, choices: list[tuple[Context, int]], max_pdu_bytes: int
) -> UserInformationItem:
    length = MaximumLengthSubItem()
    length.maximum_length_received = max_pdu_bytes
    implementation = ImplementationClassUIDSubItem()
    implementation.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    version = ImplementationVersionNameSubItem()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    item = UserInformationItem()
    roles = _roles(request, {one.sop_class_uid for one in accepted_contexts(choices).values()})
    item.user_data = [length, implementation, version, *roles]
    return item


def _roles(request: A_ASSOCIATE_RQ, classes: set[str]) -> Iterator[SCP_SCU_RoleSelectionSubItem]:
    """Answers to proposed roles (PS3.7 D.3.3.4): the archive may be SCP of commitment, else SCU."""
    proposed = request.user_information.role_selection if request.user_information else {}
    for uid, wish in proposed.items():
        if str(uid) in classes:
            role = SCP_SCU_RoleSelectionSubItem()
            role.sop_class_uid = uid
            commitment = str(uid) == STORAGE_COMMITMENT
            role.scp_role = int(bool(wish.scp_role) and commitment)
            role.scu_role = int(bool(wish.scu_role) and not commitment)
            yield role


def reject_pdu(refusal: Refusal) -> bytes:
    """The A-ASSOCIATE-RJ for `refusal`."""
    answer = A_ASSOCIATE_RJ()
    answer.result = refusal.result
    answer.source = refusal.source
    answer.reason_diagnostic = refusal.reason
    data: bytes = answer.encode()
    return data


def abort_pdu(reason: int) -> bytes:
    """The A-ABORT of the service provider (PS3.8 table 9-26)."""
    answer = A_ABORT_RQ()
    answer.source = 2
    answer.reason_diagnostic = reason
    data: bytes = answer.encode()
    return data


def release_pdu() -> bytes:
    """The A-RELEASE-RP."""
    data: bytes = A_RELEASE_RP().encode()
    return data
