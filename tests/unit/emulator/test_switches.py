"""Where the facts do not know GitHub's answer the embedded one has a switch, and both answers are real."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from emulator import looks_at_access, looks_at_limits, looks_at_lists, looks_at_repositories
from emulator.calling import Caller
from emulator.looks import LOOKS
from emulator.server import EmulatedGitHub
from emulator.situations import Scene
from emulator.switches import Switches

# Importing them fills the table.
assert looks_at_access
assert looks_at_limits
assert looks_at_lists
assert looks_at_repositories

REGISTRY = frozenset({"referrers_api", "blobs_redirect", "tokens_for_unknown_names"})
"""Switches that are the registry's, and tested there."""


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (_, answers) in LOOKS.items() for value in answers]
)
def test_a_switch_gives_each_of_its_answers(name: str, value: Any) -> None:
    look, answers = LOOKS[name]
    scene = Scene()
    setattr(scene.world.switches, name, value)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert look(scene, caller) == answers[value]


def test_every_switch_is_tried_at_its_default_and_elsewhere() -> None:
    defaults = Switches()
    names = {field.name for field in fields(Switches)} - REGISTRY
    assert set(LOOKS) == names
    for name in names:
        answers = LOOKS[name][1]
        assert getattr(defaults, name) in answers
        assert len({str(answer) for answer in answers.values()}) > 1
