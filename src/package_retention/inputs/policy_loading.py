"""Reads the policy file: a file of the workspace, its YAML, its rules, narrowed to what the step itself names.

Where the step gives `package-type` or `package-name` beside the file, they only ever narrow: a package is worked on
where the file and the step both name it, and a plain name that no entry of the file reaches is an error. What the
file reaches by a wildcard stays bound to `repository`, though the step spells the name out.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.errors import InputError
from package_retention.inputs import policy, policy_yaml, values
from package_retention.inputs.files import roots
from package_retention.inputs.policy_yaml import Problems
from package_retention.problems import InvalidValueError, Position, Problem
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from package_retention.decide.rules import PackageRules
    from package_retention.inputs.parsing import PolicyLoader
    from package_retention.model import PackageType
    from package_retention.problems import Detail

LARGEST = 1024 * 1024
_BREAK = b"\n"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def loader(environ: Mapping[str, str], cwd: Path) -> PolicyLoader:
    """Give what reads a policy file that lies in the workspace (else `cwd`) or the runner's temporary folder."""
    allowed = roots(environ, cwd)

    def load(path: Path, package_type: PackageType | None, names: str) -> tuple[PackageRules, ...]:
        root = next((each for each in allowed if path.is_relative_to(each)), None)
        if root is None or ".." in path.parts:
            raise _refused(Code.FILE_OUTSIDE, str(path))
        label = str(path.relative_to(root))
        rules = parse(_read(root, path.relative_to(root).parts, label), label)
        return narrowed(rules, package_type, names, label)

    return load


def parse(content: bytes, label: str) -> tuple[PackageRules, ...]:
    """Give the rules of a policy; raise `InputError` with every problem, each with its line and column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(_BREAK) + 1, error.start - before.rfind(_BREAK)
        raise InputError(Problem(Code.NOT_UTF8, at=Position(label, line, column))) from None
    problems = Problems(label)
    root = policy_yaml.parse(text, problems)
    rules = policy.packages(root, problems) if root else ()
    if problems:
        raise InputError(*problems.all())
    return rules


def narrowed(
    rules: tuple[PackageRules, ...], package_type: PackageType | None, names: str, label: str
) -> tuple[PackageRules, ...]:
    """Leave what the step names too: `names` is the text of `package-name`, empty where it is not given.

    Raises `InputError` where the step names something that no entry of the file reaches.
    """
    left = tuple(each for each in rules if package_type in (None, each.type))
    if not left:
        details: dict[str, Detail] = {"file": label, "type": str(package_type)}
        raise InputError(Problem(Code.POLICY_HAS_NO_TYPE, input="package-type", details=details))
    if not names:
        return left
    try:
        left = tuple(replace(each, within=values.names(names, each.type)) for each in left)
    except InvalidValueError as error:
        raise InputError(*(problem.of("package-name") for problem in error.problems)) from error
    if unreached := [name for name in _spelled(left) if not any(each.reaches(name) for each in left)]:
        raise InputError(*(_not_reached(name, label) for name in unreached))
    left = tuple(
        each for each in left if each.names.any_wildcards or any(map(each.reaches, each.names.literals))
    )
    if not left:
        raise InputError(_not_reached(names, label))
    return left


def _not_reached(names: str, label: str) -> Problem:
    return Problem(Code.POLICY_REACHES_NOT, names, "package-name", details={"file": label})


def _spelled(rules: tuple[PackageRules, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in rules if each.within for name in each.within.literals))


def _read(root: Path, parts: tuple[str, ...], label: str) -> bytes:
    """Read a file below a folder; every part is opened from the one before it, links not followed."""
    try:
        folder = os.open(root, _FOLDER)
        try:
            for part in parts[:-1]:
                deeper = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = deeper
            file = os.open(parts[-1], _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise _refused(Code.FILE_NOT_REGULAR, label)
            content = opened.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise _refused(Code.FILE_NOT_THERE, label) from error
    except (OSError, ValueError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else "it holds a NUL"
        raise _refused(Code.FILE_UNREADABLE, label, why=why) from error
    if len(content) > LARGEST:
        raise _refused(Code.FILE_TOO_LARGE, label, most=LARGEST)
    return content


def _refused(code: Code, label: str, **details: Detail) -> InputError:
    return InputError(Problem(code, label, "policy-file", details=details))
