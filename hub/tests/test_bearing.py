"""What a system's answers say of its pace."""

from datetime import UTC, datetime, timedelta

import pytest

from hub import limits
from hub.limits import Bearing, retry_after

NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Wed, 04 Mar 2026 09:15:30 GMT"}, 30),
        ({"retry-after": "Wed, 04 Mar 2026 11:00:30 GMT", "date": "Wed, 04 Mar 2026 11:00:00 GMT"}, 30),
        ({"retry-after": "Wed, 04 Mar 2026 09:15:30"}, 30),
        ({"retry-after": "999999999"}, 3600),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 3600),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "Wed, 04 Mar 2020 09:15:30 GMT"}, None),
        ({"retry-after": "Wed, 99 Mar 2026 09:15:30 GMT"}, None),
        ({"retry-after": "Wed, 04 Mar 2026 09:15:30 GMT", "date": "rubbish"}, None),
        ({"retry-after": "١٧"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_a_retry_after_is_read_or_passed_over(headers, seconds):
    assert retry_after(headers, NOW) == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_slow_answers_and_refusals_halve_what_is_under_way_and_good_ones_add():
    bearing, now = Bearing(), NOW
    for _ in range(50):
        bearing.answered(0.2, False, 16, now)
    assert bearing.at_once == limits.MOST_AT_ONCE
    for _ in range(20):
        bearing.answered(3.0, False, 16, now)
    assert bearing.at_once == 8
    widths = []
    for _ in range(6):
        now += timedelta(seconds=1)
        bearing.answered(0.01, True, 16, now)
        widths.append(bearing.at_once)
    assert widths == [4, 2, 1, 1, 1, 1]
    for _ in range(200):
        bearing.answered(0.2, False, 16, now)
    assert 10 < bearing.at_once < 30


def test_a_system_that_is_slow_for_good_is_used_at_its_new_pace():
    bearing, now = Bearing(), NOW
    for seconds in [0.3] * 20 + [2.0] * 600:
        now += timedelta(seconds=0.1)
        bearing.answered(seconds, False, 16, now)
    assert bearing.at_once > 8
