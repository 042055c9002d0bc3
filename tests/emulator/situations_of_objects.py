"""Situations in which what is asked for is why GitHub refuses (facts A3, A4, A6)."""

from __future__ import annotations

from emulator.faults import Fault, Kind
from emulator.situations import INSTALLATION, LIB, VERSION, Ask, Scene, situation


@situation("package")
def delete_without_admin_role_while_get_works(scene: Scene) -> Ask:
    scene.lib.roles["octocat"] = "write"
    return Ask("DELETE", VERSION)


@situation("package")
def private_package_of_strangers(scene: Scene) -> Ask:
    return Ask("GET", LIB, scene.world.add_token("ghp_stranger", "stranger").value)


@situation("package")
def package_that_was_deleted(scene: Scene) -> Ask:
    scene.world.delete_package(scene.lib)
    return Ask("GET", LIB)


@situation("package")
def ghost(scene: Scene) -> Ask:
    return Ask("GET", f"/orgs/acme/packages/npm/{scene.world.add_ghost('acme', 'npm', 'old').name}")


@situation("package")
def maven_without_repo_scope(scene: Scene) -> Ask:
    scene.world.add_package("acme", "maven", "jar", visibility="public")
    return Ask("GET", "/orgs/acme/packages/maven/jar", scene.scoped("read:packages"))


@situation("package")
def org_change_by_a_package_admin_who_is_no_org_admin(scene: Scene) -> Ask:
    scene.lib.roles["maintainer"] = "admin"
    return Ask("DELETE", VERSION, scene.world.add_token("ghp_maintainer", "maintainer").value)


@situation("version")
def stale_list(scene: Scene) -> Ask:
    scene.world.switches.deleted_stay_listed = True
    scene.world.delete_version(scene.lib, scene.lib.versions[5001])
    return Ask("DELETE", VERSION)


@situation("version")
def get_of_a_deleted_version(scene: Scene) -> Ask:
    scene.world.delete_version(scene.lib, scene.lib.versions[5001])
    return Ask("GET", VERSION)


@situation("not-found")
def slash_in_a_name(scene: Scene) -> Ask:
    scene.world.add_package("acme", "npm", "a/b")
    return Ask("GET", "/orgs/acme/packages/npm/a/b")


@situation("invalid")
def containers_listed_by_an_installation(scene: Scene) -> Ask:
    token = scene.world.add_token(INSTALLATION, repository="acme/lib").value
    return Ask("GET", "/orgs/acme/packages?package_type=container", token)


@situation("last-tagged")
def last_tagged_version(scene: Scene) -> Ask:
    scene.container("v1", "")
    return Ask("DELETE", "/orgs/acme/packages/container/app/versions/6001")


@situation("last-tagged")
def only_version_and_tagged(scene: Scene) -> Ask:
    scene.container("v1")
    return Ask("DELETE", "/orgs/acme/packages/container/app/versions/6001")


@situation("last-version")
def last_untagged_image(scene: Scene) -> Ask:
    scene.container("")
    return Ask("DELETE", "/orgs/acme/packages/container/app/versions/6001")


@situation("last-version")
def last_version(scene: Scene) -> Ask:
    for number in (5002, 5003):
        scene.world.delete_version(scene.lib, scene.lib.versions[number])
    return Ask("DELETE", VERSION)


@situation("downloads-version")
def popular_version(scene: Scene) -> Ask:
    scene.lib.visibility, scene.lib.versions[5001].downloads = "public", 5001
    return Ask("DELETE", VERSION)


@situation("downloads-package")
def popular_package(scene: Scene) -> Ask:
    scene.lib.visibility, scene.lib.versions[5002].downloads = "public", 5001
    return Ask("DELETE", LIB)


@situation("server-error")
def server_error(scene: Scene) -> Ask:
    scene.world.faults.add(Fault(Kind.SERVER_ERROR))
    return Ask("GET", LIB)


@situation("api-version-unknown")
def unknown_api_version(scene: Scene) -> Ask:
    scene.world.switches.api_versions = frozenset({"2026-03-10"})
    return Ask("GET", LIB)


@situation("api-version-retired")
def retired_api_version(scene: Scene) -> Ask:
    scene.world.switches.retired_api_versions = frozenset({"2022-11-28"})
    return Ask("GET", LIB)


@situation("restore-conflict")
def name_in_use_again(scene: Scene) -> Ask:
    scene.world.delete_version(scene.lib, scene.lib.versions[5001])
    scene.world.add_version(scene.lib, "1.0.0")
    return Ask("POST", f"{VERSION}/restore")


@situation("restore-conflict")
def package_in_use_again(scene: Scene) -> Ask:
    scene.world.delete_package(scene.lib)
    scene.world.add_package("acme", "npm", "lib")
    return Ask("POST", f"{LIB}/restore")


@situation("restore-expired")
def past_30_days(scene: Scene) -> Ask:
    scene.world.add_version(scene.lib, "0.9", deleted=30.01, id=5009)
    return Ask("POST", f"{LIB}/versions/5009/restore")


@situation("restore-expired")
def package_past_30_days(scene: Scene) -> Ask:
    scene.world.delete_package(scene.lib)
    scene.world.sleep(30 * 86_400 + 1)
    return Ask("POST", f"{LIB}/restore")
