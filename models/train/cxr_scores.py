"""What the sealed encoder says about the test split, through the code that serves it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from models.calibration import calibrate, decide, judge_picture
from models.pack import Label, Pack, load_pack
from models.preprocess.radiograph import to_model_input
from models.train.card import table, write_section
from models.train.finding_heads import Trial, strata_of, truth_of
from models.train.gate_pictures import gate_examples
from models.train.negatives import blank, noise
from models.train.radiographs import KINDS, Picture, nih_radiographs, read_pixels
from models.train.vision_scores import Interval, auc_interval
from models.vision import VisionEncoder

SCORES = "scores.json"


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label on the test split. The constant baseline's AUC is 0.5 by definition.

    brier, constant_brier: mean squared error of the probability, ours and that of always saying
    the share of positives.
    answers: counts "<decision> when <truth>".
    """

    finding: str
    positives: int
    auc: Interval
    auc_within_strata: Interval
    auc_by_view: dict[str, str]
    brier: float
    constant_brier: float
    answers: dict[str, int]


def score_pack(data: Path, folder: Path, trials: list[Trial]) -> None:
    """Writes scores.json and the card's section "vision"."""
    pack = load_pack(folder)
    encoder = VisionEncoder(pack)
    films = [picture for picture in nih_radiographs(data) if picture.split == "test"]
    logits, _ = _encode(encoder, (read_pixels(film.path) for film in films), len(films))
    labels = [_score_label(pack, row, logits, films) for row in range(len(pack.labels))]
    confusion = _confusion(encoder, data, films)
    empty = _empty_pictures(encoder)
    scores: dict[str, Any] = {
        "test_films": len(films),
        "development": [asdict(trial) for trial in trials],
        "test": [asdict(label) for label in labels],
        "gate": {f"{true} as {seen}": count for (true, seen), count in confusion.items()},
        "empty_pictures": empty,
    }
    text = json.dumps(scores, indent=1).replace("NaN", "null")
    (folder / SCORES).write_text(text + "\n", encoding="utf-8")
    write_section(folder, "vision", _card_lines(trials, labels, confusion, empty))


def _encode(
    encoder: VisionEncoder, pictures: Iterable[NDArray[np.float32]], total: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """LOGITS [N, K] and GATE [N, G] of every picture."""
    logits, gate = [], []
    for pixels in track(pictures, "test pictures", total=total):
        found = encoder.encode(to_model_input(pixels).image)
        logits.append(found.logits[0])
        gate.append(found.gate[0])
    return np.stack(logits), np.stack(gate)


def _score_label(
    pack: Pack, row: int, logits: NDArray[np.float32], films: list[Picture]
) -> LabelScore:
    label = pack.labels[row]
    truth = truth_of(films, label.finding)
    patients = np.array([film.patient for film in films])
    views = np.array([film.view for film in films])
    chances = calibrate(logits, pack.labels)[:, row]
    share = float(truth.mean())
    everything = np.full(len(films), "")
    return LabelScore(
        finding=label.finding,
        positives=int(truth.sum()),
        auc=auc_interval(chances, truth, patients, everything),
        auc_within_strata=auc_interval(chances, truth, patients, strata_of(films)),
        auc_by_view={
            str(view): str(
                auc_interval(*(v[views == view] for v in (chances, truth, patients, views)))
            )
            for view in np.unique(views)
        },
        brier=float(np.mean((chances - truth) ** 2)),
        constant_brier=share * (1.0 - share),
        answers=_answers(label, chances, truth),
    )


def _answers(
    label: Label, chances: NDArray[np.float64], truth: NDArray[np.bool_]
) -> dict[str, int]:
    counts = Counter(
        f"{decide(float(chance), label)} when {'present' if there else 'absent'}"
        for chance, there in zip(chances, truth, strict=True)
    )
    return dict(sorted(counts.items()))


def _confusion(
    encoder: VisionEncoder, data: Path, films: list[Picture]
) -> Counter[tuple[str, str]]:
    gate = encoder.pack.gate
    assert gate is not None  # noqa: S101 - this recipe has just written it
    examples = list(gate_examples(data, films, "test"))
    _, scores = _encode(encoder, (example.pixels for example in examples), len(examples))
    seen: Counter[tuple[str, str]] = Counter()
    for example, row in zip(examples, scores, strict=True):
        verdict = judge_picture(row, gate)
        unsure = verdict.kind == gate.accepted and not verdict.accepted
        seen[example.kind, "unsure" if unsure else verdict.kind] += 1
    return seen


def _empty_pictures(encoder: VisionEncoder) -> dict[str, str]:
    """Blank and noise pictures: what the gate makes of them."""
    gate = encoder.pack.gate
    assert gate is not None  # noqa: S101 - as above
    rng = np.random.default_rng(13)
    pictures = {
        "black": blank(0.0),
        "grey": blank(0.5),
        "white": blank(1.0),
        "white noise": noise(rng, 0.0),
        "coarse noise": noise(rng, 8.0),
    }
    found = {}
    for name, pixels in pictures.items():
        verdict = judge_picture(encoder.encode(to_model_input(pixels).image).gate[0], gate)
        found[name] = "accepted" if verdict.accepted else f"refused ({verdict.kind})"
    return found


def _card_lines(
    trials: list[Trial],
    labels: list[LabelScore],
    confusion: Counter[tuple[str, str]],
    empty: dict[str, str],
) -> list[str]:
    chosen = table(
        ["finding", "positives", "AUC within strata, out of fold", "head", "sensitivity of absent",
         "specificity / precision of present", "answered"],
        [_trial_row(trial) for trial in trials],
    )  # fmt: skip
    tested = table(
        [
            "finding",
            "positives",
            "AUC",
            "AUC within strata",
            "by view",
            "Brier (constant)",
            "answers",
        ],
        [_label_row(label) for label in labels],
    )
    seen = [*KINDS, "unsure"]
    gate = table(
        ["true \\ seen", *seen],
        [[true, *(str(confusion[true, kind]) for kind in seen)] for true in KINDS],
    )
    nothing = table(["picture", "gate"], [[name, verdict] for name, verdict in empty.items()])
    return [
        "Development patients, out of fold:", "", *chosen, "",
        "Test patients, the sealed files through the serving code (a constant has AUC 0.50):", "",
        *tested, "", "Kinds of picture, test:", "", *gate, "", "Empty pictures:", "", *nothing,
    ]  # fmt: skip


def _trial_row(trial: Trial) -> list[str]:
    start = [trial.finding, str(trial.positives), str(trial.within_strata or "too few to compare")]
    found = trial.thresholds
    if found is None:
        return [*start, "no", "", "", ""]
    present = f"{found.specificity_kept:.2f} / {found.precision:.2f}"
    if found.present_above is None:
        present = "never said"
    return [*start, "yes", f"{found.sensitivity_kept:.2f}", present, f"{found.answered:.0%}"]


def _label_row(label: LabelScore) -> list[str]:
    views = ", ".join(f"{view} {value}" for view, value in label.auc_by_view.items())
    answers = ", ".join(f"{name}: {count}" for name, count in label.answers.items())
    return [
        label.finding,
        str(label.positives),
        str(label.auc),
        str(label.auc_within_strata),
        views,
        f"{label.brier:.3f} ({label.constant_brier:.3f})",
        answers,
    ]
