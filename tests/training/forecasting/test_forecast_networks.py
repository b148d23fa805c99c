"""DCRNN and ConvLSTM against formulas, PyTorch's own cells, and on a wave they must learn."""

from __future__ import annotations

import numpy as np
import pytest

from veml_vcs.training.forecasting.graph import transitions

pytestmark = pytest.mark.ml
torch = pytest.importorskip("torch")


def test_a_diffusion_convolution_is_its_formula() -> None:
    from veml_vcs.training.forecasting.networks import DiffusionConvolution

    random = np.random.default_rng(0)
    walks = transitions(random.random((5, 5)) * (random.random((5, 5)) < 0.5))
    x = random.normal(size=(2, 5, 3)).astype(np.float32)
    mixing = DiffusionConvolution(3, 4, 2, 2)
    found = mixing(torch.from_numpy(x), [torch.from_numpy(one) for one in walks])
    # Weights by channel, then by walk: theta of Li et al. 2018, equation 2.
    weight = mixing.mix.weight.detach().numpy().reshape(4, 3, 5)
    reached = [np.eye(5)] + [
        np.linalg.matrix_power(walk, step) for walk in walks for step in (1, 2)
    ]
    expected = sum(
        np.einsum("nm,bmc,oc->bno", power, x, weight[:, :, place])
        for place, power in enumerate(reached)
    )
    assert np.allclose(found.detach(), expected + mixing.mix.bias.detach().numpy(), atol=1e-5)


def test_an_lstm_that_mixes_one_sensor_is_pytorchs() -> None:
    from veml_vcs.training.forecasting.networks import LstmCell, SensorConvolution

    ours = LstmCell(SensorConvolution(3 + 4, 4 * 4, 1), 4)
    theirs = torch.nn.LSTMCell(3, 4)
    with torch.no_grad():
        weight = ours.gates.mix.weight[:, :, 0]
        theirs.weight_ih.copy_(weight[:, :3])
        theirs.weight_hh.copy_(weight[:, 3:])
        theirs.bias_ih.copy_(ours.gates.mix.bias)
        theirs.bias_hh.zero_()
    x, hidden, memory = torch.randn(6, 3), torch.randn(6, 4), torch.randn(6, 4)
    found = ours(x[None], (hidden[None], memory[None]), ())
    expected = theirs(x, (hidden, memory))
    assert torch.allclose(found[0][0], expected[0], atol=1e-6)
    assert torch.allclose(found[1][0], expected[1], atol=1e-6)


def test_a_gru_is_its_formula() -> None:
    from veml_vcs.training.forecasting.networks import GruCell, SensorConvolution

    cell = GruCell(SensorConvolution(7, 8, 1), SensorConvolution(7, 4, 1), 4)
    x, hidden = torch.randn(2, 5, 3), torch.randn(2, 5, 4)
    (found,) = cell(x, (hidden,), ())
    gates = torch.sigmoid(cell.gates(torch.cat([x, hidden], -1), ()))
    reset, update = gates[..., :4], gates[..., 4:]
    new = torch.tanh(cell.candidate(torch.cat([x, reset * hidden], -1), ()))
    assert torch.allclose(found, update * hidden + (1 - update) * new)


def test_a_sparse_walk_gives_what_a_dense_one_gives() -> None:
    from veml_vcs.training.forecasting import networks

    ring = np.roll(np.eye(40), 1, axis=1)
    walks = [torch.from_numpy(one) for one in transitions(ring)]
    x = torch.randn(2, 3, 40, 1)
    results = []
    for sparse in (False, True):
        torch.manual_seed(0)
        network = networks.DCRNN(1, units=4, layers=2, walks=2)
        network.set_walks(walks)
        assert network.walks[0].layout == torch.sparse_csr
        if not sparse:
            network.walks = tuple(walks)
        out = network(x, 3)
        out.square().sum().backward()
        results.append((out.detach(), network.encoder[0].gates.mix.weight.grad))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-6)
    assert torch.allclose(results[0][1], results[1][1], atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("kind", ["DCRNN", "ConvLSTM"])
def test_each_learns_a_wave_that_runs_round_a_ring(kind: str, cell: str) -> None:
    """A sensor shows what its neighbour showed a step before: who says "as now" is wrong."""
    from veml_vcs.training.forecasting import networks

    torch.manual_seed(0)
    sensors, steps = 12, 200
    place = 2 * np.pi * (np.arange(sensors)[None] - np.arange(steps)[:, None]) / sensors
    wave = torch.tensor(np.sin(place) + 0.5 * np.sin(2 * place), dtype=torch.float32)
    network = getattr(networks, kind)(1, units=12, layers=1, cell=cell)
    if kind == "DCRNN":
        walks = transitions(np.roll(np.eye(sensors), 1, axis=1))
        network.set_walks([torch.from_numpy(one) for one in walks])
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    starts = torch.arange(0, 150)
    for _ in range(60):
        drawn = starts[torch.randperm(len(starts))[:16]]
        seen = torch.stack([wave[i : i + 4] for i in drawn.tolist()]).unsqueeze(-1)
        truth = torch.stack([wave[i + 4 : i + 8] for i in drawn.tolist()])
        loss = (network(seen, 4, truth, 0.5) - truth).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        seen = torch.stack([wave[i : i + 4] for i in range(160, 190)]).unsqueeze(-1)
        truth = torch.stack([wave[i + 4 : i + 8] for i in range(160, 190)])
        error = float((network(seen, 4) - truth).abs().mean())
    still = float((seen[:, -1:, :, 0] - truth).abs().mean())
    assert error < still / 3
