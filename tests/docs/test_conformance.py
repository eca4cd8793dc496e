"""docs/conformance.md says what the code does: its tables are compared with the constants."""

import dataclasses
from pathlib import Path

import pytest
from pydicom.uid import UID, ComprehensiveSRStorage, ExplicitVRLittleEndian
from pynetdicom._globals import DEFAULT_MAX_LENGTH
from pynetdicom.presentation import build_context

from dicom_listener import command_set, negotiation, sop_classes
from dicom_listener.settings import ListenerSettings
from radgen.dicom import codes, private_block, sr_settings, write_header
from radgen.dicom.draft_uids import DocumentKind
from radgen.domain.report import Section
from radgen.pacs import find, services, store
from radgen.pacs.peer import Peer
from radgen.pipeline import returning
from radgen.study_store import file_meta

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = "docs/conformance.md"
LIMITS = [
    "max_pdu_bytes",
    "max_association_request_bytes",
    "max_command_bytes",
    "max_dataset_mb",
    "max_event_bytes",
    "max_associations",
    "max_associations_per_host",
    "artim_s",
    "idle_s",
    "message_s",
    "stop_s",
    "min_free_mb",
]
STATUSES = [
    "SUCCESS",
    "PROCESSING_FAILURE",
    "NO_SUCH_EVENT_TYPE",
    "SOP_CLASS_NOT_SUPPORTED",
    "UNRECOGNIZED_OPERATION",
    "OUT_OF_RESOURCES",
    "DATASET_MISMATCH",
    "CANNOT_UNDERSTAND",
]
REFUSALS = ("APPLICATION_UNKNOWN", "CALLING_AE_UNKNOWN", "CALLED_AE_UNKNOWN", "TOO_MANY")


def defaults(type_, names):
    by_name = {field.name: field.default for field in dataclasses.fields(type_)}
    return [(f"`{name}`", str(by_name[name])) for name in names]


def named(uids):
    rows = [(UID(uid).name.replace(" (Retired)", ", retired"), f"`{uid}`") for uid in uids]
    return sorted(rows, key=lambda row: (row[0].lower(), row[1]))


def listener_services():
    offer = negotiation.Offer()
    uncompressed = ", ".join(name for name, _ in named(offer.syntaxes_of(sop_classes.VERIFICATION)))
    assert offer.syntaxes_of(sop_classes.STORAGE_COMMITMENT) == sop_classes.UNCOMPRESSED
    return [
        (UID(uid).name, f"`{uid}`", uncompressed)
        for uid in (sop_classes.VERIFICATION, sop_classes.STORAGE_COMMITMENT)
    ]


def engine_services():
    uids = (
        services.VERIFICATION,
        services.STUDY_ROOT_FIND,
        services.STUDY_ROOT_MOVE,
        ComprehensiveSRStorage,
        services.STORAGE_COMMITMENT_PUSH,
    )
    return [(UID(uid).name, f"`{uid}`") for uid in uids]


def engine_syntaxes():
    """As the contexts are really built."""
    asking = build_context(services.STUDY_ROOT_FIND)
    storing = store._contexts([(ComprehensiveSRStorage, ExplicitVRLittleEndian)])

    def syntaxes(contexts, between):
        offers = [", ".join(UID(uid).name for uid in each.transfer_syntax) for each in contexts]
        return between.join(offers)

    return [
        ("Storage of our documents, one context each", syntaxes(storing, "; ")),
        ("all others, one context", syntaxes([asking], "")),
    ]


def refusals():
    found = [getattr(negotiation, name) for name in REFUSALS]
    return [(f"{one.result} / {one.source} / {one.reason}", one.word) for one in found]


def sections():
    def cell(value, scheme, meaning=""):
        return f"{value} {scheme} {meaning}".strip()

    return [
        (
            section.value,
            cell(*dataclasses.astuple(codes.SECTIONS[section])[:3]),
            cell(codes.RETIRED_SECTIONS[section], "DCM"),
        )
        for section in Section
    ]


TABLES = {
    "listener-limits": lambda: defaults(ListenerSettings, LIMITS),
    "listener-refusals": refusals,
    "listener-services": listener_services,
    "listener-transfer-syntaxes": lambda: named(sop_classes.STORAGE_SYNTAXES),
    "listener-statuses": lambda: [
        (f"0x{getattr(command_set, name):04X}", name.replace("_", " ").lower()) for name in STATUSES
    ],
    "engine-limits": lambda: defaults(
        Peer, ["connect_timeout_s", "response_timeout_s", "total_timeout_s"]
    ),
    "engine-services": engine_services,
    "engine-syntaxes": engine_syntaxes,
    "documents": lambda: [
        (kind.value, UID(ComprehensiveSRStorage).name, f"`{ComprehensiveSRStorage}`")
        for kind in (DocumentKind.CHINESE, DocumentKind.ENGLISH, DocumentKind.MEASUREMENTS)
    ],
    "sections": sections,
    "charsets": lambda: [(name,) for name in sr_settings.CHARSETS],
    "identifiers": lambda: [
        (
            "Implementation Class UID, files of the Listener",
            f"`{file_meta.IMPLEMENTATION_CLASS_UID}`",
        ),
        ("Implementation Version Name, same", f"`{file_meta.IMPLEMENTATION_VERSION_NAME}`"),
        ("Implementation Class UID, documents", f"`{write_header._IMPLEMENTATION_UID}`"),
        ("private group and creator", f"`{private_block.GROUP:04X}`, `{private_block.CREATOR}`"),
    ],
    "storage-classes": lambda: named(sop_classes.STORAGE_CLASSES),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_conformance_statement_says_what_the_code_says(name, hold):
    hold(DOCUMENT, name, TABLES[name]())


def test_no_table_of_the_conformance_statement_is_held_by_nothing(held_names):
    assert sorted(held_names(DOCUMENT)) == sorted(TABLES)


def test_every_status_the_listener_can_answer_is_in_the_statement():
    known = {
        name
        for name, value in vars(command_set).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, int)
    }
    assert known - {"C_STORE_RQ", "C_ECHO_RQ", "C_CANCEL_RQ", "N_EVENT_REPORT_RQ", "NO_DATASET"} - {
        "INVALID_PARAMETER"  # the reason of an A-ABORT
    } == (set(STATUSES))


def test_every_refusal_of_the_listener_is_in_the_statement():
    found = {
        name for name, value in vars(negotiation).items() if isinstance(value, negotiation.Refusal)
    }
    assert found == set(REFUSALS)


def test_the_numbers_in_the_prose_are_those_of_the_code():
    text = " ".join((ROOT / DOCUMENT).read_text(encoding="utf-8").split())
    assert f"At most {find.MAX_ANSWERS:,} answers".replace(",", " ") in text
    assert f"does not answer within {returning.COMMITMENT_WAIT_S:.0f} s" in text
    assert f"({DEFAULT_MAX_LENGTH:,} bytes received".replace(",", " ") in text
    assert f"above {write_header.FIRST_SERIES_NUMBER}" in text
    assert write_header.SERIES_DESCRIPTION.split(" / ")[0] in text
