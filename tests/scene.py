"""One container package on an embedded GitHub, steps that work on it, and what is left of it; nothing waits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from clocks import FakeClock
from emulator import steps
from emulator.images import push_image
from emulator.meanwhile import act_once
from emulator.server import EmulatedGitHub
from emulator.world import World
from package_retention.cancel import is_shielded
from wholeness import holdings, losses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from emulator.images import PushedImage
    from emulator.messages import Recorded, Request
    from emulator.shapes import Shape
    from emulator.steps import Ran
    from emulator.stored import StoredPackage, StoredVersion
    from package_retention.cancel import Cancel


class StepClock(FakeClock):
    """A fake clock that hears of a cancel as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.hears: Cancel | None = None

    def of(self, cancel: Cancel) -> StepClock:
        self.hears = cancel
        return self

    def sleep(self, seconds: float) -> None:
        if self.hears and not is_shielded():
            self.hears.check()
        super().sleep(seconds)

    def signal(self, number: int = 15) -> None:
        """Have the runner send a signal."""
        assert self.hears
        self.hears.handle(number)


@dataclass(repr=False)
class Scene:
    """`ran` holds every step so far; `app` is the package `octo/app`."""

    world: World
    clock: StepClock
    github: EmulatedGitHub
    folder: Path
    app: StoredPackage
    ran: list[Ran] = field(default_factory=list)

    def push(self, *tags: str, **kw: Any) -> PushedImage:
        return push_image(self.world, self.app, tags, **kw)

    def add(self, one: Shape, *tags: str, **kw: Any) -> StoredVersion:
        return self.world.add_image(self.app, one, *tags, **kw)

    def step(self, **inputs: Any) -> Ran:
        """Run a step on the package."""
        given = {"package_type": "container", "package_name": self.app.name} | inputs
        ran = steps.run_step(self.github, self.folder, clock_of=self.clock.of, **given)
        self.ran.append(ran)
        return ran

    def delete(self, *, status: int = 0, **inputs: Any) -> Ran:
        """Run a deletion: whatever it does, nothing that stays may lose anything, and outputs tell the truth."""
        before, there = holdings(self.app), {one.id for one in self.app.active()}
        ran = self.step(**inputs)
        assert ran.status == status, ran.log
        assert not losses(before, self.app), ran.log
        gone = there - {one.id for one in self.app.active()}
        assert set(ran.ids("deleted-version-ids")) <= gone | self.whole(), ran.log
        return ran

    def whole(self) -> set[int]:
        """The ids of a package that went whole."""
        return set(self.app.versions) if self.app.deleted_at else set()

    def restore(self, *, status: int = 0, **inputs: Any) -> Ran:
        ran = self.step(operation="restore", **inputs)
        assert ran.status == status, ran.log
        return ran

    @property
    def there(self) -> set[str]:
        """The digests of all that is not deleted."""
        return {version.name for version in self.app.active()}

    def state(self) -> dict[str, tuple[str, ...]]:
        """What is there, with its tags."""
        return {version.name: tuple(sorted(version.tags)) for version in self.app.active()}

    @property
    def tags(self) -> dict[str, str]:
        """Every tag with the digest that it is on."""
        return {tag: version.name for version in self.app.active() for tag in version.tags}

    def has(self, image: PushedImage) -> bool:
        """Whether an image is there whole; half an image is an error at once."""
        found = set(image.members) & self.there
        assert found in (set(), set(image.members)), f"half of {image.digest} is there"
        return bool(found)

    def changes(self) -> list[Recorded]:
        """Every change that was asked for."""
        return [one for one in self.world.requests if one.method != "GET"]

    def reads(self) -> list[str]:
        """The references of manifests that were read."""
        asked = (one for one in self.world.registry_requests if one.status == 200)
        return [
            one.path.rsplit("/", 1)[1] for one in asked if "/manifests/" in one.path and one.method == "GET"
        ]

    def requests(self) -> int:
        """Everything that was sent: API, registry and tokens."""
        return len(self.world.requests) + len(self.world.registry_requests)

    def forget(self) -> None:
        """Count requests anew."""
        self.world.requests.clear()
        self.world.registry_requests.clear()

    def when(self, fits: Callable[[Request], bool], act: Callable[[], object], *, skip: int = 0) -> list[int]:
        """Have somebody else act just before a request is answered, once; return a list that then is not empty."""
        return act_once(self.world, fits, act, skip=skip)

    @property
    def report(self) -> str:
        """A place for a report."""
        return str(self.folder / "report.jsonl")


@contextmanager
def scene(
    folder: Path,
    *,
    visibility: str = "private",
    kind: Literal["container", "docker"] = "container",
    **switches: Any,
) -> Iterator[Scene]:
    """Open a scene; `switches` are the world's."""
    clock = StepClock()
    world = World(clock.now, clock.monotonic, clock.sleep)
    for name, value in switches.items():
        setattr(world.switches, name, value)
    world.add_org("octo")
    world.add_token(steps.TOKEN)
    app = world.add_package("octo", kind, "app", repository="octo/app", visibility=visibility)
    with EmulatedGitHub(world) as github:
        yield Scene(world, clock, github, folder, app)


def lists(request: Request) -> bool:
    """A request for a page of versions."""
    return request.method == "GET" and request.path.endswith("/versions")


def page(number: int) -> Callable[[Request], bool]:
    return lambda request: lists(request) and request.query.get("page", "1") == str(number)


def deletes(request: Request) -> bool:
    return request.method == "DELETE"


def reads(request: Request) -> bool:
    return request.registry and request.method == "GET" and "/manifests/" in request.path


def ids(versions: Iterable[StoredVersion]) -> str:
    """An input of ids."""
    return ",".join(str(version.id) for version in versions)
