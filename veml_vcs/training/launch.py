"""One of several processes of a training: started by the engine's own launchers."""

from __future__ import annotations

import os

from veml_vcs.errors import InvalidInputError

LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
_RANKS = {"pytorch": "RANK", "slurm": "SLURM_PROCID", "mpi": "OMPI_COMM_WORLD_RANK"}


def start_processes(launcher: str) -> int:
    """Meet the other processes, and return which one this is.

    MMEngine's own start asks for a graphics card; without one, processes speak by gloo.

    Args:
        launcher: ``pytorch`` (torchrun), ``slurm`` or ``mpi``.

    Raises:
        InvalidInputError: No such launcher started this process.
    """
    if launcher not in _RANKS or _RANKS[launcher] not in os.environ:
        raise InvalidInputError(
            f"--launcher {launcher}: this process was not started by it",
            hint="torchrun --nproc-per-node 2 --no-python veml train --launcher pytorch ...",
            kind="no-launcher",
        )
    import torch
    from mmengine.dist import get_rank, init_dist, is_distributed

    if not is_distributed():
        if torch.cuda.is_available() or launcher != "pytorch":
            init_dist(launcher, backend="nccl" if torch.cuda.is_available() else "gloo")
        else:
            torch.distributed.init_process_group("gloo")
    rank: int = get_rank()
    return rank


def meet() -> None:
    """Wait until every process is here."""
    from mmengine.dist import barrier

    barrier()
