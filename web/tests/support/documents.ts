type Document = { name: string; mimeType: string; buffer: Buffer };

const LEADING = 14;
const TOP = 780;

/** Returns a PDF with these lines on its pages, as PDF 1.4 describes the smallest one: no compression, a font of the reader's own. */
export function pdf(name: string, pages: readonly (readonly string[])[]): Document {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${4 + 2 * index} 0 R`).join(" ")}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  for (const [index, lines] of pages.entries()) {
    const shown = lines.map((line) => `(${line.replaceAll(/[\\()]/g, "\\$&")}) '`).join("\n");
    const content = `BT /F1 11 Tf ${LEADING} TL 56 ${TOP} Td\n${shown}\nET`;
    objects.push(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> " +
        `/Contents ${5 + 2 * index} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`;
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return { name, mimeType: "application/pdf", buffer: Buffer.from(text + table + trailer, "latin1") };
}

/** Returns a Markdown file with these paragraphs. */
export function markdown(name: string, paragraphs: readonly string[]): Document {
  return { name, mimeType: "text/markdown", buffer: Buffer.from(`${paragraphs.join("\n\n")}\n`) };
}
