"""Repositories, pull requests, branches, git tags and releases as the API shows them (facts L1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.rows import moment, user_row

if TYPE_CHECKING:
    from emulator.stored_git import StoredPull, StoredRelease, StoredRepository
    from emulator.world import World


def repository_row(world: World, repository: StoredRepository) -> dict[str, Any]:
    """A repository, without the many URLs that nobody here reads."""
    return {
        "id": repository.id,
        "node_id": f"R_{repository.id}",
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.visibility != "public",
        "visibility": repository.visibility,
        "owner": user_row(world, repository.owner),
        "html_url": f"{world.server_url}/{repository.full_name}",
        "url": _api(world, repository),
        "fork": False,
        "archived": False,
        "disabled": False,
        "default_branch": "main",
    }


def pull_row(world: World, repository: StoredRepository, pull: StoredPull) -> dict[str, Any]:
    """A pull request of a list; the head's repository is null where a fork is gone."""
    api, page = _api(world, repository), f"{world.server_url}/{repository.full_name}/pull/{pull.number}"
    fork, _, branch = pull.head.rpartition(":")
    return {
        "id": repository.id * 1_000 + pull.number,
        "node_id": f"PR_{repository.id}_{pull.number}",
        "url": f"{api}/pulls/{pull.number}",
        "html_url": page,
        "issue_url": f"{api}/issues/{pull.number}",
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": f"Change {pull.number}",
        "user": user_row(world, repository.owner),
        "body": None,
        "created_at": moment(pull.created_at),
        "updated_at": moment(pull.updated_at),
        "closed_at": moment(pull.closed_at) if pull.closed_at else None,
        "merged_at": moment(pull.merged_at) if pull.merged_at else None,
        "draft": pull.draft,
        "head": {
            "label": pull.head if fork else f"{repository.owner.login}:{branch}",
            "ref": branch,
            "sha": f"{pull.number:040x}",
            "repo": None if fork else repository_row(world, repository),
        },
        "base": {
            "label": f"{repository.owner.login}:main",
            "ref": "main",
            "sha": "0" * 40,
            "repo": repository_row(world, repository),
        },
        "author_association": "MEMBER",
    }


def branch_row(world: World, repository: StoredRepository, name: str) -> dict[str, Any]:
    """A short branch."""
    return {
        "name": name,
        "commit": _commit(world, repository, repository.branches[name]),
        "protected": name in repository.protected,
    }


def tag_row(world: World, repository: StoredRepository, name: str) -> dict[str, Any]:
    """A git tag."""
    api, ref = _api(world, repository), f"refs/tags/{quote(name)}"
    return {
        "name": name,
        "zipball_url": f"{api}/zipball/{ref}",
        "tarball_url": f"{api}/tarball/{ref}",
        "commit": _commit(world, repository, repository.tags[name]),
        "node_id": f"REF_{name}",
    }


def release_row(world: World, repository: StoredRepository, release: StoredRelease) -> dict[str, Any]:
    """A release; a draft is published at no time, and its page is named after no tag."""
    api, at = _api(world, repository), moment(release.created_at)
    page = f"untagged-{release.id:x}" if release.draft else quote(release.tag, safe="")
    return {
        "url": f"{api}/releases/{release.id}",
        "html_url": f"{world.server_url}/{repository.full_name}/releases/tag/{page}",
        "assets_url": f"{api}/releases/{release.id}/assets",
        "id": release.id,
        "node_id": f"RE_{release.id}",
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.tag,
        "body": "",
        "draft": release.draft,
        "prerelease": release.prerelease,
        "immutable": False,
        "created_at": at,
        "published_at": None if release.draft else at,
        "author": user_row(world, repository.owner),
        "assets": [],
    }


def _api(world: World, repository: StoredRepository) -> str:
    return f"{world.api_url}/repos/{repository.full_name}"


def _commit(world: World, repository: StoredRepository, sha: str) -> dict[str, str]:
    return {"sha": sha, "url": f"{_api(world, repository)}/commits/{sha}"}
