"""Random worlds as text: the statements with which a test would build them, so that a finding is a test already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.rules import RuleError
from soak import shapes

if TYPE_CHECKING:
    from random import Random

    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World

VERSIONS = (
    "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.3", "1.3.0", "2.0.0", "2.0.1", "2.1.0", "3.0.0",
    "1.3.0-alpine", "2.0.0-alpine", "2.0.0-rc1", "2.1.0-rc2", "3.0.0-beta.1",
)  # fmt: skip
NAMES = (
    "latest",
    "edge",
    "stable",
    "main",
    "pr-1",
    "pr-2",
    "pr-3",
    "pr-12",
    "v1",
    "1.2",
    "sha-3f2a9c1",
    "sha-77aa001",
)
_NAME = re.compile(r"\b[a-z]+\d+\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of a world; `makes` is the shape that it defines ("" where it does something to the package)."""

    text: str
    makes: str = ""

    @property
    def uses(self) -> set[str]:
        return set(_NAME.findall(self.text)) - {self.makes}

    @property
    def adds(self) -> str:
        """The shape that it adds to the package, or ''."""
        return self.text.removeprefix("add(").split(",")[0] if self.text.startswith("add(") else ""


class Place:
    """The package that statements work on; `s` holds the shapes by name."""

    def __init__(self, world: World, package: StoredPackage) -> None:
        self.world, self.package = world, package
        self._names: dict[str, Any] = {name: getattr(shapes, name) for name in shapes.__all__}
        self._names |= {name: getattr(self, name) for name in ("add", "push", "touch", "lose", "delete")}

    def add(self, one: Any, *tags: str, days: float) -> None:
        """Add a version as it was pushed `days` ago."""
        if self.package.by_digest(one.digest) is None:
            self.world.add_image(self.package, one, *tags, created=days)

    def push(self, one: Any, *tags: str) -> None:
        """Push a version now."""
        self.world.push(self.package, one.body, one.media_type, tags)

    def touch(self, one: Any, days: float) -> None:
        """Have a version updated later than it was made."""
        if version := self._there(one):
            version.updated_at = self.world._time(days)

    def lose(self, one: Any) -> None:
        """Have the registry lose a manifest that lists still show."""
        if version := self._there(one):
            version.manifest = None

    def delete(self, one: Any) -> None:
        """Delete a version, if GitHub lets anybody."""
        if version := self._there(one):
            try:
                self.world.delete_version(self.package, version)
            except RuleError:
                return

    def id_of(self, name: str) -> int:
        """The id of a shape's version; 1 where it is not in the package."""
        version = self._there(self._names[name]) if name in self._names else None
        return version.id if version else 1

    def _there(self, one: Any) -> StoredVersion | None:
        return self.package.by_digest(one.digest) if self.package.deleted_at is None else None

    def run(self, statements: list[Statement]) -> None:
        """Carry out statements."""
        for one in statements:
            exec(one.text, self._names)


