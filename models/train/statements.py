"""Which sentences of a chest report state which finding, by a lexicon of phrases.

Used twice: to build training text whose condition is exactly what it says, and to check what a
decoder wrote against what it was told. A sentence that also speaks of anything the finding states
cannot carry (side, size, place, comparison, other organs) is not usable: trained on it, the decoder
would invent.
"""

import re
from collections.abc import Iterable, Mapping

from models.calibration import Decision

FINDINGS = (
    "cardiomegaly",
    "device",
    "lung-opacity",
    "consolidation",
    "atelectasis",
    "pulmonary-edema",
    "emphysema",
    "fibrosis",
    "lung-nodule-mass",
    "pleural-effusion",
    "pleural-thickening",
    "pneumothorax",
    "fracture",
    "hernia",
)
"""The decoder's condition, in the order of a report."""

_MENTION: Mapping[str, str] = {
    "cardiomegaly": r"cardiomegaly|(?:heart|cardiac silhouette) (?:is |size is |size )?"
    r"(?:enlarged|large)|enlarged (?:heart|cardiac silhouette)|cardiac enlargement",
    "device": r"pacemaker|catheter|central line|picc|port-a-cath|sternotomy wires|device|tube",
    "lung-opacity": r"opacit(?:y|ies)|infiltrates?|airspace disease|air space disease|pneumonia",
    "consolidation": r"consolidations?",
    "atelectasis": r"atelecta(?:sis|tic)",
    "pulmonary-edema": r"(?:pulmonary |interstitial )?edema",
    "emphysema": r"emphysema(?:tous)?",
    "fibrosis": r"fibro(?:sis|tic)|scar(?:s|ring)?",
    "lung-nodule-mass": r"nodules?|mass(?:es)?",
    "pleural-effusion": r"(?:pleural )?effusions?|pleural fluid",
    "pleural-thickening": r"pleural thickening",
    "pneumothorax": r"pneumothora(?:x|ces)",
    "fracture": r"fractures?",
    "hernia": r"hernia",
}
_NORMAL: Mapping[str, str] = {
    "cardiomegaly": r"(?:heart|cardiac silhouette)(?: is| size is| size| contours? is)? "
    r"(?:within )?normal|normal (?:heart|cardiac) (?:size|silhouette)|heart is not enlarged",
    "lung-opacity": r"lungs (?:are |appear )?(?:otherwise )?(?:grossly )?clear|clear lungs",
    "pleural-effusion": r"pleural spaces are clear",
}
_NEGATION = re.compile(r"\b(?:no|without|not|negative for|free of|clear of|absence of)\b")
_UNSTATED = re.compile(
    r"xxxx|mediastin|\bhil|vascul|vessel|spin|degenerat|spondyl|aort|\bbon[ey]|osseous|skelet|"
    r"trache|granulo|calcif|hyper|free air|intraperiton|adenopath|sternotomy|diaphragm|rib|"
    r"stable|unchanged|interval|prior|previous|compar|again|persist|resol|improv|worse|increas|"
    r"decreas|new\b|old\b|healed|chronic|right|left|bilateral|bibasi|basilar|bases|lobe|lobar|"
    r"upper|lower|middle|apical|apex|lingula|retrocardiac|perihilar|small|large\b|tiny|mild|"
    r"moderate|severe|minimal|trace|borderline|subsegment|linear|patchy|streaky|band|plate|"
    r"discoid|\d|cm|mm|may |could|possible|possibl|probabl|likely|suggest|question|suspicious|"
    r"versus|clinical|ct\b|correlat|exam|view|radiograph|projection|volume|chest\b|\bthora|"
    r"clear|knee|patella|pericard|gastro|dislocat|other|additional|exclude|unknown|copd|marked|"
    r"centrilob|diffuse|underlying|two|malalign|consolidating|expanded|inflat|contour|aerat|airway|scoliosis|tortuous|hemithorax|blunting|angle|"
    r"definite|suspected|otherwise|typical|interstitial|subcutaneous|lesion|infectious|active|"
    r"cavit|post|surg|cardiopulm|congest|overt|gross|frank|frontal|lateral|technique|limit\b"
)
_SENTENCE = re.compile(r"[^.?!]+")


def sentences(report: str) -> list[str]:
    """Lower-case sentences, without the closing mark."""
    return [part.strip() for part in _SENTENCE.findall(report.lower()) if part.strip()]


def statements(sentence: str) -> dict[str, Decision]:
    """Finding -> what `sentence` says about it."""
    found: dict[str, Decision] = {}
    for finding, pattern in _NORMAL.items():
        if re.search(rf"\b(?:{pattern})\b", sentence):
            found[finding] = "absent"
    for finding, pattern in _MENTION.items():
        match = re.search(rf"\b(?:{pattern})\b", sentence)
        if match and finding not in found:
            negated = _NEGATION.search(sentence[: match.start()]) is not None
            found[finding] = "absent" if negated else "present"
    return found


def is_usable(sentence: str) -> bool:
    """True where `sentence` states findings and nothing that a finding state cannot carry."""
    return bool(statements(sentence)) and _UNSTATED.search(sentence) is None


def report_states(text: Iterable[str]) -> dict[str, Decision]:
    """What several sentences say together; present wins, since "no large effusion" may follow."""
    found: dict[str, Decision] = {}
    for sentence in text:
        for finding, state in statements(sentence).items():
            if found.get(finding) != "present":
                found[finding] = state
    return found
