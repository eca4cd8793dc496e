"""Recipe of the adult film pack: `python -m models.train.cxr_adult --data D --out PACK`.

Frozen ImageNet features and linear heads: what 800 labelled films can carry. The card text stands
in the pack folder already; this writes weights, manifest, scores.json and the card's tables.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.contract import IMAGE_SIZE, VISION_ENCODER
from models.pack import MANIFEST, Label
from models.train.cxr_scores import score_pack
from models.train.export import export_graph, largest_difference, store_weights_as_half
from models.train.features import extract
from models.train.finding_heads import Development, Trial, fit_head, try_finding
from models.train.gate_pictures import gate_examples
from models.train.linear import fit_kinds
from models.train.manifest import seal
from models.train.network import Backbone, EncoderNetwork, LinearHead
from models.train.radiographs import FINDINGS, KINDS, Picture, nih_radiographs, read_pixels
from models.vision import WEIGHTS

SEED = 20261123
TOLERANCE = 1e-4
GATE_PENALTY = 0.03
GATE_MINIMUM = 0.8

_MANIFEST = """\
name = "cxr-adult"
version = "0.1.0"
intended_use = "Research and demonstration: proposals for a radiologist to check, on frontal chest \
radiographs of adults. Not a medical device."
licence = "Apache-2.0 AND CC-BY-NC-ND-4.0 (report texts the decoder learnt from); see LICENSES.md"

[input]
kind = "radiograph"
modalities = ["CR", "DX"]
body_parts = ["CHEST"]
views = ["PA", "AP"]
minimum_age_years = 18

"""


def development(data: Path, backbone: Backbone) -> Development:
    """Features of every radiograph that is not in the test split."""
    pictures = [picture for picture in nih_radiographs(data) if picture.split != "test"]
    total = len(pictures)
    straight = extract(backbone, (read_pixels(p.path) for p in pictures), total, "radiographs")
    mirrored = extract(
        backbone,
        (np.ascontiguousarray(read_pixels(p.path)[:, ::-1]) for p in pictures),
        total,
        "mirrored",
    )
    return Development(pictures, straight, mirrored)


def fit_gate(data: Path, pictures: list[Picture], backbone: Backbone) -> LinearHead:
    """One score for each kind of picture."""
    examples = list(gate_examples(data, pictures, "train"))
    pixels = (example.pixels for example in examples)
    features = extract(backbone, pixels, len(examples), "kinds of picture")
    truth = np.array([example.number for example in examples], dtype=np.int64)
    return fit_kinds(features, truth, len(KINDS), GATE_PENALTY)


def as_half(head: LinearHead) -> LinearHead:
    """The head as the file will hold it."""
    return LinearHead(head.weights.astype(np.float16).astype(np.float64), head.offsets)


def export(network: EncoderNetwork, images: NDArray[np.float32], path: Path) -> float:
    """Writes the encoder and returns its largest difference to `network` on `images`."""
    outputs = [spec.name for spec in VISION_ENCODER.outputs]
    dynamic = {name: {0: "batch"} for name in ("IMAGE", *outputs)}
    example = torch.from_numpy(images)
    export_graph(network, (example,), (["IMAGE"], outputs), dynamic, path)
    store_weights_as_half(path)
    expected = [values.numpy() for values in network(example)]
    return largest_difference(path, {"IMAGE": images}, expected)


def write_manifest(folder: Path, labels: Sequence[Label]) -> None:
    """The manifest without its hashes; `seal` adds them."""
    kinds = ", ".join(f'"{kind}"' for kind in KINDS)
    gate = (
        f'[gate]\nkinds = [{kinds}]\naccepted = "frontal"\nminimum_probability = {GATE_MINIMUM}\n'
    )
    text = _MANIFEST + "".join(_label_table(label) for label in labels) + gate
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    seal(folder)


def _label_table(label: Label) -> str:
    lines = [
        "[[labels]]",
        f'finding = "{label.finding}"',
        f"slope = {label.slope:.6f}",
        f"offset = {label.offset:.6f}",
    ]
    if label.absent_below is not None:
        lines.append(f"absent_below = {label.absent_below:.6f}")
    if label.present_above is not None:
        lines.append(f"present_above = {label.present_above:.6f}")
    return "\n".join([*lines, "", ""])


def build(data: Path, folder: Path) -> list[Trial]:
    """Trains and writes the encoder and the manifest."""
    backbone = Backbone()
    films = development(data, backbone)
    trials = [try_finding(finding, films) for finding in FINDINGS]
    labels = [trial.label for trial in trials if trial.label is not None]
    for trial in trials:
        print(f"{trial.finding:20} {trial.positives:4d} positives  {trial.within_strata}")
    findings = as_half(fit_head([label.finding for label in labels], films))
    gate = as_half(fit_gate(data, films.pictures, backbone))
    network = EncoderNetwork(backbone, findings, gate).eval().requires_grad_(requires_grad=False)
    images = np.random.default_rng(SEED).random((2, 1, IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32)
    difference = export(network, images, folder / WEIGHTS)
    if difference > TOLERANCE:
        raise SystemExit(f"the exported graph differs by {difference}")
    print(f"exported graph differs by {difference:.1e}")
    write_manifest(folder, labels)
    return trials


def main() -> None:
    """Builds the pack, then scores the sealed files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pack, with card.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    trials = build(arguments.data, arguments.out)
    score_pack(arguments.data, arguments.out, trials)
    seal(arguments.out)
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
