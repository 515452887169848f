/** Small PDF files for tests: pieces of text in Helvetica at given places (PDF 1.7, 7.3 to 9.4). */

export interface Placed {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly text: string;
}

/** Lines of equal leading, from the top. */
export function column(x: number, top: number, lines: readonly string[], leading = 12): Placed[] {
  return lines.map((text, i) => ({ x, y: top - i * leading, text }));
}

/** A file of pages of A4, each with its pieces in the order given. */
export function pdfOf(pages: readonly (readonly Placed[])[], info: Readonly<Record<string, string>> = {}): Uint8Array {
  const escaped = (text: string): string => text.replace(/[\\()]/g, "\\$&");
  const kids = pages.map((_, i) => `${4 + 2 * i} 0 R`).join(" ");
  const entries = Object.entries(info).map(([name, text]) => `/${name} (${escaped(text)})`);
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ...pages.flatMap((pieces, i) => {
      const content = pieces
        .map(({ x, y, size = 10, text }) => `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${escaped(text)}) Tj ET`)
        .join("\n");
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * i} 0 R >>`,
        `<< /Length ${Buffer.byteLength(content, "latin1")} >>\nstream\n${content}\nendstream`,
      ];
    }),
    `<< ${entries.join(" ")} >>`,
  ];
  let text = "%PDF-1.7\n";
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${objects.length} 0 R >>`;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}${trailer}\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}
