"""Real studies, put together at run time from a folder of public images; nothing of it is shipped.

Files that are DICOM already go out byte for byte (three radiographs that share all UIDs get new
ones). Radiographs that exist only as JPEG are wrapped as DX: their JPEG stream is kept, the name,
maker and identifiers around it are invented, and Derivation Description says so.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from typing_extensions import override

from radgen.demo.phantom import GB18030_TRAP_NAME, Expectation, PhantomStudy
from radgen.demo.phantom_header import DEFAULT_DAY, StudySpec, made_uid
from radgen.demo.phantom_kinds import dx_film

_NIH_FILMS, _NIH_CHILDREN = 16, 2

# (name, charset): charsets of Chinese hospitals, and characters that break byte splitting.
_NAMES = (
    ("Chen^Wei=陈^伟", "ISO_IR 192"),
    (GB18030_TRAP_NAME, "GB18030"),
    ("Huang^Xiuying=黄^秀英", "ISO_IR 192"),
    ("Ouyang^Nana=欧阳^娜娜", "GB18030"),
    ("Xu^Yuan=徐^媛", "GBK"),
    ("Zhu Ge^Liang=诸葛^亮", "ISO_IR 192"),
)
# Invented.
_MAKERS = (
    ("Donghai Medical", "DR-600"),
    ("Nanling Imaging", "X-Ray 9"),
    ("Beihe Imaging", "Panel 43"),
    ("Alster Röntgen", "DX 2"),
)
_SYNTAXES = (
    JPEGBaseline8Bit,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    JPEG2000Lossless,
    RLELossless,
)
_WRAPPED = (
    "NIH ChestX-ray14 image, 1024 px scaled to 384 px, JPEG quality 85, wrapped as DX; "
    "patient name, identifiers and manufacturer are invented"
)

# name, glob below the data folder, modality, reason of the refusal ("": any). No reason: drafted.
_DRAFTED_FILES = (
    ("rsna A", "dicom_cxr/rsna_cr/A.dcm", "CR"),
    ("rsna B", "dicom_cxr/rsna_cr/B.dcm", "CR"),
    ("rsna C", "dicom_cxr/rsna_cr/C.dcm", "CR"),
    ("nih dx 1", "dicom_cxr/nih_dx/test1.dcm", "DX"),
    ("nih dx 2", "dicom_cxr/nih_dx/test2.dcm", "DX"),
    ("nih dx 3", "dicom_cxr/nih_dx/test3.dcm", "DX"),
    ("nih dx 6", "dicom_cxr/nih_dx/test6.dcm", "DX"),
    ("wg04 chest", "dicom_samples/wg04_single/RG1_J2KI.dcm", "CR"),
    ("ct two kernels", "dicom_ct_chest/lung_dx_a0002_*/*.dcm", "CT"),
    ("ct lung kernel", "dicom_ct_chest/cptac_lscc_c3n00247_lung/*.dcm", "CT"),
)
_REFUSED_FILES = (
    ("wg04 hip", "dicom_samples/wg04_single/RG2_J2KI.dcm", "CR", "wrong-body-part"),
    ("wg04 tibia", "dicom_samples/wg04_single/RG3_J2KI.dcm", "CR", "wrong-body-part"),
    ("wg04 mammogram", "dicom_samples/wg04_single/MG1_J2KI.dcm", "RG", ""),
    ("wg04 ultrasound", "dicom_samples/wg04_single/US1_J2KI.dcm", "US", "unsupported-modality"),
    ("wg04 angiogram", "dicom_samples/wg04_single/XA1_J2KI.dcm", "XA", "unsupported-modality"),
    ("wg04 one ct slice", "dicom_samples/wg04_single/CT1_J2KI.dcm", "CT", ""),
    ("wg04 brain mr", "dicom_samples/wg04_single/MR4_J2KI.dcm", "MR", "unsupported-modality"),
    ("brain mr", "dicom_samples/mr_t1_brain_24of384/*.dcm", "MR", "unsupported-modality"),
    ("prostate mr", "dicom_samples/mr_prostate_adc/*.dcm", "MR", "unsupported-modality"),
    ("head ct tilted", "dicom_samples/ct_head_ge/*.dcm", "CT", "wrong-body-part"),
    ("abdomen ct, 3 slices", "dicom_samples/ct_3slice/*.dcm", "CT", ""),
    ("film that says ct", "dicom_cxr/nih_dx/test5.dcm", "CT", ""),
)
# These carry the very UIDs of nih dx 1 in the published files.
_NEW_UIDS = frozenset({"nih dx 6", "film that says ct"})


@dataclass(frozen=True, slots=True)
class RealStudy(PhantomStudy):
    """One study with pixels of a real patient.

    sources: the published files, where they go out unchanged. labels: what its publisher says is
    on it; never in the headers of wrapped images.
    """

    sources: tuple[Path, ...] = ()
    labels: tuple[str, ...] = ()

    @override
    def files(self) -> Iterator[bytes]:
        """The instances as part-10 files: the published bytes where nothing was changed."""
        if not self.sources:
            # PhantomStudy by name: a slotted dataclass has no zero-argument super().
            yield from PhantomStudy.files(self)
        for path in self.sources:
            yield path.read_bytes()


def real_studies(shared_data: Path, day: date = DEFAULT_DAY) -> list[RealStudy]:
    """All studies of the data folder, those to be drafted first.

    day: Study Date of the wrapped ones; DICOM files keep theirs.
    Raises: FileNotFoundError where a file is missing.
    """
    drafted = [
        _from_files(shared_data, name, pattern, Expectation(drafted=True, modality=modality))
        for name, pattern, modality in _DRAFTED_FILES
    ]
    refused = [
        _from_files(
            shared_data, name, pattern, Expectation(drafted=False, modality=modality, reason=reason)
        )
        for name, pattern, modality, reason in _REFUSED_FILES
    ]
    films, children = _nih_films(shared_data / "nih_cxr_1000", day)
    return [*drafted, *films, *children, *refused]


def _from_files(root: Path, name: str, pattern: str, expect: Expectation) -> RealStudy:
    paths = tuple(sorted(root.glob(pattern)))
    if not paths:
        raise FileNotFoundError(f"{pattern} is not in the data folder")
    datasets = tuple(dcmread(path) for path in paths)
    if name not in _NEW_UIDS:
        return RealStudy(name, datasets, expect, sources=paths)
    for number, ds in enumerate(datasets):
        ds.StudyInstanceUID = made_uid(name, "study")
        ds.SeriesInstanceUID = made_uid(name, "series")
        ds.SOPInstanceUID = made_uid(name, "instance", number)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return RealStudy(name, datasets, expect)


def _nih_films(folder: Path, day: date) -> tuple[list[RealStudy], list[RealStudy]]:
    """Adults and children of the test split, one film per patient, in the order of the list."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    first_of = {row["patient_id"]: row for row in reversed(rows)}
    # Patient 61 is in the DICOM folder too.
    ordered = [
        row for row in rows if first_of[row["patient_id"]] is row and row["patient_id"] != "61"
    ]
    adults = [row for row in ordered if int(row["age"]) >= 21][:_NIH_FILMS]
    children = [row for row in ordered if int(row["age"]) <= 10][:_NIH_CHILDREN]
    return (
        [_wrap(folder, row, index, day) for index, row in enumerate(adults)],
        [_wrap(folder, row, index, day) for index, row in enumerate(children)],
    )