class WorldWriter:
    """Write the statements of a random world."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.statements: list[Statement] = []
        self.free = list(VERSIONS + NAMES)
        self.images: list[str] = []
        """Names of shapes that are whole images or indexes."""
        self.platforms: list[str] = []
        self.attestable: list[str] = []
        self._number = 0

    def write(self, pushes: int) -> list[Statement]:
        kinds = {
            self.plain: 4, self.index: 6, self.nested: 1, self.tagged_platforms: 2, self.shared: 2,
            self.rebuilt: 2, self.signature: 2, self.bundle: 2, self.tagged_referrer: 1, self.other: 1,
            self.damaged: 1, self.orphan: 1, self.content_hash: 0.3, self.odd: 0.7, self.promoted: 1,
            self.lost: 0.3, self.touched: 1,
        }  # fmt: skip
        for kind in self.random.choices(list(kinds), list(kinds.values()), k=pushes):
            kind()
        return self.statements

    # Single statements

    def shape(self, text: str) -> str:
        self._number += 1
        name = f"s{self._number}"
        self.statements.append(Statement(f"{name} = {text.replace('SEED', repr(name))}", name))
        return name

    def add(self, name: str, *tags: str, days: float | None = None) -> str:
        age = self.age() if days is None else days
        tagged = "".join(f", {self._text(tag)}" for tag in tags)
        self.statements.append(Statement(f"add({name}{tagged}, days={age})"))
        return name

    def _text(self, tag: str) -> str:
        return tag if tag.startswith(("derived_tag(", "content_tag(")) else repr(tag)

    def age(self) -> float:
        """Days; never near a limit."""
        return round(
            self.random.choice((0.2, 0.6, 2.5, 6.5, 12.5, 25.5, 45.5, 80.5)) + self.random.random() * 0.2, 4
        )

    def tags(self, most: int = 2) -> list[str]:
        number = self.random.choice((0, 1, 1, 1, most))
        return [self.free.pop(self.random.randrange(len(self.free))) for _ in range(number) if self.free]

    def any(self, names: list[str]) -> str | None:
        return self.random.choice(names) if names else None

    def subject(self) -> str:
        """Something to refer to: most often what is there."""
        there = self.any(self.images + self.platforms)
        if there is None or self.random.random() < 0.1:
            return self.shape("gone(SEED)")
        return there

    # Kinds of pushes

    def plain(self) -> None:
        docker = ", docker=True" if self.random.random() < 0.2 else ""
        self.images.append(self.add(self.shape(f"image(SEED{docker})"), *self.tags()))

    def _platforms(self, days: float, count: int, tags: tuple[str, ...] = ()) -> list[str]:
        made = []
        for number in range(count):
            name = self.shape("image(SEED)")
            made.append(self.add(name, *tags[number : number + 1], days=round(days + 0.001, 4)))
        self.platforms += made
        return made

    def _attestations(self, platforms: list[str], days: float, kind: str) -> str:
        """Attest platforms; gives the argument of the index."""
        if kind == "none":
            return ""
        pairs = []
        for one in platforms:
            artifact = f", artifact=True{self._predicates()}" if kind == "new" else ""
            name = self.shape(f"attestation({one}, SEED{artifact})")
            self.add(name, days=round(days + 0.0005, 4))
            pairs.append(f"({name}, {one})")
        return f", attested=({', '.join(pairs)},)"

    def _predicates(self) -> str:
        return self.random.choice(("", "", ", predicates=[SPDX]", ", predicates=[SPDX, PROVENANCE]"))

    def _kind(self) -> str:
        return self.random.choice(("none", "none", "old", "new", "new"))

    def _index(self, platforms: list[str], attested: str, *tags: str, days: float) -> str:
        docker = ", docker=True" if not attested and self.random.random() < 0.2 else ""
        name = self.shape(
            f"index_of({', '.join(platforms)}{', ' if platforms else ''}seed=SEED{attested}{docker})"
        )
        self.images.append(self.add(name, *tags, days=days))
        return name

    def index(self) -> None:
        days = self.age()
        platforms = self._platforms(days, self.random.choice((1, 2, 2)))
        self._index(platforms, self._attestations(platforms, days, self._kind()), *self.tags(), days=days)

    def nested(self) -> None:
        days = self.age()
        inner = [one for one in self.images if self.random.random() < 0.4][:2]
        self._index(self._platforms(days, 1) + inner, "", *self.tags(), days=days)

    def tagged_platforms(self) -> None:
        """`X-amd64`, `X-arm64`, and `X` over both, as matrix builds push them."""
        days = self.age()
        tags = self.tags(1) or ["nightly"]
        if tags == ["nightly"]:
            tags = [f"nightly{self._number}"]
        arch = (f"{tags[0]}-amd64", f"{tags[0]}-arm64")
        platforms = self._platforms(days, 2, arch[: self.random.choice((1, 2, 2))])
        self._index(platforms, self._attestations(platforms, days, self._kind()), *tags, days=days)

    def shared(self) -> None:
        """An index over platforms that another one has, too: a cached rebuild."""
        shared = [one for one in self.platforms if self.random.random() < 0.4][:2]
        days = self.age()
        if shared:
            self._index(shared, self._attestations(shared, days, self._kind()), *self.tags(), days=days)

    def rebuilt(self) -> None:
        """The same platform built again for one pull request after the other, each with an attestation of its own."""
        days = self.age()
        platforms = self._platforms(days, 1)
        for number in range(self.random.choice((2, 3))):
            later = round(days - number * 0.01, 4)
            self._index(
                platforms, self._attestations(platforms, later, self._kind()), *self.tags(1), days=later
            )

    def signature(self) -> None:
        subject = self.subject()
        kind = self.random.choice(("sig", "sig", "att", "sbom"))
        self.add(self.shape(f"signature({subject}, {kind!r})"), f"derived_tag({subject}, {kind!r})")

    def bundle(self) -> None:
        """Cosign 3: each signing rewrites the fallback index; those before it lose the tag."""
        subject, days = self.subject(), self.age()
        signed: list[str] = []
        count = self.random.choice((1, 1, 2, 3))
        forgotten = self.random.random() < 0.3
        for number in range(count):
            later = round(days - number * 0.01, 4)
            signed.append(self.add(self.shape(f"bundle({subject}, SEED)"), days=round(later + 0.001, 4)))
            # Two signings at once: the later index lacks the earlier bundle.
            listed = signed[-1:] if forgotten else signed
            fallback = self.shape(f"fallback_index([{', '.join(listed)}])")
            last = number == count - 1 and self.random.random() < 0.9
            self.add(fallback, *([f"derived_tag({subject})"] if last else []), days=later)

    def tagged_referrer(self) -> None:
        subject = self.subject()
        made = self.random.choice((f"referrer({subject}, SEED)", f"retired_artifact({subject}, SEED)"))
        self.add(self.shape(made), *self.tags(1))

    def other(self) -> None:
        made = self.random.choice(("cache(SEED)", "helm_chart(SEED)"))
        self.images.append(self.add(self.shape(made), *self.tags(1)))

    def damaged(self) -> None:
        days = self.age()
        lost = [self.shape("gone(SEED)") for _ in range(self.random.choice((1, 2)))]
        self._index(self._platforms(days, self.random.choice((0, 1))) + lost, "", *self.tags(1), days=days)

    def orphan(self) -> None:
        subject = self.shape("gone(SEED)")
        if self.random.random() < 0.5:
            self.add(self.shape(f"signature({subject})"), f"derived_tag({subject}, 'sig')")
        else:
            bundle = self.add(self.shape(f"bundle({subject}, SEED)"))
            self.add(self.shape(f"fallback_index([{bundle}])"), f"derived_tag({subject})")

    def content_hash(self) -> None:
        name = self.shape("image(SEED)")
        self.add(name, f"content_tag({name!r})")

    def odd(self) -> None:
        """Descriptors that say something else than what is there."""
        word = self.random.choice(("plain", "typed"))
        there = self.any(self.images if word == "plain" else self.images + self.platforms)
        if there:
            self.images.append(self.add(self.shape(f"index_of({word}=({there},), seed=SEED)"), *self.tags(1)))

    def promoted(self) -> None:
        """A platform that gets a tag of its own by a push of its digest."""
        there, tags = self.any(self.platforms), self.tags(1)
        if there and tags:
            self.statements.append(Statement(f"push({there}, {tags[0]!r})"))

    def lost(self) -> None:
        there = self.any(self.images + self.platforms)
        if there:
            self.statements.append(Statement(f"lose({there})"))

    def touched(self) -> None:
        there = self.any(self.images)
        if there:
            self.statements.append(Statement(f"touch({there}, days={self.age()})"))
