#!/usr/bin/env bash
# Make all that `make test-image` needs: tools, podman's own configuration, a base image, the action's image.
#
#   prepare.sh BUILD_DIR
#
# Everything but the system's packages lies below BUILD_DIR, and nothing of the host's configuration
# is changed. BASE_ARCHIVE may name an image archive (`docker save python:3.14-slim python:3.13-slim`) to
# build upon; without it, on Debian, stand-ins are made from the package mirror that this host already uses,
# so that neither Docker nor a container registry is needed. Whatever is missing in the end is an error:
# the tests that need it do not skip.
set -euo pipefail

build=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

say() { printf '== %s\n' "$*"; }

# Waits for each of the background processes, and fails where one has failed.
finish() {
  local process
  for process; do wait "$process"; done
}

need_packages() {
  local missing=() command package
  while read -r command package; do
    [ "$command" = mmdebstrap ] && [ -n "${BASE_ARCHIVE:-}" ] && continue # there is a base already
    command -v "$command" >/dev/null || missing+=("$package")
  done <<'LIST'
podman podman
buildah buildah
runc runc
mmdebstrap mmdebstrap
docker-registry docker-registry
skopeo skopeo
jq jq
npm npm
LIST
  # GitHub's runners have the one or the other, and none of Debian's name.
  command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install them, or run this as root on Debian or Ubuntu." >&2
    exit 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  install_missing() { apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null; }
  # The lists may be old or not there at all: look again before giving up.
  install_missing >"$build/apt.log" 2>&1 || { apt-get update -qq && install_missing; } >>"$build/apt.log" 2>&1 || {
    tail -n 20 "$build/apt.log" >&2
    exit 1
  }
}

configure_podman() {
  cat >"$build/containers.conf" <<CONF
[containers]
# podman's own defaults may be above what this process may ask for
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
# the embedded GitHub listens on this machine's loopback address, and no bridge needs to be set up
netns = "host"
[engine]
# crun refuses hybrid cgroups; without systemd there are no others to manage
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
# act names images as Docker does; none of them is on Docker's hub
compat_api_enforce_docker_hub = false
# how long the end of each command that act runs can be asked for; the default leaves its processes behind
# for five minutes
exit_command_delay = 10
CONF
  cat >"$build/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$build/storage"
runroot = "$build/run"
[storage.options.overlay]
# nothing stays mounted, so that this folder can be removed like any other
skip_mount_home = "true"
CONF
  cat >"$build/registries.conf" <<'CONF'
unqualified-search-registries = []
[aliases]
"python" = "localhost/python"
"package-retention" = "localhost/package-retention"
CONF
  export CONTAINERS_CONF=$build/containers.conf
  export CONTAINERS_STORAGE_CONF=$build/storage.conf
  export CONTAINERS_REGISTRIES_CONF=$build/registries.conf
}

# Prints the mirror that a system uses for its own packages, so that no address is written down here.
cat >"$build/mirror.sh" <<'MIRROR'
cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  grep -v -e '^#' -e security | grep -o -E 'https?://[^ ]+' | head -n 1
MIRROR

# The suite of Debian whose own Python is of that minor version.
suite_of() {
  case $1 in
    3.14) echo forky ;;
    3.13) echo trixie ;;
  esac
}

stand_in_base() {
  local version=$1 tree=$build/base-$1 log=$build/mmdebstrap-$1.log packages=python3,python3-venv,ca-certificates mirror
  say "making a stand-in for python:$version-slim"
  if ! grep -q '^ID=debian' /etc/os-release; then
    echo "Only Debian can make it. Elsewhere save it with Docker, and name the file in BASE_ARCHIVE." >&2
    exit 1
  fi
  mirror=$(sh "$build/mirror.sh")
  rm -rf "$tree" && mkdir -p "$tree"
  cp -L /etc/ssl/certs/ca-certificates.crt "$tree/"
  # As in the official image: a python and a pip in /usr/local, and no bytecode of the standard library.
  cat >"$tree/finish.sh" <<'FINISH'
set -eu
rm /usr/lib/python3*/EXTERNALLY-MANAGED
python3 -m venv /tmp/venv
/tmp/venv/bin/python -m pip install --quiet --no-index --find-links /usr/share/python-wheels \
  --prefix /usr/local --ignore-installed pip
mv /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/dist-packages/
ln -s /usr/bin/python3 /usr/local/bin/python
find / -xdev -name __pycache__ -prune -exec rm -rf {} +
rm -rf /tmp/venv
FINISH
  mmdebstrap --quiet --variant=minbase --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --customize-hook="copy-in '$tree/ca-certificates.crt' /etc/ssl/certs" \
    --customize-hook="chroot \"\$1\" sh <'$tree/finish.sh'" \
    "$(suite_of "$version")" "$tree/rootfs.tar" "$mirror" 2>"$log" || {
    tail -n 20 "$log" >&2
    exit 1
  }
  podman import --quiet \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin' --change 'ENV LANG=C.UTF-8' \
    --change 'CMD ["python3"]' "$tree/rootfs.tar" "localhost/python:$version-slim" >/dev/null
  rm -rf "$tree"
}

base_images() {
  local version loaded made=()
  if [ -n "${BASE_ARCHIVE:-}" ]; then
    for loaded in $(podman load --quiet --input "$BASE_ARCHIVE" | sed -n 's/^Loaded image.*: //p' | tr , ' '); do
      podman tag "$loaded" "localhost/python:${loaded##*:}"
    done
  fi
  for version in 3.14 3.13; do
    podman image exists "localhost/python:$version-slim" && continue
    stand_in_base "$version" &
    made+=($!)
  done
  finish "${made[@]}"
}

# cosign 3 and oras are in Debian's newer releases and in no release of Ubuntu: the base image's own apt fetches
# them there, whatever the host is. They are unpacked below BUILD_DIR, not installed.
signing_tools() {
  local debs=$build/debs tool
  mkdir -p "$build/bin"
  [ -x "$build/bin/cosign" ] && [ -x "$build/bin/oras" ] && return 0
  say "fetching cosign and oras"
  rm -rf "$debs" && mkdir -p "$debs"
  cp "$build/mirror.sh" "$debs/"
  cat >"$debs/fetch.sh" <<'FETCH'
set -eu
mirror=$(sh /debs/mirror.sh)
for keys in /usr/share/keyrings/debian-archive-keyring.*; do :; done
echo "deb [signed-by=$keys] $mirror forky main" >/tmp/forky.list
set -- -o Dir::Etc::sourcelist=/tmp/forky.list -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root
apt-get "$@" update -qq
cd /debs
apt-get "$@" download -qq cosign oras
for tool in cosign oras; do dpkg -x "$tool"_*.deb "$tool"; done
FETCH
  podman run --rm --network host --volume "$debs:/debs" localhost/python:3.14-slim sh /debs/fetch.sh \
    >"$build/debs.log" 2>&1 </dev/null || {
    tail -n 20 "$build/debs.log" >&2
    exit 1
  }
  for tool in cosign oras; do
    mv "$debs/$tool/usr/bin/$tool" "$build/bin/"
  done
  rm -rf "$debs"
}

action_image() {
  say "building the action's image"
  # In Docker's format, as Docker's API builds: the builds that act asks for then find every layer made.
  podman build --quiet --network host --timestamp 0 --format docker \
    --tag localhost/package-retention:test "$root" >/dev/null
}

need_packages
configure_podman
base_images
signing_tools &
tools=$!
action_image
finish "$tools"
