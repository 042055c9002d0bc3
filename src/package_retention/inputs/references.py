"""Find references to versions of packages in the text of one file, by the form that its name says.

Whole references are looked for everywhere. In YAML and JSON the halves that Helm, Kustomize and Compose write apart
(`repository` and `tag`) are one reference. In lock and project files of npm, Yarn, pnpm, Maven, NuGet and Bundler so
are a package and its version. Nothing here reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.in_use import Reference
from package_retention.inputs import trees
from package_retention.inputs.reference_text import (
    MOVING_VERSIONS,
    Mention,
    Passage,
    parse_tag,
    untagged_references,
    whole_name,
    whole_references,
)
from package_retention.problems import InvalidValueError, Problem

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# `name` is a name only beside a version, or where it has a slash: nearly everything has a name.
_NAMES = ("repository", "image", "newname", "name")
_TAGS = ("tag", "newtag", "version")
_DIGEST = "digest"
_REGISTRY = "registry"
_HALVES = (*_NAMES, *_TAGS, _DIGEST)
_WANTED = frozenset({*_HALVES, _REGISTRY})
_PARSERS = {".json": trees.parse_json, ".yaml": trees.parse_yaml, ".yml": trees.parse_yaml}

# The scalars of a mapping by those of its keys that matter.
_Values = dict[str, list[trees.Scalar]]


class FoundReferences(Struct, frozen=True):
    """What files refer to; `templates` are those that could not be parsed for their `{{`, and were read as text."""

    references: tuple[Reference, ...] = ()
    templates: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse(text: str, file: str) -> FoundReferences:
    """Return the references in a file's text, each once; raise `InvalidValueError` if it is not what its name says."""
    passage = Passage(text, file)
    try:
        found = tuple(dict.fromkeys(_references(passage)))
    except InvalidValueError:
        if "{{" not in text:
            raise
        return FoundReferences(tuple(dict.fromkeys(_in_text(passage))), templates=(file,))
    return FoundReferences(found)


def _references(passage: Passage) -> Iterator[Reference]:
    path = PurePosixPath(passage.file.lower())
    if path.suffix in _PARSERS:
        roots = _PARSERS[path.suffix](passage.text, passage.file)
        # Comments and keys are no scalars, and escapes are no raw text: both are read.
        yield from whole_references(passage)
        yield from _in_tree(roots, passage.file)
        yield from _locked_in_tree(path.name, roots, passage.file)
    else:
        yield from _in_text(passage)
        yield from _locked_in_text(path.name, passage)


def _in_text(passage: Passage) -> Iterator[Reference]:
    yield from whole_references(passage)
    yield from untagged_references(passage)


def _in_tree(roots: list[trees.Node], file: str) -> Iterator[Reference]:
    known: dict[int, _Values] = {}
    halves: set[int] = set()
    for node in trees.walk(roots):
        if isinstance(node, trees.Table):
            values = _effective(node, known)
            halves.update(id(scalar) for key in _HALVES for scalar in values.get(key, ()))
            yield from _of_keys(values, file)
        elif isinstance(node, trees.Scalar):
            passage = Passage(node.text, file, node.at.line)
            yield from whole_references(passage)
            if id(node) not in halves:
                yield from untagged_references(passage)


def _effective(table: trees.Table, known: dict[int, _Values]) -> _Values:
    """Return the scalars of the keys that matter by key in small letters, merge keys (`<<`) followed.

    The mapping's own win over what it merges. `known` are those of all mappings so far.
    """
    if id(table) in known:
        return known[id(table)]
    own: _Values = {}
    known[id(table)] = own  # before the merges, which may come back here
    merged: list[trees.Node] = []
    for key, value in trees.entries(table):
        if key.text == "<<":
            merged += value.nodes if isinstance(value, trees.Sequence) else [value]
        elif key.text.lower() in _WANTED and isinstance(value, trees.Scalar):
            own.setdefault(key.text.lower(), []).append(value)
    for other in merged:
        if isinstance(other, trees.Table):
            for name, values in _effective(other, known).items():
                own.setdefault(name, values)
    return own


