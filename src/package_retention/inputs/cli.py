"""Use without a workflow: every input is also a flag, and becomes the variable that a runner would have set.

So one parser judges both, and a flag means what the input means.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from package_retention import __version__
from package_retention.escaping import harmless
from package_retention.inputs.rows import Group
from package_retention.inputs.suggestions import input_meant
from package_retention.inputs.table import BY_NAME, INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from package_retention.inputs.rows import Input

USAGE_STATUS = 2
_WIDTH = 100
_USAGE = "python entrypoint.py --package-type TYPE --package-name NAMES [flags]"
_ABOUT = (
    "Deletes, restores or lists versions of GitHub Packages without breaking what stays. Every input of the action is"
    " a flag; a list may be given by repeating its flag. Try it with --dry-run first."
)
_EPILOG = (
    "The token comes from GITHUB_TOKEN, unless --token is given (others on the machine can see it there). Other servers"
    " than github.com: set GITHUB_API_URL and GITHUB_SERVER_URL. A value that begins with a dash is written"
    " --flag=value."
)
_FROM_VARIABLES = {
    "owner": "GITHUB_REPOSITORY_OWNER",
    "repository": "GITHUB_REPOSITORY",
    "token": "GITHUB_TOKEN",
}


class _UsageError(Exception):
    """Flags that do not fit."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


def read(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO) -> Mapping[str, str] | int:
    """Give the environment with the flags in it, or the exit status where there is nothing more to do.

    `--help` and `--version` print and give 0; flags that do not fit give 2, and so does a call by hand that says
    nothing at all. Without flags the environment comes back as it is.
    """
    if not argv and (environ.get("GITHUB_ACTIONS") == "true" or any(n.startswith("INPUT_") for n in environ)):
        return environ
    try:
        return _read(argv, environ, stdout)
    except _UsageError as error:
        stdout.write(f"{harmless(str(error))}\nusage: {_USAGE}\n--help explains every flag.\n")
        return USAGE_STATUS


def _read(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO) -> Mapping[str, str] | int:
    parser = _parser()
    known, rest = parser.parse_known_args(list(argv))
    given: dict[str, Any] = vars(known)
    if given.pop("help"):
        stdout.write(_parser().format_help())
        return 0
    if given.pop("version"):
        stdout.write(f"package-retention {__version__}\n")
        return 0
    if rest:
        raise _UsageError(" ".join(_unknown(word) for word in _telling(rest)))
    values = {name: _value(name, found) for name, found in given.items() if found is not None}
    if not values:
        raise _UsageError("No flag says what to do.")
    variables = {f"INPUT_{name.upper()}": value for name, value in values.items()}
    return {**environ, **variables, **_token(values, environ)}


def _parser() -> _Parser:
    parser = _Parser(
        prog="package-retention",
        usage=_USAGE,
        description=_ABOUT,
        epilog=_EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=4, width=_WIDTH),
    )
    parser.color = False  # type: ignore[attr-defined,unused-ignore] # Python 3.14 would colour what is captured, too
    parser.add_argument("--help", "-h", action="store_true", help="show this and end")
    parser.add_argument("--version", action="store_true", help="show the version and end")
    groups = {group: parser.add_argument_group(group) for group in Group}
    for each in INPUTS:
        kind: dict[str, Any] = {"nargs": "?", "const": "true"} if each.kind.is_switch else {}
        groups[each.group].add_argument(
            f"--{each.name}", dest=each.name, action="append", metavar="VALUE", help=_help(each), **kind
        )
    return parser


def _help(each: Input) -> str:
    default = _FROM_VARIABLES.get(each.name) or each.default
    text = f"{each.description}. Default: {default}" if default else each.description
    return text.replace("%", "%%")


def _telling(rest: Sequence[str]) -> Sequence[str]:
    """The words to tell of: an unknown flag's value is not another mistake."""
    return [word for word in rest if word.startswith("-")] or rest


def _unknown(word: str) -> str:
    name = word.split("=", 1)[0]
    if not name.startswith("-"):
        return f"{word!r} belongs to no flag; a value follows its flag: --package-name {word}."
    meant = name.lstrip("-").replace("_", "-").lower()
    near = [known for known in BY_NAME if meant and known.startswith(meant)]
    details = {} if near or not meant else input_meant(meant)
    said = details.get("said") or details.get("meant") or (near[0] if near else "")
    flags = " ".join(
        f"--{each.replace(': ', '=')}" for each in (said if isinstance(said, tuple) else (str(said),)) if each
    )
    return f"{name} is no flag; " + (f"did you mean {flags}?" if flags else "--help names them all.")


def _value(name: str, found: list[str]) -> str:
    if len(found) > 1 and not BY_NAME[name].kind.is_list:
        raise _UsageError(f"--{name} is given {len(found)} times; give it once.")
    return "\n".join(found)


def _token(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    if "token" in values or environ.get("INPUT_TOKEN", "").strip():
        return {}
    if token := environ.get("GITHUB_TOKEN", "").strip():
        return {"INPUT_TOKEN": token}
    raise _UsageError("There is no token: set GITHUB_TOKEN, or give --token.")
