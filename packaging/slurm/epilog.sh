#!/bin/bash
# Epilog of slurm.conf: the node service ends the job and keeps its record, which `sootprint node record JOB` prints.
#   Epilog=/etc/slurm/sootprint-epilog.sh
set -u

[ -n "${SLURM_JOB_ID:-}" ] || exit 0
timeout 5 sootprint node jobs end "$SLURM_JOB_ID" ||
    echo "sootprint: there is no record of job $SLURM_JOB_ID" >&2
exit 0
