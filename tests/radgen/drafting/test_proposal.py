"""A decoder's sentence is kept only if the structure says all of it."""

import pytest

from radgen.domain.finding import Certainty, Finding, FindingStructure, Presence, Side, Source
from radgen.drafting.proposal import check_proposal


def finding(id_, presence, **more):
    return Finding(id_, presence, Source.CLASSIFIER, **more)


STRUCTURE = FindingStructure(
    modality="DX",
    body_part="CHEST",
    findings=(
        finding(
            "pleural-effusion",
            Presence.PRESENT,
            side=Side.RIGHT,
            certainty=Certainty.CONSISTENT_WITH,
        ),
        finding("lung-nodule-mass", Presence.PRESENT, size_mm=34.0),
        finding("atelectasis", Presence.PRESENT, certainty=Certainty.POSSIBLE),
        finding("pneumothorax", Presence.ABSENT),
        finding("cardiomegaly", Presence.ABSENT),
        finding("consolidation", Presence.ABSENT),
        finding("pulmonary-edema", Presence.NOT_ASSESSED, reason="uncertain"),
    ),
)


@pytest.mark.parametrize(
    "sentence",
    [
        "There is a right pleural effusion.",
        "Right-sided pleural effusion is seen.",
        "Pleural effusions.",
        "No pneumothorax.",
        "There is no consolidation or pneumothorax.",
        "No pneumothorax and no consolidation.",
        "Pneumothorax is not seen.",
        "No evidence of acute consolidation, pneumothorax.",
        "The heart size is normal.",
        "Possible atelectasis.",
    ],
)
def test_a_sentence_that_the_structure_holds_is_kept(sentence):
    assert check_proposal(sentence, STRUCTURE).kept == (sentence,)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("There is a left pleural effusion.", "another side"),
        ("Bilateral pleural effusion.", "a side too many"),
        ("No pleural effusion.", "denied, but there"),
        ("Pneumothorax is present.", "there, but absent"),
        ("No pulmonary edema.", "not assessed"),
        ("No fracture.", "not in the structure"),
        ("Atelectasis is present.", "more certain than the structure"),
        ("Right pleural effusion of 20 mm.", "a number nobody measured"),
        ("Two pleural effusions.", "a count"),
        ("The right pleural effusion is unchanged.", "a comparison"),
        ("Interval right pleural effusion.", "a comparison"),
        ("Right basal pleural effusion.", "a place"),
        ("The lungs are clear.", "no finding's name"),
        ("The lungs are clear and there is no pneumothorax.", "half of it is not ours"),
        ("No pneumothorax and pleural effusion.", "ambiguous denial"),
        ("Right pleural effusion, no pneumothorax.", "two statements in one"),
        ("Pleural effusion is not excluded.", "a word we do not read"),
        ("No right pneumothorax.", "a side the absence lacks"),
        ("John Smith has a right pleural effusion.", "anything else"),
        ("", "nothing"),
    ],
)
def test_a_sentence_that_says_anything_else_is_dropped(sentence, fault):
    checked = check_proposal(sentence, STRUCTURE)
    assert checked.kept == (), fault
    assert checked.dropped == (1 if sentence else 0)


def test_the_order_is_kept_and_the_dropped_are_counted():
    text = "No pneumothorax. Lungs are clear. Right pleural effusion. Compare with prior."
    checked = check_proposal(text, STRUCTURE)
    assert checked.kept == ("No pneumothorax.", "Right pleural effusion.")
    assert checked.dropped == 2


def test_a_measured_size_may_be_spoken():
    lexicon = {"nodule": "lung-nodule-mass"}
    assert check_proposal("A nodule of 34 mm.", STRUCTURE, lexicon).kept
    assert check_proposal("A nodule of 34.0 mm.", STRUCTURE, lexicon).kept
    assert not check_proposal("A nodule of 3.4 mm.", STRUCTURE, lexicon).kept


def test_a_mirrored_structure_drops_what_it_kept():
    text = "There is a right pleural effusion."
    mirrored = FindingStructure(
        "DX",
        "CHEST",
        findings=(finding("pleural-effusion", Presence.PRESENT, side=Side.LEFT),),
    )
    assert check_proposal(text, STRUCTURE).kept
    assert not check_proposal(text, mirrored).kept
