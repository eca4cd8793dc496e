"""Recipe of the report decoder: `python -m models.train.report_decoder --data D --out PACK`.

Conditioned on finding states alone. No pairs of image and report exist here, so image -> findings
and findings -> text are trained apart, and nothing about pictures can be learnt from the texts.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch.nn import functional

from models.decoder import MASKED, TOKENIZER, WEIGHTS
from models.tokenizer import BEGIN, END, PAD, Tokenizer, make_tokenizer, save_tokenizer, split_words
from models.train.decoder_network import CONTEXT, DecoderNetwork, StepGraph, empty_cache
from models.train.decoder_scores import score_decoder
from models.train.export import export_graph, largest_difference, store_weights_as_half
from models.train.manifest import seal
from models.train.report_texts import Example, make_examples, read_reports, usable_parts
from models.train.statements import FINDINGS

SEED = 20261123
EXAMPLES, BATCH, RATE = 18_000, 32, 1e-3
TOLERANCE = 1e-4
IGNORED = -100


def build_tokenizer(examples: list[Example]) -> Tokenizer:
    """Every word of the training text, commonest first."""
    counts = Counter(word for example in examples for word in split_words(example.text))
    return make_tokenizer([word for word, _ in counts.most_common()], FINDINGS)


def as_tokens(example: Example, tokenizer: Tokenizer) -> list[int]:
    """Condition, begin, text, end; cut to the context."""
    text = tokenizer.encode(example.text)
    return [*tokenizer.condition(example.states), BEGIN, *text, END][:CONTEXT]


def train(examples: list[Example], tokenizer: Tokenizer) -> DecoderNetwork:
    """One pass over `examples`, loss on the text alone."""
    torch.manual_seed(SEED)
    network = DecoderNetwork(tokenizer.size, len(tokenizer.words))
    steps = len(examples) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.05
    )
    rows = [as_tokens(example, tokenizer) for example in examples]
    loss = torch.zeros(())
    for start in track(range(0, steps * BATCH, BATCH), "report decoder"):
        loss = _loss(network, rows[start : start + BATCH])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    print(f"last batch loss {float(loss.detach()):.3f}")
    return network.eval().requires_grad_(requires_grad=False)


def _loss(network: DecoderNetwork, rows: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
    inputs, targets = tokens[:, :-1], tokens[:, 1:].clone()
    targets[targets == PAD] = IGNORED
    targets[:, : len(FINDINGS)] = IGNORED  # the condition is given, not guessed
    count = longest - 1
    mask = torch.triu(torch.full((1, count, count), float(MASKED)), diagonal=1)
    scores, _ = network(inputs, torch.arange(count)[None], mask, empty_cache(len(rows)))
    return functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def export(network: DecoderNetwork, path: Path) -> float:
    """Writes the step graph and returns its largest difference to `network`."""
    for values in network.state_dict().values():
        values.copy_(values.half().float())
    graph = StepGraph(network)
    feed = _step_inputs(network)
    example = tuple(torch.from_numpy(values) for values in feed.values())
    dynamic = {
        "TOKENS": {0: "rows", 1: "steps"},
        "POSITIONS": {0: "rows", 1: "steps"},
        "MASK": {0: "rows", 1: "steps", 2: "seen"},
        "CACHE": {0: "rows"},
        "SCORES": {0: "rows"},
        "FRESH": {0: "rows", 4: "steps"},
    }
    names = (["TOKENS", "POSITIONS", "MASK", "CACHE"], ["SCORES", "FRESH"])
    export_graph(graph, example, names, dynamic, path)
    store_weights_as_half(path)
    expected = [values.numpy() for values in graph(*example)]
    return largest_difference(path, dict(feed), expected)


def _step_inputs(network: DecoderNetwork) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(SEED)
    rows, steps = 2, 3
    empty = np.asarray(empty_cache(rows).numpy())
    dims = (*empty.shape[:4], CONTEXT, empty.shape[5])
    return {
        "TOKENS": rng.integers(4, network.words, size=(rows, steps)),
        "POSITIONS": np.tile(np.arange(steps), (rows, 1)),
        "MASK": np.zeros((rows, steps, CONTEXT + steps), dtype=np.float32),
        "CACHE": rng.normal(size=dims).astype(np.float32),
    }


def main() -> None:
    """Trains, exports, seals the pack and scores the test split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds iu_xray_text")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pack")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    parts = usable_parts(read_reports(arguments.data, "train"))
    examples = make_examples(parts, EXAMPLES, np.random.default_rng(SEED))
    tokenizer = build_tokenizer(examples)
    network = train(examples, tokenizer)
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_tokenizer(tokenizer, arguments.out / TOKENIZER)
    difference = export(network, arguments.out / WEIGHTS)
    if difference > TOLERANCE:
        raise SystemExit(f"the exported graph differs by {difference}")
    print(f"{time.monotonic() - started:.0f} s, exported graph differs by {difference:.1e}")
    seal(arguments.out)
    score_decoder(arguments.data, arguments.out)
    seal(arguments.out)


if __name__ == "__main__":
    main()
