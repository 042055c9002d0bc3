"""Runs a documented workflow's steps against the embedded GitHub: the action's own, and the artifacts between them.

An expression has its value from the table that a test gives, or from the outputs of an earlier step or job. Whatever
else a workflow asks for is an error: nothing is passed over.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from emulator.steps import ROOT, Ran, run_step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.server import EmulatedGitHub

ACTION = "OWNER/package-retention@"
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_COMPARED = re.compile(r"(\S+) (==|!=) (\S+)")
_INPUTS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))[
    "inputs"
]


def load(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes its key `on` for a truth value."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


@dataclass(slots=True)
class Workflow:
    """One run of a workflow in `place`; `values` are those of its expressions, `artifacts` may come from another run."""

    github: EmulatedGitHub
    place: Path
    values: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    owner: str = "octo"
    _outputs: dict[str, str] = field(default_factory=dict)

    def run(self, path: Path) -> dict[str, Ran]:
        """Run every job, in the order of the file; gives what the action's steps left, by job."""
        done: dict[str, Ran] = {}
        for name, job in load(path)["jobs"].items():
            needs = job.get("needs", [])
            assert set([needs] if isinstance(needs, str) else needs) <= done.keys(), f"{name} needs {needs}"
            if self._resolve(job.get("if", "${{ true }}")) == "true":
                done[name] = self._job(name, job)
        return done

    def _job(self, name: str, job: Mapping[str, Any]) -> Ran:
        token = f"ghs_{name}"
        self._outputs = {key: value for key, value in self._outputs.items() if key.startswith("needs.")}
        self._outputs["github.token"] = token
        permission = job["permissions"].get("packages", "none")
        self.github.world.add_token(token, repository=f"{self.owner}/app", permission=permission)
        place = self.place / name
        place.mkdir(parents=True)
        (ran,) = [found for step in job["steps"] if (found := self._step(step, place)) is not None]
        for output, value in job.get("outputs", {}).items():
            self._outputs[f"needs.{name}.outputs.{output}"] = self._resolve(value)
        return ran

    def _step(self, step: Mapping[str, Any], place: Path) -> Ran | None:
        uses: str = step["uses"]
        given = {key: self._resolve(value) for key, value in step.get("with", {}).items()}
        if uses.startswith("actions/checkout@"):
            for name, text in self.files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text, encoding="utf-8")
        elif uses.startswith("actions/upload-artifact@"):
            self.artifacts[given["name"]] = place / given["path"]
        elif uses.startswith("actions/download-artifact@"):
            assert given.keys() <= {"name", "run-id", "github-token"}
            shutil.copy(self.artifacts[given["name"]], place)
        else:
            assert uses.startswith(ACTION), uses
            inputs: dict[str, Any] = self._arrives(given)
            ran = run_step(self.github, place, owner=self.owner, **inputs)
            prefix = f"steps.{step.get('id', '')}.outputs."
            self._outputs |= {prefix + name: value for name, value in ran.outputs.items()}
            return ran
        return None

    def _arrives(self, given: dict[str, str]) -> dict[str, str]:
        """Every declared input, as given or with its default (facts E); the registry is the embedded one."""
        assert "owner" not in given, "a recipe works on its own repository's owner"
        context = {"github.repository_owner": self.owner, "github.repository": f"{self.owner}/app"}
        known = self._outputs | context
        defaults = {name: str(about.get("default", "")) for name, about in _INPUTS.items()}
        values = {name: _EXPRESSION.sub(lambda m: known[m[1]], value) for name, value in defaults.items()}
        # `run_step` takes the owner from an argument of its own.
        del values["owner"]
        return values | {"registry-url": self.github.registry_url} | given

    def _resolve(self, value: object) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        if expression in ("true", "always()"):
            return "true"
        if compared := _COMPARED.fullmatch(expression):
            left, sign, right = cast("tuple[str, str, str]", compared.groups())
            same = self._value(left) == self._value(right)
            return str(same is (sign == "==")).lower()
        if expression.startswith("'"):
            return expression.strip("'")
        return {**self._outputs, **self.values}[expression]
