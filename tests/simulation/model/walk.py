"""Random interleavings: a seed decides what happens, step by step, and then that everything heals."""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random

from services.shipper.carriers.carrier import Consistency
from tests.simulation.model.policy import SOUND, Policy
from tests.simulation.model.world import World

# What may happen, how often beside the others, and a number that says to whom or how long it takes.
_HAPPENINGS: tuple[tuple[float, Callable[[World, int], object]], ...] = (
    (60, World.step),
    (10, World.deliver_entry),
    (8, lambda world, choice: world.time_passes(1 + choice % 4)),
    (6, lambda world, _: world.deliver_command()),
    (5, lambda world, choice: world.carrier_sells(choice, choice % 5, answered=True)),
    (3, World.crash),
    (3, World.watchdog),
    (2, lambda world, choice: world.carrier_sells(choice, choice % 5, answered=False)),
    (2, World.person_resumes),
    (1.5, lambda world, choice: world.person_resolves(rightly=bool(choice % 2))),
    (1, World.deliver_report),
    (1, World.carrier_refuses),
    (1, World.call_is_lost),
    (0.8, World.store_is_lost),
    (0.3, lambda world, _: world.person_pauses()),
    (0.3, World.person_cancels),
)
_OFTEN = 8


def walk(
    seed: int,
    consistency: Consistency,
    policy: Policy = SOUND,
    *,
    steps: int = 120,
    often: Collection[Callable[[World, int], object]] = (),
) -> None:
    """One interleaving of `steps` happenings, some of them more often than usual.

    Raises AssertionError where something does not hold.
    """
    weights = [weight * (_OFTEN if happening in often else 1) for weight, happening in _HAPPENINGS]
    happenings = [happening for _, happening in _HAPPENINGS]
    chance = Random(seed)
    world = World(consistency, policy)
    for happen in chance.choices(happenings, weights, k=steps):
        happen(world, chance.randrange(1 << 20))
        world.check()
    world.heal(chance)
