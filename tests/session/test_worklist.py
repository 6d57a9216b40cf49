from __future__ import annotations

from scaf_gui.session.worklist import Worklist


def test_wanted_jobs_come_first_then_the_others_in_order() -> None:
    jobs = Worklist[str]()
    jobs.put({1: "a", 2: "b", 3: "c", 4: "d"})
    assert jobs.pick((3, 9, 2), 3, {}) == ({3: "c", 2: "b", 1: "a"}, 1)


def test_finished_jobs_are_not_given_again_unless_they_have_changed() -> None:
    jobs = Worklist[str]()
    jobs.put({1: "a", 2: "b"})
    assert jobs.pick((), 5, {1: "a", 2: "b"}) == ({}, 0)
    jobs.put({2: "new"})
    done = {1: "a", 2: "b"}
    assert jobs.pick((), 5, done) == ({2: "new"}, 0)
    jobs.remove([1])
    assert jobs.pick((), 0, done) == ({}, 1) and done == {}


def test_a_job_stays_until_its_result_is_taken_in() -> None:
    jobs = Worklist[str]()
    jobs.put({1: "a"})
    jobs.pick((), 1, {})
    assert len(jobs) == 1
    jobs.remove([1, 7])
    assert len(jobs) == 0 and jobs.pick((), 1, {}) == ({}, 0)
