"""The rows, one file an operator's word."""

from hub.models.audit import AuditEntry
from hub.models.connection import Connection, Credential
from hub.models.cross_reference import CrossReference, NaturalKey
from hub.models.evidence import Attempt, Evidence
from hub.models.flow import Flow, FlowVersion
from hub.models.lookup_table import LookupEntry, LookupTable
from hub.models.mapping import Mapping, MappingVersion, Rule
from hub.models.message import DeadLetter, Lane, Message, Waiting
from hub.models.pair import Pair
from hub.models.problem import Problem
from hub.models.quota import Quota, Slice, Token
from hub.models.sync_job import Run, SyncJob
from hub.models.tally import Tally

__all__ = [
    "Attempt",
    "AuditEntry",
    "Connection",
    "Credential",
    "CrossReference",
    "DeadLetter",
    "Evidence",
    "Flow",
    "FlowVersion",
    "Lane",
    "LookupEntry",
    "LookupTable",
    "Mapping",
    "MappingVersion",
    "Message",
    "NaturalKey",
    "Pair",
    "Problem",
    "Quota",
    "Rule",
    "Run",
    "Slice",
    "SyncJob",
    "Tally",
    "Token",
    "Waiting",
]
