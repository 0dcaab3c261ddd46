"""The rows, one file an operator's word."""

from hub.models.audit import AuditEntry
from hub.models.connection import Connection, Credential
from hub.models.cross_reference import CrossReference
from hub.models.flow import Flow, FlowVersion
from hub.models.lookup_table import LookupEntry, LookupTable
from hub.models.mapping import Mapping, MappingVersion, Rule
from hub.models.message import DeadLetter, Lane, Message, Waiting
from hub.models.pair import Pair
from hub.models.sync_job import Run, SyncJob

__all__ = [
    "AuditEntry",
    "Connection",
    "Credential",
    "CrossReference",
    "DeadLetter",
    "Flow",
    "FlowVersion",
    "Lane",
    "LookupEntry",
    "LookupTable",
    "Mapping",
    "MappingVersion",
    "Message",
    "Pair",
    "Rule",
    "Run",
    "SyncJob",
    "Waiting",
]
