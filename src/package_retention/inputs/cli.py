"""Read the flags of a call without a workflow: each is an input, and becomes the variable that a runner would set.

So one parser judges both, and a flag means what the input means.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TextIO

from msgspec import Struct

from package_retention import __version__
from package_retention.errors import USAGE_STATUS
from package_retention.escaping import harmless
from package_retention.inputs.environment import input_meant, on_runner
from package_retention.inputs.rows import Group, Input
from package_retention.inputs.table import BY_NAME, INPUTS

_WIDTH = 100
_USAGE = "--package-type TYPE --package-name NAMES [flags]"
_ABOUT = (
    "Deletes, restores or lists versions of GitHub Packages without breaking what stays. Every input of the action is"
    " a flag; a list may be given by repeating its flag. At a terminal it shows its plan and asks before the first"
    " change. Without a terminal nobody asks: try it with --dry-run first."
)
_EXAMPLES = """examples:
  What would go: untagged images that are older than a week
    package-retention --owner octo --package-type container --package-name app --tag-status untagged
      --older-than 7d --dry-run
  Keep the newest five versions, and write a report that can undo the run
    package-retention --owner octo --package-type npm --package-name lib --min-versions-to-keep 5
      --report-file run.jsonl
  The undo
    package-retention --operation restore --owner octo --package-type npm --package-name lib
      --from-report run.jsonl
"""
_EPILOG = (
    "The token comes from GITHUB_TOKEN, unless --token is given (others on the machine can see it there). Other servers"
    " than github.com: set GITHUB_API_URL and GITHUB_SERVER_URL. A value that begins with a dash is written"
    " --flag=value."
)


class _UsageError(Exception):
    """Flags that do not fit."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


class Call(Struct, frozen=True):
    """What the flags of a call say: the environment that a runner would have set, and whether to change without asking."""

    environ: Mapping[str, str]
    yes: bool = False


def read(
    argv: Sequence[str],
    environ: Mapping[str, str],
    stdout: TextIO,
    stderr: TextIO | None = None,
    program: str = "package-retention",
) -> Call | int:
    """Return the call that the flags make, or the exit status if nothing more is to be done.

    `--help` and `--version` print and return 0; flags that do not fit return 2, and so does a call by hand that says
    nothing at all. Without flags the environment comes back as it is.
    """
    if not argv and (on_runner(environ) or any(n.startswith("INPUT_") for n in environ)):
        return Call(environ)
    try:
        return _read(argv, environ, stdout, program)
    except _UsageError as error:
        (stderr or stdout).write(
            f"{harmless(str(error))}\nusage: {program} {_USAGE}\n--help explains every flag.\n"
        )
        return USAGE_STATUS


def _read(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, program: str) -> Call | int:
    parser = _parser(program)
    known, rest = parser.parse_known_args(list(argv))
    given: dict[str, Any] = vars(known)
    if given.pop("help"):
        examples = _EXAMPLES.replace("package-retention", program)
        stdout.write(f"{parser.format_help()}\n{examples}")
        return 0
    if given.pop("version"):
        stdout.write(f"package-retention {__version__}\n")
        return 0
    if rest:
        # An unknown flag's value is not another mistake.
        mistakes = [word for word in rest if word.startswith("-")] or rest
        raise _UsageError(" ".join(map(_unknown, mistakes)))
    yes = bool(given.pop("yes"))
    values = {name: _value(name, found) for name, found in given.items() if found is not None}
    if not values:
        raise _UsageError("No flag says what to do.")
    variables = {f"INPUT_{name.upper()}": value for name, value in values.items()}
    return Call({**environ, **variables, **_token(values, environ)}, yes)


def _parser(program: str) -> _Parser:
    parser = _Parser(
        prog="package-retention",
        usage=f"{program} {_USAGE}",
        description=_ABOUT,
        epilog=_EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=4, width=_WIDTH),
    )
    parser.color = False  # type: ignore[attr-defined,unused-ignore] # Python 3.14 would colour what is captured, too
    parser.add_argument("--help", "-h", action="store_true", help="show this and end")
    parser.add_argument("--version", action="store_true", help="show the version and end")
    parser.add_argument("--yes", "-y", action="store_true", help="change without asking, at a terminal too")
    groups = {group: parser.add_argument_group(group) for group in Group}
    for each in INPUTS:
        kind: dict[str, Any] = {"nargs": "?", "const": "true"} if each.is_switch else {}
        groups[each.group].add_argument(
            f"--{each.name}", dest=each.name, action="append", metavar="VALUE", help=_help(each), **kind
        )
    return parser


def _help(each: Input) -> str:
    default = each.variable or each.default
    text = f"{each.description}. Default: {default}" if default else each.description
    return text.replace("%", "%%")


def _unknown(word: str) -> str:
    name = word.split("=", 1)[0]
    if not name.startswith("-"):
        return f"{word!r} belongs to no flag; a value follows its flag: --package-name {word}."
    meant = name.lstrip("-").replace("_", "-").lower()
    near = [known for known in BY_NAME if meant and known.startswith(meant)]
    details = {"meant": near[0]} if near else input_meant(meant)
    said = details.get("said") or details.get("meant")
    if not said:
        return f"{name} is no flag; --help names them all."
    lines = said if isinstance(said, tuple) else (str(said),)
    flags = " ".join(f"--{line.replace(': ', '=')}" for line in lines)
    return f"{name} is no flag; did you mean {flags}?"


def _value(name: str, found: list[str]) -> str:
    if len(found) > 1 and not BY_NAME[name].is_list:
        raise _UsageError(f"--{name} is given {len(found)} times; give it once.")
    return "\n".join(found)


def _token(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    if "token" in values or environ.get("INPUT_TOKEN", "").strip():
        return {}
    if token := environ.get("GITHUB_TOKEN", "").strip():
        return {"INPUT_TOKEN": token}
    raise _UsageError("There is no token: set GITHUB_TOKEN, or give --token.")
