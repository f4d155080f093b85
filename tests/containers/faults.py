"""What happens to the stack half-way through a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.containers.stack import SERVICES, Stack

REPLICAS = {"coordinator": 2, "shipper": 3, "writeback": 2}


@dataclass(frozen=True)
class Fault:
    """Something done with Docker's own commands; `replicas` are there when it happens, one of each service else."""

    name: str
    kill: tuple[str, ...] = ()
    start_again: bool = True
    crash: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    replicas: Mapping[str, int] = field(default_factory=dict)

    @property
    def struck(self) -> tuple[str, ...]:
        """The services that it happens to."""
        return (*self.kill, *self.crash, *self.restart)

    def strike(self, stack: Stack) -> None:
        """Do it to one container of each service named."""
        killed = [stack.running(service)[0] for service in self.kill]
        for container in killed:
            container.kill("SIGKILL")
        if self.start_again:
            for container in killed:
                container.start()
        for service in self.crash:
            # Every process but the container's first, which then ends the container as a crash does.
            stack.running(service)[0].exec_run(["sh", "-c", "kill -9 -1"])
        if self.restart:
            stack.run("restart", *self.restart)


FAULTS = (
    Fault("none"),
    *(Fault(f"docker kill, docker start: {service}", kill=(service,)) for service in SERVICES),
    Fault("crash, brought back by Docker: coordinator, shipper and writeback", crash=SERVICES),
    Fault("compose restart: nats", restart=("nats",)),
    Fault("docker kill, docker start: nats", kill=("nats",)),
    Fault("compose restart: postgres", restart=("postgres",)),
    Fault("docker kill, docker start: postgres", kill=("postgres",)),
    Fault(
        "2 coordinators, 3 shippers, 2 writebacks; docker kill of one of each, for good",
        kill=SERVICES,
        start_again=False,
        replicas=REPLICAS,
    ),
)
