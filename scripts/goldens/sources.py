"""What lxml finds in the shared articles and trials, and in patents made for the test, as hashes of paragraphs in their
order: test/goldens/sources.json.

For each file: "text" (abstracts, body, back matter), "captions" (of figures and tables, with tables' notes), "tables" (the
cells of each that are not empty), "references" (how many). A hash is the first 8 hexadecimal digits of the SHA-256 of the text
with white space collapsed; no text is kept. Made with lxml 6.1.3.
Run: python scripts/goldens/sources.py ../shared/data test/goldens/sources.json
"""
import copy
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

from lxml import etree

data, output = Path(sys.argv[1]), Path(sys.argv[2])


def squeeze(text):
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def digest(text):
    return hashlib.sha256(squeeze(text).encode()).hexdigest()[:8]


def local(element):
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


SPLITS = {"list", "def-list", "disp-quote", "verse-group", "preformat", "code", "p", "disp-formula-group", "fn-group"}
BESIDE = {"table-wrap", "table-wrap-group", "fig", "fig-group", "boxed-text", "chem-struct-wrap"}
LEFT_OUT = {"supplementary-material", "inline-supplementary-material", "media", "graphic", "inline-graphic", "object-id",
            "label", "title", "sec-meta", "alt-text", "long-desc", "fn"}
FORMULAS = {"inline-formula", "alternatives", "math", "tex-math", "disp-formula"}


def formula(element):
    tex = next(element.iter("{*}tex-math"), None)
    if tex is not None:
        text = "".join(tex.itertext())
        inner = re.search(r"\\begin\{document\}(.*?)\\end\{document\}", text, re.S)
        text = squeeze(inner.group(1) if inner else text)
        return re.sub(r"^(?:\$\$?|\\\[)\s*(.*?)\s*(?:\$\$?|\\\])$", r"\1", text, flags=re.S)
    math = next(element.iter("{*}math"), None)
    if math is not None:
        return squeeze("".join(math.itertext()))
    return "".join(inline(element))


def inline(element):
    """Pieces of text of an element; None where a block ends the run."""
    if element.text:
        yield element.text
    for one in element:
        name = local(one)
        if name == "break":
            yield " "
        elif name in FORMULAS:
            pad = " " if name == "disp-formula" else ""
            yield pad + formula(one) + pad
        elif name in SPLITS:
            yield None
        elif name and name not in BESIDE and name not in LEFT_OUT:
            yield from inline(one)
        if one.tail:
            yield one.tail


def runs(paragraph):
    found, run = [], ""
    for piece in inline(paragraph):
        if piece is None:
            found.append(run)
            run = ""
        else:
            run += piece
    return [squeeze(one) for one in found + [run] if squeeze(one)]


def paragraphs(root):
    """Runs of all p under root in document order, but those beside the text; a term and its meaning are one."""
    for one in root:
        name = local(one)
        if name in BESIDE or name in LEFT_OUT - {"fn"} or name in ("ref-list", "sub-article", "response"):
            if name == "boxed-text":
                yield from paragraphs(one)
            continue
        if name == "def-item":
            meaning = " ".join(text for part in one.iter("def") for text in paragraphs(part))
            yield ": ".join(filter(None, [squeeze("".join(filter(None, inline(one.find("term"))))), meaning]))
        elif name == "p":
            # What a block inside says stands between the runs before and after it.
            blocks = [block for block in one.iterdescendants() if local(block) in SPLITS and nearest(block, one) is one]
            parts = split(one)
            for index, part in enumerate(parts):
                if squeeze(part):
                    yield squeeze(part)
                if index < len(blocks):
                    yield from paragraphs_of_block(blocks[index])
            for note in one.iter("fn"):
                if not any(local(around) in BESIDE for around in note.iterancestors() if around in list(one.iter())):
                    yield from paragraphs(note)
        elif name == "disp-formula":
            if squeeze(formula(one)):
                yield squeeze(formula(one))
        else:
            yield from paragraphs(one)


def paragraphs_of_block(block):
    if local(block) == "p":
        holder = etree.Element("holder")
        holder.append(copy.deepcopy(block))
        return list(paragraphs(holder))
    return list(paragraphs(block))


def nearest(block, top):
    """The closest ancestor of a block that is a block or beside the text, up to top."""
    parent = block.getparent()
    while parent is not top and local(parent) not in SPLITS | BESIDE | LEFT_OUT:
        parent = parent.getparent()
    return parent


def split(paragraph):
    found = [""]
    for piece in inline(paragraph):
        if piece is None:
            found.append("")
        else:
            found[-1] += piece
    return found


def captions(root):
    for one in root.iter("fig", "table-wrap", "fig-group", "table-wrap-group"):
        for caption in one.findall("caption"):
            title = caption.find("title")
            if title is not None:
                yield squeeze("".join(filter(None, inline(title))))
            yield from paragraphs(caption)
        for foot in one.findall("table-wrap-foot"):
            yield from paragraphs(foot)


def tables(root):
    for table in root.iter("table"):
        yield "\t".join(filter(None, (" ".join(text for text in map(squeeze, split(cell)) if text) for cell in table.iter("td", "th"))))


