"""Journal lines to ledger rows, with a real journal, real files and a real ledger."""

import pytest

from radgen.demo.phantom import GB18030_TRAP_NAME, part10
from radgen.demo.phantom_header import StudySpec
from radgen.dicom.write_header import SERIES_DESCRIPTION
from radgen.domain.study import VersionState
from radgen.ledger.rows import ArrivalKind as Kept
from radgen.ledger.rows import Priority
from radgen.study_store.arrival import ArrivalKind, CommitmentResult, FailedCommitment, detail_of
from radgen.worker import intake
from radgen.worker.intake import PriorityRules, is_image, take_in_journal

RULES = PriorityRules()


@pytest.fixture
def take_in(inbox, ledger):
    return lambda rules=RULES: take_in_journal(ledger, inbox.root, rules)


@pytest.fixture
def study(take_in, inbox, ledger):
    """Receives instances and returns what the ledger then says of the study of the last one."""

    def receive(*instances, rules=RULES, calling_ae="CT1"):
        for ds in instances:
            inbox.receive(ds, calling_ae)
        take_in(rules)
        return ledger.study_detail(str(instances[-1].StudyInstanceUID))

    return receive


def test_an_image_makes_a_study_with_the_words_of_its_header(study, make_instance):
    ds = make_instance(AccessionNumber="A1", PatientSex="F")
    found = study(ds)
    assert found.study.state is VersionState.RECEIVING
    assert (found.study.modality, found.study.body_part) == ("DX", "CHEST")
    assert (found.study.accession, found.study.patient_sex) == ("A1", "F")
    assert found.study.patient_name == "Zhang^San=张^三"
    assert (found.study.study_date, found.study.calling_ae) == ("20260105", "CT1")
    (row,) = found.instances
    assert (row.sop_uid, row.is_image, row.size) == (
        ds.SOPInstanceUID,
        True,
        len(part10(ds)),
    )


def test_names_in_gb18030_are_read_right(study, make_instance):
    spec = StudySpec("gb", GB18030_TRAP_NAME, "GB18030")
    assert study(make_instance(spec=spec)).study.patient_name == GB18030_TRAP_NAME


def test_taking_in_again_changes_nothing(study, take_in, ledger, make_instance):
    before = study(make_instance(1), make_instance(2))
    assert take_in() == set()
    assert ledger.study_detail(before.study.study_uid) == before


def test_a_journal_read_from_its_start_again_changes_nothing(study, inbox, ledger, make_instance):
    """As after a ledger was restored from yesterday: what it lacks comes, the rest stays."""
    before = study(make_instance(1), make_instance(2))
    ledger.take_in([], "0:0")
    take_in_journal(ledger, inbox.root, RULES)
    assert ledger.study_detail(before.study.study_uid) == before


def test_only_studies_with_a_new_image_are_named(take_in, inbox, make_instance):
    first, second = make_instance(key="a"), make_instance(key="b")
    inbox.receive(first)
    assert take_in() == {first.StudyInstanceUID}
    inbox.receive(first)
    inbox.receive(second)
    assert take_in() == {second.StudyInstanceUID}


def test_the_same_bytes_again_are_one_image(study, make_instance):
    ds = make_instance()
    found = study(ds, ds)
    assert found.study.instance_count == 1
    assert [row.kind for row in found.instances] == [Kept.DUPLICATE, Kept.STORED]


def test_a_duplicate_whose_first_record_was_lost_is_taken_as_the_image(
    inbox, take_in, ledger, make_instance
):
    """The listener died between file and journal line; the sender sent it again."""
    ds = make_instance()
    inbox.receive(ds)
    (inbox.root / "journal" / "00000001.jsonl").write_bytes(b"")
    inbox.receive(ds)
    assert take_in() == {ds.StudyInstanceUID}
    assert ledger.image_count(ds.StudyInstanceUID) == 1


def test_other_bytes_under_a_known_uid_are_a_conflict_and_never_read(study, make_instance):
    found = study(make_instance(), make_instance(PatientID="another"))
    assert (found.study.instance_count, found.study.conflict_count) == (1, 1)
    assert found.study.patient_id.startswith("RG")


