"""Multinomial logistic regression by gradient steps, in plain Python: deterministic, seconds.

No numerical library is needed: a message has some fifty features, and only their weights move.
"""

import random
from array import array
from collections import Counter
from collections.abc import Sequence
from math import exp, sqrt
from typing import Final

from app.dialogue.understanding.cutter import Cutter, Words, dictionary_of, full_dictionary
from app.dialogue.understanding.features import features_of_levelled, levelled
from app.dialogue.understanding.model import Trained
from content.examples import Example

ROUNDS: Final = 6
FIRST_STEP: Final = 2.0
SHRINK: Final = 0.02
"""How much of a weight a step takes away: keeps rare features from shouting."""
LEAST_MET: Final = 2
"""A feature of one example alone says more about that example than about its label."""
SETTLED: Final = 0.98
"""An example that is this sure of its label teaches nothing more, in this round and the next."""


def train(examples: Sequence[Example], full: Words | None = None, *, seed: int = 7) -> Trained:
    """A model of these examples; the same examples give the same model."""
    full = full if full is not None else full_dictionary()
    texts = [levelled(example.text) for example in examples]
    words = dictionary_of(texts, full)
    cutter = Cutter(words)
    labels = tuple(dict.fromkeys(example.label for example in examples))
    columns = {label: column for column, label in enumerate(labels)}
    found = [features_of_levelled(text, cutter) for text in texts]
    met = Counter(feature for each in found for feature in each)
    places = {
        feature: place
        for place, feature in enumerate(
            feature for feature, count in met.items() if count >= LEAST_MET
        )
    }
    rows = [([places[f] for f in each if f in places], 1 / sqrt(len(each) or 1)) for each in found]
    answers = [columns[example.label] for example in examples]
    weights = _fit(rows, answers, len(labels), len(places), seed)
    return Trained(labels, places, array("f", (w for row in weights for w in row)), words)


def _fit(
    rows: Sequence[tuple[list[int], float]],
    answers: Sequence[int],
    width: int,
    height: int,
    seed: int,
) -> list[list[float]]:
    weights = [[0.0] * width for _ in range(height)]
    order = list(range(len(rows)))
    shuffle = random.Random(seed).shuffle
    rests_until = [0] * len(rows)
    for number in range(ROUNDS):
        step = FIRST_STEP / (1 + 0.35 * number)
        shuffle(order)
        for index in order:
            row, scale = rows[index]
            if not row or rests_until[index] > number:
                continue
            sums = list(map(sum, zip(*(weights[place] for place in row), strict=True)))
            top = max(sums)
            powers = [exp((score - top) * scale) for score in sums]
            total = sum(powers)
            answer = answers[index]
            if powers[answer] > SETTLED * total:
                rests_until[index] = number + 2
                continue
            pull = -step * scale / total
            moves = [pull * power for power in powers]
            moves[answer] += step * scale
            keep = 1 - SHRINK * step * scale
            for place in row:
                weights[place] = [
                    w * keep + move for w, move in zip(weights[place], moves, strict=True)
                ]
    return weights