def _of_keys(values: _Values, file: str) -> Iterator[Reference]:
    """Yield the references of one mapping's names, each beside every tag and digest there."""
    beside = [value for key in _TAGS for value in values.get(key, ())]
    digests = values.get(_DIGEST, [])
    named = [(key, scalar) for key in _NAMES for scalar in values.get(key, ())]
    for key, scalar in named:
        name = whole_name(scalar.text)
        if name is None:
            # The default in `${IMAGE:-octo/app}` is a value of the key too; a sentence is not.
            keyed = "${" in scalar.text or "{{" in scalar.text
            passage = Passage(scalar.text, file, scalar.at.line)
            yield from untagged_references(passage, keyed=keyed)
        elif name.is_bare:
            names = _with_parents(key, name, values)
            if key != "name" or beside or digests or any("/" in one.name for one in names):
                for one, (tag, digest) in product(names, _halves(beside, digests)):
                    yield replace(one, tag=tag, digest=digest).reference(file, scalar.at.line)


def _with_parents(key: str, name: Mention, values: _Values) -> list[Mention]:
    """Return the names that one may have behind a `registry`, or behind a `repository` that is only a folder."""
    parents = [re.sub(r"^\w+://", "", parent.text) for parent in values.get(_REGISTRY, ())]
    if key in {"image", "name"}:
        parents += [parent.text for parent in values.get("repository", ())]
    found = [name]
    for parent in parents:
        before = whole_name(parent)
        if before is not None and before.is_bare:
            found.append(replace(before, name=f"{before.name}/{name.name}"))
        elif parent and "://" not in parent:
            found.append(replace(name, open_start=True))
    return found


def _halves(tags: list[trees.Scalar], digests: list[trees.Scalar]) -> list[tuple[str, str]]:
    """Return the tags and digests that may be meant beside a name; both empty: any."""
    known_tags = [parse_tag(scalar.text) for scalar in tags]
    known_digests = [parse_tag(scalar.text) for scalar in digests if scalar.text]
    digest = next((found[1] for found in known_digests if found and found[1]), "")
    halves = [(found[0], found[1] or digest) for found in known_tags if found]
    if digest:
        # A digest decides: beside it an empty tag means nothing.
        return [half for half in halves if half[0]] or [("", digest)]
    if not halves or None in known_tags or None in known_digests:
        halves.append(("", ""))
    return halves


_PNPM_LOCK = "pnpm-lock.yaml"
# Lock files that are trees, with the key of a package's version.
_TREE_LOCKS = {
    "package-lock.json": "version",
    "npm-shrinkwrap.json": "version",
    "packages.lock.json": "resolved",
    _PNPM_LOCK: "version",
}
_PROJECTS = (".csproj", ".fsproj", ".vbproj")

_PNPM_KEY = re.compile(r"/?(@[^/]+/[^/@]+|[^/@]+)[/@](\d[^(_]*)(?:[(_].*)?")
_PNPM_VERSION = re.compile(r"(?:link:|file:|workspace:)?(\d[^(_]*)")
_YARN_ENTRY = re.compile(
    r'^(?P<names>[^\s#].*):[ \t]*\r?\n[ \t]+version:?[ \t]+"?(?P<version>[^"\s]+)"?', re.MULTILINE
)
_GEM = re.compile(r"^ {4}(?P<name>[\w.\-]+) \((?P<version>[^)\s,]+)\)", re.MULTILINE)
_EXACT_NUGET = re.compile(r"\[?\s*(\d[\w.+\-]*)\s*\]?", re.ASCII)
_EXACT_MAVEN = re.compile(r"\[?\s*(\w[\w.+\-]*)\s*\]?", re.ASCII)


def _locked_in_tree(file_name: str, roots: list[trees.Node], file: str) -> Iterator[Reference]:
    """Yield the packages in a lock file that is YAML or JSON; nothing for any other file."""
    if file_name not in _TREE_LOCKS:
        return
    for node in trees.walk(roots):
        for key, value in trees.entries(node):
            version = _child(value, _TREE_LOCKS[file_name])
            if file_name == _PNPM_LOCK:
                yield from _pnpm_entry(key, value, version, file)
            elif version:
                yield Reference(key.text.rpartition("node_modules/")[2], file, key.at.line, version)


def _pnpm_entry(key: trees.Scalar, value: trees.Node, version: str, file: str) -> Iterator[Reference]:
    if found := _PNPM_KEY.fullmatch(key.text):
        yield Reference(found[1], file, key.at.line, found[2])
    if found := _PNPM_VERSION.match(value.text if isinstance(value, trees.Scalar) else version):
        yield Reference(key.text, file, key.at.line, found[1])


