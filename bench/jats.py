"""pubmed_parser's side of jats.ts: articles and paragraphs of the files in a folder, as often as it is asked."""
import json
import sys
import time
from pathlib import Path

import pubmed_parser

paths = [str(path) for path in sorted(Path(sys.argv[1]).iterdir())]
print(json.dumps({"version": "0.5.1"}), flush=True)
for _ in sys.stdin:
    start, busy = time.perf_counter(), time.process_time()
    paragraphs = 0
    for path in paths:
        pubmed_parser.parse_pubmed_xml(path)
        paragraphs += len(pubmed_parser.parse_pubmed_paragraph(path, all_paragraph=True))
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - start,
                "busy": time.process_time() - busy,
                "count": paragraphs,
            }
        ),
        flush=True,
    )
