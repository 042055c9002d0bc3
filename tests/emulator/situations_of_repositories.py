"""Situations in which a list of a repository is refused (facts L)."""

from __future__ import annotations

from emulator.situations import INSTALLATION, Ask, Scene, situation

PULLS = "/repos/acme/app/pulls"


@situation("validation")
def state_of_pull_requests_that_is_none(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    return Ask("GET", f"{PULLS}?state=merged")


@situation("only-the-first")
def releases_beyond_the_first_1000(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    return Ask("GET", "/repos/acme/app/releases?per_page=100&page=11")


@situation("not-found")
def private_repository_and_a_token_without_repo(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    return Ask("GET", PULLS, scene.scoped("write:packages"))


@situation("not-found")
def repository_that_is_none(scene: Scene) -> Ask:
    return Ask("GET", "/repos/acme/none/pulls", scene.token.value)


@situation("integration")
def job_without_pull_requests_read(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    return Ask(
        "GET", PULLS, scene.world.add_token(INSTALLATION, repository="acme/app", contents="read").value
    )


@situation("integration")
def job_without_contents_read(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    token = scene.world.add_token(INSTALLATION, repository="acme/app", pull_requests="read")
    return Ask("GET", "/repos/acme/app/branches", token.value)


@situation("fine-grained")
def fine_grained_token_without_contents(scene: Scene) -> Ask:
    scene.world.add_repository("acme/app")
    return Ask("GET", "/repos/acme/app/tags", scene.world.add_token("github_pat_one").value)
