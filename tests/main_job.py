"""Packages that are no images on an embedded github.com, and steps that work on them; nothing waits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator import steps
from emulator.meanwhile import act_once
from emulator.server import EmulatedGitHub
from emulator.world import World
from markdown_page import Page
from scene import StepClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from emulator.messages import Recorded, Request
    from emulator.steps import Ran
    from emulator.stored import StoredPackage, StoredVersion

TYPES = ("docker", "maven", "npm", "nuget", "rubygems")
"""Every package type but container."""

WORKFLOW = "ghs_" + "b" * 36
_GITHUB_COM = {"GITHUB_SERVER_URL": "https://github.com"}


@dataclass
class Job:
    """`owner` is whose packages the job works on; `variables` are the runner's that differ, `ran` every step so far."""

    world: World
    clock: StepClock
    github: EmulatedGitHub
    folder: Path
    owner: str = "octo"
    variables: Mapping[str, str] = field(default_factory=lambda: dict(_GITHUB_COM))
    ran: list[Ran] = field(default_factory=list)

    def package(self, name: str = "lib", kind: str = "npm", **kw: Any) -> StoredPackage:
        """Add an empty package, linked to the job's repository unless said otherwise."""
        given = {"repository": f"{self.owner}/app", **kw}
        return self.world.add_package(given.pop("owner", self.owner), kind, name, **given)

    def filled(self, name: str = "lib", kind: str = "npm", count: int = 12, **kw: Any) -> StoredPackage:
        """Add a package of versions `1.0.1` and so on, oldest first, in an order that neither ids nor names follow."""
        package = self.package(name, kind, **kw)
        fill(self.world, package, range(1, count + 1))
        return package

    def step(self, *, status: int = 0, **inputs: Any) -> Ran:
        """Run a step; `status` is the exit status that it must have."""
        given = {"package_type": "npm", "package_name": "lib", "owner": self.owner} | inputs
        owner = {"INPUT_OWNER": given.pop("owner")}
        ran = steps.run_step(
            self.github,
            self.folder,
            owner=self.owner,
            clock_of=self.clock.of,
            variables={**self.variables, **owner},
            **{name: value for name, value in given.items() if value is not None},
        )
        self.ran.append(ran)
        assert ran.status == status, ran.log
        return ran

    def refused(self, **inputs: Any) -> Ran:
        """Run a step that must fail with an error, nothing changed."""
        before = self.world.snapshot()
        ran = self.step(status=1, **inputs)
        assert self.world.snapshot() == before
        assert "::error::" in ran.log, ran.log
        return ran

    def changes(self) -> list[Recorded]:
        """Every change that was asked for."""
        return [one for one in self.world.requests if one.method != "GET"]

    def asked(self) -> list[str]:
        """Every request as `METHOD path`."""
        return [f"{one.method} {one.path}" for one in self.world.requests]

    def when(self, fits: Callable[[Request], bool], act: Callable[[], object], *, skip: int = 0) -> list[int]:
        """Have somebody else act once, just before a request is answered; return a list that then is not empty."""
        return act_once(self.world, fits, act, skip=skip)


@contextmanager
def job(folder: Path, *, ghes: bool = False, **token: Any) -> Iterator[Job]:
    """Open a job of the organization `octo`, whose admin's classic token it has unless `token` says otherwise."""
    clock = StepClock()
    world = World(clock.now, clock.monotonic, clock.sleep, ghes=ghes)
    world.add_org("octo")
    world.add_user("hubot")
    world.add_token(steps.TOKEN, **token)
    with EmulatedGitHub(world) as github:
        made = Job(world, clock, github, folder)
        if ghes:
            made.variables = {}
        yield made


def fill(world: World, package: StoredPackage, numbers: Iterable[int]) -> None:
    """Add versions `1.0.N`, the older the lower N is; docker images carry them as tags."""
    for number in sorted(numbers, key=lambda n: n * 7919 % 101):
        name, tags = f"1.0.{number}", []
        if package.type == "docker":
            name, tags = f"sha256:{number:064x}", [name]
        world.add_version(package, name, created=200 - number / 2, tags=tags)


def shown(ran: Ran) -> str:
    """What a reader of the job summary sees, whether a word is set as code or between backticks."""
    return Page(ran.summary).text.replace("`", "")


def texts(package: StoredPackage) -> set[str]:
    """What is not deleted: names, or the tags of docker images."""
    return {text for version in package.active() for text in version.tags or [version.name]}


def named(package: StoredPackage, text: str) -> StoredVersion:
    """The version of this name or tag, deleted or not."""
    (found,) = (one for one in package.versions.values() if text in (one.name, *one.tags))
    return found


def numbered(*numbers: int) -> set[str]:
    return {f"1.0.{number}" for number in numbers}
