import { describe, expect, test } from "vitest";
import { column, pdfOf, type Placed } from "../../../test/support/pdf.ts";
import { outline, readAs } from "../../../test/support/sources.ts";

const left = [
  "The first column begins with a sen-",
  "tence that is broken at the end of a line",
  "and goes on over a number of lines so",
  "that it is a paragraph of some length.",
  "Another sentence of a well-known kind",
  "ends the column in the middle of",
];
const right = [
  "things, and the second column goes on",
  "with it. The x-ray dose was mea-",
  "sured. A well-",
  "known effect ends here, the last line",
  "of it stands below all of the others.",
];
const around = (page: number): Placed[] => [
  { x: 72, y: 812, size: 8, text: `Roe et al. Journal of Tests ${page}` },
  { x: 290, y: 30, size: 8, text: String(page) },
];
const heading = (y: number, text: string): Placed => ({ x: 72, y, size: 12, text });
const paper = pdfOf(
  [
    [
      ...around(1),
      { x: 72, y: 760, size: 18, text: "A Title of Some Length over" },
      { x: 72, y: 738, size: 18, text: "Two Lines" },
      heading(690, "Abstract"),
      ...column(72, 672, [
        "This is the abstract of the paper, which is one paragraph over both of the columns, and it",
        "goes on to the end of it here.",
      ]),
      heading(630, "1. Introduction"),
      // As files have it: the order of pieces is not that of reading.
      ...column(320, 630, right),
      ...column(72, 612, left),
    ],
    [...around(2), heading(780, "Methods"), ...column(72, 760, ["We did it.", "", "Twice, with 5\xb0 more."])],
    [...around(3), heading(780, "References"), ...column(72, 760, ["1. Roe A. On it. 2001."])],
  ],
  { Author: "Ann Roe", CreationDate: "D:20150307120000Z" },
);

describe("PDF", () => {
  test("columns are read one after the other, broken words whole, without running heads and page numbers", async () => {
    const { documents, failures } = await readAs("paper.pdf", paper);
    expect(failures).toEqual([]);
    expect(documents[0]).toMatchObject({
      id: "paper.pdf",
      kind: "pdf",
      title: "A Title of Some Length over Two Lines",
      date: "2015-03-07",
      metadata: { authors: "Ann Roe", pages: "3" },
    });
    expect(outline(documents[0]!)).toEqual([
      "[abstract] Abstract: This is the abstract of the paper, which is one paragraph over both of the columns, and it goes on to the end of it here.",
      "[text] 1. Introduction: The first column begins with a sentence that is broken at the end of a line and goes on over a number of lines so " +
        "that it is a paragraph of some length. Another sentence of a well-known kind ends the column in the middle of things, and the second " +
        "column goes on with it. The x-ray dose was measured. A well-known effect ends here, the last line of it stands below all of the others.",
      "[text] Methods: We did it.\n\nTwice, with 5° more.",
      "[reference] References: 1. Roe A. On it. 2001.",
    ]);
  });

  test("without text is refused, with what to do", async () => {
    const { documents, failures } = await readAs("scan.pdf", pdfOf([around(1), around(2)]));
    expect(documents).toEqual([]);
    expect(failures).toEqual([
      "scan.pdf: cannot be read on: expected text, got 2 pages of images: make them text by OCR first (ocrmypdf)",
    ]);
  });

  test("that is damaged is a failure that says so", async () => {
    const { failures } = await readAs("bad.pdf", Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(100, "x")]));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain("bad.pdf: cannot be read on: expected a PDF that can be read, got a damaged one");
  });
});
