"""Runs a documented workflow against the embedded GitHub: the action's own steps, scripts, artifacts between jobs, a
matrix, and a reusable workflow and composite actions of this repository.

An expression has its value from the table that a test gives, from inputs, or from the outputs of an earlier step or job.
Whatever else a workflow asks for is an error: nothing is passed over.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from emulator.steps import ROOT, Ran, run_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.server import EmulatedGitHub

_OWN = "OWNER/package-retention"
ACTION, REUSED = f"{_OWN}@", f"{_OWN}/"
SELF = "$/"  # the repository of the workflow's own file, at the commit that runs
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_COMPARED = re.compile(r"(\S+) (==|!=) (\S+)")
_PARSED = re.compile(r"\$\{\{ fromJSON\((.+)\) \}\}")
_ASSIGNED = re.compile(r"^([\w-]+)=(.*)$", re.MULTILINE)
_INPUTS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))[
    "inputs"
]


def load(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes its key `on` for a truth value."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


def reused(job: Mapping[str, Any]) -> Path:
    """Give the reusable workflow that a job is."""
    uses: str = job["uses"]
    return ROOT / uses.removeprefix(REUSED).split("@")[0]


@dataclass(slots=True)
class Workflow:
    """One run of a workflow in `place`; `values` are those of its expressions, `artifacts` may come from another run.

    `tools` is a folder with commands of the runner (`gh`) for its scripts. `caches` are what `actions/cache` has kept, by
    key; they may come from another run, too.
    """

    github: EmulatedGitHub
    place: Path
    values: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    owner: str = "octo"
    tools: Path | None = None
    caches: dict[str, bytes] = field(default_factory=dict)
    _outputs: dict[str, str] = field(default_factory=dict)
    _cached: dict[str, str] = field(default_factory=dict)

    def run(self, path: Path) -> dict[str, Ran]:
        """Run every job, in the order of the file; gives what the action's steps left, by job (and place in a matrix)."""
        done: dict[str, Ran] = {}
        finished: set[str] = set()
        workflow = load(path)
        for name, each in workflow["jobs"].items():
            job = {"permissions": workflow.get("permissions", {}), **each}
            needs = job.get("needs", [])
            if not set([needs] if isinstance(needs, str) else needs) <= finished:
                continue
            condition = str(job.get("if", "true"))
            if self._resolve(condition if "${{" in condition else f"${{{{ {condition} }}}}") == "true":
                ran = self._reused(name, job) if "uses" in job else self._jobs(name, job)
                failed = any(each.status for each in ran.values())
                self._outputs[f"needs.{name}.result"] = "failure" if failed else "success"
                done |= ran
                finished.add(name)
        return done

    def _reused(self, name: str, job: Mapping[str, Any]) -> dict[str, Ran]:
        """Run a reusable workflow of this repository with the inputs and secrets that it declares."""
        called = load(reused(job))["on"]["workflow_call"]
        given = {key: self._text(value) for key, value in job["with"].items()}
        assert given.keys() <= called["inputs"].keys()
        assert all(key in given for key, about in called["inputs"].items() if about.get("required"))
        context = {"github.repository_owner": self.owner}
        values = {
            f"inputs.{key}": given.get(key)
            or _EXPRESSION.sub(lambda found: context[found[1]], _written(about.get("default", "")))
            for key, about in called["inputs"].items()
        }
        assert job.get("secrets", {}).keys() <= called["secrets"].keys()
        values |= {f"secrets.{key}": self._resolve(value) for key, value in job.get("secrets", {}).items()}
        inner = Workflow(
            self.github, self.place / name, values, self.artifacts, files=self.files, owner=self.owner
        )
        return inner.run(reused(job))

    def _jobs(self, name: str, job: Mapping[str, Any]) -> dict[str, Ran]:
        """Run a job, or all of its matrix."""
        if "strategy" not in job:
            return self._job(name, name, job)
        parsed = _PARSED.fullmatch(job["strategy"]["matrix"]["include"])
        assert parsed is not None
        done: dict[str, Ran] = {}
        for entry in json.loads(self._value(parsed[1])):
            self._outputs |= {f"matrix.{key}": str(value) for key, value in entry.items()}
            done |= self._job(f"{name}-{entry['number']}", f"{name} {entry['number']}", job)
        return done

    def _job(self, name: str, told: str, job: Mapping[str, Any]) -> dict[str, Ran]:
        """Run one job; what the action left, if it is a step of it, is kept under the name that is told."""
        token = f"ghs_{name}"
        self._outputs = {
            key: value for key, value in self._outputs.items() if key.startswith(("needs.", "matrix."))
        }
        self._outputs["github.token"] = token
        temporary = self.place / f"{name}-temp"
        temporary.mkdir(parents=True, exist_ok=True)
        self._outputs["runner.temp"] = str(temporary)
        granted = {key.replace("-", "_"): value for key, value in job["permissions"].items()}
        self.github.world.add_token(
            token,
            repository=f"{self.owner}/app",
            permission=granted.get("packages", "none"),
            contents=granted.get("contents", "none"),
            pull_requests=granted.get("pull_requests", "none"),
        )
        place = self.place / name
        place.mkdir(parents=True)
        ran = self._steps(job, place)
        for path, key in self._cached.items():
            if (place / path).exists():
                self.caches.setdefault(key, (place / path).read_bytes())
        self._cached.clear()
        assert len(ran) <= 1
        for output, value in job.get("outputs", {}).items():
            self._outputs[f"needs.{name}.outputs.{output}"] = self._resolve(value)
        return {told: ran[0]} if ran else {}

    def _steps(self, job: Mapping[str, Any], place: Path) -> list[Ran]:
        return [ran for step in job["steps"] for ran in self._step(step, place)]

    def _step(self, step: Mapping[str, Any], place: Path) -> Iterator[Ran]:
        condition = str(step.get("if", "true"))
        if self._resolve(condition if "${{" in condition else f"${{{{ {condition} }}}}") != "true":
            return
        if "run" in step:
            self._script(step, place)
            return
        uses: str = step["uses"]
        given = {key: self._text(value) for key, value in step.get("with", {}).items()}
        if uses.startswith("actions/checkout@"):
            for name, text in self.files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text, encoding="utf-8")
        elif uses.startswith("actions/cache@"):
            self._restore_cache(place, given)
        elif uses.startswith("actions/upload-artifact@"):
            self.artifacts[given["name"]] = place / given["path"]
        elif uses.startswith("actions/download-artifact@"):
            assert given.keys() <= {"name", "pattern", "path", "merge-multiple", "run-id", "github-token"}
            names = (
                fnmatch.filter(self.artifacts, given["pattern"]) if "pattern" in given else [given["name"]]
            )
            merged = "name" in given or given.get("merge-multiple") == "true"
            for name in names:
                to = place / given.get("path", ".") / ("" if merged else name)
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.artifacts[name], to)
        elif uses.startswith((REUSED, f"{SELF}.")):
            self._composite(step, given, place)
        else:
            assert uses == SELF or uses.startswith(ACTION), uses
            inputs: dict[str, Any] = self._arrives(given)
            variables = {"RUNNER_TEMP": self._outputs["runner.temp"]}
            ran = run_step(self.github, place, owner=self.owner, variables=variables, **inputs)
            self._keep(step, ran.outputs)
            yield ran

    def _restore_cache(self, place: Path, given: Mapping[str, str]) -> None:
        """Bring back the newest cache whose key is given or begins as a restore key; at the end of the job it is kept."""
        assert given.keys() == {"path", "key", "restore-keys"}
        starts = (given["key"], *given["restore-keys"].split())
        self._cached[given["path"]] = given["key"]
        for key in reversed(self.caches):
            if key.startswith(starts):
                to = place / given["path"]
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(self.caches[key])
                return

    def _composite(self, step: Mapping[str, Any], given: Mapping[str, str], place: Path) -> None:
        """Run a composite action of this repository: its scripts, with the inputs that it declares."""
        folder = ROOT / step["uses"].removeprefix(REUSED).removeprefix(SELF).split("@")[0]
        action = load(folder / "action.yml")
        assert given.keys() == action["inputs"].keys()
        inner = Workflow(self.github, place, {f"inputs.{key}": value for key, value in given.items()})
        for each in action["runs"]["steps"]:
            inner._script(each, place, GITHUB_ACTION_PATH=str(folder))
        outputs = {name: inner._resolve(about["value"]) for name, about in action["outputs"].items()}
        self._keep(step, outputs)

    def _script(self, step: Mapping[str, Any], place: Path, **more: str) -> None:
        outputs = place / "script-outputs"
        outputs.write_text("", encoding="utf-8")
        variables = {key: self._text(value) for key, value in step.get("env", {}).items()}
        path = f"{self.tools or ''}:{Path(sys.executable).parent}:{os.environ['PATH']}".removeprefix(":")
        subprocess.run(
            ["/bin/bash", "-e", "-c", step["run"]],
            env={
                "PATH": path,
                "GITHUB_REPOSITORY": f"{self.owner}/app",
                "GITHUB_OUTPUT": str(outputs),
                "GITHUB_STEP_SUMMARY": str(place / "script-summary"),
                "RUNNER_TEMP": self._outputs.get("runner.temp", ""),
                **variables,
                **more,
            },
            cwd=place,
            check=True,
            timeout=60,
        )
        self._keep(step, dict(_ASSIGNED.findall(outputs.read_text(encoding="utf-8"))))

    def _keep(self, step: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
        prefix = f"steps.{step.get('id', '')}.outputs."
        self._outputs |= {prefix + name: value for name, value in outputs.items()}

    def _arrives(self, given: dict[str, str]) -> dict[str, str]:
        """Every declared input, as given or with its default (facts E); the registry is the embedded one."""
        assert given.get("owner", self.owner) == self.owner, "a recipe works on its own repository's owner"
        context = {"github.repository_owner": self.owner, "github.repository": f"{self.owner}/app"}
        known = self._outputs | context
        defaults = {name: str(about.get("default", "")) for name, about in _INPUTS.items()}
        values = {name: _EXPRESSION.sub(lambda m: known[m[1]], value) for name, value in defaults.items()}
        values |= {"registry-url": self.github.registry_url} | given
        # `run_step` takes the owner from an argument of its own.
        del values["owner"]
        return values

    def _text(self, value: object) -> str:
        return self._resolve(_written(value))

    def _resolve(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        if expression in ("true", "always()"):
            return "true"
        if " && " in expression:
            return str(all(self._value(part) == "true" for part in expression.split(" && "))).lower()
        if expression == "cancelled()":
            return "false"
        if " || " in expression:
            found = {**self._outputs, **self.values}
            return next(value for part in expression.split(" || ") if (value := found.get(part, "")))
        if expression.startswith("!"):
            return "false" if self._value(expression[1:]) == "true" else "true"
        if compared := _COMPARED.fullmatch(expression):
            left, sign, right = cast("tuple[str, str, str]", compared.groups())
            same = self._value(left) == self._value(right)
            return str(same is (sign == "==")).lower()
        if expression.startswith("'"):
            return expression.strip("'")
        return {**self._outputs, **self.values}[expression]


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
