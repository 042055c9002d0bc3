"""A few seeds of the soak, so that it is played at every change; `make soak` plays many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from soak.judge import judge
from soak.libraries import judge_library, library
from soak.trial import Stage, stage_in, trial

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("first", [1, 21, 41])
def test_no_law_is_broken(first: int, tmp_path: Path) -> None:
    with stage_in(tmp_path) as made:
        stage = Stage(made)
        for seed in range(first, first + 20):
            one = trial(seed)
            # Where something fails or changes meanwhile, threads decide which request meets it: that is for the soak.
            assert not one.quiet or judge(stage, one) == [], one
            other = library(seed)
            assert list(judge_library(made, other)) == [], other
