"""Data sets of scikit-learn and of openml.org. The only data module that imports scikit-learn."""

from __future__ import annotations

import importlib.resources
import urllib.error

import pandas as pd
import sklearn.datasets

from configs import data, errors
from evidence import canonical, records
from factory._raw import RawTable, cut, rows_of_piece

_FILES = {
    "diabetes": ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"),
    "breast_cancer": ("breast_cancer.csv",),
    "wine": ("wine_data.csv",),
    "iris": ("iris.csv",),
}


def read_sklearn(source: data.SklearnSource) -> tuple[RawTable, tuple[records.SourceFile, ...]]:
    """A data set that ships inside scikit-learn, in its original units; its target is the column `target`."""
    loaders = {
        "diabetes": lambda: sklearn.datasets.load_diabetes(as_frame=True, scaled=False),
        "breast_cancer": lambda: sklearn.datasets.load_breast_cancer(as_frame=True),
        "wine": lambda: sklearn.datasets.load_wine(as_frame=True),
        "iris": lambda: sklearn.datasets.load_iris(as_frame=True),
    }
    frame = loaders[source.name]().frame
    folder = importlib.resources.files("sklearn.datasets.data")
    files = tuple(_file(f"scikit-learn/{name}", folder.joinpath(name).read_bytes()) for name in _FILES[source.name])
    return _raw(f"scikit-learn/{source.name}", frame), files


def read_openml(source: data.OpenMLSource) -> tuple[RawTable, tuple[records.SourceFile, ...]]:
    """A data set of openml.org. Its source record holds the digest of the table as CSV: the service gives no file.

    Raises:
        MissingError: The service cannot be reached.
        DataError: It has no such data set.
    """
    where = f"OpenML data set {source.name} version {source.dataset_version}"
    try:
        loaded = sklearn.datasets.fetch_openml(
            source.name, version=source.dataset_version, as_frame=True, parser="auto", n_retries=0
        )
    except (OSError, ValueError) as error:
        raise _refused(where, error) from None
    frame = loaded.frame
    content = frame.to_csv(index=False, lineterminator="\n").encode("utf-8")
    return _raw(where, frame), (_file(f"openml/{source.name}-{source.dataset_version}.csv", content),)


def _refused(where: str, error: OSError | ValueError) -> errors.ProoflineError:
    code = getattr(error, "code", None)
    if isinstance(error, ValueError) or code in (404, 412):  # 412 is how the service says "no such data set"
        return errors.DataError(
            f"{where}: expected it on openml.org, got no such data set. Check name and dataset_version there."
        )
    found = f"HTTP {code}" if isinstance(error, urllib.error.HTTPError) else "no connection"
    return errors.MissingError(
        f"{where}: expected an answer from openml.org, got {found}. Check the internet connection, or download the "
        "table and use a source of kind file."
    )


def _raw(name: str, frame: pd.DataFrame) -> RawTable:
    columns = tuple(frame.iloc[:, i].astype(object).tolist() for i in range(frame.shape[1]))
    pieces = cut(columns, len(frame), rows_of_piece(len(columns)))
    return RawTable(name, tuple(str(c) for c in frame.columns), pieces)


def _file(name: str, content: bytes) -> records.SourceFile:
    return records.SourceFile(name=name, sha256=canonical.sha256_bytes(content), size=len(content))
