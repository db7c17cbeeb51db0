from remit.deployment.tally import Tally
from remit.deployment.trial_store import Arm, Count
from remit.ids import AgentId

IN, OUT = AgentId("in"), AgentId("out")


def count(tally: Tally, agent: AgentId, calls: int, refused: int = 0, *, on_trial: bool = False):
    for number in range(calls):
        tally.count(agent, refused=number < refused, on_trial=on_trial)


def begun(tally: Tally) -> Tally:
    tally.begin(lambda agent: agent == IN)
    return tally


def test_what_the_agents_of_the_share_did_before_is_compared_with():
    tally = Tally()
    count(tally, IN, 10, 2)
    count(tally, OUT, 50, 50)
    assert begun(tally).found()[Arm.BEFORE] == {IN: Count(10, 2)}


def test_what_was_long_before_is_forgotten_a_window_at_a_time():
    tally = Tally()
    count(tally, IN, 10)
    tally.turn(1_000.0)
    count(tally, IN, 1)
    assert begun(tally).found()[Arm.BEFORE] == {IN: Count(11, 0)}
    tally.end()
    tally.turn(1_500.0)
    tally.turn(2_000.0)
    assert begun(tally).found()[Arm.BEFORE] == {IN: Count(1, 0)}


def test_the_arms_are_counted_apart_and_anew_for_each_trial():
    tally = begun(Tally())
    count(tally, IN, 4, 1, on_trial=True)
    count(tally, OUT, 6, 2)
    assert tally.found() == {
        Arm.BEFORE: {},
        Arm.TRIAL: {IN: Count(4, 1)},
        Arm.BESIDE: {OUT: Count(6, 2)},
    }
    tally.end()
    assert tally.found() == {}
    assert begun(tally).found()[Arm.TRIAL] == {}


def test_what_is_forgotten_is_in_no_arm():
    tally = Tally()
    count(tally, IN, 10, 10)
    tally.turn(1_000.0)
    count(tally, IN, 10, 10)
    tally.forget()
    assert begun(tally).found() == {Arm.BEFORE: {}, Arm.TRIAL: {}, Arm.BESIDE: {}}
    count(tally, IN, 1, on_trial=True)
    tally.forget()
    assert tally.found() == {Arm.BEFORE: {}, Arm.TRIAL: {}, Arm.BESIDE: {}}
