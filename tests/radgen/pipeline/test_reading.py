"""Every outcome of a plan, from files of phantoms with known content."""

from dataclasses import replace

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from radgen.compose.compose import compose
from radgen.domain.errors import InferenceUnavailableError, PackError
from radgen.domain.finding import Presence
from radgen.domain.report import Language, Section
from radgen.drafting.local import LocalEngine
from radgen.knowledge import reasons
from radgen.pipeline.reading import ReadingRoom, read_study, to_report


@pytest.fixture
def changed(phantom_files, tmp_path):
    """Files of a phantom, each header changed by a function."""

    def make(name, change):
        paths = []
        for path in phantom_files(name):
            ds = dcmread(path)
            change(ds)
            paths.append(tmp_path / path.name)
            ds.save_as(paths[-1])
        return paths

    return make


def present(structure):
    return {f.finding for f in structure.findings if f.presence is Presence.PRESENT}


def test_a_film_is_read_by_the_pack_of_films(phantom_files, room, packs, engine):
    reading = read_study(phantom_files("chest normal"), room, 0)
    structure = reading.structure
    assert (structure.refusal, structure.modality, structure.body_part) == (None, "DX", "CHEST")
    assert structure.pack.digest == packs["cxr-adult"].digest
    assert present(structure) == {"pulmonary-edema"}  # the one with a threshold for presence
    assert (structure.missing, structure.cautions) == (0, ())
    assert reading.image.pixels.shape == (1024, 1024)
    assert engine.reads == 1
    assert reading.summary()["pack"] == "cxr-adult"


def test_the_real_networks_read_the_same_film(phantom_files, packs):
    with_networks = ReadingRoom(LocalEngine(packs["cxr-adult"]), packs)
    first, again = (read_study(phantom_files("chest normal"), with_networks, 0) for _ in range(2))
    assert first.structure == again.structure
    # A drawn film is no film to networks that were taught by real ones: the gate may say so.
    assert first.structure.refusal in {None, "not-a-frontal-chest"}


def test_a_volume_is_measured(phantom_files, room, engine):
    structure = read_study(phantom_files("chest CT normal"), room, 0).structure
    assert (structure.refusal, structure.modality) == (None, "CT")
    assert structure.pack.name == "ct-chest-quant"
    values = {m.quantity: m.value for m in structure.measurements}
    assert 3500 < values["lung-volume-total"] < 5000
    assert "contrast" not in structure.cautions
    assert engine.reads == 0


def test_contrast_medium_is_a_caution(changed, room):
    paths = changed("chest CT normal", lambda ds: setattr(ds, "ContrastBolusAgent", "IOHEXOL"))
    structure = read_study(paths, room, 0).structure
    assert "contrast" in structure.cautions
    english = next(each for each in compose(structure, (Language.EN,)))
    text = " ".join(s.text for part in english.sections for s in part.sentences)
    assert reasons.entry("contrast").en in text


def test_a_scanner_that_says_there_was_none_is_believed(changed, room):
    paths = changed("chest CT normal", lambda ds: setattr(ds, "ContrastBolusAgent", "NONE"))
    assert "contrast" not in read_study(paths, room, 0).structure.cautions


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("child chest", "paediatric"),
        ("chest lateral only", "lateral-view"),
        ("hand", "wrong-body-part"),
        ("mammogram", "unsupported-modality"),
    ],
)
def test_what_no_pack_reads_is_refused_with_its_reason(phantom_files, room, engine, name, reason):
    reading = read_study(phantom_files(name), room, 0)
    structure = reading.structure
    assert (structure.refusal, structure.pack, structure.findings) == (reason, None, ())
    assert reading.image is None
    assert reading.summary()["refusal"] == reason
    assert engine.reads == 0


def test_slices_that_make_no_volume_are_refused_with_the_fault(phantom_files, room):
    paths = phantom_files("chest CT normal")
    gap = [*paths[:8], *paths[12:]]
    structure = read_study(gap, room, 0).structure
    assert structure.refusal == "geometry-fault"
    assert "missing" in structure.details
    assert len(structure.images) == len(gap)


def test_pixels_that_cannot_be_decoded_are_refused(changed, room):
    def shorten(ds):
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.PixelData = ds.PixelData[: len(ds.PixelData) // 2]

    structure = read_study(changed("chest normal", shorten), room, 0).structure
    assert structure.refusal == "unreadable-pixels"
    assert len(structure.images) == 1


@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["P", "F"]])
def test_a_film_that_is_not_as_displayed_is_refused(changed, room, engine, orientation):
    def turn(ds):
        ds.PatientOrientation = orientation

    structure = read_study(changed("chest normal", turn), room, 0).structure
    assert structure.refusal == "turned-image"
    assert structure.details == "patient orientation " + "\\".join(orientation) + ", not L\\F"
    assert engine.reads == 0
    texts = compose(structure, (Language.ZH, Language.EN))
    for text, words in zip(
        texts, (reasons.entry("turned-image").zh, reasons.entry("turned-image").en), strict=True
    ):
        said = [s.text for part in text.sections for s in part.sentences]
        assert any(words in sentence for sentence in said)


def test_files_without_a_header_are_left_out_and_make_the_draft_partial(
    phantom_files, room, tmp_path, caplog
):
    broken = tmp_path / "Zhang^San.dcm"
    broken.write_bytes(b"no dicom")
    reading = read_study([broken, *phantom_files("chest normal")], room, 0)
    assert (reading.unreadable, reading.structure.refusal) == (1, None)
    assert reading.structure.cautions == ("incomplete-study",)
    assert "Zhang" not in caplog.text
    assert [record.why for record in caplog.records] == ["not a DICOM file"]


def test_a_study_of_which_nothing_can_be_read_is_refused(room, tmp_path):
    broken = tmp_path / "a.dcm"
    broken.write_bytes(b"no dicom")
    reading = read_study([broken], room, 0)
    assert (reading.structure.refusal, reading.unreadable) == ("no-images", 1)


@pytest.mark.parametrize(("missing", "cautions"), [(0, ()), (None, ()), (3, ("incomplete-study",))])
def test_missing_images_are_counted_and_said(phantom_files, room, missing, cautions):
    structure = read_study(phantom_files("chest normal"), room, missing).structure
    assert (structure.missing, structure.cautions) == (missing, cautions)


def test_a_pack_that_is_not_installed_is_named(phantom_files, room):
    with pytest.raises(PackError, match="cxr-adult is not installed"):
        read_study(phantom_files("chest normal"), replace(room, packs={}), 0)


def test_an_engine_that_does_not_answer_is_asked_again_later(phantom_files, room, engine):
    engine.fault = InferenceUnavailableError("gone")
    with pytest.raises(InferenceUnavailableError):
        read_study(phantom_files("chest normal"), room, 0)


def test_a_report_holds_both_languages_chinese_first(phantom_files, room, clock):
    structure = read_study(phantom_files("hand"), room, 0).structure
    report = to_report(structure, "1.2", 3, clock(), ("1.2.9", 2))
    assert [text.language for text in report.texts] == [Language.ZH, Language.EN]
    assert (report.version, report.structure) == (3, structure)
    assert (report.predecessor, report.predecessor_version) == ("1.2.9", 2)
    sections = {part.section for part in report.texts[0].sections}
    assert {Section.FINDINGS, Section.IMPRESSION} <= sections
