from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "prefect", "mlflow", "great_expectations", "sklearn", "pandas", "matplotlib", "scipy", "onnxruntime")


@pytest.mark.slow
def test_documents_load_none_of_the_heavy_libraries() -> None:
    """Rendering needs jinja2 and PyYAML beyond the records, and nothing slow."""
    code = f"import sys; import model_cards.documents; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
