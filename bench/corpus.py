"""The peer of corpus.ts: datatrove's filters and MinHash on the same files, two processes."""

import importlib.metadata
import json
import sys
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.readers import JsonlReader, ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from loguru import logger


def main(source: str, output: str, processes: int) -> None:
    logger.remove()
    out = Path(output)
    config = MinhashConfig()

    def run(*steps, tasks: int = processes) -> None:
        LocalPipelineExecutor(
            list(steps), tasks=tasks, workers=min(tasks, processes), logging_dir=str(out / "logs" / str(time.time()))
        ).run()

    start = time.perf_counter()
    tasks = len(list(Path(source).glob("*.jsonl")))
    run(
        JsonlReader(source),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
        ParquetWriter(str(out / "filtered")),
        tasks=tasks,
    )
    filtered = time.perf_counter()
    run(ParquetReader(str(out / "filtered")), MinhashDedupSignature(str(out / "signatures"), config=config), tasks=tasks)
    run(
        MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config),
        tasks=config.num_buckets,
    )
    run(MinhashDedupCluster(str(out / "buckets"), str(out / "clusters"), config=config), tasks=1)
    run(
        ParquetReader(str(out / "filtered")),
        MinhashDedupFilter(str(out / "clusters")),
        ParquetWriter(str(out / "result")),
        tasks=tasks,
    )
    end = time.perf_counter()
    import pyarrow.parquet as parquet

    count = lambda name: sum(parquet.read_metadata(path).num_rows for path in (out / name).glob("**/*.parquet"))
    print(
        json.dumps(
            {
                "name": f"datatrove {importlib.metadata.version('datatrove')}",
                "filters": filtered - start,
                "duplicates": end - filtered,
                "filtered": count("filtered"),
                "left": count("result"),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
