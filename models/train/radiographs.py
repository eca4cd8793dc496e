"""The pictures a recipe learns from: files, labels, patients, and negatives made here.

Readers for the folders of `shared/data`; each folder's README states source and licence.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

OPACITY = frozenset({"Infiltration", "Consolidation", "Pneumonia", "Edema", "Atelectasis"})

FINDINGS: dict[str, frozenset[str]] = {
    "pleural-effusion": frozenset({"Effusion"}),
    "pulmonary-edema": frozenset({"Edema"}),
    "atelectasis": frozenset({"Atelectasis"}),
    "lung-opacity": OPACITY,
    "cardiomegaly": frozenset({"Cardiomegaly"}),
    "pneumothorax": frozenset({"Pneumothorax"}),
    "lung-nodule-mass": frozenset({"Nodule", "Mass"}),
    "consolidation": frozenset({"Consolidation"}),
    "emphysema": frozenset({"Emphysema"}),
    "fibrosis": frozenset({"Fibrosis"}),
    "pleural-thickening": frozenset({"Pleural_Thickening"}),
    "hernia": frozenset({"Hernia"}),
}
"""Finding id -> NIH labels of which any one means present."""

KINDS = ("frontal", "lateral", "ct", "inverted", "rotated", "other")
"""Kinds of picture, in the order of the gate's scores."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file. patient: unique over all folders. labels: NIH words, empty if unknown."""

    path: Path
    patient: str
    kind: str
    split: str
    view: str = ""
    labels: frozenset[str] = frozenset()


def read_pixels(path: Path) -> NDArray[np.float32]:
    """float32 [H, W] in [0, 1]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255.0)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _nih(data: Path, table: str, images: str) -> Iterator[Picture]:
    for row in _rows(data / table):
        yield Picture(
            path=data / images / row["file"],
            patient=f"nih-{row['patient_id']}",
            kind="frontal",
            split=row["split"],
            view=row["view"],
            labels=frozenset(row["labels"].split("|")),
        )


def nih_radiographs(data: Path) -> list[Picture]:
    """Labelled frontal radiographs of adults, every image once."""
    return [
        *_nih(data, "nih_cxr_1000/labels.csv", "nih_cxr_1000/images"),
        *_nih(data, "nih_cxr_64px/labels_384.csv", "nih_cxr_64px/images_384"),
    ]


def covid_frontals(data: Path) -> list[Picture]:
    """Frontal radiographs of other hospitals, without labels that we use."""
    folder = data / "covid_cxr_notes"
    return [
        Picture(
            folder / "images" / row["file"],
            f"covid-{row['patient_id']}",
            "frontal",
            _split(f"covid-{row['patient_id']}"),
            row["view"],
        )
        for row in _rows(folder / "metadata.csv")
        if row["view"] in {"PA", "AP", "AP Supine"}
    ]


def hannover_frontals(data: Path) -> list[Picture]:
    """Frontal radiographs of one hospital that no recipe trains on: a check from outside."""
    folder = data / "hannover_covid_cxr"
    return [
        Picture(
            folder / "images" / f"{row['image_id']}.jpg",
            f"hannover-{row['patient_id']}",
            "frontal",
            "test",
            row["projection"].upper(),
        )
        for row in _rows(folder / "data.csv")
    ]


def laterals_and_ct(data: Path) -> list[Picture]:
    """Lateral radiographs and pictures of CT slices."""
    folder = data / "covid_lateral_ct_notes"
    return [
        Picture(
            folder / "images" / row["file"],
            f"covid-{row['patient_id']}",
            "lateral" if row["modality"] == "X-ray" else "ct",
            _split(f"covid-{row['patient_id']}"),
        )
        for row in _rows(folder / "metadata.csv")
    ]


def _split(patient: str) -> str:
    """A fixed third of the patients is kept for the test."""
    return "test" if sum(patient.encode()) % 3 == 0 else "train"
