"""A formula in plain text as one reads it: Greek letters, powers, indices and signs instead of their names."""

from __future__ import annotations

import re

__all__ = ["readable"]

_GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "theta": "θ"},
    **{"kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ"},
    **{"phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ"},
    **{"sum": "Σ", "prod": "Π", "infinity": "∞"},
}
_SAID = r"(?! of| over)"
"""Behind a name that is read as a word of a sentence: 'sum of squares'."""

_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", " * ": "·", "sqrt": "√", "+-": "±"}
_RAISED = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_LOWERED = str.maketrans("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_ALONE = r"(?<![A-Za-z]){}(?![A-Za-z])"


def readable(formula: str) -> str:
    """'sum_k f_k^2 <= lambda' as 'Σₖ fₖ² ≤ λ'; names of weights such as W_E stay."""
    text = formula
    for name, letter in _GREEK.items():
        text = re.sub(_ALONE.format(name) + _SAID, letter, text)
    for written, sign in _SIGNS.items():
        text = text.replace(written, sign)
    text = re.sub(r"\^(-?[0-9]+)", lambda found: found[1].translate(_RAISED), text)
    return re.sub(
        r"(?<=[\w|)])_([0-9]+|[aehijklmnoprstuvx])(?![A-Za-z0-9_])", lambda found: found[1].translate(_LOWERED), text
    )
