"""The worker's own bookkeeping."""

import pytest
from django_q.brokers import get_broker


@pytest.mark.django_db
def test_the_statistics_of_an_idle_worker_do_not_touch_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        get_broker().set_stat("cluster", "idle", 3)
    assert get_broker().get_stat("cluster") == "idle"
