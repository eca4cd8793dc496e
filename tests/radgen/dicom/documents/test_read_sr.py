"""Our own SR reads back into the same draft; nothing else reads back at all."""

import contextlib
import random
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from radgen.dicom.private_block import put_draft
from radgen.dicom.read_sr import open_document, read_draft
from radgen.dicom.write_header import to_bytes
from radgen.domain.errors import DocumentError, UnreadableInstanceError
from radgen.records import to_json


def rewritten(ds: Dataset, syntax: str) -> Dataset:
    """The document as an archive hands it back that stores another transfer syntax."""
    ds.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return open_document(buffer.getvalue())


def test_every_shape_in_every_language_reads_back_equal(all_shapes):
    for written in all_shapes.values():
        for ds in written.documents:
            if ds.ContentTemplateSequence[0].TemplateIdentifier == "2000":
                assert read_draft(ds) == written.report


def test_an_archive_may_store_it_as_implicit_vr(make_draft):
    written = make_draft()
    assert read_draft(rewritten(written.documents[0], ImplicitVRLittleEndian)) == written.report


def test_a_gb18030_document_reads_back_equal(make_draft, make_settings):
    written = make_draft(site=make_settings(charset="GB18030"))
    assert read_draft(written.documents[0]) == written.report


def finding(ds: Dataset) -> Dataset:
    containers = [each for each in ds.ContentSequence if each.ValueType == "CONTAINER"]
    return containers[1].ContentSequence[0]


def edit_text(ds):
    finding(ds).TextValue = "左侧考虑胸腔积液。"


def add_text(ds):
    ds.ContentSequence[-1].ContentSequence.append(finding(ds))


def drop_section(ds):
    del ds.ContentSequence[-2]


def change_language(ds):
    modifier = next(each for each in ds.ContentSequence if "ConceptCodeSequence" in each)
    del ds.ContentSequence[ds.ContentSequence.index(modifier)]
    for each in ds.ContentSequence:
        if each.ConceptNameCodeSequence[0].CodeValue == "121049":
            each.ConceptCodeSequence[0].CodeValue = "fr-FR"


def rename(ds):
    ds.SOPInstanceUID = "2.25.1"


def move(ds):
    ds.StudyInstanceUID = "1.2.3"


def break_json(ds):
    ds.private_block(0x99, "RADGEN")[0x01].value = '{"study_uid": 1}'


def deep_json(ds):
    ds.private_block(0x99, "RADGEN")[0x01].value = "[" * 100_000


def long_json(ds):
    ds.private_block(0x99, "RADGEN")[0x01].value = " " * 8_000_001


def strip_block(ds):
    del ds[0x00990010]


def other_class(ds):
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"


@pytest.mark.parametrize(
    "change",
    [
        edit_text,
        add_text,
        drop_section,
        change_language,
        rename,
        move,
        break_json,
        deep_json,
        long_json,
        strip_block,
        other_class,
    ],
)
def test_a_document_that_was_changed_is_refused(make_draft, change):
    ds = make_draft().documents[0]
    change(ds)
    with pytest.raises(DocumentError):
        read_draft(ds)


def test_a_draft_of_another_content_cannot_be_slipped_into_the_block(make_draft, make_structure):
    ds = make_draft().documents[0]
    put_draft(ds, to_json(make_draft(make_structure(details="other")).report))
    with pytest.raises(DocumentError, match="own content"):
        read_draft(ds)


def test_the_measurements_and_foreign_reports_are_refused(make_draft, shared_data):
    with pytest.raises(DocumentError, match="not a draft"):
        read_draft(make_draft().documents[-1])
    foreign = shared_data / "dicom_samples" / "sr_example" / "sr.dcm"
    with pytest.raises(DocumentError, match="not a draft"):
        read_draft(open_document(foreign.read_bytes()))


def test_a_tree_nested_too_deep_is_refused(make_draft):
    ds = make_draft().documents[0]
    item = ds
    for _ in range(70):
        inner = Dataset()
        item.ContentSequence = Sequence([inner])
        item = inner
    with pytest.raises(UnreadableInstanceError, match="nested"):
        read_draft(ds)
    with pytest.raises(UnreadableInstanceError):
        open_document(to_bytes(ds))


def test_deflated_and_overlong_documents_are_refused_before_they_are_read(make_draft):
    ds = make_draft().documents[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    with pytest.raises(UnreadableInstanceError, match="deflated"):
        open_document(to_bytes(ds))
    with pytest.raises(UnreadableInstanceError, match="longer"):
        open_document(b"\0" * 64_000_001)


def test_damaged_bytes_end_in_a_typed_error_or_in_the_same_draft(make_draft):
    written = make_draft()
    whole = to_bytes(written.documents[0])
    chance = random.Random(7)
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if chance.random() < 0.3:
            del raw[chance.randrange(len(raw)) :]
        with contextlib.suppress(DocumentError, UnreadableInstanceError):
            assert read_draft(open_document(bytes(raw))) == written.report
