"""Switches of tokens, scopes and roles (facts A2, A7, A8, B)."""

# ruff: noqa: ARG001 - every look has the same arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.looks import names, said, switch
from emulator.situations import INSTALLATION, LIB, VERSION

if TYPE_CHECKING:
    from emulator.calling import Caller
    from emulator.situations import Scene
    from emulator.stored import Role

USERS = "/users/acme/packages/npm/lib/versions"
NOT_FOUND = (404, "Package not found.")
INTEGRATION = (403, "Resource not accessible by integration")


def workflow(scene: Scene, caller: Caller, repository: str = "acme/lib") -> None:
    caller.become(scene.world.add_token(INSTALLATION, repository=repository).value)


def jar(scene: Scene, role: Role = "admin") -> None:
    scene.world.add_package("acme", "maven", "jar", repository="acme/lib", roles={"octocat": role})


@switch("org_changes_need_org_admin", {True: (404, 204), False: (204, 404)})
def package_admin_alone(scene: Scene, caller: Caller) -> tuple[int, int]:
    scene.lib.roles["maintainer"] = "admin"
    caller.become(scene.world.add_token("ghp_maintainer", "maintainer").value)
    plain = USERS.removesuffix("/versions") + "/versions/5001"
    return caller.delete(VERSION).status_code, caller.delete(plain).status_code


@switch("missing_read_scope", {403: (403, 403, 403), 404: (403, 404, 404)})
def read_scope(scene: Scene, caller: Caller) -> tuple[int, ...]:
    caller.become(scene.scoped("repo"))
    paths = "/orgs/acme/packages?package_type=npm", f"{LIB}/versions", VERSION
    return tuple(caller.get(path).status_code for path in paths)


@switch("missing_change_scope", {403: 403, 404: 404})
def change_scope(scene: Scene, caller: Caller) -> int:
    caller.become(scene.scoped("repo", "read:packages"))
    return caller.delete(VERSION).status_code


@switch("repository_role_missing", {404: NOT_FOUND, 403: (403, "Must have admin rights to Repository.")})
def repository_role(scene: Scene, caller: Caller) -> tuple[int, str]:
    jar(scene, role="write")
    return said(caller.delete("/orgs/acme/packages/maven/jar"))


@switch("installation_without_role", {403: (INTEGRATION, INTEGRATION), 404: (NOT_FOUND, NOT_FOUND)})
def workflow_without_role(scene: Scene, caller: Caller) -> tuple[tuple[int, str], ...]:
    workflow(scene, caller, "acme/other")
    hidden = said(caller.get(LIB))
    scene.lib.roles["acme/other"] = "read"
    return hidden, said(caller.delete(VERSION))


@switch("installation_on_user_base", {"403": 403, "answers": 200})
def workflow_on_user_base(scene: Scene, caller: Caller) -> int:
    workflow(scene, caller)
    assert caller.get("/user").status_code == 403
    return caller.get("/user/packages?package_type=npm").status_code


@switch("installation_lists_containers", {False: (400, "Invalid argument."), True: (200, ["app"])})
def workflow_lists_containers(scene: Scene, caller: Caller) -> tuple[int, Any]:
    scene.container("v1").repository = "acme/lib"
    workflow(scene, caller)
    answer = caller.get("/users/acme/packages", package_type="container")
    return (200, names(answer.json())) if answer.ok else said(answer)


@switch("installation_changes_repository_scoped", {False: INTEGRATION, True: (204, "")})
def workflow_changes_maven(scene: Scene, caller: Caller) -> tuple[int, str]:
    jar(scene)
    workflow(scene, caller)
    return said(caller.delete("/orgs/acme/packages/maven/jar"))


@switch("app_user_changes", {False: (403, 403, 204), True: (204, 204, 204)})
def app_user(scene: Scene, caller: Caller) -> tuple[int, ...]:
    caller.become(scene.world.add_token("ghu_user").value)
    scene.world.delete_version(scene.lib, scene.lib.versions[5002])
    restored = caller.restore(f"{LIB}/versions/5002")
    return caller.delete(VERSION).status_code, restored.status_code, caller.delete(LIB).status_code


@switch("fine_grained_works", {False: (403, 200), True: (200, 200)})
def fine_grained(scene: Scene, caller: Caller) -> tuple[int, int]:
    caller.become(scene.world.add_token("github_pat_x").value)
    return caller.get(LIB).status_code, caller.get("/orgs/acme/docker/conflicts").status_code


@switch("sso_refusal", {403: (403, True), 404: (404, False)})
def refused_by_sso(scene: Scene, caller: Caller) -> tuple[int, bool]:
    scene.world.owners["acme"].sso = True
    answer = caller.get(LIB)
    return answer.status_code, "X-GitHub-SSO" in answer.headers


@switch("sso_lists", {"refused": (403, "required"), "partial": (200, "partial-results")})
def listed_without_sso(scene: Scene, caller: Caller) -> tuple[int, str]:
    scene.world.owners["acme"].sso = True
    answer = caller.get("/orgs/acme/packages?package_type=npm")
    told = answer.headers["X-GitHub-SSO"]
    assert not answer.ok or told.endswith(f"organizations={scene.world.owners['acme'].id}")
    assert not answer.ok or answer.json() == []
    return answer.status_code, told.partition(";")[0]


@switch("bad_tries_until_block", {5: 200, 2: 403})
def bad_tries(scene: Scene, caller: Caller) -> int:
    caller.become("ghp_wrong")
    for _ in range(3):
        caller.get(LIB)
    caller.become(scene.token.value)
    return caller.get(LIB).status_code


@switch("scopes_header", {True: True, False: False})
def scopes_are_told(scene: Scene, caller: Caller) -> bool:
    return "X-OAuth-Scopes" in caller.get(LIB).headers
