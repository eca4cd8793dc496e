"""How well report text reads: IU reports against Rad-ReStruct and CheXpert silver labels.

`python -m benchmarks.quality_extract --data DIR [--split held-out] [--json FILE]`, DIR holding
reports.jsonl, radrestruct.jsonl and r2gen_annotation.json. Rules and words were made while looking
at the split "development" (Rad-ReStruct train and val, without the R2Gen test); "held-out" is the
rest. A finding counts as present if the report asserts it: certainty none, consistent with or
probable; possible and not excluded do not count, since neither label set codes a mere possibility
in one way.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from radgen.domain.finding import Certainty, Presence
from radgen.extract.extract import extract
from radgen.extract.merge import to_findings

_LUNG, _PLEURA = "respiratory system > lung", "respiratory system > pleura"
_ASSERTED = (None, Certainty.CONSISTENT_WITH, Certainty.PROBABLE)
# Leaf of the Rad-ReStruct template (a prefix, for devices) -> our finding.
RADRESTRUCT = {
    "cardiovascular system > diseases > cardiomegaly": "cardiomegaly",
    f"{_LUNG} > diseases > pulmonary atelectasis": "atelectasis",
    f"{_LUNG} > diseases > nodule": "lung-nodule-mass",
    f"{_LUNG} > diseases > mass": "lung-nodule-mass",
    f"{_LUNG} > diseases > pulmonary edema": "pulmonary-edema",
    f"{_LUNG} > diseases > pulmonary emphysema": "emphysema",
    f"{_LUNG} > diseases > bullous emphysema": "emphysema",
    f"{_LUNG} > diseases > pulmonary fibrosis": "fibrosis",
    f"{_LUNG} > diseases > bronchiectasis": "bronchiectasis",
    f"{_LUNG} > diseases > infiltrate": "lung-opacity",
    f"{_LUNG} > signs > airspace disease": "lung-opacity",
    f"{_LUNG} > signs > opacity": "lung-opacity",
    f"{_LUNG} > signs > consolidation": "consolidation",
    f"{_PLEURA} > diseases > pleural effusion": "pleural-effusion",
    f"{_PLEURA} > diseases > hydropneumothorax": "pleural-effusion",
    f"{_PLEURA} > diseases > pneumothorax": "pneumothorax",
    f"{_PLEURA} > signs > thickening": "pleural-thickening",
    "skeletal system > diseases > fractures, bone": "fracture",
    "foreign objects > objects": "device",
}
# Not comparable: the index term "Emphysema" of two thirds of the reports that state it was not
# carried into the template (only "Pulmonary Emphysema" was).
NOT_COMPARABLE = frozenset({"emphysema"})
CHEXPERT = {
    "Cardiomegaly": "cardiomegaly",
    "Atelectasis": "atelectasis",
    "Pleural Effusion": "pleural-effusion",
    "Pneumothorax": "pneumothorax",
    "Edema": "pulmonary-edema",
    "Consolidation": "consolidation",
    "Fracture": "fracture",
    "Lung Lesion": "lung-nodule-mass",
    "Lung Opacity": "lung-opacity",
    "Support Devices": "device",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one finding, with what follows from them."""

    finding: str
    tp: int
    fp: int
    fn: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Error:
    """One report where the two disagree."""

    uid: int
    finding: str
    kind: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints both tables; `--json` writes them with every error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("development", "held-out"), default="development")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    result = measure(chosen.data, chosen.split)
    for name, (scores, _) in result.items():
        print(f"{name}, {chosen.split}")
        for each in scores:
            print(
                f"  {each.finding:20} tp {each.tp:4} fp {each.fp:4} fn {each.fn:4}"
                f"  P {each.precision:.3f} R {each.recall:.3f} F1 {each.f1:.3f}"
            )
    if chosen.json:
        content = {
            name: {"scores": list(map(asdict, scores)), "errors": list(map(asdict, errors))}
            for name, (scores, errors) in result.items()
        }
        chosen.json.write_text(json.dumps({"split": chosen.split, **content}, indent=1), "utf-8")


def measure(data: Path, split: str) -> dict[str, tuple[list[Score], list[Error]]]:
    """Scores and errors by label set, the last score being the micro average."""
    reports = {row["uid"]: row for row in _rows(data / "reports.jsonl")}
    structures = {row["uid"]: row for row in _rows(data / "radrestruct.jsonl")}
    annotation = json.loads((data / "r2gen_annotation.json").read_text("utf-8"))
    tested = {row["uid"] for row in annotation["test"]}
    tested |= {uid for uid, row in structures.items() if row["split"] == "test"}
    uids = [uid for uid in reports if (uid in tested) == (split == "held-out")]
    read = {uid: _asserted(reports[uid]) for uid in uids}
    return {
        "Rad-ReStruct": _compare(
            {uid: _radrestruct(structures[uid]) for uid in uids if uid in structures},
            read,
            set(RADRESTRUCT.values()) - NOT_COMPARABLE,
        ),
        "CheXpert silver labels": _compare(
            {uid: _chexpert(reports[uid]) for uid in uids if reports[uid]["chexpert14"]},
            read,
            set(CHEXPERT.values()),
        ),
    }


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    return map(json.loads, path.read_text("utf-8").splitlines())


def _asserted(report: Mapping[str, Any]) -> set[str]:
    text = f"FINDINGS:\n{report['findings']}\nIMPRESSION:\n{report['impression']}"
    return {
        each.finding
        for each in to_findings(extract(text))
        if each.presence is Presence.PRESENT and each.certainty in _ASSERTED
    }


def _radrestruct(row: Mapping[str, Any]) -> set[str]:
    paths = [" > ".join(each["path"]) for each in row["positives"]]
    return {
        RADRESTRUCT[known]
        for path in paths
        for known in RADRESTRUCT
        if path == known or path.startswith(f"{known} > ")
    }


def _chexpert(row: Mapping[str, Any]) -> set[str]:
    return {CHEXPERT[label] for label in row["chexpert14"] if label in CHEXPERT}


def _compare(
    wanted: Mapping[int, set[str]], read: Mapping[int, set[str]], names: set[str]
) -> tuple[list[Score], list[Error]]:
    errors: list[Error] = []
    scores: list[Score] = []
    for name in sorted(names):
        missed = [uid for uid, labels in wanted.items() if name in labels - read[uid]]
        added = [uid for uid, labels in wanted.items() if name in read[uid] - labels]
        found = sum(name in labels & read[uid] for uid, labels in wanted.items())
        errors += [Error(uid, name, "missed") for uid in missed]
        errors += [Error(uid, name, "added") for uid in added]
        scores.append(_score(name, found, len(added), len(missed)))
    return [*scores, _total(scores)], errors


def _total(scores: Sequence[Score]) -> Score:
    def add(count: Callable[[Score], int]) -> int:
        return sum(map(count, scores))

    return _score(
        "micro average",
        add(lambda each: each.tp),
        add(lambda each: each.fp),
        add(lambda each: each.fn),
    )


def _score(name: str, tp: int, fp: int, fn: int) -> Score:
    precision, recall = tp / max(tp + fp, 1), tp / max(tp + fn, 1)
    return Score(name, tp, fp, fn, precision, recall, 2 * tp / max(2 * tp + fp + fn, 1))


if __name__ == "__main__":
    main()
