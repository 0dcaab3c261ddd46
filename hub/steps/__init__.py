"""The kinds of steps, one file each: a function of the step's data and the work."""

from hub.steps.check import check
from hub.steps.filter import filter_out
from hub.steps.look_up import look_up
from hub.steps.map import map_record
from hub.steps.write import write
from hub.steps.write_back import write_back

KINDS = {
    "filter": filter_out,
    "look up": look_up,
    "map": map_record,
    "check": check,
    "write": write,
    "write back": write_back,
}