def _child(node: trees.Node, name: str) -> str:
    values = (
        value.text
        for key, value in trees.entries(node)
        if key.text == name and isinstance(value, trees.Scalar)
    )
    return next(values, "")


def _locked_in_text(file_name: str, passage: Passage) -> Iterator[Reference]:
    """Yield the packages in a lock file that is text or XML; nothing for any other file."""
    if file_name == "yarn.lock":
        yield from _yarn(passage)
    elif file_name == "gemfile.lock":
        yield from _gems(passage)
    elif file_name == "pom.xml" or file_name.endswith(_PROJECTS):
        yield from _projects(_elements(passage.text, passage.file), passage.file)


def _yarn(passage: Passage) -> Iterator[Reference]:
    for entry in _YARN_ENTRY.finditer(passage.text):
        for written in entry["names"].replace('"', "").split(","):
            if name := re.match(r"@?[^@]+(?=@)", written.strip()):
                yield Reference(name[0], passage.file, passage.line(entry.start()), entry["version"])


def _gems(passage: Passage) -> Iterator[Reference]:
    for gem in _GEM.finditer(passage.text):
        # Bundler writes the platform behind the version: `1.16.0-x86_64-linux`.
        for version in dict.fromkeys((gem["version"], gem["version"].partition("-")[0])):
            yield Reference(gem["name"], passage.file, passage.line(gem.start()), version)


def _elements(text: str, file: str) -> dict[Element, int]:
    """Return all elements of an XML text in order, with their lines; raise `InvalidValueError`, also for DTD tricks."""
    from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # noqa: PLC0415 - parsed by defusedxml

    from defusedxml import DefusedXmlException  # noqa: PLC0415 - only project files need it
    from defusedxml.ElementTree import DefusedXMLParser  # noqa: PLC0415 - the same

    lines: dict[Element, int] = {}

    def element(tag: str, attributes: dict[str, str]) -> Element:
        made = Element(tag.rpartition("}")[2], attributes)
        lines[made] = parser.parser.CurrentLineNumber
        return made

    parser: Any = DefusedXMLParser(target=TreeBuilder(element))
    try:
        parser.feed(text)
        parser.close()
    except ParseError as error:
        raise trees.unparsed(file, str(error).partition(":")[0], *error.position) from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise trees.unparsed(file, type(error).__name__) from error
    return lines


def _projects(elements: dict[Element, int], file: str) -> Iterator[Reference]:
    for element, line in elements.items():
        if element.tag in {"PackageReference", "PackageVersion", "GlobalPackageReference"}:
            yield from _nuget(element, file, line)
        elif _text(element, "artifactId"):
            yield from _maven(element, file, line)


def _text(element: Element, name: str) -> str:
    return element.findtext(name, "").strip()


def _nuget(element: Element, file: str, line: int) -> Iterator[Reference]:
    name = element.get("Include") or element.get("Update")
    if not name:
        return
    places = ("Version", "VersionOverride")
    written = [text for key in places for text in (element.get(key), _text(element, key)) if text]
    for text in written or [""]:
        yield _versioned(name, _EXACT_NUGET.fullmatch(text.strip()), file, line)


def _maven(element: Element, file: str, line: int) -> Iterator[Reference]:
    """Yield a dependency, plugin or parent; without a version of its own only a dependency is a place that counts."""
    text = _text(element, "version")
    if not text and element.tag != "dependency":
        return
    group, artifact = _text(element, "groupId"), _text(element, "artifactId")
    # `${project.groupId}`, or inherited from the parent.
    is_open = not group or "$" in group
    name = artifact if is_open else f"{group}:{artifact}"
    exact = None if text.lower() in MOVING_VERSIONS else _EXACT_MAVEN.fullmatch(text)
    yield _versioned(name, exact, file, line, open_start=is_open)


def _versioned(
    name: str, version: re.Match[str] | None, file: str, line: int, *, open_start: bool = False
) -> Reference:
    """Return a package at the version that is written; a range, float or property may mean any version."""
    tag = version[1] if version else ""
    return Reference(name, file, line, tag, any_tag=not tag, open_start=open_start)
