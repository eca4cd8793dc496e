"""What the report decoder writes for the test split, beside one constant normal report.

Word overlap rewards the normal template, so the figures that count are the last ones: how often the
text says something it was not told, and how often it leaves out something it was told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import track

from models.calibration import Decision
from models.decoder import ReportDecoder
from models.generate import write_report
from models.pack import load_pack
from models.tokenizer import split_words
from models.train.card import table, write_section
from models.train.report_texts import join, read_reports
from models.train.statements import is_usable, report_states, sentences
from models.train.text_scores import corpus_bleu, mean_rouge_l

LONGEST = 60
"""Words that are compared, as in the published tables."""

CONSTANT_CANDIDATES = 200
SCORES = "decoder_scores.json"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Word overlap of some texts with their references."""

    reports: int
    bleu_1: float
    bleu_4: float
    rouge_l: float


@dataclass(frozen=True, slots=True)
class Faith:
    """Statements of the texts against their conditions, found by the phrase lexicon.

    told: states in the conditions. said: statements in the texts.
    unsupported: statements about a finding that was not assessed.
    contradicted: statements that say the opposite. omitted: states that no text says.
    """

    reports: int
    told: int
    said: int
    unsupported: int
    contradicted: int
    omitted: int


def overlap(texts: Sequence[str], references: Sequence[str]) -> Overlap:
    """BLEU and ROUGE-L of the first 60 words."""
    written = [split_words(text)[:LONGEST] for text in texts]
    wanted = [split_words(text)[:LONGEST] for text in references]
    return Overlap(
        len(texts),
        corpus_bleu(written, wanted, 1),
        corpus_bleu(written, wanted, 4),
        mean_rouge_l(written, wanted),
    )


def faith(texts: Sequence[str], conditions: Sequence[Mapping[str, Decision]]) -> Faith:
    """Compares what `texts` say with what their writer was told."""
    said = unsupported = contradicted = omitted = 0
    for text, told in zip(texts, conditions, strict=True):
        found = report_states(sentences(text))
        said += len(found)
        unsupported += len(found.keys() - told.keys())
        contradicted += sum(told[key] != found[key] for key in found.keys() & told.keys())
        omitted += len(told.keys() - found.keys())
    total = sum(map(len, conditions))
    return Faith(len(texts), total, said, unsupported, contradicted, omitted)


def constant_report(data: Path) -> str:
    """The training report that, said every time, fits the validation split best (BLEU-4)."""
    candidates = sorted(set(read_reports(data, "train")))[:: max(1, 2069 // CONSTANT_CANDIDATES)]
    wanted = [split_words(text)[:LONGEST] for text in read_reports(data, "val")]

    def fit(candidate: str) -> float:
        words = split_words(candidate)[:LONGEST]
        return corpus_bleu([words] * len(wanted), wanted, 4)

    return max(track(candidates, "constant report"), key=fit)


def score_decoder(data: Path, folder: Path) -> None:
    """Scores the sealed pack in `folder`, writes its score file and the card's section."""
    decoder = ReportDecoder(load_pack(folder))
    references = read_reports(data, "test")
    told = [report_states(sentences(text)) for text in references]
    texts = [
        write_report(decoder, states, decoder.longest_text) for states in track(told, "test split")
    ]
    heads = {label.finding for label in decoder.pack.labels}
    few = [{key: value for key, value in states.items() if key in heads} for states in told]
    short = [write_report(decoder, states, decoder.longest_text) for states in few]
    statable = [join([part for part in sentences(text) if is_usable(part)]) for text in references]
    rows = [row for row, text in enumerate(statable) if text]
    constant = [constant_report(data)] * len(references)
    overlaps = {
        "constant normal report": overlap(constant, references),
        "decoder, states of the report": overlap(texts, references),
        "constant, statable sentences only": overlap(
            [constant[row] for row in rows], [statable[row] for row in rows]
        ),
        "decoder, statable sentences only": overlap(
            [texts[row] for row in rows], [statable[row] for row in rows]
        ),
    }
    faiths = {"all findings": faith(texts, told), "findings with a head": faith(short, few)}
    scores = {
        "overlap": {name: asdict(value) for name, value in overlaps.items()},
        "faith": {name: asdict(value) for name, value in faiths.items()},
        "distinct_texts": len(set(texts)),
    }
    (folder / SCORES).write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    write_section(folder, "decoder", _card_lines(overlaps, faiths))


def _card_lines(overlaps: dict[str, Overlap], faiths: dict[str, Faith]) -> list[str]:
    first = table(
        ["text", "reports", "BLEU-1", "BLEU-4", "ROUGE-L"],
        [
            [name, str(v.reports), f"{v.bleu_1:.3f}", f"{v.bleu_4:.3f}", f"{v.rouge_l:.3f}"]
            for name, v in overlaps.items()
        ],
    )
    second = table(
        ["condition", "reports", "told", "said", "unsupported", "contradicted", "omitted"],
        [[name, *map(str, asdict(value).values())] for name, value in faiths.items()],
    )
    return [*first, "", *second]
