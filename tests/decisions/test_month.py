"""A month of 500 containers with faults, in about a second."""

import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from projects.services.decisions import values
from projects.states import Rule
from tests.decisions.month import Month


def test_a_month_of_500_containers_with_faults_stays_calm(record_property):
    month = Month(containers=500, days=30, seed=5)
    began = time.process_time()
    month.run()
    seconds = time.process_time() - began
    counts = ", ".join(f"{name}: {count}" for name, count in sorted(month.counts.items()))
    record_property("told", f"30 days of 500 containers, {month.faults} faults: {month.looks} looks in {seconds:.2f} s of CPU; {counts}")
    assert month.counts["refresh age"] > 500 * 5
    assert month.counts["restart unhealthy"] > 0
    assert month.counts["refresh disk"] > 0
    for box in month.boxes:
        times = [at for at, _ in box.refreshed]
        for earlier, later in pairwise(times):
            assert later - earlier >= values.COOL_DOWN
        for at in times:
            assert sum(timedelta(0) <= at - other < values.A_DAY for other in times) <= values.REFRESHES_A_DAY
        if box.policy.pinned:
            assert times == []
        if Rule.MEMORY in box.cursed:
            # its memory is high whatever is done: one try for each container that others made of it, then held
            rules = Counter(rule for _, rule in box.refreshed)
            assert rules[Rule.MEMORY] <= rules[Rule.AGE] + rules[Rule.DISK] + rules[Rule.UNHEALTHY] + 1
        assert len(box.restarted) <= 30 * values.RESTARTS_A_DAY
