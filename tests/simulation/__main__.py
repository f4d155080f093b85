"""Many seeds of both simulations: `python -m tests.simulation --seeds 5000`; exits 1 with the first seeds that fail."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Literal

from tests.simulation.house.simulation import simulate
from tests.simulation.model.walk import walk

Layer = Literal["model", "house"]

_WALKS_A_SEED = 20
_SHOWN = 10
_CHUNKS_A_WORKER = 8


def failure_of(layer: Layer, seed: int) -> str | None:
    """What went wrong with a seed; None where nothing did. A house's seed stands for 20 walks of the model."""
    runs: list[Callable[[], None]] = [partial(simulate, seed)]
    if layer == "model":
        seeds = range(seed * _WALKS_A_SEED, (seed + 1) * _WALKS_A_SEED)
        runs = [partial(walk, one, "immediate" if one % 2 else "eventual") for one in seeds]
    for run in runs:
        try:
            run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed failed
            return f"{type(error).__name__}: {error}"
    return None


def failures(layer: Layer, seeds: range, workers: int) -> Iterator[tuple[int, str]]:
    """The seeds that fail and why."""
    chunk = max(1, len(seeds) // (workers * _CHUNKS_A_WORKER))
    with ProcessPoolExecutor(workers) as pool:
        for seed, failure in zip(seeds, pool.map(partial(failure_of, layer), seeds, chunksize=chunk), strict=True):
            if failure is not None:
                yield seed, failure


def main() -> int:
    """Run the seeds; the number of the process's exit."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many lives of the house (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--layer", choices=("model", "house", "both"), default="both")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    layers: tuple[Layer, ...] = ("model", "house") if chosen.layer == "both" else (chosen.layer,)
    failed = False
    for layer in layers:
        started = time.perf_counter()
        found = list(failures(layer, seeds, chosen.workers))
        lives = len(seeds) * (_WALKS_A_SEED if layer == "model" else 1)
        seconds = time.perf_counter() - started
        print(f"{layer}: {lives} interleavings in {seconds:.1f} s, {lives / seconds:.1f} a second, {len(found)} failed")
        for seed, failure in found[:_SHOWN]:
            print(f"  again: python -m tests.simulation --layer {layer} --first {seed} --seeds 1    {failure}")
        failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
