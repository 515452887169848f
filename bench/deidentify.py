"""The peers of deidentify.ts: Presidio's analyzer with its patterns and a blank spaCy model, and scrubadub's default detectors."""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import logging

logging.disable(logging.CRITICAL)
texts = json.load(open(sys.argv[1]))
peers = {}
try:
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

        def load(self):
            pass

        def is_loaded(self):
            return True

    engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    spacy.blank("en").max_length = 10**8
    peers["presidio, patterns"] = lambda text: len(engine.analyze(text, language="en"))
except ImportError:
    pass
try:
    import scrubadub

    scrubber = scrubadub.Scrubber()
    peers["scrubadub"] = lambda text: sum(1 for _ in scrubber.iter_filth(text))
except ImportError:
    pass

print(json.dumps(list(peers)), flush=True)
for line in sys.stdin:
    name = json.loads(line)
    start = time.perf_counter()
    found = sum(peers[name](text) for text in texts)
    print(json.dumps({"seconds": time.perf_counter() - start, "found": found}), flush=True)
