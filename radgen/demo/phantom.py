"""Generated studies that may be shipped: a dozen patients who never were.

Each study carries what should come of it, so that a demonstration and the tests can compare.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path

from pydicom.dataset import FileDataset
from pydicom.uid import (
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from radgen.demo import phantom_film, phantom_kinds, phantom_volume
from radgen.demo.phantom_film import Thorax
from radgen.demo.phantom_header import DEFAULT_DAY, StudySpec
from radgen.domain.finding import Side

# 乗 ends in byte 5C and 乛 in 5E in GB18030: the delimiters "\" and "^" of a careless reader.
GB18030_TRAP_NAME = "Cheng^Xie=乗^乛"

_SIZE, _SPACING_MM = 1024, 0.42


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should come of a study.

    drafted: a draft with findings; else a refusal for `reason` (id of a row in
        radgen/knowledge/reasons.toml).
    effusion, opacity: side of what was put in. effusion_ml: its volume as counted.
    cardiothoracic_ratio: as drawn. priority: as in the header.
    """

    drafted: bool
    modality: str
    reason: str = ""
    effusion: Side | None = None
    effusion_ml: float | None = None
    opacity: Side | None = None
    cardiothoracic_ratio: float | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class PhantomStudy:
    """One study: its name, its instances with file meta, and what should come of it."""

    name: str
    datasets: tuple[FileDataset, ...]
    expect: Expectation

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return str(self.datasets[0].StudyInstanceUID)

    def files(self) -> Iterator[bytes]:
        """The instances as part-10 files."""
        for ds in self.datasets:
            yield part10(ds)

    def write_study(self, folder: Path) -> list[Path]:
        """Writes 0001.dcm, 0002.dcm, ... into `folder`, which is made; returns the paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, content in enumerate(self.files(), start=1):
            path = folder / f"{number:04d}.dcm"
            path.write_bytes(content)
            paths.append(path)
        return paths


def part10(ds: FileDataset) -> bytes:
    """One instance as the bytes of a file."""
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


Made = tuple[tuple[FileDataset, ...], Expectation]


def _film(thorax: Thorax, seed: int, view: str = "PA") -> Callable[[StudySpec], Made]:
    """A study of one frontal chest film."""

    def build(spec: StudySpec) -> Made:
        pixels = phantom_film.frontal_chest(thorax, _SIZE, _SPACING_MM, seed)
        film = phantom_kinds.dx_film(spec, pixels, _SPACING_MM, ("CHEST", view))
        return (film,), _chest_truth(thorax, spec)

    return build


def _chest_truth(thorax: Thorax, spec: StudySpec, modality: str = "DX") -> Expectation:
    return Expectation(
        drafted=True,
        modality=modality,
        effusion=thorax.effusion,
        opacity=thorax.opacity,
        cardiothoracic_ratio=thorax.cardiothoracic_ratio,
        priority=spec.priority,
    )


def _inverted_film(spec: StudySpec) -> Made:
    thorax = Thorax(opacity=Side.RIGHT)
    pixels = phantom_film.frontal_chest(thorax, _SIZE, _SPACING_MM, seed=3)
    film = phantom_kinds.inverted_dx_film(spec, pixels, _SPACING_MM, ("CHEST", "PA"))
    return (film,), _chest_truth(thorax, spec)


def _two_views(spec: StudySpec) -> Made:
    frontal = phantom_film.frontal_chest(Thorax(), _SIZE, _SPACING_MM, seed=4)
    lateral = phantom_film.lateral_chest(_SIZE, _SPACING_MM, seed=4)
    films = (
        phantom_kinds.dx_film(spec, frontal, _SPACING_MM, ("CHEST", "PA")),
        phantom_kinds.dx_film(spec, lateral, _SPACING_MM, ("CHEST", "LL"), number=2),
    )
    return films, _chest_truth(Thorax(), spec)


def _cr_film(spec: StudySpec) -> Made:
    pixels = phantom_film.frontal_chest(Thorax(), _SIZE, _SPACING_MM, seed=6)
    film = phantom_kinds.cr_film(spec, pixels, _SPACING_MM, ("CHEST", "PA"))
    return (film,), _chest_truth(Thorax(), spec, "CR")


def _volume(
    seed: int, side: Side | None = None, millilitres: float = 0.0, *, head_first: bool = True
) -> Callable[[StudySpec], Made]:
    """A study of one chest CT series."""

    def build(spec: StudySpec) -> Made:
        volume = phantom_volume.chest_volume(seed, side, millilitres)
        truth = Expectation(
            drafted=True, modality="CT", effusion=side, effusion_ml=volume.effusion_ml
        )
        series = phantom_kinds.ct_series(spec, volume, head_first=head_first)
        return tuple(series), replace(truth, priority=spec.priority)

    return build


def _refused(modality: str, reason: str) -> Expectation:
    return Expectation(drafted=False, modality=modality, reason=reason)


def _child(spec: StudySpec) -> Made:
    thorax = Thorax(heart_width_mm=132.0, scale=0.55)
    pixels = phantom_film.frontal_chest(thorax, _SIZE, 0.25, seed=21)
    film = phantom_kinds.dx_film(spec, pixels, 0.25, ("CHEST", "AP"))
    return (film,), _refused("DX", "paediatric")


def _lateral_only(spec: StudySpec) -> Made:
    pixels = phantom_film.lateral_chest(_SIZE, _SPACING_MM, seed=22)
    film = phantom_kinds.dx_film(spec, pixels, _SPACING_MM, ("CHEST", "LL"))
    return (film,), _refused("DX", "lateral-view")


def _hand(spec: StudySpec) -> Made:
    pixels = phantom_film.hand(_SIZE, 0.28, seed=23)
    film = phantom_kinds.dx_film(spec, pixels, 0.28, ("HAND", "PA"))
    return (film,), _refused("DX", "wrong-body-part")


def _mammogram(spec: StudySpec) -> Made:
    film = phantom_kinds.mammogram(spec, phantom_film.breast(_SIZE, 0.2, seed=24), 0.2)
    return (film,), _refused("MG", "unsupported-modality")


def _sonogram(spec: StudySpec) -> Made:
    image = phantom_kinds.sonogram(spec, phantom_film.ultrasound(512, seed=25))
    return (image,), _refused("US", "unsupported-modality")


# Makers and models are invented. The key of each entry is filled in when it is built.
_CATALOGUE: dict[str, tuple[StudySpec, Callable[[StudySpec], Made]]] = {
    "chest normal": (StudySpec("", "Zhang^San=张^三"), _film(Thorax(), 1)),
    "chest effusion left": (
        StudySpec(
            "",
            GB18030_TRAP_NAME,
            "GB18030",
            "F",
            "067Y",
            "Nanling Imaging",
            "X-Ray 9",
            ImplicitVRLittleEndian,
        ),
        _film(Thorax(effusion=Side.LEFT), 2),
    ),
    "chest opacity right urgent": (
        StudySpec("", "Li^Si=李^四", age="041Y", syntax=RLELossless, priority="STAT"),
        _inverted_film,
    ),
    "chest two views": (
        StudySpec("", "Wang^Wu=王^五", sex="F", maker="Beihe Imaging", syntax=JPEGLSLossless),
        _two_views,
    ),
    "chest large heart": (
        StudySpec("", "Ouyang^Xiu=欧阳^修", "GB18030", age="079Y", syntax=JPEG2000Lossless),
        _film(Thorax(heart_width_mm=160.0), 5, "AP"),
    ),
    "chest CR Latin name": (
        StudySpec("", "Müller^Jörg", "ISO_IR 100", maker="Alster Röntgen", model="CR 12"),
        _cr_film,
    ),
    "chest CT normal": (
        StudySpec("", "Zhao^Liu=赵^六", maker="Nanling Imaging", model="CT 64"),
        _volume(11),
    ),
    "chest CT effusion right": (
        StudySpec(
            "", "Qian^Qi=钱^七", "GB18030", "F", "072Y", "Beihe Imaging", "CT X", JPEGLSLossless
        ),
        _volume(12, Side.RIGHT, 600.0, head_first=False),
    ),
    "child chest": (StudySpec("", "Sun^Xiao=孙^小", age="006Y"), _child),
    "chest lateral only": (StudySpec("", "Zhou^Ba=周^八"), _lateral_only),
    "hand": (StudySpec("", "Wu^Jiu=吴^九"), _hand),
    "mammogram": (StudySpec("", "Zheng^Shi=郑^十", sex="F", age="049Y"), _mammogram),
    "ultrasound": (StudySpec("", "Feng^Yi=冯^一", model="Sono 3"), _sonogram),
}


def phantom_names() -> tuple[str, ...]:
    """Names of all phantoms, drafted ones first."""
    return tuple(_CATALOGUE)


def phantom_study(name: str, day: date = DEFAULT_DAY) -> PhantomStudy:
    """The phantom of that name with Study Date `day`; always the same bytes. Raises: KeyError."""
    spec, build = _CATALOGUE[name]
    # Another day is another study: an archive would keep the first one under the same UIDs.
    key = name if day == DEFAULT_DAY else f"{name} {day}"
    datasets, expect = build(replace(spec, key=key, day=day))
    return PhantomStudy(name, datasets, expect)


def phantom_studies(day: date = DEFAULT_DAY) -> list[PhantomStudy]:
    """All phantoms."""
    return [phantom_study(name, day) for name in _CATALOGUE]
