#!/bin/bash
# Prolog of slurm.conf: the node service charges this job from now on, whether or not it uses Sootprint.
#   Prolog=/etc/slurm/sootprint-prolog.sh
# It never fails and never waits long: a job is worth more than its record.
set -u

[ -n "${SLURM_JOB_ID:-}" ] || exit 0
gpus=()
[ -n "${SLURM_JOB_GPUS:-}" ] && gpus=(--gpus "$SLURM_JOB_GPUS")
timeout 5 sootprint node jobs start "$SLURM_JOB_ID" --user "${SLURM_JOB_UID:-0}" ${gpus[@]+"${gpus[@]}"} ||
    echo "sootprint: job $SLURM_JOB_ID is not charged by the node service" >&2
exit 0
