"""
Checks a PubMed dataset folder with the readers that other people use: pyarrow, Hugging Face datasets, DuckDB.

    python scripts/check-dataset.py DATASET

Compares row counts, columns and values across the three and with manifest.json, and prints the versions.
Written with pyarrow 26.0.1, datasets 5.2.0, duckdb 2.0.0.
"""

import json
import pathlib
import sys
import tempfile

import datasets
import duckdb
import pyarrow
import pyarrow.dataset


def check(condition, what):
    print(("ok    " if condition else "WRONG ") + what)
    return 0 if condition else 1


def main(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    wrong = 0
    paths = [folder / shard["name"] for shard in manifest["shards"]]
    wrong += check([path.stat().st_size for path in paths] == [s["bytes"] for s in manifest["shards"]], "sizes of shards")

    table = pyarrow.dataset.dataset([str(path) for path in paths]).to_table()
    table.validate(full=True)
    wrong += check(table.num_rows == manifest["records"], f"pyarrow {pyarrow.__version__}: {table.num_rows} records")
    pmids = table["pmid"].to_pylist()
    wrong += check(len(set(pmids)) == len(pmids), "every PMID once")
    for name, filled in manifest["filled"].items():
        counted = sum(value not in (None, "", []) for value in table[name].to_pylist())
        if counted != filled:
            wrong += check(False, f"{name}: {filled} filled by the manifest, {counted} by pyarrow")

    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(str(folder), split="train", cache_dir=cache)
        wrong += check(loaded.num_rows == manifest["records"], f"datasets {datasets.__version__}: load_dataset(folder)")
        wrong += check(loaded.column_names == table.column_names, "datasets: columns")
        wrong += check(loaded.to_list() == table.to_pylist(), "datasets: every value as in pyarrow")
        print("      mesh:", loaded.features["mesh"])

    files = [str(path) for path in paths]
    count = duckdb.execute("select count(*) from read_parquet(?)", [files]).fetchone()[0]
    wrong += check(count == manifest["records"], f"duckdb {duckdb.__version__}: {count} records")
    headings = duckdb.execute("select sum(len(mesh)) from read_parquet(?)", [files]).fetchone()[0]
    wrong += check((headings or 0) == sum(map(len, table["mesh"].to_pylist())), f"duckdb: {headings} MeSH headings")
    query = "select h.name, count(*) n from (select unnest(mesh) h from read_parquet(?)) group by 1 order by n desc, 1 limit 3"
    print("      most frequent MeSH headings:", duckdb.execute(query, [files]).fetchall())
    rows = duckdb.execute("select pmid, title, abstract, doi, year from read_parquet(?) order by pmid", [files]).fetchall()
    columns = ["pmid", "title", "abstract", "doi", "year"]
    expected = sorted((tuple(row[c] for c in columns) for row in table.select(columns).to_pylist()), key=lambda row: row[0])
    wrong += check(rows == expected, "duckdb: flat columns as in pyarrow")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(pathlib.Path(sys.argv[1])) else 0)
