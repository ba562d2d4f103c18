"""PyTorch: eager, with the fused Adam, and compiled."""

from typing import Any

from benchmarks.workloads import EPSILON, LEARNING_RATE, Array, Workload


class Torch:
    """PyTorch, operation by operation."""

    name = "PyTorch"
    package = "torch"
    fused = False

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        import torch

        self.torch, self.batch_size = torch, workload.batch_size
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        layers: list[Any] = []
        for weights in workload.weights():
            layer = torch.nn.Linear(*weights.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weights.T))
                layer.bias.zero_()
            layers += [layer, torch.nn.ReLU()]
        self.model: Any = torch.nn.Sequential(*layers[:-1])
        self.run = self.model
        self.loss = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=self.fused
        )

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        torch = self.torch
        for _ in range(epochs):
            total, batches = torch.zeros(()), 0
            order = torch.randperm(len(self.X)) if shuffle else torch.arange(len(self.X))
            for rows in order.split(self.batch_size):
                whole = len(rows) == len(self.X)
                X, y = (self.X, self.y) if whole else (self.X[rows], self.y[rows])
                loss = self.loss(self.run(X), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.detach()
                batches += 1
        return float(total) / batches

    def predict(self, X: Array) -> Any:
        with self.torch.inference_mode():
            return self.run(self.torch.from_numpy(X)).softmax(dim=1).numpy()


class TorchFused(Torch):
    """PyTorch with the fused Adam."""

    name = "PyTorch fused"
    fused = True


class TorchCompiled(TorchFused):
    """PyTorch with the network through ``torch.compile``, and the fused Adam."""

    name = "torch.compile"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        super().__init__(workload, X, y)
        self.run = self.torch.compile(self.model)
