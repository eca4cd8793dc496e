"""Drafts of every shape, written as they would be sent."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

from radgen.compose.compose import compose
from radgen.dicom.read_sr import open_document
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_header import to_bytes
from radgen.dicom.write_sr import write_draft
from radgen.domain.finding import (
    Box,
    Certainty,
    Finding,
    FindingStructure,
    ImageEvidence,
    Measurement,
    PackIdentity,
    Presence,
    Side,
    Source,
)
from radgen.domain.report import DraftReport, Language

PEERS = Path(__file__).resolve().parents[3] / "peers"
STUDY = "1.2.826.0.1.3680043.8.498.1"
NOON = datetime(2026, 3, 1, 12, 0, 30, 250000, tzinfo=UTC)
# Tail bytes 5C and 5E in GB18030: they look like a backslash and a caret.
TAIL_BYTES = "乗乛^三"
IMAGES = tuple(
    ImageEvidence(str(CTImageStorage), f"{STUDY}.2.{i}", f"{STUDY}.2") for i in range(1, 6)
)


@dataclass(frozen=True)
class Written:
    """A draft and its documents, read back from bytes as a peer would get them."""

    report: DraftReport
    documents: tuple[Dataset, ...]


def structure(**changes: Any) -> FindingStructure:
    """A chest CT with something present, absent and not assessed, and values."""
    box = Box(10.0, 20.0, 100.0, 120.0)
    seen = (IMAGES[1], replace(IMAGES[2], box=box))
    volume = Measurement("effusion-volume", 561.4, "ml", "segmentation")
    usual = FindingStructure(
        "CT",
        "CHEST",
        PackIdentity("chest-ct", "1.0.0", "a" * 64),
        (
            Finding(
                "pleural-effusion",
                Presence.PRESENT,
                Source.CLASSIFIER,
                Certainty.PROBABLE,
                Side.RIGHT,
                probability=0.83,
                measurements=(volume,),
                evidence=seen,
            ),
            Finding(
                "lung-nodule-mass",
                Presence.PRESENT,
                Source.CLASSIFIER,
                Certainty.CONSISTENT_WITH,
                Side.LEFT,
                "lower-lobe",
                34.26,
                evidence=seen[:1],
            ),
            Finding("pneumothorax", Presence.ABSENT, Source.CLASSIFIER, probability=0.01),
            Finding("cardiomegaly", Presence.ABSENT, Source.MEASUREMENT),
            Finding("fracture", Presence.NOT_ASSESSED, Source.RULE, reason="no-model"),
        ),
        (
            Measurement("lung-volume-total", 4123.4, "ml", "threshold"),
            Measurement("mean-lung-density", -812.3, "[hnsf'U]", "threshold", Side.LEFT),
            Measurement("laa-950", 12.46, "%", "threshold"),
            Measurement("cardiothoracic-ratio", 0.516, "1", "masks"),
        ),
        images=IMAGES,
    )
    return replace(usual, **changes)


def header(**changes: Any) -> Dataset:
    """The header of one image of the study, through bytes, so that its values are raw."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    usual = {
        "SpecificCharacterSet": "GB18030",
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"{STUDY}.2.1",
        "StudyDate": "20260301",
        "StudyTime": "101500",
        "AccessionNumber": "A1",
        "StudyDescription": "胸部平扫",
        "ReferringPhysicianName": "Li^Si=李^四",
        "PatientName": "Zhang^San=张^三",
        "PatientID": "P1",
        "PatientBirthDate": "19700102",
        "PatientSex": "F",
        "StudyInstanceUID": STUDY,
        "StudyID": "1",
    }
    buffer = BytesIO()
    with disable_value_validation():  # modalities write what they like
        for keyword, value in (usual | changes).items():
            if value is not None:
                setattr(ds, keyword, value)
        dcmwrite(buffer, ds)
    return dcmread(BytesIO(buffer.getvalue()), force=True)


def undeclared() -> Dataset:
    """A Chinese name whose character set nobody declared."""
    ds = header(PatientName=TAIL_BYTES)
    del ds.SpecificCharacterSet
    return ds


def settings(**changes: Any) -> SrSettings:
    """A site that filled in everything."""
    return replace(
        SrSettings(device_uid="2.25.1234567890", institution="某某医院", producer_code="ORG1"),
        **changes,
    )


def build(
    stated: FindingStructure | None = None,
    source: Dataset | None = None,
    site: SrSettings | None = None,
    **changes: Any,
) -> Written:
    """Writes a draft and reads each document back from its bytes."""
    stated = stated or structure()
    usual = DraftReport(STUDY, 1, NOON, stated, compose(stated))
    report = replace(usual, **changes)
    documents = write_draft(report, source or header(), stated.images, site or settings())
    return Written(report, tuple(open_document(to_bytes(ds)) for ds in documents))


def shapes() -> dict[str, Written]:
    """Every shape of a draft that leaves the engine."""
    no_values = structure(measurements=(), findings=structure().findings[2:])
    refused = FindingStructure(
        "MG", "BREAST", refusal="unsupported-modality", details="MG", images=IMAGES[:1]
    )
    enhanced = str(EnhancedCTImageStorage)
    framed = tuple(replace(each, frame=3, sop_class_uid=enhanced) for each in IMAGES[:1])
    late = {"version": 3, "predecessor": "2.25.42", "predecessor_version": 1}
    odd = header(
        PatientID="9" * 64,
        PatientName="A" * 40 + "^" + "B" * 40,
        StudyDescription="T" * 64,
        PatientBirthDate=None,
        PatientSex=None,
        AccessionNumber=None,
        StudyTime=None,
    )
    return {
        "full": build(),
        "without values": build(no_values),
        "refused": build(refused),
        "refused without images": build(replace(refused, images=(), refusal="no-images")),
        "incomplete": build(structure(missing=17, cautions=("age-unknown", "incomplete-study"))),
        "late image": build(**late),
        "radiograph": build(structure(modality="DX", body_part="CHEST", measurements=())),
        "unknown modality": build(structure(modality="ZZ", body_part="TAIL")),
        "frame of many": build(structure(images=framed, findings=structure().findings[2:])),
        "english only": build(site=settings(languages=(Language.EN,))),
        "no patient name": build(source=header(PatientName=None, PatientID=None)),
        "odd header": build(source=odd),
        "tail bytes": build(source=header(PatientName=TAIL_BYTES)),
        "undeclared name": build(source=undeclared()),
    }


@pytest.fixture(scope="session")
def validators() -> ModuleType:
    """The validators of others; skipped where they are not installed."""
    spec = importlib.util.spec_from_file_location("peer_validators", PEERS / "validators.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    absent = module.missing()
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    return module


@pytest.fixture(scope="session")
def make_structure() -> Callable[..., FindingStructure]:
    """See `structure`."""
    return structure


@pytest.fixture(scope="session")
def make_header() -> Callable[..., Dataset]:
    """See `header`."""
    return header


@pytest.fixture(scope="session")
def make_settings() -> Callable[..., SrSettings]:
    """See `settings`."""
    return settings


@pytest.fixture(scope="session")
def make_draft() -> Callable[..., Written]:
    """See `build`."""
    return build


@pytest.fixture(scope="session")
def all_shapes() -> dict[str, Written]:
    """See `shapes`."""
    return shapes()
