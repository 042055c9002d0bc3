"""A run that its budget ends leaves no image half deleted: what was begun is finished, what is not is not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scene import scene

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("budget", range(24, 80, 7))
def test_no_image_is_begun_that_the_hour_cannot_finish(tmp_path: Path, budget: int) -> None:
    with scene(tmp_path) as made:
        images = [
            made.push(f"v{n}", created=100 - n, attestations=True, signed="bundle" if n % 2 else "cosign")
            for n in range(10)
        ]
        made.push("newest", created=1)
        next(iter(made.world.tokens.values())).limit = budget
        ran = made.delete(versions="v*", time_limit="1min", report_file="report.jsonl")
        gone = [not made.has(image) for image in images]
        assert ran.outputs["complete"] == "false"
        assert gone == sorted(gone, reverse=True), "oldest first"
        assert ran.number("deleted-count") == sum(
            len(image.versions) for image, went in zip(images, gone, strict=True) if went
        )
        # What is left of nine tenths of the hour holds no further image, beside what may be under way at once.
        left = budget * 0.9 - len(made.world.requests)
        assert left < 7 + 24
