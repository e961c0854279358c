"""A linear model: every feature has a weight for every label, and may be asked for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt

from app.dialogue.understanding.cutter import Cutter, Words
from app.dialogue.understanding.features import features


@dataclass(frozen=True, slots=True)
class Guess:
    """A label and the share of belief in it; those of all labels add up to 1."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature of the message added to a label's score."""

    feature: str
    weight: float


@dataclass(frozen=True, slots=True)
class Trained:
    """What training leaves: enough to build a model, and to keep it in a file."""

    labels: tuple[str, ...]
    places: Mapping[str, int]
    """A feature's row among the weights."""
    weights: Sequence[float]
    """Row after row, a weight for each label."""
    words: Words


class Model:
    """Says what a message wants."""

    def __init__(self, trained: Trained, sharpness: float) -> None:
        self._labels = trained.labels
        self._places = trained.places
        self._weights = trained.weights
        self._width = len(trained.labels)
        self._sharpness = sharpness
        self._cutter = Cutter(trained.words)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def cut(self, text: str) -> list[str]:
        """The words of a text, by the model's own dictionary."""
        return self._cutter.cut(text)

    def guess(self, text: str) -> tuple[Guess, ...]:
        """Every label, the likeliest first."""
        scores, known = self._scores(text)
        likeliest = max(scores)
        powers = [exp(self._sharpness * known * (score - likeliest)) for score in scores]
        total = sum(powers)
        ranked = sorted(zip(powers, self._labels, strict=True), reverse=True)
        return tuple(Guess(label, power / total) for power, label in ranked)

    def chance(self, text: str, label: str) -> float:
        """How much of the belief is in one label."""
        return next(guess.confidence for guess in self.guess(text) if guess.label == label)

    def reasons(self, text: str, label: str, most: int = 8) -> tuple[Reason, ...]:
        """The features of a message that speak most for a label, and by how much."""
        column = self._labels.index(label)
        found = features(text, self._cutter)
        scale = 1 / sqrt(len(found) or 1)
        reasons = [
            Reason(feature, self._weights[self._places[feature] * self._width + column] * scale)
            for feature in found
            if feature in self._places
        ]
        return tuple(sorted(reasons, key=lambda reason: -reason.weight)[:most])

    def _scores(self, text: str) -> tuple[Sequence[float], float]:
        """A score for each label, and how much of the message was met in training: 0.5 to 1."""
        width, weights, find = self._width, self._weights, self._places.get
        found = features(text, self._cutter)
        known = [(feature, place) for feature in found if (place := find(feature)) is not None]
        if not known:
            return [0.0] * width, 0.0
        scale = 1 / sqrt(len(found))
        rows = (weights[place * width : (place + 1) * width] for _, place in known)
        sums = map(sum, zip(*rows, strict=True))
        characters = sum(len(feature) == 1 for feature in found)
        met = sum(len(feature) == 1 for feature, _ in known) / (characters or 1)
        return [total * scale for total in sums], 0.5 + met / 2
