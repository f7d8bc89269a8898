"""A Spark of its own for the time of a validation, in local mode unless the user's Spark says otherwise."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from configs import errors

JAVA = 17
"""Oldest Java that Spark 4 runs on."""
TYPES = {
    "numeric": ("DoubleType",),
    "integer": ("LongType", "IntegerType", "ShortType", "ByteType"),
    "categorical": ("StringType",),
}
"""Kind of a column to the types that its Parquet form is read as."""


def require() -> None:
    """Are PySpark and a Java for it here? Nothing is started but `java -version`.

    Raises:
        MissingError: They are not.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise errors.MissingError(
            "plan data.engine: expected PySpark for engine: spark, got none. Install it with "
            "`pip install '.[spark]'`, or set data.engine: duckdb, which needs nothing more."
        )
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = _java_version(java) if java else None
    if found is None or found < JAVA:
        got = "none" if found is None else f"Java {found}"
        raise errors.MissingError(
            f"plan data.engine: expected Java {JAVA} or later for engine: spark, got {got}. Install one (Debian: "
            f"openjdk-{JAVA}-jre-headless), or name it in JAVA_HOME; or set data.engine: duckdb, which needs none."
        )


@contextlib.contextmanager
def frame(table: Path, names: Sequence[str], temporary: Path) -> Iterator[Any]:
    """A Parquet file as a Spark data frame in which a number that is none (NaN) is missing.

    Args:
        table: The file.
        names: What its columns are called in the frame: plain words, as functions of Spark read dots and backticks.
        temporary: Folder for what does not fit into memory meanwhile.
    """
    from pyspark import SparkContext  # noqa: PLC0415 - only where the plan asks for it
    from pyspark.sql import SparkSession, functions  # noqa: PLC0415 - same

    builder = SparkSession.builder.appName("proofline")
    if "SPARK_CONF_DIR" not in os.environ and "SPARK_REMOTE" not in os.environ:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("SPARK_LOCAL_DIRS", str(temporary))
        builder = builder.master("local[*]").config("spark.driver.bindAddress", "127.0.0.1")
        # Local mode plans 200 parts for a sort or a grouping otherwise, whatever the size of the table.
        builder = builder.config("spark.sql.shuffle.partitions", str(2 * (os.cpu_count() or 1)))
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    for name, value in quiet.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        read = session.read.parquet(str(table)).toDF(*names)
        for name, kind in read.dtypes:
            if kind == "double":
                read = read.withColumn(name, functions.when(~functions.isnan(name), functions.col(name)))
        yield read
    finally:
        session.stop()
        _end(SparkContext)


def _end(context: Any) -> None:
    """End the Java machine, which holds memory that the training wants, and close the way to it."""
    gateway = context._gateway
    context._gateway = context._jvm = None
    if gateway is not None:
        gateway.shutdown()
        process = getattr(gateway, "proc", None)
        if process is not None:
            process.stdin.close()  # it waits for this
            process.wait(60)


def _java_version(java: str) -> int | None:
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    told = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(told[1]) if told else None
