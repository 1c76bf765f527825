"""Measure the code base and fail if a number has become worse: ``python -m tools.sizes``.

The best numbers so far are in ``tools/sizes.json``, where ``--record`` writes those that are
better today. Medians and percentiles may be up to a tenth worse: splitting one file moves them.
"""

from __future__ import annotations

import ast
import io
import json
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
LIMITS = ROOT / "tools/sizes.json"
FIRST_PARTY = ("core", "accounts", "conversations", "routing", "reporting", "messenger", "desk")
CODE = (*FIRST_PARTY, "config")
PRONOUNS = re.compile(r"\b(he|him|his|himself)\b", re.IGNORECASE)
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b.*\b(FROM|INTO|SET|AS)\b", re.DOTALL)
DRIFT = 1.1  # for medians and percentiles
HIGHER_IS_BETTER = frozenset({"comments_per_100_lines", "test_lines_per_code_line"})


def main() -> int:
    sizes = measure()
    limits: dict[str, float] = json.loads(LIMITS.read_text()) if LIMITS.exists() else {}
    worse = [name for name in sizes if name in limits and is_worse(name, sizes[name], limits[name])]
    for name, size in sizes.items():
        mark = "  WORSE" if name in worse else ""
        print(f"{name:28} {size:>9g}   limit {limits.get(name, size):>9g}{mark}")
    if worse:
        print(f"Worse than tools/sizes.json allows: {', '.join(worse)}")
        return 1
    if "--record" in sys.argv:
        best = {name: better(name, sizes[name], limits.get(name, sizes[name])) for name in sizes}
        LIMITS.write_text(json.dumps(best, indent=2) + "\n")
    return 0


def is_worse(name: str, size: float, limit: float) -> bool:
    if name.endswith(("_median", "_p95")):
        limit *= DRIFT
    return size < limit if name in HIGHER_IS_BETTER else size > limit


def better(name: str, one: float, other: float) -> float:
    return max(one, other) if name in HIGHER_IS_BETTER else min(one, other)


def measure() -> dict[str, float]:
    """Return each number by its name, in the order of the printed table."""
    files = [path for room in CODE for path in python_files(room)]
    tests = list(python_files("tests"))
    texts = {path: path.read_text("utf-8") for path in (*files, *tests)}
    lengths = sorted(text.count("\n") for text in (texts[path] for path in files))
    functions = sorted(length for path in files for length in function_lengths(texts[path]))
    lines = sum(lengths)
    return {
        "file_lines_median": statistics.median(lengths),
        "file_lines_p95": percentile(lengths, 95),
        "file_lines_max": lengths[-1],
        "function_lines_median": statistics.median(functions),
        "function_lines_p95": percentile(functions, 95),
        "function_lines_max": functions[-1],
        "comments_per_100_lines": round(100 * sum(comments(texts[p]) for p in files) / lines, 1),
        "test_lines_per_code_line": round(
            sum(texts[path].count("\n") for path in tests) / lines, 2
        ),
        "sql_literals": sum(sql_literals(texts[path]) for path in files),
        "import_cycles": cycles(),
        "gendered_pronouns": gendered_pronouns(),
        "long_template_lines": long_template_lines(),
    }


def python_files(room: str) -> Iterator[Path]:
    for path in sorted((ROOT / room).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def percentile(ordered: list[int], share: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def function_lengths(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def comments(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def sql_literals(text: str) -> int:
    return sum(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(SQL.match(node.value))
        for node in ast.walk(ast.parse(text))
    )


def cycles() -> int:
    """Count the pairs of packages that import each other, directly one way and by any chain
    back."""
    packages = [room for room in FIRST_PARTY if (ROOT / room / "__init__.py").exists()]
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    modules = sorted(graph.modules)
    return sum(
        1
        for module in modules
        for other in graph.find_modules_directly_imported_by(module)
        if module < other and graph.chain_exists(importer=other, imported=module)
    )


def gendered_pronouns() -> int:
    """Count "he", "him" and "his" in code, templates and documents; people are "they" here."""
    patterns = ("*.py", "*.html", "*.md", "*.js", "*.css", "*.toml", "*.txt")
    skipped = {"vendor", "migrations", ".venv", "requirements", "var"}
    return sum(
        len(PRONOUNS.findall(path.read_text("utf-8")))
        for pattern in patterns
        for path in ROOT.rglob(pattern)
        if not skipped & set(path.relative_to(ROOT).parts) and path != Path(__file__)
    )


def long_template_lines() -> int:
    return sum(
        len(line) > 200
        for path in (ROOT / "templates").rglob("*.*")
        for line in path.read_text("utf-8").splitlines()
    )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