def _wrap(folder: Path, row: dict[str, str], index: int, day: date) -> RealStudy:
    """One JPEG as a DX study; name, maker and transfer syntax go round by `index`."""
    age = int(row["age"])
    child = age < 18
    name = f"nih {row['file'].removesuffix('.jpg')}"
    patient_name, charset = _NAMES[index % len(_NAMES)]
    maker, model = _MAKERS[index % len(_MAKERS)]
    if charset != "ISO_IR 192":
        maker = maker.replace("ö", "oe")
    syntax = _SYNTAXES[index % len(_SYNTAXES)]
    spec = StudySpec(
        key=name if day == DEFAULT_DAY else f"{name} {day}",
        patient_name=patient_name,
        charset=charset,
        sex=row["sex"],
        age=f"{age:03d}Y",
        maker=maker,
        model=model,
        priority="STAT" if index % 5 == 4 else "",
        day=day,
    )
    film = _film(spec, (folder / "images" / row["file"]).read_bytes(), row["view"], syntax)
    expect = Expectation(
        drafted=not child,
        modality="DX",
        reason="paediatric" if child else "",
        priority=spec.priority,
    )
    return RealStudy(name, (film,), expect, labels=tuple(row["labels"].split("|")))


def _film(spec: StudySpec, jpeg: bytes, view: str, syntax: UID) -> FileDataset:
    """The picture as DX; JPEG Baseline keeps the stream, other syntaxes hold its pixels."""
    with Image.open(BytesIO(jpeg)) as picture:
        pixels = np.asarray(picture.convert("L"))
    keep = syntax == JPEGBaseline8Bit
    raw = replace(spec, syntax=ExplicitVRLittleEndian if keep else syntax)
    # 1024 px stand for about 43 cm of detector, and are 384 px here.
    ds = dx_film(raw, pixels, round(430.0 / 384.0, 4), ("CHEST", view))
    if keep:
        ds.PixelData = encapsulate([jpeg])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    del ds.SyntheticData
    # Lossy compression on the way makes an image derived (PS3.3 C.7.6.1.1.5).
    ds.ImageType = ["DERIVED", "PRIMARY", ""]
    ds.LossyImageCompression = "01"
    ds.LossyImageCompressionRatio = f"{pixels.size / len(jpeg):.1f}"
    ds.LossyImageCompressionMethod = "ISO_10918_1"
    ds.DerivationDescription = _WRAPPED
    ds.StudyDescription = "chest radiograph"
    return ds
