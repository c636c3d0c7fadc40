"""Audit of published claims: what the numbers imply, and which of them cannot be."""

from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.implied import Implied, implied
from sootprint.estimator.audit.readers import of_mapping, read
from sootprint.estimator.audit.records import claim_of, record_of
from sootprint.estimator.audit.rules import RULES, audit

__all__ = [
    "RULES",
    "Claim",
    "Finding",
    "Implied",
    "audit",
    "claim_of",
    "implied",
    "of_mapping",
    "read",
    "record_of",
]
