"""Tables of texts as Parquet by pyarrow, DuckDB and Polars in their codecs, encodings and page versions: test/goldens/parquet/.

rows.json holds what every one of them says. Made with pyarrow 26.0.1, duckdb 2.0.1, polars 2.1.0.
Run: python scripts/goldens/parquet.py test/goldens/parquet
"""
import json
import random
import sys
from pathlib import Path

import duckdb
import polars
import pyarrow
import pyarrow.parquet

SEED = 20261126
draw = random.Random(SEED)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
WORDS = ["kidney", "heart", "β-blocker", "stroke", "", "insulin"]

rows = [
    {
        "pmid": 2**40 + i,
        "year": 1990 + i % 3 if i % 4 else None,
        "title": f"Title {i % 3}" if i % 5 else None,
        "abstract": " ".join(draw.choice(WORDS) for _ in range(i % 9)) + f" {i}.",
        "label": draw.choice(["a", "b"]),
        "documents": [f"d{i}", *(["more"] * (i % 3))],
        "scores": [i / 8, *([0.5] * (i % 3))],
        "author": {"name": f"A{i % 2}", "marks": [i, i + 1] if i % 2 else None},
    }
    for i in range(40)
]
(folder / "rows.json").write_text(json.dumps(rows, ensure_ascii=False))

schema = pyarrow.schema([
    ("pmid", pyarrow.int64()),
    ("year", pyarrow.int32()),
    ("title", pyarrow.string()),
    pyarrow.field("abstract", pyarrow.string(), nullable=False),
    ("label", pyarrow.string()),
    ("documents", pyarrow.list_(pyarrow.string())),
    ("scores", pyarrow.list_(pyarrow.float64())),
    ("author", pyarrow.struct([("name", pyarrow.string()), ("marks", pyarrow.list_(pyarrow.int32()))])),
])
table = pyarrow.Table.from_pylist(rows, schema=schema)


def arrow(name, **options):
    pyarrow.parquet.write_table(table, folder / f"pyarrow-{name}.parquet", **options)


for codec in ["snappy", "zstd", "gzip", "brotli", "none"]:
    arrow(codec, compression=codec, row_group_size=16)
arrow("v2", data_page_version="2.0", compression="zstd", data_page_size=128, write_batch_size=4)
arrow("v2-plain", data_page_version="2.0", compression="none", use_dictionary=False)
arrow("v1-pages", data_page_size=64, write_batch_size=4, dictionary_pagesize_limit=64)
strings = {"title": "DELTA_LENGTH_BYTE_ARRAY", "abstract": "DELTA_LENGTH_BYTE_ARRAY", "pmid": "DELTA_BINARY_PACKED"}
arrow("delta", use_dictionary=False, column_encoding={**strings, "year": "DELTA_BINARY_PACKED"})
arrow("prefixes", use_dictionary=False, column_encoding={"abstract": "DELTA_BYTE_ARRAY"})
arrow("lz4", compression="lz4")
for codec in ["snappy", "zstd", "gzip"]:
    out = folder / f"duckdb-{codec}.parquet"
    duckdb.sql(f"COPY (SELECT * FROM '{folder}/pyarrow-none.parquet') TO '{out}' (FORMAT parquet, CODEC '{codec}')")
out = folder / "duckdb-v2.parquet"
duckdb.sql(f"COPY (SELECT * FROM '{folder}/pyarrow-none.parquet') TO '{out}' (FORMAT parquet, PARQUET_VERSION v2)")
frame = polars.read_parquet(folder / "pyarrow-none.parquet")
for codec in ["snappy", "zstd", "gzip"]:
    frame.write_parquet(folder / f"polars-{codec}.parquet", compression=codec)
