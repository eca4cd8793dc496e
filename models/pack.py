"""A pack: one folder that holds a model, what it may be used for, and the hash of every byte of it.

```
models/packs/<name>/
  pack.toml      the manifest (below); its SHA-256 is the digest of the pack
  card.md        data, recipe, scores beside the constant baseline, limits, licences
  *.onnx, tokenizer.json, scores.json, LICENSES ...   each named in [files]
```

```toml
name = "cxr-adult"
version = "0.1.0"
intended_use = "..."
licence = "..."

[input]                       # what the caller may hand over; plain words, no meaning in `models`
kind = "radiograph"           # or "ct-volume"
modalities = ["CR", "DX"]
body_parts = ["CHEST"]
views = ["PA", "AP"]          # may be left out
minimum_age_years = 18        # may be left out

[[labels]]                    # in the order of the encoder's LOGITS; none for a pack without one
finding = "pleural-effusion"
slope = 1.0                   # calibrated probability = sigmoid(slope * logit + offset)
offset = 0.0
absent_below = 0.05           # each of the two may be left out: then that answer is never given
present_above = 0.80

[gate]                        # may be left out
kinds = ["frontal", "lateral"]  # in the order of the encoder's GATE
accepted = "frontal"
minimum_probability = 0.9

[files]                       # always last
"card.md" = "<sha256>"
```
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKS = Path(__file__).parent / "packs"
MANIFEST = "pack.toml"


class PackFaultError(ValueError):
    """A pack that must not be used; the message names the file at fault."""


@dataclass(frozen=True, slots=True)
class Label:
    """One thing the encoder scores, and how its score is read.

    slope, offset: calibrated probability = sigmoid(slope * logit + offset); slope > 0.
    absent_below: probability below which the label is absent; None: never said to be absent.
    present_above: probability from which the label is present; None: never said to be present.
    """

    finding: str
    slope: float
    offset: float
    absent_below: float | None = None
    present_above: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Which pictures the encoder was made for.

    kinds: in the order of the encoder's GATE output.
    accepted: the one kind that may be read.
    minimum_probability: of the accepted kind.
    """

    kinds: tuple[str, ...]
    accepted: str
    minimum_probability: float


@dataclass(frozen=True, slots=True)
class InputContract:
    """What the pack accepts, in the caller's own words; `models` only carries them."""

    kind: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    views: tuple[str, ...] = ()
    minimum_age_years: int | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A verified pack. digest: SHA-256 over the manifest, 64 hex digits."""

    name: str
    version: str
    digest: str
    folder: Path
    intended_use: str
    licence: str
    input: InputContract
    labels: tuple[Label, ...]
    gate: Gate | None
    files: tuple[str, ...]

    def file(self, name: str) -> Path:
        """Path of a verified file. Raises: PackFaultError if the manifest does not name it."""
        if name not in self.files:
            raise PackFaultError(f"{self.name}/{name}: not in the manifest")
        return self.folder / name


def list_packs(folder: Path = PACKS) -> tuple[Path, ...]:
    """Folders under `folder` that hold a manifest, by name."""
    return tuple(sorted(path.parent for path in folder.glob(f"*/{MANIFEST}")))


def load_pack(folder: Path) -> Pack:
    """Reads and verifies a pack.

    Raises: PackFaultError if the manifest cannot be read or a named file is missing, lies outside
    the folder or has another SHA-256 than the manifest says.
    """
    try:
        manifest = (folder / MANIFEST).read_bytes()
        table = tomllib.loads(manifest.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackFaultError(f"{folder.name}/{MANIFEST}: {error}") from error
    try:
        pack = _read(table, folder, hashlib.sha256(manifest).hexdigest())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackFaultError(f"{folder.name}/{MANIFEST}: {error!r}") from error
    for name, expected in table["files"].items():
        _verify(pack, name, expected)
    return pack


def _read(table: Mapping[str, Any], folder: Path, digest: str) -> Pack:
    accepts = table["input"]
    gate = table.get("gate")
    return Pack(
        name=str(table["name"]),
        version=str(table["version"]),
        digest=digest,
        folder=folder,
        intended_use=str(table["intended_use"]),
        licence=str(table["licence"]),
        input=InputContract(
            kind=str(accepts["kind"]),
            modalities=tuple(accepts["modalities"]),
            body_parts=tuple(accepts["body_parts"]),
            views=tuple(accepts.get("views", ())),
            minimum_age_years=accepts.get("minimum_age_years"),
        ),
        labels=tuple(_read_label(row) for row in table.get("labels", ())),
        gate=None if gate is None else _read_gate(gate),
        files=tuple(table["files"]),
    )


def _read_label(row: Mapping[str, Any]) -> Label:
    label = Label(
        finding=str(row["finding"]),
        slope=float(row["slope"]),
        offset=float(row["offset"]),
        absent_below=_optional(row, "absent_below"),
        present_above=_optional(row, "present_above"),
    )
    if label.slope <= 0:
        raise ValueError(f"label {label.finding}: slope must be above 0")
    low, high = label.absent_below, label.present_above
    if low is not None and high is not None and low > high:
        raise ValueError(f"label {label.finding}: absent_below is above present_above")
    return label


def _optional(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    return None if value is None else float(value)


def _read_gate(row: Mapping[str, Any]) -> Gate:
    gate = Gate(
        kinds=tuple(str(kind) for kind in row["kinds"]),
        accepted=str(row["accepted"]),
        minimum_probability=float(row["minimum_probability"]),
    )
    if gate.accepted not in gate.kinds:
        raise ValueError(f"gate: {gate.accepted} is not one of its kinds")
    return gate


def _verify(pack: Pack, name: str, expected: str) -> None:
    path = pack.folder / name
    if not path.resolve().is_relative_to(pack.folder.resolve()):
        raise PackFaultError(f"{pack.name}/{name}: outside the pack")
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PackFaultError(f"{pack.name}/{name}: {error.strerror}") from error
    if found != expected:
        raise PackFaultError(f"{pack.name}/{name}: SHA-256 is not the manifest's")