def article(path):
    root = etree.parse(str(path), etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)).getroot()
    for comment in list(root.iter(etree.Comment, etree.ProcessingInstruction)):
        # Text behind one goes on.
        previous, parent = comment.getprevious(), comment.getparent()
        if parent is not None:
            if previous is not None:
                previous.tail = (previous.tail or "") + (comment.tail or "")
            else:
                parent.text = (parent.text or "") + (comment.tail or "")
            parent.remove(comment)
    tops = root.findall("front/article-meta/abstract") + root.findall("body") + root.findall("back") + root.findall("floats-group")
    references = len(root.findall("back//ref"))
    return {
        "captions": [digest(text) for top in tops for text in captions(top) if text],
        "tables": [digest(text) for top in tops for text in tables(top) if text],
        "text": [digest(text) for top in tops for text in paragraphs(top) if text],
        "references": references,
    }


def wrapped(element):
    if element is None:
        return []
    return [squeeze(part) for part in re.split(r"\n[ \t]*\n", "".join(element.itertext()).replace("\r\n", "\n").replace("\r", "\n")) if squeeze(part)]


def value(element, path):
    found = element.find(path)
    return "" if found is None else squeeze("".join(found.itertext()))


def labelled(*parts):
    return ": ".join(filter(None, parts))


def trial(text):
    root = etree.fromstring(text, etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False))
    found = wrapped(root.find("brief_summary/textblock")) + wrapped(root.find("detailed_description/textblock"))
    for kind in ("primary", "secondary", "other"):
        for one in root.findall(f"{kind}_outcome"):
            frame = value(one, "time_frame")
            found.append(labelled(value(one, "measure") + (f" [{frame}]" if frame else ""), value(one, "description")))
    for arm in root.findall("arm_group"):
        kind = value(arm, "arm_group_type")
        found.append(labelled(value(arm, "arm_group_label") + (f" ({kind})" if kind else ""), value(arm, "description")))
    for one in root.findall("intervention"):
        found.append(labelled(value(one, "intervention_type"), value(one, "intervention_name"), value(one, "description")))
    found += wrapped(root.find("eligibility/study_pop/textblock")) + wrapped(root.find("eligibility/criteria/textblock"))
    said = set()
    results = root.find("clinical_results")
    if results is not None:
        places = [("participant_flow", ["recruitment_details", "pre_assignment_details"]), ("baseline", ["population", "measure_list/measure/description"])]
        parts = [(results.find(name), paths) for name, paths in places]
        parts += [(one, ["description", "population"]) for one in results.findall("outcome_list/outcome")]
        parts.append((results.find("reported_events"), ["time_frame", "desc"]))
        for part, paths in parts:
            if part is None:
                continue
            for path in paths:
                for one in part.findall(path):
                    found += wrapped(one) if path == "description" else [squeeze("".join(one.itertext()))]
            for group in part.findall("group_list/group"):
                text = labelled(value(group, "title"), value(group, "description"))
                if value(group, "description") and text not in said:
                    said.add(text)
                    found.append(text)
    return [digest(text) for text in found if text]


# Of the entities that the patents' DTDs declare, those that the test's files use.
CHARACTERS = {"agr": "\u03b1", "deg": "\u00b0", "lsqb": "[", "rsqb": "]", "half": "\u00bd"}
PARAGRAPHS = {"p", "para", "paragraph"}


def flat(element):
    """Text of a patent's element without tables, images and numbers of paragraphs, split at items of lists."""
    found = [element.text or ""]
    for one in element:
        name = local(one).lower()
        if name == "li":
            found += flat(one) + [""]
        elif name in ("maths", "mathematics"):
            found[-1] += f" {squeeze(''.join(one.itertext()))} "
        elif name and name not in ("tables", "table-us", "img", "emi", "number"):
            inner = flat(one)
            found[-1] += inner[0]
            found += inner[1:]
        found[-1] += one.tail or ""
    return found


def patents(path):
    text = path.read_text()
    documents = []
    for part in re.split(r"(?=<\?xml )", text):
        body = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?\]>", "", part, flags=re.S).strip()
        body = re.sub(r"&([A-Za-z]+);", lambda match: CHARACTERS.get(match.group(1), match.group(0)), body)
        if not body or body.startswith("<sequence-cwu"):
            continue
        root = etree.fromstring(body.encode(), etree.XMLParser(remove_pis=True, resolve_entities=False))
        claims = [one for one in root.iter() if local(one).lower() in ("claim", "clm")]
        inside = {one for claim in claims for one in claim.iter()}
        texts = [squeeze(run) for one in root.iter() if local(one).lower() in PARAGRAPHS and one not in inside for run in flat(one)]
        steps = ("para", "clmstep", "claim-text")
        for claim in claims:
            lines = [""]
            for event, one in etree.iterwalk(claim, events=("start", "end")):
                if local(one).lower() in steps:
                    lines.append("")
                if event == "start":
                    lines[-1] += one.text or ""
                elif one is not claim:
                    lines[-1] += one.tail or ""
            texts.append(squeeze("\n".join(squeeze(line) for line in lines if squeeze(line))))
        documents.append([digest(one) for one in texts if one])
    return documents


articles = {path.name: article(path) for path in sorted((data / "pmc-jats").glob("*.nxml"))}
with zipfile.ZipFile(data / "clinicaltrials-xml/sample.zip") as archive:
    trials = {name: trial(archive.read(name)) for name in sorted(archive.namelist())}
made = {path.name: patents(path) for path in sorted((output.parent / "patents").glob("*.xml"))}
output.write_text(json.dumps({"articles": articles, "trials": trials, "patents": made}, separators=(",", ":")) + "\n")
