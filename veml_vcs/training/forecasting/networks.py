"""DCRNN and ConvLSTM: one encoder and decoder of recurrent cells, over two ways to mix sensors.

Both read the past step by step and write the future step by step. They differ in what their gates
are made of: a DCRNN's of diffusion convolutions over the graph of sensors (Li, Yu, Shahabi and Liu,
"Diffusion Convolutional Recurrent Neural Network", ICLR 2018), a ConvLSTM's of convolutions over
sensors in their order (Shi et al., "Convolutional LSTM Network", NeurIPS 2015; with GRU cells:
Ballas et al., ICLR 2016). Either takes either cell.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["gru", "lstm"]
CELLS: tuple[Cell, ...] = ("gru", "lstm")
_SPARSE_BELOW = 0.1  # part of the entries that are there: below, a sparse product is quicker


class DiffusionConvolution(nn.Module):
    """Mix each sensor with those that a random walker reaches in a few steps.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        steps: How far the walker goes.
        walks: How many transition matrices there are.
    """

    def __init__(self, inputs: int, outputs: int, steps: int, walks: int) -> None:
        super().__init__()
        self.steps = steps
        self.mix = nn.Linear(inputs * (1 + steps * walks), outputs)
        nn.init.xavier_normal_(self.mix.weight)

    def forward(self, x: Tensor, walks: Sequence[Tensor]) -> Tensor:
        """Return [B, N, outputs] of [B, N, inputs]."""
        batch, sensors, channels = x.shape
        # Sensors first, all else in columns: one product with the matrix does the whole batch.
        flat = x.transpose(0, 1).reshape(sensors, batch * channels)
        found = [flat]
        for walk in walks:
            reached = flat
            for _ in range(self.steps):
                reached = walk @ reached
                found.append(reached)
        mixed = torch.stack(found, dim=-1).reshape(sensors, batch, channels * len(found))
        out: Tensor = self.mix(mixed).transpose(0, 1)
        return out


class SensorConvolution(nn.Module):
    """Mix each sensor with its neighbours in the order of sensors; no graph.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        width: Sensors that are mixed; odd.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(inputs, outputs, width, padding=width // 2)

    def forward(self, x: Tensor, walks: Sequence[Tensor]) -> Tensor:
        """Return [B, N, outputs] of [B, N, inputs]."""
        del walks
        out: Tensor = self.mix(x.transpose(1, 2)).transpose(1, 2)
        return out


class GruCell(nn.Module):
    """A gated recurrent unit (Cho et al. 2014) whose gates mix sensors."""

    def __init__(self, gates: nn.Module, candidate: nn.Module, units: int) -> None:
        super().__init__()
        self.gates, self.candidate, self.units = gates, candidate, units
        bias = _bias(gates)
        nn.init.ones_(bias)  # remember at first, as Li et al. do

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], walks: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Return the next state ([B, N, units],)."""
        (hidden,) = state
        both = torch.sigmoid(self.gates(torch.cat([x, hidden], dim=-1), walks))
        reset, update = both.chunk(2, dim=-1)
        new = torch.tanh(self.candidate(torch.cat([x, reset * hidden], dim=-1), walks))
        return (update * hidden + (1 - update) * new,)


class LstmCell(nn.Module):
    """A long short-term memory (Hochreiter and Schmidhuber 1997) whose gates mix sensors."""

    def __init__(self, gates: nn.Module, units: int) -> None:
        super().__init__()
        self.gates, self.units = gates, units
        bias = _bias(gates)
        nn.init.zeros_(bias)
        nn.init.ones_(bias[units : 2 * units])  # of the forget gate: Jozefowicz et al. 2015

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], walks: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Return the next state (hidden, memory), each [B, N, units]."""
        hidden, memory = state
        four = self.gates(torch.cat([x, hidden], dim=-1), walks).chunk(4, dim=-1)
        entry, forget, leave = (torch.sigmoid(one) for one in (four[0], four[1], four[3]))
        memory = forget * memory + entry * torch.tanh(four[2])
        return leave * torch.tanh(memory), memory


