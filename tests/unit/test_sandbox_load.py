from services.sandbox.load import Load


def test_the_most_calls_at_once_are_remembered() -> None:
    load = Load()
    with load.call(ships=True), load.call(ships=False):
        assert (load.ships.now, load.calls.now) == (1, 2)
    with load.call(ships=True):
        pass
    assert (load.ships.now, load.ships.most, load.calls.now, load.calls.most) == (0, 1, 0, 2)
    load.forget()
    assert load.calls.most == 0


def test_a_call_before_the_time_that_a_429_asked_for_is_early() -> None:
    now = 100.0
    load = Load(steady=lambda: now)
    load.refused(None)
    with load.call(ships=True):
        load.refused(2)
    now = 101.5
    with load.call(ships=True):
        assert load.early == [1500]
    now = 102.0
    with load.call(ships=True):
        assert load.early == [1500]
