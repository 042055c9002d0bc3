# The image of the action. `action.yml` on the main branch builds this file at the start of every job;
# a release points `action.yml` at the published image by digest instead, and pins BASE by digest.
ARG BASE=python:3.14-slim

FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
COPY requirements/runtime.txt /opt/package-retention/requirements.txt
# Only what the lock file names, by hash, and only wheels: nothing is compiled or run while installing.
# The environment has no pip of its own: the base's pip fills it from outside.
RUN python -m venv --without-pip /opt/package-retention \
 && python -m pip --python /opt/package-retention/bin/python install \
      --require-hashes --no-deps --only-binary=:all: \
      --no-cache-dir --no-compile --disable-pip-version-check \
      --requirement /opt/package-retention/requirements.txt
COPY LICENSE entrypoint.py /opt/package-retention/
COPY src /opt/package-retention/src
COPY scripts/finish_image.py /tmp/
# Drops what never runs, compiles what does, and gives every file the same mode and time in every build.
RUN /opt/package-retention/bin/python -I -B /tmp/finish_image.py /opt/package-retention "${SOURCE_DATE_EPOCH}"

FROM ${BASE}
# A deleting tool needs no installer beside it, nor ensurepip, which brings one back.
RUN python -B -m pip uninstall --yes --quiet --root-user-action=ignore --disable-pip-version-check pip \
 && python -B -c "import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])"
COPY --from=build /opt/package-retention /opt/package-retention

ARG VERSION=0.0.0.dev0
ARG REVISION=unknown
ARG SOURCE=https://github.com/OWNER/package-retention
LABEL org.opencontainers.image.title="Package Retention" \
      org.opencontainers.image.description="Deletes and restores versions of GitHub Packages without breaking what stays" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# No USER: the runner mounts its command files (outputs, summary) as its own user's, and another user
# than root could not write them. No WORKDIR: the runner sets it to the workspace, where `report-file`
# and `policy-file` are looked for. GitHub's "Dockerfile support for GitHub Actions" asks for both.
#
# -I keeps PYTHONPATH, PYTHONSTARTUP and a user's site-packages under the mounted HOME, which earlier
# steps of the job can write, out of a process that holds a token.
# -X pycache_prefix: the bytecode of all that is imported, the standard library's (which the base
# leaves out) too, lies in one folder made at build time; -B: and no run writes any more.
ENTRYPOINT ["/opt/package-retention/bin/python", "-I", "-B", "-X", "pycache_prefix=/opt/package-retention/pycache", "/opt/package-retention/entrypoint.py"]
