#!/usr/bin/env bash
# Installs the system programs that the end-to-end tests use, where that is possible.
# It never fails: what is missing makes its tests skip with a reason, and fail where SOOTPRINT_STRICT=1.
set -uo pipefail

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
for program in slurmctld slurmd sbatch:slurm-client sshd:openssh-server ssh:openssh-client; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed, and not installable without root and apt: ${missing[*]}. Their tests will be skipped."
    exit 0
fi
echo "Installing for the end-to-end tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
timeout 120 apt-get -qq update >/dev/null
timeout 400 apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    echo "Could not install: ${missing[*]}. Their tests will be skipped."
exit 0