class EncoderDecoder(nn.Module):
    """Read the past into a state, write the future from it.

    Args:
        inputs: Features that are seen.
        units: Hidden units of a sensor in each layer.
        layers: Recurrent layers.
        cell: ``gru`` or ``lstm``.
    """

    def __init__(self, inputs: int, units: int, layers: int, cell: Cell) -> None:
        super().__init__()
        self.units, self.cell = units, cell
        self.encoder = nn.ModuleList(
            self._cell(inputs if layer == 0 else units) for layer in range(layers)
        )
        self.decoder = nn.ModuleList(
            self._cell(1 if layer == 0 else units) for layer in range(layers)
        )
        self.out = nn.Linear(units, 1)
        self.walks: tuple[Tensor, ...] = ()

    def mixer(self, inputs: int, outputs: int) -> nn.Module:
        """Return what mixes sensors in a gate."""
        raise NotImplementedError

    def _cell(self, inputs: int) -> nn.Module:
        both, units = inputs + self.units, self.units
        if self.cell == "lstm":
            return LstmCell(self.mixer(both, 4 * units), units)
        return GruCell(self.mixer(both, 2 * units), self.mixer(both, units), units)

    def forward(
        self, x: Tensor, ahead: int, targets: Tensor | None = None, told: float = 0.0
    ) -> Tensor:
        """Return a forecast.

        Args:
            x: float32 [B, past, N, F], scaled.
            ahead: Steps to forecast.
            targets: float32 [B, ahead, N], scaled, without NaN: the truth, in training.
            told: Chance that a step of the decoder begins from the truth instead of from what was
                forecast before it (scheduled sampling: Bengio et al. 2015).

        Returns:
            float32 [B, ahead, N], scaled.
        """
        batch, _, sensors, _ = x.shape
        blank = x.new_zeros(batch, sensors, self.units)
        count = 2 if self.cell == "lstm" else 1
        states = [tuple(blank for _ in range(count)) for _ in self.encoder]
        for step in range(x.shape[1]):
            self._step(self.encoder, x[:, step], states)
        said = x.new_zeros(batch, sensors, 1)  # "go"
        found = []
        for step in range(ahead):
            top = self._step(self.decoder, said, states)
            said = self.out(top)
            found.append(said.squeeze(-1))
            # Drawn by torch, whose generator the seed sets and a resumed run gets back.
            if targets is not None and told > 0 and float(torch.rand(())) < told:
                said = targets[:, step].unsqueeze(-1)
        return torch.stack(found, dim=1)

    def _step(self, cells: nn.ModuleList, x: Tensor, states: list[tuple[Tensor, ...]]) -> Tensor:
        for layer, cell in enumerate(cells):
            states[layer] = cell(x, states[layer], self.walks)
            x = states[layer][0]
        return x


class DCRNN(EncoderDecoder):
    """The network of Li et al. 2018.

    Args:
        inputs: Features that are seen.
        units: Hidden units of a sensor in each layer (paper: 64).
        layers: Recurrent layers (2).
        cell: ``gru`` (theirs) or ``lstm``.
        steps: How far a walker goes (2).
        walks: 2: along the edges and against them, as theirs; 1: along them alone. Of a graph that
            is the same both ways the two are one, and 1 is enough.
    """

    def __init__(
        self, inputs: int, units: int = 64, layers: int = 2, cell: Cell = "gru", steps: int = 2,
        walks: int = 2,
    ) -> None:  # fmt: skip
        self._made = (steps, walks)
        super().__init__(inputs, units, layers, cell)

    def mixer(self, inputs: int, outputs: int) -> nn.Module:
        """Return a diffusion convolution."""
        return DiffusionConvolution(inputs, outputs, *self._made)

    def set_walks(self, walks: Sequence[Tensor]) -> None:
        """Say where a random walker goes.

        Args:
            walks: float32 [N, N] each: along the edges, against them.
        """
        self.walks = tuple(_quick(walk) for walk in walks[: self._made[1]])


class ConvLSTM(EncoderDecoder):
    """The network of Shi et al. 2015, over sensors in one line.

    Args:
        inputs: Features that are seen.
        units: Hidden units of a sensor in each layer.
        layers: Recurrent layers.
        cell: ``lstm`` (theirs) or ``gru``.
        width: Sensors that a convolution mixes; odd.
    """

    def __init__(
        self, inputs: int, units: int = 64, layers: int = 3, cell: Cell = "lstm", width: int = 3
    ) -> None:
        self._width = width
        super().__init__(inputs, units, layers, cell)

    def mixer(self, inputs: int, outputs: int) -> nn.Module:
        """Return a convolution over the sensors."""
        return SensorConvolution(inputs, outputs, self._width)


def _bias(gates: nn.Module) -> Tensor:
    mix = gates.mix
    assert isinstance(mix, nn.Linear | nn.Conv1d)
    assert mix.bias is not None
    return mix.bias


def _quick(walk: Tensor) -> Tensor:
    if float((walk != 0).float().mean()) >= _SPARSE_BELOW:
        return walk
    with warnings.catch_warnings():
        # PyTorch calls all of its sparse layouts a beta.
        warnings.filterwarnings("ignore", message="Sparse CSR")
        return walk.to_sparse_csr()
