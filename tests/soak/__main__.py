"""`python -m soak --worlds 2000 --seed 1`: play random worlds, and print every finding as small as it gets."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from soak.judge import judge
from soak.libraries import judge_library, library
from soak.minimise import law_of, minimise
from soak.trial import Stage, stage_in, trial

_WORLDS_A_STAGE = 50


def main() -> int:
    """Play the worlds; give 1 where one of them broke a law."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first world; the next has the next number"
    )
    parser.add_argument(
        "--most", type=int, default=3, help="findings of one law that are made small and printed"
    )
    parser.add_argument("--log", action="store_true", help="print the log of the run, too")
    asked = parser.parse_args()
    found: Counter[str] = Counter()
    broken, quiet, started = 0, 0, time.monotonic()
    for first in range(asked.seed, asked.seed + asked.worlds, _WORLDS_A_STAGE):
        with tempfile.TemporaryDirectory() as folder, stage_in(Path(folder)) as made:
            stage = Stage(made)
            for seed in range(first, min(first + _WORLDS_A_STAGE, asked.seed + asked.worlds)):
                one = trial(seed)
                quiet += one.quiet
                sentences = judge(stage, one)
                broken += bool(sentences)
                logs = "\n".join(ran.log for ran in made.ran)
                for law, sentence in {law_of(sentence): sentence for sentence in reversed(sentences)}.items():
                    found[law] += 1
                    if found[law] <= asked.most:
                        print(f"\n== {sentence}\n{minimise(stage, one, law)}", flush=True)
                if sentences and asked.log:
                    print(logs)
                other = library(seed)
                for sentence in judge_library(made, other):
                    broken += 1
                    found[law_of(sentence)] += 1
                    print(f"\n== {sentence}\n{other}", flush=True)
        played = min(first + _WORLDS_A_STAGE, asked.seed + asked.worlds) - asked.seed
        print(f"{played} worlds played, {broken} broke a law", file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    print(f"\n{asked.worlds} worlds ({quiet} quiet) in {seconds:.0f} s: {broken} broke a law")
    for law, number in found.most_common():
        print(f"{number:5}  {law}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
