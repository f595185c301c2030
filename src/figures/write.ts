import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { csv } from '../util/csv.js';
import { makeFolder, writeFileAtomic } from '../util/files.js';
import type { Figure } from './figure.js';
import { figureSvg } from './svg.js';

/** Pixels of the PNG for each of the SVG. */
const SCALE = 2;

/** Writes a figure's files into a folder; returns their paths. */
export async function writeFigure(figure: Figure, folder: string): Promise<string[]> {
  await makeFolder(folder, 'choose another folder with --output DIR');
  const paths: string[] = [];
  for (const [name, data] of figureFiles(figure)) {
    const path = join(folder, name);
    await writeFileAtomic(path, data);
    paths.push(path);
  }
  return paths;
}

/** A figure as SVG, as PNG, and its points as CSV, by name. */
export function figureFiles(figure: Figure): [name: string, data: string | Uint8Array][] {
  const svg = figureSvg(figure, 'paper');
  return [
    [`${figure.name}.svg`, svg],
    [`${figure.name}.png`, figurePng(svg)],
    [`${figure.name}.csv`, csv(figure.columns, figure.points)],
  ];
}

/** Draws an SVG as PNG, with the font that comes with the program: machines without fonts draw the same. */
export function figurePng(svg: string): Uint8Array {
  const font = createRequire(import.meta.url).resolve(
    '@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf',
  );
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: 'Arimo' },
    fitTo: { mode: 'zoom', value: SCALE },
  });
  return image.render().asPng();
}