@pytest.mark.parametrize("modality", ["SR", "KO"])
def test_reports_and_key_objects_open_no_version(study, ledger, modality, make_instance):
    uid = study(make_instance()).study.study_uid
    ledger.complete(uid, 1, "all here", 0)
    found = study(make_instance(9, modality=modality))
    assert found.study.state is VersionState.COMPLETE
    assert (found.study.version, found.study.instance_count) == (1, 1)


def test_a_late_image_opens_the_next_version(study, ledger, make_instance):
    uid = study(make_instance(1)).study.study_uid
    ledger.complete(uid, 1, "all here", 0)
    assert study(make_instance(2)).study.version == 2


def test_the_picture_of_a_draft_that_comes_back_opens_no_version(study, ledger, make_instance):
    uid = study(make_instance(1)).study.study_uid
    ledger.complete(uid, 1, "all here", 0)
    found = study(make_instance(2, SeriesDescription=SERIES_DESCRIPTION))
    assert (found.study.version, found.study.state) == (1, VersionState.COMPLETE)


def test_the_end_of_an_association_is_noted(study, take_in, inbox, ledger, clock, make_instance):
    uid = study(make_instance()).study.study_uid
    ended = clock.forward(5)
    inbox.note(ArrivalKind.ASSOCIATION_ENDED, study_uid=uid)
    take_in()
    (row,) = ledger.receiving_studies()
    assert row.association_ended_at == ended


def test_what_the_listener_set_aside_is_listed(take_in, inbox, ledger):
    record = inbox.quarantine(b"no dicom", "no DICOM prefix")
    take_in()
    take_in()
    (row,) = ledger.list_quarantine()
    assert (row.path, row.reason, row.size) == (record.path, "no DICOM prefix", 8)


def test_a_header_that_cannot_be_read_is_set_aside_with_its_reason(
    take_in, inbox, ledger, make_instance
):
    ds = make_instance()
    inbox.receive_bytes(part10(ds)[:-10], ds, "XR9")
    assert take_in() == set()
    (row,) = ledger.list_quarantine()
    assert row.reason.startswith("header: ")
    assert "Zhang" not in row.reason
    assert row.calling_ae == "XR9"
    assert ledger.study_detail(ds.StudyInstanceUID) is None


def test_a_file_that_is_gone_holds_nothing_up(take_in, inbox, ledger, make_instance):
    lost = inbox.receive(make_instance(1))
    (inbox.root / lost.path).unlink()
    inbox.receive(make_instance(2))
    assert len(take_in()) == 1
    assert [row.path for row in ledger.list_quarantine()] == [lost.path]


@pytest.mark.parametrize(
    ("failed", "event"), [((), "committed"), ((FailedCommitment("1.2.9", 0x0112),), "failed")]
)
def test_an_answer_to_a_commitment_is_noted(take_in, inbox, ledger, failed, event):
    ledger.ask_commitment("1.2", 1, "2.25.7", ["1.2.9"])
    result = CommitmentResult("2.25.7", 2 if failed else 1, () if failed else ("1.2.9",), failed)
    inbox.note(ArrivalKind.COMMITMENT, detail=detail_of(result))
    take_in()
    assert ledger.commitment("2.25.7").event == event


def test_an_answer_nobody_can_read_or_asked_for_is_passed_over(take_in, inbox, ledger):
    ledger.ask_commitment("1.2", 1, "2.25.7", ["1.2.9"])
    inbox.note(ArrivalKind.COMMITMENT, detail={"transaction_uid": 7})
    inbox.note(
        ArrivalKind.COMMITMENT, detail=detail_of(CommitmentResult("2.25.8", 1, ("1.2.9",), ()))
    )
    assert take_in() == set()
    assert ledger.commitment("2.25.7").event is None


def test_a_line_that_is_no_record_is_passed_over(take_in, inbox, ledger, make_instance):
    inbox.receive(make_instance(1))
    segment = inbox.root / "journal" / "00000001.jsonl"
    segment.write_bytes(b"{no record}\n" + segment.read_bytes())
    assert len(take_in()) == 1
    assert ledger.journal_position() == f"1:{segment.stat().st_size}"


