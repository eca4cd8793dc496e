"""The key image of a draft with its evidence marked, drawn from the files of the study."""

from collections.abc import Sequence
from pathlib import Path

from radgen.dicom.read_header import read_header
from radgen.dicom.read_radiograph import read_radiograph
from radgen.domain.errors import StudyError
from radgen.domain.finding import FindingStructure, ImageEvidence
from radgen.domain.study import InstanceHeader
from radgen.picture import render_radiograph

# Rows of a stored slice run to the patient's left in all of these: then right is on the left.
_TO_THE_LEFT = 0.9


def key_picture(structure: FindingStructure, paths: Sequence[Path]) -> bytes | None:
    """PNG of the key image: the first evidence of a present finding, else the first image read.

    paths: files of the study. None if it cannot be shown with its sides in the usual places.
    """
    header = _find(paths, _key_image(structure))
    if header is None or (header.orientation and header.orientation[0] < _TO_THE_LEFT):
        return None
    try:
        return render_radiograph(read_radiograph(header), structure.findings)
    except StudyError:
        return None


def _key_image(structure: FindingStructure) -> ImageEvidence | None:
    boxed = (each for finding in structure.findings for each in finding.evidence if each.box)
    return next(boxed, None) or next(iter(structure.images), None)


def _find(paths: Sequence[Path], image: ImageEvidence | None) -> InstanceHeader | None:
    """The first readable file of the image; None where there is none."""
    if image is None:
        return None
    for path in paths:
        try:
            header = read_header(path)
        except StudyError:
            continue
        if header.sop_instance_uid == image.sop_instance_uid:
            return header
    return None
