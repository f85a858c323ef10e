"""Run the benchmarks and write BENCHMARKS.md: the machine, the versions, and one table for each.

Every benchmark is a script beside this one that prints one JSON object: a title, rows (each an object, its keys are the
columns) and notes; or just names and numbers. They run one after the other, each in its own process, so that none
warms another's caches. `epochs`, `page_clock`, `looking` and `working` are parts of theirs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BENCHMARKS = (
    "training",
    "analysis",
    "catalogue",
    "figures",
    "workbench",
    "interactions",
    "load",
    "index",
    "startup",
    "runs",
    "metrics",
    "machines",
    "least_action",
    "watching",
    "activations",
    "autoencoders",
    "stacked_autoencoders",
    "warm_series",
)
PACKAGES = ("torch", "transformer-lens", "numpy", "duckdb", "plotly", "safetensors", "pyarrow")


def main() -> None:
    """Measure, then write the page; a benchmark that fails ends everything, and the page stays as it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--old", type=Path, help="python of an environment with transformer-lens 3.9, for HookedTransformer"
    )
    parser.add_argument("--saelens", type=Path, help="python of an environment with sae-lens, for autoencoders")
    parser.add_argument("--before", type=Path, help="python of an environment with older packages, for the workbench")
    parser.add_argument("--only", nargs="*", choices=BENCHMARKS, default=BENCHMARKS)
    parser.add_argument("--out", type=Path, default=HERE.parent / "BENCHMARKS.md")
    asked = parser.parse_args()
    before = None if set(asked.only) == set(BENCHMARKS) else written(asked.out)
    sections = []
    for name in asked.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        sections.append(measured(words_for(name, asked)))
    asked.out.write_text(page(sections, before), encoding="utf-8")
    print(asked.out)


def words_for(name: str, asked: argparse.Namespace) -> list[str]:
    """How the benchmark of that name is run."""
    if name == "autoencoders" and not asked.saelens:
        raise SystemExit("autoencoders are compared with sae-lens: say --saelens PYTHON, as `make bench` does.")
    python = str(asked.saelens) if name == "autoencoders" else sys.executable
    compared = {"training": ("--old", asked.old), "workbench": ("--before", asked.before)}
    flag, other = compared.get(name, ("", None))
    return [python, str(HERE / f"{name}.py"), *([flag, str(other)] if other else [])]


def measured(words: Sequence[str]) -> Mapping[str, Any]:
    """What a benchmark prints."""
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}; BENCHMARKS.md is as it was.")
    found = json.loads(done.stdout)
    if "rows" in found:
        return found
    return {
        "title": Path(words[1]).stem.capitalize(),
        "rows": [{"what": what, "": value} for what, value in found.items()],
    }


@dataclass(frozen=True)
class Written:
    """A page that is there: what it was measured on, and its sections by title."""

    machine: Mapping[str, str]
    sections: Mapping[str, str]


def page(sections: Iterable[Mapping[str, Any]], before: Written | None) -> str:
    """The whole of BENCHMARKS.md.

    before: whose sections stay where they are, unless they were measured now. What is measured on another machine than
    those, or with other versions, says so; the numbers of one section are of one machine.
    """
    here = {fact["machine"]: fact[""] for fact in machine()}
    others = {name: value for name, value in here.items() if before and before.machine.get(name) != value}
    elsewhere = bool(others.keys() - {"date"})
    apart = [f"Measured apart from the rest: {', '.join(f'{name} {value}' for name, value in others.items())}."]
    measured_now = {}
    for section in sections:
        notes = "\n".join(f"- {note}" for note in [*section.get("notes", ()), *(apart if elsewhere else ())])
        measured_now[section["title"]] = "\n\n".join(part for part in (table(section["rows"]), notes) if part)
    facts = before.machine if before and elsewhere else here
    shown = table([{"machine": name, "": value} for name, value in facts.items()])
    head = ["# Benchmarks", "Written by `make bench`; measured, not edited.", shown]
    bodies = {**(before.sections if before else {}), **measured_now}
    return "\n\n".join([*head, *(f"## {name}\n\n{body}" for name, body in bodies.items())]) + "\n"


def written(path: Path) -> Written:
    """The page as it is."""
    head, *sections = path.read_text(encoding="utf-8").split("\n## ")
    rows = [line.strip("| ").split(" | ") for line in head.splitlines() if line.startswith("| ")]
    facts = {row[0]: row[1] for row in rows if len(row) == 2 and row[0] not in ("machine", "---")}
    return Written(facts, {name: body.strip() for name, _, body in (section.partition("\n") for section in sections)})


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table; columns in the order they first appear."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([cell(row.get(key)) for key in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: object) -> str:
    """A number with three figures, anything else as it is."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value).replace("|", "\\|")


def machine() -> list[dict[str, str]]:
    """What it was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": f"{cores}",
        "memory": memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }
    return [{"machine": name, "": value} for name, value in facts.items()]


def processor() -> str:
    """Its name as Linux or macOS gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> str:
    """Its size, where the system says it."""
    pages = os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in os.sysconf_names else 0
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB" if pages else "unknown"


if __name__ == "__main__":
    main()
