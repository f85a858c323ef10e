"""How PyTorch begins: the weights and biases of its linear layers, drawn from a generator of one's own."""

from __future__ import annotations

from torch import Generator, Tensor, empty, nn

__all__ = ["torch_linear"]


def torch_linear(generator: Generator, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Weight (inputs, outputs) and bias (outputs,) as `nn.Linear(inputs, outputs)` draws them: uniform in
    ± 1 / sqrt(inputs), the weight first.
    """
    weight = nn.init.kaiming_uniform_(empty(outputs, inputs), a=5**0.5, generator=generator)
    bound = inputs**-0.5
    return weight.T.contiguous(), empty(outputs).uniform_(-bound, bound, generator=generator)
