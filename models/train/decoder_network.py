"""A small decoder-only transformer; training and the step graph share every line of it."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

LAYERS, WIDTH, HEADS, CONTEXT = 3, 256, 4, 128
HEAD_WIDTH = WIDTH // HEADS


class Block(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(WIDTH)
        self.second_norm = nn.LayerNorm(WIDTH)
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    @override
    def forward(self, hidden: Tensor, past: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One layer.

        hidden: float32 [B, S, width].
        past: float32 [B, 2, heads, T, head width], keys and values of earlier tokens.
        mask: float32 [B, S, T + S], added to the scores: 0 where a token may look.
        Returns: hidden [B, S, width]; keys and values of the new tokens [B, 2, heads, S, width].
        """
        batch, steps, _ = hidden.shape
        projected = self.project(self.first_norm(hidden)).reshape(
            batch, steps, 3, HEADS, HEAD_WIDTH
        )
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each [B, heads, S, head width]
        fresh = torch.stack([key, value], dim=1)
        known = torch.cat([past, fresh], dim=3)  # [B, 2, heads, T + S, head width]
        scores = query @ known[:, 0].transpose(-1, -2) / HEAD_WIDTH**0.5
        mixed = torch.softmax(scores + mask[:, None], dim=-1) @ known[:, 1]
        hidden = hidden + self.output(mixed.transpose(1, 2).reshape(batch, steps, WIDTH))
        return hidden + self.feed(self.second_norm(hidden)), fresh


class DecoderNetwork(nn.Module):
    """Token ids in, scores of the next word and fresh cache entries out."""

    def __init__(self, ids: int, words: int) -> None:
        super().__init__()
        self.words = words
        self.embed = nn.Embedding(ids, WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        for table in (self.embed, self.place):
            nn.init.normal_(table.weight, std=0.02)

    @override
    def forward(
        self, tokens: Tensor, positions: Tensor, mask: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores at every new position.

        tokens, positions: int64 [B, S].
        mask: float32 [B, S, T + S].
        cache: float32 [B, layers, 2, heads, T, head width].
        Returns: scores [B, S, words]; fresh [B, layers, 2, heads, S, head width].
        """
        hidden = self.embed(tokens) + self.place(positions)
        fresh = []
        for number, block in enumerate(self.blocks):
            hidden, entry = block(hidden, cache[:, number], mask)
            fresh.append(entry)
        scores = functional.linear(self.norm(hidden), self.embed.weight[: self.words])
        return scores, torch.stack(fresh, dim=1)


class StepGraph(nn.Module):
    """What is exported: the scores of the last position only."""

    def __init__(self, network: DecoderNetwork) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(
        self, tokens: Tensor, positions: Tensor, mask: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor]:
        """SCORES [B, words] and FRESH [B, layers, 2, heads, S, head width]."""
        scores, fresh = self.network(tokens, positions, mask, cache)
        return scores[:, -1], fresh


def empty_cache(batch: int) -> Tensor:
    """A cache of no tokens: float32 [batch, layers, 2, heads, 0, head width]."""
    return torch.zeros(batch, LAYERS, 2, HEADS, 0, HEAD_WIDTH)
