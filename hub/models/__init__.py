"""The rows, one file an operator's word."""

from hub.models.api_calls import ApiCalls
from hub.models.audit import AuditEntry
from hub.models.batch import Batch
from hub.models.connection import Connection, Credential
from hub.models.cross_reference import CrossReference, NaturalKey
from hub.models.edit import Edit
from hub.models.evidence import Attempt, Evidence
from hub.models.flow import Flow, FlowVersion
from hub.models.lookup_table import LookupEntry, LookupTable, LookupVersion
from hub.models.mapping import Mapping, MappingVersion, Rule
from hub.models.message import DeadLetter, Lane, Message, Waiting
from hub.models.pair import Pair
from hub.models.person import ApiToken, Person
from hub.models.problem import Problem
from hub.models.quota import Quota, Slice, Token
from hub.models.sync_job import Run, SyncJob
from hub.models.tally import Tally
from hub.models.unmapped_value import Block, UnmappedValue

__all__ = [
    "ApiCalls",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Batch",
    "Block",
    "Connection",
    "Credential",
    "CrossReference",
    "DeadLetter",
    "Edit",
    "Evidence",
    "Flow",
    "FlowVersion",
    "Lane",
    "LookupEntry",
    "LookupTable",
    "LookupVersion",
    "Mapping",
    "MappingVersion",
    "Message",
    "NaturalKey",
    "Pair",
    "Person",
    "Problem",
    "Quota",
    "Rule",
    "Run",
    "Slice",
    "SyncJob",
    "Tally",
    "Token",
    "UnmappedValue",
    "Waiting",
]
