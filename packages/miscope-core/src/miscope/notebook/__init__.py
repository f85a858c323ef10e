"""For notebooks: widgets with the page's own step cursor, and names for Tab, by `%load_ext miscope.notebook`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Have Tab complete what handles take: families, their parameters, views, analyzers, metrics, variants."""
    from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

    from miscope.notebook.completion import completions

    @context_matcher()
    def miscope_names(context: CompletionContext) -> Any:
        fragment, names = completions(context.full_text[: _place(context)], shell.user_ns)
        found = [SimpleCompletion(text=name, type="miscope") for name in names]
        return {"completions": found, "matched_fragment": fragment, "suppress": bool(found)}

    shell.Completer.custom_matchers.append(miscope_names)


def _place(context: Any) -> int:
    """Where the cursor is in the whole text; it says the line and the column."""
    before = context.full_text.split("\n")[: context.cursor_line]
    return sum(len(line) + 1 for line in before) + context.cursor_position
