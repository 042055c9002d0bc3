"""Suggest what was meant by a name that does not exist: by other actions' words first, then by spelling."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from package_retention.inputs.table import BY_NAME, INPUTS
from package_retention.problems import Detail

# A name that is spelled alike may mean the contrary: `delete-tagged` is not `delete-untagged`.
_MEANINGS = frozenset(
    [
        "delete",
        "remove",
        "restore",
        "keep",
        "exclude",
        "ignore",
        "skip",
        "only",
        "tagged",
        "untagged",
        "older",
        "newer",
        "younger",
        "min",
        "max",
    ]
)
_ALIKE = 0.75
_KEYS_ALIKE = 0.6

# What other actions have and this one does not need, with the reason.
_UNNEEDED: Mapping[str, str] = {
    **dict.fromkeys(("log-level", "loglevel", "rust-log"), "debug logging of the job shows the details"),
    "timestamp-to-use": "the later of creation and update always counts",
    "scan-after-cleanup": "changes are verified as they are made",
    "upload-artifacts": "`report-file` names the file to upload",
}

_WORDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    word: (each.name, here) for each in INPUTS for word, here in each.words.items()
}


def nearest(name: str, names: Collection[str], cutoff: float = _ALIKE) -> str | None:
    """Return the name that is spelled most alike, unless a word in it means something else."""
    meant = _MEANINGS & {*name.split("-")}
    alike = [each for each in names if meant <= {*each.split("-")}]
    return next(iter(get_close_matches(name, alike, n=1, cutoff=cutoff)), None)


def input_meant(name: str) -> dict[str, Detail]:
    """Return the details of a problem with an unknown input: `said` here, `unneeded`, `meant`, or all that are `known`."""
    plain = name.lower().replace("_", "-")
    word = plain if plain in _WORDS else nearest(plain, _WORDS)
    here = nearest(plain, BY_NAME)
    if plain in BY_NAME:
        return {"meant": plain}
    if plain in _UNNEEDED:
        return {"unneeded": _UNNEEDED[plain]}
    if word and (plain == word or not here):
        meant, said = _WORDS[word]
        return {"said": said or (meant,)}
    return {"meant": here} if here else {"known": tuple(BY_NAME)}


def key_meant(key: str, keys: Collection[str], elsewhere: tuple[str, ...]) -> dict[str, Detail]:
    """Return the details of a problem with an unknown key: where it belongs, what was meant, or all that are `known`."""
    if key in elsewhere:
        return {"elsewhere": key}
    plain = key.replace("_", "-").lower()
    if near := nearest(plain, (*keys, *elsewhere), _KEYS_ALIKE):
        return {"misplaced": near, "elsewhere": near} if near in elsewhere else {"meant": near}
    return {"known": tuple(keys), **({"input": 1} if key in BY_NAME else {})}


def has_key(key: str, keys: Collection[str]) -> bool:
    """Whether a key of a policy is among these, or one that was surely meant for it."""
    return key in keys or any(nearest(each, (key,), _KEYS_ALIKE) for each in keys)
