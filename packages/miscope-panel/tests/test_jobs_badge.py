"""The badge in the header: how many runs are worked on, on whatever page one is."""

import time

import pytest

from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest
from miscope_panel.page.errands import Errands
from miscope_panel.page.jobs_badge import JobsBadge
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.pages import server_context
from miscope_panel.shown.selection import Selection


@pytest.fixture
def context(empty, at_once):
    server = server_context(empty.value, at_once)
    return PageContext(server=server, selection=Selection(), errands=Errands(at_once))


def eventually(holds):
    """Somebody reads the queue on a thread of their own."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_badge_says_how_much_works_and_is_gone_where_nothing_does(context):
    badge, queue = JobsBadge(context), context.server.queue
    number = queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/v5-seed0-width16").id
    queue.claim(number, this_process())
    queue.reach(number, Reached(done=5, total=20))
    eventually(lambda: badge.view.label == "1 job running, 25 % done")
    assert badge.view.visible
    queue.move(number, RunState.FAILED, "it was enough")
    eventually(lambda: not badge.view.visible)
    badge.leave()


def test_a_press_leads_to_the_jobs(context):
    badge = JobsBadge(context)
    badge.view.clicks += 1
    assert context.selection.place.page == "jobs"
    badge.leave()
