// Pictures of the network as files.

import { ink, isDark } from "./colors.js";

const OUTPUT = 260;

export function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob); link.download = name; link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Return the network and its output as the text of an SVG file.
export function makeSvg(picture, surface) {
  const { width, height } = picture.size, top = Math.max(height, OUTPUT + 20), back = isDark() ? "#14171a" : "#ffffff";
  const parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width + OUTPUT + 30}" height="${top}" viewBox="0 0 ${width + OUTPUT + 30} ${top}">`,
    `<rect width="100%" height="100%" fill="${back}"/>`];
  for (const { line } of picture.lines) {
    const dash = line.getAttribute("stroke-dasharray");
    parts.push(`<path d="${line.getAttribute("d")}" fill="none" stroke="${line.getAttribute("stroke")}" stroke-width="${line.getAttribute("stroke-width")}"${dash === "none" ? "" : ` stroke-dasharray="${dash}"`}/>`);
  }
  for (const { canvas, layer, unit } of picture.units) {
    const { x, y } = picture.at(layer, unit);
    parts.push(`<image x="${x + 2}" y="${y + 2}" width="40" height="40" href="${canvas.toDataURL()}"/><rect x="${x + 1}" y="${y + 1}" width="42" height="42" fill="none" stroke="${ink()}"/>`);
  }
  parts.push(`<image x="${width + 10}" y="10" width="${OUTPUT}" height="${OUTPUT}" href="${surface.toDataURL()}"/>`, "</svg>");
  return parts.join("\n");
}

export function savePng(picture, surface, name) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.width; canvas.height = 2 * image.height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => saveFile(blob, name));
  };
  image.src = `data:image/svg+xml;base64,${btoa(unescape(encodeURIComponent(makeSvg(picture, surface))))}`;
}
