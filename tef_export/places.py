"""Where the descriptions and the receivers' layouts stand in a bundle."""

from __future__ import annotations

BOM, SBOM = "data/sbom/model.cdx.json", "data/sbom/environment.cdx.json"
CRATE = "data/ro-crate-metadata.json"
CROISSANT = "data/documents/croissant.json"
"""Written with the datasheet, where there is one."""
BUILD, EVALUATION = "data/provenance/build.intoto.json", "data/provenance/evaluation.intoto.json"
ATTESTATIONS = (BUILD, EVALUATION)

EDGE = ("data/model/config.pbtxt", "data/model/labels.txt")
"""With `data/model/model.onnx` the folder of the edge farm: no byte of the model stands twice."""
_RECEIVERS = "data/receivers"
AISC = (f"{_RECEIVERS}/aisc/performance.json", f"{_RECEIVERS}/aisc/fairness.json")
TRITON = (f"{_RECEIVERS}/triton/model/config.pbtxt", f"{_RECEIVERS}/triton/model/labels.txt")
TRITON_NOTE = f"{_RECEIVERS}/triton/README.md"
TRITON_MODEL = f"{_RECEIVERS}/triton/model/1/model.onnx"
INFERENCE = tuple(f"{_RECEIVERS}/open_inference/{name}.json" for name in ("model", "request", "response"))
AIOD = f"{_RECEIVERS}/aiod/ml_model.json"
DATA_SPACE = f"{_RECEIVERS}/data_space/asset.json"
LAYOUTS = (*EDGE, *AISC, *TRITON, TRITON_NOTE, *INFERENCE, AIOD, DATA_SPACE)
"""Every file of a layout but the copy of the model."""
