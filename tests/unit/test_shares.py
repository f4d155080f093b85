"""How shippers share an account's limit: the register's arithmetic, and every interleaving of those who use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.shipper.carriers.leases import Lease
from services.shipper.carriers.shares import Holding, Terms, renewed, without
from shared.contracts.places import AccountPlaces

START = datetime(2026, 11, 21, tzinfo=UTC)
TERMS = Terms(10)
LASTING = TERMS.lease.total_seconds()
SKEW = TERMS.skew.total_seconds()
OFF = st.sampled_from([-SKEW / 2, 0.0, SKEW / 2])
WHICH = st.integers(0, 3)


def after(found: AccountPlaces, *shippers: str, now: datetime = START) -> AccountPlaces:
    """The register after each of them renewed in turn, nothing in use."""
    for shipper in shippers:
        found = renewed(found, Holding(shipper), now, TERMS)
    return found


def parts(found: AccountPlaces) -> dict[str, int]:
    return {name: share.places for name, share in found.shares.items()}


def test_one_alone_has_all() -> None:
    assert parts(after(AccountPlaces(), "a")) == {"a": 10}


def test_one_that_comes_has_what_the_others_gave_up() -> None:
    found = after(AccountPlaces(), "a", "b")
    assert parts(found) == {"a": 10, "b": 0}
    assert parts(after(found, "a")) == {"a": 5, "b": 0}
    assert parts(after(found, "a", "b")) == {"a": 5, "b": 5}
    assert parts(after(found, "a", "b", "c", "a", "b", "c")) == {"a": 4, "b": 3, "c": 3}


def test_places_in_use_are_not_given_up() -> None:
    found = after(AccountPlaces(), "a", "b")
    busy = renewed(found, Holding("a", 10, in_use=8), START, TERMS)
    assert parts(after(busy, "b")) == {"a": 8, "b": 2}


def test_what_a_dead_one_had_is_free_after_its_lease_and_the_skew() -> None:
    found = after(AccountPlaces(), "a")
    just_before = START + TERMS.lease + TERMS.skew
    assert parts(after(found, "b", now=just_before)) == {"a": 10, "b": 0}
    assert parts(after(found, "b", now=just_before + timedelta(microseconds=1))) == {"b": 10}


def test_what_one_that_left_had_is_free_at_once() -> None:
    assert parts(after(without(after(AccountPlaces(), "a"), "a"), "b")) == {"b": 10}


def test_the_lowest_limit_counts() -> None:
    found = AccountPlaces()
    for shipper, limit in (("a", 4), ("b", 10), ("a", 4), ("b", 10)):
        found = renewed(found, Holding(shipper), START, Terms(limit))
    assert parts(found) == {"a": 2, "b": 2}


def test_a_register_that_was_lost_is_made_again_of_the_running_leases() -> None:
    found = renewed(AccountPlaces(), Holding("a", leased=5, in_use=1), START, TERMS)
    assert parts(renewed(found, Holding("b", leased=5, in_use=5), START, TERMS)) == {"a": 5, "b": 5}


@dataclass
class Account:
    """The calls of one shipper: how many it may make, and those it makes, each by the lease it was begun in."""

    clock: Clocks
    places: int = 0
    until: float = 0.0
    calls: list[int] = field(default_factory=list)
    lease: int = 0

    @property
    def in_use(self) -> int:
        return len(self.calls)

    @property
    def is_leased(self) -> bool:
        return self.clock.steady() < self.until

    def allot(self, places: int, *, until: float, per_second: float) -> None:
        assert per_second == 0
        if not self.is_leased:
            self.lease += 1
        self.places, self.until = places, until

    def rest(self, seconds: float) -> None:
        raise AssertionError(seconds)

    @property
    def usable(self) -> int:
        """The calls of the running lease, and those that it may yet begin."""
        if not self.is_leased:
            return 0
        return max(sum(lease == self.lease for lease in self.calls), self.places)


@dataclass
class Clocks:
    """A shipper's clocks: one that may be wrong by `off` seconds, and one that nobody sets."""

    world: World
    off: float

    def steady(self) -> float:
        return self.world.now

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.world.now + self.off)


