"""Least Action Learning for miscope: modular arithmetic by MLPs, transformers and networks that route."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope import hookimpl

if TYPE_CHECKING:
    import typer

    from miscope import Analyzer, Family, Lens, View
    from miscope_lal.seed.adam_metrics import AdamMetrics as AdamMetrics
    from miscope_lal.seed.adam_metrics import compute_adam_metrics as compute_adam_metrics
    from miscope_lal.seed.curvature import compute_fisher_trace as compute_fisher_trace
    from miscope_lal.seed.curvature import compute_gradient_norm as compute_gradient_norm
    from miscope_lal.seed.curvature import compute_hessian_trace as compute_hessian_trace
    from miscope_lal.seed.curvature import compute_jacobian_norm as compute_jacobian_norm
    from miscope_lal.seed.curvature import compute_weight_hessian_trace as compute_weight_hessian_trace
    from miscope_lal.seed.curvature import spectral_smoothness as spectral_smoothness
    from miscope_lal.seed.datasets import ModularArithmeticDataset as ModularArithmeticDataset
    from miscope_lal.seed.datasets import SequenceArithmeticDataset as SequenceArithmeticDataset
    from miscope_lal.seed.experiments import create_metric_plot as create_metric_plot
    from miscope_lal.seed.experiments import get_sweep_groups as get_sweep_groups
    from miscope_lal.seed.experiments import list_experiments as list_experiments
    from miscope_lal.seed.experiments import load_experiment as load_experiment
    from miscope_lal.seed.experiments import metric_names as metric_names
    from miscope_lal.seed.losses import LeastActionLoss as LeastActionLoss
    from miscope_lal.seed.losses import jacobian_regularizer as jacobian_regularizer
    from miscope_lal.seed.losses import spectral_smoothness_loss as spectral_smoothness_loss
    from miscope_lal.seed.metrics_history import MetricsHistory as MetricsHistory
    from miscope_lal.seed.metrics_history import TrainingMetrics as TrainingMetrics
    from miscope_lal.seed.networks import BaselineMLP as BaselineMLP
    from miscope_lal.seed.networks import GrokTransformer as GrokTransformer
    from miscope_lal.seed.networks import RoutedNetwork as RoutedNetwork
    from miscope_lal.seed.networks import SingleHeadNetwork as SingleHeadNetwork
    from miscope_lal.seed.networks import create_model as create_model
    from miscope_lal.seed.properties import compute_layer_weight_norms as compute_layer_weight_norms
    from miscope_lal.seed.properties import compute_representation_norm as compute_representation_norm
    from miscope_lal.seed.trainer import Trainer as Trainer
    from miscope_lal.seed.trainer_config import TrainerConfig as TrainerConfig


_SEED = {
    "adam_metrics": ("AdamMetrics", "compute_adam_metrics"),
    "curvature": (
        "compute_fisher_trace",
        "compute_gradient_norm",
        "compute_hessian_trace",
        "compute_jacobian_norm",
        "compute_weight_hessian_trace",
        "spectral_smoothness",
    ),
    "datasets": ("ModularArithmeticDataset", "SequenceArithmeticDataset"),
    "experiments": ("create_metric_plot", "get_sweep_groups", "list_experiments", "load_experiment", "metric_names"),
    "losses": ("LeastActionLoss", "jacobian_regularizer", "spectral_smoothness_loss"),
    "metrics_history": ("MetricsHistory", "TrainingMetrics"),
    "networks": ("BaselineMLP", "GrokTransformer", "RoutedNetwork", "SingleHeadNetwork", "create_model"),
    "properties": ("compute_layer_weight_norms", "compute_representation_norm"),
    "trainer": ("Trainer",),
    "trainer_config": ("TrainerConfig",),
    "visualize": ("plot_routing_heatmap", "plot_spectral_analysis", "plot_training_curves", "save_all_visualizations"),
}
"""The seed's own names by the module of `miscope_lal.seed`; most load PyTorch, so none is loaded early."""
_HOME = {name: module for module, names in _SEED.items() for name in names}

__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    # Not in __dir__ too: whoever looks for hooks would load all of them.
    if name not in _HOME:
        raise AttributeError(f"module 'miscope_lal' has no attribute {name!r}")
    return getattr(import_module(f"miscope_lal.seed.{_HOME[name]}"), name)


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_lal.mlp import MlpFamily
    from miscope_lal.routed import RoutedFamily
    from miscope_lal.routed_transformer import RoutedTransformerFamily
    from miscope_lal.transformer import TransformerFamily

    return (MlpFamily(), RoutedFamily(), TransformerFamily(), RoutedTransformerFamily())


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope_lal.analyzers import ALL

    return ALL


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_lal.views import ALL

    return ALL


@hookimpl
def miscope_lenses() -> Iterable[Lens]:
    from miscope import lenses_in

    return lenses_in(Path(__file__).parent / "lenses")


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    from miscope_lal.cli.lal import add_to

    add_to(cli)