def test_a_torn_last_line_is_left_until_it_is_whole(take_in, inbox, make_instance):
    ds = make_instance()
    inbox.receive(ds)
    segment = inbox.root / "journal" / "00000001.jsonl"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-20])
    assert take_in() == set()
    segment.write_bytes(whole)
    assert take_in() == {ds.StudyInstanceUID}


def test_a_long_backlog_is_taken_in_by_stretches(take_in, inbox, ledger, make_instance):
    ds = make_instance(1)
    inbox.receive(ds)
    for _ in range(2 * intake.BATCH + 10):
        inbox.note(ArrivalKind.ASSOCIATION_ENDED, study_uid=str(ds.StudyInstanceUID))
    last = make_instance(2)
    inbox.receive(last)
    assert take_in() == {ds.StudyInstanceUID}
    assert ledger.image_count(ds.StudyInstanceUID) == 2
    segment = inbox.root / "journal" / "00000001.jsonl"
    assert ledger.journal_position() == f"1:{segment.stat().st_size}"


def test_each_stretch_is_one_transaction(inbox, ledger, monkeypatch, make_instance):
    """Cut off after the first stretch, the second call goes on behind it."""
    monkeypatch.setattr(intake, "BATCH", 2)
    instances = [make_instance(n) for n in range(1, 4)]
    for ds in instances:
        inbox.receive(ds)
    file = inbox.root / inbox.receive(make_instance(4)).path
    file.rename(file.with_suffix(".away"))
    take_in_journal(ledger, inbox.root, RULES)
    assert ledger.image_count(instances[0].StudyInstanceUID) == 3
    assert len(ledger.list_quarantine()) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"RequestedProcedurePriority": "STAT"},
        {"RequestedProcedurePriority": "HIGH"},
        {"StudyPriorityID": "HIGH"},
        {"StudyDescription": "CHEST PA (STAT)"},
        {"StudyDescription": "stat: chest"},
        {"StudyDescription": "CHEST^STAT"},
        {"StudyDescription": "急诊胸片"},
        {"StudyDescription": "Emergency CT"},
    ],
)
def test_a_word_of_urgency_makes_a_study_urgent(study, make_instance, header):
    assert study(make_instance(**header)).study.priority is Priority.STAT


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"StudyDescription": "STATUS POST CABG"},
        {"StudyDescription": "HOMEOSTAT"},
        {"StudyDescription": "HIGH RESOLUTION CHEST"},
        {"RequestedProcedurePriority": "ROUTINE"},
        {"PatientID": "STAT"},
    ],
)
def test_other_words_do_not(study, make_instance, header):
    assert study(make_instance(**header)).study.priority is Priority.ROUTINE


def test_one_urgent_image_makes_the_study_urgent_and_it_stays_so(study, make_instance):
    study(make_instance(1, RequestedProcedurePriority="STAT"))
    assert study(make_instance(2)).study.priority is Priority.STAT


def test_every_study_of_an_urgent_sender_is_urgent(study, make_instance):
    rules = PriorityRules(calling_aes=("ER_CT",))
    found = study(make_instance(key="a"), rules=rules, calling_ae="ER_CT")
    assert found.study.priority is Priority.STAT
    found = study(make_instance(key="b"), rules=rules, calling_ae="ER_CT2")
    assert found.study.priority is Priority.ROUTINE


def test_a_site_names_its_own_words_in_any_case(study, make_instance):
    rules = PriorityRules(words=("cito", ""))
    assert study(make_instance(StudyDescription="CITO!"), rules=rules).study.priority is (
        Priority.STAT
    )
    found = study(make_instance(key="b", StudyDescription="STAT"), rules=rules)
    assert found.study.priority is Priority.ROUTINE


@pytest.mark.parametrize(
    ("sop_class", "answer"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", True),
        ("1.2.840.10008.5.1.4.1.1.1.1", True),
        ("1.2.840.10008.5.1.4.1.1.7", True),
        ("1.2.840.10008.5.1.4.1.1.88.33", False),
        ("1.2.840.10008.5.1.4.1.1.88.59", False),
        ("1.2.840.10008.5.1.4.1.1.11.1", False),
        ("1.2.3.4", False),
    ],
)
def test_images_are_told_from_other_objects(sop_class, answer):
    assert is_image(sop_class) is answer
