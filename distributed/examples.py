"""The examples of a job, by micro-batch: token files and orders as Galen wrote them, and Galen's masks."""

import math
from dataclasses import dataclass

import torch

from ranks import Unusable

# In an order: no example.
NOBODY = 0xFFFFFFFF
# Third seed of the masks' random numbers.
MASK_STREAM = 0x6D6C6D


def mapped(path, dtype):
    """A file of little-endian numbers as a tensor that the system pages in."""
    count = path.stat().st_size // dtype.itemsize
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype) if count > 0 else torch.empty(0, dtype=dtype)


class Draws:
    """Galen's random numbers (src/tensor/random.ts): sfc32, seeded by a list of whole numbers."""

    def __init__(self, *seeds):
        self.mixed = 0x9E3779B9
        for seed in seeds:
            for half in (seed & 0xFFFFFFFF, seed >> 32):
                self.mixed ^= half
                self._splitmix()
        self.a, self.b, self.c = self._splitmix(), self._splitmix(), self._splitmix()
        self.counter = 1
        for _ in range(12):
            self._bits()

    def _splitmix(self):
        self.mixed = (self.mixed + 0x9E3779B9) & 0xFFFFFFFF
        t = self.mixed ^ (self.mixed >> 16)
        t = (t * 0x21F0AAAD) & 0xFFFFFFFF
        t ^= t >> 15
        t = (t * 0x735A2D97) & 0xFFFFFFFF
        return t ^ (t >> 15)

    def _bits(self):
        t = (self.a + self.b + self.counter) & 0xFFFFFFFF
        self.counter = (self.counter + 1) & 0xFFFFFFFF
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & 0xFFFFFFFF
        self.c = (((self.c << 21) | (self.c >> 11)) + t) & 0xFFFFFFFF
        return t

    def next(self):
        return self._bits() / 4294967296

    def integer(self, bound):
        return int(self.next() * bound)

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.integer(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def masked(row, seeds, settings, special, continues):
    """Ids as the model sees them, the places to predict and what stood there (src/train/objectives/masking.ts)."""
    draws = Draws(*seeds)
    vocabulary = settings["vocabulary"]
    words = []
    for place, token in enumerate(row):
        if token in special:
            continue
        if continues is not None and words and words[-1][-1] == place - 1 and continues[token]:
            words[-1].append(place)
        else:
            words.append([place])
    tokens = sum(map(len, words))
    wanted = 0 if tokens == 0 else max(1, math.floor(tokens * settings["rate"] + draws.next()))
    at = []
    for word in draws.shuffle(words):
        if len(at) >= wanted:
            break
        if at and len(at) + len(word) > wanted:
            continue
        at.extend(word)
    at.sort()
    labels = [row[place] for place in at]
    for place in at:
        draw = draws.next()
        if draw < 0.8:
            row[place] = vocabulary["mask"]
        elif draw < 0.9:
            token = draws.integer(vocabulary["size"])
            while token in special:
                token = draws.integer(vocabulary["size"])
            row[place] = token
    # A word longer than all that is to be predicted loses its last pieces' labels.
    room = math.floor(len(row) * settings["rate"]) + 1
    return row, at[:room], labels[:room]


@dataclass
class Batch:
    """A micro-batch. `count`: labels or pairs that its loss is the sum over; `work`: its tokens, for the speed."""

    ids: torch.Tensor
    labels: torch.Tensor
    at: torch.Tensor | None
    documents: torch.Tensor | None
    count: int
    work: int
    owners: torch.Tensor | None = None  # of each label, which of the batch's texts it belongs to
    lengths: torch.Tensor | None = None  # labels of each text
    numbers: list[int] | None = None

    def to(self, device):
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(self, name, value.to(device, non_blocking=True))
        return self


class Examples:
    """Training or held-out examples, by micro-batch."""

    def __init__(self, folder, job, split, training):
        self.objective, self.kind = job["objective"], job["objective"]["kind"]
        self.seed = job["seed"] if training else 0
        self.pad = job["model"]["config"].get("pad_token_id") or 0
        part = job[split]
        self.width, self.batches = part["order"]["width"], part["order"]["batches"]
        self.order = mapped(folder / part["order"]["path"], torch.int32)  # unsigned: see numbers()
        if self.order.numel() != self.width * self.batches:
            raise Unusable(
                f"{folder / part['order']['path']}: expected {self.width * self.batches} numbers, got {self.order.numel()}"
            )
        types = {"uint16": torch.uint16, "int32": torch.int32}
        self.files = [(mapped(folder / one["path"], types[one["type"]]), one["examples"]) for one in part["files"]]
        if "starts" in part:
            self.starts = mapped(folder / part["starts"], torch.int64)
            self.learned = mapped(folder / part["learned"], torch.uint8)
        if self.kind == "masked":
            vocabulary = self.objective["vocabulary"]
            self.special = frozenset(vocabulary["special"])
            path = vocabulary["continues"]
            self.continues = None if path is None else (folder / path).read_bytes()
        # What is right alone in memory would still be wrong a file of another model.
        self.rows = job["model"]["config"]["vocab_size"]

    def numbers(self, batch):
        """The examples of a micro-batch, with their places in it."""
        row = self.order[batch * self.width : (batch + 1) * self.width].tolist()
        return [(place, number & NOBODY) for place, number in enumerate(row) if number & NOBODY != NOBODY]

    def is_empty(self, batch):
        return len(self.numbers(batch)) == 0

    def batch(self, batch):
        numbers = self.numbers(batch)
        if self.kind == "causal":
            return self._causal(numbers)
        if self.kind == "masked":
            return self._masked(numbers, batch)
        if self.kind == "instructions":
            return self.texts([number for _, number in numbers], self.objective["packing"])
        made = self.texts([text for _, number in numbers for text in (2 * number, 2 * number + 1)], packing=False)
        made.count, made.numbers = len(numbers), [number for _, number in numbers]
        return made

    def _block(self, number, tokens, overlap):
        for content, blocks in self.files:
            if number < blocks:
                block = content[number * tokens : (number + 1) * tokens + overlap].to(torch.int64)
                if block.numel() != tokens + overlap or bool((block >= self.rows).any()) or bool((block < 0).any()):
                    raise ValueError(
                        f"block {number}: expected {tokens + overlap} ids below {self.rows}, got others: "
                        "the token file was changed, or another tokenizer made it"
                    )
                return block
            number -= blocks
        raise ValueError(f"the order of examples names block {number} beyond the token files")

    def _causal(self, numbers):
        tokens = self.objective["tokens"]
        blocks = torch.stack([self._block(number, tokens, 1) for _, number in numbers])
        labels = blocks[:, 1:].reshape(-1)
        return Batch(blocks[:, :-1].contiguous(), labels, None, None, labels.numel(), labels.numel())

    def _masked(self, numbers, batch):
        tokens, start = self.objective["tokens"], self.objective["vocabulary"]["start"]
        ids, at, labels = [], [], []
        for row, (place, number) in enumerate(numbers):
            example = batch * self.width + place
            block = self._block(number, tokens, 0).tolist()
            seen, places, stood = masked(block, (self.seed, example, MASK_STREAM), self.objective, self.special, self.continues)
            ids.append(seen)
            at += [row * tokens + place for place in places]
            labels += stood
        ids = torch.tensor(ids)
        documents = None if self.objective["acrossDocuments"] else (ids == (-1 if start is None else start)).cumsum(1)
        return Batch(ids, torch.tensor(labels), torch.tensor(at), documents, len(labels), ids.numel())

    def texts(self, numbers, packing):
        """The label of a token is the next one, where that is learned. Padding is on the right, or a document of its own."""
        texts = []
        for number in numbers:
            start, end = self.starts[number].item(), self.starts[number + 1].item()
            texts.append((self.files[0][0][start:end].to(torch.int64), self.learned[start:end].nonzero().flatten()))
        width = max(ids.numel() for ids, _ in texts) - 1
        rows = self._shared_rows(texts, width) if packing else [[text] for text in range(len(texts))]
        ids = torch.full((len(rows), width), self.pad)
        documents = torch.zeros(len(rows), width, dtype=torch.int64)
        at, labels, owners = [], [], []
        for row, members in enumerate(rows):
            first = 0
            for document, text in enumerate(members):
                own, learned = texts[text]
                ids[row, first : first + own.numel() - 1] = own[:-1]
                documents[row, first : first + own.numel() - 1] = document + 1
                at.append(row * width + first + learned - 1)
                labels.append(own[learned])
                owners.append(torch.full_like(learned, text))
                first += own.numel() - 1
        lengths = torch.tensor([learned.numel() for _, learned in texts])
        at, labels, owners = torch.cat(at), torch.cat(labels), torch.cat(owners)
        work = sum(own.numel() for own, _ in texts)
        return Batch(ids, labels, at, documents if packing else None, labels.numel(), work, owners, lengths)

    @staticmethod
    def _shared_rows(texts, width):
        """The longest first, each into the first row with room for it."""
        rows = []
        for text in sorted(range(len(texts)), key=lambda text: -texts[text][0].numel()):
            tokens = texts[text][0].numel() - 1
            row = next((row for row in rows if row[1] >= tokens), None)
            if row is None:
                row = [[], width]
                rows.append(row)
            row[0].append(text)
            row[1] -= tokens
        return [members for members, _ in rows]