@dataclass
class Shipper:
    account: Account
    lease: Lease
    read: tuple[int, AccountPlaces] | None = None
    written: AccountPlaces | None = None


class World(RuleBasedStateMachine):
    """Shippers that read, write, call, die and leave in any order, each step of a renewal by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.register = (0, AccountPlaces())
        self.shippers: list[Shipper] = []
        self.joined = 0

    @initialize(offs=st.tuples(OFF, OFF))
    def begin(self, offs: tuple[float, float]) -> None:
        for off in offs:
            self.join(off)
            self.renew(self.shippers[-1])

    @precondition(lambda self: len(self.shippers) < 4)
    @rule(off=OFF)
    def join(self, off: float) -> None:
        self.joined += 1
        clocks = Clocks(self, off)
        account = Account(clocks)
        # Names that do not come in the order of joining, which decides who has the odd place.
        lease = Lease(f"{self.joined * 7 % 10}-{self.joined}", account, TERMS, clocks.utc, clocks.steady)
        self.shippers.append(Shipper(account, lease))

    @rule(which=WHICH)
    def read_register(self, which: int) -> None:
        self.one(which).read = self.register

    @rule(which=WHICH, heard=st.booleans())
    def write_register(self, which: int, *, heard: bool) -> None:
        """A compare-and-set whose answer may come later, or never."""
        shipper = self.one(which)
        if shipper.read is None:
            return
        (version, found), shipper.read, shipper.written = shipper.read, None, None
        wanted = shipper.lease.propose(found)
        if version == self.register[0]:
            self.register = (version + 1, wanted)
            shipper.written = wanted if heard else None

    @rule(which=WHICH)
    def hear_of_it(self, which: int) -> None:
        shipper = self.one(which)
        if shipper.written is not None:
            shipper.lease.confirm(shipper.written)
            shipper.written = None

    @rule(which=WHICH)
    def renew_at_once(self, which: int) -> None:
        self.renew(self.one(which))

    @rule(which=WHICH)
    def begin_calls(self, which: int) -> None:
        account = self.one(which).account
        while account.is_leased and account.in_use < account.places:
            account.calls.append(account.lease)

    @rule(which=WHICH, count=st.integers(1, 10))
    def end_calls(self, which: int, count: int) -> None:
        del self.one(which).account.calls[:count]

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 2.75, LASTING, LASTING + SKEW / 2, LASTING + SKEW + 0.01]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: len(self.shippers) > 1)
    @rule(which=WHICH)
    def die(self, which: int) -> None:
        self.shippers.remove(self.one(which))

    @precondition(lambda self: len(self.shippers) > 1)
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        shipper = self.one(which)
        shipper.lease.end()
        version, found = self.register
        self.register = (version + 1, without(found, shipper.lease.shipper))
        self.shippers.remove(shipper)

    def one(self, which: int) -> Shipper:
        return self.shippers[which % len(self.shippers)]

    def renew(self, shipper: Shipper) -> None:
        version, found = self.register
        self.register = (version + 1, shipper.lease.propose(found))
        shipper.read = shipper.written = None
        shipper.lease.confirm(self.register[1])

    @invariant()
    def never_more_than_the_limit(self) -> None:
        assert sum(shipper.account.usable for shipper in self.shippers) <= TERMS.limit

    @invariant()
    def the_register_never_gives_more_than_the_limit(self) -> None:
        assert sum(share.places for share in self.register[1].shares.values()) <= TERMS.limit

    def teardown(self) -> None:
        """Left alone, those that live come to have all places in equal parts."""
        self.now += LASTING + 2 * SKEW + 1
        for shipper in self.shippers:
            shipper.account.calls.clear()
        for _ in range(3):
            for shipper in self.shippers:
                self.renew(shipper)
        counts = [shipper.account.places for shipper in self.shippers]
        if counts:
            assert sum(counts) == TERMS.limit
            assert max(counts) - min(counts) <= 1


World.TestCase.settings = settings(max_examples=120, stateful_step_count=30)
TestShares = World.TestCase
