"""./dev bench understanding: how well, how fast and at what size messages are understood.

Cross-validation over content/intents (five parts, each judged by a model of the other four) with
the confusion table; the labelled messages that no example holds; emergencies; the date table.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import psutil

from app.clock import SHANGHAI
from app.dialogue.emergency import find_emergency
from app.dialogue.intent import EMERGENCY, SURE, label_of
from app.dialogue.reading.slots import read_slots
from app.dialogue.understanding.cutter import full_dictionary
from app.dialogue.understanding.kept import SHARPNESS, the_model
from app.dialogue.understanding.model import Model
from app.dialogue.understanding.training import train
from content.examples import load_examples
from devtools.environment import ROOT

FOLDS = 5
MESSAGES = ROOT / "tests" / "dialogue" / "messages"
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    right: int
    of: int

    @property
    def percent(self) -> float:
        return round(100 * self.right / self.of, 2) if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    cross_validated: Share
    cross_validated_sure: Share
    confusions: tuple[tuple[str, str, int], ...]
    """What was meant, what was understood instead, how often."""
    unseen: Share
    unseen_sure: Share
    fresh: Share
    """Of a set that was written without knowing rules or examples, without those that are one."""
    fresh_sure: Share
    emergencies_found: Share
    calm_taken_for_one: Share
    dates: Share
    median_ms: float
    p99_ms: float
    model_mb: float
    load_seconds: float


def measure(folds: int) -> Result:
    own = psutil.Process()
    before, began = own.memory_info().rss, time.process_time()
    the_model().guess("你好")
    load_seconds = time.process_time() - began
    model_mb = (own.memory_info().rss - before) / 1e6
    validated, sure, confused = _cross_validate(folds)
    labelled = [line.split("\t") for line in _lines("labelled.tsv")]
    found = [(label_of(text), label) for text, label in labelled]
    emergencies = [line.split("\t")[1] for line in _lines("emergencies.tsv")[1:]]
    emergencies += [*_lines("more_emergencies.txt"), *_lines("fresh_emergencies.txt")]
    calm = [*_lines("calm.txt"), *_lines("more_calm.txt"), *_lines("fresh_calm.txt")]
    calm += [text for text, label in labelled if label != EMERGENCY]
    known = {example.text for example in load_examples()}
    fresh = [line.split("\t") for line in _lines("fresh.tsv")]
    fresh_found = [(label_of(text), label) for text, label in fresh if text not in known]
    dates = [_row(f"{NOW:%Y-%m-%d}\t{line}") for line in _lines("dates.tsv")]
    dates += [_row(line) for line in _lines("fresh_dates.tsv")]
    times = sorted(_seconds(text) for text, _ in labelled)
    return Result(
        cross_validated=validated,
        cross_validated_sure=sure,
        confusions=tuple((meant, taken, n) for (meant, taken), n in confused.most_common(25)),
        unseen=_share(one.label == label for one, label in found),
        unseen_sure=_share(one.label == label for one, label in found if one.confidence >= SURE),
        fresh=_share(one.label == label for one, label in fresh_found),
        fresh_sure=_share(
            one.label == label for one, label in fresh_found if one.confidence >= SURE
        ),
        emergencies_found=_share(find_emergency(text, 60) is not None for text in emergencies),
        calm_taken_for_one=_share(find_emergency(text, None) is not None for text in calm),
        dates=_share(
            " ".join(found.isoformat() for found in read_slots(said, _at(day)).dates) == wanted
            for day, said, wanted in dates
        ),
        median_ms=round(1000 * statistics.median(times), 2),
        p99_ms=round(1000 * times[int(0.99 * len(times))], 2),
        model_mb=round(model_mb, 1),
        load_seconds=round(load_seconds, 2),
    )


def _cross_validate(folds: int) -> tuple[Share, Share, Counter[tuple[str, str]]]:
    examples, full = load_examples(), full_dictionary()
    right, sure = [], []
    confused: Counter[tuple[str, str]] = Counter()
    for fold in range(folds):
        print(f"training without part {fold + 1} of {folds} …", file=sys.stderr)
        kept = [one for number, one in enumerate(examples) if number % folds != fold]
        model = Model(train(kept, full), SHARPNESS)
        for example in examples[fold::folds]:
            if example.label == EMERGENCY:
                continue
            # As in use: the rules say what an emergency is, the examples what else.
            best = next(one for one in model.guess(example.text) if one.label != EMERGENCY)
            right.append(best.label == example.label)
            if best.confidence >= SURE:
                sure.append(right[-1])
            if not right[-1]:
                confused[example.label, best.label] += 1
    return _share(right), _share(sure), confused


def _share(outcomes: Iterable[bool]) -> Share:
    listed = list(outcomes)
    return Share(sum(listed), len(listed))


def _seconds(text: str) -> float:
    """Processor time of all that one message takes: danger, intent and values."""
    began = time.process_time()
    label_of(text)
    read_slots(text, NOW)
    return time.process_time() - began


def _row(line: str) -> tuple[str, str, str]:
    day, said, wanted = line.split("\t")
    return day, said, wanted


def _at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00+08:00")


def _lines(name: str) -> list[str]:
    return (Path(MESSAGES) / name).read_text(encoding="utf-8").splitlines()


def say(result: Result) -> None:
    for name, share in (
        ("cross-validated", result.cross_validated),
        (f"  of it, confidence ≥ {SURE}", result.cross_validated_sure),
        ("unseen labelled messages", result.unseen),
        (f"  of them, confidence ≥ {SURE}", result.unseen_sure),
        ("fresh labelled messages", result.fresh),
        (f"  of them, confidence ≥ {SURE}", result.fresh_sure),
        ("emergencies found", result.emergencies_found),
        ("calm messages taken for one", result.calm_taken_for_one),
        ("dates of the table", result.dates),
    ):
        print(f"{name:<34}{share.right:>6} of {share.of:<6}{share.percent:>7.2f} %")
    print(f"a message: median {result.median_ms} ms, p99 {result.p99_ms} ms of processor time")
    print(f"the model: {result.model_mb} MB, {result.load_seconds} s\n\nmeant → understood as")
    for meant, taken, times in result.confusions:
        print(f"  {meant} → {taken}: {times}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench understanding", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--folds", type=int, default=FOLDS)
    chosen = parser.parse_args(arguments)
    result = measure(chosen.folds)
    if chosen.json:
        print(json.dumps(asdict(result), ensure_ascii=False, indent=2))
    else:
        say(result)
