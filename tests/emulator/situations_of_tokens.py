"""Situations in which a token, its scopes, its role or a limit is why GitHub refuses (facts A7, A8, B, C)."""

from __future__ import annotations

from emulator.situations import INSTALLATION, LEGACY, LIB, STATELESS, VERSION, Ask, Scene, situation


@situation("bad-credentials")
def expired_token(scene: Scene) -> Ask:
    scene.world.add_token("ghp_old", expired=True)
    return Ask("GET", LIB, "ghp_old")


@situation("blocked")
def after_bad_tries(scene: Scene) -> Ask:
    scene.world.bad_tries = scene.world.switches.bad_tries_until_block
    return Ask("GET", LIB)


@situation("scope-list")
def list_packages_without_read(scene: Scene) -> Ask:
    return Ask("GET", "/orgs/acme/packages?package_type=npm", scene.scoped("repo"))


@situation("scope-versions")
def list_versions_without_read(scene: Scene) -> Ask:
    return Ask("GET", f"{LIB}/versions", scene.scoped("repo", "delete:packages"))


@situation("scope-get")
def get_without_read(scene: Scene) -> Ask:
    return Ask("GET", VERSION, scene.scoped("delete:packages"))


@situation("scope-delete")
def delete_with_write_alone(scene: Scene) -> Ask:
    return Ask("DELETE", VERSION, scene.scoped("write:packages", "repo"))


@situation("scope-restore")
def restore_with_delete_alone(scene: Scene) -> Ask:
    return Ask("POST", f"{VERSION}/restore", scene.scoped("read:packages", "delete:packages", "repo"))


@situation("integration")
def own_user_of_an_installation(scene: Scene) -> Ask:
    return Ask("GET", "/user", scene.world.add_token(INSTALLATION, repository="acme/lib").value)


@situation("integration")
def delete_with_packages_read(scene: Scene) -> Ask:
    token = scene.world.add_token(STATELESS, repository="acme/lib", permission="read")
    return Ask("DELETE", VERSION, token.value)


@situation("integration")
def package_of_another_repository(scene: Scene) -> Ask:
    return Ask("GET", LIB, scene.world.add_token(STATELESS, repository="acme/other").value)


@situation("integration")
def delete_with_role_write(scene: Scene) -> Ask:
    scene.lib.roles["acme/lib"] = "write"
    return Ask("DELETE", VERSION, scene.world.add_token(INSTALLATION, repository="acme/lib").value)


@situation("integration")
def maven_deleted_by_a_workflow(scene: Scene) -> Ask:
    jar = scene.world.add_package("acme", "maven", "jar", repository="acme/lib")
    scene.world.add_version(jar, "1", id=7001)
    scene.world.add_version(jar, "2")
    token = scene.world.add_token(INSTALLATION, repository="acme/lib").value
    return Ask("DELETE", "/orgs/acme/packages/maven/jar/versions/7001", token)


@situation("integration")
def version_deleted_by_an_app_user(scene: Scene) -> Ask:
    return Ask("DELETE", VERSION, scene.world.add_token("ghu_user").value)


@situation("fine-grained")
def fine_grained(scene: Scene) -> Ask:
    return Ask("GET", f"{LIB}/versions", scene.world.add_token("github_pat_fine").value)


@situation("sso-pat")
def pat_without_sso(scene: Scene) -> Ask:
    scene.world.owners["acme"].sso = True
    return Ask("GET", LIB)


@situation("sso-oauth")
def oauth_without_sso(scene: Scene) -> Ask:
    scene.world.owners["acme"].sso = True
    return Ask("GET", LIB, scene.scoped("read:packages"))


@situation("classic-forbidden")
def classic_forbidden(scene: Scene) -> Ask:
    scene.world.owners["acme"].forbids_classic = True
    return Ask("GET", LIB)


@situation("classic-forbidden")
def legacy_forbidden(scene: Scene) -> Ask:
    scene.world.owners["acme"].forbids_classic = True
    return Ask("GET", LIB, scene.world.add_token(LEGACY).value)


@situation("ip")
def address_not_allowed(scene: Scene) -> Ask:
    scene.world.owners["acme"].ip_allow_list = True
    return Ask("GET", LIB)


@situation("primary-installation")
def hour_of_an_installation(scene: Scene) -> Ask:
    token = scene.world.add_token(INSTALLATION, repository="acme/lib")
    scene.world.limits.spend(token, 1_000)
    return Ask("GET", LIB, token.value)


@situation("primary-user")
def hour_of_a_user(scene: Scene) -> Ask:
    scene.world.limits.spend(scene.token, 5_000)
    return Ask("GET", LIB)


@situation("secondary")
def minute(scene: Scene) -> Ask:
    scene.world.switches.points_per_minute = 0
    return Ask("GET", LIB)


@situation("abuse")
def minute_of_an_old_server(scene: Scene) -> Ask:
    scene.world.switches.points_per_minute, scene.world.switches.secondary_text = 0, "abuse"
    return Ask("GET", LIB)


@situation("repository-role")
def repository_role(scene: Scene) -> Ask:
    scene.world.switches.repository_role_missing = 403
    scene.world.add_package("acme", "maven", "jar", roles={"octocat": "write"})
    return Ask("DELETE", "/orgs/acme/packages/maven/jar")


@situation("suspended")
def suspended(scene: Scene) -> Ask:
    return Ask("GET", LIB, scene.world.add_token(INSTALLATION, suspended=True).value)
