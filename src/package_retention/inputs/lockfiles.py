"""Packages and their versions in the lock and project files of npm, Yarn, pnpm, Maven, NuGet and Bundler."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from package_retention.decide.in_use import Reference
from package_retention.inputs.reference_text import Lines
from package_retention.inputs.structured_text import Node, Scalar, StructureError, Table, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NPM_LOCKS = frozenset({"package-lock.json", "npm-shrinkwrap.json"})
_NUGET_LOCK = "packages.lock.json"
_PNPM_LOCK = "pnpm-lock.yaml"
_PROJECTS = (".csproj", ".fsproj", ".vbproj")
_XML = frozenset({"pom.xml"})

_PNPM_KEY = re.compile(r"/?(@[^/]+/[^/@]+|[^/@]+)[/@](\d[^(_]*)(?:[(_].*)?")
_PNPM_VERSION = re.compile(r"(?:link:|file:|workspace:)?(\d[^(_]*)")
_YARN_ENTRY = re.compile(
    r'^(?P<names>[^\s#].*):[ \t]*\n[ \t]+version:?[ \t]+"?(?P<version>[^"\s]+)"?', re.MULTILINE
)
_GEM = re.compile(r"^ {4}(?P<name>[\w.\-]+) \((?P<version>[^)\s,]+)\)", re.MULTILINE)
_EXACT_NUGET = re.compile(r"\[?\s*(\d[\w.+\-]*)\s*\]?", re.ASCII)
_EXACT_MAVEN = re.compile(r"\[?\s*(\w[\w.+\-]*)\s*\]?", re.ASCII)
_MOVING_VERSIONS = frozenset({"LATEST", "RELEASE"})


def in_tree(file_name: str, roots: list[Node], file: str) -> Iterator[Reference]:
    """Yield the packages in a lock file that is YAML or JSON; nothing for any other file."""
    if file_name not in {*_NPM_LOCKS, _NUGET_LOCK, _PNPM_LOCK}:
        return
    for node in walk(roots):
        for key, value in node.pairs if isinstance(node, Table) else ():
            if not isinstance(key, Scalar):
                continue
            if file_name == _PNPM_LOCK:
                yield from _pnpm_entry(key, value, file)
            elif version := _child(value, "resolved" if file_name == _NUGET_LOCK else "version"):
                yield Reference(key.text.rpartition("node_modules/")[2], file, key.line, version)


def _pnpm_entry(key: Scalar, value: Node, file: str) -> Iterator[Reference]:
    if found := _PNPM_KEY.fullmatch(key.text):
        yield Reference(found[1], file, key.line, found[2])
    text = value.text if isinstance(value, Scalar) else _child(value, "version")
    if version := _PNPM_VERSION.match(text):
        yield Reference(key.text, file, key.line, version[1])


def _child(node: Node, name: str) -> str:
    for key, value in node.pairs if isinstance(node, Table) else ():
        if isinstance(key, Scalar) and key.text == name and isinstance(value, Scalar):
            return value.text
    return ""


def in_text(file_name: str, text: str, file: str) -> Iterator[Reference]:
    """Yield the packages in a lock file that is text or XML; nothing for any other file."""
    if file_name == "yarn.lock":
        yield from _yarn(text.replace("\r\n", "\n"), file)
    elif file_name == "gemfile.lock":
        yield from _gems(text, file)
    elif file_name in _XML or file_name.endswith(_PROJECTS):
        yield from _projects(_elements(text), file)


def _yarn(text: str, file: str) -> Iterator[Reference]:
    lines = Lines(text)
    for entry in _YARN_ENTRY.finditer(text):
        for written in entry["names"].replace('"', "").split(","):
            if name := re.match(r"@?[^@]+(?=@)", written.strip()):
                yield Reference(name[0], file, lines.at(entry.start()), entry["version"])


def _gems(text: str, file: str) -> Iterator[Reference]:
    lines = Lines(text)
    for gem in _GEM.finditer(text):
        # Bundler writes the platform behind the version: `1.16.0-x86_64-linux`.
        for version in dict.fromkeys((gem["version"], gem["version"].partition("-")[0])):
            yield Reference(gem["name"], file, lines.at(gem.start()), version)


class _Element:
    """An XML element with the line that it begins in."""

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag.rpartition("}")[2]
        self.attributes = attributes
        self.line = line
        self.text = ""
        self.children: list[_Element] = []

    def child(self, name: str) -> str | None:
        return next((child.text.strip() for child in self.children if child.tag == name), None)


class _Builder:
    """Collects elements in order; the target of the parser."""

    def __init__(self) -> None:
        self.elements: list[_Element] = []
        self.parser: Any = None
        self._open: list[_Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        element = _Element(tag, attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        self.elements.append(element)
        self._open.append(element)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def close(self) -> list[_Element]:
        return self.elements


def _elements(text: str) -> list[_Element]:
    """Return all elements of an XML text in order; raise `StructureError`, also for entities and DTD tricks."""
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - only the name of the error

    from defusedxml import DefusedXmlException  # noqa: PLC0415 - only project files need it
    from defusedxml.ElementTree import DefusedXMLParser  # noqa: PLC0415 - the same

    builder = _Builder()
    parser: Any = DefusedXMLParser(target=builder)
    builder.parser = parser.parser
    try:
        parser.feed(text)
        parser.close()
    except ParseError as error:
        raise StructureError(str(error).partition(":")[0], *error.position) from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise StructureError(type(error).__name__) from error
    return builder.elements


def _projects(elements: Iterable[_Element], file: str) -> Iterator[Reference]:
    for element in elements:
        if element.tag in {"PackageReference", "PackageVersion", "GlobalPackageReference"}:
            yield from _nuget(element, file)
        elif element.child("artifactId"):
            yield from _maven(element, file)


def _nuget(element: _Element, file: str) -> Iterator[Reference]:
    name = element.attributes.get("Include") or element.attributes.get("Update")
    versions = [
        text
        for key in ("Version", "VersionOverride")
        for text in (element.attributes.get(key), element.child(key))
        if text
    ]
    for text in versions or [""]:
        if name:
            yield _versioned(name, text, _EXACT_NUGET.fullmatch(text.strip()), file, element.line)


def _maven(element: _Element, file: str) -> Iterator[Reference]:
    """Yield a dependency, plugin or parent; without a version of its own only a dependency is a place that counts."""
    text = element.child("version") or ""
    if not text and element.tag != "dependency":
        return
    group, artifact = element.child("groupId") or "", element.child("artifactId") or ""
    # `${project.groupId}`, or inherited from the parent.
    is_open = not group or "$" in group
    name = artifact if is_open else f"{group}:{artifact}"
    exact = None if text.upper() in _MOVING_VERSIONS else _EXACT_MAVEN.fullmatch(text)
    yield _versioned(name, text, exact, file, element.line, open_start=is_open)


def _versioned(
    name: str, text: str, exact: re.Match[str] | None, file: str, line: int, *, open_start: bool = False
) -> Reference:
    """Return a package at the version that is written; a range, float or property may mean any version."""
    if exact is None or not text:
        return Reference(name, file, line, any_tag=True, open_start=open_start)
    return Reference(name, file, line, exact[1], open_start=open_start)
